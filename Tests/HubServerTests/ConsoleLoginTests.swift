// Logging in, staying in, and being put out.

internal import FoundationEssentials
@testable internal import HubDatabase
@testable internal import HubServer
internal import Logging
internal import Testing
internal import WebServing

@Suite struct `A login to the console` {
  private static let wrong = "five words by chance"

  private func logIn(
    _ test: TestConsole, _ user: String, _ password: String, peer: String = "ipv4:192.0.2.1",
    at console: HubConsole? = nil
  ) async -> TestConsole.Reply {
    await test.ask(
      .post, "session", nil, body: ["user": .text(user), "password": .text(password)], peer: peer, at: console)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `is by name and password, and ends when it is asked to`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    _ = try await test.addUser("ann", [.viewer, .operator], of: "Acme", password: TestConsole.password)
    let reply = await logIn(test, "Ann", TestConsole.password)
    let token = try #require(reply.token)
    #expect(reply.json["user"]?["roles"] == .texts(["viewer", "operator"]))
    #expect(reply.json["user"]?["entity"] == .text("Acme"))
    #expect(!reply.text.contains("scrypt") && !reply.text.contains(token))
    #expect(await test.ask(.get, "session", token).json["authenticated"] == .bool(true))
    let left = await test.ask(.delete, "session", token)
    #expect(left.status == 204 && left.answer.cookie == .clear)
    #expect(await test.ask(.get, "overview", token).status == 401)
    let trail = try await test.store.auditTrail(limit: 2)
    #expect(trail.map(\.action) == ["login.ended", "login.succeeded"])
    #expect(trail.allSatisfy { $0.subject == "ann" && $0.peer == "ipv4:192.0.2.1" })
  }

  @Test func `fails alike for a wrong password, a name that nobody has, and a user that is disabled`() async throws {
    let test = try await TestConsole()
    _ = try await test.addUser("ann", [.viewer], password: TestConsole.password)
    _ = try await test.addUser("bob", [.viewer], password: TestConsole.password)
    try await test.store.changeUser(
      "bob", UserChange(isDisabled: true), within: .everything, keepingAnAdministrator: false, by: Actor(name: "test"),
      now: test.clock.now)
    let replies = [
      await logIn(test, "ann", Self.wrong), await logIn(test, "nobody", Self.wrong),
      await logIn(test, "bob", TestConsole.password),
    ]
    for reply in replies {
      #expect(reply.status == 401 && reply.code == "wrong_password" && reply.token == nil)
      #expect(reply.text == replies[0].text)
    }
    let failed = try await test.store.auditTrail(limit: 10).filter { $0.action == "login.failed" }
    // A name that nobody has may be a password.
    #expect(failed.map(\.subject) == ["bob", "", "ann"])
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `is not guessed: the limit holds for the right password too, and in every hub of the database`(
    _ database: TestDatabase
  ) async throws {
    let test = try await TestConsole(database)
    _ = try await test.addUser("ann", [.viewer], password: TestConsole.password)
    let second = HubConsole(
      store: try SQLStore(at: test.address), directory: test.console.directory, clock: test.clock.clock,
      logger: Logger(label: "test"))
    for attempt in 0..<HubLimits.loginsBurst {
      let at = attempt % 2 == 0 ? test.console : second
      #expect(await logIn(test, "ann", Self.wrong, at: at).status == 401)
    }
    for console in [test.console, second] {
      let reply = await logIn(test, "ann", TestConsole.password, at: console)
      #expect(reply.status == 429 && reply.code == "too_many_attempts" && reply.token == nil)
      #expect((1...61).contains(try #require(reply.answer.retryAfter)))
    }
    // From elsewhere the user still gets in: nobody locks another out.
    #expect(await logIn(test, "ann", TestConsole.password, peer: "ipv4:198.51.100.7").status == 200)
    // One that waited gets one more.
    test.clock.advance(by: HubLimits.loginInterval)
    #expect(await logIn(test, "ann", Self.wrong).status == 401)
    #expect(await logIn(test, "ann", TestConsole.password).status == 429)
    test.clock.advance(by: HubLimits.loginInterval)
    #expect(await logIn(test, "ann", TestConsole.password).status == 200)
    let limited = try await test.store.auditTrail(limit: 100).filter { $0.action == "login.limited" }
    #expect((1...2).contains(limited.count), "once for each wait, not for each attempt")
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `is not guessed by many attempts at once`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    _ = try await test.addUser("ann", [.viewer], password: TestConsole.password)
    let (store, now) = (test.store, test.clock.now)
    let admitted = try await withThrowingTaskGroup(of: Bool.self) { group in
      for _ in 0..<24 {
        group.addTask { try await store.beginLogin(user: "ann", peer: "ipv4:192.0.2.1", now: now) == nil }
      }
      return try await group.reduce(0) { $0 + ($1 ? 1 : 0) }
    }
    #expect(admitted == HubLimits.loginsBurst)
  }

  @Test func `does not count what came out right, and counts all names of one address`() async throws {
    let test = try await TestConsole()
    for _ in 0..<(3 * HubLimits.loginsBurst) {
      #expect(try await test.store.beginLogin(user: "ann", peer: "ipv4:192.0.2.1", now: test.clock.now) == nil)
      try await test.store.loginSucceeded(user: "ann", peer: "ipv4:192.0.2.1", now: test.clock.now)
    }
    var admitted = 0
    for name in 0..<50 {
      let wait = try await test.store.beginLogin(user: "name\(name)", peer: "ipv4:203.0.113.9", now: test.clock.now)
      if wait == nil { admitted += 1 }
    }
    #expect(admitted == HubLimits.loginsPerPeerBurst)
    // Of IPv6 whoever has one address has 2^64.
    admitted = 0
    for host in 0..<50 {
      let peer = "ipv6:[2001:db8:1:2::\(String(host, radix: 16))]"
      if try await test.store.beginLogin(user: "name\(host)", peer: peer, now: test.clock.now) == nil { admitted += 1 }
    }
    #expect(admitted == HubLimits.loginsPerPeerBurst)
  }

  @Test func `tells of failures in the audit trail up to a number, so that guessers do not push out the rest`()
    async throws
  {
    let test = try await TestConsole()
    for attempt in 0..<(HubLimits.loginFailuresToldBurst + 50) {
      try await test.store.loginFailed(
        user: "x", peer: "ipv4:10.0.\(attempt / 250).\(attempt % 250)", now: test.clock.now)
    }
    let told = try await test.store.auditTrail(limit: 5_000).filter { $0.action == "login.failed" }
    #expect(told.count == HubLimits.loginFailuresToldBurst)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `ends when nobody uses it, and at the end of the day in any case`(_ database: TestDatabase)
    async throws
  {
    let test = try await TestConsole(database)
    let user = try await test.addUser("ann", [.viewer])
    let idle = try await test.session(of: user)
    test.clock.advance(by: HubLimits.sessionIdle - .seconds(1))
    #expect(await test.ask(.get, "overview", idle).status == 200)
    test.clock.advance(by: HubLimits.sessionIdle - .seconds(1))
    #expect(await test.ask(.get, "overview", idle).status == 200, "it was used in between")
    test.clock.advance(by: HubLimits.sessionIdle)
    #expect(await test.ask(.get, "overview", idle).status == 401)

    let long = try await test.session(of: user)
    let end = test.clock.now + HubLimits.sessionLifetime.milliseconds
    while test.clock.now + 600_000 < end {
      test.clock.advance(by: .seconds(600))
      #expect(await test.ask(.get, "overview", long).status == 200)
    }
    test.clock.advance(by: .seconds(600))
    #expect(await test.ask(.get, "overview", long).status == 401)
  }

  @Test func `is not kept open by a page that fetches by itself`() async throws {
    let test = try await TestConsole()
    let token = try await test.session(of: try await test.addUser("ann", [.viewer]))
    for _ in 0..<2 {
      test.clock.advance(by: HubLimits.sessionIdle - .seconds(61))
      _ = await test.console.answer(
        ConsoleRequest(method: .get, path: ["overview"], token: token, peer: "", isBackground: true))
    }
    #expect(await test.ask(.get, "overview", token).status == 401)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `ends at once with its user, and goes by its roles of now`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    let administrator = try await test.session(of: try await test.addUser("root", [.administrator]))
    let user = try await test.addUser("ann", [.viewer], password: TestConsole.password)
    let token = try await test.session(of: user)
    func change(_ body: [String: BodyValue]) async -> Int {
      await test.ask(.put, "users/ann", administrator, body: body).status
    }
    #expect(await test.ask(.post, "jobs", token, body: [:]).status == 403)
    #expect(await change(["roles": .texts(["operator"])]) == 200)
    #expect(await test.ask(.post, "jobs", token, body: [:]).status == 400)
    #expect(await change(["entity": .integer(test.other.entity)]) == 200)
    #expect(await test.ask(.get, "installs/\(test.berlin.install.id)", token).status == 404)
    #expect(await change(["disabled": .bool(true)]) == 200)
    #expect(await test.ask(.get, "overview", token).status == 401)
    #expect(await change(["disabled": .bool(false)]) == 200)
    #expect(await test.ask(.get, "overview", token).status == 401, "one that was ended stays so")

    let again = try await test.session(of: try await test.store.user(named: "ann", within: .everything))
    #expect(
      await test.ask(.put, "users/ann/password", administrator, body: ["new": .text("another four words")]).status
        == 204)
    #expect(await test.ask(.get, "overview", again).status == 401)
    #expect(await logIn(test, "ann", TestConsole.password).status == 401)
    let last = try #require(await logIn(test, "ann", "another four words").token)
    #expect(await test.ask(.delete, "users/ann", administrator).status == 204)
    #expect(await test.ask(.get, "overview", last).status == 401)
  }

  @Test func `with a password that was right a moment ago opens nothing`() async throws {
    let test = try await TestConsole()
    let user = try await test.addUser("ann", [.viewer])
    try await test.store.setPassword(
      hash: "another", of: "ann", within: .everything, by: Actor(name: "test"), now: test.clock.now + 1)
    await #expect(throws: HubError.self) {
      try await test.store.openSession(token: SessionToken.make().text, for: user, peer: "", now: test.clock.now)
    }
  }

  @Test func `changes its own password by knowing it, and ends the others of its user`() async throws {
    let test = try await TestConsole()
    let user = try await test.addUser("ann", [.viewer], password: TestConsole.password)
    let (own, elsewhere) = (try await test.session(of: user), try await test.session(of: user))
    func put(_ current: String, _ new: String) async -> TestConsole.Reply {
      await test.ask(.put, "password", own, body: ["current": .text(current), "new": .text(new)])
    }
    let wrong = await put(Self.wrong, "another four words")
    #expect(wrong.status == 401 && wrong.field == "current")
    for (weak, reason) in [
      ("short", "12"), ("aaaaaaaaaaaaaaaa", "different"), ("password1234", "first"), ("xx ann is here xx", "name"),
      ("1234567890123", "row"), ("zyxwvutsrqpon", "row"),
    ] {
      let reply = await put(TestConsole.password, weak)
      #expect(reply.status == 422 && reply.field == "new", "\(weak): \(reply.status)")
      #expect(reply.message.contains(reason), "\(weak): \(reply.message)")
    }
    #expect(await put(TestConsole.password, "another four words").status == 204)
    #expect(await test.ask(.get, "overview", own).status == 200)
    #expect(await test.ask(.get, "overview", elsewhere).status == 401)
  }

  @Test func `leaves somebody who may administer`() async throws {
    let test = try await TestConsole()
    let user = try await test.addUser("root", [.administrator])
    let token = try await test.session(of: user)
    for body in [["roles": .texts(["viewer"])], ["disabled": .bool(true)], ["entity": .integer(test.acme)]]
      as [[String: BodyValue]]
    {
      let reply = await test.ask(.put, "users/root", token, body: body)
      #expect(reply.status == 422 && reply.message.contains("administer"), "\(body): \(reply.status) \(reply.message)")
    }
    #expect(await test.ask(.delete, "users/root", token).status == 422)
    #expect(await test.ask(.get, "users", token).status == 200)
    _ = try await test.addUser("other", [.administrator])
    #expect(await test.ask(.delete, "users/root", token).status == 204)
  }

  @Test func `is one of ten at most of a user, and the oldest gives way`() async throws {
    let test = try await TestConsole()
    let user = try await test.addUser("ann", [.viewer])
    var tokens: [String] = []
    for _ in 0..<(HubLimits.sessionsPerUserMax + 2) { tokens.append(try await test.session(of: user)) }
    for (index, token) in tokens.enumerated() {
      #expect(await test.ask(.get, "session", token).json["authenticated"] == .bool(index >= 2))
    }
  }
}
