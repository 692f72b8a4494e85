internal import AgentCore
internal import ArgumentParser
internal import Settings
internal import Journal
internal import Platform

struct QueueCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "queue",
    abstract: "Show what waits for the hub, how fast it goes, and what the hub did not take.",
    discussion: """
      Counts the records that the hub does not have, their bytes and the age of the oldest; tells up to where the hub has countersigned, and the \
      last records that it rejected, with its reasons, or holds others for. What needs a running agent (state, rate, the next check-in) is unknown \
      without one; the rest is the journal's own.

        ptagent queue
        ptagent queue --watch
        ptagent queue --output json | jq .lag
      """
  )

  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  /// How often --watch looks: the status is written each second, and a backlog of millions is counted each time.
  private static let watchInterval: Duration = .seconds(2)

  @OptionGroup var file: ConfigurationOption
  @Option(help: "table, json or csv.")
  var output = Format.table
  @Option(help: ArgumentHelp("How many of the records that the hub did not take are shown.", valueName: "n"))
  var limit = 10
  @Flag(help: "Show it again every two seconds, until it is interrupted.")
  var watch = false

  func validate() throws {
    guard (0...10_000).contains(limit) else { throw ValidationError("--limit is a number from 0 to 10000.") }
    guard !watch || output == .table else { throw ValidationError("--watch shows tables.") }
  }

  mutating func run() async throws {
    try await reporting {
      let configuration = try file.load()
      explainFaults(in: configuration.journal.directory)
      repeat {
        let report = try self.report(configuration)
        // Homes the cursor and clears what is below (ECMA-48 CUP and ED).
        let text = try text(of: report)
        try Output.write(watch ? "\u{1B}[H\u{1B}[J" + text : text)
        if watch { try await Task.sleep(for: Self.watchInterval) }
      } while watch
    }
  }

  private func text(of report: QueueReport) throws -> String {
    switch output {
    case .table: report.text
    case .json: try report.json()
    case .csv: report.csv
    }
  }

  private func report(_ configuration: AgentConfiguration) throws -> QueueReport {
    let directory = configuration.journal.directory
    let status = try StatusCommand.status(configuration.state.directory)
    let now = Machine.milliseconds
    let presence = StatusReport(status: status, journal: nil, isRunning: Machine.isRunning, now: now).presence
    do {
      let queue = try QueueNumbers(try JournalReader.open(directory: directory), troublesMax: limit)
      return QueueReport(
        queue, status: status, presence: presence, mode: configuration.delivery.mode.rawValue,
        isConfigured: configuration.hub != nil, now: now)
    } catch let error as JournalError {
      throw AgentFailure(error, directory: directory)
    }
  }
}
