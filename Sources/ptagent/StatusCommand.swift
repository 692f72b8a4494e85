internal import AgentCore
internal import ArgumentParser
internal import Settings
internal import Journal
internal import Platform

struct StatusCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "status",
    abstract: "Show how the agent is: each part with its state, since when, and what to do.",
    discussion: """
      Works beside a running agent and without one. Exits 0 when it runs and nothing has failed, 1 when a part has failed or it hangs, 69 when \
      it does not run, 74 when it does not run and its journal is damaged. JSON is one object: presence (running, hanging, stopped or never), the \
      journal's numbers as they are now (or journalTrouble), and the status as the agent wrote it.

        ptagent status
        ptagent status --output json | jq .status.components
        ptagent status > /dev/null || echo "somebody should look"
      """
  )

  @OptionGroup var file: ConfigurationOption
  @Option(help: "table or json.")
  var output = OutputFormat.table

  mutating func run() async throws {
    var code: Int32 = 0
    try await reporting {
      let configuration = try file.load()
      let directory = configuration.journal.directory
      let (numbers, trouble) = try Self.numbers(directory)
      let report = StatusReport(
        status: try Self.status(configuration.state.directory), journal: numbers, journalTrouble: trouble,
        writer: JournalReader.writer(of: directory), isRunning: { Machine.isRunning($0, asThisProgram: true) },
        now: Machine.milliseconds)
      try Output.write(output == .json ? try report.json() : report.text)
      code = report.exitCode
    }
    if code != 0 { throw ExitCode(code) }
  }

  static func status(_ directory: String) throws -> AgentStatus? {
    do { return try AgentStatus.read(stateDirectory: directory) } catch let error as SystemError {
      throw AgentFailure(error.isPermissionDenied ? .permission : .inputOutput, error.description)
    } catch {
      throw AgentFailure(
        .inputOutput, "\(AgentStatus.path(in: directory)) is not a status that this program understands.")
    }
  }

  /// The journal's numbers, or why they cannot be had where that is the journal's fault.
  private static func numbers(_ directory: String) throws -> (JournalNumbers?, trouble: String?) {
    explainFaults(in: directory)
    do { return (try JournalNumbers(try JournalReader.open(directory: directory)), nil) } catch let error
      as JournalError
    {
      if case .noJournal = error { return (nil, nil) }
      let failure = AgentFailure(error, directory: directory)
      guard failure.code == .inputOutput else { throw failure }
      return (nil, failure.description)
    }
  }
}
