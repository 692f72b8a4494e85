// A stretch of the journal: what was asked for by sequence or time, as positions.

package import Evidence
package import Journal

package struct JournalRange: Equatable, Sendable {
  /// The first and last position; no record lies between them where `last` is before `first`.
  package private(set) var first = RecordPosition(epoch: 1, sequence: 1)
  package private(set) var last: RecordPosition

  /// - Throws: `NamingError` where a sequence is no record's, `RangeError` where the end lies before the beginning,
  ///   `JournalError.removed` where retention took what lies there.
  package init(_ reader: JournalReader, from begin: JournalPoint? = nil, to end: JournalPoint = .head) throws {
    let head = try reader.head()
    last = try end.limit(reader, head)
    switch begin {
    case .sequence(let sequence, let epoch)?:
      first = RecordPosition(epoch: epoch ?? head.epoch, sequence: sequence)
      try reader.expectRecord(first)
      try Self.expectKept(behind: RecordPosition(epoch: first.epoch, sequence: first.sequence - 1), reader)
    case .head?: first = head
    case .time?, nil: break
    }
    if case .sequence = end { try Self.expectKept(behind: last, reader) }
    try resolveTimes(reader, begin, end)
    try expectOrder(begin, end)
  }

  private static func expectKept(behind position: RecordPosition, _ reader: JournalReader) throws(JournalError) {
    let removed = try reader.base(epoch: position.epoch).size
    guard position.sequence >= removed else {
      throw .removed(through: RecordPosition(epoch: position.epoch, sequence: removed))
    }
  }

  /// No record need lie between two times; but whoever asks for what ends before it begins has made a mistake.
  private func expectOrder(_ begin: JournalPoint?, _ end: JournalPoint) throws(RangeError) {
    guard let begin, end != .head, first > last else { return }
    if case .time(let earliest) = begin, case .time(let latest) = end, earliest <= latest { return }
    throw .order(begin.words(first), end.words(last))
  }

  package func contains(_ position: RecordPosition) -> Bool { first <= position && position <= last }

  /// Finds the records that times stand for. The writer's clock may have been set back, so that only looking at all of them tells.
  private mutating func resolveTimes(_ reader: JournalReader, _ from: JournalPoint?, _ to: JournalPoint) throws {
    var earliest: Int64?
    var latest: Int64?
    if case .time(let time)? = from { earliest = time }
    if case .time(let time) = to { latest = time }
    guard earliest != nil || latest != nil else { return }
    var begin = earliest == nil ? first : nil
    var end = latest == nil ? last : .start
    try reader.scan(through: last) { view in
      if let latest {
        guard view.time <= latest else { return false }
        end = view.position
      }
      if begin == nil, let earliest, view.time >= earliest { begin = view.position }
      return latest != nil || begin == nil
    }
    // The first record that is left is later: what was before it is not known here.
    if latest != nil, end == .start { try FleetBase(reader).expect(.start) }
    (first, last) = (begin ?? .end, end)
  }
}

extension JournalPoint {
  fileprivate func words(_ position: RecordPosition) -> String {
    if case .time(let time) = self { UTCTime.text(nanoseconds: time) } else { "\(position)" }
  }
}

package enum RangeError: Error, Equatable, CustomStringConvertible {
  case order(String, String)

  package var description: String {
    switch self {
    case .order(let first, let last): "Nothing lies from \(first) to \(last): --to is before --from. Exchange them."
    }
  }
}
