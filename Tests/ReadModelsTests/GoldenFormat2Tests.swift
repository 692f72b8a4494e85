import Events
import Evidence
import Foundation
import Journal
import OpenSSL
import PrinterModel
import Projections
import Testing

@testable import ReadModels

/// Fixtures/journal/v2, v2-shortened, of which retention removed the beginning, v2-later, v2-conflicts, v2-jobs and v2-settings, with what came since: what every release must open. On
/// copies.
@Suite final class `The golden journals of format 2` {
  private static let golden = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Fixtures/journal")
  private let work = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-golden-" + UUID().uuidString)

  deinit { try? FileManager.default.removeItem(at: work) }

  private func reader(_ name: String) throws -> JournalReader {
    let copy = work.appendingPathComponent(name)
    if !FileManager.default.fileExists(atPath: copy.path) {
      try FileManager.default.createDirectory(at: copy, withIntermediateDirectories: true)
      for file in ["identity", "journal.key", "data.mdb"] {
        try FileManager.default.copyItem(
          at: Self.golden.appendingPathComponent("\(name)/journal/\(file)"), to: copy.appendingPathComponent(file))
      }
    }
    return try JournalReader.open(directory: copy.path)
  }

  private func recorded(_ name: String, _ file: String) throws -> String {
    try String(contentsOf: Self.golden.appendingPathComponent("\(name)/\(file)"), encoding: .utf8)
  }

  /// A golden journal: its records, its last one, and the last that retention removed.
  struct Golden: Sendable {
    var name: String
    var records: UInt64
    var head: RecordPosition
    var base: RecordPosition?
    /// That of the state in it.
    var foldVersion: UInt32 = 2
  }

  static let all = [
    Golden(name: "v2", records: 35, head: RecordPosition(epoch: 2, sequence: 15)),
    Golden(
      name: "v2-shortened", records: 19, head: RecordPosition(epoch: 2, sequence: 15),
      base: RecordPosition(epoch: 1, sequence: 16)),
    Golden(name: "v2-later", records: 13, head: RecordPosition(epoch: 1, sequence: 13), foldVersion: 3),
    Golden(name: "v2-conflicts", records: 4, head: RecordPosition(epoch: 1, sequence: 4), foldVersion: 3),
    Golden(name: "v2-jobs", records: 17, head: RecordPosition(epoch: 1, sequence: 17), foldVersion: 3),
    Golden(name: "v2-settings", records: 6, head: RecordPosition(epoch: 1, sequence: 6), foldVersion: 3),
    Golden(name: "v2-remote", records: 11, head: RecordPosition(epoch: 1, sequence: 11), foldVersion: 3),
    Golden(name: "v2-requests", records: 12, head: RecordPosition(epoch: 1, sequence: 12), foldVersion: 3),
    Golden(name: "v2-refusals", records: 6, head: RecordPosition(epoch: 1, sequence: 6), foldVersion: 3),
    Golden(name: "v2-leaps", records: 7, head: RecordPosition(epoch: 1, sequence: 7), foldVersion: 3),
  ]

  @Test(arguments: all) func `open, are sound, and give what was recorded`(golden: Golden) async throws {
    let (name, base) = (golden.name, golden.base)
    let reader = try reader(name)
    let report = try JournalVerifier(reader).verify()
    #expect(report.findings.isEmpty && report.records == golden.records)
    #expect(report.removed == (base.map { [$0] } ?? []))
    #expect(try reader.head() == golden.head)
    let replayed = try Replay.run(reader)
    #expect(replayed.isEqual == (golden.foldVersion == FleetFold.currentVersion ? true : nil))
    #expect(replayed.base == base)
    #expect(try recorded(name, "state-digests").contains("\(FleetFold.currentVersion) \(replayed.digest.hex)\n"))
    for format in ExportOptions.Format.allCases {
      var options = ExportOptions()
      options.format = format
      let export = work.path + "/export-" + format.rawValue
      let file = try #require(Export(reader, options).write(into: export, signer: reader.signer()).files.first)
      #expect(try recorded(name, "exports.sha256").contains("\(file.sha256.hex)  \(file.name)"))
      let trusted = TrustedKeys([try reader.identity.verifier()])
      #expect(try ExportVerifier(directory: export, trusted: trusted).verify().findings == [])
      // Every type of event is among them: the other verifier must know their names, too.
      #expect(try [nil, 0].contains(IndependentVerifier.status(of: export, reader.identity.verifier())))
    }
  }

  @Test(arguments: ["v2", "v2-shortened"]) func `are folded anew when they are opened`(name: String) async throws {
    let digest = try Replay.run(reader(name)).digest
    let directory = work.appendingPathComponent(name).path
    let journal = try Journal.open(JournalConfiguration(directory: directory), fold: FleetFold())
    await journal.close()
    let again = try Replay.run(JournalReader.open(directory: directory))
    #expect(again.isEqual == true && again.digest == digest)
  }

  @Test func `are the same fleet, whether or not the beginning is there`() throws {
    #expect(try Replay.run(reader("v2")).state.devices == Replay.run(reader("v2-shortened")).state.devices)
  }

  /// A new type needs a golden record before it can be released: tools/record-golden says how.
  @Test func `have every type of event together`() throws {
    var types: Set<UInt16> = []
    for golden in Self.all {
      try reader(golden.name).scan { view in
        if let header = try? EventHeader(view.payload) { types.insert(header.type) }
        return true
      }
    }
    #expect(types == Set(EventType.names.keys).union([900]))
  }

  @Test func `tell of conflicts as they were recorded`() throws {
    var told: [UploadConflicted] = []
    try reader("v2-conflicts").scan { view in
      if case .uploadConflicted(let body) = try Event(payload: view.payload).body { told.append(body) }
      return true
    }
    #expect(told.map(\.first) == [7, 12] && told.map(\.last) == [9, 12])
    #expect(told.first?.heldHash == (0..<32).map { UInt8($0) })
  }

  @Test func `tell of jobs as they were recorded`() throws {
    let jobs = try Replay.run(reader("v2-jobs")).state.agent.jobs
    #expect(jobs.open.map(\.received?.fact.order.kind) == ["alerts", "kindOfANewerRelease"])
    #expect(jobs.open.map { $0.started != nil } == [true, false])
    #expect(jobs.byID.values.filter { !$0.isOpen }.count == 5)
  }

  @Test func `tell of settings as they were recorded`() throws {
    let agent = try Replay.run(reader("v2-settings")).state.agent
    #expect(agent.settings?.fact.version == 3 && agent.settingsRefused?.fact.version == 4)
    let applied = try #require(agent.settings?.fact)
    #expect(applied.values.map(\.key) == ["discovery.exclusions", "poll.interval"])
    #expect(applied.values.last?.value == "\"10m\"")
    #expect(applied.devices.first?.values == [RecordedSetting(key: "alerts.low_supply", value: "25")])
    #expect(applied.digest == (0..<32).map { UInt8($0) &* 7 &+ 3 })
  }

  @Test func `tell of sessions with devices' own pages as they were recorded`() throws {
    let fleet = try Replay.run(reader("v2-remote")).state
    let device = try #require(fleet.devices.values.first)
    #expect(device.pinnedCertificates.keys.sorted() == [443])
    #expect(device.pinnedCertificates[443]?.fact.digest == (0..<32).map { UInt8($0) &* 5 &+ 1 })
    var closed: [RemoteSessionClosed] = []
    try reader("v2-remote").scan { view in
      if case .remoteSessionClosed(let body) = try Event(payload: view.payload).body { closed.append(body) }
      return true
    }
    #expect(closed.map(\.reason) == ["closed"] && closed.first?.requests == 2)
  }

  @Test func `tell who wanted to see a page that he was not shown`() throws {
    var told: [(JobOrder.Visit?, DeviceID?, String)] = []
    try reader("v2-refusals").scan { view in
      let line = EventLine.text(view)
      switch try Event(payload: view.payload).body {
      case .jobRefused(let body): told.append((body.visit, body.device, line))
      case .jobFailed(let body): told.append((body.visit, body.device, line))
      default: break
      }
      return true
    }
    #expect(told.count == 2)
    for (visit, device, line) in told {
      #expect(visit?.user == "anna" && visit?.reason == "paper jam, ticket 4712" && visit?.from == "198.51.100.7")
      #expect(device == DeviceID([UInt8](repeating: 5, count: 16)))
      #expect(line.hasSuffix("(05050505 for anna from 198.51.100.7: paper jam, ticket 4712)"), "\(line)")
    }
    // Earlier ones have nobody.
    try reader("v2-jobs").scan { view in
      if case .jobRefused(let body) = try Event(payload: view.payload).body {
        #expect(body.visit == nil && body.device == nil && body.kind == "page")
      }
      return true
    }
  }

  @Test func `tell of requests as they were recorded before they were made`() throws {
    let device = try #require(try Replay.run(reader("v2-requests")).state.devices.values.first)
    #expect(device.pinnedCertificates[443]?.fact.digest == [], "it has no TLS any more")
    var begun: [UInt64: RemoteRequestBegun] = [:]
    var over: [RemoteRequest] = []
    try reader("v2-requests").scan { view in
      switch try Event(payload: view.payload).body {
      case .remoteRequestBegun(let body): begun[view.position.sequence] = body
      case .remoteRequest(let body): over.append(body)
      default: break
      }
      return true
    }
    #expect(begun.keys.sorted() == [6, 9] && over.map(\.begun) == [6, 0])
    #expect(begun[6]?.path == over.first?.path && begun[6]?.target == "http:80")
    #expect(over.last?.target == "http://10.0.0.1:80")
  }

  @Test func `tell what came later as it was recorded`() throws {
    let fleet = try Replay.run(reader("v2-later")).state
    let devices = fleet.devices.values.sorted { $0.id < $1.id }
    #expect(devices.count == 2)
    #expect(devices.last?.merged?.fact.into == devices.first?.id)
    #expect(devices.first?.meterOffsets[.total]?.fact.offset == 125_000 && devices.first?.retired == nil)
    let total = devices.first?.reading?.fact.meters.first { $0.name == .total }
    #expect(total?.reason == "the number that the panel shows, read out on 2 January")
    #expect(total?.rule.description == "site/panel-total@3+local")
  }
}
