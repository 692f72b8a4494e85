internal import AlertRules
internal import Events
internal import Foundation
internal import HubDatabase
internal import HubFleet
internal import HubProtocol
@testable internal import HubServer
internal import PrinterModel
internal import Testing

@Suite("The hub's fleet") struct FleetTests {
  private let one = DeviceID(0..<16)!
  private let two = DeviceID(16..<32)!
  private let day = MeterLedger.millisecondsPerDay

  @Test(arguments: TestDatabase.all)
  func `is what the records say: meters, days, supplies and alerts`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(
      taken(one, 10, reading(serial: "S1", total: 100)), raised(one, 11, 8),
      taken(one, 20, reading(serial: "S1", total: 130)),
      taken(one, day + 5, reading(serial: "S1", total: 190, black: 12.5)), cleared(one, day + 6, 8),
      raised(one, day + 7, 9))
    #expect(
      try await rows(.devices, test, "serial", "total", "alerts", "state") == [
        [.text("S1"), .integer(190), .integer(1), .text("read")]
      ])
    #expect(
      try await rows(.volumes, test, "meter", "day", "volume", "last") == [
        [.text("total"), .integer(0), .integer(30), .integer(130)],
        [.text("total"), .integer(1), .integer(60), .integer(190)],
      ])
    #expect(
      try await rows(.supplies, test, "description", "remaining_permille") == [[.text("Black Toner"), .integer(125)]])
    #expect(
      try await rows(.alerts, test, "description", "raised_at", "severity") == [
        [.text("Jam 9"), .integer(day + 7), .text("critical")]
      ])
    let all = try await test.store.read { try $0.count("SELECT count(*) FROM alert") }
    #expect(all == 2)
  }

  /// A device at which another certificate was met: sessions with its pages raise it, and somebody at the agent ends it.
  @Test(arguments: TestDatabase.all)
  func `has the alerts of sessions with devices' pages, by their name`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    let key = RemoteAlert.certificateKey(port: 443)
    let raised = AlertRaised(key: key, alert: RemoteAlert.certificate(port: 443), evidence: "SHA-256 aa instead of bb")
    try await sender.send(
      taken(one, 10, reading(serial: "S1", total: 100)), Event(time: 11, device: one, .alertRaised(raised)),
      // A poll that tells of no alert ends none of it.
      taken(one, 20, reading(serial: "S1", total: 130)))
    #expect(
      try await rows(.alerts, test, "serial", "description", "raised_at", "severity") == [
        [
          .text("S1"), .text("remote.certificate: another certificate at port 443 than the pinned one"), .integer(11),
          .text("warning"),
        ]
      ])
    try await sender.send(Event(time: 30, device: one, .alertCleared(AlertCleared(key: key, milliseconds: 19))))
    #expect(try await rows(.alerts, test, "serial").isEmpty)
  }

  @Test(arguments: TestDatabase.all)
  func `has alerts that came ahead of their turn, until their turn says the same`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(taken(one, 10, reading(serial: "S1", total: 100)), raised(one, 11, 8))
    func open() async throws -> [[SQLValue]] {
      try await rows(.alerts, test, "serial", "description", "raised_at").sorted { "\($0)" < "\($1)" }
    }
    #expect(try await open() == [[.text("S1"), .text("Jam 8"), .integer(11)]])

    // What is cleared ahead is open no more, though the records before it say otherwise.
    try await sender.sendLastAhead(taken(one, 20, reading(serial: "S1", total: 130)), cleared(one, 21, 8))
    #expect(try await open() == [])
    // The same alert anew, another one, and one of a device that the hub has not heard of.
    try await sender.sendLastAhead(raised(one, 22, 8))
    try await sender.sendLastAhead(raised(one, 23, 9))
    try await sender.sendLastAhead(taken(two, 24, reading(serial: "S2", total: 5)), raised(two, 25, 9))
    let ahead = try await open()
    #expect(ahead.map { $0[0] } == [.null, .text("S1"), .text("S1")])
    #expect(ahead.map { $0[1] } == [.text("Jam 9"), .text("Jam 8"), .text("Jam 9")])

    try await sender.sendRest(from: 3)
    #expect(
      try await open() == [
        [.text("S1"), .text("Jam 8"), .integer(22)], [.text("S1"), .text("Jam 9"), .integer(23)],
        [.text("S2"), .text("Jam 9"), .integer(25)],
      ])
    #expect(try await test.store.read { try $0.count("SELECT count(*) FROM early_alert") } == 0)
  }

  @Test(arguments: TestDatabase.all)
  func `is the same however the records come in, and when it is folded anew`(database: TestDatabase) async throws {
    let events = [
      taken(one, 10, reading(serial: "S1", total: 100)), raised(one, 11, 8),
      taken(two, 12, reading(serial: "S2", total: 7)),
      taken(one, 20, reading(serial: "S1", total: 130)), cleared(one, 21, 8), raised(one, 22, 8),
      taken(one, day + 5, reading(serial: "S1", total: 190)),
      Event(
        time: day + 6, device: two, .pollFailed(PollFailed(address: "10.0.0.1:161", reason: "timeout", message: ""))),
    ]
    let (whole, single) = (try TestStore(database), try TestStore(database))
    var sender = try await FleetSender(whole, mark: 1)
    for event in events { try await sender.send(event) }
    var other = try await FleetSender(single, mark: 1)
    for event in events {
      try await other.send(event)
      try await single.store.foldEverything()
    }
    func everything(_ test: TestStore) async throws -> [[[SQLValue]]] {
      [
        try await rows(.devices, test, "serial", "total", "state", "alerts", "last_read_at"),
        try await rows(.volumes, test, "serial", "day", "volume", "last"),
        try await rows(.alerts, test, "description", "raised_at"),
      ]
    }
    let expected = try await everything(whole)
    #expect(try await everything(single) == expected)
    try await whole.store.write { try $0.execute("UPDATE projection SET fold = 0") }
    #expect(try await everything(whole) == expected)
  }

  @Test(arguments: TestDatabase.all)
  func `has one device of two installs, one history, and each alert once`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var first = try await FleetSender(test, mark: 1)
    var second = try await FleetSender(test, mark: 2)
    try await first.send(taken(one, 10, reading(serial: "S1", mac: 9, total: 100)), raised(one, 11, 8))
    try await second.send(taken(two, 12, reading(serial: "s-1", mac: 9, total: 101)), raised(two, 13, 8))
    try await first.send(taken(one, 20, reading(serial: "S1", mac: 9, total: 110)))
    #expect(
      try await rows(.devices, test, "total", "alerts", "installs") == [[.integer(110), .integer(1), .integer(2)]])

    // The first one loses it: the second one's readings go on in the same history.
    try await first.send(
      Event(time: 30, device: one, .pollFailed(PollFailed(address: "10.0.0.1:161", reason: "timeout", message: ""))))
    try await second.send(taken(two, 40, reading(serial: "s-1", mac: 9, total: 120)), cleared(two, 41, 8))
    #expect(
      try await rows(.devices, test, "total", "alerts", "state") == [[.integer(120), .integer(0), .text("read")]])
    #expect(try await rows(.volumes, test, "epoch", "last") == [[.integer(1), .integer(120)]])
  }

  @Test(arguments: TestDatabase.all)
  func `counts no page of a rise that its agent found to be read wrongly, on whichever day`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    func total(_ value: UInt64, at time: Int64) -> Event { taken(one, time, reading(serial: "S1", total: value)) }
    try await sender.send(total(50_000, at: 10), total(90_000, at: 20), total(90_000, at: day + 10))
    let wrong = [[SQLValue.integer(40_000), .integer(90_000)], [.integer(0), .integer(90_000)]]
    #expect(try await rows(.volumes, test, "volume", "last") == wrong)
    let back = MeterEpochOpened(
      meter: .total, epoch: 2, previous: 90_000, current: 50_002, evidence: "returned", cause: "returned", volume: 2,
      continues: 1)
    try await sender.send(
      Event(time: day + 20, device: one, .meterEpochOpened(back)), total(50_002, at: day + 20))
    try await sender.send(total(50_005, at: day + 30))
    #expect(
      try await rows(.volumes, test, "epoch", "volume", "last") == [
        [.integer(1), .integer(0), .integer(50_000)], [.integer(1), .integer(5), .integer(50_005)],
      ])
  }

  @Test(arguments: TestDatabase.all)
  func `has one device of two installs that found it at one moment, each folded by a hub of its own`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var first = try await FleetSender(test, mark: 1)
    var second = try await FleetSender(test, mark: 2)
    try await first.send(taken(one, 10, reading(serial: "S1", mac: 9, total: 100)), raised(one, 11, 8))
    try await second.send(taken(two, 12, reading(serial: "s-1", mac: 9, total: 101)), raised(two, 13, 8))
    let (hasWritten, writing) = AsyncStream.makeStream(of: Void.self)
    let (store, install) = (test.store, first.install.number)
    async let slow = store.write(.readCommitted) { db in
      let step = try FleetProjector().advance(install.rawValue, now: TestStore.now, db)
      writing.finish()
      // Not committed before the other hub has looked for the device.
      Thread.sleep(forTimeInterval: 0.5)
      return step.records
    }
    for await _ in hasWritten {}
    try await test.reopened().fold(second.install.number, FleetProjector(), now: TestStore.now)
    #expect(try await slow == 2)
    #expect(try await rows(.devices, test, "alerts", "installs") == [[.integer(1), .integer(2)]])
  }

  @Test(arguments: TestDatabase.all)
  func
    `is counted on the days that its agent tells where the hub's clock is ahead, and on right ones once both are right`(
      database: TestDatabase
    ) async throws
  {
    let test = try TestStore(database)
    var agent = try await FleetSender(test, mark: 1)
    func count(_ total: UInt64, told time: Int64, hub now: Int64) async throws {
      try await agent.send(taken(one, time, reading(serial: "S1", mac: 9, total: total)))
      try await test.store.foldEverything(now: now)
    }
    try await count(100, told: 10 * day, hub: 10 * day + 1)
    // The hub alone is ahead, and is put right.
    try await count(120, told: 11 * day, hub: 51 * day)
    try await count(130, told: 12 * day, hub: 12 * day + 1)
    // Both are ahead, and are put right.
    try await count(150, told: 53 * day, hub: 53 * day + 1)
    try await count(155, told: 14 * day, hub: 14 * day + 1)
    try await count(175, told: 15 * day, hub: 15 * day + 1)
    try await count(180, told: 54 * day, hub: 54 * day + 1)
    #expect(
      try await rows(.volumes, test, "epoch", "volume", "last")
        == [
          [1, 0, 100], [1, 20, 120], [1, 10, 130], [1, 20, 150], [2, 5, 155], [2, 20, 175], [2, 5, 180],
        ].map { $0.map(SQLValue.integer) })
  }

  @Test(arguments: TestDatabase.all)
  func `is not led by a clock that is ahead, which makes nobody's readings old and no volume negative`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var ahead = try await FleetSender(test, mark: 1)
    var right = try await FleetSender(test, mark: 2)
    let now = 10 * day
    func fold(_ now: Int64) async throws { try await test.store.foldEverything(now: now) }
    try await right.send(taken(two, now - 60, reading(serial: "S1", mac: 9, total: 100)))
    try await fold(now - 50)
    // Ten years ahead, for one reading.
    try await ahead.send(taken(one, now + 3_650 * day, reading(serial: "S1", mac: 9, total: 101)))
    try await fold(now)
    #expect(try await rows(.devices, test, "total", "last_read_at") == [[.integer(100), .integer(now - 60)]])
    try await right.send(
      Event(
        time: now + 1, device: two, .pollFailed(PollFailed(address: "10.0.0.1:161", reason: "timeout", message: ""))))
    try await fold(now + 1)
    try await ahead.send(taken(one, now + 3_650 * day, reading(serial: "S1", mac: 9, total: 120)))
    try await fold(now + 2)
    #expect(try await rows(.devices, test, "total", "last_read_at") == [[.integer(120), .integer(now + 2)]])
    // The one with the right clock reads it again, and the other is gone.
    try await right.send(taken(two, now + 10, reading(serial: "S1", mac: 9, total: 130)))
    try await test.store.revokeInstall(id: ahead.install.id, now: now + 11)
    try await right.send(taken(two, now + day, reading(serial: "S1", mac: 9, total: 150)))
    try await fold(now + day)
    #expect(
      try await rows(.devices, test, "total", "last_read_at", "state") == [
        [.integer(150), .integer(now + day), .text("read")]
      ])
    #expect(
      try await rows(.volumes, test, "volume", "last") == [
        [.integer(0), .integer(100)], [.integer(30), .integer(130)], [.integer(20), .integer(150)],
      ])
  }

  @Test(arguments: TestDatabase.all)
  func
    `is what an agent knows whose state was put back: what it told in place of what is held comes before its next epoch`(
      database: TestDatabase
    ) async throws
  {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(taken(one, 10, reading(serial: "S1", total: 100)))
    var restored = sender
    try await sender.send(taken(one, 20, reading(serial: "S1", total: 110)), raised(one, 21, 7), cleared(one, 22, 7))
    try await test.store.foldEverything()
    // Offline, from the backup: another second record, with an alert, and a device that the hub has not heard of.
    restored.journal.append(try raised(one, 30, 8).encoded())
    restored.journal.append("no event")
    restored.journal.append(try taken(two, 31, reading(serial: "S2", total: 7)).encoded())
    restored.journal.append(try raised(two, 32, 9).encoded())
    try await restored.sendRest(from: 2)
    #expect(
      try await rows(.alerts, test, "serial") == [],
      "three records are in conflict; the fourth is of nobody that is known")
    restored.journal = restored.journal.nextEpoch()
    try await restored.send(taken(one, 40, reading(serial: "S1", total: 112)))
    let folded = try await test.store.fold(restored.install.number, FleetProjector(), now: TestStore.now)
    #expect(folded.unreadable.count == 1 && folded.unreadable.first?.sequence == 3)
    #expect(
      try await rows(.alerts, test, "serial", "description").sorted { "\($0)" < "\($1)" } == [
        [.text("S1"), .text("Jam 8")], [.text("S2"), .text("Jam 9")],
      ])
    #expect(try await rows(.devices, test, "total") == [[.integer(112)], [.integer(7)]])
    #expect(
      try await rows(.volumes, test, "serial", "volume", "last").contains([.text("S1"), .integer(12), .integer(112)]))
  }

  @Test(arguments: TestDatabase.all)
  func `says when a meter was read last and when it changed, and leaves out what nobody watches`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(
      taken(one, 10, reading(serial: "S1", total: 100, black: 5)), raised(one, 11, 8),
      Event(time: 50, device: one, .readingUnchanged(ReadingUnchanged(uptimeTicks: 1, cost: .init()))))
    try await sender.sendLastAhead(taken(two, 60, reading(serial: "S2", total: 5)), raised(two, 61, 9))
    #expect(try await rows(.meters, test, "read_at", "changed_at") == [[.integer(50), .integer(10)]])
    #expect(try await rows(.supplies, test, "read_at", "changed_at") == [[.integer(50), .integer(10)]])
    #expect(try await rows(.alerts, test, "description").count == 2)
    try await test.store.revokeInstall(id: sender.install.id, now: 70)
    #expect(try await rows(.devices, test, "state", "alerts") == [[.text("unwatched"), .integer(0)]])
    #expect(try await rows(.supplies, test, "serial").isEmpty)
    #expect(try await rows(.alerts, test, "description").isEmpty, "nor one that came ahead of a turn that never comes")
  }

  @Test(arguments: TestDatabase.all)
  func
    `shows no alert that came ahead of a turn that never comes: of an install that was replaced, of an epoch that was left`(
      database: TestDatabase
    ) async throws
  {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(taken(one, 10, reading(serial: "S1", total: 100)))
    try await sender.sendLastAhead(taken(one, 20, reading(serial: "S1", total: 101)), raised(one, 21, 8))
    #expect(try await rows(.alerts, test, "description") == [[.text("Jam 8")]])
    // Its agent was put back to before that record, and went on in another epoch.
    sender.journal = sender.journal.nextEpoch()
    try await sender.send(taken(one, 40, reading(serial: "S1", total: 112)))
    #expect(try await rows(.alerts, test, "description").isEmpty)

    var lost = try await FleetSender(test, mark: 2)
    try await lost.sendLastAhead(taken(two, 50, reading(serial: "S2", total: 5)), raised(two, 51, 9))
    #expect(try await rows(.alerts, test, "description") == [[.text("Jam 9")]])
    try await test.store.replaceInstall(id: lost.install.id, by: sender.install.id, now: 60)
    #expect(try await rows(.alerts, test, "description").isEmpty)
  }

  @Test(arguments: TestDatabase.all)
  func `keeps apart what one agent keeps apart`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(
      taken(one, 10, reading(serial: "S1", mac: 1, total: 1)), taken(two, 11, reading(serial: "S1", mac: 2, total: 2)))
    let totals = try await rows(.devices, test, "total")
    #expect(Set(totals) == [[.integer(1)], [.integer(2)]] && totals.count == 2)
  }

  @Test(arguments: TestDatabase.all)
  func `shows no number that the device did not give`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(taken(one, 10, reading(serial: "S1", total: nil, black: nil)))
    #expect(try await rows(.meters, test, "value", "quality") == [[.null, .text("unknown")]])
    #expect(try await rows(.volumes, test, "volume").isEmpty)
    #expect(try await rows(.supplies, test, "remaining").isEmpty)
  }

  @Test(arguments: TestDatabase.all)
  func `passes over records that are no events`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    sender.journal.append(3)
    let batch = try #require(try BatchCheck.append(sender.journal.batch(1...3), install: sender.install.number))
    _ = try await test.store.append([batch], now: TestStore.now)
    try await sender.send(taken(one, 10, reading(serial: "S1", total: 5)))
    #expect(try await rows(.devices, test, "total") == [[.integer(5)]])
    #expect(try await test.store.installsToFold().isEmpty)
  }
}
