// Asking for a device's page, without sockets: where it is offered, who may, how often, and what the console answers.

internal import DevicePages
internal import Events
internal import Foundation
@testable internal import HubDatabase
@testable internal import HubServer
internal import OpenSSL
internal import SwiftProtobuf
internal import Synchronization
internal import Testing

@Suite struct `A device's page` {
  private func console(_ test: TestConsole) -> HubConsole {
    var console = test.console
    console.remote = RemoteDomainBox()
    console.remote?.value = .init(name: "pages.example.org", port: 443)
    return console
  }

  private func ask(
    _ test: TestConsole, _ token: String, _ body: [String: BodyValue] = ["reason": .text("paper jam")],
    device: String? = nil
  ) async -> TestConsole.Reply {
    await test.ask(
      .post, "devices/\(device ?? test.berlin.device)/page", token, body: body, at: console(test))
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `is asked for with a reason, where it is offered`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    let user = try await test.addUser("tess", [.technician], of: "Acme")
    let token = try await test.session(of: user)
    #expect(await ask(test, token).message.contains("not switched on"))
    let refused = try await test.store.auditTrail(limit: 3).first { $0.action == "remote.refused" }
    #expect(refused?.subject == test.berlin.device && refused?.detail.contains("paper jam") == true)
    try await test.store.offerRemote(true, at: .entity("Dealer"), by: Actor(name: "test"), now: test.clock.now)
    for body in [
      [:], ["reason": .text("")], ["reason": .text("  a  ")], ["reason": .text(String(repeating: "x", count: 501))],
      ["reason": .text("good"), "seconds": .integer(1_801)], ["reason": .text("good"), "seconds": .integer(5)],
      ["reason": .integer(1)], ["reason": .text("good"), "address": .text("10.0.0.1")],
    ] as [[String: BodyValue]] {
      #expect(await ask(test, token, body).status == 400, "\(body)")
    }
    #expect(await ask(test, token, device: test.other.device).status == 404)
    let asked = await ask(test, token, ["reason": .text(" paper\njam "), "seconds": .integer(300)])
    #expect(
      asked.status == 201 && asked.json["state"] == .text("asked") && asked.json["own"] == .bool(true), "\(asked.text)")
    guard case .text(let id)? = asked.json["id"], let job = JobID(id) else { return #expect(Bool(false)) }
    let due = try await test.store.dueJobs(of: test.berlin.install.number, now: test.clock.now)
    let order = try #require(due.first { $0.id == job }?.order)
    #expect(order.visit?.user == "tess" && order.visit?.reason == "paperjam" && order.visit?.seconds == 300)
    #expect(order.visit?.from == "192.0.2.1" && order.devices.map(\.bytes) == [[UInt8](repeating: 1, count: 16)])
    // Nobody enters before the agent has come.
    #expect(await test.ask(.post, "jobs/\(id)/page", token, body: [:], at: console(test)).status == 422)
    let list = await test.ask(.get, "pages", token, at: console(test))
    #expect(list.items.map { $0["id"] } == [.text(id)])
    let stranger = try await test.session(of: try await test.addUser("stan", [.technician], of: "Acme"))
    #expect(await test.ask(.get, "pages", stranger, at: console(test)).items.isEmpty)
    #expect(await test.ask(.delete, "jobs/\(id)/page", stranger, body: [:], at: console(test)).status == 403)
    let chief = try await test.session(of: try await test.addUser("cora", [.configurer], of: "Acme"))
    #expect(await test.ask(.get, "pages", chief, at: console(test)).items.count == 1)
    let ended = await test.ask(.delete, "jobs/\(id)/page", chief, body: [:], at: console(test))
    #expect(ended.json["ended"] == .bool(true))
    #expect(await test.ask(.get, "jobs/\(id)/page", token).json["endReason"] == .text("ended by cora (console)"))
    // Its agent is told to end it.
    let after = try await test.store.dueJobs(of: test.berlin.install.number, now: test.clock.now)
    #expect(after.first { $0.id == job }?.isCancelled == true)
  }

  @Test func `is listed with others by as many questions to the database as alone`() async throws {
    let test = try await TestConsole()
    let token = try await test.session(of: try await test.addUser("tess", [.technician, .configurer]))
    try await test.store.offerRemote(true, at: .entity("Dealer"), by: Actor(name: "test"), now: test.clock.now)
    let counting = CountingDatabase(test.store.database)
    let counted = HubConsole(
      store: try SQLStore(counting), directory: test.console.directory, clock: test.clock.clock,
      logger: test.console.logger)
    func list() async -> (items: [ConsoleValue], reads: Int) {
      let before = counting.reads
      let items = await test.ask(.get, "pages", token, at: counted).items
      return (items, counting.reads - before)
    }
    #expect(await ask(test, token).status == 201)
    let alone = await list()
    #expect(await ask(test, token, device: test.other.device).status == 201)
    #expect(await ask(test, token, device: test.other.device).status == 201)
    let together = await list()
    #expect(alone.items.count == 1 && together.items.count == 3 && alone.reads == together.reads)
    let serials = together.items.map { $0["about"]?["serial"] }
    #expect(serials == [.text("SN2"), .text("SN2"), .text("SN1")])
  }

  @Test func `is not asked for at a hub that serves none`() async throws {
    let test = try await TestConsole()
    let token = try await test.session(of: try await test.addUser("tess", [.technician]))
    let reply = await test.ask(
      .post, "devices/\(test.berlin.device)/page", token, body: ["reason": .text("paper jam")])
    #expect(reply.status == 422 && reply.code == "not_served")
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `is offered by the nearest word`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    let (store, now, actor) = (test.store, test.clock.now, Actor(name: "test"))
    let (entity, install, device): (SettingsTarget, SettingsTarget, SettingsTarget) = (
      .entity("Acme Berlin"), .install(test.berlin.install.id), .device(test.berlin.device)
    )
    func counts(_ target: SettingsTarget) async throws -> RemoteOffer { try await store.remoteOffer(at: target) }
    for target in [entity, install, device] {
      #expect(try await counts(target) == RemoteOffer(isOffered: false, place: nil))
    }
    try await store.offerRemote(true, at: .entity("Dealer"), by: actor, now: now)
    for target in [entity, install, device] {
      #expect(try await counts(target) == RemoteOffer(isOffered: true, place: "entity Dealer"))
    }
    try await store.offerRemote(false, at: entity, by: actor, now: now)
    #expect(try await counts(device) == RemoteOffer(isOffered: false, place: "entity Acme Berlin"))
    #expect(try await counts(.device(test.other.device)).isOffered)
    try await store.offerRemote(true, at: install, by: actor, now: now)
    #expect(try await counts(device) == RemoteOffer(isOffered: true, place: "install"))
    try await store.offerRemote(false, at: device, by: actor, now: now)
    #expect(try await counts(device) == RemoteOffer(isOffered: false, place: "device"))
    #expect(try await counts(install).isOffered)
    try await store.offerRemote(nil, at: device, by: actor, now: now)
    #expect(try await counts(device).place == "install")
    await #expect(throws: HubError.self) {
      try await store.offerRemote(true, at: .device("nothing"), by: actor, now: now)
    }
    // Who sees one entity learns no name above it.
    try await store.offerRemote(nil, at: install, by: actor, now: now)
    try await store.offerRemote(nil, at: entity, by: actor, now: now)
    let user = try await test.session(of: try await test.addUser("cora", [.configurer], of: "Acme Berlin"))
    let told = await test.ask(.get, "devices/\(test.berlin.device)/remote", user, at: console(test))
    #expect(told.json["place"] == .text("an entity above") && told.json["served"] == .bool(true))
    let path = "entities/\(test.berlin.entity)/remote"
    #expect(await test.ask(.put, path, user, body: ["offered": .bool(false)]).json["offered"] == .bool(false))
    #expect(await test.ask(.put, path, user, body: [:]).status == 400)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `is asked for so often and no more`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    try await test.store.offerRemote(true, at: .entity("Dealer"), by: Actor(name: "test"), now: test.clock.now)
    let token = try await test.session(of: try await test.addUser("tess", [.technician]))
    var ids: [String] = []
    for _ in 0..<HubLimits.remoteSessionsPerUserMax {
      let reply = await ask(test, token)
      #expect(reply.status == 201, "\(reply.message)")
      if case .text(let id)? = reply.json["id"] { ids.append(id) }
    }
    #expect(await ask(test, token).message.contains("open already"))
    for _ in 0..<2 {
      for id in ids { _ = await test.ask(.delete, "jobs/\(id)/page", token, body: [:], at: console(test)) }
      ids = []
      for _ in 0..<HubLimits.remoteSessionsPerUserMax {
        if case .text(let id)? = await ask(test, token).json["id"] { ids.append(id) }
      }
    }
    #expect(await ask(test, token).message.contains("just now"), "the eleventh at once")
    test.clock.advance(by: HubLimits.remoteAskInterval)
    #expect(await ask(test, token).status == 201)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `that nobody's agent opens in time is over`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    try await test.store.offerRemote(true, at: .entity("Dealer"), by: Actor(name: "test"), now: test.clock.now)
    let token = try await test.session(of: try await test.addUser("tess", [.technician]))
    guard case .text(let id)? = await ask(test, token).json["id"], let job = JobID(id) else {
      return #expect(Bool(false))
    }
    test.clock.advance(by: HubLimits.remoteOpenWait)
    try await test.store.endRemotesThatAreOver(now: test.clock.now)
    #expect(try await test.store.remoteSession(job)?.endedAt == nil)
    test.clock.advance(by: .seconds(1))
    try await test.store.endRemotesThatAreOver(now: test.clock.now)
    #expect(try await test.store.remoteSession(job)?.endReason == "its agent did not come in time")
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `shows what its agent journalled, and nothing that another agent says of it`(
    _ database: TestDatabase
  ) async throws {
    let test = try await TestConsole(database)
    try await test.store.offerRemote(true, at: .entity("Dealer"), by: Actor(name: "test"), now: test.clock.now)
    let token = try await test.session(of: try await test.addUser("tess", [.technician]))
    guard case .text(let id)? = await ask(test, token).json["id"], let job = JobID(id) else {
      return #expect(Bool(false))
    }
    @Sendable func record(_ path: String) throws -> DeliveredRecord {
      let request = Printtrail_Events_V1_RemoteRequest.with {
        ($0.job, $0.method, $0.path, $0.status, $0.bytesReceived) = (Data(job.bytes), "GET", path, 200, 12)
        $0.parameters = ["a", "b"]
      }
      var payload = Data([1, 0, 93])
      withUnsafeBytes(of: test.clock.now.bigEndian) { payload.append(contentsOf: $0) }
      payload.append(Data(repeating: 0, count: EventHeader.size - 11))
      payload.append(try request.serializedBytes() as Data)
      return DeliveredRecord(time: 7, leaf: .zero, payload: payload)
    }
    try await test.store.write { db in
      try RemoteLedger.note(try record("/menu"), test.berlin.install.number, epoch: 1, sequence: 7, db)
      try RemoteLedger.note(try record("/menu"), test.berlin.install.number, epoch: 1, sequence: 7, db)
      try RemoteLedger.note(try record("/forged"), test.other.install.number, epoch: 1, sequence: 8, db)
    }
    let reply = await test.ask(.get, "jobs/\(id)/page", token)
    guard case .list(let requests)? = reply.json["requests"] else { return #expect(Bool(false)) }
    #expect(requests.count == 1 && requests[0]["path"] == .text("/menu") && requests[0]["parameters"] == .text("a b"))
    #expect(requests[0]["time"] == .time(test.clock.now))
    #expect(requests[0]["status"] == .integer(200) && requests[0]["bytesReceived"] == .integer(12))
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `shows a request once, from its beginning on, and its result when it has one`(
    _ database: TestDatabase
  ) async throws {
    let test = try await TestConsole(database)
    try await test.store.offerRemote(true, at: .entity("Dealer"), by: Actor(name: "test"), now: test.clock.now)
    let token = try await test.session(of: try await test.addUser("tess", [.technician]))
    guard case .text(let id)? = await ask(test, token).json["id"], let job = JobID(id) else {
      return #expect(Bool(false))
    }
    let berlin = test.berlin.install.number
    @Sendable func note(_ sequence: UInt64, _ type: UInt8, _ message: any SwiftProtobuf.Message) async throws {
      var payload = Data([1, 0, type])
      withUnsafeBytes(of: test.clock.now.bigEndian) { payload.append(contentsOf: $0) }
      payload.append(Data(repeating: 0, count: EventHeader.size - 11))
      payload.append(try message.serializedBytes() as Data)
      let record = DeliveredRecord(time: 7, leaf: .zero, payload: payload)
      try await test.store.write { db in try RemoteLedger.note(record, berlin, epoch: 1, sequence: sequence, db) }
    }
    func shown() async throws -> [(path: ConsoleValue?, status: ConsoleValue?, error: ConsoleValue?)] {
      guard case .list(let all)? = await test.ask(.get, "jobs/\(id)/page", token).json["requests"] else { return [] }
      return all.map { ($0["path"], $0["status"], $0["error"]) }
    }
    for (sequence, path) in [(7, "/menu"), (8, "/socket")] {
      try await note(
        UInt64(sequence), 97,
        Printtrail_Events_V1_RemoteRequestBegun.with { ($0.job, $0.method, $0.path) = (Data(job.bytes), "GET", path) })
    }
    var now = try await shown()
    #expect(now.map(\.path) == [.text("/socket"), .text("/menu")])
    #expect(now.allSatisfy { $0.status == .integer(0) && $0.error == .text("begun") })
    try await note(
      9, 93,
      Printtrail_Events_V1_RemoteRequest.with {
        ($0.job, $0.method, $0.path, $0.status, $0.begun) = (Data(job.bytes), "GET", "/menu", 200, 7)
      })
    now = try await shown()
    #expect(now.map(\.path) == [.text("/menu"), .text("/socket")])
    #expect(now.map(\.status) == [.integer(200), .integer(0)] && now.first?.error == .text(""))
  }
}

/// A database that counts how often it is read.
private final class CountingDatabase: SQLDatabase {
  private let database: any SQLDatabase
  private let count = Mutex(0)

  init(_ database: any SQLDatabase) { self.database = database }

  var reads: Int { count.withLock { $0 } }
  var dialect: SQLDialect { database.dialect }
  var place: String { database.place }

  func migrate(_ migrations: [SQLMigration]) throws { try database.migrate(migrations) }
  func byteCount() async throws -> Int64 { try await database.byteCount() }
  func writeNow<Value>(_ work: (any SQLConnection) throws -> Value) throws -> Value { try database.writeNow(work) }

  func read<Value: Sendable>(_ work: @Sendable @escaping (any SQLConnection) throws -> Value) async throws -> Value {
    count.withLock { $0 += 1 }
    return try await database.read(work)
  }

  func write<Value: Sendable>(
    _ isolation: SQLIsolation, _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await database.write(isolation, work)
  }
}
