// How delivery is doing, for `ptagent status`, health reports and the log.

package import Evidence

package struct DeliveryStatus: Equatable, Sendable {
  /// Why nothing is delivered, and what to do about it.
  package struct Trouble: Equatable, Sendable {
    /// Without a full stop where it is no sentence of somebody else's.
    package var reason: String
    /// Sentences.
    package var remedy: String

    package init(reason: String, remedy: String) {
      self.reason = reason
      self.remedy = remedy
    }
  }

  package enum State: Equatable, Sendable {
    /// There is no identity to deliver with.
    case notEnrolled
    case connecting
    /// The hub has welcomed us.
    case delivering
    /// Normal mode: the hub has answered everything, and the next check-in is waited for.
    case checkedIn
    /// The last attempt failed; the next one follows after a wait.
    case waiting(Trouble)
    /// The journal can take nothing, not even how far delivery is. Trying goes on.
    case journalFull(reason: String)
    /// The hub does not accept this agent. Trying goes on, slowly.
    case refused(Trouble)
    /// What answers at the hub's address did not prove to be the hub. Nothing was sent to it; trying goes on, slowly.
    case foreign(Trouble)
    /// The certificate has ended: nothing is tried before there is another identity.
    case certificateExpired
  }

  package var state: State
  package var mode = DeliveryMode.service
  /// When the next check-in is due, in milliseconds since 1970 UTC; nil outside of `checkedIn`.
  package var nextCheckIn: Int64?
  /// When the next attempt is due after one that failed, in milliseconds since 1970 UTC; nil while none is waited for.
  package var nextAttempt: Int64?
  /// `host:port` of dcam; empty before it is known.
  package var hub = ""
  /// Up to where everything is acknowledged, as far as this process knows.
  package var acknowledged: RecordPosition?
  /// The key that the hub countersigns with, once it has named one in this process: a C2SP verifier key.
  package var countersigningKey: String?
  /// The newest checkpoint that the hub has countersigned in this process.
  package var countersigned: RecordPosition?
  /// Records that the hub does not have; nil while it has not said what it has.
  package var lag: UInt64?
  /// Since the process began.
  package var recordsSent: UInt64 = 0
  package var recordsAcknowledged: UInt64 = 0
  /// Ahead of their turn.
  package var expressSent: UInt64 = 0
  package var rejections: UInt64 = 0
  package var conflicts: UInt64 = 0
  /// Those that this install met lately: none once `Replicator.conflictMemory` has brought no other.
  package var recentConflicts: UInt64 = 0

  package init(state: State) { self.state = state }
}

/// How delivery moves, as seen from outside. Times are by a clock that stands still while the machine sleeps.
package struct DeliveryPulse: Equatable, Sendable {
  /// Since when something that the hub or the journal told waits to be dealt with; nil: nothing does.
  package var undealtSince: SuspendingClock.Instant?
  /// When the wait for the next attempt or check-in ends; nil while none is waited for.
  package var waitEnds: SuspendingClock.Instant?
  /// Records sent in this stream that the hub has not acknowledged.
  package var unacknowledged: UInt64 = 0
  /// Records that this hub does not take, because it does not know that those before them are lost.
  package var withheld: UInt64 = 0

  package init(unacknowledged: UInt64 = 0, withheld: UInt64 = 0) {
    (self.unacknowledged, self.withheld) = (unacknowledged, withheld)
  }
}
