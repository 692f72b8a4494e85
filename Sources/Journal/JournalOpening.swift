// Opening a journal for writing: what is found in the directory and what is decided.
//
//   identity  journal.key  data.mdb            decision                                          test
//   none      none         none or unfinished  make a journal                                    an empty directory becomes a journal
//   none      there        none or unfinished  finish making it, with this key                   an interrupted creation is finished
//   none      there        complete, same id   write the identity again                          a lost identity is written again
//   none      none         complete            refuse: keyMissing                                a lost key is refused
//   there     none         any                 refuse: keyMissing                                a lost key is refused
//   there     other key    any                 refuse: anotherJournal                            another journal's key is refused
//   there     same key     none, 0 bytes,      refuse: recordsMissing                            missing / empty records are refused
//                          unfinished
//   there     same key     another id          refuse: anotherJournal                            another journal's records are refused
//   newer     any          any                 refuse: newerFormat                               a newer format is refused
//   there     same key     complete            open
//
// "Unfinished" is a data.mdb of two pages or less, which can hold no record, or one whose database `meta` has no journal id:
// the transaction that writes the id is the first one; or one that LMDB cannot open and that is no longer than that
// transaction leaves it, as after a power cut before its first sync. Nothing that may hold a record is ever removed here.
//
// With `JournalConfiguration.recovery` the directory is inspected first, and what is damaged is replaced: see Recovery.

internal import Evidence
internal import Glibc
internal import LMDB
internal import OpenSSL

struct JournalOpening {
  let identity: JournalIdentity
  let key: JournalKey
  let store: JournalStore
  let lock: DirectoryLock
  let damage: JournalDamage?

  init(_ configuration: JournalConfiguration) throws {
    let directory = configuration.directory
    try Files.prepareDirectory(directory, creating: true)
    lock = try DirectoryLock(directory: directory)
    damage = try configuration.recovery.flatMap { try Recovering(configuration, $0).run() }
    let identity = try JournalIdentity.read(directory: directory)
    let key = try JournalKey.read(directory: directory)
    let size = try Files.size(directory + "/" + JournalFile.data)

    if let identity {
      guard let key else { throw JournalError.keyMissing(path: directory) }
      guard key.id == identity.id, key.publicKey == identity.publicKey else {
        throw JournalError.anotherJournal(path: directory, expected: identity.hexID, found: "the key of \(key.hexID)")
      }
      guard let size else { throw JournalError.recordsMissing(path: directory, found: "missing") }
      guard size > Self.emptyFileBytes else { throw JournalError.recordsMissing(path: directory, found: "empty") }
      store = try Self.openStore(configuration)
      guard try Self.isComplete(store, key) else {
        throw JournalError.recordsMissing(path: directory, found: "without a journal in it")
      }
      try Self.upgrade(store)
      self.identity = try Self.noteOpening(store, identity)
      self.key = key
    } else {
      if key == nil, let size, size > Self.emptyFileBytes { throw JournalError.keyMissing(path: directory) }
      (self.identity, self.key, store) = try Self.create(configuration, key: key, dataBytes: size)
    }
    try Self.checkTail(store)
  }

  /// LMDB's two meta pages: a file of this size holds no data.
  static let emptyFileBytes = 2 * sysconf(Int32(_SC_PAGESIZE))
  /// The file's length after the transaction that makes a journal. The first record makes it longer, and it never gets shorter.
  private static let bytesWithoutRecords = 7 * sysconf(Int32(_SC_PAGESIZE))

  /// Makes a journal of format 1 one of this format: what every commit changes moves from `meta` to the main database.
  private static func upgrade(_ store: JournalStore) throws {
    let transaction = try store.environment.beginWrite()
    let format = Layout.format.bigEndianBytes
    guard try transaction.value(of: Layout.Meta.format, in: store.meta) != format else { return }
    let changing = try store.epochList(transaction).map { Layout.Meta.frontier($0.number) } + [Layout.Meta.fold]
    for key in changing {
      guard let row = try transaction.value(of: key, in: store.meta) else { continue }
      try transaction.put(key, row, into: store.main)
      try transaction.delete(key, from: store.meta)
    }
    try transaction.put(Layout.Meta.format, format, into: store.meta)
    try transaction.commit()
  }

  /// The identity names the format and the newest epoch. Where a crash came between, it is brought up to date.
  private static func noteOpening(_ store: JournalStore, _ identity: JournalIdentity) throws -> JournalIdentity {
    let transaction = try store.environment.beginRead()
    let epoch = try store.tail(transaction).epoch
    guard identity.epoch < epoch || identity.format < Layout.format else { return identity }
    var identity = identity
    identity.epoch = max(epoch, identity.epoch)
    identity.format = Layout.format
    try identity.write(directory: store.directory)
    return identity
  }

  private static func openStore(_ configuration: JournalConfiguration) throws -> JournalStore {
    let store = try JournalStore(
      directory: configuration.directory, access: .readWrite, mapBytes: configuration.mapBytes)
    try store.environment.clearDeadReaders()
    return store
  }

  /// Makes a journal or finishes making it. Every step can be repeated after a crash: first the key, which carries the id,
  /// then data.mdb with one transaction, then the identity.
  private static func create(
    _ configuration: JournalConfiguration, key: JournalKey?, dataBytes: Int?
  ) throws -> (JournalIdentity, JournalKey, JournalStore) {
    let directory = configuration.directory
    // LMDB takes 0 bytes for a new file, but not a torn write of the two meta pages.
    if let dataBytes, dataBytes > 0, dataBytes <= emptyFileBytes {
      try Files.remove(directory + "/" + JournalFile.data)
    }
    let key = if let key { key } else { try JournalKey.create(directory: directory) }
    let store = try openUnfinished(configuration, dataBytes: dataBytes ?? 0)
    if try !isComplete(store, key) { try initialize(store, key, now: configuration.clock.now()) }
    let transaction = try store.environment.beginRead()
    let epochs = try store.epochList(transaction)
    transaction.end()
    let identity = JournalIdentity(
      format: Layout.format, id: key.id, created: epochs.first?.opened ?? configuration.clock.now(),
      publicKey: key.publicKey, epoch: epochs.last?.number ?? 1)
    try identity.write(directory: directory)
    return (identity, key, store)
  }

  /// Opens what an interrupted creation left, or begins it anew.
  private static func openUnfinished(_ configuration: JournalConfiguration, dataBytes: Int) throws -> JournalStore {
    do {
      return try openStore(configuration)
    } catch let error as LMDBError where error.kind == .notAnEnvironment && dataBytes <= bytesWithoutRecords {
      try Files.remove(configuration.directory + "/" + JournalFile.data)
      return try openStore(configuration)
    }
  }

  private static func initialize(_ store: JournalStore, _ key: JournalKey, now: Int64) throws {
    let transaction = try store.environment.beginWrite()
    try transaction.put(Layout.Meta.format, Layout.format.bigEndianBytes, into: store.meta)
    try transaction.put(Layout.Meta.journal, key.id, into: store.meta)
    try transaction.put(Layout.Meta.publicKey, key.publicKey.rawRepresentation, into: store.meta)
    try store.open(JournalEpoch(number: 1, opened: now, firstSequence: 1, reason: "created"), transaction)
    try transaction.commit()
  }

  /// Whether the first transaction was made; throws when it was another journal's or a newer program's.
  private static func isComplete(_ store: JournalStore, _ key: JournalKey) throws -> Bool {
    let transaction = try store.environment.beginRead()
    guard let id = try transaction.value(of: Layout.Meta.journal, in: store.meta) else {
      guard try transaction.statistics(of: store.records).entries == 0 else {
        throw store.damaged("data.mdb has records but no journal id")
      }
      return false
    }
    try checkFormat(store, transaction)
    let publicKey = try transaction.value(of: Layout.Meta.publicKey, in: store.meta)
    guard id == key.id, publicKey == key.publicKey.rawRepresentation else {
      throw JournalError.anotherJournal(
        path: store.directory, expected: key.hexID, found: "the records of \(hexadecimal(id))")
    }
    return true
  }

  static func checkFormat(
    _ store: JournalStore, _ transaction: borrowing some ReadableTransaction & ~Copyable
  ) throws {
    let row = try transaction.value(of: Layout.Meta.format, in: store.meta)
    guard let found = row.flatMap({ UInt32(bigEndianBytes: $0) }) else {
      throw store.damaged("its format is not recorded")
    }
    guard found <= Layout.format else {
      throw JournalError.newerFormat(path: store.directory, found: found, supported: Layout.format)
    }
  }

  /// The pair of the check made at each append: the tree's size is the last record's sequence, and nothing follows it.
  private static func checkTail(_ store: JournalStore) throws {
    let transaction = try store.environment.beginRead()
    let head = try store.head(transaction)
    let last = try transaction.withCursor(store.records) { cursor in
      try cursor.last() ? RecordPosition(key: cursor.key) : nil
    }
    // Retention may have removed all of an epoch that it was told to.
    let hasRecords = head.sequence > (try store.base(transaction, epoch: head.epoch).size)
    let expected = hasRecords ? head : nil
    if !hasRecords, let last, last.epoch < head.epoch { return }
    guard last == expected else {
      throw store.damaged(
        "the last record is \(last.map(\.description) ?? "none"), but the tree ends at \(head)")
    }
  }
}

extension JournalKey {
  var hexID: String { hexadecimal(id) }
}
