internal import ArgumentParser
internal import Evidence
internal import Journal
internal import ReadModels

struct Verify: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Recomputes every hash of a journal, an export or a proof, and names the first thing that is wrong.",
    discussion: """
      A journal: every record's leaf hash, the gapless sequence, the tree against every checkpoint, every checkpoint's signature. An export: \
      the same from its files alone, and that each line shows what its payload says. A proof (--proof): that its record is in the tree that was \
      signed. Give --key with the journal's verifier key, as the hub or the operator knows it (`ptjournal key`), to be sure that nobody else \
      signed; a proof needs it. Keys of others, such as the hub's, must have signed beside the journal: a proof's checkpoints, and of an \
      export such as cover every record (`ptjournal export --to` the last that `ptjournal stat` calls countersigned).

        ptjournal verify /var/lib/printtrail/journal
        ptjournal verify export-2026-03 --key "$(cat journal.pub)"
        ptjournal prove /var/lib/printtrail/journal 1/4711 > 4711.proof
        ptjournal verify --proof 4711.proof --key "$(cat journal.pub)"

      EXIT STATUS of exports and proofs; of several, the lowest
        0   sound
        10  the form of a proof or a manifest is wrong
        11  the export has no manifest
        12  it is of another journal than the key's
        13  a key that is trusted did not sign
        14  a signature is wrong: what was signed, or the signature, was changed
        15  a file, lines or bytes are missing
        16  something was edited: it is not what its hash or its neighbours say
        17  the hashes do not lead to the root that was signed
        18  something lies in the export's directory that the manifest does not name
        19  records lie under no checkpoint that a countersigner's key has signed
      A journal that is not sound: 1; one that is not the key's: 12 or 13. Others as `ptjournal --help` lists them.
      """)

  @Argument(help: "A journal's directory, or an export's.", completion: .directory)
  var path: String?
  @Option(help: "Check this proof instead; - reads standard input.", completion: .file())
  var proof: String?
  @OptionGroup var trust: TrustOption
  @OptionGroup var format: OutputOption

  func validate() throws {
    guard (path == nil) != (proof == nil) else { throw ValidationError("Give either a directory or --proof FILE.") }
    guard proof == nil || trust.keys != nil else { throw TrustOption.noJournal }
  }

  func run() throws {
    try orExit {
      if let proof, let trusted = trust.keys { return try verifyProof(proof, trusted) }
      guard let path else { return }
      ExportVerifier.isExport(path) ? try verifyExport(path) : try verifyJournal(path)
    }
  }

  private func verifyJournal(_ path: String) throws {
    Damage.explain(path)
    let reader = try JournalReader.open(directory: path)
    if let trusted = trust.keys {
      guard trusted.countersigners.isEmpty else {
        throw ValidationError(
          "Keys of others are for exports and proofs: a journal's checkpoints may still wait for their signatures.")
      }
      if let finding = trusted.finding(on: reader.identity) {
        switch format.output {
        case .text: Output.write("NOT SOUND: \(finding)\n")
        case .json: showJSON(records: nil, checkpoints: nil, findings: [finding.description])
        }
        throw ExitCode(finding.fault.rawValue)
      }
    }
    let report = try JournalVerifier(reader).verify()
    if format.output == .text {
      for removed in report.removed { Output.write("removed by retention: the records through \(removed)\n") }
      for lost in report.lost { Output.write("lost by earlier damage: \(lost)\n") }
    }
    show(
      records: report.records, checkpoints: report.checkpoints, what: "up to \(report.head)",
      findings: report.findings.map(\.description), of: report.findingCount)
    if !report.isSound { throw ExitCode(ExitStatus.wrong) }
  }

  private func verifyExport(_ path: String) throws {
    let report = try ExportVerifier(directory: path, trusted: trust.keys).verify()
    let table =
      report.readings.map { "; readings.csv has \(counted($0, "line")), and the seal alone as its proof" } ?? ""
    let others = report.records - min(report.sealed, report.records)
    let unproved = others > 0 ? "; \(counted(others, "record")) with the export's seal alone as proof" : ""
    if format.output == .text { for lost in report.lost { Output.write("lost by earlier damage: \(lost)\n") } }
    show(
      records: report.records, checkpoints: report.checkpoints,
      what:
        "of journal \(report.journal.isEmpty ? "unknown" : report.journal), \(report.sealed) sealed by a checkpoint, "
        + "\(report.omitted) left out\(unproved)\(table)",
      findings: report.findings.map(\.description), of: report.findings.count)
    if trust.keys == nil, report.isSound, format.output == .text {
      Output.write("Signed with a key that the export itself names; compare it with the journal's: \(report.key)\n")
    }
    if let gravest = report.gravest { throw ExitCode(gravest.fault.rawValue) }
  }

  private func verifyProof(_ path: String, _ trusted: TrustedKeys) throws {
    let outcome = try ProofCheck.outcome(ofProofAt: path, trusted)
    switch (format.output, outcome) {
    case (.text, .success(let proved)): Output.write("Sound: \(proved)\n")
    case (.text, .failure(let finding)): Output.write("NOT SOUND: \(finding)\n")
    case (.json, .success): showJSON(records: nil, checkpoints: nil, findings: [])
    case (.json, .failure(let finding)): showJSON(records: nil, checkpoints: nil, findings: [finding.description])
    }
    if case .failure(let finding) = outcome { throw ExitCode(finding.fault.rawValue) }
  }

  private func show(records: UInt64, checkpoints: Int, what: String, findings: [String], of count: Int) {
    guard format.output == .text else {
      return showJSON(records: records, checkpoints: checkpoints, findings: findings)
    }
    for finding in findings { Output.write("wrong: \(finding)\n") }
    if count > findings.count { Output.write("and \(count - findings.count) more\n") }
    Output.write(
      count == 0
        ? "Sound: \(counted(records, "record")) \(what), \(counted(checkpoints, "checkpoint")).\n"
        : "NOT SOUND: \(counted(count, "finding")) in \(counted(records, "record")) \(what).\n")
  }

  private func showJSON(records: UInt64?, checkpoints: Int?, findings: [String]) {
    var json = JSONWriter()
    json.object { json in
      json.key("sound")
      json.bool(findings.isEmpty)
      json.member("records", records)
      json.member("checkpoints", checkpoints)
      json.key("findings")
      json.array(findings) { $0.string($1) }
    }
    Output.line(json.take())
  }
}
