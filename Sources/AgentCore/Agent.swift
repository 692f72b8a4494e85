// One agent: opens what it needs, starts its parts, and ends them in order.
//
//     parts, in the order in which they start; they end in the opposite one
//
//     status file      last to end: it shows how the others ended
//     delivery         ships what the parts below appended on their way down
//     health
//     lifecycle        appends AgentStopped and seals a checkpoint, once nothing else appends
//     retention
//     identity         and the renewal of its certificate
//     provisioning     an enrolment with the code that whoever installed the agent left
//     collector
//     jobs             what the hub wants done
//     remote           what `ptagent remote` asks
//     metrics          where they are served
//     console          nobody asks for more
//     supervision      first to end: tells the service manager
//
// SIGTERM and SIGINT end it in order, and so does a job that restarts it (`RestartRequest`); SIGKILL at any moment loses nothing that was acknowledged by the journal.

package import Settings
package import Logging

internal import Collectors
internal import Enrolment
internal import Events
internal import Journal
internal import OpenSSL
internal import Platform
internal import Projections
internal import ReadModels
internal import Replicator
internal import ServiceLifecycle
internal import UnixSignals
internal import WebServing

package struct Agent: Sendable {
  private let configuration: AgentConfiguration
  private let logger: Logger
  private let display: any SweepDisplay
  private let restart: RestartRequest
  private let logTail: LogTail

  /// - Parameters:
  ///   - display: sees sweeps as they go.
  ///   - restart: is made when the agent ended to begin again.
  ///   - logTail: the last lines of the log, for diagnostics.
  package init(
    _ configuration: AgentConfiguration, logger: Logger, display: any SweepDisplay = NoDisplay(),
    restart: RestartRequest = RestartRequest(), logTail: LogTail = LogTail()
  ) {
    self.restart = restart
    self.logTail = logTail
    self.configuration = configuration
    self.logger = logger
    self.display = display
  }

  /// Runs until a signal or a restart ends it.
  /// - Throws: `AgentFailure`, with the journal closed.
  package func run() async throws {
    // A profile that is none stops the agent before anything is recorded.
    let settings = try CollectorSettings(loadingProfilesFor: configuration)
    try ConsoleService.check(configuration)
    let fold = FleetFold()
    let journal = try open(fold)
    do {
      try await run(journal, fold, settings)
    } catch let error as JournalError {
      await journal.close()
      // What fails here was not seen by the quick look at the start: the next one looks at everything.
      if JournalError.damagedDirectory(of: error) != nil {
        JournalRecovery.markFault(directory: configuration.journal.directory)
        throw AgentFailure(damageWhileRunning: error, directory: configuration.journal.directory)
      }
      throw AgentFailure(error, directory: configuration.journal.directory)
    } catch {
      await journal.close()
      throw error
    }
    await journal.close()
    logger.notice("the agent has stopped", metadata: ["version": "\(AgentVersion.text)"])
  }

  private func run(_ journal: Journal, _ fold: FleetFold, _ settings: CollectorSettings) async throws {
    let board = StatusBoard()
    board.sayJournal(directory: configuration.journal.directory)
    try await journal.tellDamage(logger)
    try await journal.appendUnlessFull(
      .agentStarted(AgentStarted(version: AgentVersion.text, hostName: Machine.hostName)), logger)
    let keeper = SettingsKeeper(
      configuration, past: fold.state.agent, journal: journal, board: board, logger: logger)
    try await keeper.begin()
    let identity = IdentityWatcher(
      store: IdentityStore(stateDirectory: configuration.state.directory), keeper: keeper, journal: journal,
      board: board, logger: logger)
    try await identity.look()
    let progress = ProgressWatch(board: board, journal: journal)
    let composer = StatusComposer(
      board: board, journal: journal, journalDirectory: configuration.journal.directory, fold: fold, identity: identity,
      progress: progress)
    let status = StatusFile(
      composer: composer, board: board, stateDirectory: configuration.state.directory, logger: logger)
    status.write()
    logger.notice(
      "the agent has started",
      metadata: [
        "version": "\(AgentVersion.text)", "journal": "\(configuration.journal.directory)",
        "install": "\(identity.identity?.installID ?? "none")",
      ])
    let group = ServiceGroup(
      configuration: group(journal, fold, board, identity, composer, status, settings, keeper))
    restart.attach(group)
    try await group.run()
    status.write()
  }

  private func group(
    _ journal: Journal, _ fold: FleetFold, _ board: StatusBoard, _ identity: IdentityWatcher,
    _ composer: StatusComposer,
    _ status: StatusFile, _ settings: CollectorSettings, _ keeper: SettingsKeeper
  ) -> ServiceGroupConfiguration {
    let jobBox = JobBox()
    let desk = CollectorDesk()
    let replicator = Replicator(
      source: JournalSource(journal, coding: .events), targets: identity,
      introduction: AgentIntroduction(
        journalID: journal.identity.id, journalPublicKey: journal.identity.publicKey.rawRepresentation,
        agentVersion: AgentVersion.text, takesJobs: true),
      schedule: keeper.current.delivery.schedule, settings: keeper,
      journalRecovers: { ($0 as? JournalError)?.isDiskFull ?? false }, logger: logger,
      takeJob: { job in jobBox.take(job) }
    ) { board.say($0, isConfigured: keeper.current.hub != nil) }
    board.say(replicator.status, isConfigured: keeper.current.hub != nil)
    composer.progress.watch(replicator)
    let diagnostics = Diagnostics(
      configuration: { keeper.current }, composer: composer, journal: journal, tail: logTail)
    let remote = RemoteDesk(
      configured: { keeper.current }, identity: identity, desk: desk, fold: fold, journal: journal, board: board,
      logger: logger)
    let leftSessions = LeftSessions(fold.state.agent.jobs)
    let jobs = JobService(
      journal: journal, jobs: fold.state.agent.jobs,
      executor: JobExecution(
        configured: {
          let configuration = keeper.current
          return CollectorSettings(configuration, profiles: settings.profiles).inNetworks(of: configuration)
        }, desk: desk, fold: fold, journal: journal, replicator: replicator,
        diagnostics: diagnostics,
        stateDirectory: configuration.state.directory, restart: restart, settingsUpdate: keeper,
        devicePages: remote),
      replicator: replicator, logger: logger)
    jobBox.fill(jobs)
    let thinning = ThinningGauge()
    let metrics = configuration.metrics.listen.map {
      MetricsService(place: $0, composer: composer, board: board, logger: logger)
    }
    let feed = EventFeed(subscriptionsMax: WebLimits().streamsMax)
    let trace = ConsoleTrace(feed)
    let console = ConsoleDesk(
      keeper: keeper, board: board, composer: composer, journal: journal, fold: fold, identity: identity, desk: desk,
      trace: trace, diagnostics: diagnostics, profiles: settings.profiles, pages: remote, logger: logger)
    let supervision = SupervisionService(
      manager: ServiceManager.current.map { SupervisionService.Manager($0) },
      isReady: { board.snapshot.isCollectorSettled }, trouble: { composer.progress.trouble },
      summary: { Self.summary(board.snapshot) }, restart: restart, logger: logger)
    var group = ServiceGroupConfiguration(
      services: [
        status, DeliveryService(replicator: replicator, journal: journal),
        HealthService(composer: composer, identity: identity, board: board, logger: logger),
        LifecycleService(journal: journal, board: board, restart: restart, logger: logger),
        RetentionService(
          journal: journal, settings: configuration.journal, keep: { keeper.current.journal.keep },
          countersigningKey: { replicator.status.countersigningKey }, gauge: thinning, board: board, logger: logger),
        VerificationService(journal: journal, logger: logger), HeapService(), identity,
        RenewalService(
          store: IdentityStore(stateDirectory: configuration.state.directory), identity: identity, journal: journal,
          logger: logger),
        ProvisioningService(
          keeper: keeper, places: LeftCode.places(stateDirectory: configuration.state.directory), identity: identity,
          journal: journal, logger: logger),
        CollectionService(
          keeper: keeper, profiles: settings.profiles, journal: journal,
          journalDirectory: configuration.journal.directory, fold: fold, thinning: thinning, board: board,
          display: display, desk: desk, trace: trace, logger: logger),
        jobs,
        RemoteControlService(
          desk: remote, left: leftSessions, journal: journal, stateDirectory: configuration.state.directory,
          logger: logger),
        ConsoleService(configuration: configuration, desk: console, board: board, feed: feed, logger: logger),
      ] + [metrics].compactMap { $0 as (any Service)? } + [supervision],
      gracefulShutdownSignals: [.sigterm, .sigint], logger: Self.quiet(logger))
    group.maximumGracefulShutdownDuration = Self.shutdownMax
    return group
  }

  /// One line for `systemctl status`: the worst part, with its own words.
  static func summary(_ board: StatusBoard.Board) -> String {
    let order: [AgentStatus.Condition] = [.failed, .degraded, .waiting]
    for condition in order {
      if let part = board.components.first(where: { $0.state == condition }) {
        return "\(part.name) \(condition.rawValue): \(part.message)"
      }
    }
    return board.words[.collector]?.message ?? "running"
  }

  /// A stop that hangs is ended by force: journal and cursor are safe at any moment.
  private static let shutdownMax: Duration = .seconds(20)

  /// The lifecycle's own messages are for those who debug it.
  private static func quiet(_ logger: Logger) -> Logger {
    var logger = logger
    if logger.logLevel > .debug { logger.logLevel = .error }
    return logger
  }

  private func open(_ fold: FleetFold) throws(AgentFailure) -> Journal {
    try configuration.makeDirectories()
    logTail.keep(in: configuration.state.directory)
    do { return try Journal.open(configuration.journalConfiguration(logger), fold: fold) } catch {
      throw AgentFailure(error, directory: configuration.journal.directory)
    }
  }
}

extension DeliverySettings {
  fileprivate var schedule: CheckInSchedule? {
    mode == .normal ? CheckInSchedule(interval: checkInInterval) : nil
  }
}

/// Tells the journal that the agent went down in order.
struct LifecycleService: Service {
  let journal: Journal
  let board: StatusBoard
  let restart: RestartRequest
  let logger: Logger

  func run() async throws {
    try await gracefulShutdown()
    board.say(.collector, .ok, "stopped")
    try await journal.appendUnlessFull(
      .agentStopped(AgentStopped(reason: restart.isMade ? "restart" : "signal")), logger)
    do { try await journal.checkpoint() } catch {
      guard error.isDiskFull else { throw error }
      logger.warning("the last records go without a checkpoint", metadata: ["reason": "\(error)"])
    }
  }
}
