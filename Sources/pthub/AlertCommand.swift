// pthub alert list

internal import ArgumentParser
internal import HubServer

struct AlertCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alert",
    abstract: "The alerts of devices.",
    subcommands: [List.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the alerts that are open, the newest first.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var report: ReportOptions

    func run() async throws {
      let (_, store) = try hub.open()
      try await report.show(.alerts, in: store, empty: "No alert is open.")
    }
  }
}
