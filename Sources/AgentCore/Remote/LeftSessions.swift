// Sessions that an earlier process of the agent left open: it was killed, or the machine lost its power. They are over, and the journal says so at the next
// start, with what it has of them.

internal import Events
internal import Evidence
internal import Journal
internal import Logging
internal import Projections

struct LeftSessions {
  /// Records that are read at one time.
  private static let stepMax: UInt64 = 10_000

  /// What the journal has of one job.
  private struct Left {
    var device: DeviceID?
    var (opened, last): (Int64, Int64) = (0, 0)
    var (begun, over, ofBegun): (UInt64, UInt64, UInt64) = (0, 0, 0)
    var (bytesSent, bytesReceived): (UInt64, UInt64) = (0, 0)
    var isStarted = false
    var isClosed = false
  }

  private let jobs: [JobID]

  /// - Parameter jobs: as the journal has them before this process ends those that were interrupted.
  init(_ jobs: JobStates) {
    self.jobs = jobs.open.filter { job in
      job.started != nil && job.received?.fact.order.kind == JobOrder.Kind.page.rawValue
    }.map(\.id)
  }

  /// Records the end of each that was open.
  func close(in journal: Journal, _ logger: Logger) async {
    guard !jobs.isEmpty else { return }
    do {
      for (device, body) in try ends(journal.reader) {
        _ = try await RemoteRecords(journal: journal).append(.remoteSessionClosed(body), of: device)
        logger.notice("a technician's session was left open by an earlier process", metadata: ["job": "\(body.job)"])
      }
    } catch {
      logger.warning("the end of technicians' sessions could not be recorded", metadata: ["reason": "\(error)"])
    }
  }

  private func ends(_ reader: JournalReader) throws -> [(DeviceID, RemoteSessionClosed)] {
    var found = Dictionary(uniqueKeysWithValues: jobs.map { ($0, Left()) })
    // From the end to where the first of them was started.
    search: for epoch in try reader.epochs().reversed() {
      let first = try reader.base(epoch: epoch.number).size + 1
      var last = try reader.frontier(epoch: epoch.number).size
      while last >= first, last > 0 {
        let begin = max(first, last - min(last - 1, Self.stepMax - 1))
        try reader.scan(
          from: RecordPosition(epoch: epoch.number, sequence: begin),
          through: RecordPosition(epoch: epoch.number, sequence: last)
        ) { view in
          // A record that cannot be read is somebody else's finding.
          if let header = try? EventHeader(view.payload), Self.types.contains(header.type),
            let event = try? Event(payload: view.payload)
          {
            Self.note(event, &found)
          }
          return true
        }
        if found.values.allSatisfy(\.isStarted) { break search }
        last = begin - 1
      }
    }
    return jobs.compactMap { job in
      guard let left = found[job], let device = left.device, !left.isClosed else { return nil }
      return (
        device,
        RemoteSessionClosed(
          job: job, reason: RemoteSessionClosed.Reason.stopping.rawValue,
          message: "The agent's process ended while it was open.",
          requests: left.over + left.begun - min(left.begun, left.ofBegun), bytesSent: left.bytesSent,
          bytesReceived: left.bytesReceived, milliseconds: UInt64(max(0, left.last - left.opened)))
      )
    }
  }

  private static let types: Set<UInt16> = [
    EventType.jobStarted, EventType.remoteSessionOpened, EventType.remoteRequestBegun, EventType.remoteRequest,
    EventType.remoteSessionClosed,
  ]

  private static func note(_ event: Event, _ found: inout [JobID: Left]) {
    func change(_ job: JobID, _ body: (inout Left) -> Void) {
      guard var left = found[job] else { return }
      left.last = max(left.last, event.time)
      body(&left)
      found[job] = left
    }
    switch event.body {
    case .jobStarted(let body): change(body.id) { $0.isStarted = true }
    case .remoteSessionOpened(let body): change(body.job) { ($0.device, $0.opened) = (event.device, event.time) }
    case .remoteRequestBegun(let body): change(body.job) { $0.begun += 1 }
    case .remoteRequest(let body):
      change(body.job) {
        $0.over += 1
        if body.begun > 0 { $0.ofBegun += 1 }
        // What a journal says is not beyond doubt.
        $0.bytesSent = $0.bytesSent.addingReportingOverflow(body.bytesSent).partialValue
        $0.bytesReceived = $0.bytesReceived.addingReportingOverflow(body.bytesReceived).partialValue
      }
    case .remoteSessionClosed(let body): change(body.job) { $0.isClosed = true }
    default: break
    }
  }
}
