// One connection to a device, with TLS or without, for who reads and writes it as bytes. What is read is asked for, so that a device which sends without
// end fills nobody's memory; what is written is waited for.

internal import NIOCore
internal import NIOPosix
internal import NIOSSL

/// How a device's certificate is judged: nobody vouches for it, so that it can only be known again.
package struct DeviceTLS: Sendable {
  package enum Verdict: Sendable {
    case known, changed
  }

  /// Whether versions before 1.2 are spoken, and what goes with them.
  package var allowsOld: Bool
  /// Gets the certificate in DER; called on an event loop, and must return at once.
  package var judge: @Sendable ([UInt8]) -> Verdict

  package init(allowsOld: Bool, judge: @escaping @Sendable ([UInt8]) -> Verdict) {
    self.allowsOld = allowsOld
    self.judge = judge
  }
}

package struct DeviceConnection: Sendable {
  /// What is asked of the socket at once.
  private static let readBytes = 64 << 10

  private let channel: any Channel
  private let line: NIOLoopBound<DeviceLine>

  /// Connects, and shakes hands where `tls` is there.
  /// - Parameters:
  ///   - address: IPv4, dotted: no name is looked up.
  ///   - patience: for the connection, and again for the handshake.
  /// - Throws: `DeviceFault` or `CancellationError`.
  package static func open(
    to address: String, port: UInt16, tls: DeviceTLS?, within patience: Duration
  ) async throws -> DeviceConnection {
    let place: SocketAddress
    do { place = try SocketAddress(ipAddress: address, port: Int(port)) } catch {
      throw DeviceFault.unreachable("\(address) is no address")
    }
    let loop = MultiThreadedEventLoopGroup.singleton.next()
    let ready = loop.makePromise(of: Void.self)
    let bootstrap = ClientBootstrap(group: loop).connectTimeout(TimeAmount(patience))
      .channelOption(.autoRead, value: false)
      .channelOption(.socketOption(.tcp_nodelay), value: 1)
      .channelOption(
        .recvAllocator, value: AdaptiveRecvByteBufferAllocator(minimum: 2_048, initial: 16_384, maximum: readBytes)
      )
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          let line = DeviceLine(isEncrypted: tls != nil, ready: ready)
          if let tls {
            try channel.pipeline.syncOperations.addHandler(try encryption(tls, refusing: line, channel.eventLoop))
          }
          try channel.pipeline.syncOperations.addHandler(line)
        }
      }
    let connection = bootstrap.connect(to: place)
    connection.whenFailure { ready.fail(DeviceFault(connection: $0)) }
    // The handshake has as much time again.
    let deadline = loop.scheduleTask(in: TimeAmount(patience * 2)) {
      ready.fail(DeviceFault.tls("the handshake was not over in \(patience.components.seconds) s"))
    }
    ready.futureResult.whenComplete { result in
      deadline.cancel()
      guard case .failure = result else { return }
      connection.whenSuccess { $0.close(promise: nil) }
    }
    return try await withTaskCancellationHandler {
      do {
        try await ready.futureResult.get()
        let channel = try await connection.get()
        let line = try await channel.eventLoop.submit {
          NIOLoopBound(try channel.pipeline.syncOperations.handler(type: DeviceLine.self), eventLoop: channel.eventLoop)
        }.get()
        return DeviceConnection(channel: channel, line: line)
      } catch {
        try Task.checkCancellation()
        throw DeviceFault(connection: error)
      }
    } onCancel: {
      ready.fail(DeviceFault.closed)
    }
  }

  /// What came, or comes next; nil at the end.
  /// - Parameter patience: how long is waited for a first byte; nil: as long as it takes.
  /// - Throws: `DeviceFault` or `CancellationError`; the connection is then of no more use.
  package func read(within patience: Duration?) async throws -> [UInt8]? {
    let promise = channel.eventLoop.makePromise(of: [UInt8]?.self)
    let line = line
    channel.eventLoop.execute { line.value.read(within: patience.map { TimeAmount($0) }, promise) }
    return try await withTaskCancellationHandler {
      do { return try await promise.futureResult.get() } catch {
        try Task.checkCancellation()
        throw DeviceFault(connection: error)
      }
    } onCancel: {
      close()
    }
  }

  /// Returns when the system has taken all of it.
  /// - Throws: as `read`.
  package func write(_ bytes: [UInt8], within patience: Duration) async throws {
    guard !bytes.isEmpty else { return }
    let line = line
    let deadline = channel.eventLoop.scheduleTask(in: TimeAmount(patience)) {
      line.value.end(with: .slow("it took nothing for \(patience.components.seconds) s"))
    }
    defer { deadline.cancel() }
    try await withTaskCancellationHandler {
      do { try await channel.writeAndFlush(ByteBuffer(bytes: bytes)).get() } catch {
        try Task.checkCancellation()
        throw DeviceFault(connection: error)
      }
    } onCancel: {
      close()
    }
  }

  /// Leaves it alone until the next request. Bytes that come meanwhile belong to no answer: they close it, as the device and the time do.
  package func rest(for time: Duration) {
    let line = line
    channel.eventLoop.execute { line.value.rest(for: TimeAmount(time)) }
  }

  /// Whether it rested undisturbed and may be used again; if not, it is closed.
  package func wake() async -> Bool {
    let line = line
    return (try? await channel.eventLoop.submit { line.value.wake() }.get()) ?? false
  }

  /// Closes at once, once or more often.
  package func close() {
    let line = line
    channel.eventLoop.execute { line.value.end(with: .closed) }
  }

  private static func encryption(
    _ tls: DeviceTLS, refusing line: DeviceLine, _ loop: any EventLoop
  ) throws -> NIOSSLClientHandler {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = tls.allowsOld ? .tlsv1 : .tlsv12
    if tls.allowsOld { configuration.cipherSuites = "ALL:!aNULL:!eNULL" }
    configuration.certificateVerification = .noHostnameVerification
    let context = try NIOSSLContext(configuration: configuration)
    let line = NIOLoopBound(line, eventLoop: loop)
    return try NIOSSLClientHandler(
      context: context, serverHostname: nil,
      customVerificationCallback: { certificates, verdict in
        guard let der = certificates.first.flatMap({ try? $0.toDERBytes() }) else { return verdict.succeed(.failed) }
        switch tls.judge(der) {
        case .known: verdict.succeed(.certificateVerified)
        case .changed:
          line.value.refusal = .certificateChanged
          verdict.succeed(.failed)
        }
      })
  }
}

extension DeviceFault {
  /// What went wrong with a connection.
  init(connection error: any Error) {
    switch error {
    case let error as DeviceFault: self = error
    case let error as NIOSSLError: self = Self.ofTLS("\(error)")
    case let error as BoringSSLError: self = Self.ofTLS("\(error)")
    default:
      switch DeviceHTTPError(error) {
      case .refused: self = .refused
      case .unreachable(let reason): self = .unreachable(reason)
      case .timedOut: self = .unreachable("nothing answers in time")
      case .tls(let reason): self = Self.ofTLS(reason)
      case .cut, .malformed, .tooLarge, .cancelled: self = .cut
      }
    }
  }

  /// From BoringSSL's words: what was offered was too new for the device, or something else.
  private static func ofTLS(_ words: String) -> DeviceFault {
    let old = ["UNSUPPORTED_PROTOCOL", "PROTOCOL_VERSION"]
    return old.contains { words.contains($0) } ? .oldTLS : .tls(String(words.prefix(200)))
  }
}
