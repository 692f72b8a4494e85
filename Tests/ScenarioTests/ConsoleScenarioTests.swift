import Foundation
import Glibc
import Testing

/// The local console of a real agent, from the first run on. All real programs over loopback.
@Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"))
struct `The local console, with real programs` {
  private struct Setup: Decodable {
    struct Install: Decodable { var id: String }
    var state: String
    var install: Install?
  }

  private struct Checks: Decodable {
    struct Check: Decodable {
      var service: String
      var state: String
      var code: String?
      var message: String
    }
    var checks: [Check]
  }

  private struct Failure: Decodable {
    struct Reason: Decodable {
      var code: String
      var message: String
      var field: String?
    }
    var error: Reason
  }

  private struct Devices: Decodable {
    struct Item: Decodable {
      var id: String
      var state: String
      var model: String?
    }
    var total: Int
    var items: [Item]
  }

  private struct Journal: Decodable {
    struct Position: Decodable, Equatable {
      var epoch: UInt32
      var sequence: UInt64
    }
    var key: String?
    var head: Position
    var acknowledged: Position?
  }

  private func site(network: Int, printers: Int = 3, more: String = "") async throws -> (
    site: Site, console: ConsoleClient
  ) {
    let site = try Site(network: network)
    try await site.startFleet(printers: printers)
    let port = site.ports.csr + 5
    try """
    [state]
    directory = "\(site.stateDirectory)"

    [discovery]
    ranges = [{ range = "127.30.\(network).1-20" }]
    port = \(site.ports.snmp)

    [console]
    listen = "127.0.0.1:\(port)"
    \(more)
    """.write(toFile: site.configuration, atomically: true, encoding: .utf8)
    return (site, ConsoleClient(port: UInt16(port)))
  }

  private func reason(_ answer: ConsoleClient.Answer) -> Failure.Reason? {
    (try? JSONDecoder().decode(Failure.self, from: Data(answer.body)))?.error
  }

  private func run(_ path: String, _ arguments: [String], _ site: Site) async throws -> (status: Int32, output: String)
  {
    let program = try Program(path: path, arguments, log: site.directory)
    return (try await program.ended(seconds: 60), program.output)
  }

  @Test
  func
    `a machine is activated at its console, its devices appear there, are read, and their journal verifies elsewhere`()
    async throws
  {
    let (site, console) = try await site(network: 84)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.startAgent()
    try await eventually(60, "the console to answer") {
      try await console.get("/setup", as: Setup.self)?.state == "unconfigured"
    }
    // Before the first sweep has read all there is: nothing would be told of afterwards.
    let events = console.events()

    // Test connectivity: the wrong pin is told as such, the right one is not.
    let hub = #""csr":"127.0.0.1:\#(site.ports.csr)""#
    let other = "sha256/" + String(repeating: "A", count: 43) + "="
    let bad = try await console.post("/setup/connectivity", #"{"hub":{\#(hub),"caPin":"\#(other)"}}"#)
    let refused = try #require(try site.decode(bad.text, Checks.self).checks.first { $0.service == "csr" })
    #expect(refused.state == "failed" && refused.code == "untrusted", "\(refused)")
    let nobody = try await console.post("/setup/connectivity", #"{"hub":{"csr":"127.0.0.1:9","caPin":"\#(pin)"}}"#)
    #expect(try site.decode(nobody.text, Checks.self).checks.first?.code == "refused", "\(nobody.text)")
    let good = try await console.post("/setup/connectivity", #"{"hub":{\#(hub),"caPin":"\#(pin)"}}"#)
    #expect(try site.decode(good.text, Checks.self).checks.first?.state == "ok", "\(good.text)")
    #expect(!FileManager.default.fileExists(atPath: site.stateDirectory + "/console.toml"))

    // Activate: what is wrong is told by its field, and what is right takes effect at once.
    let malformed = try await console.post("/setup/activate", #"{"code":"12","hub":{\#(hub),"caPin":"\#(pin)"}}"#)
    #expect(malformed.status == 422 && reason(malformed)?.field == "code")
    let unknown = String(repeating: "0", count: 24)
    let wrong = try await console.post("/setup/activate", #"{"code":"\#(unknown)","hub":{\#(hub),"caPin":"\#(pin)"}}"#)
    #expect(
      wrong.status == 502 && reason(wrong)?.code == "hub_refused", "\(wrong.text)")
    let activated = try await console.post("/setup/activate", #"{"code":"\#(code)"}"#)
    #expect(activated.status == 200, "\(activated.text)")
    #expect(try site.decode(activated.text, Setup.self).state == "enrolled")
    var status = stat()
    #expect(stat(site.stateDirectory + "/console.toml", &status) == 0 && status.st_mode & 0o777 == 0o600)
    let again = try await console.post("/setup/activate", #"{"code":"\#(code)"}"#)
    #expect(again.status == 409 && reason(again)?.code == "enrolled_already")

    // Devices appear, and a page that is open hears of it.
    try await eventually(90, "three devices at the console") {
      let devices = try await console.get("/devices?state=read", as: Devices.self)
      return devices?.total == 3
    }
    try await eventually(30, "events") {
      events.text.contains("event: device") && events.text.contains("event: record")
    }
    let found = try #require(try await console.get("/devices?sort=-total", as: Devices.self))
    let device = try #require(found.items.first?.id)

    // Read now, and how it went.
    let read = try await console.post("/devices/\(device)/read", "{}")
    #expect(read.status == 200 && read.text.contains(#""outcome":"read""#), "\(read.text)")
    let collection = try await console.get("/devices/\(device)/collection").text
    #expect(collection.contains(#""name":"standard tables""#) && collection.contains(#""requests":"#), "\(collection)")
    #expect(collection.contains(#""next":"20"#), "its next poll is planned: \(collection)")
    for path in ["", "/history", "/supplies", "/timeline", "/provenance", "/meters/total/why"] {
      let answer = try await console.get("/devices/\(device)\(path)")
      #expect(answer.status == 200, "\(path): \(answer.text.prefix(300))")
    }
    for path in [
      "/dashboard", "/discovery", "/discovery/addresses?reason=found", "/alerts", "/jobs", "/queue", "/journal/records",
      "/outgoing",
      "/settings", "/session", "/diagnostics",
    ] {
      #expect(try await console.get(path).status == 200, "\(path)")
    }

    // A setting is checked, and in use without a restart.
    let impossible = try await console.put(
      "/settings", #"{"changes":{"poll.interval":"soon","alerts.low_supply":"95"}}"#)
    #expect(impossible.status == 422 && impossible.text.contains("poll.interval"), "\(impossible.text)")
    let set = try await console.put("/settings", #"{"changes":{"poll.interval":"2m"}}"#)
    #expect(set.status == 200 && set.text.contains(#""saved":"\"2m\"""#), "\(set.text.prefix(500))")
    let fixed = try await console.put("/settings", #"{"changes":{"discovery.ranges":"10.0.0.0/24"}}"#)
    #expect(fixed.status == 409 && fixed.text.contains("not_changeable"), "\(fixed.text)")

    // What left, and what is kept.
    try await eventually(60, "the hub to have everything") {
      let journal = try await console.get("/journal", as: Journal.self)
      return journal != nil && journal?.acknowledged == journal?.head
    }
    #expect(try await console.post("/journal/verify", "{}").status == 202)
    try await eventually(60, "the verification") {
      try await console.get("/journal/verify").text.contains(#""sound":true"#)
    }
    let key = try #require(try await console.get("/journal", as: Journal.self)?.key)
    let export = try await console.get("/journal/export")
    #expect(export.status == 200)
    let tar = site.directory.path + "/export.tar"
    try Data(export.body).write(to: URL(fileURLWithPath: tar))
    let unpacked = try await run("/bin/tar", ["xf", tar, "-C", site.directory.path], site)
    #expect(unpacked.status == 0, "\(unpacked.output)")
    let name = try #require(
      try FileManager.default.contentsOfDirectory(atPath: site.directory.path).first {
        $0.hasPrefix("printtrail-export-")
      })
    let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("tools/verify_export.py").path
    let python = ProcessInfo.processInfo.environment["PT_PYTHON"] ?? "/usr/bin/python3"
    let verified = try await run(python, [script, site.directory.path + "/" + name, "--key", key], site)
    #expect(verified.status == 0, "\(verified.output)")

    // After a restart all of it is as it was.
    try await site.stopAgent()
    try site.startAgent()
    try await eventually(60, "the console after a restart") {
      try await console.get("/setup", as: Setup.self)?.state == "enrolled"
    }
    #expect(try await console.get("/settings").text.contains(#""saved":"\"2m\"""#))
    #expect(try await site.stopAgent() == 0)
  }

  @Test
  func
    `a password that is set asks everybody from then on, and a console that others reach does not start without one`()
    async throws
  {
    let (site, console) = try await site(network: 85, printers: 1)
    try site.startAgent()
    try await eventually(60, "the console to answer") { (try? await console.get("/dashboard"))?.status == 200 }
    let weak = try await console.put("/password", #"{"new":"short"}"#)
    #expect(weak.status == 422, "\(weak.text)")
    #expect(try await console.put("/password", #"{"new":"four words in a row"}"#).status == 204)
    for path in ["/dashboard", "/devices", "/events", "/settings", "/journal/export"] {
      #expect(try await console.get(path).status == 401, "\(path)")
    }
    #expect(try await console.get("/session").text.contains(#""loginRequired":true"#))
    let login = try await console.post("/session", #"{"password":"four words in a row"}"#)
    #expect(login.status == 200, "\(login.text)")
    let cookie = try #require(login.header("set-cookie")?.split(separator: ";").first.map(String.init))
    #expect(try await console.get("/dashboard", headers: ["Cookie: \(cookie)"]).status == 200)
    for attempt in 1...6 {
      let answer = try await console.post("/session", #"{"password":"wrong password \#(attempt)"}"#)
      #expect(answer.status == (attempt <= 5 ? 401 : 429), "\(attempt): \(answer.status)")
    }
    // Guessing keeps nobody out who is in.
    #expect(try await console.get("/dashboard", headers: ["Cookie: \(cookie)"]).status == 200)
    #expect(try await site.stopAgent() == 0)

    try site.editConfiguration { $0.replacingOccurrences(of: "listen = \"127.0.0.1", with: "listen = \"0.0.0.0") }
    let refused = try await site.agentCommand(["run"])
    #expect(refused.status == 78 && refused.output.contains("certificate"), "\(refused.output)")

    // With a certificate and the password it is served to others, and in no other way.
    let (certificate, key) = (site.directory.path + "/console.pem", site.directory.path + "/console.key")
    let made = try await run(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", key, "-out",
        certificate, "-days", "2",
        "-subj", "/CN=localhost",
      ], site)
    #expect(made.status == 0, "\(made.output)")
    try site.editConfiguration { $0 + "certificate = \"\(certificate)\"\nkey = \"\(certificate)\"\n" }
    let wrongKey = try await site.agentCommand(["run"])
    #expect(wrongKey.status == 78 && wrongKey.output.contains("private key"), "\(wrongKey.output)")
    try site.editConfiguration { $0.replacingOccurrences(of: "key = \"\(certificate)\"", with: "key = \"\(key)\"") }
    try site.startAgent()
    let python = ProcessInfo.processInfo.environment["PT_PYTHON"] ?? "/usr/bin/python3"
    let script =
      "import ssl, urllib.request as u; c = ssl._create_unverified_context(); print(u.urlopen('https://localhost:\(console.port)/api/v1/session', context=c, timeout=5).read().decode())"
    try await eventually(60, "the console over TLS") {
      let answer = try await run(python, ["-c", script], site)
      return answer.output.contains(#""secure":true"#) && answer.output.contains(#""loginRequired":true"#)
    }
    let plain = try? await console.get("/session")
    #expect(plain == nil || plain?.status == 400)
    #expect(try await site.stopAgent() == 0)
    // Without its password nobody gets in, and the agent says so before anything else.
    let removed = try await site.agentCommand(["console", "password", "--remove"])
    #expect(removed.status == 0, "\(removed.output)")
    let open = try await site.agentCommand(["run"])
    #expect(open.status == 78 && open.output.contains("ptagent console password"), "\(open.output)")
  }
}

/// Speaks HTTP/1.1 with a console, one connection a request.
struct ConsoleClient: Sendable {
  struct Answer: Sendable {
    var status: Int
    var head: String
    var body: [UInt8]
    var text: String { String(decoding: body, as: UTF8.self) }

    func header(_ name: String) -> String? {
      head.split(separator: "\r\n").first { $0.lowercased().hasPrefix(name + ":") }
        .map { $0.drop { $0 != ":" }.dropFirst().trimmingCharacters(in: .whitespaces) }
    }
  }

  let port: UInt16

  func get(_ path: String, headers: [String] = []) async throws -> Answer { try await ask("GET", path, nil, headers) }
  func post(_ path: String, _ body: String) async throws -> Answer { try await ask("POST", path, body, []) }
  func put(_ path: String, _ body: String) async throws -> Answer { try await ask("PUT", path, body, []) }

  /// Nil while nobody answers, or with something else.
  func get<Value: Decodable>(_ path: String, as type: Value.Type) async throws -> Value? {
    guard let answer = try? await get(path), answer.status == 200 else { return nil }
    return try JSONDecoder().decode(type, from: Data(answer.body))
  }

  private func ask(_ method: String, _ path: String, _ body: String?, _ headers: [String]) async throws -> Answer {
    var lines = ["\(method) /api/v1\(path) HTTP/1.1", "Host: localhost:\(port)", "Connection: close"] + headers
    if let body {
      lines += ["X-PrintTrail: 1", "Content-Type: application/json", "Content-Length: \(body.utf8.count)"]
    }
    let request = Array((lines.joined(separator: "\r\n") + "\r\n\r\n" + (body ?? "")).utf8)
    return try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { [port] in continuation.resume(with: Result { try Self.exchange(port, request) }) }
    }
  }

  private static func exchange(_ port: UInt16, _ request: [UInt8]) throws -> Answer {
    let descriptor = try connected(port)
    defer { close(descriptor) }
    guard send(descriptor, request, request.count, Int32(MSG_NOSIGNAL)) == request.count else {
      throw Program.Failure(description: "the console took no request")
    }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    while case let count = recv(descriptor, &buffer, buffer.count, 0), count > 0 { bytes += buffer[..<count] }
    guard let end = Data(bytes).range(of: Data("\r\n\r\n".utf8)) else {
      throw Program.Failure(description: "the console gave no answer")
    }
    let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self)
    let status = head.split(separator: " ").dropFirst().first.flatMap { Int($0) } ?? 0
    return Answer(status: status, head: head, body: Array(bytes[end.upperBound...]))
  }

  private static func connected(_ port: UInt16) throws -> Int32 {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var time = timeval(tv_sec: 60, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &time, socklen_t(MemoryLayout<timeval>.size))
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = port.bigEndian
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    let status = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    guard status == 0 else {
      close(descriptor)
      throw Program.Failure(description: "nobody listens at \(port)")
    }
    return descriptor
  }

  /// What an open page hears, for a minute and a half.
  final class Events: @unchecked Sendable {  // Its text is behind the lock.
    private let lock = NSLock()
    private var heard: [UInt8] = []
    var text: String { lock.withLock { String(decoding: heard, as: UTF8.self) } }
    fileprivate func add(_ bytes: ArraySlice<UInt8>) { lock.withLock { heard += bytes } }
  }

  func events() -> Events {
    let events = Events()
    Thread.detachNewThread { [port] in
      guard let descriptor = try? Self.connected(port) else { return }
      defer { close(descriptor) }
      let request = Array("GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n".utf8)
      send(descriptor, request, request.count, Int32(MSG_NOSIGNAL))
      var buffer = [UInt8](repeating: 0, count: 16 << 10)
      let end = Date().addingTimeInterval(90)
      while Date() < end {
        let count = recv(descriptor, &buffer, buffer.count, 0)
        guard count > 0 else { return }
        events.add(buffer[..<count])
      }
    }
    return events
  }
}
