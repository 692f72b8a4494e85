// What is decided when a journal's files are not what they should be, before it is opened for writing.
//
// Every row is a test in Tests/JournalTests/DamageTests, and the table of docs/formats/journal.md. "Salvage" means: what verifies
// goes into a new data.mdb, the damaged files go to quarantine, a new epoch begins with a record that tells of it. "New key" means
// besides: no private key is left that could sign for this journal, so that it goes on as another one, with all its records.
//
//   identity         journal.key      data.mdb                    decision
//   any              there            0 bytes, missing, without   salvage: nothing is left of it
//                                     a journal in it
//   any              there            damaged, also where LMDB    salvage
//                                     dies of it
//   there            there            of an older epoch than      salvage: an old copy was put back
//                                     identity knows of
//   there            there            another journal's           salvage nothing of it: it is not ours
//   unreadable,      there            of this key                 identity to quarantine, written again
//   or another's
//   any              none, unreadable any                         salvage, new key
//   there            another's        of the identity             salvage, new key
//
// Everything else is JournalOpening's: what is sound is opened, what was never finished is finished, and what a newer program
// wrote is refused, as is what this user may not read.

internal import Evidence
internal import Glibc
internal import LMDB
internal import OpenSSL

/// How an opening deals with damage. Without it, damage is refused.
package struct JournalRecovery: Sendable {
  /// The child that touches the damaged file.
  package var worker: JournalWorkerCommand
  /// The payload of the record that tells of damage.
  package var payload: @Sendable (JournalDamage) throws -> [UInt8]
  /// Told why the journal was opened without having been inspected: the child could not run, or took too long.
  package var uninspected: @Sendable (_ reason: String) -> Void

  package init(
    worker: JournalWorkerCommand = .thisProgram, payload: @escaping @Sendable (JournalDamage) throws -> [UInt8],
    uninspected: @escaping @Sendable (_ reason: String) -> Void = { _ in }
  ) {
    self.worker = worker
    self.payload = payload
    self.uninspected = uninspected
  }

  /// The file that a writer leaves when a fault ends it: the next one then inspects every record.
  package static func faultMark(directory: String) -> String { directory + "/" + JournalFile.fault }

  /// Asks the next opening to inspect every record.
  package static func markFault(directory: String) {
    close(open(faultMark(directory: directory), O_WRONLY | O_CREAT | O_CLOEXEC, 0o600))
  }
}

/// One directory being made fit to open. The caller holds its lock.
struct Recovering {
  private let configuration: JournalConfiguration
  private let recovery: JournalRecovery
  private let directory: String
  private let identity: Found<JournalIdentity>
  private let key: Found<JournalKey>

  /// A small file that should be there.
  private enum Found<Value> {
    case none, unreadable
    case some(Value)

    var value: Value? { if case .some(let value) = self { value } else { nil } }
    var isUnreadable: Bool { if case .unreadable = self { true } else { false } }
  }

  /// - Throws: when a file is a newer program's or may not be read, with nothing changed.
  init(_ configuration: JournalConfiguration, _ recovery: JournalRecovery) throws {
    self.configuration = configuration
    self.recovery = recovery
    directory = configuration.directory
    try Quarantine.finish(directory: directory)
    do throws(JournalError) {
      identity = try JournalIdentity.read(directory: directory).map { .some($0) } ?? .none
    } catch {
      guard case .identityUnreadable = error else { throw error }
      identity = .unreadable
    }
    do throws(JournalError) {
      key = try JournalKey.read(directory: directory).map { .some($0) } ?? .none
    } catch {
      guard case .keyUnreadable = error else { throw error }
      key = .unreadable
    }
  }

  /// - Returns: the damage that was dealt with; nil when there was none.
  func run() throws -> JournalDamage? {
    let size = try Files.size(directory + "/" + JournalFile.data) ?? 0
    let hasData = size > JournalOpening.emptyFileBytes
    if case .none = identity, !hasData, !key.isUnreadable { return nil }
    let isThorough = try Files.size(JournalRecovery.faultMark(directory: directory)) != nil
    let report =
      hasData
      ? recovery.worker.inspect(directory: directory, isThorough: isThorough) : InspectionReport(verdict: .unfinished)
    if case .unknown(let reason) = report.verdict { recovery.uninspected(reason) }
    let damage = try deal(with: report, size: size)
    try Files.remove(JournalRecovery.faultMark(directory: directory))
    return damage
  }

  private func deal(with report: InspectionReport, size: Int) throws -> JournalDamage? {
    if case .newerFormat = report.verdict { return nil }
    guard let key = key.value else {
      let reason = self.key.isUnreadable ? "journal.key is unreadable" : "journal.key is missing"
      return try salvage(reason, takesRecords: !isForeign(report, to: identity.value?.id), hasNewKey: true)
    }
    if let identity = identity.value, identity.id != key.id, report.id == identity.id {
      return try salvage("journal.key is another journal's, \(key.hexID)", takesRecords: true, hasNewKey: true)
    }
    if isForeign(report, to: key.id) {
      return try salvage(
        "data.mdb is another journal's, \(hexadecimal(report.id ?? []))", takesRecords: false, hasNewKey: false)
    }
    switch report.verdict {
    case .damaged(let what): return try salvage(what.first ?? "it is damaged", takesRecords: true, hasNewKey: false)
    case .unfinished:
      guard identity.value != nil || identity.isUnreadable else { return nil }
      return try salvage(
        "data.mdb is \(size == 0 ? "empty or missing" : "without a journal in it")", takesRecords: false,
        hasNewKey: false)
    case .sound, .unknown, .newerFormat: break
    }
    if let identity = identity.value, identity.id == key.id, let epoch = report.epoch, identity.epoch > epoch {
      return try salvage(
        "data.mdb is an old copy: it ends with epoch \(epoch), and epoch \(identity.epoch) was begun",
        takesRecords: true,
        hasNewKey: false)
    }
    return try repairIdentity(key)
  }

  private func isForeign(_ report: InspectionReport, to id: [UInt8]?) -> Bool {
    guard let id, let found = report.id else { return false }
    return found != id
  }

  /// The identity says nothing that data.mdb and the key do not say: JournalOpening writes it again.
  private func repairIdentity(_ key: JournalKey) throws -> JournalDamage? {
    let isAnothers = identity.value.map { $0.id != key.id || $0.publicKey != key.publicKey } ?? false
    guard identity.isUnreadable || isAnothers else { return nil }
    let quarantine = try Quarantine(of: directory, now: configuration.clock.now())
    let damage = JournalDamage(
      reason: isAnothers ? "identity is another journal's" : "identity is unreadable", quarantine: quarantine.path,
      lost: [],
      recordsKept: 0, hasNewKey: false, isRecorded: false)
    try quarantine.create(note: damage.description)
    try quarantine.takeAside([JournalFile.identity])
    return damage
  }

  // MARK: Salvaging

  private func salvage(_ reason: String, takesRecords: Bool, hasNewKey: Bool) throws -> JournalDamage {
    let quarantine = try Quarantine(of: directory, now: configuration.clock.now())
    var reason = reason
    var report = try build(takesRecords: takesRecords, hasNewKey: hasNewKey) { reason += "; " + $0 }
    report.lost.sort { ($0.epoch, $0.first) < ($1.epoch, $1.first) }
    let damage = JournalDamage(
      reason: reason, quarantine: quarantine.path, lost: report.lost, recordsKept: report.recordsKept,
      hasNewKey: hasNewKey,
      isRecorded: true)
    try beginEpoch(damage)
    try quarantine.create(note: damage.description)
    var aside = [JournalFile.data, JournalFile.readers]
    if hasNewKey { aside += [JournalFile.key, JournalFile.identity] }
    if identity.isUnreadable { aside.append(JournalFile.identity) }
    try quarantine.exchange(aside)
    return damage
  }

  /// Builds the new data.mdb in `salvage`; without the records if it cannot be had with them.
  private func build(
    takesRecords: Bool, hasNewKey: Bool, _ failed: (String) -> Void
  ) throws -> SalvageReport {
    let salvage = directory + "/" + JournalFile.salvage
    try Files.makeDirectory(salvage)
    if hasNewKey { _ = try JournalKey.create(directory: salvage) }
    if takesRecords {
      switch recovery.worker.salvage(directory: directory) {
      case .success(let report): return report
      case .failure(let failure): failed("the records could not be salvaged: \(failure.reason)")
      }
      for name in [JournalFile.data, JournalFile.readers] { try Files.remove(salvage + "/" + name) }
    }
    return try SalvageJob(directory: directory, takesRecords: false).run()
  }

  /// The new epoch's first record tells of the damage. The epochs before it are sealed where they are whole.
  private func beginEpoch(_ damage: JournalDamage) throws {
    let job = try SalvageJob(directory: directory, takesRecords: false)
    let store = try job.store()
    let transaction = try store.environment.beginWrite()
    let last = try store.tail(transaction)
    let now = configuration.clock.now()
    for epoch in 1...last.epoch { try seal(epoch, job.key, store, transaction, at: now) }
    let number = last.epoch + 1
    try store.open(JournalEpoch(number: number, opened: now, firstSequence: 1, reason: "damage"), transaction)
    let leaves = LeafBatch(
      [try recovery.payload(damage)], from: RecordPosition(epoch: number, sequence: 1), time: now)
    while leaves.hashNext() {}
    try transaction.withAppender(store.records) { try store.append(leaves, 0, to: $0) }
    var tail = Tail(epoch: number, frontier: MerkleFrontier())
    tail.frontier.append(leaves.root(0))
    try store.put(tail, transaction)
    try transaction.commit()
  }
}

extension Recovering {
  /// Signs the tree of an epoch that is whole and has no checkpoint of its end, or not any more: only by one can it be removed, and only
  /// one vouches for what was.
  private func seal(
    _ epoch: UInt32, _ key: JournalKey, _ store: JournalStore, _ transaction: borrowing WriteTransaction,
    at time: Int64
  ) throws {
    let tree = try store.frontier(transaction, epoch: epoch)
    let sealed = try store.lastCheckpoint(transaction, epoch: epoch)?.size ?? 0
    guard try store.lost(transaction, epoch: epoch).isEmpty, tree.size > sealed else { return }
    let origin = JournalOrigin(journal: key.hexID, epoch: epoch)
    let note = try Checkpoint(origin: origin, size: tree.size, root: tree.root, sealed: time)
      .signed(by: try key.signer(origin))
    let position = RecordPosition(epoch: epoch, sequence: tree.size)
    try transaction.put(position.keyBytes, note.bytes, into: store.checkpoints)
  }
}

/// The salvage of one directory: what it reads, and where it writes.
struct SalvageJob {
  let directory: String
  /// The key that the journal goes on under.
  let key: JournalKey
  /// Whose records they are; nil when nothing beside data.mdb says it.
  private let owner: [UInt8]?
  private let old: JournalIdentity
  private let takesRecords: Bool

  init(directory: String, takesRecords: Bool) throws {
    self.directory = directory
    self.takesRecords = takesRecords
    let formerKey = try? JournalKey.read(directory: directory)
    let newKey = try JournalKey.read(directory: directory + "/" + JournalFile.salvage)
    guard let key = newKey ?? formerKey else { throw JournalError.keyMissing(path: directory) }
    self.key = key
    let identity = (try? JournalIdentity.read(directory: directory)).flatMap { identity in
      newKey != nil || identity.id == key.id ? identity : nil
    }
    owner = identity?.id ?? (newKey == nil ? key.id : nil)
    let signer = formerKey ?? key
    old =
      identity
      ?? JournalIdentity(format: Layout.format, id: signer.id, created: 0, publicKey: signer.publicKey, epoch: 1)
  }

  /// The new data.mdb, made when it is not there.
  func store() throws -> JournalStore {
    try JournalStore(
      directory: directory + "/" + JournalFile.salvage, access: .readWrite, mapBytes: JournalLimits.mapBytesDefault)
  }

  func run() throws -> SalvageReport {
    let file = takesRecords ? try DataFile(directory: directory) : nil
    var salvage = Salvage(file, of: old, owner: owner, key: key, into: try store())
    return try salvage.run()
  }
}
