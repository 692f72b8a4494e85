// To whom records are delivered, and as whom.

package import Platform
package import TLS

package struct DeliveryTarget: Sendable {
  /// dcam.
  package var address: HostAndPort
  /// With the install's certificate.
  package var tls: TLSConfiguration
  /// When the install's certificate ends, in seconds since 1970 UTC, with the tolerated clock skew added.
  package var usableUntil: Int64
  /// Tells one identity from another.
  package var fingerprint: String
  /// The install that it is as; a renewed certificate is the same one's.
  package var install: String

  package init(
    address: HostAndPort, tls: TLSConfiguration, usableUntil: Int64, fingerprint: String, install: String = ""
  ) {
    self.address = address
    self.tls = tls
    self.usableUntil = usableUntil
    self.fingerprint = fingerprint
    self.install = install
  }
}

/// The identity of the moment.
package protocol DeliveryTargets: Sendable {
  /// The target; nil before enrolment.
  func current() -> DeliveryTarget?
  /// Returns when the target is another than `target`.
  /// - Throws: `CancellationError`.
  func changed(from target: DeliveryTarget?) async throws
}
