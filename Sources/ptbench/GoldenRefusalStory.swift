// What happens in the golden journal of pages that nobody was shown: who wanted to see them, and which device's.

internal import Events

enum GoldenRefusalStory {
  static func entries() throws -> [GoldenEntry] {
    guard let device = DeviceID([UInt8](repeating: 5, count: 16)),
      let refused = JobID([UInt8](repeating: 11, count: 16)), let failed = JobID([UInt8](repeating: 12, count: 16))
    else { throw GoldenRefusalFault() }
    let deadline = GoldenStory.begin + 3_600_000
    let order = JobOrder(
      .page, devices: [device],
      visit: JobOrder.Visit(user: "anna", reason: "paper jam, ticket 4712", from: "198.51.100.7", seconds: 900))
    let bodies: [EventBody] = [
      .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden")),
      .jobRefused(
        JobRefused(
          id: refused, .notPermitted, "The device is excluded at this agent (remote.exclude).", of: order,
          deadline: deadline)),
      .jobReceived(JobReceived(id: failed, order: order, created: GoldenStory.begin - 500, deadline: deadline)),
      .jobStarted(JobStarted(id: failed)),
      .jobFailed(
        JobFailed(
          id: failed, .failed,
          "Another device answers at 192.0.2.8: it tells the serial number VCF9Z09999, and this one has VCF9Z01235.",
          of: order)),
      .agentStopped(AgentStopped(reason: "SIGTERM")),
    ]
    return try bodies.enumerated().map { index, body in
      let time = GoldenStory.begin + Int64(index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, body).encoded())
    }
  }
}

/// Its ids are none.
private struct GoldenRefusalFault: Error {}
