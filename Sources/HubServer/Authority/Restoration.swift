// What a restored hub takes that it does not know: certificates that it issued after its backup was made.
//
// Each day one agent in sixty renews its certificate. Those that did between the backup and the restore show a certificate that the
// restored database never heard of. It is this hub's own all the same: signed by its root, for an install that it knows. So a certificate with an
// unknown serial is taken, written down and audited, if
//
//   * one of the hub's roots signed it, for clients, and it is good now (checked before),
//   * it was issued after the last that the restored database has, and before the restore,
//   * the install that it names is known and neither revoked nor replaced.
//
// It then counts like any other: its first use replaces those before it, and it can be revoked. A certificate of an install that the database
// does not know is of no use.
//
//     restored.json    {"issuedUntil":...,"restoredAt":...}     milliseconds since 1970 UTC, by the hub's clock

internal import FoundationEssentials
internal import HubDatabase
internal import X509

struct Restoration: Sendable, Codable, Equatable {
  static let fileName = "restored.json"

  /// When the last certificate was issued that the backup knows.
  let issuedUntil: Int64
  let restoredAt: Int64

  /// - Throws: `HubError` 78 if the file is damaged.
  static func load(from directory: String) throws -> Restoration? {
    let path = "\(directory)/\(fileName)"
    guard let bytes = try SecretFile.read(path, secret: false) else { return nil }
    guard let restoration = try? JSONDecoder().decode(Restoration.self, from: Data(bytes)) else {
      throw HubError(.configuration, "\(path) is damaged. Remove it; agents that renewed since the backup enrol again.")
    }
    return restoration
  }

  func write(in directory: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try SecretFile.write(Array(try encoder.encode(self)), to: "\(directory)/\(Self.fileName)")
  }

  /// Whether a certificate was issued between backup and restore. Certificates begin `clockSkew` before they are issued.
  func covers(_ certificate: Certificate) -> Bool {
    let issuedAt = certificate.notValidBefore.milliseconds + HubLimits.clockSkew.milliseconds
    // X.509 knows whole seconds.
    return issuedAt >= issuedUntil - 1_000 && issuedAt <= restoredAt
  }
}

extension SQLStore {
  /// What is left to be done and told when a database was put back.
  struct Settled: Sendable {
    let issuedUntil: Int64
    let installs: Int
    let held: Int64
    let codesRevoked: Int
  }

  /// Revokes every code that could still be used, ends every login, and notes the restore.
  func settleAfterRestore(madeAt: Int64, now: Int64) async throws -> Settled {
    try await write { db in
      let revoked = try db.execute(
        "UPDATE datalink_code SET revoked_at = ? WHERE revoked_at IS NULL AND uses < uses_max AND expires_at > ?", now,
        now)
      // Whoever was disabled or logged out since would be in again.
      try db.execute("DELETE FROM console_session", batch: [[]])
      try Self.insert(
        AuditEntry(
          at: now, action: "hub.restored", subject: "", peer: "",
          detail: "from the backup of \(timeText(milliseconds: madeAt)); codes revoked: \(revoked)"), db)
      return Settled(
        issuedUntil: try db.value("SELECT COALESCE(max(issued_at), 0) AS last FROM certificate") ?? 0,
        installs: try db.count("SELECT count(*) FROM install"),
        held: try db.value("SELECT CAST(COALESCE(sum(held), 0) AS BIGINT) AS held FROM journal") ?? 0,
        codesRevoked: revoked)
    }
  }

  package func adopt(_ certificate: IssuedCertificate, ofInstall id: String, now: Int64) async throws -> Bool {
    try await write { db in
      let number: InstallNumber? = try db.value("SELECT number FROM install WHERE id = ? AND revoked_at IS NULL", id)
      guard let number else { return false }
      guard try db.count("SELECT count(*) FROM certificate WHERE serial = ?", certificate.serial) == 0 else {
        return true
      }
      try Self.insert(certificate, number, now, db)
      try Self.insert(
        AuditEntry(at: now, action: "certificate.adopted", subject: id, peer: "", detail: certificate.serial), db)
      return true
    }
  }

  /// Copies the database as of one moment into a new file.
  ///
  /// - Returns: false if it is one that is not copied so (PostgreSQL).
  /// - Throws: `HubError`.
  func copy(to path: String) async throws -> Bool {
    guard let sqlite = database as? SQLiteDatabase else { return false }
    do { try await sqlite.copy(to: path) } catch let failure as SQLFailure { throw HubError(failure) }
    return true
  }
}
