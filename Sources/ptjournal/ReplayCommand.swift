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
      else than events. Exit status 1 then. A live state that a program with other rules wrote (another version of the fold) is not compared.
      """)

  @OptionGroup var argument: JournalArgument
  @OptionGroup var format: OutputOption
  @Option(
    help: "Stop after this SEQUENCE or EPOCH/SEQUENCE, or before what was appended after this time (2026-11-23T08:15Z)."
  )
  var to: JournalPoint?
  @Option(help: "Write the result into this directory: fleet.json and replay.json.", completion: .directory)
  var into: String?

  func run() throws {
    let reader = try argument.open()
    try orExit {
      let result = try Replay.run(reader, to: to ?? .head)
      let fleet = FleetReport.json(of: result.state)
      let summary = self.summary(result)
      if let into { try ReplayFiles.write(fleet: fleet, summary: summary, into: into) }
      switch format.output {
      case .json: Output.line(summary)
      case .text: Output.write(FleetReport.table(of: result.state) + "\n" + text(result))
      }
      if result.isEqual == false { throw ExitCode(ExitStatus.wrong) }
    }
  }

  private func text(_ result: ReplayResult) -> String {
    var text = "\(result.records) records folded up to \(result.position), digest \(result.digest.hex)\n"
    if let first = result.firstUnreadable {
      text +=
        "\(result.unreadable) records are no events of this release; the first is \(first.position): \(first.reason)\n"
    }
    switch result.isEqual {
    case true?: text += "The live state is equal.\n"
    case false?: text += "THE LIVE STATE DIFFERS: \(result.liveDigest?.hex ?? "")\n"
    case nil: text += "Not compared: \(result.live.obstacle ?? "").\n"
    }
    return text
  }

  private func summary(_ result: ReplayResult) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("records", result.records)
      json.key("position")
      json.position(result.position)
      json.member("unreadable", result.unreadable)
      json.member("devices", result.state.devices.count)
      json.member("foldVersion", FleetFold.currentVersion)
      json.member("digest", result.digest.hex)
      json.member("liveDigest", result.liveDigest?.hex)
      if let isEqual = result.isEqual {
        json.key("equal")
        json.bool(isEqual)
      }
      json.member("notCompared", result.live.obstacle)
    }
    return json.take()
  }
}

extension JournalPoint: ExpressibleByArgument {
  public init?(argument: String) { self.init(argument) }
}
