// A stretch of the journal: what was asked for by sequence or time, as positions.

package import Evidence
package import Journal

package struct JournalRange: Equatable, Sendable {
  /// The first and last position; no record lies between them where `last` is before `first`.
  package private(set) var first = RecordPosition(epoch: 1, sequence: 1)
  package private(set) var last: RecordPosition

  package init(_ reader: JournalReader, from begin: JournalPoint? = nil, to end: JournalPoint = .head) throws {
    let head = try reader.head()
    last = end.limit(head)
    switch begin {
    case .sequence(let sequence, let epoch)?:
      first = RecordPosition(epoch: epoch ?? head.epoch, sequence: sequence)
      let removed = try reader.base(epoch: first.epoch).size
      if first.sequence <= removed {
        throw JournalError.removed(through: RecordPosition(epoch: first.epoch, sequence: removed))
      }
    case .head?: first = head
    case .time?, nil: break
    }
    try resolveTimes(reader, begin, end)
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
    (first, last) = (begin ?? .end, end)
  }
}
