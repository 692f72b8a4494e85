// Each key that a hub may set, with the value that is in use and where that comes from: `ptagent config explain`.

internal import AlertRules
internal import Discovery

/// One key, as it is in use.
package struct ExplainedSetting: Equatable, Sendable {
  package enum Origin: Equatable, Sendable {
    case preset
    case file(line: Int?)
    case console
    case hub(version: UInt64)
    /// A prohibition of both.
    case fileAndHub(version: UInt64)
    case consoleAndHub(version: UInt64)
  }

  package let key: SettingKey
  /// As TOML.
  package let value: String
  package let origin: Origin
}

extension AgentConfiguration {
  /// Each key that a hub may set.
  ///
  /// - Parameter set: the hub's set that this configuration was layered with; nil: none.
  package func explanation(with set: SettingsSet?) -> [ExplainedSetting] {
    let site = siteNodes
    let locator = KeyLocator(source?.text ?? "")
    return SettingKey.all.map { key in
      let path = KeyPath().key(key.section).key(key.key)
      let isInFile = locator.lines[path] != nil
      let isFromHub =
        set?.values.contains { $0.key == key.name } ?? false && (key.isProhibition || !site.decides(key))
      let isFromConsole = !isInFile && site.decides(key) && source?.console?.value(of: key) != nil
      let origin: ExplainedSetting.Origin =
        switch (isInFile, isFromConsole, isFromHub ? set?.version : nil) {
        case (true, _, let version?): .fileAndHub(version: version)
        case (true, _, nil): .file(line: locator.lines[path])
        case (false, true, let version?): .consoleAndHub(version: version)
        case (false, true, nil): .console
        case (false, false, let version?): .hub(version: version)
        case (false, false, nil): .preset
        }
      return ExplainedSetting(key: key, value: value(of: key) ?? "none", origin: origin)
    }
  }

  /// The value that is in use, as TOML; nil where there is none.
  package func value(of key: SettingKey) -> String? {
    switch key.name {
    case "alerts.low_supply": "\(Int(rules.thresholds.lowSupply))"
    case "alerts.maintenance_part": "\(Int(rules.thresholds.maintenancePart))"
    case "alerts.pages_per_minute_max": "\(rules.thresholds.pagesPerMinuteMax)"
    case "alerts.unreachable_after": rules.thresholds.unreachableAfter.rendered
    case "alerts.volume_every": "\(rules.thresholds.volumeEvery ?? 0)"
    case "delivery.check_in_interval": delivery.checkInInterval?.rendered
    case "delivery.mode": TOMLNode.string(delivery.mode.rawValue).rendered
    case "discovery.dns_sd": "\(discovery.browsesAnnouncements)"
    case "discovery.do_not_touch": Self.list(discovery.doNotTouch)
    case "discovery.exclusions": Self.list(discovery.exclusions)
    case "discovery.ipp": "\(discovery.ipp)"
    case "discovery.max_hops": discovery.ranges.isEmpty ? "\(discovery.hopsMax)" : nil
    case "discovery.packets_per_second": "\(discovery.packetsPerSecond)"
    case "discovery.ranges": Self.list(discovery.ranges)
    case "discovery.sweep_days": discovery.sweepTimetable.map { Self.list($0.days) }
    case "discovery.sweep_interval": discovery.sweepTimetable == nil ? discovery.sweepInterval.rendered : nil
    case "discovery.sweep_times": discovery.sweepTimetable.map { Self.list($0.times.map(\.description)) }
    case "journal.keep": journal.keep.rendered
    case "poll.concurrency": "\(poll.concurrency)"
    case "poll.interval": poll.interval.rendered
    case "poll.retire_after": poll.retireAfter.rendered
    default: nil
    }
  }

  private static func list(_ texts: [String]) -> String { TOMLNode.array(texts.map { .string($0) }).rendered }

  private static func list(_ ranges: [AddressRange]) -> String? {
    ranges.isEmpty ? nil : list(ranges.map(\.description))
  }

  private static func list(_ days: Set<Weekday>) -> String {
    list(Weekday.allCases.filter(days.contains).map { "\($0)" })
  }

  private static func list(_ ranges: [DiscoveryRange]) -> String? {
    guard !ranges.isEmpty else { return nil }
    return TOMLNode.array(
      ranges.map { element in
        .table([
          "range": .string(element.range.description),
          "credentials": .array(element.credentials.map { .string($0.name) }),
        ])
      }
    ).rendered
  }
}

extension Duration {
  fileprivate var rendered: String { TOMLNode.string(written).rendered }
}
