internal import ArgumentParser
internal import Events
internal import Evidence
internal import Journal
internal import OpenSSL
internal import ReadModels

struct ExportCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Writes events that anyone can check, or readings for a spreadsheet.",
    discussion: """
      With --into, writes events.jsonl (CloudEvents 1.0) or readings.csv with manifest.json, which holds the signed checkpoints, and seals the \
      manifest with the journal's key; `ptjournal verify` and tools/verify_export.py check the directory without the journal. Without --into, \
      prints the lines alone. The same journal and options give the same bytes each time.

      An export that is in the directory already is replaced with --force alone, and only once the new one is complete. A journal's directory \
      is refused, and one with files that are no export's: verification would find fault with them.

      \(JournalPoint.timesExplained) Records of both times are in.

        ptjournal export /var/lib/printtrail/journal --into evidence
        ptjournal export /var/lib/printtrail/journal --into march --format csv --from 2026-03-01 --to 2026-04-01
        ptjournal export /var/lib/printtrail/journal --device 10.0.0.7 --type AlertRaised --type AlertCleared
      """)

  @OptionGroup var argument: JournalArgument
  @Option(help: "The directory to write into; made where it is missing.", completion: .directory)
  var into: String?
  @Option(help: "jsonl: CloudEvents, a line each; csv: one meter value a line.")
  var format: ExportOptions.Format = .jsonl
  @Option(help: "Leave out what is before this SEQUENCE, EPOCH/SEQUENCE or time.", transform: JournalPoint.parsed)
  var from: JournalPoint?
  @Option(help: "Leave out what is after this SEQUENCE, EPOCH/SEQUENCE or time.", transform: JournalPoint.parsed)
  var to: JournalPoint?
  @Option(
    help: ArgumentHelp(
      "Only events of this device: its id or the first 4 digits or more, its serial number or its address.",
      valueName: "device"))
  var device: String?
  @Option(name: .customLong("type"), help: "Only events of this type, for example AlertRaised; may be given again.")
  var types: [EventTypeName] = []
  @Flag(help: "Do not seal the manifest, as a copy of a journal without its key cannot. Verification will say so.")
  var unsigned = false
  @Flag(help: "Replace the export that is in the directory already.")
  var force = false

  func validate() throws {
    guard into != nil || !force else {
      throw ValidationError("--force is about the files of --into DIRECTORY. Name one.")
    }
  }

  func run() throws {
    let reader = try argument.open()
    var options = ExportOptions()
    options.format = format
    options.from = from
    options.to = to ?? .head
    options.types = Set(types.map(\.number))
    try orExit {
      options.device = try device.map { try DeviceReference($0).device(in: .live(reader)) }
      let export = Export(reader, options)
      guard let into else {
        var lines = 0
        let unreadable = try export.lines { line in
          lines += 1
          Output.line(line)
        }
        return tell(isEmpty: lines == (format == .csv ? 1 : 0), unreadable: unreadable)
      }
      let summary = try export.write(
        into: into, signer: unsigned ? nil : try signer(reader), replacing: force)
      for file in summary.files {
        Output.write("\(into)/\(file.name)  \(counted(file.lines, "line"))  sha256 \(file.sha256.hex)\n")
      }
      tell(isEmpty: summary.records == 0, unreadable: summary.unreadable)
    }
  }
}

extension ExportCommand {
  private func tell(isEmpty: Bool, unreadable: UInt64) {
    if isEmpty { Output.complain("No record is what was asked for: the export is empty.") }
    guard unreadable > 0 else { return }
    Output.complain(
      "Records that this release cannot read, and that have no row here: \(unreadable). Use the release that wrote them, or --format jsonl, "
        + "which keeps them as they are.")
  }

  private func signer(_ reader: JournalReader) throws -> SignerKey {
    do { return try reader.signer() } catch JournalError.keyMissing(let path) {
      Output.complain(
        "The export cannot be sealed: \(path) has no journal.key. Export where the key is, or with --unsigned.")
      throw ExitCode(ExitStatus.noInput)
    }
  }
}

struct EventTypeName: ExpressibleByArgument {
  let number: UInt16

  init?(argument: String) {
    guard let match = EventType.names.first(where: { $0.value.lowercased() == argument.lowercased() }) else {
      return nil
    }
    number = match.key
  }

  static var allValueStrings: [String] { EventType.names.sorted { $0.key < $1.key }.map(\.value) }
}

extension ExportOptions.Format: ExpressibleByArgument {}
