// The fleet for people and scripts: devices with meters, supplies and alerts.

package import Events
package import PrinterModel
package import Projections

/// One device in a list.
package struct DeviceSummary: Sendable {
  package let id: DeviceID
  package let state: DeviceState

  package init(_ state: DeviceState) {
    id = state.id
    self.state = state
  }

  package var shortID: String { id.short }
  package var address: String { state.address ?? "-" }
  package var reading: Reading? { state.reading?.fact }
  package var identity: DeviceIdentity? { reading?.identity ?? state.discovered?.fact.identity }
  package var model: String { identity?.model?.text ?? identity?.systemDescription?.text ?? "unknown" }
  package var make: String { identity?.make ?? "unknown" }
  package var serial: String { identity?.serial?.text ?? "unknown" }

  /// What is current of the device; nothing of one that goes on as another, whose numbers are the other's and would be counted twice.
  package var current: Reading? { state.merged == nil ? reading : nil }

  /// The device's total; nil where it gave none.
  package var total: Meter? { meter(.total) }
  package var monochrome: Meter? { meter(MeterName(.total, .monochrome)) }
  package var fullColour: Meter? { meter(MeterName(.total, .fullColor)) }

  package func meter(_ name: MeterName) -> Meter? { current?.meters.first { $0.name == name } }

  package var condition: String { state.condition }
}

package enum FleetReport {
  /// Devices ordered by address, then id.
  package static func devices(of state: FleetState) -> [DeviceSummary] {
    state.devices.values.map(DeviceSummary.init).sorted { left, right in
      let (a, b) = (sortKey(left.address), sortKey(right.address))
      return a == b ? left.id < right.id : a.lexicographicallyPrecedes(b)
    }
  }

  /// A table of devices: the first digits of the id, address, make, model, serial, meters, supplies and alerts.
  package static func table(of state: FleetState) -> String {
    var table = TextTable([
      .init("DEVICE"), .init("ADDRESS"), .init("MODEL"), .init("SERIAL"), .init("TOTAL", .right), .init("MONO", .right),
      .init("COLOUR", .right), .init("SUPPLIES"), .init("ALERTS"), .init("STATE"),
    ])
    for device in devices(of: state) {
      table.add([
        device.shortID, device.address, clipped(device.model, 34), device.serial, number(device.total, device.state),
        number(device.monochrome, device.state), number(device.fullColour, device.state),
        supplies(device.current?.supplies ?? []), alerts(device.state), device.condition,
      ])
    }
    return table.text
  }

  /// Supplies in short, in the words of `Supply.remaining`: `black 40 %, cyan some remaining, waste room 80 %`.
  package static func supplies(_ supplies: [Supply]) -> String {
    let shown = supplies.prefix(suppliesShownMax).map { name(of: $0) + " " + $0.remaining }
    let rest = supplies.count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? ", +\(rest)" : "")
  }

  /// The colour, or what else tells one supply from the next.
  package static func name(of supply: Supply) -> String {
    if supply.isReceptacle { return "waste" }
    if let colour = supply.colour { return colour.lowercased() }
    return clipped(supply.description?.text ?? "row \(supply.row)", 18)
  }

  /// Active alerts in short, worst first.
  package static func alerts(_ device: DeviceState) -> String {
    let ordered = device.alerts.values.sorted {
      ($0.fact.alert.severity ?? 99, $0.fact.key) < ($1.fact.alert.severity ?? 99, $1.fact.key)
    }
    let shown = ordered.prefix(alertsShownMax).map { raised -> String in
      let text = raised.fact.alert.description?.text ?? ""
      return clipped(text.isEmpty ? "alert " + raised.fact.key.description : text, 26)
    }
    let rest = ordered.count - shown.count
    return shown.joined(separator: ", ") + (rest > 0 ? ", +\(rest)" : "")
  }

  /// The fleet as one JSON object.
  package static func json(of state: FleetState) -> [UInt8] {
    var json = JSONWriter()
    json.object { devices(of: state, into: &$0) }
    return json.take()
  }

  /// The member `devices` of the object that is open.
  static func devices(of state: FleetState, into json: inout JSONWriter) {
    json.key("devices")
    json.array(devices(of: state)) { $0.value(Self.json($1)) }
  }

  /// What the journal knows of the device, and its reading as `ptagent read` writes it. One that was never read has the identity that it was
  /// discovered by. Alerts are those that are raised.
  private static func json(_ device: DeviceSummary) -> JSONText {
    let form = ReadingJSON()
    let alerts = device.state.alerts.sorted { $0.key < $1.key }.map { key, raised in
      JSONText.object(
        [("key", .string(key.description)), ("since", .string(UTCTime.text(milliseconds: raised.time)))]
          + form.alert(raised.fact.alert))
    }
    let reading =
      device.current.map { form.members(of: $0).filter { $0.0 != "alerts" } }
      ?? device.identity.map { [("identity", form.identity($0))] } ?? []
    let offsets = device.state.meterOffsets.sorted { $0.key < $1.key }.map { name, set in
      JSONText.object([
        ("meter", .string(name.description)), ("offset", .integer(set.fact.offset)),
        ("reason", .string(set.fact.reason)),
        ("since", .string(UTCTime.text(milliseconds: set.time))),
        ("adjusted", device.meter(name).flatMap { device.state.adjusted($0) }.map { .unsigned($0) } ?? .null),
      ])
    }
    let further: [(String, JSONText)] =
      (device.state.merged.map { [("mergedInto", .string($0.fact.into.description))] } ?? [])
      + (offsets.isEmpty ? [] : [("meterOffsets", .array(offsets))])
    return .object(
      [
        ("id", .string(device.id.description)), ("address", JSONText(device.state.address)),
        ("state", .string(device.condition)),
        ("lastRead", JSONText(device.state.lastRead.map { UTCTime.text(milliseconds: $0.time) })),
        ("failure", failure(of: device.state)),
      ] + reading + further + [("alerts", .array(alerts))])
  }

  private static func failure(of device: DeviceState) -> JSONText {
    guard let failure = device.failure else { return .null }
    return .object([
      ("since", .string(UTCTime.text(milliseconds: failure.time))), ("reason", .string(failure.fact.reason)),
      ("message", .string(failure.fact.message)),
    ])
  }

  /// How many supplies and alerts a line of the table shows, so that it fits a terminal; the rest is counted.
  private static let suppliesShownMax = 5
  private static let alertsShownMax = 2

  /// The raw value, with its unit where that is none of pages; beside it the adjusted one, where an offset is set.
  private static func number(_ meter: Meter?, _ device: DeviceState) -> String {
    guard let meter, meter.quality != .unknown else { return "-" }
    let number = "\(meter.value)" + unit(meter.unit)
    guard device.meterOffsets[meter.name] != nil else { return number }
    return "\(number) (adjusted \(device.adjusted(meter).map(String.init) ?? "unknown"))"
  }

  private static func unit(_ unit: CounterUnit) -> String {
    switch unit {
    case .impressions, .sheets: ""
    case .unknown: " of an unknown unit"
    default: " \(unit.name)"
    }
  }

  private static func clipped(_ text: String, _ width: Int) -> String {
    text.count <= width ? text : text.prefix(width - 1) + "…"
  }

  /// Addresses in numeric order: `10.0.0.9` before `10.0.0.10`.
  private static func sortKey(_ address: String) -> [UInt32] {
    address.split { !$0.isNumber }.map { UInt32($0) ?? .max }
  }
}
