// The devices as a list shows them: one row each, with its JSON ready, so that a page of fifty out of thousands is found, sorted and sent in a few
// milliseconds. A reading at rest is packed; unpacking thousands of them for each page would take longer than the page.
//
// A row is made anew when a record of its device was appended (`RecordFollower` tells), and all of them when the thresholds change.

internal import Events
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import Synchronization
internal import WebServing

struct DeviceRow: Sendable {
  let id: DeviceID
  /// Of the address, so that 10.0.0.9 comes before 10.0.0.10.
  let order: [UInt32]
  let state: String
  let make: String
  let model: String
  let serial: String
  let total: UInt64?
  let lastRead: Int64?
  let lowestSupply: Double?
  let hasLow: Bool
  let hasUnknownSupply: Bool
  let critical: Int
  let warning: Int
  let alerts: Int
  let lows: Int
  /// In lower case, all that a search looks into.
  let text: [UInt8]
  let json: [UInt8]

  static func order(of address: String?) -> [UInt32] {
    (address ?? "").split { !$0.isNumber }.map { UInt32($0) ?? .max }
  }
}

final class DeviceRows: Sendable {
  private struct State {
    var rows: [DeviceID: DeviceRow] = [:]
    var stale: Set<DeviceID> = []
    var isWhollyStale = true
    var sorted: [DeviceRow] = []
  }

  private let agent: any ConsoleAgent
  private let state = Mutex(State())

  init(_ agent: any ConsoleAgent) { self.agent = agent }

  func changed(_ device: DeviceID) { state.withLock { if !$0.isWhollyStale { $0.stale.insert(device) } } }
  func changedAll() { state.withLock { $0.isWhollyStale = true } }

  /// All rows by address, as of now.
  func all() -> [DeviceRow] {
    state.withLock { state in
      guard state.isWhollyStale || !state.stale.isEmpty else { return state.sorted }
      let fleet = agent.fleet
      if state.isWhollyStale {
        state.rows = Dictionary(uniqueKeysWithValues: fleet.devices.values.map { ($0.id, DeviceRow($0, agent)) })
      } else {
        for id in state.stale { state.rows[id] = fleet.devices[id].map { DeviceRow($0, agent) } }
      }
      (state.isWhollyStale, state.stale) = (false, [])
      state.sorted = state.rows.values.sorted {
        $0.order == $1.order ? $0.id < $1.id : $0.order.lexicographicallyPrecedes($1.order)
      }
      return state.sorted
    }
  }
}

extension DeviceRow {
  init(_ device: DeviceState, _ agent: any ConsoleAgent) {
    let summary = DeviceSummary(device)
    let reading = summary.current
    let identity = reading?.identity ?? summary.identity
    func meter(_ name: MeterName) -> Meter? { reading?.meters.first { $0.name == name } }
    let total = meter(.total)
    let supplies = (reading?.supplies ?? []).map { supply in
      SupplyCell(supply, threshold: agent.lowThreshold(device.id, identity ?? DeviceIdentity(), supply))
    }
    let severities = device.alerts.values.map { AlertWords.severity($0.fact.alert.severity) }
    id = device.id
    order = Self.order(of: device.address)
    state = device.condition
    make = identity?.make ?? ""
    model = identity?.model?.text ?? identity?.systemDescription?.text ?? ""
    serial = identity?.serial?.text ?? ""
    self.total = total.flatMap { $0.quality.isNumber ? $0.value : nil }
    lastRead = device.lastRead?.time
    lowestSupply = supplies.compactMap(\.percent).min()
    lows = supplies.filter { $0.isLow == true }.count
    hasLow = lows > 0
    hasUnknownSupply = supplies.contains { $0.percent == nil }
    critical = severities.count { $0 == "critical" }
    warning = severities.count { $0 == "warning" }
    alerts = severities.count
    let name = identity?.printerName?.text ?? identity?.hostName?.text
    text = Array(
      [
        device.address, make, model, serial, identity?.hostName?.text, identity?.location?.text,
        identity?.printerName?.text,
        identity?.assetNumber?.text, device.id.description,
      ].compactMap { $0?.lowercased() }.joined(separator: "\n").utf8)
    let first = device.alerts.values.min {
      ($0.fact.alert.severity ?? 99, $0.fact.key) < ($1.fact.alert.severity ?? 99, $1.fact.key)
    }
    var json = JSONWriter()
    json.object { json in
      json.member("id", device.id.description)
      json.nullable("address", device.address)
      json.member("state", device.condition)
      json.nullable("make", identity?.make)
      json.nullable("model", identity?.model?.text ?? identity?.systemDescription?.text)
      json.nullable("serial", identity?.serial?.text)
      json.nullable("name", name)
      json.nullable("location", identity?.location?.text)
      json.nullable("lastRead", device.lastRead.map { UTCTime.text(milliseconds: $0.time) })
      json.failure(device)
      json.key("meters")
      json.object { json in
        json.key("total")
        json.meter(total)
        json.key("monochrome")
        json.meter(meter(MeterName(.total, .monochrome)))
        json.key("fullColor")
        json.meter(meter(MeterName(.total, .fullColor)))
      }
      json.key("supplies")
      json.array(supplies) { $0.value($1.json) }
      json.key("alerts")
      json.object { json in
        json.member("total", severities.count)
        json.member("critical", severities.count { $0 == "critical" })
        json.member("warning", severities.count { $0 == "warning" })
        json.nullable("first", first.map { AlertWords.description($0.fact) })
      }
    }
    self.json = json.take()
  }
}

/// A supply in a list.
struct SupplyCell {
  let percent: Double?
  let isLow: Bool?
  let json: JSONText

  init(_ supply: Supply, threshold: Double) {
    percent = supply.percentRemaining
    isLow = percent.map { $0 <= threshold }
    json = .object([
      ("row", .string(supply.row.description)), ("name", .string(FleetReport.name(of: supply))),
      ("colorant", JSONText(supply.colour)), ("receptacle", .bool(supply.isReceptacle)),
      ("percent", percent.map { .number(($0 * 10).rounded() / 10) } ?? .null),
      ("quality", .string(supply.quality.name)),
      ("meaning", .string(supply.meaning.rawValue)), ("remaining", .string(supply.remaining)),
      ("low", isLow.map { .bool($0) } ?? .null),
    ])
  }
}

enum AlertWords {
  /// `critical`, `warning` or `other` of prtAlertSeverityLevel (RFC 3805).
  static func severity(_ level: Int64?) -> String {
    switch level {
    case 3: "critical"
    case 4, 5: "warning"
    default: "other"
    }
  }

  static func description(_ raised: AlertRaised) -> String {
    let text = raised.alert.description?.text ?? ""
    return text.isEmpty ? "alert \(raised.key)" : text
  }
}

extension JSONWriter {
  /// A member that is null where there is no value.
  mutating func nullable(_ name: StaticString, _ text: String?) {
    key(name)
    if let text { string(text) } else { null() }
  }

  mutating func nullable(_ name: StaticString, _ value: (some BinaryInteger)?) {
    key(name)
    if let value { number(value) } else { null() }
  }

  /// The member `failure`.
  mutating func failure(_ device: DeviceState) {
    key("failure")
    guard let failure = device.failure else { return null() }
    object { json in
      json.member("since", UTCTime.text(milliseconds: failure.time))
      json.member("reason", failure.fact.reason)
      json.member("message", failure.fact.message)
    }
  }

  mutating func meter(_ meter: Meter?) {
    guard let meter else { return null() }
    object { json in
      json.key("value")
      if meter.quality.isNumber { json.number(meter.value) } else { json.null() }
      json.member("unit", meter.unit.name)
      json.member("quality", meter.quality.name)
    }
  }

  mutating func web(_ value: WebJSON) { raw(value.bytes) }

  mutating func member(named name: String, _ value: WebJSON) {
    raw(WebJSON.string(name).bytes + [UInt8(ascii: ":")] + value.bytes)
  }
}
