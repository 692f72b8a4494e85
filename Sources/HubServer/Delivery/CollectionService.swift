// dcam, as dcam.proto specifies it: the service-mode stream and the normal-mode check-in over the same steps.

internal import FoundationEssentials
internal import GRPCCore
internal import GRPCProtobuf
internal import HubProtocol
internal import Logging
internal import RPCServing
internal import Synchronization

/// The check-in, by grpc-swift's server.
struct CollectionService: RegistrableRPCService {
  let peers: PeerCheck
  let delivery: Delivery
  let logger: Logger

  func registerMethods<Transport: ServerTransport>(with router: inout RPCRouter<Transport>) {
    router.registerHandler(
      forMethod: Printtrail_Dcam_V1_DeviceCollection.Method.CheckIn.descriptor,
      deserializer: ProtobufDeserializer<Printtrail_Dcam_V1_CheckInRequest>(),
      serializer: ProtobufSerializer<Printtrail_Dcam_V1_CheckInResponse>()
    ) { request, context in
      let request = try await ServerRequest(stream: request)
      return StreamingServerResponse(
        single: ServerResponse(message: try await checkIn(request: request.message, context: context)))
    }
  }

  func checkIn(
    request: Printtrail_Dcam_V1_CheckInRequest, context: ServerContext
  ) async throws -> Printtrail_Dcam_V1_CheckInResponse {
    do {
      let response = try await answer(request, context)
      delivery.metrics.count(.checkIns, HubCounter.status(nil))
      return response
    } catch {
      delivery.metrics.count(.checkIns, HubCounter.status(error))
      throw error
    }
  }

  private func answer(
    _ request: Printtrail_Dcam_V1_CheckInRequest, _ context: ServerContext
  ) async throws -> Printtrail_Dcam_V1_CheckInResponse {
    let install = try await peers.install(context)
    var logger = logger
    logger[metadataKey: "install"] = "\(install.id)"
    var response = Printtrail_Dcam_V1_CheckInResponse()
    // First of all: who is in a hurry waits for nothing else of this exchange.
    let peer = SigningService.address(of: context.remotePeer)
    try await delivery.recognise(request.hello, install: install, peer: peer)
    let express = try await delivery.keep(request.express, install: install, logger: logger)
    (response.expressAnswers, response.conflicts) = (express.answers, express.conflicts)
    try await delivery.greet(request.hello, install: install, peer: peer, logger: logger)
    if request.hasLost {
      let result = try await delivery.store(
        [try delivery.check(request.lost, install: install)], of: install, logger: logger)
      if let failure = result.failure { throw failure }
      for stored in result.answers { response.acknowledgement = stored.acknowledgement }
    }
    if request.hasBatch, let append = try delivery.check(request.batch, install: install) {
      let taken = try await delivery.budget.take(append.byteCount)
      defer { delivery.budget.release(taken) }
      let result = try await delivery.store([append], of: install, logger: logger)
      if let failure = result.failure { throw failure }
      for stored in result.answers {
        response.acknowledgement = stored.acknowledgement
        response.rejections += stored.rejections
        response.conflicts += stored.conflicts
      }
    }
    if request.hasCheckpoint {
      switch try await delivery.keep(request.checkpoint, install: install, logger: logger) {
      case .refused(let rejection): response.rejections.append(rejection)
      case .verified(let countersignature?): response.countersignature = countersignature
      case .verified(nil): break
      }
    }
    // In the exchange that a check-in begins with.
    if !request.hello.heads.isEmpty, let settings = delivery.settings {
      do {
        let set = try await settings.offer(to: install.number, applied: SettingsWatch.Mark(request.hello))
        if let set { response.settings = .init(set) }
      } catch is HubError { throw RPCError.storeUnavailable }
    }
    // Last, so that it tells what is held after this exchange.
    response.welcome = try await delivery.welcome(install, request.hello)
    if !request.hello.heads.isEmpty, request.hello.takesJobs {
      response.jobs = await delivery.dueJobs(of: install, logger: logger)
        .map { .init($0, now: delivery.clock.now) }
    }
    response.nextCheckInMilliseconds = UInt32(clamping: delivery.checkInInterval.milliseconds)
    return response
  }
}

/// The stream, past that server.
extension CollectionService: DirectCall {
  var method: MethodDescriptor { Printtrail_Dcam_V1_DeviceCollection.Method.Stream.descriptor }

  func serve(_ call: RPCCall, _ context: ServerContext, done: @escaping @Sendable () -> Void) {
    call.respond()
    Task {
      let peer: Peer
      do {
        peer = try await peers.peer(context)
        try delivery.admit()
      } catch {
        end(call, error)
        return done()
      }
      begin(call, peer, from: context.remotePeer, done)
    }
  }

  private func begin(_ call: RPCCall, _ peer: Peer, from remotePeer: String, _ done: @escaping @Sendable () -> Void) {
    var logger = logger
    logger[metadataKey: "install"] = "\(peer.install.id)"
    logger.info("stream opened", metadata: ["peer": "\(remotePeer)"])
    delivery.metrics.count(.streamsOpened)
    let session = StreamSession(
      install: peer.install, address: SigningService.address(of: remotePeer), delivery: delivery, call: call,
      logger: logger
    ) { [logger] error in
      delivery.dismiss()
      ended(error, logger)
      end(call, error)
      done()
    }
    session.begin(peer, from: remotePeer)
  }

  private func end(_ call: RPCCall, _ error: (any Error)?) {
    guard let error else { return call.end(Status(code: .ok, message: "")) }
    let told = RPCError(thrown: error)
    call.end(Status(code: Status.Code(told.code), message: told.message), told.metadata)
  }

  private func ended(_ error: (any Error)?, _ logger: Logger) {
    let status = HubCounter.status(error)
    delivery.metrics.count(.streamsEnded, status)
    var metadata: Logger.Metadata = ["status": "\(status)"]
    if let error { metadata["reason"] = "\((error as? RPCError)?.message ?? "\(error)")" }
    logger.log(level: status == "invalid_argument" ? .notice : .info, "stream closed", metadata: metadata)
  }
}
