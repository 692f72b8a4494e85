// How fast one client may ask: a bucket of tokens for each address (RFC 2697 without its colours). A value; the time comes in.

package struct RequestPace: Sendable {
  /// Addresses that are remembered: those that have not asked for a while have a full bucket, which need not be kept.
  package static let clientsMax = 4_096

  private struct Bucket {
    var tokens: Double
    var filled: ContinuousClock.Instant
  }

  private let perSecond: Double
  private let burst: Double
  private var buckets: [String: Bucket] = [:]

  package init(perSecond: Double, burst: Double) {
    self.perSecond = perSecond
    self.burst = burst
  }

  /// Whether a request of this client may go on; it counts if it may.
  package mutating func admits(_ client: String, now: ContinuousClock.Instant) -> Bool {
    if buckets.count >= Self.clientsMax, buckets[client] == nil { forget(now: now) }
    var bucket = buckets[client] ?? Bucket(tokens: burst, filled: now)
    let elapsed = bucket.filled.duration(to: now) / .seconds(1)
    bucket.tokens = min(burst, bucket.tokens + max(0, elapsed) * perSecond)
    bucket.filled = now
    let isAdmitted = bucket.tokens >= 1
    if isAdmitted { bucket.tokens -= 1 }
    buckets[client] = bucket
    return isAdmitted
  }

  /// Those whose bucket is full again go; where none is, all do: nobody is kept out by so many others.
  private mutating func forget(now: ContinuousClock.Instant) {
    buckets = buckets.filter { _, bucket in
      bucket.tokens + max(0, bucket.filled.duration(to: now) / .seconds(1)) * perSecond < burst
    }
    if buckets.count >= Self.clientsMax { buckets = [:] }
  }

  package var clientCount: Int { buckets.count }
}
