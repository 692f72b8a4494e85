// A hub's service for technicians' sessions: another TLS stack (BoringSSL) that asks for the install's certificate, and this project's HTTP/2 client in
// the direction that the tunnel has it: over the connection that the agent opened.

internal import Glibc
internal import HTTP2
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

final class FakeHub: Sendable {
  let port: UInt16
  private let channel: any Channel
  private let accepted: AsyncStream<HubStream>
  private final class Counter: Sendable {
    private let value = Mutex(0)
    var number: Int { value.withLock { $0 } }
    func next() -> Int {
      value.withLock { value in
        value += 1
        return value
      }
    }
  }
  private let count = Counter()

  /// Connections that agents made.
  var connections: Int { count.number }

  /// - Parameter closesFirst: of so many connections nothing is read, as of those that a busy hub has no room for.
  init(protocolName: String = "printtrail-tunnel/1", closesFirst: Int = 0) async throws {
    let keys = TestKeys.shared
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: try NIOSSLCertificate.fromPEMFile(keys.path("hub.pem")).map { .certificate($0) },
      privateKey: .privateKey(try NIOSSLPrivateKey(file: keys.path("hub.key"), format: .pem)))
    configuration.certificateVerification = .noHostnameVerification
    configuration.trustRoots = .file(keys.path("ca.pem"))
    configuration.applicationProtocols = [protocolName]
    let context = try NIOSSLContext(configuration: configuration)
    let (accepted, accept) = AsyncStream.makeStream(of: HubStream.self)
    self.accepted = accepted
    let count = count
    channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton).childChannelInitializer {
      channel in
      let number = count.next()
      guard number > closesFirst else { return channel.close() }
      return channel.eventLoop.makeCompletedFuture {
        let stream = HubStream(channel)
        try channel.pipeline.syncOperations.addHandler(NIOSSLServerHandler(context: context))
        try channel.pipeline.syncOperations.addHandler(HubBytes(stream))
        accept.yield(stream)
      }
    }.bind(host: "127.0.0.1", port: 0).get()
    port = UInt16(channel.localAddress?.port ?? 0)
  }

  deinit { channel.close(promise: nil) }

  /// The next agent's connection, on which this is the client.
  func connection(_ change: (inout HTTP2Configuration) -> Void = { _ in }) async throws -> HTTP2Connection {
    var configuration = HTTP2Configuration(authority: "agent")
    change(&configuration)
    for await stream in accepted { return try await HTTP2Connection.open(over: stream, configuration: configuration) }
    throw CancellationError()
  }
}

/// One connection's bytes, for the thread that reads them and the loop that brings them.
final class HubStream: ByteStream {
  private struct State {
    var incoming = ByteBuffer()
    var isEnded = false
  }

  private let channel: any Channel
  private let state = Mutex(State())
  private let ends: (reading: Int32, writing: Int32)
  let remoteAddress = "test:agent"
  let localAddress = "test:hub"

  init(_ channel: any Channel) {
    self.channel = channel
    var descriptors: [Int32] = [-1, -1]
    precondition(pipe(&descriptors) == 0)
    for descriptor in descriptors { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    ends = (descriptors[0], descriptors[1])
  }

  deinit {
    Glibc.close(ends.reading)
    Glibc.close(ends.writing)
  }

  func came(_ buffer: ByteBuffer) {
    var buffer = buffer
    state.withLock { _ = $0.incoming.writeBuffer(&buffer) }
    wake()
  }

  func ended() {
    state.withLock { $0.isEnded = true }
    wake()
  }

  func open(until deadline: ContinuousClock.Instant) throws {}

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int? {
    state.withLock { state in
      let count = min(buffer.count, state.incoming.readableBytes)
      guard count > 0 else { return state.isEnded ? 0 : nil }
      state.incoming.readWithUnsafeReadableBytes { bytes in
        buffer.copyMemory(from: UnsafeRawBufferPointer(rebasing: bytes[..<count]))
        return count
      }
      state.incoming.discardReadBytes()
      return count
    }
  }

  func write(_ buffer: UnsafeRawBufferPointer) throws -> Int? {
    channel.writeAndFlush(ByteBuffer(bytes: buffer), promise: nil)
    return buffer.count
  }

  func wait(writing: Bool, until deadline: ContinuousClock.Instant?) throws {
    var descriptor = pollfd(fd: ends.reading, events: Int16(POLLIN), revents: 0)
    let rest = deadline.map { ContinuousClock.now.duration(to: $0) / .milliseconds(1) }
    poll(&descriptor, 1, rest.map { Int32(min(max($0.rounded(.up), 0), 60_000)) } ?? -1)
    var bytes = [UInt8](repeating: 0, count: 64)
    while Glibc.read(ends.reading, &bytes, bytes.count) > 0 {}
  }

  func close() { channel.close(promise: nil) }

  func wake() {
    var byte: UInt8 = 1
    _ = Glibc.write(ends.writing, &byte, 1)
  }

  func interrupt() { wake() }
}

private final class HubBytes: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let stream: HubStream

  init(_ stream: HubStream) { self.stream = stream }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) { stream.came(unwrapInboundIn(data)) }
  func channelInactive(context: ChannelHandlerContext) { stream.ended() }
  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }
}
