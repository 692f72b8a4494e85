import Events
import Evidence
import Foundation
import Journal
import OpenSSL

@testable import ReadModels

/// Evidence as it lies on a disk: the files of an export, or one proof.
struct Specimen {
  enum Kind { case export, proof }

  var name: String
  var kind: Kind
  /// By name; a proof is the only one.
  var files: [String: [UInt8]]
  /// The key of the journal that it is of.
  var signer: SignerKey

  static let proofName = "proof"

  var proof: [UInt8] {
    get { files[Self.proofName] ?? [] }
    set { files[Self.proofName] = newValue }
  }

  func text(_ name: String) -> String { String(decoding: files[name] ?? [], as: UTF8.self) }

  /// The lines of a file, without their line feeds.
  func lines(_ name: String) -> [String] {
    text(name).split(separator: "\n", omittingEmptySubsequences: false).dropLast().map(String.init)
  }

  mutating func set(_ name: String, lines: [String]) { files[name] = Array(lines.map { $0 + "\n" }.joined().utf8) }

  /// Replaces the first occurrence in a file.
  mutating func replace(_ old: String, with new: String, in name: String) {
    guard let range = text(name).range(of: old) else { return }
    files[name] = Array(text(name).replacingCharacters(in: range, with: new).utf8)
  }

  /// What a forger without the journal's key does last: every length and hash in the manifest is made to fit.
  mutating func fitManifest() {
    for (name, bytes) in files where Export.fileNames.contains(name) {
      let lines = bytes.count { $0 == 0x0a }
      let pattern = "\"name\":\"\(name)\",\"bytes\":[0-9]+,\"lines\":[0-9]+,\"sha256\":\"[0-9a-f]*\""
      guard let range = text(Export.manifestName).range(of: pattern, options: .regularExpression) else { continue }
      let fitting =
        "\"name\":\"\(name)\",\"bytes\":\(bytes.count),\"lines\":\(name == Export.omittedName ? 0 : lines),"
        + "\"sha256\":\"\(SHA256.hash(bytes).hex)\""
      files[Export.manifestName] = Array(text(Export.manifestName).replacingCharacters(in: range, with: fitting).utf8)
    }
  }

  /// Writes it under a name in a directory.
  func write(to directory: String, as name: String) throws -> String {
    let path = directory + "/" + name
    guard kind == .export else {
      try Data(proof).write(to: URL(fileURLWithPath: path))
      return path
    }
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: path + "/" + name)) }
    return path
  }
}

/// Two journals, what was exported and proved from one of them, and the same from the other.
struct TamperingGround {
  let own: JournalOfAFleet
  let other: JournalOfAFleet
  let hub: SignerKey
  var exports: [Specimen] = []
  var proofs: [Specimen] = []
  /// From the other journal, in the same order.
  var foreign: [Specimen] = []
  var foreignProofs: [Specimen] = []

  var trusted: TrustedKeys {
    get throws {
      let keys = try own.keys()
      return TrustedKeys(journal: keys.journal, publicKey: keys.publicKey, countersigners: [hub.verifier])
    }
  }

  /// The keys as they are given on the command line.
  var keyTexts: [String] {
    get throws {
      [try JournalReader.open(directory: own.journal).identity.verifier().description, hub.verifier.description]
    }
  }

  init() async throws {
    own = JournalOfAFleet()
    other = JournalOfAFleet()
    hub = SignerKey(name: try NoteKeyName("hub.example/1"), privateKey: try Ed25519PrivateKey())
    for fleet in [own, other] { try await Self.live(fleet, hub) }
    exports = try Self.exports(own)
    foreign = try Self.exports(other)
    proofs = try Self.proofs(own)
    foreignProofs = try Self.proofs(other)
  }

  /// Two epochs with some checkpoints, all countersigned.
  private static func live(_ fleet: JournalOfAFleet, _ hub: SignerKey) async throws {
    try await fleet.live(polls: 1)
    try await fleet.withJournal { try await $0.openEpoch(reason: "test") }
    try await fleet.live(polls: 2)
    try await fleet.withJournal { journal in
      for time in [10_000, 11_000] {
        try await journal.append([try Event(time: Int64(time), .agentStopped(AgentStopped(reason: "t"))).encoded()])
      }
      try await journal.checkpoint()
      for stored in try journal.reader.checkpoints() {
        let note = try SignedNote(text: try SignedNote(bytes: stored.note).text, signer: hub)
        try await journal.storeCountersignature(note, by: hub.verifier)
      }
    }
  }

  private static func exports(_ fleet: JournalOfAFleet) throws -> [Specimen] {
    var whole = ExportOptions()
    whole.to = .head
    var device = ExportOptions()
    device.device = fleet.devices[1]
    var range = ExportOptions()
    range.from = .sequence(5, epoch: 1)
    range.to = .sequence(9, epoch: 2)
    var types = range
    types.types = [EventType.readingChanged]
    var csv = ExportOptions()
    csv.format = .csv
    return try [("whole", whole), ("device", device), ("range", range), ("types", types), ("csv", csv)].map {
      try fleet.makeExport($1)
      let names = try FileManager.default.contentsOfDirectory(atPath: fleet.export)
      return Specimen(
        name: $0, kind: .export, files: Dictionary(uniqueKeysWithValues: try names.map { ($0, try fleet.read($0)) }),
        signer: try JournalReader.open(directory: fleet.journal).signer())
    }
  }

  private static func proofs(_ fleet: JournalOfAFleet) throws -> [Specimen] {
    let reader = try JournalReader.open(directory: fleet.journal)
    let prover = JournalProver(reader)
    let checkpoints = try reader.checkpoints().filter { $0.epoch == 2 }
    var proofs = try [1, 6, 11].map { sequence in
      try prover.inclusion(of: RecordPosition(epoch: 2, sequence: sequence)).bytes
    }
    proofs.append(try prover.inclusion(of: RecordPosition(epoch: 1, sequence: 5)).bytes)
    proofs.append(try prover.consistency(epoch: 2, from: checkpoints[0].size).bytes)
    let signer = try reader.signer()
    return proofs.enumerated().map {
      Specimen(name: "proof\($0)", kind: .proof, files: [Specimen.proofName: $1], signer: signer)
    }
  }
}
