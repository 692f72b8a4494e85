// Entities, DataLink codes and the audit trail.

internal import HubDatabase

extension SQLStore {
  package func addEntity(named name: String, now: Int64) async throws {
    try await write { db in
      guard try db.count("SELECT count(*) FROM entity WHERE lower(name) = lower(?)", name) == 0 else {
        throw HubError(.usage, "There is an entity named '\(name)' already. Choose another name.")
      }
      try db.execute("INSERT INTO entity (name, created_at) VALUES (?, ?)", name, now)
      try Self.insert(AuditEntry(at: now, action: "entity.added", subject: name, peer: "", detail: ""), db)
    }
  }

  package func entities() async throws -> [Entity] {
    try await read { db in
      try db.rows(
        """
        SELECT name, created_at, (SELECT count(*) FROM install WHERE install.entity = entity.number) AS installs
        FROM entity ORDER BY lower(name)
        """
      ).map { Entity(name: try $0("name"), createdAt: try $0("created_at"), installs: try $0("installs")) }
    }
  }

  package func addCode(hash: [UInt8], entity: String, usesMax: Int, expiresAt: Int64, now: Int64) async throws
    -> CodeRecord
  {
    try await write { db in
      guard let row = try db.row("SELECT number, name FROM entity WHERE lower(name) = lower(?)", entity) else {
        throw HubError(
          .notFound, "There is no entity named '\(entity)'. Add it with `pthub entity add`, or see `pthub entity list`."
        )
      }
      let (number, name): (Int64, String) = (try row("number"), try row("name"))
      let code: Int64 = try db.inserted(
        "INSERT INTO datalink_code (hash, entity, uses_max, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        hash, number, usesMax, now, expiresAt)
      try Self.insert(
        AuditEntry(
          at: now, action: "code.created", subject: "\(code)", peer: "", detail: "entity \(name), uses \(usesMax)"),
        db)
      return CodeRecord(
        number: code, entity: name, usesMax: usesMax, uses: 0, createdAt: now, expiresAt: expiresAt, revokedAt: nil)
    }
  }

  package func codes() async throws -> [CodeRecord] {
    try await read { db in
      try db.rows(
        """
        SELECT c.number, e.name, c.uses_max, c.uses, c.created_at, c.expires_at, c.revoked_at
        FROM datalink_code c JOIN entity e ON e.number = c.entity ORDER BY c.number
        """
      ).map(Self.code)
    }
  }

  package func revokeCode(number: Int64, now: Int64) async throws {
    try await revokeCode(where: "number = ?", number, shown: "numbered \(number)", now: now)
  }

  package func revokeCode(hash: [UInt8], now: Int64) async throws {
    try await revokeCode(where: "hash = ?", hash, shown: "of these digits", now: now)
  }

  private func revokeCode(
    where condition: String, _ value: some SQLArgument & Sendable, shown: String, now: Int64
  ) async throws {
    try await write { db in
      guard let number: Int64 = try db.value("SELECT number FROM datalink_code WHERE \(condition)", value) else {
        throw HubError(.notFound, "There is no DataLink code \(shown). See `pthub code list`.")
      }
      let changed = try db.execute(
        "UPDATE datalink_code SET revoked_at = ? WHERE number = ? AND revoked_at IS NULL", now, number)
      if changed > 0 {
        try Self.insert(AuditEntry(at: now, action: "code.revoked", subject: "\(number)", peer: "", detail: ""), db)
      }
    }
  }

  private static func code(_ row: SQLRow) throws -> CodeRecord {
    CodeRecord(
      number: try row("number"), entity: try row("name"), usesMax: try row("uses_max"), uses: try row("uses"),
      createdAt: try row("created_at"), expiresAt: try row("expires_at"), revokedAt: try row("revoked_at"))
  }

  // MARK: Audit

  /// How many rows are added between two looks at the number of rows.
  private static let auditPruneInterval: Int64 = 1_000

  static func insert(_ entry: AuditEntry, _ db: any SQLConnection) throws {
    let number: Int64 = try db.inserted(
      "INSERT INTO audit (at, action, subject, peer, detail) VALUES (?, ?, ?, ?, ?)",
      entry.at, entry.action, entry.subject, entry.peer, entry.detail)
    if number % auditPruneInterval == 0 {
      try db.execute("DELETE FROM audit WHERE number <= ?", number - Int64(HubLimits.auditRowsMax))
    }
  }

  package func audit(_ entry: AuditEntry) async throws {
    try await write { try Self.insert(entry, $0) }
  }

  package func auditTrail(limit: Int) async throws -> [AuditEntry] {
    try await read { db in
      try db.rows("SELECT * FROM audit ORDER BY number DESC LIMIT ?", limit).map {
        AuditEntry(
          at: try $0("at"), action: try $0("action"), subject: try $0("subject"), peer: try $0("peer"),
          detail: try $0("detail"))
      }
    }
  }
}
