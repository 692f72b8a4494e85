// Records that come ahead of their turn: what the store keeps of them, and what a hub answers.

internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import HubProtocol
@testable internal import HubServer
internal import OpenSSL
internal import SwiftProtobuf
internal import Testing

@Suite struct ExpressStoreTests {
  private let now = TestStore.now

  private func append(_ batch: Printtrail_Dcam_V1_Batch, _ install: Install) throws -> Append {
    try #require(try BatchCheck.append(batch, install: install.number))
  }

  private func ahead(_ sequence: UInt64, _ record: Printtrail_Dcam_V1_Record, epoch: UInt32 = 1) -> DeliveredExpress {
    DeliveredExpress(
      epoch: epoch, sequence: sequence,
      record: BatchCheck.check(record, at: RecordPosition(epoch: epoch, sequence: sequence)))
  }

  private func journal(_ count: Int) throws -> TestJournal {
    var journal = try TestJournal()
    journal.append(count)
    return journal
  }

  @Test func `what came ahead is kept until its turn comes, and the tree is that of the ordered records`() async throws
  {
    let test = try TestStore()
    let journal = try journal(10)
    let install = try await test.install(journal: journal)
    let early = ahead(8, journal.records[7])
    #expect(try await test.store.keepExpress([early, early], of: install.number, now: now) == [.kept, .held])
    #expect(try await test.store.holdings(of: install.number).isEmpty, "it counts for nothing")
    let shown = try await test.store.records(of: install.number, epoch: 1, sequence: 8)
    #expect(shown.map(\.kind) == [.express] && shown.first?.payload == journal.records[7].payload)
    _ = try await test.store.append([try append(journal.batch(1...5), install)], now: now)
    #expect(try await test.store.listed(.express, of: install.number, limit: 9).map(\.sequence) == [8])
    let outcome = try await test.store.append([try append(journal.batch(4...10), install)], now: now).first
    guard case .stored(let stored)? = outcome else {
      Issue.record("not stored: \(String(describing: outcome))")
      return
    }
    #expect(stored.held == 10 && stored.conflicts.isEmpty && stored.rejections.isEmpty)
    #expect(try await test.store.listed(.express, of: install.number, limit: 9).isEmpty)
    let summary = try #require(try await test.store.summaries(of: install.number).first)
    #expect(summary.root == journal.frontier.root && summary.agrees && summary.conflicts == 0)
    #expect(try await test.store.keepExpress([early], of: install.number, now: now) == [.held])
  }

  @Test func `another record ahead of its turn is a conflict with the ordered one, and both are kept`() async throws {
    let test = try TestStore()
    let journal = try journal(3)
    let install = try await test.install(journal: journal)
    let other = TestJournal.record(1, 2, "another")
    #expect(try await test.store.keepExpress([ahead(2, other)], of: install.number, now: now) == [.kept])
    let outcome = try await test.store.append([try append(journal.batch(1...3), install)], now: now).first
    guard case .stored(let stored)? = outcome else {
      Issue.record("not stored: \(String(describing: outcome))")
      return
    }
    #expect(stored.held == 3)
    #expect(stored.conflicts.map(\.sequence) == [2])
    #expect(stored.conflicts.first.map { Data($0.heldHash.bytes) } == other.hash, "the one that the hub had first")
    let kept = try await test.store.records(of: install.number, epoch: 1, sequence: 2)
    #expect(kept.map(\.kind) == [.accepted, .conflicting])
    #expect(kept.map(\.payload) == [journal.records[1].payload, other.payload])
    #expect(try await test.store.summaries(of: install.number).first?.root == journal.frontier.root)
    #expect(try await test.store.listed(.conflicting, of: install.number, limit: 9).map(\.sequence) == [2])
  }

  @Test func `what comes ahead of a place that is taken is a conflict at once`() async throws {
    let test = try TestStore()
    let journal = try journal(4)
    let install = try await test.install(journal: journal)
    _ = try await test.store.append([try append(journal.batch(1...2), install)], now: now)
    let first = ahead(4, journal.records[3])
    _ = try await test.store.keepExpress([first], of: install.number, now: now)
    let outcomes = try await test.store.keepExpress(
      [
        ahead(2, TestJournal.record(1, 2, "another")), ahead(4, TestJournal.record(1, 4, "another")),
        ahead(2, journal.records[1]),
      ], of: install.number, now: now)
    let held = journal.records.compactMap { Digest(bytes: $0.hash) }
    #expect(outcomes == [.conflict(heldHash: held[1]), .conflict(heldHash: held[3]), .held])
    #expect(try await test.store.listed(.conflicting, of: install.number, limit: 9).map(\.sequence) == [4, 2])
  }

  @Test func `a record whose turn was rejected keeps the good copy that came ahead`() async throws {
    let test = try TestStore()
    let journal = try journal(2)
    let install = try await test.install(journal: journal)
    _ = try await test.store.keepExpress([ahead(2, journal.records[1])], of: install.number, now: now)
    var batch = journal.batch(1...2)
    batch.records[1].payload = Data("damaged".utf8)
    _ = try await test.store.append([try append(batch, install)], now: now)
    let kept = try await test.store.records(of: install.number, epoch: 1, sequence: 2)
    #expect(kept.map(\.kind) == [.rejected, .express] && kept.last?.payload == journal.records[1].payload)
  }

  @Test func `an install keeps so many, and what will never have its turn gives way`() async throws {
    let test = try TestStore()
    let install = try await test.install()
    let other = try await test.install(2)
    func record(_ sequence: Int) -> DeliveredExpress {
      ahead(UInt64(sequence), TestJournal.record(1, UInt64(sequence), "alert"))
    }
    let outcomes = try await test.store.keepExpress(
      (1...HubLimits.expressRecordsMax + 1).map(record), of: install.number, now: now)
    #expect(outcomes.dropLast().allSatisfy { $0 == .kept } && outcomes.last == .full)
    #expect(try await test.store.keepExpress([record(5_000)], of: other.number, now: now) == [.kept])
    let later = now + HubLimits.expressKept.milliseconds + 1
    #expect(try await test.store.keepExpress([record(5_000)], of: install.number, now: later) == [.kept])

    let large = String(repeating: "x", count: 60_000)
    let all = (10_000..<10_200).map { ahead(UInt64($0), TestJournal.record(1, UInt64($0), large)) }
    let taken = try await test.store.keepExpress(all, of: other.number, now: now).filter { $0 == .kept }.count
    #expect((100...HubLimits.expressBytesMax / 60_000).contains(taken))
  }
}

@Suite struct ExpressServiceTests {
  private func ask(_ journal: TestJournal, _ sequences: [Int] = []) -> Printtrail_Dcam_V1_CheckInRequest {
    .with {
      $0.hello = journal.hello
      $0.express = sequences.map { sequence in
        .with {
          ($0.epoch, $0.sequence) = (1, UInt64(sequence))
          $0.record = journal.records[sequence - 1]
        }
      }
    }
  }

  @Test func `each record ahead of its turn has an answer, and the welcome says that they are taken`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(500)
      let (agent, id) = try await hub.agent(journal)
      var request = ask(journal, [400, 500])
      request.express[1].record.payload = Data("damaged".utf8)
      let response = try await hub.checkIn(request, agent)
      #expect(response.welcome.takesExpress && response.welcome.holdings.isEmpty && !response.hasAcknowledgement)
      #expect(response.expressAnswers.map(\.sequence) == [400, 500])
      #expect(response.expressAnswers[0].refusal.isEmpty)
      #expect(response.expressAnswers[1].refusal.contains("its bytes have the hash"))
      #expect(response.rejections.isEmpty, "its turn comes yet")
      let install = try #require(try await hub.store.install(id: id))
      #expect(try await hub.store.listed(.express, of: install.number, limit: 9).map(\.sequence) == [400])
    }
  }

  @Test func `a conflict ahead of its turn is told, and is in the audit trail once`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(9)
      let (agent, id) = try await hub.agent(journal)
      _ = try await hub.checkIn(ask(journal, [9]), agent)
      var request = ask(journal, [9])
      request.express[0].record = TestJournal.record(1, 9, "another")
      for _ in 0..<2 {
        let response = try await hub.checkIn(request, agent)
        #expect(response.conflicts.map(\.sequence) == [9])
        #expect(response.conflicts.first?.heldHash == journal.records[8].hash)
        #expect(response.expressAnswers.first?.refusal.contains("another record") == true)
      }
      let trail = try await hub.store.auditTrail(limit: 9).filter { $0.action == "record.conflict" }
      #expect(trail.map(\.subject) == [id] && trail.first?.detail.hasPrefix("1/9:") == true)
    }
  }

  @Test func `more than a call may have, and what has no place, break the protocol`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(HubLimits.expressPerCallMax + 1)
      let (agent, id) = try await hub.agent(journal)
      var requests = [ask(journal, Array(1...HubLimits.expressPerCallMax + 1))]
      for (epoch, sequence) in [(0, 1), (1, 0), (1, UInt64.max)] as [(UInt32, UInt64)] {
        var request = ask(journal, [1])
        (request.express[0].epoch, request.express[0].sequence) = (epoch, sequence)
        requests.append(request)
      }
      var heavy = ask(journal, Array(1...20))
      for index in heavy.express.indices { heavy.express[index].record.payload = Data(count: 60_000) }
      requests.append(heavy)
      for request in requests {
        let refusal = try await status { _ = try await hub.checkIn(request, agent) }
        #expect(refusal?.code == .invalidArgument, "\(String(describing: refusal))")
      }
      var large = ask(journal, [1])
      large.express[0].record = TestJournal.record(
        1, 1, String(repeating: "x", count: HubLimits.expressPayloadBytesMax + 1))
      #expect(try await hub.checkIn(large, agent).expressAnswers[0].refusal.contains("at most"))
      let install = try #require(try await hub.store.install(id: id))
      #expect(try await hub.store.listed(.express, of: install.number, limit: 9).isEmpty)
    }
  }
}

@Suite struct TroubleTests {
  @Test func `what a cut stream took of the answers is in the next welcome, behind what the agent names`() async throws
  {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(9)
      let (agent, id) = try await hub.agent(journal)
      var ask = Printtrail_Dcam_V1_CheckInRequest()
      ask.hello = journal.hello
      ask.batch = journal.batch(1...9)
      for index in [1, 6] { ask.batch.records[index].payload = Data("damaged".utf8) }
      _ = try await hub.checkIn(ask, agent)
      ask.batch = TestJournal.batch(1, first: 4, [TestJournal.record(1, 4, "other")])
      let later = try await hub.checkIn(ask, agent).welcome
      #expect(later.rejections.isEmpty && later.conflicts.isEmpty, "a later exchange of the same check-in")
      var head = Printtrail_Dcam_V1_Position()
      (head.epoch, head.sequence) = (1, 9)
      var greeting = journal.hello
      greeting.heads = [head]
      let hello = greeting
      let heldHash = journal.records[3].hash

      try await hub.converse(agent) { stream in
        stream.send(hello)
        let welcome = try #require(try await stream.next()).welcome
        #expect(welcome.rejections.map(\.sequence) == [2, 7] && welcome.conflicts.map(\.sequence) == [4])
        #expect(welcome.rejections.allSatisfy { $0.reason.contains("its bytes have the hash") })
        #expect(welcome.conflicts.first?.heldHash == heldHash)
      }
      try await hub.converse(agent) { stream in
        var hello = hello
        (hello.acknowledged.epoch, hello.acknowledged.sequence) = (1, 5)
        stream.send(hello)
        let welcome = try #require(try await stream.next()).welcome
        #expect(welcome.rejections.map(\.sequence) == [7] && welcome.conflicts.isEmpty)
      }
      // An agent that knows all of it is told nothing.
      var known = Printtrail_Dcam_V1_CheckInRequest()
      known.hello = hello
      (known.hello.acknowledged.epoch, known.hello.acknowledged.sequence) = (1, 9)
      let welcome = try await hub.checkIn(known, agent).welcome
      #expect(welcome.rejections.isEmpty && welcome.conflicts.isEmpty)

      let trail = try await hub.store.auditTrail(limit: 9)
      let rejected = try #require(trail.first { $0.action == "record.rejected" })
      #expect(rejected.subject == id && rejected.detail.hasPrefix("1/2 and 1 more: The record's hash is"))
      #expect(trail.filter { $0.action == "record.conflict" }.map(\.detail) == ["1/4: the hub holds another record"])
    }
  }
}
