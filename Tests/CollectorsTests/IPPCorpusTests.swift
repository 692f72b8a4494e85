// Captured answers of real printers, each as a reading, against the oracle. The captures are not part of this repository: PT_CORPUS names them.

import Foundation
@testable import Collectors
import IPP
import MIB
import PrinterModel
import Testing

private enum Captures {
  static let root = ProcessInfo.processInfo.environment["PT_CORPUS"].map { URL(fileURLWithPath: $0) }

  /// What the oracle says of each capture of a printer's attributes: texts and numbers by attribute.
  static let oracle: [String: [String: [String]]] = {
    guard let root, let data = try? Data(contentsOf: root.appendingPathComponent("ipp-oracle.json")),
      let all = try? JSONSerialization.jsonObject(with: data) as? [String: [String: Any]]
    else { return [:] }
    return all.compactMapValues { facts in
      guard facts["printer-state"] != nil, (facts["status"] as? Int).map({ $0 < 0x100 }) ?? false else { return nil }
      return facts.compactMapValues { value in (value as? [Any])?.map { "\($0)" } }
    }
  }()

  static let paths = oracle.keys.sorted()

  static func outcome(_ path: String) throws -> (reading: Reading, walk: Walk)? {
    let bytes = [UInt8](try Data(contentsOf: try #require(root).appendingPathComponent(path)))
    switch try #require(IPPAsker.result(ofCapture: bytes)) {
    case .reading(let poll): return (poll.reading, poll.walk)
    case .failed(let failure):
      // Two captures are of print servers' queues.
      #expect(failure.reason == .notAPrinter && failure.message.contains("print server"), "\(failure)")
      return nil
    }
  }
}

@Suite(.enabled(if: Captures.root != nil, "skipped: PT_CORPUS does not name a folder of captures"))
struct `Captured answers of printers over IPP` {
  @Test func `are there, and nearly all are printers`() throws {
    #expect(Captures.paths.count > 45)
    #expect(try Captures.paths.count { try Captures.outcome($0) == nil } <= 2)
  }

  @Test(arguments: Captures.paths) func `give the identity that the oracle has`(path: String) throws {
    guard let (reading, _) = try Captures.outcome(path) else { return }
    let facts = try #require(Captures.oracle[path])
    let identity = reading.identity
    let model = try #require(identity.model?.text, "a model")
    #expect(facts["printer-make-and-model"]?.first?.hasSuffix(model) ?? false, "\(model)")
    if let uuid = facts["printer-uuid"]?.first { #expect(uuid.lowercased() == "urn:uuid:\(identity.uuid ?? "")") }
    let deviceID = facts["printer-device-id"]?.first ?? ""
    if let serial = identity.serial?.text { #expect(deviceID.contains(serial) || deviceID.contains("SN:")) }
    if let name = facts["printer-name"]?.first, !name.isEmpty { #expect(identity.printerName != nil) }
  }

  @Test(arguments: Captures.paths) func `give the supplies that the oracle has`(path: String) throws {
    guard let (reading, _) = try Captures.outcome(path) else { return }
    let facts = try #require(Captures.oracle[path])
    if let rows = facts["printer-supply"]?.filter({ $0.contains("=") }), !rows.isEmpty {
      #expect(reading.supplies.count == rows.count)
      for (supply, row) in zip(reading.supplies, rows) {
        let fields = AttributeRow(row)
        #expect(supply.level == fields.number("level").map(Int64.init))
        #expect(supply.capacity == fields.number("maxcapacity").map(Int64.init))
        #expect(supply.colorant?.text == fields["colorantname"])
      }
    } else if let levels = facts["marker-levels"]?.compactMap(Int64.init) {
      #expect(reading.supplies.count == levels.count)
      for (supply, level) in zip(reading.supplies, levels) {
        if (0...100).contains(level), !supply.isReceptacle {
          #expect(supply.percentRemaining == Double(level) && supply.quality == .exact)
        } else {
          #expect(supply.percentRemaining == nil, "\(level) is no percentage")
        }
      }
    }
  }

  @Test(arguments: Captures.paths) func `name an attribute for every value, and what it held`(path: String) throws {
    guard let (reading, walk) = try Captures.outcome(path) else { return }
    let sources = Interpretation.sources(walk)
    let rows = [sources.supplies, sources.inputs, sources.outputs, sources.covers, sources.alerts]
    let all = sources.identity + sources.status + sources.detectors + rows.flatMap { $0.values.flatMap { $0 } }
    for source in all {
      #expect(
        AttributeName(source.source.name) != nil && walk[source.source.name] == source.source.raw, "\(source.value)")
    }
    for supply in reading.supplies where supply.level != nil {
      #expect(sources.supplies[supply.row]?.contains { $0.value == "levelRaw" } ?? false)
    }
    for meter in reading.meters { #expect(walk[meter.source.name] == meter.source.raw) }
  }

  @Test(arguments: Captures.paths) func `raise alerts for what is wrong and for nothing else`(path: String) throws {
    guard let (reading, _) = try Captures.outcome(path) else { return }
    let facts = try #require(Captures.oracle[path])
    let wrong = (facts["printer-state-reasons"] ?? []).filter { $0.hasSuffix("-warning") || $0.hasSuffix("-error") }
    let rows = (facts["printer-alert"] ?? []).map { AttributeRow($0, of: "printer-alert") }
      .filter { row in
        let isGrave = ["warning", "critical"].contains(row["severity"] ?? "")
        return isGrave || !["unknown", "other", "printerReadyToPrint", nil].contains(row["code"])
      }
    #expect(reading.alerts.isEmpty == (wrong.isEmpty && rows.isEmpty))
    #expect(reading.alerts.count <= wrong.count + rows.count)
    if facts["printer-alert"]?.contains(where: { $0.contains("severity=otherother") }) ?? false {
      #expect(reading.findings.contains { $0.message == "`severity=otherother` is none of the standard's words" })
    }
  }
}
