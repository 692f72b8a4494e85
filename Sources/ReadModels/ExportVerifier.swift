// Checks an export with nothing but its files (docs/formats/export.md, "What `ptjournal verify DIR` checks").

internal import Evidence
internal import FoundationEssentials
internal import OpenSSL

/// What is wrong with an export, and where.
package struct ExportFinding: Equatable, Sendable, CustomStringConvertible {
  package enum Kind: String, Sendable {
    case manifest, file, record, tree, signature, key
  }
  package var kind: Kind
  package var description: String
}

package struct ExportReport: Sendable {
  package var journal = ""
  package var keys: [String] = []
  package var records: UInt64 = 0
  /// Records that a signed checkpoint covers.
  package var sealed: UInt64 = 0
  /// In the order in which they were met, at most `findingsMax`.
  package var findings: [ExportFinding] = []
  package var isSound: Bool { findings.isEmpty }
  package var first: ExportFinding? { findings.first }

  /// One damaged line is a lead; thousands are noise.
  static let findingsMax = 100

  mutating func found(_ kind: ExportFinding.Kind, _ text: String) {
    if findings.count < Self.findingsMax { findings.append(ExportFinding(kind: kind, description: text)) }
  }
}

package struct ExportVerifier {
  /// Manifests are small; a greater file is something else.
  private static let manifestBytesMax = 64 << 20

  private let directory: String
  private let trustedKey: String?

  /// - Parameter trustedKey: the journal's verifier key as the hub or the agent's operator gave it. Without it the export is
  ///   checked against the key that it names itself.
  package init(directory: String, trustedKey: String? = nil) {
    self.directory = directory
    self.trustedKey = trustedKey
  }

  /// - Throws: `ExportError` where a file cannot be read. What is wrong inside is in the report.
  package func verify() throws(ExportError) -> ExportReport {
    var report = ExportReport()
    let bytes = try ExportFile.read(directory + "/" + Export.manifestName, bytesMax: Self.manifestBytesMax)
    let manifest: Manifest
    do {
      manifest = try JSONDecoder().decode(Manifest.self, from: Data(bytes))
    } catch {
      report.found(.manifest, "manifest.json is not the manifest of an export: \(error)")
      return report
    }
    guard manifest.format == Export.format else {
      throw ExportError(
        "This export has format \(manifest.format); this program knows \(Export.format). Use the release that wrote it."
      )
    }
    report.journal = manifest.journal
    for file in manifest.files where !Self.names.contains(file.name) {
      report.found(.manifest, "manifest.json names the file \(file.name), which no export has.")
    }
    guard report.isSound else { return report }
    for file in manifest.files where file.name != Export.eventsName { try checkWhole(file, &report) }
    if let events = manifest.files.first(where: { $0.name == Export.eventsName }) {
      try checkEvents(events, manifest, &report)
    }
    return report
  }

  private static let names = [Export.eventsName, Export.readingsName, Export.leavesName]

  private func checkWhole(_ file: Manifest.File, _ report: inout ExportReport) throws(ExportError) {
    var reader = try LineReader(directory + "/" + file.name)
    while try reader.next() != nil {}
    check(file, bytes: reader.bytes, sha256: reader.sha256, &report)
  }

  private func check(_ file: Manifest.File, bytes: UInt64, sha256: Digest, _ report: inout ExportReport) {
    guard bytes == file.bytes else {
      return report.found(.file, "\(file.name) has \(bytes) bytes; the manifest says \(file.bytes).")
    }
    if sha256.hex != file.sha256 {
      report.found(.file, "\(file.name) is not the file of the manifest: its SHA-256 differs.")
    }
  }

  // MARK: Events

  private func checkEvents(
    _ file: Manifest.File, _ manifest: Manifest, _ report: inout ExportReport
  ) throws(ExportError) {
    let leavesFile = manifest.files.contains { $0.name == Export.leavesName }
    let leaves = leavesFile ? try ExportFile.read(directory + "/" + Export.leavesName, bytesMax: .max) : nil
    var passes = makePasses(manifest, leaves: leaves, &report)
    var writer = CloudEventWriter(journal: manifest.journal)
    var reader = try LineReader(directory + "/" + file.name)
    var number: UInt64 = 0
    while let line = try reader.next() {
      number += 1
      check(line, number, &passes, &writer, &report)
    }
    report.records = number
    check(file, bytes: reader.bytes, sha256: reader.sha256, &report)
    for index in passes.indices { passes[index].finish(&report) }
  }

  private func makePasses(
    _ manifest: Manifest, leaves: [UInt8]?, _ report: inout ExportReport
  ) -> [EpochCheck] {
    var passes: [EpochCheck] = []
    var rest = leaves.map { $0[...] }
    for epoch in manifest.epochs {
      let (count, overflow) = epoch.to.subtractingReportingOverflow(epoch.from)
      guard !overflow, epoch.from >= 1, count < UInt64(Int32.max) else {
        report.found(.manifest, "Epoch \(epoch.epoch) goes from \(epoch.from) to \(epoch.to), which cannot be.")
        continue
      }
      let size = (Int(count) + 1) * Digest.byteCount
      let own = rest?.prefix(size)
      rest = rest?.dropFirst(size)
      if let own, own.count < size {
        report.found(.file, "leaves.bin ends before epoch \(epoch.epoch) does.")
      }
      passes.append(EpochCheck(epoch, journal: manifest.journal, leaves: own.map(Array.init)))
      checkKey(epoch, &report)
    }
    return passes
  }

  private func checkKey(_ epoch: Manifest.Epoch, _ report: inout ExportReport) {
    report.keys.append(epoch.key)
    guard let trustedKey else { return }
    let trusted = (try? VerifierKey(trustedKey))?.publicKey.rawRepresentation
    if trusted == nil || (try? VerifierKey(epoch.key))?.publicKey.rawRepresentation != trusted {
      report.found(.key, "Epoch \(epoch.epoch) is signed with \(epoch.key), not with the key that you trust.")
    }
  }

  private func check(
    _ line: [UInt8], _ number: UInt64, _ passes: inout [EpochCheck], _ writer: inout CloudEventWriter,
    _ report: inout ExportReport
  ) {
    guard let event = try? JSONDecoder().decode(Line.self, from: Data(line)), let time = Int64(event.recordtime),
      let sequence = UInt64(event.sequence), let payload = Data(base64Encoded: event.payload)
    else { return report.found(.record, "Line \(number) is not an event of an export.") }
    let position = RecordPosition(epoch: event.epoch, sequence: sequence)
    let (leaf, again) = Array(payload).withUnsafeBytes { payload in
      (
        Record.leafHash(position: position, time: time, payload: payload),
        writer.line(position: position, time: time, payload: payload)
      )
    }
    guard leaf.hex == event.leafhash else {
      return report.found(.record, "Record \(position) (line \(number)) does not have the hash that it states.")
    }
    if again != line {
      report.found(.record, "Record \(position) (line \(number)): what it shows is not what its payload says.")
    }
    guard let index = passes.firstIndex(where: { $0.epoch == event.epoch }) else {
      return report.found(
        .record, "Record \(position) (line \(number)) is of an epoch that the manifest does not have.")
    }
    passes[index].add(position, leaf, line: number, &report)
  }
}

/// One epoch's tree while its lines pass.
private struct EpochCheck {
  let epoch: UInt32
  private let stated: Manifest.Epoch
  private let journal: String
  /// Every record's leaf hash, where the lines are not all records.
  private let leaves: [UInt8]?
  private var frontier = MerkleFrontier()
  private var last: UInt64
  private var records: UInt64 = 0
  private var rootAtCheckpoint: Digest?
  private var isBroken = false

  init(_ stated: Manifest.Epoch, journal: String, leaves: [UInt8]?) {
    epoch = stated.epoch
    self.stated = stated
    self.journal = journal
    self.leaves = leaves
    last = stated.from - 1
  }

  mutating func add(_ position: RecordPosition, _ leaf: Digest, line: UInt64, _ report: inout ExportReport) {
    records += 1
    let sequence = position.sequence
    guard sequence > last, sequence >= stated.from, sequence <= stated.to else {
      isBroken = true
      return report.found(
        .record, "Record \(position) (line \(line)) is out of order, twice there, or beyond the manifest.")
    }
    if let leaves {
      let offset = Int(sequence - stated.from) * Digest.byteCount
      if Digest(bytes: leaves.dropFirst(offset).prefix(Digest.byteCount)) != leaf {
        report.found(.record, "Record \(position) (line \(line)) is not the one of the tree.")
      }
    } else {
      if sequence != last + 1, !isBroken {
        isBroken = true
        report.found(.record, "Record \(epoch)/\(last + 1) is missing: line \(line) holds \(position).")
      }
      append(leaf)
    }
    last = sequence
  }

  private mutating func append(_ leaf: Digest) {
    frontier.append(leaf)
    if frontier.size == stated.size { rootAtCheckpoint = frontier.root }
  }

  mutating func finish(_ report: inout ExportReport) {
    if records != stated.records {
      report.found(.record, "Epoch \(epoch) has \(records) records here; the manifest says \(stated.records).")
    }
    if let leaves {
      for offset in stride(from: 0, to: leaves.count - leaves.count % Digest.byteCount, by: Digest.byteCount) {
        if let leaf = Digest(bytes: leaves[offset..<offset + Digest.byteCount]) { append(leaf) }
      }
    } else if last != stated.to, !isBroken {
      report.found(.record, "Epoch \(epoch) ends at record \(last); the manifest says \(stated.to).")
    }
    checkCheckpoint(&report)
  }

  private func checkCheckpoint(_ report: inout ExportReport) {
    guard let note = stated.checkpoint, let size = stated.size else { return }
    do throws(NoteError) {
      let key = try VerifierKey(stated.key)
      let signed = try SignedNote(bytes: Array(note.utf8))
      try signed.verify([key])
      let checkpoint = try Checkpoint(text: signed.text)
      guard checkpoint.origin == JournalOrigin(journal: journal, epoch: epoch).description, checkpoint.size == size
      else {
        return report.found(.signature, "The checkpoint of epoch \(epoch) is another journal's, epoch's or size's.")
      }
      guard checkpoint.root == rootAtCheckpoint else {
        return report.found(
          .tree, "The \(size) records of epoch \(epoch) do not have the root that its checkpoint signs.")
      }
      report.sealed += size
    } catch {
      report.found(.signature, "The checkpoint of epoch \(epoch) is not signed by its key: \(error)")
    }
  }
}

/// The manifest as far as verification needs it.
private struct Manifest: Decodable {
  struct Epoch: Decodable {
    var epoch: UInt32
    var from: UInt64
    var to: UInt64
    var records: UInt64
    var key: String
    var size: UInt64?
    var checkpoint: String?
  }
  struct File: Decodable {
    var name: String
    var bytes: UInt64
    var lines: UInt64
    var sha256: String
  }
  var format: String
  var journal: String
  var epochs: [Epoch]
  var files: [File]
}

private struct Line: Decodable {
  var epoch: UInt32
  var sequence: String
  var recordtime: String
  var leafhash: String
  var payload: String
}
