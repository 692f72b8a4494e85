internal import ArgumentParser
internal import Events
internal import OpenSSL
internal import Projections
internal import ReadModels

struct ReplayCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Folds all events again, prints what they give, and compares it with the live state.",
    discussion: """
      Prints current meters, supplies and alerts as of the last record that was folded. Where that is the head, the digest over the result \
      is compared with the digest over the state that stands beside the journal; they differ only if one of them was changed by something \
      else than events. Exit status 1 then. A live state that a program with other rules wrote (another version of the fold) is not compared. JSON holds the same, with each device's meters, supplies and alerts under devices.

      \(JournalPoint.timesExplained)

        ptjournal replay /var/lib/printtrail/journal
        ptjournal replay /var/lib/printtrail/journal --to 2026-11-23T08:15Z
        ptjournal replay /var/lib/printtrail/journal --to 2026-11-23T09:15+01:00
        ptjournal replay /var/lib/printtrail/journal --to 1/4711 --output json | jq '.devices[].meters'
        ptjournal replay /var/lib/printtrail/journal --into state
      """)

  @OptionGroup var argument: JournalArgument
  @OptionGroup var format: OutputOption
  @Option(
    help: "Stop after this SEQUENCE or EPOCH/SEQUENCE, or before the first record that was taken after this time.",
    transform: JournalPoint.parsed)
  var to: JournalPoint?
  @Option(help: "Write the result into this directory: fleet.json and replay.json.", completion: .directory)
  var into: String?
  @Flag(help: "Replace the replay that is in the directory already.")
  var force = false

  func validate() throws {
    guard into != nil || !force else {
      throw ValidationError("--force is about the files of --into DIRECTORY. Name one.")
    }
  }

  func run() throws {
    let reader = try argument.open()
    try orExit {
      let result = try Replay.run(reader, to: to ?? .head)
      if let into {
        try ReplayFiles.write(
          fleet: FleetReport.json(of: result.state), summary: result.json(), into: into, replacing: force)
      }
      switch format.output {
      case .json: Output.line(result.json(withDevices: true))
      case .text: Output.write(FleetReport.table(of: result.state) + "\n" + text(result))
      }
      if result.isEqual == false { throw ExitCode(ExitStatus.wrong) }
    }
  }

  private func text(_ result: ReplayResult) -> String {
    let base = result.base.map { " behind the snapshot at \($0)" } ?? ""
    let records = counted(result.records, "record")
    var text = "\(records) folded\(base) up to \(result.position), digest \(result.digest.hex)\n"
    if let first = result.firstUnreadable {
      text +=
        "Left out, being no events of this release: \(counted(result.unreadable, "record")); the first is \(first.position): \(first.reason)\n"
    }
    switch result.isEqual {
    case true?: text += "The live state is equal.\n"
    case false?: text += "THE LIVE STATE DIFFERS: \(result.liveDigest?.hex ?? "")\n"
    case nil: text += "Not compared: \(result.live.obstacle ?? "").\n"
    }
    return text
  }
}
