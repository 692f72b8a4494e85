import Foundation
import Testing

/// Remote technician at an agent, up to the hub's door: what the agent's own file permits, what the device says of itself, and the commands.
@Suite(.enabled(if: programs != nil)) struct `Remote technician, with real programs` {
  private struct Job: Decodable {
    var state: String
    var result: String?
  }

  /// As the hub lists it.
  private struct Device: Decodable {
    var serial: String
    var state: String
  }

  private func page(_ site: Site, _ device: String) async throws -> Job {
    let (_, output) = try await Program.run(
      "pthub",
      [
        "job", "create", "--directory", site.hubDirectory, "--output", "json", "page", "--device", device, "--wait",
      ], in: site.directory)
    return try #require(try site.decode(output, [Job].self).first)
  }

  private func restart(_ site: Site, _ edit: (String) -> String) async throws {
    #expect(try await site.stopAgent() == 0)
    try site.editConfiguration(edit)
    try site.startAgent()
  }

  @Test(.timeLimit(.minutes(10)))
  func `opens what the agent's own file permits, and only a device that says who it is`() async throws {
    let site = try Site(network: 111)
    try await site.startFleet(printers: 2)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin, pollInterval: "5m") {
      $0.replacing("[state]", with: "remotetechnician = \"127.0.0.1:1\"\n\n[state]")
    }
    #expect(try await site.agentCommand(["enroll", "--code", code]).status == 0)
    #expect(try await site.agentCommand(["remote", "list"]).status == 69, "no agent runs")
    try site.startAgent()

    var devices: [Device] = []
    try await eventually(90, "two devices at the hub") {
      let text = try await site.hubCommand(["device", "list", "--output", "json"])
      devices = try site.decode(text, [Device].self).filter { $0.state == "read" }
      return devices.count == 2
    }
    let (device, other) = (try #require(devices.first?.serial), try #require(devices.last?.serial))

    let off = try await page(site, device)
    #expect(off.state == "refused" && off.result?.contains("not switched on") == true, "\(off)")
    let list = try await site.agentCommand(["remote", "list"])
    #expect(list.status == 0 && list.output.contains("No session is open."), "\(list)")
    let json = try await site.agentCommand(["remote", "list", "--output", "json"])
    #expect(json.status == 0 && json.output.contains("[]"), "\(json)")
    let close = try await site.agentCommand(["remote", "close", "--all"])
    #expect(close.status == 0 && close.output.contains("Ended: 0 sessions."), "\(close)")
    #expect(try await site.agentCommand(["remote", "close", UUID().uuidString]).status == 66)
    #expect(try await site.agentCommand(["remote", "trust", device]).status == 66, "it has shown no other certificate")

    try await restart(site) { $0 + "\n[remote]\nenabled = true\nports = [8631]\nexclude = [\"\(other)\"]\n" }
    let loopback = try await page(site, device)
    #expect(loopback.state == "refused" && loopback.result?.contains("this machine itself") == true, "\(loopback)")

    try await restart(site) { $0 + "allow_addresses = [\"127.30.111.0/24\"]\n" }
    let excluded = try await page(site, other)
    #expect(excluded.state == "refused" && excluded.result?.contains("remote.exclude") == true, "\(excluded)")
    let silent = try await page(site, device)
    #expect(silent.state == "failed" && silent.result?.contains("at none of the ports 8631") == true, "\(silent)")

    let server = try Program(
      path: "/usr/bin/python3", ["-m", "http.server", "8631"], log: site.directory)
    defer { server.killNow() }
    var atTheDoor = silent
    try await eventually(60, "the device's page to answer, and the hub's service not to") {
      atTheDoor = try await page(site, device)
      return atTheDoor.result?.contains("remotetechnician at 127.0.0.1:1 did not take the session") == true
    }
    #expect(atTheDoor.state == "failed")
    #expect(try await site.stopAgent() == 0)
  }
}
