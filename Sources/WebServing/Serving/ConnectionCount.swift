// How many connections there are, of each client and in all.

internal import Synchronization

final class ConnectionCount: Sendable {
  private struct State {
    var total = 0
    var byClient: [String: Int] = [:]
  }

  private let max: Int
  private let perClientMax: Int
  private let state = Mutex(State())

  init(max: Int, perClientMax: Int) {
    self.max = max
    self.perClientMax = perClientMax
  }

  /// Whether one more may be; it counts, until `ended`, if it may.
  func begins(_ client: String) -> Bool {
    state.withLock { state in
      guard state.total < max, state.byClient[client, default: 0] < perClientMax else { return false }
      state.total += 1
      state.byClient[client, default: 0] += 1
      return true
    }
  }

  func ended(_ client: String) {
    state.withLock { state in
      state.total -= 1
      guard let count = state.byClient[client], count > 1 else { return state.byClient[client] = nil }
      state.byClient[client] = count - 1
    }
  }
}
