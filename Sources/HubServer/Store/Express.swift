// Records that came ahead of their turn (dcam.proto, the fast lane), as the store keeps them until their turn comes.
//
//     came ahead, its turn has not come      kept in `express`, up to limits
//     came ahead, held in order already      nothing to keep; another hash is a conflict
//     came ahead twice                       nothing to keep; another hash is a conflict
//     its turn comes, same hash              the ordered record is stored, the row in `express` goes
//     its turn comes, another hash           the ordered record is stored, what came ahead becomes a conflict beside it
//     its turn comes, and it is rejected     the row stays: it is the only good copy
//
// `journal.held`, its frontier and every acknowledgement are the business of the ordered records alone.

internal import Evidence
internal import FoundationEssentials
internal import HubDatabase
internal import HubFleet
package import OpenSSL

/// A record ahead of its turn, hashed again by the hub and without fault.
package struct DeliveredExpress: Sendable, Equatable {
  package var epoch: UInt32
  package var sequence: UInt64
  package var record: DeliveredRecord

  package init(epoch: UInt32, sequence: UInt64, record: DeliveredRecord) {
    self.epoch = epoch
    self.sequence = sequence
    self.record = record
  }
}

package enum ExpressOutcome: Sendable, Equatable {
  case kept
  /// The same record is there, in its turn or ahead of it.
  case held
  /// Another record is there; this one is kept beside it.
  case conflict(heldHash: Digest)
  /// As many of this install are kept as may be.
  case full
}

/// A record that something is wrong or unusual with, as it is listed.
package struct ListedRecord: Sendable, Equatable {
  package let kind: HeldRecord.Kind
  package let epoch: UInt32
  package let sequence: UInt64
  package let hash: Digest
  /// Of the record that has this one's place; for a conflict.
  package let heldHash: Digest?
  package let payloadBytes: Int
  package let reason: String?
  package let receivedAt: Int64
}

extension SQLStore {
  package func keepExpress(
    _ records: [DeliveredExpress], of install: InstallNumber, now: Int64
  ) async throws -> [ExpressOutcome] {
    try await write { db in try records.map { try Express.keep($0, install, now: now, db) } }
  }

  package func listed(
    _ kind: HeldRecord.Kind, of install: InstallNumber, after place: Holding, limit: Int
  ) async throws -> [ListedRecord] {
    try await read { db in try Express.listed(kind, install, after: place, limit: limit, db) }
  }

  package func listed(_ kind: HeldRecord.Kind, of install: InstallNumber, limit: Int) async throws -> [ListedRecord] {
    try await read { db in try Express.listed(kind, install, limit: limit, db) }
  }
}

enum Express {
  static func keep(_ express: DeliveredExpress, _ install: InstallNumber, now: Int64, _ db: any SQLConnection) throws
    -> ExpressOutcome
  {
    if let held = try held(express, install, db) {
      guard held != express.record.leaf else { return .held }
      try keepConflict(express, install, heldHash: held, now: now, db)
      return .conflict(heldHash: held)
    }
    guard try hasRoom(for: express, install, now: now, db) else { return .full }
    try db.execute(
      "INSERT INTO express (install, epoch, sequence, time, hash, payload, received_at) VALUES (?, ?, ?, ?, ?, ?, ?)",
      install, express.epoch, Int64(express.sequence), express.record.time, express.record.leaf.bytes,
      express.record.payload, now)
    try EarlyAlerts.note(
      Data(express.record.payload), install: install.rawValue, epoch: Int64(express.epoch),
      sequence: Int64(express.sequence), db)
    try JobLedger.note(express.record, install, now: now, db)
    return .kept
  }

  /// What of the records that just came in their turn had come ahead of it: `append` from `first` on is being stored.
  static func settle(
    _ append: Append, from first: UInt64, now: Int64, into stored: inout StoredAppend, _ db: any SQLConnection
  ) throws {
    let last = append.firstSequence + UInt64(append.records.count) - 1
    guard !append.records.isEmpty, first <= last else { return }
    let rows = try db.rows(
      "SELECT sequence, time, hash, payload FROM express WHERE install = ? AND epoch = ? AND sequence BETWEEN ? AND ? ORDER BY sequence",
      append.install, append.epoch, Int64(first), Int64(last))
    for row in rows {
      let sequence: UInt64 = try row("sequence")
      let ordered = append.records[Int(sequence - append.firstSequence)]
      guard ordered.fault == nil else { continue }
      let ahead = DeliveredExpress(
        epoch: append.epoch, sequence: sequence,
        record: DeliveredRecord(time: try row("time"), leaf: try row("hash"), payload: try row("payload")))
      if ahead.record.leaf != ordered.leaf {
        try keepConflict(ahead, append.install, heldHash: ordered.leaf, now: now, db)
        stored.conflicts.append(ConflictingRecord(sequence: sequence, heldHash: ahead.record.leaf))
      }
      try db.execute(
        "DELETE FROM express WHERE install = ? AND epoch = ? AND sequence = ?", append.install, append.epoch,
        Int64(sequence))
    }
  }

  /// The rows under one identity, as inspection shows them.
  static func held(
    under install: InstallNumber, _ epoch: UInt32, _ sequence: UInt64, _ db: any SQLConnection
  ) throws -> [HeldRecord] {
    try db.rows(
      "SELECT time, hash, payload, received_at FROM express WHERE install = ? AND epoch = ? AND sequence = ?", install,
      epoch, Int64(sequence)
    ).map { row in
      HeldRecord(
        kind: .express, time: try row("time"), hash: try row("hash"), payload: try row("payload"), reason: nil,
        receivedAt: try row("received_at"))
    }
  }

  /// - Parameter place: only what is behind it, in order of places; nil: the newest first.
  static func listed(
    _ kind: HeldRecord.Kind, _ install: InstallNumber, after place: Holding? = nil, limit: Int, _ db: any SQLConnection
  ) throws -> [ListedRecord] {
    let columns: String
    switch kind {
    case .accepted: return []
    case .rejected:
      columns = "leaf AS hash, NULL AS held_hash, reason, length(payload) AS bytes, received_at FROM rejection"
    case .conflicting: columns = "hash, held_hash, NULL AS reason, length(payload) AS bytes, received_at FROM conflict"
    case .express:
      columns = "hash, NULL AS held_hash, NULL AS reason, length(payload) AS bytes, received_at FROM express"
    }
    var arguments = [install.sqlValue]
    var rest = "ORDER BY received_at DESC, epoch DESC, sequence DESC"
    if let place {
      rest = "AND (epoch > ? OR epoch = ? AND sequence > ?) ORDER BY epoch, sequence"
      arguments += [place.epoch.sqlValue, place.epoch.sqlValue, .integer(Int64(clamping: place.sequence))]
    }
    return try db.rows(
      "SELECT epoch, sequence, \(columns) WHERE install = ? \(rest) LIMIT ?", arguments + [limit.sqlValue]
    ).map { row in
      ListedRecord(
        kind: kind, epoch: try row("epoch"), sequence: try row("sequence"), hash: try row("hash"),
        heldHash: try row("held_hash"), payloadBytes: try row("bytes"), reason: try row("reason"),
        receivedAt: try row("received_at"))
    }
  }
}

extension Express {
  /// The leaf of what is there under this identity: in its turn, or ahead of it; nil for nothing.
  private static func held(_ express: DeliveredExpress, _ install: InstallNumber, _ db: any SQLConnection) throws
    -> Digest?
  {
    let queries = [
      "SELECT hash FROM record WHERE install = ? AND epoch = ? AND sequence = ?",
      "SELECT leaf FROM rejection WHERE stands = 1 AND install = ? AND epoch = ? AND sequence = ?",
      "SELECT hash FROM express WHERE install = ? AND epoch = ? AND sequence = ?",
    ]
    for query in queries {
      if let leaf: Digest = try db.value(query, install, express.epoch, Int64(express.sequence)) { return leaf }
    }
    let losses = try Loss.all(install, express.epoch, db)
    return losses.contains { $0.contains(express.sequence) } ? .zero : nil
  }

  /// Whether one more may be kept. Of an install that keeps as many as it may, those go first whose turn has not come for so long that it will not.
  private static func hasRoom(
    for express: DeliveredExpress, _ install: InstallNumber, now: Int64, _ db: any SQLConnection
  )
    throws
    -> Bool
  {
    func fits() throws -> Bool {
      let row = try db.row(
        "SELECT count(*) AS records, CAST(coalesce(sum(length(payload)), 0) AS BIGINT) AS bytes FROM express WHERE install = ?",
        install)
      guard let row else { return true }
      let (records, bytes): (Int, Int) = (try row("records"), try row("bytes"))
      return records < HubLimits.expressRecordsMax
        && bytes + express.record.payload.count <= HubLimits.expressBytesMax
    }
    if try fits() { return true }
    try db.execute(
      "DELETE FROM express WHERE install = ? AND received_at < ?", install, now - HubLimits.expressKept.milliseconds)
    return try fits()
  }

  private static func keepConflict(
    _ express: DeliveredExpress, _ install: InstallNumber, heldHash: Digest, now: Int64, _ db: any SQLConnection
  ) throws {
    try db.execute(
      """
      INSERT INTO conflict (install, epoch, sequence, held_hash, hash, time, payload, received_at)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      ON CONFLICT (install, epoch, sequence, hash) DO NOTHING
      """,
      install, express.epoch, Int64(express.sequence), heldHash.bytes, express.record.leaf.bytes, express.record.time,
      express.record.payload, now)
  }
}
