// Where a record stands in a journal.

/// Epoch and sequence. Within an epoch the sequence runs from 1 without a gap; an epoch begins when numbers could otherwise
/// be given twice, such as after a restored backup.
package struct RecordPosition: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// From 1; 0 stands before every epoch.
  package var epoch: UInt32
  /// From 1; 0 stands before the epoch's first record.
  package var sequence: UInt64

  package init(epoch: UInt32, sequence: UInt64) {
    self.epoch = epoch
    self.sequence = sequence
  }

  /// Before every record.
  package static let start = RecordPosition(epoch: 0, sequence: 0)
  /// After every record.
  package static let end = RecordPosition(epoch: .max, sequence: .max)

  /// The next position of the same epoch; nil after the last number there is.
  package var next: RecordPosition? {
    sequence < .max ? RecordPosition(epoch: epoch, sequence: sequence + 1) : nil
  }

  package static func < (left: Self, right: Self) -> Bool {
    (left.epoch, left.sequence) < (right.epoch, right.sequence)
  }

  /// `epoch/sequence`, such as `1/4812`.
  package var description: String { "\(epoch)/\(sequence)" }

  /// Reads `epoch/sequence`.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let epoch = UInt32(parts[0]), let sequence = UInt64(parts[1]) else { return nil }
    self.init(epoch: epoch, sequence: sequence)
  }
}
