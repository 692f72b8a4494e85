// pthub device list | show

internal import ArgumentParser
internal import HubServer

struct DeviceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "device",
    abstract: "The devices that agents read.",
    subcommands: [List.self, Show.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the devices.",
      discussion: """
        A printer that several agents of an entity see is one device. TOTAL is its meter `total` as last read; - stands for what it did not tell.
        """)

    @OptionGroup var hub: HubOptions
    @OptionGroup var report: ReportOptions

    func run() async throws {
      let (_, store) = try hub.open()
      try await report.show(
        .devices, in: store, empty: "No agent has found a device yet. See `pthub install list` for the agents.")
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show one device: its meters, supplies that are due, and open alerts.",
      discussion: "The device is named by its id, or the beginning of it, or by its serial number.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var report: ReportOptions
    @Argument(help: "The device's id or serial number.") var device: String

    func run() async throws {
      let (_, store) = try hub.open()
      try await store.foldEverything()
      let id = try await store.findDevice(device, entity: report.entity)
      for (kind, empty) in [
        (Report.devices, "-"), (.meters, "It told no meters."), (.supplies, "No supply is due."),
        (.alerts, "No alert is open."),
      ] {
        try await report.show(kind, in: store, device: id, empty: empty)
        if report.output == .table { printLine("") }
      }
    }
  }
}
