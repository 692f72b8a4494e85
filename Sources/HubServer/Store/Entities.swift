// Entities, DataLink codes and the audit trail.

internal import HubDatabase

extension SQLStore {
  package func addEntity(named name: String, now: Int64) async throws {
    try await addEntity(named: name, by: nil, now: now)
  }

  package func addEntity(named name: String, by actor: Actor?, now: Int64) async throws {
    try await write { db in
      guard try db.count("SELECT count(*) FROM entity WHERE lower(name) = lower(?)", name) == 0 else {
        throw HubError(.usage, "There is an entity named '\(name)' already. Choose another name.")
      }
      let number = try db.inserted("INSERT INTO entity (name, created_at) VALUES (?, ?)", name, now)
      try Self.insert(
        AuditEntry(
          at: now, action: "entity.added", subject: name, peer: actor?.peer ?? "", detail: Self.words([], by: actor)),
        entity: number, db)
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
    try await addCode(
      hash: hash, entity: entity, within: .everything, usesMax: usesMax, expiresAt: expiresAt, by: nil, now: now)
  }

  /// - Parameter actor: who makes it, if the audit trail is to say so.
  /// - Throws: `HubError` 65 if there is no such entity within the scope.
  package func addCode(
    hash: [UInt8], entity: String, within scope: EntityScope, usesMax: Int, expiresAt: Int64, by actor: Actor?,
    now: Int64
  ) async throws -> CodeRecord {
    try await write { db in
      let (number, name) = try Self.entity(entity, within: scope, db)
      let code: Int64 = try db.inserted(
        "INSERT INTO datalink_code (hash, entity, uses_max, created_at, expires_at) VALUES (?, ?, ?, ?, ?)",
        hash, number, usesMax, now, expiresAt)
      try Self.insert(
        AuditEntry(
          at: now, action: "code.created", subject: "\(code)", peer: actor?.peer ?? "",
          detail: Self.words(["entity \(name)", "uses \(usesMax)"], by: actor)), entity: number, db)
      return CodeRecord(
        number: code, entity: name, usesMax: usesMax, uses: 0, createdAt: now, expiresAt: expiresAt, revokedAt: nil)
    }
  }

  package func codes() async throws -> [CodeRecord] { try await codes(within: .everything) }

  package func codes(within scope: EntityScope) async throws -> [CodeRecord] {
    let condition = scope.condition("c.entity")
    return try await read { db in
      try db.rows(
        """
        SELECT c.number, e.name, c.uses_max, c.uses, c.created_at, c.expires_at, c.revoked_at
        FROM datalink_code c JOIN entity e ON e.number = c.entity WHERE \(condition.sql) ORDER BY c.number
        """, condition.arguments
      ).map(Self.code)
    }
  }

  package func revokeCode(number: Int64, now: Int64) async throws {
    try await revokeCode(number: number, within: .everything, by: nil, now: now)
  }

  /// - Throws: `HubError` 65 if there is no such code within the scope.
  package func revokeCode(number: Int64, within scope: EntityScope, by actor: Actor?, now: Int64) async throws {
    try await revokeCode(where: "number = ?", number, shown: "numbered \(number)", within: scope, by: actor, now: now)
  }

  package func revokeCode(hash: [UInt8], now: Int64) async throws {
    try await revokeCode(where: "hash = ?", hash, shown: "of these digits", within: .everything, by: nil, now: now)
  }

  private func revokeCode(
    where condition: String, _ value: some SQLArgument & Sendable, shown: String, within scope: EntityScope,
    by actor: Actor?, now: Int64
  ) async throws {
    let place = scope.condition("entity")
    try await write { db in
      let found = try db.rows(
        "SELECT number, entity FROM datalink_code WHERE \(condition) AND \(place.sql)",
        [value.sqlValue] + place.arguments)
      guard let row = found.first else {
        throw HubError(.notFound, "There is no DataLink code \(shown). See `pthub code list`.")
      }
      let number: Int64 = try row("number")
      let changed = try db.execute(
        "UPDATE datalink_code SET revoked_at = ? WHERE number = ? AND revoked_at IS NULL", now, number)
      if changed > 0 {
        try Self.insert(
          AuditEntry(
            at: now, action: "code.revoked", subject: "\(number)", peer: actor?.peer ?? "",
            detail: Self.words([], by: actor)), entity: try row("entity"), db)
      }
    }
  }

  private static func code(_ row: SQLRow) throws -> CodeRecord {
    CodeRecord(
      number: try row("number"), entity: try row("name"), usesMax: try row("uses_max"), uses: try row("uses"),
      createdAt: try row("created_at"), expiresAt: try row("expires_at"), revokedAt: try row("revoked_at"))
  }

  // MARK: Audit

  /// What the audit trail says beside action and subject.
  static func words(_ words: [String], by actor: Actor?) -> String {
    (words + (actor.map { ["by \($0.name)"] } ?? [])).filter { !$0.isEmpty }.joined(separator: ", ")
  }

  /// How many rows are added between two looks at the number of rows.
  private static let auditPruneInterval: Int64 = 1_000

  /// - Parameter entity: whose it is; nil: that of the install that is its subject, if it is one.
  static func insert(_ entry: AuditEntry, entity: Int64? = nil, _ db: any SQLConnection) throws {
    let number: Int64 = try db.inserted(
      """
      INSERT INTO audit (at, action, subject, peer, detail, entity)
      VALUES (?, ?, ?, ?, ?, coalesce(?, (SELECT i.entity FROM install i WHERE i.id = ?)))
      """, entry.at, entry.action, entry.subject, entry.peer, entry.detail, entity, entry.subject)
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
