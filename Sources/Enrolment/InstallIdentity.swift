// Who this agent is to its hub: what enrolment gave it.

package import OpenSSL
package import Platform

/// An install's identity, with its private key.
package struct InstallIdentity: Sendable {
  /// The hub's id for this agent, a UUID in text; the certificate's subject common name.
  package var installID: String
  package var entity: String
  /// The install's certificate first, then those up to the root, without it.
  package var chain: [Certificate]
  package var key: P256PrivateKey
  /// What the hub's certificates must lead to from now on.
  package var roots: [Certificate]
  /// Where the hub said to go; nil: as configured.
  package var dcam: HostAndPort?
  package var hc: HostAndPort?

  /// - Precondition: `chain` is not empty.
  package init(
    installID: String, entity: String, chain: [Certificate], key: P256PrivateKey, roots: [Certificate],
    dcam: HostAndPort?, hc: HostAndPort?
  ) {
    precondition(!chain.isEmpty, "an identity has a certificate")
    self.installID = installID
    self.entity = entity
    self.chain = chain
    self.key = key
    self.roots = roots
    self.dcam = dcam
    self.hc = hc
  }

  package var certificate: Certificate { chain[0] }

  /// Whole days until the certificate ends; negative when it has ended.
  package func daysLeft(at seconds: Int64) -> Int64 { life.daysLeft(at: seconds) }

  /// Clocks differ; the hub tolerates as much (docs/configuration.md, "Clocks").
  package static let clockSkewMax: Int64 = 15 * 60

  package func isExpired(at seconds: Int64) -> Bool { life.isExpired(at: seconds) }

  package var life: CertificateLife { CertificateLife(certificate) }
}

/// An enrolment that was begun: kept from before the first attempt until the answer is stored and journalled.
package struct PendingEnrolment: Sendable {
  /// 16 random bytes by which the hub knows a repeated attempt.
  package var id: [UInt8]
  package var key: P256PrivateKey
  /// The key's file in the identity directory.
  package var keyFile: String
  /// SHA-256 of the code that it was begun with, in hexadecimal digits; nil where an earlier release began it.
  package var codeDigest: String?
}

/// A renewal that was begun.
struct PendingRenewal: Sendable {
  /// The fingerprint of the certificate that is renewed, hexadecimal.
  var from: String
  var key: P256PrivateKey
  /// The key's file in the identity directory.
  var keyFile: String
  /// That of the certificate that is renewed.
  var oldKeyFile: String
  /// The identity that it will be, once the hub has answered.
  var candidate: InstallIdentity?
}
