// What a stream has received and not yet handled. One task puts, one takes; the taker gets all there is at once, so
// that several batches that came during one commit go into the next one together. It holds no more than its producer's
// byte budgets allow.

internal import Synchronization

final class Mailbox<Element: Sendable>: Sendable {
  private struct State {
    var elements: [Element] = []
    var end: Result<Void, any Error>?
    var taker: CheckedContinuation<Void, Never>?
  }

  private let state = Mutex(State())

  /// Adds an element; after the end it is dropped.
  func put(_ element: Element) {
    resume { state in
      if state.end == nil { state.elements.append(element) }
    }
  }

  /// No more will come. With an error, `takeAll` throws it once it has given out what there is. The first end counts.
  func finish(throwing error: (any Error)? = nil) {
    resume { state in
      if state.end == nil { state.end = error.map { .failure($0) } ?? .success(()) }
    }
  }

  /// Everything there is, waiting for the first; nil after the end.
  func takeAll() async throws -> [Element]? {
    while true {
      let taken: Result<[Element]?, any Error>? = state.withLock { state in
        if !state.elements.isEmpty {
          defer { state.elements = [] }
          return .success(state.elements)
        }
        return state.end.map { end in end.map { nil } }
      }
      if let taken { return try taken.get() }
      await wait()
    }
  }

  private func wait() async {
    await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let isReady = state.withLock { state in
          guard state.elements.isEmpty, state.end == nil else { return true }
          state.taker = continuation
          return false
        }
        if isReady { continuation.resume() }
      }
    } onCancel: {
      finish(throwing: CancellationError())
    }
  }

  private func resume(after change: (inout State) -> Void) {
    let taker = state.withLock { state in
      change(&state)
      defer { state.taker = nil }
      return state.taker
    }
    taker?.resume()
  }
}
