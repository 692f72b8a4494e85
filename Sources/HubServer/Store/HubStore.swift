// What the hub asks of a store. SQLite is the embedded default; another database conforms to the same protocols and
// passes the same tests.
//
// Every call is one transaction: when it returns, what it did is durable, and when it throws, nothing of it was done.
// Calls may come from any number of tasks, and other processes may work on the same store.

/// Records: written by delivery, read by inspection.
package protocol RecordStore: Sendable {
  /// Stores what is new of `appends`, all in one transaction, in order. An append that cannot be stored (a gap, a
  /// revoked install) leaves the others alone. Duplicates and conflicts are found here, because only the transaction
  /// knows what is held.
  ///
  /// - Returns: one outcome per append. They may be told to the agents: the transaction is durable.
  func append(_ appends: [Append], now: Int64) async throws -> [AppendOutcome]

  /// What is held of each epoch of an install, in the order of epochs.
  func holdings(of install: InstallNumber) async throws -> [Holding]

  /// Verifies a checkpoint against what is held, and stores it with the result.
  func keep(_ checkpoint: DeliveredCheckpoint, now: Int64) async throws -> CheckpointOutcome

  /// Each epoch of an install, its root computed again from the rows.
  func summaries(of install: InstallNumber) async throws -> [EpochSummary]

  /// Everything that is held under one identity: the record or its rejection first, then those in conflict with it.
  func records(of install: InstallNumber, epoch: UInt32, sequence: UInt64) async throws -> [HeldRecord]

  /// Keeps records that came ahead of their turn until that comes, all in one transaction.
  ///
  /// - Returns: one outcome per record.
  func keepExpress(_ records: [DeliveredExpress], of install: InstallNumber, now: Int64) async throws
    -> [ExpressOutcome]

  /// The rejected or conflicting records of an install behind a place, in order of places.
  func listed(_ kind: HeldRecord.Kind, of install: InstallNumber, after place: Holding, limit: Int) async throws
    -> [ListedRecord]

  /// The rejected, conflicting or express records of an install, the newest first; accepted ones are not listed.
  func listed(_ kind: HeldRecord.Kind, of install: InstallNumber, limit: Int) async throws -> [ListedRecord]
}

/// Entities, codes, installs, certificates, health and the audit trail.
package protocol RegistryStore: Sendable {
  /// - Throws: `HubError` 64 if there is an entity of this name.
  func addEntity(named name: String, now: Int64) async throws
  func entities() async throws -> [Entity]

  /// - Throws: `HubError` 65 if there is no such entity.
  func addCode(hash: [UInt8], entity: String, usesMax: Int, expiresAt: Int64, now: Int64) async throws -> CodeRecord
  func codes() async throws -> [CodeRecord]
  /// - Throws: `HubError` 65 if there is no such code. A code that was revoked before stays so.
  func revokeCode(number: Int64, now: Int64) async throws
  func revokeCode(hash: [UInt8], now: Int64) async throws

  /// Uses the code and makes the install, or finds the install that this enrolment made before; keeps the certificate.
  ///
  /// - Parameter issue: makes a certificate for the install id; called inside the transaction, at most once.
  func enrol(
    _ request: EnrolmentRequest, now: Int64, issue: @Sendable @escaping (String) throws -> IssuedCertificate
  ) async throws -> EnrolmentOutcome

  /// Keeps a renewed certificate of an install.
  func addCertificate(
    _ certificate: IssuedCertificate, install: InstallNumber, origin: RenewalOrigin, now: Int64
  ) async throws

  /// Whose certificate this is. The first use of a newer one supersedes the older ones of its install.
  func useCertificate(serial: String, now: Int64) async throws -> CertificateStanding
  func certificates(of install: InstallNumber) async throws -> [CertificateRecord]
  /// Takes a certificate that was issued before the database was put back, if its install is known and in use (`Restoration`).
  ///
  /// - Returns: whether it was taken.
  func adopt(_ certificate: IssuedCertificate, ofInstall id: String, now: Int64) async throws -> Bool

  func installs() async throws -> [Install]
  func install(id: String) async throws -> Install?
  /// - Throws: `HubError` 65 if there is no such install. One that was revoked before stays so.
  func revokeInstall(id: String, now: Int64) async throws
  /// Remembers that the install was there, and with which version.
  func noteSeen(_ install: InstallNumber, agentVersion: String, now: Int64) async throws

  func keepHealth(_ json: String, install: InstallNumber, now: Int64) async throws
  func health(of install: InstallNumber) async throws -> HealthReport?

  func audit(_ entry: AuditEntry) async throws
  /// The newest first.
  func auditTrail(limit: Int) async throws -> [AuditEntry]

  // What becomes of identities (SQLiteIdentities.swift).

  /// Revokes one certificate of an install; the others stay as they are.
  ///
  /// - Throws: `HubError` 65 if the install has no such certificate. One that was revoked before stays so.
  /// - Parameter withRenewed: also those that were renewed from it, and from these.
  /// - Returns: what was renewed from it and is not revoked.
  @discardableResult
  func revokeCertificate(
    serial: String, ofInstall id: String, withRenewed: Bool, now: Int64
  ) async throws -> [CertificateRecord]
  /// Shows one install as replaced by another, and revokes it.
  ///
  /// - Throws: `HubError` 65 if there is no such install, 64 if they are one, of two entities, or `id` was replaced already.
  func replaceInstall(id: String, by other: String, now: Int64) async throws
  /// A one-time code with which a machine enrols in the place of an install.
  ///
  /// - Throws: `HubError` 65 if there is no such install, 64 if it was replaced already.
  func addReplacementCode(hash: [UInt8], for id: String, expiresAt: Int64, now: Int64) async throws -> CodeRecord
  /// What ended, and may still have a stream open.
  func endedIdentities(in window: EndedWindow) async throws -> EndedIdentities
  /// Remembers that an install's identity seems to be in two places, with an entry in the audit trail.
  ///
  /// - Returns: false if that was remembered less than `HubLimits.doubtInterval` ago; nothing was done then.
  func doubt(_ install: InstallNumber, _ detail: String, peer: String, now: Int64) async throws -> Bool
  /// Takes an operator's word that the doubt is settled.
  ///
  /// - Throws: `HubError` 65 if there is no such install.
  func settleDoubt(id: String, now: Int64) async throws
  /// What is said of installs beside what they are.
  func remarks() async throws -> [InstallNumber: InstallRemarks]
  /// Of each install that is not revoked, the certificate that it uses, DER: the newest that was used, or the newest where none was.
  func certificatesInUse() async throws -> [(install: Install, certificate: [UInt8])]
}

package typealias HubStore = RecordStore & RegistryStore
