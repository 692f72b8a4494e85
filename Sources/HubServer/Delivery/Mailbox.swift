// What a stream has received and not yet handled. Whoever receives puts; one task waits, and has it handled by another that ends when nothing is
// left. So a stream that receives nothing keeps no task for handling, which would keep the memory that it went through. All there is is taken
// at once, so that several batches that came during one commit go into the next one together. It holds no more than its producer's byte budgets
// allow.

internal import Synchronization

final class Mailbox<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var end: Result<Void, any Error>?
    /// What there is is not waited for.
    var isAborted = false
    /// Somebody takes what there is.
    var isTaken = false
    var waiter: CheckedContinuation<Void, Never>?

    /// True: there is something, and nobody takes it. False: nothing will come. Nil: wait.
    var standing: Result<Bool, any Error>? {
      if isAborted { return end.map { end in end.map { false } } }
      if isTaken { return nil }
      return elements.isEmpty ? end.map { end in end.map { false } } : .success(true)
    }
  }

  private let state = Mutex(State())

  /// Adds an element; after the end it is dropped.
  func put(_ element: Element) {
    resume { state in
      if state.end == nil { state.elements.append(element) }
    }
  }

  /// No more will come. With an error, `next` throws it once all there is was taken and dealt with. The first end counts.
  func finish(throwing error: (any Error)? = nil) {
    resume { state in
      if state.end == nil { state.end = error.map { .failure($0) } ?? .success(()) }
    }
  }

  /// Ends at once: what there is is dropped, and `next` throws the error. The first that aborts counts, also after `finish`.
  func abort(throwing error: any Error) {
    resume { state in
      guard !state.isAborted else { return }
      state.isAborted = true
      state.end = .failure(error)
      state.elements = []
    }
  }

  /// Waits until there is something that nobody takes: then somebody must call `takeAll` until nothing is left.
  ///
  /// - Returns: false after the end.
  func next() async throws -> Bool {
    while true {
      let standing = state.withLock { state in
        let standing = state.standing
        if case .success(true)? = standing { state.isTaken = true }
        return standing
      }
      if let standing { return try standing.get() }
      await wait()
    }
  }

  /// Everything there is; nil if that is nothing.
  func takeAll() -> [Element]? {
    var taken: [Element]?
    resume { state in
      state.isTaken = !state.elements.isEmpty
      guard state.isTaken else { return }
      taken = state.elements
      state.elements = []
    }
    return taken
  }

  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          guard state.standing == nil else { return true }
          state.waiter = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      finish(throwing: CancellationError())
    }
  }

  private func resume(after change: (inout State) -> Void) {
    let waiter: CheckedContinuation<Void, Never>? = state.withLock { state in
      change(&state)
      guard state.standing != nil else { return nil }
      defer { state.waiter = nil }
      return state.waiter
    }
    waiter?.resume()
  }
}
