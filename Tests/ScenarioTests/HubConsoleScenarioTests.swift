import Foundation
import TestDatabases
import Testing

/// The hub's console over its port: real programs over loopback, curl as the client.
@Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"))
struct `The hub's console, with real programs` {
  private static let password = "four words by chance"

  /// A console, as somebody who knows the hub's root sees it.
  private struct Console {
    let site: Site
    let port: Int
    let jar: String

    struct Answer {
      let status: Int
      let text: String
    }

    init(_ site: Site, port: Int, jar: String = "jar") {
      (self.site, self.port) = (site, port)
      self.jar = site.directory.path + "/" + jar
    }

    /// - Parameter headers: besides the one that changes need.
    func ask(
      _ method: String, _ path: String, _ body: String? = nil, headers: [String] = [], isMarked: Bool = true
    ) async throws -> Answer {
      let type = headers.contains { $0.hasPrefix("Content-Type") } ? [] : ["-H", "Content-Type: application/json"]
      let data = body.map { type + ["--data-binary", $0] } ?? []
      let marked = isMarked ? ["-H", "X-PrintTrail: 1"] : []
      let answer = try await Self.curl(
        site,
        [
          "-X", method, "--cacert", site.hubDirectory + "/ca.pem", "-b", jar, "-c", jar, "-w", "\n%{http_code}",
          "https://localhost:\(port)/api/v1/\(path)",
        ] + data + marked + headers.flatMap { ["-H", $0] })
      let split = answer.lastIndex(of: "\n") ?? answer.startIndex
      return Answer(status: Int(answer[split...].dropFirst()) ?? 0, text: String(answer[..<split]))
    }

    func get(_ path: String) async throws -> Answer { try await ask("GET", path) }

    func logIn(_ user: String, _ password: String = `The hub's console, with real programs`.password) async throws
      -> Int
    {
      try await ask("POST", "session", #"{"user":"\#(user)","password":"\#(password)"}"#).status
    }

    static func curl(_ site: Site, _ arguments: [String]) async throws -> String {
      let output = site.directory.path + "/answer-\(UUID().uuidString.prefix(8))"
      let program = try Program(
        path: "/bin/sh", ["-c", "exec curl -sS --max-time 30 \"$@\" > \"$0\" 2>&1", output] + arguments,
        log: site.directory)
      _ = try await program.ended()
      return try String(contentsOfFile: output, encoding: .utf8)
    }
  }

  /// The password goes in by a pipe, as an operator's would.
  private func addUser(_ site: Site, _ name: String, _ options: [String], password: String = Self.password) async throws
    -> String
  {
    let command = "printf '%s\\n' \"$0\" | exec \"$@\""
    let program = try Program(
      path: "/bin/sh",
      ["-c", command, password, (programs ?? "") + "/pthub", "user", "add", name, "--directory", site.hubDirectory]
        + options,
      log: site.directory)
    let status = try await program.ended()
    return status == 0 ? "" : program.output
  }

  private func site(network: Int, store: String? = nil) async throws -> (Site, Console) {
    let site = try Site(network: network)
    try await site.startFleet(printers: 3)
    let (code, pin) = try await site.makeHub(store: store)
    _ = try await site.hubCommand(["entity", "add", "Elsewhere"])
    let port = site.ports.csr + 4
    try await site.startHub(options: ["--console", "127.0.0.1:\(port)"])
    #expect(
      try await addUser(site, "ann", ["--role", "operator", "--role", "administrator", "--role", "configurer"]) == "")
    #expect(try await addUser(site, "eve", ["--role", "operator", "--entity", "Elsewhere"]) == "")
    try site.configureAgent(pin: pin, pollInterval: "5m")
    let enrolled = try await site.agentCommand(["enroll", "--code", code])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    try site.startAgent()
    return (site, Console(site, port: port))
  }

  private struct List: Decodable {
    struct Item: Decodable {
      var id: String
      var state: String?
      var lag: Int?
    }
    var total: Int
    var items: [Item]
  }

  private static var databases: [Bool] { PostgresServer.shared == nil ? [false] : [false, true] }

  @Test(.timeLimit(.minutes(5)), arguments: databases)
  func `shows what agents deliver, and has them do what it is asked for`(isShared: Bool) async throws {
    let address = isShared ? try #require(PostgresServer.shared).newAddress() : nil
    let (site, console) = try await site(network: isShared ? 108 : 107, store: address)
    #expect(try await console.get("devices").status == 401)
    #expect(try await console.logIn("ann") == 200)
    try await eventually(90, "three devices on the console") {
      try site.decode(try await console.get("devices?state=read").text, List.self).total == 3
    }
    let install = try #require(try site.decode(try await console.get("installs").text, List.self).items.first)
    #expect(install.state == "current")
    let device = try #require(try site.decode(try await console.get("devices?sort=-total").text, List.self).items.first)
    let shown = try await console.get("devices/\(device.id)")
    #expect(shown.text.contains("\"quality\":\"exact\""), "\(shown.text)")
    #expect(try await console.get("devices/\(device.id)/history").status == 200)
    try await eventually(90, "the agent's health report") {
      try site.decode(try await console.get("installs").text, List.self).items.first?.lag != nil
    }

    let made = try await console.ask("POST", "jobs", #"{"kind":"upload","install":"\#(install.id)"}"#)
    #expect(made.status == 201, "\(made.text)")
    struct Made: Decodable { var ids: [String] }
    let job = try #require(try site.decode(made.text, Made.self).ids.first)
    try await eventually(60, "the end of the job") {
      try await console.get("jobs/\(job)").text.contains("\"state\":\"completed\"")
    }
    #expect(try await site.hubCommand(["audit", "--action", "job."]).contains("by ann (console)"))

    // Another customer's operator sees nothing of it, and has it do nothing.
    let stranger = Console(site, port: console.port, jar: "stranger")
    #expect(try await stranger.logIn("eve") == 200)
    for path in [
      "installs/\(install.id)", "devices/\(device.id)", "devices/\(device.id)/history", "jobs/\(job)",
      "installs/\(install.id)/settings",
    ] {
      #expect(try await stranger.get(path).status == 404, "\(path)")
    }
    for list in ["installs", "devices", "alerts", "jobs"] {
      #expect(try site.decode(try await stranger.get(list).text, List.self).total == 0, "\(list)")
    }
    #expect(try await stranger.ask("POST", "jobs", #"{"kind":"restart","install":"\#(install.id)"}"#).status == 404)
    #expect(try await stranger.get("users").status == 403)

    // A code that the console made enrols.
    let code = try await console.ask("POST", "codes", #"{"entity":1}"#)
    struct Code: Decodable { var code: String }
    let digits = try site.decode(code.text, Code.self).code
    #expect(!(try await console.get("codes").text.contains(digits)))
    let second = site.directory.path + "/second.toml"
    try String(contentsOfFile: site.configuration, encoding: .utf8).replacing(
      site.stateDirectory, with: site.directory.path + "/second"
    )
    .write(toFile: second, atomically: true, encoding: .utf8)
    let enrolled = try await Program.run(
      "ptagent", ["enroll", "--code", digits, "--config", second], in: site.directory)
    #expect(enrolled.status == 0, "\(enrolled.output)")

    // What is done at the hub's machine counts at once.
    _ = try await site.hubCommand(["user", "disable", "ann"])
    #expect(try await console.get("overview").status == 401)
  }

  @Test(.timeLimit(.minutes(2)))
  func `is closed to other sites' pages, other names, plaintext and guesses`() async throws {
    let site = try Site(network: 109)
    _ = try await site.makeHub()
    let port = site.ports.csr + 4
    try await site.startHub(options: ["--console", "127.0.0.1:\(port)", "--console-name", "hub.example.org"])
    #expect(try await addUser(site, "ann", ["--role", "operator"]) == "")
    let console = Console(site, port: port)
    let body = #"{"user":"ann","password":"\#(Self.password)"}"#
    for (headers, isMarked, status) in [
      (["Origin: https://evil.example"], true, 403), (["Origin: null"], true, 403),
      (["Sec-Fetch-Site: cross-site"], true, 403),
      (["Sec-Fetch-Site: same-site"], true, 403), ([], false, 403), (["Host: evil.example"], true, 421),
      (["Content-Type: text/plain"], true, 415), (["Host: hub.example.org:\(port)"], true, 200),
      (["Origin: https://localhost:\(port)"], true, 200),
    ] {
      let answer = try await console.ask("POST", "session", body, headers: headers, isMarked: isMarked)
      #expect(answer.status == status, "\(headers): \(answer.text)")
    }
    let jar = try String(contentsOfFile: console.jar, encoding: .utf8)
    #expect(jar.contains("#HttpOnly_") && jar.contains("__Host-pthub_session"), "\(jar)")
    for (text, status) in [
      ("{", 400), ("[]", 400), (#"{"user":"ann"}"#, 400), (#"{"user":"ann","password":1}"#, 400),
      (#"{"user":"ann","password":"x","role":"administrator"}"#, 400), (String(repeating: "x", count: 70_000), 413),
    ] {
      #expect(try await console.ask("POST", "session", text).status == status, "\(text.prefix(60))")
    }
    #expect(
      try await Console.curl(site, ["http://127.0.0.1:\(port)/"]).contains("curl: (52)"), "it answers without TLS")
    for path in ["../hub.json", "..%2f..%2fhub.json", "shared/../../hub.json", "%2e%2e/ca.key"] {
      let text = try await Console.curl(site, ["-k", "--path-as-is", "https://localhost:\(port)/\(path)"])
      #expect(!text.contains("PRIVATE") && !text.contains("\"format\""), "\(path): \(text.prefix(200))")
    }
    // Over two runs of the hub: the limit is in the database.
    let guesser = Console(site, port: port, jar: "guesser")
    for _ in 0..<3 { #expect(try await guesser.logIn("ann", "five words by chance") == 401) }
    _ = try await site.hub?.terminate()
    try await site.startHub(options: ["--console", "127.0.0.1:\(port)", "--console-name", "hub.example.org"])
    for _ in 0..<2 { #expect(try await guesser.logIn("ann", "five words by chance") == 401) }
    #expect(try await guesser.logIn("ann") == 429)
    #expect(try await console.get("overview").status == 200, "who is in stays in, over a restart")
    let trail = try await site.hubCommand(["audit", "--action", "login."])
    #expect(trail.contains("login.failed") && trail.contains("login.limited") && !trail.contains("five words"))
  }

  @Test(.timeLimit(.minutes(2)))
  func `has users whose passwords are neither weak, nor shown, nor arguments`() async throws {
    let site = try Site(network: 110)
    _ = try await site.makeHub()
    for (password, reason) in [
      ("short", "needs at least 12"), ("password1234", "first that are tried"), ("ann ann ann ann", "name"),
      ("", "no password"),
    ] {
      let said = try await addUser(site, "ann", ["--role", "viewer"], password: password)
      #expect(said.contains(reason), "\(password): \(said)")
      #expect(password.isEmpty || !said.contains(password), "\(said)")
    }
    #expect(try await addUser(site, "Ann", ["--role", "king"]).contains("is no role"))
    #expect(try await addUser(site, "a b", ["--role", "viewer"]).contains("user's name"))
    #expect(try await addUser(site, "ann", ["--role", "viewer", "--entity", "Nowhere"]).contains("no entity"))
    #expect(try await addUser(site, "ann", ["--role", "viewer", "--entity", "Scenario"]) == "")
    #expect(try await addUser(site, "ANN", ["--role", "viewer"]).contains("already"))
    let (status, refused) = try await Program.run(
      "pthub", ["user", "add", "bob", "--password", "x", "--directory", site.hubDirectory], in: site.directory)
    #expect(status == 64, "\(refused)")
    let listed = try await site.hubCommand(["user", "list", "--output", "json"])
    #expect(listed.contains("\"Scenario\"") && !listed.contains("scrypt"))
    _ = try await site.hubCommand(["user", "roles", "ann", "--role", "viewer", "--role", "operator", "--everything"])
    #expect(try await site.hubCommand(["user", "show", "ann"]).contains("viewer, operator"))
    let removed = try await Program.run(
      "pthub", ["entity", "remove", "Scenario", "--directory", site.hubDirectory], in: site.directory)
    #expect(removed.status == 64, "it has a code")
    _ = try await site.hubCommand(["user", "remove", "ann"])
    let gone = try await Program.run(
      "pthub", ["user", "show", "ann", "--directory", site.hubDirectory], in: site.directory)
    #expect(gone.status == 65)
    let trail = try await site.hubCommand(["audit", "--action", "user."])
    for action in ["user.added", "user.roles", "user.scope", "user.removed"] {
      #expect(trail.contains(action), "\(action)")
    }
  }
}
