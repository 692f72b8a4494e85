import Foundation
import Testing

/// Remote technician at an agent, up to the hub's door: what the agent's own file permits, what the device says of itself, and the commands.
@Suite(.enabled(if: programs != nil)) struct `Remote technician, with real programs` {
  private struct Job: Decodable {
    var id: String
    var state: String
    var result: String?
  }

  /// As the hub lists it.
  private struct Device: Decodable {
    var id: String
    var serial: String
    var state: String
  }

  /// The hub's console, and where tunnels and browsers come: beside the ports that a site has.
  private static let (console, tunnels, web) = (21_000 + 1_115, 21_000 + 1_116, 21_000 + 1_117)
  private static let password = "four words by chance"

  /// One request of a technician who is logged in.
  private func ask(_ site: Site, _ path: String, _ body: String) async throws -> String {
    let jar = site.directory.path + "/cookies"
    let asked = try await Program.run(
      path: "/usr/bin/curl",
      [
        "--silent", "--show-error", "--insecure", "--cookie", jar, "--cookie-jar", jar, "--header", "X-PrintTrail: 1",
        "--header", "Content-Type: application/json", "--data", body,
        "https://localhost:\(Self.console)/api/v1/\(path)",
      ], in: site.directory)
    #expect(asked.status == 0, "\(asked)")
    return asked.output
  }

  private func logIn(_ site: Site) async throws {
    let added = try await Program.run(
      path: "/bin/sh",
      [
        "-c",
        "echo '\(Self.password)' | \(programs ?? "")/pthub user add tess --role technician -d '\(site.hubDirectory)'",
      ], in: site.directory)
    #expect(added.status == 0, "\(added)")
    let login = try await ask(site, "session", #"{"user":"tess","password":"\#(Self.password)"}"#)
    #expect(login.contains(#""authenticated":true"#), "\(login)")
  }

  /// Asks for a device's page, and waits for the end of the job.
  private func page(_ site: Site, _ device: Device) async throws -> Job {
    struct Asked: Decodable {
      var id: String
    }
    let asked = try site.decode(
      try await ask(site, "devices/\(device.id)/page", #"{"reason":"a jam that comes back","seconds":600}"#), Asked.self
    )
    var ended: Job?
    try await eventually(60, "the job's end") {
      let jobs = try site.decode(try await site.hubCommand(["job", "list", "--output", "json"]), [Job].self)
      ended = jobs.first { $0.id == asked.id && ["refused", "failed", "completed"].contains($0.state) }
      return ended != nil
    }
    return try #require(ended)
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
    try await site.startHub(options: [
      "--console", "127.0.0.1:\(Self.console)", "--remote", "127.0.0.1:\(Self.tunnels)", "--remote-web",
      "127.0.0.1:\(Self.web)",
    ])
    _ = try await site.hubCommand(["remote", "enable", "--entity", "Scenario"])
    try await logIn(site)
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
    let (device, other) = (try #require(devices.first), try #require(devices.last))

    let off = try await page(site, device)
    #expect(off.state == "refused" && off.result?.contains("not switched on") == true, "\(off)")
    let list = try await site.agentCommand(["remote", "list"])
    #expect(list.status == 0 && list.output.contains("No session is open."), "\(list)")
    let json = try await site.agentCommand(["remote", "list", "--output", "json"])
    #expect(json.status == 0 && json.output.contains("[]"), "\(json)")
    let close = try await site.agentCommand(["remote", "close", "--all"])
    #expect(close.status == 0 && close.output.contains("Ended: 0 sessions."), "\(close)")
    #expect(try await site.agentCommand(["remote", "close", UUID().uuidString]).status == 66)
    #expect(
      try await site.agentCommand(["remote", "trust", device.serial]).status == 66, "it has shown no other certificate")

    try await restart(site) { $0 + "\n[remote]\nenabled = true\nports = [8631]\nexclude = [\"\(other.serial)\"]\n" }
    let loopback = try await page(site, device)
    #expect(loopback.state == "refused" && loopback.result?.contains("this machine itself") == true, "\(loopback)")

    try await restart(site) { $0 + "allow_addresses = [\"127.30.111.0/24\"]\n" }
    let excluded = try await page(site, other)
    #expect(excluded.state == "refused" && excluded.result?.contains("remote.exclude") == true, "\(excluded)")
    let silent = try await page(site, device)
    #expect(silent.state == "failed" && silent.result?.contains("at none of the ports 8631") == true, "\(silent)")

    let server = try Program(
      path: "/usr/bin/python3", ["-u", "-m", "http.server", "8631"], log: site.directory)
    defer { server.killNow() }
    try await server.waits(for: "Serving HTTP")
    let atTheDoor = try await page(site, device)
    #expect(
      atTheDoor.result?.contains("remotetechnician at 127.0.0.1:1 did not take the session") == true, "\(atTheDoor)")
    #expect(atTheDoor.state == "failed")
    #expect(try await site.stopAgent() == 0)
  }
}
