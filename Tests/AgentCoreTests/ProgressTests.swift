// Health by progress: each row of the table in Progress.swift.

import Evidence
import Replicator
import Testing

@testable import AgentCore

@Suite struct ProgressTests {
  typealias Moment = Progress.Moment

  private let start = Moment.now

  private func after(_ seconds: Double) -> Moment { start + .seconds(seconds) }

  private func judged(
    _ facts: ProgressFacts, _ part: Progress.Part, at seconds: Double, from judge: ProgressJudge? = nil
  ) throws -> Progress {
    var judge = judge ?? ProgressJudge(now: start)
    return try #require(judge.judge(facts, now: after(seconds)).first { $0.part == part })
  }

  // MARK: The writer

  @Test func `a writer with nothing to write is idle, for however long`() throws {
    let writer = ProgressFacts.Writer(committed: start)
    #expect(try judged(ProgressFacts(writer: writer), .writer, at: 86_400).movement == .idle)
  }

  @Test func `a writer whose commit takes a minute moves, and after more than that is stuck`() throws {
    let facts = ProgressFacts(writer: .init(busySince: start, committed: start, waiting: 3))
    #expect(try judged(facts, .writer, at: 60).movement == .moving)
    let stuck = try judged(facts, .writer, at: 61)
    #expect(stuck.movement == .stuck)
    #expect(stuck.reason.contains("1 min 1 s") && stuck.reason.contains("3 requests"), "\(stuck.reason)")
    #expect(stuck.moved == start)
  }

  // MARK: The poller

  @Test func `a poller that does not collect is idle`() throws {
    #expect(try judged(ProgressFacts(poller: nil), .poller, at: 10_000).movement == .idle)
  }

  @Test func `a poller whose loop goes round moves, though no poll is due`() throws {
    let poller = ProgressFacts.Poller(stepped: after(999))
    #expect(try judged(ProgressFacts(poller: poller), .poller, at: 1_000).movement == .moving)
  }

  @Test func `a poller whose loop stands still for more than a minute is stuck`() throws {
    let facts = ProgressFacts(poller: .init(stepped: start))
    #expect(try judged(facts, .poller, at: 60).movement == .moving)
    let stuck = try judged(facts, .poller, at: 61)
    #expect(stuck.movement == .stuck && stuck.reason.contains("stands still"))
  }

  @Test func `polls of which none ends for a quarter of an hour are stuck, and one that hangs beside others is not`()
    throws
  {
    func poller(ended: Moment?, at seconds: Double) -> ProgressFacts {
      ProgressFacts(poller: .init(stepped: after(seconds), polling: 2, oldest: start, ended: ended))
    }
    #expect(try judged(poller(ended: nil, at: 900), .poller, at: 900).movement == .moving)
    let stuck = try judged(poller(ended: nil, at: 901), .poller, at: 901)
    #expect(stuck.movement == .stuck && stuck.reason.contains("2 polls"))
    #expect(try judged(poller(ended: after(890), at: 901), .poller, at: 901).movement == .moving)
  }

  // MARK: The replicator

  private static let trouble = DeliveryStatus.Trouble(reason: "no route", remedy: "Look.")

  private func delivery(
    _ state: DeliveryStatus.State, began: Double = 0, acknowledged: Double? = nil, lag: UInt64 = 5,
    unacknowledged: UInt64 = 0, withheld: UInt64 = 0, undealt: Double? = nil, waitEnds: Double? = nil
  ) -> ProgressFacts {
    var pulse = DeliveryPulse(unacknowledged: unacknowledged, withheld: withheld)
    pulse.undealtSince = undealt.map { after($0) }
    pulse.waitEnds = waitEnds.map { after($0) }
    return ProgressFacts(
      delivery: .init(
        state: state, began: after(began), acknowledged: acknowledged.map { after($0) }, lag: lag, pulse: pulse))
  }

  @Test func `a replicator without a hub, an identity or a journal that takes anything is idle`() throws {
    let states: [DeliveryStatus.State] = [.notEnrolled, .certificateExpired, .journalFull(reason: "full")]
    for state in states {
      #expect(try judged(delivery(state), .replicator, at: 100_000).movement == .idle, "\(state)")
    }
    #expect(try judged(ProgressFacts(), .replicator, at: 100_000).movement == .idle)
  }

  @Test func `a hub that is away, refuses us or is another one is no stuck replicator`() throws {
    let states: [DeliveryStatus.State] = [
      .waiting(Self.trouble), .refused(Self.trouble), .foreign(Self.trouble), .checkedIn,
    ]
    for state in states {
      let waits = delivery(state, waitEnds: 100_030)
      #expect(try judged(waits, .replicator, at: 100_000).movement == .idle, "\(state)")
    }
  }

  @Test func `an attempt that should have been made a minute ago is stuck`() throws {
    for state in [DeliveryStatus.State.waiting(Self.trouble), .checkedIn] {
      let facts = delivery(state, waitEnds: 100)
      #expect(try judged(facts, .replicator, at: 160).movement == .idle)
      let stuck = try judged(facts, .replicator, at: 161)
      #expect(stuck.movement == .stuck && stuck.reason.contains("overdue by 1 min 1 s"), "\(stuck.reason)")
    }
  }

  @Test func `an attempt that does not end is stuck`() throws {
    #expect(try judged(delivery(.connecting), .replicator, at: 300).movement == .moving)
    #expect(try judged(delivery(.connecting), .replicator, at: 301).movement == .stuck)
  }

  @Test func `a hub that has everything leaves the replicator idle`() throws {
    #expect(try judged(delivery(.delivering, lag: 0), .replicator, at: 100_000).movement == .idle)
    let withheld = delivery(.delivering, lag: 5, withheld: 5)
    #expect(
      try judged(withheld, .replicator, at: 100_000).movement == .idle, "what the hub does not take waits for no one")
  }

  @Test func `records that wait are sent within two minutes, or the replicator is stuck`() throws {
    #expect(try judged(delivery(.delivering), .replicator, at: 120).movement == .moving)
    #expect(try judged(delivery(.delivering), .replicator, at: 121).movement == .stuck)
    #expect(try judged(delivery(.delivering, acknowledged: 100), .replicator, at: 121).movement == .moving)
    // Nothing waited until a moment ago.
    var judge = ProgressJudge(now: start)
    _ = judge.judge(delivery(.delivering, lag: 0), now: after(1_000))
    #expect(try judged(delivery(.delivering), .replicator, at: 1_100, from: judge).movement == .moving)
    #expect(try judged(delivery(.delivering), .replicator, at: 1_121, from: judge).movement == .stuck)
  }

  @Test func `records that are sent and not acknowledged wait for the hub, and that is no fault of the agent`() throws {
    let facts = delivery(.delivering, unacknowledged: 5)
    let idle = try judged(facts, .replicator, at: 3_600)
    #expect(idle.movement == .idle && idle.reason.contains("acknowledged nothing for 1 h"), "\(idle.reason)")
  }

  @Test func `what was told and is not dealt with for two minutes is a loop that hangs, whatever the state`() throws {
    for state in [DeliveryStatus.State.delivering, .connecting] {
      let facts = delivery(state, began: 990, lag: 0, undealt: 900)
      #expect(try judged(facts, .replicator, at: 1_020).movement != .stuck)
      #expect(try judged(facts, .replicator, at: 1_021).movement == .stuck)
    }
  }

  // MARK: Shown

  @Test func `a part that is stuck is a component that has failed, whatever its last word was`() throws {
    let board = StatusBoard()
    board.say(.journal, .ok, "recording")
    board.say(.collector, .working, "collecting")
    var judge = ProgressJudge(now: start)
    let parts = judge.judge(ProgressFacts(writer: .init(busySince: start)), now: after(100))
    let components = board.snapshot.components(parts, at: 0)
    let journal = try #require(components.first { $0.name == "journal" })
    #expect(journal.state == .failed && journal.message.contains("does not move") && journal.remedy != nil)
    #expect(components.first { $0.name == "collector" }?.state == .working)
  }
}
