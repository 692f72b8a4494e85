// What happens in the golden journal of jobs: the six events of a job, which the journals before it were written too early for.

internal import Events

enum GoldenJobStory {
  static func entries() throws -> [GoldenEntry] {
    let (device, deadline) = (try device(4), GoldenStory.begin + 3_600_000)
    func received(_ number: UInt8, _ order: JobOrder) throws -> EventBody {
      .jobReceived(JobReceived(id: try job(number), order: order, created: GoldenStory.begin - 500, deadline: deadline))
    }
    let bodies: [EventBody] = [
      .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden")),
      try received(1, JobOrder(.scan, ranges: ["192.0.2.0/24", "198.51.100.1-198.51.100.9"])),
      .jobStarted(JobStarted(id: try job(1))),
      .jobCompleted(
        JobCompleted(id: try job(1), result: "263 addresses: 4 found, 259 no answer.", milliseconds: 9_100)),
      try received(2, JobOrder(.upload, devices: [device])), .jobStarted(JobStarted(id: try job(2))),
      .jobFailed(JobFailed(id: try job(2), .interrupted, "The agent's process ended while it ran.")),
      try received(3, JobOrder(.diagnostics)), .jobStarted(JobStarted(id: try job(3))),
      .jobCompleted(
        JobCompleted(
          id: try job(3), result: "4 bytes, an example.", milliseconds: 12, attachment: [0x1f, 0x8b, 8, 0],
          path: "/var/lib/printtrail/diagnostics/example.json.gz")),
      try received(4, JobOrder(.restart, option: "queued")),
      .jobExpired(JobExpired(id: try job(4), hadStarted: false)),
      .jobRefused(
        JobRefused(
          id: try job(5), .unavailable, "Remote technician is not switched on at this agent.", kind: "page",
          deadline: deadline)),
      try received(6, JobOrder(.alerts)), .jobStarted(JobStarted(id: try job(6))),
      try received(7, JobOrder(kind: "kindOfANewerRelease", option: "word")),
      .agentStopped(AgentStopped(reason: "SIGTERM")),
    ]
    return try bodies.enumerated().map { index, body in
      let time = GoldenStory.begin + Int64(index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, body).encoded())
    }
  }

  private struct NoID: Error {}

  private static func job(_ number: UInt8) throws -> JobID {
    guard let id = JobID((0..<16).map { $0 * 16 + number }) else { throw NoID() }
    return id
  }

  private static func device(_ number: UInt8) throws -> DeviceID {
    guard let id = DeviceID((0..<16).map { $0 * 16 + number }) else { throw NoID() }
    return id
  }
}
