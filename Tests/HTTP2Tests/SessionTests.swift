// The session as a state machine, against frames written by hand.

@testable internal import HTTP2
internal import Testing

private func newSession(change: (inout HTTP2Configuration) -> Void = { _ in }) throws -> HTTP2Session {
  var configuration = HTTP2Configuration(authority: "hub.example")
  change(&configuration)
  return try HTTP2Session(configuration)
}

private let request = [
  HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "https"), HTTP2Header(":authority", "hub.example"),
  HTTP2Header(":path", "/"),
]

extension HTTP2Session {
  func receive(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try receive($0) } }

  /// Everything the session wants to send, as frames.
  func outputFrames() throws -> [Frame] {
    var output: [UInt8] = []
    try moveOutput(into: &output, countMax: .max)
    return Frame.parse(output)
  }
}

@Suite struct `A session` {
  @Test func `begins with the preface, its settings and a larger connection window`() throws {
    var output: [UInt8] = []
    try newSession().moveOutput(into: &output, countMax: .max)
    #expect(output.starts(with: Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)))
    let frames = Frame.parse(output)
    #expect(frames.map(\.kind) == [.settings, .windowUpdate])
    #expect(frames[1].payload == [0, 0x3F, 0, 1])  // 4 MiB less the 65,535 every connection begins with.
  }

  @Test func `gives a response as headers, data, trailers and the end`() throws {
    let session = try newSession()
    let stream = try session.open(request, endStream: true)
    _ = try session.outputFrames()
    try session.receive(Frame.settings().bytes)
    try session.receive(Frame.headers(stream, [(":status", "200"), ("content-type", "x")]).bytes)
    try session.receive(Frame.data(stream, [1, 2, 3]).bytes)
    try session.receive(Frame.headers(stream, [("grpc-status", "0")], endStream: true).bytes)
    #expect(
      session.takeEvents() == [
        .settings, .headers(stream, [HTTP2Header(":status", "200"), HTTP2Header("content-type", "x")]),
        .data(stream, [1, 2, 3]), .trailers(stream, [HTTP2Header("grpc-status", "0")]), .end(stream),
        .closed(stream, .noError),
      ])
    #expect(session.takeEvents().isEmpty)
  }

  @Test func `understands a response cut at any byte`() throws {
    let whole: [UInt8] =
      Frame.settings().bytes + Frame.headers(1, [(":status", "200")]).bytes + Frame.data(1, [1, 2, 3]).bytes
      + Frame.headers(1, [("a", "b")], endStream: true).bytes
    for cut in 0...whole.count {
      let session = try newSession()
      #expect(try session.open(request, endStream: true) == 1)
      _ = try session.outputFrames()
      try session.receive(Array(whole[..<cut]))
      try session.receive(Array(whole[cut...]))
      let data = session.takeEvents().reduce(into: [UInt8]()) { if case .data(_, let bytes) = $1 { $0 += bytes } }
      #expect(data == [1, 2, 3])
    }
  }

  @Test func `leaves interim responses out`() throws {
    let session = try newSession()
    let stream = try session.open(request, endStream: true)
    _ = try session.outputFrames()
    try session.receive(Frame.settings().bytes + Frame.headers(stream, [(":status", "103")]).bytes)
    try session.receive(Frame.headers(stream, [(":status", "200")], endStream: true).bytes)
    #expect(
      session.takeEvents() == [
        .settings, .headers(stream, [HTTP2Header(":status", "200")]), .end(stream), .closed(stream, .noError),
      ])
  }

  @Test(arguments: ["HTTP/1.1 400 Bad Request\r\nconnection: close\r\n\r\n", "\0\0\u{8}\u{6}\0\0\0\0\0ping ping"])
  func `says goodbye to a peer that begins with anything but settings`(text: String) throws {
    let session = try newSession()
    try session.receive(Array(text.utf8))
    #expect(try session.outputFrames().last?.kind == .goAway)
    guard case .violation? = session.takeEvents().last else { throw Unexpected("no violation") }
    #expect(session.isFinished)
  }

  @Test func `survives any byte changed on the way`() throws {
    let whole: [UInt8] =
      Frame.settings().bytes + Frame.headers(1, [(":status", "200")]).bytes + Frame.data(1, [1, 2, 3]).bytes
    for index in whole.indices {
      for change: UInt8 in [0x01, 0x80, 0xFF] {
        var changed = whole
        changed[index] ^= change
        let session = try newSession()
        _ = try session.open(request, endStream: true)
        _ = try session.outputFrames()
        do { try session.receive(changed) } catch { #expect(error is HTTP2Error) }
        _ = session.takeEvents()
        _ = try session.outputFrames()
      }
    }
  }
}

@Suite struct `Flow control` {
  @Test func `keeps a body within the peer's window and goes on when it grows`() throws {
    let session = try newSession()
    let stream = try session.open(request, endStream: false)
    session.send([UInt8](repeating: 7, count: 100_000), on: stream, endStream: true)
    try session.receive(Frame.settings().bytes)
    let first = try session.outputFrames().filter { $0.kind == .data }
    #expect(first.map(\.payload.count).reduce(0, +) == 65_535)
    #expect(first.allSatisfy { !$0.endsStream })
    #expect(session.takeEvents().sentBytes == 65_535)
    try session.receive(Frame.windowUpdate(0, 100_000).bytes + Frame.windowUpdate(stream, 100_000).bytes)
    let second = try session.outputFrames().filter { $0.kind == .data }
    #expect(second.map(\.payload.count).reduce(0, +) == 100_000 - 65_535)
    #expect(second.last?.endsStream == true)
  }

  @Test func `waits for bytes that come later`() throws {
    let session = try newSession()
    let stream = try session.open(request, endStream: false)
    #expect(try session.outputFrames().filter { $0.kind == .data }.isEmpty)
    session.send([1], on: stream, endStream: false)
    session.send([2, 3], on: stream, endStream: false)
    #expect(try session.outputFrames().filter { $0.kind == .data }.map(\.payload) == [[1, 2, 3]])
    session.send([], on: stream, endStream: true)
    let last = try session.outputFrames().filter { $0.kind == .data }
    #expect(last.map(\.payload) == [[]] && last[0].endsStream)
  }

  @Test func `gives credit for what was consumed, before the message is whole`() throws {
    let session = try newSession { $0.streamWindowBytes = 100_000 }
    let stream = try session.open(request, endStream: true)
    _ = try session.outputFrames()
    try session.receive(Frame.settings().bytes + Frame.settingsAcknowledgement().bytes)
    try session.receive(Frame.headers(stream, [(":status", "200")]).bytes)
    for _ in 0..<5 { try session.receive(Frame.data(stream, [UInt8](repeating: 0, count: 16_000)).bytes) }
    #expect(try session.outputFrames().filter { $0.kind == .windowUpdate }.isEmpty)
    session.consume(80_000, on: stream)
    let updates = try session.outputFrames().filter { $0.kind == .windowUpdate && $0.stream == stream }
    #expect(updates.map(\.payload) == [[0, 1, 0x38, 0x80]])  // 80,000
  }
}

@Suite struct `The peer's will` {
  @Test func `to go away refuses the streams it has not begun`() throws {
    let session = try newSession()
    let (first, second) = (try session.open(request, endStream: true), try session.open(request, endStream: true))
    _ = try session.outputFrames()
    try session.receive(Frame.settings().bytes + Frame.goAway(last: first, code: 0, "maintenance").bytes)
    #expect(
      session.takeEvents() == [
        .settings, .goAway(.noError, reason: "maintenance"), .closed(second, .refusedStream),
      ])
    let late = try? session.open(request, endStream: true)
    _ = try session.outputFrames()
    #expect(late == nil || session.takeEvents().contains(.refused(late ?? 0)))
    try session.receive(Frame.headers(first, [(":status", "200")], endStream: true).bytes)
    _ = try session.outputFrames()
    #expect(session.isFinished)
  }

  @Test func `to have few streams at once makes the others wait`() throws {
    let session = try newSession()
    try session.receive(Frame.settings([(3, 1)]).bytes)
    let (first, second) = (try session.open(request, endStream: true), try session.open(request, endStream: true))
    #expect(try session.outputFrames().filter { $0.kind == .headers }.map(\.stream) == [first])
    try session.receive(Frame.headers(first, [(":status", "200")], endStream: true).bytes)
    #expect(try session.outputFrames().filter { $0.kind == .headers }.map(\.stream) == [second])
  }

  @Test func `to have no streams makes so many wait and no more`() throws {
    let session = try newSession()
    try session.receive(Frame.settings([(3, 0)]).bytes)
    _ = try session.outputFrames()
    for _ in 0..<HTTP2Session.waitingFramesMax { _ = try session.open(request, endStream: true) }
    let error = #expect(throws: HTTP2Error.self) { try session.open(request, endStream: true) }
    guard case .tooManyWaiting(limit: HTTP2Session.waitingFramesMax)? = error else { throw Unexpected(error) }
  }

  @Test func `to go away with a long text is heard in one short line`() throws {
    let session = try newSession()
    let text = "a\nb" + String(repeating: "c", count: 10_000)
    try session.receive(Frame.settings().bytes + Frame.goAway(last: 0, code: 0, text).bytes)
    let short = "a?b" + String(repeating: "c", count: HTTP2Session.reasonBytesMax - 3)
    #expect(session.takeEvents() == [.settings, .goAway(.noError, reason: short)])
  }

  @Test func `to reset a stream ends it with its code`() throws {
    let session = try newSession()
    let stream = try session.open(request, endStream: false)
    _ = try session.outputFrames()
    try session.receive(Frame.settings().bytes + Frame.reset(stream, 11).bytes)
    #expect(session.takeEvents() == [.settings, .closed(stream, .enhanceYourCalm)])
    session.send([1], on: stream, endStream: true)
    #expect(try session.outputFrames().filter { $0.kind == .data }.isEmpty)
  }

  @Test func `to send endless headers is not followed`() throws {
    let session = try newSession { $0.headerBytesMax = 1000 }
    let stream = try session.open(request, endStream: true)
    _ = try session.outputFrames()
    let fields = (0..<20).map { ("x-\($0)", String(repeating: "v", count: 50)) }
    try session.receive(Frame.settings().bytes + Frame.headers(stream, [(":status", "200")] + fields).bytes)
    #expect(session.takeEvents().contains(.headersTooLarge(stream)))
    #expect(try session.outputFrames().contains { $0.kind == .reset && $0.stream == stream })
  }
}

extension [HTTP2Session.Event] {
  fileprivate var sentBytes: Int {
    reduce(0) { if case .sent(_, let count) = $1 { $0 + count } else { $0 } }
  }
}
