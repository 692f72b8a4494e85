internal import Events
internal import FoundationEssentials
internal import HubDatabase
internal import HubProtocol
@testable internal import HubServer
internal import MIB
internal import PrinterModel
internal import Settings
internal import SwiftProtobuf
internal import Testing

private func change(_ key: String, _ value: String?) -> SettingChange { SettingChange(key: key, value: value) }

@Suite("Settings at the hub") struct SettingsStoreTests {
  private let now = TestStore.now

  /// Delivers events of an install's journal.
  private func send(_ events: [Event], _ journal: inout TestJournal, _ install: Install, _ test: TestStore)
    async throws
  {
    let first = journal.records.count + 1
    for event in events { journal.append(try event.encoded()) }
    let batch = try #require(
      try BatchCheck.append(journal.batch(first...journal.records.count), install: install.number))
    _ = try await test.store.append([batch], now: now)
    try await test.store.foldEverything()
  }

  private func effective(_ target: SettingsTarget, _ test: TestStore) async throws -> [String] {
    try await test.store.explainSettings(of: target).settings.map { "\($0.key) = \($0.value), \($0.origin)" }
  }

  @Test(arguments: TestDatabase.all)
  func `are inherited from entity to entity to install, with their origin`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    let install = try await test.install(1)
    try await test.store.addEntity(named: "Dealer", now: now)
    try await test.store.moveEntity("Acme", under: "Dealer", now: now)
    let target = SettingsTarget.install(install.id)
    #expect(try await effective(target, test) == [])
    #expect(try await test.store.settingsOffer(for: install.number, applied: [], version: 0, now: now) == nil)
    try await test.store.change(
      [change("poll.interval", "'1h'"), change("alerts.low_supply", "12")], at: .entity("dealer"), author: "a", now: now
    )
    try await test.store.change([change("poll.interval", "\"30m\"")], at: .entity("Acme"), author: "b", now: now)
    #expect(
      try await effective(target, test) == [
        "alerts.low_supply = 12, entity Dealer", "poll.interval = \"30m\", entity Acme",
      ])
    try await test.store.change([change("poll.interval", "\"5m\"")], at: target, author: "c", now: now)
    #expect(
      try await effective(target, test) == [
        "alerts.low_supply = 12, entity Dealer", "poll.interval = \"5m\", install \(install.id)",
      ])
    let first = try #require(try await test.store.settingsOffer(for: install.number, applied: [], version: 0, now: now))
    #expect(first.version == 1 && first.values.map(\.value) == ["12", "\"5m\""])
    // Asked again, it is the same; the agent that has it is offered nothing.
    #expect(try await test.store.settingsOffer(for: install.number, applied: [1], version: 9, now: now) == first)
    #expect(try await test.store.settingsOffer(for: install.number, applied: first.digest, version: 1, now: now) == nil)
    // The same under another version, as after one between that was refused.
    #expect(
      try await test.store.settingsOffer(for: install.number, applied: first.digest, version: 9, now: now) == first)
    // In another place of the tree it inherits something else.
    try await test.store.moveEntity("Acme", under: nil, now: now)
    let second = try #require(
      try await test.store.settingsOffer(for: install.number, applied: first.digest, version: 1, now: now))
    #expect(second.version == 2 && second.values.map(\.key) == ["poll.interval"])
    // When nothing is set any more, that is a set as well, for an agent that has another.
    try await test.store.change([change("poll.interval", nil)], at: target, author: "c", now: now)
    try await test.store.change([change("poll.interval", nil)], at: .entity("Acme"), author: "c", now: now)
    let third = try #require(
      try await test.store.settingsOffer(for: install.number, applied: second.digest, version: 2, now: now))
    #expect(third.version == 3 && third.isEmpty)
    #expect(try await test.store.settingsOffer(for: install.number, applied: [], version: 0, now: now) == nil)
  }

  @Test(arguments: TestDatabase.all)
  func `are changed all together or not at all, and every change is told with who and when`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    let install = try await test.install(1)
    let revision = try await test.store.settingsRevision()
    let acme = SettingsTarget.entity("Acme")
    for wrong in [
      [change("poll.interval", "\"0s\"")], [change("poll.nothing", "1")], [change("poll.interval", "5m")],
      [change("journal.keep", "\"30d\""), change("alerts.low_supply", "99")],
      [change("discovery.sweep_days", "[\"mon\"]")],
    ] {
      let error = await #expect(throws: HubError.self) {
        try await test.store.change(wrong, at: acme, author: "x", now: now)
      }
      #expect(error?.kind == .usage && error?.message.contains("expected") == true)
    }
    #expect(try await test.store.settings(at: acme).isEmpty)
    #expect(try await test.store.settingsRevision() == revision)
    #expect(
      try await test.store.change(
        [change("discovery.sweep_days", "[\"mon\"]"), change("discovery.sweep_times", "[\"06:00\"]")], at: acme,
        author: "alice", now: now) == 2)
    #expect(
      try await test.store.change([change("discovery.sweep_days", "['mon']")], at: acme, author: "bob", now: now) == 0)
    // What is left must be right, too.
    await #expect(throws: HubError.self) {
      try await test.store.change([change("discovery.sweep_times", nil)], at: acme, author: "bob", now: now)
    }
    try await test.store.change(
      [change("discovery.sweep_days", nil)], at: acme, author: "bob", now: now + 5)
    try await test.store.change([change("poll.interval", "\"5m\"")], at: .install(install.id), author: "c", now: now)
    #expect(try await test.store.settingsRevision() == revision + 3)
    let history = try await test.store.settingHistory(of: acme, limit: 10)
    #expect(history.map(\.author) == ["bob", "alice", "alice"])
    #expect(history.map(\.before) == ["[\"mon\"]", nil, nil])
    #expect(history.first?.value == nil && history.first?.at == now + 5 && history.first?.target == "entity Acme")
    #expect(try await test.store.settingHistory(of: nil, limit: 10).count == 4)
    let trail = try await test.store.auditTrail(limit: 2).map { "\($0.action) \($0.subject): \($0.detail)" }
    #expect(
      trail == [
        "settings.set install \(install.id): poll.interval = \"5m\", was not set, by c",
        "settings.unset entity Acme: discovery.sweep_days is set no more, was [\"mon\"], by bob",
      ])
    // They go with their entity.
    try await test.store.addEntity(named: "Gone", now: now)
    try await test.store.change([change("poll.interval", "\"5m\"")], at: .entity("Gone"), author: "c", now: now)
    try await test.store.removeEntity("Gone", now: now)
    let unknown = await #expect(throws: HubError.self) { try await test.store.settings(at: .entity("Gone")) }
    #expect(unknown?.kind == .notFound)
  }

  @Test(arguments: TestDatabase.all)
  func `of a device go to every install that sees it, and outlive the read models`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var (one, other) = (try TestJournal(), try TestJournal())
    let (first, second) = (try await test.install(1, journal: one), try await test.install(2, journal: other))
    let (a, b) = (DeviceID(0..<16)!, DeviceID(16..<32)!)
    func taken(_ device: DeviceID) -> Event {
      var reading = Reading()
      (reading.identity.make, reading.identity.serial) = ("Kyocera", DeviceText("S1"))
      return Event(
        time: 10, device: device, .readingTaken(ReadingTaken(reading: reading, raw: .init(), cost: .init())))
    }
    try await send([taken(a)], &one, first, test)
    try await send([taken(b)], &other, second, test)
    func device() async throws -> String {
      let id = try #require(Report.devices.columns.firstIndex { $0.name == "id" })
      guard case .text(let text)? = try await test.store.rows(of: .devices).first?[id] else { return "none" }
      return text
    }
    let target = SettingsTarget.device(try await device())
    let wrong = await #expect(throws: HubError.self) {
      try await test.store.change([change("poll.interval", "\"5m\"")], at: target, author: "x", now: now)
    }
    #expect(wrong?.message.contains("that may be set of a device") == true)
    try await test.store.change([change("alerts.low_supply", "25")], at: target, author: "x", now: now)
    try await test.store.change([change("alerts.low_supply", "15")], at: .entity("Acme"), author: "x", now: now)
    #expect(try await effective(target, test).map { $0.hasPrefix("alerts.low_supply = 25, device") } == [true])
    for (install, id) in [(first, a), (second, b)] {
      let set = try #require(try await test.store.settingsOffer(for: install.number, applied: [], version: 0, now: now))
      #expect(set.devices.map(\.device) == ["\(id)"])
      #expect(set.devices.first?.values == [Setting(key: "alerts.low_supply", value: "25")])
    }
    // Read models are made anew, and the device has another id; it is the same device.
    let before = try await device()
    try await test.store.write { db in
      for table in ["alert", "supply", "meter_day", "meter", "sighting", "device"] {
        try db.execute("DELETE FROM \(table)")
      }
      try db.execute("UPDATE projection SET fold = 0")
    }
    try await test.store.foldEverything()
    let after = try await device()
    #expect(after != before)
    #expect(try await test.store.settings(at: .device(after)) == [Setting(key: "alerts.low_supply", value: "25")])
    try await test.store.change([change("alerts.low_supply", nil)], at: .device(after), author: "x", now: now)
    #expect(
      try await test.store.settingsOffer(for: second.number, applied: [], version: 0, now: now)?.devices.isEmpty == true
    )
  }

  @Test(arguments: TestDatabase.all)
  func `of an install hold for the one that takes its place`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    let (old, new) = (try await test.install(1), try await test.install(2))
    try await test.store.change(
      [
        change("poll.interval", "\"5m\""), change("alerts.low_supply", "20"),
        change("discovery.sweep_interval", "\"6h\""),
      ], at: .install(old.id), author: "a", now: now)
    try await test.store.change(
      [change("alerts.low_supply", "30"), change("discovery.sweep_times", "[\"06:00\"]")], at: .install(new.id),
      author: "a", now: now)
    try await test.store.replaceInstall(id: old.id, by: new.id, now: now)
    let values = try await test.store.settings(at: .install(new.id)).map { "\($0.key) = \($0.value)" }
    #expect(
      values == [
        "alerts.low_supply = 30", "discovery.sweep_times = [\"06:00\"]", "poll.interval = \"5m\"",
      ])
    let last = try await test.store.settingHistory(of: .install(new.id), limit: 1).first
    #expect(last?.key == "poll.interval" && last?.author == "replacement of \(old.id)")
  }

  @Test(arguments: TestDatabase.all)
  func `are explained with what became of them at the agent`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    let install = try await test.install(1, journal: journal)
    let target = SettingsTarget.install(install.id)
    func standing() async throws -> SettingsExplanation.Standing {
      try await test.store.explainSettings(of: target).standing
    }
    #expect(try await standing() == .none)
    try await test.store.change([change("poll.interval", "\"5m\"")], at: target, author: "x", now: now)
    #expect(try await standing() == .waiting(applied: nil))
    let set = try #require(try await test.store.settingsOffer(for: install.number, applied: [], version: 0, now: now))
    try await send(
      [
        Event(
          time: 77,
          .settingsRefused(
            SettingsRefused(version: 1, digest: set.digest, keys: ["poll.interval"], reason: "found \"5m\"")))
      ], &journal, install, test)
    #expect(
      try await standing()
        == .refused(version: 1, at: 77, keys: ["poll.interval"], reason: "found \"5m\"", inUse: nil))
    try await send(
      [
        Event(
          time: 78,
          .settingsApplied(SettingsApplied(version: 1, digest: set.digest, overridden: ["poll.interval"])))
      ], &journal, install, test)
    #expect(try await standing() == .applied(version: 1, at: 78))
    let explained = try await test.store.explainSettings(of: target)
    #expect(explained.overridden == ["poll.interval"])
    // Of what is not set here an agent tells nothing, so the hub does not either; an entity has no agent.
    let lines = ExplainedLine.lines(of: explained, forDevice: false)
    #expect(lines.first { $0.key == "poll.interval" }?.agent == "its own file")
    #expect(lines.first { $0.key == "poll.concurrency" }?.agent == ExplainedLine.unknownAtAgent)
    let ofEntity = ExplainedLine.lines(of: try await test.store.explainSettings(of: .entity("Acme")), forDevice: false)
    #expect(ofEntity.first { $0.key == "poll.concurrency" }?.agent == nil)
    try await test.store.change([change("poll.interval", "\"6m\"")], at: target, author: "x", now: now)
    #expect(try await standing() == .waiting(applied: 1))
  }
}

@Suite("Settings on the wire", .timeLimit(.minutes(5))) struct SettingsWireTests {
  private func change(_ key: String, _ value: String?, _ hub: TestHub) async throws {
    // By another process, as `pthub settings set` is.
    try await hub.directory.openStore().change(
      [SettingChange(key: key, value: value)], at: .entity("Acme"), author: "test", now: hub.clock.now)
  }

  private func hello(_ journal: TestJournal, applied: [UInt8] = [], version: UInt64 = 0) -> Printtrail_Dcam_V1_Hello {
    var hello = journal.hello
    (hello.settingsDigest, hello.settingsVersion) = (Data(applied), version)
    return hello
  }

  @Test func `a stream is told behind the welcome, and when another process changes something`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, _) = try await hub.agent(journal)
      try await change("poll.interval", "\"5m\"", hub)
      try await hub.converse(agent) { conversation in
        conversation.send(hello(journal))
        #expect(try await conversation.next()?.welcome.hubVersion == HubVersion.text)
        let first = try #require(try await conversation.next()).settings
        #expect(first.version == 1 && first.values.map(\.value) == ["\"5m\""])
        #expect(
          Array(first.digest)
            == SettingsSet(version: 1, values: [Setting(key: "poll.interval", value: "\"5m\"")]).digest)
        try await change("poll.interval", "\"6m\"", hub)
        let second = try #require(try await conversation.next()).settings
        #expect(second.version == 2 && second.values.map(\.value) == ["\"6m\""])
        try await change("poll.interval", nil, hub)
        let third = try #require(try await conversation.next()).settings
        #expect(third.version == 3 && third.values.isEmpty && third.digest.count == 32)
      }
    }
  }

  @Test func `an agent that has the set is told nothing, and a check-in until it has`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, _) = try await hub.agent(journal)
      func checkIn(_ applied: [UInt8], heads: Bool = true) async throws -> Printtrail_Dcam_V1_CheckInResponse {
        var hello = hello(journal, applied: applied, version: applied.isEmpty ? 0 : 1)
        if heads, hello.heads.isEmpty { hello.heads = [.with { $0.epoch = 1 }] }
        if !heads { hello.heads = [] }
        return try await hub.checkIn(.with { $0.hello = hello }, agent)
      }
      #expect(try await !checkIn([]).hasSettings)
      try await change("alerts.low_supply", "12", hub)
      try await eventually { try await checkIn([]).hasSettings }
      let set = try await checkIn([]).settings
      #expect(set.version == 1)
      #expect(try await checkIn([]).settings == set)
      #expect(try await !checkIn(Array(set.digest)).hasSettings)
      #expect(try await !checkIn([], heads: false).hasSettings)
    }
  }

  /// The hub looks twice a second.
  private func eventually(_ condition: () async throws -> Bool) async throws {
    for _ in 0..<100 {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(100))
    }
    Issue.record("not within ten seconds")
  }
}
