// Appending delivered records. Many appends, of many installs, in one transaction; see AppendPlan.swift for what becomes of each.
//
// The installs are locked first, in the order of their numbers, so that hubs which share the database take turns and never wait for each
// other in a circle. The heads that the group touches are then read once, moved in memory, and written once at the end, with the records.
// A row whose frontier does not decode or does not have the size it must have stops the transaction: the database is damaged, and
// acknowledging on top of it would hide it.

internal import Evidence
internal import FoundationEssentials
package import HubDatabase
internal import OpenSSL

extension SQLStore {
  package func append(_ appends: [Append], now: Int64) async throws -> [AppendOutcome] {
    try await write(.readCommitted) { db in
      var group = try AppendGroup(of: Set(appends.map(\.install)), db: db, now: now)
      let outcomes = try appends.map { try group.store($0) }
      try group.write()
      return outcomes
    }
  }

  package func holdings(of install: InstallNumber) async throws -> [Holding] {
    try await read { db in
      try db.rows("SELECT epoch, held FROM journal WHERE install = ? ORDER BY epoch", install)
        .map { Holding(epoch: try $0("epoch"), sequence: try $0("held")) }
    }
  }

  /// The frontier that is kept for an epoch; nil if nothing is held of it.
  static func frontier(_ install: InstallNumber, _ epoch: UInt32, _ db: any SQLConnection) throws -> MerkleFrontier? {
    guard let row = try db.row("SELECT held, frontier FROM journal WHERE install = ? AND epoch = ?", install, epoch)
    else { return nil }
    guard let frontier = MerkleFrontier(encoded: try row("frontier") as Data), frontier.size == (try row("held")) else {
      throw HubError.damaged("The frontier of install \(install.rawValue), epoch \(epoch), is damaged.")
    }
    return frontier
  }
}

/// One transaction's appends.
private struct AppendGroup {
  private struct Key: Hashable {
    let install: InstallNumber
    let epoch: UInt32
  }

  private struct Head {
    var frontier: MerkleFrontier
    var isNew: Bool
    var changed = false
  }

  private enum Standing {
    case good(journalID: Data), revoked, unknown
  }

  let db: any SQLConnection
  let now: Int64
  private var heads: [Key: Head] = [:]
  private let standings: [InstallNumber: Standing]
  /// Rows of the table `record` that wait for the end.
  private var records: [[SQLValue]] = []

  /// Locks the installs until the transaction ends.
  init(of installs: Set<InstallNumber>, db: any SQLConnection, now: Int64) throws {
    self.db = db
    self.now = now
    var standings: [InstallNumber: Standing] = [:]
    for install in installs.sorted(by: { $0.rawValue < $1.rawValue }) {
      let row = try db.row(
        "SELECT journal_id, revoked_at FROM install WHERE number = ?\(db.dialect.lockingRows)", install)
      standings[install] =
        try row.map { try $0("revoked_at") as Int64? == nil ? .good(journalID: try $0("journal_id")) : .revoked }
        ?? .unknown
    }
    self.standings = standings
  }

  mutating func store(_ append: Append) throws -> AppendOutcome {
    switch standings[append.install] ?? .unknown {
    case .unknown: return .unknownInstall
    case .revoked: return .revoked
    case .good: break
    }
    let key = Key(install: append.install, epoch: append.epoch)
    guard var head = try head(key) else { return .tooManyEpochs }
    guard case .store(let overlap) = AppendPlan.of(append, held: head.frontier.size) else {
      return .gap(held: head.frontier.size)
    }
    var stored = StoredAppend(held: head.frontier.size)
    if let last = append.lostThrough, last > head.frontier.size {
      try noteLoss(append, head.frontier.size + 1, last)
      head.frontier.appendZeros(through: last)
      head.changed = true
    }
    if overlap > 0 {
      try writeRecords()
      try judge(append, overlap: overlap, into: &stored)
    }
    for record in append.records[overlap...] {
      let sequence = head.frontier.size + 1
      if let fault = record.fault {
        try reject(record, append, sequence, reason: fault, stands: true)
        stored.rejections.append(RejectedRecord(sequence: sequence, reason: fault))
      } else {
        insert(record, append, sequence)
        try JobLedger.note(record, append.install, now: now, db)
        try RemoteLedger.note(record, append.install, epoch: append.epoch, sequence: sequence, db)
        stored.appended += 1
      }
      head.frontier.append(record.leaf)
      head.changed = true
    }
    try Express.settle(append, from: append.firstSequence + UInt64(overlap), now: now, into: &stored, db)
    stored.held = head.frontier.size
    heads[key] = head
    return .stored(stored)
  }

  /// Writes the records that are new, and the heads that moved.
  mutating func write() throws {
    try writeRecords()
    try db.execute(
      """
      INSERT INTO journal (install, epoch, journal_id, held, frontier) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (install, epoch) DO UPDATE SET held = excluded.held, frontier = excluded.frontier
      """,
      batch: heads.compactMap { key, head in
        guard head.changed, case .good(let journalID)? = standings[key.install] else { return nil }
        return [
          key.install.sqlValue, key.epoch.sqlValue, journalID.sqlValue, .integer(Int64(head.frontier.size)),
          head.frontier.encoded.sqlValue,
        ]
      })
  }

  private mutating func writeRecords() throws {
    try db.insert(into: "record", ["install", "epoch", "sequence", "time", "hash", "payload"], records)
    records.removeAll(keepingCapacity: true)
  }

  // MARK: What is there

  /// The head of an epoch, empty for a new one; nil if the install has too many.
  private mutating func head(_ key: Key) throws -> Head? {
    if let known = heads[key] { return known }
    if let frontier = try SQLStore.frontier(key.install, key.epoch, db) {
      let head = Head(frontier: frontier, isNew: false)
      heads[key] = head
      return head
    }
    let stored = try db.count("SELECT count(*) FROM journal WHERE install = ?", key.install)
    let added = heads.count { $0.key.install == key.install && $0.value.isNew }
    guard stored + added < HubLimits.epochsMax else { return nil }
    return Head(frontier: MerkleFrontier(), isNew: true)
  }

  // MARK: What is held already

  private func judge(_ append: Append, overlap: Int, into stored: inout StoredAppend) throws {
    let held = try heldLeaves(append, count: overlap)
    for (index, record) in append.records[..<overlap].enumerated() {
      let sequence = append.firstSequence + UInt64(index)
      guard let leaf = held[sequence] else {
        throw HubError.damaged(
          "Record \(append.epoch)/\(sequence) of install \(append.install.rawValue) is missing though it was acknowledged."
        )
      }
      switch OverlapVerdict.of(record, held: leaf) {
      case .duplicate:
        stored.duplicates += 1
      case .rejectedBefore(let reason):
        stored.rejections.append(RejectedRecord(sequence: sequence, reason: reason))
      case .rejected(let reason):
        try reject(record, append, sequence, reason: reason, stands: false)
        stored.rejections.append(RejectedRecord(sequence: sequence, reason: reason))
      case .conflict(let heldHash):
        try keepConflict(record, append, sequence, heldHash: heldHash)
        stored.conflicts.append(ConflictingRecord(sequence: sequence, heldHash: heldHash))
      }
    }
  }

  private func heldLeaves(_ append: Append, count: Int) throws -> [UInt64: HeldLeaf] {
    let (first, last) = (Int64(append.firstSequence), Int64(append.firstSequence) + Int64(count) - 1)
    var leaves: [UInt64: HeldLeaf] = [:]
    let accepted = try db.rows(
      "SELECT sequence, hash FROM record WHERE install = ? AND epoch = ? AND sequence BETWEEN ? AND ?",
      append.install, append.epoch, first, last)
    for row in accepted { leaves[try row("sequence")] = .accepted(try row("hash")) }
    let rejected = try db.rows(
      "SELECT sequence, leaf, reason FROM rejection WHERE stands = 1 AND install = ? AND epoch = ? AND sequence BETWEEN ? AND ?",
      append.install, append.epoch, first, last)
    for row in rejected { leaves[try row("sequence")] = .rejected(try row("leaf"), reason: try row("reason")) }
    let losses = try Loss.all(append.install, append.epoch, db)
    for sequence in append.firstSequence..<append.firstSequence + UInt64(count)
    where losses.contains(where: { $0.contains(sequence) }) {
      leaves[sequence] = .lost
    }
    return leaves
  }

  // MARK: Rows

  private mutating func insert(_ record: DeliveredRecord, _ append: Append, _ sequence: UInt64) {
    records.append([
      append.install.sqlValue, append.epoch.sqlValue, .integer(Int64(sequence)), .integer(record.time),
      record.leaf.bytes.sqlValue, .bytes(record.payload),
    ])
  }

  private func noteLoss(_ append: Append, _ first: UInt64, _ last: UInt64) throws {
    try db.execute(
      "INSERT INTO loss (install, epoch, first, last, received_at) VALUES (?, ?, ?, ?, ?)",
      append.install, append.epoch, Int64(first), Int64(last), now)
  }

  private func reject(_ record: DeliveredRecord, _ append: Append, _ sequence: UInt64, reason: String, stands: Bool)
    throws
  {
    try db.execute(
      """
      INSERT INTO rejection (install, epoch, sequence, stands, leaf, reason, time, payload, received_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
      """,
      append.install, append.epoch, Int64(sequence), stands, record.leaf.bytes, reason, record.time, record.payload, now
    )
  }

  private func keepConflict(_ record: DeliveredRecord, _ append: Append, _ sequence: UInt64, heldHash: Digest) throws {
    try db.execute(
      """
      INSERT INTO conflict (install, epoch, sequence, held_hash, hash, time, payload, received_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
      """,
      append.install, append.epoch, Int64(sequence), heldHash.bytes, record.leaf.bytes, record.time, record.payload,
      now)
  }
}

extension Digest: SQLReadable {
  /// Nil unless the column has 32 bytes.
  package init?(sqlValue: SQLValue) {
    guard case .bytes(let bytes) = sqlValue else { return nil }
    self.init(bytes: bytes)
  }
}
