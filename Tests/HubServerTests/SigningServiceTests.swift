internal import Crypto
internal import FoundationEssentials
internal import GRPCCore
internal import HubProtocol
@testable internal import HubServer
internal import Testing
internal import X509

@Suite struct SigningServiceTests {
  @Test func `a code enrols a machine and the certificate opens delivery`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      var agent = TestAgent(root: hub.directory.authority.rootDER)
      let response = try await hub.enroll(TestHub.enrolment(try await hub.code(), agent, journal))
      #expect(response.entityName == "Acme")
      #expect(response.trustedRoots == [Data(hub.directory.authority.rootDER)])
      #expect(response.certificateChain.count == 1)
      #expect(response.dcamAddress == hub.ready.dcam.description && response.hcAddress == hub.ready.hc.description)
      agent.certificate = Array(response.certificateChain[0])
      try await hub.converse(agent) { stream in
        let welcome = try await stream.greet(journal)
        #expect(welcome.holdings.isEmpty)
      }
      let install = try #require(try await hub.store.install(id: response.installID))
      // What the machine said of itself, without its escape character.
      #expect(install.machine.hostName == "pc[31m-17")
      #expect(install.machine.agentVersion == "test 1")
    }
  }

  @Test func `a one-time code used twice enrols the same machine again, and no other`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let agent = TestAgent(root: hub.directory.authority.rootDER)
      let code = try await hub.code()
      let request = try TestHub.enrolment(code, agent, journal)
      let first = try await hub.enroll(request)
      let second = try await hub.enroll(request)
      #expect(first.installID == second.installID)
      #expect(first.certificateChain != second.certificateChain)

      let other = try TestHub.enrolment(code, TestAgent(root: agent.root), try TestJournal())
      let refusal1 = try await status { _ = try await hub.enroll(other) }
      #expect(refusal1?.code == .unauthenticated)

      var otherKey = request
      otherKey.certificateRequest = Data(try TestAgent(root: agent.root).request())
      let refusal2 = try await status { [otherKey] in _ = try await hub.enroll(otherKey) }
      #expect(refusal2?.code == .invalidArgument)
      #expect(try await hub.store.installs().count == 1)
    }
  }

  @Test func `wrong, expired and revoked codes get one and the same answer, and are audited`() async throws {
    try await TestHub.run { hub in
      let agent = TestAgent(root: hub.directory.authority.rootDER)
      let journal = try TestJournal()
      let expired = try await hub.code()
      hub.clock.advance(by: .seconds(3_601))
      let revoked = try await hub.code()
      try await hub.store.revokeCode(hash: revoked.hash(in: hub.directory), now: hub.clock.now)
      var messages: Set<String> = []
      for code in [expired, revoked, DataLinkCode()] {
        let request = try TestHub.enrolment(code, agent, journal)
        let error = try #require(try await status { _ = try await hub.enroll(request) })
        #expect(error.code == .unauthenticated)
        messages.insert(error.message)
      }
      #expect(messages.count == 1)
      let audited = try await hub.store.auditTrail(limit: 100).filter { $0.action == "enrolment.refused" }
      #expect(audited.map(\.detail) == ["the code is unknown", "the code is revoked", "the code is expired"])
      #expect(audited.allSatisfy { $0.peer == "ipv4:127.0.0.1" })
    }
  }

  @Test
  func
    `a request that is not P-256, not signed by its key, or not a request at all is refused before the code is used`()
    async throws
  {
    try await TestHub.run { hub in
      let agent = TestAgent(root: hub.directory.authority.rootDER)
      let good = try TestHub.enrolment(try await hub.code(), agent, try TestJournal())
      var tampered = try agent.request()
      tampered[tampered.count / 2] ^= 0xFF
      for request in [
        try TestAgent.request(Certificate.PrivateKey(P384.Signing.PrivateKey())), tampered, [], [1, 2, 3],
      ] {
        var bad = good
        bad.certificateRequest = Data(request)
        let refusal3 = try await status { [bad] in _ = try await hub.enroll(bad) }
        #expect(refusal3?.code == .invalidArgument)
      }
      var short = good
      short.enrolmentID = Data(count: 15)
      let refusal4 = try await status { [short] in _ = try await hub.enroll(short) }
      #expect(refusal4?.code == .invalidArgument)
      #expect(try await hub.enroll(good).entityName == "Acme")
    }
  }

  @Test func `who guesses too often has to wait, and is told how long`() async throws {
    try await TestHub.run { hub in
      let agent = TestAgent(root: hub.directory.authority.rootDER)
      let good = try TestHub.enrolment(try await hub.code(), agent, try TestJournal())
      for _ in 1...HubLimits.attemptsBurst {
        let guess = try TestHub.enrolment(DataLinkCode(), agent, try TestJournal())
        let refusal5 = try await status { _ = try await hub.enroll(guess) }
        #expect(refusal5?.code == .unauthenticated)
      }
      let error = try #require(try await status { _ = try await hub.enroll(good) })
      #expect(error.code == .resourceExhausted)
      let hint = try #require(error.metadata[stringValues: "retry-after-ms"].first { _ in true })
      #expect(Int64(hint).map { (1...HubLimits.attemptInterval.milliseconds + 1).contains($0) } == true)
      hub.clock.advance(by: HubLimits.attemptInterval)
      #expect(try await hub.enroll(good).entityName == "Acme")
    }
  }

  @Test func `a certificate is renewed at either port, and both work until the new one was used`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, install) = try await hub.agent(journal)
      for endpoint in [hub.ready.csr, hub.ready.dcam] {
        let renewed = try await hub.renew(agent, at: endpoint)
        #expect(renewed.certificateChain.count == 1)
      }
      var next = agent
      next.certificate = Array(try await hub.renew(agent).certificateChain[0])
      // The old one still works; the new one does, and ends the old one after a while.
      try await hub.converse(agent) { _ = try await $0.greet(journal) }
      try await hub.converse(next) { _ = try await $0.greet(journal) }
      try await hub.converse(agent) { _ = try await $0.greet(journal) }
      hub.clock.advance(by: HubLimits.supersededGrace + .seconds(1))
      let refused = try await status { try await hub.converse(agent) { _ = try await $0.greet(journal) } }
      #expect(refused?.code == .unauthenticated)
      try await hub.converse(next) { _ = try await $0.greet(journal) }
      #expect(try await hub.store.install(id: install) != nil)
    }
  }

  @Test func `renewal without a certificate, or of a revoked install, is refused`() async throws {
    try await TestHub.run { hub in
      let stranger = TestAgent(root: hub.directory.authority.rootDER)
      let refusal6 = try await status { _ = try await hub.renew(stranger) }
      #expect(refusal6?.code == .unauthenticated)
      let (agent, install) = try await hub.agent(try TestJournal())
      try await hub.store.revokeInstall(id: install, now: hub.clock.now)
      let refusal7 = try await status { _ = try await hub.renew(agent) }
      #expect(refusal7?.code == .unauthenticated)
    }
  }
}
