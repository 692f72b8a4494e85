// gRPC's interoperability tests (doc/interop-test-descriptions.md in grpc/grpc) with Python's grpcio as the server. Each test bears
// the name of its case and asserts what the case demands.
//
// Left out are the cases that need Google's cloud, and cacheable_unary, which needs a caching proxy.

internal import FoundationEssentials
internal import GRPCCore
internal import GRPCProtobuf
internal import GRPCWire
internal import Synchronization
internal import SwiftProtobuf
internal import TLS
internal import Testing

private typealias TestService = Grpc_Testing_TestService.Client<WireTransport>

private let largeRequestBytes = 271_828
private let largeResponseBytes: Int32 = 314_159
/// What streaming_* and ping_pong send and ask for.
private let requestSizes = [27_182, 8, 1_828, 45_904]
private let responseSizes: [Int32] = [31_415, 9, 2_653, 58_979]

/// No test may hang.
private func limited(_ compression: CompressionAlgorithm? = nil, timeout: Duration = .seconds(60)) -> CallOptions {
  var options = CallOptions.defaults
  options.timeout = timeout
  options.compression = compression
  return options
}

private func zeros(_ count: Int) -> Grpc_Testing_Payload {
  .with { $0.body = Data(repeating: 0, count: count) }
}

private func largeRequest(
  expectCompressed: Bool? = nil, responseCompressed: Bool? = nil
) -> Grpc_Testing_SimpleRequest {
  .with { request in
    request.responseSize = largeResponseBytes
    request.payload = zeros(largeRequestBytes)
    if let expectCompressed { request.expectCompressed = .with { $0.value = expectCompressed } }
    if let responseCompressed { request.responseCompressed = .with { $0.value = responseCompressed } }
  }
}

private func inputRequest(_ size: Int, expectCompressed: Bool? = nil) -> Grpc_Testing_StreamingInputCallRequest {
  .with { request in
    request.payload = zeros(size)
    if let expectCompressed { request.expectCompressed = .with { $0.value = expectCompressed } }
  }
}

private func outputRequest(
  _ sizes: [Int32], payload: Int = 0, compressed: [Bool] = []
) -> Grpc_Testing_StreamingOutputCallRequest {
  .with { request in
    request.responseParameters = sizes.enumerated().map { index, size in
      .with { parameters in
        parameters.size = size
        if index < compressed.count { parameters.compressed = .with { $0.value = compressed[index] } }
      }
    }
    if payload > 0 { request.payload = zeros(payload) }
  }
}

/// Whether a payload is as many zeros as were asked for.
private func isZeros(_ payload: Grpc_Testing_Payload, _ count: Int32) -> Bool {
  payload.body.count == Int(count) && payload.body.allSatisfy { $0 == 0 }
}

/// The code and message that a call fails with.
private func failure(_ body: () async throws -> Void) async -> RPCError? {
  await #expect(throws: RPCError.self) { try await body() }
}

private func withService<R: Sendable>(
  _ peer: Peer, _ body: @Sendable (TestService, WireTransport) async throws -> R
) async throws -> R {
  try await withClient(peer.endpoint, TestKeys.shared.configuration()) { peer, transport in
    try await body(TestService(wrapping: peer.client), transport)
  }
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(3)))
struct `The interoperability case` {
  let peer: Peer

  init() throws { peer = try Peer.interop() }

  private func callLargeUnary(_ service: TestService) async throws {
    let response = try await service.unaryCall(largeRequest(), options: limited())
    #expect(isZeros(response.payload, largeResponseBytes))
  }

  @Test func `empty_unary`() async throws {
    try await withService(peer) { service, transport in
      let response = try await service.emptyCall(.init(), options: limited())
      #expect(response == Grpc_Testing_Empty())
      #expect(transport.carried.sent == .init(count: 1, carriedBytes: 5))
      #expect(transport.carried.received == .init(count: 1, carriedBytes: 5))
    }
  }

  @Test func `large_unary`() async throws {
    try await withService(peer) { service, _ in try await callLargeUnary(service) }
  }

  @Test func `client_streaming`() async throws {
    try await withService(peer) { service, _ in
      let response = try await service.streamingInputCall(options: limited()) { writer in
        for size in requestSizes { try await writer.write(inputRequest(size)) }
      }
      #expect(response.aggregatedPayloadSize == 74_922)
    }
  }

  @Test func `server_streaming`() async throws {
    try await withService(peer) { service, _ in
      let payloads = try await service.streamingOutputCall(outputRequest(responseSizes), options: limited()) {
        try await $0.messages.reduce(into: []) { $0.append($1.payload) }
      }
      #expect(payloads.count == 4)
      #expect(zip(payloads, responseSizes).allSatisfy { isZeros($0, $1) })
    }
  }

  @Test func `ping_pong`() async throws {
    try await withService(peer) { service, _ in
      let (replies, reply) = AsyncStream.makeStream(of: Void.self)
      let sizes = try await service.fullDuplexCall(options: limited()) { writer in
        var replies = replies.makeAsyncIterator()
        for (size, payload) in zip(responseSizes, requestSizes) {
          try await writer.write(outputRequest([size], payload: payload))
          _ = await replies.next()
        }
      } onResponse: { response in
        var sizes: [Int32] = []
        for try await message in response.messages {
          #expect(isZeros(message.payload, Int32(message.payload.body.count)))
          sizes.append(Int32(message.payload.body.count))
          reply.yield()
        }
        return sizes
      }
      #expect(sizes == responseSizes)
    }
  }

  @Test func `empty_stream`() async throws {
    try await withService(peer) { service, _ in
      let count = try await service.fullDuplexCall(options: limited()) { _ in
      } onResponse: { response in
        try await response.messages.reduce(0) { count, _ in count + 1 }
      }
      #expect(count == 0)
    }
  }

  private static let metadata: Metadata = {
    var metadata: Metadata = ["x-grpc-test-echo-initial": "test_initial_metadata_value"]
    metadata.addBinary([0xAB, 0xAB, 0xAB], forKey: "x-grpc-test-echo-trailing-bin")
    return metadata
  }()

  private func check(initial: Metadata, trailing: Metadata?) {
    #expect(Array(initial[stringValues: "x-grpc-test-echo-initial"]) == ["test_initial_metadata_value"])
    #expect((trailing?[binaryValues: "x-grpc-test-echo-trailing-bin"]).map { Array($0) } == [[0xAB, 0xAB, 0xAB]])
  }

  @Test func `custom_metadata`() async throws {
    try await withService(peer) { service, _ in
      try await service.unaryCall(largeRequest(), metadata: Self.metadata, options: limited()) { response in
        let payload = try response.message.payload
        #expect(isZeros(payload, largeResponseBytes))
        check(initial: response.metadata, trailing: response.trailingMetadata)
      }
      try await service.fullDuplexCall(metadata: Self.metadata, options: limited()) { writer in
        try await writer.write(outputRequest([largeResponseBytes], payload: largeRequestBytes))
      } onResponse: { response in
        var trailing: Metadata?
        for try await part in try response.accepted.get().bodyParts {
          if case .trailingMetadata(let metadata) = part { trailing = metadata }
        }
        check(initial: response.metadata, trailing: trailing)
      }
    }
  }

  private func checkStatus(_ message: String, isStreamed: Bool) async throws {
    let status = Grpc_Testing_EchoStatus.with {
      $0.code = 2
      $0.message = message
    }
    try await withService(peer) { service, _ in
      let unary = await failure {
        _ = try await service.unaryCall(.with { $0.responseStatus = status }, options: limited())
      }
      #expect(unary?.code == .unknown && unary?.message == message)
      guard isStreamed else { return }
      let streamed = await failure {
        try await service.fullDuplexCall(options: limited()) { writer in
          try await writer.write(.with { $0.responseStatus = status })
        } onResponse: { response in
          for try await _ in response.messages {}
        }
      }
      #expect(streamed?.code == .unknown && streamed?.message == message)
    }
  }

  @Test func `status_code_and_message`() async throws {
    try await checkStatus("test status message", isStreamed: true)
  }

  @Test func `special_status_message`() async throws {
    try await checkStatus("\t\ntest with whitespace\r\nand Unicode BMP ☺ and non-BMP 😈\t\n", isStreamed: false)
  }

  @Test func `unimplemented_method`() async throws {
    try await withService(peer) { service, _ in
      let error = await failure { _ = try await service.unimplementedCall(.init(), options: limited()) }
      #expect(error?.code == .unimplemented)
    }
  }

  @Test func `unimplemented_service`() async throws {
    try await withClient(peer.endpoint, TestKeys.shared.configuration()) { peer, _ in
      let service = Grpc_Testing_UnimplementedService.Client(wrapping: peer.client)
      let error = await failure { _ = try await service.unimplementedCall(.init(), options: limited()) }
      #expect(error?.code == .unimplemented)
    }
  }

  @Test func `cancel_after_begin`() async throws {
    try await withService(peer) { service, _ in
      let (begun, begin) = AsyncStream.makeStream(of: Void.self)
      let call = Task {
        try await service.streamingInputCall(options: limited()) { _ in
          // The metadata is sent before the messages are asked for.
          begin.yield()
          try await Task.sleep(for: .seconds(50))
        }
      }
      _ = await begun.first { _ in true }
      call.cancel()
      let error = await failure { _ = try await call.value }
      #expect(error?.code == .cancelled)
      try await callLargeUnary(service)
    }
  }

  @Test func `cancel_after_first_response`() async throws {
    try await withService(peer) { service, _ in
      let (received, receive) = AsyncStream.makeStream(of: Int.self)
      let call = Task {
        try await service.fullDuplexCall(options: limited()) { writer in
          try await writer.write(outputRequest([31_415], payload: 27_182))
          try await Task.sleep(for: .seconds(50))
        } onResponse: { response in
          for try await message in response.messages { receive.yield(message.payload.body.count) }
        }
      }
      let first = await received.first { _ in true }
      #expect(first == 31_415)
      call.cancel()
      let error = await failure { try await call.value }
      #expect(error?.code == .cancelled)
      try await callLargeUnary(service)
    }
  }

  @Test func `timeout_on_sleeping_server`() async throws {
    try await withService(peer) { service, _ in
      let error = await failure {
        try await service.fullDuplexCall(options: limited(timeout: .milliseconds(1))) { writer in
          try await writer.write(.with { $0.payload = zeros(27_182) })
          try await Task.sleep(for: .seconds(50))
        } onResponse: { response in
          for try await _ in response.messages {}
        }
      }
      #expect(error?.code == .deadlineExceeded)
      try await callLargeUnary(service)
    }
  }

  /// Iterations of the soak tests, whose own default is ten; and the most that one may take, a second there: the machine may be overrun.
  private static let soakIterations = 100
  private static let soakLatencyMax = Duration.seconds(10)

  private func soak(_ call: () async throws -> Void) async throws {
    for _ in 0..<Self.soakIterations {
      let begin = ContinuousClock.now
      try await call()
      #expect(ContinuousClock.now - begin < Self.soakLatencyMax)
    }
  }

  @Test func `rpc_soak`() async throws {
    try await withService(peer) { service, transport in
      try await soak { try await callLargeUnary(service) }
      #expect(transport.carried.received.count == Self.soakIterations)
    }
  }

  @Test func `channel_soak`() async throws {
    try await soak { try await withService(peer) { service, _ in try await callLargeUnary(service) } }
  }
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(5)))
struct `The interoperability case with compression` {
  /// Names of grpc.Compression in Python.
  static let encodings: [(CompressionAlgorithm, String)] = [(.gzip, "Gzip"), (.deflate, "Deflate")]

  @Test(arguments: encodings) func `client_compressed_unary`(algorithm: CompressionAlgorithm, _: String) async throws {
    let peer = try Peer.interop(isTapped: true)
    try await withService(peer) { service, transport in
      let probe = await failure {
        _ = try await service.unaryCall(largeRequest(expectCompressed: true), options: limited())
      }
      #expect(probe?.code == .invalidArgument)
      let compressed = try await service.unaryCall(largeRequest(expectCompressed: true), options: limited(algorithm))
      #expect(isZeros(compressed.payload, largeResponseBytes))
      let plain = try await service.unaryCall(largeRequest(expectCompressed: false), options: limited())
      #expect(isZeros(plain.payload, largeResponseBytes))
      #expect(transport.carried.sent.count == 3 && transport.carried.sent.compressedCount == 1)
    }
  }

  @Test(arguments: encodings)
  func `client_compressed_streaming`(algorithm: CompressionAlgorithm, _: String) async throws {
    let peer = try Peer.interop(isTapped: true)
    try await withService(peer) { service, _ in
      let probe = await failure {
        _ = try await service.streamingInputCall(options: limited()) { writer in
          try await writer.write(inputRequest(27_182, expectCompressed: true))
        }
      }
      #expect(probe?.code == .invalidArgument)
      let response = try await service.streamingInputCall(options: limited(algorithm)) { writer in
        try await writer.write(inputRequest(27_182, expectCompressed: true))
        try await WireCompression.withoutCompression {
          try await writer.write(inputRequest(45_904, expectCompressed: false))
        }
      }
      #expect(response.aggregatedPayloadSize == 73_086)
    }
  }

  @Test(arguments: encodings) func `server_compressed_unary`(_: CompressionAlgorithm, name: String) async throws {
    let peer = try Peer.interop()
    try await withService(peer) { service, transport in
      for isCompressed in [true, false] {
        let before = transport.carried.received.compressedCount
        let response = try await service.unaryCall(
          largeRequest(responseCompressed: isCompressed), metadata: ["x-respond-with": .string(name)],
          options: limited())
        #expect(isZeros(response.payload, largeResponseBytes))
        #expect(transport.carried.received.compressedCount - before == (isCompressed ? 1 : 0))
      }
    }
  }

  @Test(arguments: encodings) func `server_compressed_streaming`(_: CompressionAlgorithm, name: String) async throws {
    let peer = try Peer.interop()
    try await withService(peer) { service, transport in
      let sizes: [Int32] = [31_415, 92_653]
      let (payloads, flags) = try await service.streamingOutputCall(
        outputRequest(sizes, compressed: [true, false]), metadata: ["x-respond-with": .string(name)], options: limited()
      ) { response in
        var (payloads, flags): ([Grpc_Testing_Payload], [Bool]) = ([], [])
        var seen = 0
        for try await message in response.messages {
          payloads.append(message.payload)
          flags.append(transport.carried.received.compressedCount > seen)
          seen = transport.carried.received.compressedCount
        }
        return (payloads, flags)
      }
      #expect(payloads.count == 2)
      #expect(zip(payloads, sizes).allSatisfy { isZeros($0, $1) })
      #expect(flags == [true, false])
    }
  }

  @Test func `is the transport's own when the call says nothing`() async throws {
    let peer = try Peer.interop(isTapped: true)
    try await withClient(peer.endpoint, TestKeys.shared.configuration()) {
      $0.compression = .gzip
    } _: { client, transport in
      let service = TestService(wrapping: client.client)
      _ = try await service.unaryCall(largeRequest(expectCompressed: true), options: limited())
      _ = try await service.unaryCall(
        largeRequest(expectCompressed: false), options: limited(CompressionAlgorithm.none))
      let sent = transport.carried.sent
      #expect(sent.count == 2 && sent.compressedCount == 1)
      #expect(sent.carriedBytes < sent.bytes * 6 / 10)
    }
  }
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(5)))
struct `The interoperability test of reconnecting` {
  /// doc/connection-backoff-interop-test-description.md, in seconds instead of nine minutes. Our policy is full jitter, which has no
  /// least wait: the server's times are held against the most that each may be, and against the number of attempts that it makes likely.
  @Test func `connection_backoff`() async throws {
    let peer = try Peer.interop()
    try await withClient(peer.endpoint, TestKeys.shared.configuration()) { client, _ in
      let control = Grpc_Testing_ReconnectService.Client(wrapping: client.client)
      let port = try await control.start(.init(), options: limited()) { response in
        response.metadata[stringValues: "x-retry-port"].first { _ in true }.flatMap { UInt16($0) }
      }
      let error = try await reconnect(to: try #require(port))
      #expect(error?.code == .deadlineExceeded)
      let info = try await control.stop(.init(), options: limited())
      #expect(info.passed)
      check(info.backoffMs)
    }
  }

  private static let base = 100
  private static let max = 800
  private static let patience = Duration.seconds(8)
  /// What connecting, being refused and being woken may take on a machine that is overrun, in milliseconds.
  private static let slack = 700

  /// The call waits for a connection that never comes, for `patience`.
  private func reconnect(to port: UInt16) async throws -> RPCError? {
    try await withClient(Endpoint(host: "127.0.0.1", port: port), TestKeys.shared.configuration()) {
      $0.backoff.base = .milliseconds(Self.base)
      $0.backoff.max = .milliseconds(Self.max)
    } _: { client, _ in
      var options = limited(timeout: Self.patience)
      options.waitForReady = true
      let service = Grpc_Testing_ReconnectService.Client(wrapping: client.client)
      return await failure { [options] in _ = try await service.start(.init(), options: options) }
    }
  }

  private func check(_ waits: [Int32]) {
    #expect(waits.allSatisfy { $0 >= 0 }, "\(waits)")
    let late = waits.enumerated().filter { index, wait in
      Int(wait) > min(Self.max, Self.base << min(index, 10)) + Self.slack
    }
    // A machine that is overrun holds up one or two.
    #expect(late.count <= waits.count / 8, "\(late.map(\.element)) of \(waits)")
    // Half of `max` on average makes 20 waits; fewer than 5 would be no retrying, more than 120 no backing off.
    #expect((5...120).contains(waits.count), "\(waits)")
    #expect(waits.contains { $0 > 150 }, "they grow: \(waits)")
  }
}
