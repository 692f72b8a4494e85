// Appending delivered records to SQLite. Many appends, of many installs, in one transaction; see AppendPlan.swift for
// what becomes of each.
//
// The heads that the group touches are read once, moved in memory, and written once at the end. A row whose frontier
// does not decode or does not have the size it must have stops the transaction: the database is damaged, and
// acknowledging on top of it would hide it.

internal import Evidence
internal import FoundationEssentials
internal import GRDB
internal import OpenSSL

extension SQLiteStore {
  package func append(_ appends: [Append], now: Int64) async throws -> [AppendOutcome] {
    try await write { db in
      var group = AppendGroup(db: db, now: now)
      let outcomes = try appends.map { try group.store($0) }
      try group.writeHeads()
      return outcomes
    }
  }

  package func holdings(of install: InstallNumber) async throws -> [Holding] {
    try await read { db in
      try Row.fetchAll(
        db, sql: "SELECT epoch, held FROM journal WHERE install = ? ORDER BY epoch", arguments: [install.rawValue]
      )
      .map { Holding(epoch: $0["epoch"], sequence: UInt64(clamping: $0["held"] as Int64)) }
    }
  }

  /// The frontier that is kept for an epoch; nil if nothing is held of it.
  static func frontier(_ install: InstallNumber, _ epoch: UInt32, _ db: Database) throws -> MerkleFrontier? {
    guard
      let row = try Row.fetchOne(
        db, sql: "SELECT held, frontier FROM journal WHERE install = ? AND epoch = ?",
        arguments: [install.rawValue, epoch])
    else { return nil }
    guard let frontier = MerkleFrontier(encoded: row["frontier"] as Data),
      frontier.size == UInt64(clamping: row["held"] as Int64)
    else {
      throw HubError(
        .configuration,
        "The frontier of install \(install.rawValue), epoch \(epoch), is damaged. Stop the hub and restore the database from its backup; the agents send the rest again."
      )
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

  let db: Database
  let now: Int64
  private var heads: [Key: Head] = [:]
  private var standings: [InstallNumber: Standing] = [:]

  init(db: Database, now: Int64) {
    self.db = db
    self.now = now
  }

  mutating func store(_ append: Append) throws -> AppendOutcome {
    switch try standing(of: append.install) {
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
    if overlap > 0 { try judge(append, overlap: overlap, into: &stored) }
    for record in append.records[overlap...] {
      let sequence = head.frontier.size + 1
      if let fault = record.fault {
        try reject(record, append, sequence, reason: fault, stands: true)
        stored.rejections.append(RejectedRecord(sequence: sequence, reason: fault))
      } else {
        try insert(record, append, sequence)
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

  func writeHeads() throws {
    for (key, head) in heads where head.changed {
      guard case .good(let journalID)? = standings[key.install] else { continue }
      try db.cachedStatement(
        sql: """
          INSERT INTO journal (install, epoch, journal_id, held, frontier) VALUES (?, ?, ?, ?, ?)
          ON CONFLICT (install, epoch) DO UPDATE SET held = excluded.held, frontier = excluded.frontier
          """
      ).execute(arguments: [
        key.install.rawValue, key.epoch, journalID, Int64(head.frontier.size), Data(head.frontier.encoded),
      ])
    }
  }

  // MARK: What is there

  private mutating func standing(of install: InstallNumber) throws -> Standing {
    if let known = standings[install] { return known }
    let row = try Row.fetchOne(
      db.cachedStatement(sql: "SELECT journal_id, revoked_at FROM install WHERE number = ?"),
      arguments: [install.rawValue])
    let standing: Standing =
      row.map { $0["revoked_at"] as Int64? == nil ? .good(journalID: $0["journal_id"]) : .revoked } ?? .unknown
    standings[install] = standing
    return standing
  }

  /// The head of an epoch, empty for a new one; nil if the install has too many.
  private mutating func head(_ key: Key) throws -> Head? {
    if let known = heads[key] { return known }
    if let frontier = try SQLiteStore.frontier(key.install, key.epoch, db) {
      let head = Head(frontier: frontier, isNew: false)
      heads[key] = head
      return head
    }
    let stored =
      try Int.fetchOne(
        db, sql: "SELECT count(*) FROM journal WHERE install = ?", arguments: [key.install.rawValue]) ?? 0
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
        throw HubError(
          .configuration,
          "Record \(append.epoch)/\(sequence) of install \(append.install.rawValue) is missing though it was acknowledged. Stop the hub and restore the database from its backup."
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
    let range: StatementArguments = [
      append.install.rawValue, append.epoch, Int64(append.firstSequence),
      Int64(append.firstSequence) + Int64(count) - 1,
    ]
    var leaves: [UInt64: HeldLeaf] = [:]
    let accepted = try Row.fetchCursor(
      db.cachedStatement(
        sql: "SELECT sequence, hash FROM record WHERE install = ? AND epoch = ? AND sequence BETWEEN ? AND ?"),
      arguments: range)
    while let row = try accepted.next() {
      leaves[UInt64(clamping: row["sequence"] as Int64)] = .accepted(try digest(row["hash"]))
    }
    let rejected = try Row.fetchCursor(
      db.cachedStatement(
        sql:
          "SELECT sequence, leaf, reason FROM rejection WHERE stands = 1 AND install = ? AND epoch = ? AND sequence BETWEEN ? AND ?"
      ),
      arguments: range)
    while let row = try rejected.next() {
      leaves[UInt64(clamping: row["sequence"] as Int64)] = .rejected(try digest(row["leaf"]), reason: row["reason"])
    }
    let losses = try Loss.all(append.install, append.epoch, db)
    for sequence in append.firstSequence..<append.firstSequence + UInt64(count)
    where losses.contains(where: { $0.contains(sequence) }) {
      leaves[sequence] = .lost
    }
    return leaves
  }

  // MARK: Rows

  private func insert(_ record: DeliveredRecord, _ append: Append, _ sequence: UInt64) throws {
    try db.cachedStatement(
      sql: "INSERT INTO record (install, epoch, sequence, time, hash, payload) VALUES (?, ?, ?, ?, ?, ?)"
    ).execute(arguments: [
      append.install.rawValue, append.epoch, Int64(sequence), record.time, Data(record.leaf.bytes), record.payload,
    ])
  }

  private func noteLoss(_ append: Append, _ first: UInt64, _ last: UInt64) throws {
    try db.execute(
      sql: "INSERT INTO loss (install, epoch, first, last, received_at) VALUES (?, ?, ?, ?, ?)",
      arguments: [append.install.rawValue, append.epoch, Int64(first), Int64(last), now])
  }

  private func reject(_ record: DeliveredRecord, _ append: Append, _ sequence: UInt64, reason: String, stands: Bool)
    throws
  {
    try db.execute(
      sql: """
        INSERT OR IGNORE INTO rejection (install, epoch, sequence, stands, leaf, reason, time, payload, received_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        append.install.rawValue, append.epoch, Int64(sequence), stands ? 1 : 0, Data(record.leaf.bytes), reason,
        record.time,
        record.payload, now,
      ])
  }

  private func keepConflict(_ record: DeliveredRecord, _ append: Append, _ sequence: UInt64, heldHash: Digest) throws {
    try db.execute(
      sql: """
        INSERT OR IGNORE INTO conflict (install, epoch, sequence, held_hash, hash, time, payload, received_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        append.install.rawValue, append.epoch, Int64(sequence), Data(heldHash.bytes), Data(record.leaf.bytes),
        record.time,
        record.payload, now,
      ])
  }
}

/// - Throws: `HubError` 78 unless the column has 32 bytes.
func digest(_ column: Data) throws(HubError) -> Digest {
  guard let digest = Digest(bytes: column) else {
    throw HubError(
      .configuration,
      "A hash in the database does not have 32 bytes. Stop the hub and restore the database from its backup.")
  }
  return digest
}
