// Checkpoints and inspection: what is held, hashed again from the rows.

internal import Evidence
internal import FoundationEssentials
internal import GRDB
internal import OpenSSL

extension SQLiteStore {
  // MARK: Checkpoints

  package func keep(_ checkpoint: DeliveredCheckpoint, now: Int64) async throws -> CheckpointOutcome {
    let install = checkpoint.install.number
    let base = try await read { db in try Self.frontier(install, checkpoint.epoch, db) } ?? MerkleFrontier()
    guard checkpoint.sequence <= base.size else { return .ahead(held: base.size) }
    let losses = try await read { db in try Loss.all(install, checkpoint.epoch, db) }
    guard !losses.contains(where: { $0.lowerBound <= checkpoint.sequence }) else {
      return .refused(reason: "Checkpoint not verified: records below it are lost.")
    }
    // What is held up to a sequence never changes, so the root may be computed outside the transaction that keeps the
    // result.
    let frontier =
      checkpoint.sequence == base.size
      ? base : try await read { db in try Self.frontier(install, checkpoint.epoch, upTo: checkpoint.sequence, db) }
    let fault = CheckpointCheck.fault(in: checkpoint, root: frontier.root)
    try await write { db in
      try db.execute(
        sql: """
          INSERT OR IGNORE INTO checkpoint (install, epoch, sequence, note, verified, reason, frontier, received_at)
          VALUES (?, ?, ?, ?, ?, ?, ?, ?)
          """,
        arguments: [
          install.rawValue, checkpoint.epoch, Int64(checkpoint.sequence), checkpoint.note, fault == nil ? 1 : 0,
          fault ?? "",
          fault == nil ? Data(frontier.encoded) : nil, now,
        ])
    }
    return fault.map { .refused(reason: $0) } ?? .verified
  }

  /// The frontier at `sequence`, folded from the nearest verified checkpoint before it.
  private static func frontier(_ install: InstallNumber, _ epoch: UInt32, upTo sequence: UInt64, _ db: Database) throws
    -> MerkleFrontier
  {
    let encoded = try Data.fetchOne(
      db,
      sql: """
        SELECT frontier FROM checkpoint WHERE install = ? AND epoch = ? AND sequence <= ? AND verified = 1
        ORDER BY sequence DESC LIMIT 1
        """, arguments: [install.rawValue, epoch, Int64(sequence)])
    let start = encoded.flatMap { MerkleFrontier(encoded: $0) } ?? MerkleFrontier()
    let fold = try Leaves.fold(install, epoch, from: start, upTo: sequence, db)
    guard fold.frontier.size == sequence else {
      throw HubError(
        .configuration,
        "Records of install \(install.rawValue), epoch \(epoch), are missing though they were acknowledged. Stop the hub and restore the database from its backup."
      )
    }
    return fold.frontier
  }

  // MARK: Inspection

  package func summaries(of install: InstallNumber) async throws -> [EpochSummary] {
    try await read { db in
      let rows = try Row.fetchAll(
        db, sql: "SELECT epoch, held, frontier FROM journal WHERE install = ? ORDER BY epoch",
        arguments: [install.rawValue])
      return try rows.map { row in
        let epoch: UInt32 = row["epoch"]
        let held = UInt64(clamping: row["held"] as Int64)
        let fold = try Leaves.fold(install, epoch, from: MerkleFrontier(), upTo: .max, db)
        func count(_ sql: String) throws -> Int {
          try Int.fetchOne(db, sql: "SELECT count(*) FROM \(sql)", arguments: [install.rawValue, epoch]) ?? 0
        }
        let root = fold.frontier.root
        return EpochSummary(
          epoch: epoch, held: held,
          count: try count("record WHERE install = ? AND epoch = ?"),
          minSequence: fold.first, maxSequence: fold.last,
          gaps: fold.gaps + Int(clamping: held - min(held, fold.frontier.size + UInt64(fold.gaps))), lost: fold.lost,
          root: root,
          agrees: MerkleFrontier(encoded: row["frontier"] as Data)?.root == root,
          conflicts: try count("conflict WHERE install = ? AND epoch = ?"),
          rejections: try count("rejection WHERE install = ? AND epoch = ?"),
          checkpointsVerified: try count("checkpoint WHERE install = ? AND epoch = ? AND verified = 1"),
          checkpointsRefused: try count("checkpoint WHERE install = ? AND epoch = ? AND verified = 0"))
      }
    }
  }

  package func records(of install: InstallNumber, epoch: UInt32, sequence: UInt64) async throws -> [HeldRecord] {
    guard sequence <= HubLimits.sequenceMax else { return [] }
    return try await read { db in
      let identity: StatementArguments = [install.rawValue, epoch, Int64(sequence)]
      let accepted = try Row.fetchAll(
        db, sql: "SELECT time, hash, payload FROM record WHERE install = ? AND epoch = ? AND sequence = ?",
        arguments: identity
      ).map { row in
        HeldRecord(
          kind: .accepted, time: row["time"], hash: try digest(row["hash"]), payload: row["payload"], reason: nil,
          receivedAt: nil)
      }
      let rejected = try Row.fetchAll(
        db,
        sql: """
          SELECT time, leaf, payload, reason, received_at FROM rejection WHERE install = ? AND epoch = ? AND sequence = ?
          ORDER BY stands DESC, number
          """, arguments: identity
      ).map { row in
        HeldRecord(
          kind: .rejected, time: row["time"], hash: try digest(row["leaf"]), payload: row["payload"],
          reason: row["reason"],
          receivedAt: row["received_at"])
      }
      let conflicting = try Row.fetchAll(
        db,
        sql: """
          SELECT time, hash, payload, received_at FROM conflict WHERE install = ? AND epoch = ? AND sequence = ? ORDER BY number
          """, arguments: identity
      ).map { row in
        HeldRecord(
          kind: .conflicting, time: row["time"], hash: try digest(row["hash"]), payload: row["payload"], reason: nil,
          receivedAt: row["received_at"])
      }
      return accepted + rejected + conflicting + (try Express.held(under: identity, db))
    }
  }
}

/// The leaves of an epoch in the order of sequences: those of accepted records, and those that stand for rejected ones.
private enum Leaves {
  struct Fold {
    var frontier: MerkleFrontier
    var first: UInt64?
    var last: UInt64?
    /// Sequences that are missing between the leaves.
    var gaps = 0
    var lost: UInt64 = 0

    /// Puts zeros in the place of what is lost up to `sequence`; what then is still missing is a gap.
    mutating func pass(_ losses: [ClosedRange<UInt64>], upTo sequence: UInt64) {
      for loss in losses where loss.lowerBound == frontier.size + UInt64(gaps) + 1 && loss.upperBound <= sequence {
        frontier.appendZeros(through: frontier.size + (loss.upperBound - loss.lowerBound + 1))
        lost += loss.upperBound - loss.lowerBound + 1
      }
    }
  }

  /// Appends every leaf after `start` up to and with `sequence`.
  static func fold(
    _ install: InstallNumber, _ epoch: UInt32, from start: MerkleFrontier, upTo sequence: UInt64, _ db: Database
  ) throws -> Fold {
    let range: StatementArguments = [install.rawValue, epoch, Int64(clamping: start.size), Int64(clamping: sequence)]
    let cursor = try Row.fetchCursor(
      db,
      sql: """
        SELECT sequence, hash FROM record WHERE install = ? AND epoch = ? AND sequence > ? AND sequence <= ?
        UNION ALL
        SELECT sequence, leaf FROM rejection WHERE stands = 1 AND install = ? AND epoch = ? AND sequence > ? AND sequence <= ?
        ORDER BY sequence
        """, arguments: range + range)
    let losses = try Loss.all(install, epoch, db)
    var fold = Fold(frontier: start)
    while let row = try cursor.next() {
      let sequence = UInt64(clamping: row["sequence"] as Int64)
      fold.pass(losses, upTo: sequence)
      let expected = fold.frontier.size + UInt64(fold.gaps) + 1
      fold.gaps += Int(clamping: sequence - min(sequence, expected))
      fold.first = fold.first ?? sequence
      fold.last = sequence
      fold.frontier.append(try digest(row["hash"]))
    }
    fold.pass(losses, upTo: sequence)
    return fold
  }
}
