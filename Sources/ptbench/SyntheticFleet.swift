// Events as a thousand printers make them, the same ones each time.

internal import Events
internal import MIB
internal import PrinterModel

/// Events as a fleet makes them: a full reading of each device first, then 60 % unchanged, 39 % with two meters and a supply changed, 1 % full again.
struct SyntheticFleet {
  private var generator: SplitMix
  private var readings: [Reading]
  private let ids: [DeviceID]
  private let raw: Walk
  private var count = 0

  init(devices: Int) {
    var generator = SplitMix(seed: 1)
    ids = (0..<devices).map { _ in DeviceID(using: &generator) }
    self.generator = generator
    readings = (0..<devices).map { Self.reading(of: $0) }
    raw = Walk((0..<120).map { VarBind([1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9, 1, UInt32($0)], .integer(Int64($0) * 7)) })
  }

  mutating func nextEvent() -> Event {
    let device = count < ids.count ? count : Int.random(in: 0..<ids.count, using: &generator)
    let dice = Int.random(in: 0..<100, using: &generator)
    defer { count += 1 }
    let cost = PollCost(requests: 2, bytesSent: 400, bytesReceived: 700, milliseconds: 30)
    let time = Int64(1_774_300_000_000 + count * 10)
    if count < ids.count || dice == 0 {
      return Event(
        time: time, device: ids[device], .readingTaken(ReadingTaken(reading: readings[device], raw: raw, cost: cost)))
    }
    if dice < 61 {
      return Event(
        time: time, device: ids[device], .readingUnchanged(ReadingUnchanged(uptimeTicks: UInt64(count), cost: cost)))
    }
    return Event(time: time, device: ids[device], .readingChanged(changed(device, cost)))
  }

  private mutating func changed(_ device: Int, _ cost: PollCost) -> ReadingChanged {
    let before = readings[device]
    for meter in 0..<2 {
      readings[device].meters[meter].value += UInt64.random(in: 1...50, using: &generator)
      readings[device].meters[meter].source.raw = .counter32(
        UInt32(truncatingIfNeeded: readings[device].meters[meter].value))
    }
    let supply = Int.random(in: 0..<4, using: &generator)
    readings[device].supplies[supply].level = Int64.random(in: 0...100, using: &generator)
    let change = readings[device].changes(since: before)
    let raw = change.meters.changed.map { VarBind($0.source.name, $0.source.raw) }
    return ReadingChanged(change: change, raw: raw, removed: [], cost: cost)
  }

  /// A device's first reading.
  static func reading(of device: Int) -> Reading {
    var reading = Reading()
    reading.identity.make = "Maker"
    reading.identity.model = DeviceText("Maker C3000 series")
    reading.identity.serial = DeviceText("SN\(device)")
    reading.identity.systemObjectID = [1, 3, 6, 1, 4, 1, 367, 1, 1]
    let names = [MeterName.total, MeterName(.total, .monochrome), MeterName(.total, .fullColor), MeterName(.copy)]
    reading.meters = names.map { name in
      Meter(
        name: name, value: UInt64(device), unit: .impressions,
        source: Source([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(UInt32(device))),
        rule: Rule("rfc3805/marker-life-count@1"))
    }
    reading.supplies = (UInt32(1)...5).map { row in
      var supply = Supply(row: RowIndex([1, row]), quality: .exact, rule: Rule("rfc3805/supply-level@3"))
      supply.colorant = DeviceText("black")
      supply.description = DeviceText("Black toner")
      supply.supplyClass = 3
      supply.type = 3
      supply.unit = .percent
      supply.capacity = 100
      supply.level = 50
      supply.percentRemaining = 50
      return supply
    }
    return reading.normalized
  }
}

/// SplitMix64: the same fleet each time.
struct SplitMix: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
