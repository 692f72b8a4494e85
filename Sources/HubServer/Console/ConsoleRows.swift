// Rows of the store as the console shows them.

internal import FoundationEssentials
internal import HubDatabase

/// Installs, with what their latest report says.
enum ConsoleInstall {
  /// As much of a report (docs/formats/health.md) as lists show.
  private struct Report: Decodable {
    struct Journal: Decodable { var lag: Int64? }
    var journal: Journal?
    var clockAheadSeconds: Int64?
    var diskFreeBytes: Int64?
  }

  static func value(_ row: SQLRow, now: Int64) throws -> ConsoleValue {
    let json: String? = try row("json")
    let report = json.flatMap { try? JSONDecoder().decode(Report.self, from: Data($0.utf8)) }
    let certificate: Int64? = try row("certificate_until")
    return .object([
      "id": .text(try row("id")),
      "entity": .object(["id": .integer(try row("entity")), "name": .text(try row("entity_name"))]),
      "hostName": .text(try row("host_name")), "operatingSystem": .text(try row("operating_system")),
      "version": .text(try row("agent_version")), "state": .text(try state(row)),
      "enrolled": .time(try row("enrolled_at")), "seen": .time(try row("seen_at")),
      "revoked": .time(try row("revoked_at")), "replacedBy": ConsoleValue(try row("replaced_by_id") as String?),
      "doubted": .time(try row("doubted_at")), "doubt": ConsoleValue(try row("doubt") as String?),
      "certificateUntil": .time(certificate),
      "certificateDaysLeft": ConsoleValue(certificate.map { ($0 - now) / 86_400_000 }),
      "devices": ConsoleValue(try row("devices") as Int),
      "reported": .time(try row("received_at")), "condition": ConsoleValue(try row("condition") as String?),
      "conditionSince": .time(try row("since")), "reasons": ConsoleValue(try row("reasons") as String?),
      "late": .time(try row("late_at")),
      "lag": ConsoleValue(report?.journal?.lag), "clockAheadSeconds": ConsoleValue(report?.clockAheadSeconds),
      "diskFreeBytes": ConsoleValue(report?.diskFreeBytes),
    ])
  }

  private static func state(_ row: SQLRow) throws -> String {
    if try row("replaced_by_id") as String? != nil { return "replaced" }
    if try row("revoked_at") as Int64? != nil { return "revoked" }
    if try row("doubted_at") as Int64? != nil { return "doubted" }
    return try row("late_at") as Int64? == nil ? "current" : "late"
  }
}

enum ConsoleDevice {
  /// Alerts that a device's page shows, the open ones first.
  static let alertsMax = 100

  static func value(_ row: SQLRow, supplies: [ConsoleValue]) throws -> ConsoleValue {
    func text(_ column: String) throws -> ConsoleValue { ConsoleValue(try row(column) as String?) }
    let unit: String? = try row("unit")
    let total: ConsoleValue =
      unit == nil
      ? .null
      : .object([
        "value": ConsoleValue(try row("total") as Int64?), "unit": ConsoleValue(unit), "quality": try text("quality"),
      ])
    return .object([
      "id": .text(try row("id")),
      "entity": .object(["id": .integer(try row("entity")), "name": .text(try row("entity_name"))]),
      "make": try text("make"), "model": try text("model"), "serial": try text("serial"), "name": try text("name"),
      "location": try text("location"), "assetNumber": try text("asset_number"), "address": try text("address"),
      "mac": try text("mac"), "hostName": try text("host_name"), "firmware": try text("firmware"),
      "state": .text(try row("standing")), "firstSeen": .time(try row("first_seen_at")),
      "lastRead": .time(try row("last_read_at")),
      "install": .object(["id": .text(try row("leader_id")), "hostName": .text(try row("leader_host"))]),
      "meters": .object(["total": total]), "supplies": .list(supplies),
      "alerts": .object([
        "total": ConsoleValue(try row("alerts") as Int), "critical": ConsoleValue(try row("critical") as Int),
      ]),
    ])
  }

  static func supply(_ row: SQLRow) throws -> ConsoleValue {
    let permille: Int64? = try row("remaining_permille")
    let description: String? = try row("description")
    let colorant: String? = try row("colorant")
    return .object([
      "row": .text(try row("row")), "name": ConsoleValue(description ?? colorant),
      "colorant": ConsoleValue(colorant), "receptacle": .bool(try row("is_receptacle")),
      "percent": permille.map { .raw("\($0 / 10).\(abs($0 % 10))") } ?? .null, "quality": .text(try row("quality")),
      "remaining": .text(try row("remaining")), "low": permille.map { .bool($0 <= 200) } ?? .null,
      "level": ConsoleValue(try row("level") as Int64?), "capacity": ConsoleValue(try row("capacity") as Int64?),
      "partNumber": ConsoleValue(try row("part_number") as String?),
      "serialNumber": ConsoleValue(try row("serial_number") as String?), "read": .time(try row("read_at")),
    ])
  }

  static func meter(_ row: SQLRow) throws -> ConsoleValue {
    .object([
      "name": .text(try row("name")), "value": ConsoleValue(try row("value") as Int64?),
      "adjusted": ConsoleValue(try row("adjusted") as Int64?), "unit": .text(try row("unit")),
      "quality": .text(try row("quality")), "epoch": .integer(try row("epoch")), "read": .time(try row("read_at")),
    ])
  }

  static func alert(_ row: SQLRow) throws -> ConsoleValue {
    .object([
      "key": .text(try row("key")), "severity": .text(severity(try row("severity"))),
      "description": .text(try row("description")), "since": .time(try row("raised_at")),
      "updated": .time(try row("updated_at")), "cleared": .time(try row("cleared_at")),
    ])
  }

  /// `critical`, `warning` or `other`.
  static func severity(_ column: String?) -> String {
    column.flatMap { ["critical", "warning"].contains($0) ? $0 : nil } ?? "other"
  }
}

enum ConsoleJob {
  static func value(_ row: SQLRow) throws -> ConsoleValue {
    .object([
      "id": .text(try row("id")), "entity": .text(try row("entity")), "install": .text(try row("install")),
      "hostName": .text(try row("host_name")), "kind": .text(try row("kind")), "summary": .text(try row("summary")),
      "state": .text(try row("state")), "open": .bool(try row("is_open")), "created": .time(try row("created_at")),
      "createdBy": ConsoleValue(try row("created_by") as String?), "deadline": .time(try row("deadline_at")),
      "cancelled": .time(try row("cancelled_at")), "sent": .time(try row("sent_at")),
      "received": .time(try row("received_at")), "started": .time(try row("started_at")),
      "ended": .time(try row("ended_at")), "result": ConsoleValue(try row("result") as String?),
    ])
  }
}

/// Numbers of entities, added up along their tree. Pure.
struct EntityCounts {
  struct Numbers: Equatable {
    var installs = 0
    var devices = 0
    var alerts = 0

    static func + (left: Numbers, right: Numbers) -> Numbers {
      Numbers(
        installs: left.installs + right.installs, devices: left.devices + right.devices,
        alerts: left.alerts + right.alerts)
    }
  }

  struct Place: Equatable {
    let number: Int64
    /// Nil for those that nothing here is above.
    let parent: Int64?
    let depth: Int
    let own: Numbers
    /// With its own.
    let below: Numbers
  }

  /// Each behind the one that it is in, siblings in the order that they were given in.
  let places: [Place]

  init(_ entities: [(number: Int64, parent: Int64?, own: Numbers)]) {
    let known = Set(entities.map(\.number))
    let children = Dictionary(grouping: entities) { entity in entity.parent.flatMap { known.contains($0) ? $0 : nil } }
    /// Those of one level with everything under them, and what these have in all.
    func visit(_ parent: Int64?, _ depth: Int) -> (places: [Place], sum: Numbers) {
      // Commands refuse what would be deeper, or a cycle.
      guard depth < HubLimits.entityDepthMax else { return ([], Numbers()) }
      var (places, sum): ([Place], Numbers) = ([], Numbers())
      for entity in children[parent] ?? [] {
        let under = visit(entity.number, depth + 1)
        let below = entity.own + under.sum
        places.append(
          Place(number: entity.number, parent: parent, depth: depth, own: entity.own, below: below))
        places += under.places
        sum = sum + below
      }
      return (places, sum)
    }
    places = visit(nil, 0).places
  }
}
