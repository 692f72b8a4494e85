internal import AgentCore
internal import ArgumentParser
internal import Enrolment
internal import Logging
internal import Platform
internal import Settings

struct EnrollCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "enroll",
    abstract: "Enrol this machine at the hub with a DataLink code.",
    discussion: """
      Makes a private key on this machine, which it never leaves, and gets a certificate for it. The hub is recognised by hub.ca_pin or \
      hub.ca_file. When the connection breaks in between, give the same command again: the code is used once, and one machine becomes one \
      install. An agent that runs goes on with the new identity by itself.

        ptagent enroll --code 0123456789abcdef01234567
        echo 0123456789abcdef01234567 | ptagent enroll --code -       keeps the code out of the list of processes
        DATALINK_CODE=0123456789abcdef01234567 ptagent enroll --config ptagent.toml
        ptagent enroll --again --code ...                             a new install on the same machine

      Exits 69 when the hub does not answer, 77 when the code is refused or the hub is not the one that is configured.
      """)

  @OptionGroup var file: ConfigurationOption
  @Option(
    help: ArgumentHelp(
      "The DataLink code, 24 hexadecimal digits; - reads it from standard input. Without it: DATALINK_CODE of the environment.",
      valueName: "code"))
  var code: String?
  @Flag(help: "Become a new install, although this machine is one already.")
  var again = false

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      let enrolment = AgentEnrolment(configuration, logger: Logger(configuration.log))
      let outcome = try await enrolment.enrol(code: try givenCode(), isAgain: again)
      let next =
        outcome.isAgentRunning
        ? "The agent that runs goes on with it." : "Start the agent: ptagent run --config \(file.path)"
      try Output.write("Enrolled as install \(outcome.identity.installID) of \(outcome.identity.entity).\n\(next)\n")
    }
  }

  private func givenCode() throws -> String {
    switch code {
    case "-"?: if let line = readLine() { return line }
    case let code?: return code
    case nil: if let code = Machine.environment("DATALINK_CODE") { return code }
    }
    throw AgentFailure(
      .usage, "No DataLink code was given. Use --code, DATALINK_CODE, or --code - with the code on standard input.")
  }
}
