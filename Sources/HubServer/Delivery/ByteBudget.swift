// A number of bytes that may be in use at once, waited for in turn. It bounds memory: whoever reads from a peer takes
// the bytes first, and while none are left nobody reads, so that flow control slows the peers.

internal import Synchronization

final class ByteBudget: Sendable {
  private struct Waiter {
    let id: UInt64
    let count: Int
    let continuation: CheckedContinuation<Bool, Never>
  }

  private struct State {
    var available: Int
    var waiters: [Waiter] = []
    var nextID: UInt64 = 0
    /// Waits that were cancelled before they began.
    var cancelled: Set<UInt64> = []
  }

  private let capacity: Int
  private let state: Mutex<State>

  init(capacity: Int) {
    self.capacity = capacity
    state = Mutex(State(available: capacity))
  }

  /// Takes `count` bytes, waiting until they are there. More than the capacity is taken as the capacity.
  ///
  /// - Returns: what to give back with `release`.
  /// - Throws: `CancellationError`; then nothing was taken.
  func take(_ count: Int) async throws -> Int {
    let count = min(count, capacity)
    let id = state.withLock { state in
      state.nextID += 1
      return state.nextID
    }
    let taken = await withTaskCancellationHandler {
      await withCheckedContinuation { continuation in
        let result: Bool? = state.withLock { state in
          if state.cancelled.remove(id) != nil { return false }
          if state.waiters.isEmpty, state.available >= count {
            state.available -= count
            return true
          }
          state.waiters.append(Waiter(id: id, count: count, continuation: continuation))
          return nil
        }
        if let result { continuation.resume(returning: result) }
      }
    } onCancel: {
      cancel(id)
    }
    state.withLock { _ = $0.cancelled.remove(id) }
    guard taken else { throw CancellationError() }
    return count
  }

  /// Takes `count` bytes if they are there and nobody waits for any; else nil. More than the capacity is taken as the capacity.
  func takeNow(_ count: Int) -> Int? {
    let count = min(count, capacity)
    return state.withLock { state in
      guard state.waiters.isEmpty, state.available >= count else { return nil }
      state.available -= count
      return count
    }
  }

  /// Gives bytes back that `take` returned.
  func release(_ count: Int) {
    let ready = state.withLock { state in
      state.available += count
      return Self.served(&state)
    }
    for waiter in ready { waiter.continuation.resume(returning: true) }
  }

  /// How many bytes are in use.
  var taken: Int { state.withLock { capacity - $0.available } }

  /// How many bytes are free.
  var available: Int { state.withLock { $0.available } }

  private func cancel(_ id: UInt64) {
    let (refused, ready): (Waiter?, [Waiter]) = state.withLock { state in
      guard let index = state.waiters.firstIndex(where: { $0.id == id }) else {
        state.cancelled.insert(id)
        return (nil, [])
      }
      let refused = state.waiters.remove(at: index)
      return (refused, Self.served(&state))
    }
    refused?.continuation.resume(returning: false)
    for waiter in ready { waiter.continuation.resume(returning: true) }
  }

  /// The waiters at the front that the available bytes are enough for; a large one is not overtaken.
  private static func served(_ state: inout State) -> [Waiter] {
    var ready: [Waiter] = []
    while let first = state.waiters.first, state.available >= first.count {
      state.available -= first.count
      ready.append(state.waiters.removeFirst())
    }
    return ready
  }
}

/// One user's part of a budget, which it cannot forget to give back.
final class BudgetShare: Sendable {
  private let budget: ByteBudget
  private let outstanding = Mutex(0)

  init(of budget: ByteBudget) { self.budget = budget }

  func take(_ count: Int) async throws -> Int {
    let taken = try await budget.take(count)
    outstanding.withLock { $0 += taken }
    return taken
  }

  func takeNow(_ count: Int) -> Int? {
    guard let taken = budget.takeNow(count) else { return nil }
    outstanding.withLock { $0 += taken }
    return taken
  }

  func release(_ count: Int) {
    outstanding.withLock { $0 -= count }
    budget.release(count)
  }

  /// Gives back all that is still out. Nothing may be taken or released afterwards.
  func close() {
    let count = outstanding.withLock { outstanding in
      defer { outstanding = 0 }
      return outstanding
    }
    budget.release(count)
  }
}
