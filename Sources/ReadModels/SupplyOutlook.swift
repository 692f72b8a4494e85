// How long supplies last, from the levels that the journal has of them since each was last replaced. The estimate is `SupplyForecast`'s;
// this file gathers its points: one pass over the journal, a bounded number of points for each supply.
//
// A supply that is replaced every few days never has a history that is long enough. Then what was used of the ones before it in its row counts as well, of
// the same capacity and part number: their levels are put in front of its own, raised by what it came with, so that the line falls on.

package import AlertRules
package import Events
internal import Evidence
package import Journal
package import PrinterModel
package import Projections

package struct SupplyOutlook: Sendable {
  package struct Row: Sendable {
    package var device: DeviceID
    package var supply: Supply
    package var forecast: Result<SupplyForecast, UnknownForecast>
  }

  package private(set) var rows: [Row] = []

  /// - Parameters:
  ///   - device: as `IdentityTrail` takes it; nil: every device.
  ///   - now: from when days are counted, in milliseconds since 1970 UTC.
  /// - Throws: `SearchError`, `JournalError`.
  package init(_ reader: JournalReader, device text: String?, at now: Int64) throws {
    let last = try JournalRange(reader).last
    let base = try FleetBase(reader)
    var wanted: DeviceID?
    if let text { wanted = try DeviceSearch.device(text, reader, through: last).id }
    var histories = LevelHistories(base.state)
    var decoder = EventDecoder(.withoutRaw)
    try reader.scan(from: base.first, through: last) { view in
      guard let header = try? EventHeader(view.payload), let id = header.device, wanted == nil || id == wanted,
        let event = try? decoder.event(view.payload)
      else { return true }
      histories.apply(event)
      return true
    }
    for device in FleetReport.devices(of: histories.fleet) where wanted == nil || device.id == wanted {
      for supply in device.reading?.supplies ?? [] {
        rows.append(
          Row(device: device.id, supply: supply, forecast: histories.forecast(device.id, supply.row, at: now)))
      }
    }
  }

  package var text: String {
    guard !rows.isEmpty else { return "No supply was read yet.\n" }
    var table = TextTable([.init("DEVICE"), .init("SUPPLY"), .init("LEFT"), .init("DAYS LEFT")])
    for row in rows {
      table.add([row.device.short, FleetReport.name(of: row.supply), row.supply.remaining, row.forecast.words])
    }
    return table.text
  }

  package var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("confidencePercent", SupplyForecast.confidencePercent)
      json.key("supplies")
      json.array(rows) { json, row in
        json.object { json in
          json.member("device", row.device.description)
          json.key("supply")
          json.supply(row.supply)
          json.forecast(row.forecast)
        }
      }
    }
    return json.take()
  }
}

/// What two supplies must have alike, so that a percent of one is as much as a percent of the other.
private struct SupplyKind: Equatable, Sendable {
  var capacity: Int64?
  var partNumber: String?
}

/// The levels of all supplies since each was last replaced, and of those before it.
package struct LevelHistories: Sendable {
  /// Twice what an estimate takes; beyond it every second point is left out.
  private static let pointsMax = 2 * SupplyForecast.pointsMax

  package private(set) var fleet: FleetState
  private var points: [DeviceID: [RowIndex: [LevelPoint]]] = [:]
  /// The levels of those that were in the row before, each raised by what its follower had more, so that they end where `points` begin.
  private var formers: [DeviceID: [RowIndex: [LevelPoint]]] = [:]
  private var kinds: [DeviceID: [RowIndex: SupplyKind]] = [:]
  private var memories: [DeviceID: SortedTable<RowIndex, SupplyMemory>] = [:]

  /// - Parameter base: the fleet before the first event.
  package init(_ base: FleetState = FleetState()) {
    fleet = base
    for state in base.devices.values {
      guard let reading = state.reading else { continue }
      take(reading.fact, of: state.id, at: reading.time)
    }
  }

  package mutating func apply(_ event: Event) {
    fleet.apply(event)
    guard let id = event.device else { return }
    switch event.body {
    case .readingTaken, .readingChanged, .readingUnchanged:
      if let reading = fleet.devices[id]?.reading?.fact { take(reading, of: id, at: event.time) }
    default: break
    }
  }

  package func forecast(
    _ device: DeviceID, _ row: RowIndex, at now: Int64
  ) -> Result<SupplyForecast, UnknownForecast> {
    let own = points[device]?[row] ?? []
    let forecast = SupplyForecast.estimate(own, at: now)
    guard case .failure(let unknown) = forecast, unknown.reason == .tooFewPoints || unknown.reason == .tooShort,
      let formers = formers[device]?[row], !formers.isEmpty, !own.isEmpty,
      case .success(let whole) = SupplyForecast.estimate(formers + own, at: now)
    else { return forecast }
    return .success(whole)
  }

  /// Those before count no longer than this before the present one came: what a printer is used for changes.
  private static let formersCountFor: Int64 = 60 * 86_400_000

  /// Puts what is known of a supply behind its follower.
  private mutating func replace(_ row: RowIndex, of device: DeviceID, by supply: Supply, at time: Int64) {
    let former = points[device]?.removeValue(forKey: row) ?? []
    let before = formers[device]?.removeValue(forKey: row) ?? []
    guard let last = former.last, supply.quality == .exact, let percent = supply.measuredPercent else { return }
    let kept = (before + former).filter { time - $0.time <= Self.formersCountFor }.suffix(SupplyForecast.pointsMax)
    formers[device, default: [:]][row] = kept.map {
      LevelPoint(time: $0.time, percent: $0.percent + percent - last.percent)
    }
  }

  private mutating func take(_ reading: Reading, of device: DeviceID, at time: Int64) {
    let before = memories[device] ?? [:]
    for supply in reading.supplies {
      let memory = SupplyRules.memory(of: supply, in: before)
      if let memory, SupplyRules.replacement(memory, supply) != nil {
        replace(supply.row, of: device, by: supply, at: time)
      }
      let kind = SupplyKind(capacity: supply.capacity, partNumber: supply.partNumber)
      if kinds[device, default: [:]].updateValue(kind, forKey: supply.row).map({ $0 != kind }) ?? false {
        formers[device]?[supply.row] = nil
      }
      memories[device, default: [:]][supply.row] = SupplyMemory(supply, after: memory)
      guard supply.quality == .exact, let percent = supply.measuredPercent else { continue }
      add(LevelPoint(time: time, percent: percent), device, supply.row)
    }
  }

  /// Points at which the level did not move are kept once: the latest stands for all since.
  private mutating func add(_ point: LevelPoint, _ device: DeviceID, _ row: RowIndex) {
    var levels = points[device]?[row] ?? []
    if levels.count >= 2, levels.suffix(2).allSatisfy({ $0.percent == point.percent }) { levels.removeLast() }
    levels.append(point)
    if levels.count > Self.pointsMax {
      levels = levels.enumerated().filter { $0.offset % 2 == 0 || $0.offset == levels.count - 1 }.map(\.element)
    }
    points[device, default: [:]][row] = levels
  }
}

extension Result where Success == SupplyForecast, Failure == UnknownForecast {
  /// `23 (18 to 31)`, or why there is none.
  package var words: String {
    switch self {
    case .success(let forecast):
      let latest = forecast.latest.map { "to \(Self.days($0))" } ?? "or more"
      return "\(Self.days(forecast.daysLeft)) (\(Self.days(forecast.earliest)) \(latest))"
    case .failure(let unknown): return "unknown: \(unknown.reason.rawValue)"
    }
  }

  private static func days(_ days: Double) -> String { String(Int(min(days, 100_000).rounded(.down))) }
}

extension JSONWriter {
  fileprivate mutating func forecast(_ forecast: Result<SupplyForecast, UnknownForecast>) {
    switch forecast {
    case .success(let forecast):
      key("daysLeft")
      object { json in
        json.key("estimate")
        json.number(forecast.daysLeft)
        json.key("earliest")
        json.number(forecast.earliest)
        if let latest = forecast.latest {
          json.key("latest")
          json.number(latest)
        }
        json.member("points", forecast.points)
      }
    case .failure(let unknown):
      member("daysLeftUnknown", unknown.reason.rawValue)
    }
  }
}
