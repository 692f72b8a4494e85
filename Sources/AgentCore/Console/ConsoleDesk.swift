// The running agent as the console sees it: what it shows, and what it is asked to do. Nothing here goes beyond what the agent's own configuration
// permits: ranges lie in configured ones, devices are known ones.

internal import AlertRules
internal import Collectors
internal import Console
internal import Discovery
internal import Enrolment
internal import Events
internal import Evidence
internal import Health
internal import Journal
internal import Logging
internal import Platform
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import Replicator
internal import Settings
internal import Synchronization
internal import WebServing
internal import Zlib

struct ConsoleDesk: ConsoleAgent {
  /// A reading that is waited for by a page.
  private static let readMax: Duration = .seconds(30)
  private static let devicesOfDiagnostics = 5_000
  private static let troublesShown = 50

  let keeper: SettingsKeeper
  let board: StatusBoard
  let composer: StatusComposer
  let journal: Journal
  let fold: FleetFold
  let watcher: IdentityWatcher
  let desk: CollectorDesk
  let trace: ConsoleTrace
  let diagnosis: Diagnostics
  let profiles: ProfileSet
  let pages: RemoteDesk
  let logger: Logger
  let underWay = UnderWay()

  init(
    keeper: SettingsKeeper, board: StatusBoard, composer: StatusComposer, journal: Journal, fold: FleetFold,
    identity: IdentityWatcher, desk: CollectorDesk, trace: ConsoleTrace, diagnostics: Diagnostics, profiles: ProfileSet,
    pages: RemoteDesk, logger: Logger
  ) {
    self.keeper = keeper
    self.board = board
    self.composer = composer
    self.journal = journal
    self.fold = fold
    watcher = identity
    self.desk = desk
    self.trace = trace
    diagnosis = diagnostics
    self.profiles = profiles
    self.pages = pages
    self.logger = logger
  }

  /// What goes on because somebody asked for it, so that it is not begun twice.
  final class UnderWay: Sendable {
    private struct State {
      var isActivating = false
      var isSweeping = false
      var reading: Set<DeviceID> = []
    }
    private let state = Mutex(State())

    func beginActivation() -> Bool { state.withLock { Self.take(&$0.isActivating) } }
    func endActivation() { state.withLock { $0.isActivating = false } }
    func beginSweep() -> Bool { state.withLock { Self.take(&$0.isSweeping) } }
    func endSweep() { state.withLock { $0.isSweeping = false } }
    func beginReading(_ device: DeviceID) -> Bool { state.withLock { $0.reading.insert(device).inserted } }
    func endReading(_ device: DeviceID) { state.withLock { _ = $0.reading.remove(device) } }

    private static func take(_ flag: inout Bool) -> Bool {
      defer { flag = true }
      return !flag
    }
  }

  // MARK: Known

  var reader: JournalReader { journal.reader }
  var version: String { AgentVersion.text }
  var hostName: String { Machine.hostName }
  var fleet: FleetState { fold.state }
  var isShipping: Bool { watcher.identity != nil }

  func lowThreshold(_ device: DeviceID, _ identity: DeviceIdentity, _ supply: Supply) -> Double {
    keeper.current.rules.rules(for: device, identity).low(supply)
  }

  // MARK: Shown

  func overview() -> [(String, WebJSON)] {
    let snapshot = board.snapshot
    let components = snapshot.components
    let status: AgentStatus?
    var damage: String?
    do { status = try composer.status() } catch {
      status = nil
      damage = "\(error)"
    }
    let condition = status?.condition.rawValue ?? (damage == nil ? "ok" : "failed")
    return [
      (
        "agent",
        .object([
          ("version", .string(AgentVersion.text)), ("hostName", .string(Machine.hostName)),
          ("process", WebJSON(Machine.processID)),
          ("started", .string(UTCTime.text(milliseconds: board.started))), ("condition", .string(condition)),
          ("components", .array(components.map(Self.json))),
        ])
      ),
      ("install", install(status?.install)), ("journal", journalNumbers(status, damage)),
      ("delivery", delivery(status?.delivery)), ("sweep", sweep(snapshot.sweepState)),
      ("lastSweep", lastSweep(fold.state.agent)), ("remote", remoteNumbers()),
    ]
  }

  static func json(_ component: AgentStatus.Component) -> WebJSON {
    .object([
      ("name", .string(component.name)), ("state", .string(component.state.rawValue)),
      ("since", .string(component.since)),
      ("message", .string(component.message)), ("remedy", WebJSON(component.remedy)),
    ])
  }

  private func install(_ known: AgentStatus.Install?) -> WebJSON {
    guard let identity = watcher.identity else { return .null }
    return .object([
      ("id", .string(identity.installID)), ("entity", .string(identity.entity)),
      ("hub", WebJSON(known?.hub ?? watcher.current()?.address.description)),
      ("certificateDaysLeft", WebJSON(identity.daysLeft(at: Machine.milliseconds / 1_000))),
      ("clockAheadSeconds", WebJSON(watcher.circumstances.clockAheadSeconds)),
    ])
  }

  private func journalNumbers(_ status: AgentStatus?, _ damage: String?) -> WebJSON {
    let settings = keeper.current.journal
    let statistics = try? reader.statistics()
    return .object([
      ("head", Self.json(status?.journal.head)), ("acknowledged", Self.json(status?.journal.acknowledged)),
      ("lag", WebJSON(status?.journal.lag)), ("bytes", WebJSON(statistics?.usedBytes)),
      ("bytesMax", WebJSON(settings.sizeMax.bytes)),
      ("diskFreeBytes", WebJSON(Machine.bytesFree(at: settings.directory))),
      ("damage", WebJSON(damage)),
    ])
  }

  private static func json(_ position: AgentStatus.Position?) -> WebJSON {
    guard let position else { return .null }
    return .object([("epoch", WebJSON(position.epoch)), ("sequence", WebJSON(position.sequence))])
  }

  private func delivery(_ delivery: AgentStatus.Delivery?) -> WebJSON {
    guard let delivery else { return .null }
    func rate(_ value: Double?) -> WebJSON { value.map { .number($0) } ?? .null }
    return .object([
      ("mode", WebJSON(delivery.mode)), ("nextCheckIn", WebJSON(delivery.nextCheckIn)),
      ("recordsSent", WebJSON(delivery.recordsSent)), ("recordsAcknowledged", WebJSON(delivery.recordsAcknowledged)),
      ("expressSent", WebJSON(delivery.expressSent)), ("rejections", WebJSON(delivery.rejections)),
      ("conflicts", WebJSON(delivery.conflicts)), ("rateOverOneMinute", rate(delivery.rateOverOneMinute)),
      ("rateOverFiveMinutes", rate(delivery.rateOverFiveMinutes)),
    ])
  }

  func sweep(_ state: AgentStatus.SweepState?) -> WebJSON {
    guard let state else { return .null }
    return .object([
      ("running", .bool(state.isRunning)),
      ("started", WebJSON(trace.sweeps.started.map { UTCTime.text(milliseconds: $0) })),
      ("done", WebJSON(state.done)), ("total", WebJSON(state.total)), ("found", WebJSON(state.found)),
      ("rate", .number(state.rate)), ("secondsLeft", WebJSON(state.secondsLeft)),
    ])
  }

  private func lastSweep(_ agent: AgentState) -> WebJSON {
    guard let sweep = agent.sweepCompleted else { return .null }
    return .object([
      ("completed", .string(UTCTime.text(milliseconds: sweep.time))),
      ("milliseconds", WebJSON(sweep.fact.milliseconds)),
      ("outcomes", .object(sweep.fact.outcomes.map { ($0.reason, WebJSON($0.addresses)) })),
    ])
  }

  func discovery() -> WebJSON {
    let configuration = keeper.current
    let (discovery, sweeps) = (configuration.discovery, trace.sweeps)
    let settings = CollectorSettings(configuration, profiles: profiles).inNetworks(of: configuration)
    let origin =
      discovery.ranges.isEmpty
      ? "networks"
      : configuration.explanation(with: keeper.setInUse).first { $0.key.name == "discovery.ranges" }.map {
        Self.origin($0.origin)
      } ?? "file"
    return .object([
      ("sweep", sweep(board.snapshot.sweepState)), ("lastSweep", lastSweep(fold.state.agent)),
      (
        "ranges",
        .array(
          settings.ranges.map { range in
            .object([
              ("range", .string(range.name)), ("credentials", .array(range.credentials.map { .string($0.name) })),
            ])
          })
      ),
      ("exclusions", .array(discovery.exclusions.map { .string($0.description) })),
      ("doNotTouch", .array(discovery.doNotTouch.map { .string($0.description) })), ("origin", .string(origin)),
      ("addresses", WebJSON(settings.plan.addressCount)),
      ("sweepInterval", .string(discovery.sweepInterval.written)),
      ("sweepTimes", .array((discovery.sweepTimetable?.times ?? []).map { .string($0.description) })),
      ("packetsPerSecond", WebJSON(discovery.packetsPerSecond)),
      (
        "reasons",
        .object(
          sweeps.reasons.filter { $0.value > 0 }.sorted { $0.key.rawValue < $1.key.rawValue }.map {
            ($0.key.rawValue, WebJSON($0.value))
          })
      ), ("listed", WebJSON(sweeps.addresses.count)), ("unlisted", WebJSON(sweeps.unlisted)),
      (
        "announcedElsewhere",
        .array(
          sweeps.announced.values.sorted { $0.address < $1.address }.map { printer in
            .object([
              ("address", .string(printer.address.description)), ("name", .string(printer.instance)),
              ("service", .string(printer.service)),
            ])
          })
      ),
    ])
  }

  func addresses() -> [ConsoleAddress] { trace.addresses }

  func collection(of device: DeviceID) async -> WebJSON {
    let polls = trace.polls(of: device)
    let next = await desk.collector?.nextPoll(of: device)
    return .object([
      ("items", .array(polls.map(\.json))), ("next", WebJSON(next.map { UTCTime.text(milliseconds: $0) })),
    ])
  }

  func obstacle(to device: DeviceState) -> String? {
    if device.merged != nil { return "It goes on as another device; read that one." }
    if device.retired != nil { return "It is retired: a sweep that finds it brings it back." }
    if device.address == nil || device.replaced != nil {
      return "Nobody knows where it is: another device answers at its address."
    }
    if desk.collector == nil { return "Collecting is stopped; the dashboard says why." }
    return nil
  }

  func queue() throws -> [UInt8] {
    let report = QueueReport(
      try QueueNumbers(reader, troublesMax: Self.troublesShown), status: try composer.status(), presence: .running,
      mode: keeper.current.delivery.mode.rawValue, isConfigured: keeper.current.hub != nil, now: Machine.milliseconds)
    return Array(try report.json().utf8)
  }

  func jobs(_ max: Int) throws -> [UInt8] {
    func time(_ milliseconds: Int64?) -> WebJSON { WebJSON(milliseconds.map { UTCTime.text(milliseconds: $0) }) }
    return WebJSON.array(
      try JobHistory(reader, jobsMax: max).entries.reversed().map { entry in
        .object([
          ("id", .string(entry.id.description)), ("what", .string(entry.what)), ("state", .string(entry.state)),
          ("received", time(entry.received)), ("started", time(entry.started)), ("ended", time(entry.ended)),
          ("result", .string(entry.result)),
        ])
      }
    ).bytes
  }

  func journalSettings() -> [(String, WebJSON)] {
    let settings = keeper.current.journal
    return [
      ("directory", .string(settings.directory)), ("bytesMax", WebJSON(settings.sizeMax.bytes)),
      ("keep", .string(settings.keep.written)), ("diskFreeBytes", WebJSON(Machine.bytesFree(at: settings.directory))),
    ]
  }

  func diagnostics() throws -> [UInt8] {
    let text = try diagnosis.json(fold.state, logBytes: LogTail.bytesMax, devicesMax: Self.devicesOfDiagnostics)
    return try Deflater(.gzip).deflate(text) ?? text
  }

  // MARK: What leaves

  func outgoing() -> WebJSON {
    let configuration = keeper.current
    let numbers = try? JournalNumbers(reader)
    let health = (try? composer.health().json()).flatMap { WebJSON.parse($0) } ?? .null
    return .object([
      ("destinations", .array(destinations(configuration))), ("withheld", .array(withheld(configuration))),
      ("health", watcher.healthTarget() == nil ? .null : health),
      (
        "types",
        .array(
          EventType.names.sorted { $0.key < $1.key }.map { type, name in
            .object([("type", .string(name)), ("ahead", .bool(EventType.isUrgent(type)))])
          })
      ), ("acknowledged", WebJSON(numbers?.acknowledged?.description)),
      ("sent", WebJSON(numbers.map { $0.records - $0.lag })),
      ("waiting", isShipping ? WebJSON(numbers?.lag) : .null),
    ])
  }

  private func destinations(_ configuration: AgentConfiguration) -> [WebJSON] {
    let components = board.snapshot.components
    func state(_ name: ComponentName) -> WebJSON {
      WebJSON(components.first { $0.name == name.rawValue }?.state.rawValue)
    }
    func destination(_ service: String, _ address: HostAndPort?, _ state: WebJSON, _ what: String, _ when: String)
      -> WebJSON?
    {
      address.map { address in
        .object([
          ("service", .string(service)), ("address", .string(address.description)), ("state", state),
          ("what", .string(what)),
          ("when", .string(when)), ("proxy", WebJSON(configuration.proxy?.address.description)),
        ])
      }
    }
    guard let hub = configuration.hub else { return [] }
    let isNormal = configuration.delivery.mode == .normal
    return [
      destination(
        "csr", hub.csr, state(.identity), "a certificate request, the machine's name and system",
        "when this machine enrols"),
      destination(
        "dcam", isShipping ? watcher.current()?.address : hub.dcam, state(.delivery),
        "every record of the journal, as it was appended; renewal of the certificate",
        isNormal ? "with each check-in" : "at once"),
      destination(
        "hc", watcher.healthTarget()?.address ?? hub.hc, state(.health), "the health report",
        "every minute and on change"),
      destination(
        "remotetechnician", remoteAddress(configuration),
        .string(pages.sessions.isEmpty ? "waiting" : "working"),
        "what a technician asks of a device's own page, and what the device answers",
        "while a session is open that somebody at the hub asked for"),
    ].compactMap { $0 }
  }

  private func withheld(_ configuration: AgentConfiguration) -> [WebJSON] {
    func item(_ what: String, _ instead: String, _ names: [String]) -> WebJSON {
      .object([("what", .string(what)), ("instead", .string(instead)), ("names", .array(names.map { .string($0) }))])
    }
    var items = [
      item(
        "SNMP communities and passwords", "the name of the credential", configuration.credentials.keys.sorted()),
      item("the private keys of this machine's certificate and journal", "public keys and signatures", []),
      item("the log", "nothing, unless the hub asks for diagnostics by a job", []),
    ]
    if let credentials = configuration.proxy?.credentials {
      items.append(item("the proxy's password", "nothing", [credentials.user]))
    }
    return items
  }

  // MARK: Done

  func readNow(_ device: DeviceID) async throws -> (status: Int, WebJSON) {
    guard let collector = desk.collector, await collector.isCollecting else {
      throw WebError(409, "not_collecting", "Collecting is stopped; the dashboard says why.")
    }
    guard underWay.beginReading(device) else { throw WebError(409, "busy", "This device is being read already.") }
    let (start, underWay) = (ContinuousClock.now, underWay)
    let (results, result) = AsyncStream.makeStream(of: Result<PollResult, any Error>.self)
    // It goes on when nobody waits any more: what it reads is in the journal.
    Task {
      defer { underWay.endReading(device) }
      do { result.yield(.success(try await collector.poll([device], alerts: true))) } catch {
        result.yield(.failure(error))
      }
      result.finish()
    }
    let answer = try await withThrowingTaskGroup(of: Result<PollResult, any Error>?.self) { group in
      group.addTask {
        for await result in results { return result }; return nil
      }
      group.addTask {
        try await Task.sleep(for: Self.readMax)
        return nil
      }
      defer { group.cancelAll() }
      return try await group.next() ?? nil
    }
    let elapsed = Int64((start.duration(to: .now) / .milliseconds(1)).rounded())
    func json(_ outcome: String, _ message: String) -> WebJSON {
      let last = fold.state.devices[device]?.lastRead?.time
      return .object([
        ("outcome", .string(outcome)), ("milliseconds", .integer(elapsed)), ("message", .string(message)),
        ("lastRead", WebJSON(last.map { UTCTime.text(milliseconds: $0) })),
      ])
    }
    switch answer {
    case nil: return (202, json("running", "It takes longer; an event tells when it is done."))
    case .failure(let error)?: throw WebError(409, "not_collecting", "\(error)")
    case .success(let result)? where result.read > 0: return (200, json("read", "read"))
    case .success(let result)? where result.notAsked > 0:
      throw WebError(422, "invalid", "It is not asked: it has no address in the configured ranges, or is retired.")
    case .success?:
      let reason = fold.state.devices[device]?.failure?.fact.message ?? "it did not answer"
      return (200, json("failed", reason))
    }
  }

  func sweep(_ ranges: [String]?) async throws {
    guard let collector = desk.collector, await collector.isCollecting else {
      throw WebError(409, "not_collecting", "Collecting is stopped; the dashboard says why.")
    }
    let plan = try ranges.map(plan)
    guard underWay.beginSweep() else {
      throw WebError(409, "busy", "A sweep that was asked for here goes on. Its progress is shown.")
    }
    let (underWay, logger) = (underWay, logger)
    Task {
      defer { underWay.endSweep() }
      do { _ = try await collector.scan(plan) } catch {
        logger.notice("a sweep that was asked for at the console did not end", metadata: ["reason": "\(error)"])
      }
    }
  }

  private func plan(_ texts: [String]) throws(WebError) -> SweepPlan {
    var ranges: [AddressRange] = []
    for text in texts {
      do throws(AddressRangeError) { ranges.append(try AddressRange(text)) } catch {
        throw WebError(422, "invalid", "\(error)", field: "ranges")
      }
    }
    let configuration = keeper.current
    let settings = CollectorSettings(configuration, profiles: profiles).inNetworks(of: configuration)
    guard let plan = settings.plan(for: ranges) else {
      throw WebError(
        422, "invalid",
        "Not all of \(texts.joined(separator: ", ")) is where this agent looks. Add it to discovery.ranges.",
        field: "ranges")
    }
    return plan
  }
}
