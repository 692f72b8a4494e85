// A hub that is away for a season, in minutes: what becomes of the journal.
//
// The clock is the simulation's. Every device is polled at its interval; its monitor (Collectors) decides what is told, the journal records
// it, and the thinning policy looks at how full the journal is, as the agent does each minute. Nothing is ever acknowledged.

internal import AlertRules
internal import ArgumentParser
internal import Collectors
internal import Discovery
internal import Events
internal import Evidence
internal import Journal
internal import MIB
internal import PrinterModel
internal import ReadModels
internal import Synchronization

struct OfflineBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "offline",
    abstract: "Simulates a fleet whose hub is away: days of polls into one journal, with an accelerated clock.",
    discussion: """
      Prints one JSON line a change of the thinning and a last one, and fails if an append is refused, the journal grows over its limit, an alert is not \
      in it, or it does not verify.

        ptbench offline --directory /tmp/offline --devices 1000 --days 90 --mebibytes 2048
      """)

  @Option(help: "A directory that does not exist yet.") var directory: String
  @Option(help: "Printers.") var devices = 1_000
  @Option(help: "Days without a hub.") var days = 90
  @Option(help: "Minutes between two polls of a device.") var interval = 30
  @Option(help: "The journal's size limit, in MiB.") var mebibytes = 2_048
  @Option(help: "Polls of a hundred that find two meters and a supply changed.") var changing = 40

  func validate() throws {
    guard devices > 0, days > 0, (1...1_440).contains(interval), mebibytes >= 4, (0...100).contains(changing) else {
      throw ValidationError("devices, days, interval, mebibytes or changing are out of range")
    }
  }

  /// 2026-01-01 00:00 UTC, in milliseconds.
  private static let begin: Int64 = 1_767_225_600_000

  func run() async throws {
    let time = Mutex(Self.begin)
    var configuration = JournalConfiguration(directory: directory)
    configuration.sizeLimit = mebibytes << 20
    configuration.mapBytes = configuration.sizeLimit * 2
    configuration.clock = JournalClock(
      now: { time.withLock { $0 } * 1_000_000 }, uptime: { UInt64(time.withLock { $0 }) * 1_000_000 })
    let journal = try Journal.open(configuration, fold: FleetFold())
    var fleet = OfflineFleet(devices: devices, changing: changing)
    var policy = ThinningPolicy()
    let rounds = days * 1_440 / interval
    for round in 0..<rounds {
      let now = Self.begin + Int64(round * interval) * 60_000
      time.withLock { $0 = now }
      let percent = try journal.reader.statistics().usedBytes * 100 / configuration.sizeLimit
      let before = policy.interval
      policy.update(backlog: percent)
      if policy.interval != before {
        let seconds = policy.interval?.components.seconds ?? 0
        print(
          #"{"benchmark":"offline.thinning","day":\#(round * interval / 1_440),"percent":\#(percent),"seconds":\#(seconds)}"#
        )
        let body = ReadingsThinned(intervalSeconds: UInt32(seconds), percent: UInt32(percent))
        try journal.appendBlocking([try Event(time: now, .readingsThinned(body)).encoded()])
      }
      let events = try fleet.poll(at: now, thinning: policy.interval)
      if !events.isEmpty { try journal.appendBlocking(events) }
    }
    try await report(journal, fleet, configuration)
  }

  private func report(_ journal: Journal, _ fleet: OfflineFleet, _ configuration: JournalConfiguration) async throws {
    let statistics = try journal.reader.statistics()
    guard statistics.fileBytes <= configuration.sizeLimit else {
      throw ValidationError("the journal has \(statistics.fileBytes) bytes")
    }
    let verification = try JournalVerifier(journal.reader).verify()
    guard verification.isSound else { throw ValidationError("it does not verify: \(verification.findings)") }
    var counts: [UInt16: Int] = [:]
    var ruleAlerts = 0
    try journal.reader.scan { view in
      let type = try EventHeader(view.payload).type
      counts[type, default: 0] += 1
      if type == EventType.alertRaised, case .alertRaised(let raised) = try Event(payload: view.payload).body,
        raised.key.group == AlertRule.group
      {
        ruleAlerts += 1
      }
      return true
    }
    // What the devices reported; what our own rules find is told beside it.
    let alerts = counts[EventType.alertRaised, default: 0] - ruleAlerts
    guard alerts == fleet.alertsRaised else {
      throw ValidationError("\(alerts) of \(fleet.alertsRaised) alerts are in the journal")
    }
    let readings = [EventType.readingTaken, EventType.readingChanged, EventType.readingUnchanged].map {
      counts[$0, default: 0]
    }
    print(
      #"{"benchmark":"offline","devices":\#(devices),"days":\#(days),"polls":\#(fleet.polls),"records":\#(statistics.records),"#
        + #""taken":\#(readings[0]),"changed":\#(readings[1]),"unchanged":\#(readings[2]),"alerts":\#(alerts),"rule_alerts":\#(ruleAlerts),"#
        + #""file_bytes":\#(statistics.fileBytes),"limit_bytes":\#(configuration.sizeLimit)}"#)
    await journal.close()
  }
}

/// Printers whose meters move, whose toner falls, and which now and then raise an alert.
private struct OfflineFleet {
  private struct Device {
    var monitor: DeviceMonitor
    var reading: Reading
    var hasAlert = false
  }

  private static let alert = AlertKey(group: 8, groupIndex: 1, code: 808)
  /// Of a hundred thousand polls.
  private static let alertsPerHundredThousand = 50

  private var generator = SplitMix(seed: 7)
  private var devices: [Device]
  private let changing: Int
  private var uptime: UInt64 = 0
  private(set) var polls = 0
  private(set) var alertsRaised = 0

  init(devices count: Int, changing: Int) {
    self.changing = changing
    devices = []
    for number in 0..<count {
      let reading = SyntheticFleet.reading(of: number)
      let endpoint = Endpoint(IPv4Address(UInt32(0x0A00_0000 + number)), port: 161)
      let known = KnownDevice(
        id: DeviceID(using: &generator), endpoint: endpoint, credential: "public", identity: reading.identity)
      devices.append(Device(monitor: DeviceMonitor(known), reading: reading))
    }
  }

  /// Polls every device once; the events, encoded.
  mutating func poll(at time: Int64, thinning: Duration?) throws -> [[UInt8]] {
    uptime += 1
    var payloads: [[UInt8]] = []
    for index in devices.indices {
      polls += 1
      if Int.random(in: 0..<100, using: &generator) < changing { print(index) }
      if Int.random(in: 0..<100_000, using: &generator) < Self.alertsPerHundredThousand {
        devices[index].hasAlert.toggle()
        if devices[index].hasAlert { alertsRaised += 1 }
      }
      let outcome = outcome(index, devices[index].monitor.nextPoll(time: time))
      let events = devices[index].monitor.completed(outcome, time: time, thinning: thinning)
      for event in events { payloads.append(try event.encoded()) }
    }
    return payloads
  }

  private mutating func print(_ index: Int) {
    for meter in 0..<2 {
      let value = devices[index].reading.meters[meter].value + UInt64.random(in: 1...50, using: &generator)
      devices[index].reading.meters[meter].value = value
      devices[index].reading.meters[meter].source.raw = .counter32(UInt32(truncatingIfNeeded: value))
    }
    let supply = Int.random(in: 0..<5, using: &generator)
    let level = (devices[index].reading.supplies[supply].level ?? 0) - 1
    devices[index].reading.supplies[supply].level = level < 0 ? 100 : level
    devices[index].reading.supplies[supply].percentRemaining = level < 0 ? 100 : Double(level)
  }

  private func outcome(_ index: Int, _ kind: PollKind) -> PollOutcome {
    let device = devices[index]
    var reading = device.reading
    reading.detectors.uptimeTicks = uptime * 180_000
    var objects = device.reading.meters.enumerated().map { number, meter in
      VarBind([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, UInt32(number + 1)], meter.source.raw)
    }
    objects += device.reading.supplies.enumerated().map { number, supply in
      VarBind([1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9, 1, UInt32(number + 1)], .integer(supply.level ?? 0))
    }
    // What stands still on a printer: names, capacities, trays.
    objects += (0..<80).map { VarBind([1, 3, 6, 1, 2, 1, 43, 13, 4, 1, 2, 1, UInt32($0)], .integer(7)) }
    var alerts: [PrinterAlert] = []
    if device.hasAlert {
      var alert = PrinterAlert(row: RowIndex([1, 1]))
      alert.group = Self.alert.group
      alert.groupIndex = Self.alert.groupIndex
      alert.code = Self.alert.code
      alerts.append(alert)
    }
    reading.alerts = alerts
    let poll = PollReading(
      kind: kind, walk: Walk(objects), reading: reading, alerts: AlertReport(rows: alerts, detectedErrors: nil),
      read: NameSet(objects.map(\.name) + reading.meters.map(\.source.name)))
    return PollOutcome(
      endpoint: device.monitor.known.endpoint ?? Endpoint(IPv4Address(0), port: 161), credential: "public",
      cost: PollCost(requests: 2, bytesSent: 400, bytesReceived: 700, milliseconds: 30), result: .reading(poll))
  }
}
