// What the database says of the fleet and of itself, for the metrics, and the commit by which is known that it can commit.

internal import HubDatabase
internal import Platform
internal import Synchronization

/// Numbers over everything that a hub keeps.
struct StoreFigures: Sendable, Equatable {
  var installsCurrent = 0
  /// Those that the view `late_install` shows.
  var installsLate = 0
  var installsRevoked = 0
  var installsDoubted = 0
  /// Records that are committed and in no read model yet.
  var fleetLag = 0
  var devices = 0
  var alertsOpen = 0
  /// Installs by what the view `install_state` says of them.
  var conditions: [String: Int] = [:]
  /// Open alerts about installs, those of components together.
  var installAlerts: [String: Int] = [:]
  var databaseBytes: Int64 = 0

  var families: [MetricFamily] {
    [
      MetricFamily(
        name: "pthub_installs", kind: .gauge,
        help: "Installs: current, late (no report for three minutes), and revoked or replaced.",
        samples: [("current", installsCurrent), ("late", installsLate), ("revoked", installsRevoked)].map {
          .init(labels: [("state", $0.0)], value: Double($0.1))
        }),
      .gauge("pthub_installs_in_doubt", "Installs whose identity seems to be in two places.", Double(installsDoubted)),
      .gauge("pthub_fleet_lag_records", "Committed records that are in no read model yet.", Double(fleetLag)),
      .gauge("pthub_devices", "Devices that are known.", Double(devices)),
      .gauge("pthub_alerts_open", "Alerts of devices that are open.", Double(alertsOpen)),
      MetricFamily(
        name: "pthub_installs_condition", kind: .gauge,
        help:
          "Installs that are not revoked, by their health. new: no report yet; late: none for three minutes; else by the last report.",
        samples: ["good", "degraded", "failed", "late", "new"].map {
          .init(labels: [("condition", $0)], value: Double(conditions[$0] ?? 0))
        }),
      MetricFamily(
        name: "pthub_install_alerts_open", kind: .gauge,
        help: "Alerts about installs that are open, by what they tell.",
        samples: InstallAlertKey.kinds.map { .init(labels: [("kind", $0)], value: Double(installAlerts[$0] ?? 0)) }),
      .gauge("pthub_database_size_bytes", "What the database takes up.", Double(databaseBytes)),
    ]
  }
}

extension SQLStore {
  func figures() async throws -> StoreFigures {
    let bytes = try await databaseBytes()
    return try await read { db in
      var figures = StoreFigures()
      let all = try db.count("SELECT count(*) FROM install")
      figures.installsRevoked = try db.count("SELECT count(*) FROM install WHERE revoked_at IS NOT NULL")
      figures.installsLate = try db.count("SELECT count(*) FROM late_install")
      figures.installsCurrent = all - figures.installsRevoked - figures.installsLate
      figures.installsDoubted = try db.count(
        "SELECT count(*) FROM install WHERE doubted_at IS NOT NULL AND revoked_at IS NULL")
      figures.fleetLag = try db.count(
        """
        SELECT CAST(COALESCE(sum(j.held - COALESCE(p.sequence, 0)), 0) AS BIGINT) AS lag FROM journal j
        LEFT JOIN projected p ON p.install = j.install AND p.epoch = j.epoch WHERE j.held > COALESCE(p.sequence, 0)
        """)
      figures.devices = try db.count("SELECT count(*) FROM device")
      figures.alertsOpen = try db.count(
        "SELECT count(*) FROM alert WHERE cleared_at IS NULL AND \(Self.isWatched("alert.device"))")
      for row in try db.rows("SELECT state, count(*) AS installs FROM install_state GROUP BY state") {
        figures.conditions[try row("state")] = try row("installs")
      }
      for row in try db.rows("SELECT key, count(*) AS alerts FROM install_alert WHERE cleared_at IS NULL GROUP BY key")
      {
        let key: String = try row("key")
        figures.installAlerts[String(key.prefix { $0 != "." }), default: 0] += try row("alerts") as Int
      }
      figures.databaseBytes = bytes
      return figures
    }
  }

  private func databaseBytes() async throws -> Int64 {
    do { return try await database.byteCount() } catch let failure as SQLFailure { throw HubError(failure) }
  }

  /// Commits a transaction that changes nothing, with everything that a commit takes.
  func commitNothing() async throws {
    try await write(.readCommitted) { db in try db.execute("UPDATE hub SET identity = identity WHERE number = 1") }
  }

  /// What the database refused since the process began, by the kind.
  var failureFamily: MetricFamily {
    let counts = failures.counts
    return MetricFamily(
      name: "pthub_database_errors_total", kind: .counter, help: "What the database refused, by the kind of failure.",
      samples: SQLFailure.Kind.allCases.map {
        .init(labels: [("kind", $0.label)], value: Double(counts[$0] ?? 0))
      })
  }
}

/// Failures of a database, counted.
final class FailureCounts: Sendable {
  private let state = Mutex<[SQLFailure.Kind: Int]>([:])

  func add(_ kind: SQLFailure.Kind) { state.withLock { $0[kind, default: 0] += 1 } }
  var counts: [SQLFailure.Kind: Int] { state.withLock { $0 } }
}

extension SQLFailure.Kind {
  fileprivate var label: String {
    switch self {
    case .busy: "busy"
    case .unreachable: "unreachable"
    case .diskFull: "disk_full"
    case .inputOutput: "input_output"
    case .duplicate: "duplicate"
    case .permission: "permission"
    case .damaged: "damaged"
    case .newer: "newer"
    case .configuration: "configuration"
    }
  }
}
