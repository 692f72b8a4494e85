// Devices: the list, one of them, and its alerts. From the fold's state, without a look into the journal.

internal import AlertRules
internal import Events
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import WebServing

struct DeviceRoutes: Sendable {
  let agent: any ConsoleAgent
  let rows: DeviceRows

  // MARK: The list

  private static let columns = ["address", "model", "make", "serial", "state", "total", "lastRead", "supply", "alerts"]

  func list(_ query: Query) throws(WebError) -> WebAnswer {
    let list = try ListQuery(query, columns: Self.columns, filters: ["state", "make", "alerts", "supply"])
    let states = try ListQuery.choice(
      query, "state", among: ["read", "unreachable", "new", "replaced", "merged", "retired"])
    let alerts = try ListQuery.choice(query, "alerts", among: ["any", "critical", "warning"])
    let supply = try ListQuery.choice(query, "supply", among: ["low", "unknown"])
    let make = try query.text("make", bytesMax: 200)
    var (byState, byMake): ([String: Int], [String: Int]) = ([:], [:])
    var found: [DeviceRow] = []
    for row in rows.all() {
      guard list.finds(row.text), alerts.map({ Self.has(row, $0) }) ?? true,
        supply.map({ $0.contains("low") && row.hasLow || $0.contains("unknown") && row.hasUnknownSupply }) ?? true
      else { continue }
      let isOfState = states.map { $0.contains(row.state) } ?? (row.state != "merged")
      let isOfMake = make.map { row.make == $0 } ?? true
      if isOfMake { byState[row.state, default: 0] += 1 }
      if isOfState { byMake[row.make, default: 0] += 1 }
      if isOfState, isOfMake { found.append(row) }
    }
    Self.sort(&found, list)
    var json = JSONWriter()
    json.object { json in
      json.member("total", found.count)
      json.member("offset", list.offset)
      json.key("facets")
      json.object { json in
        json.key("state")
        json.web(Self.counts(byState))
        json.key("make")
        json.web(Self.counts(byMake))
      }
      json.key("items")
      json.array(list.part(found)) { $0.raw($1.json) }
    }
    return .json(json.take())
  }

  private static func has(_ row: DeviceRow, _ wanted: Set<String>) -> Bool {
    wanted.contains("any") && row.alerts > 0 || wanted.contains("critical") && row.critical > 0
      || wanted.contains("warning") && row.warning > 0
  }

  private static func counts(_ counts: [String: Int]) -> WebJSON {
    .object(counts.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) })
  }

  /// Rows without a value come last, whichever way it is sorted; equal ones stay by address.
  private static func sort(_ rows: inout [DeviceRow], _ list: ListQuery) {
    func by<Key: Comparable>(_ key: (DeviceRow) -> Key?) {
      let keyed = rows.map { (key($0), $0) }
      let (known, unknown) = (keyed.filter { $0.0 != nil }, keyed.filter { $0.0 == nil })
      let sorted = known.enumerated().sorted { left, right in
        guard let a = left.element.0, let b = right.element.0, a != b else { return left.offset < right.offset }
        return list.isDescending ? a > b : a < b
      }
      rows = sorted.map { $0.element.1 } + unknown.map(\.1)
    }
    switch list.column {
    case "model": by { $0.model.isEmpty ? nil : $0.model.lowercased() }
    case "make": by { $0.make.isEmpty ? nil : $0.make.lowercased() }
    case "serial": by { $0.serial.isEmpty ? nil : $0.serial }
    case "state": by { $0.state }
    case "total": by { $0.total }
    case "lastRead": by { $0.lastRead }
    case "supply": by { $0.lowestSupply }
    case "alerts": by { $0.critical * 10_000 + $0.warning * 100 + $0.alerts }
    default: if list.isDescending { rows.reverse() }
    }
  }

  // MARK: One

  /// - Throws: `WebError` 404.
  func state(_ text: String) throws(WebError) -> DeviceState {
    guard let id = DeviceID(hex: text), let device = agent.fleet.devices[id] else {
      throw WebError(404, "unknown_device", "There is no such device. It may be of another journal.")
    }
    return device
  }

  func one(_ device: DeviceState) -> WebAnswer {
    let form = ReadingJSON()
    let obstacle = agent.obstacle(to: device)
    var json = JSONWriter()
    json.object { json in
      json.member("id", device.id.description)
      json.nullable("address", device.address)
      json.member("state", device.condition)
      json.nullable("credential", device.discovered?.fact.credential)
      json.nullable("discovered", Self.time(device.discovered?.time))
      json.nullable("lastRead", Self.time(device.lastRead?.time))
      json.key("lastCost")
      json.cost(device.lastRead?.fact.cost)
      json.nullable("changed", Self.time(device.reading?.time))
      json.failure(device)
      json.nullable("mergedInto", device.merged?.fact.into.description)
      json.nullable("retired", Self.time(device.retired?.time))
      json.key("reading")
      if let reading = device.reading?.fact {
        json.value(.object(form.members(of: reading).filter { $0.0 != "alerts" }))
      } else if let identity = device.discovered?.fact.identity {
        json.value(.object([("identity", form.identity(identity))]))
      } else {
        json.null()
      }
      json.key("meterOffsets")
      json.array(device.meterOffsets.sorted { $0.key < $1.key }) { json, entry in
        json.object { json in
          json.member("meter", entry.key.description)
          json.member("offset", entry.value.fact.offset)
          json.member("reason", entry.value.fact.reason)
          json.member("since", UTCTime.text(milliseconds: entry.value.time))
          json.nullable(
            "adjusted", device.reading?.fact.meters.first { $0.name == entry.key }.flatMap { device.adjusted($0) })
        }
      }
      json.key("meterEpochs")
      json.array(device.meterEpochs.sorted { $0.key < $1.key }) { json, entry in
        json.object { json in
          json.member("meter", entry.key.description)
          json.member("epoch", entry.value.fact.epoch)
          json.member("since", UTCTime.text(milliseconds: entry.value.time))
          json.member("cause", entry.value.fact.cause)
          json.member("evidence", entry.value.fact.evidence)
          json.member("previous", entry.value.fact.previous)
          json.member("current", entry.value.fact.current)
        }
      }
      json.key("alerts")
      json.array(AlertList.of(device)) { $0.raw($1.json) }
      json.key("readNow")
      json.object { json in
        json.key("possible")
        json.bool(obstacle == nil)
        json.nullable("reason", obstacle)
      }
    }
    return .json(json.take())
  }

  static func time(_ milliseconds: Int64?) -> String? { milliseconds.map { UTCTime.text(milliseconds: $0) } }
}

extension JSONWriter {
  mutating func cost(_ cost: PollCost?) {
    guard let cost else { return null() }
    object { json in
      json.member("requests", cost.requests)
      json.member("bytesSent", cost.bytesSent)
      json.member("bytesReceived", cost.bytesReceived)
      json.member("milliseconds", cost.milliseconds)
    }
  }
}

/// A raised alert, before anything is written of it: thousands are sorted, and fifty shown.
struct AlertItem: Sendable {
  let device: DeviceState
  let raised: Timed<AlertRaised>
  let severity: String

  init(_ device: DeviceState, _ raised: Timed<AlertRaised>) {
    self.device = device
    self.raised = raised
    severity = AlertWords.severity(raised.fact.alert.severity)
  }

  /// The agent's own: of its rules, or of sessions with devices' pages.
  var isOfRule: Bool { [AlertRule.group, RemoteAlert.group].contains(raised.fact.key.group) }

  /// Worst first, then the newest.
  var rank: (Int, Int64) { (severity == "critical" ? 0 : severity == "warning" ? 1 : 2, -raised.time) }

  /// In lower case, all that a search looks into.
  var text: [UInt8] {
    let identity = DeviceSummary(device).identity
    return Array(
      [
        AlertWords.description(raised.fact), device.address, identity?.make, identity?.model?.text,
        identity?.serial?.text,
      ]
      .compactMap { $0?.lowercased() }.joined(separator: "\n").utf8)
  }

  var json: [UInt8] {
    let identity = DeviceSummary(device).identity
    let (alert, key) = (raised.fact.alert, raised.fact.key)
    var json = JSONWriter()
    json.object { json in
      json.key("device")
      json.object { json in
        json.member("id", device.id.description)
        json.nullable("address", device.address)
        json.nullable("make", identity?.make)
        json.nullable("model", identity?.model?.text)
        json.nullable("serial", identity?.serial?.text)
      }
      json.member("key", key.description)
      json.member("severity", severity)
      json.nullable("training", alert.training.flatMap { EnumerationNames.trainingLevel($0) })
      let remote = RemoteAlert.name(key)
      json.nullable(
        "group", remote != nil ? "remote" : isOfRule ? "rule" : alert.group.flatMap { EnumerationNames.alertGroup($0) })
      json.nullable(
        "code",
        remote
          ?? (isOfRule
            ? AlertRule(rawValue: key.code).map { "\($0)" } : alert.code.flatMap { EnumerationNames.alertCode($0) }))
      json.member("description", AlertWords.description(raised.fact))
      json.nullable("location", alert.location)
      json.member("since", UTCTime.text(milliseconds: raised.time))
      json.member("origin", isOfRule ? "rule" : "device")
      json.nullable("evidence", raised.fact.evidence.isEmpty ? nil : raised.fact.evidence)
      json.key("flapping")
      json.bool(raised.fact.penalty > Self.flappingFrom)
    }
    return json.take()
  }

  /// Twice of late, in the thousandths of `AlertRaised.penalty`.
  private static let flappingFrom: UInt32 = 2_000
}

enum AlertList {
  /// Worst first.
  static func of(_ device: DeviceState) -> [AlertItem] {
    device.alerts.values.map { AlertItem(device, $0) }.sorted { $0.rank < $1.rank }
  }

  static func all(of fleet: FleetState) -> [AlertItem] {
    var items: [AlertItem] = []
    for device in fleet.devices.values where device.merged == nil && !device.alerts.isEmpty {
      for raised in device.alerts.values { items.append(AlertItem(device, raised)) }
    }
    return items
  }
}

struct AlertRoutes: Sendable {
  let agent: any ConsoleAgent

  func list(_ query: Query) throws(WebError) -> WebAnswer {
    let list = try ListQuery(
      query, columns: ["severity", "since", "device"], filters: ["severity", "device", "origin"])
    let severities = try ListQuery.choice(query, "severity", among: ["critical", "warning", "other"])
    let origins = try ListQuery.choice(query, "origin", among: ["device", "rule"])
    let device = try query.text("device", bytesMax: 64)
    var items = AlertList.all(of: agent.fleet).filter { item in
      (list.words.isEmpty || list.finds(item.text)) && severities?.contains(item.severity) ?? true
        && origins?.contains(item.isOfRule ? "rule" : "device") ?? true
        && device.map { $0 == item.device.id.description } ?? true
    }
    switch list.column {
    case "since": items.sort { $0.raised.time < $1.raised.time }
    case "device":
      let keyed = items.map { (DeviceRow.order(of: $0.device.address), $0) }
      items = keyed.sorted {
        $0.0 == $1.0 ? $0.1.device.id < $1.1.device.id : $0.0.lexicographicallyPrecedes($1.0)
      }.map(\.1)
    default: items.sort { $0.rank < $1.rank }
    }
    if list.isDescending { items.reverse() }
    var json = JSONWriter()
    json.object { json in
      json.member("total", items.count)
      json.member("offset", list.offset)
      json.key("items")
      json.array(list.part(items)) { $0.raw($1.json) }
    }
    return .json(json.take())
  }
}

struct Dashboard: Sendable {
  private static let worstMax = 5

  let agent: any ConsoleAgent
  let rows: DeviceRows

  func answer() -> WebAnswer {
    let all = rows.all()
    var byState: [String: Int] = [:]
    var (lows, critical, warning, alerts) = (0, 0, 0, 0)
    var lastRead: Int64?
    for row in all where row.state != "merged" {
      byState[row.state, default: 0] += 1
      lows += row.lows
      critical += row.critical
      warning += row.warning
      alerts += row.alerts
      if let time = row.lastRead { lastRead = max(lastRead ?? time, time) }
    }
    let worst = alerts == 0 ? [] : AlertList.all(of: agent.fleet).sorted { $0.rank < $1.rank }
    var json = JSONWriter()
    json.object { json in
      for (name, value) in agent.overview() { json.member(named: name, value) }
      json.key("devices")
      json.object { json in
        json.member("total", byState.values.reduce(0, +))
        json.key("byState")
        json.web(.object(byState.sorted { $0.key < $1.key }.map { ($0.key, .integer(Int64($0.value))) }))
        json.member("lowSupplies", lows)
      }
      json.key("alerts")
      json.object { json in
        json.member("total", alerts)
        json.member("critical", critical)
        json.member("warning", warning)
        json.member("other", alerts - critical - warning)
        json.key("worst")
        json.array(worst.prefix(Self.worstMax)) { $0.raw($1.json) }
      }
      json.nullable("lastRead", DeviceRoutes.time(lastRead))
    }
    return .json(json.take())
  }
}
