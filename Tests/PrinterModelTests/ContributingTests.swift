// The example of CONTRIBUTING.md: a fixture, a profile and a test.

internal import Foundation
internal import MIB
internal import PrinterModel
internal import Testing

@Suite("The example of CONTRIBUTING.md")
struct ContributingTests {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  private static func bytes(_ path: String) throws -> [UInt8] {
    [UInt8](try Data(contentsOf: root.appendingPathComponent(path)))
  }

  private func reading() throws -> Reading {
    let profile = try ProfileParser.parse(try Self.bytes("Fixtures/profiles/acme.toml"), file: "acme.toml")
    return Interpretation.read(try Fixtures.walk("acme"), profiles: ProfileSet([profile]))
  }

  @Test func `an Acme PressMaster is read by the names of its counters`() throws {
    let reading = try reading()
    #expect(reading.identity.make == "Acme")
    #expect(reading.identity.model?.text == "PressMaster 3000")
    #expect(reading.identity.firmware?.text == "2.14")
    let meters = Dictionary(uniqueKeysWithValues: reading.meters.map { ($0.name.description, $0.value) })
    #expect(
      meters == [
        "total": 5000, "print": 3800, "copy": 1200, "total.monochrome": 3500, "total.fullColor": 1500, "scan": 640,
      ])
    #expect(reading.checks.count == 2 && reading.checks.allSatisfy(\.holds))
    #expect(reading.meters.first { $0.name.description == "print" }?.rule == Rule("acme/named-counters@1"))
  }

  @Test func `without the profile the standards still read it, and say no more than they know`() throws {
    let reading = Interpretation.read(try Fixtures.walk("acme"))
    #expect(reading.meters.map(\.name) == [.total] && reading.identity.make == nil)
  }

  @Test func `the page shows the files as they are`() throws {
    let page = String(decoding: try Self.bytes("CONTRIBUTING.md"), as: UTF8.self)
    for path in ["Fixtures/walks/acme.snmprec", "Fixtures/profiles/acme.toml"] {
      #expect(page.contains(path))
      for line in String(decoding: try Self.bytes(path), as: UTF8.self).split(separator: "\n")
      where !line.hasPrefix("#") {
        #expect(page.contains(line), "\(path): \(line)")
      }
    }
  }
}
