// The transport against a server that breaks HTTP/2 or uses it against its client (Support/hostile_peer.py): the call fails cleanly or
// goes on, memory stays bounded, nothing hangs, and who shares the connection notices nothing where the protocol allows that.

internal import GRPCCore
internal import GRPCWire
internal import HTTP2
internal import Synchronization
internal import TLS
internal import Testing

/// What a call came to.
private struct Outcome: Hashable, Sendable {
  var messages: [String] = []
  var error: RPCError?
}

extension PeerClient {
  /// The number of the connection that a call gets.
  fileprivate func connectionNumber(options: CallOptions? = nil) async throws -> Int {
    try #require(Int(try await text("Good", options: options ?? self.options(waitForReady: true))))
  }

  /// Sends one message, and reads to the end.
  fileprivate func outcome(of method: String) async throws -> Outcome {
    try await stream(method) { writer in
      try await writer.write(Array("begin".utf8))
    } _: { response in
      var outcome = Outcome()
      do {
        for try await message in response.messages { outcome.messages.append(String(decoding: message, as: UTF8.self)) }
      } catch let error as RPCError {
        outcome.error = error
      }
      return outcome
    }
  }
}

/// Another call on the connection, which is open while something happens to it.
private struct Neighbour {
  let say: AsyncStream<UInt8>.Continuation
  let replies: AsyncThrowingStream<[UInt8], any Error>

  /// Whether a message comes back.
  /// - Throws: why the call is over.
  func isThere(_ number: UInt8) async throws -> Bool {
    say.yield(number)
    return try await replies.first { _ in true } == [number]
  }

  static func with<R>(_ client: PeerClient, _ body: (Neighbour) async throws -> R) async throws -> R {
    let (numbers, say) = AsyncStream.makeStream(of: UInt8.self)
    let (replies, reply) = AsyncThrowingStream.makeStream(of: [UInt8].self)
    async let call: Void = {
      do {
        try await client.stream("Echo") { writer in
          for await number in numbers { try await writer.write([number]) }
        } _: { response in
          for try await message in response.messages { reply.yield(message) }
        }
        reply.finish()
      } catch {
        reply.finish(throwing: error)
      }
    }()
    defer { say.finish() }
    let result = try await body(Neighbour(say: say, replies: replies))
    say.finish()
    await call
    return result
  }
}

/// One of the peer's hostilities and what must come of it.
struct Hostility: Sendable, CustomTestStringConvertible {
  let name: String
  /// How the call ends.
  let code: RPCError.Code?
  /// What comes before that; nil for whatever comes through.
  var messages: [String]?
  var testDescription: String { name }

  init(_ name: String, _ code: RPCError.Code?, _ messages: [String]? = []) {
    self.name = name
    self.code = code
    self.messages = messages
  }

  /// The connection is as good as before.
  static let bearable = [
    Hostility("ResetFlood", .cancelled),
    Hostility("HugeHeaders", .resourceExhausted),
    Hostility("HeaderBomb", .resourceExhausted),
    Hostility("HugeTrailers", .resourceExhausted, ["before"]),
    Hostility("NoTrailers", .internalError, ["one"]),
    Hostility("NoStatus", .unknown, ["one"]),
    Hostility("HeadersAlone", .internalError),
    Hostility("CutMessage", .internalError),
    Hostility("HeadersTwice", .internalError),
    Hostility("UpperCase", .internalError),
    Hostility("WindowOverflow", .internalError),
    Hostility("EmptyData", nil),
    Hostility("InterimFlood", nil),
    Hostility("PriorityFlood", nil),
    Hostility("PingStorm", nil),
    Hostility("DataAfterEnd", nil, ["one"]),
    Hostility("TrailersAfterEnd", nil, ["one"]),
  ]

  /// The connection must be given up.
  static let unbearable = [
    Hostility("DataFirst", .unavailable),
    Hostility("BrokenCompression", .unavailable),
    Hostility("WindowOverflowOfAll", .unavailable),
    Hostility("SettingsOfAClient", .unavailable),
    Hostility("SettingsBeyondReason", .unavailable),
    Hostility("ResetOfNothing", .unavailable),
    Hostility("Push", .unavailable),
    Hostility("StreamOfItsOwn", .unavailable),
    Hostility("LongerThanAllowed", .unavailable),
    Hostility("ContinuationFlood", .unavailable),
    Hostility("EmptyContinuationFlood", .unavailable),
    Hostility("PingFlood", .unavailable),
    Hostility("SettingsFlood", .unavailable),
    Hostility("GoAwayCalm", .unavailable),
    Hostility("HalfClose", .unavailable, ["one"]),
    // A reset of TCP drops what was not read yet.
    Hostility("Vanish", .unavailable, nil),
  ]
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(3)))
struct `Against a hostile server` {
  let peer: Peer

  init() throws { peer = try Peer.hostile() }

  private func withPeer<R: Sendable>(_ body: @Sendable (PeerClient) async throws -> R) async throws -> R {
    try await withClient(peer.endpoint, TestKeys.shared.configuration()) { client, _ in try await body(client) }
  }

  @Test(arguments: Hostility.bearable)
  func `what concerns one call leaves the others alone`(hostility: Hostility) async throws {
    try await withPeer { client in
      let before = try await client.connectionNumber()
      try await Neighbour.with(client) { neighbour in
        #expect(try await neighbour.isThere(1))
        let outcome = try await client.outcome(of: hostility.name)
        #expect(outcome.error?.code == hostility.code, "\(String(describing: outcome.error))")
        #expect(outcome.messages == hostility.messages ?? outcome.messages)
        #expect(try await neighbour.isThere(2))
      }
      #expect(try await client.connectionNumber() == before)
    }
  }

  @Test(arguments: Hostility.unbearable)
  func `what breaks the connection ends its calls with the reason, and the next one is made`(
    hostility: Hostility
  ) async throws {
    try await withPeer { client in
      let before = try await client.connectionNumber()
      try await Neighbour.with(client) { neighbour in
        #expect(try await neighbour.isThere(1))
        let outcome = try await client.outcome(of: hostility.name)
        #expect(outcome.error?.code == hostility.code, "\(String(describing: outcome.error))")
        #expect(outcome.messages == hostility.messages ?? outcome.messages)
        let error = await #expect(throws: RPCError.self) { try await neighbour.isThere(2) }
        #expect(error?.code == .unavailable)
      }
      #expect(try await client.connectionNumber() > before)
    }
  }

  /// What fits into the buffers of both sockets is on its way before anybody can say stop.
  private static let floodBytesMax = 32 << 20

  @Test(arguments: ["ContinuationFlood", "EmptyContinuationFlood", "PingFlood", "SettingsFlood"])
  func `a flood is not listened to for long`(name: String) async throws {
    try await withPeer { client in
      let outcome = try await client.outcome(of: name)
      #expect(outcome.error != nil)
      let sent = try #require(Int(try await client.text("Report", name, options: client.options(waitForReady: true))))
      #expect(sent > 0 && sent < Self.floodBytesMax)
    }
  }

  @Test func `a server that sends more than its window is not kept listening to`() async throws {
    try await withPeer { client in
      let before = try await client.connectionNumber()
      let (bytes, error) = try await client.stream("OverWindow") {
        try await $0.write([])
      } _: { response in
        // Nobody reads until all of it was sent.
        #expect(try await client.text("Report", "OverWindow") == "sent")
        var bytes = 0
        do {
          for try await message in response.messages { bytes += message.count }
          return (bytes, RPCError?.none)
        } catch let error as RPCError {
          return (bytes, error)
        }
      }
      // The window, and what was read before nobody did.
      #expect(bytes <= 2 * HTTP2Configuration(authority: "").streamWindowBytes)
      #expect(error?.code == .internalError)
      #expect(error?.message == "The server ended the request with FLOW_CONTROL_ERROR.")
      #expect(try await client.connectionNumber() == before)
    }
  }

  @Test func `a message in tiny pieces is read whole`() async throws {
    try await withPeer { client in
      let outcome = try await client.outcome(of: "TinyData")
      #expect(outcome.messages.map(\.utf8.count) == [200_000] && outcome.error == nil)
    }
  }
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(3)))
struct `Against a server that changes its mind` {
  let peer: Peer

  init() throws { peer = try Peer.hostile() }

  private func withPeer<R: Sendable>(
    change: (inout WireConfiguration) -> Void = { _ in }, _ body: @Sendable (PeerClient) async throws -> R
  ) async throws -> R {
    try await withClient(peer.endpoint, TestKeys.shared.configuration(), change: change) { client, _ in
      try await body(client)
    }
  }

  /// A call whose messages and replies alternate as the test says.
  private func converse(
    _ client: PeerClient, _ method: String, first: [UInt8],
    _ body: @escaping @Sendable (_ reply: String, _ send: AsyncStream<[UInt8]>.Continuation) async throws -> Void
  ) async throws {
    let (messages, send) = AsyncStream.makeStream(of: [UInt8].self)
    send.yield(first)
    try await client.stream(method) { writer in
      for await message in messages { try await writer.write(message) }
    } _: { response in
      defer { send.finish() }
      for try await message in response.messages { try await body(String(decoding: message, as: UTF8.self), send) }
    }
  }

  @Test func `a connection that goes away keeps its running call, and new ones get the next`() async throws {
    try await withPeer { client in
      let replies = Mutex<[String]>([])
      try await converse(client, "GoAwayLater", first: []) { reply, send in
        replies.withLock { $0.append(reply) }
        guard let old = Int(reply) else { return send.finish() }
        // Both notices may still be on their way.
        var now = old
        while now == old { now = try await client.connectionNumber() }
        #expect(now == old + 1)
        send.yield([1])
      }
      #expect(replies.withLock { $0.count } == 2)
      #expect(replies.withLock { $0.last } == "still here")
      #expect(try await client.connectionNumber() == 2)
    }
  }

  @Test func `a call that the server had not begun with when it went is made again, with its messages`() async throws {
    try await withPeer { client in
      let counted = try await client.stream("GoAwayAtOnce") { writer in
        for number in 0..<100 { try await writer.write([UInt8(number)]) }
      } _: { response in
        try await response.messages.reduce("") { $0 + String(decoding: $1, as: UTF8.self) }
      }
      #expect(counted == "100")
      #expect(try await client.connectionNumber() == 2)
    }
  }

  @Test func `a call that is refused is made again, but not for ever, and not once it was answered`() async throws {
    try await withPeer { client in
      #expect(try await client.outcome(of: "RefuseTwice") == Outcome(messages: ["1"]))
      let always = try await client.outcome(of: "RefuseAlways")
      #expect(always.error?.code == .unavailable)
      #expect(try await client.text("Report", "RefuseAlways") == "4")
      let late = try await client.outcome(of: "RefuseLate")
      #expect(late.messages == ["begun"] && late.error?.code == .unavailable)
      #expect(try await client.text("Report", "RefuseLate") == "1")
      #expect(try await client.connectionNumber() == 1)
    }
  }

  @Test func `a server that goes away two thousand times keeps its running call`() async throws {
    try await withPeer { client in
      let outcome = try await client.outcome(of: "GoAwayFlood")
      #expect(outcome.error == nil)
    }
  }

  @Test func `a window that goes below zero stops the call, and lets it go on when it grows`() async throws {
    try await withPeer { client in
      let replies = Mutex<[String]>([])
      let message = [UInt8](repeating: 7, count: 300_000)
      try await converse(client, "WindowDownAndUp", first: message) { reply, send in
        replies.withLock { $0.append(reply) }
        if reply == "closed" { send.finish() }
      }
      #expect(replies.withLock { $0 } == ["closed", "300000"])
      #expect(try await client.text("Report", "WindowDownAndUp") == "0", "bytes that came without a window")
    }
  }

  @Test func `calls beyond the server's limit wait, time out, leave nothing behind, and go on when it grows`()
    async throws
  {
    try await withPeer { client in
      try await converse(client, "StreamsDownAndUp", first: []) { reply, send in
        guard reply == "none" else { return send.finish() }
        for _ in 0..<50 {
          let error = await #expect(throws: RPCError.self) {
            try await client.connectionNumber(options: client.options(.milliseconds(20)))
          }
          #expect(error?.code == .deadlineExceeded)
        }
        async let waiting = client.connectionNumber()
        send.yield([1])
        let number = try await waiting
        #expect(number == 1)
      }
      #expect(try await client.connectionNumber() == 1)
    }
  }

  @Test func `header tables and frame sizes change in the middle of calls`() async throws {
    try await withPeer { client in
      let changes = Atomic<Int>(0)
      try await converse(client, "TablesAndFrames", first: [0]) { _, send in
        for _ in 0..<5 {
          let number = try await client.unary("Good", metadata: ["x-of-this-call": "\(Int.random(in: 0...999))"])
            .message
          #expect(number == [UInt8(ascii: "1")])
        }
        if changes.add(1, ordering: .relaxed).newValue == 6 { send.finish() } else { send.yield([0]) }
      }
      #expect(changes.load(ordering: .relaxed) == 6)
    }
  }

  @Test func `a server that does not read stops the writer, not the others, and the deadline still holds`() async throws
  {
    try await withPeer { client in
      let before = try await client.connectionNumber()
      let written = Atomic<Int>(0)
      let piece = [UInt8](repeating: 7, count: 32 << 10)
      let error = await #expect(throws: RPCError.self) {
        try await client.client.bidirectionalStreaming(
          request: StreamingClientRequest { writer in
            while true {
              try await writer.write(piece)
              written.add(1, ordering: .relaxed)
            }
          }, descriptor: MethodDescriptor(fullyQualifiedService: "test.Peer", method: "NeverReads"),
          serializer: RawCoding(), deserializer: RawCoding(), options: client.options(.seconds(2))
        ) { response in
          #expect(try await client.connectionNumber() == before)
          for try await _ in response.messages {}
        }
      }
      #expect(error?.code == .deadlineExceeded)
      // The peer's first window, what may wait here, and the message that did not fit.
      let bytesMax = 65_535 + HTTP2Configuration(authority: "").unsentBytesMax + piece.count
      #expect(written.load(ordering: .relaxed) * piece.count <= bytesMax)
      #expect(written.load(ordering: .relaxed) > 2)
      #expect(try await client.connectionNumber() == before)
    }
  }

  @Test func `a server that falls silent is asked, and given up when it does not answer`() async throws {
    try await withPeer {
      $0.http2.keepaliveInterval = .milliseconds(200)
      $0.http2.keepaliveTimeout = .milliseconds(300)
    } _: { client in
      // It answers PINGs as long as it reads: the flood's peer does not.
      let outcome = try await client.outcome(of: "Deaf")
      #expect(outcome.error?.code == .unavailable)
      #expect(outcome.error?.cause.map { "\($0)" } == "\(HTTP2Error.keepaliveTimeout)")
      #expect(try await client.connectionNumber() == 2)
    }
  }
}
