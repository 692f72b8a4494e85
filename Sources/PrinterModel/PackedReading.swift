// A reading at rest: one buffer, for the many devices of which the last one is kept until the next poll. Some fifty bytes a row, where a meter
// takes 136, a supply 280, and their texts more. It lives in memory only; what is stored has a format of its own.
//
//     reading = identity status detectors, then each table: count varint, rows     (`PackedWriter`)
//
// Fields stand in the order in which they are declared. Uptime stands beside the buffer: on a device that stands still it alone moves on.

internal import MIB

/// A reading in few bytes.
package struct PackedReading: Hashable, Sendable {
  private let bytes: [UInt8]
  /// As in `ChangeDetectors`.
  package var uptimeTicks: UInt64?

  package init(_ reading: Reading) {
    var writer = PackedWriter(byteCount: 1_536)
    writer.append(reading.identity)
    writer.append(reading.status)
    writer.append(reading.detectors)
    writer.append(table: reading.meters) { $0.append($1) }
    writer.append(table: reading.supplies) { $0.append($1) }
    writer.append(table: reading.inputs) { $0.append($1) }
    writer.append(table: reading.outputs) { $0.append($1) }
    writer.append(table: reading.covers) { $0.append($1) }
    writer.append(table: reading.markers) { $0.append($1) }
    writer.append(table: reading.alerts) { $0.append($1) }
    writer.append(table: reading.checks) { $0.append($1) }
    writer.append(table: reading.findings) { $0.append($1) }
    bytes = writer.finished()
    uptimeTicks = reading.detectors.uptimeTicks
  }

  /// The reading as it was.
  package var reading: Reading {
    var reader = PackedReader(bytes)
    var reading = Reading()
    reading.identity = reader.identity()
    reading.status = reader.status()
    reading.detectors = reader.detectors()
    reading.detectors.uptimeTicks = uptimeTicks
    reading.meters = reader.table { $0.meter() }
    reading.supplies = reader.table { $0.supply() }
    reading.inputs = reader.table { $0.inputTray() }
    reading.outputs = reader.table { $0.outputBin() }
    reading.covers = reader.table { $0.cover() }
    reading.markers = reader.table { $0.marker() }
    reading.alerts = reader.table { $0.alert() }
    reading.checks = reader.table { $0.check() }
    reading.findings = reader.table { $0.finding() }
    return reading
  }

  package var byteCount: Int { bytes.count }

  /// Whether both have the same reading, but that the uptime may differ.
  package func equalsButForUptime(_ other: PackedReading) -> Bool { bytes == other.bytes }
}

// MARK: - Packing

extension PackedWriter {
  fileprivate mutating func append<Row>(table rows: [Row], _ append: (inout PackedWriter, Row) -> Void) {
    self.append(varint: UInt64(rows.count))
    for row in rows { append(&self, row) }
  }

  private mutating func append(_ number: Int64?) { append(option: number) { $0.append(zigzag: $1) } }
  private mutating func append(_ number: UInt64?) { append(option: number) { $0.append(varint: $1) } }
  private mutating func append(_ unit: CounterUnit?) { append(unit?.rawValue) }
  private mutating func append(optional text: String?) { append(option: text) { $0.append($1) } }
  private mutating func append(optional octets: [UInt8]?) { append(option: octets) { $0.append($1) } }
  private mutating func append(_ row: RowIndex) { append(row.name) }
  private mutating func append(_ rule: Rule) { append(word: rule.description) }

  private mutating func append(_ text: DeviceText?) {
    append(option: text) { writer, text in
      writer.append(text.text)
      writer.append(optional: text.raw)
    }
  }

  fileprivate mutating func append(_ identity: DeviceIdentity) {
    append(optional: identity.make)
    append(identity.model)
    append(identity.serial)
    append(optional: identity.macAddress)
    append(identity.firmware)
    append(identity.hostName)
    append(identity.location)
    append(identity.assetNumber)
    append(identity.printerName)
    append(identity.systemDescription)
    append(option: identity.systemObjectID) { $0.append($1) }
    append(identity.deviceID)
    append(optional: identity.uuid)
  }

  fileprivate mutating func append(_ status: DeviceStatus) {
    append(status.device)
    append(status.printer)
    append(optional: status.detectedErrors)
    append(table: status.console) { $0.append($1) }
  }

  fileprivate mutating func append(_ detectors: ChangeDetectors) {
    append(detectors.configurationChanges)
    append(detectors.criticalAlertEvents)
    append(detectors.allAlertEvents)
  }

  fileprivate mutating func append(_ meter: Meter) {
    let name = meter.name
    append(byte: UInt8(MeterName.Service.allCases.firstIndex(of: name.service) ?? 0))
    append(byte: UInt8(MeterName.Colour.allCases.firstIndex(of: name.colour) ?? 0))
    append(byte: UInt8(MeterName.Size.allCases.firstIndex(of: name.size) ?? 0))
    append(byte: UInt8(MeterName.Sides.allCases.firstIndex(of: name.sides) ?? 0))
    append(word: name.qualifier)
    append(varint: meter.value)
    append(zigzag: meter.unit.rawValue)
    append(byte: meter.quality.rawValue)
    append(meter.source.name)
    append(meter.source.raw)
    append(meter.rule)
    append(optional: meter.reason)
  }

  fileprivate mutating func append(_ supply: Supply) {
    append(supply.row)
    append(supply.marker)
    append(supply.colorantIndex)
    append(supply.colorant)
    append(supply.supplyClass)
    append(supply.type)
    append(supply.description)
    append(supply.unit)
    append(supply.capacity)
    append(supply.level)
    // The bytes of most percentages end in zeros, which then take none.
    append(supply.percentRemaining?.bitPattern.byteSwapped)
    append(supply.pagesRemaining)
    append(byte: supply.quality.rawValue)
    append(optional: supply.partNumber)
    append(optional: supply.serialNumber)
    append(supply.rule)
  }

  fileprivate mutating func append(_ tray: InputTray) {
    append(tray.row)
    append(tray.type)
    append(tray.capacityUnit)
    append(tray.capacity)
    append(tray.level)
    append(tray.status)
    append(tray.media)
    append(tray.name)
    append(tray.description)
  }

  fileprivate mutating func append(_ bin: OutputBin) {
    append(bin.row)
    append(bin.capacity)
    append(bin.remaining)
    append(bin.status)
    append(bin.name)
    append(bin.description)
  }

  fileprivate mutating func append(_ cover: Cover) {
    append(cover.row)
    append(cover.status)
    append(cover.description)
  }

  fileprivate mutating func append(_ marker: MarkerUnit) {
    append(marker.row)
    append(marker.technology)
    append(marker.powerOnCount)
    append(marker.status)
  }

  fileprivate mutating func append(_ alert: PrinterAlert) {
    append(alert.row)
    append(alert.severity)
    append(alert.training)
    append(alert.group)
    append(alert.groupIndex)
    append(alert.location)
    append(alert.code)
    append(alert.description)
    append(alert.time)
  }

  fileprivate mutating func append(_ check: ArithmeticCheck) {
    append(check.name)
    append(zigzag: check.expected)
    append(zigzag: check.actual)
  }

  fileprivate mutating func append(_ finding: Finding) {
    append(option: finding.name) { $0.append($1) }
    append(finding.message)
  }
}

// MARK: - Unpacking

extension PackedReader {
  fileprivate mutating func table<Row>(_ row: (inout PackedReader) -> Row) -> [Row] {
    let count = Int(varint())
    var rows: [Row] = []
    rows.reserveCapacity(count)
    for _ in 0..<count { rows.append(row(&self)) }
    return rows
  }

  private mutating func int64() -> Int64? { option { $0.zigzag() } }
  private mutating func uint64() -> UInt64? { option { $0.varint() } }
  private mutating func unit() -> CounterUnit? { int64().map { CounterUnit(rawValue: $0) } }
  private mutating func optionalText() -> String? { option { $0.text() } }
  private mutating func octets() -> [UInt8]? { option { $0.array() } }
  private mutating func row() -> RowIndex { RowIndex(name()) }
  private mutating func rule() -> Rule { Rule(word()) }

  private mutating func deviceText() -> DeviceText? {
    option { reader in
      let text = reader.text()
      return DeviceText(text, raw: reader.octets())
    }
  }

  private mutating func quality() -> Quality {
    guard let quality = Quality(rawValue: byte()) else { preconditionFailure("a packed quality is none") }
    return quality
  }

  fileprivate mutating func identity() -> DeviceIdentity {
    var identity = DeviceIdentity()
    identity.make = optionalText()
    identity.model = deviceText()
    identity.serial = deviceText()
    identity.macAddress = octets()
    identity.firmware = deviceText()
    identity.hostName = deviceText()
    identity.location = deviceText()
    identity.assetNumber = deviceText()
    identity.printerName = deviceText()
    identity.systemDescription = deviceText()
    identity.systemObjectID = option { $0.name() }
    identity.deviceID = deviceText()
    identity.uuid = optionalText()
    return identity
  }

  fileprivate mutating func status() -> DeviceStatus {
    var status = DeviceStatus()
    status.device = int64()
    status.printer = int64()
    status.detectedErrors = octets()
    // A line that is there is a text.
    status.console = table { $0.deviceText() ?? DeviceText("") }
    return status
  }

  fileprivate mutating func detectors() -> ChangeDetectors {
    var detectors = ChangeDetectors()
    detectors.configurationChanges = uint64()
    detectors.criticalAlertEvents = uint64()
    detectors.allAlertEvents = uint64()
    return detectors
  }

  fileprivate mutating func meter() -> Meter {
    let service = MeterName.Service.allCases[Int(byte())]
    let colour = MeterName.Colour.allCases[Int(byte())]
    let size = MeterName.Size.allCases[Int(byte())]
    let sides = MeterName.Sides.allCases[Int(byte())]
    let name = MeterName(service, colour, size: size, sides: sides, qualifier: word())
    let value = varint()
    let unit = CounterUnit(rawValue: zigzag())
    let quality = quality()
    let object = self.name()
    let source = Source(object, self.value())
    let rule = rule()
    return Meter(
      name: name, value: value, unit: unit, quality: quality, source: source, rule: rule, reason: optionalText())
  }

  fileprivate mutating func supply() -> Supply {
    var supply = Supply(row: row(), quality: .unknown, rule: Rule(""))
    supply.marker = int64()
    supply.colorantIndex = int64()
    supply.colorant = deviceText()
    supply.supplyClass = int64()
    supply.type = int64()
    supply.description = deviceText()
    supply.unit = unit()
    supply.capacity = int64()
    supply.level = int64()
    supply.percentRemaining = uint64().map { Double(bitPattern: $0.byteSwapped) }
    supply.pagesRemaining = int64()
    supply.quality = quality()
    supply.partNumber = optionalText()
    supply.serialNumber = optionalText()
    supply.rule = rule()
    return supply
  }

  fileprivate mutating func inputTray() -> InputTray {
    var tray = InputTray(row: row())
    tray.type = int64()
    tray.capacityUnit = unit()
    tray.capacity = int64()
    tray.level = int64()
    tray.status = int64()
    tray.media = deviceText()
    tray.name = deviceText()
    tray.description = deviceText()
    return tray
  }

  fileprivate mutating func outputBin() -> OutputBin {
    var bin = OutputBin(row: row())
    bin.capacity = int64()
    bin.remaining = int64()
    bin.status = int64()
    bin.name = deviceText()
    bin.description = deviceText()
    return bin
  }

  fileprivate mutating func cover() -> Cover {
    var cover = Cover(row: row())
    cover.status = int64()
    cover.description = deviceText()
    return cover
  }

  fileprivate mutating func marker() -> MarkerUnit {
    var marker = MarkerUnit(row: row())
    marker.technology = int64()
    marker.powerOnCount = int64()
    marker.status = int64()
    return marker
  }

  fileprivate mutating func alert() -> PrinterAlert {
    var alert = PrinterAlert(row: row())
    alert.severity = int64()
    alert.training = int64()
    alert.group = int64()
    alert.groupIndex = int64()
    alert.location = int64()
    alert.code = int64()
    alert.description = deviceText()
    alert.time = int64()
    return alert
  }

  fileprivate mutating func check() -> ArithmeticCheck {
    let name = text()
    let expected = zigzag()
    return ArithmeticCheck(name: name, expected: expected, actual: zigzag())
  }

  fileprivate mutating func finding() -> Finding {
    let name = option { $0.name() }
    return Finding(name, text())
  }
}
