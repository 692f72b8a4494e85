// Looking at a journal before it is opened: is it what it was when it was last written? Runs in a child (JournalWorker), whose
// death is an answer, too.
//
//   1. the file by itself, read without LMDB: both meta pages, the databases' roots, every branch page (they lead to every
//      page of records), the free list against what is in use, the length
//   2. through LMDB, as the writer will see it: identity, epochs, tail against tree, the first and last record of each epoch,
//      the hashes of the last records, checkpoints, cursors, every row of the state
//
// The quick inspection is done at every start; it takes well under a second with ten million records, because branch pages
// are a hundredth of the pages. The thorough one reads every page and hashes every record.

internal import Evidence
internal import Glibc
internal import LMDB
internal import OpenSSL

/// What an inspection tells, line by line, while it goes on.
enum InspectionLine: Equatable {
  /// What is looked at next: the last one heard tells where a child died.
  case at(String)
  case journal(id: [UInt8], publicKey: [UInt8], epoch: UInt32)
  case unfinished
  case newerFormat(UInt32)
  /// Every record up to this one is as it was recorded, and the next is not or is not there.
  case soundThrough(RecordPosition)
  case damage(String)
  case done
}

struct Inspection {
  /// Records at the end whose hashes the quick inspection computes: a few milliseconds, and more than any commit holds that
  /// a power cut could have torn.
  static let lastRecords: UInt64 = 5_000

  private let directory: String
  private let isThorough: Bool
  private let say: (InspectionLine) -> Void
  private var isDamaged = false
  private var treesFromRecords: [UInt32: MerkleFrontier] = [:]

  init(directory: String, isThorough: Bool, _ say: @escaping (InspectionLine) -> Void) {
    self.directory = directory
    self.isThorough = isThorough
    self.say = say
  }

  mutating func run() {
    do {
      try inspectFile()
      if !isDamaged { try inspectStore() }
    } catch {
      damage("\(error)")
    }
    say(.done)
  }

  private mutating func damage(_ what: String) {
    isDamaged = true
    say(.damage(what))
  }

  // MARK: The file by itself

  private mutating func inspectFile() throws {
    say(.at("the pages of data.mdb"))
    let file = try DataFile(directory: directory)
    for (index, meta) in file.metas.enumerated() where meta == nil { damage("meta page \(index) cannot be read") }
    guard let meta = file.meta else {
      var walk = DataWalk(file)
      if isThorough { inspectRecords(file, nil, MetaRows(), &walk) }
      return
    }
    if let other = file.metas.compactMap({ $0 }).first(where: { $0 != meta }), other.transaction + 1 != meta.transaction
    {
      damage("the meta pages are of the commits \(other.transaction) and \(meta.transaction), not of two that follow")
    }
    var walk = DataWalk(file, meta)
    let catalogue = JournalCatalogue(file, meta, &walk)
    var rows = catalogue.rows
    for name in Layout.databases {
      guard let tree = catalogue[name] else {
        damage("the database \(name) is not there")
        continue
      }
      switch name {
      case "meta":
        walk.entries(of: tree) { rows.take($0, $1) }
        if let id = rows.journal, let key = rows.publicKey {
          say(.journal(id: id, publicKey: key, epoch: rows.epoch ?? 0))
        }
      case "checkpoints":
        var unreadable = 0
        walk.entries(of: tree) { key, _ in unreadable += RecordPosition(key: key) == nil ? 1 : 0 }
        if unreadable > 0 { damage("checkpoints have unreadable names: \(unreadable)") }
      case "records" where !isThorough: walk.branches(of: tree)
      case "records": break
      default: walk.entries(of: tree) { _, _ in }
      }
    }
    for name in Layout.optionalDatabases {
      if let tree = catalogue[name] { walk.entries(of: tree) { _, _ in } }
    }
    if rows.snapshot != nil, catalogue["snapshot"] == nil { damage("the database snapshot is not there") }
    if isThorough { inspectRecords(file, catalogue["records"], rows, &walk) }
    walk.freeList(of: meta)
    for fault in walk.faults { damage("\(fault)") }
  }

  private mutating func inspectRecords(
    _ file: DataFile, _ tree: DataTree?, _ rows: MetaRows, _ walk: inout DataWalk
  ) {
    say(.at("the records"))
    var check = RecordSequenceCheck(lost: rows.lost, bases: rows.bases)
    if let tree {
      walk.entries(of: tree) { key, value in
        if case .bytes(let bytes) = value {
          check.take(key, bytes)
        } else {
          check.fault = check.fault ?? "is no record"
        }
      }
    }
    if tree == nil || check.fault != nil || !walk.faults.isEmpty {
      // What no tree leads to any more can still be there, and would be salvaged.
      file.forEachPage(outside: walk.reached) { page in
        file.forEachEntry(of: page) { key, value in check.note(key, value) }
      }
    }
    say(.soundThrough(check.end(rows.frontiers)))
    if let fault = check.fault { damage("the next record \(fault)") }
    treesFromRecords = check.trees
  }

  // MARK: Through LMDB

  private mutating func inspectStore() throws {
    say(.at("the databases, through LMDB"))
    let store = try JournalStore(directory: directory, access: .readOnly, mapBytes: nil)
    let transaction = try store.environment.beginRead()
    guard let id = try transaction.value(of: Layout.Meta.journal, in: store.meta) else {
      let records = try transaction.statistics(of: store.records).entries
      if records == 0 { say(.unfinished) } else { damage("there are records, \(records), but no journal id") }
      return
    }
    do { try JournalOpening.checkFormat(store, transaction) } catch JournalError.newerFormat(_, let found, _) {
      return say(.newerFormat(found))
    }
    guard let key = try transaction.value(of: Layout.Meta.publicKey, in: store.meta),
      let publicKey = try? Ed25519PublicKey(rawRepresentation: key), id.count == JournalIdentity.idByteCount
    else { return damage("the journal's id or key in data.mdb is unreadable") }
    let tail = try store.tail(transaction)
    say(.journal(id: id, publicKey: key, epoch: tail.epoch))
    let identity = JournalIdentity(
      format: Layout.format, id: id, created: 0, publicKey: publicKey, epoch: tail.epoch)
    try inspectEpochs(store, transaction, tail, identity)
    try inspectLastRecords(store, transaction, tail)
    try inspectRows(store, transaction)
  }

  private mutating func inspectEpochs(
    _ store: JournalStore, _ transaction: borrowing ReadTransaction, _ tail: Tail, _ identity: JournalIdentity
  ) throws {
    say(.at("the epochs"))
    let epochs = try store.epochList(transaction).map(\.number)
    guard epochs == Array(1...max(1, UInt32(clamping: epochs.count))), epochs.last == tail.epoch else {
      return damage("the epochs are not numbered from 1 to the current one, \(tail.epoch)")
    }
    for epoch in epochs {
      let (frontier, lost) = (try store.frontier(transaction, epoch: epoch), try store.lost(transaction, epoch: epoch))
      let base = try store.base(transaction, epoch: epoch)
      try inspectEnds(store, transaction, epoch, base.size, frontier, lost)
      if base.size > frontier.size { damage("more records of epoch \(epoch) were removed than there ever were") }
      // Where all records were removed, the tree over them is the whole tree.
      let tree = base.size == frontier.size ? base : treesFromRecords[epoch]
      if lost.isEmpty, let tree, tree != frontier {
        damage("the tree of epoch \(epoch) is not that of its records")
      }
      for checkpoint in try checkpoints(store, transaction, epoch) {
        let key = try identity.verifier(epoch: epoch)
        inspect(checkpoint, frontier, isWhole: lost.isEmpty, key)
        if checkpoint.size == base.size { inspect(checkpoint, base, isWhole: lost.isEmpty, key) }
      }
    }
    try transaction.withCursor(store.records) { cursor in
      guard try cursor.seek(RecordPosition(epoch: tail.epoch, sequence: tail.frontier.size).keyBytes + [0]) else {
        return
      }
      damage("records stand behind the end of the tree, \(tail.head)")
    }
  }

  /// An epoch's first and last record are there, unless they are known to be lost or were removed.
  private mutating func inspectEnds(
    _ store: JournalStore, _ transaction: borrowing ReadTransaction, _ epoch: UInt32, _ base: UInt64,
    _ frontier: MerkleFrontier, _ lost: [LostRecords]
  ) throws {
    guard frontier.size > base else { return }
    for sequence in [base + 1, frontier.size] where !lost.contains(where: { $0.contains(sequence) }) {
      let position = RecordPosition(epoch: epoch, sequence: sequence)
      let isSound = try transaction.withCursor(store.records) { cursor in
        guard try cursor.seek(position.keyBytes), RecordPosition(key: cursor.key) == position else { return false }
        return RecordView(position: position, value: cursor.value)?.isSound ?? false
      }
      if !isSound {
        damage("the record \(position), where the tree \(sequence == base + 1 ? "begins" : "ends"), is not sound")
      }
    }
  }

  /// The last checkpoint of an epoch, or all of them.
  private func checkpoints(
    _ store: JournalStore, _ transaction: borrowing ReadTransaction, _ epoch: UInt32
  ) throws -> [StoredCheckpoint] {
    guard isThorough else { return try store.lastCheckpoint(transaction, epoch: epoch).map { [$0] } ?? [] }
    return try transaction.withCursor(store.checkpoints) { cursor in
      var list: [StoredCheckpoint] = []
      var found = try cursor.seek(RecordPosition(epoch: epoch, sequence: 0).keyBytes)
      while found, let position = RecordPosition(key: cursor.key), position.epoch == epoch {
        list.append(StoredCheckpoint(epoch: epoch, size: position.sequence, note: Array(cursor.value)))
        found = try cursor.next()
      }
      return list
    }
  }

  private mutating func inspect(
    _ checkpoint: StoredCheckpoint, _ frontier: MerkleFrontier, isWhole: Bool, _ key: VerifierKey
  ) {
    let name = "the checkpoint \(checkpoint.epoch)/\(checkpoint.size)"
    do throws(NoteError) {
      let note = try SignedNote(bytes: checkpoint.note)
      try note.verify([key])
      let stated = try Checkpoint(text: note.text)
      if stated.size != checkpoint.size || stated.size > frontier.size { damage("\(name) is for another tree") }
      if isWhole, stated.size == frontier.size, stated.root != frontier.root {
        damage("\(name) states another root than the tree's")
      }
    } catch {
      damage("\(name) does not verify: \(error)")
    }
  }

  private mutating func inspectLastRecords(
    _ store: JournalStore, _ transaction: borrowing ReadTransaction, _ tail: Tail
  ) throws {
    say(.at("the last records"))
    let size = tail.frontier.size
    let epoch = tail.epoch
    let base = try store.base(transaction, epoch: epoch).size
    var next = max(base, size - min(size, Self.lastRecords)) + 1
    let wrong: RecordPosition? = try transaction.withCursor(store.records) { cursor in
      var found = try cursor.seek(RecordPosition(epoch: epoch, sequence: next).keyBytes)
      while next <= size {
        let expected = RecordPosition(epoch: epoch, sequence: next)
        guard found, RecordPosition(key: cursor.key) == expected,
          RecordView(position: expected, value: cursor.value)?.isSound == true
        else { return expected }
        next += 1
        found = try cursor.next()
      }
      return nil
    }
    if let wrong { damage("the record \(wrong) is missing or not what was recorded") }
  }

  private mutating func inspectRows(_ store: JournalStore, _ transaction: borrowing ReadTransaction) throws {
    say(.at("cursors and state"))
    var unreadable = 0
    try transaction.withCursor(store.cursors) { cursor in
      while try cursor.next() {
        if RecordPosition(key: cursor.value) == nil { unreadable += 1 }
      }
    }
    if unreadable > 0 { damage("\(unreadable) cursors are unreadable") }
    // Reading them is a test, too: a page that is not there ends the child. A state with other rows is made again at the opening; nobody
    // could make the snapshot again.
    _ = try store.rows(of: store.state, nil, transaction)
    guard let snapshot = store.snapshot else { return }
    if try !store.rows(of: snapshot, store.snapshotMark(transaction), transaction) {
      damage(JournalStore.otherSnapshot)
    }
  }
}
