// Why a certificate was not renewed, in words that can stand behind a colon.

package enum RenewalError: Error, Hashable, Sendable, CustomStringConvertible {
  /// There is no identity to renew.
  case notEnrolled
  /// The hub or the way to it is not there, or it has troubles of its own. The hint is the time before which trying is useless.
  case unavailable(reason: String, hint: Duration?)
  /// The hub does not accept the certificate: revoked, replaced, unknown, ended.
  case refused(reason: String)
  /// What answers did not prove to be the hub.
  case foreign(reason: String)
  /// The hub answered with something that cannot be used.
  case unusableAnswer(String)

  package var description: String {
    switch self {
    case .notEnrolled: "this machine is not enrolled"
    case .unavailable(let reason, _): reason
    case .refused(let reason): "the hub refuses it: \(reason)"
    case .foreign(let reason): "what answers has not proved to be the hub: \(reason)"
    case .unusableAnswer(let reason): "the hub gave an answer that cannot be used: \(reason)"
    }
  }

  package var hint: Duration? {
    if case .unavailable(_, let hint) = self { hint } else { nil }
  }
}
