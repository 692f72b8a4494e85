// Printers as an agent tells of them, for tests of what the hub makes of it.

internal import Events
internal import Evidence
internal import FoundationEssentials
internal import HubDatabase
internal import HubProtocol
@testable internal import HubServer
internal import MIB
internal import PrinterModel
internal import Testing

/// An agent's journal with events about printers, and the hub's store that it is delivered to.
struct FleetSender {
  let test: TestStore
  var journal: TestJournal
  let install: Install

  init(_ test: TestStore, mark: UInt8) async throws {
    self.test = test
    journal = try TestJournal()
    install = try await test.install(mark, journal: journal)
  }

  mutating func send(_ events: Event...) async throws {
    let first = journal.records.count + 1
    for event in events { journal.append(try event.encoded()) }
    let batch = try #require(
      try BatchCheck.append(journal.batch(first...journal.records.count), install: install.number))
    _ = try await test.store.append([batch], now: TestStore.now)
  }

  /// Appends to the journal, and sends the last of the records ahead of the others.
  mutating func sendLastAhead(_ events: Event...) async throws {
    for event in events { journal.append(try event.encoded()) }
    let last = journal.records.count
    let place = RecordPosition(epoch: 1, sequence: UInt64(last))
    let record = try #require(journal.batch(last...last).records.first)
    let express = DeliveredExpress(
      epoch: 1, sequence: place.sequence, record: BatchCheck.check(record, at: place))
    #expect(try await test.store.keepExpress([express], of: install.number, now: TestStore.now) == [.kept])
  }

  /// Sends what was appended and not sent in its turn.
  func sendRest(from first: Int) async throws {
    let batch = try #require(
      try BatchCheck.append(journal.batch(first...journal.records.count), install: install.number))
    _ = try await test.store.append([batch], now: TestStore.now)
  }
}

/// A report's rows, once everything is folded.
func rows(_ report: Report, _ test: TestStore, _ columns: String...) async throws -> [[SQLValue]] {
  try await test.store.foldEverything()
  let names = report.columns.map(\.name)
  return try await test.store.rows(of: report).map { row in columns.map { row[names.firstIndex(of: $0)!] } }
}

func reading(serial: String?, mac: UInt8? = nil, total: UInt64?, black: Double? = 50) -> Reading {
  var reading = Reading()
  reading.identity.make = "Kyocera"
  reading.identity.model = DeviceText("TASKalfa 1")
  reading.identity.serial = serial.map { DeviceText($0) }
  reading.identity.macAddress = mac.map { [0, 1, 2, 3, 4, $0] }
  let source = Source(ObjectIdentifier([1, 3, 6, 1]), .integer(0))
  reading.meters = [
    Meter(
      name: .total, value: total ?? 0, unit: .impressions, quality: total == nil ? .unknown : .exact, source: source,
      rule: Rule("test@1"))
  ]
  var supply = Supply(row: RowIndex([1, 1]), quality: .exact, rule: Rule("test@1"))
  supply.description = DeviceText("Black Toner")
  supply.percentRemaining = black
  reading.supplies = [supply]
  return reading
}

func taken(_ device: DeviceID, _ time: Int64, _ reading: Reading) -> Event {
  Event(time: time, device: device, .readingTaken(ReadingTaken(reading: reading, raw: .init(), cost: .init())))
}

func raised(_ device: DeviceID, _ time: Int64, _ code: Int64) -> Event {
  var alert = PrinterAlert(row: RowIndex([1, 1]))
  alert.severity = 3
  alert.description = DeviceText("Jam \(code)")
  return Event(
    time: time, device: device,
    .alertRaised(AlertRaised(key: AlertKey(group: 8, groupIndex: 1, code: code), alert: alert)))
}

func cleared(_ device: DeviceID, _ time: Int64, _ code: Int64) -> Event {
  Event(
    time: time, device: device,
    .alertCleared(AlertCleared(key: AlertKey(group: 8, groupIndex: 1, code: code), milliseconds: 1)))
}
