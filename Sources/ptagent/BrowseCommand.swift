internal import AgentCore
internal import ArgumentParser
internal import Collectors
internal import Discovery
internal import Platform

struct BrowseCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  static let configuration = CommandConfiguration(
    commandName: "browse",
    abstract: "List the printers that announce themselves by DNS-SD in the networks of this machine.",
    discussion: """
      Asks by multicast DNS for _ipp, _ipps, _printer and _pdl-datastream, and listens for three seconds. Printers that announce nothing, or stand \
      behind a router, are found by `ptagent sweep`.

        ptagent browse
        ptagent browse --output json
      """)

  @Option(help: "table, json or csv.")
  var output = Format.table

  mutating func run() async throws {
    try await reporting {
      let printers = try await AnnouncementBrowser.browse(HostInterface.all())
      switch output {
      case .table: try Output.write(AnnouncementReport.table(printers))
      case .json: try Output.write(AnnouncementReport.json(printers))
      case .csv: try Output.write(AnnouncementReport.csv(printers))
      }
    }
  }
}
