// pthub alert list | history

internal import ArgumentParser
internal import HubServer

struct AlertCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "alert",
    abstract: "The alerts of devices, and of the agents themselves.",
    subcommands: [List.self, History.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the alerts that are open, the newest first.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var report: ReportOptions

    func run() async throws {
      let (_, store) = try hub.open()
      try await report.show(.alerts, in: store, empty: "No alert is open.")
    }
  }

  struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List what was wrong with agents, and is, the newest first.",
      discussion: """
        An alert that came back within ten minutes is the same one again; `raises` counts that. One about no install, `silence`, tells that so many do not report that it must \
        be the hub or the way to it.
        """)

    @OptionGroup var hub: HubOptions
    @OptionGroup var report: ReportOptions

    func run() async throws {
      let (_, store) = try hub.open()
      try await report.show(.installAlerts, in: store, empty: "There never was an alert about an agent.")
    }
  }
}
