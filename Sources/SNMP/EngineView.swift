// What a client knows of a device's authoritative engine: its id, boots and time (RFC 3414, section 2.3).
//
// The values of an unauthenticated report are a guess: good enough to address the first request, whose authentic answer
// (a response or a notInTimeWindow report) then confirms or corrects them. Only confirmed values judge what is received.

/// A device's engine, as last heard of.
package struct EngineView: Hashable, Sendable {
  package let id: [UInt8]
  package private(set) var boots: Int32
  /// Whether boots and time come from an authentic message.
  package private(set) var isSynchronized: Bool
  /// The largest message the device takes, in bytes.
  package private(set) var maxSize: Int

  private var time: Int32
  /// `latestReceivedEngineTime` of RFC 3414, section 2.3.
  private var latestReceivedTime: Int32
  private var heardAt: ContinuousClock.Instant

  /// A first view, taken from a message that nobody vouches for.
  init(discoveredFrom message: V3Message, now: ContinuousClock.Instant) {
    id = message.security.engineID
    boots = message.security.engineBoots
    time = message.security.engineTime
    latestReceivedTime = message.security.engineTime
    maxSize = Int(max(message.maxSize, V3Message.maxSizeLeast))
    isSynchronized = false
    heardAt = now
  }

  /// The engine's time now, in seconds since it booted.
  package func time(at now: ContinuousClock.Instant) -> Int32 {
    let passed = max(heardAt.duration(to: now), .zero).components.seconds
    return Int32(clamping: Int64(time) + min(passed, Int64(Int32.max)))
  }

  /// Takes the boots and time of an authentic message and says whether it is timely (section 3.2, step 7b).
  mutating func accept(_ message: V3Message, now: ContinuousClock.Instant) -> Bool {
    let security = message.security
    guard isSynchronized else {
      adopt(message, isAuthentic: true, now: now)
      return security.engineBoots != USM.engineBootsMax
    }
    let isNewer =
      security.engineBoots > boots || (security.engineBoots == boots && security.engineTime > latestReceivedTime)
    if isNewer { adopt(message, isAuthentic: true, now: now) }
    guard boots != USM.engineBootsMax, security.engineBoots == boots else { return false }
    return Int64(security.engineTime) >= Int64(time(at: now)) - Int64(USM.timeWindowSeconds)
  }

  /// Takes over boots and time without question: from a notInTimeWindow report that answers a request in flight, which
  /// its message id shows to be fresh. Also backward, since there are devices that restart without counting boots.
  mutating func adopt(_ message: V3Message, isAuthentic: Bool, now: ContinuousClock.Instant) {
    boots = message.security.engineBoots
    time = message.security.engineTime
    latestReceivedTime = message.security.engineTime
    maxSize = Int(max(message.maxSize, V3Message.maxSizeLeast))
    isSynchronized = isAuthentic
    heardAt = now
  }
}
