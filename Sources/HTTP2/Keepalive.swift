// When to ask a silent peer whether it is still there, and when to give it up. Pure: time comes in, an action goes out.

package struct Keepalive {
  package enum Action: Hashable {
    case nothing, ping, giveUp
  }

  private let interval: Duration?
  private let timeout: Duration
  private var lastReceived: ContinuousClock.Instant
  private var asked: ContinuousClock.Instant?

  package init(_ configuration: HTTP2Configuration, now: ContinuousClock.Instant) {
    interval = configuration.keepaliveInterval
    timeout = configuration.keepaliveTimeout
    lastReceived = now
  }

  /// Something came from the peer.
  package mutating func received(now: ContinuousClock.Instant) { lastReceived = now }

  /// The PING was answered.
  package mutating func answered() { asked = nil }

  /// What to do now. `ping` is said once for each question.
  package mutating func action(now: ContinuousClock.Instant) -> Action {
    guard let nextDeadline, now >= nextDeadline else { return .nothing }
    guard asked == nil else { return .giveUp }
    asked = now
    return .ping
  }

  /// When `action` will have something to say; nil for never.
  package var nextDeadline: ContinuousClock.Instant? {
    guard let interval else { return nil }
    // Other bytes are a sign of life as good as the answer: a large message may delay the answer itself.
    if let asked { return max(asked, lastReceived).advanced(by: timeout) }
    return lastReceived.advanced(by: interval)
  }
}
