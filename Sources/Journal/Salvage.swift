// Taking what verifies out of a damaged data.mdb into a new one. Runs in a child (JournalWorker).
//
//   what the trees reach       every record whose leaf hash is that of its bytes, in order
//   what they do not reach     leaf pages that no tree leads to any more: their records verify by themselves as well
//   beside the records         checkpoints that verify, cursors, epochs, and of what retention removed the trees and the snapshot
//   not taken                  the state: it is folded again from the records that are left
//
// A record's leaf hash covers epoch, sequence, time and payload, so that a record is known wherever its bytes lie. Of two records
// under one name that no tree reaches, the later one is taken: the earlier was written by a commit that a crash ended before
// it was one, and nobody was told of it.
//
// What is lost is what is missing up to where each epoch's tree went; where that is not known either, the end of what is lost
// is left open. It is not known of the last epoch where the last commit cannot be followed and any page besides makes no
// sense: that one may have held what came after the commit before it; nor of an epoch where a record that is not whole stands
// behind all that are.

internal import Evidence
internal import LMDB
internal import OpenSSL

/// What a salvage kept, and what is lost.
struct SalvageReport: Equatable {
  var recordsKept: UInt64 = 0
  var lost: [LostRecords] = []
}

struct Salvage {
  /// Epochs that rows without any evidence may claim beyond those that have records: a flipped bit must not make billions.
  private static let epochsWithoutRecordsMax: UInt32 = 16
  /// Epochs that the identity alone may claim, when no record is left: an epoch is rare, and a thousand of them are a mistake.
  private static let epochsClaimedMax: UInt32 = 1_024
  /// Doubtful records remembered: they stand on pages that were free when the file was damaged, of which there are few.
  private static let contendersMax = 100_000

  private let file: DataFile?
  private let old: JournalIdentity
  private let owner: [UInt8]?
  private let key: JournalKey
  private let rows: RowWriter
  private var meta = MetaRows()
  private var present: [UInt32: SequenceRanges] = [:]
  private var epochs: [UInt32: JournalEpoch] = [:]
  private var checkpointEnds: [UInt32: UInt64] = [:]
  /// The roots that checkpoints state.
  private var roots: [RecordPosition: Digest] = [:]
  private var cursors: [(name: [UInt8], position: RecordPosition)] = []
  /// The last record of each epoch that stands on a page no tree leads to, and is not whole.
  private var brokenEnds: [UInt32: UInt64] = [:]
  /// Whether all that was committed is known of: where the trees of the last commit are, or every page is there.
  private var isEndKnown = true

  /// - Parameters:
  ///   - file: the damaged file; nil when nothing of it is to be taken.
  ///   - old: the journal that it is of, as far as it is known.
  ///   - owner: the id that the file must not contradict; nil for any.
  ///   - key: the key that the journal goes on under.
  ///   - store: a new, empty one.
  init(_ file: DataFile?, of old: JournalIdentity, owner: [UInt8]?, key: JournalKey, into store: JournalStore) {
    self.file = file
    self.old = old
    self.owner = owner
    self.key = key
    rows = RowWriter(store)
  }

  mutating func run() throws -> SalvageReport {
    if let file { try take(file) }
    try rows.flush()
    var report = SalvageReport()
    for epoch in 1...knownEpochs { try finish(epoch, &report) }
    try putCursors(report.lost)
    let meta = rows.store.meta
    try rows.add(meta, Layout.Meta.format, Layout.format.bigEndianBytes)
    try rows.add(meta, Layout.Meta.journal, key.id)
    try rows.add(meta, Layout.Meta.publicKey, key.publicKey.rawRepresentation)
    try rows.add(meta, Layout.Meta.epoch, knownEpochs.bigEndianBytes)
    try rows.flush()
    return report
  }

  // MARK: Taking

  private mutating func take(_ file: DataFile) throws {
    var walk = DataWalk(file)
    let catalogue = JournalCatalogue.newest(in: file)
    meta = catalogue.rows
    if let tree = catalogue["meta"] { walk.entries(of: tree) { meta.take($0, $1) } }
    guard owner == nil || meta.journal == nil || meta.journal == owner else {
      throw JournalError.anotherJournal(
        path: rows.store.directory, expected: old.hexID, found: hexadecimal(meta.journal ?? []))
    }
    var seen: UInt64 = 0
    if let tree = catalogue["records"] {
      try walk.entries(of: tree) { key, value in
        seen += 1
        try takeRecord(key, value)
      }
    }
    try takeEvidence(catalogue, &walk)
    let isWhole = walk.faults.isEmpty && catalogue.isOfLastCommit && seen == catalogue["records"]?.entries ?? .max
    if !isWhole { try takeUnreached(file, walk.reached, takesTrees: !catalogue.isOfLastCommit) }
    isEndKnown = catalogue.isOfLastCommit || file.isSensible(but: Set([file.meta?.main.root].compactMap { $0 }))
  }

  private mutating func takeRecord(_ key: UnsafeRawBufferPointer, _ value: DataValue) throws {
    guard let view = Self.soundRecord(key, value), case .bytes(let bytes) = value else { return }
    let position = view.position
    guard present[position.epoch]?.contains(position.sequence) != true else { return }
    present[position.epoch, default: SequenceRanges()].insert(position.sequence)
    try rows.add(rows.store.records, Array(key), Array(bytes))
  }

  private static func soundRecord(_ key: UnsafeRawBufferPointer, _ value: DataValue) -> RecordView? {
    guard case .bytes(let bytes) = value, let position = RecordPosition(key: key), position.epoch >= 1,
      position.epoch < .max, position.sequence >= 1, position.sequence < .max,
      let view = RecordView(position: position, value: bytes), view.isSound
    else { return nil }
    return view
  }

  /// - Parameter takesTrees: the last commit may have made larger trees than those that were found: their rows are looked for.
  private mutating func takeUnreached(_ file: DataFile, _ reached: PageSet, takesTrees: Bool) throws {
    let certain = present
    // What retention removed still lies on pages that were not used again.
    let bases = certainBases
    var contenders: [RecordPosition: [UInt64]] = [:]
    try file.forEachPage(outside: reached) { page in
      try file.forEachEntry(of: page) { key, value in
        if takesTrees, case .bytes(let bytes) = value { meta.takeTree(Array(key), Array(bytes)) }
        guard let view = Self.soundRecord(key, value) else { return noteBroken(key) }
        let position = view.position
        guard certain[position.epoch]?.contains(position.sequence) != true,
          position.sequence > bases[position.epoch] ?? 0
        else { return }
        if present[position.epoch]?.contains(position.sequence) == true, contenders.count < Self.contendersMax {
          contenders[position, default: []].append(page.number)
        }
        try takeRecord(key, value)
      }
    }
    try rows.flush()
    for (position, pages) in contenders { try settle(position, pages, file) }
  }

  private mutating func noteBroken(_ key: UnsafeRawBufferPointer) {
    guard let position = RecordPosition(key: key), position.sequence < .max else { return }
    brokenEnds[position.epoch] = max(brokenEnds[position.epoch] ?? 0, position.sequence)
  }

  /// The latest of several records under one name.
  private func settle(_ position: RecordPosition, _ pages: [UInt64], _ file: DataFile) throws {
    for number in pages {
      guard let page = file.page(number) else { continue }
      try file.forEachEntry(of: page) { key, value in
        guard let view = Self.soundRecord(key, value), view.position == position, case .bytes(let bytes) = value,
          let taken = try rows.record(position), view.time > taken.time
        else { return }
        try rows.replace(position, Array(bytes))
      }
    }
  }

  private mutating func takeEvidence(_ catalogue: JournalCatalogue, _ walk: inout DataWalk) throws {
    if let tree = catalogue["epochs"] {
      walk.entries(of: tree) { key, value in
        guard case .bytes(let bytes) = value, let epoch = JournalEpoch(key: Array(key), value: Array(bytes)) else {
          return
        }
        epochs[epoch.number] = epoch
      }
    }
    if let tree = catalogue["cursors"] {
      walk.entries(of: tree) { key, value in
        guard case .bytes(let bytes) = value, let position = RecordPosition(key: bytes),
          (1...JournalLimits.cursorNameBytesMax).contains(key.count)
        else { return }
        cursors.append((Array(key), position))
      }
    }
    try takeSnapshot(catalogue, &walk)
    // Under another key they would be another journal's: they stay in the damaged file.
    guard key.id == old.id, let tree = catalogue["checkpoints"] else { return }
    try walk.entries(of: tree) { key, value in
      guard case .bytes(let bytes) = value, let position = RecordPosition(key: key),
        let stated = verified(Array(bytes), position)
      else { return }
      roots[position] = stated.root
      checkpointEnds[position.epoch] = max(checkpointEnds[position.epoch] ?? 0, position.sequence)
      try rows.add(rows.store.checkpoints, Array(key), Array(bytes))
    }
  }

  /// The snapshot as a whole or not at all: a part of it would be a state that never was. Without it the state is what the
  /// records give that are left.
  private mutating func takeSnapshot(_ catalogue: JournalCatalogue, _ walk: inout DataWalk) throws {
    guard let mark = meta.snapshot, let tree = catalogue["snapshot"], let target = rows.store.snapshot else { return }
    let faults = walk.faults.count
    var taken: [(key: [UInt8], value: [UInt8])] = []
    var sum = RowSum()
    walk.entries(of: tree) { key, value in
      guard case .bytes(let bytes) = value else { return }
      taken.append((Array(key), Array(bytes)))
      sum += RowSum(key: key, value: bytes)
    }
    guard walk.faults.count == faults, UInt64(taken.count) == tree.entries, mark.sum ?? sum == sum else { return }
    for row in taken { try rows.add(target, row.key, row.value) }
    try rows.add(rows.store.meta, Layout.Meta.baseFold, mark.rowValue)
  }

  /// What a stored checkpoint states; nil unless the journal signed it for this position.
  private func verified(_ bytes: [UInt8], _ position: RecordPosition) -> Checkpoint? {
    guard let note = try? SignedNote(bytes: bytes), let verifier = try? old.verifier(epoch: position.epoch),
      (try? note.verify([verifier])) != nil, let stated = try? Checkpoint(text: note.text),
      stated.size == position.sequence, stated.origin == verifier.name.description
    else { return nil }
    return stated
  }

  // MARK: Putting together

  /// The number of the newest epoch there was. What only a row claims is believed as far as it is near to what records prove.
  private var knownEpochs: UInt32 {
    let proved = max(present.keys.max() ?? 0, checkpointEnds.keys.max() ?? 0)
    guard proved > 0 else { return min(max(old.epoch, 1), Self.epochsClaimedMax) }
    let claimed = [meta.epoch ?? 0, old.epoch, epochs.keys.max() ?? 0, meta.frontiers.keys.max() ?? 0]
    let limit = proved + Self.epochsWithoutRecordsMax
    return max(proved, claimed.filter { $0 <= limit }.max() ?? 0)
  }

  /// Writes what stands beside an epoch's records.
  private mutating func finish(_ number: UInt32, _ report: inout SalvageReport) throws {
    let ranges = present[number] ?? SequenceRanges()
    let last = ranges.ranges.last?.upperBound ?? 0
    let size = meta.frontiers[number]?.size
    let whole = max(last, size ?? 0, checkpointEnds[number] ?? 0)
    let isOpen =
      size == nil || brokenEnds[number] ?? 0 > whole || meta.lost[number]?.last.map { $0.last == nil } ?? false
      || !isEndKnown && number >= meta.epoch ?? 1
    let base = base(of: number, ranges)
    let end = max(whole, base.size)
    let lost = ranges.lost(epoch: number, from: base.size + 1, end: isOpen ? nil : end)
    if base.size > 0 {
      let encoded = meta.lost[number] == nil ? base.encoded : MerkleFrontier.encodedSize(base.size)
      try rows.add(rows.store.meta, Layout.Meta.base(number), encoded)
    }
    let epoch =
      epochs[number]
      ?? JournalEpoch(number: number, opened: old.created, firstSequence: 1, reason: "not known: its row was damaged")
    try rows.add(rows.store.epochs, number.bigEndianBytes, epoch.rowValue)
    // What was lost before the records around it were removed: their tree can still not be built.
    let lostBefore = (meta.lost[number] ?? []).filter { $0.last ?? .max <= base.size }
    if lost.isEmpty, lostBefore.isEmpty {
      try rows.add(rows.store.main, Layout.Meta.frontier(number), try rows.tree(of: number, from: base).encoded)
    } else {
      try rows.add(rows.store.main, Layout.Meta.frontier(number), MerkleFrontier.encodedSize(end))
      try rows.add(rows.store.meta, Layout.Meta.lost(number), LostRecords.rowValue(lostBefore + lost))
    }
    report.lost += lost
    report.recordsKept += ranges.ranges.reduce(0) { $0 + ($1.upperBound - $1.lowerBound + 1) }
  }

  /// Up to where retention removed each epoch, as far as no record that a tree leads to contradicts it.
  private var certainBases: [UInt32: UInt64] {
    Dictionary(uniqueKeysWithValues: meta.bases.keys.map { ($0, base(of: $0, present[$0] ?? SequenceRanges()).size) })
  }

  /// What retention removed is not lost. A base that a record or its checkpoint contradicts is none; where all of an epoch was removed,
  /// the epoch's own tree is the same one.
  private func base(of epoch: UInt32, _ ranges: SequenceRanges) -> MerkleFrontier {
    let candidates = [meta.bases[epoch], meta.frontiers[epoch]].compactMap { $0 }
    guard let size = meta.bases[epoch]?.size, ranges.ranges.first.map({ $0.lowerBound > size }) ?? true else {
      return MerkleFrontier()
    }
    let root = meta.lost[epoch] == nil ? roots[RecordPosition(epoch: epoch, sequence: size)] : nil
    return candidates.first { $0.size == size && root ?? $0.root == $0.root } ?? MerkleFrontier()
  }

  /// A cursor that stands behind every record of its epoch would say that something was done with what does not exist.
  private func putCursors(_ lost: [LostRecords]) throws {
    for cursor in cursors {
      let position = cursor.position
      let last = max(
        present[position.epoch]?.ranges.last?.upperBound ?? 0, meta.bases[position.epoch]?.size ?? 0,
        lost.last { $0.epoch == position.epoch }?.last ?? 0)
      guard position.epoch >= 1, position.epoch <= knownEpochs, position.sequence <= last else { continue }
      try rows.add(rows.store.cursors, cursor.name, position.keyBytes)
    }
  }
}

/// Writes rows in transactions of bounded size, and reads them back.
final class RowWriter {
  /// Bytes of rows in one transaction: a few hundred commits for the largest journals.
  private static let bytesMax = 16 << 20

  let store: JournalStore
  private var waiting: [(database: Database, key: [UInt8], value: [UInt8])] = []
  private var waitingBytes = 0
  /// Records come in order nearly always, and are packed full then.
  private var lastRecord: [UInt8] = []

  init(_ store: JournalStore) { self.store = store }

  func add(_ database: Database, _ key: [UInt8], _ value: [UInt8]) throws {
    waiting.append((database, key, value))
    waitingBytes += key.count + value.count
    if waitingBytes >= Self.bytesMax { try flush() }
  }

  func flush() throws {
    guard !waiting.isEmpty else { return }
    let transaction = try store.environment.beginWrite()
    for (database, key, value) in waiting {
      let appends = database == store.records && lastRecord.lexicographicallyPrecedes(key)
      if appends { lastRecord = key }
      try transaction.put(key, value, into: database, appending: appends)
    }
    try transaction.commit()
    waiting = []
    waitingBytes = 0
  }

  func record(_ position: RecordPosition) throws -> Record? {
    let transaction = try store.environment.beginRead()
    return try transaction.value(of: position.keyBytes, in: store.records).flatMap { value in
      value.withUnsafeBytes { RecordView(position: position, value: $0)?.record }
    }
  }

  func replace(_ position: RecordPosition, _ value: [UInt8]) throws {
    let transaction = try store.environment.beginWrite()
    try transaction.put(position.keyBytes, value, into: store.records)
    try transaction.commit()
  }

  /// The tree over an epoch's records, which have no gap.
  /// - Parameter base: the tree over those before them.
  func tree(of epoch: UInt32, from base: MerkleFrontier) throws -> MerkleFrontier {
    try flush()
    let transaction = try store.environment.beginRead()
    return try transaction.withCursor(store.records) { cursor in
      var tree = base
      var found = try cursor.seek(RecordPosition(epoch: epoch, sequence: 0).keyBytes)
      while found, let position = RecordPosition(key: cursor.key), position.epoch == epoch {
        guard let view = RecordView(position: position, value: cursor.value) else { break }
        tree.append(view.leafHash)
        found = try cursor.next()
      }
      return tree
    }
  }
}
