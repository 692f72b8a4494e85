// What Prometheus reads of an agent (docs/metrics.md): numbers and the names of parts alone. No label names a device, an address or a hub, so that the number
// of series is fixed.

internal import Enrolment
internal import Events
internal import Health
internal import Journal
internal import OpenSSL
internal import Platform
internal import Projections
internal import ReadModels
internal import Replicator

extension StatusComposer {
  /// Everything that /metrics shows, in Prometheus' text format.
  /// - Throws: what the journal throws.
  func metrics() throws -> String { PrometheusText.text(try families()) }

  func families() throws -> [MetricFamily] {
    let now = Machine.milliseconds
    let snapshot = board.snapshot
    let fleet = fold.state
    let parts = try progress.parts()
    let components = snapshot.components(parts, fruitless: fruitless(fleet), at: now)
    return [
      MetricFamily(
        name: "ptagent_build_info", kind: .gauge, help: "The release that runs; always 1.",
        samples: [.init(labels: [("version", AgentVersion.text)], value: 1)]),
      .gauge(
        "ptagent_well", "Whether every part moves or is rightly idle.",
        parts.allSatisfy { $0.movement != .stuck } ? 1 : 0),
      MetricFamily(
        name: "ptagent_part_stuck", kind: .gauge, help: "Whether something waits for a part and it does not move.",
        samples: parts.map { .init(labels: [("part", $0.part.rawValue)], value: $0.movement == .stuck ? 1 : 0) }),
      MetricFamily(
        name: "ptagent_component_state", kind: .gauge,
        help: "1 for the state in which a component is, as ptagent status shows it; 0 for the others.",
        samples: components.flatMap(Self.states)),
    ] + journalFamilies(try JournalNumbers(journal.reader), try journal.reader.statistics())
      + fleetFamilies(fleet) + identityFamilies(now) + Self.deliveryFamilies(snapshot.delivery)
      + (snapshot.collectorProgress.map {
        [
          .gauge(
            "ptagent_collector_progress_timestamp_seconds", "When the collector last moved, in seconds since 1970 UTC.",
            Double($0) / 1000)
        ]
      } ?? []) + ProcessFigures.families()
  }

  private static func states(_ component: AgentStatus.Component) -> [MetricFamily.Sample] {
    AgentStatus.Condition.allCases.map { state in
      .init(
        labels: [("component", component.name), ("state", state.rawValue)], value: component.state == state ? 1 : 0)
    }
  }

  private func journalFamilies(_ numbers: JournalNumbers, _ statistics: JournalStatistics) -> [MetricFamily] {
    var families: [MetricFamily] = [
      .gauge("ptagent_journal_records", "Records that the journal holds.", Double(statistics.records)),
      .gauge("ptagent_journal_lag_records", "Records that the hub has not acknowledged.", Double(numbers.lag)),
      .gauge(
        "ptagent_journal_used_bytes", "What the journal takes up, of journal.size_max.", Double(statistics.usedBytes)),
    ]
    if let free = Machine.bytesFree(at: journalDirectory) {
      families.append(
        .gauge("ptagent_journal_disk_free_bytes", "What may still be written where the journal lies.", Double(free)))
    }
    let damage = try? HealthReport.Damage(journal.reader, directory: journalDirectory)
    families.append(
      .gauge(
        "ptagent_journal_lost_records", "Records that damage took, of the epochs that the journal still has.",
        Double(damage?.recordsLost ?? 0)))
    families.append(
      .gauge(
        "ptagent_journal_quarantines", "Directories with damaged files that nobody has moved away.",
        Double(damage?.quarantines ?? 0)))
    return families
  }

  private func fleetFamilies(_ fleet: FleetState) -> [MetricFamily] {
    let counts = Self.devices(fleet)
    var families = [
      MetricFamily(
        name: "ptagent_devices", kind: .gauge, help: "Devices that are known, by their state.",
        samples: ["read", "unreachable", "new", "replaced", "retired"].map {
          .init(labels: [("state", $0)], value: Double(counts[$0] ?? 0))
        }),
      .gauge(
        "ptagent_alerts_open", "Alerts of devices that are raised.",
        Double(fleet.devices.values.reduce(0) { $0 + $1.alerts.count })),
    ]
    guard let sweep = fleet.agent.sweepCompleted else { return families }
    families += [
      .gauge(
        "ptagent_last_sweep_timestamp_seconds", "When the last sweep ended, in seconds since 1970 UTC.",
        Double(sweep.time) / 1000),
      .gauge(
        "ptagent_last_sweep_duration_seconds", "How long it took.", Double(sweep.fact.milliseconds) / 1000),
      MetricFamily(
        name: "ptagent_last_sweep_addresses", kind: .gauge, help: "What its addresses came to, by reason.",
        samples: sweep.fact.outcomes.map {
          .init(labels: [("reason", $0.reason.replacing(" ", with: "_"))], value: Double($0.addresses))
        }),
    ]
    return families
  }

  private func identityFamilies(_ now: Int64) -> [MetricFamily] {
    var families: [MetricFamily] = []
    if let identity = identity.identity {
      families.append(
        .gauge(
          "ptagent_certificate_expiry_timestamp_seconds", "When the certificate ends, in seconds since 1970 UTC.",
          Double(identity.certificate.notAfter)))
    }
    if let ahead = identity.circumstances.clockAheadSeconds {
      families.append(
        .gauge("ptagent_clock_ahead_seconds", "How far this machine's clock is ahead of the hub's.", Double(ahead)))
    }
    return families
  }

  private static func deliveryFamilies(_ delivery: DeliveryStatus?) -> [MetricFamily] {
    func counter(_ name: String, _ help: String, _ value: UInt64?) -> MetricFamily {
      .counter("ptagent_delivery_\(name)_total", help, Double(value ?? 0))
    }
    return [
      counter("records_sent", "Records that were sent to the hub.", delivery?.recordsSent),
      counter("records_acknowledged", "Records that the hub acknowledged.", delivery?.recordsAcknowledged),
      counter("express_records_sent", "Records that went ahead of their turn.", delivery?.expressSent),
      counter("rejections", "Records that the hub refused.", delivery?.rejections),
      counter("conflicts", "Records under whose numbers the hub holds others.", delivery?.conflicts),
    ]
  }
}
