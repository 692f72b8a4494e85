internal import Events
internal import FoundationEssentials
internal import HubDatabase
@testable internal import HubServer
internal import Testing

/// What an operator takes out of what is looked at.
@Suite struct `A device that is retired` {
  private let one = DeviceID(0..<16)!
  private let two = DeviceID(16..<32)!
  private let actor = Actor(name: "ann", peer: "ipv4:192.0.2.1")

  private func device(_ test: TestStore) async throws -> String {
    try await test.store.foldEverything()
    return try await test.store.findDevice("S1")
  }

  private func retire(
    _ test: TestStore, at now: Int64, reason: String = "Acme left us"
  ) async throws -> SQLStore.RetirementOutcome {
    try await test.store.retireDevice(try await device(test), reason: reason, by: actor, now: now)
  }

  private func sender(_ test: TestStore) async throws -> FleetSender {
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(
      taken(one, 10, reading(serial: "S1", total: 100, black: 5)), raised(one, 11, 8),
      taken(one, 20, reading(serial: "S1", total: 130, black: 5)))
    return sender
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `has no open alert and no supply that is due; what it counted stays`(
    _ database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    _ = try await sender(test)
    #expect(try await rows(.supplies, test, "serial").count == 1)
    #expect(try await retire(test, at: 100) == .retired(isRead: true))
    #expect(
      try await rows(.devices, test, "state", "alerts", "total") == [[.text("retired"), .integer(0), .integer(130)]])
    #expect(try await rows(.alerts, test, "serial").isEmpty)
    #expect(try await rows(.supplies, test, "serial").isEmpty)
    #expect(try await rows(.volumes, test, "volume") == [[.integer(30)]])
    #expect(try await rows(.meters, test, "value") == [[.integer(130)]])
    #expect(try await test.store.figures().alertsOpen == 0)
    #expect(try await retire(test, at: 101) == .wasRetired)
    let trail = try await test.store.auditTrail(limit: 9).filter { $0.action == "device.retired" }
    #expect(trail.map(\.detail) == ["TASKalfa 1 S1, Acme left us, by ann"])
    #expect(trail.map(\.peer) == ["ipv4:192.0.2.1"])
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `comes back when an agent reads it again, and not by what it told before`(
    _ database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var sender = try await sender(test)
    _ = try await retire(test, at: 100)
    // Read before, delivered later; and an agent that cannot reach it has not read it.
    try await sender.send(
      taken(one, 100, reading(serial: "S1", total: 140, black: 5)),
      Event(time: 150, device: one, .pollFailed(PollFailed(address: "10.0.0.1:161", reason: "timeout", message: ""))))
    #expect(try await rows(.devices, test, "state", "total") == [[.text("retired"), .integer(140)]])
    try await sender.send(taken(one, 200, reading(serial: "S1", total: 150, black: 5)))
    #expect(try await rows(.devices, test, "state", "alerts") == [[.text("read"), .integer(1)]])
    #expect(try await rows(.alerts, test, "description", "raised_at") == [[.text("Jam 8"), .integer(11)]])
    #expect(try await rows(.supplies, test, "serial") == [[.text("S1")]])
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `comes back when an agent reads it that does not lead for it`(_ database: TestDatabase) async throws
  {
    let test = try TestStore(database)
    _ = try await sender(test)
    _ = try await retire(test, at: 100)
    var second = try await FleetSender(test, mark: 2)
    try await second.send(taken(two, 90, reading(serial: "S1", total: 131)))
    #expect(try await rows(.devices, test, "state", "total") == [[.text("retired"), .integer(130)]])
    try await second.send(taken(two, 110, reading(serial: "S1", total: 132)))
    #expect(try await rows(.devices, test, "state", "alerts") == [[.text("read"), .integer(1)]])
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `comes back with an alert that was raised since, ahead of the reading before it`(
    _ database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var sender = try await sender(test)
    try await sender.sendLastAhead(taken(one, 30, reading(serial: "S1", total: 131)), raised(one, 31, 9))
    #expect(try await rows(.alerts, test, "description").count == 2)
    _ = try await retire(test, at: 100)
    #expect(try await rows(.alerts, test, "description").isEmpty)
    try await sender.sendLastAhead(raised(one, 120, 9))
    #expect(try await rows(.alerts, test, "description") == [[.text("Jam 9")]])
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `is so for every install that had seen it, also when the read models are made anew`(
    _ database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    let first = try await sender(test)
    var second = try await FleetSender(test, mark: 2)
    try await second.send(taken(two, 30, reading(serial: "S1", total: 131)))
    try await test.store.foldEverything()
    try await test.store.revokeInstall(id: first.install.id, now: 50)
    _ = try await retire(test, at: 100)
    try await test.store.write { db in
      for table in ["alert", "supply", "meter_day", "meter", "sighting", "device"] {
        try db.execute("DELETE FROM \(table)")
      }
      try db.execute("UPDATE projection SET fold = 0")
    }
    #expect(try await rows(.devices, test, "state", "installs") == [[.text("retired"), .integer(2)]])
    #expect(try await rows(.alerts, test, "description").isEmpty)
    try await second.send(taken(two, 200, reading(serial: "S1", total: 140)))
    #expect(try await rows(.devices, test, "state") == [[.text("read")]])
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `is taken back, and refused without a reason`(_ database: TestDatabase) async throws {
    let test = try TestStore(database)
    let sender = try await sender(test)
    let id = try await device(test)
    for reason in ["", "no", String(repeating: "x", count: 257), "\u{7}\u{7}no"] {
      let refused = await #expect(throws: HubError.self) { try await retire(test, at: 90, reason: reason) }
      #expect(refused?.kind == .usage)
    }
    let early = await #expect(throws: HubError.self) { try await retire(test, at: 19) }
    #expect(early?.message.contains("clock") == true)
    let unknown = await #expect(throws: HubError.self) {
      try await test.store.retireDevice("nothing", reason: "gone", by: actor, now: 90)
    }
    #expect(unknown?.kind == .notFound)
    #expect(try await !test.store.keepDevice(id, by: actor, now: 91))
    // One that nobody watches is retired, too.
    try await test.store.revokeInstall(id: sender.install.id, now: 95)
    #expect(try await rows(.devices, test, "state") == [[.text("unwatched")]])
    #expect(try await retire(test, at: 100) == .retired(isRead: false))
    #expect(try await rows(.devices, test, "state") == [[.text("retired")]])
    #expect(try await test.store.keepDevice(id, by: actor, now: 110))
    #expect(try await rows(.devices, test, "state") == [[.text("unwatched")]])
    let trail = try await test.store.auditTrail(limit: 9).map(\.action).filter { $0.hasPrefix("device.") }
    #expect(trail == ["device.kept", "device.retired"])
  }
}
