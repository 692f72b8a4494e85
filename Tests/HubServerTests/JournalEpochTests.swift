// What becomes of a fleet whose agent was put back from a backup, or copied, and of counters over time.

internal import Events
internal import Foundation
internal import HubDatabase
internal import HubFleet
internal import HubProtocol
@testable internal import HubServer
internal import PrinterModel
internal import Testing

@Suite("A fleet over a journal's epochs") struct JournalEpochTests {
  private let one = DeviceID(0..<16)!
  private let two = DeviceID(16..<32)!
  private let day = MeterLedger.millisecondsPerDay

  private func total(_ value: UInt64?, at time: Int64) -> Event {
    taken(one, time, reading(serial: "S1", total: value))
  }

  private func opened(_ epoch: UInt32, from previous: UInt64, to current: UInt64, at time: Int64) -> Event {
    Event(
      time: time, device: one,
      .meterEpochOpened(
        MeterEpochOpened(
          meter: .total, epoch: epoch, previous: previous, current: current, evidence: "dropped", cause: "drop")))
  }

  private func restored(epoch: UInt32, sequence: UInt64, at time: Int64) -> Event {
    Event(
      time: time, device: nil,
      .journalRestored(JournalRestored(reason: "the hub holds more", epoch: epoch, sequence: sequence)))
  }

  private func volume(_ test: TestStore) async throws -> Int64 {
    try await rows(.volumes, test, "volume").reduce(0) { sum, row in
      guard case .integer(let volume) = row[0] else { return sum }
      #expect(volume >= 0)
      return sum + volume
    }
  }

  @Test(arguments: TestDatabase.all)
  func `has no alert that was raised after the backup, and no device that was found after it`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(total(100, at: 10), raised(one, 11, 7))
    let backup = sender.journal
    try await sender.send(
      raised(one, 20, 8), cleared(one, 21, 7), taken(two, 22, reading(serial: "S2", total: 5)), raised(two, 23, 9))
    #expect(try await rows(.alerts, test, "description").count == 2)
    sender.journal = backup.nextEpoch()
    try await sender.send(restored(epoch: 1, sequence: 2, at: 30), total(101, at: 31))
    #expect(try await rows(.alerts, test, "serial", "description") == [[.text("S1"), .text("Jam 7")]])
    #expect(
      try await rows(.devices, test, "serial", "state") == [
        [.text("S1"), .text("read")], [.text("S2"), .text("unreachable")],
      ])
    // It is found again, and is the same.
    let again = DeviceID(32..<48)!
    try await sender.send(taken(again, 40, reading(serial: "S2", total: 6)))
    #expect(
      try await rows(.devices, test, "serial", "total", "state").last == [.text("S2"), .integer(6), .text("read")])
    #expect(try await rows(.devices, test, "serial").count == 2)
    #expect(try await volume(test) == 2)
  }

  @Test(arguments: TestDatabase.all)
  func `begins a counter anew where the agent that was put back says so, whatever it had said before`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    try await sender.send(total(1_000, at: 10))
    let backup = sender.journal
    try await sender.send(opened(2, from: 1_000, to: 10, at: 20), total(10, at: 20), total(2_000, at: 30))
    sender.journal = backup.nextEpoch()
    try await sender.send(
      restored(epoch: 1, sequence: 1, at: 40), opened(2, from: 1_000, to: 5, at: 41), total(5, at: 41), total(9, at: 50)
    )
    #expect(try await rows(.meters, test, "value", "epoch") == [[.integer(9), .integer(3)]])
    #expect(try await volume(test) == 1_990 + 4)
  }

  @Test(arguments: TestDatabase.all)
  func `counts nothing twice of an agent and its copy that both go on`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var first = try await FleetSender(test, mark: 1)
    try await first.send(total(50_500, at: 10), opened(2, from: 50_500, to: 300, at: 20), total(300, at: 20))
    var copy = first
    copy.journal = first.journal.nextEpoch()
    try await copy.send(restored(epoch: 1, sequence: 3, at: 25), total(305, at: 26))
    for turn in 1...10 as ClosedRange<UInt64> {
      try await first.send(total(305 + turn * 10, at: 30 + Int64(turn) * 10))
      try await test.store.foldEverything()
      try await copy.send(total(305 + turn * 10, at: 31 + Int64(turn) * 10))
      try await test.store.foldEverything()
    }
    #expect(try await rows(.meters, test, "value", "epoch") == [[.integer(405), .integer(2)]])
    #expect(try await volume(test) == 105)
    #expect(try await test.store.installsToFold().isEmpty)
    try await test.store.write { try $0.execute("UPDATE projection SET fold = 0") }
    #expect(try await volume(test) == 105, "folded anew")
  }

  @Test(arguments: TestDatabase.all)
  func `keeps the epoch of a counter that is away for a reading`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    var without = reading(serial: "S1", total: 0)
    without.meters = []
    try await sender.send(
      total(6_200, at: 10), opened(2, from: 6_200, to: 100, at: 20), total(100, at: 20), taken(one, 30, without))
    #expect(try await rows(.meters, test, "value").isEmpty)
    #expect(try await rows(.devices, test, "total") == [[.null]])
    try await sender.send(total(400, at: day))
    #expect(try await rows(.meters, test, "value", "epoch") == [[.integer(400), .integer(2)]])
    #expect(try await volume(test) == 300)
  }

  @Test(arguments: TestDatabase.all)
  func `has the pages of a rollover, and supplies of a printer that is switched off`(database: TestDatabase)
    async throws
  {
    let test = try TestStore(database)
    var sender = try await FleetSender(test, mark: 1)
    let around = MeterEpochOpened(
      meter: .total, epoch: 2, previous: 4_294_967_246, current: 50, evidence: "rolled over", cause: "rollover",
      volume: 100)
    try await sender.send(
      total(4_294_967_246, at: 10), Event(time: day, device: one, .meterEpochOpened(around)),
      taken(one, day, reading(serial: "S1", total: 50, black: 10)))
    #expect(try await volume(test) == 100)
    try await sender.send(
      Event(
        time: day + 1, device: one,
        .pollFailed(PollFailed(address: "10.0.0.1:161", reason: "timeout", message: "no answer"))))
    #expect(try await rows(.devices, test, "state") == [[.text("unreachable")]])
    #expect(try await rows(.supplies, test, "description") == [[.text("Black Toner")]])
  }
}
