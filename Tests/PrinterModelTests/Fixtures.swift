// The hand-written walks of Fixtures/walks.

internal import Foundation
internal import MIB
internal import Testing

enum Fixtures {
  static func bytes(_ name: String, file: String = #filePath) throws -> [UInt8] {
    let root = URL(fileURLWithPath: file).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent()
    return [UInt8](try Data(contentsOf: root.appendingPathComponent("Fixtures/walks/\(name).snmprec")))
  }

  static func walk(_ name: String) throws -> Walk {
    let document = SNMPRec.parse(try bytes(name))
    #expect(document.findings.isEmpty)
    return document.walk
  }

  static let names = [
    "colour-mfp", "several-markers", "print-server", "reported-counters", "named-counters", "nonsense",
    "out-of-range", "imaging-counters", "acme",
  ]
}
