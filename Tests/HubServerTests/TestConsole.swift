// A console without sockets, over a store with two customers who must never see each other.

internal import Events
internal import FoundationEssentials
@testable internal import HubDatabase
@testable internal import HubServer
internal import Logging
internal import TestDatabases
internal import Testing
internal import WebServing

/// Dealer ─┬─ Acme ── Acme Berlin: an install, a device, a job, a code, a user
///         └─ Other                : the same
struct TestConsole {
  /// What one customer has.
  struct Holding {
    let entity: Int64
    let name: String
    let install: Install
    let device: String
    let job: String
    let code: Int64
    /// A user who may be changed and removed.
    let user: String
  }

  static let password = "four words by chance"

  let place: TestDirectory
  let address: String
  let store: SQLStore
  let console: HubConsole
  let clock: TestClock
  let dealer: Int64
  let acme: Int64
  let berlin: Holding
  let other: Holding

  init(_ database: TestDatabase = .sqlite) async throws {
    place = try TestDirectory()
    clock = TestClock(1_900_000_000_000)
    let directory = try HubDirectory.create(
      at: place.path + "/hub", names: ["hub.example.org"], clock: clock.clock)
    address =
      switch database {
      case .sqlite: place.path + "/store.sqlite"
      case .postgres: try #require(PostgresServer.shared).newAddress()
      }
    store = try SQLStore(at: address)
    console = HubConsole(
      store: store, directory: directory, clock: clock.clock, logger: Logger(label: "test"))
    let now = clock.now
    try await store.addEntity(named: "Dealer", now: now)
    try await store.addEntity(named: "Acme", under: "Dealer", now: now)
    try await store.addEntity(named: "Acme Berlin", under: "Acme", now: now)
    try await store.addEntity(named: "Other", under: "Dealer", now: now)
    dealer = try await Self.entity("Dealer", store)
    acme = try await Self.entity("Acme", store)
    berlin = try await Self.holding("Acme Berlin", 1, store, now)
    other = try await Self.holding("Other", 2, store, now)
  }

  private static func entity(_ name: String, _ store: SQLStore) async throws -> Int64 {
    try await store.read { db in try #require(try db.value("SELECT number FROM entity WHERE name = ?", name) as Int64?)
    }
  }

  private static func holding(_ name: String, _ mark: UInt8, _ store: SQLStore, _ now: Int64) async throws -> Holding {
    let entity = try await entity(name, store)
    let hash = [UInt8](repeating: mark, count: 32)
    _ = try await store.addCode(hash: hash, entity: name, usesMax: 1, expiresAt: now + 1_000, now: now)
    let outcome = try await store.enrol(
      TestStore.request(codeHash: hash, enrolment: mark, key: mark), now: now
    ) { id in
      IssuedCertificate(serial: "cert-\(mark)", der: [mark], notBefore: now, notAfter: now + 90 * 86_400_000)
    }
    guard case .enrolled(let install, _, _) = outcome else { throw HubError(.notFound, "not enrolled") }
    let device = "0000000\(mark)-0000-4000-8000-000000000000"
    try await store.write { db in
      try db.execute("INSERT INTO projection (install, fold) VALUES (?, 0)", install.number)
      try db.execute(
        """
        INSERT INTO device (id, entity, leader, make, model, serial, location, state, first_seen_at, last_read_at)
        VALUES (?, ?, ?, 'Kyocera', 'TASKalfa', ?, ?, 'read', ?, ?)
        """, device, entity, install.number, "SN\(mark)", name, now, now)
      let number: Int64 = try #require(try db.value("SELECT number FROM device WHERE id = ?", device))
      try db.execute(
        "INSERT INTO sighting (install, agent_device, device, state, last_read_at) VALUES (?, ?, ?, 'read', ?)",
        install.number, [UInt8](repeating: mark, count: 16), number, now)
      try db.execute(
        """
        INSERT INTO meter (device, name, value, unit, quality, epoch, install, agent_epoch, read_at)
        VALUES (?, 'total', ?, 'impressions', 'exact', 1, ?, 1, ?)
        """, number, Int64(mark) * 1_000, install.number, now)
      try db.execute(
        """
        INSERT INTO meter_day (device, name, epoch, day, first, last, last_at) VALUES (?, 'total', 1, ?, 900, ?, ?)
        """, number, now / 86_400_000, Int64(mark) * 1_000, now)
      try db.execute(
        """
        INSERT INTO supply (device, row, colorant, is_receptacle, level, capacity, remaining_permille, remaining, quality, read_at)
        VALUES (?, '1.1', 'black', 0, 12, 100, 125, '12.5 %', 'exact', ?), (?, '1.2', 'cyan', 0, NULL, NULL, NULL, 'unknown', 'unknown', ?)
        """, number, now, number, now)
      try db.execute(
        "INSERT INTO alert (device, key, severity, description, raised_at, updated_at) VALUES (?, '1', 'critical', ?, ?, ?)",
        number, "Jam at \(name)", now, now)
    }
    var request = JobRequest(kind: .scan)
    request.install = install.id
    let job = try #require(
      try await store.create(request, within: .everything, by: Actor(name: "test"), now: now).first)
    let code = try await store.addCode(
      hash: [UInt8](repeating: 100 + mark, count: 32), entity: name, usesMax: 1, expiresAt: now + 86_400_000, now: now)
    let user = "user-of-\(mark)"
    let holding = Holding(
      entity: entity, name: name, install: install, device: device, job: job.description, code: code.number, user: user)
    try await addUser(user, [.viewer], name, store, now)
    return holding
  }

  @discardableResult
  static func addUser(
    _ name: String, _ roles: Set<ConsoleRole>, _ entity: String?, _ store: SQLStore, _ now: Int64,
    password: String? = nil
  ) async throws -> ConsoleUser {
    let user = NewConsoleUser(
      name: name, displayName: name, passwordHash: try password.map { try PasswordHash.makeNow($0) } ?? "none",
      roles: roles, entity: entity)
    try await store.addUser(user, within: .everything, by: Actor(name: "test"), now: now)
    return try await store.user(named: name, within: .everything)
  }

  func addUser(
    _ name: String, _ roles: Set<ConsoleRole>, of entity: String? = nil, password: String? = nil
  ) async throws -> ConsoleUser {
    try await Self.addUser(name, roles, entity, store, clock.now, password: password)
  }

  /// A session without a password.
  func session(of user: ConsoleUser) async throws -> String {
    let token = SessionToken.make().text
    try await store.openSession(token: token, for: user, peer: "ipv4:192.0.2.1", now: clock.now)
    return token
  }

  func ask(
    _ method: ConsoleRequest.Method, _ path: String, _ token: String?, query: [String: String] = [:],
    body: [String: BodyValue]? = nil, peer: String = "ipv4:192.0.2.1", at console: HubConsole? = nil
  ) async -> Reply {
    let request = ConsoleRequest(
      method: method, path: path.split(separator: "/").map(String.init), query: query, body: body, token: token,
      peer: peer)
    return Reply(await (console ?? self.console).answer(request))
  }

  struct Reply {
    let answer: ConsoleAnswer
    var status: Int { answer.status }

    init(_ answer: ConsoleAnswer) { self.answer = answer }

    var json: ConsoleValue {
      guard case .json(let value) = answer.body else { return .null }
      return value
    }
    var text: String { json.json }
    var items: [ConsoleValue] {
      guard case .list(let items)? = json["items"] else { return [] }
      return items
    }
    var code: String? {
      guard case .text(let code)? = json["error"]?["code"] else { return nil }
      return code
    }
    var field: String? {
      guard case .text(let field)? = json["error"]?["field"] else { return nil }
      return field
    }
    var message: String {
      guard case .text(let message)? = json["error"]?["message"] else { return "" }
      return message
    }
    var token: String? {
      guard case .set(let token) = answer.cookie else { return nil }
      return token
    }
  }
}
