// pthub job list | show | cancel; create has a file of its own

internal import ArgumentParser
internal import Events
internal import Glibc
internal import HubDatabase
internal import HubServer
internal import Platform

struct JobCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "job",
    abstract: "What agents are to do: scan, upload, restart and the like.",
    discussion: """
      A job is sent to a connected agent within a second or so, else when it comes next, and run at most once. What becomes of it are events of \
      the agent's journal; STATE is created, sent, received, started, and then completed, failed, expired, refused or cancelled.
      """,
    subcommands: [JobCreateCommand.self, List.self, Show.self, Cancel.self], defaultSubcommand: List.self)

  enum Which: String, ExpressibleByArgument, CaseIterable {
    case open, ended, all
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List jobs, the newest first.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var report: ReportOptions
    @Option(help: "Of this install alone: its id or the beginning of it.") var install: String?
    @Option(help: "open, ended or all.") var which = Which.all

    func run() async throws {
      let (_, store) = try hub.open()
      try await store.expireJobs(now: HubClock.system.now)
      var filter: [String: SQLValue] = [:]
      if let install { filter["install"] = .text(try await store.findInstall(install).id) }
      if which != .all { filter["is_open"] = .integer(which == .open ? 1 : 0) }
      let rows = try await store.rows(of: .jobs, entity: report.entity, where: filter)
      try printRows(
        rows, of: .jobs, as: report.output, empty: "There are no such jobs. Create one with `pthub job create`.")
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show a job with each of its steps, and write what it brought into a file.",
      discussion: """
        The hub's steps are by the hub's clock, the agent's by the agent's.

          pthub job show 5f0c… --attachment diagnostics.json.gz
        """)

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions
    @Option(help: ArgumentHelp("Write what the job brought here, compressed with gzip.", valueName: "file"))
    var attachment: String?
    @Argument(help: "The job's id, or the beginning of it.") var job: String

    private struct Step: Encodable {
      let step: String
      let by: String
      let at: String
      let actor: String
      let detail: String
    }

    private struct Line: Encodable {
      let id: String
      let fields: [String: String]
      let attachmentBytes: Int
      let steps: [Step]
    }

    func run() async throws {
      let (_, store) = try hub.open()
      try await store.expireJobs(now: HubClock.system.now)
      let (id, row) = try await findJob(job, in: store)
      let bytes = try await store.attachment(of: id)
      let steps = try await store.steps(of: id).map {
        Step(step: $0.step, by: $0.side, at: timeText($0.at), actor: $0.actor, detail: $0.detail)
      }
      if let attachment {
        guard let bytes else { throw HubError(.notFound, "The job \(id) has brought nothing.") }
        do { try Files.replace(attachment, with: bytes, mode: 0o600) } catch {
          throw HubError(.cannotCreate, "\(error)")
        }
      }
      let fields = zip(Report.jobs.columns, row).compactMap { column, value in
        shownText(value, column.kind).map { (column.name, $0) }
      }
      guard output.output == .table else {
        return try printJSON(
          Line(
            id: id.description, fields: Dictionary(uniqueKeysWithValues: fields), attachmentBytes: bytes?.count ?? 0,
            steps: steps))
      }
      printFields(fields + (bytes.map { [("attachment", "\($0.count) bytes")] } ?? []))
      printLine("")
      printTable(
        [["STEP", "BY", "AT", "WHO", "DETAIL"]] + steps.map { [$0.step, $0.by, $0.at, $0.actor, $0.detail] })
    }
  }

  struct Cancel: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Take a job back.",
      discussion: """
        One that was not sent yet ends at once. Else its agent is told: it ends what waits, and stops what runs. A restart that has begun cannot be stopped.
        """)

    @OptionGroup var hub: HubOptions
    @Argument(help: "The job's id, or the beginning of it.") var job: String

    func run() async throws {
      let (_, store) = try hub.open()
      let (id, _) = try await findJob(job, in: store)
      let hasEnded = try await store.cancel(id, by: Actor(name: operatorName()), now: HubClock.system.now)
      printLine(hasEnded ? "\(id) is cancelled." : "\(id) was sent: its agent is told to end it.")
    }
  }
}

/// A job, found by its id or by the unique beginning of it, with its row.
func findJob(_ name: String, in store: SQLStore) async throws -> (JobID, [SQLValue]) {
  guard let column = Report.jobs.columns.firstIndex(where: { $0.name == "id" }) else { preconditionFailure("no id") }
  let rows = try await store.rows(of: .jobs).filter { row in
    guard case .text(let id) = row[column] else { return false }
    return id.hasPrefix(name.lowercased())
  }
  guard let row = rows.first, case .text(let text) = row[column], let id = JobID(text) else {
    throw HubError(.notFound, "There is no job '\(name)'. See `pthub job list`.")
  }
  guard rows.count == 1 else {
    throw HubError(.usage, "'\(name)' is the beginning of \(rows.count) jobs' ids. Give more digits.")
  }
  return (id, row)
}
