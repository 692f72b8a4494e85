// What happens in the golden journal of sessions with devices' own pages, whose events the journals before it were written too early for.

internal import Events

enum GoldenRemoteStory {
  static func entries() throws -> [GoldenEntry] {
    guard let device = DeviceID([UInt8](repeating: 4, count: 16)), let job = JobID([UInt8](repeating: 9, count: 16))
    else { throw GoldenStoryFault() }
    let visit = JobOrder.Visit(user: "anna", reason: "paper jam, ticket 4711", from: "198.51.100.7", seconds: 900)
    let digest: [UInt8] = (0..<32).map { $0 &* 5 &+ 1 }
    let bodies: [(DeviceID?, EventBody)] = [
      (nil, .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden"))),
      (
        nil,
        .jobReceived(
          JobReceived(
            id: job, order: JobOrder(.page, devices: [device], visit: visit), created: GoldenStory.begin - 500,
            deadline: GoldenStory.begin + 3_600_000))
      ),
      (nil, .jobStarted(JobStarted(id: job))),
      (
        device,
        .remoteSessionOpened(
          RemoteSessionOpened(
            job: job, visit: visit, address: "192.0.2.7", evidence: "serial VCF9Z01234",
            targets: ["https:443", "http:80"]))
      ),
      (device, .remoteCertificatePinned(RemoteCertificate(port: 443, digest: digest, subject: "CN=KM0123"))),
      (
        device,
        .remoteRequest(
          RemoteRequest(
            job: job, method: "POST", path: "/login", parameters: ["arg1"], status: 200, bytesSent: 31,
            bytesReceived: 4_711, milliseconds: 85))
      ),
      (
        device,
        .remoteCertificateChanged(
          RemoteCertificate(port: 443, digest: digest.reversed(), former: digest, subject: "CN=KM0123"))
      ),
      (
        device,
        .remoteRequest(
          RemoteRequest(job: job, method: "GET", path: "/", status: 502, error: "tls-changed", milliseconds: 9))
      ),
      (
        device,
        .remoteSessionClosed(
          RemoteSessionClosed(
            job: job, reason: "closed", message: "It was ended at the agent.", requests: 2, bytesSent: 31,
            bytesReceived: 4_711, milliseconds: 61_000))
      ),
      (nil, .jobCompleted(JobCompleted(id: job, result: "closed: It was ended at the agent.", milliseconds: 61_500))),
      (nil, .agentStopped(AgentStopped(reason: "SIGTERM"))),
    ]
    return try bodies.enumerated().map { index, entry in
      let time = GoldenStory.begin + Int64(index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, device: entry.0, entry.1).encoded())
    }
  }
}

/// Its ids are none.
private struct GoldenStoryFault: Error {}
