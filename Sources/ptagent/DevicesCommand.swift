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

        ptagent devices
        ptagent devices --config ptagent.toml --output json | jq '.devices[] | {address, meters}'
      """)

  @OptionGroup var file: ConfigurationOption
  @Option(help: "table or json.")
  var output = OutputFormat.table

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      let directory = configuration.journal.directory
      do {
        explainFaults(in: directory)
        let fleet = try FleetView.load(try JournalReader.open(directory: directory))
        let text =
          output == .json
          ? String(decoding: FleetReport.json(of: fleet), as: UTF8.self) + "\n" : FleetReport.table(of: fleet)
        try Output.write(text)
      } catch let error as JournalError {
        throw AgentFailure(error, directory: directory)
      }
    }
  }
}
