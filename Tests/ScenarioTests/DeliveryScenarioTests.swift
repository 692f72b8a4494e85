import Foundation
import Testing

/// At least once across everything: whatever is killed at whatever moment, the hub ends with exactly the journal's records.
@Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"))
struct `Delivery, with real programs` {
  /// How often agent or hub are killed in one run. PT_KILLS raises it for a long run.
  static let kills = ProcessInfo.processInfo.environment["PT_KILLS"].flatMap(Int.init) ?? 12
  /// A kill takes a second or so; half an hour is for a machine that is busy with other things.
  static let minutes = 10 + kills / 30
  /// The moments; printed, and given by PT_SEED to repeat a run.
  static let seed =
    ProcessInfo.processInfo.environment["PT_SEED"].flatMap(UInt64.init) ?? UInt64.random(in: 0..<1_000_000)

  private func enrolledSite(
    network: Int, printers: Int = 5, edit: @escaping (String) -> String = { $0 }
  ) async throws -> Site {
    let site = try Site(network: network)
    try await site.startFleet(printers: printers)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin, edit: edit)
    let enrolled = try await site.agentCommand(["enroll", "--code", code])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    return site
  }

  /// Lets the agent deliver the rest, stops it in order, and compares while both stand still: the hub holds exactly the journal's records.
  private func expectEqualEnds(_ site: Site) async throws {
    if site.hub?.isRunning != true { try await site.startHub() }
    if site.agent?.isRunning != true { try site.startAgent() }
    try await eventually(60, "the agent to be up") { try await !site.journalEpochs().isEmpty }
    let sofar = try await site.journalEpochs()
    try await eventually(180, "the hub to hold \(sofar.map(\.records))") {
      let held = try await site.hubEpochs()
      return held.count >= sofar.count && zip(held, sofar).allSatisfy { $0.records >= $1.records }
    }
    // An orderly stop delivers the last records, its own among them.
    #expect(try await site.stopAgent() == 0)
    let (hub, journal) = (try await site.hubEpochs(), try await site.journalEpochs())
    #expect(hub == journal, "the hub and the journal differ in count or root")
    let verified = try await Program.run("ptjournal", ["verify", site.journal], in: site.directory)
    #expect(verified.status == 0, "\(verified.output)")
    let replayed = try await Program.run("ptjournal", ["replay", site.journal, "--output", "json"], in: site.directory)
    #expect(replayed.status == 0, "\(replayed.output)")
    try await expectPrefix(site, hub)
  }

  /// The hub's tree of each epoch is the journal's tree at that size.
  private func expectPrefix(_ site: Site, _ held: [Site.Epoch]) async throws {
    #expect(!held.isEmpty)
    for epoch in held {
      let export = site.directory.path + "/export-\(UUID().uuidString.prefix(8))"
      let exported = try await Program.run(
        "ptjournal", ["export", site.journal, "--into", export, "--to", "\(epoch.epoch)/\(epoch.records)"],
        in: site.directory)
      #expect(exported.status == 0, "\(exported.output)")
      let sound = try await Program.run("ptjournal", ["verify", export, "--output", "json"], in: site.directory)
      #expect(sound.status == 0, "\(sound.output)")
      let root = try await Program.run(
        "ptjournal", ["stat", site.journal, "--at", "\(epoch.epoch)/\(epoch.records)", "--output", "json"],
        in: site.directory)
      #expect(root.output.contains(epoch.root), "the hub's root over \(epoch.records) records is not the journal's")
    }
  }

  @Test(.timeLimit(.minutes(minutes)))
  func `survives kill -9 of agent and hub at any moment`() async throws {
    print("seed \(Self.seed), \(Self.kills) kills; repeat with PT_SEED=\(Self.seed)")
    var generator = SplitMix(seed: Self.seed)
    let site = try await enrolledSite(network: 1)
    try site.startAgent()
    for _ in 0..<Self.kills {
      try await Task.sleep(for: .milliseconds(Int.random(in: 30...1500, using: &generator)))
      if Bool.random(using: &generator) {
        site.killAgent()
        try site.startAgent()
      } else {
        site.killHub()
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...500, using: &generator)))
        try await site.startHub()
      }
    }
    try await expectEqualEnds(site)
  }

  /// A check-in each ten seconds, killed at any moment of it and between.
  @Test(.timeLimit(.minutes(minutes)))
  func `survives kill -9 of agent and hub in normal mode, and tells when it checks in next`() async throws {
    print("seed \(Self.seed), \(Self.kills) kills in normal mode; repeat with PT_SEED=\(Self.seed)")
    var generator = SplitMix(seed: Self.seed)
    let site = try await enrolledSite(network: 9) { $0 + "[delivery]\nmode = \"normal\"\n" }
    try site.startAgent()
    try await eventually(60, "a check-in to be over") {
      let queue = try await site.queue()
      return queue.isRunning && queue.mode == "normal" && queue.nextCheckIn != nil && queue.acknowledged != nil
    }
    // Five minutes are a long time for a test: what is killed checks in when it starts again.
    for _ in 0..<Self.kills {
      try await Task.sleep(for: .milliseconds(Int.random(in: 30...1500, using: &generator)))
      if Bool.random(using: &generator) {
        site.killAgent()
        try site.startAgent()
      } else {
        site.killHub()
        try await Task.sleep(for: .milliseconds(Int.random(in: 0...500, using: &generator)))
        try await site.startHub()
      }
    }
    // The same journal in service mode: only the configuration differs.
    try await site.stopAgent()
    let stopped = try await site.queue()
    #expect(!stopped.isRunning && stopped.nextCheckIn == nil)
    try site.editConfiguration { $0.replacingOccurrences(of: "\"normal\"", with: "\"service\"") }
    try site.startAgent()
    try await eventually(60, "the agent to run in service mode") {
      let queue = try await site.queue()
      return queue.isRunning && queue.mode == "service"
    }
    try await expectEqualEnds(site)
    #expect(try await site.queue().lag == 0)
  }

  /// Exactly before or after a write, a sync or a commit: of records, of the cursor, and at the hub before and after what it acknowledges.
  @Test(.timeLimit(.minutes(minutes)))
  func `survives kill -9 of agent and hub at named points`() async throws {
    print("seed \(Self.seed), \(Self.kills) kills at points; repeat with PT_SEED=\(Self.seed)")
    var generator = SplitMix(seed: Self.seed)
    let site = try await enrolledSite(network: 7)
    try site.startAgent()
    for _ in 0..<Self.kills {
      // SQLite writes no meta pages of LMDB's.
      let isAgent = Bool.random(using: &generator)
      let call = (isAgent ? ["write", "sync", "meta"] : ["write", "sync"]).randomElement(using: &generator) ?? "sync"
      let moment = Bool.random(using: &generator) ? "before" : "after"
      let point = "\(moment):\(call):\(Int.random(in: 1...25, using: &generator))"
      if isAgent {
        site.killAgent()
        try site.startAgent(killAt: point)
        try await expectEnd(of: site.agent, at: point)
        try site.startAgent()
      } else {
        site.killHub()
        try await site.startHub(killAt: point)
        try await expectEnd(of: site.hub, at: point)
        try await site.startHub()
      }
    }
    try await expectEqualEnds(site)
  }

  /// The program comes to the point sooner or later: there are new records each second; but to a hub that was killed again and again the
  /// agent goes only after the longest of its waits, five minutes.
  private func expectEnd(of program: Program?, at point: String) async throws {
    try await eventually(360, "the kill at \(point)") { program?.isRunning != true }
  }

  @Test(.timeLimit(.minutes(5)))
  func `goes on where it was when the hub comes back`() async throws {
    let site = try await enrolledSite(network: 2)
    try site.startAgent()
    try await eventually(60, "the first records at the hub") { try await !site.hubEpochs().isEmpty }
    site.killHub()
    let before = try await site.journalEpochs().last?.records ?? 0
    try await eventually(60, "readings while the hub is away") {
      try await (site.journalEpochs().last?.records ?? 0) > before + 10
    }
    try await expectEqualEnds(site)
  }

  @Test(.timeLimit(.minutes(5)))
  func `an orderly stop does not wait for the next attempt: it makes it`() async throws {
    let site = try await enrolledSite(network: 5, printers: 2)
    try site.startAgent()
    try await eventually(60, "the first records at the hub") { try await !site.hubEpochs().isEmpty }
    site.killHub()
    // The fourth wait is one of up to eight seconds, a stop takes one.
    try await eventually(60, "four attempts in vain") {
      (site.agent?.output.components(separatedBy: "delivery is interrupted").count ?? 0) > 4
    }
    try await site.startHub()
    #expect(try await site.stopAgent() == 0)
    #expect(try await site.hubEpochs() == site.journalEpochs())
  }

  /// A real disk that is full refuses every write: readings, the cursor, the countersignature.
  @Test(.timeLimit(.minutes(3)))
  func `a full disk stops nothing for good, and costs no record`() async throws {
    let site = try await enrolledSite(network: 8, printers: 2)
    let full = site.directory.path + "/full"
    try site.startAgent(fullWhile: full)
    try await eventually(60, "the first records at the hub") { try await !site.hubEpochs().isEmpty }
    for _ in 0..<2 {
      try Data().write(to: URL(fileURLWithPath: full))
      try await eventually(30, "the full disk to be said") {
        try await site.agentCommand(["status"]).output.contains("there is no space")
      }
      #expect(site.agent?.isRunning == true)
      // Longer than any pause, so that everything has met it.
      try await Task.sleep(for: .seconds(12))
      #expect(site.agent?.isRunning == true, "\(site.agent?.output ?? "")")
      let before = try await site.journalEpochs()
      try FileManager.default.removeItem(atPath: full)
      try await eventually(60, "new records") { try await site.journalEpochs() != before }
    }
    try await expectEqualEnds(site)
  }

  @Test(.timeLimit(.minutes(3)))
  func `the hub countersigns the last checkpoint, and an auditor checks it with both keys`() async throws {
    let site = try await enrolledSite(network: 6, printers: 2)
    try site.startAgent()
    try await eventually(60, "the first records at the hub") { try await !site.hubEpochs().isEmpty }
    #expect(try await site.stopAgent() == 0)
    let hubKey = try await site.hubCommand(["key"]).trimmingCharacters(in: .whitespacesAndNewlines)
    let journalKey = try await Program.run("ptjournal", ["key", site.journal], in: site.directory).output
      .trimmingCharacters(in: .whitespacesAndNewlines)
    let stat = try await Program.run("ptjournal", ["stat", site.journal], in: site.directory)
    let name = try #require(hubKey.split(separator: "+").first)
    #expect(stat.output.contains("countersigned by \(name)"), "\(stat.output)")
    let export = site.directory.path + "/export"
    #expect(
      try await Program.run("ptjournal", ["export", site.journal, "--into", export], in: site.directory).status == 0)
    let verified = try await Program.run(
      "ptjournal", ["verify", export, "--key", journalKey, "--key", hubKey], in: site.directory)
    #expect(verified.status == 0, "\(verified.output)")
  }

  @Test(.timeLimit(.minutes(3)))
  func `says that the hub was lost, refuses or is another, waits, and says it in its status`() async throws {
    let site = try await enrolledSite(network: 4, printers: 2)
    try site.startAgent()
    try await eventually(60, "the first records at the hub") { try await !site.hubEpochs().isEmpty }
    // Lost in mid-stream.
    site.killHub()
    try await eventually(20, "the loss to be said") { site.agent?.output.contains("delivery is interrupted") == true }
    // Revoked.
    let install = try await site.installs()[0]
    _ = try await site.hubCommand(["install", "revoke", install])
    try await site.startHub()
    try await eventually(60, "the refusal to be said") {
      site.agent?.output.contains("the hub refuses this agent") == true
    }
    #expect(site.hub?.output.contains("revoked install refused") == true)
    // The status is written each second.
    try await eventually(10, "the status to say it") {
      let status = try await site.agentCommand(["status"])
      return status.status == 1 && status.output.contains("revoked")
    }
    let said = try #require(site.agent?.output.components(separatedBy: "\n").filter { $0.contains("refuses") })
    // Some on a slow machine; without waits there would be hundreds.
    #expect(said.count < 10, "it waits between two attempts: \(said)")
    // Another hub at the same address.
    try await site.stopAgent()
    site.killHub()
    try FileManager.default.moveItem(atPath: site.hubDirectory, toPath: site.hubDirectory + "-first")
    _ = try await site.makeHub()
    try await site.startHub()
    try site.startAgent()
    try await eventually(60, "the foreign hub to be said") {
      site.agent?.output.contains("is not this agent's hub") == true
    }
    try await eventually(10, "the status to say it") {
      let status = try await site.agentCommand(["status"])
      return status.status == 1 && status.output.contains("If the hub was made anew")
    }
  }

  @Test(.timeLimit(.minutes(5)))
  func `brings the counters that the printers truly have`() async throws {
    let site = try await enrolledSite(network: 3)
    try site.startAgent()
    try await eventually(60, "some changes") { try await (site.journalEpochs().last?.records ?? 0) > 40 }
    // Time stands still in the fleet; after two more polls the journal must say exactly what the printers say.
    site.fleet?.signal(SIGUSR2)
    let now = try await site.journalEpochs().last?.records ?? 0
    try await eventually(60, "polls of the standing fleet") {
      try await (site.journalEpochs().last?.records ?? 0) > now + 15
    }
    site.fleet?.signal(SIGUSR1)
    try await eventually(10, "the truth") { FileManager.default.fileExists(atPath: site.truth) }
    let truth = try site.decode(String(contentsOfFile: site.truth, encoding: .utf8), Truth.self)
    let (status, output) = try await site.agentCommand(["devices", "--output", "json"])
    #expect(status == 0)
    let devices = try site.decode(output, Fleet.self).devices
    #expect(devices.count == truth.printers.count)
    for printer in truth.printers {
      let device = try #require(devices.first { $0.address.hasPrefix(printer.address + ":") })
      #expect(device.meter("total") == printer.counters.total, "\(printer.address)")
      // A device that tells no split has none; one that does must tell the truth.
      if let monochrome = device.meter("total.monochrome") { #expect(monochrome == printer.counters.mono) }
      if let colour = device.meter("total.fullColor") { #expect(colour == printer.counters.colour) }
      for supply in printer.supplies {
        let row = try #require(
          device.supplies.first { $0.row == "1.\(supply.index)" }, "\(printer.address) \(supply.index)")
        #expect(row.levelRaw == supply.level, "\(printer.address) supply \(supply.index)")
      }
    }
  }

  private struct Truth: Decodable {
    struct Printer: Decodable {
      struct Counters: Decodable {
        var total: UInt64
        var mono: UInt64
        var colour: UInt64
      }
      struct Supply: Decodable {
        var index: UInt32
        var level: Int64
      }
      var address: String
      var counters: Counters
      var supplies: [Supply]
    }
    var printers: [Printer]
  }

  private struct Fleet: Decodable {
    struct Device: Decodable {
      struct Meter: Decodable {
        var name: String
        var value: UInt64
      }
      struct Supply: Decodable {
        var row: String
        var levelRaw: Int64?
      }
      var address: String
      var meters: [Meter]
      var supplies: [Supply]
      func meter(_ name: String) -> UInt64? { meters.first { $0.name == name }?.value }
    }
    var devices: [Device]
  }
}

/// SplitMix64: the same sequence for the same seed on every machine.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
