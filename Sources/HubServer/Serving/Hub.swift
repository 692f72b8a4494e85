// The hub's services, put together.
//
//     ServiceGroup: committer, wellness, fleet, identity, identity watch, install watch, job watch, settings watch, csr listener, dcam listener, hc application, metrics,
//     remote technician, console watch, console, readiness
//
// They are shut down in the reverse order: first nobody new is let in and the streams end with UNAVAILABLE, last the
// committer writes what was submitted. The lock of the directory is held for as long as `run` lasts.

internal import GRPCCore
package import Logging
internal import NIOSSL
package import Platform
internal import ServiceLifecycle
package import UnixSignals
internal import WebServing

package struct Hub: Sendable {
  package struct Configuration: Sendable {
    package var csr: Endpoint
    package var dcam: Endpoint
    package var hc: Endpoint
    /// Where metrics are served; nil: nowhere.
    package var metrics: Endpoint?
    /// Where the console is served; nil: nowhere.
    package var console: Endpoint?
    /// What browsers reach it by, besides the hub's names and the address.
    package var consoleNames: [String] = []
    /// PEM files; nil: the hub's own certificate.
    package var consoleCertificate: CertificateFiles?
    /// Where devices' own pages are served; nil: nowhere.
    package var remote: Remote?
    /// What enrolled agents are told; nil: derived from the names and the endpoints.
    package var advertisedDCAM: String?
    package var advertisedHC: String?
    /// Forgets records instead of storing them, for measurements.
    package var usesNullRecordStore = false
    /// Where it keeps everything; nil: where its directory says.
    package var store: String?
    /// How often installs in normal mode are asked to check in.
    package var checkInInterval = HubLimits.checkInInterval
    package var signals: [UnixSignal] = []
    /// Ends the process, where an orderly end takes longer than `endingMax`; nil: it is waited for.
    package var cutShort: (@Sendable () -> Void)?
    package var endingMax = HubLimits.endingMax
    /// How long the certificates of installs are good for, and how often agents ask for their standing: shorter in tests.
    package var clientValidity = HubLimits.clientValidity
    package var standingInterval = HubLimits.standingInterval
    /// Who runs this process and wants to be told; nil: nobody.
    package var manager: ServiceManager?

    package init(csr: Endpoint, dcam: Endpoint, hc: Endpoint) {
      self.csr = csr
      self.dcam = dcam
      self.hc = hc
    }
  }

  package struct CertificateFiles: Sendable {
    package let certificate: String
    package let key: String

    package init(certificate: String, key: String) {
      self.certificate = certificate
      self.key = key
    }
  }

  /// Where the hub listens, and what its root is known by.
  package struct Ready: Sendable {
    package let csr: Endpoint
    package let dcam: Endpoint
    package let hc: Endpoint
    /// Nil where metrics are not served.
    package let metrics: Endpoint?
    /// Nil where the console is not served.
    package let console: Endpoint?
    /// Where agents come for devices' own pages, and where browsers do; nil where these are not served.
    package let remote: Endpoint?
    package let remoteWeb: Endpoint?
    package let pin: String
  }

  private let directory: HubDirectory
  private let configuration: Configuration
  private let clock: HubClock
  private let logger: Logger
  private let lock: HubLock
  private let store: SQLStore

  /// - Throws: `HubError`: 69 if the directory is served already, or what opening the store throws.
  package init(directory: HubDirectory, configuration: Configuration, clock: HubClock = .system, logger: Logger) throws
  {
    self.directory = directory
    self.configuration = configuration
    self.clock = clock
    self.logger = logger
    store = try directory.openStore(at: configuration.store)
    lock = try HubLock(directory: directory, shared: store.isShared)
  }

  /// Serves until a signal, a graceful shutdown of the surrounding task, or an error that the hub cannot go on with.
  ///
  /// - Parameter onReady: called once, when all ports listen.
  package func run(onReady: @escaping @Sendable (Ready) -> Void) async throws {
    try Roots.removeRetiredKeys(directory)
    let metrics = HubMetrics()
    let authorities = Authorities(directory, clock: clock)
    let identity = try ServerIdentity(
      directory: directory, authorities: authorities, extraNames: listeningNames, clock: clock, logger: logger)
    let peers = PeerCheck(
      authorities: authorities, store: store, clock: clock, logger: logger, metrics: metrics,
      restoration: try Restoration.load(from: directory.path))
    let streams = StreamGuard(store: store, clock: clock, logger: logger, metrics: metrics)
    let watch = IdentityWatch(
      authorities: authorities, identity: identity, store: store, streams: streams, clock: clock, logger: logger)
    let records: any RecordStore = configuration.usesNullRecordStore ? NullRecordStore() : store
    if configuration.usesNullRecordStore {
      logger.critical("records are NOT stored: this hub runs with the null store, for measurements only")
    }
    let fleet = FleetService(store: store, logger: logger, metrics: metrics, clock: clock)
    let supervision = Supervision(manager: configuration.manager, logger: logger)
    let (committer, wellness) = committing(to: records, fleet, metrics) { supervision.tell(.alive) }
    let countersigner = configuration.usesNullRecordStore ? nil : try directory.countersigner()
    let jobWatch = JobWatch(store: store, clock: clock, logger: logger)
    let settings = SettingsWatch(store: store, clock: clock, logger: logger)
    let installs = InstallWatch(store: store, clock: clock, logger: logger)
    let delivery = Delivery(
      records: records, registry: store, committer: committer, countersigner: countersigner, streams: streams,
      settings: settings, clock: clock, checkInInterval: configuration.checkInInterval, jobs: store, jobWatch: jobWatch,
      metrics: metrics)
    let addresses = AddressBox()
    let signing = SigningService(
      directory: directory, authorities: authorities, store: store, peers: peers, addresses: { addresses.current },
      clientValidity: configuration.clientValidity, standingInterval: configuration.standingInterval, clock: clock,
      logger: logger, metrics: metrics)
    let collection = CollectionService(peers: peers, delivery: delivery, logger: logger)
    let csr = try RPCListener(
      name: "csr", endpoint: configuration.csr, identity: identity, services: [signing], metrics: metrics,
      logger: logger)
    let dcam = try RPCListener(
      name: "dcam", endpoint: configuration.dcam, identity: identity, services: [collection, signing],
      direct: collection, metrics: metrics, logger: logger, ending: { streams.shutDown() })
    let hcPort = PortBox()
    let hcConnections = OpenConnections()
    let health = try HealthService(
      peers: peers, store: store, wellness: wellness, clock: clock, logger: logger, metrics: metrics
    ).application(endpoint: configuration.hc, identity: identity, connections: hcConnections) { hcPort.set($0) }
    let hc = HTTPListener(
      name: "hc", application: health, endpoint: configuration.hc, connections: hcConnections, logger: logger,
      before: [csr, dcam])
    let sources = MetricsSources(
      metrics: metrics, delivery: delivery, committer: committer, wellness: wellness, store: store)
    let metricsPort = PortBox()
    let operations = metricsListener(sources, port: metricsPort, before: [csr, dcam])
    let consolePort = PortBox()
    let remote = try configuration.remote.map {
      try RemoteServices(
        $0, consoleNames: directory.names + configuration.consoleNames, identity: identity, peers: peers, store: store,
        clock: clock, logger: logger)
    }
    let console = try consoleServices(identity, port: consolePort, remote: remote?.domain, before: [csr, dcam])
    let readiness = Readiness { [configuration, authorities, logger] in
      let ready = Ready(
        csr: Endpoint(host: configuration.csr.host, port: try await csr.port),
        dcam: Endpoint(host: configuration.dcam.host, port: try await dcam.port),
        hc: Endpoint(host: configuration.hc.host, port: try await hcPort.wait()),
        metrics: try await Self.bound(configuration.metrics, metricsPort),
        console: try await Self.bound(configuration.console, consolePort),
        remote: try await Self.bound(configuration.remote?.agents, remote?.agentsPort ?? PortBox()),
        remoteWeb: try await Self.bound(configuration.remote?.web, remote?.webPort ?? PortBox()),
        pin: authorities.current.serving.pin)
      addresses.current = .init(
        dcam: configuration.advertisedDCAM ?? self.advertised(ready.dcam),
        hc: configuration.advertisedHC ?? self.advertised(ready.hc))
      logger.info(
        "hub ready",
        metadata: [
          "csr": "\(ready.csr)", "dcam": "\(ready.dcam)", "hc": "\(ready.hc)",
          "metrics": "\(ready.metrics.map { "\($0)" } ?? "none")",
          "console": "\(ready.console.map { "\($0)" } ?? "none")",
          "remote": "\(ready.remote.map { "\($0)" } ?? "none")", "version": "\(HubVersion.text)",
        ])
      supervision.tell(.ready, .status("serves csr \(ready.csr), dcam \(ready.dcam), hc \(ready.hc)"))
      onReady(ready)
    } ending: {
      supervision.tell(.stopping, .status("ends in order"))
    }

    var services: [any Service] = [committer, wellness, fleet, identity, watch, installs, jobWatch, settings]
    services += [csr, dcam, hc] as [any Service]
    services += operations
    services += remote?.services ?? []
    services += console
    services.append(readiness)
    if let end = configuration.cutShort {
      services.append(EndingLimit(limit: configuration.endingMax, logger: logger, end: end))
    }
    var group = ServiceGroupConfiguration(
      services: services.map { service in
        // A port that is taken ends what serves already in order: one that is cut off complains of it in the log.
        ServiceGroupConfiguration.ServiceConfiguration(
          service: service, failureTerminationBehavior: .gracefullyShutdownGroup)
      }, gracefulShutdownSignals: configuration.signals, logger: logger)
    group.maximumGracefulShutdownDuration = HubLimits.shutdownGrace * 2
    defer { withExtendedLifetime(lock) {} }
    // So that whoever asks first gets an answer that was looked for.
    await wellness.probe()
    try await ServiceGroup(configuration: group).run()
    logger.info("hub stopped")
  }

  private func committing(
    to records: any RecordStore, _ fleet: FleetService, _ metrics: HubMetrics, looked: @escaping @Sendable () -> Void
  ) -> (Committer, Wellness) {
    let wellness = Wellness(store: store, logger: logger, looked: looked)
    let committer = Committer(
      store: records, clock: clock, logger: logger,
      ended: { duration, refusal in
        if refusal == nil { metrics.committed(in: duration) } else { metrics.count(.commitFailures) }
        wellness.recordsEnded(refusal)
      }, committed: { fleet.committed($0) })
    wellness.watch(committer)
    return (committer, wellness)
  }

  /// The listener of the metrics, if there is to be one.
  private func metricsListener(
    _ sources: MetricsSources, port: PortBox, before: [RPCListener]
  ) -> [any Service] {
    guard let endpoint = configuration.metrics else { return [] }
    let service = MetricsService(families: { sources.families() }, wellness: sources.wellness, logger: logger)
    let connections = OpenConnections()
    let application = service.application(endpoint: endpoint, connections: connections) { port.set($0) }
    return [
      HTTPListener(
        name: "metrics", application: application, endpoint: endpoint, connections: connections, logger: logger,
        before: before)
    ]
  }

  /// The console and what tells its pages of changes, if there is to be one.
  ///
  /// - Throws: `HubError` 78 for a certificate that cannot be used.
  private func consoleServices(
    _ identity: ServerIdentity, port: PortBox, remote: RemoteDomainBox?, before: [RPCListener]
  ) throws -> [any Service] {
    guard let endpoint = configuration.console else { return [] }
    let streams = ConsoleStreams()
    let handler = ConsoleHandler(
      console: HubConsole(store: store, directory: directory, clock: clock, logger: logger, remote: remote),
      assets: try Assets(.hub),
      streams: streams)
    let names = directory.names + configuration.consoleNames + (endpoint.isWildcard ? [] : [endpoint.host])
    var web = WebConfiguration(
      name: "console", host: endpoint.host, port: endpoint.port,
      hosts: HostNames(names, hasLoopback: true, setting: "--console-name"),
      tls: try consoleTLS(identity), serverName: "pthub")
    web.limits.streamsMax = HubLimits.consoleStreamsMax
    web.limits.connectionsMax = HubLimits.consoleConnectionsMax
    let server = WebServer(web, handler: handler, logger: logger) { port.set($0) }
    return [
      ConsoleWatch(store: store, streams: streams, clock: clock, logger: logger),
      ConsoleListener(server: server, endpoint: endpoint, before: before),
    ]
  }

  private func consoleTLS(_ identity: ServerIdentity) throws -> TLSConfiguration {
    guard let files = configuration.consoleCertificate else { return identity.browserConfiguration() }
    do { return try WebTLS.configuration(certificate: files.certificate, key: files.key) } catch {
      throw HubError(.configuration, error.description)
    }
  }

  private static func bound(_ endpoint: Endpoint?, _ port: PortBox) async throws -> Endpoint? {
    guard let endpoint else { return nil }
    return Endpoint(host: endpoint.host, port: try await port.wait())
  }

  /// The addresses that it listens on, unless they stand for all.
  private var listeningNames: [ServerName] {
    let own = [
      configuration.csr, configuration.dcam, configuration.hc, configuration.console, configuration.remote?.agents,
    ]
    // Every session with a device's pages has a name of its own.
    let sessions = configuration.remote.map { [ServerName.dns("*.\($0.domain)")] } ?? []
    return own.compactMap { $0 }.filter { !$0.isWildcard }.compactMap {
      ServerName.address($0.host).map { .address($0) }
    } + sessions
  }

  /// Where agents reach an endpoint: itself, or the first name of the hub if it stands for every address.
  private func advertised(_ endpoint: Endpoint) -> String {
    guard endpoint.isWildcard else { return endpoint.description }
    guard let name = directory.names.first else { return "" }
    return ServerName.address(name)?.count == 16 ? "[\(name)]:\(endpoint.port)" : "\(name):\(endpoint.port)"
  }
}
