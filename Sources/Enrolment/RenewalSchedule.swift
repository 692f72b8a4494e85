// When a certificate is renewed, and when the hub is asked what it thinks of this install. Pure: times come in.
//
//     made                                   due                    end
//      |----------------- 2/3 -----------------|··· 3/4 |-----------|
//                                              jitter
//
// A hundred thousand agents that were enrolled in one week must not renew in one hour: each takes its own point between two thirds and three
// quarters of its certificate's life, by the certificate's fingerprint, so that a restart does not move it. What fails is tried again after
// a wait with full jitter, and not before the hub's hint. A renewal is followed by none for a third of the life: a clock that is wrong must
// not make each certificate look old.

package import OpenSSL

/// The life of a certificate, in seconds since 1970 UTC.
package struct CertificateLife: Equatable, Sendable {
  /// By how much the hub back-dates certificates (csr.proto).
  static let backDating = InstallIdentity.clockSkewMax

  package let made: Int64
  package let end: Int64
  /// Where between two thirds and three quarters it is due, 0 to 1.
  let fraction: Double

  package init(_ certificate: Certificate) {
    self.init(
      notBefore: certificate.notBefore, notAfter: certificate.notAfter, fingerprint: certificate.fingerprint.bytes)
  }

  package init(notBefore: Int64, notAfter: Int64, fingerprint: [UInt8]) {
    end = notAfter
    made = min(notBefore + Self.backDating, notAfter)
    let number = fingerprint.prefix(4).reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    fraction = Double(number) / Double(UInt32.max)
  }

  /// Whole days until the certificate ends; negative when it has ended.
  package func daysLeft(at seconds: Int64) -> Int64 {
    let left = end - seconds
    return left < 0 ? (left - 86_399) / 86_400 : left / 86_400
  }

  package func isExpired(at seconds: Int64) -> Bool { seconds > end + InstallIdentity.clockSkewMax }

  /// When it is to be renewed.
  package var due: Int64 {
    let length = Double(end - made)
    return made + Int64(length * (2.0 / 3 + fraction / 12))
  }
}

package struct RenewalSchedule: Sendable {
  package enum Task: Equatable, Sendable {
    case renew
    /// Ask for the standing.
    case ask
  }

  /// How soon after the start the hub is asked first, at most.
  package static let firstAskMax: Duration = .seconds(10)
  /// How often it is asked where it has no wish.
  package static let askInterval: Duration = .seconds(6 * 3600)
  /// A wish beyond this is taken for a mistake.
  package static let askIntervalMax: Duration = .seconds(7 * 86_400)
  /// The jitter's width after the first failure, and at most: a certificate has a month left when the first attempt fails.
  static let firstPause: Duration = .seconds(1)
  static let pauseMax: Duration = .seconds(1800)
  /// A hint beyond this is taken for a mistake.
  static let hintMax: Duration = .seconds(3600)

  private var askAt: Duration
  private var renewNotBefore: Duration = .zero
  private var failures = 0
  private var isAdvised = false

  /// - Parameter elapsed: by a clock that only goes forward, as all of them.
  package init(elapsed: Duration, using generator: inout some RandomNumberGenerator) {
    askAt = elapsed + Self.random(upTo: Self.firstAskMax, &generator)
  }

  /// What is to be done now; nil: nothing.
  /// - Parameters:
  ///   - seconds: since 1970 UTC, by the machine's clock.
  ///   - isInterrupted: whether a renewal was begun and not ended.
  package func due(_ life: CertificateLife, isInterrupted: Bool, seconds: Int64, elapsed: Duration) -> Task? {
    if elapsed >= renewNotBefore, isInterrupted || isAdvised || seconds >= life.due { return .renew }
    return elapsed >= askAt ? .ask : nil
  }

  /// The hub has told the standing.
  package mutating func answered(
    _ standing: Standing, elapsed: Duration, using generator: inout some RandomNumberGenerator
  ) {
    failures = 0
    isAdvised = standing.advice != nil
    let wish = standing.nextIn ?? Self.askInterval
    let interval = min(max(wish, .seconds(1)), Self.askIntervalMax)
    // Three to five quarters.
    askAt = elapsed + interval * 3 / 4 + Self.random(upTo: interval / 2, &generator)
  }

  package mutating func renewed(_ life: CertificateLife, elapsed: Duration) {
    failures = 0
    isAdvised = false
    renewNotBefore = elapsed + .seconds(max(0, life.end - life.made) / 3)
  }

  /// - Returns: the time until the next attempt.
  @discardableResult
  package mutating func failed(
    _ task: Task, hint: Duration?, elapsed: Duration, using generator: inout some RandomNumberGenerator
  ) -> Duration {
    let width = min(Self.pauseMax, Self.firstPause * (1 << min(failures, 20)))
    failures += 1
    let pause = min(max(hint ?? .zero, .zero), Self.hintMax) + Self.random(upTo: width, &generator)
    renewNotBefore = max(renewNotBefore, elapsed + pause)
    askAt = max(askAt, elapsed + pause)
    return pause
  }

  private static func random(upTo most: Duration, _ generator: inout some RandomNumberGenerator) -> Duration {
    let (seconds, attoseconds) = most.components
    return .milliseconds(
      Int64.random(in: 0...max(0, seconds * 1000 + attoseconds / 1_000_000_000_000_000), using: &generator))
  }
}
