import Foundation
import Glibc
import Testing

/// Certificates that are renewed, revoked, copied and replaced, and roots that change, with real programs.
@Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"), .timeLimit(.minutes(10)))
struct `Identity, with real programs` {
  /// A certificate of so many seconds is renewed after two thirds of them; the hub takes it for fifteen minutes more.
  private static let brief = ["--client-validity-seconds", "12", "--standing-seconds", "2"]
  /// Certificates that live long, and agents that ask often.
  private static let curious = ["--standing-seconds", "2"]

  private func enrolledSite(network: Int, hub options: [String]) async throws -> Site {
    let site = try Site(network: network)
    try await site.startFleet(printers: 2)
    let (code, pin) = try await site.makeHub()
    try await site.startHub(options: options)
    try site.configureAgent(pin: pin)
    let enrolled = try await site.agentCommand(["enroll", "--code", code])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    return site
  }

  /// Stops the agent in order, and compares: the hub holds exactly the journal's records.
  private func expectEqualEnds(_ site: Site) async throws {
    #expect(try await site.stopAgent() == 0)
    let (hub, journal) = (try await site.hubEpochs(), try await site.journalEpochs())
    #expect(hub == journal, "the hub and the journal differ in count or root")
    let verified = try await Program.run("ptjournal", ["verify", site.journal], in: site.directory)
    #expect(verified.status == 0, "\(verified.output)")
  }

  /// Whether the running agent says so of itself: not the one before it, whose last word may still stand there.
  private func says(_ site: Site, _ text: String) -> Bool {
    guard let status = try? site.agentStatus(), let agent = site.agent else { return false }
    return status.contains("\"process\":\(agent.id),") && status.contains(text)
  }

  private func identityFiles(_ site: Site) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: site.stateDirectory + "/identity").sorted()
  }

  @Test func `certificates are renewed while the agent delivers, and the stream goes over without losing a record`()
    async throws
  {
    let site = try await enrolledSite(network: 51, hub: Self.brief)
    try site.startAgent()
    try await eventually(90, "three renewals") {
      try await site.install().certificates.filter { $0.superseded != nil }.count >= 3
    }
    let begin = ContinuousClock.now
    let records = try await site.hubEpochs()[0].records
    try await eventually(30, "delivery to go on") { try await site.hubEpochs()[0].records > records }
    #expect(ContinuousClock.now - begin < .seconds(30))
    try await expectEqualEnds(site)
    #expect(try identityFiles(site).filter { $0.hasPrefix("key-") }.count == 1)
    let told = site.agent?.output ?? ""
    #expect(told.contains("the certificate is renewed"))
    #expect(!told.contains("level=error"), "\(told)")
  }

  /// Before and after each file takes the place of another: the key, renewal.json twice, identity.json.
  @Test(arguments: ["before:rename", "after:rename"].flatMap { point in (1...4).map { "\(point):\($0)" } })
  func `an agent that is killed in a renewal goes on with it`(point: String) async throws {
    let site = try await enrolledSite(network: 52, hub: Self.brief)
    try site.startAgent(killAt: point, in: site.stateDirectory + "/identity")
    try await eventually(60, "the kill at \(point)") { site.agent?.isRunning != true }
    try site.startAgent()
    try await eventually(60, "the renewal") {
      try await site.install().certificates.contains { $0.superseded != nil }
    }
    try await eventually(30, "delivery to be at its end") {
      says(site, "everything is at")
    }
    try await eventually(30, "the renewal to be settled") {
      try !identityFiles(site).contains("renewal.json")
        || (site.agent?.output ?? "").contains("the certificate is renewed")
    }
    try await expectEqualEnds(site)
    #expect(try identityFiles(site).filter { $0.hasPrefix("key-") }.count <= 2)
  }

  @Test func `renewals survive kill -9 of agent and hub at any moment`() async throws {
    let seed = `Delivery, with real programs`.seed
    print("seed \(seed); repeat with PT_SEED=\(seed)")
    var generator = SplitMix(seed: seed)
    let site = try await enrolledSite(network: 60, hub: Self.brief)
    try site.startAgent()
    for _ in 0..<`Delivery, with real programs`.kills {
      try await Task.sleep(for: .milliseconds(Int.random(in: 500...5_000, using: &generator)))
      if Bool.random(using: &generator) {
        site.killAgent()
        try site.startAgent()
      } else {
        site.killHub()
        try await site.startHub(options: Self.brief)
      }
    }
    let before = try await site.install().certificates.filter { $0.superseded != nil }.count
    try await eventually(60, "renewals to go on") {
      try await site.install().certificates.filter { $0.superseded != nil }.count > before
    }
    try await eventually(180, "delivery to be at its end") { says(site, "everything is at") }
    try await expectEqualEnds(site)
    #expect(try identityFiles(site).filter { $0.hasPrefix("key-") }.count <= 2)
  }

  @Test func `a renewal that does not reach the hub is told with the remedy, and made up for`() async throws {
    let site = try await enrolledSite(network: 61, hub: Self.brief)
    try site.startAgent()
    try await eventually(60, "delivery") { says(site, "everything is at") }
    site.killHub()
    try await eventually(60, "the word about the renewal") { says(site, "could not be renewed") }
    #expect(says(site, "ptagent enroll --again --code CODE"))
    try await site.startHub(options: Self.brief)
    try await eventually(90, "the renewal") {
      !says(site, "could not be renewed") && says(site, "everything is at")
    }
    try await expectEqualEnds(site)
  }

  @Test func `the hub's root is changed under its agents, and one that comes later knows the hub by either pin`()
    async throws
  {
    let site = try await enrolledSite(network: 53, hub: Self.curious)
    try site.startAgent()
    try await eventually(60, "delivery") { try await !site.hubEpochs().isEmpty }
    struct Root: Decodable {
      struct Line: Decodable {
        var pin: String
      }
      var pin: String
      var roots: [Line]
      var installsLeft: Int?
    }
    func root() async throws -> Root {
      try site.decode(try await site.hubCommand(["ca", "show", "--output", "json"]), Root.self)
    }
    let before = try await root()
    // The hub is not stopped for any of it.
    _ = try await site.hubCommand(["ca", "rotate"])
    let during = try await root()
    #expect(during.roots.map(\.pin) == [during.pin, before.pin] && during.installsLeft == 1)
    let early = try await Program.run("pthub", ["ca", "retire", "--directory", site.hubDirectory], in: site.directory)
    let install = try await site.installs()[0]
    #expect(early.status == 69 && early.output.contains(install), "\(early)")
    try await eventually(60, "the agent to have a certificate of the new root") { try await root().installsLeft == 0 }
    // Each of them by a machine of its own.
    for pin in [before.pin, during.pin] {
      let code = try await site.newCode()
      let (configuration, state) = (site.directory.path + "/late.toml", site.directory.path + "/late-\(UUID())")
      try """
      [hub]
      csr = "127.0.0.1:\(site.ports.csr)"
      ca_pin = "\(pin)"

      [state]
      directory = "\(state)"

      """.write(toFile: configuration, atomically: true, encoding: .utf8)
      let late = try await Program.run(
        "ptagent", ["enroll", "--code", code, "--config", configuration], in: site.directory)
      #expect(late.status == 0, "\(late)")
    }
    _ = try await site.hubCommand(["ca", "retire"])
    #expect(try await root().roots.map(\.pin) == [during.pin])
    try await eventually(20, "the hub to notice") {
      site.hub?.output.components(separatedBy: "the hub's roots have changed").count == 3
    }
    // New connections are of the new root alone.
    let records = try await site.hubEpochs()[0].records
    try await site.stopAgent()
    try site.startAgent()
    try await eventually(60, "delivery to go on") { try await site.hubEpochs()[0].records > records + 3 }
    try await expectEqualEnds(site)
    let trail = try await site.hubCommand(["audit", "--action", "ca."])
    #expect(trail.contains("ca.rotated") && trail.contains("ca.retired"))
  }

  @Test func `a revoked install is refused within seconds, collects on, and comes back with a new code`() async throws {
    let site = try await enrolledSite(network: 54, hub: [])
    try site.startAgent()
    try await eventually(60, "delivery") { says(site, "everything is at") }
    let install = try await site.installs()[0]
    let begin = ContinuousClock.now
    _ = try await site.hubCommand(["install", "revoke", install])
    try await eventually(20, "the agent to be refused") {
      says(site, "the hub has revoked this install")
    }
    #expect(ContinuousClock.now - begin < .seconds(15))
    let before = try await site.journalEpochs()[0].records
    try await eventually(30, "collecting to go on") { try await site.journalEpochs()[0].records > before }
    let again = try await site.agentCommand(["enroll", "--again", "--code", try await site.newCode()])
    #expect(again.status == 0, "\(again)")
    try await eventually(30, "delivery as another install") { says(site, "everything is at") }
    #expect(try await site.installs().count == 2)
    #expect(try await site.stopAgent() == 0)
  }

  @Test func `a machine that was copied is seen, and told to the operator`() async throws {
    let site = try await enrolledSite(network: 55, hub: [])
    try site.startAgent()
    try await eventually(60, "delivery") { says(site, "everything is at") }
    try await site.stopAgent()
    let copy = site.directory.path + "/copy"
    try FileManager.default.copyItem(atPath: site.stateDirectory, toPath: copy)
    let configuration = site.directory.path + "/copy.toml"
    try String(contentsOfFile: site.configuration, encoding: .utf8)
      .replacingOccurrences(of: site.stateDirectory, with: copy)
      .write(toFile: configuration, atomically: true, encoding: .utf8)
    try site.startAgent()
    let twin = try Program("ptagent", ["run", "--config", configuration], log: site.directory)
    try await eventually(90, "the doubt") { try await site.install().install.doubt != nil }
    #expect(try await site.hubCommand(["install", "list"]).contains("IN DOUBT"))
    #expect(try await site.hubCommand(["audit", "--action", "identity."]).contains("identity.doubted"))
    try await twin.terminate()
    #expect(try await site.stopAgent() == 0)
    _ = try await site.hubCommand(["install", "settle", try await site.installs()[0]])
    #expect(try await site.install().install.doubt == nil)
  }

  @Test func `a machine that was installed anew takes the place of its old install`() async throws {
    let site = try await enrolledSite(network: 56, hub: [])
    try site.startAgent()
    try await eventually(60, "delivery") { says(site, "everything is at") }
    try await site.stopAgent()
    let old = try await site.installs()[0]
    // The disk is lost; what was delivered is at the hub.
    let held = try await site.hubEpochs()
    try FileManager.default.moveItem(atPath: site.stateDirectory, toPath: site.stateDirectory + "-lost")
    struct Code: Decodable {
      var code: String
    }
    let created = try await site.hubCommand(["code", "create", "--replaces", old, "--output", "json"])
    let enrolled = try await site.agentCommand(["enroll", "--code", try site.decode(created, Code.self).code])
    #expect(enrolled.status == 0, "\(enrolled)")
    let new = try #require(try await site.installs().first { $0 != old })
    #expect(try await site.install(old).install.replacedBy == new)
    #expect(try await site.hubEpochs() == held)
    // The lost disk turns up.
    try FileManager.default.moveItem(atPath: site.stateDirectory, toPath: site.stateDirectory + "-new")
    try FileManager.default.moveItem(atPath: site.stateDirectory + "-lost", toPath: site.stateDirectory)
    try site.startAgent()
    try await eventually(30, "the old install to be refused") { says(site, "revoked") }
    try await site.stopAgent()
    #expect(try await site.hubEpochs() == held)
  }

  @Test func `a hub that takes another's address gets nothing`() async throws {
    let site = try await enrolledSite(network: 57, hub: [])
    try site.startAgent()
    try await eventually(60, "delivery") { says(site, "everything is at") }
    site.killHub()
    let impostor = site.directory.path + "/impostor"
    let made = try await Program.run("pthub", ["init", "--directory", impostor], in: site.directory)
    #expect(made.status == 0)
    let hub = try Program(
      "pthub",
      [
        "serve", "--directory", impostor, "--csr", "127.0.0.1:\(site.ports.csr)", "--dcam",
        "127.0.0.1:\(site.ports.dcam)", "--hc", "127.0.0.1:\(site.ports.hc)", "--metrics", "none",
        "--console", "none",
      ], log: site.directory)
    try await hub.waits(for: "ready")
    try await eventually(60, "the agent to say so") {
      says(site, "has not proved to be this agent's hub")
    }
    let before = try await site.journalEpochs()[0].records
    try await eventually(30, "collecting to go on") { try await site.journalEpochs()[0].records > before }
    try await hub.terminate()
    #expect(try await site.stopAgent() == 0)
  }

  /// Seconds that the hub's clock is ahead, and what the agent says.
  @Test(arguments: [(14 * 60, "14 min behind the hub's"), (-14 * 60, "14 min ahead of the hub's")])
  func `clocks may be fourteen minutes apart, which is told`(ahead: Int, words: String) async throws {
    let site = try await enrolledSite(network: 58, hub: Self.curious + ["--clock-ahead-seconds=\(ahead)"])
    try site.startAgent()
    try await eventually(60, "delivery") { says(site, "everything is at") }
    try await eventually(30, "the word about the clock") {
      // A second passes while one asks.
      says(site, words) || says(site, words.replacingOccurrences(of: "14 min", with: "14 min 1 s"))
        || says(site, words.replacingOccurrences(of: "14 min", with: "13 min 59 s"))
    }
    try await expectEqualEnds(site)
  }

  @Test func `a hub whose clock is twenty minutes ahead is refused with a word about the clock`() async throws {
    let site = try Site(network: 59)
    let (code, pin) = try await site.makeHub()
    try await site.startHub(options: ["--clock-ahead-seconds=1200"])
    try site.configureAgent(pin: pin)
    let refused = try await site.agentCommand(["enroll", "--code", code])
    #expect(
      refused.status != 0 && refused.output.contains("not valid yet") && refused.output.contains("clock"), "\(refused)")
  }
}
