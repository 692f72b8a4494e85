import Foundation
import Glibc
import Testing

/// `ptagent status` in each fault that a technician may find an agent in, with real programs.
@Suite(.enabled(if: programs != nil)) struct `What ptagent status says` {
  private struct Report: Decodable {
    struct Status: Decodable {
      struct Component: Decodable {
        var name: String
        var state: String
        var since: String
        var message: String
        var remedy: String?
      }
      struct Movement: Decodable {
        var part: String
        var state: String
      }
      var components: [Component]
      var progress: [Movement]
    }
    var presence: String
    var status: Status?
    var journalTrouble: String?
    var otherWriter: Int32?

    func part(_ name: String) -> Status.Component? { status?.components.first { $0.name == name } }
  }

  private func report(_ site: Site) async throws -> (code: Int32, report: Report, text: String) {
    let (code, json) = try await site.agentCommand(["status", "--output", "json"])
    let (again, text) = try await site.agentCommand(["status"])
    guard let line = json.split(separator: "\n").last(where: { $0.hasPrefix("{") }) else {
      throw Program.Failure(description: "ptagent status ended with \(code) and said: \(json)")
    }
    // One of the two may have been asked a moment later; what is waited for is stable.
    return (max(code, again), try site.decode(String(line), Report.self), text)
  }

  /// Waits until a component is in a state, and gives what was shown then.
  @discardableResult
  private func waits(
    _ site: Site, for component: String, _ state: String, saying words: String, seconds: Double = 60
  ) async throws -> (code: Int32, report: Report, text: String) {
    var last = "nothing"
    var found: (code: Int32, report: Report, text: String)?
    try await eventually(seconds, "\(component) to be \(state), saying \"\(words)\"; it shows \(last)") {
      guard let shown = try? await report(site) else { return false }
      last = shown.text
      guard let part = shown.report.part(component), part.state == state, shown.text.contains(words) else {
        return false
      }
      found = shown
      return true
    }
    return try #require(found)
  }

  private func pin() -> String { "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=" }

  // MARK: Without a hub

  @Test func `it never ran, runs and is not enrolled, was killed, stands still, and another program has its number`()
    async throws
  {
    let site = try Site(network: 100)
    try site.configureAgent(pin: pin())
    let never = try await report(site)
    #expect(never.code == 69 && never.report.presence == "never" && never.text.contains("Start it: ptagent run"))

    try await site.startFleet(printers: 2)
    try site.startAgent()
    let runs = try await waits(site, for: "identity", "waiting", saying: "not enrolled")
    #expect(runs.code == 0 && runs.report.presence == "running")
    #expect(runs.text.contains("identity: Run: ptagent enroll --code CODE"))
    #expect(Set(runs.report.status?.progress.map(\.part) ?? []) == ["writer", "poller", "replicator"])
    #expect(runs.report.status?.progress.allSatisfy { $0.state != "stuck" } == true)

    let agent = try #require(site.agent)
    agent.signal(SIGSTOP)
    try await eventually(60, "a process that stands still to be noticed") {
      try await report(site).report.presence == "hanging"
    }
    let hangs = try await report(site)
    #expect(hangs.code == 1 && hangs.text.contains("has not moved for") && hangs.text.contains("Restart it."))
    agent.signal(SIGCONT)
    try await eventually(30, "it to run again") { try await report(site).report.presence == "running" }

    site.killAgent()
    let killed = try await report(site)
    #expect(killed.code == 69 && killed.report.presence == "stopped" && killed.text.contains("it was last seen"))
    // Its number was given to another program.
    let path = site.stateDirectory + "/status.json"
    let text = try String(contentsOfFile: path, encoding: .utf8)
    let other = try Program(path: "/bin/sleep", ["60"], log: site.directory)
    try text.replacing("\"process\":\(agent.id)", with: "\"process\":\(other.id)").write(
      toFile: path, atomically: true, encoding: .utf8)
    #expect(try await report(site).report.presence == "stopped")
    other.killNow()
  }

  @Test func `printers that refuse every credential`() async throws {
    let site = try Site(network: 101)
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures")
    let fleet = site.directory.appendingPathComponent("v3.toml")
    try """
    port = \(site.ports.snmp)
    seed = 1
    models = "\(fixtures.path)/devices"
    [[users]]
    name = "reader"
    authentication = "sha256"
    authentication_password = "a-password-of-its-own"
    [[printers]]
    address = "127.30.101.1"
    model = "hp-color-laserjet-m555"
    name = "P"
    versions = ["v3"]
    users = ["reader"]
    """.write(to: fleet, atomically: true, encoding: .utf8)
    let simulator = try Program("ptsim", ["serve", "--fleet", fleet.path], log: site.directory)
    try await simulator.waits(for: "ready")
    try site.configureAgent(pin: pin())
    try site.startAgent()
    let shown = try await waits(site, for: "collector", "degraded", saying: "refuses every credential")
    #expect(shown.code == 0 && shown.text.contains("[credentials]") && shown.text.contains("1 wrong credential"))
    simulator.killNow()
  }

  @Test func `a machine without a network`() async throws {
    let site = try Site(network: 102)
    let binary = try #require(programs) + "/ptagent"
    // A network namespace of its own, in which nothing is up.
    let (probe, _) = try await run("/usr/bin/unshare", ["-n", "true"], site)
    let isolated = probe == 0 ? ["-n"] : ["-rn"]
    try site.configureAgent(pin: pin()) { $0.replacing("127.30.102.1-20", with: "192.0.2.1-20") }
    let agent = try Program(
      path: "/usr/bin/unshare", isolated + [binary, "run", "--config", site.configuration], log: site.directory)
    let shown = try await waits(site, for: "collector", "degraded", saying: "this machine is in no network")
    #expect(
      shown.code == 0 && shown.report.presence == "running" && shown.text.contains("Collecting goes on by itself"))
    #expect(try await agent.terminate() == 0, "\(agent.output)")
  }

  private func run(_ path: String, _ arguments: [String], _ site: Site) async throws -> (Int32, String) {
    let program = try Program(path: path, arguments, log: site.directory)
    return (try await program.ended(), program.output)
  }

  @Test func `a disk that takes for ever: the writer is stuck, and moves on when the disk does`() async throws {
    let site = try Site(network: 103)
    try await site.startFleet(printers: 3)
    try site.configureAgent(pin: pin())
    let hanging = site.directory.path + "/hangs"
    try site.startAgent(hangWhile: hanging)
    try await waits(site, for: "journal", "ok", saying: "recording")
    try Data().write(to: URL(fileURLWithPath: hanging))
    let stuck = try await waits(site, for: "journal", "failed", saying: "the disk has not taken a commit", seconds: 120)
    #expect(stuck.code == 1 && stuck.report.presence == "running")
    #expect(stuck.report.status?.progress.first { $0.part == "writer" }?.state == "stuck")
    // Everything else waits for it and is no more stuck than it should be said to be.
    #expect(stuck.report.status?.progress.first { $0.part == "replicator" }?.state == "idle")
    #expect(stuck.text.contains("ptagent diagnostics"))
    try FileManager.default.removeItem(atPath: hanging)
    try await waits(site, for: "journal", "ok", saying: "recording")
    #expect(try await site.stopAgent() == 0)
  }

  @Test func `metrics are served to this machine alone, and a port that is taken stops nothing`() async throws {
    let site = try Site(network: 102)
    let place = "127.0.0.1:\(site.ports.metrics - 1)"
    try site.configureAgent(pin: pin()) { $0 + "\n[metrics]\nlisten = \"\(place)\"\n" }
    let taken = try Program(
      path: "/usr/bin/python3", ["-m", "http.server", "\(site.ports.metrics - 1)", "--bind", "127.0.0.1"],
      log: site.directory)
    try await eventually(30, "the port to be taken") {
      try await run("/usr/bin/curl", ["-sS", "-o", "/dev/null", "http://\(place)/"], site).0 == 0
    }
    try site.startAgent()
    let shown = try await waits(site, for: "metrics", "degraded", saying: "cannot be listened on")
    #expect(shown.code == 0 && shown.text.contains("Give metrics.listen a port that nobody else has"))
    taken.killNow()
    try await waits(site, for: "metrics", "ok", saying: "served at http://\(place)/metrics")
    func asked(_ arguments: String...) async throws -> String {
      try await run("/usr/bin/curl", ["-sS", "-w", "%{http_code}", "--max-time", "20"] + arguments, site).1
    }
    let text = try await asked("http://\(place)/metrics")
    for line in [
      "ptagent_well 1", "ptagent_component_state{component=\"metrics\",state=\"ok\"} 1", "process_open_fds ",
    ] {
      #expect(text.contains(line), "\(text)")
    }
    #expect(try await asked("-H", "Host: evil.example", "http://\(place)/metrics").hasSuffix("421"))
    #expect(try await asked("http://\(place)/").hasSuffix("404"))
    #expect(try await site.stopAgent() == 0)
  }

  // MARK: The journal

  @Test func `a journal that is damaged, salvaged, or another agent's, and diagnostics of each`() async throws {
    let site = try Site(network: 104)
    try await site.startFleet(printers: 3)
    try site.configureAgent(pin: pin()) {
      $0 + "\n[credentials.site]\nkind = \"v2c\"\ncommunity = \"s3cr3t-c0mmunity\"\n"
    }
    try site.startAgent()
    try await eventually(60, "a journal worth cutting") { ((try? await site.journalEpochs())?.last?.records ?? 0) > 40 }
    try await expectDiagnostics(site, holding: "AgentStarted")

    // Another agent with a state directory of its own and the same journal.
    let other = site.directory.path + "/other.toml"
    try String(contentsOfFile: site.configuration, encoding: .utf8)
      .replacing("directory = \"\(site.stateDirectory)\"", with: "directory = \"\(site.stateDirectory)-2\"")
      .replacing("[discovery]", with: "[journal]\ndirectory = \"\(site.journal)\"\n[discovery]", maxReplacements: 1)
      .write(toFile: other, atomically: true, encoding: .utf8)
    let second = try await Program.run("ptagent", ["run", "--config", other], in: site.directory)
    #expect(second.status == 73 && second.output.contains("is in use by the process"), "\(second.output)")
    let (code, text) = try await Program.run("ptagent", ["status", "--config", other], in: site.directory)
    #expect(code == 69 && text.contains("is in use by the process \(site.agent?.id ?? 0)"), "\(text)")

    #expect(try await site.stopAgent() == 0)
    try await expectDiagnostics(site, holding: "AgentStopped")
    try cutInHalf(site)
    let damaged = try await report(site)
    #expect(damaged.code == 74 && damaged.report.journalTrouble?.contains("is damaged") == true, "\(damaged.text)")
    #expect(damaged.text.contains("does not run"))
    try await expectDiagnostics(site, holding: "is damaged")

    try site.startAgent()
    let salvaged = try await waits(site, for: "journal", "degraded", saying: "The damaged files are in")
    #expect(salvaged.code == 0)
    try await expectDiagnostics(site, holding: "JournalDamaged")
  }

  private func cutInHalf(_ site: Site) throws {
    let handle = try FileHandle(forUpdating: URL(fileURLWithPath: site.journal + "/data.mdb"))
    try handle.truncate(atOffset: try handle.seekToEnd() / 2 / 4_096 * 4_096)
    try handle.close()
  }

  /// An archive that tar takes, with what it should hold and no secret.
  private func expectDiagnostics(_ site: Site, holding words: String) async throws {
    let archive = site.directory.path + "/diagnostics-\(UUID().uuidString).tar.gz"
    let (status, output) = try await site.agentCommand(["diagnostics", "--output", archive])
    #expect(status == 0, "\(output)")
    let (code, content) = try await run("/bin/tar", ["-xzOf", archive], site)
    #expect(code == 0 && content.contains(words), "\(words) in \(content.suffix(4_000))")
    for file in ["versions.json", "status.txt", "configuration.json", "journal.json", "events.txt", "log.txt"] {
      #expect(try await run("/bin/tar", ["-tzf", archive], site).1.contains("/\(file)\n"))
    }
    #expect(content.contains("\"site\"") && !content.contains("s3cr3t"))
    #expect(content.contains("the agent has started"), "the end of the log")
  }

  // MARK: With a hub

  @Test func `a hub that is well, away, and has revoked the install; and what the hub says of the agent`() async throws
  {
    let site = try Site(network: 105)
    try await site.startFleet(printers: 3)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin)
    let full = site.directory.path + "/full"
    #expect(try await site.agentCommand(["enroll", "--code", code]).status == 0)
    try site.startAgent(fullWhile: full)
    let well = try await waits(site, for: "health", "ok", saying: "reported to")
    #expect(well.code == 0)
    try await condition(site, "good")
    // What fails at the agent is at the hub within seconds, with its reason, and is an alert.
    try Data().write(to: URL(fileURLWithPath: full))
    try await waits(site, for: "collector", "failed", saying: "Free some space")
    let line = try await condition(site, "failed")
    #expect(line.reasons.contains { $0.contains("collector has failed") }, "\(line)")
    #expect(try await site.hubCommand(["alert", "list"]).contains("collector has failed"))
    try FileManager.default.removeItem(atPath: full)
    try await condition(site, "good", seconds: 120)
    let history = try await site.hubCommand(["alert", "history", "--output", "json"])
    #expect(history.contains("component.collector") && history.contains("lasted_milliseconds"))

    site.killHub()
    let away = try await waits(site, for: "delivery", "waiting", saying: "nothing is delivered to")
    #expect(away.code == 0 && away.text.contains("Nothing is lost, and trying goes on; the next attempt is at 20"))
    #expect(away.report.status?.progress.first { $0.part == "replicator" }?.state != "stuck")
    try await site.startHub()
    let install = try #require(try await site.installs().first)
    _ = try await site.hubCommand(["install", "revoke", install])
    let revoked = try await waits(site, for: "delivery", "failed", saying: "enroll --again", seconds: 90)
    #expect(revoked.code == 1)
    #expect(try await site.stopAgent() == 0)
  }

  private struct Line: Decodable {
    var condition: String
    var reasons: [String]
  }

  @discardableResult
  private func condition(_ site: Site, _ condition: String, seconds: Double = 90) async throws -> Line {
    var last: Line?
    try await eventually(seconds, "the hub to say \(condition), and not \(String(describing: last))") {
      last = try site.decode(try await site.hubCommand(["install", "list", "--output", "json"]), [Line].self).first
      return last?.condition == condition
    }
    return try #require(last)
  }

  @Test func `an alert in normal mode does not wait for the next check-in`() async throws {
    let site = try Site(network: 106)
    try await site.startFleet(printers: 3, speed: 2_000)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    // Volume is counted all the time: each fifty pages are an alert.
    try site.configureAgent(pin: pin) { $0 + "\n[delivery]\nmode = \"normal\"\n[alerts]\nvolume_every = 50\n" }
    #expect(try await site.agentCommand(["enroll", "--code", code]).status == 0)
    try site.startAgent()
    try await eventually(60, "the first check-in") { try await site.queue().nextCheckIn != nil }
    let (first, begun) = (try await site.queue(), ContinuousClock.now)
    try await eventually(120, "a check-in for an alert") {
      let queue = try await site.queue()
      return queue.acknowledged?.sequence ?? 0 > first.acknowledged?.sequence ?? 0
    }
    // Not at once, and not in five minutes.
    let took = begun.duration(to: .now)
    #expect(took > .seconds(15) && took < .seconds(120), "\(took)")
    #expect(try await site.hubCommand(["alert", "list"]).contains("P"))
    #expect(try await site.stopAgent() == 0)
  }
}
