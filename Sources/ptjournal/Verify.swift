internal import ArgumentParser
internal import Glibc
internal import Journal
internal import ReadModels

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Recomputes every hash of a journal or an export, and names the first record that is wrong.",
    discussion: """
      A journal: every record's leaf hash, the gapless sequence, the tree against every checkpoint, every checkpoint's signature. An export: \
      the same from its files alone, and that each line shows what its payload says. Give --key with the journal's verifier key, as the hub \
      or the operator knows it, to be sure that the export was not signed anew by someone else.
      """)

  @Argument(help: "A journal's directory, or an export's.", completion: .directory)
  var path: String
  @Option(help: "The verifier key to trust, name+id+base64.")
  var key: String?
  @OptionGroup var format: OutputOption

  func run() throws {
    try orExit {
      let isSound =
        access(path + "/" + Export.manifestName, F_OK) == 0 ? try verifyExport() : try verifyJournal()
      if !isSound { throw ExitCode(ExitStatus.wrong) }
    }
  }

  private func verifyJournal() throws -> Bool {
    Damage.explain(path)
    let report = try JournalVerifier(JournalReader.open(directory: path)).verify()
    if format.output == .text {
      for lost in report.lost { Output.write("lost by earlier damage: \(lost)\n") }
    }
    show(
      records: report.records, checkpoints: report.checkpoints, what: "up to \(report.head)",
      findings: report.findings.map(\.description), of: report.findingCount)
    return report.isSound
  }

  private func verifyExport() throws -> Bool {
    let report = try ExportVerifier(directory: path, trustedKey: key).verify()
    show(
      records: report.records, checkpoints: report.keys.count,
      what: "of journal \(report.journal), \(report.sealed) sealed by a checkpoint",
      findings: report.findings.map(\.description),
      of: report.findings.count)
    if key == nil, format.output == .text {
      for key in report.keys { Output.write("key \(key)\n") }
    }
    return report.isSound
  }

  private func show(records: UInt64, checkpoints: Int, what: String, findings: [String], of count: Int) {
    switch format.output {
    case .text:
      for finding in findings { Output.write("wrong: \(finding)\n") }
      if count > findings.count { Output.write("and \(count - findings.count) more\n") }
      Output.write(
        count == 0
          ? "Sound: \(records) records \(what), \(checkpoints) checkpoints.\n"
          : "NOT SOUND: \(count) findings in \(records) records \(what).\n")
    case .json:
      var json = JSONWriter()
      json.object { json in
        json.key("sound")
        json.bool(count == 0)
        json.member("records", records)
        json.member("checkpoints", checkpoints)
        json.key("findings")
        json.array(findings) { $0.string($1) }
      }
      Output.line(json.take())
    }
  }
}
