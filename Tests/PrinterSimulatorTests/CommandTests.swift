// The program itself: what it prints, how it ends and what it writes. It stands beside the test bundle.

import Foundation
import MIB
import SNMP
import TestPrograms
import Testing

@testable import PrinterSimulator

@Suite(.serialized) struct CommandTests {
  /// A running ptsim with both of its outputs in one pipe.
  final class Run {
    let process: ChildProgram

    init(_ arguments: [String]) throws {
      let bundle = try FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
      process = try ChildProgram(
        URL(filePath: bundle).deletingLastPathComponent().appending(path: "ptsim").path, arguments, output: .pipe)
    }

    /// What comes next from the program; empty at its end.
    func next() -> String { String(decoding: process.read(), as: UTF8.self) }

    /// The exit status and what else was written.
    func end() -> (status: Int32, output: String) {
      let rest = process.readToEnd()
      return (process.wait().status, rest)
    }
  }

  private static let demo = Fixtures.folder + "/fleets/demo.toml"

  private func temporaryFile() -> String {
    FileManager.default.temporaryDirectory.appending(path: "ptsim-\(UUID().uuidString).json").path
  }

  /// The port of the line that says it is ready.
  private func port(_ line: String) throws -> Int {
    #expect(line.hasPrefix("ready: 27 printers on udp/"))
    return try #require(Int(line.trimmingCharacters(in: .whitespacesAndNewlines).split(separator: "/").last ?? ""))
  }

  @Test func `it says when it is ready and ends well at SIGTERM with the truth written`() throws {
    let truth = temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: truth) }
    let run = try Run(["serve", "--fleet", Self.demo, "--port", "0", "--speed", "0", "--truth", truth])
    _ = try port(run.next())
    run.process.signal(SIGTERM)
    #expect(run.end() == (0, ""))
    let written = try JSONDecoder().decode(FleetTruth.self, from: Data(contentsOf: URL(filePath: truth)))
    #expect(written.printers.count == 27)
    #expect(written.printers.allSatisfy { $0.counters.mono + $0.counters.colour == $0.counters.total })
  }

  @Test func `what it serves is what its truth says`() throws {
    let truth = temporaryFile()
    defer { try? FileManager.default.removeItem(atPath: truth) }
    let run = try Run(["serve", "--fleet", Self.demo, "--port", "0", "--speed", "0", "--truth", truth])
    let port = try port(run.next())
    let client = try TestClient()
    let address = try #require(HostAddress("127.20.0.33"))
    let life = PDU(.get, requestID: 1, names: [PrinterMIB.Marker.entry.appending(4, 1, 1)])
    let request = Message(version: .v2c, community: Array("public".utf8), pdu: life)
    try client.send(request.encoded(), to: address, port: port)
    let answer = try Message(decoding: #require(client.receive()).bytes).pdu
    run.process.signal(SIGTERM)
    #expect(run.end().status == 0)
    let written = try JSONDecoder().decode(FleetTruth.self, from: Data(contentsOf: URL(filePath: truth)))
    let printer = try #require(written.printers.first { $0.address == "127.20.0.33" })
    #expect(answer.bindings.first?.value == .counter32(UInt32(printer.counters.total)))
    #expect(printer.replies == 1)
  }

  @Test func `it ends by itself`() throws {
    let run = try Run(["serve", "--fleet", Self.demo, "--port", "0", "--for", "0.05"])
    _ = try port(run.next())
    #expect(run.end() == (0, ""))
  }

  @Test func `a port in use ends it with one sentence`() throws {
    let first = try Run(["serve", "--fleet", Self.demo, "--port", "0"])
    let port = try port(first.next())
    let (status, output) = try Run(["serve", "--fleet", Self.demo, "--port", "\(port)"]).end()
    #expect(status == 69)
    let sentence = "UDP port \(port) of 127.20.0.11 is in use by another program; choose another with --port."
    #expect(output == "ptsim: \(sentence)\n")
    first.process.signal(SIGTERM)
    #expect(first.end().status == 0)
  }

  @Test func `a fault of an unknown device is refused`() throws {
    let (status, output) = try Run(["serve", "--fleet", Self.demo, "--fault", "127.9.9.9=truncated"]).end()
    #expect(status == 64)
    #expect(output.contains("names no device"))
  }

  @Test func `a list in JSON names every printer and no password`() throws {
    let (status, output) = try Run(["list", "--fleet", Self.demo, "--output", "json"]).end()
    #expect(status == 0)
    let rows = try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [[String: Any]])
    #expect(rows.count == 27)
    #expect(!output.contains("-pass"))
  }

  @Test func `the state after some hours is the same each time`() throws {
    let arguments = ["state", "--fleet", Self.demo, "--hours", "30"]
    let (status, output) = try Run(arguments).end()
    #expect(status == 0)
    #expect(try Run(arguments).end().output == output)
    let truth = try JSONDecoder().decode(FleetTruth.self, from: Data(output.utf8))
    #expect(truth.printers.contains { !$0.alerts.isEmpty })
  }

  @Test func `the help names every fault`() throws {
    let (status, output) = try Run(["serve", "--help"]).end()
    #expect(status == 0)
    for entry in Fault.catalogue { #expect(output.contains(entry.spelling)) }
  }
}
