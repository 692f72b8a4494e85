// From the file to the settings, or to the list of everything that is wrong with it.
//
// Nothing is ignored: a key that no section knows is an error that names the nearest known one, and a value of the wrong type, form or size is
// an error that says what was expected. Relative paths are relative to the file's own directory.

internal import AlertRules
internal import Discovery
internal import OpenSSL
internal import Platform
internal import SNMP

extension AgentConfiguration {
  /// Reads and checks a file, and what the console has set besides it.
  /// - Throws: every problem at once.
  package static func load(_ path: String) throws(ConfigurationProblems) -> AgentConfiguration {
    var site = try loadFile(path)
    if Files.exists(site.consoleFilePath), !Files.isReadable(site.consoleFilePath) {
      site.warnings.append(
        ConfigurationWarning(
          file: site.consoleFilePath, line: 1, key: "console",
          message: "this user may not read what the console has set, which is not known here"))
      return site
    }
    guard let console = try ConsoleFile.read(site.consoleFilePath) else { return site }
    return try site.joined(with: console)
  }

  private static func loadFile(_ path: String) throws(ConfigurationProblems) -> AgentConfiguration {
    let text: String
    do {
      text = try Files.readText(path)
    } catch {
      throw ConfigurationProblems([
        ConfigurationProblem(file: path, line: nil, key: "", found: error.reason, expected: "a readable file")
      ])
    }
    return try parse(text, file: path)
  }

  /// Checks the text of a file; `file` is its name, for messages and for relative paths.
  package static func parse(_ text: String, file: String) throws(ConfigurationProblems) -> AgentConfiguration {
    let root: TOMLNode
    do {
      root = try TOMLNode.parse(text)
    } catch {
      throw ConfigurationProblems([ConfigurationProblem(file: file, syntax: error)])
    }
    guard case .table(let nodes) = root else { return AgentConfiguration() }
    let findings = Findings(file: file, locator: KeyLocator(text))
    var configuration = AgentConfiguration(
      TableReader(nodes, at: KeyPath(), findings), directory: Files.parent(of: file))
    guard findings.problems.isEmpty else { throw ConfigurationProblems(findings.problems) }
    configuration.warnings = findings.warnings
    configuration.source = ConfigurationSource(file: file, text: text)
    return configuration
  }

  /// - Parameter credentials: that ranges may name; nil: those of the document itself.
  init(_ root: TableReader, directory: String, credentials known: CredentialSection? = nil) {
    self.init()
    if root.has("hub") { hub = HubSettings(root.table("hub"), directory: directory) } else { root.know("hub") }
    if root.has("proxy") {
      proxy = ProxySettings(root.table("proxy"), directory: directory)
    } else {
      root.know("proxy")
    }
    delivery = DeliverySettings(root.table("delivery"))
    state = StateSettings(root.table("state"), directory: directory)
    journal = JournalSettings(root.table("journal"), stateDirectory: state.directory, directory: directory)
    log = LogSettings(root.table("log"))
    if known != nil { root.know("credentials") }
    let credentials = known ?? CredentialSection(root.table("credentials"), directory: directory)
    self.credentials = credentials.byName
    discovery = DiscoverySettings(root.table("discovery"), credentials: credentials)
    poll = PollSettings(root.table("poll"))
    metrics = MetricsSettings(root.table("metrics"))
    remote = RemoteSettings(root.table("remote"))
    profiles = ProfileSettings(root.table("profiles"), directory: directory)
    console = ConsoleSettings(root.table("console"), stateDirectory: state.directory, directory: directory)
    let alerts = root.table("alerts")
    rules = RuleSettings(alerts)
    meterOffsets = MeterOffset.all(root.table("meters"))
    root.finish()
    rules.warn(ofRetiringAfter: poll.retireAfter, alerts)
  }
}

extension HubSettings {
  fileprivate static let addressForm = "an address such as \"hub.example.org:7443\""

  /// Nil when something that it needs is missing or wrong; that has then been noted.
  fileprivate init?(_ table: TableReader, directory: String) {
    defer { table.finish() }
    let csr = table.required("csr", expected: Self.addressForm) { node in
      if case .string(let text) = node { HostAndPort(text) } else { nil }
    }
    let dcam = table.parsed("dcam", expected: Self.addressForm) { HostAndPort($0) }
    let hc = table.parsed("hc", expected: Self.addressForm) { HostAndPort($0) }
    let remotetechnician = table.parsed("remotetechnician", expected: Self.addressForm) { HostAndPort($0) }
    let authority = Self.authority(table, directory: directory)
    guard let csr, let authority else { return nil }
    self.init(csr: csr, dcam: dcam, hc: hc, remotetechnician: remotetechnician, authority: authority)
  }

  private static func authority(_ table: TableReader, directory: String) -> HubAuthority? {
    let pin = table.parsed(
      "ca_pin", expected: "a pin as \"sha256/...\" with 44 characters of base64, as the hub shows it"
    ) {
      PublicKeyPin($0)
    }
    let certificates: [Certificate]? = table.parsed(
      "ca_file", expected: "the name of a PEM file that can be read, with the hub's CA certificate"
    ) { name in
      (try? Files.readText(Files.resolve(name, in: directory))).flatMap { try? Certificate.all(pem: $0) }
    }
    switch (table.has("ca_pin"), table.has("ca_file")) {
    case (false, false): table.note("ca_pin", expected: "ca_pin or ca_file, by which the agent recognises its hub")
    case (true, true): table.note("ca_file", expected: "either ca_pin or ca_file, not both")
    default: break
    }
    return pin.map { .pin($0) } ?? certificates.map { .certificates($0) }
  }
}

extension DeliverySettings {
  fileprivate init(_ table: TableReader) {
    self.init()
    mode = table.choice("mode", Mode.allCases.map { ($0.rawValue, $0) }) ?? mode
    if table.has("check_in_interval") {
      checkInInterval = table.duration("check_in_interval", in: Self.checkInRange, default: .zero)
    } else {
      table.know("check_in_interval")
    }
    table.finish()
  }
}

extension StateSettings {
  fileprivate init(_ table: TableReader, directory base: String) {
    self.init()
    if let text = table.text("directory", expected: "the path of a directory") {
      directory = Files.resolve(text, in: base)
    }
    table.finish()
  }
}

extension JournalSettings {
  fileprivate init(_ table: TableReader, stateDirectory: String, directory base: String) {
    self.init()
    let text = table.text("directory", expected: "the path of a directory")
    directory = text.map { Files.resolve($0, in: base) } ?? stateDirectory + "/journal"
    sizeMax = table.size("size_max", in: Self.sizeSmallest...Self.sizeLargest, default: sizeMax)
    keep = table.duration("keep", in: Self.keepRange, default: keep)
    table.finish()
  }
}

extension LogSettings {
  fileprivate init(_ table: TableReader) {
    self.init()
    level = table.choice("level", Level.allCases.map { ($0.rawValue, $0) }) ?? level
    format = table.choice("format", Format.allCases.map { ($0.rawValue, $0) }) ?? format
    table.finish()
  }
}

extension PollSettings {
  fileprivate init(_ table: TableReader) {
    self.init()
    interval = table.duration("interval", in: Self.intervalRange, default: interval)
    concurrency = table.integer("concurrency", in: Self.concurrencyRange, default: concurrency)
    retireAfter = table.duration("retire_after", in: Self.retireAfterRange, default: retireAfter)
    table.finish()
  }
}

extension ConsoleSettings {
  fileprivate init(_ table: TableReader, stateDirectory: String, directory base: String) {
    self.init()
    isEnabled = table.boolean("enabled", default: isEnabled)
    listen =
      table.parsed("listen", expected: "an address of this machine and a port, such as \"127.0.0.1:1301\"") { text in
        HostAndPort(text).flatMap { NetworkAddress.isAddress($0.host) ? $0 : nil }
      } ?? listen
    func path(_ name: String, _ what: String) -> String? {
      table.text(name, expected: "the path of \(what)").map { Files.resolve($0, in: base) }
    }
    passwordFile =
      path("password_file", "the file that holds the password's hash") ?? stateDirectory + "/console-password"
    certificate = path("certificate", "a PEM file with the console's certificate")
    key = path("key", "a PEM file with the certificate's private key")
    hosts = table.texts("hosts", expected: "names that the console goes by, such as \"print-srv.example.org\"") {
      text in
      HostAndPort("\(text):1").map { _ in text }
    }
    if hosts.count > Self.hostsMax {
      table.note("hosts", found: "\(hosts.count) names", expected: "at most \(Self.hostsMax)")
    }
    if (certificate == nil) != (key == nil) {
      table.note(certificate == nil ? "certificate" : "key", expected: "certificate and key, which go together")
    }
    if isEnabled, !isLocal, certificate == nil, key == nil {
      table.note(
        "listen", found: "\"\(listen)\" without TLS",
        expected:
          "a loopback address such as \"127.0.0.1:1301\"; or, for others to reach it, certificate and key as well, and a password: ptagent console password"
      )
    }
    table.finish()
  }
}

extension ProfileSettings {
  fileprivate init(_ table: TableReader, directory base: String) {
    self.init()
    directory = table.text("directory", expected: "the path of a directory").map { Files.resolve($0, in: base) }
    table.finish()
  }
}
