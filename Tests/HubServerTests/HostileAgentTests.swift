internal import Foundation
internal import GRPCCore
internal import HubProtocol
@testable internal import HubServer
internal import SwiftProtobuf
internal import Synchronization
internal import Testing

/// What an agent may send that no sound agent sends: each is refused, logged with who sent it, and counted, and a neighbour delivers on. docs/hub.md
/// has the table; what is sent frame by frame is in ScenarioTests.
@Suite(.timeLimit(.minutes(3))) struct `A hub among hostile agents` {
  /// One thing that is wrong with a stream.
  struct Wrong: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let metric: String
    let send: @Sendable (Conversation, TestJournal) throws -> Void
  }

  private static func batch(_ what: String, epoch: UInt32 = 1, first: UInt64, metric: String = "batch") -> Wrong {
    Wrong(testDescription: what, metric: "pthub_protocol_violations_total{kind=\"\(metric)\"}") { stream, _ in
      stream.send(TestJournal.batch(epoch, first: first, [TestJournal.record(epoch, 1, "x")]))
    }
  }

  static let wrongs = [
    batch("sequence 0", first: 0), batch("sequence 2^63", first: 1 << 63), batch("the largest sequence", first: .max),
    batch("sequence 2^63 - 1", first: (1 << 63) - 1), batch("epoch 0", epoch: 0, first: 1),
    batch("a gap", first: 1_000, metric: "gap"), batch("a gap of 2^62", first: 1 << 62, metric: "gap"),
    Wrong(testDescription: "a loss of nothing", metric: "pthub_protocol_violations_total{kind=\"lost\"}") { stream, _ in
      stream.send(lost: .with { ($0.epoch, $0.firstSequence, $0.lastSequence) = (1, 9, 3) })
    },
    Wrong(testDescription: "a loss up to 2^64", metric: "pthub_protocol_violations_total{kind=\"lost\"}") { stream, _ in
      stream.send(lost: .with { ($0.epoch, $0.firstSequence, $0.lastSequence) = (1, 1, .max) })
    },
    Wrong(testDescription: "a checkpoint ahead", metric: "pthub_protocol_violations_total{kind=\"checkpoint\"}") {
      stream, journal in
      stream.send(.with { ($0.epoch, $0.sequence, $0.note) = (1, 1 << 63, "x") })
    },
    Wrong(testDescription: "a checkpoint of a megabyte", metric: "pthub_protocol_violations_total{kind=\"checkpoint\"}")
    { stream, journal in
      stream.send(.with { ($0.epoch, $0.sequence, $0.note) = (1, 1, String(repeating: "x", count: 1 << 20)) })
    },
    Wrong(testDescription: "a second Hello", metric: "pthub_protocol_violations_total{kind=\"order\"}") {
      $0.send($1.hello)
    },
    Wrong(testDescription: "a message without content", metric: "pthub_protocol_violations_total{kind=\"order\"}") {
      stream, _ in stream.sendNothing()
    },
  ]

  @Test(arguments: wrongs) func `a stream that is wrong is ended, told and counted, and its neighbour goes on`(
    wrong: Wrong
  )
    async throws
  {
    let log = TestLog()
    try await TestHub.run(log: log) { hub in
      let (good, bad) = (try TestJournal.of(200), try TestJournal())
      let (neighbour, _) = try await hub.agent(good)
      let (agent, id) = try await hub.agent(bad)
      try await hub.converse(neighbour) { stream in
        _ = try await stream.greet(good)
        stream.send(good.batch(1...100))
        _ = try await stream.acknowledged(100)
        let error = try await status {
          try await hub.converse(agent) { attack in
            _ = try await attack.greet(bad)
            try wrong.send(attack, bad)
            while try await attack.next() != nil {}
          }
        }
        #expect(error?.code == .invalidArgument, "\(error.map { "\($0)" } ?? "no error")")
        stream.send(good.batch(101...200))
        _ = try await stream.acknowledged(200)
      }
      #expect(try await hub.metric(wrong.metric) == 1)
      #expect(try await hub.metric("pthub_streams_ended_total{status=\"invalid_argument\"}") == 1)
      #expect(log["stream closed"].contains { $0["install"] == id && $0["status"] == "invalid_argument" })
      let number = try #require(try await hub.store.install(id: id)).number
      #expect(try await hub.store.holdings(of: number).allSatisfy { $0.sequence == 0 })
    }
  }

  @Test func `who may not call is told so, and is counted by the reason`() async throws {
    let log = TestLog()
    try await TestHub.run(log: log) { hub in
      let (mine, theirs) = (try TestJournal(), try TestJournal())
      let (agent, id) = try await hub.agent(mine)
      let (_, victim) = try await hub.agent(theirs)
      let request = try CheckedRequest(der: try agent.request())
      let authority = hub.directory.authority
      let place = try TestDirectory()
      let foreign = try HubDirectory.create(at: place.path + "/hub", names: []).authority

      func certified(_ certificate: [UInt8]?) -> TestAgent {
        var other = agent
        other.certificate = certificate
        return other
      }
      let late = TestClock(hub.clock.now + Duration.seconds(86_400).milliseconds)
      let early = TestClock(hub.clock.now - Duration.seconds(200 * 86_400).milliseconds)
      let cases: [(String, RPCError.Code, TestAgent, TestJournal)] = [
        ("no_certificate", .unauthenticated, certified(nil), mine),
        (
          "foreign_certificate", .unauthenticated,
          certified(try foreign.issueClient(install: victim, request: request).der), theirs
        ),
        (
          "not_yet_valid", .unauthenticated,
          certified(try authority.with(clock: late.clock).issueClient(install: id, request: request).der), mine
        ),
        (
          "expired", .unauthenticated,
          certified(try authority.with(clock: early.clock).issueClient(install: id, request: request).der), mine
        ),
        (
          "unknown_certificate", .unauthenticated,
          certified(try authority.issueClient(install: victim, request: request).der), theirs
        ),
        ("foreign_journal", .invalidArgument, agent, theirs),
      ]
      for (reason, code, caller, journal) in cases {
        let error = try await status { try await hub.converse(caller) { _ = try await $0.greet(journal) } }
        #expect(error?.code == code, "\(reason): \(error.map { "\($0)" } ?? "no error")")
        #expect(try await hub.metric("pthub_calls_refused_total{reason=\"\(reason)\"}") == 1, "\(reason)")
      }
      #expect(log["client certificate refused"].count == 3)
      #expect(log["client certificate unknown"].first?["install"] == victim)
      // Who speaks for another install is doubted himself, and not the other.
      #expect(log["an identity is in doubt"].map { $0["install"] } == [id])
      #expect(try await hub.metric("pthub_identities_doubted_total") == 1)
      try await hub.store.revokeInstall(id: id, now: hub.clock.now)
      let revoked = try await status { try await hub.converse(agent) { _ = try await $0.greet(mine) } }
      #expect(revoked?.code == .permissionDenied)
      #expect(try await hub.metric("pthub_calls_refused_total{reason=\"install_revoked\"}") == 1)
      #expect(log["revoked install refused"].first?["install"] == id)
    }
  }

  @Test func `a code that was used is refused to another, counted and told`() async throws {
    let log = TestLog()
    try await TestHub.run(log: log) { hub in
      let code = try await hub.code()
      _ = try await hub.enroll(
        TestHub.enrolment(code, TestAgent(root: hub.directory.authority.rootDER), try TestJournal()))
      let replayed = try await status {
        _ = try await hub.enroll(
          TestHub.enrolment(code, TestAgent(root: hub.directory.authority.rootDER), try TestJournal()))
      }
      #expect(replayed?.code == .unauthenticated)
      #expect(try await hub.metric("pthub_enrolments_total{outcome=\"enrolled\"}") == 1)
      #expect(try await hub.metric("pthub_enrolments_total{outcome=\"refused\"}") == 1)
      #expect(log["enrolment refused"].count == 1)
    }
  }

  @Test func `two agents with one identity are told apart, counted, and told with the install`() async throws {
    let log = TestLog()
    try await TestHub.run(log: log) { hub in
      let journal = try TestJournal.of(40)
      let (agent, id) = try await hub.agent(journal)
      try await hub.converse(agent) { first in
        _ = try await first.greet(journal)
        try await hub.converse(agent) { second in
          _ = try await second.greet(journal)
          hub.clock.advance(by: HubLimits.twinOverlap + .seconds(1))
          first.send(journal.batch(1...10))
          _ = try await first.acknowledged(10)
          second.send(journal.batch(1...20))
          _ = try await second.acknowledged(20)
        }
      }
      #expect(try await hub.metric("pthub_identities_doubted_total") == 1)
      #expect(log["an identity is in doubt"].first?["install"] == id)
    }
  }

  @Test func `one identity has so many streams and no more, and the oldest gives way`() async throws {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, id) = try await hub.agent(journal)
      let ended = Numbers()
      try await withThrowingTaskGroup(of: Void.self) { group in
        for number in 0..<HubLimits.streamsPerInstallMax + 3 {
          let (opened, open) = AsyncStream.makeStream(of: Void.self)
          group.addTask {
            let error = try await status {
              try await hub.converse(agent) { stream in
                _ = try await stream.greet(journal)
                open.finish()
                while try await stream.next() != nil {}
              }
            }
            guard let error, error.code == .aborted else { return }
            ended.add(number)
          }
          for await _ in opened {}
        }
        while ended.all.count < 3 { try await Task.sleep(for: .milliseconds(10)) }
        #expect(ended.all.sorted() == [0, 1, 2])
        #expect(try await hub.metric("pthub_streams_open") == Double(HubLimits.streamsPerInstallMax))
        #expect(try await hub.metric("pthub_streams_ended_total{status=\"aborted\"}") == 3)
        #expect(try await hub.store.install(id: id) != nil)
        group.cancelAll()
      }
    }
  }

  @Test func `every line about an install names it, and its records where it is about them`() async throws {
    let log = TestLog()
    try await TestHub.run(log: log) { hub in
      let journal = try TestJournal.of(5)
      let (agent, id) = try await hub.agent(journal)
      var poison = journal.batch(1...5)
      poison.records[2].payload[0] ^= 1
      try await hub.converse(agent) { [journal, poison] stream in
        _ = try await stream.greet(journal)
        stream.send(poison)
        _ = try await stream.acknowledged(5)
        stream.send(lost: .with { ($0.epoch, $0.firstSequence, $0.lastSequence) = (1, 6, 8) })
        _ = try await stream.acknowledged(8)
      }
      for (message, sequence) in [("record rejected", "3"), ("an agent lost records", "6")] {
        let line = try #require(log[message].first, "\(message)")
        #expect(line["install"] == id && line["epoch"] == "1", "\(line)")
        #expect(line["sequence"] == sequence, "\(line)")
      }
      // What is no event is in no read model, which is told once with the first place.
      for _ in 0..<200 where log["records are in no read model"].isEmpty {
        try await Task.sleep(for: .milliseconds(50))
      }
      let line = try #require(log["records are in no read model"].first)
      #expect(line["install"] == id && line["epoch"] == "1" && line["sequence"] == "1" && line["records"] == "4")
      #expect(try await hub.metric("pthub_fleet_records_unreadable_total") == 4)
      for message in ["stream opened", "stream closed"] { #expect(log[message].first?["install"] == id) }
    }
  }
}

private final class Numbers: Sendable {
  private let state = Mutex<[Int]>([])

  func add(_ number: Int) { state.withLock { $0.append(number) } }
  var all: [Int] { state.withLock { $0 } }
}

extension TestJournal {
  static func of(_ count: Int) throws -> TestJournal {
    var journal = try TestJournal()
    journal.append(count)
    return journal
  }
}
