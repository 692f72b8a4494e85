// The connection with its thread, over a byte stream in memory behind which a script plays the server.

internal import Glibc
@testable internal import HTTP2
internal import Synchronization
internal import Testing

/// A connection to a script: it sees each frame of the client and answers with frames.
final class ScriptedStream: ByteStream {
  typealias Script = @Sendable (Frame) -> [Frame]

  struct Failure: Error {}

  private struct State {
    var incoming: [UInt8] = []
    var outgoing: [UInt8] = []
    var isEnded = false
    var isWoken = false
  }

  private let state = Mutex(State())
  private let signal = Signal()
  private let script: Script
  private let failsToOpen: Bool
  let remoteAddress = "test:server"
  let localAddress = "test:client"

  init(failsToOpen: Bool = false, _ script: @escaping Script) {
    self.failsToOpen = failsToOpen
    self.script = script
  }

  /// Says something to the client unasked.
  func say(_ frames: [Frame]) {
    state.withLock { $0.incoming += frames.flatMap(\.bytes) }
    signal.raise()
  }

  /// Says bytes that are no frame.
  func say(bytes: [UInt8]) {
    state.withLock { $0.incoming += bytes }
    signal.raise()
  }

  /// Closes the server's end.
  func end() {
    state.withLock { $0.isEnded = true }
    signal.raise()
  }

  func open(until deadline: ContinuousClock.Instant) throws {
    if failsToOpen { throw Failure() }
  }

  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int? {
    state.withLock { state in
      let count = min(buffer.count, state.incoming.count)
      guard count > 0 else { return state.isEnded ? 0 : nil }
      buffer.copyBytes(from: state.incoming[..<count])
      state.incoming.removeFirst(count)
      return count
    }
  }

  func write(_ buffer: UnsafeRawBufferPointer) throws -> Int? {
    let frames = state.withLock { state in
      state.outgoing += buffer
      let frames = Frame.parse(state.outgoing)
      // The client writes whole frames; what is left of the preface goes with the first ones.
      if !frames.isEmpty { state.outgoing = [] }
      return frames
    }
    for frame in frames { say(script(frame)) }
    return buffer.count
  }

  func wait(writing: Bool, until deadline: ContinuousClock.Instant?) throws {
    signal.wait(until: deadline)
  }

  func close() {}
  func wake() { signal.raise() }
  func interrupt() { signal.raise() }
}

/// A flag one thread waits for.
private final class Signal: Sendable {
  private let ends: (Int32, Int32)

  init() {
    var descriptors: [Int32] = [-1, -1]
    precondition(pipe(&descriptors) == 0)
    for descriptor in descriptors { _ = fcntl(descriptor, F_SETFL, O_NONBLOCK) }
    ends = (descriptors[0], descriptors[1])
  }

  deinit {
    close(ends.0)
    close(ends.1)
  }

  func raise() {
    var byte: UInt8 = 1
    _ = write(ends.1, &byte, 1)
  }

  func wait(until deadline: ContinuousClock.Instant?) {
    var descriptor = pollfd(fd: ends.0, events: Int16(POLLIN), revents: 0)
    let rest = deadline.map { ContinuousClock.now.duration(to: $0) / .milliseconds(1) }
    poll(&descriptor, 1, rest.map { Int32(min(max($0.rounded(.up), 0), 60_000)) } ?? -1)
    var bytes = [UInt8](repeating: 0, count: 64)
    while read(ends.0, &bytes, bytes.count) > 0 {}
  }
}

private func connect(
  _ stream: ScriptedStream, change: (inout HTTP2Configuration) -> Void = { _ in }
) async throws -> HTTP2Connection {
  var configuration = HTTP2Configuration(authority: "hub.example")
  change(&configuration)
  return try await HTTP2Connection.open(over: stream, configuration: configuration)
}

/// Answers settings, and each request with 200 and its body's last piece.
private func polite(_ frame: Frame) -> [Frame] {
  switch frame.kind {
  case .settings where frame.flags == 0: [.settings(), .settingsAcknowledgement()]
  case .ping where frame.flags == 0: [.ping(acknowledging: frame.payload)]
  case .headers where frame.endsStream: [.headers(frame.stream, [(":status", "204")], endStream: true)]
  case .data where frame.endsStream:
    [.headers(frame.stream, [(":status", "200")]), .data(frame.stream, frame.payload, endStream: true)]
  default: []
  }
}

@Suite(.timeLimit(.minutes(5))) struct `A connection` {
  @Test func `answers requests, one after the other and many at once`() async throws {
    let connection = try await connect(ScriptedStream(polite))
    #expect(try await connection.request(method: "GET", path: "/").status == 204)
    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
      for number in 0..<100 {
        group.addTask { Int(try await connection.request(method: "POST", path: "/", body: [UInt8(number)]).body[0]) }
      }
      return try await group.reduce(0, +)
    }
    #expect(sum == 99 * 100 / 2)
    connection.close()
    let reason = try await connection.untilClosed()
    guard case .closed = reason else { throw reason }
    #expect(throws: HTTP2Error.self) { try connection.openStream([]) }
  }

  @Test func `keeps data that come in tiny pieces in few parts, and gives them whole`() async throws {
    let connection = try await connect(ScriptedStream(polite))
    let stream = HTTP2Stream(on: connection, isWriteEnded: true)
    let count = 100_000
    _ = stream.deliver(.headers([]))
    for number in 0..<count { _ = stream.deliver(.data([UInt8(number % 251)])) }
    #expect(stream.unreadParts <= 2 + count / HTTP2Stream.joinedDataBytesMax)
    stream.complete()
    var bytes: [UInt8] = []
    while let part = try await stream.next() { if case .data(let more) = part { bytes += more } }
    #expect(bytes == (0..<count).map { UInt8($0 % 251) })
    connection.abort()
  }

  @Test func `that cannot be made tells the reason`() async throws {
    let error = await #expect(throws: HTTP2Error.self) {
      _ = try await connect(ScriptedStream(failsToOpen: true, polite))
    }
    guard case .connection(let reason)? = error else { throw Unexpected(error) }
    #expect(reason is ScriptedStream.Failure)
  }

  @Test func `to a peer without settings is no HTTP/2`() async throws {
    let error = await #expect(throws: HTTP2Error.self) {
      _ = try await connect(ScriptedStream { _ in [] }) { $0.openTimeout = .milliseconds(50) }
    }
    guard case .notHTTP2? = error else { throw Unexpected(error) }
  }

  @Test func `to a peer that speaks something else is no HTTP/2, and says so at once`() async throws {
    let stream = ScriptedStream { frame in frame.kind == .settings ? [.ping()] : [] }
    let error = await #expect(throws: HTTP2Error.self) { _ = try await connect(stream) }
    guard case .notHTTP2? = error else { throw Unexpected(error) }
  }

  @Test func `that is being made ends with the task that wants it`() async throws {
    let task = Task { _ = try await connect(ScriptedStream { _ in [] }) }
    task.cancel()
    await #expect(throws: CancellationError.self) { try await task.value }
  }

  @Test func `that the peer closes fails what is open`() async throws {
    let stream = ScriptedStream { frame in frame.kind == .settings ? polite(frame) : [] }
    let connection = try await connect(stream)
    let waiting = Task { try await connection.request(method: "GET", path: "/") }
    stream.end()
    await #expect(throws: HTTP2Error.self) { _ = try await waiting.value }
    let reason = try await connection.untilClosed()
    guard case .closedByPeer = reason else { throw Unexpected(reason) }
  }

  @Test func `to a peer that no longer answers is given up`() async throws {
    let stream = ScriptedStream { frame in frame.kind == .settings ? polite(frame) : [] }
    let connection = try await connect(stream) {
      $0.keepaliveInterval = .milliseconds(20)
      $0.keepaliveTimeout = .milliseconds(20)
    }
    let reason = try await connection.untilClosed()
    guard case .keepaliveTimeout = reason else { throw Unexpected(reason) }
  }

  @Test func `to a peer that answers its pings stays`() async throws {
    let pings = Atomic<Int>(0)
    let (enough, say) = AsyncStream.makeStream(of: Void.self)
    let stream = ScriptedStream { frame in
      if frame.kind == .ping, pings.add(1, ordering: .relaxed).newValue == 5 { say.yield() }
      return polite(frame)
    }
    let connection = try await connect(stream) { $0.keepaliveInterval = .milliseconds(5) }
    _ = await enough.first { _ in true }
    #expect(connection.isUsable)
    connection.abort()
  }

  @Test func `makes a writer wait while the peer does not take its bytes`() async throws {
    let received = Atomic<Int>(0)
    let (full, say) = AsyncStream.makeStream(of: Void.self)
    let scripted = ScriptedStream { frame in
      if frame.kind == .data, received.add(frame.payload.count, ordering: .relaxed).newValue == 65_535 { say.yield() }
      return frame.kind == .settings ? polite(frame) : []
    }
    let connection = try await connect(scripted) { $0.unsentBytesMax = 10_000 }
    let stream = try connection.openStream([
      HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "https"), HTTP2Header(":path", "/"),
    ])
    let accepted = Atomic<Int>(0)
    let writer = Task {
      while true {
        try await stream.send([UInt8](repeating: 1, count: 1000))
        accepted.add(1000, ordering: .relaxed)
      }
    }
    _ = await full.first { _ in true }
    writer.cancel()
    await #expect(throws: (any Error).self) { try await writer.value }
    // The peer's window, what may wait, and the message that went over it.
    #expect(accepted.load(ordering: .relaxed) <= 65_535 + 10_000 + 1000)
    #expect(received.load(ordering: .relaxed) == 65_535)
    connection.abort()
  }

  @Test func `gives no credit for what nobody reads, and all of it when the stream is abandoned`() async throws {
    let credit = Atomic<Int>(0)
    let (enough, say) = AsyncStream.makeStream(of: Void.self)
    let scripted = ScriptedStream { frame in
      if frame.kind == .windowUpdate, frame.stream == 0 {
        let total = credit.add(frame.payload.reduce(0) { $0 << 8 | Int($1) }, ordering: .relaxed).newValue
        if total > 200_000 { say.yield() }
      }
      guard frame.kind == .headers else { return polite(frame) }
      let pieces = [Frame](repeating: .data(frame.stream, [UInt8](repeating: 0, count: 16_000)), count: 16)
      return [.headers(frame.stream, [(":status", "200")])] + pieces
    }
    let connection = try await connect(scripted) {
      $0.streamWindowBytes = 256_000
      $0.connectionWindowBytes = 256_000
    }
    credit.store(0, ordering: .relaxed)
    let stream = try connection.openStream(
      [HTTP2Header(":method", "GET"), HTTP2Header(":scheme", "https"), HTTP2Header(":path", "/")], endStream: true)
    guard case .headers? = try await stream.next() else { throw Unexpected("no headers") }
    #expect(credit.load(ordering: .relaxed) == 0)
    stream.abandon()
    _ = await enough.first { _ in true }
    #expect(credit.load(ordering: .relaxed) <= 256_000)
    connection.abort()
  }
}

@Suite struct `The keepalive` {
  let begin = ContinuousClock.now

  private func keepalive(interval: Duration? = .seconds(60)) -> Keepalive {
    var configuration = HTTP2Configuration(authority: "")
    configuration.keepaliveInterval = interval
    configuration.keepaliveTimeout = .seconds(20)
    return Keepalive(configuration, now: begin)
  }

  private func at(_ seconds: Int) -> ContinuousClock.Instant { begin.advanced(by: .seconds(seconds)) }

  @Test func `asks once after the silence, and gives up after the time for the answer`() {
    var keepalive = keepalive()
    #expect(keepalive.action(now: at(59)) == .nothing)
    #expect(keepalive.nextDeadline == at(60))
    #expect(keepalive.action(now: at(60)) == .ping)
    #expect(keepalive.action(now: at(79)) == .nothing)
    #expect(keepalive.action(now: at(80)) == .giveUp)
  }

  @Test func `takes other bytes for a sign of life while it waits for the answer`() {
    var keepalive = keepalive()
    #expect(keepalive.action(now: at(60)) == .ping)
    keepalive.received(now: at(75))
    #expect(keepalive.action(now: at(80)) == .nothing)
    #expect(keepalive.action(now: at(95)) == .giveUp)
  }

  @Test func `asks again after an answer`() {
    var keepalive = keepalive()
    #expect(keepalive.action(now: at(60)) == .ping)
    keepalive.received(now: at(61))
    keepalive.answered()
    #expect(keepalive.action(now: at(100)) == .nothing)
    #expect(keepalive.action(now: at(121)) == .ping)
  }

  @Test func `never asks when it is off`() {
    var keepalive = keepalive(interval: nil)
    #expect(keepalive.nextDeadline == nil)
    #expect(keepalive.action(now: at(100_000)) == .nothing)
  }
}

@Suite struct `An outbox` {
  @Test func `gives its bytes in order whatever the sizes of the pieces`() {
    var outbox = Outbox()
    var expected: [UInt8] = []
    var received: [UInt8] = []
    var random = SystemRandomNumberGenerator()
    for round in 0..<500 {
      let piece = [UInt8](repeating: UInt8(round % 251), count: Int.random(in: 0...40, using: &random))
      outbox.append(piece)
      expected += piece
      let buffer = UnsafeMutableRawBufferPointer.allocate(
        byteCount: Int.random(in: 1...35, using: &random), alignment: 1)
      defer { buffer.deallocate() }
      received += buffer[..<outbox.move(into: buffer)]
      #expect(outbox.count == expected.count - received.count)
    }
    let rest = UnsafeMutableRawBufferPointer.allocate(byteCount: outbox.count + 1, alignment: 1)
    defer { rest.deallocate() }
    received += rest[..<outbox.move(into: rest)]
    #expect(received == expected)
    #expect(outbox.count == 0)
  }
}

/// An error of another kind than the test wants.
struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ error: Any?) { description = "unexpected: \(String(describing: error))" }
}
