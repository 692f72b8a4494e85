// What a stream has received and not yet handled. It starts nothing itself: whoever puts something is told when nobody takes, and then must have it
// taken. So a stream that receives nothing needs no task for handling. All there is is taken at once, so that several batches that came during one
// commit go into the next one together. It holds no more than its producer's byte budgets allow.

internal import Synchronization

final class Mailbox<Element: Sendable>: Sendable {
  enum Taken {
    /// Everything there is.
    case elements([Element])
    /// Nothing for now: who takes may go.
    case nothing
    /// Nothing will come; said once.
    case end((any Error)?)
  }

  private struct State {
    var elements: [Element] = []
    var end: Result<Void, any Error>?
    /// What there is is not waited for.
    var isAborted = false
    /// Somebody takes what there is, or has taken the end.
    var isTaken = false

    /// Whether somebody must be called.
    mutating func calls() -> Bool {
      guard !isTaken, !elements.isEmpty || end != nil else { return false }
      isTaken = true
      return true
    }
  }

  private let state: Mutex<State>

  /// - Parameter isTaken: somebody will take without being called.
  init(isTaken: Bool = false) { state = Mutex(State(isTaken: isTaken)) }

  /// Adds an element; after the end it is dropped.
  ///
  /// - Returns: whether somebody must now `take` until there is nothing.
  func put(_ element: Element) -> Bool {
    state.withLock { state in
      if state.end == nil { state.elements.append(element) }
      return state.calls()
    }
  }

  /// No more will come. The error, if any, is given out once all there is was taken. The first end counts.
  ///
  /// - Returns: as `put`.
  func finish(throwing error: (any Error)? = nil) -> Bool {
    state.withLock { state in
      if state.end == nil { state.end = error.map { .failure($0) } ?? .success(()) }
      return state.calls()
    }
  }

  /// Ends at once: what there is is dropped. The first that aborts counts, also after `finish`.
  ///
  /// - Returns: as `put`.
  func abort(throwing error: any Error) -> Bool {
    state.withLock { state in
      if !state.isAborted {
        state.isAborted = true
        state.end = .failure(error)
        state.elements = []
      }
      return state.calls()
    }
  }

  /// For who was called.
  func take() -> Taken {
    state.withLock { state in
      if !state.elements.isEmpty {
        defer { state.elements = [] }
        return .elements(state.elements)
      }
      switch state.end {
      case .success?: return .end(nil)
      case .failure(let error)?: return .end(error)
      case nil:
        state.isTaken = false
        return .nothing
      }
    }
  }
}
