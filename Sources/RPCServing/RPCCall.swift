// One call, between the event loop of its connection and whoever serves it:
//
//    event loop ──pieces──> [inbox] ──next()──> messages ──> service     each piece that is taken gives the peer credit for as much
//    event loop <──commands── RPCLink <──send()── messages <── service   waits while `unsentBytesMax` are under way
//
// One reader at a time, and one writer. A reader need not be a task that waits: `wait` has it called when there is something. Whatever ends the call
// ends whoever waits here: the service, by `end`; the peer, by RST_STREAM; the end of the connection.

package import GRPCCore
internal import HTTP2
internal import Synchronization

package final class RPCCall: Sendable {
  /// What there is to read now.
  package enum Read: Sendable {
    case message([UInt8])
    /// The peer will send nothing more.
    case end
    /// Nothing is here; something may come.
    case nothing
  }

  /// Pieces that wait to be read are joined up to this many bytes: a peer that sends each byte in a frame of its own should not cost an array for each.
  private static let joinedBytesMax = 16 << 10

  /// How the peer's half, and with an error both halves, came to an end.
  fileprivate enum Ending {
    case complete
    case failed(RPCError)
  }

  fileprivate struct State {
    var inbox: [[UInt8]] = []
    var ending: Ending?
    /// Nobody reads any more: what comes is dropped.
    var isAbandoned = false
    /// Called when there is something to read.
    var reader: (@Sendable () -> Void)?

    var hasResponded = false
    /// The answer is whole, or there will be none.
    var isAnswered = false
    /// Bytes of the answer that the connection has not taken yet.
    var unsent = 0
    var writers: [CheckedContinuation<Void, Never>] = []
    var cancellation: ServerContext.RPCCancellationHandle?
  }

  package let method: MethodDescriptor
  package let metadata: Metadata
  private let id: HTTP2Session.StreamID
  let link: RPCLink
  private let encoding: MessageEncoding?
  /// The reader's alone: the event loop does not wait while a message is inflated.
  private let messages: Mutex<MessageReader>
  private let state = Mutex(State())

  init(_ head: CallHead, _ id: HTTP2Session.StreamID, _ link: RPCLink) {
    method = head.method
    metadata = head.metadata
    encoding = head.accepted
    self.id = id
    self.link = link
    messages = Mutex(MessageReader(bytesMax: link.configuration.messageBytesMax, encoding: head.encoding))
  }

  // MARK: reading

  /// The next message; nil after the last one.
  ///
  /// - Throws: `RPCError` why there is none: the call was ended by the peer, or by the hub, or what came is no message; `CancellationError` when
  ///   cancelled while it waits.
  package func next() async throws -> [UInt8]? {
    while true {
      switch try read() {
      case .message(let message): return message
      case .end: return nil
      case .nothing: try await waitForPiece()
      }
    }
  }

  /// What there is to read now.
  ///
  /// - Throws: as `next`.
  package func read() throws -> Read {
    do throws(RPCError) {
      return try messages.withLock { messages throws(RPCError) in try take(&messages) }
    } catch {
      if error.code == .resourceExhausted { reset(.cancel, error) }
      abandon()
      throw error
    }
  }

  private func take(_ messages: inout MessageReader) throws(RPCError) -> Read {
    if state.withLock({ $0.isAbandoned }) { return .end }
    while true {
      if let message = try messages.next() { return .message(message) }
      guard let piece = state.withLock({ $0.takePiece() }) else { break }
      link.enqueue(.credit(id, piece.count))
      messages.append(piece)
    }
    let (isAbandoned, ending) = state.withLock { ($0.isAbandoned, $0.inbox.isEmpty ? $0.ending : nil) }
    if isAbandoned { return .end }
    switch ending {
    case nil: return .nothing
    case .failed(let error)?: throw error
    case .complete?:
      if messages.isAmidMessage { throw RPCError(code: .internalError, message: "The call ended amid a message.") }
      return .end
    }
  }

  /// Has `wake` called once, when there is something to read; on the connection's event loop, or where `withdraw` is called.
  ///
  /// - Returns: false if there is something now, and `wake` will not be called.
  package func wait(_ wake: @escaping @Sendable () -> Void) -> Bool {
    state.withLock { state in
      guard state.inbox.isEmpty, state.ending == nil, !state.isAbandoned else { return false }
      precondition(state.reader == nil, "a call has one reader")
      state.reader = wake
      return true
    }
  }

  /// Calls who waits, though nothing is there.
  package func withdraw() { state.withLock { $0.reader.take() }?() }

  private func waitForPiece() async throws {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        if !wait({ continuation.resume() }) { continuation.resume() }
        // Cancelled before it waited.
        if Task.isCancelled { withdraw() }
      }
    } onCancel: {
      withdraw()
    }
    try Task.checkCancellation()
  }

  /// Nobody will read any more: what is unread is dropped, and what comes still; a reader finds the end. Writing goes on.
  package func abandon() {
    let (unread, reader) = state.withLock { state in
      defer { state.inbox = [] }
      state.isAbandoned = true
      return (state.inbox.reduce(0) { $0 + $1.count }, state.reader.take())
    }
    if unread > 0 { link.enqueue(.credit(id, unread)) }
    reader?()
  }

  // MARK: answering

  /// Sends the head of the answer, if it was not sent.
  package func respond(_ metadata: Metadata = [:]) {
    let isFirst = state.withLock { state in
      defer { state.hasResponded = true }
      return !state.hasResponded && !state.isAnswered
    }
    if isFirst { link.enqueue(.respond(id, answerHead(metadata, encoding: encoding), isWhole: false)) }
  }

  /// Sends messages, in order; returns when there is room for more.
  ///
  /// - Throws: `RPCError` when the call is over; `CancellationError` when cancelled while it waits (the messages are on their way all the same).
  package func send(_ messages: [[UInt8]]) async throws {
    respond()
    var bytes: [UInt8] = []
    for message in messages { append(message, encoding: encoding, to: &bytes) }
    let isFull = try state.withLock { state in
      if case .failed(let error)? = state.ending { throw error }
      guard !state.isAnswered else { throw RPCError(code: .internalError, message: "The call was answered already.") }
      state.unsent += bytes.count
      return state.unsent > link.configuration.unsentBytesMax
    }
    link.enqueue(.send(id, bytes))
    if isFull { try await waitForRoom() }
  }

  private func waitForRoom() async throws {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          guard state.unsent > link.configuration.unsentBytesMax, !state.isFailed, !Task.isCancelled else {
            return true
          }
          state.writers.append(continuation)
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      for writer in state.withLock({ $0.takeWriters() }) { writer.resume() }
    }
    try Task.checkCancellation()
  }

  /// Ends the call, which then is over for this side. Without effect on one that is over.
  package func end(_ status: Status, _ metadata: Metadata = [:]) {
    let hasResponded: Bool? = state.withLock { state in
      guard !state.isAnswered else { return nil }
      state.isAnswered = true
      return state.hasResponded
    }
    switch hasResponded {
    case nil: return
    case false?: link.enqueue(.respond(id, wholeAnswer(status, metadata), isWhole: true))
    case true?: link.enqueue(.end(id, answerEnd(status, metadata)))
    }
    abandon()
  }

  /// Ends the call without an answer.
  private func reset(_ code: HTTP2ErrorCode, _ error: RPCError) {
    let isOver = state.withLock { state in
      defer { state.isAnswered = true }
      return state.isAnswered
    }
    guard !isOver else { return }
    link.enqueue(.reset(id, code))
    fail(error)
  }

  /// Ends a call that nobody serves any more.
  func close() {
    reset(.internalError, RPCError(code: .internalError, message: "The service ended without a status."))
    abandon()
  }

  /// Ends a call that nobody has begun to serve.
  func refuse() { reset(.refusedStream, RPCError(code: .unavailable, message: "The hub takes no more calls.")) }

  // MARK: cancelling

  /// Who is to hear when the call is cancelled.
  func tell(_ handle: ServerContext.RPCCancellationHandle) {
    let isCancelled = state.withLock { state in
      state.cancellation = handle
      return state.isFailed
    }
    if isCancelled { handle.cancel() }
  }

  /// Whoever serves it hears that its end is wanted; nothing else happens.
  func cancel() { state.withLock { $0.cancellation }?.cancel() }
}

// MARK: from the event loop

extension RPCCall {
  /// A piece came.
  ///
  /// - Returns: the bytes that nobody will read, for which credit is due at once.
  func arrived(_ piece: [UInt8]) -> Int {
    let (reader, dropped) = state.withLock { state -> ((@Sendable () -> Void)?, Int) in
      guard !state.isAbandoned, state.ending == nil else { return (nil, piece.count) }
      state.append(piece, joinedBytesMax: Self.joinedBytesMax)
      return (state.reader.take(), 0)
    }
    reader?()
    return dropped
  }

  /// The peer has sent everything.
  func complete() {
    let reader = state.withLock { state in
      if state.ending == nil { state.ending = .complete }
      return state.reader.take()
    }
    reader?()
  }

  /// `count` bytes of the answer went out.
  func handedOver(_ count: Int) {
    let writers = state.withLock { state -> [CheckedContinuation<Void, Never>] in
      state.unsent -= count
      return state.unsent <= link.configuration.unsentBytesMax ? state.takeWriters() : []
    }
    for writer in writers { writer.resume() }
  }

  /// The stream is over, by the caller's doing or the network's. Without effect on a call that was answered.
  func closed(_ reason: String) {
    if !state.withLock({ $0.isAnswered }) { fail(RPCError(code: .cancelled, message: reason)) }
  }

  /// Neither side can send any more. What came before is still read.
  private func fail(_ error: RPCError) {
    let (reader, writers, cancellation) = state.withLock { state in
      state.ending = .failed(error)
      state.isAnswered = true
      return (state.reader.take(), state.takeWriters(), state.cancellation)
    }
    reader?()
    for writer in writers { writer.resume() }
    cancellation?.cancel()
  }
}

extension RPCCall.State {
  fileprivate var isFailed: Bool {
    if case .failed? = ending { true } else { false }
  }

  fileprivate mutating func takeWriters() -> [CheckedContinuation<Void, Never>] {
    defer { writers = [] }
    return writers
  }

  fileprivate mutating func takePiece() -> [UInt8]? { inbox.isEmpty ? nil : inbox.removeFirst() }

  fileprivate mutating func append(_ piece: [UInt8], joinedBytesMax: Int) {
    guard let last = inbox.indices.last, inbox[last].count + piece.count <= joinedBytesMax else {
      return inbox.append(piece)
    }
    inbox[last].append(contentsOf: piece)
  }
}
