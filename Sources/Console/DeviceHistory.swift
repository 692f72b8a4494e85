// What the journal tells of one device over time: its meters and supplies for charts, its timeline, how long supplies last, and what its numbers were
// made of. Each goes over the journal once.

internal import AlertRules
internal import Events
internal import Evidence
internal import Journal
internal import MIB
internal import Platform
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import WebServing

struct HistoryRoutes: Sendable {
  private static let metersMax = 16
  private static let pointsRange = 2...2_000

  let agent: any ConsoleAgent
  let work: HeavyWork

  // MARK: Charts

  func history(_ device: DeviceState, _ query: Query) async throws -> WebAnswer {
    try query.expect(["meters", "from", "to", "points"])
    let names = try Self.meters(query)
    let points = try query.number("points", in: Self.pointsRange, default: 300)
    let (from, to) = (try Self.time(query, "from"), try Self.time(query, "to"))
    let (reader, id) = (agent.reader, device.id)
    return try await work.run { isWanted in
      let base = try FleetBase(reader)
      var history = DeviceHistory(id, names, behind: base.state, from: from ?? .min, to: to ?? .max)
      var decoder = EventDecoder(.withoutRaw)
      try reader.scan(from: base.first) { view in
        guard let header = try? EventHeader(view.payload), header.device == id else {
          guard isWanted() else { throw CancellationError() }
          return true
        }
        if let event = try? decoder.event(view.payload) { history.apply(event) }
        return true
      }
      return .json(history.json(pointsMax: points, isComplete: base.removed == nil))
    }
  }

  private static func meters(_ query: Query) throws(WebError) -> Set<MeterName>? {
    guard let text = try query.text("meters") else { return nil }
    var names: Set<MeterName> = []
    for part in text.split(separator: ",") {
      guard let name = MeterName(String(part)) else {
        throw .badValue(
          "meters", "\"\(part.prefix(60))\" is no meter; give names such as total or total.monochrome, with commas.")
      }
      names.insert(name)
    }
    guard names.count <= metersMax else { throw .badValue("meters", "Give at most \(metersMax) meters.") }
    return names
  }

  private static func time(_ query: Query, _ name: String) throws(WebError) -> Int64? {
    guard let text = try query.text(name, bytesMax: 64) else { return nil }
    guard let time = UTCTime.nanoseconds(text) else {
      throw .badValue(name, "\"\(name)\" is no time; give RFC 3339, such as 2026-11-23T09:15Z.")
    }
    return time / 1_000_000
  }

  // MARK: Supplies

  func supplies(_ device: DeviceState) async throws -> WebAnswer {
    let (reader, agent) = (agent.reader, agent)
    return try await work.run { _ in
      let outlook = try SupplyOutlook(reader, device: device.id.description, at: Machine.milliseconds)
      let identity = device.reading?.fact.identity ?? DeviceIdentity()
      let form = ReadingJSON()
      var json = JSONWriter()
      json.object { json in
        json.member("confidencePercent", SupplyForecast.confidencePercent)
        json.key("supplies")
        json.array(outlook.rows) { json, row in
          json.object { json in
            json.key("supply")
            json.value(form.supply(row.supply))
            json.key("low")
            if let percent = row.supply.percentRemaining {
              json.bool(percent <= agent.lowThreshold(device.id, identity, row.supply))
            } else {
              json.null()
            }
            json.forecast(row.forecast)
          }
        }
      }
      return .json(json.take())
    }
  }

  // MARK: Timeline

  func timeline(_ device: DeviceState, _ query: Query) async throws -> WebAnswer {
    try query.expect(["limit", "before", "type"])
    let limit = try query.number("limit", in: 1...500, default: 50)
    let before = try JournalRoutes.position(query, "before")
    var filter = RecordFilter(device: device.id, hidesUnchanged: true)
    if let text = try query.text("type", bytesMax: 64) { filter.type = try JournalRoutes.type(named: text) }
    let (reader, isShipping, wanted) = (agent.reader, agent.isShipping, filter)
    return try await work.run { isWanted in
      var form = try RecordForm(reader, isShipping: isShipping)
      form.isTimeline = true
      let lister = RecordLister(reader: reader, filter: wanted, limit: limit, form: form, isWanted: isWanted)
      return JournalRoutes.answer(try lister.backwards(before: before ?? .end), head: nil)
    }
  }

  // MARK: Where a number comes from

  func why(_ device: DeviceState, _ meter: String) async throws -> WebAnswer {
    let reader = agent.reader
    return try await work.run { _ in
      .json(try MeterExplanation(reader, device: device.id.description, meter: meter).json)
    }
  }

  func provenance(_ device: DeviceState) async throws -> WebAnswer {
    let (reader, id) = (agent.reader, device.id)
    return try await work.run { isWanted in
      let base = try FleetBase(reader)
      var objects = RawObjects()
      try reader.scan(from: base.first) { view in
        guard let header = try? EventHeader(view.payload), header.device == id else {
          guard isWanted() else { throw CancellationError() }
          return true
        }
        do { objects.apply(try Event(payload: view.payload)) } catch { objects.forget(id) }
        return true
      }
      guard let walk = objects[id], let reading = agent.fleet.devices[id]?.reading?.fact else {
        return .json(
          .object([
            ("reading", .null),
            (
              "reason",
              .string(
                "The journal does not hold the raw objects of the last whole reading any more, or none was made yet.")
            ),
          ]))
      }
      let text = ReadingReport(reading, walk: walk).json
      return .json(Array(#"{"reading":"#.utf8) + Array(text.utf8) + Array("}".utf8))
    }
  }
}

extension JSONWriter {
  /// The members `forecast` and `unknown`.
  fileprivate mutating func forecast(_ forecast: Result<SupplyForecast, UnknownForecast>) {
    key("forecast")
    switch forecast {
    case .success(let forecast):
      object { json in
        json.key("daysLeft")
        json.number(forecast.daysLeft)
        json.key("earliest")
        json.number(forecast.earliest)
        json.key("latest")
        if let latest = forecast.latest { json.number(latest) } else { json.null() }
        json.member("points", forecast.points)
      }
      nullable("unknown", nil as String?)
    case .failure(let unknown):
      null()
      nullable("unknown", unknown.reason.rawValue)
    }
  }
}

/// The points of one device's charts.
struct DeviceHistory {
  /// A value from its first to its last reading. Nil: unknown.
  private struct Run<Value: Equatable> {
    let value: Value?
    let epoch: UInt32
    let first: Int64
    var last: Int64
  }

  private struct MeterSeries {
    var unit: String
    var runs: [Run<UInt64>] = []
    var epoch: UInt32 = 1
    var epochs: [(number: UInt32, time: Int64, cause: String, volume: UInt64?)] = []
  }

  private struct SupplySeries {
    var name: String
    var runs: [Run<Double>] = []
    var replaced: [Int64] = []
    var memory: SupplyMemory?
  }

  private let device: DeviceID
  private let names: Set<MeterName>?
  private let from: Int64
  private let to: Int64
  private var fleet = FleetState()
  private var meters: [MeterName: MeterSeries] = [:]
  private var supplies: [RowIndex: SupplySeries] = [:]
  private var first: Int64?
  private var last: Int64?

  /// - Parameters:
  ///   - names: nil: all.
  ///   - from: and `to`, in milliseconds since 1970 UTC.
  init(_ device: DeviceID, _ names: Set<MeterName>?, behind base: FleetState, from: Int64, to: Int64) {
    self.device = device
    self.names = names
    self.from = from
    self.to = to
    if let state = base.devices[device] {
      fleet.devices[device] = state
      for (name, epoch) in state.meterEpochs { meters[name] = MeterSeries(unit: "", epoch: epoch.fact.epoch) }
      if let reading = state.reading { take(reading.fact, at: reading.time) }
    }
  }

  mutating func apply(_ event: Event) {
    fleet.apply(event)
    switch event.body {
    case .meterEpochOpened(let opened) where names?.contains(opened.meter) ?? true:
      meters[opened.meter, default: MeterSeries(unit: "")].epoch = opened.epoch
      guard (from...to).contains(event.time) else { break }
      meters[opened.meter]?.epochs.append((opened.epoch, event.time, opened.cause, opened.volume))
    case .readingTaken, .readingChanged, .readingUnchanged:
      if let reading = fleet.devices[device]?.reading?.fact { take(reading, at: event.time) }
    default: break
    }
  }

  private mutating func take(_ reading: Reading, at time: Int64) {
    for supply in reading.supplies {
      var series = supplies[supply.row] ?? SupplySeries(name: FleetReport.name(of: supply))
      series.name = FleetReport.name(of: supply)
      if let memory = series.memory, SupplyRules.replacement(memory, supply) != nil, (from...to).contains(time) {
        series.replaced.append(time)
      }
      series.memory = SupplyMemory(supply, after: series.memory)
      supplies[supply.row] = series
    }
    guard (from...to).contains(time) else { return }
    first = first ?? time
    last = time
    for meter in reading.meters where names?.contains(meter.name) ?? true {
      var series = meters[meter.name] ?? MeterSeries(unit: meter.unit.name)
      series.unit = meter.unit.name
      Self.add(meter.quality.isNumber ? meter.value : nil, series.epoch, time, &series.runs)
      meters[meter.name] = series
    }
    for supply in reading.supplies {
      let percent = supply.quality == .exact ? supply.measuredPercent : nil
      guard var series = supplies[supply.row] else { continue }
      Self.add(percent, 0, time, &series.runs)
      supplies[supply.row] = series
    }
  }

  private static func add<Value: Equatable>(_ value: Value?, _ epoch: UInt32, _ time: Int64, _ runs: inout [Run<Value>])
  {
    if let index = runs.indices.last, runs[index].value == value, runs[index].epoch == epoch {
      runs[index].last = time
    } else {
      runs.append(Run(value: value, epoch: epoch, first: time, last: time))
    }
  }

  /// Each run's first and last time, thinned evenly; the first and the last point stay.
  private static func points<Value>(_ runs: [Run<Value>], max: Int) -> [(time: Int64, run: Run<Value>)] {
    let all = runs.flatMap { run in run.first == run.last ? [(run.first, run)] : [(run.first, run), (run.last, run)] }
    guard all.count > max else { return all }
    return (0..<max).map { all[$0 * (all.count - 1) / (max - 1)] }
  }

  func json(pointsMax: Int, isComplete: Bool) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.nullable("from", DeviceRoutes.time(first))
      json.nullable("to", DeviceRoutes.time(last))
      json.key("complete")
      json.bool(isComplete)
      json.key("meters")
      json.array(meters.filter { !$0.value.runs.isEmpty }.sorted { $0.key < $1.key }) { json, entry in
        json.object { json in
          json.member("name", entry.key.description)
          json.member("unit", entry.value.unit)
          json.key("points")
          json.array(Self.points(entry.value.runs, max: pointsMax)) { json, point in
            json.object { json in
              json.member("time", UTCTime.text(milliseconds: point.time))
              json.nullable("value", point.run.value)
              json.member("epoch", point.run.epoch)
            }
          }
          json.key("epochs")
          json.array(entry.value.epochs) { json, epoch in
            json.object { json in
              json.member("number", epoch.number)
              json.member("time", UTCTime.text(milliseconds: epoch.time))
              json.member("cause", epoch.cause)
              json.nullable("volume", epoch.volume)
            }
          }
        }
      }
      json.key("supplies")
      json.array(supplies.filter { !$0.value.runs.isEmpty }.sorted { $0.key < $1.key }) { json, entry in
        json.object { json in
          json.member("row", entry.key.description)
          json.member("name", entry.value.name)
          json.key("points")
          json.array(Self.points(entry.value.runs, max: pointsMax)) { json, point in
            json.object { json in
              json.member("time", UTCTime.text(milliseconds: point.time))
              json.key("percent")
              if let percent = point.run.value { json.number((percent * 10).rounded() / 10) } else { json.null() }
            }
          }
          json.key("replaced")
          json.array(entry.value.replaced) { $0.string(UTCTime.text(milliseconds: $1)) }
        }
      }
    }
    return json.take()
  }
}
