// What the read models say, as rows for lists, reports and exports.

package import HubDatabase
internal import HubFleet

/// A report: the rows of a view, or of a table, and the columns that are shown of it.
package struct Report: Sendable {
  package enum Kind: Sendable {
    /// A name, or a word.
    case text
    case sentence
    case number
    /// Milliseconds since 1970 UTC.
    case time
    /// Days since 1970 UTC.
    case day
  }

  package struct Column: Sendable {
    package let name: String
    package let kind: Kind
    /// Whether a table for people shows it; JSON and CSV have every column.
    package let isShown: Bool
  }

  package let name: String
  /// What the rows are, for help and for the top of a table.
  package let abstract: String
  package let columns: [Column]
  fileprivate let source: String
  fileprivate let order: String

  private init(_ name: String, _ abstract: String, from source: String, order: String, _ columns: [Column]) {
    self.name = name
    self.abstract = abstract
    self.source = source
    self.order = order
    self.columns = columns
  }

  private static func text(_ name: String, shown: Bool = true) -> Column {
    Column(name: name, kind: .text, isShown: shown)
  }
  private static func sentence(_ name: String, shown: Bool = true) -> Column {
    Column(name: name, kind: .sentence, isShown: shown)
  }
  private static func number(_ name: String, shown: Bool = true) -> Column {
    Column(name: name, kind: .number, isShown: shown)
  }
  private static func time(_ name: String, shown: Bool = true) -> Column {
    Column(name: name, kind: .time, isShown: shown)
  }

  package static let devices = Report(
    "devices", "The devices of every entity, whoever reads them", from: "device_list",
    order: "entity, model, serial, id",
    [
      text("entity"), text("id", shown: false), text("make"), text("model"), text("serial"),
      text("asset_number", shown: false),
      text("name", shown: false), text("location"), text("address"), text("mac", shown: false),
      text("firmware", shown: false),
      text("host_name", shown: false), number("total"), text("state"), number("alerts"),
      number("installs", shown: false),
      text("leader", shown: false), time("first_seen_at", shown: false), time("last_read_at"),
    ])

  package static let meters = Report(
    "meters", "Current meters", from: "current_meter", order: "entity, serial, device, meter",
    [
      text("entity"), text("device", shown: false), text("make"), text("model"), text("serial"),
      text("asset_number", shown: false),
      text("location", shown: false), text("meter"), number("value"), number("adjusted", shown: false), text("unit"),
      text("quality"),
      number("epoch", shown: false), time("read_at"), time("changed_at", shown: false),
    ])

  package static let volumes = Report(
    "volumes", "What each meter counted a day, by meter epoch", from: "meter_volume",
    order: "entity, serial, device, meter, epoch, day",
    [
      text("entity"), text("device", shown: false), text("make"), text("model"), text("serial"), text("meter"),
      number("epoch"),
      Column(name: "day", kind: .day, isShown: true), number("volume"), number("last"), time("last_at", shown: false),
    ])

  package static let supplies = Report(
    "supplies", "Supplies of which a fifth or less is left", from: "supply_due",
    order: "entity, remaining_permille, device, row",
    [
      text("entity"), text("device", shown: false), text("make"), text("model"), text("serial"), text("location"),
      text("row", shown: false), text("colorant", shown: false), text("description"),
      number("remaining_permille", shown: false),
      text("remaining"), text("quality", shown: false), text("part_number"), time("read_at"),
      time("changed_at", shown: false),
    ])

  package static let alerts = Report(
    "alerts", "Alerts of devices and of installs that are open", from: "open_alert",
    order: "raised_at DESC, device, install, key",
    [
      text("entity"), text("device", shown: false), text("make"), text("model"), text("serial"), text("location"),
      text("key", shown: false), text("severity"), sentence("description"), time("raised_at"),
      time("updated_at", shown: false), text("install", shown: false), text("host_name"),
    ])

  package static let installs = Report(
    "installs", "How installs are, by what they report", from: "install_state", order: "entity, host_name, install",
    [
      text("entity"), text("install", shown: false), text("host_name"), text("agent_version"), text("state"),
      time("since"), sentence("reasons"), time("reported_at"), time("seen_at", shown: false), number("records_waiting"),
      time("certificate_ends_at"), number("clock_ahead_milliseconds", shown: false),
      number("disk_free_bytes", shown: false), time("doubted_at", shown: false),
    ])

  /// What is cleared as well.
  package static let installAlerts = Report(
    "install-alerts", "What was wrong with installs, and for how long", from: "install_alert_list",
    order: "raised_at DESC, install, key",
    [
      text("entity"), text("install", shown: false), text("host_name"), text("key"), text("severity"),
      sentence("description"), time("raised_at"), time("updated_at", shown: false), time("cleared_at"),
      number("raises", shown: false), number("lasted_milliseconds", shown: false),
    ])

  package static let late = Report(
    "late", "Installs that do not report", from: "late_install", order: "entity, install",
    [
      text("entity"), text("install"), text("host_name"), text("agent_version"), time("late_at"), time("seen_at"),
      number("late_milliseconds", shown: false),
    ])

  /// Not among the exports: `pthub job list` has filters of its own.
  package static let jobs = Report(
    "jobs", "Jobs, the newest first", from: "job_list", order: "created_at DESC, id",
    [
      text("entity"), text("id"), text("install", shown: false), text("host_name"), text("kind", shown: false),
      sentence("summary"), text("state"), number("is_open", shown: false), time("created_at"),
      text("created_by", shown: false), time("deadline_at", shown: false), time("cancelled_at", shown: false),
      time("sent_at", shown: false), time("received_at", shown: false), time("started_at", shown: false),
      time("ended_at"), sentence("result"),
    ])

  package static let all = [devices, meters, volumes, supplies, alerts, late, installs, installAlerts]
}

extension SQLStore {
  /// The rows of a report, each with its columns in order.
  ///
  /// - Parameters:
  ///   - entity: of this one and those below it, whatever the case of its letters.
  ///   - alone: of that entity alone.
  ///   - device: of this one alone, by its id.
  ///   - values: where these columns have these values alone.
  package func rows(
    of report: Report, entity: String? = nil, alone: Bool = false, device: String? = nil,
    where values: [String: SQLValue] = [:]
  ) async throws -> [[SQLValue]] {
    let names = report.columns.map(\.name)
    var (conditions, arguments): ([String], [SQLValue]) = ([], [])
    if let entity {
      conditions.append(
        alone ? "lower(entity) = lower(?)" : "entity IN (\(Self.below) SELECT name FROM below)")
      arguments.append(.text(entity))
    }
    if let device {
      conditions.append("\(names.contains("device") ? "device" : "id") = ?")
      arguments.append(.text(device))
    }
    for (name, value) in values.sorted(by: { $0.key < $1.key }) where names.contains(name) {
      conditions.append("\(name) = ?")
      arguments.append(value)
    }
    let filter = conditions.isEmpty ? "" : " WHERE \(conditions.joined(separator: " AND "))"
    let sql = "SELECT \(names.joined(separator: ", ")) FROM \(report.source)\(filter) ORDER BY \(report.order)"
    return try await read { [arguments] db in
      try db.rows(sql, arguments).map { row in try names.map { try row($0) as SQLValue } }
    }
  }
}
