// One connection of a browser, as far as patience with it goes.

internal import NIOCore
internal import Synchronization

final class Visitor: Sendable {
  private struct State {
    /// Since when no request is there to be answered; nil while one is.
    var idleSince: NIODeadline? = .now()
    var isKnown = false
  }

  let channel: any Channel
  private let doorway: Doorway
  private let state = Mutex(State())

  init(_ channel: any Channel, _ doorway: Doorway) {
    (self.channel, self.doorway) = (channel, doorway)
    doorway.came(channel)
  }

  /// The head of a request is there.
  func asks() { state.withLock { $0.idleSince = nil } }

  /// It is answered.
  func isAnswered() { state.withLock { $0.idleSince = .now() } }

  /// Whether it has shown a session that is its own.
  var isKnown: Bool { state.withLock { $0.isKnown } }

  /// It has shown one.
  ///
  /// - Returns: false where the hub has no room for it.
  func isOfSession() -> Bool {
    guard doorway.admit(channel) else { return false }
    state.withLock { $0.isKnown = true }
    return true
  }

  /// Whether it has shown nothing for too long: no whole head of a request since it came, or since the last one was answered.
  func isOverdue(at now: NIODeadline) -> Bool {
    state.withLock { state in
      guard let since = state.idleSince else { return false }
      return now - since > TimeAmount(state.isKnown ? HubLimits.remoteWebIdleMax : HubLimits.remoteWebHeadTimeout)
    }
  }

  /// What of a request that was answered already is read and thrown away.
  var drainedBytesMax: Int { isKnown ? HubLimits.remoteDrainedBytesMax : HubLimits.remoteStrangerBytesMax }
}
