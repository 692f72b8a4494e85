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
        page          open the page of --device for a technician
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
  @Argument(help: "\(JobOrder.Kind.allCases.map(\.rawValue).joined(separator: ", ")).") var kind: JobOrder.Kind
  @Option(help: "The install: its id or the beginning of it.") var install: String?
  @Option(help: "Each install of this entity that is not revoked.") var entity: String?
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
    guard install == nil || entity == nil else { throw ValidationError("--install and --entity exclude each other.") }
    guard install != nil || entity != nil || !device.isEmpty else {
      throw ValidationError("Who is to do it? Give --install, --entity, or --device.")
    }
    guard range.isEmpty || kind == .scan else { throw ValidationError("--range goes with scan.") }
    guard range.count <= 64 else { throw ValidationError("--range can be given 64 times at most.") }
    guard device.isEmpty || [.upload, .alerts, .settings, .page].contains(kind) else {
      throw ValidationError("--device goes with upload, alerts, settings and page.")
    }
    guard kind != .page || device.count == 1 else { throw ValidationError("page needs one --device.") }
    guard kind != .settings || device.count <= 1 else { throw ValidationError("settings takes one --device.") }
    guard device.count <= 1_024 else { throw ValidationError("--device can be given 1,024 times at most.") }
    guard !atOnce || kind == .restart else { throw ValidationError("--at-once goes with restart.") }
    guard valid.duration <= HubLimits.jobValidityMax else { throw ValidationError("--valid is seven days at most.") }
    guard id == nil || entity == nil else { throw ValidationError("--id goes with one install.") }
    guard id.map({ JobID($0) != nil }) ?? true else { throw ValidationError("--id is a UUID.") }
  }

  func run() async throws {
    let (_, store) = try hub.open()
    let now = HubClock.system.now
    var jobs: [JobID] = []
    for (install, devices) in try await targets(in: store) {
      let job = NewJob(
        id: id.flatMap { JobID($0) } ?? JobID.random(), install: install, order: order(devices),
        deadline: now + valid.duration.milliseconds, creator: operatorName())
      _ = try await store.create(job, now: now)
      jobs.append(job.id)
    }
    if wait { try await waitForEnds(jobs, in: store, until: now + (valid.duration + Self.grace).milliseconds) }
    let rows = try await self.rows(jobs, in: store)
    try printRows(rows, of: .jobs, as: output, empty: "The entity has no install that is not revoked.")
    if wait, try !rows.allSatisfy({ try value("state", $0) == .text("completed") }) { throw ExitCode(1) }
  }

  private func order(_ devices: [DeviceID]) -> JobOrder {
    let mode = JobOrder.RestartMode.self
    return JobOrder(
      kind, ranges: range, devices: devices,
      option: kind == .restart ? (atOnce ? mode.standalone : mode.queued).rawValue : "")
  }

  /// Who is to do it, and by which names they know the devices.
  private func targets(in store: SQLStore) async throws -> [(InstallNumber, [DeviceID])] {
    let chosen: [Install]?
    if let install {
      chosen = [try await findInstall(install, in: store)]
    } else if let entity {
      let known = try await store.entities().map { $0.name.lowercased() }
      guard known.contains(entity.lowercased()) else {
        throw HubError(.notFound, "There is no entity named '\(entity)'. See `pthub entity list`.")
      }
      chosen = try await store.installs().filter {
        $0.entity.lowercased() == entity.lowercased() && $0.revokedAt == nil
      }
    } else {
      chosen = nil
    }
    guard !device.isEmpty else { return (chosen ?? []).map { ($0.number, []) } }
    try await store.foldEverything()
    var devices: [InstallNumber: [DeviceID]] = [:]
    for name in device {
      // The agent says whether it has it, where the hub has not heard of it.
      if let id = DeviceID(hex: name), let install = chosen?.first, install == chosen?.last,
        try await store.sightings(of: name.lowercased()).isEmpty
      {
        devices[install.number, default: []].append(id)
        continue
      }
      let sightings = try await store.sightings(of: try await findDevice(name, entity: entity, in: store))
      let meant = sightings.filter { sighting in
        chosen?.contains { $0.number == sighting.install } ?? sighting.isLeader
      }
      guard !meant.isEmpty else {
        throw HubError(.notFound, "No install that was named reads the device '\(name)'.")
      }
      for sighting in meant { devices[sighting.install, default: []].append(sighting.device) }
    }
    guard id == nil || devices.count == 1 else {
      throw HubError(.usage, "--id goes with one install, and these devices are read by \(devices.count).")
    }
    return devices.sorted { $0.key.rawValue < $1.key.rawValue }.map { ($0.key, $0.value) }
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

extension JobID {
  /// A UUID of version 4 (RFC 9562, section 5.4).
  fileprivate static func random() -> JobID {
    var bytes = (0..<JobID.byteCount).map { _ in UInt8.random(in: 0...255) }
    bytes[6] = bytes[6] & 0x0f | 0x40
    bytes[8] = bytes[8] & 0x3f | 0x80
    guard let id = JobID(bytes) else { preconditionFailure("an id has 16 bytes") }
    return id
  }
}
