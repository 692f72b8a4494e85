// Attempts, limited per peer and overall. Pure: the time comes in, the decision goes out.
//
// Each peer has a bucket of tokens that refills by one per interval. An attempt takes a token and gets it back if it succeeds, so a site
// behind one address may enrol as many machines as it likes, and a guesser gets ten guesses a minute. The overall bucket bounds many peers
// together, and with it the growth of the audit trail.
//
// A peer is an IPv4 address, or the first 64 bits of an IPv6 address: whoever has one has all of them (RFC 6177).

struct AttemptLimiter {
  struct Rate {
    var burst: Int
    var interval: Duration
  }

  /// Why an attempt must wait.
  struct Limited: Equatable {
    var wait: Duration
    /// Whether this is the first attempt that must wait since one was let through: worth an entry in the audit trail.
    var isNews: Bool
  }

  private struct Bucket {
    /// Tokens, in thousandths.
    var milliTokens: Int64
    var at: Int64
    var isTold = false

    mutating func take() {
      milliTokens -= 1_000
      isTold = false
    }
  }

  private var buckets: [String: Bucket] = [:]
  private var overall: Bucket?
  private let perPeer: Rate
  private let inAll: Rate
  private let peersMax: Int

  init(
    perPeer: Rate = Rate(burst: HubLimits.attemptsBurst, interval: HubLimits.attemptInterval),
    inAll: Rate = Rate(burst: HubLimits.attemptsOverallBurst, interval: HubLimits.attemptOverallInterval),
    peersMax: Int = HubLimits.attemptAddressesMax
  ) {
    (self.perPeer, self.inAll, self.peersMax) = (perPeer, inAll, peersMax)
  }

  /// Takes a token for an attempt.
  ///
  /// - Parameter now: milliseconds since 1970 UTC; may go backwards.
  /// - Returns: nil if there is one.
  mutating func begin(_ address: String, now: Int64) -> Limited? {
    let peer = Self.peer(of: address)
    var bucket = Self.refilled(buckets[peer], perPeer, now)
    var all = Self.refilled(overall, inAll, now)
    defer {
      overall = all
      keep(bucket, peer)
    }
    if let limited = Self.limited(&bucket, perPeer) ?? Self.limited(&all, inAll) { return limited }
    bucket.take()
    all.take()
    return nil
  }

  /// Gives the token of a successful attempt back.
  mutating func succeeded(_ address: String) {
    buckets[Self.peer(of: address)]?.milliTokens += 1_000
    overall?.milliTokens += 1_000
  }

  /// What an address is limited by: `ipv6:[2001:db8:1:2:3:4:5:6]` by `ipv6:2001:db8:1:2`; others by themselves.
  static func peer(of address: String) -> String {
    guard address.hasPrefix("ipv6:["), address.hasSuffix("]"),
      let bytes = ServerName.address(String(address.dropFirst(6).dropLast())), bytes.count == 16
    else { return address }
    // IPv4 to a socket that takes both (RFC 4291, 2.5.5.2).
    if bytes.prefix(12) == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF] {
      return "ipv4:" + bytes.suffix(4).map { "\($0)" }.joined(separator: ".")
    }
    return "ipv6:" + bytes.prefix(8).map { hexadecimal($0) }.joined()
  }

  private static func refilled(_ bucket: Bucket?, _ rate: Rate, _ now: Int64) -> Bucket {
    let full = Int64(rate.burst) * 1_000
    guard var bucket else { return Bucket(milliTokens: full, at: now) }
    // More than the time for a full bucket makes no difference.
    let elapsed = min(max(0, now - bucket.at), Int64(rate.burst) * rate.interval.milliseconds)
    let earned = elapsed * 1_000 / rate.interval.milliseconds
    bucket.milliTokens = min(full, bucket.milliTokens + earned)
    // What was not enough for a thousandth counts the next time: who asks each millisecond waits no longer than others.
    bucket.at = now - (elapsed - earned * rate.interval.milliseconds / 1_000)
    return bucket
  }

  private static func limited(_ bucket: inout Bucket, _ rate: Rate) -> Limited? {
    guard bucket.milliTokens < 1_000 else { return nil }
    defer { bucket.isTold = true }
    return Limited(
      wait: .milliseconds((1_000 - bucket.milliTokens) * rate.interval.milliseconds / 1_000 + 1),
      isNews: !bucket.isTold)
  }

  private mutating func keep(_ bucket: Bucket, _ peer: String) {
    if buckets[peer] == nil, buckets.count >= peersMax, let oldest = buckets.min(by: { $0.value.at < $1.value.at }) {
      buckets[oldest.key] = nil
    }
    buckets[peer] = bucket
  }
}
