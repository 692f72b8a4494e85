import Evidence
import Journal
import Testing

@testable import ReadModels

/// Two epochs: 10 records in the first, 8 in the second.
@Suite struct `A stretch of a journal` {
  private func reader(_ fleet: JournalOfAFleet) async throws -> JournalReader {
    try await fleet.live(polls: 3)
    try await fleet.withJournal { journal in try await journal.openEpoch(reason: "test") }
    try await fleet.live(polls: 1)
    return try JournalReader.open(directory: fleet.journal)
  }

  private static func at(_ epoch: UInt32, _ sequence: UInt64) -> RecordPosition {
    RecordPosition(epoch: epoch, sequence: sequence)
  }

  @Test func `goes from one record to another, in the newest epoch where none is named`() async throws {
    let reader = try await reader(JournalOfAFleet())
    let range = try JournalRange(reader, from: .sequence(10, epoch: 1), to: .sequence(2, epoch: nil))
    #expect((range.first, range.last) == (Self.at(1, 10), Self.at(2, 2)))
    let one = try JournalRange(reader, from: .sequence(8, epoch: 2), to: .sequence(8, epoch: 2))
    #expect(one.first == one.last)
  }

  @Test(arguments: [
    (JournalPoint.sequence(9, epoch: nil), NamingError.noRecord(at(2, 9), last: at(2, 8), head: at(2, 8))),
    (.sequence(11, epoch: 1), .noRecord(at(1, 11), last: at(1, 10), head: at(2, 8))),
    (.sequence(0, epoch: 2), .noRecord(at(2, 0), last: at(2, 8), head: at(2, 8))),
    (.sequence(1, epoch: 3), .noEpoch(3, newest: 2)), (.sequence(1, epoch: 0), .noEpoch(0, newest: 2)),
  ])
  func `neither begins nor ends where no record is`(point: JournalPoint, error: NamingError) async throws {
    let reader = try await reader(JournalOfAFleet())
    #expect(throws: error) { try JournalRange(reader, from: point) }
    #expect(throws: error) { try JournalRange(reader, to: point) }
    #expect(throws: error) { try Replay.run(reader, to: point) }
    #expect(ExitStatus(error) == .noInput)
  }

  @Test(arguments: [
    (JournalPoint.sequence(5, epoch: 2), JournalPoint.sequence(4, epoch: 2)),
    (.sequence(1, epoch: 2), .sequence(9, epoch: 1)),
    (.time(2), .time(1)), (.sequence(1, epoch: 1), .time(1)), (.time(.max), .sequence(1, epoch: 1)),
  ])
  func `does not end before it begins`(from: JournalPoint, to: JournalPoint) async throws {
    let reader = try await reader(JournalOfAFleet())
    let error = #expect(throws: RangeError.self) { try JournalRange(reader, from: from, to: to) }
    #expect(error.map { ExitStatus($0) } == .usage)
  }

  @Test func `between two times may be empty`() async throws {
    let fleet = JournalOfAFleet()
    let reader = try await reader(fleet)
    for (from, to) in [(JournalPoint.time(1), JournalPoint.time(2)), (.time(.max), .head)] {
      var options = ExportOptions()
      (options.from, options.to) = (from, to)
      try fleet.makeExport(options)
      #expect(try fleet.lines(Export.eventsName) == [])
      _ = try JournalRange(reader, from: from, to: to)
    }
  }
}
