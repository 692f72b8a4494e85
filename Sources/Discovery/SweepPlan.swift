// What a sweep covers, and the limits it keeps.

/// One configured range with the credentials to try there.
package struct SweepRange: Equatable, Sendable {
  /// As configured, for people.
  package var name: String
  package var addresses: AddressSet
  /// How many credentials are tried at a silent address; they are tried in order, each for a bounded time.
  package var credentialCount: Int
  /// What else is tried in a thorough second pass: other versions of SNMP.
  package var lastResortCount: Int

  package init(name: String, addresses: AddressSet, credentialCount: Int, lastResortCount: Int = 0) {
    self.name = name
    self.addresses = addresses
    self.credentialCount = max(credentialCount, 1)
    self.lastResortCount = lastResortCount
  }
}

/// The addresses of a sweep: ranges in order, of which the first that holds an address decides about it, and what is left out.
package struct SweepPlan: Equatable, Sendable {
  package let ranges: [SweepRange]
  /// What is probed.
  package let due: AddressSet
  /// What is in a range and excluded there.
  package let excluded: AddressSet
  /// What is in a range and on the do-not-touch list, which wins over everything.
  package let untouchable: AddressSet
  /// Credentials of an address's range, over all addresses of `due`; 1 if there are none.
  package let credentialsMean: Double
  /// Likewise what a thorough second pass tries besides.
  package let lastResortsMean: Double

  package init(
    ranges: [SweepRange], excluding exclusions: AddressSet = AddressSet(), doNotTouch: AddressSet = AddressSet()
  ) {
    self.ranges = ranges
    let all = ranges.reduce(AddressSet()) { $0.union($1.addresses) }
    untouchable = all.intersection(doNotTouch)
    excluded = all.intersection(exclusions).subtracting(doNotTouch)
    due = all.subtracting(exclusions).subtracting(doNotTouch)
    credentialsMean = Self.mean(ranges, due) { $0.credentialCount } ?? 1
    lastResortsMean = Self.mean(ranges, due) { $0.lastResortCount } ?? 0
  }

  /// Each address counts for the first range that holds it.
  private static func mean(_ ranges: [SweepRange], _ due: AddressSet, of count: (SweepRange) -> Int) -> Double? {
    guard !due.isEmpty else { return nil }
    var rest = due
    var sum = 0.0
    for range in ranges {
      sum += Double(rest.intersection(range.addresses).count) * Double(count(range))
      rest = rest.subtracting(range.addresses)
    }
    return sum / Double(due.count)
  }

  /// Every address that is named, whether it is probed or not.
  package var addressCount: Int { due.count + excluded.count + untouchable.count }

  /// Which range decides about an address: an index into `ranges`.
  package func range(of address: IPv4Address) -> Int? {
    ranges.firstIndex { $0.addresses.contains(address) }
  }
}

/// The limits of a sweep. With the defaults a /24 with 20 printers and one community takes 254/250 s (first packets) + 234 * 4/250 s (the second
/// ones, two other versions of SNMP, and a connection each) + 4 s (the last silent address's patience) = 8.8 s.
package struct SweepParameters: Equatable, Sendable {
  /// Kind to switches, small routers and their ARP tables, and to firewalls that take a sweep for an attack.
  package var packetsPerSecond = 250
  /// A tenth of a second's worth.
  package var burst = 25
  /// Addresses probed at one time: what 3,000 packets per second can start within the longer patience (12,000), and some room, so that
  /// waiting never slows sending. Each takes some 10 KB meanwhile; with 250 packets per second there are no more than 1,000.
  package var inFlightMax = 16_384
  /// Whether an address is connected to over TCP as well (IPP) in its second pass: one more packet of the pace.
  package var connects = false
  /// How long the first pass waits for an answer, per credential. An awake printer answers a first packet within half a second.
  package var firstPatience: Duration = .seconds(1)
  /// How long the second pass waits for the first credential's answer: sleeping printers take 2 to 4 s to wake at the first packet.
  package var secondPatience: Duration = .seconds(4)
  /// What is silent is tried with other versions of SNMP besides in a sweep of at most so many addresses: a /20 then takes two minutes instead
  /// of one. In a larger one the second pass asks in SNMPv1 instead of SNMPv2c, which nearly all printers speak: no packet more.
  package var thoroughMax = 4_096
  /// How long each of those tries is waited for: an awake printer answers within half a second, and a sleeping one was woken before.
  package static let lastResortPatience: Duration = .milliseconds(500)
  /// Silent addresses that may wait for their second pass before the first pass pauses for them: bounds memory in a /8.
  package var silentMax = 4_096

  package init() {}

  /// How long the second pass waits for the first credential: what is tried besides is within its time, and finds awake what was woken by
  /// then.
  func secondPatience(_ lastResorts: Int) -> Duration {
    max(firstPatience, secondPatience - Self.lastResortPatience * lastResorts)
  }
}
