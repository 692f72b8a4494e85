import Foundation
import Glibc
import TestDatabases
import Testing

/// What the hub wants done, from the operator's command to the end at both sides. All real programs over loopback.
@Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"))
struct `Jobs, with real programs` {
  /// A job as `pthub job list --output json` has it.
  private struct Job: Decodable {
    var id: String
    var kind: String
    var state: String
    var result: String?
    var sent_at: String?
    var received_at: String?
    var started_at: String?
  }

  /// A job as `ptagent jobs --output json` has it.
  private struct Ran: Decodable {
    var id: String
    var state: String
    var result: String
  }

  /// A hub, printers and an enrolled agent, which is not started.
  private func site(
    network: Int, store: String? = nil, edit: @escaping (String) -> String = { $0 }
  ) async throws -> (site: Site, install: String) {
    let site = try Site(network: network)
    try await site.startFleet(printers: 3)
    let (code, pin) = try await site.makeHub(store: store)
    try await site.startHub()
    try site.configureAgent(pin: pin, pollInterval: "5m", edit: edit)
    let enrolled = try await site.agentCommand(["enroll", "--code", code])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    return (site, try #require(try await site.installs().first))
  }

  /// - Returns: the exit status with the job.
  private func create(
    _ site: Site, _ arguments: [String], status expected: Int32 = 0
  ) async throws -> Job {
    let (status, output) = try await Program.run(
      "pthub", ["job", "create", "--directory", site.hubDirectory, "--output", "json"] + arguments, in: site.directory)
    #expect(status == expected, "pthub job create \(arguments) ended with \(status): \(output)")
    return try #require(try site.decode(output, [Job].self).first)
  }

  private func jobs(_ site: Site) async throws -> [Job] {
    try site.decode(try await site.hubCommand(["job", "list", "--output", "json"]), [Job].self)
  }

  private func ran(_ site: Site) async throws -> [Ran] {
    let (status, output) = try await site.agentCommand(["jobs", "--output", "json"])
    #expect(status == 0, "\(output)")
    return try site.decode(output, [Ran].self)
  }

  private func waits(_ site: Site, for id: String, _ states: Set<String>, seconds: Double = 60) async throws {
    try await eventually(seconds, "the job \(id) to be \(states)") {
      try await jobs(site).contains { $0.id == id && states.contains($0.state) }
    }
  }

  private func waitsForDevices(_ site: Site, _ count: Int) async throws {
    struct Device: Decodable {
      var state: String
    }
    try await eventually(90, "\(count) devices at the hub") {
      let devices = try site.decode(
        try await site.hubCommand(["device", "list", "--output", "json"]), [Device].self)
      return devices.filter { $0.state == "read" }.count == count
    }
  }

  /// Types of events that the journal holds about a job, in order.
  private func story(_ site: Site, _ id: String) async throws -> [String] {
    let export = site.directory.path + "/jobs-\(UUID().uuidString.prefix(8))"
    let exported = try await Program.run("ptjournal", ["export", site.journal, "--into", export], in: site.directory)
    #expect(exported.status == 0, "\(exported.output)")
    struct Line: Decodable {
      /// `printtrail.JobReceived.v1`
      var type: String
    }
    let text = try String(contentsOfFile: export + "/events.jsonl", encoding: .utf8)
    return try text.split(separator: "\n").filter { $0.contains(id) }.map { line in
      let words = try JSONDecoder().decode(Line.self, from: Data(line.utf8)).type.split(separator: ".")
      return words.count > 1 ? String(words[1]) : ""
    }
  }

  /// Stops the agent in order; what it ran is the same at both ends, and so are the journals.
  private func expectEqualEnds(_ site: Site) async throws {
    #expect(try await site.stopAgent() == 0)
    let (hub, journal) = (try await site.hubEpochs(), try await site.journalEpochs())
    #expect(hub == journal, "the hub and the journal differ in count or root")
    let replayed = try await Program.run("ptjournal", ["replay", site.journal, "--output", "json"], in: site.directory)
    #expect(replayed.status == 0, "\(replayed.output)")
    let known = Dictionary(try await jobs(site).map { ($0.id, $0.state) }, uniquingKeysWith: { $1 })
    for job in try await ran(site) {
      let hubs = known[job.id] ?? "none"
      #expect(hubs == job.state || hubs == "cancelled", "\(job.id) is \(job.state) here and \(hubs) at the hub")
    }
  }

  @Test(.timeLimit(.minutes(10)))
  func `of every kind are created, run, and seen at both ends`() async throws {
    let (site, install) = try await site(network: 70)
    try site.startAgent()
    try await waitsForDevices(site, 3)
    let process = try #require(site.agent?.id)

    let upload = try await create(site, ["upload", "--install", install, "--wait"])
    #expect(upload.state == "completed" && upload.result == "3 devices read, delivered.", "\(upload)")
    let alerts = try await create(site, ["alerts", "--install", install, "--wait"])
    #expect(alerts.state == "completed" && alerts.result?.hasPrefix("3 devices read") == true, "\(alerts)")
    let scan = try await create(site, ["scan", "--install", install, "--range", "127.30.70.1-9", "--wait"])
    #expect(scan.state == "completed" && scan.result == "9 addresses: 3 found, 6 no answer.", "\(scan)")
    let whole = try await create(site, ["scan", "--entity", "Scenario", "--wait"])
    #expect(whole.state == "completed" && whole.result?.hasPrefix("20 addresses: 3 found") == true, "\(whole)")

    let none = try await create(site, ["settings", "--install", install, "--wait"])
    #expect(none.state == "completed" && none.result?.hasPrefix("The hub has no settings") == true, "\(none)")
    _ = try await site.hubCommand(["settings", "set", "--install", install, "alerts.low_supply=12"])
    let settings = try await create(site, ["settings", "--install", install, "--wait"])
    #expect(settings.state == "completed" && settings.result?.hasPrefix("Version ") == true, "\(settings)")

    let diagnostics = try await create(site, ["diagnostics", "--install", install, "--wait"])
    #expect(diagnostics.state == "completed", "\(diagnostics)")
    try await expectDiagnostics(site, diagnostics.id)

    for (arguments, reason) in [
      (["scan", "--install", install, "--range", "10.0.0.0/24"], "notPermitted"),
      (["scan", "--install", install, "--range", "127.30.70.1-21"], "notPermitted"),
      (["upload", "--install", install, "--device", String(repeating: "ab", count: 16)], "unknownDevice"),
    ] {
      let refused = try await create(site, arguments + ["--wait"], status: 1)
      #expect(refused.state == "refused" && refused.result?.hasPrefix("\(reason): ") == true, "\(refused)")
      #expect(try await story(site, refused.id) == ["JobRefused"])
    }
    let nonsense = try await Program.run(
      "pthub",
      ["job", "create", "--directory", site.hubDirectory, "scan", "--install", install, "--range", "everything"],
      in: site.directory)
    #expect(nonsense.status == 64 && nonsense.output.contains("is not an address range"), "\(nonsense)")
    struct Device: Decodable {
      var id: String
      var serial: String
    }
    let devices = try site.decode(
      try await site.hubCommand(["device", "list", "--output", "json"]), [Device].self)
    let device = try #require(devices.first)
    let one = try await create(site, ["upload", "--device", device.id, "--wait"])
    #expect(one.result == "1 device read, delivered.", "\(one)")

    let restart = try await create(site, ["restart", "--install", install, "--wait"])
    #expect(restart.state == "completed" && restart.result == "The agent is back.", "\(restart)")
    #expect(site.agent?.isRunning == true && site.agent?.id == process, "it is the same process")
    #expect(site.agent?.output.components(separatedBy: "the agent has started").count == 3)
    let again = try await create(site, ["restart", "--install", install, "--at-once", "--wait"])
    #expect(again.state == "completed", "\(again)")

    // The same command given twice is one job.
    let id = "7d4e1f0a-0000-4000-8000-000000000001"
    for _ in 0..<2 {
      let same = try await create(site, ["upload", "--install", install, "--id", id, "--wait"])
      #expect(same.id == id && same.state == "completed")
    }
    #expect(try await story(site, id) == ["JobReceived", "JobStarted", "JobCompleted"])
    try await expectEqualEnds(site)
  }

  private func expectDiagnostics(_ site: Site, _ id: String) async throws {
    let file = site.directory.path + "/diagnostics.json.gz"
    _ = try await site.hubCommand(["job", "show", id, "--attachment", file])
    let own = site.stateDirectory + "/diagnostics/\(id).json.gz"
    #expect(
      FileManager.default.contents(atPath: own) == FileManager.default.contents(atPath: file), "both have the same copy"
    )
    let unpacked = try Program(path: "/bin/gzip", ["-dc", file], log: site.directory)
    #expect(try await unpacked.ended() == 0)
    let text = unpacked.output
    #expect(text.contains("\"devicesTotal\":3") && text.contains("the agent has started"))
    #expect(text.contains("SNMP v2c community") && !text.contains("\"community\""), "no secret of a credential")
  }

  @Test(.timeLimit(.minutes(10)))
  func `that ran when the agent was killed have failed, and those that waited are run`() async throws {
    let (site, install) = try await site(network: 71) {
      // Slow enough to be killed in the middle of it.
      $0.replacingOccurrences(of: ".1-20\" }]", with: ".1-200\" }]\npackets_per_second = 20")
    }
    try site.startAgent()
    try await waitsForDevices(site, 3)
    let scan = try await create(site, ["scan", "--install", install])
    let upload = try await create(site, ["upload", "--install", install])
    try await waits(site, for: scan.id, ["started"], seconds: 90)
    try await waits(site, for: upload.id, ["received"])
    // Another lane does not wait for the scan.
    let diagnostics = try await create(site, ["diagnostics", "--install", install, "--wait"])
    #expect(diagnostics.state == "completed")
    #expect(try await jobs(site).first { $0.id == scan.id }?.state == "started")
    site.killAgent()
    try site.startAgent()
    try await waits(site, for: upload.id, ["completed"], seconds: 120)
    try await waits(site, for: scan.id, ["failed"])
    let failed = try await jobs(site).first { $0.id == scan.id }
    #expect(failed?.result == "interrupted: The agent's process ended while it ran.")
    #expect(try await story(site, scan.id) == ["JobReceived", "JobStarted", "JobFailed"])
    // A restart that stands alone ends what runs, in order.
    let second = try await create(site, ["scan", "--install", install])
    try await waits(site, for: second.id, ["started"], seconds: 120)
    let restart = try await create(site, ["restart", "--install", install, "--at-once", "--wait"])
    #expect(restart.state == "completed")
    #expect(
      try await jobs(site).first { $0.id == second.id }?.result == "interrupted: The agent was stopped while it ran.")
    // One that runs is stopped when it is taken back, one whose time is over as well.
    let third = try await create(site, ["scan", "--install", install])
    try await waits(site, for: third.id, ["started"], seconds: 120)
    _ = try await site.hubCommand(["job", "cancel", third.id])
    try await waits(site, for: third.id, ["cancelled"])
    let fourth = try await create(site, ["scan", "--install", install, "--valid", "3s", "--wait"], status: 1)
    #expect(fourth.state == "expired", "\(fourth)")
    try await expectEqualEnds(site)
  }

  @Test(.timeLimit(.minutes(10)))
  func `outlive the hub between their sending and their receipt, and are not sent when their time is over`()
    async throws
  {
    let (site, install) = try await site(network: 72)
    // An agent that is away past the deadline.
    let late = try await create(site, ["diagnostics", "--install", install, "--valid", "1s", "--wait"], status: 1)
    #expect(late.state == "expired" && late.sent_at == nil)
    try site.startAgent()
    try await waitsForDevices(site, 3)
    #expect(try await ran(site).isEmpty)
    // Sent to an agent that does not look, by a hub that is gone when it does.
    site.agent?.signal(SIGSTOP)
    let upload = try await create(site, ["upload", "--install", install])
    try await waits(site, for: upload.id, ["sent"])
    site.killHub()
    try await site.startHub()
    site.agent?.signal(SIGCONT)
    try await waits(site, for: upload.id, ["completed"], seconds: 90)
    #expect(try await story(site, upload.id) == ["JobReceived", "JobStarted", "JobCompleted"])
    // Created while no hub runs.
    site.killHub()
    let alerts = try await create(site, ["alerts", "--install", install])
    #expect(alerts.state == "created")
    let cancelled = try await create(site, ["alerts", "--install", install])
    _ = try await site.hubCommand(["job", "cancel", cancelled.id])
    try await site.startHub()
    try await waits(site, for: alerts.id, ["completed"], seconds: 90)
    let jobs = try await jobs(site)
    #expect(jobs.first { $0.id == cancelled.id }?.state == "cancelled")
    #expect(jobs.first { $0.id == cancelled.id }?.sent_at == nil)
    try await expectEqualEnds(site)
  }

  @Test(.timeLimit(.minutes(10)))
  func `are run in normal mode as well, and told without waiting for the next check-in`() async throws {
    let (site, install) = try await site(network: 73) {
      $0 + "[delivery]\nmode = \"normal\"\n"
    }
    let upload = try await create(site, ["upload", "--install", install])
    let restart = try await create(site, ["restart", "--install", install])
    try site.startAgent()
    // The next check-in is five minutes away.
    try await waits(site, for: upload.id, ["completed"], seconds: 120)
    try await waits(site, for: restart.id, ["completed"], seconds: 60)
    #expect(try await story(site, upload.id) == ["JobReceived", "JobStarted", "JobCompleted"])
    try await expectEqualEnds(site)
  }

  @Test(
    .timeLimit(.minutes(10)), .enabled(if: PostgresServer.shared != nil, "needs Debian's postgresql-15"))
  func `are kept in PostgreSQL, whichever process created them`() async throws {
    let address = try #require(PostgresServer.shared).newAddress()
    let (site, install) = try await site(network: 74, store: address)
    try site.startAgent()
    try await waitsForDevices(site, 3)
    let begun = ContinuousClock.now
    let diagnostics = try await create(site, ["diagnostics", "--install", install, "--wait"])
    #expect(diagnostics.state == "completed")
    print("a job of another process was done after \(begun.duration(to: .now))")
    let upload = try await create(site, ["upload", "--install", install, "--wait"])
    #expect(upload.result == "3 devices read, delivered.", "\(upload)")
    try await expectEqualEnds(site)
  }
}
