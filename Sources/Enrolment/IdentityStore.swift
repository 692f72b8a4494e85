// The identity on disk: `<state>/identity/`, mode 0700.
//
//   key-<16 hex>.pem    0600   a P-256 private key, PKCS#8; one per enrolment, never rewritten
//   pending.json        0600   {"version":1,"enrolment":"<32 hex>","key":"key-...pem"}        an enrolment under way
//   identity.json       0600   {"version":1,"install":...,"chain":[PEM],"roots":[PEM],"key":"key-...pem",...}   who we are
//   renewal.json        0600   {"version":1,"install":...,"from":"<64 hex>","key":"key-...pem","chain":[PEM],...}     a renewal under way (`Renewer`)
//
// Each file is replaced in one durable step, and identity.json is what counts: its rename is the moment at which this machine becomes an
// install. What a crash can leave behind, and what is then done:
//
//   key   pending  identity   crashed after            next time
//   -     -        -          nothing                  a new enrolment
//   yes   -        -          the key was written      the key is nobody's: it is removed, a new enrolment begins
//   yes   yes      -          pending was written,     the same id and key are sent again; the hub answers with the same install
//                             or the answer was lost
//   yes   yes      same key   the identity was stored  the event is journalled (perhaps a second time: the same fact), pending removed
//   yes   yes      other key  enrolling again began    as in the row before last, for the new key; the old identity counts until then
//   yes   -        same key   nothing                  enrolled
//
// Never guessed: an identity.json that cannot be read is an error and not "not enrolled", for a machine must not become two installs. Only
// who enrols again on purpose has it set aside, as identity-unreadable.json.

package import OpenSSL
package import Platform

internal import FoundationEssentials

/// Reads and writes the files above. Its methods block for a few milliseconds; there is one per state directory.
package struct IdentityStore: Sendable {
  package let directory: String

  /// - Parameter stateDirectory: of [state]; made when something is first written.
  package init(stateDirectory: String) { directory = stateDirectory + "/identity" }

  private var identityPath: String { directory + "/identity.json" }
  private var pendingPath: String { directory + "/pending.json" }
  private var renewalPath: String { directory + "/renewal.json" }

  private struct StoredPending: Codable {
    var version = 1
    var enrolment: String
    var key: String
    /// SHA-256 of the DataLink code that it was begun with; nil where an earlier release began it.
    var code: String?
  }

  private struct StoredIdentity: Codable {
    var version = 1
    var install: String
    var entity: String
    var chain: [String]
    var roots: [String]
    var key: String
    var dcam: String
    var hc: String
  }

  private struct StoredRenewal: Codable {
    var version = 1
    var install: String
    /// The fingerprint of the certificate that is renewed, hexadecimal.
    var from: String
    var key: String
    /// That of the certificate that is renewed.
    var oldKey: String
    /// Once the hub has answered.
    var chain: [String]?
    var roots: [String]?
  }

  /// The newest layout that this program reads.
  private static let version = 1

  // MARK: reading

  /// Who this machine is; nil when it was never enrolled.
  package func identity() throws(EnrolmentError) -> InstallIdentity? {
    guard let stored: StoredIdentity = try load(identityPath) else { return nil }
    guard stored.version <= Self.version else {
      throw unreadable(identityPath, "it has layout \(stored.version), which a newer program wrote")
    }
    let key = try key(in: stored.key)
    do {
      let chain = try stored.chain.map { try Certificate(pem: $0) }
      let roots = try stored.roots.map { try Certificate(pem: $0) }
      guard let own = chain.first, own.matches(key) else {
        throw unreadable(identityPath, "its certificate does not belong to the key \(stored.key)")
      }
      return InstallIdentity(
        installID: stored.install, entity: stored.entity, chain: chain, key: key, roots: roots,
        dcam: HostAndPort(stored.dcam), hc: HostAndPort(stored.hc))
    } catch let error as EnrolmentError {
      throw error
    } catch {
      throw unreadable(identityPath, "\(error)")
    }
  }

  /// The enrolment under way, if any.
  package func pending() throws(EnrolmentError) -> PendingEnrolment? {
    guard let stored: StoredPending = try load(pendingPath) else { return nil }
    guard stored.version <= Self.version, let id = bytes(hexadecimal: stored.enrolment), id.count == 16 else {
      throw unreadable(pendingPath, "it has no enrolment id that this program understands")
    }
    return PendingEnrolment(id: id, key: try key(in: stored.key), keyFile: stored.key, codeDigest: stored.code)
  }

  /// Whether an identity was stored whose event may not be in the journal yet.
  package func hasUnjournalledIdentity() throws(EnrolmentError) -> Bool {
    guard let pending: StoredPending = try load(pendingPath), let stored: StoredIdentity = try load(identityPath) else {
      return false
    }
    return pending.key == stored.key
  }

  // MARK: writing, in the order of an enrolment

  /// Makes a key and keeps it. Keys that no enrolment, no renewal and no identity names are removed first.
  func makeKey() throws(EnrolmentError) -> (P256PrivateKey, file: String) {
    let file = Self.newKeyName()
    try storing { () throws(SystemError) in try Files.makeDirectory(directory, mode: 0o700) }
    try removeStrayKeys()
    return (try makeKey(file), file)
  }

  private func makeKey(_ file: String) throws(EnrolmentError) -> P256PrivateKey {
    let key: P256PrivateKey
    let pem: String
    do {
      key = try P256PrivateKey()
      pem = try key.pem()
    } catch { throw .cryptography(error.description) }
    try storing { () throws(SystemError) in try Files.replace(directory + "/" + file, with: pem.utf8, mode: 0o600) }
    return key
  }

  private static func newKeyName() -> String { "key-\(hexadecimal(SecureRandom.bytes(8))).pem" }

  private static func isKeyName(_ file: String) -> Bool { !file.contains("/") && file.hasPrefix("key-") }

  /// Puts away what cannot be read of an identity or of an enrolment under way, for somebody who enrols anew.
  func setAsideUnreadable() throws(EnrolmentError) {
    do { _ = try pending() } catch {
      guard case .identityUnreadable = error else { throw error }
      try storing { () throws(SystemError) in try Files.remove(pendingPath) }
    }
    do { _ = try identity() } catch {
      guard case .identityUnreadable = error else { throw error }
      try storing { () throws(SystemError) in
        try Files.replace(
          directory + "/identity-unreadable.json", with: try Files.read(identityPath), mode: 0o600)
        try Files.remove(identityPath)
      }
    }
  }

  /// Begins an enrolment: from here on every attempt uses this id and key.
  func begin(key: P256PrivateKey, file: String, code: DataLinkCode) throws(EnrolmentError) -> PendingEnrolment {
    let pending = PendingEnrolment(
      id: SecureRandom.bytes(16), key: key, keyFile: file, codeDigest: Self.digest(of: code))
    try save(
      StoredPending(enrolment: hexadecimal(pending.id), key: file, code: pending.codeDigest), to: pendingPath)
    return pending
  }

  static func digest(of code: DataLinkCode) -> String { "\(SHA256.hash(Array(code.digits.utf8)))" }

  /// Becomes this install.
  func store(_ identity: InstallIdentity, keyFile: String) throws(EnrolmentError) {
    let stored = StoredIdentity(
      install: identity.installID, entity: identity.entity, chain: identity.chain.map(\.pem),
      roots: identity.roots.map(\.pem), key: keyFile, dcam: identity.dcam?.description ?? "",
      hc: identity.hc?.description ?? "")
    try save(stored, to: identityPath)
  }

  /// The enrolment is journalled: it is done, and the key of an earlier identity is nobody's. A renewal of that one is off.
  package func settle() throws(EnrolmentError) {
    try storing { () throws(SystemError) in
      try Files.remove(renewalPath)
      try Files.remove(pendingPath)
    }
    try removeStrayKeys()
  }

  private func removeStrayKeys() throws(EnrolmentError) {
    let pending: StoredPending? = try load(pendingPath)
    let identity: StoredIdentity? = try load(identityPath)
    let named = [pending?.key, identity?.key, storedRenewal()?.key]
    try storing { () throws(SystemError) in
      for name in try Files.names(in: directory) where name.hasPrefix("key-") && !named.contains(name) {
        try Files.remove(directory + "/" + name)
      }
    }
  }

  // MARK: renewal, in its order

  /// The renewal under way of this identity's certificate. What there is of another is removed, and so is a certificate that has ended.
  func renewal(of identity: InstallIdentity, now: Int64) throws(EnrolmentError) -> PendingRenewal? {
    guard let stored = storedRenewal() else { return nil }
    guard stored.install == identity.installID, stored.from == identity.certificate.fingerprint.hex,
      let renewal = readable(stored, identity), renewal.candidate?.isExpired(at: now) != true
    else {
      try dropRenewal()
      return nil
    }
    return renewal
  }

  private func readable(_ stored: StoredRenewal, _ identity: InstallIdentity) -> PendingRenewal? {
    guard let key = try? key(in: stored.key) else { return nil }
    var renewal = PendingRenewal(from: stored.from, key: key, keyFile: stored.key, oldKeyFile: stored.oldKey)
    guard let chain = stored.chain, let roots = stored.roots else { return renewal }
    guard let chain = try? chain.map({ try Certificate(pem: $0) }), let own = chain.first, own.matches(key),
      let roots = try? roots.map({ try Certificate(pem: $0) })
    else { return nil }
    var candidate = identity
    // The hub may have gone on to another root since: whichever it shows, it named.
    let known = Set(roots.map(\.fingerprint))
    let named = roots + identity.roots.filter { !known.contains($0.fingerprint) }
    (candidate.chain, candidate.roots, candidate.key) = (chain, named, key)
    renewal.candidate = candidate
    return renewal
  }

  /// Nothing depends on it: one that cannot be read is as good as none.
  private func storedRenewal() -> StoredRenewal? {
    guard let stored: StoredRenewal = try? load(renewalPath), stored.version <= Self.version else { return nil }
    return stored
  }

  /// Whether a renewal was begun and not ended.
  package var hasRenewal: Bool { Files.exists(renewalPath) }

  /// Whether the identity in use comes of a renewal that was not settled.
  package func hasUnsettledRenewal() throws(EnrolmentError) -> Bool {
    guard let renewal = storedRenewal(), let stored: StoredIdentity = try load(identityPath) else { return false }
    return renewal.key == stored.key
  }

  /// Begins a renewal, which has no key yet. It is named before it is there, so that nobody takes it for a key that nobody needs.
  /// - Returns: the name of the key's file.
  func beginRenewal(of identity: InstallIdentity) throws(EnrolmentError) -> String {
    guard let stored: StoredIdentity = try load(identityPath) else {
      throw unreadable(identityPath, "it is gone")
    }
    let file = Self.newKeyName()
    try save(
      StoredRenewal(
        install: identity.installID, from: identity.certificate.fingerprint.hex, key: file, oldKey: stored.key),
      to: renewalPath)
    return file
  }

  /// Makes the key of a renewal: from here on every attempt uses it.
  func makeRenewalKey(_ file: String) throws(EnrolmentError) { _ = try makeKey(file) }

  /// Keeps the new certificate beside the one in use.
  func keep(_ candidate: InstallIdentity, of renewal: PendingRenewal) throws(EnrolmentError) {
    try save(
      StoredRenewal(
        install: candidate.installID, from: renewal.from, key: renewal.keyFile, oldKey: renewal.oldKeyFile,
        chain: candidate.chain.map(\.pem), roots: candidate.roots.map(\.pem)), to: renewalPath)
  }

  /// The new certificate becomes the one in use, unless this machine was enrolled anew meanwhile.
  func adopt(_ candidate: InstallIdentity, _ renewal: PendingRenewal) throws(EnrolmentError) {
    guard let identity = try identity(), identity.certificate.fingerprint.hex == renewal.from else {
      try dropRenewal()
      throw .identityUnreadable(path: identityPath, reason: "it changed while its certificate was being renewed")
    }
    try store(candidate, keyFile: renewal.keyFile)
  }

  /// The renewal is journalled: it is done, and the key before is nobody's.
  package func settleRenewal() throws(EnrolmentError) { try dropRenewal() }

  /// Removes the renewal, and of its keys those that nobody uses. Other keys may be of an enrolment that another process begins.
  func dropRenewal() throws(EnrolmentError) {
    let keys = storedRenewal().map { [$0.key, $0.oldKey] } ?? []
    let pending: StoredPending? = try load(pendingPath)
    let identity: StoredIdentity? = try load(identityPath)
    try storing { () throws(SystemError) in
      for key in keys where key != pending?.key && key != identity?.key && Self.isKeyName(key) {
        try Files.remove(directory + "/" + key)
      }
      // Last: until then the keys can be found again.
      try Files.remove(renewalPath)
    }
  }

  /// Trusts other roots from now on.
  /// - Returns: whether they are others than before.
  package func trust(_ roots: [Certificate]) throws(EnrolmentError) -> Bool {
    guard var stored: StoredIdentity = try load(identityPath), !roots.isEmpty, stored.roots != roots.map(\.pem) else {
      return false
    }
    stored.roots = roots.map(\.pem)
    try save(stored, to: identityPath)
    return true
  }

  // MARK: files

  private func key(in file: String) throws(EnrolmentError) -> P256PrivateKey {
    let path = directory + "/" + file
    guard Self.isKeyName(file) else { throw unreadable(path, "that is no name of a key file") }
    let pem: String
    do { pem = try Files.readText(path) } catch { throw unreadable(path, error.reason) }
    do { return try P256PrivateKey(pem: pem) } catch { throw unreadable(path, error.description) }
  }

  private func load<Stored: Decodable>(_ path: String) throws(EnrolmentError) -> Stored? {
    let bytes: [UInt8]
    do {
      bytes = try Files.read(path)
    } catch {
      if error.isNotFound { return nil }
      throw unreadable(path, error.reason)
    }
    do { return try JSONDecoder().decode(Stored.self, from: Data(bytes)) } catch {
      throw unreadable(path, "it is not the JSON that was written there")
    }
  }

  private func save(_ stored: some Encodable, to path: String) throws(EnrolmentError) {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    let bytes: Data
    do { bytes = try encoder.encode(stored) } catch {
      throw .cryptography("The identity could not be encoded: \(error).")
    }
    try storing { () throws(SystemError) in
      try Files.makeDirectory(directory, mode: 0o700)
      try Files.replace(path, with: bytes, mode: 0o600)
    }
  }

  private func storing(_ body: () throws(SystemError) -> Void) throws(EnrolmentError) {
    do { try body() } catch { throw .storage(error) }
  }

  private func unreadable(_ path: String, _ reason: String) -> EnrolmentError {
    .identityUnreadable(path: path, reason: reason)
  }
}

extension IdentityStore {
  /// Changes whenever an enrolment moved on, in whatever process.
  package var stamp: [FileStamp?] { [Files.stamp(identityPath), Files.stamp(pendingPath)] }
}
