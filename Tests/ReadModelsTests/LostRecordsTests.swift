import Events
import Evidence
import Foundation
import Journal
import OpenSSL
import Testing

@testable import ReadModels

/// Epoch 1 had 23 records and checkpoints at 10, 13 and 23. Damage took 12 and 13; epoch 2 holds the record that tells of it.
@Suite struct `A journal that damage left with a gap` {
  private let fleet = JournalOfAFleet()
  private let hub: SignerKey
  private let lost = LostRecords(epoch: 1, first: 12, last: 13)

  init() async throws {
    hub = SignerKey(name: try NoteKeyName("hub.example/1"), privateKey: try Ed25519PrivateKey())
    try await fleet.live(polls: 3)
    try await fleet.withJournal { journal in
      let last = try #require(try journal.reader.lastCheckpoint(epoch: 1))
      let note = try SignedNote(text: try SignedNote(bytes: last.note).text, signer: hub)
      try await journal.storeCountersignature(note, by: hub.verifier)
      let stops = ["before", Self.marks[0], Self.marks[1]].map {
        Event(time: 9, .agentStopped(AgentStopped(reason: $0)))
      }
      try await journal.append(try stops.map { try $0.encoded() })
    }
    try await fleet.live(polls: 3)
    try damage()
    var configuration = JournalConfiguration(directory: fleet.journal)
    let worker = JournalWorkerCommand(executable: Self.programs + "/ptjournal")
    configuration.recovery = JournalRecovery(worker: worker) { Array($0.reason.utf8) }
    let journal = try Journal.open(configuration, fold: FleetFold())
    #expect(journal.damage?.lost == [lost])
    await journal.close()
  }

  private static let marks = ["the first that is lost", "the second that is lost"]

  /// Wherever the marks lie in the file: a record lies on pages that were its page before, too.
  private func damage() throws {
    let file = URL(fileURLWithPath: fleet.journal + "/data.mdb")
    var data = try Data(contentsOf: file)
    for mark in Self.marks {
      while let place = data.range(of: Data(mark.utf8)) { data[place.lowerBound] ^= 1 }
    }
    try data.write(to: file)
  }

  private static var programs: String {
    let tests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return ProcessInfo.processInfo.environment["PT_BIN"] ?? tests.map { ($0 as NSString).deletingLastPathComponent }
      ?? "."
  }

  private var reader: JournalReader {
    get throws { try JournalReader.open(directory: fleet.journal) }
  }

  private func verified(_ trusted: TrustedKeys? = nil) throws -> ExportReport {
    try ExportVerifier(directory: fleet.export, trusted: trusted ?? fleet.keys()).verify()
  }

  private func independentStatus() throws -> Int32? {
    try IndependentVerifier.status(of: fleet.export, reader.identity.verifier())
  }

  @Test func `is exported whole, with the gap named and what stands before it proved by a checkpoint`() throws {
    try fleet.makeExport(ExportOptions())
    let report = try verified()
    #expect(report.findings == [])
    #expect(report.lost == [lost])
    #expect((report.records, report.sealed, report.omitted) == (22, 11, 0))
    #expect(try fleet.lines(Export.manifestName)[0].contains("\"lost\":[{\"from\":12,\"to\":13}],\"size\":10"))
    #expect(try [nil, 0].contains(independentStatus()))
  }

  @Test(arguments: [
    ("device", 0, 23, [12...13]), ("whole", 5, 9, []), ("whole", 1, 12, [12...12]), ("whole", 13, 20, [13...13]),
    ("types", 12, 13, [12...13]), ("csv", 1, 23, [12...13]),
  ])
  func `is exported in part, with as much of the gap as lies in it`(
    kind: String, from: UInt64, to: UInt64, gap: [ClosedRange<UInt64>]
  ) throws {
    var options = ExportOptions()
    if from > 0 { options.from = .sequence(from, epoch: 1) }
    options.to = .sequence(to, epoch: 1)
    if kind == "device" { options.device = fleet.devices[1] }
    if kind == "types" { options.types = [EventType.readingChanged] }
    if kind == "csv" { options.format = .csv }
    try fleet.makeExport(options)
    let report = try verified()
    #expect(report.findings == [])
    #expect(report.lost == gap.map { LostRecords(epoch: 1, first: $0.lowerBound, last: $0.upperBound) })
    #expect(try [nil, 0].contains(independentStatus()))
  }

  /// What the journal's own key would have to seal, so that nothing else is wrong.
  @Test(arguments: [
    ("an end that is not known", "[{\"from\":12,\"to\":13},{\"from\":24}]", 21, 0, nil as EvidenceFault?),
    ("no gap", "", 21, 2, .edited), ("another gap", "[{\"from\":12,\"to\":12}]", 21, 1, .edited),
    ("a later gap", "[{\"from\":12,\"to\":13},{\"from\":20,\"to\":20}]", 20, 0, .edited),
    ("overlapping gaps", "[{\"from\":12,\"to\":13},{\"from\":13,\"to\":14}]", 21, 0, .malformed),
    ("gaps out of order", "[{\"from\":13,\"to\":13},{\"from\":12,\"to\":12}]", 21, 0, .malformed),
    ("a gap beyond the end", "[{\"from\":12,\"to\":24}]", 21, 0, .malformed),
    ("a gap that ends before it begins", "[{\"from\":13,\"to\":12}]", 21, 2, .malformed),
    ("an open gap before another", "[{\"from\":12},{\"from\":24}]", 11, 0, .malformed),
    ("a gap in the tree", "[{\"from\":10,\"to\":10},{\"from\":12,\"to\":13}]", 20, 0, .malformed),
    ("no list", "{}", 21, 2, .malformed),
  ])
  func `has exports in which no other gap passes than one behind their end`(
    name: String, lost: String, records: Int, omitted: Int, fault: EvidenceFault?
  ) throws {
    try fleet.makeExport(ExportOptions())
    let names = [Export.eventsName, Export.manifestName, Export.sealName]
    var specimen = Specimen(
      name: name, kind: .export, files: Dictionary(uniqueKeysWithValues: try names.map { ($0, try fleet.read($0)) }),
      signer: try reader.signer())
    let numbers = "\"records\":\(records),\"omitted\":\(omitted)" + (lost.isEmpty ? "" : ",\"lost\":\(lost)")
    specimen.replace(
      "\"records\":21,\"omitted\":0,\"lost\":[{\"from\":12,\"to\":13}]", with: numbers, in: Export.manifestName)
    #expect(specimen.text(Export.manifestName).contains(numbers))
    specimen.seal(with: specimen.signer)
    for (name, bytes) in specimen.files { try fleet.write(bytes, name) }
    #expect(try verified().gravest?.fault == fault)
    #expect(try [nil, fault?.rawValue ?? 0].contains(independentStatus()))
  }

  @Test func `tells that an end is not known where a stretch goes on to it`() {
    let open = LostRecords(epoch: 1, first: 24, last: nil)
    #expect(open.within(1, 23, isEnd: true) == open)
    #expect(open.within(1, 20, isEnd: false) == nil)
    #expect(
      LostRecords(epoch: 1, first: 18, last: nil).within(1, 20, isEnd: false)
        == LostRecords(epoch: 1, first: 18, last: 20))
  }

  @Test func `is vouched for by a hub up to the checkpoint before the gap`() throws {
    let keys = try fleet.keys()
    let both = TrustedKeys(journal: keys.journal, publicKey: keys.publicKey, countersigners: [hub.verifier])
    var options = ExportOptions()
    options.to = .sequence(10, epoch: 1)
    try fleet.makeExport(options)
    #expect(try verified(both).findings == [])
    options.to = .sequence(23, epoch: 1)
    try fleet.makeExport(options)
    let report = try verified(both)
    #expect(report.findings.map(\.fault) == [.notCountersigned])
    #expect(report.gravest?.description.contains("covers 11 records, from 1/11 on") == true)
  }

  @Test func `proves what lies under a checkpoint before the gap`() throws {
    let prover = JournalProver(try reader)
    for sequence in 1...10 {
      let proof = try prover.inclusion(of: RecordPosition(epoch: 1, sequence: UInt64(sequence)))
      #expect(proof.checkpoint.checkpoint.size == 10)
      #expect(throws: Never.self) { try proof.check(fleet.keys()) }
    }
    #expect(throws: Never.self) { try prover.consistency(epoch: 1, from: 10) }
    #expect(throws: Never.self) { try prover.inclusion(of: RecordPosition(epoch: 2, sequence: 1)) }
  }

  @Test func `says of all other records what keeps them from being proved`() throws {
    let prover = JournalProver(try reader)
    let refusal = ProofRefusal.lost(lost, end: RecordPosition(epoch: 1, sequence: 10))
    for sequence in [11, 14, 23] {
      #expect(throws: refusal) { try prover.inclusion(of: RecordPosition(epoch: 1, sequence: UInt64(sequence))) }
    }
    #expect(throws: refusal) { try prover.inclusion(of: RecordPosition(epoch: 1, sequence: 5), size: 23) }
    #expect(throws: refusal) { try prover.consistency(epoch: 1, from: 10, to: 23) }
    #expect(refusal.description.contains("behind the checkpoint 1/10") && refusal.description.contains("1/12 to 1/13"))
    #expect(ExitStatus(refusal) == .noInput)
    #expect(throws: NamingError.lost(RecordPosition(epoch: 1, sequence: 12))) {
      try prover.inclusion(of: RecordPosition(epoch: 1, sequence: 12))
    }
  }
}
