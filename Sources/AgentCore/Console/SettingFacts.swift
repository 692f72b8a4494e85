// What a form needs to know of each key that may be set: how its value is written, its limits, and what it means in a sentence. The limits are those that
// the sections' readers enforce; docs/configuration.md says more.

internal import Settings

struct SettingFacts: Sendable {
  let form: String
  var unit: String?
  var minimum: String?
  var maximum: String?
  var choices: [String]?
  let description: String

  private init(
    _ form: String, _ description: String, unit: String? = nil, minimum: String? = nil, maximum: String? = nil,
    choices: [String]? = nil
  ) {
    self.form = form
    self.description = description
    self.unit = unit
    self.minimum = minimum
    self.maximum = maximum
    self.choices = choices
  }

  private static func number(_ range: ClosedRange<Int>, _ unit: String?, _ description: String) -> SettingFacts {
    SettingFacts("number", description, unit: unit, minimum: "\(range.lowerBound)", maximum: "\(range.upperBound)")
  }

  private static func duration(_ range: ClosedRange<Duration>, _ description: String) -> SettingFacts {
    SettingFacts("duration", description, minimum: range.lowerBound.written, maximum: range.upperBound.written)
  }

  static let byKey: [String: SettingFacts] = [
    "alerts.low_supply": number(0...90, "percent", "A supply with so much or less is low."),
    "alerts.maintenance_part": number(0...90, "percent", "The same for parts that wear out."),
    "alerts.pages_per_minute_max": number(1...10_000, "pages per minute", "A total that grew faster is an anomaly."),
    "alerts.unreachable_after": duration(
      .seconds(600) ... .seconds(90 * 86_400), "A device that is silent for so long is unreachable."),
    "alerts.volume_every": number(
      0...100_000_000, "pages", "An alert each time a device's total passes a multiple of it; 0: none."),
    "delivery.check_in_interval": duration(
      DeliverySettings.checkInRange, "With check-ins: at least so long between two."),
    "delivery.mode": SettingFacts(
      "word", "A stream to the hub that stays open, or check-ins.",
      choices: DeliverySettings.Mode.allCases.map(\.rawValue)),
    "discovery.dns_sd": SettingFacts("boolean", "Whether printers are asked to announce themselves."),
    "discovery.do_not_touch": SettingFacts("addresses", "Ranges that are never sent a packet."),
    "discovery.exclusions": SettingFacts("addresses", "Ranges that are not swept and not polled."),
    "discovery.ipp": SettingFacts("boolean", "Whether an address that does not answer SNMP is asked over IPP."),
    "discovery.max_hops": number(
      DiscoverySettings.hopsRange, "routers",
      "Where to look without ranges: 0 nowhere, 1 in the machine's own networks."),
    "discovery.packets_per_second": number(
      DiscoverySettings.packetsPerSecondRange, "packets per second", "How fast a sweep may go."),
    "discovery.ranges": SettingFacts("ranges", "Where to look; without any, in the machine's own networks."),
    "discovery.sweep_days": SettingFacts("days", "On which days the sweep times count."),
    "discovery.sweep_interval": duration(
      DiscoverySettings.sweepIntervalRange, "From the start of one sweep to the start of the next."),
    "discovery.sweep_times": SettingFacts("times", "Instead of the interval: at what times of the day sweeps begin."),
    "journal.keep": duration(JournalSettings.keepRange, "How long records are kept here that the hub holds."),
    "poll.concurrency": number(PollSettings.concurrencyRange, "devices", "Devices read at the same time."),
    "poll.interval": duration(PollSettings.intervalRange, "Between two readings of a device."),
    "poll.retire_after": duration(
      PollSettings.retireAfterRange, "A device that nobody could read for so long is retired."),
  ]
}
