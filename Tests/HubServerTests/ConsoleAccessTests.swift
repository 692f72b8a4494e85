// Who may ask what: each route, each role, each scope.

internal import FoundationEssentials
@testable internal import HubDatabase
@testable internal import HubServer
internal import Testing
internal import WebServing

/// What each route takes, written down once more: a route that is new, or that takes less, fails here.
private let access: [String: ConsoleNeed] = [
  "GET session": .anyone, "POST session": .anyone, "DELETE session": .session, "PUT password": .session,
  "GET events": .session, "GET overview": .session, "GET roles": .session,
  "GET entities": .session, "POST entities": .role(.configurer), "PUT entities/{id}": .role(.configurer),
  "DELETE entities/{id}": .role(.configurer),
  "GET installs": .session, "GET installs/{id}": .session, "GET devices": .session, "GET devices/{id}": .session,
  "GET devices/{id}/history": .session, "GET alerts": .session,
  "POST devices/{id}/retirement": .role(.operator), "DELETE devices/{id}/retirement": .role(.operator),
  "GET installs/{id}/settings": .session, "GET devices/{id}/settings": .session, "GET entities/{id}/settings": .session,
  "PUT installs/{id}/settings": .role(.configurer), "PUT devices/{id}/settings": .role(.configurer),
  "PUT entities/{id}/settings": .role(.configurer),
  "GET jobs": .session, "POST jobs": .role(.operator), "GET jobs/{id}": .session, "DELETE jobs/{id}": .role(.operator),
  "GET jobs/{id}/attachment": .role(.operator), "POST devices/{id}/page": .role(.technician),
  "GET jobs/{id}/page": .session, "POST jobs/{id}/page": .role(.technician), "DELETE jobs/{id}/page": .session,
  "GET pages": .session, "GET devices/{id}/remote": .session, "GET installs/{id}/remote": .session,
  "GET entities/{id}/remote": .session, "PUT devices/{id}/remote": .role(.configurer),
  "PUT installs/{id}/remote": .role(.configurer), "PUT entities/{id}/remote": .role(.configurer),
  "GET codes": .session, "POST codes": .role(.operator), "DELETE codes/{id}": .role(.operator),
  "GET users": .role(.administrator), "POST users": .role(.administrator), "GET users/{id}": .role(.administrator),
  "PUT users/{id}": .role(.administrator), "PUT users/{id}/password": .role(.administrator),
  "DELETE users/{id}": .role(.administrator), "GET audit": .role(.administrator),
]

extension ConsoleRoute {
  fileprivate var name: String { "\(method.rawValue) \(path.joined(separator: "/"))" }
}

@Suite struct `The hub's console lets in` {
  @Test func `nobody by a route that is not written down here`() {
    for route in HubConsole.routes {
      #expect(access[route.name] == route.need, "\(route.name)")
      #expect(
        route.path.contains("{id}") == (route.subject != .none), "\(route.name) names something that nobody looks up")
    }
    #expect(Set(HubConsole.routes.map(\.name)) == Set(access.keys))
  }

  /// A user of each role, of everything, of the own customer, and of the other one.
  @Test(arguments: TestDatabase.all)
  fileprivate func `each role to its routes alone, and to its own customer's things alone`(_ database: TestDatabase)
    async throws
  {
    let test = try await TestConsole(database)
    for role in ConsoleRole.allCases {
      for entity in [nil, "Acme", "Other"] as [String?] {
        let user = try await test.addUser("\(role.rawValue)-\(entity ?? "all")".lowercased(), [role], of: entity)
        for route in HubConsole.routes {
          try await check(route, role, entity, user, test)
        }
      }
    }
  }

  private func check(
    _ route: ConsoleRoute, _ role: ConsoleRole, _ entity: String?, _ user: ConsoleUser, _ test: TestConsole
  ) async throws {
    for holding in [test.berlin, test.other] {
      try await restore(holding, test)
      let token = try await test.session(of: user)
      let reply = await test.ask(route.method, path(route, holding), token, body: body(route))
      let isOutside = route.subject != .none && entity != nil && (entity == "Other") != (holding.name == "Other")
      let what =
        "\(route.name) of \(holding.name) by \(role) of \(entity ?? "everything"): \(reply.status) \(reply.message)"
      if case .role(let needed) = route.need, needed != role {
        #expect(reply.status == 403, "\(what)")
        #expect(reply.code == "not_allowed", "\(what)")
      } else if isOutside {
        #expect(reply.status == 404, "\(what)")
      } else if route.name != "GET jobs/{id}/attachment" {
        // Bodies are empty: what was let in may still be refused for that.
        #expect(![401, 403, 404, 500].contains(reply.status), "\(what)")
      }
      if route.subject != .none, isOutside { #expect(!reply.text.contains(holding.name), "\(what)") }
    }
  }

  private func path(_ route: ConsoleRoute, _ holding: TestConsole.Holding) -> String {
    let id =
      switch route.subject {
      case .none: ""
      case .entity: "\(holding.entity)"
      case .install: holding.install.id
      case .device: holding.device
      case .job: holding.job
      case .code: "\(holding.code)"
      case .user: holding.user
      }
    return route.path.joined(separator: "/").replacing("{id}", with: id)
  }

  private func body(_ route: ConsoleRoute) -> [String: BodyValue]? { route.method == .get ? nil : [:] }

  /// A user that was removed by the case before.
  private func restore(_ holding: TestConsole.Holding, _ test: TestConsole) async throws {
    let names = try await test.store.users(within: .everything).map(\.name)
    guard !names.contains(holding.user) else { return }
    _ = try await test.addUser(holding.user, [.viewer], of: holding.name)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `nobody without a session, with a forged one, or with one of another hub`(_ database: TestDatabase)
    async throws
  {
    let test = try await TestConsole(database)
    let forged = [
      nil, "", "x", SessionToken.make().text, String(repeating: "0", count: 43), "' OR 1=1 --",
      String(repeating: "a", count: 100_000),
    ]
    for route in HubConsole.routes where route.need != .anyone {
      for token in forged {
        let reply = await test.ask(route.method, path(route, test.berlin), token, body: body(route))
        #expect(reply.status == 401, "\(route.name) with \(token?.prefix(50) ?? "nothing")")
        #expect(reply.code == "login_required")
      }
    }
    // The hash of a token is no token.
    let user = try await test.addUser("ann", [.viewer])
    let token = SessionToken.make()
    try await test.store.openSession(token: token.text, for: user, peer: "", now: test.clock.now)
    #expect(await test.ask(.get, "overview", token.text).status == 200)
    #expect(await test.ask(.get, "overview", token.hash).status == 401)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `lists of a customer hold nothing of another`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    let all = try await test.session(of: try await test.addUser("all", [.administrator]))
    for (entity, own, foreign) in [("Acme", test.berlin, test.other), ("Other", test.other, test.berlin)] {
      let user = try await test.addUser("of-\(entity)".lowercased(), [.administrator], of: entity)
      let token = try await test.session(of: user)
      for path in ["entities", "installs", "devices", "alerts", "jobs", "codes", "users", "audit", "overview"] {
        let reply = await test.ask(.get, path, token)
        #expect(reply.status == 200, "\(path): \(reply.message)")
        for secret in [foreign.name, foreign.install.id, foreign.device, foreign.job, foreign.user, "Dealer"] {
          #expect(!reply.text.contains("\"\(secret)\""), "\(path) of \(entity) tells \(secret)")
        }
        let whole = await test.ask(.get, path, all)
        if path != "overview" {
          #expect(whole.text.contains(foreign.name) && whole.text.contains(own.name), "\(path)")
          #expect(!reply.items.isEmpty, "\(path)")
        }
      }
      // Asking for another's by a filter gives nothing, or says that there is none.
      #expect(await test.ask(.get, "devices", token, query: ["entity": "\(foreign.entity)"]).items.isEmpty)
      #expect(await test.ask(.get, "devices", token, query: ["entity": "\(test.dealer)"]).items.count == 1)
      #expect(await test.ask(.get, "devices", token, query: ["install": foreign.install.id]).status == 404)
      #expect(await test.ask(.get, "jobs", token, query: ["install": foreign.install.id]).status == 404)
      #expect(await test.ask(.get, "alerts", token, query: ["device": foreign.device]).items.isEmpty)
      #expect(await test.ask(.get, "overview", token).json["devices"]?["total"] == .integer(1))
    }
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `nothing into another customer by what a body names`(_ database: TestDatabase) async throws {
    let test = try await TestConsole(database)
    let token = try await test.session(
      of: try await test.addUser("ann", [.operator, .configurer, .administrator], of: "Acme"))
    let before = try await test.store.jobCount()
    let bodies: [(String, [String: BodyValue])] = [
      ("jobs", ["kind": .text("scan"), "install": .text(test.other.install.id)]),
      ("jobs", ["kind": .text("scan"), "entity": .integer(test.other.entity)]),
      ("jobs", ["kind": .text("scan"), "entity": .integer(test.dealer)]),
      ("jobs", ["kind": .text("upload"), "devices": .texts([test.other.device])]),
      ("jobs", ["kind": .text("upload"), "devices": .texts(["SN2"])]),
      (
        "jobs",
        ["kind": .text("upload"), "install": .text(test.berlin.install.id), "devices": .texts([test.other.device])]
      ),
      ("codes", ["entity": .integer(test.other.entity)]),
      ("codes", ["replaces": .text(test.other.install.id)]),
      ("entities", ["name": .text("New"), "under": .integer(test.dealer)]),
      (
        "users",
        [
          "name": .text("eve"), "password": .text(TestConsole.password), "roles": .texts(["viewer"]),
          "entity": .integer(test.other.entity),
        ]
      ),
    ]
    for (path, body) in bodies {
      let reply = await test.ask(.post, path, token, body: body)
      #expect(reply.status == 404, "\(path) \(body): \(reply.status) \(reply.message)")
    }
    // Rights over everything are given by nobody who has them over a part, and no entity comes to the top.
    for (path, body) in [
      ("users", ["name": .text("eve"), "password": .text(TestConsole.password), "roles": .texts(["administrator"])]),
      ("entities", ["name": .text("New")]),
    ] as [(String, [String: BodyValue])] {
      #expect(await test.ask(.post, path, token, body: body).status == 422)
    }
    let user = test.berlin.user
    #expect(await test.ask(.put, "users/\(user)", token, body: ["everything": .bool(true)]).status == 422)
    #expect(await test.ask(.put, "users/\(user)", token, body: ["entity": .integer(test.other.entity)]).status == 404)
    #expect(try await test.store.jobCount() == before)
    #expect(try await test.store.codes().count == 4)
  }

  @Test func `no one to what is set above, but for its value`() async throws {
    let test = try await TestConsole()
    try await test.store.change(
      [SettingChange(key: "poll.interval", value: "\"15m\"")], at: .entity("Dealer"), author: "test",
      now: test.clock.now)
    let token = try await test.session(of: try await test.addUser("ann", [.viewer], of: "Acme"))
    let reply = await test.ask(.get, "installs/\(test.berlin.install.id)/settings", token)
    #expect(
      reply.text.contains("\"key\":\"poll.interval\",\"value\":\"\\\"15m\\\"\",\"origin\":\"above\""), "\(reply.text)")
    #expect(!reply.text.contains("Dealer"))
  }
}

extension SQLStore {
  fileprivate func jobCount() async throws -> Int { try await read { try $0.count("SELECT count(*) FROM job") } }
}
