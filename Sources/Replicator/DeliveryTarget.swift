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

  package init(address: HostAndPort, tls: TLSConfiguration, usableUntil: Int64, fingerprint: String) {
    self.address = address
    self.tls = tls
    self.usableUntil = usableUntil
    self.fingerprint = fingerprint
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
