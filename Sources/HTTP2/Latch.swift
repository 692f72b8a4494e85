// A value that is set once and awaited by any number of tasks.

internal import Synchronization

package final class Latch<Value: Sendable>: Sendable {
  private struct State {
    var value: Value?
    var waiting: [Int: CheckedContinuation<Value, any Error>] = [:]
    var nextWaiter = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// The value if it is set.
  package var current: Value? { state.withLock { $0.value } }

  /// Sets the value and lets everybody go on. Later values are ignored; false for them.
  @discardableResult
  package func set(_ value: Value) -> Bool {
    let waiting = state.withLock { state -> [CheckedContinuation<Value, any Error>]? in
      guard state.value == nil else { return nil }
      state.value = value
      defer { state.waiting = [:] }
      return Array(state.waiting.values)
    }
    waiting?.forEach { $0.resume(returning: value) }
    return waiting != nil
  }

  /// Waits for the value.
  /// - Throws: `CancellationError` when the waiting task is cancelled; nothing else.
  package func value() async throws -> Value {
    let waiter = state.withLock { state in
      state.nextWaiter += 1
      return state.nextWaiter
    }
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let outcome = state.withLock { state -> Result<Value, any Error>? in
          if let value = state.value { return .success(value) }
          // Under the lock: a cancellation after this line finds the continuation.
          if Task.isCancelled { return .failure(CancellationError()) }
          state.waiting[waiter] = continuation
          return nil
        }
        if let outcome { continuation.resume(with: outcome) }
      }
    } onCancel: {
      let continuation = state.withLock { $0.waiting.removeValue(forKey: waiter) }
      continuation?.resume(throwing: CancellationError())
    }
  }
}
