// Why an enrolment did not come about, in one sentence that says what to do.

package import Platform

package enum EnrolmentError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The code is not 24 hexadecimal digits.
  case malformedCode
  /// The hub does not accept the code: unknown, expired, used up or revoked.
  case codeRefused(hub: String, reason: String)
  /// The hub did not prove to be the one whose pin or CA is configured: it is another, its certificate or a clock is wrong, or somebody is in
  /// between. The reason holds the remedy.
  case notOurHub(hub: String, reason: String)
  /// Nobody answers, the name is unknown, or the network does not lead there; or the hub has troubles of its own. The reason holds the remedy.
  case unreachable(hub: String, reason: String)
  /// Too many attempts.
  case tooManyAttempts(hub: String, wait: Duration)
  /// The hub refused the request itself.
  case requestRefused(hub: String, reason: String)
  /// The hub answered with something that cannot be an identity.
  case unusableAnswer(hub: String, reason: String)
  /// This machine is an install already.
  case enrolledAlready(installID: String, entity: String)
  /// What is stored of an identity cannot be used.
  case identityUnreadable(path: String, reason: String)
  case storage(SystemError)
  case cryptography(String)

  package var description: String {
    switch self {
    case .malformedCode:
      "The DataLink code is not \(DataLinkCode.digitCount) hexadecimal digits. Copy it again from the hub; spaces and hyphens do not matter."
    case .codeRefused(let hub, let reason):
      "The hub \(hub) does not accept this DataLink code: \(reason). Codes expire, and most are good for one machine only."
    case .notOurHub(let hub, let reason):
      "What answers at \(hub) has not proved to be the hub: \(reason)"
    case .unreachable(let hub, let reason):
      "The hub \(hub) did not enrol this machine: \(reason) The code is still good."
    case .tooManyAttempts(let hub, let wait):
      "The hub \(hub) has seen too many attempts. Try again in \(wait.spoken)."
    case .requestRefused(let hub, let reason):
      "The hub \(hub) refused the request: \(reason). Agent and hub are probably of versions that do not fit together."
    case .unusableAnswer(let hub, let reason):
      "The hub \(hub) gave an answer that cannot be used: \(reason). Nothing was stored; tell the hub's operator."
    case .enrolledAlready(let installID, let entity):
      "This machine is enrolled already, as install \(installID) of \(entity). To enrol it anew, add --again."
    case .identityUnreadable(let path, let reason):
      "The identity in \(path) cannot be used: \(reason). Restore the file from a copy, or enrol again with --again and a new DataLink code."
    case .storage(let error):
      "\(error.description) The state directory must be writable by the agent's user."
    case .cryptography(let reason):
      "The machine's cryptography failed. \(reason)"
    }
  }
}
