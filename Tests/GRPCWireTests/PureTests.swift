// What of the transport is pure: framing, headers, responses, backoff, and who gets a connection.

internal import GRPCCore
@testable internal import GRPCWire
internal import HTTP2
internal import Testing

@Suite struct `The deframer` {
  private func messages(_ deframer: inout Deframer) throws -> [[UInt8]] {
    var messages: [[UInt8]] = []
    while let message = try deframer.next() { messages.append(message) }
    return messages
  }

  @Test func `gives the same messages however the bytes are cut`() throws {
    let sent: [[UInt8]] = [[1, 2, 3], [], [UInt8](repeating: 9, count: 300), [4]]
    let bytes = sent.flatMap { framed($0) }
    for size in 1...bytes.count {
      var deframer = Deframer(messageBytesMax: 1000)
      var received: [[UInt8]] = []
      for start in stride(from: 0, to: bytes.count, by: size) {
        deframer.append(Array(bytes[start..<min(start + size, bytes.count)]))
        received += try messages(&deframer)
      }
      #expect(received == sent)
      #expect(!deframer.isAmidMessage)
    }
  }

  @Test func `knows when a message is not whole`() throws {
    let frame = framed([1, 2, 3])
    for count in 1..<frame.count {
      var deframer = Deframer(messageBytesMax: 1000)
      deframer.append(Array(frame[..<count]))
      let message = try deframer.next()
      #expect(message == nil)
      #expect(deframer.isAmidMessage)
    }
  }

  @Test func `refuses a message that is too large before it has come`() {
    var deframer = Deframer(messageBytesMax: 10)
    deframer.append([0, 0, 0, 0, 11])
    let error = #expect(throws: RPCError.self) { try deframer.next() }
    #expect(error?.code == .resourceExhausted)
    #expect(error?.message == "The server sent a message of 11 bytes; at most 10 are accepted.")
  }

  @Test(arguments: [2, 3, 255]) func `refuses messages with a flag that nobody knows`(flag: UInt8) {
    var deframer = Deframer(messageBytesMax: 10)
    deframer.append([flag, 0, 0, 0, 0])
    let error = #expect(throws: RPCError.self) { try deframer.next() }
    #expect(error?.code == .internalError)
  }
}

@Suite struct `A response` {
  private let head = HTTP2Part.headers([HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")])

  /// All the parts a response gives for these parts of a stream, and the error at its end.
  private func parse(_ parts: [HTTP2Part?]) -> ([ResponseParser.Part], RPCError?) {
    var parser = ResponseParser(messageBytesMax: 1000)
    var given: [ResponseParser.Part] = []
    do throws(RPCError) {
      for part in parts {
        try parser.receive(part)
        while let part = try parser.next() { given.append(part) }
      }
      return (given, nil)
    } catch {
      return (given, error)
    }
  }

  @Test func `is metadata, messages and a status`() {
    let trailers = HTTP2Part.trailers([HTTP2Header("grpc-status", "0"), HTTP2Header("x", "y")])
    let (parts, error) = parse([head, .data(framed([1]) + framed([2])), trailers, nil])
    #expect(
      parts == [.metadata([:]), .message([1]), .message([2]), .status(Status(code: .ok, message: ""), ["x": "y"])])
    #expect(error == nil)
  }

  @Test func `may be a status alone`() {
    let fields = [HTTP2Header(":status", "200"), HTTP2Header("grpc-status", "5"), HTTP2Header("grpc-message", "a%20b")]
    let (parts, error) = parse([.headers(fields), nil])
    #expect(parts == [.status(Status(code: .notFound, message: "a b"), [:])])
    #expect(error == nil)
  }

  @Test(arguments: [
    ("401", Status.Code.unauthenticated), ("403", .permissionDenied), ("404", .unimplemented), ("429", .unavailable),
    ("502", .unavailable), ("503", .unavailable), ("504", .unavailable), ("400", .internalError), ("302", .unknown),
  ])
  func `of a proxy becomes a status by its HTTP status`(http: String, code: Status.Code) throws {
    let (parts, _) = parse([.headers([HTTP2Header(":status", http), HTTP2Header("content-type", "text/html")])])
    guard case .status(let status, _)? = parts.first else { throw Unexpected(parts) }
    #expect(status.code == code)
  }

  @Test func `without a status is an error`() {
    #expect(parse([head, .data(framed([1])), nil]).1?.code == .internalError)
    #expect(parse([nil]).1?.code == .internalError)
    #expect(parse([.data([0])]).1?.code == .internalError)
    #expect(parse([head, head]).1?.code == .internalError)
  }

  @Test func `that ends in the middle of a message is an error, whatever its status`() {
    let (parts, error) = parse([head, .data([0, 0, 0, 0, 9, 1]), .trailers([HTTP2Header("grpc-status", "0")])])
    #expect(parts == [.metadata([:])])
    #expect(error?.code == .internalError)
  }

  @Test(arguments: ["", "17", "-1", "x", "99999999999999999999"])
  func `with a status nobody knows is unknown`(text: String) throws {
    let (parts, _) = parse([head, .trailers([HTTP2Header("grpc-status", text)])])
    guard case .status(let status, _)? = parts.last else { throw Unexpected(parts) }
    #expect(status.code == .unknown)
  }
}

@Suite struct `Call headers` {
  private let method = MethodDescriptor(fullyQualifiedService: "a.B", method: "C")

  private func headers(_ metadata: Metadata) throws -> [HTTP2Header] {
    try requestHeaders(of: method, authority: "hub", userAgent: "agent", metadata: metadata)
  }

  @Test func `carry metadata in lower case and binary values in base64`() throws {
    var metadata: Metadata = ["X-Text": "v"]
    metadata.addBinary([0xFF, 0], forKey: "x-bin")
    let sent = try headers(metadata)
    #expect(sent.first(named: ":path") == "/a.B/C")
    #expect(sent.first(named: "te") == "trailers")
    #expect(sent.first(named: "x-text") == "v")
    #expect(sent.first(named: "x-bin") == "/wA=")
  }

  @Test func `leave the transport's own names to the transport`() throws {
    let sent = try headers([
      "te": "x", ":path": "/evil", "content-type": "x", "grpc-encoding": "gzip", "grpc-timeout": "5S",
    ])
    #expect(sent.filter { ["te", ":path", "content-type"].contains($0.name) }.count == 3)
    #expect(sent.first(named: ":path") == "/a.B/C")
    #expect(sent.first(named: "grpc-encoding") == nil)
    #expect(sent.first(named: "grpc-accept-encoding") == "identity,gzip,deflate")
    #expect(sent.first(named: "grpc-timeout") == "5S")
  }

  @Test func `say whether the server may compress`() throws {
    let sent = try requestHeaders(
      of: method, authority: "hub", userAgent: "agent", acceptsCompressed: false, metadata: [:])
    #expect(sent.first(named: "grpc-accept-encoding") == "identity")
  }

  @Test(arguments: ["a b", "", "ä", "a:b", "a\r\nb"]) func `refuse names HTTP does not know`(name: String) {
    #expect(throws: RPCError.self) { try headers([name: "x"]) }
  }

  @Test func `read binary values with and without padding, and joined by commas`() {
    let read = metadata(from: [HTTP2Header("x-bin", "/wA=, /wA,AQ"), HTTP2Header("y-bin", "?")])
    #expect(Array(read[binaryValues: "x-bin"]) == [[0xFF, 0], [0xFF, 0], [1]])
    #expect(Array(read[stringValues: "y-bin"]) == ["?"])
  }

  @Test(arguments: [
    ("plain", "plain"), ("a%20b", "a b"), ("100%", "100%"), ("%zz%2", "%zz%2"), ("%C3%A4", "ä"), ("%25%32%30", "%20"),
    ("", ""), ("%", "%"), ("%4", "%4"), ("%41", "A"),
  ])
  func `decode status messages and keep what is badly encoded`(text: String, decoded: String) {
    #expect(percentDecoded(text) == decoded)
  }
}

@Suite struct `The backoff` {
  /// Gives its largest number always.
  private struct Largest: RandomNumberGenerator {
    func next() -> UInt64 { .max }
  }

  @Test func `doubles up to its limit and begins anew after a connection that held`() {
    var generator = Largest()
    var backoff = Backoff()
    let waits = (0..<9).map { _ in Int((backoff.next(using: &generator) / .seconds(1)).rounded()) }
    #expect(waits == [1, 2, 4, 8, 16, 32, 64, 120, 120])
    backoff.connectionEnded(after: .seconds(9))
    #expect(backoff.next(using: &generator) > .seconds(119))
    backoff.connectionEnded(after: .seconds(10))
    #expect(backoff.next(using: &generator) <= .seconds(1))
  }

  @Test func `has jitter from nothing on`() {
    var generator = SystemRandomNumberGenerator()
    let waits = (0..<1000).map { _ in
      var backoff = Backoff()
      return backoff.next(using: &generator)
    }
    #expect(waits.allSatisfy { $0 >= .zero && $0 <= .seconds(1) })
    #expect(waits.contains { $0 < .milliseconds(100) } && waits.contains { $0 > .milliseconds(900) })
  }

  @Test func `does not overflow however often it fails`() {
    var generator = Largest()
    var backoff = Backoff()
    for _ in 0..<10_000 { #expect(backoff.next(using: &generator) <= .seconds(120)) }
  }
}

@Suite struct `Calls without a connection` {
  private let down = RPCError(code: .unavailable, message: "down")

  private func isWait(_ admission: TransportState<String>.Admission) -> Bool {
    if case .wait = admission { true } else { false }
  }

  @Test func `wait for the first one, and get it`() {
    var state = TransportState<String>()
    #expect(isWait(state.admit(1, waitForReady: false)))
    #expect(isWait(state.admit(2, waitForReady: true)))
    #expect(state.opened("c").sorted() == [1, 2])
    guard case .use("c") = state.admit(3, waitForReady: false) else {
      Issue.record("not admitted")
      return
    }
  }

  @Test func `fail while the server cannot be reached, unless they said they wait`() {
    var state = TransportState<String>()
    _ = state.admit(1, waitForReady: false)
    _ = state.admit(2, waitForReady: true)
    #expect(state.failed(down) == [1])
    guard case .refuse(down) = state.admit(3, waitForReady: false) else {
      Issue.record("not refused")
      return
    }
    #expect(isWait(state.admit(4, waitForReady: true)))
    #expect(state.opened("c").sorted() == [2, 4])
    state.lost()
    #expect(isWait(state.admit(5, waitForReady: false)), "a lost connection is not a failure yet")
  }

  @Test func `may go away while they wait`() {
    var state = TransportState<String>()
    _ = state.admit(1, waitForReady: true)
    let (first, second) = (state.withdraw(1), state.withdraw(1))
    #expect(first && !second)
    #expect(state.opened("c").isEmpty)
  }

  @Test func `fail when the transport shuts down, and for ever after`() {
    var state = TransportState<String>()
    _ = state.admit(1, waitForReady: true)
    #expect(state.shutDown() == [1])
    #expect(state.opened("late").isEmpty && state.connection == nil)
    guard case .refuse(let error) = state.admit(2, waitForReady: true) else {
      Issue.record("not refused")
      return
    }
    #expect(error.code == .failedPrecondition)
  }
}

@Suite struct `An error of a call` {
  @Test func `is a cancellation when the request's producer was cancelled`() {
    let wrapped = RPCError(code: .unknown, message: "Write failed.", cause: CancellationError())
    #expect(RPCError(wire: wrapped).code == .cancelled)
    #expect(RPCError(wire: RPCError(code: .unknown, message: "other")).code == .unknown)
  }

  @Test func `of the connection is unavailable: the next one may be better`() {
    for error in [HTTP2Error.protocolViolation(reason: ""), .keepaliveTimeout, .streamRefused, .closedByPeer] {
      #expect(RPCError(wire: error).code == .unavailable)
    }
    #expect(RPCError(wire: HTTP2Error.tooManyWaiting(limit: 1)).code == .resourceExhausted)
  }
}
