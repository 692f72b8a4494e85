// Enrolment, installs, certificates and health in SQLite.
//
// Enrolment is one transaction (code, install, certificate, audit). A crash before its commit leaves nothing; a crash
// after it, before the agent has the answer, is healed by the agent asking again with the same enrolment id and key.

internal import FoundationEssentials
internal import GRDB

extension SQLiteStore {
  // MARK: Enrolment

  package func enrol(
    _ request: EnrolmentRequest, now: Int64, issue: @Sendable @escaping (String) throws -> IssuedCertificate
  ) async throws -> EnrolmentOutcome {
    try await write { db in
      let earlier = try Row.fetchOne(
        db,
        sql: """
          SELECT i.number, i.public_key_hash, i.journal_id, i.journal_key, i.enrolled_at, i.revoked_at, c.hash, c.revoked_at AS code_revoked_at
          FROM install i JOIN datalink_code c ON c.number = i.code WHERE i.enrolment_id = ?
          """, arguments: [Data(request.enrolmentID)])
      if let earlier { return try Self.repeated(request, earlier: earlier, now: now, issue: issue, db) }
      return try Self.first(request, now: now, issue: issue, db)
    }
  }

  private static func first(
    _ request: EnrolmentRequest, now: Int64, issue: (String) throws -> IssuedCertificate, _ db: Database
  ) throws -> EnrolmentOutcome {
    guard
      let code = try Row.fetchOne(
        db,
        sql:
          "SELECT number, entity, uses, uses_max, expires_at, revoked_at, replaces FROM datalink_code WHERE hash = ?",
        arguments: [Data(request.codeHash)])
    else { return .refused(reason: "unknown") }
    if code["revoked_at"] as Int64? != nil { return .refused(reason: "revoked") }
    let (uses, usesMax): (Int, Int) = (code["uses"], code["uses_max"])
    let expiresAt: Int64 = code["expires_at"]
    guard uses < usesMax else { return .refused(reason: "used up") }
    guard now < expiresAt else { return .refused(reason: "expired") }

    let id = UUID().uuidString.lowercased()
    let number: Int64 = code["number"]
    try db.execute(sql: "UPDATE datalink_code SET uses = uses + 1 WHERE number = ?", arguments: [number])
    try db.execute(
      sql: """
        INSERT INTO install (id, entity, code, enrolment_id, public_key_hash, journal_id, journal_key, host_name, operating_system,
          agent_version, enrolled_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
      arguments: [
        id, code["entity"] as Int64, number, Data(request.enrolmentID), Data(request.publicKeyHash),
        Data(request.journalID),
        Data(request.journalKey), request.machine.hostName, request.machine.operatingSystem,
        request.machine.agentVersion, now,
      ])
    let install = InstallNumber(db.lastInsertedRowID)
    let certificate = try issue(id)
    try insert(certificate, install, now, db)
    try insert(
      AuditEntry(at: now, action: "install.enrolled", subject: id, peer: request.peer, detail: "code \(number)"), db)
    if let replaced = code["replaces"] as Int64? {
      try replace(InstallNumber(replaced), by: install, peer: request.peer, now: now, db)
    }
    return .enrolled(try require(install, db), certificate, repeated: false)
  }

  private static func repeated(
    _ request: EnrolmentRequest, earlier: Row, now: Int64, issue: (String) throws -> IssuedCertificate, _ db: Database
  ) throws -> EnrolmentOutcome {
    // The code first: without it, nobody learns that an enrolment id was used.
    guard earlier["hash"] as Data == Data(request.codeHash) else {
      return .refused(reason: "not the code of this enrolment")
    }
    if earlier["code_revoked_at"] as Int64? != nil { return .refused(reason: "revoked") }
    if earlier["revoked_at"] as Int64? != nil { return .refused(reason: "the install was revoked") }
    guard now <= earlier["enrolled_at"] as Int64 + HubLimits.enrolmentRepeatWindow.milliseconds else {
      return .refused(reason: "used up")
    }
    guard earlier["public_key_hash"] as Data == Data(request.publicKeyHash) else {
      return .mismatch(reason: "this enrolment was begun with another key; begin a new one with a new code")
    }
    guard earlier["journal_id"] as Data == Data(request.journalID),
      earlier["journal_key"] as Data == Data(request.journalKey)
    else {
      return .mismatch(reason: "this enrolment was begun for another journal; begin a new one with a new code")
    }
    let install = try require(InstallNumber(earlier["number"]), db)
    let certificate = try issue(install.id)
    try insert(certificate, install.number, now, db)
    try insert(
      AuditEntry(at: now, action: "install.enrolled-again", subject: install.id, peer: request.peer, detail: ""), db)
    return .enrolled(install, certificate, repeated: true)
  }

  // MARK: Certificates

  private static func insert(_ certificate: IssuedCertificate, _ install: InstallNumber, _ now: Int64, _ db: Database)
    throws
  {
    try pruneUnused(install, db)
    try db.execute(
      sql: "INSERT INTO certificate (serial, install, der, not_before, not_after, issued_at) VALUES (?, ?, ?, ?, ?, ?)",
      arguments: [
        certificate.serial, install.rawValue, Data(certificate.der), certificate.notBefore, certificate.notAfter, now,
      ])
  }

  package func addCertificate(_ certificate: IssuedCertificate, install: InstallNumber, now: Int64) async throws {
    try await write { db in
      try Self.insert(certificate, install, now, db)
      let id = try Self.require(install, db).id
      try Self.insert(
        AuditEntry(at: now, action: "certificate.renewed", subject: id, peer: "", detail: certificate.serial), db)
    }
  }

  package func useCertificate(serial: String, now: Int64) async throws -> CertificateStanding {
    let (standing, isFirstUse) = try await read { db in try Self.standing(serial, now, db) }
    guard isFirstUse, case .good = standing else { return standing }
    return try await write { db in
      // Looked at again: the install may have been revoked in between.
      let (standing, isFirstUse) = try Self.standing(serial, now, db)
      guard isFirstUse, case .good(let install) = standing else { return standing }
      try db.execute(sql: "UPDATE certificate SET first_used_at = ? WHERE serial = ?", arguments: [now, serial])
      try db.execute(
        sql: """
          UPDATE certificate SET superseded_at = ?
          WHERE install = ? AND superseded_at IS NULL AND number < (SELECT number FROM certificate WHERE serial = ?)
          """, arguments: [now, install.number.rawValue, serial])
      return standing
    }
  }

  private static func standing(_ serial: String, _ now: Int64, _ db: Database) throws -> (
    CertificateStanding, isFirstUse: Bool
  ) {
    guard
      let row = try Row.fetchOne(
        db, sql: "SELECT install, first_used_at, superseded_at, revoked_at FROM certificate WHERE serial = ?",
        arguments: [serial])
    else { return (.unknown, false) }
    let install = try require(InstallNumber(row["install"]), db)
    if let revokedAt = install.revokedAt { return (.revoked(at: revokedAt), false) }
    if let revokedAt = row["revoked_at"] as Int64? { return (.certificateRevoked(at: revokedAt), false) }
    if let superseded = row["superseded_at"] as Int64?, now > superseded + HubLimits.supersededGrace.milliseconds {
      return (.superseded(at: superseded), false)
    }
    return (.good(install), row["first_used_at"] as Int64? == nil)
  }

  package func certificates(of install: InstallNumber) async throws -> [CertificateRecord] {
    try await read { db in
      try Row.fetchAll(
        db, sql: "SELECT * FROM certificate WHERE install = ? ORDER BY number", arguments: [install.rawValue]
      ).map {
        CertificateRecord(
          serial: $0["serial"], notBefore: $0["not_before"], notAfter: $0["not_after"], issuedAt: $0["issued_at"],
          firstUsedAt: $0["first_used_at"], supersededAt: $0["superseded_at"])
      }
    }
  }

  // MARK: Installs

  static let selectInstall =
    "SELECT i.*, e.name AS entity_name FROM install i JOIN entity e ON e.number = i.entity"

  static func require(_ number: InstallNumber, _ db: Database) throws -> Install {
    guard let row = try Row.fetchOne(db, sql: "\(selectInstall) WHERE i.number = ?", arguments: [number.rawValue])
    else {
      throw HubError(.configuration, "The database names an install that it does not hold. Restore it from its backup.")
    }
    return install(row)
  }

  static func install(_ row: Row) -> Install {
    Install(
      number: InstallNumber(row["number"]), id: row["id"], entity: row["entity_name"],
      journalID: Array(row["journal_id"] as Data), journalKey: Array(row["journal_key"] as Data),
      machine: MachineDescription(
        hostName: row["host_name"], operatingSystem: row["operating_system"], agentVersion: row["agent_version"]),
      enrolledAt: row["enrolled_at"], seenAt: row["seen_at"], revokedAt: row["revoked_at"])
  }

  package func installs() async throws -> [Install] {
    try await read { db in try Row.fetchAll(db, sql: "\(Self.selectInstall) ORDER BY i.number").map(Self.install) }
  }

  package func install(id: String) async throws -> Install? {
    try await read { db in
      try Row.fetchOne(db, sql: "\(Self.selectInstall) WHERE i.id = ?", arguments: [id.lowercased()]).map(Self.install)
    }
  }

  package func revokeInstall(id: String, now: Int64) async throws {
    try await write { db in
      guard
        let number = try Int64.fetchOne(
          db, sql: "SELECT number FROM install WHERE id = ?", arguments: [id.lowercased()])
      else {
        throw HubError(.notFound, "There is no install '\(id)'. See `pthub install list`.")
      }
      try db.execute(
        sql: "UPDATE install SET revoked_at = ? WHERE number = ? AND revoked_at IS NULL", arguments: [now, number])
      if db.changesCount > 0 {
        try Self.insert(
          AuditEntry(at: now, action: "install.revoked", subject: id.lowercased(), peer: "", detail: ""), db)
      }
    }
  }

  package func noteSeen(_ install: InstallNumber, agentVersion: String, now: Int64) async throws {
    try await write { db in
      try db.execute(
        sql: "UPDATE install SET seen_at = ?, agent_version = ? WHERE number = ?",
        arguments: [now, agentVersion, install.rawValue])
    }
  }

  // MARK: Health

  package func keepHealth(_ json: String, install: InstallNumber, now: Int64) async throws {
    try await write { db in
      try db.execute(
        sql: """
          INSERT INTO health (install, json, received_at) VALUES (?, ?, ?)
          ON CONFLICT (install) DO UPDATE SET json = excluded.json, received_at = excluded.received_at
          """, arguments: [install.rawValue, json, now])
    }
  }

  package func health(of install: InstallNumber) async throws -> HealthReport? {
    try await read { db in
      try Row.fetchOne(db, sql: "SELECT json, received_at FROM health WHERE install = ?", arguments: [install.rawValue])
        .map {
          HealthReport(json: $0["json"], receivedAt: $0["received_at"])
        }
    }
  }
}
