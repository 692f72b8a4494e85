// What happens to the journal itself, and to its records on their way to the hub.

/// The hub will never accept a record, and said why. The record stays in the journal.
package struct UploadRejected: Equatable, Sendable {
  package var epoch: UInt32
  package var sequence: UInt64
  package var reason: String
  package init(epoch: UInt32, sequence: UInt64, reason: String) {
    self.epoch = epoch
    self.sequence = sequence
    self.reason = reason
  }
}

/// The hub holds other records under numbers of this journal's and keeps both: the journal was put back to an earlier state, or this
/// machine has a copy.
package struct UploadConflicted: Equatable, Sendable {
  package var epoch: UInt32
  /// Consecutive records.
  package var first: UInt64
  package var last: UInt64
  /// The leaf hash of the record that the hub had first in the place of `first`.
  package var heldHash: [UInt8]
  package init(epoch: UInt32, first: UInt64, last: UInt64, heldHash: [UInt8]) {
    self.epoch = epoch
    self.first = first
    self.last = last
    self.heldHash = heldHash
  }
}

/// The journal's files were not what they should have been when it was opened. What verified was kept; the rest is lost, unless the
/// hub has it.
package struct JournalDamaged: Equatable, Sendable {
  /// What was found.
  package var reason: String
  /// The directory that the damaged files were moved to.
  package var quarantine: String
  /// The first of the ranges that are lost; `rangesLost` counts all.
  package var lost: [LostRange]
  package var rangesLost: UInt32
  package var recordsKept: UInt64
  /// The journal goes on under another key, because its own was lost.
  package var hasNewKey: Bool

  /// Ranges that one event names: some 16 KB. More are a journal that is in shreds.
  package static let rangesMax = 1_000

  package init(
    reason: String, quarantine: String, lost: [LostRange], recordsKept: UInt64, hasNewKey: Bool
  ) {
    self.reason = reason
    self.quarantine = quarantine
    self.lost = Array(lost.prefix(Self.rangesMax))
    rangesLost = UInt32(clamping: lost.count)
    self.recordsKept = recordsKept
    self.hasNewKey = hasNewKey
  }
}

/// The journal was put back to an earlier state, by a restored backup or a reverted machine: the hub holds records under its numbers that
/// it does not have. A new epoch begins with this, so that no number is used twice from here on.
package struct JournalRestored: Equatable, Sendable {
  /// What showed it.
  package var reason: String
  /// The last record that the journal had, in the epoch that ends.
  package var epoch: UInt32
  package var sequence: UInt64

  package init(reason: String, epoch: UInt32, sequence: UInt64) {
    self.reason = reason
    self.epoch = epoch
    self.sequence = sequence
  }
}

/// Consecutive records of one epoch.
package struct LostRange: Equatable, Sendable {
  package var epoch: UInt32
  package var first: UInt64
  /// Nil: everything from `first` on.
  package var last: UInt64?
  package init(epoch: UInt32, first: UInt64, last: UInt64?) {
    self.epoch = epoch
    self.first = first
    self.last = last
  }
}

/// Retention removed the oldest records. The hub holds them.
package struct RecordsRemoved: Equatable, Sendable {
  package enum Reason: String, Sendable, CaseIterable {
    /// They were older than they are kept.
    case age
    /// The journal was near its size limit.
    case size
  }

  /// The last one, and with it all before it: that of a checkpoint that the hub has countersigned.
  package var epoch: UInt32
  package var through: UInt64
  /// How many were removed this time.
  package var records: UInt64
  /// A `Reason`, or a word of a newer release.
  package var reason: String
  /// The name of the key that countersigned.
  package var countersigner: String

  package init(epoch: UInt32, through: UInt64, records: UInt64, reason: String, countersigner: String) {
    self.epoch = epoch
    self.through = through
    self.records = records
    self.reason = reason
    self.countersigner = countersigner
  }
}

/// The hub has been away for so long that the journal fills up with what it does not have: readings are recorded less often from here on,
/// alerts and all else as before. Or it is over.
package struct ReadingsThinned: Equatable, Sendable {
  /// A device's readings are recorded at most this often, in seconds; 0: each one again.
  package var intervalSeconds: UInt32
  /// How much of the size limit the records take that the hub does not have.
  package var percent: UInt32

  package init(intervalSeconds: UInt32, percent: UInt32) {
    self.intervalSeconds = intervalSeconds
    self.percent = percent
  }
}
