// Runs the collector. When the journal refuses an append for want of space, collecting stops at once (nothing may be observed that is not
// recorded), and begins anew from the journal's own state when there is room again. A full disk takes a small record now and then: until no
// append was refused for a while, collecting counts as stopped, and that is logged once in a while and not with each attempt. Any other
// failure of the journal ends the agent.
//
// Without configured ranges the machine's own networks are swept. When those change (a cable, another address), collecting begins anew, too. So it does
// when the hub sets where or when to sweep; how often devices are asked, and by which rules, changes while it goes on.

internal import Collectors
internal import Settings
internal import Discovery
internal import Events
internal import Journal
internal import Logging
internal import Platform
internal import PrinterModel
internal import ReadModels
internal import ServiceLifecycle
internal import Synchronization

struct CollectionService: Service {
  /// How often it is tried whether there is room again.
  private static let spacePause: Duration = .seconds(10)

  /// How often it is looked whether this machine is in other networks now.
  private static let networksLook: Duration = .seconds(30)

  let keeper: SettingsKeeper
  let profiles: ProfileSet
  let journal: Journal
  let journalDirectory: String
  let fold: FleetFold
  let thinning: ThinningGauge
  let board: StatusBoard
  let display: any SweepDisplay
  let desk: CollectorDesk
  let trace: ConsoleTrace
  let logger: Logger
  private let stop = Stop()

  func run() async throws {
    try await untilGracefulShutdown {
      while true {
        let (configuration, revision) = keeper.numbered
        guard !configuration.discovery.ranges.isEmpty || configuration.discovery.hopsMax > 0 else {
          board.say(
            .collector, .degraded, "no address range is configured", remedy: "Set discovery.ranges in ptagent.toml.")
          try await keeper.changed(from: revision)
          continue
        }
        let engine = try Self.engine(for: configuration)
        defer { engine.shutdown() }
        do {
          try await self.collect(with: engine, configuration, revision)
        } catch let error as JournalError where error.isDiskFull {
          let failure = AgentFailure(error, directory: journalDirectory)
          // Each attempt begins with a sweep: none while it is plain that there is no room.
          repeat {
            stopped(failure)
            try await Task.sleep(for: Self.spacePause)
          } while !JournalError.hasRoom(at: journalDirectory)
        }
      }
    }
  }

  private static func engine(for configuration: AgentConfiguration) throws(AgentFailure) -> UDPEngine {
    var parameters = EngineParameters()
    // Nobody said that packets may go further.
    if configuration.discovery.ranges.isEmpty { parameters.hops = configuration.discovery.hopsMax }
    parameters.packetsPerSecond = max(parameters.packetsPerSecond, configuration.discovery.packetsPerSecond)
    do { return try UDPEngine(parameters) } catch { throw AgentFailure(.cannotCreate, error.description) }
  }

  /// Returns when collecting is to begin anew: in other networks, or by other settings.
  private func collect(
    with engine: UDPEngine, _ configuration: AgentConfiguration, _ revision: UInt64
  ) async throws {
    let settings = CollectorSettings(configuration, profiles: profiles).inNetworks(of: configuration)
    guard !settings.ranges.isEmpty else {
      board.say(
        .collector, .degraded, "no address range is configured, and this machine is in no network of its own",
        remedy: "Set discovery.ranges in ptagent.toml.")
      return try await untilOther(settings, configuration, revision, nil)
    }
    let known = KnownDevice.all(of: fold.state)
    if !stop.outage.withLock(\.isOn) { sayCollecting(settings) }
    let thinning = thinning
    let observer = CollectionObserver(board: board, display: display, logger: logger, trace: trace) {
      moved(settings)
    } trapsHeardAgain: {
      sayCollecting(settings)
    }
    let collector = Collector(
      settings, known: known, engine: engine, sink: JournalSink(journal: journal), observer: observer,
      profiles: settings.profiles, thinning: { thinning.interval }, clock: { Machine.milliseconds })
    desk.take(collector)
    board.collecting(true)
    defer {
      board.collecting(false)
      desk.take(nil)
    }
    try await withThrowingTaskGroup { group in
      group.addTask { try await collector.run() }
      group.addTask { try await untilOther(settings, configuration, revision, collector) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Returns when this machine is in other networks, or when the settings are others than the collector can go on with.
  private func untilOther(
    _ settings: CollectorSettings, _ configuration: AgentConfiguration, _ revision: UInt64, _ collector: Collector?
  ) async throws {
    try await withThrowingTaskGroup { group in
      group.addTask { try await untilOtherNetworks(than: settings, configuration) }
      group.addTask { try await untilOtherSettings(than: revision, collector) }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  private func untilOtherNetworks(than settings: CollectorSettings, _ configuration: AgentConfiguration) async throws {
    var words = Self.words(settings)
    repeat {
      try await Task.sleep(for: Self.networksLook)
      let before = words
      words = Self.words(settings)
      if words != before, !stop.outage.withLock(\.isOn) { sayCollecting(settings) }
    } while CollectorSettings(configuration).inNetworks(of: configuration).ranges == settings.ranges
    logger.notice("this machine is in other networks now: collecting begins anew")
  }

  private func untilOtherSettings(than revision: UInt64, _ collector: Collector?) async throws {
    var revision = revision
    repeat {
      try await keeper.changed(from: revision)
      let (configuration, number) = keeper.numbered
      revision = number
      let settings = CollectorSettings(configuration, profiles: profiles).inNetworks(of: configuration)
      guard let collector, await collector.take(settings) else {
        return logger.notice("the hub sets where or when to look for devices: collecting begins anew")
      }
    } while true
  }

  private func stopped(_ failure: AgentFailure) {
    if stop.outage.withLock({ $0.failed(failure.description, now: .now) }) {
      logger.critical("collecting is stopped", metadata: ["reason": "\(failure)"])
    }
    board.say(.collector, .failed, "stopped: the journal cannot take any more", remedy: failure.description)
    board.say(.journal, .failed, "an append was refused: there is no space", remedy: failure.description)
  }

  private func moved(_ settings: CollectorSettings) {
    guard stop.outage.withLock({ $0.works(now: .now) }) else { return }
    logger.notice("the journal takes records again: collecting goes on")
    sayCollecting(settings)
  }

  private static func words(_ settings: CollectorSettings) -> CollectorWords {
    let addresses = settings.ranges.reduce(AddressSet()) { $0.union($1.addresses) }
    return CollectorWords.collecting(from: addresses, interfaces: HostInterface.all())
  }

  private func sayCollecting(_ settings: CollectorSettings) {
    let words = Self.words(settings)
    board.say(.collector, words.state, words.message, remedy: words.remedy)
    board.sayJournal(directory: journalDirectory)
  }

  /// Whether collecting is stopped for want of space.
  private final class Stop: Sendable {
    let outage = Mutex(Outage())
  }
}

/// Shows a sweep to whoever sits at the terminal.
package protocol SweepDisplay: Sendable {
  func sweepProgressed(_ done: Int, of total: Int, found: Int, rate: Double, timeLeft: Duration?)
  func sweepEnded()
}

/// For an agent that nobody watches.
package struct NoDisplay: SweepDisplay {
  package init() {}
  package func sweepProgressed(_ done: Int, of total: Int, found: Int, rate: Double, timeLeft: Duration?) {}
  package func sweepEnded() {}
}

/// Passes on what the collector does, to the board and the terminal.
struct CollectionObserver: CollectorObserver {
  let board: StatusBoard
  let display: any SweepDisplay
  let logger: Logger
  let sweepLog: SweepLog
  let trace: ConsoleTrace
  /// Told whenever the collector has moved.
  let moved: @Sendable () -> Void
  let trapsHeardAgain: @Sendable () -> Void

  init(
    board: StatusBoard, display: any SweepDisplay, logger: Logger, trace: ConsoleTrace = ConsoleTrace(),
    moved: @escaping @Sendable () -> Void,
    trapsHeardAgain: @escaping @Sendable () -> Void = {}
  ) {
    (self.board, self.display, self.logger) = (board, display, logger)
    (self.moved, self.trapsHeardAgain) = (moved, trapsHeardAgain)
    self.trace = trace
    sweepLog = SweepLog(logger)
  }

  func sweepStarted(addresses: Int) {
    sweepLog.began()
    trace.sweepBegan(at: Machine.milliseconds)
    logger.info("a sweep begins", metadata: ["addresses": "\(addresses)"])
    var progress = SweepProgress()
    progress.total = addresses
    let begun = progress
    board.update { ($0.isSweeping, $0.sweep) = (true, begun) }
  }

  func sweepProgressed(_ progress: SweepProgress) {
    let isOver = progress.timeLeft == .zero
    board.update { ($0.isSweeping, $0.sweep) = (!isOver, progress) }
    display.sweepProgressed(
      progress.done, of: progress.total, found: progress.found, rate: progress.rate, timeLeft: progress.timeLeft)
    guard isOver else { return }
    display.sweepEnded()
    sweepLog.ended()
    logger.info("a sweep is done", metadata: ["addresses": "\(progress.done)", "found": "\(progress.found)"])
  }

  func addressSettled(_ result: AddressResult) {
    sweepLog.settled(result)
    trace.settled(result, at: Machine.milliseconds)
  }

  func discoveryFailed(at endpoint: Endpoint, _ failure: PollFailure) {
    logger.notice(
      "a printer was found and could not be read",
      metadata: ["address": "\(endpoint)", "reason": "\(failure.reason.rawValue)", "detail": "\(failure.message)"])
  }

  func deviceSeenAlso(_ device: DeviceID, _ seen: DeviceSeenAlso) {
    logger.notice(
      "a device answers at a second address, where it is not polled",
      metadata: [
        "device": "\(device)", "address": "\(seen.address)", "known": "\(seen.known)", "evidence": "\(seen.evidence)",
      ])
  }

  func announcedElsewhere(_ printer: AnnouncedPrinter) {
    trace.announced(printer)
    logger.notice(
      "a printer announces itself at an address that is in no range, and is not asked",
      metadata: ["address": "\(printer.address)", "name": "\(printer.instance)", "service": "\(printer.service)"])
  }

  func trapsUnheard(_ reason: String) {
    logger.error("traps cannot be heard", metadata: ["reason": "\(reason)"])
    board.say(
      .collector, .degraded, "collecting, but traps cannot be heard: \(reason)",
      remedy:
        "Set discovery.trap_port to a port that this user may listen on and nobody else has; ports below 1024 need "
        + "AmbientCapabilities=CAP_NET_BIND_SERVICE in the service's unit.")
  }

  func trapsHeard() {
    logger.notice("traps are heard now")
    trapsHeardAgain()
  }

  func devicePolled(_ device: DeviceID, _ outcome: PollOutcome) {
    trace.polled(device, outcome, at: Machine.milliseconds)
    guard case .failed(let failure) = outcome.result else {
      logger.debug("a device was read", metadata: ["device": "\(device)", "address": "\(outcome.endpoint)"])
      return
    }
    logger.info(
      "a device could not be read",
      metadata: [
        "device": "\(device)", "address": "\(outcome.endpoint)", "reason": "\(failure.reason.rawValue)",
        "detail": "\(failure.message)",
      ])
  }

  func stepped(_ step: CollectorStep) { board.collectorStepped(step) }

  func progressed(at time: Int64) {
    board.collectorMoved(at: time)
    moved()
  }
}
