import Evidence
import Foundation
import Journal
import Testing

@testable import ReadModels

@Suite struct `The directory of an export` {
  private let fleet = JournalOfAFleet()

  private func export(
    into directory: String? = nil, _ format: ExportOptions.Format = .jsonl, replacing: Bool = false
  ) throws {
    let reader = try JournalReader.open(directory: fleet.journal)
    var options = ExportOptions()
    options.format = format
    _ = try Export(reader, options).write(
      into: directory ?? fleet.export, signer: try reader.signer(), replacing: replacing)
  }

  private func refusal(into directory: String? = nil, replacing: Bool = false) -> String? {
    let error = #expect(throws: ExportError.self) { try export(into: directory, replacing: replacing) }
    #expect(error?.kind == .cannotCreate)
    return error?.description
  }

  private func names(_ directory: String? = nil) throws -> [String] {
    try FileManager.default.contentsOfDirectory(atPath: directory ?? fleet.export).sorted()
  }

  private var isSound: Bool {
    get throws { try faults.isEmpty }
  }

  private var faults: [EvidenceFault] {
    get throws { try ExportVerifier(directory: fleet.export).verify().findings.map(\.fault) }
  }

  @Test(arguments: ["journal", "journal/export", ".", "link"])
  func `is not a journal's, nor in one, nor around one`(place: String) async throws {
    try await fleet.live(polls: 3)
    try FileManager.default.createSymbolicLink(atPath: fleet.directory + "/link", withDestinationPath: fleet.journal)
    let before = try names(fleet.journal)
    let reason = try #require(refusal(into: fleet.directory + "/" + place, replacing: true))
    #expect(reason.contains("/journal is there"))
    #expect(try names(fleet.journal) == before)
  }

  @Test func `keeps the export that it has, unless that may be replaced`() async throws {
    try await fleet.live(polls: 3)
    try export(.csv)
    #expect(try #require(refusal()).contains("--force"))
    #expect(try names() == ["manifest.json", "manifest.sig", "readings.csv"])
    try export(replacing: true)
    #expect(try names() == ["events.jsonl", "manifest.json", "manifest.sig"])
    #expect(try isSound)
  }

  @Test(arguments: ["readings.csv", "manifest.json"])
  func `keeps files of others, whatever they are called`(name: String) async throws {
    try await fleet.live(polls: 3)
    try FileManager.default.createDirectory(atPath: fleet.export, withIntermediateDirectories: true)
    try fleet.write(Array("{\"name\":\"a web page\"}".utf8), name)
    #expect(try #require(refusal(replacing: true)).contains("\(name) is there"))
    #expect(try names() == [name])
    try FileManager.default.removeItem(atPath: fleet.export + "/" + name)
  }

  @Test(arguments: ["notes.txt", ".notes", "events-2.jsonl"])
  func `is one in which nothing else lies`(name: String) async throws {
    try await fleet.live(polls: 3)
    try FileManager.default.createDirectory(atPath: fleet.export, withIntermediateDirectories: true)
    try fleet.write([1], name)
    #expect(try #require(refusal(replacing: true)).contains("\(name) is there"))
    #expect(try names() == [name])
  }

  @Test func `has the earlier export whole where the new one fails`() async throws {
    try await fleet.live(polls: 3)
    try export()
    let place = try OutputDirectory(fleet.export, for: Export.allNames, of: "an export", replacing: true) { true }
    #expect(throws: ExportError.self) {
      try place.fill {
        try ExportFile.write([1], name: Export.eventsName, in: fleet.export)
        #expect(try faults == [.unnamed])
        throw ExportError("The disk is full.")
      }
    }
    #expect(try isSound)
    #expect(try names() == ["events.jsonl", "manifest.json", "manifest.sig"])
  }

  @Test func `that was made for an export that failed is gone again`() throws {
    let directory = NSTemporaryDirectory() + "printtrail-output-" + UUID().uuidString
    let place = try OutputDirectory(directory, for: ["a"], of: "a test", replacing: false) { false }
    #expect(throws: ExportError.self) {
      try place.fill {
        try ExportFile.write([1], name: "a", in: directory)
        throw ExportError("The disk is full.")
      }
    }
    #expect(!FileManager.default.fileExists(atPath: directory))
  }

  @Test func `of an export that was killed is told to be unfinished, and is used again`() async throws {
    try await fleet.live(polls: 3)
    try FileManager.default.createDirectory(atPath: fleet.export, withIntermediateDirectories: true)
    try fleet.write([1], Export.eventsName + OutputDirectory.unfinished)
    #expect(ExportVerifier.isExport(fleet.export))
    #expect(try ExportVerifier(directory: fleet.export).verify().gravest?.fault == .manifestMissing)
    try export()
    #expect(try isSound)
    #expect(try names() == ["events.jsonl", "manifest.json", "manifest.sig"])
  }

  @Test func `holds nothing of an export of another kind that was killed`() async throws {
    try await fleet.live(polls: 3)
    try FileManager.default.createDirectory(atPath: fleet.export, withIntermediateDirectories: true)
    try fleet.write([1], Export.readingsName + OutputDirectory.unfinished)
    try export()
    #expect(try names() == ["events.jsonl", "manifest.json", "manifest.sig"])
    #expect(try isSound)
  }

  @Test func `of a replay is treated alike, and may hold files of others`() throws {
    let directory = NSTemporaryDirectory() + "printtrail-output-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: directory) }
    func write(_ text: String, replacing: Bool = false) throws {
      try ReplayFiles.write(fleet: [], summary: Array(text.utf8), into: directory, replacing: replacing)
    }
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    try Data([1]).write(to: URL(fileURLWithPath: directory + "/notes.txt"))
    try write("{}")
    #expect(throws: ExportError.self) { try write("[]") }
    try write("[]", replacing: true)
    #expect(try Data(contentsOf: URL(fileURLWithPath: directory + "/replay.json")) == Data("[]\n".utf8))
    #expect(try names(directory) == ["fleet.json", "notes.txt", "replay.json"])
  }
}
