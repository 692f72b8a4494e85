// pthub job create

internal import ArgumentParser
internal import Events
internal import HubDatabase
internal import HubServer

struct JobCreateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "create",
    abstract: "Let an agent, or all of an entity, do something once.",
    discussion: """
      KIND is one of

        scan          look for printers now; --range: there alone, within what the agent is configured for
        upload        read all printers, or --device, now and deliver
        alerts        read their alerts now and deliver
        settings      take the settings of the install, or of --device, anew
        restart       end in order and begin again when what runs has ended; --at-once: now
        diagnostics   bring status, configuration without secrets, the end of the log, the devices

      The agent checks the arguments itself and refuses with a reason. With --id the command may be repeated: there is one job of an id.

        pthub job create scan --entity "Acme, Berlin"
        pthub job create upload --device VNB3K12345 --wait
        pthub job create restart --install 4c1d --valid 2h
      """)

  /// How often --wait looks.
  private static let look: Duration = .milliseconds(300)
  /// What an agent may take to tell that a job's time is over.
  private static let grace: Duration = .seconds(30)

  @OptionGroup var hub: HubOptions
  @Argument(help: "\(JobOrder.Kind.allCases.filter { $0 != .page }.map(\.rawValue).joined(separator: ", ")).")
  var kind: JobOrder.Kind
  @Option(help: "The install: its id or the beginning of it.") var install: String?
  @Option(help: "Each install of this entity, and of those under it, that is not revoked.") var entity: String?
  @Option(
    help: "scan: a range, as in discovery.ranges. May be given several times.") var range: [String] = []
  @Option(help: "A device: its id, the beginning of it, or its serial number. May be given several times.")
  var device: [String] = []
  @Flag(help: "restart: now, and what runs has failed.") var atOnce = false
  @Option(help: "How long it may wait and run; seven days at most.") var valid = Span(.seconds(3_600))
  @Option(help: ArgumentHelp("The job's id. Default: a new one.", valueName: "uuid")) var id: String?
  @Flag(help: "Wait for the end; exit status 1 if it is not a good one.") var wait = false
  @Option(name: .shortAndLong, help: "How to print: table, json or csv.") var output: ReportFormat = .table

  func validate() throws {
    guard id.map({ JobID($0) != nil }) ?? true else { throw ValidationError("--id is a UUID.") }
    do { try request.check() } catch { throw ValidationError(Self.sentence(of: error)) }
  }

  private static func sentence(of problem: JobRequest.Problem) -> String {
    guard let field = problem.field else {
      return problem.sentence.hasPrefix("Who")
        ? "Who is to do it? Give --install, --entity, or --device." : problem.sentence
    }
    return field == "install"
      ? "--install and --entity exclude each other." : "--\(field == "atOnce" ? "at-once" : field) \(problem.sentence)"
  }

  private var request: JobRequest {
    var request = JobRequest(kind: kind)
    request.install = install
    request.entity = entity
    request.ranges = range
    request.devices = device
    request.atOnce = atOnce
    request.validity = valid.duration
    request.id = id.flatMap { JobID($0) }
    return request
  }

  func run() async throws {
    let (_, store) = try hub.open()
    if !device.isEmpty { try await store.foldEverything() }
    let now = HubClock.system.now
    let jobs = try await store.create(
      request, within: .everything, by: Actor(name: operatorName()), now: now)
    guard !jobs.isEmpty else {
      throw HubError(.notFound, "No job was created: the entity has no install that is not revoked.")
    }
    if wait { try await waitForEnds(jobs, in: store, until: now + (valid.duration + Self.grace).milliseconds) }
    let rows = try await self.rows(jobs, in: store)
    try printRows(rows, of: .jobs, as: output, empty: "-")
    if wait, try !rows.allSatisfy({ try value("state", $0) == .text("completed") }) { throw ExitCode(1) }
  }

  private func waitForEnds(_ jobs: [JobID], in store: SQLStore, until end: Int64) async throws {
    while HubClock.system.now < end {
      try await store.expireJobs(now: HubClock.system.now)
      let rows = try await self.rows(jobs, in: store)
      if try rows.allSatisfy({ try value("is_open", $0) == .integer(0) }) { return }
      try await Task.sleep(for: Self.look)
    }
  }

  private func rows(_ jobs: [JobID], in store: SQLStore) async throws -> [[SQLValue]] {
    var rows: [[SQLValue]] = []
    for job in jobs { rows += try await store.rows(of: .jobs, where: ["id": .text(job.description)]) }
    return rows
  }

  private func value(_ column: String, _ row: [SQLValue]) throws -> SQLValue {
    guard let index = Report.jobs.columns.firstIndex(where: { $0.name == column }) else {
      preconditionFailure("jobs have no column \(column)")
    }
    return row[index]
  }
}

extension JobOrder.Kind: ExpressibleByArgument {}
