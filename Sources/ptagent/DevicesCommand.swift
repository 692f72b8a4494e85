internal import AgentCore
internal import ArgumentParser
internal import Settings
internal import Journal
internal import Platform
internal import ReadModels

struct DevicesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "devices",
    abstract: "Show the devices as the journal has them.",
    discussion: """
      Meters are exact numbers of the device or absent; a supply's level is a number only where the device measured it (~ where it knows only a \
      few steps); of a waste box the room that is left is told. DEVICE is the beginning of the id by which ptjournal export --device takes \
      it. Works beside a running agent and without one.

      --why shows what decided about a device's identity, each decision with its evidence: discovered, moved, replaced, merged, retired, \
      returned, and what it says of itself. --days-left shows how long each supply lasts, with the interval in which it is empty in 95 of 100 \
      cases, from its levels since it was last replaced; unknown where they are too few. Both go through the journal.

        ptagent devices
        ptagent devices --why 10.0.0.7
        ptagent devices --days-left
        ptagent devices --config ptagent.toml --output json | jq '.devices[] | {address, meters}'
      """)

  @OptionGroup var file: ConfigurationOption
  @Flag(name: .customLong("why"), help: "Show what decided about the identity of DEVICE, or of every device.")
  var isWhy = false
  @Flag(name: .customLong("days-left"), help: "Show how long the supplies of DEVICE, or of every device, last.")
  var isDaysLeft = false
  @Option(help: "table or json.")
  var output = OutputFormat.table
  @Argument(help: "With --why or --days-left: its id or at least four digits of it, its serial number, or its address.")
  var device: String?

  func validate() throws {
    guard !(isWhy && isDaysLeft) else { throw ValidationError("--why and --days-left exclude each other.") }
    guard device == nil || isWhy || isDaysLeft else {
      throw ValidationError("DEVICE goes with --why or --days-left; without them every device is shown.")
    }
  }

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      let directory = configuration.journal.directory
      do {
        explainFaults(in: directory)
        try Output.write(try text(of: try JournalReader.open(directory: directory)))
      } catch let error as SearchError {
        throw AgentFailure(.noInput, error.description)
      } catch let error as JournalError {
        throw AgentFailure(error, directory: directory)
      }
    }
  }

  private func text(of reader: JournalReader) throws -> String {
    func line(_ json: [UInt8]) -> String { String(decoding: json, as: UTF8.self) + "\n" }
    if isWhy {
      let trail = try IdentityTrail(reader, device: device)
      return output == .json ? line(trail.json) : trail.text
    }
    if isDaysLeft {
      let outlook = try SupplyOutlook(reader, device: device, at: Machine.milliseconds)
      return output == .json ? line(outlook.json) : outlook.text
    }
    let fleet = try FleetView.load(reader)
    return output == .json ? line(FleetReport.json(of: fleet)) : FleetReport.table(of: fleet)
  }
}
