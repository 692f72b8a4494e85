internal import AgentCore
internal import ArgumentParser
internal import Settings
internal import Platform

struct ConfigCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "config", abstract: "Look at the configuration.", subcommands: [ConfigCheckCommand.self])
}

struct ConfigCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tell everything that is wrong with a configuration file.",
    discussion:
      """
      Each mistake with file, line, what was found and what was expected. What is allowed and can hardly be meant (a range that is wholly \
      excluded, the same range twice) is a warning on standard error. Exits 0 when there is no mistake, 78 when there is any.

        ptagent config check
        ptagent config check --config ptagent.toml
      """
  )

  @OptionGroup var file: ConfigurationOption

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      _ = try LocalProfiles(configuration.profiles)
      for warning in configuration.warnings { Machine.tell("warning: \(warning)\n") }
      let ranges = configuration.discovery.ranges.count
      let hub = configuration.hub.map { "hub \($0.csr)" } ?? "no hub"
      try Output.write("\(file.path) is correct: \(ranges) \(ranges == 1 ? "range" : "ranges"), \(hub).\n")
    }
  }
}
