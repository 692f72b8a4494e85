internal import AgentCore
internal import ArgumentParser
internal import Events
internal import Journal
internal import Platform
internal import ReadModels
internal import Settings

struct RemoteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote",
    abstract: "Show and end technicians' sessions with devices' own pages.",
    discussion: """
      Where [remote] is switched on, a technician at the hub may see a device's own pages through this agent, for half an hour at most. These commands \
      reach the agent that runs, and need its user or root.
      """,
    subcommands: [RemoteListCommand.self, RemoteCloseCommand.self, RemoteTrustCommand.self])
}

struct RemoteListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "Show the sessions that are open: who, with which device, from where and why.",
    discussion: """
      Sessions that are over are in the journal, each request with them.

        ptagent remote list
        ptagent remote list --output json | jq '.[].user'
      """)

  @OptionGroup var file: ConfigurationOption
  @Option(help: "table or json.")
  var output = OutputFormat.table

  mutating func run() async throws {
    try await reporting {
      let directory = try file.load().state.directory
      let answer = try await RemoteControl.ask(.list, stateDirectory: directory)
      try Output.write(
        output == .json ? try RemoteReport.json(answer.sessions ?? []) : RemoteReport.table(answer.sessions ?? []))
    }
  }
}

struct RemoteCloseCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "close",
    abstract: "End a session at once, or all of them.",
    discussion: """
        ptagent remote close 0f5a7c1e-1c9a-4f7e-8a55-2f3d5b7c9e01
        ptagent remote close --all
      """)

  @OptionGroup var file: ConfigurationOption
  @Flag(help: "End every session, and those that are being opened.")
  var all = false
  @Argument(help: "The session's id, as ptagent remote list shows it.")
  var id: String?

  func validate() throws {
    guard (id == nil) == all else { throw ValidationError("Name a session's ID, or --all.") }
    if let id, JobID(id) == nil { throw ValidationError("ID is as ptagent remote list shows it.") }
  }

  mutating func run() async throws {
    try await reporting {
      let directory = try file.load().state.directory
      let answer = try await RemoteControl.ask(.close(id.map { $0.lowercased() }), stateDirectory: directory)
      if let refusal = answer.refusal { throw AgentFailure(.noInput, refusal) }
      try Output.write("Ended: \(counted(answer.closed ?? 0, "session")).\n")
    }
  }
}

struct RemoteTrustCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "trust",
    abstract: "Accept a certificate that a device shows now instead of the one that is pinned.",
    discussion: """
      The first certificate that a device's page shows is pinned, and no other is accepted: after a reset or an update of the device it is another one, \
      and so it is when somebody stands between. Without CERTIFICATE this shows which others sessions have met since the agent started. Whoever has \
      compared the SHA-256 with what the device's own panel or maker says, or with a look at it from beside it, accepts that one by its digits. Of a device \
      that has no TLS any more, none is accepted by the word none: its pages are spoken to in clear from then on.

        ptagent remote trust 10.0.0.7
        ptagent remote trust 10.0.0.7 3f2a9c0d11e85b47
        ptagent remote trust 10.0.0.7 none
      """)

  @OptionGroup var file: ConfigurationOption
  @Argument(help: "Its id or at least four digits of it, its serial number, or its address.")
  var device: String
  @Argument(help: "The first 16 digits or more of the SHA-256 of the certificate to accept, or none.")
  var certificate: String?

  /// As the agent takes it: `openssl x509 -fingerprint` writes colons and capitals.
  private var accepted: String? { certificate.map { $0.lowercased().filter { $0 != ":" } } }

  func validate() throws {
    guard accepted.map(RemoteControl.isCertificate) ?? true else {
      throw ValidationError(
        "CERTIFICATE is 16 to 64 digits of a SHA-256 as ptagent remote trust DEVICE shows it, or none.")
    }
  }

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      let id: DeviceID
      do {
        id = try DeviceReference(device).device(
          in: try FleetView.load(try JournalReader.open(directory: configuration.journal.directory)))
      } catch let error as DeviceReferenceError {
        throw AgentFailure(.noInput, error.description)
      } catch let error as JournalError {
        throw AgentFailure(error, directory: configuration.journal.directory)
      }
      let answer = try await RemoteControl.ask(
        .trust(id.description, accepted), stateDirectory: configuration.state.directory)
      if let refusal = answer.refusal { throw AgentFailure(.noInput, refusal) }
      let shown = answer.shown ?? []
      guard !shown.isEmpty else {
        throw AgentFailure(
          .noInput, "The device has shown no other certificate since the agent started. Have its page opened once more."
        )
      }
      guard let accepted else { return try Output.write(RemoteReport.certificates(shown)) }
      guard let ports = answer.trusted, !ports.isEmpty else {
        throw AgentFailure(
          .noInput, "The device has not shown this certificate. It has shown:\n\(RemoteReport.certificates(shown))")
      }
      let whole = shown.map(\.sha256).first { !$0.isEmpty && $0.hasPrefix(accepted) }
      try Output.write(
        "Accepted at port \(ports.map(String.init).joined(separator: ", ")): \(whole.map { "SHA-256 \($0)" } ?? "no TLS").\n"
      )
    }
  }
}
