// The server's session and connection: against this room's own client, and against frames written by hand.

internal import Glibc
@testable internal import HTTP2
internal import Synchronization
internal import Testing

private let get = [
  HTTP2Header(":method", "GET"), HTTP2Header(":scheme", "https"), HTTP2Header(":authority", "agent"),
  HTTP2Header(":path", "/hello"),
]
private let getFields = [(":method", "GET"), (":scheme", "https"), (":authority", "agent"), (":path", "/")]
private let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)

private func newServer(_ change: (inout HTTP2Configuration) -> Void = { _ in }) throws -> HTTP2Session {
  var configuration = HTTP2Configuration(authority: "")
  change(&configuration)
  return try HTTP2Session(configuration, as: .server)
}

/// A client's and a server's session, back to back.
private final class Pair {
  let client: HTTP2Session
  let server: HTTP2Session
  private(set) var atClient: [HTTP2Session.Event] = []
  private(set) var atServer: [HTTP2Session.Event] = []

  init(_ change: (inout HTTP2Configuration) -> Void = { _ in }) throws {
    client = try HTTP2Session(HTTP2Configuration(authority: "agent"))
    server = try newServer(change)
    try settle()
  }

  /// Carries bytes until neither has any.
  func settle() throws {
    while true {
      var (there, back): ([UInt8], [UInt8]) = ([], [])
      try client.moveOutput(into: &there, countMax: 1 << 20)
      try server.receive(there)
      try server.moveOutput(into: &back, countMax: 1 << 20)
      try client.receive(back)
      atClient += client.takeEvents()
      atServer += server.takeEvents()
      if there.isEmpty, back.isEmpty { return }
    }
  }

  func forget() { (atClient, atServer) = ([], []) }
}

extension [Frame] {
  fileprivate func only(_ kind: Frame.Kind) -> [Frame] { filter { $0.kind == kind } }
}

extension Frame {
  fileprivate var number: UInt32 { payload.suffix(4).reduce(0) { $0 << 8 | UInt32($1) } }
  /// Of a GOAWAY: its code, behind the last stream's number.
  fileprivate var code: UInt32 { payload.dropFirst(4).prefix(4).reduce(0) { $0 << 8 | UInt32($1) } }
}

@Suite struct `A server's session` {
  @Test func `says how many requests may be open, and that WebSockets may be`() throws {
    let frames = try newServer().outputFrames()
    let settings = try #require(frames.first { $0.kind == .settings })
    let values = stride(from: 0, to: settings.payload.count, by: 6).map { settings.payload[$0..<$0 + 6] }
    #expect(values.contains([0, 3, 0, 0, 0, 32]) && values.contains([0, 8, 0, 0, 0, 1]))
    #expect(!values.contains { $0.starts(with: [0, 2]) }, "no push")
  }

  @Test func `takes requests and answers them, with bodies both ways`() throws {
    let pair = try Pair()
    pair.forget()
    let first = try pair.client.open(get, endStream: true)
    let second = try pair.client.open(get, endStream: false)
    pair.client.send([1, 2, 3], on: second, endStream: true)
    try pair.settle()
    #expect(
      pair.atServer == [
        .request(first, get, isWhole: true), .end(first), .request(second, get, isWhole: false),
        .data(second, [1, 2, 3]), .end(second),
      ])
    pair.server.respond([HTTP2Header(":status", "204")], on: first, endStream: true)
    pair.server.respond([HTTP2Header(":status", "200")], on: second, endStream: false)
    pair.server.send([4, 5], on: second, endStream: true)
    try pair.settle()
    #expect(pair.atClient.contains(.headers(first, [HTTP2Header(":status", "204")])))
    #expect(pair.atClient.contains(.data(second, [4, 5])))
    #expect(pair.atClient.contains(.closed(first, .noError)) && pair.atClient.contains(.closed(second, .noError)))
    #expect(pair.atServer.contains(.closed(second, .noError)))
  }

  @Test func `answers before the request is whole, and does not wait for its rest`() throws {
    let pair = try Pair()
    let stream = try pair.client.open(get, endStream: false)
    try pair.settle()
    pair.server.respond([HTTP2Header(":status", "413")], on: stream, endStream: false)
    pair.server.send([9], on: stream, endStream: true)
    try pair.settle()
    let events = pair.atClient.filter { if case .settings = $0 { false } else { true } }
    #expect(
      events == [
        .headers(stream, [HTTP2Header(":status", "413")]), .data(stream, [9]), .end(stream), .closed(stream, .noError),
      ])
  }

  @Test func `takes a WebSocket's request`() throws {
    let pair = try Pair()
    let stream = try pair.client.open(
      [
        HTTP2Header(":method", "CONNECT"), HTTP2Header(":protocol", "websocket"), HTTP2Header(":scheme", "https"),
        HTTP2Header(":authority", "x:443"), HTTP2Header(":path", "/ws"),
      ], endStream: false)
    try pair.settle()
    guard case .request(stream, let fields, isWhole: false)? = pair.atServer.last else {
      throw Unexpected(pair.atServer)
    }
    #expect(fields.first(named: ":protocol") == "websocket")
  }

  @Test func `tells why it goes, and lets what is open end`() throws {
    let pair = try Pair()
    let stream = try pair.client.open(get, endStream: true)
    try pair.settle()
    pair.server.goAway(.noError, reason: "time: Its time was over.")
    try pair.settle()
    #expect(pair.atClient.contains(.goAway(.noError, reason: "time: Its time was over.")))
    #expect(!pair.server.isFinished)
    pair.server.respond([HTTP2Header(":status", "200")], on: stream, endStream: true)
    try pair.settle()
    #expect(pair.atClient.contains(.closed(stream, .noError)) && pair.server.isFinished)
  }

  @Test func `refuses requests beyond those that may be open, ten thousand of them`() throws {
    let session = try newServer()
    try session.receive(preface + Frame.settings().bytes)
    var refused = 0
    for number in 0..<10_000 {
      try session.receive(Frame.headers(Int32(2 * number + 1), getFields, endStream: true).bytes)
      refused += try session.outputFrames().only(.reset).count { $0.number == HTTP2ErrorCode.refusedStream.rawValue }
    }
    let taken = session.takeEvents().count { if case .request = $0 { true } else { false } }
    #expect(taken == 32 && refused == 10_000 - 32)
  }

  @Test func `ends with a client that knows how many may be open, and opens more`() throws {
    let session = try newServer()
    try session.receive(preface + Frame.settings().bytes)
    _ = try session.outputFrames()
    try session.receive(Frame.settingsAcknowledgement().bytes)
    for number in 0..<40 {
      try session.receive(Frame.headers(Int32(2 * number + 1), getFields, endStream: true).bytes)
    }
    #expect(try !session.outputFrames().only(.goAway).isEmpty)
    let taken = session.takeEvents().count { if case .request = $0 { true } else { false } }
    #expect(taken == 32)
  }

  @Test func `refuses a head that is too large, and goes on`() throws {
    let session = try newServer { $0.headerBytesMax = 1_000 }
    try session.receive(preface + Frame.settings().bytes)
    let large = getFields + (0..<20).map { ("x-\($0)", String(repeating: "a", count: 50)) }
    try session.receive(Frame.headers(1, large, endStream: true).bytes)
    try session.receive(Frame.headers(3, getFields, endStream: true).bytes)
    let requests = session.takeEvents().compactMap { event -> Int32? in
      if case .request(let stream, _, _) = event { stream } else { nil }
    }
    #expect(requests == [3])
    #expect(try session.outputFrames().only(.reset).map(\.stream) == [1])
  }

  @Test func `knows what is no HTTP/2 by its first bytes`() throws {
    let session = try newServer()
    let error = #expect(throws: HTTP2Error.self) {
      try session.receive(Array("GET / HTTP/1.1\r\nHost: x\r\n\r\n".utf8))
    }
    guard case .notHTTP2? = error else { throw Unexpected(error) }
  }

  @Test func `gives a peer no more than the windows before it has read`() throws {
    let pair = try Pair { $0.streamWindowBytes = 100_000 }
    let stream = try pair.client.open(get, endStream: false)
    pair.client.send([UInt8](repeating: 7, count: 300_000), on: stream, endStream: true)
    try pair.settle()
    func received() -> Int {
      pair.atServer.reduce(0) { if case .data(stream, let bytes) = $1 { $0 + bytes.count } else { $0 } }
    }
    #expect(received() == 100_000)
    pair.server.consume(100_000, on: stream)
    try pair.settle()
    #expect(received() == 200_000)
  }

  @Test func `understands a request cut at any byte, and never traps at damage`() throws {
    let whole =
      preface + Frame.settings().bytes + Frame.headers(1, getFields).bytes
      + Frame.data(1, [1, 2, 3], endStream: true).bytes
    for cut in 0...whole.count {
      let session = try newServer()
      try session.receive(Array(whole[..<cut]))
      try session.receive(Array(whole[cut...]))
      #expect(session.takeEvents().last == .end(1))
    }
    for index in whole.indices {
      for flip in [UInt8(1), 0x80, 0xff] {
        var damaged = whole
        damaged[index] ^= flip
        let session = try newServer()
        try? session.receive(damaged)
        _ = try? session.outputFrames()
      }
    }
  }
}

@Suite struct `The gauge of floods` {
  @Test func `lets a burst through and what comes steadily, and no more`() {
    let begin = ContinuousClock.now
    var configuration = HTTP2Configuration(authority: "")
    (configuration.choresAtOnceMax, configuration.choresPerSecond) = (10, 5)
    var gauge = FloodGauge(configuration, now: begin)
    let (burst, more) = (gauge.admits(10, now: begin), gauge.admits(1, now: begin))
    #expect(burst && !more)
    gauge = FloodGauge(configuration, now: begin)
    var isSteadyFine = true
    for second in 1...100 where !gauge.admits(5, now: begin.advanced(by: .seconds(second))) { isSteadyFine = false }
    let isFloodFine = gauge.admits(11, now: begin.advanced(by: .seconds(100)))
    #expect(isSteadyFine && !isFloodFine)
  }
}

/// A client made of frames, before a serving connection.
private func serve(
  _ stream: ScriptedStream, change: (inout HTTP2Configuration) -> Void = { _ in },
  take: @escaping @Sendable (HTTP2Stream) -> Void = { _ in }
) async throws -> HTTP2Connection {
  var configuration = HTTP2Configuration(authority: "agent")
  change(&configuration)
  return try await HTTP2Connection.serve(over: stream, configuration: configuration, take: take)
}

@Suite(.timeLimit(.minutes(5))) struct `A connection that serves` {
  private func client(_ frames: [Frame], seen: @escaping @Sendable (Frame) -> [Frame] = { _ in [] }) -> ScriptedStream {
    let stream = ScriptedStream(seen)
    stream.say(bytes: preface)
    stream.say([.settings()] + frames)
    return stream
  }

  @Test func `gives each request to who takes it, and sends the answer`() async throws {
    let (answers, say) = AsyncStream.makeStream(of: [UInt8].self)
    let stream = client([.headers(1, getFields), .data(1, [5, 6], endStream: true)]) { frame in
      if frame.kind == .data { say.yield(frame.payload) }
      return []
    }
    let connection = try await serve(
      stream,
      take: { request in
        Task {
          guard case .headers(let fields)? = try await request.next(), fields.first(named: ":path") == "/" else {
            return
          }
          var body: [UInt8] = []
          while case .data(let bytes)? = try await request.next() { body += bytes }
          request.respond([HTTP2Header(":status", "200")])
          try await request.send(body.map { $0 + 1 }, endStream: true)
        }
      })
    #expect(await answers.first { !$0.isEmpty } == [6, 7])
    connection.close(.noError, reason: "closed: x")
    guard case .closed = try await connection.untilClosed() else { throw Unexpected("another end") }
  }

  @Test func `sends away who floods it with resets, pings or empty data`() async throws {
    let resets = (0..<2_000).flatMap { number -> [Frame] in
      let stream = Int32(2 * number + 1)
      return [.headers(stream, getFields, endStream: true), .reset(stream, 8)]
    }
    let pings = [Frame](repeating: .ping(), count: 2_000)
    let empty = [Frame.headers(1, getFields)] + [Frame](repeating: .data(1, []), count: 2_000)
    let settings = [Frame](repeating: .settings(), count: 2_000)
    let floods: [[Frame]] = [resets, pings, empty, settings]
    for flood in floods {
      let (ends, say) = AsyncStream.makeStream(of: UInt32.self)
      let stream = client(flood) { frame in
        if frame.kind == .goAway { say.yield(frame.code) }
        return []
      }
      let taken = Atomic<Int>(0)
      let connection = try await serve(stream, take: { _ in taken.add(1, ordering: .relaxed) })
      #expect(await ends.first { _ in true } == HTTP2ErrorCode.enhanceYourCalm.rawValue)
      stream.end()
      _ = try await connection.untilClosed()
    }
  }

  @Test func `is over when its client never speaks`() async throws {
    let error = await #expect(throws: HTTP2Error.self) {
      _ = try await serve(ScriptedStream { _ in [] }) { $0.openTimeout = .milliseconds(50) }
    }
    guard case .notHTTP2? = error else { throw Unexpected(error) }
  }
}
