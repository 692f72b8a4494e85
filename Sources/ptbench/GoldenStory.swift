// What happens in the golden journal: two devices are found and read, one moves, the other is replaced; the journal is restored from a
// backup between; a counter drops. Three records are of a newer release.

internal import Events
internal import Foundation
internal import MIB
internal import PrinterModel

/// A record's payload, and when what it tells was observed, milliseconds since 1970 UTC.
struct GoldenEntry {
  var time: Int64
  var payload: [UInt8]
}

struct GoldenStory {
  /// 2026-01-05T08:00Z, milliseconds since 1970 UTC; an event a minute from there.
  static let begin: Int64 = 1_767_600_000_000

  private static let printed: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 1347, 42, 3, 1, 1, 1, 1, 1]
  private static let total: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 1347, 43, 10, 1, 1, 12, 1, 1]
  private static let monochrome: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 1347, 42, 3, 1, 2, 1, 1, 1, 1]

  private let copier: Walk
  private let press: Walk
  private let successor: Walk

  private static func device(_ number: UInt8) -> DeviceID {
    guard let id = DeviceID((0..<16).map { $0 * 16 + number }) else { preconditionFailure("an id has 16 bytes") }
    return id
  }
  private let a = device(1)
  private let b = device(2)
  private let c = device(3)

  /// - Parameter walks: the directory of Fixtures/walks.
  init(walks: String) throws {
    func walk(_ name: String) throws -> Walk {
      SNMPRec.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(walks)/\(name).snmprec")))).walk
    }
    copier = try walk("colour-mfp")
    press = try walk("several-markers")
    successor = try walk("named-counters")
  }

  /// The first epoch, with the records of a newer release.
  func beforeRestore() throws -> [GoldenEntry] {
    let jam = PrinterAlert.jam(severity: 4)
    let bodies: [(DeviceID?, EventBody)] = [
      (nil, .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden"))),
      (nil, .installEnrolled(Self.enrolment)),
      (nil, .sweepStarted(SweepStarted(sweep: 1, ranges: ["192.0.2.0/28"], addresses: 14))),
      (a, discovered(copier, at: "192.0.2.7:161")), (b, discovered(press, at: "192.0.2.8:161")),
      (nil, .sweepCompleted(Self.sweep)), (a, taken(copier)), (b, taken(press)), (a, unchanged),
      (a, changed(from: copier, to: afterPrinting)), (a, .alertRaised(AlertRaised(key: .jam, alert: jam))),
      (a, .alertUpdated(AlertUpdated(key: .jam, alert: .jam(severity: 3)))),
      (b, .pollFailed(PollFailed(address: "192.0.2.8:161", reason: "timeout", message: "No answer."))),
      (a, .alertCleared(AlertCleared(key: .jam, milliseconds: 120_000))),
      (a, .deviceMoved(DeviceMoved(from: "192.0.2.7:161", to: "192.0.2.9:161", evidence: "the same serial number"))),
      (nil, .uploadRejected(UploadRejected(epoch: 1, sequence: 3, reason: "refused for the example's sake"))),
    ]
    return try payloads(bodies, from: 0) + newer(from: bodies.count)
      + payloads([(nil, .agentStopped(AgentStopped(reason: "SIGTERM")))], from: bodies.count + 3)
  }

  /// A type that is not known, fields that are not, and a version that is not.
  private func newer(from number: Int) throws -> [GoldenEntry] {
    var entries = try payloads(
      [(a, .unknown(type: 900, bytes: Array("of a newer release".utf8))), (a, unchanged), (a, unchanged)], from: number)
    entries[1].payload += Self.unknownField
    entries[2].payload[0] = EventHeader.version + 1
    return entries
  }

  /// The second epoch.
  func afterRestore() throws -> [GoldenEntry] {
    let drop = MeterEpochOpened(
      meter: .total, epoch: 2, previous: 10_007, current: 12, evidence: "dropped from 10007 to 12 after a restart")
    return try payloads(
      [
        (nil, .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden"))), (a, .meterEpochOpened(drop)),
        (a, changed(from: afterPrinting, to: afterReset)), (c, discovered(successor, at: "192.0.2.8:161")),
        (b, .deviceReplaced(DeviceReplaced(address: "192.0.2.8:161", replacement: c, evidence: "another serial"))),
        (c, taken(successor)), (a, unchanged), (a, changed(from: afterReset, to: afterMore)), (a, unchanged),
        (a, .deviceSeenAlso(Self.alsoSeen)), (nil, .discoveryFailed(Self.failedDiscovery)),
        (nil, .journalDamaged(Self.damage)), (nil, .recordsRemoved(Self.removal)),
        (nil, .readingsThinned(ReadingsThinned(intervalSeconds: 3_600, percent: 61))),
        (nil, .agentStopped(AgentStopped(reason: "SIGTERM"))),
      ], from: 100)
  }

  private static let damage = JournalDamaged(
    reason: "an example, nothing was", quarantine: "/var/lib/printtrail/journal-damaged-20260105T100000Z",
    lost: [LostRange(epoch: 7, first: 3, last: 4), LostRange(epoch: 7, first: 9, last: nil)], recordsKept: 6,
    hasNewKey: false)
  private static let removal = RecordsRemoved(
    epoch: 7, through: 2, records: 2, reason: "age", countersigner: "hub.example")
  private static let alsoSeen = DeviceSeenAlso(
    address: "192.0.2.10:161", known: "192.0.2.9:161", evidence: "the same serial number")
  private static let failedDiscovery = DiscoveryFailed(
    address: "192.0.2.11:161", credential: "public", reason: "timeout", message: "No answer to the first poll.")

  private func payloads(_ bodies: [(DeviceID?, EventBody)], from number: Int) throws -> [GoldenEntry] {
    try bodies.enumerated().map { index, entry in
      let time = Self.begin + Int64(number + index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, device: entry.0, entry.1).encoded())
    }
  }

  // MARK: Walks

  /// Seven pages in monochrome.
  private var afterPrinting: Walk { copier.with([Self.printed: 6007, Self.monochrome: 4007, Self.total: 10_007]) }
  private var afterReset: Walk { afterPrinting.with([Self.total: 12]) }
  private var afterMore: Walk { afterReset.with([Self.total: 15]) }
}

// MARK: - Bodies

extension GoldenStory {
  private static let cost = PollCost(requests: 12, bytesSent: 900, bytesReceived: 7_000, milliseconds: 180)

  private static let enrolment = InstallEnrolled(
    installID: "00000000-0000-4000-8000-000000000001", entity: "Example Inc", hub: "hub.example:7444",
    certificateFingerprint: String(repeating: "ab", count: 32), certificateNotAfter: begin / 1_000 + 86_400)

  private static let sweep = SweepCompleted(
    sweep: 1, milliseconds: 2_000,
    outcomes: [SweepOutcome(reason: "found", addresses: 2), SweepOutcome(reason: "no answer", addresses: 12)])

  /// Field 1000 of the message, a string.
  private static let unknownField: [UInt8] = [0xC2, 0x3E, 5] + Array("newer".utf8)

  private var unchanged: EventBody {
    .readingUnchanged(ReadingUnchanged(uptimeTicks: 123_456, cost: Self.cost))
  }

  private func reading(_ walk: Walk) -> Reading {
    var reading = Interpretation.read(walk).normalized
    reading.alerts = []
    return reading
  }

  private func discovered(_ walk: Walk, at address: String) -> EventBody {
    .deviceDiscovered(DeviceDiscovered(address: address, identity: reading(walk).identity, credential: "public"))
  }

  private func taken(_ walk: Walk) -> EventBody {
    .readingTaken(ReadingTaken(reading: reading(walk), raw: walk, cost: Self.cost))
  }

  private func changed(from before: Walk, to after: Walk) -> EventBody {
    let raw = after.bindings.filter { before[$0.name] != $0.value }
    let change = reading(after).changes(since: reading(before))
    return .readingChanged(ReadingChanged(change: change, raw: raw, removed: [], cost: Self.cost))
  }
}

extension Walk {
  fileprivate func with(_ counters: [ObjectIdentifier: Int64]) -> Walk {
    var walk = self
    for (name, value) in counters { walk.set(name, .integer(value)) }
    return walk
  }
}

extension AlertKey {
  fileprivate static let jam = AlertKey(group: 8, groupIndex: 1, code: 8)
}

extension PrinterAlert {
  fileprivate static func jam(severity: Int64) -> PrinterAlert {
    var alert = PrinterAlert(row: RowIndex([3, 5]))
    (alert.severity, alert.training, alert.group, alert.groupIndex, alert.code) = (severity, 3, 8, 1, 8)
    alert.description = DeviceText("Paper jam")
    return alert
  }
}
