// What becomes of identities in SQLite: revoked certificates, replaced installs, doubts.

internal import FoundationEssentials
internal import GRDB

extension SQLiteStore {
  // MARK: Revocation

  package func revokeCertificate(serial: String, ofInstall id: String, now: Int64) async throws {
    try await write { db in
      let found = try Row.fetchOne(
        db,
        sql: """
          SELECT c.number, c.revoked_at FROM certificate c JOIN install i ON i.number = c.install
          WHERE c.serial = ? AND i.id = ?
          """, arguments: [serial.lowercased(), id.lowercased()])
      guard let found else {
        throw HubError(
          .notFound, "The install '\(id)' has no certificate '\(serial)'. See `pthub install show \(id)`.")
      }
      guard found["revoked_at"] as Int64? == nil else { return }
      try db.execute(
        sql: "UPDATE certificate SET revoked_at = ? WHERE number = ?", arguments: [now, found["number"] as Int64])
      try Self.insert(
        AuditEntry(
          at: now, action: "certificate.revoked", subject: id.lowercased(), peer: "", detail: serial.lowercased()), db)
    }
  }

  package func endedIdentities(in window: EndedWindow) async throws -> EndedIdentities {
    try await read { db in
      EndedIdentities(
        installs: Set(
          try Int64.fetchAll(
            db, sql: "SELECT number FROM install WHERE revoked_at >= ?", arguments: [window.revokedSince]
          ).map { InstallNumber($0) }),
        revoked: Set(
          try String.fetchAll(
            db, sql: "SELECT serial FROM certificate WHERE revoked_at >= ?", arguments: [window.revokedSince])),
        superseded: Set(
          try String.fetchAll(
            db, sql: "SELECT serial FROM certificate WHERE superseded_at >= ? AND superseded_at < ?",
            arguments: [window.supersededSince, window.supersededBefore])))
    }
  }

  /// Certificates of an install that were issued and never used are kept up to a number: an agent may have the last of them, and no agent
  /// may fill the table.
  static func pruneUnused(_ install: InstallNumber, _ db: Database) throws {
    let unused = try Int64.fetchAll(
      db,
      sql: """
        SELECT number FROM certificate
        WHERE install = ? AND first_used_at IS NULL AND revoked_at IS NULL ORDER BY number DESC
        """,
      arguments: [install.rawValue])
    for number in unused.dropFirst(HubLimits.unusedCertificatesMax - 1) {
      try db.execute(sql: "DELETE FROM certificate WHERE number = ?", arguments: [number])
    }
  }

  // MARK: Replacement

  package func replaceInstall(id: String, by other: String, now: Int64) async throws {
    try await write { db in
      let (replaced, replacing) = (try Self.number(of: id, db), try Self.number(of: other, db))
      guard replaced != replacing else { throw HubError(.usage, "An install cannot replace itself.") }
      let entities = try Int64.fetchAll(
        db, sql: "SELECT entity FROM install WHERE number IN (?, ?)",
        arguments: [replaced.rawValue, replacing.rawValue])
      guard Set(entities).count == 1 else {
        throw HubError(.usage, "The two installs belong to two entities; one replaces another of its own entity only.")
      }
      try Self.refuseReplaced(replaced, id, db)
      guard try Self.require(replacing, db).revokedAt == nil else {
        throw HubError(.usage, "The install \(other) is revoked or replaced itself. Name the one that is in use.")
      }
      try Self.replace(replaced, by: replacing, peer: "", now: now, db)
    }
  }

  package func addReplacementCode(hash: [UInt8], for id: String, expiresAt: Int64, now: Int64) async throws
    -> CodeRecord
  {
    try await write { db in
      let replaced = try Self.number(of: id, db)
      try Self.refuseReplaced(replaced, id, db)
      let install = try Self.require(replaced, db)
      try db.execute(
        sql: """
          INSERT INTO datalink_code (hash, entity, uses_max, created_at, expires_at, replaces)
          SELECT ?, entity, 1, ?, ?, number FROM install WHERE number = ?
          """, arguments: [Data(hash), now, expiresAt, replaced.rawValue])
      let number = db.lastInsertedRowID
      try Self.insert(
        AuditEntry(
          at: now, action: "code.created", subject: "\(number)", peer: "",
          detail: "entity \(install.entity), replaces install \(install.id)"), db)
      return CodeRecord(
        number: number, entity: install.entity, usesMax: 1, uses: 0, createdAt: now, expiresAt: expiresAt,
        revokedAt: nil)
    }
  }

  private static func number(of id: String, _ db: Database) throws -> InstallNumber {
    guard
      let number = try Int64.fetchOne(db, sql: "SELECT number FROM install WHERE id = ?", arguments: [id.lowercased()])
    else { throw HubError(.notFound, "There is no install '\(id)'. See `pthub install list`.") }
    return InstallNumber(number)
  }

  private static func refuseReplaced(_ install: InstallNumber, _ id: String, _ db: Database) throws {
    let by = try String.fetchOne(
      db, sql: "SELECT b.id FROM install i JOIN install b ON b.number = i.replaced_by WHERE i.number = ?",
      arguments: [install.rawValue])
    if let by { throw HubError(.usage, "The install \(id) was replaced by \(by) already.") }
  }

  /// One that was replaced meanwhile stays as it is.
  static func replace(
    _ replaced: InstallNumber, by replacing: InstallNumber, peer: String, now: Int64, _ db: Database
  ) throws {
    try db.execute(
      sql: "UPDATE install SET replaced_by = ? WHERE number = ? AND replaced_by IS NULL",
      arguments: [replacing.rawValue, replaced.rawValue])
    guard db.changesCount > 0 else { return }
    try db.execute(
      sql: "UPDATE install SET revoked_at = ? WHERE number = ? AND revoked_at IS NULL",
      arguments: [now, replaced.rawValue])
    let (old, new) = (try require(replaced, db), try require(replacing, db))
    try insert(AuditEntry(at: now, action: "install.replaced", subject: old.id, peer: peer, detail: "by \(new.id)"), db)
  }

  // MARK: Doubts

  package func doubt(_ install: InstallNumber, _ detail: String, peer: String, now: Int64) async throws -> Bool {
    try await write { db in
      try db.execute(
        sql:
          "UPDATE install SET doubted_at = ?, doubt = ? WHERE number = ? AND (doubted_at IS NULL OR doubted_at <= ?)",
        arguments: [now, detail, install.rawValue, now - HubLimits.doubtInterval.milliseconds])
      guard db.changesCount > 0 else { return false }
      let id = try Self.require(install, db).id
      try Self.insert(AuditEntry(at: now, action: "identity.doubted", subject: id, peer: peer, detail: detail), db)
      return true
    }
  }

  package func settleDoubt(id: String, now: Int64) async throws {
    try await write { db in
      let number = try Self.number(of: id, db)
      try db.execute(
        sql: "UPDATE install SET doubted_at = NULL, doubt = NULL WHERE number = ? AND doubted_at IS NOT NULL",
        arguments: [number.rawValue])
      guard db.changesCount > 0 else { return }
      try Self.insert(
        AuditEntry(at: now, action: "identity.settled", subject: id.lowercased(), peer: "", detail: ""), db)
    }
  }

  package func remarks() async throws -> [InstallNumber: InstallRemarks] {
    try await read { db in
      let rows = try Row.fetchAll(
        db,
        sql: """
          SELECT i.number, b.id AS replaced_by, i.doubted_at, i.doubt FROM install i LEFT JOIN install b ON b.number = i.replaced_by
          WHERE i.replaced_by IS NOT NULL OR i.doubted_at IS NOT NULL
          """)
      return Dictionary(
        rows.map {
          (
            InstallNumber($0["number"]),
            InstallRemarks(replacedBy: $0["replaced_by"], doubtedAt: $0["doubted_at"], doubt: $0["doubt"])
          )
        }, uniquingKeysWith: { first, _ in first })
    }
  }

  // MARK: Roots

  package func certificatesInUse() async throws -> [(install: Install, certificate: [UInt8])] {
    try await read { db in
      try Row.fetchAll(
        db,
        sql: """
          SELECT i.*, e.name AS entity_name, c.der FROM install i JOIN entity e ON e.number = i.entity
          JOIN certificate c ON c.number = coalesce(
            (SELECT max(u.number) FROM certificate u
             WHERE u.install = i.number AND u.first_used_at IS NOT NULL AND u.revoked_at IS NULL),
            (SELECT max(u.number) FROM certificate u WHERE u.install = i.number AND u.revoked_at IS NULL))
          WHERE i.revoked_at IS NULL ORDER BY i.number
          """
      ).map { (Self.install($0), Array($0["der"] as Data)) }
    }
  }
}
