internal import AgentCore
internal import ArgumentParser
internal import Platform
internal import Settings

struct DiagnosticsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "diagnostics",
    abstract: "Write one archive for whoever supports this agent.",
    discussion: """
      A tar.gz with status, configuration, the journal's state and latest events, the end of the log, and versions. It works beside a running agent, \
      without one, and where the journal is damaged. It holds no secret: credentials are named, communities and passwords are left out, keys are not \
      read. It does hold addresses, serial numbers and names of devices. Only its owner can read it.

        ptagent diagnostics
        ptagent diagnostics --output /tmp/site-7.tar.gz
        ptagent diagnostics --output - | ssh support.example.org 'cat > site-7.tar.gz'
      """)

  @OptionGroup var file: ConfigurationOption
  @Option(
    help: ArgumentHelp(
      "The archive's name; - for standard output. (default: a name with the time, in the current directory)",
      valueName: "file"))
  var output: String?

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.loadIfPresent()
      // A status that cannot be read is a part of the picture, and no reason not to draw it.
      let archive = DiagnosticsArchive(configuration, status: try? StatusCommand.status(configuration.state.directory))
      let bytes = try archive.bytes()
      if output == "-" {
        do { try StandardOutput.write(bytes) } catch { throw AgentFailure(.inputOutput, "\(error)") }
        return
      }
      let path = output ?? archive.name + ".tar.gz"
      do { try Files.replace(path, with: bytes, mode: 0o600) } catch {
        let isDenied = (error as? SystemError)?.isPermissionDenied ?? false
        throw AgentFailure(isDenied ? .permission : .cannotCreate, "\(error)")
      }
      try Output.write(
        "\(path): \(bytes.count) bytes, readable by its owner alone. Look into it before you send it: tar -tzf \(path)\n"
      )
    }
  }
}
