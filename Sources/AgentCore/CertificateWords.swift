// What a status says of the identity: how long its certificate is good, whether its renewal goes well, and whether the clocks agree. Pure.

internal import Enrolment
internal import Platform
internal import ReadModels

/// What is known beside the certificate.
struct IdentityCircumstances: Equatable, Sendable {
  /// Why the last attempt to renew failed; nil when it did not.
  var renewalTrouble: String?
  /// How far this machine's clock is ahead of the hub's, in seconds; negative behind. Nil before the hub has told.
  var clockAheadSeconds: Int64?
}

struct CertificateWords: Equatable, Sendable {
  /// Time enough to get a new DataLink code from whoever is on holiday. A certificate of 90 days is renewed when it has 30 left.
  static let daysLeftWarning: Int64 = 14
  /// A clock that is wrong by this much is told; the hub tolerates three times as much.
  static let skewWarning: Int64 = 5 * 60

  let state: AgentStatus.Condition
  let message: String
  let remedy: String?

  private static let enrolAgain = "run: ptagent enroll --again --code CODE"

  /// - Parameter seconds: now, since 1970 UTC.
  init(_ identity: InstallIdentity, _ circumstances: IdentityCircumstances, seconds: Int64) {
    self.init(
      "install \(identity.installID) of \(identity.entity)", identity.life, circumstances, seconds: seconds)
  }

  init(_ name: String, _ life: CertificateLife, _ circumstances: IdentityCircumstances, seconds: Int64) {
    let days = life.daysLeft(at: seconds)
    let left = days < 2 ? "less than two days" : counted(days, "day")
    if life.isExpired(at: seconds) {
      self.init(
        .failed, "\(name): the certificate has ended; collecting and journalling go on",
        remedy: "Check this machine's clock; if it is right, \(Self.enrolAgain)")
    } else if let ahead = circumstances.clockAheadSeconds, ahead.magnitude >= Self.skewWarning {
      let way = ahead > 0 ? "ahead of" : "behind"
      self.init(
        .degraded,
        "\(name): this machine's clock is \(Duration.seconds(Int64(clamping: ahead.magnitude)).spoken) \(way) the hub's",
        remedy:
          "Set this machine's clock, or let NTP do it: beyond \(Duration.seconds(InstallIdentity.clockSkewMax).spoken) certificates are refused, and readings bear wrong times."
      )
    } else if let trouble = circumstances.renewalTrouble {
      self.init(
        .degraded, "\(name): the certificate ends in \(left) and could not be renewed: \(trouble)",
        remedy: "Trying goes on. If it does not help before the end, \(Self.enrolAgain)")
      // A hub may issue short ones: they are told when they are due.
    } else if days < Self.daysLeftWarning, seconds >= life.due {
      self.init(
        .degraded, "\(name): the certificate ends in \(left), and was not renewed yet",
        remedy: "The agent renews it as soon as it reaches the hub. If that does not help, \(Self.enrolAgain)")
    } else {
      self.init(.ok, "\(name), certificate good for \(counted(days, "day"))", remedy: nil)
    }
  }

  private init(_ state: AgentStatus.Condition, _ message: String, remedy: String?) {
    (self.state, self.message, self.remedy) = (state, message, remedy)
  }
}
