// pthub settings set | unset | show | explain | history

internal import ArgumentParser
internal import FoundationEssentials
internal import Glibc
internal import HubServer
internal import Settings

struct SettingsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "settings",
    abstract: "What agents are to do: set of an entity, an install or a device, and inherited.",
    discussion: """
      The nearest setting counts: an install has its own, else those of its entity, else those of the entity above, and so on; a device has its own, else those of the \
      install that reads it. Keys, units and limits are those of ptagent.toml (docs/configuration.md). What a site wrote into its own file is not overridden, only its \
      prohibitions (discovery.exclusions, discovery.do_not_touch) are joined with these.

      An agent takes all that is set of it, or nothing of it; `explain` says what became of it.

      KEYS
      \(SettingKey.all.map { "  \($0.name)\($0.isForDevices ? "  (of devices, too)" : "")" }.joined(separator: "\n"))
      """,
    subcommands: [Set.self, Unset.self, Show.self, Explain.self, History.self])

  /// One of three.
  struct Target: ParsableArguments {
    @Option(help: ArgumentHelp("Of this entity, and all under it.", valueName: "name")) var entity: String?
    @Option(help: ArgumentHelp("Of this install. The id may be cut short.", valueName: "id")) var install: String?
    @Option(help: ArgumentHelp("Of this device: its id or serial number.", valueName: "device")) var device: String?

    func find(in store: SQLStore) async throws -> SettingsTarget {
      guard let target = try await findIfGiven(in: store) else {
        throw HubError(.usage, "Of what? Give --entity, --install or --device.")
      }
      return target
    }

    func findIfGiven(in store: SQLStore) async throws -> SettingsTarget? {
      switch (entity, install, device) {
      case (nil, nil, nil): return nil
      case (let entity?, nil, nil): return .entity(entity)
      case (nil, let install?, nil): return .install(try await store.findInstall(install).id)
      case (nil, nil, let device?):
        try await store.foldEverything()
        return .device(try await store.findDevice(device, entity: nil))
      default: throw HubError(.usage, "Give one of --entity, --install and --device.")
      }
    }
  }

  struct Set: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Set one key or several, all of them or none.",
      discussion: """
        A text needs no quotes and a list no brackets: its elements have commas between them. What is no such list is written as TOML. Agents that are connected take it within \
        seconds, others when they come.

        EXAMPLES
          pthub settings set --entity Acme poll.interval=15m alerts.low_supply=12
          pthub settings set --install 7b0c5a1e discovery.sweep_times=06:00,13:30 discovery.sweep_days=mon,thu
          pthub settings set --install 7b0c5a1e 'discovery.ranges=[{ range = "10.1.0.0/24", credentials = ["office"] }]'
          pthub settings set --device VNB3K12345 alerts.low_supply=25
        """)

    @OptionGroup var hub: HubOptions
    @OptionGroup var target: Target
    @Argument(help: ArgumentHelp("What to set.", valueName: "key=value")) var assignments: [String]

    func run() async throws { try await change(try changes(), hub, target) }

    /// Not inlined: an optimizing compiler (Swift 6.3.1) fails on typed errors in a coroutine that it has made of both.
    @inline(never) private func changes() throws -> [SettingChange] {
      try assignments.map { assignment in
        guard let sign = assignment.firstIndex(of: "=") else {
          throw HubError(.usage, "'\(assignment)' sets nothing: write KEY=VALUE.")
        }
        let (name, text) = (String(assignment[..<sign]), String(assignment[assignment.index(after: sign)...]))
        return SettingChange(key: name, value: try SettingWords.key(name).value(written: text))
      }
    }
  }

  struct Unset: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Set one key or several no more: what is further away counts again.",
      discussion: """
        EXAMPLE
          pthub settings unset --install 7b0c5a1e poll.interval
        """)

    @OptionGroup var hub: HubOptions
    @OptionGroup var target: Target
    @Argument(help: ArgumentHelp("What to set no more.", valueName: "key")) var keys: [String]

    func run() async throws { try await change(try changes(), hub, target) }

    @inline(never) private func changes() throws -> [SettingChange] {
      try keys.map { SettingChange(key: try SettingWords.key($0).name, value: nil) }
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show what is set of an entity, an install or a device itself, without what it inherits.")

    private struct Line: Encodable {
      let key: String
      let value: String
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var target: Target
    @Option(name: .shortAndLong, help: "How to print: table, json or csv.") var output: ReportFormat = .table

    func run() async throws {
      let (_, store) = try hub.open()
      let lines = try await store.settings(at: try await target.find(in: store)).map {
        Line(key: $0.key, value: $0.value)
      }
      try show(
        lines, as: output, table: [("KEY", \.key), ("VALUE", \.value)], csv: [("key", \.key), ("value", \.value)],
        empty: "Nothing is set here. `pthub settings explain` shows what is inherited.")
    }
  }

  struct History: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show who set what, the newest first: everywhere, or of one entity, install or device itself.")

    private struct Line: Encodable {
      let number: Int64
      let time: String
      let author: String
      let target: String
      let key: String
      let before: String?
      let value: String?
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var target: Target
    @Option(name: .shortAndLong, help: "How to print: table, json or csv.") var output: ReportFormat = .table
    @Option(help: ArgumentHelp("How many changes.", valueName: "n")) var limit = 100

    func run() async throws {
      guard limit > 0 else { throw HubError(.usage, "--limit must be 1 or more.") }
      let (_, store) = try hub.open()
      let history = try await store.settingHistory(of: try await target.findIfGiven(in: store), limit: limit)
      let lines = history.map {
        Line(
          number: $0.number, time: timeText($0.at), author: $0.author, target: $0.target, key: $0.key,
          before: $0.before, value: $0.value)
      }
      try show(
        lines, as: output,
        table: [
          ("TIME", \.time), ("BY", \.author), ("OF", \.target), ("KEY", \.key), ("BEFORE", { $0.before ?? "-" }),
          ("AFTER", { $0.value ?? "-" }),
        ],
        csv: [
          ("number", { "\($0.number)" }), ("time", \.time), ("author", \.author), ("target", \.target), ("key", \.key),
          ("before", { $0.before ?? "" }), ("value", { $0.value ?? "" }),
        ], empty: "Nothing was ever set.")
    }
  }
}

private func change(_ changes: [SettingChange], _ hub: HubOptions, _ target: SettingsCommand.Target) async throws {
  let (_, store) = try hub.open()
  let place = try await target.find(in: store)
  let changed = try await store.change(changes, at: place, author: operatorName(), now: HubClock.system.now)
  printLine(
    changed == 0 ? "Nothing is another now." : "\(changed) \(changed == 1 ? "setting is" : "settings are") another now."
  )
}
