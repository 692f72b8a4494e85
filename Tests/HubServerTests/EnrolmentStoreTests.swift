internal import FoundationEssentials
@testable internal import HubServer
internal import Testing

@Suite struct EnrolmentStoreTests {
  private let now = TestStore.now
  private let hash = [UInt8](repeating: 7, count: 32)

  private func store(_ database: TestDatabase, uses: Int = 1) async throws -> TestStore {
    let test = try TestStore(database)
    try await test.store.addEntity(named: "Acme", now: now)
    _ = try await test.store.addCode(hash: hash, entity: "Acme", usesMax: uses, expiresAt: now + 10_000, now: now)
    return test
  }

  private func isEnrolled(_ outcome: EnrolmentOutcome) -> Bool {
    if case .enrolled = outcome { true } else { false }
  }

  @Test(arguments: TestDatabase.all)
  func `a one-time code enrols one machine`(database: TestDatabase) async throws {
    let test = try await store(database)
    #expect(isEnrolled(try await test.enrol(TestStore.request(codeHash: hash, enrolment: 1))))
    #expect(try await test.enrol(TestStore.request(codeHash: hash, enrolment: 2)) == .refused(reason: "used up"))
    #expect(try await test.store.installs().count == 1)
  }

  @Test(arguments: TestDatabase.all)
  func `the same enrolment id and key get the same install again without another use`(database: TestDatabase)
    async throws
  {
    let test = try await store(database, uses: 2)
    let request = TestStore.request(codeHash: hash)
    guard case .enrolled(let first, let firstCertificate, false) = try await test.enrol(request),
      case .enrolled(let second, let secondCertificate, true) = try await test.enrol(request)
    else {
      Issue.record("not enrolled twice")
      return
    }
    #expect(first.id == second.id)
    #expect(firstCertificate.serial != secondCertificate.serial)
    #expect(try await test.store.codes().first?.uses == 1)
  }

  @Test(arguments: TestDatabase.all)
  func `an enrolment can be repeated after its code expired, but not for ever`(database: TestDatabase) async throws {
    let test = try await store(database)
    let request = TestStore.request(codeHash: hash)
    #expect(isEnrolled(try await test.enrol(request)))
    #expect(isEnrolled(try await test.enrol(request, now: now + 86_400_000)))
    let late = now + HubLimits.enrolmentRepeatWindow.milliseconds + 1
    #expect(try await test.enrol(request, now: late) == .refused(reason: "used up"))
  }

  @Test(arguments: TestDatabase.all)
  func `an enrolment id with another key is a mismatch`(database: TestDatabase) async throws {
    let test = try await store(database, uses: 5)
    #expect(isEnrolled(try await test.enrol(TestStore.request(codeHash: hash, key: 1))))
    guard case .mismatch = try await test.enrol(TestStore.request(codeHash: hash, key: 2)) else {
      Issue.record("accepted")
      return
    }
    #expect(try await test.store.codes().first?.uses == 1)
  }

  @Test(arguments: TestDatabase.all)
  func `an enrolment id without its code is refused as any unknown code is`(database: TestDatabase) async throws {
    let test = try await store(database)
    #expect(isEnrolled(try await test.enrol(TestStore.request(codeHash: hash))))
    let outcome = try await test.enrol(TestStore.request(codeHash: [UInt8](repeating: 8, count: 32)))
    #expect(outcome == .refused(reason: "not the code of this enrolment"))
  }

  @Test(arguments: TestDatabase.all)
  func `expired, revoked and unknown codes are refused`(database: TestDatabase) async throws {
    let test = try await store(database)
    let request = TestStore.request(codeHash: hash)
    #expect(try await test.enrol(request, now: now + 10_000) == .refused(reason: "expired"))
    #expect(try await test.enrol(TestStore.request(codeHash: [0])) == .refused(reason: "unknown"))
    try await test.store.revokeCode(hash: hash, now: now)
    #expect(try await test.enrol(request) == .refused(reason: "revoked"))
    #expect(try await test.store.installs().isEmpty)
  }

  @Test(arguments: TestDatabase.all)
  func `if no certificate can be made, nothing of the enrolment happened`(database: TestDatabase) async throws {
    let test = try await store(database)
    await #expect(throws: HubError.self) {
      try await test.store.enrol(TestStore.request(codeHash: hash), now: now) { _ in throw HubError(.inputOutput, "no")
      }
    }
    #expect(try await test.store.installs().isEmpty)
    #expect(try await test.store.codes().first?.uses == 0)
    #expect(isEnrolled(try await test.enrol(TestStore.request(codeHash: hash))))
  }

  @Test(arguments: TestDatabase.all)
  func `the old certificate is good until the new one was used, and a while longer`(database: TestDatabase) async throws
  {
    let test = try await store(database)
    guard case .enrolled(let install, let old, _) = try await test.enrol(TestStore.request(codeHash: hash)) else {
      return
    }
    let new = IssuedCertificate(serial: "new", der: [], notBefore: now, notAfter: now + 1)
    let origin = RenewalOrigin(serial: "0", peer: "127.0.0.1")
    try await test.store.addCertificate(new, install: install.number, origin: origin, now: now)
    let farLater = now + 40 * 86_400_000
    #expect(try await isGood(old.serial, test, at: farLater))
    #expect(try await isGood("new", test, at: farLater))
    #expect(try await isGood(old.serial, test, at: farLater + HubLimits.supersededGrace.milliseconds))
    let after = farLater + HubLimits.supersededGrace.milliseconds + 1
    #expect(try await test.store.useCertificate(serial: old.serial, now: after) == .superseded(at: farLater))
    #expect(try await isGood("new", test, at: after))
  }

  private func isGood(_ serial: String, _ test: TestStore, at time: Int64) async throws -> Bool {
    if case .good = try await test.store.useCertificate(serial: serial, now: time) { true } else { false }
  }

  @Test(arguments: TestDatabase.all)
  func `entities, codes and installs that are not there are named with the remedy`(database: TestDatabase) async throws
  {
    let test = try await store(database)
    let duplicate = await #expect(throws: HubError.self) { try await test.store.addEntity(named: "ACME", now: 0) }
    #expect(duplicate?.kind == .usage)
    let entity = await #expect(throws: HubError.self) {
      _ = try await test.store.addCode(hash: [1], entity: "Nobody", usesMax: 1, expiresAt: 1, now: 0)
    }
    #expect(entity?.kind == .notFound)
    let code = await #expect(throws: HubError.self) { try await test.store.revokeCode(number: 99, now: 0) }
    #expect(code?.kind == .notFound)
    let install = await #expect(throws: HubError.self) { try await test.store.revokeInstall(id: "nobody", now: 0) }
    #expect(install?.kind == .notFound)
  }

  @Test(arguments: TestDatabase.all)
  func `what operators do is in the audit trail, the newest first`(database: TestDatabase) async throws {
    let test = try await store(database)
    _ = try await test.enrol(TestStore.request(codeHash: hash))
    try await test.store.revokeCode(number: 1, now: now)
    #expect(
      try await test.store.auditTrail(limit: 10).map(\.action) == [
        "code.revoked", "install.enrolled", "code.created", "entity.added",
      ])
  }

  @Test(arguments: TestDatabase.all)
  func `only the latest health report is kept`(database: TestDatabase) async throws {
    let test = try await store(database)
    let install = try await test.install(3)
    try await test.store.keepHealth("{}", install: install.number, now: 1)
    try await test.store.keepHealth(#"{"a":1}"#, install: install.number, now: 2)
    #expect(try await test.store.health(of: install.number) == HealthReport(json: #"{"a":1}"#, receivedAt: 2))
  }
}
