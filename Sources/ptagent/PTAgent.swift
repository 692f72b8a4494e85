// ptagent: the agent's command line. One file per command; what they do lives in AgentCore.

internal import AgentCore
internal import ArgumentParser
internal import Glibc
internal import Journal
internal import Platform

@main
struct PTAgent: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ptagent",
    abstract: "Finds printers, reads them, keeps what they say in a journal, and delivers it to a hub.",
    discussion: """
      Every reading, alert and discovery is an event, appended to a journal on this machine before anyone hears of it. The hub gets a copy of \
      the journal; nothing is lost while it is away.

      FILES (--config, [state] and [journal] name others)
        /etc/printtrail/ptagent.toml     the configuration
        /var/lib/printtrail              identity, status and journal

      ENVIRONMENT
        DATALINK_CODE            the code for `ptagent enroll`, instead of --code
        CREDENTIALS_DIRECTORY    where systemd put the secrets that the configuration names
                                 as credential:NAME
        PTAGENT_PROXY_PASSWORD   the password for [proxy], instead of its password_file

      EXIT STATUS (sysexits.h)
        0   done; `status`: the agent runs and no part of it has failed
        1   `status`: the agent runs, and a part of it has failed
        64  the command line is wrong
        65  `read --walk`, `capture --walk`: the file cannot be read as a walk, or not all
            of it; what could be read is shown. `profile check`: a file is no profile
        66  there is no such file
        69  the hub or the device does not answer, or the device is no printer; `status`:
            the agent does not run
        70  a fault of the program itself
        73  a directory cannot be made or is a file, or another agent uses the journal
        74  the journal or the disk: full, damaged, of a newer format; standard output
            could not be written
        75  `run`: a job was to restart the agent, which ended and could not begin again;
            `read`, `capture`: the device fell silent before all was read; what was read is
            shown or written
        77  permission: for a file or a directory (also where the file system is
            read-only), a DataLink code or a credential; or the hub is not the one that
            is configured
        78  the configuration is wrong; every mistake is told with its line

      Version: ptagent --version
      Shell completions: ptagent --generate-completion-script bash|zsh|fish
      """,
    subcommands: [
      RunCommand.self, EnrollCommand.self, StatusCommand.self, DiagnosticsCommand.self, QueueCommand.self,
      JobsCommand.self, RemoteCommand.self, ConfigCommand.self,
      ReadCommand.self,
      SweepCommand.self,
      BrowseCommand.self, DevicesCommand.self, ProfileCommand.self, CaptureCommand.self, ConsoleCommand.self,
      CheckCommand.self, ServiceCommand.self,
    ])

  /// The version is asked for here and not by `version:` of the configuration or a flag, both of which would claim `--version` from `read`
  /// and `sweep`, where it is SNMP's.
  static func main() async {
    let arguments = Array(CommandLine.arguments.dropFirst())
    if let status = JournalWorker.run(arguments) ?? DiagnosticsWorker.run(arguments) { Glibc.exit(status) }
    StandardOutput.reportClosedPipes()
    guard CommandLine.arguments.dropFirst() != ["--version"] else { return print("ptagent \(Release.version)") }
    await main(nil)
  }
}
