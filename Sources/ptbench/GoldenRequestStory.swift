// What happens in the golden journal of requests that are recorded before they are made, and of a device that lost its TLS.

internal import Events

enum GoldenRequestStory {
  static func entries() throws -> [GoldenEntry] {
    guard let device = DeviceID([UInt8](repeating: 5, count: 16)), let job = JobID([UInt8](repeating: 10, count: 16))
    else { throw GoldenRequestFault() }
    let visit = JobOrder.Visit(user: "anna", reason: "paper jam, ticket 4712", from: "198.51.100.7", seconds: 900)
    let digest: [UInt8] = (0..<32).map { $0 &* 3 &+ 2 }
    let bodies: [(DeviceID?, EventBody)] = [
      (nil, .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden"))),
      (device, .remoteCertificatePinned(RemoteCertificate(port: 443, digest: digest, subject: "CN=KM0124"))),
      (device, .remoteCertificateChanged(RemoteCertificate(port: 443, digest: [], former: digest, subject: ""))),
      (device, .remoteCertificatePinned(RemoteCertificate(port: 443, digest: [], former: digest, subject: ""))),
      (
        device,
        .remoteSessionOpened(
          RemoteSessionOpened(
            job: job, visit: visit, address: "192.0.2.8", evidence: "serial VCF9Z01235", targets: ["http:80"]))
      ),
      (
        device,
        .remoteRequestBegun(
          RemoteRequestBegun(job: job, method: "GET", path: "/menu", parameters: ["page"], target: "http:80"))
      ),
      (
        device,
        .remoteRequest(
          RemoteRequest(
            job: job, method: "GET", path: "/menu", parameters: ["page"], status: 200, bytesReceived: 4_711,
            milliseconds: 85, target: "http:80", begun: 6))
      ),
      (
        device,
        .remoteRequest(
          RemoteRequest(
            job: job, method: "GET", path: "/", status: 403, error: "target", target: "http://10.0.0.1:80"))
      ),
      (device, .remoteRequestBegun(RemoteRequestBegun(job: job, method: "GET", path: "/events", target: "http:80"))),
      (nil, .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden"))),
      (
        device,
        .remoteSessionClosed(
          RemoteSessionClosed(
            job: job, reason: "stopping", message: "The agent's process ended while it was open.", requests: 3,
            bytesReceived: 4_711, milliseconds: 240_000))
      ),
      (nil, .agentStopped(AgentStopped(reason: "SIGTERM"))),
    ]
    return try bodies.enumerated().map { index, entry in
      let time = GoldenStory.begin + Int64(index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, device: entry.0, entry.1).encoded())
    }
  }
}

/// Its ids are none.
private struct GoldenRequestFault: Error {}
