import AlertRules
import Discovery
import Events
import Foundation
import Journal
import Logging
import Projections
import ReadModels
@testable import Replicator
import Settings
import Testing

@testable import AgentCore

@Suite struct `The settings keeper` {
  private let directory = NSTemporaryDirectory() + "printtrail-settings-" + UUID().uuidString
  private let board = StatusBoard()

  init() throws { try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true) }

  private func site(_ text: String = "") throws -> AgentConfiguration {
    try AgentConfiguration.parse(text, file: directory + "/ptagent.toml")
  }

  /// One run of an agent with this file.
  private func run(
    _ site: AgentConfiguration, _ body: (SettingsKeeper, Journal, FleetFold) async throws -> Void
  ) async throws {
    let fold = FleetFold()
    let journal = try Journal.open(JournalConfiguration(directory: directory + "/journal"), fold: fold)
    let keeper = SettingsKeeper(
      site, past: fold.state.agent, journal: journal, board: board,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    try await keeper.begin()
    try await body(keeper, journal, fold)
    await journal.close()
  }

  private func offer(_ version: UInt64, _ values: [(String, String)]) -> OfferedSettings {
    let set = SettingsSet(version: version, values: values.map { Setting(key: $0.0, value: $0.1) })
    return OfferedSettings(
      version: version, digest: set.digest, values: values.map { .init(key: $0.0, value: $0.1) }, devices: [])
  }

  private func events(_ journal: Journal) throws -> [EventBody] {
    var bodies: [EventBody] = []
    try journal.reader.scan { view in
      if let event = try? Event(payload: view.payload) { bodies.append(event.body) }
      return true
    }
    return bodies
  }

  private var word: String? { board.snapshot.words[.settings]?.message }

  @Test func `applies what the hub sets, and a restart without a hub has it still`() async throws {
    let offered = offer(3, [("alerts.low_supply", "15"), ("poll.interval", "\"5m\"")])
    try await run(try site("[alerts]\nlow_supply = 20\n")) { keeper, journal, _ in
      #expect(keeper.inUse == .none)
      #expect(try await keeper.applyOffered() == .nothingOffered)
      try await keeper.offered(offered)
      #expect(keeper.current.poll.interval == .seconds(300) && keeper.current.rules.thresholds.lowSupply == 20)
      #expect(keeper.inUse == SettingsMark(version: 3, digest: offered.digest))
      #expect(try await keeper.applyOffered() == .applied(version: 3))
      guard case .settingsApplied(let applied)? = try events(journal).last else { throw Unexpected() }
      #expect(applied.overridden == ["alerts.low_supply"])
      let keys = applied.values.map { $0.key }
      #expect(keys == ["alerts.low_supply", "poll.interval"])
      #expect(word == "version 3 of the hub's settings is in use")
    }
    try await run(try site("[alerts]\nlow_supply = 20\n")) { keeper, journal, _ in
      #expect(keeper.current.poll.interval == .seconds(300) && keeper.inUse.version == 3)
      let count = try events(journal).count
      #expect(count == 1)
    }
    // The file decides about less now, and the journal says so.
    try await run(try site()) { keeper, journal, _ in
      let low = keeper.current.rules.thresholds.lowSupply
      #expect(low == 15)
      guard case .settingsApplied(let applied)? = try events(journal).last else { throw Unexpected() }
      #expect(applied.overridden.isEmpty && applied.version == 3)
      #expect(try events(journal).count == 2)
    }
  }

  @Test func `refuses a set whole, once, and stays with what it had`() async throws {
    let good = offer(1, [("poll.interval", "\"5m\"")])
    let bad = offer(2, [("alerts.low_supply", "15"), ("poll.interval", "\"0s\"")])
    try await run(try site()) { keeper, journal, fold in
      try await keeper.offered(good)
      for _ in 0..<2 { try await keeper.offered(bad) }
      #expect(keeper.inUse.version == 1 && keeper.current.poll.interval == .seconds(300))
      #expect(keeper.current.rules.thresholds.lowSupply == 10)
      guard case .settingsRefused(let refused)? = try events(journal).last else { throw Unexpected() }
      #expect(refused.version == 2 && refused.digest == bad.digest && refused.keys == ["poll.interval"])
      #expect(refused.reason.hasPrefix("poll.interval: found \"0s\", expected a duration"))
      #expect(try events(journal).count == 2)
      #expect(word?.contains("version 2 of the hub's settings is refused, version 1 stays in use") == true)
      let outcome = try await keeper.applyOffered()
      guard case .refused(2, _) = outcome else { throw Unexpected() }
      #expect(fold.state.agent.settingsRefused?.fact == refused && fold.state.agent.settings?.fact.version == 1)
    }
    try await run(try site()) { keeper, journal, fold in
      try await keeper.offered(bad)
      let told = try events(journal).count
      #expect(told == 2, "told twice")
      #expect(board.snapshot.words[.settings]?.state == .degraded)
      try await keeper.offered(offer(3, []))
      #expect(keeper.current.poll.interval == PollSettings().interval && keeper.inUse.version == 3)
      #expect(fold.state.agent.settingsRefused == nil)
      #expect(board.snapshot.words[.settings]?.state == .ok)
    }
  }

  @Test func `starts with the file alone where the set does not go with it any more`() async throws {
    let ranges = "[{ credentials = [\"office\"], range = \"10.0.0.0/24\" }]"
    let offered = offer(1, [("discovery.ranges", ranges), ("poll.interval", "\"5m\"")])
    try await run(try site("[credentials.office]\nkind = \"v2c\"\ncommunity = \"c\"\n")) { keeper, _, _ in
      try await keeper.offered(offered)
      #expect(keeper.current.discovery.ranges.count == 1 && keeper.current.poll.interval == .seconds(300))
    }
    for _ in 0..<2 {
      try await run(try site()) { keeper, journal, _ in
        #expect(keeper.inUse == .none && keeper.current.poll.interval == PollSettings().interval)
        #expect(word?.contains("version 1 of the hub's settings is refused, the file alone is in use") == true)
        #expect(try events(journal).count == 2)
        let report = SettingsReport(try site(), FleetFold().state.agent)
        #expect(!report.text.contains("refused"))
        let told = try SettingsReport(try site(), journal.reader)
        #expect(told.text.contains("Version 1 of the hub's settings is refused:\ndiscovery.ranges[0].credentials[0]"))
      }
    }
  }

  @Test func `does not look at values that their digest does not fit`() async throws {
    try await run(try site()) { keeper, journal, _ in
      let sound = offer(1, [("poll.interval", "\"5m\"")])
      let torn = OfferedSettings(
        version: 1, digest: [UInt8](repeating: 7, count: 99), values: sound.values, devices: [])
      try await keeper.offered(torn)
      #expect(keeper.inUse == .none && keeper.current.poll.interval == PollSettings().interval)
      guard case .settingsRefused(let refused)? = try events(journal).last else { throw Unexpected() }
      #expect(refused.digest.count == 32 && refused.reason.contains("digest"))
    }
  }

  @Test func `tells each value with where it comes from`() async throws {
    let text = "[poll]\nretire_after = \"60d\"\n[discovery]\ndo_not_touch = [\"10.0.0.1\"]\n"
    try await run(try site(text)) { keeper, journal, _ in
      try await keeper.offered(
        offer(
          4,
          [
            ("discovery.do_not_touch", "[\"10.0.0.2\"]"), ("poll.interval", "\"5m\""), ("poll.retire_after", "\"90d\""),
          ]))
      let lines = try SettingsReport(try site(text), journal.reader).text.split(separator: "\n").map { line in
        line.split(separator: " ").joined(separator: " ")
      }
      #expect(lines.contains("poll.interval \"5m\" hub, version 4"))
      #expect(lines.contains("poll.retire_after \"60d\" file, line 2"))
      #expect(lines.contains("poll.concurrency 200 default"))
      #expect(lines.contains("discovery.do_not_touch [\"10.0.0.1\", \"10.0.0.2\"] file and hub, version 4"))
    }
  }
}

private struct Unexpected: Error {}
