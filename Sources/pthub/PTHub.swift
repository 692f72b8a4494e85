// pthub: the hub that agents report to. One command per file; all errors come out here.
//
// Exit codes (sysexits.h): 0 done, 64 usage, 65 no such thing, 69 unavailable, 73 cannot create, 74 input/output, 77
// permission, 78 configuration, 70 a bug.

internal import ArgumentParser
internal import Glibc
internal import HubServer
internal import Platform
internal import Settings

@main
struct PTHub: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "pthub",
    abstract: "The PrintTrail hub: enrols agents and keeps what they report.",
    discussion: """
      A hub is one directory: its certificate authority, its database, its keys. Make it with `init`, run it with `serve`, and work on \
      it with the other commands, also while it is served.

      A first hub:

        pthub init --directory /var/lib/pthub --name hub.example.org
        pthub serve --directory /var/lib/pthub --csr 0.0.0.0:7443 --dcam 0.0.0.0:7444 --hc 0.0.0.0:7445
        pthub entity add "Acme, Berlin" --directory /var/lib/pthub
        pthub code create --entity "Acme, Berlin" --directory /var/lib/pthub

      The code goes to the technician, who types it into the agent together with the pin that `pthub ca show` prints.

      ENVIRONMENT
        PTHUB_DIRECTORY   the directory when --directory is not given.

      EXIT STATUS
        0    done
        1    `job create --wait`: a job did not come to its end, or not to a good one
        64   the command line is wrong
        65   what was named does not exist
        69   something is unavailable: the directory is served already, a port is taken, the database is busy, a root is still needed
        70   a fault of the program itself
        73   the directory cannot be made
        74   the disk failed or is full, or standard output could not be written
        75   `serve`: a database that hangs kept it from an orderly end for a minute; nothing acknowledged is lost
        77   the permissions do not allow it, also not the port
        78   the directory is not a hub, is damaged, or is of a newer pthub

      Version: pthub --version
      Shell completions: pthub --generate-completion-script bash|zsh|fish
      """,
    version: "pthub \(HubVersion.text)",
    subcommands: [
      InitCommand.self, ServeCommand.self, EntityCommand.self, CodeCommand.self, InstallCommand.self,
      RecordsCommand.self,
      RecordCommand.self, DeviceCommand.self, AlertCommand.self, JobCommand.self, RemoteCommand.self,
      SettingsCommand.self,
      ExportCommand.self, CACommand.self,
      KeyCommand.self,
      UserCommand.self, AuditCommand.self, BackupCommand.self, RestoreCommand.self,
    ])

  /// EX_SOFTWARE: an error that no command turned into a sentence for the operator.
  private static let softwareExitCode: Int32 = 70

  static func main() async {
    // Whatever a command makes is its owner's alone.
    umask(0o077)
    StandardOutput.reportClosedPipes()
    do {
      if let complaint = EnvironmentNames.complaint(prefix: "PTHUB_", known: EnvironmentNames.hub) {
        throw HubError(.configuration, complaint)
      }
      var command = try parseAsRoot()
      if var asynchronous = command as? any AsyncParsableCommand {
        try await asynchronous.run()
      } else {
        try command.run()
      }
    } catch let error as HubError {
      fail(error.message, error.kind.rawValue)
    } catch let code as ExitCode {
      // Its command has said why.
      Glibc.exit(code.rawValue)
    } catch {
      let code = exitCode(for: error)
      if code == .failure { fail("\(error)", softwareExitCode) }
      exit(withError: error)
    }
  }

  private static func fail(_ message: String, _ code: Int32) -> Never {
    LineLogHandler.writeToStandardError("pthub: \(message)")
    Glibc.exit(code)
  }
}
