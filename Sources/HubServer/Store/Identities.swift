// What becomes of identities: revoked certificates, replaced installs, doubts.

internal import FoundationEssentials
internal import HubDatabase

extension SQLStore {
  // MARK: Revocation

  @discardableResult
  package func revokeCertificate(
    serial: String, ofInstall id: String, withRenewed: Bool = false, now: Int64
  ) async throws -> [CertificateRecord] {
    try await write { db in
      let install: InstallNumber? = try db.value("SELECT number FROM install WHERE id = ?", id.lowercased())
      let all = try install.map { try Self.certificates($0, db) } ?? []
      guard let named = all.first(where: { $0.serial == serial.lowercased() }) else {
        throw HubError(
          .notFound, "The install '\(id)' has no certificate '\(serial)'. See `pthub install show \(id)`.")
      }
      let renewed = Self.renewed(from: named, among: all)
      let ended = ([named] + (withRenewed ? renewed : [])).filter { $0.revokedAt == nil }
      for certificate in ended {
        try db.execute("UPDATE certificate SET revoked_at = ? WHERE serial = ?", now, certificate.serial)
        try Self.insert(
          AuditEntry(
            at: now, action: "certificate.revoked", subject: id.lowercased(), peer: "", detail: certificate.serial), db)
      }
      return withRenewed ? [] : renewed.filter { $0.revokedAt == nil }
    }
  }

  /// What was renewed from a certificate, and from that, in the order in which it was issued: a successor is always younger.
  private static func renewed(
    from first: CertificateRecord, among all: [CertificateRecord]
  ) -> [CertificateRecord] {
    var family: Set<String> = [first.serial]
    return all.filter { certificate in
      guard let origin = certificate.renewedFrom, family.contains(origin) else { return false }
      return family.insert(certificate.serial).inserted
    }
  }

  package func endedIdentities(in window: EndedWindow) async throws -> EndedIdentities {
    try await read { db in
      EndedIdentities(
        installs: Set(
          try db.rows("SELECT number FROM install WHERE revoked_at >= ?", window.revokedSince).map { try $0("number") }),
        revoked: Set(
          try db.rows("SELECT serial FROM certificate WHERE revoked_at >= ?", window.revokedSince).map {
            try $0("serial")
          }),
        superseded: Set(
          try db.rows(
            "SELECT serial FROM certificate WHERE superseded_at >= ? AND superseded_at < ?", window.supersededSince,
            window.supersededBefore
          ).map { try $0("serial") }))
    }
  }

  /// Certificates of an install that were issued and never used are kept up to a number: an agent may have the last of them, and no agent
  /// may fill the table.
  static func pruneUnused(_ install: InstallNumber, _ db: any SQLConnection) throws {
    let unused: [Int64] = try db.rows(
      """
      SELECT number FROM certificate
      WHERE install = ? AND first_used_at IS NULL AND revoked_at IS NULL ORDER BY number DESC
      """, install
    ).map { try $0("number") }
    try db.execute(
      "DELETE FROM certificate WHERE number = ?",
      batch: unused.dropFirst(HubLimits.unusedCertificatesMax - 1).map { [.integer($0)] })
  }

  // MARK: Replacement

  package func replaceInstall(id: String, by other: String, now: Int64) async throws {
    try await write { db in
      let (replaced, replacing) = (try Self.number(of: id, db), try Self.number(of: other, db))
      guard replaced != replacing else { throw HubError(.usage, "An install cannot replace itself.") }
      let entities: [Int64] = try db.rows(
        "SELECT entity FROM install WHERE number IN (?, ?)", replaced, replacing
      ).map { try $0("entity") }
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
    try await addReplacementCode(hash: hash, for: id, expiresAt: expiresAt, by: nil, now: now)
  }

  package func addReplacementCode(
    hash: [UInt8], for id: String, expiresAt: Int64, by actor: Actor?, now: Int64
  ) async throws -> CodeRecord {
    try await write { db in
      let replaced = try Self.number(of: id, db)
      try Self.refuseReplaced(replaced, id, db)
      let install = try Self.require(replaced, db)
      let number = try db.inserted(
        """
        INSERT INTO datalink_code (hash, entity, uses_max, created_at, expires_at, replaces)
        SELECT ?, entity, 1, ?, ?, number FROM install WHERE number = ?
        """, hash, now, expiresAt, replaced)
      try Self.insert(
        AuditEntry(
          at: now, action: "code.created", subject: "\(number)", peer: actor?.peer ?? "",
          detail: Self.words(["entity \(install.entity)", "replaces install \(install.id)"], by: actor)),
        entity: try db.value("SELECT entity FROM install WHERE number = ?", replaced), db)
      return CodeRecord(
        number: number, entity: install.entity, usesMax: 1, uses: 0, createdAt: now, expiresAt: expiresAt,
        revokedAt: nil)
    }
  }

  private static func number(of id: String, _ db: any SQLConnection) throws -> InstallNumber {
    guard
      let number: InstallNumber = try db.value("SELECT number FROM install WHERE id = ?", id.lowercased())
    else {
      throw HubError(
        .notFound, "There is no install with the id '\(id)', which is needed in full. See `pthub install list`.")
    }
    return number
  }

  private static func refuseReplaced(_ install: InstallNumber, _ id: String, _ db: any SQLConnection) throws {
    let by: String? = try db.value(
      "SELECT b.id FROM install i JOIN install b ON b.number = i.replaced_by WHERE i.number = ?", install)
    if let by { throw HubError(.usage, "The install \(id) was replaced by \(by) already.") }
  }

  /// One that was replaced meanwhile stays as it is.
  static func replace(
    _ replaced: InstallNumber, by replacing: InstallNumber, peer: String, now: Int64, _ db: any SQLConnection
  ) throws {
    let changed = try db.execute(
      "UPDATE install SET replaced_by = ? WHERE number = ? AND replaced_by IS NULL", replacing, replaced)
    guard changed > 0 else { return }
    try db.execute("UPDATE install SET revoked_at = ? WHERE number = ? AND revoked_at IS NULL", now, replaced)
    let (old, new) = (try require(replaced, db), try require(replacing, db))
    try insert(AuditEntry(at: now, action: "install.replaced", subject: old.id, peer: peer, detail: "by \(new.id)"), db)
    try endJobs(of: replaced, because: "The install was replaced by \(new.id).", now: now, db)
    try takeOverSettings(of: old, by: new, now: now, db)
  }

  // MARK: Doubts

  package func doubt(_ install: InstallNumber, _ detail: String, peer: String, now: Int64) async throws -> Bool {
    try await write { db in
      let changed = try db.execute(
        "UPDATE install SET doubted_at = ?, doubt = ? WHERE number = ? AND (doubted_at IS NULL OR doubted_at <= ?)",
        now, detail, install, now - HubLimits.doubtInterval.milliseconds)
      guard changed > 0 else { return false }
      let id = try Self.require(install, db).id
      try Self.insert(AuditEntry(at: now, action: "identity.doubted", subject: id, peer: peer, detail: detail), db)
      return true
    }
  }

  package func settleDoubt(id: String, now: Int64) async throws {
    try await write { db in
      let number = try Self.number(of: id, db)
      let changed = try db.execute(
        "UPDATE install SET doubted_at = NULL, doubt = NULL WHERE number = ? AND doubted_at IS NOT NULL", number)
      guard changed > 0 else { return }
      try Self.insert(
        AuditEntry(at: now, action: "identity.settled", subject: id.lowercased(), peer: "", detail: ""), db)
    }
  }

  package func remarks() async throws -> [InstallNumber: InstallRemarks] {
    try await read { db in
      let rows = try db.rows(
        """
        SELECT i.number, b.id AS replaced_by, i.doubted_at, i.doubt FROM install i LEFT JOIN install b ON b.number = i.replaced_by
        WHERE i.replaced_by IS NOT NULL OR i.doubted_at IS NOT NULL
        """)
      return Dictionary(
        try rows.map { row in
          (
            try row("number"),
            InstallRemarks(
              replacedBy: try row("replaced_by"), doubtedAt: try row("doubted_at"), doubt: try row("doubt"))
          )
        }, uniquingKeysWith: { first, _ in first })
    }
  }

  // MARK: Roots

  package func certificatesInUse() async throws -> [(install: Install, certificate: [UInt8])] {
    try await read { db in
      try db.rows(
        """
        SELECT i.*, e.name AS entity_name, c.der FROM install i JOIN entity e ON e.number = i.entity
        JOIN certificate c ON c.number = coalesce(
          (SELECT max(u.number) FROM certificate u
           WHERE u.install = i.number AND u.first_used_at IS NOT NULL AND u.revoked_at IS NULL),
          (SELECT max(u.number) FROM certificate u WHERE u.install = i.number AND u.revoked_at IS NULL))
        WHERE i.revoked_at IS NULL ORDER BY i.number
        """
      ).map { (try Self.install($0), try $0("der")) }
    }
  }
}
