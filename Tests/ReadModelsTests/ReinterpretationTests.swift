import Events
import Evidence
import Foundation
import Journal
import MIB
import PrinterModel
import Testing

@testable import ReadModels

@Suite struct `Readings under other rules` {
  private let fleet = JournalOfAFleet()

  /// A device of a maker that only these tests know, whose counter is private.
  private static let total: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 99999, 1, 0]
  private static let sheets: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 99999, 2, 0]

  private func profile(version: Int = 1, oid: ObjectIdentifier = total, meter: String = "total") -> String {
    """
    name = "acme"
    version = \(version)
    make = "Acme"
    [match]
    object-ids = ["1.3.6.1.4.1.99999"]
    [[counter]]
    id = "pages"
    oid = "\(oid)"
    meter = "\(meter)"
    unit = "impressions"
    confidence = "mib-defined"
    """
  }

  private func set(_ text: String) throws -> ProfileSet {
    ProfileSet(ProfileSet.shipped.profiles + [try ProfileParser.parse(Array(text.utf8), file: "acme.toml")])
  }

  private func walk(_ total: UInt32) -> Walk {
    Walk([
      VarBind([1, 3, 6, 1, 2, 1, 1, 2, 0], .objectIdentifier([1, 3, 6, 1, 4, 1, 99999])),
      VarBind(Self.total, .counter32(total)), VarBind(Self.sheets, .counter32(40)),
    ])
  }

  /// A whole reading, a changed one, and one that changed nothing of the meter; made under version 1 of the profile.
  private func live(device: Int = 0) async throws {
    let set = try set(profile())
    let first = Interpretation.read(walk(100), profiles: set)
    let change = Interpretation.read(walk(107), profiles: set).changes(since: first)
    let bodies: [EventBody] = [
      .readingTaken(ReadingTaken(reading: first, raw: walk(100), cost: PollCost())),
      .readingChanged(
        ReadingChanged(change: change, raw: [VarBind(Self.total, .counter32(107))], removed: [], cost: PollCost())),
      .readingUnchanged(ReadingUnchanged(uptimeTicks: 1, cost: PollCost())),
      .readingChanged(ReadingChanged(change: ReadingChange(), raw: [], removed: [], cost: PollCost())),
    ]
    try await fleet.withJournal { journal in
      try await journal.append(
        bodies.enumerated().map { index, body in
          try Event(time: Int64(index) * 1_000, device: fleet.devices[device], body).encoded()
        })
    }
  }

  private func reinterpret(
    _ profiles: ProfileSet, from: JournalPoint? = nil, device: DeviceID? = nil
  ) throws -> (values: [ReinterpretedValue], summary: ReinterpretationSummary) {
    let reader = try JournalReader.open(directory: fleet.journal)
    var values: [ReinterpretedValue] = []
    let range = try JournalRange(reader, from: from)
    let summary = try Reinterpretation(reader, profiles, range: range, device: device).run { values.append($0) }
    return (values, summary)
  }

  @Test func `stay as they are under the rules they were made by`() async throws {
    try await live()
    let (values, summary) = try reinterpret(set(profile()))
    #expect(values == [])
    #expect(summary.isUnchanged)
    #expect(summary.readings == 3)
    #expect(summary.underOtherRules == 0)
  }

  @Test func `of which only the version is another are counted, not told`() async throws {
    try await live()
    let (values, summary) = try reinterpret(set(profile(version: 2)))
    #expect(values == [])
    #expect(summary.isUnchanged)
    #expect(summary.underOtherRules == 1)
  }

  @Test func `tell a value that comes from another object wherever it moves`() async throws {
    try await live()
    let (values, summary) = try reinterpret(set(profile(version: 2, oid: Self.sheets)))
    #expect(values.map(\.position.sequence) == [1, 2])
    #expect(values.map(\.observed) == [0, 1_000])
    #expect(summary.changes == 2)
    #expect(summary.devicesChanged == [fleet.devices[0]])
    let last = try #require(values.last)
    guard case .meter(let before)? = last.change.before, case .meter(let after)? = last.change.after else {
      Issue.record("no meters")
      return
    }
    #expect((before.value, before.rule) == (107, Rule("acme/pages@1")))
    #expect((after.value, after.rule) == (40, Rule("acme/pages@2")))
    #expect(last.text.contains("total: 107 impressions (exact) from \(Self.total) by acme/pages@1 -> 40 impressions"))
  }

  @Test func `tell a meter that is gone and one that is new`() async throws {
    try await live()
    let (values, _) = try reinterpret(set(profile(meter: "print")))
    #expect(values.map(\.position.sequence) == [1, 1, 2, 2])
    #expect(values.filter { $0.change.after == nil }.map(\.name) == [.meter(.total), .meter(.total)])
    let names = values.filter { $0.change.before == nil }.map(\.name)
    #expect(names == [.meter(MeterName(.print)), .meter(MeterName(.print))])
    let json = try #require(try JSONSerialization.jsonObject(with: Data(values[0].json)) as? [String: Any])
    #expect(json["sequence"] as? Int == 1)
  }

  @Test func `rest on the objects before the range and are of the devices that were asked for`() async throws {
    try await live(device: 0)
    try await live(device: 1)
    let other = try set(profile(oid: Self.sheets))
    let (values, _) = try reinterpret(other, from: .sequence(2, epoch: 1), device: fleet.devices[0])
    #expect(values.map(\.position.sequence) == [2])
  }

  @Test func `whose objects nobody knows are left out and counted`() async throws {
    try await fleet.withJournal { journal in
      let change = ReadingChanged(change: ReadingChange(), raw: [], removed: [], cost: PollCost())
      try await journal.append([try Event(time: 1, device: fleet.devices[0], .readingChanged(change)).encoded()])
    }
    try await live()
    try await fleet.withJournal { journal in
      var broken = try Event(
        time: 1, device: fleet.devices[0], .readingUnchanged(ReadingUnchanged(uptimeTicks: 1, cost: PollCost()))
      ).encoded()
      broken.append(0xff)
      let change = ReadingChanged(change: ReadingChange(), raw: [], removed: [], cost: PollCost())
      let behind = try Event(time: 1, device: fleet.devices[0], .readingChanged(change)).encoded()
      try await journal.append([broken, behind])
    }
    let (_, summary) = try reinterpret(set(profile()))
    #expect(summary.withoutObjects == 2)
    #expect(summary.unreadable == 1)
    #expect(summary.readings == 3)
  }

  @Test func `are made by profiles from files, each error with its file and line`() throws {
    try FileManager.default.createDirectory(atPath: fleet.directory, withIntermediateDirectories: true)
    let good = fleet.directory + "/good.toml"
    try Data(profile().utf8).write(to: URL(fileURLWithPath: good))
    #expect(try ProfileFiles.load([good]).profiles.contains { $0.name == "acme" })
    #expect(try ProfileFiles.load([]) == .shipped)
    for name in ["bad-1.toml", "bad-2.toml"] {
      let text = profile().replacingOccurrences(of: "\"mib-defined\"", with: "\"surely\"")
      try Data(text.utf8).write(to: URL(fileURLWithPath: fleet.directory + "/" + name))
    }
    #expect {
      try ProfileFiles.load([fleet.directory])
    } throws: { error in
      let lines = "\(error)".split(separator: "\n")
      return lines.count == 2 && lines[0].contains("bad-1.toml:11: `counter[0].confidence`")
    }
    #expect(throws: ExportError.self) { try ProfileFiles.load([fleet.directory + "/none"]) }
  }
}
