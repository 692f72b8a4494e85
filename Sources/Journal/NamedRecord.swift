// What somebody names by number, an epoch or a record, must be one of the journal's.

package import Evidence

/// Why it is none.
package enum NamingError: Error, Hashable, Sendable, CustomStringConvertible {
  case noEpoch(UInt32, newest: UInt32)
  /// `last` is the last record of its epoch.
  case noRecord(RecordPosition, last: RecordPosition, head: RecordPosition)
  /// Damage took it.
  case lost(RecordPosition)

  package var description: String {
    switch self {
    case .noEpoch(let epoch, newest: 1): "There is no epoch \(epoch): the journal has epoch 1 alone."
    case .noEpoch(let epoch, let newest): "There is no epoch \(epoch): the journal's epochs are 1 to \(newest)."
    case .noRecord(let position, _, let head) where position.sequence == 0:
      "There is no record \(position): the records of an epoch are numbered from 1. The journal's head is \(head)."
    case .noRecord(let position, let last, let head) where last == head:
      "There is no record \(position). The journal's head is \(head)."
    case .noRecord(let position, let last, let head):
      "There is no record \(position): its epoch ends with \(last). The journal's head is \(head)."
    case .lost(let position):
      "Record \(position) was lost to damage. ptjournal stat lists what was lost; the hub may hold it."
    }
  }
}

extension JournalReader {
  /// - Throws: `NamingError` unless the journal has the epoch.
  package func expectEpoch(_ epoch: UInt32) throws {
    let newest = try head().epoch
    guard 1...newest ~= epoch else { throw NamingError.noEpoch(epoch, newest: newest) }
  }

  /// - Throws: `NamingError` unless the journal has, or once had, a record here.
  package func expectRecord(_ position: RecordPosition) throws {
    try expectEpoch(position.epoch)
    let last = RecordPosition(epoch: position.epoch, sequence: try frontier(epoch: position.epoch).size)
    guard position.sequence > 0, position <= last else {
      throw NamingError.noRecord(position, last: last, head: try head())
    }
  }

  /// The record that is named.
  /// - Throws: `NamingError` where there never was one, or damage took it; `JournalError.removed` where retention did.
  package func namedRecord(_ position: RecordPosition) throws -> Record {
    try expectRecord(position)
    guard let record = try record(at: position) else { throw NamingError.lost(position) }
    return record
  }
}
