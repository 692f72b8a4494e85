// The port `remotetechnician`: agents come here for a session that was asked of them, other hubs for one that this hub holds (docs/formats/tunnel.md).
//
//     TCP ──> TLS with the hub's own certificate ──ALPN──> printtrail-tunnel/1   an install's certificate, judged as at dcam; then the hub asks
//                                                   └────> printtrail-relay/1    a hub's certificate; then the hub answers
//                                                          anything else         closed
//
// A connection counts for nothing before its certificate and its hello were judged. It ends with its session: by time, by the console, by a revocation.

internal import DevicePages
internal import Events
internal import FoundationEssentials
internal import Logging
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import NIOPosix
internal import NIOSSL
internal import NIOTLS
internal import ServiceLifecycle
internal import SwiftASN1
internal import Synchronization
internal import WebServing
internal import X509

struct TunnelListener: Service {
  static let protocolName = "printtrail-tunnel/1"

  let endpoint: Endpoint
  let identity: ServerIdentity
  let authorities: Authorities
  let peers: PeerCheck
  let store: SQLStore
  let sessions: TunnelSessions
  let clock: HubClock
  let logger: Logger
  let bound: @Sendable (Int) -> Void
  private let connections = OpenConnections()
  private let doorway = Doorway(admittedMax: HubLimits.remoteConnectionsMax)

  init(
    endpoint: Endpoint, identity: ServerIdentity, peers: PeerCheck, store: SQLStore, sessions: TunnelSessions,
    clock: HubClock, logger: Logger, bound: @escaping @Sendable (Int) -> Void
  ) {
    (self.endpoint, self.identity, self.peers, self.store) = (endpoint, identity, peers, store)
    (self.sessions, self.clock, self.logger, self.bound) = (sessions, clock, logger, bound)
    authorities = peers.authorities
  }

  /// - Throws: `HubError` if it cannot listen.
  func run() async throws {
    let protocols = [Self.protocolName, RelayClient.protocolName]
    let context = try NIOSSLContext(configuration: identity.tlsConfiguration(protocols: protocols))
    let channel = try await RemotePort.open(endpoint, named: "remote") { try accept($0, context) }
    bound(channel.localAddress?.port ?? endpoint.port)
    try? await gracefulShutdown()
    try? await channel.close()
    sessions.closeAll(saying: "closed: the hub stops")
    connections.closeAll()
  }

  private func accept(_ channel: any Channel, _ context: NIOSSLContext) throws {
    connections.add(channel)
    doorway.came(channel)
    let pipeline = channel.pipeline.syncOperations
    try pipeline.addHandler(
      NIOSSLServerHandler(
        context: context,
        customVerificationCallback: { _, promise in
          // The handshake proves possession of the key; whose it is, is judged below.
          promise.succeed(.certificateVerified)
        }))
    // Whoever says nothing is closed; a session's time is longer.
    let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(HubLimits.remoteHelloTimeout)) {
      channel.close(promise: nil)
    }
    channel.closeFuture.whenComplete { _ in deadline.cancel() }
    try pipeline.addHandler(
      ApplicationProtocolNegotiationHandler { result, channel in
        channel.eventLoop.makeCompletedFuture {
          try negotiated(result, channel) {
            deadline.cancel()
            return doorway.admit(channel)
          }
        }
      })
  }

  private func negotiated(
    _ result: ALPNResult, _ channel: any Channel, admit: @escaping @Sendable () -> Bool
  ) throws {
    switch result {
    case .negotiated(Self.protocolName):
      let connection = try TunnelConnection.made(on: channel)
      Task {
        await tunnel(connection, admit: admit)
        channel.close(promise: nil)
      }
    case .negotiated(RelayClient.protocolName):
      let isHub = Latched { await certificate(of: channel).map { authorities.isOfHub($0) } ?? false }
      try TunnelConnection.serve(on: channel) { stream in
        guard await isHub.value else {
          logger.warning("a relay that is no hub of this authority", metadata: ["peer": "\(RemoteProxy.peer(channel))"])
          channel.close(promise: nil)
          return await drop(stream)
        }
        guard admit() else {
          logger.warning("too many tunnels and relays", metadata: ["peer": "\(RemoteProxy.peer(channel))"])
          channel.close(promise: nil)
          return await drop(stream)
        }
        await Relay(sessions: sessions).answer(stream)
      }
    default: channel.close(promise: nil)
    }
  }

  private func drop(_ stream: TunnelConnection.Stream) async { try? await stream.executeThenClose { _, _ in } }

  private func certificate(of channel: any Channel) async -> Certificate? {
    guard let shown = try? await channel.nioSSL_peerCertificate().get(), let der = try? shown.toDERBytes() else {
      return nil
    }
    return try? Certificate(derEncoded: der)
  }

  // MARK: One agent's tunnel

  private func tunnel(_ connection: TunnelConnection, admit: @Sendable () -> Bool) async {
    let address = RemoteProxy.peer(connection.channel)
    let agent: Peer
    do throws(PeerCheck.Refusal) {
      agent = try await peers.peer(await certificate(of: connection.channel), address: address)
    } catch {
      return await refuse(connection, "no certificate of an install that is good at this hub", address)
    }
    guard let hello = await hello(connection) else { return await refuse(connection, "no hello", address) }
    guard admit() else { return await refuse(connection, "this hub holds too many tunnels", address) }
    let opening = RemoteOpening(
      job: hello.session, device: hello.device, install: agent.install.number, certificate: agent.serial,
      seconds: hello.endsInSeconds, names: hello.names, targets: hello.targets.map(\.description),
      heldBy: sessions.ownAddress)
    // Before the row says so: whoever reads it finds the tunnel. It is found for this install's session alone.
    guard sessions.hold(hello.session, of: agent.install.number, connection) else {
      return await refuse(connection, "the session has a tunnel already", address)
    }
    let outcome = try? await store.openRemote(opening, peer: address, now: clock.now)
    guard case .done(let session)? = outcome else {
      sessions.letGo(hello.session, of: agent.install.number)
      guard case .refused(let why)? = outcome else { return await refuse(connection, "the store is away", address) }
      return await refuse(connection, why, address)
    }
    logger.info(
      "a device's page is open",
      metadata: ["session": "\(session.job)", "install": "\(agent.install.id)", "user": "\(session.userName)"])
    try? await connection.channel.closeFuture.get()
    sessions.letGo(session.job, of: agent.install.number)
    _ = try? await store.endRemote(
      session.job, because: connection.said ?? "the agent's connection was lost", by: nil, now: clock.now)
  }

  private func refuse(_ connection: TunnelConnection, _ why: String, _ address: String) async {
    logger.notice("a tunnel was refused", metadata: ["peer": "\(address)", "reason": "\(why)"])
    connection.close(saying: "closed: \(why)")
    try? await connection.channel.closeFuture.get()
  }

  private func hello(_ connection: TunnelConnection) async -> TunnelHello? {
    let head: HPACKHeaders = [":method": "GET", ":scheme": "https", ":authority": "agent", ":path": "/hello"]
    let bytes: [UInt8]? = try? await connection.stream { inbound, outbound in
      try await outbound.write(.headers(.init(headers: head, endStream: true)))
      var bytes: [UInt8] = []
      for try await part in inbound {
        switch part {
        case .headers(let answer):
          guard answer.headers.first(name: ":status") == "200" else { return nil }
          if answer.endStream { return nil }
        case .data(let data):
          guard case .byteBuffer(let buffer) = data.data, bytes.count + buffer.readableBytes <= TunnelHello.bytesMax
          else { return nil }
          bytes.append(contentsOf: buffer.readableBytesView)
          if data.endStream { return bytes }
        default: break
        }
      }
      return nil
    }
    return bytes.flatMap { TunnelHello($0) }
  }
}

/// A value that is looked for once, when it is first asked for.
final class Latched<Value: Sendable>: Sendable {
  private let look: @Sendable () async -> Value
  private let task = Mutex<Task<Value, Never>?>(nil)

  init(_ look: @escaping @Sendable () async -> Value) { self.look = look }

  var value: Value {
    get async {
      let task = task.withLock { task in
        let running = task ?? Task { await self.look() }
        task = running
        return running
      }
      return await task.value
    }
  }
}
