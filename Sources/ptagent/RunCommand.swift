internal import AgentCore
internal import ArgumentParser
internal import CLinux
internal import Journal
internal import Settings
internal import Logging
internal import Platform

struct RunCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run the agent until a signal ends it.",
    discussion: """
      Sweeps the configured ranges, polls what it finds, appends every fact to the journal and delivers the journal to the hub. Runs in the \
      foreground and logs to standard error; SIGTERM and SIGINT end it in order. A job of the hub may restart it: it ends in order and goes on as the \
      same process. A machine that is not enrolled yet collects and journals, and \
      delivers it all once it is.

        ptagent run
        ptagent run --config ptagent.toml --progress
        systemctl start ptagent                       where it is installed as a service

      Exits 0 after a signal; 73 when another agent uses the journal, 74 when the journal cannot be used, 77 when a directory cannot be \
      written, 78 when the configuration is wrong.
      """)

  @OptionGroup var file: ConfigurationOption
  @Flag(help: "Show the sweeps' progress on standard output: a bar on a terminal, lines otherwise.")
  var progress = false

  mutating func run() async throws {
    try await reporting {
      let origin = ProcessOrigin(arguments: CommandLine.arguments)
      let configuration = try file.load()
      let (restart, tail) = (RestartRequest(), LogTail())
      let logger = Logger(configuration.log, tail: tail)
      for warning in configuration.warnings {
        logger.warning("the configuration says what can hardly be meant", metadata: ["what": "\(warning)"])
      }
      let display: any SweepDisplay = progress ? TerminalDisplay(descriptor: 1) : NoDisplay()
      // A fault in the journal's file: the next start then inspects every record.
      _ = clinux_mark_on_fault(JournalRecovery.faultMark(directory: configuration.journal.directory))
      try await Agent(configuration, logger: logger, display: display, restart: restart, logTail: tail).run()
      guard restart.isMade else { return }
      guard let origin else {
        throw AgentFailure(.interrupted, "The agent ended to begin again, and /proc is not there.")
      }
      logger.notice("the agent begins again")
      let failure = origin.becomeAgain()
      throw AgentFailure(.interrupted, "The agent ended to begin again and could not: \(failure)")
    }
  }
}
