// Records that damage took: which ones, how that is stored, and how ranges of sequences are kept.
//
// A salvaged epoch keeps the names of its records, so it has gaps. The row `lost` || epoch in `meta` names them; a gap that
// no row names is damage. The tree of such an epoch cannot be built any more: its `frontier` row holds the size alone, with
// zeros for hashes. A salvaged epoch is never appended to.

/// Consecutive records of one epoch that are not in the journal any more.
package struct LostRecords: Hashable, Sendable, CustomStringConvertible {
  package let epoch: UInt32
  package let first: UInt64
  /// Nil when it is not known how far the epoch went.
  package let last: UInt64?

  package init(epoch: UInt32, first: UInt64, last: UInt64?) {
    self.epoch = epoch
    self.first = first
    self.last = last
  }

  /// `1/17 to 1/20`, `1/17`, or `1/17 and what came after it`.
  package var description: String {
    switch last {
    case nil: "\(epoch)/\(first) and what came after it"
    case first: "\(epoch)/\(first)"
    case let last?: "\(epoch)/\(first) to \(epoch)/\(last)"
    }
  }

  func contains(_ sequence: UInt64) -> Bool { sequence >= first && sequence <= last ?? .max }

  // MARK: The row of an epoch: first u64, last u64 (all ones: not known) for each range, ascending

  private static let rangeByteCount = 16

  static func rowValue(_ ranges: [LostRecords]) -> [UInt8] {
    ranges.flatMap { $0.first.bigEndianBytes + ($0.last ?? .max).bigEndianBytes }
  }

  /// Nil unless the bytes are ascending ranges.
  static func ranges(epoch: UInt32, rowValue: [UInt8]) -> [LostRecords]? {
    guard rowValue.count % rangeByteCount == 0 else { return nil }
    var ranges: [LostRecords] = []
    for start in stride(from: 0, to: rowValue.count, by: rangeByteCount) {
      guard let first = UInt64(bigEndianBytes: rowValue[start..<start + 8]),
        let last = UInt64(bigEndianBytes: rowValue[start + 8..<start + 16]), first >= 1, first <= last,
        ranges.last.map({ $0.last ?? .max < first }) ?? true
      else { return nil }
      ranges.append(LostRecords(epoch: epoch, first: first, last: last == .max ? nil : last))
    }
    return ranges
  }
}

/// The sequences of an epoch that are there, as ranges: few, however many records there are.
struct SequenceRanges {
  /// Ascending; no two touch.
  private(set) var ranges: [ClosedRange<UInt64>] = []

  func contains(_ sequence: UInt64) -> Bool {
    let index = firstIndex(endingAtOrAfter: sequence)
    return index < ranges.count && ranges[index].contains(sequence)
  }

  mutating func insert(_ sequence: UInt64) {
    let index = firstIndex(endingAtOrAfter: sequence)
    if index < ranges.count, ranges[index].contains(sequence) { return }
    let joinsBefore = index > 0 && ranges[index - 1].upperBound + 1 == sequence
    let joinsAfter = index < ranges.count && sequence < .max && sequence + 1 == ranges[index].lowerBound
    switch (joinsBefore, joinsAfter) {
    case (true, true):
      ranges[index - 1] = ranges[index - 1].lowerBound...ranges[index].upperBound
      ranges.remove(at: index)
    case (true, false): ranges[index - 1] = ranges[index - 1].lowerBound...sequence
    case (false, true): ranges[index] = sequence...ranges[index].upperBound
    case (false, false): ranges.insert(sequence...sequence, at: index)
    }
  }

  /// What is missing from `first` through `end`, or where the end is not known, after the last one.
  func lost(epoch: UInt32, from first: UInt64 = 1, end: UInt64?) -> [LostRecords] {
    var lost: [LostRecords] = []
    var next = first
    for range in ranges where range.upperBound >= first {
      if range.lowerBound > next {
        lost.append(LostRecords(epoch: epoch, first: next, last: range.lowerBound - 1))
      }
      guard range.upperBound < .max else { return lost }
      next = range.upperBound + 1
    }
    guard let end else { return lost + [LostRecords(epoch: epoch, first: next, last: nil)] }
    return next <= end ? lost + [LostRecords(epoch: epoch, first: next, last: end)] : lost
  }

  /// Records come in order nearly always: the last range is looked at first.
  private func firstIndex(endingAtOrAfter sequence: UInt64) -> Int {
    guard let last = ranges.last, last.upperBound >= sequence else { return ranges.count }
    var (low, high) = (0, ranges.count - 1)
    while low < high {
      let middle = (low + high) / 2
      if ranges[middle].upperBound < sequence { low = middle + 1 } else { high = middle }
    }
    return low
  }
}

/// Damage that was found when the journal was opened, and what was done about it.
package struct JournalDamage: Hashable, Sendable, CustomStringConvertible {
  /// What was found: a part of a sentence.
  package let reason: String
  /// The directory that the damaged files were moved to.
  package let quarantine: String
  package let lost: [LostRecords]
  package let recordsKept: UInt64
  /// The journal goes on under another key: a hub takes it for a new one.
  package let hasNewKey: Bool
  /// Whether a record tells of it: the first of the newest epoch.
  package let isRecorded: Bool

  /// A sentence or two.
  package var description: String {
    let ranges = lost.prefix(Self.rangesShown).map(\.description).joined(separator: ", ")
    let more = lost.count > Self.rangesShown ? " and \(lost.count - Self.rangesShown) more ranges" : ""
    let records = lost.isEmpty ? "No record is lost." : "Lost: \(ranges)\(more)."
    let key = hasNewKey ? " The journal goes on under a new key." : ""
    return "The journal was damaged: \(reason). \(records)\(key)"
  }

  private static let rangesShown = 5
}
