import Foundation
import Testing

private let tinyproxy = ["/usr/bin/tinyproxy", "/usr/sbin/tinyproxy"].first {
  FileManager.default.isExecutableFile(atPath: $0)
}

/// An agent in a network whose only way out is an HTTP proxy, with real programs: tinyproxy, which opens tunnels to the hub's ports alone.
@Suite(
  .serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"),
  .enabled(if: tinyproxy != nil, "needs tinyproxy (Debian: tinyproxy-bin)"),
  .timeLimit(.minutes(5)))
struct `Through a proxy, with real programs` {
  private static let password = "s3cret-word-of-the-proxy"

  /// A site whose agent knows the hub's ports and is to reach them by the proxy.
  private struct ProxiedSite {
    let site: Site
    let proxy: Program
    let log: String
    let code: String

    /// - Parameter section: what stands in [proxy] beside the address.
    init(network: Int, credentials: String?, section: String) async throws {
      site = try Site(network: network)
      let port = 21_000 + network * 10 + 8
      log = site.directory.path + "/tinyproxy.log"
      let ports = [site.ports.csr, site.ports.dcam, site.ports.hc].map { "ConnectPort \($0)\n" }.joined()
      let path = site.directory.path + "/tinyproxy.conf"
      try """
      Port \(port)
      Listen 127.0.0.1
      MaxClients 20
      LogFile "\(log)"
      LogLevel Connect
      \(credentials.map { "BasicAuth \($0)" } ?? "")
      \(ports)
      """.write(toFile: path, atomically: true, encoding: .utf8)
      proxy = try Program(
        path: tinyproxy ?? "", ["-d", "-c", path], log: site.directory)
      let made = try await site.makeHub()
      code = made.code
      try await site.startHub(options: ["--standing-seconds", "2", "--client-validity-seconds", "12"])
      try site.configureAgent(pin: made.pin) { text in
        text + "[proxy]\naddress = \"127.0.0.1:\(port)\"\n\(section)"
      }
      try password.write(toFile: site.directory.path + "/proxy-password", atomically: true, encoding: .utf8)
    }

    /// Tunnels that the proxy opened to a port.
    func tunnels(to port: Int) throws -> Int {
      try String(contentsOfFile: log, encoding: .utf8).components(separatedBy: "CONNECT 127.0.0.1:\(port) ").count - 1
    }
  }

  private func status(_ site: Site) async throws -> String {
    try await site.agentCommand(["status", "--output", "json"]).output
  }

  @Test(
    arguments: [
      (nil, ""),
      ("dealer \(password)", "user = \"dealer\"\npassword_file = \"proxy-password\"\n"),
    ] as [(String?, String)])
  func `enrolment, records, renewal and health go through the proxy, with credentials and without`(
    credentials: String?, section: String
  ) async throws {
    let proxied = try await ProxiedSite(network: 75, credentials: credentials, section: section)
    let site = proxied.site
    try await site.startFleet(printers: 1)
    let enrolled = try await site.agentCommand(["enroll", "--code", proxied.code])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    #expect(try proxied.tunnels(to: site.ports.csr) == 1)
    try site.startAgent()
    try await eventually(60, "delivery") { try await status(site).contains("everything is at") }
    try await eventually(60, "a renewal") {
      try await site.install().certificates.contains { $0.superseded != nil }
    }
    try await eventually(30, "a health report") { try proxied.tunnels(to: site.ports.hc) >= 1 }
    // The delivery stream, and the renewal that has a connection of its own.
    #expect(try proxied.tunnels(to: site.ports.dcam) >= 2)
    // Without the proxy there is no other way.
    proxied.proxy.killNow()
    try await eventually(60, "the word about the proxy") {
      try await status(site).contains("nothing is delivered")
    }
    let told = try await status(site) + site.agentCommand(["config", "check"]).output + (site.agent?.output ?? "")
    #expect(!told.contains(Self.password))
    #expect(try await site.stopAgent() == 0)
  }

  @Test func `wrong credentials are told in the status, with what to look at`() async throws {
    let proxied = try await ProxiedSite(
      network: 75, credentials: "dealer \(Self.password)", section: "user = \"dealer\"\npassword = \"another\"\n")
    let site = proxied.site
    let refused = try await site.agentCommand(["enroll", "--code", proxied.code])
    #expect(refused.status == 69, "\(refused.output)")
    #expect(refused.output.contains("it wants other credentials"), "\(refused.output)")
    #expect(refused.output.contains("Check [proxy], its user and password"), "\(refused.output)")
    // The password may come from the environment, where a service manager has it.
    try site.editConfiguration { $0.replacing("password = \"another\"\n", with: "") }
    let enrolled = try await Program.run(
      "ptagent", ["enroll", "--code", proxied.code, "--config", site.configuration], in: site.directory,
      environment: ["PTAGENT_PROXY_PASSWORD": Self.password])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    try site.editConfiguration { $0.replacing("user = \"dealer\"", with: "user = \"dealer\"\npassword = \"another\"") }
    try site.startAgent()
    try await eventually(60, "the status to tell") {
      try await status(site).contains("it wants other credentials")
    }
    let told = try await status(site)
    #expect(told.contains("Check [proxy], its user and password"), "\(told)")
    #expect(!told.contains("another\""))
    try site.editConfiguration { $0.replacing("password = \"another\"", with: "password_file = \"proxy-password\"") }
    #expect(try await site.stopAgent() == 0)
    try site.startAgent()
    try await eventually(60, "delivery") { try await status(site).contains("everything is at") }
    #expect(try await site.stopAgent() == 0)
  }
}
