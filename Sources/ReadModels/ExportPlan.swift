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
  /// The first checkpoint that covers `to`; where none does, the epoch's newest.
  package var checkpoint: StoredCheckpoint?

  package var omitted: UInt64 { to - from + 1 - records }
  /// The size of the tree that the epoch is proved by.
  var size: UInt64 { checkpoint?.size ?? 0 }
  /// Whether there are records in the tree, but outside of what was asked for.
  var isPart: Bool { from > 1 || size > to }
}

/// The stretch of the journal that is asked for.
struct ExportPlan {
  var epochs: [ExportedEpoch] = []
  /// The first and last position; nothing when no record lies between them.
  private(set) var first = RecordPosition(epoch: 1, sequence: 1)
  private(set) var last = RecordPosition.start

  init(_ reader: JournalReader, _ options: ExportOptions) throws {
    let head = try reader.head()
    last = options.to.limit(head)
    switch options.from {
    case .sequence(let sequence, let epoch)?: first = RecordPosition(epoch: epoch ?? head.epoch, sequence: sequence)
    case .head?: first = head
    case .time?, nil: break
    }
    try resolveTimes(reader, options)
    for epoch in try reader.epochs() where first.epoch <= epoch.number && epoch.number <= last.epoch {
      let size = try reader.frontier(epoch: epoch.number).size
      let from = epoch.number == first.epoch ? max(1, first.sequence) : 1
      let to = epoch.number == last.epoch ? min(size, last.sequence) : size
      guard from <= to else { continue }
      let checkpoint =
        try reader.checkpoint(epoch: epoch.number, atLeast: to) ?? reader.lastCheckpoint(epoch: epoch.number)
      epochs.append(ExportedEpoch(epoch: epoch.number, from: from, to: to, checkpoint: checkpoint))
    }
  }

  /// Finds the records that times stand for. The writer's clock may have been set back, so that only looking at all of them tells.
  private mutating func resolveTimes(_ reader: JournalReader, _ options: ExportOptions) throws {
    var earliest: Int64?
    var latest: Int64?
    if case .time(let time)? = options.from { earliest = time }
    if case .time(let time) = options.to { latest = time }
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
