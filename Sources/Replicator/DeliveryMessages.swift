// What a delivery takes and gives, in plain values: records, checkpoints, the hub's welcome, and how the hub can break the protocol.

package import Evidence

/// One record as it is sent.
package struct DeliveryRecord: Equatable, Sendable {
  /// Nanoseconds since 1970 UTC.
  package var time: Int64
  /// The leaf hash, 32 bytes.
  package var hash: [UInt8]
  package var payload: [UInt8]
  /// Whether the payload is itself the report of a rejection.
  package var isRejectionReport: Bool

  package init(time: Int64, hash: [UInt8], payload: [UInt8], isRejectionReport: Bool = false) {
    self.time = time
    self.hash = hash
    self.payload = payload
    self.isRejectionReport = isRejectionReport
  }
}

/// Consecutive records of one epoch.
package struct RecordRun: Equatable, Sendable {
  /// The place of the first.
  package var first: RecordPosition
  package var records: [DeliveryRecord]

  package init(first: RecordPosition, records: [DeliveryRecord]) {
    self.first = first
    self.records = records
  }

  /// The last record's sequence; meaningless for an empty run.
  package var lastSequence: UInt64 { first.sequence + UInt64(records.count) - 1 }
}

/// A sealed checkpoint as it is sent.
package struct CheckpointNote: Equatable, Sendable {
  package var position: RecordPosition
  /// C2SP signed note.
  package var note: String

  package init(position: RecordPosition, note: String) {
    self.position = position
    self.note = note
  }
}

/// What the hub says when a stream begins.
package struct Welcome: Equatable, Sendable {
  /// A rejection or a conflict, told once more.
  package enum Trouble: Equatable, Sendable {
    case rejected(RecordPosition, reason: String)
    case conflicted(RecordPosition, heldHash: [UInt8])

    package var position: RecordPosition {
      switch self {
      case .rejected(let position, _), .conflicted(let position, _): position
      }
    }
  }

  /// Per epoch the last sequence up to which it holds everything.
  package var holdings: [UInt32: UInt64]
  package var windowRecords: UInt32
  package var batchBytesMax: UInt32
  /// Whether the hub can be told that records are lost.
  package var takesLost: Bool
  /// Whether the hub takes records ahead of their turn.
  package var takesExpress: Bool
  /// What the hub said of records behind the Hello's `acknowledged`.
  package var troubles: [Trouble]
  /// The C2SP verifier key that the hub countersigns with; nil: it does not.
  package var countersigningKey: String?

  package init(
    holdings: [UInt32: UInt64], windowRecords: UInt32, batchBytesMax: UInt32, takesLost: Bool = true,
    takesExpress: Bool = true, troubles: [Trouble] = [], countersigningKey: String? = nil
  ) {
    self.takesExpress = takesExpress
    self.troubles = troubles
    self.takesLost = takesLost
    self.countersigningKey = countersigningKey
    self.holdings = holdings
    self.windowRecords = windowRecords
    self.batchBytesMax = batchBytesMax
  }
}

/// How the hub broke the protocol, or how the journal cannot serve it.
package enum DeliveryViolation: Error, Equatable, Sendable, CustomStringConvertible {
  case messageBeforeWelcome
  case secondWelcome
  case noWindow
  case acknowledgedUnsent(RecordPosition, sent: UInt64)
  case aboutUnsent(RecordPosition)
  case recordsMissing(RecordPosition)
  case epochsClaimed(UInt32, last: UInt32)
  /// No violation: what the hub may not have after all is sent in a stream of its own.
  case unconfirmed(RecordPosition)

  package var description: String {
    switch self {
    case .messageBeforeWelcome: "The hub sent something before its welcome."
    case .secondWelcome: "The hub sent a second welcome in one stream."
    case .noWindow: "The hub allows no record or no byte under way."
    case .acknowledgedUnsent(let position, let sent):
      "The hub acknowledged \(position), but only \(sent) records of that epoch were sent to it."
    case .aboutUnsent(let position): "The hub refused \(position), which was not sent to it."
    case .recordsMissing(let position):
      "The hub asks for \(position), which the journal does not have any more. Run `ptjournal verify` and restore the hub's own backup."
    case .epochsClaimed(let claimed, let last):
      "The hub says that it holds epoch \(claimed), but the journal has only begun epoch \(last)."
    case .unconfirmed(let position):
      "The hub does not confirm that its record \(position) is the journal's. What the cursor does not know of is sent again."
    }
  }
}
