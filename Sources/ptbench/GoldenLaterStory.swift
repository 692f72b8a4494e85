// What happens in the golden journal of what came later than `GoldenStory`: types of events and fields that a journal of format 2 can have, and that
// v2 was written too early for. A new type gets a journal of its own beside this one (`v2-later2`, …): what was written is never made again.

internal import Events
internal import Foundation
internal import MIB
internal import PrinterModel

struct GoldenLaterStory {
  private static let begin = GoldenStory.begin

  private let mfp: Walk
  /// A device that was met twice: by its serial number, and at another address by its MAC alone.
  private let known = device(4)
  private let met = device(5)

  private static func device(_ number: UInt8) -> DeviceID {
    guard let id = DeviceID((0..<16).map { $0 * 16 + number }) else { preconditionFailure("an id has 16 bytes") }
    return id
  }

  /// - Parameter walks: the directory of Fixtures/walks.
  init(walks: String) throws {
    mfp = SNMPRec.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: "\(walks)/colour-mfp.snmprec")))).walk
  }

  func entries() throws -> [GoldenEntry] {
    let bodies: [(DeviceID?, EventBody)] = [
      (nil, .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden"))),
      (known, discovered(at: "192.0.2.20:161")), (known, taken), (known, .meterOffsetSet(Self.offset)),
      (met, discovered(at: "192.0.2.21:631")), (met, taken),
      (met, .deviceMerged(merged)), (known, .deviceMoved(Self.moved)),
      (known, .deviceRetired(Self.retired)), (known, .deviceReturned(Self.returned)), (known, taken),
      (nil, .journalRestored(Self.restored)),
      (nil, .agentStopped(AgentStopped(reason: "SIGTERM"))),
    ]
    return try bodies.enumerated().map { index, entry in
      let time = Self.begin + Int64(index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, device: entry.0, entry.1).encoded())
    }
  }

  private static let offset = MeterOffsetSet(
    meter: .total, offset: 125_000, previous: 0, reason: "the board was changed on 4 January")
  private static let moved = DeviceMoved(
    from: "192.0.2.20:161", to: "192.0.2.21:161", evidence: "serial VNB3K12345")
  private static let retired = DeviceRetired(
    address: "192.0.2.21:161", lastRead: begin + 120_000, evidence: "not read for 42 days")
  private static let returned = DeviceReturned(
    address: "192.0.2.21:161", evidence: "read again after 42 days, known by serial VNB3K12345")

  private static let restored = JournalRestored(
    reason: "an example, the hub holds no more", epoch: 1, sequence: 11)

  private var merged: DeviceMerged {
    DeviceMerged(
      into: known, address: "192.0.2.21:161", evidence: "MAC 00:1b:2c:03:04:05 is told with serial VNB3K12345")
  }

  private func discovered(at address: String) -> EventBody {
    .deviceDiscovered(DeviceDiscovered(address: address, identity: reading.identity, credential: "public"))
  }

  private var taken: EventBody {
    .readingTaken(
      ReadingTaken(
        reading: reading, raw: mfp,
        cost: PollCost(requests: 12, bytesSent: 900, bytesReceived: 7_000, milliseconds: 180)))
  }

  /// With a meter of a site's own profile, which tells its reason.
  private var reading: Reading {
    var reading = Interpretation.read(mfp).normalized
    reading.alerts = []
    if let total = reading.meters.firstIndex(where: { $0.name == .total }) {
      reading.meters[total].rule = Rule("site/panel-total@3+local")
      reading.meters[total].reason = "the number that the panel shows, read out on 2 January"
    }
    return reading
  }
}
