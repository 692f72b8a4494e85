// Replay and verification of a fleet's journal, beside a plain scan of the same records.
//
// The journal is what a thousand printers make: nine polls of ten find little or nothing changed.

internal import ArgumentParser
internal import Events
internal import Evidence
internal import Journal
internal import MIB
internal import PrinterModel
internal import ReadModels

struct ReplayBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "replay",
    abstract: "Fills a journal with a fleet's events, then scans, verifies, replays and exports it.")

  @Option(help: "A directory that does not exist yet, on the disk to measure.") var directory: String
  @Option(help: "Devices in the fleet.") var devices = 1_000
  @Option(help: "Events in all.") var events = 1_000_000

  func validate() throws {
    guard (1...100_000).contains(devices), events >= devices else {
      throw ValidationError("Expected 1 to 100000 devices and at least as many events.")
    }
  }

  func run() async throws {
    try await fill()
    let reader = try JournalReader.open(directory: directory)
    let clock = ContinuousClock()
    var bytes = 0
    let scan = try clock.measure {
      try reader.scan { view in
        bytes += view.payload.count
        return true
      }
    }
    report("replay.scan", scan, extra: #","payload_bytes":\#(bytes)"#)
    report("replay.verify", try clock.measure { try expect(JournalVerifier(reader).verify().isSound, "verify") })
    report("replay.replay", try clock.measure { try expect(Replay.run(reader).isEqual == true, "replay") })
    var written = 0
    let export = try clock.measure { try Export(reader, ExportOptions()).lines { written += $0.count } }
    report("replay.export", export, extra: #","bytes":\#(written)"#)
  }

  private func fill() async throws {
    let journal = try Journal.open(JournalConfiguration(directory: directory), fold: FleetFold())
    var fleet = SyntheticFleet(devices: devices)
    var left = events
    while left > 0 {
      let portion = min(left, 500)
      try await journal.append((0..<portion).map { _ in try fleet.nextEvent().encoded() })
      left -= portion
    }
    await journal.close()
  }

  private func expect(_ condition: Bool, _ what: String) throws {
    guard condition else { throw ValidationError("\(what) of the journal that was just written failed") }
  }

  private func report(_ name: String, _ elapsed: Duration, extra: String = "") {
    let rate = Int(Double(events) / max(elapsed.seconds, 1e-9))
    print(
      #"{"benchmark":"\#(name)","events":\#(events),"devices":\#(devices),"seconds":\#(elapsed.seconds),"events_per_second":\#(rate)\#(extra)}"#
    )
  }
}

/// Events as a fleet makes them: a full reading of each device first, then 60 % unchanged, 39 % with two meters and a supply changed, 1 % full again.
private struct SyntheticFleet {
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

  private static func reading(of device: Int) -> Reading {
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
      var supply = Supply(row: RowIndex([1, row]), quality: .exact, rule: Rule("rfc3805/supply-level@2"))
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
private struct SplitMix: RandomNumberGenerator {
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
