// The local console: which path is answered by whom (docs/formats/console-api.md), and what every answer has in common.

internal import Events
internal import Journal
package import Logging
internal import Platform
internal import PrinterModel
internal import Projections
internal import ReadModels
package import WebServing

package struct LocalConsole: WebHandler {
  private let agent: any ConsoleAgent
  private let door: Door
  package let feed: EventFeed
  private let assets: Assets
  private let rows: DeviceRows
  private let devices: DeviceRoutes
  private let history: HistoryRoutes
  private let journal: JournalRoutes
  private let remote: RemoteRoutes
  private let work = HeavyWork()
  private let logger: Logger

  /// - Parameters:
  ///   - exportDirectory: where exports are made before they are sent.
  ///   - isLocal: whether it listens on loopback alone.
  /// - Throws: `ZlibError` where zlib cannot be set up.
  package init(
    _ agent: any ConsoleAgent, password: ConsolePassword, feed: EventFeed, exportDirectory: String, isLocal: Bool,
    logger: Logger
  ) throws {
    self.agent = agent
    self.feed = feed
    self.logger = logger
    assets = try Assets(.agent)
    door = Door(password, agent: agent, feed: feed, isLocal: isLocal)
    rows = DeviceRows(agent)
    devices = DeviceRoutes(agent: agent, rows: rows)
    history = HistoryRoutes(agent: agent, work: work)
    remote = RemoteRoutes(agent: agent, work: work)
    journal = JournalRoutes(
      agent: agent, work: work, verification: Verification(feed), exports: Exports(directory: exportDirectory))
  }

  /// Watches the journal for the pages that are open, until it is cancelled.
  package func follow() async throws {
    _ = rows.all()
    try await RecordFollower(agent: agent, rows: rows, feed: feed).run()
  }

  /// Thresholds have changed: every row may show another word.
  package func settingsChanged() { rows.changedAll() }

  package func end() { feed.end() }

  @concurrent package func answer(_ request: WebRequest) async throws -> WebAnswer {
    guard request.path.first == "api" else {
      guard let asset = assets.answer(request) else {
        throw request.method.isSafe ? WebError.notFound() : WebError.methodNotAllowed([.get, .head])
      }
      return asset
    }
    guard request.path.count > 2, request.path[1] == "v1" else { throw WebError.notFound() }
    var request = request
    // A HEAD is a GET without its body.
    if request.method == .head { request.method = .get }
    do { return try await route(request, Array(request.path.dropFirst(2))) } catch let error as JournalError {
      throw Self.told(error)
    } catch let error as SearchError {
      throw WebError(404, request.path.contains("meters") ? "unknown_meter" : "unknown_device", error.description)
    } catch let error as NamingError {
      throw WebError(404, "unknown_record", error.description)
    } catch let error as RangeError {
      throw WebError(422, "invalid", error.description, field: "from")
    } catch let error as ExportError {
      throw WebError(error.kind == .full ? 507 : 500, error.kind == .full ? "disk_full" : "internal", "\(error)")
    } catch let error as SystemError {
      throw WebError(error.isDiskFull ? 507 : 500, error.isDiskFull ? "disk_full" : "internal", error.description)
    }
  }

  private static func isFull(_ error: JournalError) -> Bool {
    switch error {
    case .full: true
    case .file(_, _, let code): code == 28
    default: "\(error)".contains("No space left")
    }
  }

  private static func told(_ error: JournalError) -> WebError {
    if error.isRemoval { return WebError(410, "removed", error.description) }
    if JournalError.damagedDirectory(of: error) != nil {
      return WebError(
        503, "journal_damaged", "\(error) The agent looks at it when it starts again, and keeps what is sound.")
    }
    if isFull(error) { return WebError(507, "disk_full", error.description) }
    return WebError(503, "journal_unavailable", error.description)
  }

  // MARK: Routes

  private func route(_ request: WebRequest, _ path: [String]) async throws -> WebAnswer {
    if path == ["session"] { return try await door.answer(request) }
    try door.check(request)
    switch path[0] {
    case "password" where path.count == 1:
      try Self.expect(.put, request)
      return try await door.change(request)
    case "setup": return try await setup(request, Array(path.dropFirst()))
    case "devices": return try await devices(request, Array(path.dropFirst()))
    case "discovery": return try await discovery(request, Array(path.dropFirst()))
    case "journal": return try await journal(request, Array(path.dropFirst()))
    case "remote": return try await remote.answer(request, Array(path.dropFirst()))
    case "outgoing": return try await outgoing(request, Array(path.dropFirst()))
    case "settings" where path.count == 1: return try await settings(request)
    default:
      guard path.count == 1 else { throw WebError.notFound() }
      return try await one(request, path[0])
    }
  }

  private static func expect(_ method: WebMethod, _ request: WebRequest) throws(WebError) {
    guard request.method == method else { throw .methodNotAllowed([method]) }
  }

  private func one(_ request: WebRequest, _ name: String) async throws -> WebAnswer {
    switch name {
    case "dashboard", "alerts", "jobs", "queue", "diagnostics", "events": try Self.expect(.get, request)
    default: throw WebError.notFound()
    }
    if ["dashboard", "queue", "diagnostics", "events"].contains(name) { try request.query.expect([]) }
    let agent = agent
    switch name {
    case "dashboard":
      return Dashboard(agent: agent, rows: rows).answer()
    case "alerts": return try AlertRoutes(agent: agent).list(request.query)
    case "jobs":
      try request.query.expect(["limit"])
      let limit = try request.query.number("limit", in: 1...500, default: 50)
      return try await work.run { _ in
        .json(Array(#"{"items":"#.utf8) + (try agent.jobs(limit)) + Array("}".utf8))
      }
    case "queue": return try await work.run { _ in .json(try agent.queue()) }
    case "diagnostics":
      let bytes = try await work.run { _ in try agent.diagnostics() }
      let stamp = UTCTimeText.at(Machine.milliseconds).filter { $0.isNumber }.prefix(14)
      return .download("printtrail-diagnostics-\(stamp).json.gz", type: "application/gzip", .bytes(bytes))
    default: return .events(try feed.subscribe(after: request.header("last-event-id")))
    }
  }

  private func devices(_ request: WebRequest, _ path: [String]) async throws -> WebAnswer {
    if path.isEmpty {
      try Self.expect(.get, request)
      return try devices.list(request.query)
    }
    let device = try devices.state(path[0])
    if path.dropFirst() == ["read"] {
      try Self.expect(.post, request)
      var members = Members(try request.members())
      try members.finish()
      if let obstacle = agent.obstacle(to: device) { throw WebError(422, "invalid", obstacle) }
      let (status, json) = try await agent.readNow(device.id)
      return .json(json, status: status)
    }
    try Self.expect(.get, request)
    if path.count == 4, path[1] == "meters", path[3] == "why" { return try await history.why(device, path[2]) }
    guard path.count <= 2 else { throw WebError.notFound() }
    switch path.count == 2 ? path[1] : "" {
    case "":
      try request.query.expect([])
      return devices.one(device)
    case "history": return try await history.history(device, request.query)
    case "supplies": return try await history.supplies(device)
    case "timeline": return try await history.timeline(device, request.query)
    case "provenance": return try await history.provenance(device)
    case "collection": return .json(await agent.collection(of: device.id))
    default: throw WebError.notFound()
    }
  }

  private func discovery(_ request: WebRequest, _ path: [String]) async throws -> WebAnswer {
    switch path {
    case []:
      try Self.expect(.get, request)
      return .json(agent.discovery())
    case ["addresses"]:
      try Self.expect(.get, request)
      return try AddressRoutes(agent: agent).list(request.query)
    case ["sweep"]:
      try Self.expect(.post, request)
      var members = Members(try request.members())
      let ranges = try members.texts("ranges", countMax: 256)
      try members.finish()
      try await agent.sweep(ranges)
      return .json(.object([("state", .string("running"))]), status: 202)
    default: throw WebError.notFound()
    }
  }

  private func journal(_ request: WebRequest, _ path: [String]) async throws -> WebAnswer {
    if path == ["verify"], request.method == .post {
      var members = Members(try request.members())
      try members.finish()
      try journal.verification.begin(agent.reader, work)
      return .json(journal.verification.json, status: 202)
    }
    guard request.method == .get else { throw WebError.methodNotAllowed(path == ["verify"] ? [.get, .post] : [.get]) }
    switch path {
    case []: return try await journal.about()
    case ["records"]: return try await journal.records(request.query)
    case ["verify"]: return .json(journal.verification.json)
    case ["export"]: return try await journal.export(request.query)
    default:
      guard path.count == 3, path[0] == "records" else { throw WebError.notFound() }
      return try await journal.record(path[1], path[2], isOutgoing: false)
    }
  }

  private func outgoing(_ request: WebRequest, _ path: [String]) async throws -> WebAnswer {
    try Self.expect(.get, request)
    switch path {
    case []:
      try request.query.expect([])
      return .json(agent.outgoing())
    case ["records"]: return try await journal.records(request.query)
    default:
      guard path.count == 3, path[0] == "records" else { throw WebError.notFound() }
      return try await journal.record(path[1], path[2], isOutgoing: true)
    }
  }

  // MARK: First run and settings

  private func setup(_ request: WebRequest, _ path: [String]) async throws -> WebAnswer {
    switch path {
    case []:
      try Self.expect(.get, request)
      return .json(agent.setup())
    case ["connectivity"]:
      try Self.expect(.post, request)
      var members = Members(try request.members())
      let wish = try Self.wish(&members)
      try members.finish()
      return .json(try await agent.connectivity(wish))
    case ["activate"]:
      try Self.expect(.post, request)
      var members = Members(try request.members())
      let code = try members.requiredText("code", bytesMax: 200)
      let again = try members.flag("again") ?? false
      let wish = try Self.wish(&members)
      try members.finish()
      return .json(try await agent.activate(code: code, again: again, wish))
    default: throw WebError.notFound()
    }
  }

  private static func wish(_ members: inout Members) throws(WebError) -> SetupWish {
    var wish = SetupWish()
    if let hub = try members.object("hub") {
      var own = Members(hub, in: "hub")
      wish.hub = SetupWish.Hub(
        csr: try own.text("csr"), dcam: try own.text("dcam"), hc: try own.text("hc"),
        remotetechnician: try own.text("remotetechnician"), caPin: try own.text("caPin"))
      try own.finish()
    }
    guard members.has("proxy") else { return wish }
    wish.proxy = .none
    guard let proxy = try members.object("proxy") else { return wish }
    var own = Members(proxy, in: "proxy")
    wish.proxy = .through(
      SetupWish.Proxy(
        address: try own.requiredText("address"), user: try own.text("user"), password: try own.text("password")))
    try own.finish()
    return wish
  }

  private func settings(_ request: WebRequest) async throws -> WebAnswer {
    if request.method == .get { return .json(agent.settings()) }
    guard request.method == .put else { throw WebError.methodNotAllowed([.get, .put]) }
    var members = Members(try request.members())
    let dryRun = try members.flag("dryRun") ?? false
    let revision = try members.number("revision", in: 0...Int64.max)
    guard let changes = try members.object("changes") else {
      throw WebError.badValue("changes", "\"changes\" is missing; give an object of keys and values.")
    }
    try members.finish()
    let wanted = try changes.map { (key, value) throws(WebError) -> (key: String, value: String?) in
      switch value {
      case .null: return (key, nil)
      case .string(let text): return (key, text)
      default:
        throw .badValue(key, "\"\(key.prefix(80))\" is \(value.kindName); give its value as TOML in a text, or null.")
      }
    }
    return .json(try await agent.change(wanted, dryRun: dryRun, revision: revision))
  }
}

extension WebJSON {
  fileprivate var kindName: String {
    switch self {
    case .bool: "true or false"
    case .integer, .number: "a number"
    case .array: "a list"
    case .object: "an object"
    case .null, .string: "a text"
    }
  }
}

/// What sweeps met, address by address.
struct AddressRoutes: Sendable {
  private static let reasons: Set<String> = [
    "found", "not a printer", "wrong credential", "no answer", "excluded", "do not touch",
  ]

  let agent: any ConsoleAgent

  func list(_ query: Query) throws(WebError) -> WebAnswer {
    let list = try ListQuery(query, columns: ["address", "reason", "time"], filters: ["reason"])
    let reasons = try ListQuery.choice(query, "reason", among: Self.reasons)
    var found = agent.addresses().filter { address in
      (reasons?.contains(address.reason) ?? true) && (list.words.isEmpty || list.finds(Self.text(address)))
    }
    switch list.column {
    case "reason": found.sort { ($0.reason, $0.order) < ($1.reason, $1.order) }
    case "time": found.sort { ($0.time, $0.order) < ($1.time, $1.order) }
    default: found.sort { $0.order < $1.order }
    }
    if list.isDescending { found.reverse() }
    let part = list.part(found)
    var known: [Substring: DeviceID] = [:]
    if part.contains(where: { $0.reason == "found" }) {
      for device in agent.fleet.devices.values where device.merged == nil {
        if let host = device.address?.split(separator: ":").first { known[host] = device.id }
      }
    }
    var json = JSONWriter()
    json.object { json in
      json.member("total", found.count)
      json.member("offset", list.offset)
      json.key("items")
      json.array(part) { json, address in
        json.object { json in
          json.member("address", address.address)
          json.member("reason", address.reason)
          json.member("detail", address.detail)
          json.nullable("credential", address.credential)
          json.nullable("make", address.make)
          json.nullable("model", address.model)
          json.nullable("serial", address.serial)
          json.nullable("device", known[address.address[...]]?.description)
          json.member("time", UTCTime.text(milliseconds: address.time))
        }
      }
    }
    return .json(json.take())
  }

  private static func text(_ address: ConsoleAddress) -> [UInt8] {
    Array(
      [
        address.address, address.reason, address.detail, address.credential, address.make, address.model,
        address.serial,
      ]
      .compactMap { $0?.lowercased() }.joined(separator: "\n").utf8)
  }
}
