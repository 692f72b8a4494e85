// Checks an export with nothing but its files and a key (docs/formats/export.md, "What is checked").

package import Evidence
internal import FoundationEssentials
internal import Glibc
package import Journal
internal import OpenSSL
internal import PrinterModel

package struct ExportReport: Sendable {
  package var journal = ""
  /// The key that the export names itself.
  package var key = ""
  package var records: UInt64 = 0
  /// Lines of readings.csv, which the seal alone vouches for; nil where there is none.
  package var readings: UInt64?
  /// Records in the stretch that was asked for, but not shown: of other devices or types.
  package var omitted: UInt64 = 0
  /// What damage has taken of the journal, as the export itself says: no finding.
  package var lost: [LostRecords] = []
  /// Records that a signed checkpoint covers.
  package var sealed: UInt64 = 0
  package var checkpoints = 0
  /// In the order in which they were met, at most `findingsMax`.
  package var findings: [EvidenceFinding] = []

  package var isSound: Bool { findings.isEmpty }
  /// The finding that says most: of those with the lowest number, the first.
  package var gravest: EvidenceFinding? { findings.min { $0.fault < $1.fault } }

  /// One damaged line is a lead; thousands are noise.
  private static let findingsMax = 100

  mutating func found(_ fault: EvidenceFault, _ text: String) { found(EvidenceFinding(fault, text)) }

  mutating func found(_ finding: EvidenceFinding) {
    guard findings.count >= Self.findingsMax else { return findings.append(finding) }
    // The gravest is never lost.
    if let gravest, finding.fault < gravest.fault { findings[findings.count - 1] = finding }
  }
}

package struct ExportVerifier {
  /// Manifests are small; a greater file is something else.
  static let manifestBytesMax = 64 << 20
  /// A sixth of the leaves of a journal of 100 million records.
  private static let omittedBytesMax = 512 << 20

  private let directory: String
  private let trusted: TrustedKeys?

  /// - Parameter trusted: the journal's key as the hub or the agent's operator gave it. Without it the export is checked against the
  ///   key that it names itself, which proves nothing about whose it is.
  package init(directory: String, trusted: TrustedKeys? = nil) {
    self.directory = directory
    self.trusted = trusted
  }

  /// Whether the directory holds an export, or what is left of one.
  package static func isExport(_ directory: String) -> Bool {
    Export.allNames.flatMap { [$0, $0 + OutputDirectory.unfinished] }.contains {
      access(directory + "/" + $0, F_OK) == 0
    }
  }

  /// - Throws: `ExportError` where a file cannot be read, or the export is of another format. What is wrong is in the report.
  package func verify() throws(ExportError) -> ExportReport {
    var report = ExportReport()
    guard let bytes = try read(Export.manifestName, bytesMax: Self.manifestBytesMax) else {
      report.found(
        .manifestMissing, "The export has no \(Export.manifestName): it was interrupted, or the file was lost.")
      return report
    }
    switch try ExportManifest.read(bytes) {
    case .failure(let finding): report.found(finding)
    case .success(let manifest): try verify(manifest, SHA256.hash(bytes), &report)
    }
    return report
  }

  private func verify(_ manifest: ExportManifest, _ digest: Digest, _ report: inout ExportReport) throws(ExportError) {
    report.journal = manifest.journal
    report.key = manifest.key
    guard let stated = (try? VerifierKey(manifest.key)).flatMap({ TrustedKeys([$0]) }),
      stated.journal == manifest.journal
    else { return report.found(.malformed, "manifest.json states a key that is not the journal's: \(manifest.key).") }
    let trusted = trusted ?? stated
    guard manifest.journal == trusted.journal else {
      return report.found(
        .anotherJournal,
        "This is an export of the journal \(manifest.journal), not of \(trusted.journal) that you trust.")
    }
    if stated.publicKey != trusted.publicKey {
      report.found(.unknownKey, "The export states the key \(manifest.key), which is not the key that you trust.")
    }
    try checkSeal(digest, trusted, &report)
    for epoch in manifest.epochs {
      let signed = checkCheckpoint(epoch, trusted, &report)
      expectCountersigned(epoch, through: signed, trusted, &report)
      report.lost += (epoch.lost ?? []).map { LostRecords(epoch: epoch.epoch, first: $0.from, last: $0.to) }
    }
    try checkNames(manifest, &report)
    for file in manifest.files where file.name != Export.eventsName { try checkWhole(file, &report) }
    try checkEvents(manifest, &report)
  }

  private func read(_ name: String, bytesMax: Int) throws(ExportError) -> [UInt8]? {
    try ExportFile.readIfThere(directory + "/" + name, bytesMax: bytesMax)
  }

  // MARK: Signatures

  private func checkSeal(
    _ manifest: Digest, _ trusted: TrustedKeys, _ report: inout ExportReport
  ) throws(ExportError) {
    guard let bytes = try read(Export.sealName, bytesMax: SignedNote.bytesMax) else {
      return report.found(
        .unknownKey, "The export has no \(Export.sealName): nobody signed what it holds and what it leaves out.")
    }
    do throws(NoteError) {
      let seal = try ExportSeal(bytes: bytes)
      do throws(EvidenceFinding) { try trusted.check(seal, of: manifest) } catch { report.found(error) }
    } catch {
      report.found(.badSignature, "\(Export.sealName) cannot be read: \(error)")
    }
  }

  /// - Returns: the size of the tree that every trusted key has signed; 0 where there is none.
  private func checkCheckpoint(
    _ epoch: ExportManifest.Epoch, _ trusted: TrustedKeys, _ report: inout ExportReport
  ) -> UInt64 {
    guard let checkpoint = epoch.stated(&report) else { return 0 }
    report.checkpoints += 1
    do throws(EvidenceFinding) {
      let number = try trusted.check(checkpoint.checkpoint, in: checkpoint.note)
      guard number == epoch.epoch, checkpoint.checkpoint.size == epoch.size else {
        throw EvidenceFinding(
          .edited, "The checkpoint of epoch \(epoch.epoch) is that of \(number)/\(checkpoint.checkpoint.size).")
      }
      return checkpoint.checkpoint.size
    } catch {
      report.found(error)
      return 0
    }
  }

  /// What no countersigned tree holds, whoever has the journal's key can make: seal, hashes and all.
  private func expectCountersigned(
    _ epoch: ExportManifest.Epoch, through signed: UInt64, _ trusted: TrustedKeys, _ report: inout ExportReport
  ) {
    guard !trusted.countersigners.isEmpty, signed < epoch.to else { return }
    let first = epoch.kept(from: max(signed + 1, epoch.from))
    guard first <= epoch.to else { return }
    let signers = trusted.countersigners.map(\.name.description).joined(separator: " and ")
    let count = epoch.to - first + 1 - epoch.lostCount(from: first)
    report.found(
      .notCountersigned,
      "No checkpoint that \(signers) signed covers \(counted(count, "record")), from \(epoch.epoch)/\(first) on: the journal's "
        + "key alone vouches for them. Export up to the last countersigned checkpoint, which ptjournal stat tells: ptjournal export "
        + "--to EPOCH/SIZE.")
  }

  // MARK: Files

  /// Nobody signed what the manifest does not name: beside what somebody did sign it would pass for a part of the export.
  private func checkNames(_ manifest: ExportManifest, _ report: inout ExportReport) throws(ExportError) {
    let named = manifest.files.map(\.name) + [Export.manifestName, Export.sealName]
    for name in try DirectoryNames.list(directory) where !named.contains(name) {
      report.found(.unnamed, "\(name.replacingControls) is no part of the export: the manifest does not name it.")
    }
  }

  private func checkWhole(_ file: ExportManifest.File, _ report: inout ExportReport) throws(ExportError) {
    guard var reader = try open(file, &report) else { return }
    while try reader.next() != nil {}
    if file.name == Export.readingsName { report.readings = reader.lines }
    if reader.bytes < file.bytes {
      report.found(
        .incomplete, "\(file.name) ends after \(counted(reader.bytes, "byte")); the manifest says \(file.bytes).")
    }
    check(file, reader, &report)
  }

  private func open(_ file: ExportManifest.File, _ report: inout ExportReport) throws(ExportError) -> LineReader? {
    let path = directory + "/" + file.name
    guard access(path, F_OK) == 0 || errno != ENOENT else {
      report.found(.incomplete, "\(file.name), which the manifest names, is missing.")
      return nil
    }
    return try LineReader(path)
  }

  private func check(_ file: ExportManifest.File, _ reader: borrowing LineReader, _ report: inout ExportReport) {
    if reader.bytes != file.bytes || reader.sha256.hex != file.sha256 {
      report.found(.edited, "\(file.name) is not the file of the manifest: its length or SHA-256 differs.")
    }
  }

  private func checkEvents(_ manifest: ExportManifest, _ report: inout ExportReport) throws(ExportError) {
    guard let file = manifest.files.first(where: { $0.name == Export.eventsName }),
      var reader = try open(file, &report)
    else { return }
    let omitted = manifest.files.contains { $0.name == Export.omittedName }
    let bytes = omitted ? try read(Export.omittedName, bytesMax: Self.omittedBytesMax) : nil
    var pass = EventsPass(manifest, omitted: bytes ?? [])
    while let line = try reader.next() { pass.check(line, number: reader.lines, &report) }
    report.records = reader.lines
    pass.finish(&report)
    if reader.lines < file.lines {
      report.found(
        .incomplete, "\(file.name) has \(counted(reader.lines, "whole line")); the manifest says \(file.lines).")
    }
    check(file, reader, &report)
  }
}

extension ExportManifest.Epoch {
  /// The checkpoint that proves the epoch; nil when there is none, or none that can be read.
  fileprivate func stated(_ report: inout ExportReport) -> ProvedCheckpoint? {
    guard let checkpoint else { return nil }
    do throws(NoteError) { return try ProvedCheckpoint(note: try SignedNote(bytes: Array(checkpoint.utf8))) } catch {
      report.found(.badSignature, "The checkpoint of epoch \(epoch) cannot be read: \(error)")
      return nil
    }
  }
}
