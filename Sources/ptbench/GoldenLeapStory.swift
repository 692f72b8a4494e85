// What happens in the golden journal of leaps: MeterLeapt, which the journals before it were written too early for. One count comes back, and one does not.

internal import Events
internal import MIB
internal import PrinterModel

enum GoldenLeapStory {
  private static let id = DeviceID(32..<48)

  static func entries() throws -> [GoldenEntry] {
    let bodies: [EventBody] = [
      .deviceDiscovered(DeviceDiscovered(address: "192.0.2.30:161", identity: DeviceIdentity(), credential: "public")),
      taken(total: 1_000, copies: 400), leapt(.total, 1_000, 5_000_000), leapt(copies, 400, 900_000),
      taken(total: 5_000_000, copies: 900_000), .meterEpochOpened(returned), taken(total: 1_001, copies: 900_001),
    ]
    return try bodies.enumerated().map { index, body in
      let time = GoldenStory.begin + Int64(index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, device: id, body).encoded())
    }
  }

  private static let copies = MeterName(.copy)
  private static let returned = MeterEpochOpened(
    meter: .total, epoch: 2, previous: 5_000_000, current: 1_001,
    evidence: "returned to 1001 from 5000000, after it was 1000 in epoch 1, which goes on",
    cause: MeterEpochOpened.Cause.returned.rawValue, volume: 1, continues: 1)

  private static func leapt(_ meter: MeterName, _ previous: UInt64, _ current: UInt64) -> EventBody {
    let evidence = "rose by \(current - previous), and at most 8500 can be printed in 30 min"
    return .meterLeapt(
      MeterLeapt(meter: meter, epoch: 1, previous: previous, current: current, evidence: evidence))
  }

  private static func taken(total: UInt32, copies: UInt32) -> EventBody {
    let names: [(MeterName, ObjectIdentifier, UInt32)] = [
      (.total, [1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], total),
      (Self.copies, [1, 3, 6, 1, 4, 1, 32_473, 1, 1, 0], copies),
    ]
    var reading = Reading()
    reading.meters = names.map { name, object, value in
      Meter(
        name: name, value: UInt64(value), unit: .impressions, source: Source(object, .counter32(value)),
        rule: Rule("golden@1"))
    }
    let raw = Walk(names.map { VarBind($0.1, .counter32($0.2)) })
    return .readingTaken(ReadingTaken(reading: reading, raw: raw, cost: PollCost(requests: 2)))
  }
}
