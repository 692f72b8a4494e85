// [alerts], [[alerts.device]], [[alerts.supply]] and [[meters.offset]]: the rules as the operator sets them.

internal import AlertRules
internal import PrinterModel

/// Bounds of what can be set, with their reasons.
private enum AlertLimits {
  /// 0 turns a rule off but for what is empty; above 90 everything is low.
  static let percent = 0...90
  /// 0: never. A device counts to some millions in its life.
  static let volumeEvery = 0...100_000_000
  /// Shorter, and every sleeping device is unreachable.
  static let unreachable: ClosedRange<Duration> = .seconds(600) ... .seconds(90 * 86_400)
  /// Continuous feed presses print some thousands of pages a minute.
  static let pagesPerMinute = 1...10_000
  /// A board swap leaves a difference of a device's life at most.
  static let offset = -1_000_000_000...1_000_000_000
}

extension RuleSettings {
  init(_ table: TableReader) {
    self.init()
    thresholds.apply(ThresholdChange(table))
    devices = table.list("device", expected: "tables [[alerts.device]]") { node, place in
      TableReader.element(node, at: place, table.findings, form: "a table [[alerts.device]]") { table in
        let change = ThresholdChange(table)
        return table.device(isRequired: true).map { DeviceThresholds(device: $0, change) }
      }
    }
    supplies = table.list("supply", expected: "tables [[alerts.supply]]") { node, place in
      TableReader.element(node, at: place, table.findings, form: "a table [[alerts.supply]]") { table in
        let device = table.device(isRequired: false)
        let supply = table.required("supply", expected: "a row, part number, colour or word of the description") {
          node in
          if case .string(let text) = node, !text.isEmpty { text } else { nil }
        }
        let low = table.requiredInteger("low", in: AlertLimits.percent)
        guard let supply, let low else { return nil }
        return SupplyThreshold(device: device, supply: supply, low: Double(low))
      }
    }
    table.finish()
  }
}

extension RuleSettings {
  /// A device that is retired is not asked any more, and can raise no alert.
  func warn(ofRetiringAfter retireAfter: Duration, _ table: TableReader) {
    guard table.findings.problems.isEmpty else { return }
    let message =
      "longer than poll.retire_after: a device is retired before, and the alert that it is unreachable is never raised"
    if thresholds.unreachableAfter > retireAfter { table.findings.warn(table.path.key("unreachable_after"), message) }
    for (index, device) in devices.enumerated() where device.change.unreachableAfter ?? .zero > retireAfter {
      table.findings.warn(table.path.key("device").element(index).key("unreachable_after"), message)
    }
  }
}

extension ThresholdChange {
  /// The keys that an install and a device have alike.
  fileprivate init(_ table: TableReader) {
    self.init()
    lowSupply = table.optionalInteger("low_supply", in: AlertLimits.percent).map { Double($0) }
    maintenancePart = table.optionalInteger("maintenance_part", in: AlertLimits.percent).map { Double($0) }
    volumeEvery = table.optionalInteger("volume_every", in: AlertLimits.volumeEvery).map { UInt64($0) }
    if table.has("unreachable_after") {
      unreachableAfter = table.duration(
        "unreachable_after", in: AlertLimits.unreachable, default: RuleThresholds().unreachableAfter)
    } else {
      table.know("unreachable_after")
    }
    pagesPerMinuteMax = table.optionalInteger("pages_per_minute_max", in: AlertLimits.pagesPerMinute).map { UInt64($0) }
  }
}

extension MeterOffset {
  /// Reads [meters].
  static func all(_ table: TableReader) -> [MeterOffset] {
    let offsets = read(table)
    table.finish()
    guard table.findings.problems.isEmpty else { return offsets }
    for (index, offset) in offsets.enumerated() {
      let others = offsets[..<index]
      guard let first = others.firstIndex(where: { $0.meter == offset.meter && $0.device.mayBe(offset.device) }) else {
        continue
      }
      table.findings.warn(
        table.path.key("offset").element(index),
        "\(offset.meter) of \(offset.device) has an offset in offset[\(first)] as well: of two for one device this later one counts"
      )
    }
    return offsets
  }

  private static func read(_ table: TableReader) -> [MeterOffset] {
    table.list("offset", expected: "tables [[meters.offset]]") { node, place in
      TableReader.element(node, at: place, table.findings, form: "a table [[meters.offset]]") { table in
        let device = table.device(isRequired: true)
        let meter = table.required("meter", expected: "the name of a meter, such as \"total\" or \"print.fullColor\"") {
          node in
          if case .string(let text) = node { MeterName(text) } else { nil }
        }
        let offset = table.requiredInteger("offset", in: AlertLimits.offset)
        let reason = table.text("reason", expected: "why, in a few words") ?? "set in ptagent.toml"
        guard let device, let meter, let offset else { return nil }
        return MeterOffset(device: device, meter: meter, offset: Int64(offset), reason: reason)
      }
    }
  }
}

extension TableReader {
  private static let deviceForm = "a serial number, or eight digits or more of the beginning of a device's id"

  /// An element of an array of tables.
  fileprivate static func element<Value>(
    _ node: TOMLNode, at place: KeyPath, _ findings: Findings, form: String, _ read: (TableReader) -> Value?
  ) -> Value? {
    guard case .table(let nodes) = node else {
      findings.note(place, found: node.shown, expected: form)
      return nil
    }
    let table = TableReader(nodes, at: place, findings)
    defer { table.finish() }
    return read(table)
  }

  fileprivate func device(isRequired: Bool) -> DeviceSelector? {
    func read(_ node: TOMLNode) -> DeviceSelector? {
      if case .string(let text) = node { DeviceSelector(text) } else { nil }
    }
    return isRequired
      ? required("device", expected: Self.deviceForm, read) : value("device", expected: Self.deviceForm, read)
  }

  fileprivate func optionalInteger(_ name: String, in range: ClosedRange<Int>) -> Int? {
    value(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { node in
      if case .integer(let value) = node, range.contains(value) { value } else { nil }
    }
  }

  fileprivate func requiredInteger(_ name: String, in range: ClosedRange<Int>) -> Int? {
    required(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { node in
      if case .integer(let value) = node, range.contains(value) { value } else { nil }
    }
  }
}
