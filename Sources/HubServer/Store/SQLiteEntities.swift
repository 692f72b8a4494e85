// Entities and DataLink codes in SQLite.

internal import FoundationEssentials
internal import GRDB

extension SQLiteStore {
  package func addEntity(named name: String, now: Int64) async throws {
    try await write { db in
      let exists =
        try Bool.fetchOne(db, sql: "SELECT EXISTS (SELECT 1 FROM entity WHERE name = ?)", arguments: [name]) ?? false
      guard !exists else { throw HubError(.usage, "There is an entity named '\(name)' already. Choose another name.") }
      try db.execute(sql: "INSERT INTO entity (name, created_at) VALUES (?, ?)", arguments: [name, now])
      try Self.insert(AuditEntry(at: now, action: "entity.added", subject: name, peer: "", detail: ""), db)
    }
  }

  package func entities() async throws -> [Entity] {
    try await read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT name, created_at, (SELECT count(*) FROM install WHERE install.entity = entity.number) AS installs
          FROM entity ORDER BY name
          """
      ).map { Entity(name: $0["name"], createdAt: $0["created_at"], installs: $0["installs"]) }
    }
  }

  package func addCode(hash: [UInt8], entity: String, usesMax: Int, expiresAt: Int64, now: Int64) async throws
    -> CodeRecord
  {
    try await write { db in
      guard
        let row = try Row.fetchOne(db, sql: "SELECT number, name FROM entity WHERE name = ?", arguments: [entity])
      else {
        throw HubError(
          .notFound, "There is no entity named '\(entity)'. Add it with `pthub entity add`, or see `pthub entity list`."
        )
      }
      let name: String = row["name"]
      try db.execute(
        sql: "INSERT INTO datalink_code (hash, entity, uses_max, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        arguments: [Data(hash), row["number"] as Int64, usesMax, now, expiresAt])
      let number = db.lastInsertedRowID
      try Self.insert(
        AuditEntry(
          at: now, action: "code.created", subject: "\(number)", peer: "", detail: "entity \(name), uses \(usesMax)"),
        db)
      return CodeRecord(
        number: number, entity: name, usesMax: usesMax, uses: 0, createdAt: now, expiresAt: expiresAt, revokedAt: nil)
    }
  }

  package func codes() async throws -> [CodeRecord] {
    try await read { db in
      try Row.fetchAll(
        db,
        sql: """
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
    try await revokeCode(where: "hash = ?", Data(hash), shown: "of these digits", now: now)
  }

  private func revokeCode(
    where condition: String, _ value: some DatabaseValueConvertible & Sendable, shown: String, now: Int64
  ) async throws {
    try await write { db in
      guard
        let number = try Int64.fetchOne(
          db, sql: "SELECT number FROM datalink_code WHERE \(condition)", arguments: [value])
      else { throw HubError(.notFound, "There is no DataLink code \(shown). See `pthub code list`.") }
      try db.execute(
        sql: "UPDATE datalink_code SET revoked_at = ? WHERE number = ? AND revoked_at IS NULL",
        arguments: [now, number])
      if db.changesCount > 0 {
        try Self.insert(AuditEntry(at: now, action: "code.revoked", subject: "\(number)", peer: "", detail: ""), db)
      }
    }
  }

  private static func code(_ row: Row) -> CodeRecord {
    CodeRecord(
      number: row["number"], entity: row["name"], usesMax: row["uses_max"], uses: row["uses"],
      createdAt: row["created_at"], expiresAt: row["expires_at"], revokedAt: row["revoked_at"])
  }

  // MARK: Audit

  /// How many rows are added between two looks at the number of rows.
  private static let auditPruneInterval: Int64 = 1_000

  static func insert(_ entry: AuditEntry, _ db: Database) throws {
    try db.execute(
      sql: "INSERT INTO audit (at, action, subject, peer, detail) VALUES (?, ?, ?, ?, ?)",
      arguments: [entry.at, entry.action, entry.subject, entry.peer, entry.detail])
    let number = db.lastInsertedRowID
    if number % auditPruneInterval == 0 {
      try db.execute(sql: "DELETE FROM audit WHERE number <= ?", arguments: [number - Int64(HubLimits.auditRowsMax)])
    }
  }

  package func audit(_ entry: AuditEntry) async throws {
    try await write { try Self.insert(entry, $0) }
  }

  package func auditTrail(limit: Int) async throws -> [AuditEntry] {
    try await read { db in
      try Row.fetchAll(db, sql: "SELECT * FROM audit ORDER BY number DESC LIMIT ?", arguments: [limit]).map {
        AuditEntry(at: $0["at"], action: $0["action"], subject: $0["subject"], peer: $0["peer"], detail: $0["detail"])
      }
    }
  }
}
