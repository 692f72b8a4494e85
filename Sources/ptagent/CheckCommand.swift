internal import AgentCore
internal import ArgumentParser
internal import Platform
internal import Settings

struct CheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tell whether this program could run here, and write nothing.",
    discussion: """
      Reads the configuration, vendor profiles, journal and identity as a start would, also beside an agent that runs: an upgrade asks the new program \
      before it takes over. Run it as the agent's user. Exits 0 when the agent could run; otherwise with the status that `ptagent run` would \
      end with, and the reason.

        ptagent check
        runuser -u printtrail -- ptagent check --config /etc/printtrail/ptagent.toml
      """
  )

  @OptionGroup var file: ConfigurationOption

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      explainFaults(in: configuration.journal.directory)
      let check = try AgentCheck(configuration, file: file.path)
      try Output.write((["ptagent \(Release.version)"] + check.lines).joined(separator: "\n") + "\n")
    }
  }
}
