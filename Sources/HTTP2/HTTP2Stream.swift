// One request and its answer, as its tasks see it: one writer, one reader, and the connection's thread behind them.
//
//        writer task --send--> connection thread --> peer          waits while `unsentBytesMax` are not handed over
//        reader task <--next-- inbox <-- connection thread         each part read gives the peer credit for as much

internal import Synchronization

package final class HTTP2Stream: Sendable {
  /// Data that wait to be read are joined up to this many bytes: a peer that sends each byte in a frame of its own should
  /// not cost us an array for each.
  static let joinedDataBytesMax = 16 << 10

  /// How the peer's half, and with an error both halves, came to an end.
  private enum Ending {
    case complete
    case failed(any Error)
  }

  private struct State {
    var inbox: [HTTP2Part] = []
    /// The first part of `inbox` not read yet.
    var first = 0
    var ending: Ending?
    var reader: CheckedContinuation<HTTP2Part?, any Error>?
    var unsent = 0
    var writers: [Int: CheckedContinuation<Void, any Error>] = [:]
    var nextWriter = 0
    /// No more bytes go out.
    var isWriteEnded = false
    /// Nobody reads any more: what arrives is dropped.
    var isAbandoned = false
    /// The connection's thread has let go of it.
    var isClosed = false
  }

  /// The stream's number once the connection's thread has opened it, before that 0. Written and used by that thread.
  let id = Atomic<Int32>(0)
  private let connection: HTTP2Connection
  private let state = Mutex(State())

  init(on connection: HTTP2Connection, isWriteEnded: Bool) {
    self.connection = connection
    state.withLock { $0.isWriteEnded = isWriteEnded }
  }

  // MARK: writing

  /// Sends bytes of the body, in order; waits while too many are on their way. An empty array with `endStream` ends.
  /// - Throws: `HTTP2Error` when the stream is over, `CancellationError` when cancelled while waiting (the bytes are on
  ///   their way all the same).
  package func send(_ bytes: [UInt8], endStream: Bool = false) async throws {
    if try enqueue(bytes, endStream: endStream) { try await waitForRoom() }
  }

  /// Sends bytes of the body however many are on their way. Without effect on a stream that is over: whoever reads it hears why.
  package func sendWithoutWaiting(_ bytes: [UInt8], endStream: Bool = false) {
    _ = try? enqueue(bytes, endStream: endStream)
  }

  /// Returns whether the writer must wait.
  private func enqueue(_ bytes: [UInt8], endStream: Bool) throws -> Bool {
    let mustWait = try state.withLock { state in
      if case .failed(let error)? = state.ending { throw error }
      guard !state.isWriteEnded, !state.isClosed else { throw HTTP2Error.streamClosed }
      state.unsent += bytes.count
      state.isWriteEnded = endStream
      return !endStream && state.unsent > connection.configuration.unsentBytesMax
    }
    connection.enqueue(.send(self, bytes, endStream: endStream))
    return mustWait
  }

  private func waitForRoom() async throws {
    let writer = state.withLock { state in
      state.nextWriter += 1
      return state.nextWriter
    }
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { (continuation: CheckedContinuation<Void, any Error>) in
        let outcome = state.withLock { state -> Result<Void, any Error>? in
          if case .failed(let error)? = state.ending { return .failure(error) }
          if state.isClosed || state.unsent <= connection.configuration.unsentBytesMax { return .success(()) }
          if Task.isCancelled { return .failure(CancellationError()) }
          state.writers[writer] = continuation
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let continuation = state.withLock { $0.writers.removeValue(forKey: writer) }
      continuation?.resume(throwing: CancellationError())
    }
  }

  /// At a server: sends the head of the answer, before any of its body. Without effect on a stream that is over.
  package func respond(_ headers: [HTTP2Header], endStream: Bool = false) {
    let isOver = state.withLock { state in
      if endStream { state.isWriteEnded = true }
      return state.isClosed
    }
    if !isOver { connection.enqueue(.respond(self, headers, endStream: endStream)) }
  }

  // MARK: reading

  /// Whether all that the peer sends is here, and was read.
  package var isReceived: Bool {
    state.withLock { state in
      guard case .complete? = state.ending else { return false }
      return state.first == state.inbox.count
    }
  }

  /// Nobody will read any more: what is unread is dropped, and what comes still. Writing goes on.
  package func dropRest() {
    let unread = state.withLock { state in
      let unread = state.inbox[state.first...].reduce(0) { $0 + $1.dataBytes }
      state.inbox = []
      state.first = 0
      state.isAbandoned = true
      return unread
    }
    if unread > 0 { connection.enqueue(.credit(self, unread)) }
  }

  /// The next part of the answer; nil after the last one. One reader at a time.
  /// - Throws: `HTTP2Error` when the stream failed, after the parts that came before that; `CancellationError` when
  ///   cancelled while waiting, which leaves the stream as it was.
  package func next() async throws -> HTTP2Part? {
    let part: HTTP2Part?
    if let ready = state.withLock({ Self.take(&$0) }) {
      part = try ready.get()
    } else {
      part = try await waitForPart()
    }
    if case .data(let bytes)? = part { connection.enqueue(.credit(self, bytes.count)) }
    return part
  }

  private func waitForPart() async throws -> HTTP2Part? {
    try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome = state.withLock { state -> Result<HTTP2Part?, any Error>? in
          if let outcome = Self.take(&state) { return outcome }
          if Task.isCancelled { return .failure(CancellationError()) }
          precondition(state.reader == nil, "a stream has one reader")
          state.reader = continuation
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let reader = state.withLock { state in
        defer { state.reader = nil }
        return state.reader
      }
      reader?.resume(throwing: CancellationError())
    }
  }

  private static func take(_ state: inout State) -> Result<HTTP2Part?, any Error>? {
    if state.first < state.inbox.count {
      let part = state.inbox[state.first]
      state.first += 1
      if state.first == state.inbox.count {
        state.inbox.removeAll(keepingCapacity: true)
        state.first = 0
      } else if state.first > 64, state.first * 2 > state.inbox.count {
        state.inbox.removeSubrange(..<state.first)
        state.first = 0
      }
      return .success(part)
    }
    switch state.ending {
    case .complete?: return .success(nil)
    case .failed(let error)?: return .failure(error)
    case nil: return nil
    }
  }

  /// Nobody will read or write any more: what is unread is dropped, and the stream is reset unless it is over.
  package func abandon(_ code: HTTP2ErrorCode = .cancel) {
    let (unread, isOver) = state.withLock { state in
      let unread = state.inbox[state.first...].reduce(0) { $0 + $1.dataBytes }
      let isOver = state.isClosed
      state.inbox = []
      state.first = 0
      state.isAbandoned = true
      return (unread, isOver)
    }
    if unread > 0 { connection.enqueue(.credit(self, unread)) }
    if !isOver { connection.enqueue(.reset(self, code)) }
    fail(HTTP2Error.closed)
  }

  // MARK: from the connection's thread

  /// Hands over a part. Returns the bytes nobody will read, for which credit is due at once.
  func deliver(_ part: HTTP2Part) -> Int {
    let (reader, dropped) = state.withLock { state -> (CheckedContinuation<HTTP2Part?, any Error>?, Int) in
      guard !state.isAbandoned, state.ending == nil else { return (nil, part.dataBytes) }
      if let reader = state.reader {
        state.reader = nil
        return (reader, 0)
      }
      Self.append(part, to: &state.inbox)
      return (nil, 0)
    }
    reader?.resume(returning: part)
    return dropped
  }

  private static func append(_ part: HTTP2Part, to inbox: inout [HTTP2Part]) {
    guard case .data(let bytes) = part, let last = inbox.indices.last, case .data(var joined) = inbox[last],
      joined.count + bytes.count <= joinedDataBytesMax
    else { return inbox.append(part) }
    // Out of the inbox, so that it grows in its place.
    inbox[last] = .data([])
    joined.append(contentsOf: bytes)
    inbox[last] = .data(joined)
  }

  /// The parts that wait to be read.
  var unreadParts: Int { state.withLock { $0.inbox.count - $0.first } }

  /// The peer has sent everything.
  func complete() {
    let reader = state.withLock { state in
      if state.ending == nil { state.ending = .complete }
      defer { state.reader = nil }
      return state.reader
    }
    reader?.resume(returning: nil)
  }

  /// The stream failed; a complete answer stays complete, but nothing can be sent any more.
  func fail(_ error: any Error) {
    let (reader, writers) = state.withLock { state in
      if state.ending == nil { state.ending = .failed(error) }
      state.isWriteEnded = true
      state.isClosed = true
      defer {
        state.reader = nil
        state.writers = [:]
      }
      return (state.reader, state.writers.values)
    }
    reader?.resume(throwing: error)
    for writer in writers { writer.resume(throwing: error) }
  }

  /// `count` bytes went out.
  func handedOver(_ count: Int) {
    let writers = state.withLock { state -> [CheckedContinuation<Void, any Error>] in
      state.unsent -= count
      guard state.unsent <= connection.configuration.unsentBytesMax, !state.writers.isEmpty else { return [] }
      defer { state.writers = [:] }
      return Array(state.writers.values)
    }
    for writer in writers { writer.resume() }
  }
}

extension HTTP2Part {
  /// The bytes flow control counts.
  fileprivate var dataBytes: Int {
    if case .data(let bytes) = self { bytes.count } else { 0 }
  }
}
