import MIB
import PrinterModel

@testable import Events

/// One event of each kind, with every field set to something that would be missed.
enum Samples {
  static let device = DeviceID(0..<16)!

  static let bodies: [EventBody] = [
    .agentStarted(AgentStarted(version: "1.2", hostName: "büro")),
    .agentStopped(AgentStopped(reason: "SIGTERM")),
    .installEnrolled(
      InstallEnrolled(
        installID: "id", entity: "ACME", hub: "h:1", certificateFingerprint: "ab", certificateNotAfter: -5)),
    .installEnrolled(
      InstallEnrolled(
        installID: "id", entity: "ACME", hub: "h:1", certificateFingerprint: "ab", certificateNotAfter: -5,
        isRenewal: true)),
    .sweepStarted(SweepStarted(sweep: 3, ranges: ["10.0.0.*"], addresses: 254)),
    .sweepCompleted(
      SweepCompleted(sweep: 3, milliseconds: 9, outcomes: [SweepOutcome(reason: "found", addresses: 2)])),
    .deviceDiscovered(DeviceDiscovered(address: "10.0.0.7:161", identity: identity, credential: "public")),
    .deviceDiscovered(
      DeviceDiscovered(address: "b", identity: DeviceIdentity(), credential: "public", evidence: "two devices")),
    .deviceMerged(DeviceMerged(into: DeviceID(16..<32)!, address: "a", evidence: "MAC with serial")),
    .deviceRetired(DeviceRetired(address: "a", lastRead: -7, evidence: "not read for 42 days")),
    .deviceReturned(DeviceReturned(address: "a", evidence: "read again")),
    .deviceMoved(DeviceMoved(from: "a", to: "b", evidence: "serial")),
    .deviceReplaced(DeviceReplaced(address: "a", replacement: DeviceID(16..<32)!, evidence: "other serial")),
    .deviceSeenAlso(DeviceSeenAlso(address: "b", known: "a", evidence: "serial")),
    .discoveryFailed(DiscoveryFailed(address: "a", credential: "public", reason: "timeout", message: "No answer.")),
    .readingTaken(ReadingTaken(reading: reading, raw: raw, cost: cost)),
    .readingChanged(
      ReadingChanged(
        change: changed.changes(since: reading), raw: raw.bindings, removed: [[1, 3, 6, 1, 2, 1, 43, 1]], cost: cost)),
    .readingChanged(ReadingChanged(change: ReadingChange(), raw: [], removed: [], cost: PollCost())),
    .readingUnchanged(ReadingUnchanged(uptimeTicks: nil, cost: cost)),
    .readingUnchanged(ReadingUnchanged(uptimeTicks: 0, cost: cost)),
    .pollFailed(PollFailed(address: "a", reason: "timeout", message: "No answer.")),
    .pollFailed(PollFailed(address: "a", reason: "timeout", message: "No answer.", daysAsked: 42)),
    .alertRaised(AlertRaised(key: key, alert: alert)),
    .alertRaised(AlertRaised(key: key, alert: alert, evidence: "8 %", penalty: 1_000)),
    .alertUpdated(AlertUpdated(key: key, alert: alert, evidence: "7 %", penalty: 2_000)),
    .alertCleared(AlertCleared(key: key, milliseconds: 77, penalty: 840)),
    .alertUpdated(AlertUpdated(key: key, alert: PrinterAlert(row: RowIndex([])))),
    .alertCleared(AlertCleared(key: key, milliseconds: 77)),
    .meterEpochOpened(
      MeterEpochOpened(meter: MeterName(.copy, .fullColor), epoch: 2, previous: .max, current: 0, evidence: "drop")),
    .meterEpochOpened(
      MeterEpochOpened(
        meter: .total, epoch: 3, previous: 4_294_967_290, current: 4, evidence: "around", cause: "rollover", volume: 10)
    ),
    .meterLeapt(
      MeterLeapt(meter: MeterName(.copy, .fullColor), epoch: 3, previous: 1_000, current: .max, evidence: "at most 9")),
    .meterOffsetSet(MeterOffsetSet(meter: .total, offset: -5, previous: .max, reason: "board")),
    .uploadRejected(UploadRejected(epoch: 1, sequence: .max, reason: "no")),
    .uploadConflicted(UploadConflicted(epoch: 2, first: 7, last: .max, heldHash: [UInt8](repeating: 0xa5, count: 32))),
    .journalDamaged(
      JournalDamaged(
        reason: "page 7", quarantine: "/q",
        lost: [LostRange(epoch: 1, first: 7, last: 9), LostRange(epoch: 2, first: 1, last: nil)], recordsKept: 6,
        hasNewKey: true)),
    .recordsRemoved(
      RecordsRemoved(epoch: 2, through: 1 << 40, records: 77, reason: "age", countersigner: "printtrail.hub/x")),
    .readingsThinned(ReadingsThinned(intervalSeconds: 3_600, percent: 61)),
    .journalRestored(JournalRestored(reason: "the hub holds more", epoch: 3, sequence: .max)),
    .jobReceived(
      JobReceived(
        id: job,
        order: JobOrder(
          .upload, ranges: ["10.0.0.0/24", "10.0.1.1-10.0.1.9"], devices: [device, device], option: "queued"),
        created: 1_774_300_000_000, deadline: 1_774_300_060_000)),
    .jobStarted(JobStarted(id: job)),
    .jobCompleted(
      JobCompleted(
        id: job, result: "3 devices were read", milliseconds: 1_234, attachment: [0x1f, 0x8b], path: "/var/lib/x")),
    .jobFailed(JobFailed(id: job, .interrupted, "the agent was restarted while it ran")),
    .jobFailed(JobFailed(id: job, .failed, "no such", of: page)),
    .jobExpired(JobExpired(id: job, hadStarted: true)),
    .jobRefused(JobRefused(id: job, .unknownDevice, "no such device", kind: "page", deadline: -1)),
    .jobRefused(JobRefused(id: job, .notPermitted, "excluded", of: page, deadline: 7)),
    .settingsApplied(
      SettingsApplied(
        version: 7, digest: [UInt8](repeating: 0x5a, count: 32),
        values: [RecordedSetting(key: "poll.interval", value: "\"10m\"")],
        devices: [
          RecordedDeviceSettings(
            device: "000102030405060708090a0b0c0d0e0f",
            values: [RecordedSetting(key: "alerts.low_supply", value: "15")])
        ], overridden: ["poll.interval"])),
    .settingsRefused(
      SettingsRefused(
        version: .max, digest: [1], keys: ["poll.interval", "poll.nothing"], reason: "found 0s\nfound nothing")),
    .remoteSessionOpened(
      RemoteSessionOpened(
        job: job, visit: JobOrder.Visit(user: "anna", reason: "jam", from: "198.51.100.7", seconds: 900),
        address: "10.0.0.7", evidence: "serial S1", targets: ["https:443", "http:80"])),
    .remoteRequest(
      RemoteRequest(
        job: job, method: "POST", path: "/a", parameters: ["x", "y"], status: 502, error: "not-http", bytesSent: 1,
        bytesReceived: .max, milliseconds: 3, target: "https:443", begun: .max)),
    .remoteRequestBegun(
      RemoteRequestBegun(job: job, method: "GET", path: "/a", parameters: ["x"], target: "http:80")),
    .remoteSessionClosed(
      RemoteSessionClosed(
        job: job, reason: "time", message: "Its time was over.", requests: 1, bytesSent: 2, bytesReceived: 3,
        milliseconds: 4)),
    .remoteCertificatePinned(RemoteCertificate(port: 443, digest: [1, 2], subject: "CN=x")),
    .remoteCertificateChanged(RemoteCertificate(port: 65_535, digest: [1], former: [2, 3], subject: "CN=y")),
  ]

  static let page = JobOrder(
    .page, devices: [device], visit: JobOrder.Visit(user: "anna", reason: "jam", from: "198.51.100.7", seconds: 900))
  static let job: JobID = {
    guard let id = JobID("01234567-89ab-cdef-0123-456789ABCDEF") else { preconditionFailure("a UUID") }
    return id
  }()
  static let cost = PollCost(requests: 1, bytesSent: 2, bytesReceived: 3, milliseconds: 4)
  static let key = AlertKey(group: 11, groupIndex: -1, code: 1104)
  static let raw = Walk([
    VarBind([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(4711)),
    VarBind([1, 3, 6, 1, 2, 1, 1, 1, 0], .octets([0x41, 0])),
  ])

  static let identity: DeviceIdentity = {
    var identity = DeviceIdentity()
    identity.make = "Kyocera"
    identity.model = DeviceText("M", raw: [0x4d, 0xff])
    identity.serial = DeviceText("S1")
    identity.macAddress = [0, 1, 2, 3, 4, 5]
    identity.firmware = DeviceText("F")
    identity.hostName = DeviceText("")
    identity.location = DeviceText("L")
    identity.assetNumber = DeviceText("A")
    identity.printerName = DeviceText("P")
    identity.systemDescription = DeviceText("D")
    identity.systemObjectID = [1, 3, 6, 1, 4, 1, 1347, 41]
    identity.deviceID = DeviceText("MFG:K;")
    identity.uuid = "4509a320-00a0-008f-00b6-002507510eca"
    return identity
  }()

  static let alert: PrinterAlert = {
    var alert = PrinterAlert(row: RowIndex([1, 5]))
    alert.severity = 3
    alert.training = 4
    alert.group = 11
    alert.groupIndex = -1
    alert.location = 0
    alert.code = 1104
    alert.description = DeviceText("Toner low")
    alert.time = 99
    return alert
  }()

  static let reading: Reading = {
    var reading = Reading()
    reading.identity = identity
    reading.status.device = 2
    reading.status.printer = 3
    reading.status.detectedErrors = [0x80]
    reading.status.console = [DeviceText("Ready")]
    reading.detectors.configurationChanges = 1
    reading.detectors.criticalAlertEvents = 2
    reading.detectors.allAlertEvents = 3
    reading.detectors.uptimeTicks = 4
    reading.meters = [meter(.total, 100), meter(MeterName(.print, .monochrome, size: .large), 60)].sorted {
      $0.key < $1.key
    }
    reading.supplies = [supply(1, level: -3), supply(2, level: 40)]
    var input = InputTray(row: RowIndex([1, 1]))
    input.type = 3
    input.capacityUnit = .sheets
    input.capacity = 500
    input.level = -3
    input.status = 0
    input.media = DeviceText("A4")
    input.name = DeviceText("Tray 1")
    input.description = DeviceText("Cassette")
    reading.inputs = [input]
    var output = OutputBin(row: RowIndex([1, 1]))
    output.capacity = 300
    output.remaining = -2
    output.status = 4
    output.name = DeviceText("Bin")
    output.description = DeviceText("Face down")
    reading.outputs = [output]
    var cover = Cover(row: RowIndex([1, 2]))
    cover.status = 4
    cover.description = DeviceText("Front")
    reading.covers = [cover]
    var marker = MarkerUnit(row: RowIndex([1, 1]))
    marker.technology = 4
    marker.powerOnCount = 12
    marker.status = 0
    reading.markers = [marker, MarkerUnit(row: RowIndex([1, 2]))]
    reading.supplies[0].pagesRemaining = 7_809
    reading.checks = [ArithmeticCheck(name: "a + b = c", expected: 3, actual: 4)]
    reading.findings = [Finding(nil, "odd"), Finding([1, 3, 6, 1], "odder")]
    return reading
  }()

  /// The reading after a print job, with a supply taken out and a tray put in.
  static let changed: Reading = {
    var reading = Self.reading
    reading.status.printer = 4
    reading.meters[reading.meters.count - 1].value += 7
    reading.supplies.removeFirst()
    reading.supplies[0].level = 39
    reading.inputs.append(InputTray(row: RowIndex([1, 2])))
    reading.outputs = []
    reading.markers.removeLast()
    reading.markers[0].powerOnCount = 19
    reading.findings = []
    return reading
  }()

  static func meter(_ name: MeterName, _ value: UInt64) -> Meter {
    Meter(
      name: name, value: value, unit: .impressions, quality: .exact,
      source: Source([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(UInt32(value))), rule: Rule("rfc3805@1"),
      reason: value % 2 == 0 ? "so says a profile of this site's own" : nil)
  }

  static func supply(_ row: UInt32, level: Int64) -> Supply {
    var supply = Supply(
      row: RowIndex([1, row]), quality: level < 0 ? .someRemaining : .exact, rule: Rule("rfc3805/supply@1"))
    supply.marker = 1
    supply.colorantIndex = Int64(row)
    supply.colorant = DeviceText("black")
    supply.supplyClass = 3
    supply.type = 21
    supply.description = DeviceText("Toner \(row)")
    supply.unit = .percent
    supply.capacity = 100
    supply.level = level
    supply.percentRemaining = level < 0 ? nil : Double(level)
    supply.partNumber = "PN"
    supply.serialNumber = "SN"
    return supply
  }
}
