internal import AgentCore
internal import ArgumentParser
internal import Journal
internal import Settings
internal import Platform

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Look at the configuration.",
    subcommands: [ConfigCheckCommand.self, ConfigExplainCommand.self])
}

struct ConfigCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tell everything that is wrong with a configuration file.",
    discussion:
      """
      Each mistake with file, line, what was found and what was expected. What is allowed and can hardly be meant (a range that is wholly \
      excluded, the same range twice or within others before it, no range, two offsets for one device, an alert of silence that comes after \
      retiring) is a warning on standard error. Exits 0 when there is no mistake, 78 when there is any.

        ptagent config check
        ptagent config check --config ptagent.toml
      """
  )

  @OptionGroup var file: ConfigurationOption

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      _ = try LocalProfiles(configuration.profiles)
      try ConsoleService.check(configuration)
      for warning in configuration.warnings { Machine.tell("warning: \(warning)\n") }
      let ranges = configuration.discovery.ranges.count
      let hub = configuration.hub.map { "hub \($0.csr)" } ?? "no hub"
      try Output.write("\(file.path) is correct: \(ranges) \(ranges == 1 ? "range" : "ranges"), \(hub).\n")
    }
  }
}

struct ConfigExplainCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "explain",
    abstract: "Show each key that the hub may set, with the value in use and where it comes from.",
    discussion:
      """
      ORIGIN is default; file, with its line: what stands there is not overridden; hub, with the version of its settings; or both, of what is forbidden \
      (exclusions, do_not_touch). Works beside a running agent and without one. What the hub set and the agent refused is told with the reason.

        ptagent config explain
        ptagent config explain --output json
      """
  )

  @OptionGroup var file: ConfigurationOption
  @Option(help: "table or json.")
  var output = OutputFormat.table

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      let directory = configuration.journal.directory
      var report = SettingsReport(configuration, nil)
      // Before the agent ran there is none.
      if Files.exists(directory + "/data.mdb") {
        explainFaults(in: directory)
        do {
          report = try SettingsReport(configuration, try JournalReader.open(directory: directory))
        } catch let error as JournalError {
          throw AgentFailure(error, directory: directory)
        }
      }
      try Output.write(output == .json ? try report.json() : report.text)
    }
  }
}
