import Foundation
import TestPrograms
import Testing

/// net-snmp's daemon, which nobody here wrote, as a device: first as the server that it is, then with a printer's objects in it.
@Suite(
  .serialized, .timeLimit(.minutes(5)),
  .enabled(if: programs != nil && SNMPDaemon.isInstalled, "needs the built programs and snmpd: run tools/test"))
struct `net-snmp's daemon, polled` {
  struct Credential: CustomTestStringConvertible, Sendable {
    var testDescription: String
    /// The daemon's line that makes the user, and the level it demands.
    var user: (create: String, level: String)?
    /// The agent's options.
    var options: [String]

    init(_ testDescription: String, _ options: [String]) {
      self.testDescription = testDescription
      self.options = options
    }

    /// A user with the daemon's and our names of the same algorithms.
    init(user: String, _ level: String, auth: (String, String)? = nil, priv: (String, String)? = nil) {
      testDescription = user
      var create = user
      options = ["--user", user]
      if let (daemon, agent) = auth {
        create += " \(daemon) auth-password"
        options += ["--auth", agent, "--auth-password", "auth-password"]
      }
      if let (daemon, agent) = priv {
        create += " \(daemon) priv-password"
        options += ["--priv", agent, "--priv-password", "priv-password"]
      }
      self.user = (create, level)
    }
  }

  static let credentials = [
    Credential("v1", ["--community", "public", "--version", "1"]),
    Credential("v2c", ["--community", "public", "--version", "2c"]),
    Credential(user: "open", "noauth"),
    Credential(user: "md5", "auth", auth: ("MD5", "md5")),
    Credential(user: "sha224", "auth", auth: ("SHA-224", "sha224")),
    Credential(user: "md5-des", "priv", auth: ("MD5", "md5"), priv: ("DES", "des")),
    Credential(user: "sha1-aes128", "priv", auth: ("SHA", "sha1"), priv: ("AES", "aes128")),
    Credential(user: "sha256-aes128", "priv", auth: ("SHA-256", "sha256"), priv: ("AES", "aes128")),
    Credential(user: "sha384-aes192", "priv", auth: ("SHA-384", "sha384"), priv: ("AES-192", "aes192")),
    Credential(user: "sha512-aes256", "priv", auth: ("SHA-512", "sha512"), priv: ("AES-256", "aes256")),
  ]

  private static let printer = """
    override 1.3.6.1.2.1.25.3.2.1.2.1 object_id 1.3.6.1.2.1.25.3.1.5
    override 1.3.6.1.2.1.25.3.2.1.3.1 octet_str "Maker Laser 100"
    override 1.3.6.1.2.1.25.3.5.1.1.1 integer 3
    override 1.3.6.1.2.1.43.5.1.1.17.1 octet_str "NETSNMP0001"
    override 1.3.6.1.2.1.43.10.2.1.3.1.1 integer 7
    override 1.3.6.1.2.1.43.10.2.1.4.1.1 counter 4294967290
    override 1.3.6.1.2.1.43.11.1.1.4.1.1 integer 3
    override 1.3.6.1.2.1.43.11.1.1.5.1.1 integer 3
    override 1.3.6.1.2.1.43.11.1.1.6.1.1 octet_str "Black toner"
    override 1.3.6.1.2.1.43.11.1.1.7.1.1 integer 19
    override 1.3.6.1.2.1.43.11.1.1.8.1.1 integer 100
    override 1.3.6.1.2.1.43.11.1.1.9.1.1 integer -3

    """

  private struct Reading: Decodable {
    struct Identity: Decodable {
      var serial: String?
    }
    struct Meter: Decodable {
      var name: String
      var value: UInt64
      var unit: String
    }
    struct Supply: Decodable {
      var row: String
      var levelRaw: Int64?
      var percentRemaining: Double?
      var meaning: String
    }
    var identity: Identity
    var meters: [Meter]
    var supplies: [Supply]
  }

  @Test(arguments: credentials)
  func `with a printer's objects reads as that printer`(credential: Credential) async throws {
    let site = try Site(network: 21)
    let daemon = try await SNMPDaemon(at: "127.30.21.1", port: site.ports.snmp, in: site.directory) {
      (credential.user.map { "createUser \($0.create)\nrouser \(credential.testDescription) \($0.level)\n" }
        ?? "rocommunity public\n") + Self.printer
    }
    let read = try await Program.run(
      "ptagent", ["read", daemon.address, "--output", "json"] + credential.options, in: site.directory)
    #expect(read.status == 0, "\(read)")
    let reading = try site.decode(read.output, Reading.self)
    #expect(reading.identity.serial == "NETSNMP0001")
    #expect(reading.meters.contains { $0.name == "total" && $0.value == 4_294_967_290 && $0.unit == "impressions" })
    let supply = try #require(reading.supplies.first { $0.row == "1.1" })
    #expect(supply.levelRaw == -3 && supply.percentRemaining == nil && supply.meaning == "some-remaining")
  }

  @Test func `as the server that it is, is not taken for a printer`() async throws {
    let site = try Site(network: 22)
    let daemon = try await SNMPDaemon(at: "127.30.22.1", port: site.ports.snmp, in: site.directory) {
      "rocommunity public\n"
    }
    let read = try await Program.run("ptagent", ["read", daemon.address], in: site.directory)
    #expect(read.status == 69 && read.output.contains("is no printer: it answers, but it has no row"), "\(read)")
  }

  @Test func `tells which user, level or password it refuses, and what to configure`() async throws {
    let site = try Site(network: 23)
    let auth = ["--auth", "sha1", "--auth-password", "auth-password"]
    let priv = ["--priv", "aes128", "--priv-password", "priv-password"]
    let wrongAuth = ["--auth", "md5", "--auth-password", "auth-password"]
    let wrongPriv = ["--priv", "aes128", "--priv-password", "wrong-password"]
    let daemon = try await SNMPDaemon(at: "127.30.23.1", port: site.ports.snmp, in: site.directory) {
      "createUser both SHA auth-password AES priv-password\nrouser both priv\ncreateUser signed SHA auth-password\nrouser signed auth\n"
    }
    let refusals: [(user: String, options: [String], status: Int32, told: String)] = [
      ("nobody", [], 77, "Give a user that the device has; it has no nobody"),
      ("both", wrongAuth, 77, "Give the auth algorithm and password that the device has for the user both"),
      ("signed", auth + priv, 77, "It was asked as signed at authPriv: give the level"),
      ("both", [], 77, "It was asked as both at noAuthNoPriv: give the level"),
      ("both", auth, 77, "It was asked as both at authNoPriv: give the level"),
      // net-snmp drops what it cannot decrypt.
      ("both", auth + wrongPriv, 69, "check the priv algorithm and password"),
    ]
    for (user, options, status, told) in refusals {
      let read = try await Program.run(
        "ptagent", ["read", daemon.address, "--user", user] + options, in: site.directory)
      #expect(read.status == status && read.output.contains(told), "\(read)")
      #expect(!read.output.contains("firewall"))
    }
  }
}

/// snmpd on a loopback address, with its files in a folder of its own; ended with the value.
private final class SNMPDaemon {
  private static let executable = "/usr/sbin/snmpd"
  static let isInstalled = FileManager.default.isExecutableFile(atPath: executable)

  let address: String
  private let daemon: ChildProgram

  init(at host: String, port: Int, in directory: URL, configuration: () -> String) async throws {
    address = "\(host):\(port)"
    let file = directory.appendingPathComponent("snmpd.conf")
    let log = directory.appendingPathComponent("snmpd.log")
    try configuration().write(to: file, atomically: true, encoding: .utf8)
    // In the foreground, logging to its output, with this configuration and no other, and without MIB files.
    daemon = try ChildProgram(
      Self.executable,
      [
        "-f", "-Lo", "-C", "-c", file.path, "-p", directory.appendingPathComponent("snmpd.pid").path, "-m", "",
        "udp:\(address)",
      ],
      environment: ["SNMP_PERSISTENT_DIR": directory.appendingPathComponent("snmpd").path], output: .file(log.path))
    func written() -> String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }
    try await eventually(30, "snmpd to be up; it printed: \(written().suffix(1000))") { [daemon] in
      if !daemon.isRunning { throw Program.Failure(description: "snmpd ended: \(written().suffix(1000))") }
      return written().contains("NET-SNMP version")
    }
  }
}
