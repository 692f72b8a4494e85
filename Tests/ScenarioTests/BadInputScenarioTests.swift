import Foundation
import Testing

/// What an operator can do wrong, and what can be wrong with the other side: one clear sentence, a documented exit status, nothing lost.
@Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"), .timeLimit(.minutes(5)))
struct `Bad input, with real programs` {
  @Test func `a wrong code, a used code and a malformed code are refused`() async throws {
    let site = try Site(network: 11)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin)
    let wrong = try await site.agentCommand(["enroll", "--code", "000000000000000000000000"])
    #expect(wrong.status == 77 && wrong.output.contains("code"), "\(wrong)")
    let malformed = try await site.agentCommand(["enroll", "--code", "12"])
    #expect(malformed.status == 64, "\(malformed)")
    let right = try await site.agentCommand(["enroll", "--code", code])
    #expect(right.status == 0, "\(right)")
    // Another machine with the same one-time code.
    try FileManager.default.moveItem(atPath: site.stateDirectory, toPath: site.stateDirectory + "-first")
    let used = try await site.agentCommand(["enroll", "--code", code])
    #expect(used.status == 77, "\(used)")
  }

  @Test func `a hub that is not our hub is refused before it gets the code`() async throws {
    let site = try Site(network: 12)
    let (code, _) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    let refused = try await site.agentCommand(["enroll", "--code", code])
    #expect(refused.status == 77 && refused.output.contains("pin"), "\(refused)")
    #expect(try await site.hubCommand(["install", "list", "--output", "json"]).contains("\"id\"") == false)
  }

  @Test func `a hub that is away is said to be away`() async throws {
    let site = try Site(network: 13)
    try site.configureAgent(pin: "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    let away = try await site.agentCommand(["enroll", "--code", "0123456789abcdef01234567"])
    #expect(away.status == 69 && away.output.contains("127.0.0.1:\(site.ports.csr)"), "\(away)")
  }

  @Test func `a second agent on the same journal is refused and the first goes on`() async throws {
    let site = try Site(network: 14)
    try await site.startFleet(printers: 2)
    try site.configureAgent(pin: "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    try site.startAgent()
    try await eventually(60, "the journal") { (try? await site.journalEpochs().isEmpty) == false }
    let second = try await site.agentCommand(["run"])
    #expect(second.status == 73, "\(second)")
    #expect(second.output.contains("process \(site.agent?.id ?? 0)"), "\(second)")
    let before = try await site.journalEpochs()[0].records
    try await eventually(30, "the first agent to go on") { try await site.journalEpochs()[0].records > before }
    #expect(try await site.stopAgent() == 0)
  }

  @Test func `a journal of a newer format or a directory that is a file is refused`() async throws {
    let site = try Site(network: 15)
    try await site.startFleet(printers: 1)
    try site.configureAgent(pin: "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    try site.startAgent()
    try await eventually(60, "the journal") { (try? await site.journalEpochs().isEmpty) == false }
    try await site.stopAgent()
    let identity = site.journal + "/identity"
    let text = try String(contentsOfFile: identity, encoding: .utf8)
    try text.replacingOccurrences(of: "format: 2", with: "format: 999").write(
      toFile: identity, atomically: true, encoding: .utf8)
    let newer = try await site.agentCommand(["run"])
    #expect(newer.status == 74 && newer.output.contains("format 999"), "\(newer)")
    let stat = try await Program.run("ptjournal", ["stat", site.journal], in: site.directory)
    #expect(stat.status == 65, "\(stat)")
    try text.write(toFile: identity, atomically: true, encoding: .utf8)
    let verified = try await Program.run("ptjournal", ["verify", site.journal], in: site.directory)
    #expect(verified.status == 0, "\(verified)")

    let file = site.directory.path + "/file"
    try "".write(toFile: file, atomically: true, encoding: .utf8)
    try site.configureAgent(pin: "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=") {
      $0 + "\n[journal]\ndirectory = \"\(file)\"\n"
    }
    let notDirectory = try await site.agentCommand(["run"])
    #expect([73, 74].contains(notDirectory.status) && notDirectory.output.contains(file), "\(notDirectory)")
  }

  @Test func `every mistake of a configuration is told with its line`() async throws {
    let site = try Site(network: 16)
    try site.configureAgent(pin: "sha256/short") { text in
      text.replacingOccurrences(of: "port = ", with: "prot = ").replacingOccurrences(of: "\"1s\"", with: "\"soon\"")
    }
    let checked = try await site.agentCommand(["config", "check"])
    #expect(checked.status == 78)
    for expected in ["ca_pin", "prot", "port", "interval", "ptagent.toml:"] {
      #expect(checked.output.contains(expected), "\(expected) in: \(checked.output)")
    }
  }

  /// Each fault, and the exit status: 0 when a whole reading comes out of it all the same, 75 when a part of one.
  @Test(arguments: [
    ("truncated", 69), ("malformed", 69), ("wrong-source-port", 69), ("wrong-request-id", 69),
    ("too-big", 69),
    ("duplicates", 0), ("gen-err:1.3.6.1.2.1.43.11", 0), ("non-increasing:1.3.6.1.2.1.43.11.1.1.6", 0),
    ("cycle:1.3.6.1.2.1.43.11.1.1.6", 0), ("late:300", 0), ("dies-after:10", 75),
  ])
  func `a printer that talks nonsense ends in findings and the rest of its reading`(fault: String, status: Int32)
    async throws
  {
    let site = try Site(network: 17)
    try await site.startFleet(printers: 1, faults: ["127.30.17.1=\(fault)"])
    let read = try await Program.run(
      "ptagent", ["read", "127.30.17.1", "--config", try site.portOnlyConfiguration(), "--output", "json"],
      in: site.directory)
    #expect(read.status == status, "\(read)")
    if status != 69 {
      #expect(read.output.contains("prtMarkerLifeCount") || read.output.contains("1.3.6.1.2.1.43.10.2.1.4"), "\(read)")
    }
  }

  @Test func `printers that tell more than a record holds are recorded, and the agent goes on`() async throws {
    let site = try Site(network: 19)
    try await site.startFleet(
      printers: 3,
      faults: [
        "127.30.19.1=long-strings:1.3.6.1.2.1.43", "127.30.19.2=million-rows:1.3.6.1.2.1.43.11.1.1.6",
        "127.30.19.2=huge-numbers:1.3.6.1.2.1.43.18",
      ])
    try site.configureAgent(pin: "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    try site.startAgent()
    struct Fleet: Decodable {
      struct Device: Decodable {
        struct Meter: Decodable { var name: String }
        var address: String
        var meters: [Meter]?
      }
      var devices: [Device]
    }
    try await eventually(90, "a total of each printer") {
      let told = try await site.agentCommand(["devices", "--output", "json"])
      guard told.status == 0, let fleet = try? site.decode(told.output, Fleet.self) else { return false }
      return fleet.devices.count == 3
        && fleet.devices.allSatisfy { $0.meters?.contains { $0.name == "total" } ?? false }
    }
    let before = try await site.journalEpochs()[0].records
    try await eventually(30, "the agent to go on") { try await site.journalEpochs()[0].records > before }
    #expect(try await site.stopAgent() == 0)
    let verified = try await Program.run("ptjournal", ["verify", site.journal], in: site.directory)
    #expect(verified.status == 0, "\(verified)")
  }

  @Test func `an empty or missing journal is told from a damaged one`() async throws {
    let site = try Site(network: 18)
    let missing = try await Program.run("ptjournal", ["stat", site.directory.path + "/nowhere"], in: site.directory)
    #expect(missing.status == 66, "\(missing)")
    let empty = try await Program.run("ptjournal", ["verify", site.directory.path], in: site.directory)
    #expect(empty.status == 66, "\(empty)")
  }
}
