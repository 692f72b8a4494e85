// The transport under GRPCCore's client against grpcio with mTLS.

internal import GRPCCore
internal import GRPCWire
internal import HTTP2
internal import OpenSSL
internal import Synchronization
internal import TLS
internal import Testing

/// Messages as they are.
struct RawCoding: MessageSerializer, MessageDeserializer {
  func serialize<Bytes: GRPCContiguousBytes>(_ message: [UInt8]) throws -> Bytes { Bytes(message) }
  func deserialize<Bytes: GRPCContiguousBytes>(_ bytes: Bytes) throws -> [UInt8] { bytes.withUnsafeBytes { Array($0) } }
}

/// A client of the peer; calls it makes are cut off after a while, so that no test hangs.
struct PeerClient: Sendable {
  static let limit = Duration.seconds(90)
  let client: GRPCClient<WireTransport>

  private func method(_ name: String) -> MethodDescriptor {
    MethodDescriptor(fullyQualifiedService: "test.Peer", method: name)
  }

  func options(_ timeout: Duration? = nil, waitForReady: Bool = false) -> CallOptions {
    var options = CallOptions.defaults
    options.timeout = timeout ?? Self.limit
    options.waitForReady = waitForReady
    return options
  }

  func unary(
    _ name: String, _ message: [UInt8] = [], metadata: Metadata = [:], options: CallOptions? = nil
  ) async throws -> ClientResponse<[UInt8]> {
    try await client.unary(
      request: ClientRequest(message: message, metadata: metadata), descriptor: method(name), serializer: RawCoding(),
      deserializer: RawCoding(), options: options ?? self.options()
    ) { $0 }
  }

  func text(_ name: String, _ message: String = "", options: CallOptions? = nil) async throws -> String {
    String(decoding: try await unary(name, Array(message.utf8), options: options).message, as: UTF8.self)
  }

  /// A unary call that must give back its text.
  func checkEcho(_ text: String, at location: SourceLocation = #_sourceLocation) async throws {
    let echoed = try await self.text("Echo", text)
    #expect(echoed == text, sourceLocation: location)
  }

  func stream<R: Sendable>(
    _ name: String, producer: @escaping @Sendable (RPCWriter<[UInt8]>) async throws -> Void,
    _ body: @escaping @Sendable (StreamingClientResponse<[UInt8]>) async throws -> R
  ) async throws -> R {
    try await client.bidirectionalStreaming(
      request: StreamingClientRequest(producer: producer), descriptor: method(name), serializer: RawCoding(),
      deserializer: RawCoding(), options: options(), onResponse: body)
  }
}

/// Runs `body` with a client of the endpoint.
func withClient<R: Sendable>(
  _ endpoint: Endpoint, _ tls: TLSConfiguration, change: (inout WireConfiguration) -> Void = { _ in },
  _ body: @Sendable (PeerClient, WireTransport) async throws -> R
) async throws -> R {
  var configuration = WireConfiguration(endpoint: endpoint, product: "printtrail/test", tls: tls)
  configuration.backoff.base = .milliseconds(20)
  configuration.http2.drainTimeout = .seconds(2)
  change(&configuration)
  let transport = WireTransport(configuration)
  return try await withGRPCClient(transport: transport) { try await body(PeerClient(client: $0), transport) }
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(5)))
struct `Against grpcio with mTLS` {
  let peer: Peer
  let tls: TLSConfiguration

  init() throws {
    peer = try Peer.grpc()
    tls = try TestKeys.shared.configuration()
  }

  @Test func `a unary call carries its message and its metadata both ways`() async throws {
    try await withClient(peer.endpoint, tls) { client, transport in
      var metadata = Metadata()
      metadata.addString("plain", forKey: "x-text")
      metadata.addBinary([0, 1, 0xFE, 0xFF], forKey: "x-raw-bin")
      let response = try await client.unary("Echo", [1, 2, 3], metadata: metadata)
      #expect(try response.message == [1, 2, 3])
      #expect(Array(response.metadata[stringValues: "x-text"]) == ["plain"])
      #expect(Array(response.metadata[binaryValues: "x-raw-bin"]) == [[0, 1, 0xFE, 0xFF]])
      let trailing = response.trailingMetadata
      #expect(Array(trailing[binaryValues: "x-raw-bin"]) == [[0, 1, 0xFE, 0xFF]])
      let agent = try #require(trailing[stringValues: "x-agent"].first { _ in true })
      #expect(agent.hasPrefix("printtrail/test grpc-swift-"))
      guard case .ready(remoteAddress: "ipv4:127.0.0.1:\(peer.port)") = transport.connectivity else {
        throw Unexpected(transport.connectivity)
      }
    }
  }

  @Test func `an empty message is a message`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let echoed = try await client.unary("Echo").message
      #expect(echoed.isEmpty)
    }
  }

  @Test func `a status arrives with its message decoded and its trailers`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let response = try await client.unary("Fail")
      guard case .failure(let error) = response.accepted.map(\.message) else { throw Unexpected(response) }
      #expect(error.code == .notFound)
      #expect(error.message == "Kein Gerät: 100% weg\n(wirklich)")
      #expect(Array(error.metadata[stringValues: "x-why"]) == ["tested"])
      #expect(Array(error.metadata[binaryValues: "x-why-bin"]) == [[0, 0xFF]])
    }
  }

  @Test func `a method that does not exist is unimplemented`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let error = await #expect(throws: RPCError.self) { try await client.text("Nothing") }
      #expect(error?.code == .unimplemented)
    }
  }

  @Test func `the deadline reaches the server`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let left = try #require(Int(try await client.text("Remaining", options: client.options(.seconds(15)))))
      #expect((10_000...15_000).contains(left))
    }
  }

  @Test func `a call that is over its deadline fails and is cancelled at the server`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      try await client.checkEcho("connected")
      let error = await #expect(throws: RPCError.self) {
        try await client.text("Hang", options: client.options(.seconds(1)))
      }
      #expect(error?.code == .deadlineExceeded)
      let arrived = try await client.text("WasCancelled")
      #expect(arrived == "yes")
    }
  }

  @Test func `a cancelled call fails as cancelled, here and at the server`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let (begun, begin) = AsyncStream.makeStream(of: Void.self)
      let call = Task {
        try await client.stream("Hang") {
          try await $0.write([])
        } _: { response in
          begin.yield()
          for try await _ in response.messages {}
        }
      }
      // The server's headers tell that it has begun.
      _ = await begun.first { _ in true }
      call.cancel()
      let error = await #expect(throws: RPCError.self) { try await call.value }
      #expect(error?.code == .cancelled)
      let arrived = try await client.text("WasCancelled")
      #expect(arrived == "yes")
    }
  }

  @Test(arguments: [0, 1, 16_384, 65_535, 1 << 20, 3_000_000])
  func `messages of any size go both ways`(size: Int) async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let produced = try await client.unary("Produce", Array(String(size).utf8)).message
      #expect(produced.count == size)
      #expect(produced.enumerated().allSatisfy { Int($1) == $0 % 251 })
      let response = try await client.unary("Measure", produced)
      #expect(try response.message == Array(String(size).utf8))
    }
  }

  @Test func `a message larger than is accepted is refused`() async throws {
    try await withClient(peer.endpoint, tls) { configuration in
      configuration.inboundMessageBytesMax = 1000
    } _: { client, _ in
      let produced = try await client.text("Produce", "1000")
      #expect(produced.utf8.count >= 1000)
      let error = await #expect(throws: RPCError.self) { try await client.text("Produce", "1001") }
      #expect(error?.code == .resourceExhausted)
      try await client.checkEcho("still there")
    }
  }

  @Test func `a bidirectional stream plays ping-pong ten thousand times`() async throws {
    let rounds = 10_000
    try await withClient(peer.endpoint, tls) { client, _ in
      let (pongs, pong) = AsyncStream.makeStream(of: Int.self)
      let last = try await client.stream("PingPong") { writer in
        try await writer.write([0, 0])
        for await number in pongs {
          guard number < rounds else { return }
          try await writer.write([UInt8(number >> 8), UInt8(number & 255)])
        }
      } _: { response in
        var expected = 0
        for try await message in response.messages {
          #expect(message == [UInt8(expected >> 8), UInt8(expected & 255)])
          expected += 1
          pong.yield(expected)
        }
        return expected
      }
      #expect(last == rounds)
    }
  }

  @Test func `streams in one direction carry everything in order`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let counted = try await client.stream("Count") { writer in
        for _ in 0..<5_000 { try await writer.write([UInt8](repeating: 7, count: 300)) }
      } _: { response in
        try await response.messages.reduce(into: [UInt8]()) { $0 += $1 }
      }
      #expect(counted == Array("5000".utf8))
      let received = try await client.stream("Pour") {
        try await $0.write(Array("5000".utf8))
      } _: { response in
        var expected: UInt32 = 0
        for try await message in response.messages {
          #expect(message.prefix(4).reduce(0) { $0 << 8 | UInt32($1) } == expected)
          expected += 1
        }
        return expected
      }
      #expect(received == 5_000)
    }
  }

  @Test func `an error in the middle of a stream comes after the messages before it`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let (messages, error) = try await client.stream("BreakOff") {
        try await $0.write([])
      } _: { response in
        var messages: [[UInt8]] = []
        do {
          for try await message in response.messages { messages.append(message) }
          return (messages, RPCError?.none)
        } catch let error as RPCError {
          return (messages, error)
        }
      }
      #expect(messages == [Array("one".utf8), Array("two".utf8)])
      #expect(error?.code == .dataLoss && error?.message == "broken off")
    }
  }

  @Test func `a reader that stops early leaves the connection usable`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      for _ in 0..<8 {
        let first = try await client.stream("Pour") {
          try await $0.write(Array("20000".utf8))
        } _: { response in
          try await response.messages.first { _ in true }
        }
        #expect(first?.count == 300)
      }
      try await client.checkEcho("still there")
    }
  }

  @Test func `many calls at once share the connection`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let sum = try await withThrowingTaskGroup(of: Int.self) { group in
        for number in 0..<200 {
          group.addTask { try #require(Int(try await client.text("Echo", String(number)))) }
        }
        return try await group.reduce(0, +)
      }
      #expect(sum == 199 * 200 / 2)
    }
  }

  @Test func `metadata that cannot be sent is refused before it is sent`() async throws {
    try await withClient(peer.endpoint, tls) { client, _ in
      let error = await #expect(throws: RPCError.self) {
        try await client.unary("Echo", metadata: ["x-bad": "two\nlines"]).message
      }
      #expect(error?.code == .invalidArgument)
    }
  }
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(5)))
struct `The connection of a transport` {
  let keys = TestKeys.shared

  @Test func `comes back after the server was away`() async throws {
    let first = Mutex<Peer?>(try Peer.grpc())
    let endpoint = try #require(first.withLock { $0?.endpoint })
    try await withClient(endpoint, keys.configuration()) { client, transport in
      try await client.checkEcho("before")
      let hanging = Task { try await client.text("Hang") }
      try await client.checkEcho("behind")
      first.withLock { $0 = nil }
      let lost = await #expect(throws: RPCError.self) { try await hanging.value }
      #expect(lost?.code == .unavailable)
      let refused = await #expect(throws: RPCError.self) {
        while true { _ = try await client.text("Echo", "nobody") }
      }
      #expect(refused?.code == .unavailable)
      let waiting = Task { try await client.text("Echo", "after", options: client.options(waitForReady: true)) }
      let second = try Peer.grpc(port: endpoint.port)
      #expect(try await waiting.value == "after")
      #expect(second.port == endpoint.port)
    }
  }

  private func failure(_ peer: Peer, _ tls: TLSConfiguration, host: String = "127.0.0.1") async throws -> TLSError {
    try await withClient(Endpoint(host: host, port: peer.port), tls) { client, transport in
      let error = await #expect(throws: RPCError.self) { try await client.text("Echo") }
      #expect(error?.code == .unavailable)
      guard case .failing = transport.connectivity else { throw Unexpected(transport.connectivity) }
      return try #require(error?.cause as? TLSError)
    }
  }

  @Test func `is not made to a server of a wrong authority`() async throws {
    let error = try await failure(Peer.grpc(certificate: "other-server"), keys.configuration())
    guard case .certificateNotTrusted = error else { throw Unexpected(error) }
  }

  @Test func `is not made to a server of a wrong host`() async throws {
    let error = try await failure(Peer.grpc(certificate: "elsewhere"), keys.configuration())
    #expect(error == .wrongHost(expected: "127.0.0.1", names: ["other.example"]))
  }

  @Test(arguments: [nil, "other-client"])
  func `is not made without a client certificate the server takes`(identity: String?) async throws {
    let error = try await failure(Peer.grpc(), keys.configuration(identity: identity))
    switch error {
    case .ownCertificateRefused: break
    // Where the server's word was lost with its connection.
    case .closedUnexplained(let withCertificate): #expect(withCertificate == (identity != nil))
    default: throw Unexpected(error)
    }
  }

  @Test func `is not made to a server that is not HTTP/2`() async throws {
    let error = try await failure(Peer.tls(options: []), keys.configuration())
    #expect(error == .protocolNotAgreed(offered: ["h2"]))
  }

  @Test func `uses the certificate of the moment`() async throws {
    let peer = try Peer.grpc()
    let asked = Atomic<Int>(0)
    var configuration = WireConfiguration(endpoint: peer.endpoint) { [keys] in
      // The first two attempts have no certificate yet.
      let attempt = asked.add(1, ordering: .relaxed).newValue
      return try keys.configuration(identity: attempt < 3 ? nil : "client")
    }
    configuration.backoff.base = .milliseconds(10)
    try await withGRPCClient(transport: WireTransport(configuration)) { client in
      let client = PeerClient(client: client)
      let answer = try await client.text("Echo", "renewed", options: client.options(waitForReady: true))
      #expect(answer == "renewed")
    }
    #expect(asked.load(ordering: .relaxed) == 3)
  }

  @Test func `ends with a graceful shutdown that lets running calls finish`() async throws {
    let peer = try Peer.grpc()
    let transport = WireTransport(WireConfiguration(endpoint: peer.endpoint, tls: try keys.configuration()))
    let client = GRPCClient(transport: transport)
    let running = Task { try await client.runConnections() }
    let peerClient = PeerClient(client: client)
    let echoed = try await peerClient.stream("PingPong") { writer in
      try await writer.write([1])
      client.beginGracefulShutdown()
      try await writer.write([2])
    } _: { response in
      try await response.messages.reduce(into: [UInt8]()) { $0 += $1 }
    }
    #expect(echoed == [1, 2])
    try await running.value
    await #expect(throws: (any Error).self) { try await peerClient.text("Echo") }
  }
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(5)))
struct `HTTPS with JSON` {
  /// The caller must keep the peer: it ends with its last reference.
  private func connect(_ peer: Peer) async throws -> HTTP2Connection {
    try await HTTP2Connection.connect(to: peer.endpoint, tls: TestKeys.shared.configuration(identity: nil))
  }

  @Test func `posts and gets, and takes any status for an answer`() async throws {
    let peer = try Peer.http2()
    let connection = try await connect(peer)
    let body = Array(#"{"healthy":true}"#.utf8)
    let posted = try await connection.request(
      method: "POST", path: "/echo", headers: [HTTP2Header("content-type", "application/json")], body: body)
    #expect(posted.status == 200 && posted.body == body)
    #expect(posted.headers == [HTTP2Header("content-type", "application/json")])
    let missing = try await connection.request(method: "GET", path: "/missing")
    #expect(missing.status == 404)
    connection.close()
    let reason = try await connection.untilClosed()
    guard case .closed = reason else { throw Unexpected(reason) }
    withExtendedLifetime(peer) {}
  }

  @Test func `gives up on time, and on answers that are too large`() async throws {
    let peer = try Peer.http2()
    let connection = try await connect(peer)
    let late = await #expect(throws: HTTP2Error.self) {
      try await connection.request(method: "GET", path: "/silent", timeout: .milliseconds(100))
    }
    guard case .deadlineExceeded? = late else { throw Unexpected(late) }
    // The peer is Python, and the machine may be overrun.
    let patience: Duration = .seconds(180)
    let large = await #expect(throws: HTTP2Error.self) {
      try await connection.request(method: "GET", path: "/large", timeout: patience, bodyBytesMax: 2_999_999)
    }
    guard case .bodyTooLarge(limit: 2_999_999)? = large else { throw Unexpected(large) }
    let whole = try await connection.request(
      method: "GET", path: "/large", timeout: patience, bodyBytesMax: 3_000_000)
    #expect(whole.body.count == 3_000_000)
    let reset = await #expect(throws: HTTP2Error.self) { try await connection.request(method: "GET", path: "/reset") }
    guard case .streamReset(.enhanceYourCalm)? = reset else { throw Unexpected(reset) }
    connection.abort()
    withExtendedLifetime(peer) {}
  }

  @Test func `ends with a server that goes away, after the answer`() async throws {
    let peer = try Peer.http2()
    let connection = try await connect(peer)
    let answer = try await connection.request(method: "GET", path: "/goaway")
    #expect(answer.status == 200)
    let reason = try await connection.untilUnusable()
    guard case .goneAway(.noError, reason: "maintenance") = reason else { throw Unexpected(reason) }
    #expect(throws: HTTP2Error.self) { try connection.openStream([]) }
    withExtendedLifetime(peer) {}
  }

  @Test func `that answers a gRPC call is no gRPC server`() async throws {
    let peer = try Peer.http2()
    try await withClient(peer.endpoint, TestKeys.shared.configuration()) { client, _ in
      let error = await #expect(throws: RPCError.self) { try await client.text("grpc-less") }
      #expect(error?.code == .unknown)
      #expect(error?.message == "What answered is not a gRPC server: its content type is text/html.")
    }
  }
}
