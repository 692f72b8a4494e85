// pthub serve

internal import ArgumentParser
internal import Glibc
internal import HubServer
internal import Logging
internal import Platform
internal import UnixSignals

struct ServeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve",
    abstract: "Run the hub.",
    discussion: """
      Serves five ports until SIGTERM or SIGINT, then ends the streams, commits what it has, and exits 0 (75 where a database that hangs keeps it from that for a minute):

        csr    gRPC: enrolment with a DataLink code, renewal of certificates
        dcam   gRPC: delivery of records; renewal as well
        hc     HTTPS: POST /v1/health with a client certificate, GET /healthz for load balancers without one
        metrics  HTTP without TLS: GET /metrics for Prometheus, GET /healthz; numbers only, to be read from this machine unless you say otherwise
        console  HTTPS: the console for browsers, with a login (`pthub user add`)
        remote   for agents that open a device's own page, and remote-web for the browsers that see it: only where --remote is given

      The first three speak TLS 1.2 or later with a certificate of the hub's own authority; agents show the client certificates that csr gave them. When all listen, one \
      line goes to standard output:

        ready csr=127.0.0.1:7443 dcam=127.0.0.1:7444 hc=127.0.0.1:7445 metrics=127.0.0.1:7446 console=127.0.0.1:7447 pin=sha256/…

      Logs go to standard error, one line an event. One process may serve a directory at a time; a second one is refused with exit code 69. \
      With a PostgreSQL database (--store) any number of them may, on any number of machines.

      An acknowledgement is sent only after the database has committed with a flush to disk: kill -9, or the power going, loses nothing that an agent was \
      told is stored.
      """)

  @OptionGroup var hub: HubOptions

  @Option(help: ArgumentHelp("Where csr listens. Port 0 lets the system choose.", valueName: "address:port"))
  var csr = Endpoint(host: "127.0.0.1", port: 7443)

  @Option(help: ArgumentHelp("Where dcam listens.", valueName: "address:port"))
  var dcam = Endpoint(host: "127.0.0.1", port: 7444)

  @Option(help: ArgumentHelp("Where hc listens.", valueName: "address:port"))
  var hc = Endpoint(host: "127.0.0.1", port: 7445)

  @Option(
    help: ArgumentHelp(
      "Where metrics and /healthz are served, without TLS; `none`: nowhere.", valueName: "address:port"))
  var metrics = ListenPlace(endpoint: Endpoint(host: "127.0.0.1", port: 7446))

  @Option(
    help: ArgumentHelp(
      "Where the console for browsers is served, with TLS; `none`: nowhere.", valueName: "address:port"))
  var console = ListenPlace(endpoint: Endpoint(host: "127.0.0.1", port: 7447))

  @Option(
    help: ArgumentHelp(
      "A name that browsers reach the console by, besides those of the hub (`init --name`); may be given several times.",
      valueName: "name"))
  var consoleName: [String] = []

  @Option(
    help: ArgumentHelp(
      "The console's certificate and those between it and its root, PEM. Default: the hub's own, which browsers do not know.",
      valueName: "file"), completion: .file())
  var consoleCertificate: String?

  @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"), completion: .file())
  var consoleKey: String?

  @Option(
    help: ArgumentHelp(
      "Where agents come that open a device's own page for a technician, usually port 6000. Default: nowhere, and no page can be opened.",
      valueName: "address:port"))
  var remote: Endpoint?

  @Option(
    help: ArgumentHelp(
      "Where browsers come for devices' own pages, with TLS; goes with --remote.", valueName: "address:port"))
  var remoteWeb = Endpoint(host: "127.0.0.1", port: 7448)

  @Option(
    help: ArgumentHelp(
      "The domain below which each session has a name of its own: all names below it lead to --remote-web. With the port that browsers come to, if that is another.",
      valueName: "domain[:port]"))
  var remoteDomain = Hub.Configuration.Remote.usualDomain

  @Option(
    help: ArgumentHelp(
      "How other hubs on the same database reach this one's --remote.", valueName: "host:port"))
  var remoteRelay: String?

  @Option(
    help: ArgumentHelp(
      "The certificate of all names below --remote-domain, PEM. Default: the hub's own, which browsers do not know.",
      valueName: "file"), completion: .file())
  var remoteCertificate: String?

  @Option(help: ArgumentHelp("Its private key, PEM.", valueName: "file"), completion: .file())
  var remoteKey: String?

  @Option(
    help: ArgumentHelp(
      "The dcam address that enrolled agents are told. Default: where dcam listens; if that is every address, the hub's first name.",
      valueName: "host:port"))
  var advertiseDcam: String?

  @Option(
    help: ArgumentHelp("The hc address that enrolled agents are told. Default: likewise.", valueName: "host:port"))
  var advertiseHc: String?

  @Option(
    help: ArgumentHelp(
      "How often agents in normal mode are asked to check in, from 1m to 1h. (default: 5m)", valueName: "5m"))
  var checkIn: Span?

  @Option(help: "How log lines are written: logfmt or json.")
  var logFormat: LogFormat = .logfmt

  @Option(
    help: "The least level that is logged: trace, debug, info, notice, warning, error or critical.",
    transform: { text in
      guard let level = Logger.Level(rawValue: text) else {
        throw ValidationError("there is no log level '\(text)'; see `pthub serve --help`")
      }
      return level
    })
  var logLevel = Logger.Level.info

  @Flag(
    help: ArgumentHelp(
      "Forget records instead of storing them, to measure the way to the store. Acknowledged records are lost.",
      visibility: .hidden))
  var nullStore = false

  @Option(
    help: ArgumentHelp(
      "How many seconds certificates of installs are good for, for tests of their renewal.", visibility: .hidden))
  var clientValiditySeconds: Int?

  @Option(help: ArgumentHelp("How many seconds the hub's clock is ahead, for tests.", visibility: .hidden))
  var clockAheadSeconds: Int64 = 0

  @Option(help: ArgumentHelp("How many seconds the end may take, for tests.", visibility: .hidden))
  var endingSeconds: Int?

  @Option(
    help: ArgumentHelp("How many seconds agents wait between questions for their standing.", visibility: .hidden))
  var standingSeconds: Int?

  func validate() throws {
    guard (consoleCertificate == nil) == (consoleKey == nil) else {
      throw ValidationError("--console-certificate and --console-key go together.")
    }
    guard (remoteCertificate == nil) == (remoteKey == nil) else {
      throw ValidationError("--remote-certificate and --remote-key go together.")
    }
    guard let checkIn, !(.seconds(60) ... .seconds(3_600)).contains(checkIn.duration) else { return }
    throw ValidationError("--check-in is from 1m to 1h.")
  }

  func run() async throws {
    raiseFileLimit()
    let directory = try HubDirectory.open(at: hub.path())
    let logger = Logger(label: "pthub") { [logFormat, logLevel] _ in LineLogHandler(format: logFormat, level: logLevel)
    }
    var configuration = Hub.Configuration(csr: csr, dcam: dcam, hc: hc)
    configuration.metrics = metrics.endpoint
    configuration.console = console.endpoint
    configuration.consoleNames = consoleName
    if let consoleCertificate, let consoleKey {
      configuration.consoleCertificate = .init(certificate: consoleCertificate, key: consoleKey)
    }
    configuration.remote = try remoteTechnician()
    configuration.advertisedDCAM = advertiseDcam
    configuration.advertisedHC = advertiseHc
    configuration.usesNullRecordStore = nullStore
    configuration.store = try hub.address()
    if let clientValiditySeconds { configuration.clientValidity = .seconds(clientValiditySeconds) }
    if let standingSeconds { configuration.standingInterval = .seconds(standingSeconds) }
    if let checkIn { configuration.checkInInterval = checkIn.duration }
    configuration.signals = [.sigterm, .sigint]
    configuration.cutShort = { _exit(EX_TEMPFAIL) }
    if let endingSeconds { configuration.endingMax = .seconds(endingSeconds) }
    configuration.manager = .current
    let clock =
      clockAheadSeconds == 0
      ? HubClock.system
      : HubClock { [clockAheadSeconds] in
        HubClock.system.now + clockAheadSeconds * 1_000
      }
    try await Hub(directory: directory, configuration: configuration, clock: clock, logger: logger).run { ready in
      // Whoever waits for this line may go away after it; the hub serves all the same.
      Machine.tell(
        "ready csr=\(ready.csr) dcam=\(ready.dcam) hc=\(ready.hc) \(ready.metrics.map { "metrics=\($0) " } ?? "")\(ready.console.map { "console=\($0) " } ?? "")\(ready.remote.map { "remote=\($0) " } ?? "")\(ready.remoteWeb.map { "remote-web=\($0) " } ?? "")pin=\(ready.pin)\n",
        to: STDOUT_FILENO)
    }
  }

  private func remoteTechnician() throws -> Hub.Configuration.Remote? {
    guard let remote else {
      let alone = [
        ("--remote-domain", remoteDomain != Hub.Configuration.Remote.usualDomain),
        ("--remote-relay", remoteRelay != nil),
        ("--remote-certificate", remoteCertificate != nil), ("--remote-key", remoteKey != nil),
      ].first { $0.1 }
      guard let alone else { return nil }
      throw HubError(.usage, "\(alone.0) does nothing without --remote, where agents come for devices' pages.")
    }
    let parts = remoteDomain.split(separator: ":", omittingEmptySubsequences: false)
    var made = Hub.Configuration.Remote(agents: remote, web: remoteWeb)
    made.domain = try Hub.Configuration.Remote.checked(domain: String(parts[0]))
    if parts.count > 1 {
      guard parts.count == 2, let port = UInt16(parts[1]), port > 0 else {
        throw HubError(
          .usage, "--remote-domain takes a domain, or a domain and a port, such as pages.example.org:8443.")
      }
      made.domainPort = port
    }
    if let remoteRelay {
      guard let relay = RelayAddress(remoteRelay) else {
        throw HubError(.usage, "--remote-relay takes a name or an address, and a port, such as hub2.example.org:6000.")
      }
      made.relay = relay
    }
    if let remoteCertificate, let remoteKey { made.certificate = .init(certificate: remoteCertificate, key: remoteKey) }
    return made
  }

  /// Each agent holds a connection: takes as many descriptors as the system allows without asking.
  private func raiseFileLimit() {
    var limit = rlimit()
    guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else { return }
    limit.rlim_cur = limit.rlim_max
    setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
  }
}

extension LogFormat: ExpressibleByArgument {}

/// Where something is served that need not be.
struct ListenPlace: ExpressibleByArgument {
  let endpoint: Endpoint?

  init(endpoint: Endpoint?) { self.endpoint = endpoint }

  init?(argument: String) {
    if argument == "none" {
      self.init(endpoint: nil)
    } else if let endpoint = Endpoint(argument) {
      self.init(endpoint: endpoint)
    } else {
      return nil
    }
  }

  var defaultValueDescription: String { endpoint.map { "\($0)" } ?? "none" }
}
