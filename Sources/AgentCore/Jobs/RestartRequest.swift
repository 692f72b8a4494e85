// A restart that a job asked for: the agent ends in order, and whoever runs it begins again.

internal import ServiceLifecycle
internal import Synchronization

package final class RestartRequest: Sendable {
  private struct State {
    var isMade = false
    var group: ServiceGroup?
  }

  private let state = Mutex(State())

  package init() {}

  /// Whether the agent ended to begin again.
  package var isMade: Bool { state.withLock { $0.isMade } }

  func attach(_ group: ServiceGroup) { state.withLock { $0.group = group } }

  /// Ends the agent in order, as a signal would.
  func make() async {
    let group = state.withLock { state in
      state.isMade = true
      return state.group
    }
    await group?.triggerGracefulShutdown()
  }
}
