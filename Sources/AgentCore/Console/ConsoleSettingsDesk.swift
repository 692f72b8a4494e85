// What is set at the console: keys that a hub may set as well, and hub and proxy. It is written to the console's own file, checked with everything else
// first, and in use at once (docs/decisions/0017-the-console-has-its-own-file.md).

internal import Console
internal import Enrolment
internal import Events
internal import Journal
internal import OpenSSL
internal import Platform
internal import Projections
internal import ReadModels
internal import Replicator
internal import Settings
internal import SNMP
internal import TLS
internal import WebServing

extension ConsoleDesk {
  // MARK: Settings

  static func origin(_ origin: ExplainedSetting.Origin) -> String {
    switch origin {
    case .preset: "default"
    case .file: "file"
    case .console: "console"
    case .hub: "hub"
    case .fileAndHub: "file and hub"
    case .consoleAndHub: "console and hub"
    }
  }

  func settings() -> WebJSON {
    let (configuration, revision) = keeper.numbered
    let (site, set) = (keeper.site, keeper.setInUse)
    let defaults = AgentConfiguration()
    let refused = fold.state.agent.settingsRefused?.fact
    return .object([
      ("file", WebJSON(site.source?.file)), ("consoleFile", .string(site.consoleFilePath)),
      ("hubVersion", WebJSON(set?.version)),
      ("refused", WebJSON(refused?.reason)), ("problems", .array([])), ("revision", WebJSON(revision)),
      ("settings", .array(configuration.explanation(with: set).map { Self.json($0, site, defaults) })),
      ("fixed", .array(Self.fixed(configuration, defaults, site))),
      (
        "credentials",
        .array(
          configuration.credentials.values.sorted { $0.name < $1.name }.map { credential in
            .object([("name", .string(credential.name)), ("kind", .string(Self.kind(credential.credential)))])
          })
      ),
    ])
  }

  private static func kind(_ credential: Credential) -> String {
    switch credential {
    case .community(let version, _): "SNMP \(version) community"
    case .user: "SNMPv3 user"
    }
  }

  private static func json(_ explained: ExplainedSetting, _ site: AgentConfiguration, _ defaults: AgentConfiguration)
    -> WebJSON
  {
    let key = explained.key
    let facts = SettingFacts.byKey[key.name]
    let line = site.fileLine(of: key)
    let isChangeable = line == nil || key.isProhibition
    var version: UInt64?
    switch explained.origin {
    case .hub(let number), .fileAndHub(let number), .consoleAndHub(let number): version = number
    case .preset, .file, .console: break
    }
    let place = line.map { $0 > 0 ? ", line \($0)" : "" } ?? ""
    return .object([
      ("key", .string(key.name)), ("group", WebJSON(key.group.map { "\($0)" })),
      ("value", explained.value == "none" ? .null : .string(explained.value)),
      ("default", WebJSON(defaults.value(of: key))),
      ("origin", .string(origin(explained.origin))), ("line", WebJSON(line.flatMap { $0 > 0 ? $0 : nil })),
      ("version", WebJSON(version)),
      ("form", .string(facts?.form ?? "text")), ("unit", WebJSON(facts?.unit)), ("minimum", WebJSON(facts?.minimum)),
      ("maximum", WebJSON(facts?.maximum)), ("choices", facts?.choices.map { .array($0.map { .string($0) }) } ?? .null),
      ("changeable", .bool(isChangeable)),
      (
        "reason",
        isChangeable
          ? .null
          : .string(
            "\(site.source?.file ?? "ptagent.toml")\(place), decides about it. Take it out there to set it here.")
      ), ("saved", WebJSON(site.source?.console?.value(of: key))), ("description", .string(facts?.description ?? "")),
    ])
  }

  /// What takes a restart, or whoever may write the file.
  private static func fixed(
    _ configuration: AgentConfiguration, _ defaults: AgentConfiguration, _ site: AgentConfiguration
  ) -> [WebJSON] {
    func values(_ configuration: AgentConfiguration) -> [(String, String?, String)] {
      [
        ("hub.csr", configuration.hub?.csr.description, "Where this machine enrols."),
        ("hub.dcam", configuration.hub?.dcam?.description, "Where records go; without it as the hub says."),
        ("hub.hc", configuration.hub?.hc?.description, "Where health reports go; without it as the hub says."),
        (
          "proxy.address", configuration.proxy?.address.description,
          "The proxy that every connection to the hub goes through."
        ),
        ("state.directory", configuration.state.directory, "Where identity and status are kept."),
        ("journal.directory", configuration.journal.directory, "Where the journal lies."),
        ("journal.size_max", configuration.journal.sizeMax.written, "Disk space that the journal fills."),
        ("log.level", configuration.log.level.rawValue, "What lies below is not logged."),
        ("log.format", configuration.log.format.rawValue, "How the log is written."),
        (
          "discovery.trap_port", configuration.discovery.trapPort.map { "\($0)" },
          "The UDP port that traps are heard on."
        ),
        ("discovery.port", "\(configuration.discovery.port)", "The UDP port that printers answer SNMP on."),
        ("profiles.directory", configuration.profiles.directory, "Vendor profiles of this site."),
        ("console.listen", configuration.console.listen.description, "Where this console listens."),
      ]
    }
    return zip(values(configuration), values(defaults)).map { now, preset in
      let line = site.fileLine(ofAny: now.0)
      let isOfConsole = line == nil && (now.0.hasPrefix("hub.") || now.0.hasPrefix("proxy.")) && now.1 != nil
      return .object([
        ("key", .string(now.0)), ("value", WebJSON(now.1)), ("default", WebJSON(preset.1)),
        ("origin", .string(line != nil ? "file" : isOfConsole ? "console" : "default")), ("line", WebJSON(line)),
        ("description", .string(now.2)),
      ])
    }
  }

  func change(_ changes: [(key: String, value: String?)], dryRun: Bool, revision: Int64?) async throws -> WebJSON {
    guard underWay.beginActivation() else {
      throw WebError(409, "busy", "Somebody else changes settings at this moment. Try again.")
    }
    defer { underWay.endActivation() }
    if let revision, revision != Int64(clamping: keeper.numbered.revision) {
      throw WebError(
        409, "busy", "The settings have changed since they were shown. Look at them again.", field: "revision")
    }
    let site = keeper.site
    var file = site.source?.console ?? ConsoleFile(path: site.consoleFilePath)
    var details: [WebError.Detail] = []
    for (name, value) in changes {
      guard let key = SettingKey.named(name) else {
        details.append(
          .init(
            "invalid", "There is no key \"\(name.prefix(80))\" here: expected \(SettingKey.advice(about: name)).",
            field: name))
        continue
      }
      if value != nil, !key.isProhibition, let line = site.fileLine(of: key) {
        details.append(
          .init(
            "not_changeable", "\(site.source?.file ?? "ptagent.toml"), line \(line), decides about it.", field: name))
        continue
      }
      guard let value else {
        file.set(key, nil)
        continue
      }
      guard value.utf8.count <= 16_384, let canonical = SettingKey.canonical(key.value(written: value)) else {
        details.append(
          .init(
            "invalid",
            "\(name): '\(value.prefix(40))' is no value; give one as a configuration file has it, such as 30, true, \"30m\" or [\"10.0.0.0/24\"].",
            field: name))
        continue
      }
      file.set(key, canonical)
    }
    // What is wrong with the rest is said with it.
    if !details.isEmpty {
      details += problems(of: file)
      throw WebError(details.allSatisfy { $0.code == "not_changeable" } ? 409 : 422, all: details)
    }
    try await use(file, dryRun: dryRun)
    return settings()
  }

  private func problems(of file: ConsoleFile) -> [WebError.Detail] {
    do throws(ConfigurationProblems) {
      _ = try keeper.layered(try keeper.site.joined(with: file))
      return []
    } catch { return error.problems.map(Self.detail) }
  }

  /// Checks, writes and uses what the console sets.
  private func use(_ file: ConsoleFile, dryRun: Bool) async throws {
    let site: AgentConfiguration
    do throws(ConfigurationProblems) {
      site = try keeper.site.joined(with: file)
      _ = try keeper.layered(site)
    } catch { throw WebError(422, all: error.problems.map(Self.detail)) }
    guard !dryRun else { return }
    try file.write()
    try await keeper.use(site: site)
  }

  private static func detail(_ problem: ConfigurationProblem) -> WebError.Detail {
    let names = ["hub.ca_pin": "hub.caPin", "hub.ca_file": "hub.caPin"]
    let key = problem.key.isEmpty ? nil : names[problem.key] ?? problem.key
    let place = problem.key.isEmpty ? "" : "\(problem.key): "
    return WebError.Detail("invalid", "\(place)found \(problem.found), expected \(problem.expected).", field: key)
  }

  // MARK: First run

  func setup() -> WebJSON {
    let configuration = keeper.current
    let site = keeper.site
    let identity = board.snapshot.components.first { $0.name == ComponentName.identity.rawValue }
    let state =
      watcher.identity != nil
      ? "enrolled" : identity?.state == .failed ? "failed" : configuration.hub == nil ? "unconfigured" : "unenrolled"
    func part(_ table: String, _ isSet: Bool, _ members: [(String, WebJSON)]) -> WebJSON {
      let isOfFile = site.fileHas(table: table)
      return .object(
        members + [
          ("origin", .string(isOfFile ? "file" : isSet ? "console" : "none")), ("changeable", .bool(!isOfFile)),
          (
            "reason",
            isOfFile
              ? .string("[\(table)] stands in \(site.source?.file ?? "ptagent.toml"), and is changed there.") : .null
          ),
        ])
    }
    let (hub, proxy) = (configuration.hub, configuration.proxy)
    var pin: String?
    var isFile = false
    switch hub?.authority {
    case .pin(let own)?: pin = own.description
    case .certificates?: isFile = true
    case nil: break
    }
    return .object([
      ("state", .string(state)),
      (
        "hub",
        part(
          "hub", hub != nil,
          [
            ("csr", WebJSON(hub?.csr.description)), ("dcam", WebJSON(hub?.dcam?.description)),
            ("hc", WebJSON(hub?.hc?.description)), ("remotetechnician", WebJSON(hub?.remotetechnician?.description)),
            ("caPin", WebJSON(pin)),
            ("caFile", .bool(isFile)),
          ])
      ),
      (
        "proxy",
        part(
          "proxy", proxy != nil,
          [
            ("address", WebJSON(proxy?.address.description)), ("user", WebJSON(proxy?.credentials?.user)),
            ("hasPassword", .bool(proxy?.credentials != nil)),
          ])
      ),
      ("install", setupInstall()), ("identity", identity.map(Self.json) ?? .null),
    ])
  }

  private func setupInstall() -> WebJSON { overview().first { $0.0 == "install" }?.1 ?? .null }

  /// The console's file with what is wished; nil where nothing differs.
  private func wished(_ wish: SetupWish) throws(WebError) -> ConsoleFile? {
    let site = keeper.site
    var file = site.source?.console ?? ConsoleFile(path: site.consoleFilePath)
    var isChanged = false
    if let hub = wish.hub, hub.csr != nil || hub.caPin != nil {
      let current = site.hub
      var pin = hub.caPin
      if pin == nil, case .pin(let own)? = current?.authority { pin = own.description }
      let csr = hub.csr ?? current?.csr.description ?? ""
      let (dcam, hc) = (hub.dcam ?? current?.dcam?.description, hub.hc ?? current?.hc?.description)
      var isSamePin = hub.caPin == nil
      if case .pin(let own)? = current?.authority, own.description == hub.caPin { isSamePin = true }
      let isSame =
        current?.csr.description == csr && isSamePin && current?.dcam?.description == dcam
        && current?.hc?.description == hc
      if !isSame {
        guard !site.fileHas(table: "hub") else { throw Self.ofFile("hub", site) }
        file.setHub(csr: csr, dcam: dcam, hc: hc, pin: pin)
        isChanged = true
      }
    }
    switch wish.proxy {
    case .asItIs: break
    case .none:
      guard site.proxy != nil else { break }
      guard !site.fileHas(table: "proxy") else { throw Self.ofFile("proxy", site) }
      file.setProxy(nil)
      isChanged = true
    case .through(let proxy):
      let current = site.proxy
      let isSame =
        current?.address.description == proxy.address && current?.credentials?.user == proxy.user
        && proxy.password == nil
      guard !isSame else { break }
      guard !site.fileHas(table: "proxy") else { throw Self.ofFile("proxy", site) }
      let isSameUser = current?.address.description == proxy.address && current?.credentials?.user == proxy.user
      let password = proxy.password ?? (isSameUser ? current?.credentials?.password : nil)
      file.setProxy((proxy.address, proxy.user, password))
      isChanged = true
    }
    return isChanged ? file : nil
  }

  private static func ofFile(_ table: String, _ site: AgentConfiguration) -> WebError {
    WebError(
      409, "not_changeable",
      "[\(table)] stands in \(site.source?.file ?? "ptagent.toml"); change it there, or take it out to set it here.",
      field: table)
  }

  func connectivity(_ wish: SetupWish) async throws -> WebJSON {
    var configuration = keeper.current
    // A test changes nothing, so that it may try what the file decides, too.
    var file = ConsoleFile(path: "the form")
    if let hub = wish.hub {
      var pin = hub.caPin
      if pin == nil, case .pin(let own)? = configuration.hub?.authority { pin = own.description }
      if let csr = hub.csr ?? configuration.hub?.csr.description {
        file.setHub(
          csr: csr, dcam: hub.dcam ?? configuration.hub?.dcam?.description,
          hc: hub.hc ?? configuration.hub?.hc?.description, pin: pin)
      }
    }
    if case .through(let proxy) = wish.proxy {
      let current = configuration.proxy
      let isSameUser = current?.address.description == proxy.address && current?.credentials?.user == proxy.user
      file.setProxy((proxy.address, proxy.user, proxy.password ?? (isSameUser ? current?.credentials?.password : nil)))
    }
    do {
      let trial = try AgentConfiguration().joined(with: file)
      if trial.hub != nil {
        let (former, isNewPin) = (configuration.hub, wish.hub?.caPin != nil)
        configuration.hub = trial.hub
        // A CA file of the configuration counts as long as nobody names a pin.
        if !isNewPin, let former { configuration.hub?.authority = former.authority }
      }
      switch wish.proxy {
      case .asItIs: break
      case .none: configuration.proxy = nil
      case .through: configuration.proxy = trial.proxy
      }
    } catch { throw WebError(422, all: error.problems.map(Self.detail)) }
    var remote: HostAndPort?
    if let text = wish.hub?.remotetechnician {
      guard let address = HostAndPort(text) else {
        throw WebError(422, "invalid", "This is no address; give host:port.", field: "hub.remotetechnician")
      }
      remote = address
    }
    return await Connectivity(configuration: configuration, identity: watcher.identity, remotetechnician: remote)
      .check()
  }

  func activate(code text: String, again: Bool, _ wish: SetupWish) async throws -> WebJSON {
    guard let code = DataLinkCode(text) else {
      throw WebError(422, all: [Self.told(.malformedCode).first] + faults(of: wish))
    }
    guard underWay.beginActivation() else { throw WebError(409, "busy", "This machine is being activated already.") }
    defer { underWay.endActivation() }
    if let file = try wished(wish) { try await use(file, dryRun: false) }
    let configuration = keeper.current
    guard configuration.hub != nil else {
      throw WebError(422, "invalid", "Name the hub: its address for enrolment, and its pin.", field: "hub.csr")
    }
    let identity = try await enrol(code, again: again, configuration)
    // The watcher journals it, and delivery begins.
    let deadline = ContinuousClock.now.advanced(by: .seconds(10))
    while watcher.identity?.installID != identity.installID, ContinuousClock.now < deadline {
      try await Task.sleep(for: .milliseconds(50))
    }
    return setup()
  }

  /// What else is wrong, where something is that is looked at before.
  private func faults(of wish: SetupWish) -> [WebError.Detail] {
    do throws(WebError) { return try wished(wish).map { problems(of: $0) } ?? [] } catch {
      return error.all.isEmpty ? [error.first] : error.all
    }
  }

  private func enrol(_ code: DataLinkCode, again: Bool, _ configuration: AgentConfiguration) async throws
    -> InstallIdentity
  {
    do {
      return try await AgentEnrolment(configuration, logger: logger).enrolBeside(
        code: code, journal: JournalReference(id: journal.identity.id, publicKey: journal.identity.publicKey),
        isAgain: again)
    } catch let error as EnrolmentError {
      throw Self.told(error)
    }
  }

  private static func told(_ error: EnrolmentError) -> WebError {
    let sentence = error.description
    switch error {
    case .malformedCode: return WebError(422, "invalid", sentence, field: "code")
    case .codeRefused: return WebError(502, "hub_refused", sentence, field: "code")
    case .notOurHub: return WebError(502, "not_the_hub", sentence, field: "hub.caPin")
    case .unreachable: return WebError(502, "hub_unreachable", sentence, field: "hub.csr")
    case .requestRefused, .unusableAnswer: return WebError(502, "hub_refused", sentence)
    case .tooManyAttempts(_, let wait):
      var told = WebError(429, "too_many_attempts", sentence)
      told.retryAfter = Int(wait.components.seconds) + 1
      return told
    case .enrolledAlready(let install, let entity):
      return WebError(
        409, "enrolled_already",
        "This machine is enrolled already, as install \(install) of \(entity). Say that it is to become another one (\"again\")."
      )
    case .identityUnreadable: return WebError(409, "enrolled_already", sentence, field: "again")
    case .storage(let failure):
      return WebError(failure.isDiskFull ? 507 : 500, failure.isDiskFull ? "disk_full" : "internal", sentence)
    case .cryptography: return WebError(500, "internal", sentence)
    }
  }
}
