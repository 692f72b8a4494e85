// What a hub counts while it serves (docs/hub.md, Metrics). A counter begins at zero with the process, and each of its series is there from the
// start, so that a rate is one from the first event on. No label names an install, an entity or an address: the number of series is fixed.

internal import GRPCCore
internal import Platform
internal import Synchronization

/// A counter, and the values that its label may have.
struct HubCounter: Hashable, Sendable {
  let name: String
  let help: String
  /// Empty: there is one series, without a label.
  var label = ""
  var values = [""]

  static let connections = HubCounter(
    name: "pthub_connections_accepted_total", help: "Connections that were accepted, by listener.",
    label: "listener", values: ["csr", "dcam"])
  static let connectionErrors = HubCounter(
    name: "pthub_connection_errors_total",
    help:
      "What broke a protocol below gRPC. tls: no TLS, or records that do not verify; http2_connection: the hub ended the connection (GOAWAY); http2_stream: it ended a call; call: a message was too large, or no gRPC.",
    label: "kind", values: ["tls", "http2_connection", "http2_stream", "call"])
  static let callsRefused = HubCounter(
    name: "pthub_calls_refused_total",
    help: "Calls that were refused for who called, or because there are too many, by the reason.",
    label: "reason",
    values: [
      "no_certificate", "foreign_certificate", "not_yet_valid", "expired", "unknown_certificate", "superseded",
      "certificate_revoked", "install_revoked", "foreign_journal", "too_many_streams",
      "store_unavailable",
    ])
  static let streamsOpened = HubCounter(
    name: "pthub_streams_opened_total", help: "Delivery streams that were opened.")
  static let streamsEnded = HubCounter(
    name: "pthub_streams_ended_total",
    help:
      "Delivery streams that ended, by the gRPC status; cancelled: the agent, its deadline or the network ended it; unavailable: the hub went down, or could not store.",
    label: "status", values: statuses)
  static let checkIns = HubCounter(
    name: "pthub_check_ins_total",
    help: "Check-ins of agents in normal mode, alerts ahead of their turn among them, by the gRPC status.",
    label: "status", values: statuses)
  static let batches = HubCounter(
    name: "pthub_batches_received_total", help: "Batches of records that were received and follow the protocol.")
  static let recordsReceived = HubCounter(
    name: "pthub_records_received_total", help: "Records in those batches.")
  static let bytesReceived = HubCounter(
    name: "pthub_records_received_bytes_total", help: "Bytes of the payloads of those records.")
  static let records = HubCounter(
    name: "pthub_records_handled_total",
    help:
      "What became of records once their transaction was committed. lost: said to be lost by the agent; not_stored: the transaction failed, and the agent sends them again.",
    label: "outcome", values: ["committed", "duplicate", "rejected", "conflicting", "lost", "not_stored"])
  static let violations = HubCounter(
    name: "pthub_protocol_violations_total",
    help: "Messages that do not follow dcam: what they say cannot be, or a gap lies before them.",
    label: "kind", values: ["batch", "gap", "lost", "checkpoint", "express", "order", "epochs"])
  static let commitFailures = HubCounter(
    name: "pthub_commit_failures_total", help: "Transactions of records that failed.")
  static let express = HubCounter(
    name: "pthub_express_records_total", help: "Records that came ahead of their turn, by what became of them.",
    label: "outcome", values: ["kept", "refused", "conflicting"])
  static let checkpoints = HubCounter(
    name: "pthub_checkpoints_total", help: "Checkpoints of agents' journals, by whether the hub's own tree agrees.",
    label: "outcome", values: ["verified", "refused"])
  static let enrolments = HubCounter(
    name: "pthub_enrolments_total",
    help:
      "Attempts to enrol. repeated: the same agent asked again; refused: the code is not good; invalid: the request is not; limited: too many attempts.",
    label: "outcome", values: ["enrolled", "repeated", "refused", "invalid", "limited", "not_stored"])
  static let renewals = HubCounter(
    name: "pthub_renewals_total", help: "Renewals of certificates, by outcome.",
    label: "outcome", values: ["renewed", "refused", "limited", "not_stored"])
  static let doubts = HubCounter(
    name: "pthub_identities_doubted_total",
    help: "How often an identity was found to be in two places; of one install once an hour.")
  static let reports = HubCounter(
    name: "pthub_health_reports_total", help: "Health reports, by outcome.", label: "outcome",
    values: ["kept", "refused", "not_stored"])
  static let unreadable = HubCounter(
    name: "pthub_fleet_records_unreadable_total",
    help: "Records that are in no read model, because they are no event that this release knows.")
  static let fleetFailures = HubCounter(
    name: "pthub_fleet_failures_total", help: "How often the read models could not be brought up with the records.")

  static let all = [
    connections, connectionErrors, callsRefused, streamsOpened, streamsEnded, checkIns, batches, recordsReceived,
    bytesReceived, records, violations, commitFailures, express, checkpoints, enrolments, renewals, doubts, reports,
    unreadable, fleetFailures,
  ]

  private static let statuses = [
    "ok", "cancelled", "invalid_argument", "permission_denied", "unauthenticated", "resource_exhausted", "aborted",
    "unavailable", "other",
  ]

  /// The value of a `status` label for what ended a call; nil ended it well.
  static func status(_ error: (any Error)?) -> String {
    guard let error else { return "ok" }
    if error is CancellationError { return "cancelled" }
    switch (error as? RPCError)?.code {
    case .cancelled?, .deadlineExceeded?: return "cancelled"
    case .invalidArgument?: return "invalid_argument"
    case .permissionDenied?: return "permission_denied"
    case .unauthenticated?: return "unauthenticated"
    case .resourceExhausted?: return "resource_exhausted"
    case .aborted?: return "aborted"
    case .unavailable?: return "unavailable"
    default: return "other"
    }
  }
}

/// The counters of one hub.
final class HubMetrics: Sendable {
  private struct Series: Hashable {
    let name: String
    let value: String
  }

  private struct State {
    var counts: [Series: UInt64] = [:]
    var commits = DurationHistogram()
    var openConnections = 0
  }

  private let state = Mutex(State())

  /// - Parameter value: one of the counter's; another would be a series that nobody expects, and is our own mistake.
  func count(_ counter: HubCounter, _ value: String = "", by amount: Int = 1) {
    precondition(counter.values.contains(value) && amount >= 0, "\(counter.name) has no \(value)")
    guard amount > 0 else { return }
    state.withLock { $0.counts[Series(name: counter.name, value: value), default: 0] &+= UInt64(amount) }
  }

  func value(_ counter: HubCounter, _ value: String = "") -> UInt64 {
    state.withLock { $0.counts[Series(name: counter.name, value: value)] ?? 0 }
  }

  func committed(in duration: Duration) { state.withLock { $0.commits.add(duration) } }

  func connectionOpened() { state.withLock { $0.openConnections += 1 } }
  func connectionClosed() { state.withLock { $0.openConnections -= 1 } }

  /// Everything that is counted here.
  var families: [MetricFamily] {
    let now = state.withLock { $0 }
    let counters = HubCounter.all.map { counter in
      MetricFamily(
        name: counter.name, kind: .counter, help: counter.help,
        samples: counter.values.map { value in
          MetricFamily.Sample(
            labels: counter.label.isEmpty ? [] : [(counter.label, value)],
            value: Double(now.counts[Series(name: counter.name, value: value)] ?? 0))
        })
    }
    return counters + [
      now.commits.family(
        "pthub_commit_duration_seconds", "How long transactions of records took, with the flush to disk."),
      .gauge("pthub_connections_open", "Connections to csr and dcam that are open.", Double(now.openConnections)),
    ]
  }
}
