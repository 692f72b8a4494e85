import Foundation
import Glibc
import Testing

/// Damage on the disk under the real programs: the agent polls again within half a minute, the hub loses nothing, and nobody sees a crash.
@Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"), .timeLimit(.minutes(5)))
struct `Damage, with real programs` {
  private func cutInHalf(_ site: Site) throws {
    let data = site.journal + "/data.mdb"
    let size = try #require(try FileManager.default.attributesOfItem(atPath: data)[.size] as? Int)
    #expect(truncate(data, size / 2) == 0)
  }

  @Test func `a journal cut in half while the agent is down: it polls again in 30 s and delivers`() async throws {
    let site = try Site(network: 31)
    try await site.startFleet(printers: 5)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin)
    #expect(try await site.agentCommand(["enroll", "--code", code]).status == 0)
    try site.startAgent()
    try await eventually(60, "a journal worth cutting") {
      ((try? await site.journalEpochs())?.last?.records ?? 0) > 60
    }
    #expect(try await site.stopAgent() == 0)
    let held = try await site.hubEpochs()
    #expect(try await site.journalEpochs() == held)

    try cutInHalf(site)
    try site.startAgent()
    // The new epoch begins with JournalDamaged and AgentStarted; what comes after them are polls.
    try await eventually(30, "polls in a new epoch; \(site.agent?.output ?? "")") {
      guard let newest = try? await site.journalEpochs().last else { return false }
      return newest.epoch == 2 && newest.records > 8
    }
    #expect(site.agent?.output.contains("the journal was damaged") == true)
    try await eventually(10, "the status to say it: \((try? site.agentStatus()) ?? "")") {
      let status = try site.agentStatus()
      return status.contains("degraded") && status.contains("journal-damaged-") && status.contains("Lost: 1/")
    }
    #expect(try await site.stopAgent() == 0)
    try await eventually(10, "the new epoch at the hub") { try await site.hubEpochs().count == 2 }
    let (hub, journal) = (try await site.hubEpochs(), try await site.journalEpochs())
    #expect(hub.first == held.first, "the hub keeps what the agent lost")
    #expect(hub.last == journal.last)
    for command in ["verify", "replay"] {
      let (status, output) = try await Program.run("ptjournal", [command, site.journal], in: site.directory)
      #expect(status == 0, "\(output)")
    }
  }

  @Test func `what was lost before the hub had it is lost by name, and all the rest arrives`() async throws {
    let site = try Site(network: 33)
    try await site.startFleet(printers: 5)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin)
    try site.startAgent()
    try await eventually(60, "a journal") { ((try? await site.journalEpochs())?.last?.records ?? 0) > 60 }
    #expect(try await site.stopAgent() == 0)
    let before = try #require(try await site.journalEpochs().last).records

    // The pages that record 30 lies on, or lay on, are zeroed; a fault at the last end makes the next start look at everything.
    var data = try Data(contentsOf: URL(fileURLWithPath: site.journal + "/data.mdb"))
    let key = Data([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 30])
    while let place = data.range(of: key)?.lowerBound {
      let page = place / 4096 * 4096
      data.replaceSubrange(page..<page + 4096, with: Data(count: 4096))
    }
    try data.write(to: URL(fileURLWithPath: site.journal + "/data.mdb"))
    try Data().write(to: URL(fileURLWithPath: site.journal + "/fault"))

    #expect(try await site.agentCommand(["enroll", "--code", code]).status == 0)
    try site.startAgent()
    try await eventually(60, "both epochs at the hub; \(site.agent?.output ?? "")") {
      ((try? await site.hubEpochs()) ?? []).count == 2
    }
    #expect(try await site.stopAgent() == 0)
    let (hub, journal) = (try await site.hubEpochs(), try await site.journalEpochs())
    #expect(hub.last == journal.last)
    let lost = try await site.hubLost()
    #expect(
      lost > 0 && hub.first.map { $0.records + lost } == journal.first?.records, "\(hub), \(lost) lost, \(journal)")
    #expect(journal.first.map { $0.records <= before } == true)
  }

  /// Behind what a start looks at, damage shows only when it is read: to be sent.
  @Test func `what was damaged under a running agent is not sent: the next start looks at everything`() async throws {
    let site = try Site(network: 34)
    try await site.startFleet(printers: 5)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin)
    try site.startAgent()
    try await eventually(60, "a journal") { ((try? await site.journalEpochs())?.last?.records ?? 0) > 60 }

    // A bit of record 5's payload, wherever it lies or lay: 12 bytes of key and 42 before the payload.
    let file = URL(fileURLWithPath: site.journal + "/data.mdb")
    let data = try Data(contentsOf: file)
    let handle = try FileHandle(forUpdating: file)
    var from = data.startIndex
    while let key = data.range(of: Data([0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 5]), in: from..<data.endIndex) {
      try handle.seek(toOffset: UInt64(key.upperBound + 42))
      try handle.write(contentsOf: [data[key.upperBound + 42] ^ 1])
      from = key.upperBound
    }
    try handle.close()

    #expect(try await site.agentCommand(["enroll", "--code", code]).status == 0)
    let agent = try #require(site.agent)
    #expect(try await agent.ended() == 74, "\(agent.output)")
    #expect(agent.output.contains("is not what was recorded. Start the agent again"), "\(agent.output)")
    try site.startAgent()
    try await eventually(60, "both epochs at the hub; \(site.agent?.output ?? "")") {
      ((try? await site.hubEpochs()) ?? []).count == 2
    }
    #expect(site.agent?.output.contains("the journal was damaged") == true)
    #expect(try await site.stopAgent() == 0)
    let (hub, journal) = (try await site.hubEpochs(), try await site.journalEpochs())
    #expect(hub.last == journal.last)
    #expect(try await site.hubLost() == 1)
    #expect(hub.first.map { $0.records + 1 } == journal.first?.records, "\(hub), \(journal)")
  }

  @Test func `a damaged journal under ptjournal: one sentence, where it begins, exit 65`() async throws {
    let site = try Site(network: 32)
    try await site.startFleet(printers: 5)
    try site.configureAgent(pin: "sha256/AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=")
    try site.startAgent()
    try await eventually(60, "a journal worth cutting") {
      ((try? await site.journalEpochs())?.last?.records ?? 0) > 60
    }
    #expect(try await site.stopAgent() == 0)
    try cutInHalf(site)
    for command in ["stat", "tail", "verify", "replay", "export"] {
      let (status, output) = try await Program.run("ptjournal", [command, site.journal], in: site.directory)
      #expect(status == 65, "\(command): \(output.suffix(500))")
      let last = output.split(separator: "\n").last.map(String.init) ?? ""
      #expect(last.contains("is damaged after record 1/") && last.contains("Start ptagent"), "\(command): \(last)")
      #expect(!output.contains("Crash") && !output.contains("mdb.c"), "\(command): \(output.suffix(500))")
    }
    for command in ["status", "devices"] {
      let (status, output) = try await site.agentCommand([command])
      #expect(status == 74 && output.contains("is damaged"), "\(command): \(output)")
    }
  }
}
