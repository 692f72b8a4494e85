// Failed enrolment attempts, limited per peer address and overall. Pure: the time comes in, the decision goes out.
//
// Each address has a bucket of `attemptsBurst` tokens that refills by one per `attemptInterval`. An attempt takes a
// token and gets it back if it succeeds, so a site behind one address may enrol as many machines as it likes, and a
// guesser gets ten guesses a minute. The overall bucket bounds many addresses together, and with it the growth of the
// audit trail.

struct AttemptLimiter {
  private struct Bucket {
    /// Tokens, in thousandths.
    var milliTokens: Int64
    var at: Int64
  }

  private var buckets: [String: Bucket] = [:]
  private var overall: Bucket?
  private let addressesMax: Int

  init(addressesMax: Int = HubLimits.attemptAddressesMax) { self.addressesMax = addressesMax }

  /// Takes a token for an attempt.
  ///
  /// - Parameter now: milliseconds since 1970 UTC; may go backwards.
  /// - Returns: how long to wait if there is none, else nil.
  mutating func begin(_ address: String, now: Int64) -> Duration? {
    var bucket = Self.refilled(buckets[address], HubLimits.attemptsBurst, HubLimits.attemptInterval, now)
    var all = Self.refilled(overall, HubLimits.attemptsOverallBurst, HubLimits.attemptOverallInterval, now)
    defer {
      overall = all
      keep(bucket, address)
    }
    if let wait = Self.wait(bucket, HubLimits.attemptInterval) ?? Self.wait(all, HubLimits.attemptOverallInterval) {
      return wait
    }
    bucket.milliTokens -= 1_000
    all.milliTokens -= 1_000
    return nil
  }

  /// Gives the token of a successful attempt back.
  mutating func succeeded(_ address: String) {
    buckets[address]?.milliTokens += 1_000
    overall?.milliTokens += 1_000
  }

  private static func refilled(_ bucket: Bucket?, _ burst: Int, _ interval: Duration, _ now: Int64) -> Bucket {
    let full = Int64(burst) * 1_000
    guard let bucket else { return Bucket(milliTokens: full, at: now) }
    // More than the time for a full bucket makes no difference.
    let elapsed = min(max(0, now - bucket.at), Int64(burst) * interval.milliseconds)
    return Bucket(milliTokens: min(full, bucket.milliTokens + elapsed * 1_000 / interval.milliseconds), at: now)
  }

  private static func wait(_ bucket: Bucket, _ interval: Duration) -> Duration? {
    guard bucket.milliTokens < 1_000 else { return nil }
    return .milliseconds((1_000 - bucket.milliTokens) * interval.milliseconds / 1_000 + 1)
  }

  private mutating func keep(_ bucket: Bucket, _ address: String) {
    if buckets[address] == nil, buckets.count >= addressesMax,
      let oldest = buckets.min(by: { $0.value.at < $1.value.at })
    {
      buckets[oldest.key] = nil
    }
    buckets[address] = bucket
  }
}
