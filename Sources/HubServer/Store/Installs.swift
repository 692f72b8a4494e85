// Enrolment, installs, certificates and health.
//
// Enrolment is one transaction (code, install, certificate, audit). A crash before its commit leaves nothing; a crash
// after it, before the agent has the answer, is healed by the agent asking again with the same enrolment id and key.

internal import FoundationEssentials
internal import HubDatabase

extension SQLStore {
  // MARK: Enrolment

  package func enrol(
    _ request: EnrolmentRequest, now: Int64, issue: @Sendable @escaping (String) throws -> IssuedCertificate
  ) async throws -> EnrolmentOutcome {
    try await write { db in
      let earlier = try db.row(
        """
        SELECT i.number, i.public_key_hash, i.journal_id, i.journal_key, i.enrolled_at, i.revoked_at, c.hash, c.revoked_at AS code_revoked_at
        FROM install i JOIN datalink_code c ON c.number = i.code WHERE i.enrolment_id = ?
        """, request.enrolmentID)
      if let earlier { return try Self.repeated(request, earlier: earlier, now: now, issue: issue, db) }
      return try Self.first(request, now: now, issue: issue, db)
    }
  }

  private static func first(
    _ request: EnrolmentRequest, now: Int64, issue: (String) throws -> IssuedCertificate, _ db: any SQLConnection
  ) throws -> EnrolmentOutcome {
    guard
      let code = try db.row(
        "SELECT number, entity, uses, uses_max, expires_at, revoked_at, replaces FROM datalink_code WHERE hash = ?",
        request.codeHash)
    else { return .refused(reason: "unknown") }
    if try code("revoked_at") as Int64? != nil { return .refused(reason: "revoked") }
    let (uses, usesMax): (Int, Int) = (try code("uses"), try code("uses_max"))
    let expiresAt: Int64 = try code("expires_at")
    guard uses < usesMax else { return .refused(reason: "used up") }
    guard now < expiresAt else { return .refused(reason: "expired") }

    let id = UUID().uuidString.lowercased()
    let (number, entity): (Int64, Int64) = (try code("number"), try code("entity"))
    try db.execute("UPDATE datalink_code SET uses = uses + 1 WHERE number = ?", number)
    let install = InstallNumber(
      try db.inserted(
        """
        INSERT INTO install (id, entity, code, enrolment_id, public_key_hash, journal_id, journal_key, host_name, operating_system,
          agent_version, enrolled_at)
        VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """,
        id, entity, number, request.enrolmentID, request.publicKeyHash, request.journalID, request.journalKey,
        request.machine.hostName, request.machine.operatingSystem, request.machine.agentVersion, now))
    let certificate = try issue(id)
    try insert(certificate, install, now, db)
    try insert(
      AuditEntry(at: now, action: "install.enrolled", subject: id, peer: request.peer, detail: "code \(number)"), db)
    if let replaced: InstallNumber = try code("replaces") {
      try replace(replaced, by: install, peer: request.peer, now: now, db)
    }
    return .enrolled(try require(install, db), certificate, repeated: false)
  }

  private static func repeated(
    _ request: EnrolmentRequest, earlier: SQLRow, now: Int64, issue: (String) throws -> IssuedCertificate,
    _ db: any SQLConnection
  ) throws -> EnrolmentOutcome {
    // The code first: without it, nobody learns that an enrolment id was used.
    guard try earlier("hash") == request.codeHash else {
      return .refused(reason: "not the code of this enrolment")
    }
    if try earlier("code_revoked_at") as Int64? != nil { return .refused(reason: "revoked") }
    if try earlier("revoked_at") as Int64? != nil { return .refused(reason: "the install was revoked") }
    guard try now <= earlier("enrolled_at") as Int64 + HubLimits.enrolmentRepeatWindow.milliseconds else {
      return .refused(reason: "used up")
    }
    guard try earlier("public_key_hash") == request.publicKeyHash else {
      return .mismatch(reason: "this enrolment was begun with another key; begin a new one with a new code")
    }
    guard try earlier("journal_id") == request.journalID,
      try earlier("journal_key") == request.journalKey
    else {
      return .mismatch(reason: "this enrolment was begun for another journal; begin a new one with a new code")
    }
    let install = try require(try earlier("number"), db)
    let certificate = try issue(install.id)
    try insert(certificate, install.number, now, db)
    try insert(
      AuditEntry(at: now, action: "install.enrolled-again", subject: install.id, peer: request.peer, detail: ""), db)
    return .enrolled(install, certificate, repeated: true)
  }

  // MARK: Certificates

  static func insert(
    _ certificate: IssuedCertificate, _ install: InstallNumber, origin: RenewalOrigin? = nil, _ now: Int64,
    _ db: any SQLConnection
  ) throws {
    try pruneUnused(install, db)
    try db.execute(
      """
      INSERT INTO certificate (serial, install, der, not_before, not_after, issued_at, renewed_from, peer)
      VALUES (?, ?, ?, ?, ?, ?, ?, ?)
      """,
      certificate.serial, install, certificate.der, certificate.notBefore, certificate.notAfter, now, origin?.serial,
      origin?.peer)
  }

  package func addCertificate(
    _ certificate: IssuedCertificate, install: InstallNumber, origin: RenewalOrigin, now: Int64
  ) async throws {
    try await write { db in
      try Self.insert(certificate, install, origin: origin, now, db)
      let id = try Self.require(install, db).id
      let detail = "\(certificate.serial) with \(origin.serial)"
      try Self.insert(
        AuditEntry(at: now, action: "certificate.renewed", subject: id, peer: origin.peer, detail: detail), db)
    }
  }

  package func useCertificate(serial: String, now: Int64) async throws -> CertificateStanding {
    let (standing, isFirstUse) = try await read { db in try Self.standing(serial, now, db) }
    guard isFirstUse, case .good = standing else { return standing }
    return try await write { db in
      // Looked at again: the install may have been revoked in between.
      let (standing, isFirstUse) = try Self.standing(serial, now, db)
      guard isFirstUse, case .good(let install) = standing else { return standing }
      try db.execute("UPDATE certificate SET first_used_at = ? WHERE serial = ?", now, serial)
      try db.execute(
        """
        UPDATE certificate SET superseded_at = ?
        WHERE install = ? AND superseded_at IS NULL AND number < (SELECT number FROM certificate WHERE serial = ?)
        """, now, install.number, serial)
      return standing
    }
  }

  private static func standing(_ serial: String, _ now: Int64, _ db: any SQLConnection) throws -> (
    CertificateStanding, isFirstUse: Bool
  ) {
    guard
      let row = try db.row(
        "SELECT install, first_used_at, superseded_at, revoked_at FROM certificate WHERE serial = ?", serial)
    else { return (.unknown, false) }
    let install = try require(try row("install"), db)
    if let revokedAt = install.revokedAt { return (.revoked(at: revokedAt), false) }
    if let revokedAt: Int64 = try row("revoked_at") { return (.certificateRevoked(at: revokedAt), false) }
    if let superseded = try row("superseded_at") as Int64?, now > superseded + HubLimits.supersededGrace.milliseconds {
      return (.superseded(at: superseded), false)
    }
    return (.good(install), try row("first_used_at") as Int64? == nil)
  }

  package func certificates(of install: InstallNumber) async throws -> [CertificateRecord] {
    try await read { db in try Self.certificates(install, db) }
  }

  static func certificates(_ install: InstallNumber, _ db: any SQLConnection) throws -> [CertificateRecord] {
    try db.rows("SELECT * FROM certificate WHERE install = ? ORDER BY number", install).map {
      CertificateRecord(
        serial: try $0("serial"), notBefore: try $0("not_before"), notAfter: try $0("not_after"),
        issuedAt: try $0("issued_at"), firstUsedAt: try $0("first_used_at"), supersededAt: try $0("superseded_at"),
        revokedAt: try $0("revoked_at"), renewedFrom: try $0("renewed_from"), peer: try $0("peer"))
    }
  }

  // MARK: Installs

  static let selectInstall =
    "SELECT i.*, e.name AS entity_name FROM install i JOIN entity e ON e.number = i.entity"

  static func require(_ number: InstallNumber, _ db: any SQLConnection) throws -> Install {
    guard let row = try db.row("\(selectInstall) WHERE i.number = ?", number) else {
      throw HubError(.configuration, "The database names an install that it does not hold. Restore it from its backup.")
    }
    return try install(row)
  }

  static func install(_ row: SQLRow) throws -> Install {
    Install(
      number: try row("number"), id: try row("id"), entity: try row("entity_name"),
      journalID: try row("journal_id"), journalKey: try row("journal_key"),
      machine: MachineDescription(
        hostName: try row("host_name"), operatingSystem: try row("operating_system"),
        agentVersion: try row("agent_version")),
      enrolledAt: try row("enrolled_at"), seenAt: try row("seen_at"), revokedAt: try row("revoked_at"))
  }

  package func installs() async throws -> [Install] {
    try await read { db in try db.rows("\(Self.selectInstall) ORDER BY i.number").map(Self.install) }
  }

  package func install(id: String) async throws -> Install? {
    try await read { db in try db.row("\(Self.selectInstall) WHERE i.id = ?", id.lowercased()).map(Self.install) }
  }

  package func revokeInstall(id: String, now: Int64) async throws {
    try await write { db in
      guard let number: InstallNumber = try db.value("SELECT number FROM install WHERE id = ?", id.lowercased()) else {
        throw HubError(
          .notFound, "There is no install with the id '\(id)', which is needed in full. See `pthub install list`.")
      }
      let changed = try db.execute(
        "UPDATE install SET revoked_at = ? WHERE number = ? AND revoked_at IS NULL", now, number)
      if changed > 0 {
        try Self.endJobs(of: number, because: "The install was revoked.", now: now, db)
        try Self.insert(
          AuditEntry(at: now, action: "install.revoked", subject: id.lowercased(), peer: "", detail: ""), db)
      }
    }
  }

  package func noteSeen(_ install: InstallNumber, agentVersion: String, now: Int64) async throws {
    try await write { db in
      try db.execute("UPDATE install SET seen_at = ?, agent_version = ? WHERE number = ?", now, agentVersion, install)
    }
  }

  // MARK: Health

  package func health(of install: InstallNumber) async throws -> HealthReport? {
    try await read { db in
      try db.row("SELECT json, received_at FROM health WHERE install = ?", install).map {
        HealthReport(json: try $0("json"), receivedAt: try $0("received_at"))
      }
    }
  }
}
