// Interoperation with net-snmp's clients, an implementation that shares nothing with ours. Skipped, and said so, where the
// tools (Debian package snmp) are not installed.

import Foundation
import MIB
import SNMP
import TestPrograms
import Testing

@testable import PrinterSimulator

@Suite(.enabled(if: NetSNMP.isInstalled, "the net-snmp tools are not installed (Debian package: snmp)"), .serialized)
struct NetSNMPTests {
  struct Level: Sendable, CustomTestStringConvertible {
    var testDescription: String
    var arguments: [String]
    var authentication: (AuthenticationAlgorithm, String)?
    var privacy: (PrivacyAlgorithm, String)?
  }

  static let levels: [Level] = [
    Level(testDescription: "noAuthNoPriv", arguments: ["-l", "noAuthNoPriv"]),
    Level(
      testDescription: "authNoPriv MD5", arguments: ["-l", "authNoPriv", "-a", "MD5", "-A", "auth-password"],
      authentication: (.md5, "auth-password")),
    Level(
      testDescription: "authNoPriv SHA", arguments: ["-l", "authNoPriv", "-a", "SHA", "-A", "auth-password"],
      authentication: (.sha1, "auth-password")),
    Level(
      testDescription: "authPriv MD5 DES",
      arguments: ["-l", "authPriv", "-a", "MD5", "-A", "auth-password", "-x", "DES", "-X", "priv-password"],
      authentication: (.md5, "auth-password"), privacy: (.des, "priv-password")),
    Level(
      testDescription: "authPriv SHA AES",
      arguments: ["-l", "authPriv", "-a", "SHA", "-A", "auth-password", "-x", "AES", "-X", "priv-password"],
      authentication: (.sha1, "auth-password"), privacy: (.aes128, "priv-password")),
    Level(
      testDescription: "authPriv SHA-256 AES",
      arguments: ["-l", "authPriv", "-a", "SHA-256", "-A", "auth-password", "-x", "AES", "-X", "priv-password"],
      authentication: (.sha256, "auth-password"), privacy: (.aes128, "priv-password")),
    Level(
      testDescription: "authPriv SHA-512 AES-256",
      arguments: ["-l", "authPriv", "-a", "SHA-512", "-A", "auth-password", "-x", "AES-256", "-X", "priv-password"],
      authentication: (.sha512, "auth-password"), privacy: (.aes256, "priv-password")),
  ]

  @Test(arguments: ["-v1", "-v2c"])
  func `snmpget reads the serial number`(version: String) throws {
    try withServer([try Fixtures.plan("lexmark-mx522", at: "127.32.0.1")]) { server in
      let serial = try #require(server.devices.first?.printer).identity.serial
      let name = PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber, 1).description
      let output = try NetSNMP.run("snmpget", [version, "-c", "public", "-Oqv", target(server), name])
      #expect(output == "\"\(serial)\"\n")
    }
  }

  @Test(arguments: ["snmpwalk -v1", "snmpwalk -v2c", "snmpbulkwalk -v2c -Cr40"])
  func `a walk finds as many objects as there are`(command: String) throws {
    try withServer([try Fixtures.plan("konica-bizhub-c300i", at: "127.32.1.1")]) { server in
      let words = command.split(separator: " ").map(String.init)
      let output = try NetSNMP.run(words[0], words.dropFirst() + ["-c", "public", "-Onq", target(server), "1.3.6.1"])
      let names = output.split(separator: "\n").filter { $0.hasPrefix(".1.3.") && !$0.contains("No more variables") }
      #expect(names.count == server.devices.first?.walk.bindings.count)
    }
  }

  @Test(arguments: levels)
  func `snmpbulkwalk reads the supplies in SNMPv3`(level: Level) throws {
    let user = try USMUser(
      name: "tester", authentication: level.authentication.map { .init($0.0, password: Array($0.1.utf8)) },
      privacy: level.privacy.map { .init($0.0, password: Array($0.1.utf8)) })
    let plan = try Fixtures.plan("hp-color-laserjet-m555", at: "127.32.2.1", users: [user], context: "Jetdirect")
    try withServer([plan]) { server in
      let arguments = ["-v3", "-u", "tester", "-n", "Jetdirect"] + level.arguments
      let column = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level)
      let output = try NetSNMP.run("snmpbulkwalk", arguments + ["-Oqv", target(server), column.description])
      let expected = try #require(server.devices.first).walk.subtree(column).compactMap(\.value.number)
      #expect(output.split(separator: "\n").compactMap { Int64($0) } == expected)
    }
  }

  @Test func `a wrong password is an authentication failure`() throws {
    let user = try USMUser(name: "tester", authentication: .init(.sha1, password: Array("auth-password".utf8)))
    try withServer([try Fixtures.plan("sharp-mx-3071", at: "127.32.3.1", users: [user])]) { server in
      let output = try NetSNMP.run(
        "snmpget",
        [
          "-v3", "-u", "tester", "-l", "authNoPriv", "-a", "SHA", "-A", "wrong-password", target(server),
          "1.3.6.1.2.1.1.1.0",
        ])
      #expect(output.contains("Authentication failure"))
    }
  }

  private func target(_ server: Server) -> String { "\(server.addresses[0]):\(server.port)" }
}

enum NetSNMP {
  private static let persistentFolder = Result {
    let folder = NSTemporaryDirectory() + "printtrail-net-snmp-\(ProcessInfo.processInfo.processIdentifier)"
    for name in ["cert_indexes", "mib_indexes"] {
      try FileManager.default.createDirectory(atPath: "\(folder)/\(name)", withIntermediateDirectories: true)
    }
    return folder
  }

  static let isInstalled = ["snmpget", "snmpwalk", "snmpbulkwalk"].allSatisfy { path($0) != nil }

  static func path(_ tool: String) -> String? {
    ["/usr/bin/", "/usr/local/bin/"].map { $0 + tool }.first { FileManager.default.isExecutableFile(atPath: $0) }
  }

  /// Runs a tool to its end and returns what it wrote to both outputs. It keeps its files in a folder of its own, where nothing is new to it:
  /// the first tool that a machine ever runs says which folders it made.
  static func run(_ tool: String, _ arguments: [String]) throws -> String {
    // No MIB files, no retries that would hide a lost answer for long.
    try ChildProgram.run(
      try #require(path(tool)), ["-m", "", "-t", "5", "-r", "1"] + arguments,
      environment: ["SNMP_PERSISTENT_DIR": try persistentFolder.get(), "SNMPCONFPATH": "/nonexistent"]
    ).output
  }
}
