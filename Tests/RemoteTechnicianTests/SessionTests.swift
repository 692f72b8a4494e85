// A session as a whole: whom it serves, what it reaches, how it ends, and what of it is in the journal.

internal import Discovery
internal import Events
internal import Foundation
internal import HTTP2
@testable internal import RemoteTechnician
internal import TLS
internal import Testing

@Suite(.timeLimit(.minutes(5))) struct `A session` {
  @Test func `says hello with what it is`() async throws {
    let visit = try await Visit(ports: [80], seconds: 600)
    struct Hello: Decodable {
      let session: String
      let device: String
      let endsInSeconds: Int
      let targets: [String]
      let names: [String]
    }
    let answer = try await visit.ask("/hello", port: 80, scheme: "https", authority: "agent")
    let hello = try JSONDecoder().decode(Hello.self, from: Data(answer.body))
    #expect(answer.headers.first(named: "content-type") == "application/json")
    #expect(hello.session == String(repeating: "07", count: 16) && hello.device == Visit.device.description)
    #expect((598...600).contains(hello.endsInSeconds))
    #expect(hello.targets == ["http:80"] && hello.names == ["127.0.0.1", "npi3f2a"])
    try await visit.close()
    #expect(visit.records.requests.isEmpty, "a hello is no request of a browser's")
  }

  @Test func `reaches its device at its ports alone`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port, 9_100])
    let other = String(repeating: "ab", count: 16)
    for authority in ["\(other):\(device.port)", "\(Visit.device):1", "\(Visit.device):9100", "\(Visit.device)"] {
      let answer = try await visit.ask("/", port: 0, authority: authority)
      #expect(answer.status == 403 && answer.error == "target", "\(authority)")
    }
    #expect(try await visit.ask("/", port: device.port, scheme: "ftp").error == "target")
    #expect(try await visit.ask("TRACE", "/", port: device.port).error == "target")
    #expect(try await visit.ask("/", port: device.port).status == 200)
    try await visit.close()
    #expect(visit.records.requests.map(\.error) == [String](repeating: "target", count: 6) + [""])
  }

  @Test(arguments: ["127.0.0.1:80", "localhost:80", "169.254.169.254:80", "rebind.example:443"])
  func `ends when the hub asks for an address or a name`(authority: String) async throws {
    let visit = try await Visit(ports: [80])
    let answer = try? await visit.ask("/", port: 0, authority: authority)
    #expect(answer == nil || answer?.error == "target")
    #expect(try await visit.end().reason == .target)
    #expect(visit.records.closed?.reason == "target")
    #expect(visit.records.requests.map(\.error) == ["target"])
    #expect(visit.records.requests.map(\.target) == ["http://\(authority)"] && visit.records.begun.isEmpty)
  }

  @Test func `ends with a hub that asks for what no session reaches, again and again`() async throws {
    let device = try await RawDevice([])
    let visit = try await Visit(ports: [device.port])
    for number in 0..<500 {
      guard let stream = try? visit.stream("GET", "/\(number)?pin=1234", port: 1) else { break }
      _ = try? await Visit.answer(on: stream)
    }
    try await visit.close()
    #expect(try await visit.end().reason == .limit, "which came first")
    // Besides the twentieth, what was under way.
    let requests = visit.records.requests
    #expect((20..<60).contains(requests.count) && visit.records.closed?.requests == UInt64(requests.count))
    #expect(requests.first?.path == "/0" && requests.first?.parameters == ["pin"] && requests.first?.method == "GET")
    #expect(requests.first?.target == "http://\(Visit.device):1")
    let secret = try await Visit(ports: [80])
    _ = try? await secret.ask("/;s=1/x;jsessionid=9;y", port: 0, authority: "anna:s3cr3t@10.0.0.1:80")
    _ = try await secret.end()
    #expect(secret.records.requests.map(\.target) == ["http://10.0.0.1:80"])
    #expect(secret.records.requests.map(\.path) == ["//x"])
    let hostile = AskRecord.refused(
      [
        HTTP2Header(":method", "G\u{1b}[2J"), HTTP2Header(":path", "/\u{1b}]0;x\n/é?\u{7}=1&a=2"),
        HTTP2Header(":authority", String(repeating: "a", count: 70_000)),
      ], of: Visit.job)
    #expect(hostile.method == "G_[2J" && hostile.path == "/_]0/__" && hostile.parameters == ["_", "a"])
    #expect(hostile.target.utf8.count < 310)
    let many = (0..<64).map { "\($0)\(String(repeating: "p", count: 90))=1" }.joined(separator: "&")
    #expect(AskRecord.parameters("/?" + many).joined().utf8.count <= 1_024)
  }

  @Test func `ends with a hub that never slows down`() async throws {
    let device = try await RawDevice([])
    let visit = try await Visit(
      ports: [device.port],
      limits: {
        ($0.requestsPerSecond, $0.tooFastMax) = (0, 20)
      })
    for _ in 0..<500 {
      guard let stream = try? visit.stream("GET", "/", port: device.port) else { break }
      _ = try? await Visit.answer(on: stream)
    }
    try await visit.close()
    #expect(try await visit.end().reason == .limit, "which came first")
    #expect((20..<60).contains(visit.records.requests.count))
  }

  @Test func `has each request on the disk before the device hears of it`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    #expect(try await visit.ask("/?page=2", port: device.port).status == 200)
    let over = try await visit.records.request()
    #expect(
      visit.records.begun == [
        RemoteRequestBegun(
          job: Visit.job, method: "GET", path: "/", parameters: ["page"], target: "http:\(device.port)")
      ])
    guard case .remoteRequestBegun? = visit.records.bodies.dropFirst(max(Int(over.begun), 1) - 1).first else {
      throw Unexpected()
    }
    try await visit.close()
    // One that nobody could record is not made.
    let silent = try await KeptDevice { _ in [.send("HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")] }
    let full = try await Visit(ports: [silent.port])
    while full.records.bodies.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    full.records.fill()
    _ = try? await full.ask("/", port: silent.port)
    await #expect(throws: Records.Full.self) { _ = try await full.end() }
    #expect(silent.requests.isEmpty && silent.opened == 0)
  }

  @Test func `has a WebSocket in the journal while it is open`() async throws {
    let device = try await RawDevice([])
    let visit = try await Visit(ports: [device.port])
    _ = try visit.stream(
      "CONNECT", "/socket", port: device.port, headers: [HTTP2Header(":protocol", "websocket")], endStream: false)
    for _ in 0..<1_000 where visit.records.begun.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    #expect(visit.records.begun.map(\.path) == ["/socket"] && visit.records.requests.isEmpty)
    try await visit.close()
    #expect(visit.records.requests.map(\.begun) == [2])
  }

  @Test func `is journalled from its beginning to its end, without bodies, values and headers`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    _ = try await visit.ask(
      "POST", "/a;jsessionid=s3cr3t/login%3Bs3cr3t?user=anna&pin=1234&bare&czNjcjN0MTIzNA==&x=", port: device.port,
      headers: [HTTP2Header("cookie", "c=s3cr3t")],
      body: Array("password=s3cr3t".utf8))
    _ = try await visit.records.request()
    try await visit.close()
    guard case .remoteSessionOpened(let opened)? = visit.records.bodies.first else { throw Unexpected() }
    #expect(opened.job == Visit.job && opened.visit.user == "anna" && opened.visit.reason == "jam")
    #expect(opened.address == "127.0.0.1" && opened.evidence == "serial X")
    let request = try #require(visit.records.requests.first)
    #expect(request.method == "POST" && request.path == "/a/login" && request.parameters == ["user", "pin"])
    #expect(!"\(visit.records.bodies)".contains("czNjcjN0MTIzNA"))
    #expect(request.status == 200 && request.bytesSent == 15)
    let closed = try #require(visit.records.closed)
    #expect(closed.reason == "closed" && closed.requests == 1 && closed.bytesSent == 15)
    #expect(!"\(visit.records.bodies)".contains("s3cr3t") && !"\(visit.records.bodies)".contains("1234"))
  }

  // MARK: Its end

  @Test func `ends at its time, and tells the hub`() async throws {
    let visit = try await Visit(
      ports: [80],
      limits: {
        $0.time = .milliseconds(200)
      })
    let reason = try await visit.hub.untilUnusable()
    guard case .goneAway(.noError, let text) = reason else { throw reason }
    #expect(text == "time: Its time was over.")
    #expect(try await visit.end().reason == .time && visit.records.closed?.reason == "time")
  }

  @Test func `lasts no longer than anybody says`() async throws {
    func time(_ seconds: UInt32, _ limit: Duration) async throws -> Duration {
      let visit = try await Visit(
        ports: [80], seconds: seconds,
        limits: {
          $0.time = limit
        })
      try await visit.close()
      return visit.session.limits.time
    }
    #expect(try await time(60, .seconds(1_800)) == .seconds(60))
    #expect(try await time(9_999, .seconds(1_800)) == .seconds(1_800))
    #expect(try await time(0, .seconds(9_999)) == .seconds(1_800))
    #expect(try await time(1_000, .seconds(120)) == .seconds(120))
  }

  @Test func `that is ended at the agent ends what is under way at once`() async throws {
    let device = try await RawDevice([.send("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\na")])
    let visit = try await Visit(ports: [device.port])
    let stream = try visit.stream("GET", "/", port: device.port)
    guard case .headers? = try await stream.next() else { throw Unexpected() }
    let begun = ContinuousClock.now
    try await visit.close()
    #expect(begun.duration(to: .now) < .seconds(2))
    await #expect(throws: HTTP2Error.self) { while try await stream.next() != nil {} }
    #expect(visit.records.closed?.message == "It was ended at the agent.")
  }

  @Test func `ends with the hub's connection, and says the hub's words`() async throws {
    let visit = try await Visit(ports: [80])
    visit.hub.close(.noError, reason: "closed: by anna")
    let end = try await visit.end()
    #expect(end == RemoteEnd(.hub, "The hub ended it: closed: by anna."))
    let other = try await Visit(ports: [80])
    other.hub.abort()
    #expect(try await other.end().reason == .hub)
  }

  @Test func `ends where another device answers`() async throws {
    let visit = try await Visit(ports: [80], absence: { "Another device answers at 127.0.0.1 now." })
    #expect(try await visit.end() == RemoteEnd(.device, "Another device answers at 127.0.0.1 now."))
  }

  @Test func `ends with its task, and is seen to be closed`() async throws {
    let visit = try await Visit(ports: [80])
    while visit.records.bodies.isEmpty { try await Task.sleep(for: .milliseconds(5)) }
    visit.cancel()
    #expect(try await visit.end().reason == .stopping)
    #expect(visit.records.closed?.reason == "stopping")
  }

  @Test func `ends when its requests or bytes are used up, and waits when they come too fast`() async throws {
    let device = try PythonDevice()
    let few = try await Visit(
      ports: [device.port],
      limits: {
        $0.requestsMax = 2
      })
    for _ in 0..<2 { #expect(try await few.ask("/", port: device.port).status == 200) }
    let refused = try? await few.ask("/", port: device.port)
    #expect(refused == nil || refused?.status == 429 && refused?.error == "limit")
    #expect(try await few.end().reason == .limit)
    let small = try await Visit(
      ports: [device.port],
      limits: {
        $0.bytesMax = 1_000_000
      })
    await #expect(throws: HTTP2Error.self) { _ = try await small.ask("/large?9000000", port: device.port) }
    #expect(try await small.end().reason == .limit)
    let upload = try await Visit(
      ports: [device.port],
      limits: {
        $0.bytesMax = 1_000_000
      })
    let answer = try? await upload.ask(
      "POST", "/upload", port: device.port, body: [UInt8](repeating: 1, count: 2_000_000))
    #expect(answer == nil || answer?.error == "limit")
    #expect(try await upload.end().reason == .limit)
    let slow = try await Visit(
      ports: [device.port],
      limits: {
        $0.requestsPerSecond = 1
      })
    #expect(try await slow.ask("/", port: device.port).status == 200)
    #expect(try await slow.ask("/", port: device.port).error == "limit")
    #expect(try await slow.ask("/hello", port: 0, scheme: "https", authority: "agent").status == 200)
    try await slow.close()
  }

  @Test func `that cannot be journalled does not begin, or ends`() async throws {
    let full = Records()
    full.fill()
    let visit = try await Visit(ports: [80], records: full)
    await #expect(throws: Records.Full.self) { _ = try await visit.end() }
    let device = try PythonDevice()
    let later = try await Visit(ports: [device.port])
    #expect(try await later.ask("/", port: device.port).status == 200)
    _ = try await later.records.request()
    later.records.fill()
    _ = try? await later.ask("/", port: device.port)
    await #expect(throws: Records.Full.self) { _ = try await later.end() }
  }

  @Test func `ends with a hub that opens ten thousand requests`() async throws {
    let device = try await RawDevice([])
    let visit = try await Visit(ports: [device.port])
    // One that keeps to what the agent allows waits for its turn; those thirty-two are open.
    let streams = try (0..<10_000).map { _ in try visit.stream("GET", "/", port: device.port) }
    while visit.session.usage.requests < 32 { try await Task.sleep(for: .milliseconds(5)) }
    try await Task.sleep(for: .milliseconds(100))
    #expect(visit.session.usage.requests == 32)
    try await visit.close()
    #expect(streams.count == 10_000 && visit.records.closed?.requests == 32)
  }

  // MARK: The way to the hub

  @Test func `is with its own hub alone, which speaks the tunnel's protocol`() async throws {
    let stranger = try await FakeHub(protocolName: "h2")
    let records = Records()
    let session = RemoteSession(
      RemoteOrder(
        job: Visit.job, visit: JobOrder.Visit(user: "", reason: "", from: "", seconds: 0),
        rules: try TargetRules(
          device: Visit.device, address: IPv4Address(0x7f00_0001), ports: [80], allowed: Visit.loopback, own: []),
        evidence: "", targets: [], names: [], allowsOldTLS: false), limits: RemoteLimits(),
      pins: CertificatePins(pinned: [:], standing: []), journal: records)
    let tls = try TestKeys.shared.configuration()
    await #expect(throws: RemoteNotOpened.self) {
      _ = try await session.run(to: TLS.Endpoint(host: "127.0.0.1", port: stranger.port), tls: tls) { nil }
    }
    #expect(records.bodies.isEmpty)
    #expect(stranger.connections == 1, "what is refused by reason is not tried again")
  }

  @Test func `comes again where the hub has no room for it, and not for ever`() async throws {
    let visit = try await Visit(ports: [80], closesFirst: 2)
    #expect(try await visit.ask("/hello", port: 80, scheme: "https", authority: "agent").status == 200)
    try await visit.close()
    let full = try await FakeHub(closesFirst: .max)
    let records = Records()
    let session = RemoteSession(
      visit.session.order, limits: RemoteLimits(), pins: CertificatePins(pinned: [:], standing: []), journal: records)
    let tls = try TestKeys.shared.configuration()
    await #expect(throws: RemoteNotOpened.self) {
      _ = try await session.run(to: TLS.Endpoint(host: "127.0.0.1", port: full.port), tls: tls) { nil }
    }
    #expect(full.connections == 3 && records.bodies.isEmpty)
  }
}

@Suite struct `The rules of targets` {
  @Test(arguments: [
    "0.0.0.0", "0.1.2.3", "127.0.0.1", "127.255.255.254", "169.254.0.1", "169.254.169.254", "169.254.170.2",
    "100.100.100.200", "192.0.0.192", "168.63.129.16", "224.0.0.251", "239.255.255.250", "240.0.0.1", "255.255.255.255",
  ]) func `forbid what is no device's address, unless it is a test fleet's`(text: String) throws {
    let address = try #require(IPv4Address(text))
    #expect(TargetRules.obstacle(to: address, allowed: AddressSet(), own: []) != nil)
    #expect(throws: RemoteNotOpened.self) {
      try TargetRules(device: Visit.device, address: address, ports: [80], own: [])
    }
    #expect(TargetRules.obstacle(to: address, allowed: AddressSet([AddressRange(address)]), own: []) == nil)
  }

  @Test(arguments: [
    "10.0.0.7", "192.168.1.1", "172.16.9.9", "100.64.0.1", "203.0.113.9", "126.255.255.255", "128.0.0.1",
  ])
  func `allow addresses that printers have`(text: String) throws {
    #expect(TargetRules.obstacle(to: try #require(IPv4Address(text)), allowed: AddressSet(), own: []) == nil)
  }

  @Test func `forbid this machine's own addresses, whatever network they are of`() throws {
    let address = try #require(IPv4Address("10.9.9.1"))
    #expect(
      TargetRules.obstacle(to: address, allowed: AddressSet(), own: [address])?.contains("machine itself") == true)
    #expect(throws: RemoteNotOpened.self) {
      try TargetRules(device: Visit.device, address: address, ports: [80], own: [address])
    }
    #expect(
      TargetRules.obstacle(to: address, allowed: AddressSet([AddressRange(address)]), own: [address]) == nil)
  }

  @Test func `find what answers, encrypted or not, the best first`() async throws {
    let (plain, encrypted) = (try PythonDevice(), try PythonDevice(certificate: "device"))
    let rules = try TargetRules(
      device: Visit.device, address: IPv4Address(0x7f00_0001), ports: [plain.port, 1, encrypted.port],
      allowed: Visit.loopback, own: [])
    let pins = CertificatePins(pinned: [:], standing: [])
    #expect(try await TargetLook.targets(of: rules, pins) == ["https:\(encrypted.port)", "http:\(plain.port)"])
  }

  @Test func `never reach raw printing, whatever is configured`() throws {
    let rules = try TargetRules(
      device: Visit.device, address: IPv4Address(0x0a00_0007), ports: [80, 9_100, 0], own: [])
    #expect(rules.ports == [80])
  }
}
