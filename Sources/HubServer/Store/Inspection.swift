// Checkpoints and inspection: what is held, hashed again from the rows.

internal import Evidence
internal import FoundationEssentials
internal import HubDatabase
internal import OpenSSL

extension SQLStore {
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
        """
        INSERT INTO checkpoint (install, epoch, sequence, note, verified, reason, frontier, received_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING
        """,
        install, checkpoint.epoch, Int64(checkpoint.sequence), checkpoint.note, fault == nil, fault ?? "",
        fault == nil ? frontier.encoded : nil, now)
    }
    return fault.map { .refused(reason: $0) } ?? .verified
  }

  /// The frontier at `sequence`, folded from the nearest verified checkpoint before it.
  private static func frontier(
    _ install: InstallNumber, _ epoch: UInt32, upTo sequence: UInt64, _ db: any SQLConnection
  ) throws
    -> MerkleFrontier
  {
    let encoded: Data? = try db.value(
      """
      SELECT frontier FROM checkpoint WHERE install = ? AND epoch = ? AND sequence <= ? AND verified = 1
      ORDER BY sequence DESC LIMIT 1
      """, install, epoch, Int64(sequence))
    let start = encoded.flatMap { MerkleFrontier(encoded: $0) } ?? MerkleFrontier()
    let fold = try Leaves.fold(install, epoch, from: start, upTo: sequence, db)
    guard fold.frontier.size == sequence else {
      throw HubError.damaged(
        "Records of install \(install.rawValue), epoch \(epoch), are missing though they were acknowledged.")
    }
    return fold.frontier
  }

  // MARK: Inspection

  package func summaries(of install: InstallNumber) async throws -> [EpochSummary] {
    try await read { db in
      let rows = try db.rows("SELECT epoch, held, frontier FROM journal WHERE install = ? ORDER BY epoch", install)
      return try rows.map { row in
        let (epoch, held): (UInt32, UInt64) = (try row("epoch"), try row("held"))
        let fold = try Leaves.fold(install, epoch, from: MerkleFrontier(), upTo: .max, db)
        func count(_ sql: String) throws -> Int { try db.count("SELECT count(*) FROM \(sql)", install, epoch) }
        let root = fold.frontier.root
        return EpochSummary(
          epoch: epoch, held: held,
          count: try count("record WHERE install = ? AND epoch = ?"),
          minSequence: fold.first, maxSequence: fold.last,
          gaps: fold.gaps + Int(clamping: held - min(held, fold.frontier.size + UInt64(fold.gaps))), lost: fold.lost,
          root: root,
          agrees: MerkleFrontier(encoded: try row("frontier") as Data)?.root == root,
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
      let number = Int64(sequence)
      let accepted = try db.rows(
        "SELECT time, hash, payload FROM record WHERE install = ? AND epoch = ? AND sequence = ?", install, epoch,
        number
      ).map { row in
        HeldRecord(
          kind: .accepted, time: try row("time"), hash: try row("hash"), payload: try row("payload"), reason: nil,
          receivedAt: nil)
      }
      let rejected = try db.rows(
        """
        SELECT time, leaf, payload, reason, received_at FROM rejection WHERE install = ? AND epoch = ? AND sequence = ?
        ORDER BY stands DESC, number
        """, install, epoch, number
      ).map { row in
        HeldRecord(
          kind: .rejected, time: try row("time"), hash: try row("leaf"), payload: try row("payload"),
          reason: try row("reason"), receivedAt: try row("received_at"))
      }
      let conflicting = try db.rows(
        """
        SELECT time, hash, payload, received_at FROM conflict WHERE install = ? AND epoch = ? AND sequence = ? ORDER BY number
        """, install, epoch, number
      ).map { row in
        HeldRecord(
          kind: .conflicting, time: try row("time"), hash: try row("hash"), payload: try row("payload"), reason: nil,
          receivedAt: try row("received_at"))
      }
      return accepted + rejected + conflicting + (try Express.held(under: install, epoch, sequence, db))
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
    _ install: InstallNumber, _ epoch: UInt32, from start: MerkleFrontier, upTo sequence: UInt64,
    _ db: any SQLConnection
  ) throws -> Fold {
    let range: [SQLValue] = [
      install.sqlValue, epoch.sqlValue, .integer(Int64(clamping: start.size)), .integer(Int64(clamping: sequence)),
    ]
    let losses = try Loss.all(install, epoch, db)
    var fold = Fold(frontier: start)
    try db.forEachRow(
      """
      SELECT sequence, hash FROM record WHERE install = ? AND epoch = ? AND sequence > ? AND sequence <= ?
      UNION ALL
      SELECT sequence, leaf FROM rejection WHERE stands = 1 AND install = ? AND epoch = ? AND sequence > ? AND sequence <= ?
      ORDER BY sequence
      """, range + range
    ) { row in
      let sequence: UInt64 = try row("sequence")
      fold.pass(losses, upTo: sequence)
      let expected = fold.frontier.size + UInt64(fold.gaps) + 1
      fold.gaps += Int(clamping: sequence - min(sequence, expected))
      fold.first = fold.first ?? sequence
      fold.last = sequence
      fold.frontier.append(try row("hash"))
    }
    fold.pass(losses, upTo: sequence)
    return fold
  }
}
