internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import HubProtocol
@testable internal import HubServer
internal import OpenSSL
internal import TestPrograms
internal import Testing

@Suite struct CollectionServiceTests {
  @Test func `records go up, acknowledgements come down, and the hub holds the journal's root`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(500)
      let (agent, id) = try await hub.agent(journal)
      try await hub.converse(agent) { [journal] stream in
        let welcome = try await stream.greet(journal)
        #expect(
          welcome.windowRecords == HubLimits.windowRecords && welcome.batchBytesMax == UInt32(HubLimits.batchBytesMax))
        #expect(welcome.hubTime == hub.clock.now)
        for first in stride(from: 1, through: 451, by: 50) { stream.send(journal.batch(first...first + 49)) }
        let sealed = try journal.checkpoint(at: 500)
        stream.send(sealed)
        #expect(try await stream.acknowledged(500).isEmpty)
        let countersignature = try #require(try await stream.next()?.countersignature)
        let key = try hub.directory.countersigner().key
        #expect(welcome.countersigningKey == key.description && key.description.hasPrefix("printtrail.hub/"))
        #expect(countersignature.epoch == 1 && countersignature.sequence == 500)
        let note = try SignedNote(bytes: Array(countersignature.note.utf8))
        #expect(try note.text == SignedNote(bytes: Array(sealed.note.utf8)).text)
        #expect(try note.verify([key]) == [key])
        stream.finish()
        #expect(try await stream.next() == nil)
      }
      let install = try #require(try await hub.store.install(id: id))
      let summary = try #require(try await hub.store.summaries(of: install.number).first)
      #expect(summary.count == 500 && summary.root == journal.frontier.root && summary.checkpointsVerified == 1)
    }
  }

  @Test func `an acknowledgement is in the database when it arrives`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(30)
      let (agent, id) = try await hub.agent(journal)
      let install = try #require(try await hub.store.install(id: id))
      try await hub.converse(agent) { [journal] stream in
        _ = try await stream.greet(journal)
        for sequence in 1...30 {
          stream.send(journal.batch(sequence...sequence))
          _ = try await stream.acknowledged(UInt64(sequence))
          // Another connection to the database sees it.
          #expect(try await hub.store.holdings(of: install.number) == [Holding(epoch: 1, sequence: UInt64(sequence))])
        }
      }
    }
  }

  @Test func `a new stream goes on from what the hub holds`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(20)
      let (agent, _) = try await hub.agent(journal)
      for part in [1...8, 9...20] {
        try await hub.converse(agent) { [journal] stream in
          let held = try await stream.greet(journal).holdings.first?.sequence ?? 0
          #expect(held == UInt64(part.lowerBound - 1))
          stream.send(journal.batch(part))
          _ = try await stream.acknowledged(UInt64(part.upperBound))
        }
      }
    }
  }

  @Test func `a rejected record and a conflict are told before the acknowledgement, and the stream goes on`()
    async throws
  {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(10)
      let (agent, _) = try await hub.agent(journal)
      try await hub.converse(agent) { [journal] stream in
        _ = try await stream.greet(journal)
        var batch = journal.batch(1...5)
        batch.records[1].payload = Data("damaged".utf8)
        stream.send(batch)
        let rejected = try await stream.acknowledged(5)
        #expect(rejected.map(\.rejection.sequence) == [2])
        stream.send(TestJournal.batch(1, first: 4, [TestJournal.record(1, 4, "other")]))
        let conflicting = try await stream.acknowledged(5)
        #expect(conflicting.map(\.conflict.sequence) == [4])
        #expect(conflicting.first?.conflict.heldHash == journal.records[3].hash)
        stream.send(journal.batch(6...10))
        stream.send(try journal.checkpoint(at: 10))
        #expect(try await stream.acknowledged(10).isEmpty)
      }
    }
  }

  @Test func `a checkpoint that is not the journal's is rejected with the reason`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(3)
      let (agent, _) = try await hub.agent(journal)
      try await hub.converse(agent) { [journal] stream in
        _ = try await stream.greet(journal)
        stream.send(journal.batch(1...3))
        stream.send(try journal.checkpoint(at: 3, signer: try Ed25519PrivateKey()))
        _ = try await stream.acknowledged(3)
        #expect(try await stream.next()?.rejection.reason.contains("Checkpoint not verified") == true)
      }
    }
  }

  @Test func `a gap ends the stream after what came before it was acknowledged`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(10)
      let (agent, id) = try await hub.agent(journal)
      let error = try await status {
        try await hub.converse(agent) { [journal] stream in
          _ = try await stream.greet(journal)
          stream.send(journal.batch(1...3))
          _ = try await stream.acknowledged(3)
          stream.send(journal.batch(5...10))
          while try await stream.next() != nil {}
        }
      }
      #expect(error?.code == .invalidArgument)
      #expect(error?.message.contains("holds up to 3") == true)
      let install = try #require(try await hub.store.install(id: id))
      #expect(try await hub.store.holdings(of: install.number) == [Holding(epoch: 1, sequence: 3)])
    }
  }

  @Test func `a stream that does not follow the order is ended`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(3)
      let (agent, _) = try await hub.agent(journal)
      let beginnings: [@Sendable (Conversation, TestJournal) throws -> Void] = [
        { stream, journal in stream.send(journal.batch(1...3)) },
        { stream, journal in stream.send(try journal.checkpoint(at: 3)) },
        { stream, journal in
          stream.send(journal.hello)
          stream.send(journal.hello)
        },
        { stream, _ in stream.send(try TestJournal().hello) },
        { stream, journal in
          stream.send(journal.hello)
          stream.send(try journal.checkpoint(at: 3))
        },
      ]
      for begin in beginnings {
        let error = try await status {
          try await hub.converse(agent) { [journal] stream in
            try begin(stream, journal)
            while try await stream.next() != nil {}
          }
        }
        #expect(error?.code == .invalidArgument)
      }
    }
  }

  // MARK: Who may

  @Test func `no certificate, and one of another authority, are unauthenticated`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let stranger = TestAgent(root: hub.directory.authority.rootDER)
      let refusal8 = try await status { try await hub.converse(stranger) { _ = try await $0.greet(journal) } }
      #expect(refusal8?.code == .unauthenticated)

      let place = try TestDirectory()
      let other = try HubDirectory.create(at: place.path + "/other", names: []).authority
      var impostor = stranger
      let request = try CheckedRequest(der: try impostor.request())
      impostor.certificate = try other.issueClient(install: UUID().uuidString, request: request).der
      let refusal9 = try await status { [impostor] in
        try await hub.converse(impostor) { _ = try await $0.greet(journal) }
      }
      #expect(refusal9?.code == .unauthenticated)

      // Of the right authority, but never kept by the store.
      var unknown = stranger
      unknown.certificate = try hub.directory.authority.issueClient(install: UUID().uuidString, request: request).der
      let refusal10 = try await status { [unknown] in
        try await hub.converse(unknown) { _ = try await $0.greet(journal) }
      }
      #expect(refusal10?.code == .unauthenticated)
      #expect(try await hub.store.installs().isEmpty)
    }
  }

  @Test func `there is no plaintext, neither at csr nor at dcam nor at hc`() async throws {
    try await TestHub.run { hub in
      for endpoint in [hub.ready.csr, hub.ready.dcam, hub.ready.hc] {
        for version in ["--http2-prior-knowledge", "--http1.1"] {
          let command = try await ChildProgram.running(
            "/usr/bin/curl", ["-sS", "--max-time", "20", version, "http://\(endpoint)/healthz"])
          #expect(command.status != 0 && command.output.isEmpty)
        }
      }
    }
  }

  @Test func `an expired certificate is unauthenticated and says since when`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, _) = try await hub.agent(journal)
      hub.clock.advance(by: HubLimits.clientValidity + HubLimits.clockSkew + .seconds(60))
      let error = try await status { try await hub.converse(agent) { _ = try await $0.greet(journal) } }
      #expect(error?.code == .unauthenticated)
      #expect(error?.message.contains("expired at") == true)
    }
  }

  @Test func `a revoked install is denied, also on a stream that is open`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(4)
      let (agent, id) = try await hub.agent(journal)
      let live = try await status {
        try await hub.converse(agent) { [journal] stream in
          _ = try await stream.greet(journal)
          stream.send(journal.batch(1...2))
          _ = try await stream.acknowledged(2)
          try await hub.store.revokeInstall(id: id, now: hub.clock.now)
          stream.send(journal.batch(3...4))
          while try await stream.next() != nil {}
        }
      }
      #expect(live?.code == .permissionDenied)
      let next = try await status { try await hub.converse(agent) { [journal] in _ = try await $0.greet(journal) } }
      #expect(next?.code == .permissionDenied)
    }
  }

  // MARK: Check-in

  @Test func `a check-in does in one exchange what the stream does`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(7)
      let (agent, _) = try await hub.agent(journal)
      var ask = Printtrail_Dcam_V1_CheckInRequest()
      ask.hello = journal.hello
      let empty = try await hub.checkIn(ask, agent)
      #expect(empty.welcome.holdings.isEmpty && !empty.hasAcknowledgement)
      #expect(empty.nextCheckInMilliseconds == 300_000)

      ask.batch = journal.batch(1...7)
      ask.batch.records[2].hash = Data(count: 32)
      ask.checkpoint = try journal.checkpoint(at: 7)
      let full = try await hub.checkIn(ask, agent)
      #expect(full.acknowledgement.sequence == 7)
      #expect(full.welcome.holdings.first?.sequence == 7)
      // The claimed hash stands in the tree, so the root is another than the checkpoint's.
      #expect(full.rejections.map(\.sequence) == [3, 7])

      #expect(!full.hasCountersignature)

      ask.batch = journal.batch(5...5)
      ask.batch.firstSequence = 20
      ask.clearCheckpoint()
      let refusal11 = try await status { [ask] in _ = try await hub.checkIn(ask, agent) }
      #expect(refusal11?.code == .invalidArgument)
    }
  }

  @Test func `a message that is too large is refused and the hub goes on`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, _) = try await hub.agent(journal)
      var huge = Printtrail_Dcam_V1_CheckInRequest()
      huge.hello = journal.hello
      huge.hello.agentVersion = String(repeating: "x", count: HubLimits.messageBytesMax + 1)
      let refusal12 = try await status { [huge] in _ = try await hub.checkIn(huge, agent) }
      // The transport resets the stream without reading on.
      #expect(refusal12 != nil)
      huge.hello.agentVersion = "x"
      #expect(try await hub.checkIn(huge, agent).hasWelcome)
    }
  }

  @Test func `compressed batches are taken, and what they unpack to counts`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(300)
      let (agent, id) = try await hub.agent(journal)
      var ask = Printtrail_Dcam_V1_CheckInRequest()
      ask.hello = journal.hello
      ask.batch = journal.batch(1...300)
      let answer = try await hub.checkIn(ask, agent, compression: .gzip)
      #expect(answer.acknowledgement.sequence == 300 && answer.welcome.holdings.first?.sequence == 300)
      let install = try #require(try await hub.store.install(id: id))
      #expect(try await hub.store.summaries(of: install.number).first?.root == journal.frontier.root)
      // A few kilobytes that unpack to more than a message may have.
      ask.clearBatch()
      ask.hello.agentVersion = String(repeating: "x", count: HubLimits.messageBytesMax + 1)
      let refusal = try await status { [ask] in _ = try await hub.checkIn(ask, agent, compression: .gzip) }
      #expect(refusal != nil)
      ask.hello.agentVersion = "x"
      #expect(try await hub.checkIn(ask, agent, compression: .gzip).hasWelcome)
    }
  }

  @Test func `a journal that ends before what the hub holds is written into the audit trail`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(5)
      let (agent, id) = try await hub.agent(journal)
      var ask = Printtrail_Dcam_V1_CheckInRequest()
      ask.hello = journal.hello
      ask.batch = journal.batch(1...5)
      _ = try await hub.checkIn(ask, agent)
      ask.clearBatch()
      var head = Printtrail_Dcam_V1_Position()
      head.epoch = 1
      head.sequence = 3
      ask.hello.heads = [head]
      _ = try await hub.checkIn(ask, agent)
      let entry = try #require(try await hub.store.auditTrail(limit: 1).first)
      #expect(entry.action == "journal.behind" && entry.subject == id)
    }
  }

  @Test func `many agents at once each get their own journal's root`() async throws {
    try await TestHub.run { hub in
      try await withThrowingTaskGroup(of: Void.self) { group in
        // Fewer than the enrolments that one address may have under way.
        for _ in 1...8 {
          group.addTask {
            var journal = try TestJournal()
            journal.append(300)
            let (agent, id) = try await hub.agent(journal)
            try await hub.converse(agent) { [journal] stream in
              _ = try await stream.greet(journal)
              for first in stride(from: 1, through: 291, by: 10) { stream.send(journal.batch(first...first + 9)) }
              _ = try await stream.acknowledged(300)
            }
            let install = try #require(try await hub.store.install(id: id))
            #expect(try await hub.store.summaries(of: install.number).first?.root == journal.frontier.root)
          }
        }
        try await group.waitForAll()
      }
    }
  }
}
