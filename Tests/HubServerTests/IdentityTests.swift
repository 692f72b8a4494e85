// What becomes of identities while a hub is served: revoked, replaced, doubted, renewed under another root. The store is another connection
// to the same database, as a command of the operator has one.

internal import FoundationEssentials
internal import HubDatabase
internal import GRPCCore
internal import HubProtocol
@testable internal import HubServer
internal import SwiftProtobuf
internal import Testing

@Suite(.timeLimit(.minutes(5))) struct IdentityTests {
  @Test(arguments: [true, false])
  func `revoking an install, or the certificate, ends its stream within seconds and no other`(isWhole: Bool)
    async throws
  {
    try await TestHub.run { hub in
      let (journal, bystander) = (
        try TestJournal(),
        try { () throws -> TestJournal in
          var journal = try TestJournal()
          journal.append(1)
          return journal
        }()
      )
      let (other, _) = try await hub.agent(bystander)
      let (agent, install) = try await hub.agent(journal)
      let serial = try await hub.certificates(install)[0].serial
      try await hub.converse(other) { beside in
        _ = try await beside.greet(bystander)
        let begin = ContinuousClock.now
        let error = try await status {
          try await hub.converse(agent) { stream in
            _ = try await stream.greet(journal)
            if isWhole {
              try await hub.store.revokeInstall(id: install, now: hub.clock.now)
            } else {
              try await hub.store.revokeCertificate(serial: serial, ofInstall: install, now: hub.clock.now)
            }
            while try await stream.next() != nil {}
          }
        }
        #expect(error?.code == (isWhole ? .permissionDenied : .unauthenticated))
        #expect(error?.message.contains(isWhole ? "install was revoked" : "certificate was revoked") == true)
        #expect(ContinuousClock.now - begin < .seconds(30))
        beside.send(bystander.batch(1...1))
        _ = try await beside.acknowledged(1)
      }
    }
  }

  @Test func `a stream ends with its certificate, whose end is told with the hub's time`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, _) = try await hub.agent(journal)
      let ended = try await status {
        try await hub.converse(agent) { stream in
          _ = try await stream.greet(journal)
          hub.clock.advance(by: HubLimits.clientValidity + HubLimits.clockSkew + .seconds(1))
          while try await stream.next() != nil {}
        }
      }
      #expect(ended?.code == .unauthenticated && ended?.message.contains("has ended") == true)
      let refused = try await status { try await hub.converse(agent) { _ = try await $0.greet(journal) } }
      #expect(refused?.code == .unauthenticated)
      #expect(refused?.message.contains("expired at") == true)
      #expect(refused?.message.contains("hub's clock says \(timeText(milliseconds: hub.clock.now))") == true)
    }
  }

  @Test func `a stream by an older certificate ends once a newer one is used and the time to go over is up`()
    async throws
  {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, _) = try await hub.agent(journal)
      var next = agent
      next.certificate = Array(try await hub.renew(agent).certificateChain[0])
      let ended = try await status { [next] in
        try await hub.converse(agent) { stream in
          _ = try await stream.greet(journal)
          _ = try await hub.standing(next)
          hub.clock.advance(by: HubLimits.supersededGrace + .seconds(1))
          while try await stream.next() != nil {}
        }
      }
      #expect(ended?.code == .unauthenticated && ended?.message.contains("replaced by a newer one") == true)
    }
  }

  @Test(arguments: [-14, 14]) func `agent and hub may be fourteen minutes apart`(minutes: Int) async throws {
    // The agent of the test lives by the system's clock.
    let clock = TestClock(HubClock.system.now + Int64(minutes) * 60_000)
    try await TestHub.run(clock: clock) { hub in
      let journal = try TestJournal()
      let (agent, _) = try await hub.agent(journal)
      try await hub.converse(agent) { _ = try await $0.greet(journal) }
      #expect(try await hub.standing(agent).hubTime == clock.now)
    }
  }

  @Test func `a revoked certificate leaves the install's others good`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, install) = try await hub.agent(journal)
      var next = agent
      next.certificate = Array(try await hub.renew(agent).certificateChain[0])
      let serial = try await hub.certificates(install)[0].serial
      try await hub.store.revokeCertificate(serial: serial.uppercased(), ofInstall: install, now: hub.clock.now)
      let refused = try await status { _ = try await hub.renew(agent) }
      #expect(refused?.code == .unauthenticated && refused?.message.contains("revoked") == true)
      try await hub.converse(next) { _ = try await $0.greet(journal) }
      await #expect(throws: HubError.self) {
        try await hub.store.revokeCertificate(serial: "00", ofInstall: install, now: 0)
      }
      #expect(try await hub.store.auditTrail(limit: 5).contains { $0.action == "certificate.revoked" })
    }
  }

  @Test func `what was renewed from a revoked certificate is told, and is revoked with it when that is said`()
    async throws
  {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (lost, install) = try await hub.agent(journal)
      var thief = lost
      thief.certificate = Array(try await hub.renew(lost).certificateChain[0])
      var further = thief
      further.certificate = Array(try await hub.renew(thief).certificateChain[0])
      let all = try await hub.certificates(install)
      #expect(all.map(\.renewedFrom) == [nil, all[0].serial, all[1].serial])
      #expect(all.dropFirst().allSatisfy { $0.peer?.isEmpty == false })
      let renewals = try await hub.store.auditTrail(limit: 5).filter { $0.action == "certificate.renewed" }
      #expect(renewals.count == 2 && renewals.allSatisfy { !$0.peer.isEmpty && $0.detail.contains(" with ") })

      let now = hub.clock.now
      let left = try await hub.store.revokeCertificate(
        serial: all[0].serial, ofInstall: install, withRenewed: false, now: now)
      #expect(left.map(\.serial) == [all[1].serial, all[2].serial])
      try await hub.converse(further) { _ = try await $0.greet(journal) }
      #expect(
        try await hub.store.revokeCertificate(
          serial: all[0].serial, ofInstall: install, withRenewed: true, now: now
        ).isEmpty)
      for stranger in [thief, further] {
        #expect(try await status { _ = try await hub.renew(stranger) }?.code == .unauthenticated)
      }
      #expect(try await hub.certificates(install).allSatisfy { $0.revokedAt == now })
    }
  }

  @Test func `an agent with another journal under a certificate is refused, and the install is in doubt`() async throws
  {
    try await TestHub.run { hub in
      let (agent, install) = try await hub.agent(try TestJournal())
      let refused = try await status { try await hub.converse(agent) { _ = try await $0.greet(try TestJournal()) } }
      #expect(refused?.code == .invalidArgument)
      let remarks = try #require(try await hub.store.remarks().values.first)
      #expect(remarks.doubt?.contains("another journal") == true && remarks.doubtedAt == hub.clock.now)
      let doubts = try await hub.doubts()
      #expect(doubts.map(\.subject) == [install] && doubts[0].peer == "ipv4:127.0.0.1")
      // As often as it tries, once an hour.
      _ = try await status { try await hub.converse(agent) { _ = try await $0.greet(try TestJournal()) } }
      #expect(try await hub.doubts().count == 1)
      hub.clock.advance(by: HubLimits.doubtInterval)
      _ = try await status { try await hub.converse(agent) { _ = try await $0.greet(try TestJournal()) } }
      #expect(try await hub.doubts().count == 2)
      try await hub.store.settleDoubt(id: install, now: hub.clock.now)
      #expect(try await hub.store.remarks().isEmpty)
    }
  }

  @Test func `two agents with one identity and one journal are seen while both deliver`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(4)
      let (agent, _) = try await hub.agent(journal)
      try await hub.converse(agent) { [journal] first in
        _ = try await first.greet(journal)
        try await hub.converse(agent) { second in
          _ = try await second.greet(journal)
          first.send(journal.batch(1...1))
          _ = try await first.acknowledged(1)
          #expect(try await hub.doubts().isEmpty)
          hub.clock.advance(by: HubLimits.twinOverlap)
          first.send(journal.batch(2...2))
          _ = try await first.acknowledged(2)
          second.send(journal.batch(1...3))
          _ = try await second.acknowledged(3)
          #expect(try await hub.doubts().map(\.detail).first?.contains("two agents deliver") == true)
        }
      }
    }
  }

  @Test func `a record that contradicts one that is held puts the install in doubt`() async throws {
    try await TestHub.run { hub in
      var (journal, copy) = (try TestJournal(), try TestJournal())
      journal.append(2)
      for _ in 0..<2 { copy.append("elsewhere") }
      let (agent, _) = try await hub.agent(journal)
      try await hub.converse(agent) { [journal, copy] stream in
        _ = try await stream.greet(journal)
        stream.send(journal.batch(1...2))
        _ = try await stream.acknowledged(2)
        stream.send(copy.batch(2...2))
        _ = try await stream.acknowledged(2)
      }
      #expect(try await hub.doubts().map(\.detail).first?.contains("sequence 2") == true)
    }
  }

  @Test func `an agent cannot speak for another install with a certificate of its own`() async throws {
    try await TestHub.run { hub in
      let (mine, theirs) = (try TestJournal(), try TestJournal())
      let (agent, _) = try await hub.agent(mine)
      let (_, victim) = try await hub.agent(theirs)
      // Their journal under my certificate; and their name in a certificate that another authority signed.
      let refused = try await status { try await hub.converse(agent) { _ = try await $0.greet(theirs) } }
      #expect(refused?.code == .invalidArgument)
      let place = try TestDirectory()
      let impostor = try HubDirectory.create(at: place.path + "/hub", names: [])
      var forger = agent
      forger.certificate = try impostor.authority.issueClient(
        install: victim, request: try CheckedRequest(der: try agent.request())
      ).der
      let forged = try await status { try await hub.converse(forger) { _ = try await $0.greet(theirs) } }
      #expect(forged?.code == .unauthenticated && forged?.message.contains("not one that this hub issued") == true)
      #expect(try await hub.store.holdings(of: try #require(try await hub.store.install(id: victim)).number).isEmpty)
    }
  }

  @Test func `the standing tells who one is, the time, the roots, and when to ask again`() async throws {
    try await TestHub.run { hub in
      let (agent, install) = try await hub.agent(try TestJournal())
      let standing = try await hub.standing(agent)
      #expect(standing.installID == install && standing.hubTime == hub.clock.now)
      #expect(standing.trustedRoots == [Data(hub.directory.authority.rootDER)])
      #expect(standing.renewalAdvised.isEmpty)
      #expect(Int64(standing.nextStandingMilliseconds) == HubLimits.standingInterval.milliseconds)
      // It is a use: a newer certificate ends the older one.
      var next = agent
      next.certificate = Array(try await hub.renew(agent).certificateChain[0])
      _ = try await hub.standing(next)
      hub.clock.advance(by: HubLimits.supersededGrace + .seconds(1))
      let refused = try await status { _ = try await hub.standing(agent) }
      #expect(refused?.code == .unauthenticated)
      try await hub.store.revokeInstall(id: install, now: hub.clock.now)
      let revoked = try await status { _ = try await hub.standing(next) }
      #expect(revoked?.code == .permissionDenied)
    }
  }

  @Test func `renewals of one install are limited, and what is never used of them is not kept`() async throws {
    try await TestHub.run { hub in
      let (agent, install) = try await hub.agent(try TestJournal())
      for _ in 1...HubLimits.renewalsBurst { _ = try await hub.renew(agent) }
      let limited = try await status { _ = try await hub.renew(agent) }
      #expect(limited?.code == .resourceExhausted)
      #expect(limited.map { Array($0.metadata[stringValues: "retry-after-ms"]) }?.count == 1)
      #expect(try await hub.certificates(install).count == 1 + HubLimits.unusedCertificatesMax)
      #expect(try await hub.store.auditTrail(limit: 50).count { $0.action == "renewal.limited" } == 1)
      // Another install is not held up by it.
      let (other, _) = try await hub.agent(try TestJournal())
      _ = try await hub.renew(other)
      hub.clock.advance(by: HubLimits.renewalInterval)
      _ = try await hub.renew(agent)
    }
  }

  @Test func `refused enrolments are in the audit trail with their reason, and of limited ones the first`() async throws
  {
    try await TestHub.run { hub in
      let agent = TestAgent(root: hub.directory.authority.rootDER)
      var bad = try TestHub.enrolment(DataLinkCode(), agent, try TestJournal())
      bad.certificateRequest = Data([1])
      for _ in 0..<HubLimits.attemptsBurst + 3 { _ = try await status { [bad] in _ = try await hub.enroll(bad) } }
      let trail = try await hub.store.auditTrail(limit: 100)
      let refused = trail.filter { $0.action == "enrolment.refused" }
      #expect(refused.count == HubLimits.attemptsBurst)
      #expect(refused.allSatisfy { $0.detail.contains("PKCS#10") && $0.peer == "ipv4:127.0.0.1" })
      #expect(trail.count { $0.action == "enrolment.limited" } == 1)
    }
  }

  // MARK: Replacement

  @Test func `a code for a replacement makes the machine's new install and ends the old one`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (old, oldID) = try await hub.agent(journal)
      let code = DataLinkCode()
      _ = try await hub.store.addReplacementCode(
        hash: code.hash(in: hub.directory), for: oldID, expiresAt: hub.clock.now + 60_000, now: hub.clock.now)
      // A code alone changes nothing.
      try await hub.converse(old) { _ = try await $0.greet(journal) }
      var new = TestAgent(root: hub.directory.authority.rootDER)
      let answer = try await hub.enroll(try TestHub.enrolment(code, new, journal, id: 2))
      new.certificate = Array(answer.certificateChain[0])
      #expect(answer.installID != oldID && answer.entityName == "Acme")
      try await hub.converse(new) { _ = try await $0.greet(journal) }
      let refused = try await status { try await hub.converse(old) { _ = try await $0.greet(journal) } }
      #expect(refused?.code == .permissionDenied && refused?.message.contains("replaced") == true)
      let replaced = try #require(try await hub.store.install(id: oldID))
      #expect(try await hub.store.remarks()[replaced.number]?.replacedBy == answer.installID)
      let trail = try await hub.store.auditTrail(limit: 10)
      #expect(
        trail.contains {
          $0.action == "install.replaced" && $0.subject == oldID && $0.detail.hasSuffix(answer.installID)
        })
    }
  }

  @Test func `an operator replaces within an entity, once, and by what is in use`() async throws {
    try await TestHub.run { hub in
      let (_, first) = try await hub.agent(try TestJournal())
      let (_, second) = try await hub.agent(try TestJournal())
      let (_, third) = try await hub.agent(try TestJournal())
      let store = hub.store
      try await store.addEntity(named: "Other", now: 0)
      let code = DataLinkCode()
      _ = try await store.addCode(
        hash: code.hash(in: hub.directory), entity: "Other", usesMax: 1, expiresAt: hub.clock.now + 1_000,
        now: hub.clock.now)
      let foreign = try await hub.enroll(
        try TestHub.enrolment(code, TestAgent(root: hub.directory.authority.rootDER), try TestJournal()))
      for (old, new, kind) in [
        (first, first, HubError.Kind.usage), (first, "nobody", .notFound), ("nobody", first, .notFound),
        (first, foreign.installID, .usage),
      ] {
        let error = await #expect(throws: HubError.self) { try await store.replaceInstall(id: old, by: new, now: 1) }
        #expect(error?.kind == kind)
      }
      try await store.replaceInstall(id: first, by: second, now: 1)
      await #expect(throws: HubError.self) { try await store.replaceInstall(id: first, by: third, now: 1) }
      await #expect(throws: HubError.self) { try await store.replaceInstall(id: third, by: first, now: 1) }
      await #expect(throws: HubError.self) {
        try await store.addReplacementCode(hash: [9], for: first, expiresAt: 2, now: 1)
      }
    }
  }

  @Test func `a database of the version before is opened, and keeps what it held`() async throws {
    let place = try TestDirectory()
    let path = place.path + "/hub.sqlite"
    do {
      let before = try SQLiteDatabase(path: path)
      try before.migrate(Array(Schema.migrations.prefix { $0.name != "v3" }))
      try before.writeNow { db in
        for statement in [
          "INSERT INTO entity (number, name, created_at) VALUES (1, 'Acme', 1)",
          "INSERT INTO datalink_code (number, hash, entity, uses_max, created_at, expires_at) VALUES (1, x'00', 1, 1, 1, 2)",
          """
          INSERT INTO install (number, id, entity, code, enrolment_id, public_key_hash, journal_id, journal_key, host_name,
            operating_system, agent_version, enrolled_at)
          VALUES (1, 'i-1', 1, 1, x'00', x'00', zeroblob(16), zeroblob(32), 'pc', 'Debian', '1', 1)
          """,
          "INSERT INTO certificate (serial, install, der, not_before, not_after, issued_at) VALUES ('aa', 1, x'00', 1, 2, 1)",
        ] { try db.execute(statement) }
      }
    }
    let store = try SQLStore(at: path)
    #expect(try await store.installs().map(\.id) == ["i-1"])
    #expect(try await store.remarks().isEmpty)
    try await store.revokeCertificate(serial: "aa", ofInstall: "i-1", now: 7)
    #expect(try await store.useCertificate(serial: "aa", now: 8) == .certificateRevoked(at: 7))
    let window = EndedWindow(revokedSince: 7, supersededSince: 0, supersededBefore: 8)
    #expect(try await store.endedIdentities(in: window) == EndedIdentities(revoked: ["aa"]))
  }
}

extension TestHub {
  func certificates(_ install: String) async throws -> [CertificateRecord] {
    guard let found = try await store.install(id: install) else { return [] }
    return try await store.certificates(of: found.number)
  }

  func doubts() async throws -> [AuditEntry] {
    try await store.auditTrail(limit: 100).filter { $0.action == "identity.doubted" }
  }

  func standing(_ agent: TestAgent) async throws -> Printtrail_Csr_V1_StandingResponse {
    try await call(ready.dcam, agent) { client in
      try await Printtrail_Csr_V1_CertificateSigning.Client(wrapping: client)
        .standing(.with { $0.agentTime = HubClock.system.now })
    }
  }
}
