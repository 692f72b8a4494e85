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
    abstract: "Accept the certificate that a device shows now instead of the one that is pinned.",
    discussion: """
      The first certificate that a device's page shows is pinned, and no other is accepted: after a reset or an update of the device it is another one, \
      and so it is when somebody stands between. Whoever knows why it changed accepts it here, once a session has met it.

        ptagent remote trust 10.0.0.7
      """)

  @OptionGroup var file: ConfigurationOption
  @Argument(help: "Its id or at least four digits of it, its serial number, or its address.")
  var device: String

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
      let answer = try await RemoteControl.ask(.trust(id.description), stateDirectory: configuration.state.directory)
      if let refusal = answer.refusal { throw AgentFailure(.noInput, refusal) }
      guard let ports = answer.trusted, !ports.isEmpty else {
        throw AgentFailure(
          .noInput, "The device has shown no other certificate since the agent started. Have its page opened once more."
        )
      }
      try Output.write("Accepted at port \(ports.map(String.init).joined(separator: ", ")).\n")
    }
  }
}
