// A connection with its own thread.
//
//    tasks --enqueue--> [commands] --wake--> thread: commands -> session -> bytes -> ByteStream
//    tasks <--streams-- events     <-------- thread: ByteStream -> bytes -> session -> events
//
// The thread is the only one that touches the byte stream and the session. Tasks never block: they leave commands and
// are resumed by it. It ends when the connection does, and every stream is then over.
//
//    opening --settings--> ready --GOAWAY or close()--> draining --last stream over--> closed
//       \------------------- any failure ----------------------------------------------^

internal import Synchronization

package final class HTTP2Connection: Sendable {
  /// What tasks ask the thread to do.
  enum Command: Sendable {
    case open(HTTP2Stream, [HTTP2Header], endStream: Bool, deadline: ContinuousClock.Instant?)
    case send(HTTP2Stream, [UInt8], endStream: Bool)
    case credit(HTTP2Stream, Int)
    case reset(HTTP2Stream, HTTP2ErrorCode)
    case respond(HTTP2Stream, [HTTP2Header], endStream: Bool)
    case goAway(HTTP2ErrorCode, reason: String)
    case close
    case abort
  }

  private struct State {
    var commands: [Command] = []
    /// Credit waiting in `commands`, in bytes.
    var pendingCredit = 0
    /// The thread sleeps, or is about to, and must be woken for a command.
    var isThreadWaiting = false
    var isClosed = false
  }

  package let configuration: HTTP2Configuration
  let role: HTTP2Role
  /// At a server: takes each request, on the connection's thread.
  let take: @Sendable (HTTP2Stream) -> Void
  let bytes: any ByteStream
  private let state = Mutex(State())
  /// Set when the peer's SETTINGS have come, or opening has failed.
  private let opened = Latch<Result<Void, HTTP2Error>>()
  /// Set when no new streams are taken, with the reason.
  private let drained = Latch<HTTP2Error>()
  private let ended = Latch<HTTP2Error>()

  /// Without its thread.
  init(
    over bytes: any ByteStream, configuration: HTTP2Configuration, as role: HTTP2Role,
    take: @escaping @Sendable (HTTP2Stream) -> Void = { _ in }
  ) {
    self.bytes = bytes
    self.configuration = configuration
    self.role = role
    self.take = take
  }

  /// Connects, and waits until the peer has shown that it speaks HTTP/2 and has not refused us. On cancellation the
  /// connection is given up.
  /// - Throws: `HTTP2Error`, or `CancellationError`.
  package static func open(
    over bytes: any ByteStream, configuration: HTTP2Configuration
  ) async throws -> HTTP2Connection {
    try await begin(HTTP2Connection(over: bytes, configuration: configuration, as: .client))
  }

  /// Connects, and serves the peer, which is the client on it. Returns once that has shown that it speaks HTTP/2.
  ///
  /// - Parameter take: gets each request, whose first part is its header section; called on the connection's thread, and must return at once.
  /// - Throws: as `open`.
  package static func serve(
    over bytes: any ByteStream, configuration: HTTP2Configuration, take: @escaping @Sendable (HTTP2Stream) -> Void
  ) async throws -> HTTP2Connection {
    try await begin(HTTP2Connection(over: bytes, configuration: configuration, as: .server, take: take))
  }

  private static func begin(_ connection: HTTP2Connection) async throws -> HTTP2Connection {
    try startThread { ConnectionLoop(connection).run() }
    do {
      try await connection.opened.value().get()
    } catch {
      connection.abort()
      throw error
    }
    return connection
  }

  /// The other end, such as `ipv4:127.0.0.1:443`.
  package var remoteAddress: String { bytes.remoteAddress }
  /// The own end.
  package var localAddress: String { bytes.localAddress }

  /// Whether new streams are taken.
  package var isUsable: Bool { drained.current == nil }

  /// Whether it still exists: it may drain, but is not closed.
  package var isOpen: Bool { ended.current == nil }

  /// Waits until no new streams are taken, and says why.
  package func untilUnusable() async throws -> HTTP2Error { try await drained.value() }

  /// Waits until the connection is closed, and says why: `closed` when this side wished it.
  package func untilClosed() async throws -> HTTP2Error { try await ended.value() }

  /// Starts a request. It may wait for the peer's limit of concurrent streams.
  /// - Parameters:
  ///   - headers: all of them, pseudo headers first, names in lower case.
  ///   - deadline: when the stream fails with `deadlineExceeded` unless it is over.
  /// - Throws: why no new stream is taken. The request was then not begun.
  package func openStream(
    _ headers: [HTTP2Header], endStream: Bool = false, deadline: ContinuousClock.Instant? = nil
  ) throws(HTTP2Error) -> HTTP2Stream {
    if let reason = drained.current { throw reason }
    let stream = HTTP2Stream(on: self, isWriteEnded: endStream)
    enqueue(.open(stream, headers, endStream: endStream, deadline: deadline))
    return stream
  }

  /// Takes no new streams, lets those that are open end within `drainTimeout`, and closes. Returns at once.
  package func close() {
    drained.set(.closed)
    enqueue(.close)
  }

  /// Tells the peer why no more is taken, and closes as `close()` does.
  package func close(_ code: HTTP2ErrorCode, reason: String) {
    drained.set(.closed)
    enqueue(.goAway(code, reason: reason))
  }

  /// Closes now; open streams fail.
  package func abort() {
    drained.set(.closed)
    enqueue(.abort)
    bytes.interrupt()
  }

  /// Leaves a command. Credit is worth waking the thread only when much of it has come together: the peer cannot be
  /// waiting for less than a quarter of the window.
  func enqueue(_ command: Command) {
    let (mustWake, isClosed) = state.withLock { state -> (Bool, Bool) in
      guard !state.isClosed else { return (false, true) }
      state.commands.append(command)
      if case .credit(_, let count) = command {
        state.pendingCredit += count
        guard isWorthWaking(state.pendingCredit) else { return (false, false) }
      }
      defer { state.isThreadWaiting = false }
      return (state.isThreadWaiting, false)
    }
    if mustWake { bytes.wake() }
    if isClosed, case .open(let stream, _, _, _) = command { stream.fail(HTTP2Error.streamRefused) }
  }

  private func isWorthWaking(_ credit: Int) -> Bool { credit >= configuration.streamWindowBytes / 4 }

  // MARK: for the thread

  /// The commands left since the last call.
  func takeCommands() -> [Command] {
    state.withLock { state in
      defer {
        state.commands = []
        state.pendingCredit = 0
      }
      return state.commands
    }
  }

  /// Says that the thread goes to sleep; false when commands came meanwhile and it must not. Much credit that came while it was awake is such a
  /// command: a peer whose window is used up sends nothing more, so that nobody would read, and nothing would wake the thread.
  func prepareToWait() -> Bool {
    state.withLock { state in
      state.isThreadWaiting = state.commands.allSatisfy(\.isCredit) && !isWorthWaking(state.pendingCredit)
      return state.isThreadWaiting
    }
  }

  func waitEnded() { state.withLock { $0.isThreadWaiting = false } }

  func becameReady() { opened.set(.success(())) }

  func becameUnusable(_ reason: HTTP2Error) { drained.set(reason) }

  /// The thread is done. Returns the commands that came too late.
  func becameClosed(_ reason: HTTP2Error) -> [Command] {
    let late = state.withLock { state in
      state.isClosed = true
      defer { state.commands = [] }
      return state.commands
    }
    drained.set(reason)
    opened.set(.failure(reason))
    ended.set(reason)
    return late
  }
}

extension HTTP2Connection.Command {
  fileprivate var isCredit: Bool {
    if case .credit = self { true } else { false }
  }
}
