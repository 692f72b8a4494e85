import Foundation
import Testing

/// What is set at the hub, seen at agents that run, with real programs.
@Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"), .timeLimit(.minutes(5)))
struct `Settings from the hub, with real programs` {
  private struct Explanation: Decodable {
    struct Line: Decodable {
      var key: String
      var value: String?
      var origin: String
      var agent: String?
    }
    var state: String?
    var version: UInt64?
    var inUse: UInt64?
    var reason: String?
    var settings: [Line]

    func line(_ key: String) -> Line? { settings.first { $0.key == key } }
  }

  private struct Report: Decodable {
    struct Line: Decodable {
      var key: String
      var device: String?
      var value: String
      var origin: String
      var version: UInt64?
    }
    var version: UInt64?
    var refused: String?
    var settings: [Line]

    func line(_ key: String) -> Line? { settings.first { $0.key == key } }
  }

  /// A site whose file leaves the interval of polls open, under an entity `Dealer`.
  private func enrolledSite(
    network: Int, hub options: [String] = [], edit: (String) -> String = { $0 }
  ) async throws -> Site {
    let site = try Site(network: network)
    try await site.startFleet(printers: 2)
    let (code, pin) = try await site.makeHub()
    _ = try await site.hubCommand(["entity", "add", "Dealer"])
    _ = try await site.hubCommand(["entity", "move", "Scenario", "--under", "Dealer"])
    try await site.startHub(options: options)
    try site.configureAgent(pin: pin) { edit($0.replacingOccurrences(of: "[poll]\ninterval = \"1s\"\n", with: "")) }
    let enrolled = try await site.agentCommand(["enroll", "--code", code])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    return site
  }

  private func explain(_ site: Site) async throws -> Explanation {
    let install = try await site.installs()[0]
    return try site.decode(
      try await site.hubCommand(["settings", "explain", "--install", install, "--output", "json"]), Explanation.self)
  }

  private func report(_ site: Site) async throws -> Report {
    try site.decode(try await site.agentCommand(["config", "explain", "--output", "json"]).output, Report.self)
  }

  private func records(_ site: Site) async throws -> UInt64 {
    try await site.journalEpochs().reduce(0) { $0 + $1.records }
  }

  private func isPolled(_ site: Site, seconds: Double) async throws -> Bool {
    let before = try await records(site)
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if try await records(site) >= before + 6 { return true }
      try await Task.sleep(for: .milliseconds(200))
    }
    return false
  }

  private func says(_ site: Site, _ text: String) -> Bool {
    guard let status = try? site.agentStatus(), let agent = site.agent else { return false }
    return status.contains("\"process\":\(agent.id),") && status.contains(text)
  }

  @Test
  func
    `what is set of an entity is in use within seconds, a wrong set is refused whole, and a restart without the hub keeps what was in use`()
    async throws
  {
    let site = try await enrolledSite(network: 76)
    try site.startAgent()
    try await eventually(60, "both printers to be read") {
      try await site.hubCommand(["device", "list", "--output", "csv"]).split(separator: "\n").count == 3
    }
    #expect(try await explain(site).state == "none")
    #expect(try await !isPolled(site, seconds: 5), "the default is half an hour")

    let begin = ContinuousClock.now
    _ = try await site.hubCommand(["settings", "set", "--entity", "Dealer", "poll.interval=1s", "alerts.low_supply=12"])
    try await eventually(15, "the set to be in use") {
      try await explain(site).line("poll.interval")?.agent == "in use"
    }
    print("set, applied at the agent, and told at the hub after \(ContinuousClock.now - begin)")
    let explained = try await explain(site)
    #expect(explained.state == "applied" && explained.version == 1)
    #expect(explained.line("poll.interval")?.value == "\"1s\"")
    #expect(explained.line("poll.interval")?.origin == "entity Dealer")
    #expect(explained.line("poll.concurrency")?.origin == "default")
    #expect(try await isPolled(site, seconds: 20), "polls go on at the old interval")
    #expect(try await report(site).line("poll.interval")?.origin == "hub")

    // Wrong for this site alone: the hub cannot know which credentials it has.
    let install = try await site.installs()[0]
    _ = try await site.hubCommand([
      "settings", "set", "--install", install, "discovery.exclusions=127.30.76.19",
      "discovery.dns_sd=false", "alerts.low_supply=14",
    ])
    try await eventually(15, "the second set") { try await explain(site).version == 2 }
    #expect(try await explain(site).line("alerts.low_supply")?.origin == "install \(install)")
    _ = try await site.hubCommand(["settings", "unset", "--install", install, "alerts.low_supply"])
    try await eventually(15, "the third set") { try await explain(site).version == 3 }
    #expect(try await explain(site).state == "applied")
    try await expectRefusal(site, install)

    // A hub that is away takes nothing with it.
    site.killHub()
    #expect(try await site.stopAgent() == 0)
    try site.startAgent()
    try await eventually(30, "the agent to say what is in use") {
      says(site, "version 5 of the hub's settings is in use")
    }
    #expect(try await isPolled(site, seconds: 30))
    #expect(try await report(site).line("poll.interval")?.version == 5)
    try await site.startHub()
    try await eventually(60, "delivery") { says(site, "everything is at") }
    #expect(try await site.stopAgent() == 0)
    #expect(try await site.hubEpochs() == site.journalEpochs())
    let verified = try await Program.run("ptjournal", ["replay", site.journal], in: site.directory)
    #expect(verified.status == 0, "\(verified.output)")
    let history = try await site.hubCommand(["settings", "history", "--output", "csv"])
    #expect(history.split(separator: "\n").count > 7 && history.contains("entity Dealer,poll.interval"))
    #expect(try await site.hubCommand(["audit", "--action", "settings."]).contains("poll.interval = \"1s\""))
  }

  /// What the site's file decides about as a group is overridden; what it cannot know is refused.
  private func expectRefusal(_ site: Site, _ install: String) async throws {
    // Wrong everywhere: refused at the hub, with the reason, and nothing changes.
    let wrong = try await Program.run(
      "pthub",
      ["settings", "set", "--directory", site.hubDirectory, "--install", install, "poll.interval=0s", "poll.colour=1"],
      in: site.directory)
    #expect(wrong.status == 64 && wrong.output.contains("There is no key 'poll.colour'"), "\(wrong)")
    // The file has its ranges: these are not looked at by it, and yet must be right.
    let range = "discovery.ranges=[{ range = \"127.30.76.1-20\", credentials = [\"office\"] }]"
    _ = try await site.hubCommand(["settings", "set", "--install", install, range, "poll.concurrency=7"])
    try await eventually(15, "the refusal to be told") { try await explain(site).state == "refused" }
    let explained = try await explain(site)
    #expect(explained.version == 4 && explained.inUse == 3)
    #expect(explained.reason?.contains("a name that has a table [credentials.office]") == true)
    #expect(explained.line("discovery.ranges")?.agent == "refused: wrong")
    #expect(explained.line("poll.concurrency")?.agent == "refused")
    try await eventually(10, "the status to tell") {
      says(site, "version 4 of the hub's settings is refused, version 3 stays in use")
    }
    let own = try await report(site)
    #expect(own.version == 3 && own.refused?.contains("credentials.office") == true)
    #expect(own.line("poll.concurrency")?.origin == "default")
    #expect(try await isPolled(site, seconds: 20), "a refused set has changed something")
    _ = try await site.hubCommand([
      "settings", "unset", "--install", install, "discovery.ranges", "poll.concurrency",
    ])
    // What is right again is a set of its own, and the refusal is over.
    try await eventually(15, "the fifth set") { try await explain(site).version == 5 }
    #expect(try await explain(site).state == "applied")
    try await eventually(10, "the status to tell") { says(site, "version 5 of the hub's settings is in use") }
    #expect(try await report(site).refused == nil)
  }

  @Test func `the hub changes the mode of delivery, and an agent in normal mode takes what is set at its check-ins`()
    async throws
  {
    let site = try await enrolledSite(network: 77, hub: ["--check-in", "1m"]) {
      $0 + "[poll]\nretire_after = \"50d\"\n"
    }
    try site.startAgent()
    try await eventually(60, "delivery") { says(site, "everything is at") }
    _ = try await site.hubCommand([
      "settings", "set", "--entity", "Scenario", "delivery.mode=normal", "poll.retire_after=60d",
    ])
    try await eventually(30, "a check-in") {
      let queue = try await site.queue()
      return queue.mode == "normal" && queue.nextCheckIn != nil
    }
    #expect(try await report(site).line("poll.retire_after")?.value == "\"50d\"")
    // Set between two check-ins, in use after the next.
    _ = try await site.hubCommand(["settings", "set", "--entity", "Scenario", "poll.interval=1s"])
    try await eventually(90, "the next check-in") { try await report(site).line("poll.interval")?.value == "\"1s\"" }
    #expect(try await site.queue().mode == "normal")
    _ = try await site.hubCommand(["settings", "set", "--entity", "Scenario", "delivery.mode=service"])
    try await eventually(90, "service mode") { try await site.queue().mode == "service" }
    try await eventually(30, "the hub to hear of it") { try await explain(site).state == "applied" }
    #expect(try await explain(site).line("poll.retire_after")?.agent == "its own file")
    #expect(try await site.stopAgent() == 0)
    #expect(try await site.hubEpochs() == site.journalEpochs())
  }

  @Test func `what is set of one device holds for it alone`() async throws {
    let site = try await enrolledSite(network: 78)
    try site.startAgent()
    struct Device: Decodable {
      var id: String
      var serial: String?
    }
    func devices() async throws -> [Device] {
      try site.decode(try await site.hubCommand(["device", "list", "--output", "json"]), [Device].self)
    }
    try await eventually(60, "both printers to be read") { try await devices().filter { $0.serial != nil }.count == 2 }
    let device = try await devices()[0]
    _ = try await site.hubCommand(["settings", "set", "--entity", "Dealer", "poll.interval=1s", "alerts.low_supply=0"])
    _ = try await site.hubCommand(["settings", "set", "--device", device.serial ?? "", "alerts.low_supply=90"])
    try await eventually(15, "the agent to have it") {
      try await report(site).settings.contains { $0.device != nil && $0.value == "90" }
    }
    struct Alert: Decodable {
      var device: String
      var key: String
    }
    // Rule 1 of group -1: a supply is low. Where 0 is the threshold, no supply of a printer that prints is.
    try await eventually(60, "its supplies to be low") {
      try site.decode(try await site.hubCommand(["alert", "list", "--output", "json"]), [Alert].self)
        .contains { $0.device == device.id && $0.key.hasPrefix("-1.") }
    }
    // Two polls of each more.
    #expect(try await isPolled(site, seconds: 30))
    let alerts = try site.decode(try await site.hubCommand(["alert", "list", "--output", "json"]), [Alert].self)
    #expect(alerts.filter { $0.key.hasPrefix("-1.") && $0.key.hasSuffix(".1") }.allSatisfy { $0.device == device.id })
    // What the hub forbids is forbidden to whoever sits at the agent, too.
    let allowed = try await site.agentCommand(["read", "127.30.78.2"])
    #expect(allowed.status == 0, "\(allowed.output)")
    _ = try await site.hubCommand(["settings", "set", "--entity", "Dealer", "discovery.do_not_touch=127.30.78.2"])
    try await eventually(15, "the agent to have it") {
      try await report(site).line("discovery.do_not_touch")?.origin == "hub"
    }
    let forbidden = try await site.agentCommand(["read", "127.30.78.2"])
    #expect(forbidden.status == 64 && forbidden.output.contains("do_not_touch"), "\(forbidden.output)")
    let explained = try await site.hubCommand(["settings", "explain", "--device", device.id])
    #expect(explained.contains("device \(device.id)") && !explained.contains("poll.interval"), "\(explained)")
    #expect(try await site.stopAgent() == 0)
  }
}
