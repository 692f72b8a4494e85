// Which records an export is of, known before the first line is written: so that records outside can be told by as few hashes as
// the tree needs, and nothing has to be held back.

internal import Evidence
package import Journal

/// What an export holds of one epoch.
package struct ExportedEpoch: Equatable, Sendable {
  package var epoch: UInt32
  /// The first and last sequence that were asked for.
  package var from: UInt64
  package var to: UInt64
  /// How many of them were written; the others are of another device or type.
  package var records: UInt64 = 0
  /// The one that says most of `to`; where none covers it, the newest whose tree can be built.
  package var checkpoint: StoredCheckpoint?
  /// What damage took of the stretch, ascending; the last may have no known end.
  package var lost: [LostRecords] = []

  package var omitted: UInt64 {
    to - from + 1 - records - lost.reduce(0) { $0 + (min($1.last ?? to, to) + 1 - $1.first) }
  }
  /// The size of the tree that the epoch is proved by.
  var size: UInt64 { checkpoint?.size ?? 0 }
  /// Whether there are records in the tree, but outside of what was asked for.
  var isPart: Bool { from > 1 || size > to }
  /// The tree over the records that retention has removed.
  var base = MerkleFrontier()
}

/// The stretch of the journal that is asked for.
struct ExportPlan {
  var epochs: [ExportedEpoch] = []
  /// Records that are wanted and that no line of readings.csv tells of, because this release cannot read them.
  var unreadable: UInt64 = 0
  private let range: JournalRange
  /// The first and last position; nothing when no record lies between them.
  var first: RecordPosition { range.first }
  var last: RecordPosition { range.last }

  init(_ reader: JournalReader, _ options: ExportOptions) throws {
    range = try JournalRange(reader, from: options.from, to: options.to)
    for epoch in try reader.epochs() where first.epoch <= epoch.number && epoch.number <= last.epoch {
      let size = try reader.frontier(epoch: epoch.number).size
      let base = try reader.base(epoch: epoch.number)
      let from = max(base.size + 1, epoch.number == first.epoch ? first.sequence : 1)
      let to = epoch.number == last.epoch ? min(size, last.sequence) : size
      guard from <= to else { continue }
      let checkpoint = try Self.checkpoint(epoch.number, to, reader)
      let lost = try reader.lost(epoch: epoch.number).compactMap { $0.within(from, to, isEnd: to == size) }
      epochs.append(
        ExportedEpoch(epoch: epoch.number, from: from, to: to, checkpoint: checkpoint, lost: lost, base: base))
    }
  }

  private static func checkpoint(_ epoch: UInt32, _ to: UInt64, _ reader: JournalReader) throws -> StoredCheckpoint? {
    let last = try reader.lastProvable(epoch: epoch)
    guard let covering = try reader.checkpoint(covering: RecordPosition(epoch: epoch, sequence: to)),
      covering.size <= last?.size ?? 0
    else { return last }
    return covering
  }
}

extension LostRecords {
  /// As far as it lies in a stretch; nil where nothing of it does. That an epoch's end is not known is told where the stretch goes on to
  /// it, even if all of what is lost lies behind.
  func within(_ from: UInt64, _ to: UInt64, isEnd: Bool) -> LostRecords? {
    let begin = max(first, from)
    if last == nil, isEnd { return LostRecords(epoch: epoch, first: begin, last: nil) }
    let end = min(last ?? to, to)
    return begin <= end ? LostRecords(epoch: epoch, first: begin, last: end) : nil
  }
}
