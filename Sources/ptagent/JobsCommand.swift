internal import AgentCore
internal import ArgumentParser
internal import Journal
internal import Settings

struct JobsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "jobs",
    abstract: "Show what the hub wanted done, and what came of it.",
    discussion: """
      From the journal alone: works beside a running agent and without one. STATE is received, started, completed, failed, expired or refused. A \
      job that had started when the agent's process ended has failed and is never begun again; one that was waiting is begun after the next start.

        ptagent jobs
        ptagent jobs --output json | jq '.[] | select(.state == "refused")'
      """)

  @OptionGroup var file: ConfigurationOption
  @Option(help: "table, json or csv.")
  var output = QueueCommand.Format.table
  @Option(help: ArgumentHelp("How many of the newest are shown.", valueName: "n"))
  var limit = 50

  func validate() throws {
    guard (1...10_000).contains(limit) else { throw ValidationError("--limit is a number from 1 to 10000.") }
  }

  mutating func run() async throws {
    try await reporting {
      let directory = try file.load().journal.directory
      explainFaults(in: directory)
      do {
        let history = try JobHistory(try JournalReader.open(directory: directory), jobsMax: limit)
        switch output {
        case .table: try Output.write(history.text)
        case .json: try Output.write(String(decoding: try history.json(), as: UTF8.self))
        case .csv: try Output.write(history.csv)
        }
      } catch let error as JournalError {
        throw AgentFailure(error, directory: directory)
      }
    }
  }
}
