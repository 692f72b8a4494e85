// A hub that serves devices' own pages, with an enrolled agent, a device of it, a technician, and a browser by curl.

internal import Events
internal import Foundation
@testable internal import HubDatabase
@testable internal import HubServer
internal import Synchronization
internal import TestPrograms
internal import Testing
internal import WebServing

struct RemoteSite: Sendable {
  static let device = "00000009-0000-4000-8000-000000000000"
  static let agentDevice = [UInt8](repeating: 9, count: 16)

  let hub: TestHub
  let agent: TestAgent
  let install: Install
  let user: ConsoleUser
  let login: OpenSession
  let place: TestDirectory

  static func run(
    store: String? = nil, relay: String? = nil, _ body: @Sendable @escaping (RemoteSite) async throws -> Void
  ) async throws {
    let place = try TestDirectory()
    let clock = TestClock()
    let directory = try HubDirectory.create(
      at: place.path + "/hub", names: ["hub.example.org"], store: store, clock: clock.clock)
    try await TestHub.serve(directory, clock: clock, configure: { serving(&$0, relay: relay) }) { hub in
      try await body(try await RemoteSite(hub, place))
    }
  }

  static func serving(_ configuration: inout Hub.Configuration, relay: String? = nil) {
    let anywhere = HubServer.Endpoint(host: "127.0.0.1", port: 0)
    let agents = relay.flatMap { HubServer.Endpoint($0) } ?? anywhere
    configuration.remote = .init(agents: agents, web: anywhere)
    configuration.remote?.relay = relay.flatMap { RelayAddress($0) }
    configuration.console = anywhere
  }

  init(_ hub: TestHub, _ place: TestDirectory) async throws {
    (self.hub, self.place) = (hub, place)
    let now = hub.clock.now
    let store = hub.store
    let (agent, id) = try await hub.agent(try TestJournal())
    self.agent = agent
    let install = try await store.findInstall(id)
    self.install = install
    try await store.write { db in
      try db.execute("INSERT INTO projection (install, fold) VALUES (?, 0)", install.number)
      let entity: Int64 = try #require(try db.value("SELECT number FROM entity WHERE name = 'Acme'"))
      try db.execute(
        """
        INSERT INTO device (id, entity, leader, make, model, serial, state, first_seen_at, last_read_at)
        VALUES (?, ?, ?, 'Kyocera', 'TASKalfa', 'SN9', 'read', ?, ?)
        """, Self.device, entity, install.number, now, now)
      let number: Int64 = try #require(try db.value("SELECT number FROM device WHERE id = ?", Self.device))
      try db.execute(
        "INSERT INTO sighting (install, agent_device, device, state, last_read_at) VALUES (?, ?, ?, 'read', ?)",
        install.number, Self.agentDevice, number, now)
    }
    try await store.offerRemote(true, at: .entity("Acme"), by: Actor(name: "test"), now: now)
    (user, login) = try await Self.technician("tess", hub)
    try Data(directoryPEM(hub).utf8).write(to: URL(fileURLWithPath: place.path + "/ca.pem"))
  }

  static func technician(_ name: String, _ hub: TestHub) async throws -> (ConsoleUser, OpenSession) {
    let new = NewConsoleUser(
      name: name, displayName: name, passwordHash: "none", roles: [.technician], entity: nil)
    try await hub.store.addUser(new, within: .everything, by: Actor(name: "test"), now: hub.clock.now)
    let user = try await hub.store.user(named: name, within: .everything)
    let token = SessionToken.make().text
    try await hub.store.openSession(token: token, for: user, peer: "ipv4:192.0.2.1", now: hub.clock.now)
    return (user, try #require(try await hub.store.session(token: token, isUse: true, now: hub.clock.now)))
  }

  // MARK: A session

  func ask(seconds: Int64 = 1_800) async throws -> RemoteSession {
    let outcome = try await hub.store.askForPage(
      of: Self.device, reason: "paper jam that comes back", seconds: seconds, by: login,
      actor: Actor(name: "tess (console)", peer: "ipv4:192.0.2.1"), now: hub.clock.now)
    guard case .done(let session) = outcome else { throw HubError(.usage, "refused: \(outcome)") }
    // As when its agent is connected.
    _ = try await hub.store.dueJobs(of: install.number, now: hub.clock.now)
    return session
  }

  func hello(
    _ session: RemoteSession, device: [UInt8] = RemoteSite.agentDevice, seconds: Int64 = 1_800,
    targets: [String] = ["http:80", "https:443"]
  ) -> String {
    let hex = { (bytes: [UInt8]) in bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined() }
    let list = targets.map { "\"\($0)\"" }.joined(separator: ",")
    return """
      {"session":"\(hex(session.job.bytes))","device":"\(hex(device))","endsInSeconds":\(seconds),"targets":[\(list)],"names":["192.168.1.7","npi3f2a"]}
      """
  }

  func tunnel(
    _ session: RemoteSession, as agent: TestAgent? = nil, hello: String? = nil, port: Int? = nil,
    device: @escaping FakeTunnel.Device = { _ in FakeAnswer(200, [("content-type", "text/html")], "<p>hello</p>") }
  ) async throws -> FakeTunnel {
    try await FakeTunnel.open(
      port: try port ?? #require(hub.ready.remote).port, agent ?? self.agent, hello: hello ?? self.hello(session),
      device: device)
  }

  func state(_ session: RemoteSession) async throws -> RemoteSession {
    try #require(try await hub.store.remoteSession(session.job))
  }

  /// Waits until the session is open, or has ended.
  func becomes(_ session: RemoteSession, _ state: String, seconds: Int = 20) async throws -> RemoteSession {
    try await eventuallyTrue(seconds, "the session to be \(state)") { try await self.state(session).state == state }
    return try await self.state(session)
  }

  func opened(
    device: @escaping FakeTunnel.Device = { _ in FakeAnswer(200, [("content-type", "text/html")], "<p>hello</p>") }
  ) async throws -> (RemoteSession, FakeTunnel, RemoteBrowser) {
    let session = try await ask()
    let tunnel = try await tunnel(session, device: device)
    _ = try await becomes(session, "open")
    return (session, tunnel, try await enter(session))
  }

  /// Uses a key as the page at the origin does.
  func enter(_ session: RemoteSession, webPort: Int? = nil) async throws -> RemoteBrowser {
    let (token, key) = ("0123456789abcdef0123456789abcdef", UUID().uuidString.lowercased())
    _ = try await hub.store.admitToRemote(session.job, token: token, key: key, login: login, now: hub.clock.now)
    let browser = RemoteBrowser(
      token: token, port: try webPort ?? #require(hub.ready.remoteWeb).port, ca: place.path + "/ca.pem", cookie: nil)
    return try await browser.entered(key)
  }

  /// Waits without a sleep of its own: each look is a round trip.
  func eventuallyTrue(
    _ seconds: Int, _ what: String, _ look: @Sendable () async throws -> Bool
  ) async throws {
    let end = ContinuousClock.now + .seconds(seconds)
    while ContinuousClock.now < end {
      if try await look() { return }
      try await Task.sleep(for: .milliseconds(20))
    }
    Issue.record("waited in vain for \(what)")
  }
}

private func directoryPEM(_ hub: TestHub) -> String { hub.directory.authority.rootPEM }

/// A browser at a session's origin, by curl.
struct RemoteBrowser: Sendable {
  struct Reply: Sendable {
    let status: Int
    /// Names in lower case.
    let fields: [(name: String, value: String)]
    let body: String

    func field(_ name: String) -> String? { fields.first { $0.name == name }?.value }
  }

  static let cookieName = "__Host-printtrail-page"

  let token: String
  let port: Int
  let ca: String
  var cookie: String?

  var host: String { "\(token).remote.localhost:\(port)" }
  var origin: String { "https://\(host)" }

  func entered(_ key: String) async throws -> RemoteBrowser {
    let reply = try await ask(
      "/.printtrail/enter", ["-X", "POST", "-H", "X-PrintTrail: 1", "-H", "Origin: \(origin)", "--data-raw", key])
    guard reply.status == 204, let set = reply.field("set-cookie") else {
      throw HubError(.permission, "not entered: \(reply.status) \(reply.body)")
    }
    var browser = self
    browser.cookie = set.split(separator: ";").first.map { String($0.split(separator: "=").last ?? "") }
    return browser
  }

  func ask(_ path: String, _ options: [String] = []) async throws -> Reply {
    var arguments = [
      "-sS", "-i", "--max-time", "30", "--http1.1", "--path-as-is", "--cacert", ca, "--resolve",
      "\(token).remote.localhost:\(port):127.0.0.1",
    ]
    if let cookie { arguments += ["-H", "Cookie: \(Self.cookieName)=\(cookie)"] }
    let output = try await ChildProgram.running("/usr/bin/curl", arguments + options + [origin + path]).output
    return Self.reply(output)
  }

  private static func reply(_ output: String) -> Reply {
    let text = output.replacingOccurrences(of: "\r\n", with: "\n")
    var rest = text
    var head = ""
    repeat {
      let split = rest.range(of: "\n\n") ?? rest.endIndex..<rest.endIndex
      head = String(rest[..<split.lowerBound])
      rest = String(rest[split.upperBound...])
    } while head.contains(" 100 ")
    let lines = head.split(separator: "\n")
    let status = lines.first?.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    let fields = lines.dropFirst().compactMap { line -> (name: String, value: String)? in
      guard let colon = line.firstIndex(of: ":") else { return nil }
      return (
        line[..<colon].lowercased(), line[line.index(after: colon)...].trimmingCharacters(in: .whitespaces)
      )
    }
    return Reply(status: status, fields: fields, body: rest)
  }
}
