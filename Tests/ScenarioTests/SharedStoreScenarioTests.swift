import Foundation
import Glibc
import TestDatabases
import Testing

/// Hubs over one PostgreSQL database, behind a TCP balancer. All real programs over loopback.
private final class Hubs {
  static let balancer = "/usr/sbin/haproxy"

  let site: Site
  private(set) var running: [Program?] = [nil, nil]
  private var haproxy: Program?

  private static func isListening(_ port: Int) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = UInt16(port).bigEndian
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  init(_ site: Site) { self.site = site }

  deinit {
    for hub in running { hub?.killNow() }
    haproxy?.killNow()
  }

  /// Where a hub listens: the site has ten ports, of which the first four are the balancer's and the printers'.
  private func ports(of hub: Int) -> [Int] { (0..<3).map { site.ports.csr + 4 + hub * 3 + $0 } }

  /// The second hub has a copy of the first one's directory, as on another machine.
  private func directory(of hub: Int) throws -> String {
    guard hub > 0 else { return site.hubDirectory }
    let path = site.hubDirectory + "-\(hub)"
    if !FileManager.default.fileExists(atPath: path) {
      try FileManager.default.copyItem(atPath: site.hubDirectory, toPath: path)
      for own in ["server.key", "server.pem", "lock"] { try? FileManager.default.removeItem(atPath: "\(path)/\(own)") }
    }
    return path
  }

  func start(_ hub: Int) async throws {
    let ports = ports(of: hub)
    let program = try Program(
      "pthub",
      [
        "serve", "--directory", try directory(of: hub), "--csr", "127.0.0.1:\(ports[0])", "--dcam",
        "127.0.0.1:\(ports[1])", "--hc", "127.0.0.1:\(ports[2])", "--advertise-dcam", "127.0.0.1:\(site.ports.dcam)",
        "--advertise-hc", "127.0.0.1:\(site.ports.hc)", "--metrics", "none", "--console",
        "none",
      ], log: site.directory)
    running[hub] = program
    try await program.waits(for: "ready")
  }

  func kill(_ hub: Int) { running[hub]?.killNow() }

  func startBalancer() async throws {
    var text =
      "defaults\n  mode tcp\n  timeout connect 1s\n  timeout client 1h\n  timeout server 1h\n  option redispatch\n"
    for (index, port) in [site.ports.csr, site.ports.dcam, site.ports.hc].enumerated() {
      text += "listen p\(index)\n  bind 127.0.0.1:\(port)\n  balance roundrobin\n"
      for hub in 0..<2 {
        text +=
          "  server h\(hub) 127.0.0.1:\(ports(of: hub)[index]) check inter 200ms fall 1 rise 1 on-marked-down shutdown-sessions\n"
      }
    }
    let file = site.directory.appendingPathComponent("haproxy.cfg")
    try text.write(to: file, atomically: true, encoding: .utf8)
    haproxy = try Program(path: Self.balancer, ["-f", file.path, "-db"], log: site.directory)
    try await eventually(30, "the balancer to listen; it printed: \(haproxy?.output ?? "")") {
      Self.isListening(site.ports.csr)
    }
  }
}

@Suite(
  .serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"),
  .enabled(if: PostgresServer.shared != nil, "needs Debian's postgresql-15"),
  .enabled(
    if: FileManager.default.isExecutableFile(atPath: Hubs.balancer), "needs Debian's haproxy"))
struct `Hubs that share a database` {
  @Test(.timeLimit(.minutes(10)))
  func `lose and double nothing when one after the other is killed under load`() async throws {
    let site = try Site(network: 65)
    try await site.startFleet(printers: 10)
    let address = try #require(PostgresServer.shared).newAddress()
    let (code, pin) = try await site.makeHub(store: address)
    let hubs = Hubs(site)
    for hub in 0..<2 { try await hubs.start(hub) }
    try await hubs.startBalancer()
    try site.configureAgent(pin: pin)
    let enrolled = try await site.agentCommand(["enroll", "--code", code])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    try site.startAgent()
    try await eventually(60, "the first records at the hub") { try await !site.hubEpochs().isEmpty }

    for round in 0..<6 {
      let hub = round % 2
      hubs.kill(hub)
      let before = try await site.journalEpochs().last?.records ?? 0
      // The other one takes over: what is new arrives while this one is away.
      try await eventually(60, "the hub that is left to take over") {
        try await (site.hubEpochs().last?.records ?? 0) > before
      }
      try await hubs.start(hub)
    }

    #expect(try await site.stopAgent() == 0)
    let (hub, journal) = (try await site.hubEpochs(), try await site.journalEpochs())
    #expect(hub == journal, "the hubs and the journal differ in count or root")

    // What both hubs made of the records is what the agent knows.
    struct Device: Decodable, Equatable {
      var serial: String?
      var total: UInt64?
    }
    struct Fleet: Decodable {
      struct Known: Decodable {
        struct Identity: Decodable { var serial: String? }
        struct Meter: Decodable {
          var name: String
          var value: UInt64?
        }
        var identity: Identity
        var meters: [Meter]
      }
      var devices: [Known]
    }
    let known = try await site.agentCommand(["devices", "--output", "json"])
    let expected = try site.decode(known.output, Fleet.self).devices.map { device in
      Device(serial: device.identity.serial, total: device.meters.first { $0.name == "total" }?.value)
    }
    let shown = try site.decode(try await site.hubCommand(["device", "list", "--output", "json"]), [Device].self)
    #expect(!shown.isEmpty)
    #expect(shown.sorted { $0.serial ?? "" < $1.serial ?? "" } == expected.sorted { $0.serial ?? "" < $1.serial ?? "" })
  }

  @Test func `a database of another hub is refused`() async throws {
    let (one, other) = (try Site(network: 66), try Site(network: 67))
    let address = try #require(PostgresServer.shared).newAddress()
    _ = try await one.makeHub(store: address)
    _ = try await other.makeHub()
    let refused = try await Program.run(
      "pthub", ["entity", "list", "--directory", other.hubDirectory, "--store", address], in: other.directory)
    #expect(refused.status == 78)
    #expect(refused.output.contains("belongs to another hub"), "\(refused.output)")
  }

  @Test func `a database that is not there is one sentence with the remedy`() async throws {
    let site = try Site(network: 68)
    for (address, told) in [
      ("postgres://hub@127.0.0.1:1/hub", "Start PostgreSQL, or check the address"),
      ("mysql://hub", "--store takes the address"),
    ] {
      let refused = try await Program.run(
        "pthub", ["init", "--directory", site.hubDirectory, "--store", address], in: site.directory)
      #expect(refused.status == (told.hasPrefix("Start") ? 69 : 64))
      #expect(refused.output.contains(told), "\(refused.output)")
      #expect(refused.output.split(separator: "\n").count == 1, "\(refused.output)")
    }
  }
}
