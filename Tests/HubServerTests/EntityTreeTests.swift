internal import HubDatabase
@testable internal import HubServer
internal import Testing

@Suite("Entities are a tree") struct EntityTreeTests {
  private let now = TestStore.now

  /// Acme > Berlin > Mitte, Acme > Athens, Zeta.
  private func tree(_ database: TestDatabase) async throws -> TestStore {
    let test = try TestStore(database)
    try await test.store.addEntity(named: "Acme", now: now)
    try await test.store.addEntity(named: "Berlin", under: "acme", now: now)
    try await test.store.addEntity(named: "Mitte", under: "Berlin", now: now)
    try await test.store.addEntity(named: "Athens", under: "Acme", now: now)
    try await test.store.addEntity(named: "Zeta", now: now)
    return test
  }

  private func paths(_ test: TestStore) async throws -> [String] {
    try await test.store.entityTree().map { ($0.path + [$0.entity.name]).joined(separator: "/") }
  }

  private func refused(_ kind: HubError.Kind, _ words: String, _ body: () async throws -> Void) async {
    let error = await #expect(throws: HubError.self) { try await body() }
    #expect(error?.kind == kind && error?.message.contains(words) == true, "\(String(describing: error))")
  }

  @Test(arguments: TestDatabase.all)
  func `that is listed from its roots, siblings by name`(database: TestDatabase) async throws {
    let test = try await tree(database)
    #expect(try await paths(test) == ["Acme", "Acme/Athens", "Acme/Berlin", "Acme/Berlin/Mitte", "Zeta"])
    await refused(.usage, "already") { try await test.store.addEntity(named: "BERLIN", under: "Zeta", now: now) }
    await refused(.notFound, "no entity named 'Nowhere'") {
      try await test.store.addEntity(named: "New", under: "Nowhere", now: now)
    }
  }

  @Test(arguments: TestDatabase.all)
  func `whose branches move, and never under themselves`(database: TestDatabase) async throws {
    let test = try await tree(database)
    for (entity, target) in [("Acme", "Acme"), ("Acme", "Mitte"), ("Acme", "Berlin"), ("berlin", "MITTE")] {
      await refused(.usage, "under") { try await test.store.moveEntity(entity, under: target, now: now) }
    }
    #expect(try await paths(test) == ["Acme", "Acme/Athens", "Acme/Berlin", "Acme/Berlin/Mitte", "Zeta"])
    try await test.store.moveEntity("Berlin", under: "Zeta", now: now)
    #expect(try await paths(test) == ["Acme", "Acme/Athens", "Zeta", "Zeta/Berlin", "Zeta/Berlin/Mitte"])
    try await test.store.moveEntity("Mitte", under: nil, now: now)
    #expect(try await paths(test) == ["Acme", "Acme/Athens", "Mitte", "Zeta", "Zeta/Berlin"])
    try await test.store.renameEntity("Berlin", to: "berlin", now: now)
    await refused(.usage, "already") { try await test.store.renameEntity("Mitte", to: "Acme", now: now) }
    #expect(try await paths(test) == ["Acme", "Acme/Athens", "Mitte", "Zeta", "Zeta/berlin"])
    let trail = try await test.store.auditTrail(limit: 3).map { [$0.action, $0.subject, $0.detail] }
    #expect(
      trail == [
        ["entity.renamed", "berlin", "was Berlin"], ["entity.moved", "Mitte", "to the top"],
        ["entity.moved", "Berlin", "under Zeta"],
      ])
  }

  @Test(arguments: TestDatabase.all)
  func `of so many levels and no more`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    try await test.store.addEntity(named: "1", now: now)
    for level in 2...HubLimits.entityDepthMax {
      try await test.store.addEntity(named: "\(level)", under: "\(level - 1)", now: now)
    }
    #expect(try await test.store.entityTree().count == HubLimits.entityDepthMax)
    await refused(.usage, "deeper than") {
      try await test.store.addEntity(named: "below", under: "\(HubLimits.entityDepthMax)", now: now)
    }
    try await test.store.addEntity(named: "Top", now: now)
    await refused(.usage, "deeper than") { try await test.store.moveEntity("1", under: "Top", now: now) }
    try await test.store.moveEntity("2", under: "Top", now: now)
  }

  @Test(arguments: TestDatabase.all)
  func `of which nothing is removed while something is in it`(database: TestDatabase) async throws {
    let test = try await tree(database)
    await refused(.usage, "1 entity:") { try await test.store.removeEntity("Berlin", now: now) }
    let install = try await test.install(1)
    #expect(install.entity == "Acme")
    try await test.store.moveEntity("Berlin", under: nil, now: now)
    try await test.store.moveEntity("Athens", under: nil, now: now)
    await refused(.usage, "1 install:") { try await test.store.removeEntity("Acme", now: now) }
    let code = try await test.store.addCode(
      hash: [7], entity: "Mitte", usesMax: 1, expiresAt: now + 1_000, now: now)
    await refused(.usage, "1 valid code:") { try await test.store.removeEntity("Mitte", now: now) }
    try await test.store.revokeCode(number: code.number, now: now)
    try await test.store.removeEntity("Mitte", now: now)
    try await test.store.removeEntity("Berlin", now: now)
    #expect(try await paths(test) == ["Acme", "Athens", "Zeta"])
    await refused(.notFound, "no entity named 'Mitte'") { try await test.store.removeEntity("Mitte", now: now) }
  }

  @Test(arguments: TestDatabase.all)
  func `whose reports have what is below an entity, or that one alone`(database: TestDatabase) async throws {
    let test = try await tree(database)
    _ = try await test.install(1)
    let hash = [UInt8](repeating: 2, count: 32)
    _ = try await test.store.addCode(hash: hash, entity: "Mitte", usesMax: 1, expiresAt: now + 1_000, now: now)
    _ = try await test.enrol(TestStore.request(codeHash: hash, enrolment: 2, key: 2))
    for step in 0...7 { _ = try await test.store.lookForLate(now: now + Int64(step) * 30_000) }
    func late(_ entity: String, alone: Bool = false) async throws -> [SQLValue] {
      try await test.store.rows(of: .late, entity: entity, alone: alone).map { $0[0] }
    }
    #expect(try await late("acme") == [.text("Acme"), .text("Mitte")])
    #expect(try await late("Acme", alone: true) == [.text("Acme")])
    #expect(try await late("Berlin") == [.text("Mitte")])
    #expect(try await late("Berlin", alone: true).isEmpty)
    #expect(try await late("Zeta").isEmpty)
  }
}
