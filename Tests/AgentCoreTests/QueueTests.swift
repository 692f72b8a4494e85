// `ptagent queue`: the numbers from a real journal, and what is shown of them.

import Events
import Evidence
import Foundation
import Journal
import Testing

@testable import AgentCore

@Suite struct QueueTests {
  /// A journal with an acknowledged half, one rejection, one conflict, and a reading of 1,000 bytes behind them.
  private func withJournal(_ body: (Journal) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    let journal = try Journal.open(JournalConfiguration(directory: directory.path))
    func event(_ time: Int64, _ body: EventBody) throws -> [UInt8] { try Event(time: time, body).encoded() }
    try await journal.append([[1], [2], [3], [4]])
    try await journal.append([
      try event(7_000, .uploadRejected(UploadRejected(epoch: 1, sequence: 2, reason: "its hash is wrong"))),
      try event(8_000, .uploadConflicted(UploadConflicted(epoch: 1, first: 3, last: 4, heldHash: []))),
    ])
    try await journal.append([[UInt8](repeating: 5, count: 1_000)])
    try await journal.moveCursor("dcam", to: RecordPosition(epoch: 1, sequence: 4))
    try await body(journal)
    await journal.close()
  }

  private func status(_ delivery: String) throws -> AgentStatus {
    let json = """
      {"version":"0.1.0","process":7,"started":"","written":"","writtenMilliseconds":0,"devices":{},
       "journal":{"directory":"/j","head":{"epoch":1,"sequence":9},"lag":5},
       "delivery":{"recordsSent":4,"rejections":0,"conflicts":0\(delivery)},
       "components":[{"name":"delivery","state":"ok","since":"","message":"checked in at hub:7444"}]}
      """
    return try JSONDecoder().decode(AgentStatus.self, from: Data(json.utf8))
  }

  @Test func `counts what the hub does not have, and tells what it did not take, from the journal alone`() async throws
  {
    try await withJournal { journal in
      let numbers = try QueueNumbers(journal.reader, troublesMax: 10)
      #expect(numbers.numbers.lag == 3)
      let payloads = try (5...7).map { try journal.reader.record(at: RecordPosition(epoch: 1, sequence: $0)) }
      #expect(numbers.lagBytes == UInt64(payloads.reduce(0) { $0 + ($1?.payload.count ?? 0) }))
      #expect(numbers.oldest == payloads[0].map { $0.time / 1_000_000 })
      #expect(numbers.lost == 0 && numbers.countersigned == nil)
      #expect(numbers.troubles.map(\.kind) == [.conflicted, .rejected])
      #expect(numbers.troubles.map(\.records) == ["1/3 to 1/4", "1/2"])
      #expect(numbers.troubles.map(\.time) == [8_000, 7_000])
      #expect(try QueueNumbers(journal.reader, troublesMax: 1).troubles.count == 1)
      #expect(try QueueNumbers(journal.reader, troublesMax: 0).troubles.isEmpty)

      let report = QueueReport(
        numbers, status: nil, presence: .never, mode: "normal", isConfigured: true, now: (numbers.oldest ?? 0) + 65_000)
      let text = report.text
      #expect(text.contains("the agent does not run"))
      #expect(text.contains("mode        normal\n") && text.contains("rate        unknown"))
      #expect(
        text.contains("hub has     1/4") && text.contains("3 records, 1.0 kB, the oldest since 1 min 5 s"), "\(text)")
      #expect(text.contains("its hash is wrong"))
      let json = try #require(try JSONSerialization.jsonObject(with: Data(try report.json().utf8)) as? [String: Any])
      #expect(json["isRunning"] as? Bool == false && json["lag"] as? Int == 3 && json["oldestSeconds"] as? Int == 65)
      #expect(json["rateOverOneMinute"] == nil && (json["troubles"] as? [Any])?.count == 2)
    }
  }

  @Test func `a running agent says how fast it goes and when it checks in next`() async throws {
    try await withJournal { journal in
      try await journal.moveCursor("dcam", to: try journal.reader.head())
      let status = try status(
        #","mode":"normal","nextCheckIn":"2026-03-01T08:15:00.000Z","rateOverOneMinute":2.5,"rateOverFiveMinutes":1,"expressSent":3"#
      )
      let report = QueueReport(
        try QueueNumbers(journal.reader, troublesMax: 0), status: status, presence: .running, mode: "service",
        isConfigured: true, now: 0)
      let text = report.text
      #expect(text.contains("state       checked in at hub:7444"))
      #expect(text.contains("mode        normal, next check-in 2026-03-01T08:15:00.000Z"), "what runs counts: \(text)")
      #expect(
        text.contains("waiting     nothing") && text.contains("2.5 records/s over the last minute, 1.0 over five"))
      let lines = report.csv.components(separatedBy: "\r\n")
      #expect(lines.count == 3 && lines[2].isEmpty)
      let cells = Dictionary(
        uniqueKeysWithValues: zip(lines[0].components(separatedBy: ","), lines[1].components(separatedBy: ",")))
      #expect(cells["head"] == "1/7" && cells["acknowledged"] == "1/7" && cells["lag"] == "0")
      #expect(cells["oldest"] == "" && cells["rateOverOneMinute"] == "2.5" && cells["expressSent"] == "3")
    }
  }
}

@Suite struct DeliveryTrailTests {
  @Test func `a rate is what was acknowledged in the span, over the span`() {
    var trail = DeliveryTrail()
    #expect(trail.rate(over: .seconds(60), at: 0) == nil)
    trail.note(0, at: 1_000_000)
    for second in 1...600 as ClosedRange<Int64> { trail.note(UInt64(second) * 10, at: 1_000_000 + second * 1_000) }
    let end: Int64 = 1_600_000
    #expect(trail.rate(over: .seconds(60), at: end).map { (9.8...10.2).contains($0) } == true)
    #expect(trail.rate(over: .seconds(300), at: end).map { (9.9...10.1).contains($0) } == true)
    // Half a minute of rest.
    #expect(trail.rate(over: .seconds(60), at: end + 30_000).map { (4.8...5.3).contains($0) } == true)
    #expect(trail.rate(over: .seconds(60), at: end + 90_000) == 0)
  }

  @Test func `a clock that is set back begins it anew, and many notes in a second are one`() {
    var trail = DeliveryTrail()
    trail.note(5, at: 900_000)
    trail.note(9, at: 1_000)
    #expect(trail.rate(over: .seconds(60), at: 1_000) == 0)
    for total in 10...10_000 as ClosedRange<UInt64> { trail.note(total, at: 3_000 + Int64(total) / 100) }
    #expect(trail.rate(over: .seconds(60), at: 61_000).map { (160...175).contains($0) } == true)
  }
}
