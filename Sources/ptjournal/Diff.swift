internal import ArgumentParser
internal import Events
internal import Journal
internal import PrinterModel
internal import ReadModels

struct Diff: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Interprets old readings again under other vendor profiles, and prints the values that would change.",
    discussion: """
      The raw objects of each reading are in the journal. With --profile, those profiles (docs/formats/profiles.md) are laid over the shipped \
      ones, of which one of the same name is replaced; without it, the shipped ones alone tell what this release would read otherwise. A line \
      a value where it begins to differ and wherever it moves; --output json prints an object a line, and the summary last. A value that \
      stays the same under another rule is counted only. The journal is never changed.

      \(JournalPoint.timesExplained)

      EXIT STATUS
        0   nothing would change
        1   a value would change
        65  a profile is refused; every error is named with file and line
      others as `ptjournal --help` lists them.
      """)

  @OptionGroup var argument: JournalArgument
  @Option(
    name: .customLong("profile"), help: "A profile file, or a directory of them (*.toml); may be given again.",
    completion: .file(extensions: ["toml"]))
  var profiles: [String] = []
  @Option(help: "Only this device: its id or at least four digits of it, its serial number, or its address.")
  var device: String?
  @Option(help: "Leave out readings before this SEQUENCE, EPOCH/SEQUENCE or time.", transform: JournalPoint.parsed)
  var from: JournalPoint?
  @Option(help: "Leave out readings after this SEQUENCE, EPOCH/SEQUENCE or time.", transform: JournalPoint.parsed)
  var to: JournalPoint?
  @OptionGroup var format: OutputOption

  func run() throws {
    let reader = try argument.open()
    let summary = try orExit {
      try orCandidates {
        let set = try loadProfiles()
        let range = try JournalRange(reader, from: from, to: to ?? .head)
        let id = try device.map { try DeviceSearch.device($0, reader, through: range.last).id }
        return try Reinterpretation(reader, set, range: range, device: id).run { value in
          Output.line(format.output == .json ? value.json : Array(value.text.utf8))
        }
      }
    }
    switch format.output {
    case .text: Output.write(summary.text)
    case .json: Output.line(summary.json)
    }
    if !summary.isUnchanged { throw ExitCode(ExitStatus.wrong) }
  }

  private func loadProfiles() throws -> ProfileSet {
    do { return try ProfileFiles.load(profiles) } catch let error as ProfileFilesError {
      for refusal in error.refusals { Output.complain("\(refusal)") }
      throw ExitCode(ExitStatus.data)
    }
  }
}
