import Events
import Evidence
import Foundation
import Journal
import OpenSSL
import Testing

@testable import ReadModels

@Suite struct `An export` {
  private let hub: SignerKey

  init() throws {
    hub = SignerKey(name: try NoteKeyName("hub.example/1"), privateKey: try Ed25519PrivateKey())
  }

  private func countersignLast(of journal: Journal) async throws {
    let last = try #require(try journal.reader.lastCheckpoint(epoch: 1))
    let note = try SignedNote(text: try SignedNote(bytes: last.note).text, signer: hub)
    try await journal.storeCountersignature(note, by: hub.verifier)
  }

  private func keysOfBoth(_ fleet: JournalOfAFleet) throws -> TrustedKeys {
    let keys = try fleet.keys()
    return TrustedKeys(journal: keys.journal, publicKey: keys.publicKey, countersigners: [hub.verifier])
  }

  private func exported(
    polls: Int = 30, sealed: Bool = true, _ change: (inout ExportOptions, JournalOfAFleet) -> Void = { _, _ in }
  ) async throws -> JournalOfAFleet {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: polls, sealed: sealed)
    var options = ExportOptions()
    change(&options, fleet)
    try fleet.makeExport(options)
    return fleet
  }

  private func verified(_ fleet: JournalOfAFleet, trusted: TrustedKeys? = nil) throws -> ExportReport {
    try ExportVerifier(directory: fleet.export, trusted: trusted).verify()
  }

  @Test func `is sound, whole and sealed`() async throws {
    let fleet = try await exported()
    let report = try verified(fleet)
    #expect(report.findings == [])
    #expect(report.records == 37)
    #expect(report.sealed == 37)
    #expect(try lines(of: fleet).count == 37)
  }

  @Test func `has the same bytes each time`() async throws {
    let fleet = try await exported()
    let first = try (fleet.read(Export.eventsName), fleet.read(Export.manifestName))
    try fleet.makeExport(ExportOptions())
    #expect(try first == (fleet.read(Export.eventsName), fleet.read(Export.manifestName)))
  }

  @Test func `holds CloudEvents`() async throws {
    let fleet = try await exported()
    for line in try lines(of: fleet) {
      let event = try #require(try JSONSerialization.jsonObject(with: Data(line.utf8)) as? [String: Any])
      #expect(event["specversion"] as? String == "1.0")
      for required in ["id", "source", "type"] { #expect((event[required] as? String)?.isEmpty == false) }
      #expect(event["data"] is [String: Any])
      for name in event.keys { #expect(name.allSatisfy { $0.isLowercase || $0.isNumber }) }
    }
  }

  @Test func `of some records is proved by hashes in the place of the others`() async throws {
    let fleet = try await exported { options, fleet in
      options.device = fleet.devices[1]
      options.types = [EventType.readingChanged]
      options.from = .sequence(5, epoch: nil)
    }
    let report = try verified(fleet)
    #expect(report.findings == [])
    #expect(report.records == 10)
    #expect(report.sealed == 10)
    #expect(report.omitted == 23)
    let hashes = try fleet.read(Export.omittedName).count / 32
    #expect((10...27).contains(hashes))
  }

  @Test func `as CSV quotes what it must and runs nothing in a spreadsheet`() async throws {
    let fleet = try await exported { options, _ in options.format = .csv }
    let lines = try fleet.lines(Export.readingsName)
    #expect(lines[0].hasPrefix("time,epoch,sequence,device"))
    #expect(lines.count == 1 + 3 + 30)
    #expect(lines[1].contains("\"'=HYPERLINK(\"\"x\"\")\""))
    #expect(lines[2].contains("\"Model, 1\""))
    #expect(try verified(fleet).isSound)
  }

  @Test func `with any line edited, left out, doubled or moved is refused and the record named`() async throws {
    let original = try await exported(polls: 9)
    let lines = try lines(of: original)
    for index in lines.indices.dropLast() {
      let edits: [[String]] = [
        replacing(lines, index, lines[index].replacingOccurrences(of: "\"sequence\":\"", with: "\"sequence\":\"9")),
        replacing(lines, index, nil),
        Array(lines[...index] + lines[index...]),
        swapping(lines, index),
        replacing(lines, index, flipped(lines[index], "payload")),
        replacing(lines, index, flipped(lines[index], "leafhash")),
        replacing(lines, index, lines[index].replacingOccurrences(of: "printtrail.", with: "printtrai1.")),
        Array(lines[...index]),
      ]
      for edit in edits {
        try original.write(Array((edit.joined(separator: "\n") + "\n").utf8), Export.eventsName)
        #expect(try verified(original).isSound == false)
      }
    }
    try original.write(Array((lines.joined(separator: "\n") + "\n").utf8), Export.eventsName)
    #expect(try verified(original).isSound)
  }

  @Test func `names the first record that was edited`() async throws {
    let fleet = try await exported()
    var lines = try lines(of: fleet)
    lines[10] = flipped(lines[10], "payload")
    try fleet.write(Array((lines.joined(separator: "\n") + "\n").utf8), Export.eventsName)
    let first = try #require(try verified(fleet).gravest)
    #expect(first.fault == .edited)
    #expect(first.description.contains("1/11"))
  }

  @Test func `signed with a key that is not the trusted one is refused`() async throws {
    let fleet = try await exported()
    let other = try await exported()
    #expect(try verified(fleet, trusted: other.keys()).gravest?.fault == .anotherJournal)
    let impostor = TrustedKeys(journal: try fleet.keys().journal, publicKey: try other.keys().publicKey)
    #expect(try verified(fleet, trusted: impostor).gravest?.fault == .unknownKey)
    #expect(try verified(fleet, trusted: fleet.keys()).isSound)
  }

  @Test func `with another journal's checkpoint is refused`() async throws {
    let fleet = try await exported()
    let other = try await exported()
    let manifest = try fleet.lines(Export.manifestName)[0]
    let start = "\"checkpoint\":\""
    let own = try #require(text(between: start, in: manifest))
    let foreign = try #require(text(between: start, in: try other.lines(Export.manifestName)[0]))
    try fleet.write(Array(manifest.replacingOccurrences(of: own, with: foreign).utf8), Export.manifestName)
    #expect(try verified(fleet).gravest?.fault == .anotherJournal)
  }

  @Test func `without a manifest or of a newer format says so`() async throws {
    let fleet = try await exported()
    let manifest = try fleet.lines(Export.manifestName)[0]
    try fleet.write(Array(manifest.replacingOccurrences(of: "export/2", with: "export/3").utf8), Export.manifestName)
    #expect(throws: ExportError.self) { try verified(fleet) }
    try fleet.write(Array("{}".utf8), Export.manifestName)
    #expect(try verified(fleet).gravest?.fault == .malformed)
    try FileManager.default.removeItem(atPath: fleet.export + "/" + Export.manifestName)
    #expect(ExportVerifier.isExport(fleet.export))
    #expect(try verified(fleet).gravest?.fault == .manifestMissing)
  }

  @Test func `that ends before a checkpoint is proved by it, with hashes behind the end`() async throws {
    let fleet = try await exported { options, _ in options.to = .sequence(36, epoch: nil) }
    let report = try verified(fleet)
    #expect(report.findings == [])
    #expect((report.records, report.sealed) == (36, 36))
    #expect(try fleet.read(Export.omittedName).count == 32)
  }

  @Test(arguments: [
    ("readings.csv", ExportOptions.Format.jsonl), ("events-2.jsonl", .jsonl), ("omitted.bin", .jsonl),
    ("events.jsonl", .csv),
    (".hidden", .jsonl), ("events.jsonl.unfinished", .jsonl), ("annex/", .csv),
  ])
  func `with something beside it that the manifest does not name is refused`(
    name: String, format: ExportOptions.Format
  ) async throws {
    let fleet = try await exported(polls: 3) { options, _ in options.format = format }
    if name.hasSuffix("/") {
      try FileManager.default.createDirectory(atPath: fleet.export + "/" + name, withIntermediateDirectories: false)
    } else {
      try fleet.write(Array("forged\n".utf8), name)
    }
    let report = try verified(fleet, trusted: fleet.keys())
    #expect(report.findings.map(\.fault) == [.unnamed])
    #expect(report.gravest?.description.hasPrefix(name.replacing("/", with: "")) == true)
    if let status = try IndependentVerifier.status(of: fleet.export, key(of: fleet)) {
      #expect(status == EvidenceFault.unnamed.rawValue)
    }
  }

  @Test(arguments: ["20.0", "2e1", "2.0E1"])
  func `has a manifest of whole numbers, written as such`(number: String) async throws {
    let fleet = try await exported(polls: 13)
    let manifest = try fleet.lines(Export.manifestName)[0]
    let changed = manifest.replacingOccurrences(of: "\"records\":20,", with: "\"records\":\(number),")
    #expect(changed != manifest)
    try fleet.write(Array((changed + "\n").utf8), Export.manifestName)
    #expect(try verified(fleet).gravest?.fault == .malformed)
    let status = try IndependentVerifier.status(of: fleet.export, key(of: fleet))
    #expect([nil, EvidenceFault.malformed.rawValue].contains(status))
  }

  /// Sealed by the journal's own key, so that nothing else is wrong.
  @Test(arguments: [
    ("\"files\":\\[.*\\]", "\"files\":[]"), ("\"format\":\"jsonl\"", "\"format\":\"csv\""),
    ("\"format\":\"jsonl\"", "\"format\":\"xml\""), ("\"name\":\"events.jsonl\"", "\"name\":\"readings.csv\""),
  ])
  func `names the files of its format, no fewer and no others`(old: String, new: String) async throws {
    let fleet = try await exported(polls: 3)
    let manifest = try fleet.lines(Export.manifestName)[0]
    let changed = manifest.replacingOccurrences(of: old, with: new, options: .regularExpression)
    #expect(changed != manifest)
    let bytes = Array((changed + "\n").utf8)
    try fleet.write(bytes, Export.manifestName)
    let reader = try JournalReader.open(directory: fleet.journal)
    let seal = try ExportSeal(
      journal: reader.identity.hexID, manifest: SHA256.hash(bytes), signer: reader.signer())
    try fleet.write(seal.note.bytes, Export.sealName)
    #expect(try verified(fleet).gravest?.fault == .malformed)
    let status = try IndependentVerifier.status(of: fleet.export, key(of: fleet))
    #expect([nil, EvidenceFault.malformed.rawValue].contains(status))
  }

  @Test(arguments: [Export.manifestName, Export.sealName, Export.eventsName])
  func `cannot be read where a directory stands in a file's place`(name: String) async throws {
    let fleet = try await exported(polls: 3)
    try FileManager.default.removeItem(atPath: fleet.export + "/" + name)
    try FileManager.default.createDirectory(atPath: fleet.export + "/" + name, withIntermediateDirectories: false)
    let error = #expect(throws: ExportError.self) { try verified(fleet) }
    #expect(error.map { ExitStatus($0) } == .inputOutput)
    let status = try IndependentVerifier.status(of: fleet.export, key(of: fleet))
    #expect([nil, ExitStatus.inputOutput.rawValue].contains(status))
  }

  @Test func `drives no terminal by a name beside it`() async throws {
    let fleet = try await exported(polls: 3)
    try fleet.write([], "\u{1B}[2Jreadings.csv")
    #expect(try verified(fleet).gravest?.description.hasPrefix(" [2Jreadings.csv") == true)
  }

  @Test func `of records after the last checkpoint says how many are not sealed by one`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 30)
    try await fleet.withJournal { journal in
      try await journal.append([try Event(time: 9, .agentStopped(AgentStopped(reason: "t"))).encoded()])
      let signer = try journal.reader.signer()
      _ = try Export(journal.reader, ExportOptions()).write(into: fleet.export, signer: signer)
    }
    let report = try verified(fleet)
    #expect(report.isSound)
    #expect((report.records, report.sealed) == (38, 37))
  }

  @Test func `is vouched for by a hub up to the last checkpoint that it countersigned`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 30)
    try await fleet.withJournal { try await countersignLast(of: $0) }
    try await fleet.live(polls: 3)
    let reader = try JournalReader.open(directory: fleet.journal)
    let head = try reader.head().sequence
    #expect(try reader.lastCheckpoint(epoch: 1)?.size == head)
    let countersigned = try #require(try reader.lastCountersigned()).size
    #expect(countersigned < head)

    let both = try keysOfBoth(fleet)
    for end in [countersigned, countersigned - 3] {
      var options = ExportOptions()
      options.to = .sequence(end, epoch: 1)
      try fleet.makeExport(options)
      let report = try verified(fleet, trusted: both)
      #expect(report.findings == [])
      #expect((report.records, report.sealed) == (end, end))
    }
    try fleet.makeExport(ExportOptions())
    let report = try verified(fleet, trusted: both)
    #expect(report.findings.map(\.fault) == [.unknownKey, .notCountersigned])
    #expect(report.findings.last?.description.contains("covers \(head) records, from 1/1 on") == true)
    #expect(report.findings.last?.description.contains("ptjournal stat") == true)
    #expect(try verified(fleet, trusted: fleet.keys()).isSound)
    let statuses = try [[hub.verifier], []].map {
      try IndependentVerifier.status(of: fleet.export, key(of: fleet), countersigners: $0)
    }
    #expect([[EvidenceFault.unknownKey.rawValue, 0], [nil, nil]].contains(statuses))
  }

  @Test func `of records that came after the countersigned checkpoint tells how many and which`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 30)
    try await fleet.withJournal { journal in
      try await countersignLast(of: journal)
      try await journal.append([try Event(time: 9, .agentStopped(AgentStopped(reason: "t"))).encoded()])
      let signer = try journal.reader.signer()
      _ = try Export(journal.reader, ExportOptions()).write(into: fleet.export, signer: signer)
    }
    let both = try keysOfBoth(fleet)
    let report = try verified(fleet, trusted: both)
    #expect(report.findings.map(\.fault) == [.notCountersigned])
    #expect(report.gravest?.description.contains("covers 1 record, from 1/38 on") == true)
    let status = try IndependentVerifier.status(of: fleet.export, key(of: fleet), countersigners: [hub.verifier])
    #expect([nil, EvidenceFault.notCountersigned.rawValue].contains(status))
  }

  @Test func `from a time begins with the first record after it and is whole from there`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 3)
    try await fleet.live(polls: 3)
    let times = try fleet.records().map(\.time)
    let second = try #require(times.firstIndex { $0 > times[0] })
    var options = ExportOptions()
    options.from = .time(times[second])
    try fleet.makeExport(options)
    let report = try verified(fleet)
    #expect(report.findings == [])
    #expect(report.records == UInt64(times.count - second))
    #expect(try fleet.lines(Export.manifestName)[0].contains("\"from\":\"1/\(second + 1)\""))
  }

  @Test func `of several epochs has a tree for each`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 3)
    try await fleet.withJournal { journal in try await journal.openEpoch(reason: "test") }
    try await fleet.live(polls: 6)
    var options = ExportOptions()
    options.device = fleet.devices[0]
    for chosen in [ExportOptions(), options] {
      try fleet.makeExport(chosen)
      let report = try verified(fleet, trusted: fleet.keys())
      #expect(report.findings == [])
      #expect(report.checkpoints == 2)
      #expect(report.sealed == report.records)
    }
  }

  @Test(arguments: [ExportOptions.Format.jsonl, .csv])
  func `of a damaged record is refused and the record named`(format: ExportOptions.Format) async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 3)
    let file = URL(fileURLWithPath: fleet.journal + "/data.mdb")
    var data = try Data(contentsOf: file)
    // A device's id stands in the header of each of its events, and in the keys and values of the state.
    let id = Data(fleet.devices[1].bytes)
    var from = data.startIndex
    while let place = data.range(of: id, in: from..<data.endIndex) {
      data[place.lowerBound] ^= 1
      from = place.upperBound
    }
    try data.write(to: file)
    let reader = try JournalReader.open(directory: fleet.journal)
    var options = ExportOptions()
    options.format = format
    let error = #expect(throws: ExportError.self) { try Export(reader, options).write(into: fleet.export, signer: nil) }
    #expect(error?.description.contains("record 1/") == true, "\(String(describing: error))")
    #expect(!FileManager.default.fileExists(atPath: fleet.export + "/manifest.json"))
  }

  @Test func `that nobody sealed says so`() async throws {
    let fleet = try await exported()
    _ = try Export(JournalReader.open(directory: fleet.journal), ExportOptions()).write(
      into: fleet.export, signer: nil, replacing: true)
    let report = try verified(fleet)
    #expect(report.findings.map(\.fault) == [.unknownKey])
    #expect(report.sealed == 37)
  }

  private func key(of fleet: JournalOfAFleet) throws -> VerifierKey {
    try JournalReader.open(directory: fleet.journal).identity.verifier()
  }

  private func lines(of fleet: JournalOfAFleet) throws -> [String] { try fleet.lines(Export.eventsName) }

  private func replacing(_ lines: [String], _ index: Int, _ line: String?) -> [String] {
    Array(lines[..<index]) + (line.map { [$0] } ?? []) + Array(lines[(index + 1)...])
  }

  private func swapping(_ lines: [String], _ index: Int) -> [String] {
    var lines = lines
    lines.swapAt(index, index + 1)
    return lines
  }

  /// Changes one character of a member's text.
  private func flipped(_ line: String, _ member: String) -> String {
    let start = line.range(of: "\"\(member)\":\"")!.upperBound
    let place = line.index(start, offsetBy: 5)
    return line[..<place] + (line[place] == "A" ? "B" : "A") + line[line.index(after: place)...]
  }

  private func text(between start: String, in text: String) -> String? {
    guard let from = text.range(of: start)?.upperBound, let to = text[from...].firstIndex(of: "\"") else { return nil }
    return String(text[from..<to])
  }
}
