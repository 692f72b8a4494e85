// pthub device list | show | retire

internal import ArgumentParser
internal import HubServer

struct DeviceCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "device",
    abstract: "The devices that agents read.",
    subcommands: [List.self, Show.self, Retire.self], defaultSubcommand: List.self)

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the devices.",
      discussion: """
        A printer that several agents of an entity see is one device. TOTAL is its meter `total` as last read; - stands for what it did not tell. STATE is also `retired`, \
        by an operator or because it was not read for very long, and `unwatched`: the agent that read it was revoked.
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

  struct Retire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take a device out of open alerts and due supplies: its customer left, or it is scrapped.",
      discussion: """
        It is listed as `retired`, and what it counted stays. It comes back by itself when an agent reads it again; --undo takes it back before. The device is named by its id, or \
        the beginning of it, or by its serial number. `pthub audit --action device.` has who retired what, and why.

        EXAMPLE
          pthub device retire VNB3K12345 --reason "Acme left us on 31 March"
        """)

    @OptionGroup var hub: HubOptions
    @Option(help: ArgumentHelp("Why: for the audit trail.", valueName: "text")) var reason: String?
    @Flag(help: "Take it back.") var undo = false
    @Option(help: ArgumentHelp("The device is of this entity, or one under it.", valueName: "name")) var entity: String?
    @Argument(help: "The device's id or serial number.") var device: String

    func validate() throws {
      guard undo || reason != nil else { throw ValidationError("Why? Give --reason.") }
    }

    func run() async throws {
      let (_, store) = try hub.open()
      try await store.foldEverything()
      let id = try await store.findDevice(device, entity: entity)
      let (actor, now) = (Actor(name: operatorName()), HubClock.system.now)
      guard !undo else {
        return printLine(
          try await store.keepDevice(id, by: actor, now: now) ? "It is retired no more." : "It is not retired.")
      }
      switch try await store.retireDevice(id, reason: reason ?? "", by: actor, now: now) {
      case .wasRetired: printLine("It is retired already.")
      case .retired(isRead: false): printLine("It is retired until an agent reads it again.")
      case .retired(isRead: true):
        printLine(
          "It is retired. Where an agent still reads it, the next reading brings it back: revoke that agent first.")
      }
    }
  }
}
