// The hub's own certificate authority: one root, which issues every certificate itself. While the hub goes over to another root there are two
// (`Roots`).
//
//     root      P-256, 10 years, CA with path length 1, keyCertSign + cRLSign     ca.key (0600), ca.pem
//       server  P-256, 90 days, serverAuth, the configured names and addresses    server.key (0600), server.pem
//       client  the agent's key, 90 days, clientAuth, subject CN = install id     stored with its serial in the database
//
// There is no intermediate: the root must be online to enrol anyway, and an intermediate in the same directory would
// protect nothing. The path length leaves room for the root before it, for which a new root vouches during the change. Agents know the root by its pin, `sha256/` and the base64 of the SHA-256 of its SubjectPublicKeyInfo
// (as RFC 7469 section 2.4), which an operator can read to a technician; the hub therefore sends the root along with
// its own certificate.
//
// Revocation is not by CRL: only this hub accepts these certificates, and it looks each serial up.

internal import Crypto
internal import FoundationEssentials
internal import SwiftASN1
internal import X509

/// A certificate that the authority made, and what the store keeps of it.
package struct IssuedCertificate: Sendable, Equatable {
  /// 40 lower-case hexadecimal digits.
  package let serial: String
  package let der: [UInt8]
  /// Milliseconds since 1970 UTC.
  package let notBefore: Int64
  package let notAfter: Int64
}

package struct CertificateAuthority: Sendable {
  private let key: Certificate.PrivateKey
  let root: Certificate
  private let clock: HubClock

  /// The root in DER.
  package let rootDER: [UInt8]
  /// `sha256/` and the base64 of the SHA-256 of the root's SubjectPublicKeyInfo.
  package let pin: String

  private init(key: P256.Signing.PrivateKey, root: Certificate, clock: HubClock) throws {
    self.key = Certificate.PrivateKey(key)
    self.root = root
    self.clock = clock
    rootDER = try derBytes(root)
    pin = "sha256/" + Data(Crypto.SHA256.hash(data: try derPublicKey(root.publicKey))).base64EncodedString()
  }

  /// The same authority by another clock.
  package func with(clock: HubClock) -> CertificateAuthority {
    CertificateAuthority(copying: self, clock: clock)
  }

  private init(copying other: CertificateAuthority, clock: HubClock) {
    key = other.key
    root = other.root
    rootDER = other.rootDER
    pin = other.pin
    self.clock = clock
  }

  package var rootPEM: String {
    PEMDocument(type: Certificate.defaultPEMDiscriminator, derBytes: rootDER).pemString
  }

  /// When the root ends, milliseconds since 1970 UTC.
  package var rootNotAfter: Int64 { root.notValidAfter.milliseconds }

  // MARK: Making and loading

  /// Makes a root in `directory`. A key that an interrupted call left is used.
  ///
  /// - Parameter name: of its files, without `.key` and `.pem`.
  static func create(in directory: String, name: String = "ca", clock: HubClock) throws -> CertificateAuthority {
    let keyPath = "\(directory)/\(name).key"
    let key: P256.Signing.PrivateKey
    if let existing = try readKey(keyPath) {
      key = existing
    } else {
      key = P256.Signing.PrivateKey()
      try SecretFile.write(Array(key.pemRepresentation.utf8), to: keyPath)
    }
    let root = try makeRoot(key: key, now: clock.now)
    let authority = try CertificateAuthority(key: key, root: root, clock: clock)
    try SecretFile.write(Array(authority.rootPEM.utf8), to: "\(directory)/\(name).pem")
    return authority
  }

  /// The root of `directory`; nil unless both its files are there.
  ///
  /// - Throws: `HubError` 78 if they are damaged or do not belong together.
  static func load(
    from directory: String, name: String = "ca", clock: HubClock = .system
  ) throws -> CertificateAuthority? {
    guard let key = try readKey("\(directory)/\(name).key"),
      let pem = try SecretFile.read("\(directory)/\(name).pem", secret: false)
    else { return nil }
    guard let root = try? Certificate(pemEncoded: String(decoding: pem, as: UTF8.self)),
      root.publicKey == Certificate.PublicKey(key.publicKey)
    else {
      throw HubError(
        .configuration,
        "\(directory)/\(name).pem is damaged or does not belong to \(name).key. Restore both from the backup of the directory."
      )
    }
    return try CertificateAuthority(key: key, root: root, clock: clock)
  }

  private static func readKey(_ path: String) throws -> P256.Signing.PrivateKey? {
    guard let pem = try SecretFile.read(path, secret: true) else { return nil }
    guard let key = try? P256.Signing.PrivateKey(pemRepresentation: String(decoding: pem, as: UTF8.self)) else {
      throw HubError(
        .configuration, "\(path) is not a P-256 private key in PEM. Restore it from the backup of the directory.")
    }
    return key
  }

  private static func makeRoot(key: P256.Signing.PrivateKey, now: Int64) throws -> Certificate {
    let publicKey = Certificate.PublicKey(key.publicKey)
    // A few digits of the key make the roots of several hubs distinct in an agent's store and in a log.
    let mark = Crypto.SHA256.hash(data: try derPublicKey(publicKey)).prefix(4).map { hexadecimal($0) }.joined()
    let subject = try DistinguishedName {
      OrganizationName("PrintTrail")
      CommonName("PrintTrail hub \(mark)")
    }
    return try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
      notValidBefore: Date(milliseconds: now - HubLimits.clockSkew.milliseconds),
      notValidAfter: Date(milliseconds: now + HubLimits.rootValidity.milliseconds),
      issuer: subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 1))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
        SubjectKeyIdentifier(hash: publicKey)
      }, issuerPrivateKey: Certificate.PrivateKey(key))
  }

  // MARK: Issuing

  /// A client certificate for an install: subject CN = `install`, for client authentication only.
  package func issueClient(
    install: String, request: CheckedRequest, validity: Duration = HubLimits.clientValidity
  ) throws -> IssuedCertificate {
    try issue(
      to: request.publicKey, subject: try DistinguishedName { CommonName(install) }, validity: validity,
      usage: .clientAuth, names: [])
  }

  /// Vouches for another root: a certificate of that root's name and key, signed by this one. Whoever trusts this root then trusts what the
  /// other has issued.
  func vouch(for other: CertificateAuthority) throws -> [UInt8] {
    let certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: other.root.publicKey,
      notValidBefore: Date(milliseconds: clock.now - HubLimits.clockSkew.milliseconds),
      notValidAfter: min(other.root.notValidAfter, root.notValidAfter),
      issuer: root.subject, subject: other.root.subject, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.isCertificateAuthority(maxPathLength: 0))
        Critical(KeyUsage(keyCertSign: true, cRLSign: true))
        SubjectKeyIdentifier(hash: other.root.publicKey)
        AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: root.publicKey).keyIdentifier)
      }, issuerPrivateKey: key)
    return try derBytes(certificate)
  }

  /// A certificate for the hub itself.
  func issueServer(publicKey: Certificate.PublicKey, names: [ServerName]) throws -> IssuedCertificate {
    try issue(
      to: publicKey, subject: try DistinguishedName { CommonName("PrintTrail hub") },
      validity: HubLimits.serverValidity, usage: .serverAuth, names: names)
  }

  private func issue(
    to publicKey: Certificate.PublicKey, subject: DistinguishedName, validity: Duration,
    usage: ExtendedKeyUsage.Usage, names: [ServerName]
  ) throws -> IssuedCertificate {
    let now = clock.now
    let end = min(now + validity.milliseconds, rootNotAfter)
    let certificate = try Certificate(
      version: .v3, serialNumber: Certificate.SerialNumber(), publicKey: publicKey,
      notValidBefore: Date(milliseconds: now - HubLimits.clockSkew.milliseconds),
      notValidAfter: Date(milliseconds: end),
      issuer: root.subject, subject: subject, signatureAlgorithm: .ecdsaWithSHA256,
      extensions: try Certificate.Extensions {
        Critical(BasicConstraints.notCertificateAuthority)
        Critical(KeyUsage(digitalSignature: true))
        try ExtendedKeyUsage([usage])
        SubjectKeyIdentifier(hash: publicKey)
        AuthorityKeyIdentifier(keyIdentifier: SubjectKeyIdentifier(hash: root.publicKey).keyIdentifier)
        if !names.isEmpty { SubjectAlternativeNames(names.map(\.generalName)) }
      }, issuerPrivateKey: key)
    return IssuedCertificate(
      serial: serialText(certificate), der: try derBytes(certificate),
      notBefore: certificate.notValidBefore.milliseconds, notAfter: certificate.notValidAfter.milliseconds)
  }

  // MARK: Checking

  /// Why a certificate is not one that this authority issued to a client and that is good now.
  enum ClientFault: Error, Equatable {
    case notOurs, notForClients, notYetValid, expired(at: Int64)
  }

  /// Whether this root signed the certificate.
  func issued(_ certificate: Certificate) -> Bool {
    certificate.issuer == root.subject && root.publicKey.isValidSignature(certificate.signature, for: certificate)
  }

  /// The serial of a client certificate of this authority, after its signature, usage and validity were checked.
  /// Whether it was superseded or its install revoked, the store knows.
  func checkClient(_ certificate: Certificate) throws(ClientFault) -> String {
    guard issued(certificate) else { throw .notOurs }
    let usages = try? certificate.extensions.extendedKeyUsage
    guard usages?.contains(.clientAuth) == true else { throw .notForClients }
    let skew = HubLimits.clockSkew.milliseconds
    guard certificate.notValidBefore.milliseconds - skew <= clock.now else { throw .notYetValid }
    guard clock.now <= certificate.notValidAfter.milliseconds + skew else {
      throw .expired(at: certificate.notValidAfter.milliseconds)
    }
    return serialText(certificate)
  }

  /// Whether a certificate is for a server and its time is now. That this root signed it is another question.
  func isGoodServer(_ certificate: Certificate) -> Bool {
    let usages = try? certificate.extensions.extendedKeyUsage
    let skew = HubLimits.clockSkew.milliseconds
    return usages?.contains(.serverAuth) == true && certificate.notValidBefore.milliseconds - skew <= clock.now
      && clock.now <= certificate.notValidAfter.milliseconds + skew
  }
}

func derBytes(_ certificate: Certificate) throws -> [UInt8] {
  var serializer = DER.Serializer()
  try serializer.serialize(certificate)
  return serializer.serializedBytes
}

/// The SubjectPublicKeyInfo in DER.
func derPublicKey(_ key: Certificate.PublicKey) throws -> [UInt8] {
  var serializer = DER.Serializer()
  try serializer.serialize(key)
  return serializer.serializedBytes
}

/// Two lower-case hexadecimal digits.
func hexadecimal(_ byte: UInt8) -> String {
  let digits = String(byte, radix: 16)
  return byte < 16 ? "0" + digits : digits
}

private func serialText(_ certificate: Certificate) -> String {
  certificate.serialNumber.bytes.map { hexadecimal($0) }.joined()
}
