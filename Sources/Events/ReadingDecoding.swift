// Readings from their fields (Protos/events.proto). Nothing is rounded, defaulted or dropped on the way: absent stays absent.

internal import MIB
internal import PrinterModel

extension EventDecoder {
  mutating func readingTaken(_ bytes: UnsafeRawBufferPointer) throws -> ReadingTaken {
    var body = ReadingTaken(reading: Reading(), raw: Walk(), cost: PollCost())
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: if let bytes = fields.bytes { _ = try read(bytes, into: &body.reading) }
      case 2: if parts == .all, let bytes = fields.bytes { body.raw = Walk(try PackedObjects.unpack(bytes)) }
      case 3: if let bytes = fields.bytes { try read(bytes, into: &body.cost) }
      default: break
      }
    }
    return body
  }

  mutating func readingChanged(_ bytes: UnsafeRawBufferPointer) throws -> ReadingChanged {
    var body = ReadingChanged(change: ReadingChange(), raw: [], removed: [], cost: PollCost())
    var changed = Reading()
    var groups: Groups = []
    var (checksChanged, findingsChanged) = (false, false)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: if let bytes = fields.bytes { groups.formUnion(try read(bytes, into: &changed)) }
      case 2: if let bytes = fields.bytes { body.change.meters.removed.append(try meterName(bytes)) }
      case 3: if let bytes = fields.bytes { body.change.supplies.removed.append(try row(bytes)) }
      case 4: if let bytes = fields.bytes { body.change.inputs.removed.append(try row(bytes)) }
      case 5: if let bytes = fields.bytes { body.change.outputs.removed.append(try row(bytes)) }
      case 6: if let bytes = fields.bytes { body.change.covers.removed.append(try row(bytes)) }
      case 7: checksChanged = fields.bool ?? checksChanged
      case 8: findingsChanged = fields.bool ?? findingsChanged
      case 9: if parts == .all, let bytes = fields.bytes { body.raw = try PackedObjects.unpack(bytes) }
      case 10:
        if parts == .all, let bytes = fields.bytes { body.removed = try PackedObjects.unpack(bytes).map(\.name) }
      case 11: if let bytes = fields.bytes { try read(bytes, into: &body.cost) }
      case 12: if let bytes = fields.bytes { body.change.markers.removed.append(try row(bytes)) }
      default: break
      }
    }
    if groups.contains(.identity) { body.change.identity = changed.identity }
    if groups.contains(.status) { body.change.status = changed.status }
    if groups.contains(.detectors) { body.change.detectors = changed.detectors }
    body.change.meters.changed = changed.meters
    body.change.supplies.changed = changed.supplies
    body.change.inputs.changed = changed.inputs
    body.change.outputs.changed = changed.outputs
    body.change.covers.changed = changed.covers
    body.change.markers.changed = changed.markers
    if checksChanged { body.change.checks = changed.checks }
    if findingsChanged { body.change.findings = changed.findings }
    return body
  }

  func readingUnchanged(_ bytes: UnsafeRawBufferPointer) throws -> ReadingUnchanged {
    var body = ReadingUnchanged(uptimeTicks: nil, cost: PollCost())
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: body.uptimeTicks = fields.uint64 ?? body.uptimeTicks
      case 2: if let bytes = fields.bytes { try read(bytes, into: &body.cost) }
      default: break
      }
    }
    return body
  }

  private func read(_ bytes: UnsafeRawBufferPointer, into cost: inout PollCost) throws {
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: cost.requests = fields.uint32 ?? cost.requests
      case 2: cost.bytesSent = fields.uint32 ?? cost.bytesSent
      case 3: cost.bytesReceived = fields.uint32 ?? cost.bytesReceived
      case 4: cost.milliseconds = fields.uint32 ?? cost.milliseconds
      default: break
      }
    }
  }

  /// Parts of a reading that replace the former ones whole.
  private struct Groups: OptionSet {
    let rawValue: UInt8
    static let identity = Groups(rawValue: 1)
    static let status = Groups(rawValue: 2)
    static let detectors = Groups(rawValue: 4)
  }

  /// - Returns: the groups that are present.
  private mutating func read(_ bytes: UnsafeRawBufferPointer, into reading: inout Reading) throws -> Groups {
    var groups: Groups = []
    var fields = FieldReader(bytes)
    while try fields.next() {
      guard let bytes = fields.bytes else { continue }
      switch fields.number {
      case 1:
        groups.insert(.identity)
        try read(bytes, into: &reading.identity)
      case 2:
        groups.insert(.status)
        try read(bytes, into: &reading.status)
      case 3:
        groups.insert(.detectors)
        try read(bytes, into: &reading.detectors)
      case 4: reading.meters.append(try meter(bytes))
      case 5: reading.supplies.append(try supply(bytes))
      case 6: reading.inputs.append(try inputTray(bytes))
      case 7: reading.outputs.append(try outputBin(bytes))
      case 8: reading.covers.append(try cover(bytes))
      case 9: reading.checks.append(try check(bytes))
      case 10: reading.findings.append(try finding(bytes))
      case 11: reading.markers.append(try marker(bytes))
      default: break
      }
    }
    return groups
  }
}

// MARK: - Groups

extension EventDecoder {
  func read(_ bytes: UnsafeRawBufferPointer, into identity: inout DeviceIdentity) throws {
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: identity.make = try fields.string() ?? identity.make
      case 2: try read(fields, into: &identity.model)
      case 3: try read(fields, into: &identity.serial)
      case 4: identity.macAddress = fields.octets ?? identity.macAddress
      case 5: try read(fields, into: &identity.firmware)
      case 6: try read(fields, into: &identity.hostName)
      case 7: try read(fields, into: &identity.location)
      case 8: try read(fields, into: &identity.assetNumber)
      case 9: try read(fields, into: &identity.printerName)
      case 10: try read(fields, into: &identity.systemDescription)
      case 11: identity.systemObjectID = try fields.string().map { try Self.object($0) } ?? identity.systemObjectID
      case 12: try read(fields, into: &identity.deviceID)
      case 13: identity.uuid = try fields.string() ?? identity.uuid
      default: break
      }
    }
  }

  private func read(_ bytes: UnsafeRawBufferPointer, into status: inout DeviceStatus) throws {
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: status.device = fields.int64 ?? status.device
      case 2: status.printer = fields.int64 ?? status.printer
      case 3: status.detectedErrors = fields.octets ?? status.detectedErrors
      case 4:
        var line: DeviceText?
        try read(fields, into: &line)
        if let line { status.console.append(line) }
      default: break
      }
    }
  }

  private func read(_ bytes: UnsafeRawBufferPointer, into detectors: inout ChangeDetectors) throws {
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: detectors.configurationChanges = fields.uint64 ?? detectors.configurationChanges
      case 2: detectors.criticalAlertEvents = fields.uint64 ?? detectors.criticalAlertEvents
      case 3: detectors.allAlertEvents = fields.uint64 ?? detectors.allAlertEvents
      case 4: detectors.uptimeTicks = fields.uint64 ?? detectors.uptimeTicks
      default: break
      }
    }
  }

  /// A text that stands in `field`; nothing when the field is none.
  func read(_ field: FieldReader, into text: inout DeviceText?) throws {
    guard let bytes = field.bytes else { return }
    var read = text ?? DeviceText("")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: read.text = try fields.string() ?? read.text
      case 2: read.raw = fields.octets ?? read.raw
      default: break
      }
    }
    text = read
  }
}

// MARK: - Rows

extension EventDecoder {
  private mutating func meter(_ bytes: UnsafeRawBufferPointer) throws -> Meter {
    var (name, source, rule) = (MeterName?.none, Source?.none, Rule(""))
    var (value, unit, quality) = (UInt64(0), Int64(0), UInt32(0))
    var reason: String?
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: name = try fields.bytes.map { try meterName($0) } ?? name
      case 2: value = fields.uint64 ?? value
      case 3: unit = fields.int64 ?? unit
      case 4: quality = fields.uint32 ?? quality
      case 5: source = try fields.bytes.map { try self.source($0) } ?? source
      case 6: rule = try fields.bytes.map { try self.rule($0) } ?? rule
      case 7: reason = try fields.string() ?? reason
      default: break
      }
    }
    return Meter(
      name: try required(name, "the name of a meter"), value: value, unit: CounterUnit(rawValue: unit),
      quality: try Self.quality(quality), source: try required(source, "the source of a meter"), rule: rule,
      reason: reason)
  }

  private mutating func supply(_ bytes: UnsafeRawBufferPointer) throws -> Supply {
    var supply = Supply(row: RowIndex([]), quality: .unknown, rule: Rule(""))
    var (row, quality) = (RowIndex?.none, UInt32(0))
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: row = try fields.bytes.map { try self.row($0) } ?? row
      case 2: supply.marker = fields.int64 ?? supply.marker
      case 3: supply.colorantIndex = fields.int64 ?? supply.colorantIndex
      case 4: try read(fields, into: &supply.colorant)
      case 5: supply.supplyClass = fields.int64 ?? supply.supplyClass
      case 6: supply.type = fields.int64 ?? supply.type
      case 7: try read(fields, into: &supply.description)
      case 8: supply.unit = fields.int64.map { CounterUnit(rawValue: $0) } ?? supply.unit
      case 9: supply.capacity = fields.int64 ?? supply.capacity
      case 10: supply.level = fields.int64 ?? supply.level
      case 11: supply.percentRemaining = fields.double ?? supply.percentRemaining
      case 12: quality = fields.uint32 ?? quality
      case 13: supply.partNumber = try fields.string() ?? supply.partNumber
      case 14: supply.serialNumber = try fields.string() ?? supply.serialNumber
      case 15: supply.rule = try fields.bytes.map { try rule($0) } ?? supply.rule
      case 16: supply.pagesRemaining = fields.int64 ?? supply.pagesRemaining
      default: break
      }
    }
    supply.row = try required(row, "the index of a row")
    supply.quality = try Self.quality(quality)
    return supply
  }

  private mutating func marker(_ bytes: UnsafeRawBufferPointer) throws -> MarkerUnit {
    var marker = MarkerUnit(row: RowIndex([]))
    var row: RowIndex?
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: row = try fields.bytes.map { try self.row($0) } ?? row
      case 2: marker.technology = fields.int64 ?? marker.technology
      case 3: marker.powerOnCount = fields.int64 ?? marker.powerOnCount
      case 4: marker.status = fields.int64 ?? marker.status
      default: break
      }
    }
    marker.row = try required(row, "the index of a row")
    return marker
  }

  private mutating func inputTray(_ bytes: UnsafeRawBufferPointer) throws -> InputTray {
    var tray = InputTray(row: RowIndex([]))
    var row: RowIndex?
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: row = try fields.bytes.map { try self.row($0) } ?? row
      case 2: tray.type = fields.int64 ?? tray.type
      case 3: tray.capacityUnit = fields.int64.map { CounterUnit(rawValue: $0) } ?? tray.capacityUnit
      case 4: tray.capacity = fields.int64 ?? tray.capacity
      case 5: tray.level = fields.int64 ?? tray.level
      case 6: tray.status = fields.int64 ?? tray.status
      case 7: try read(fields, into: &tray.media)
      case 8: try read(fields, into: &tray.name)
      case 9: try read(fields, into: &tray.description)
      default: break
      }
    }
    tray.row = try required(row, "the index of a row")
    return tray
  }

  private mutating func outputBin(_ bytes: UnsafeRawBufferPointer) throws -> OutputBin {
    var bin = OutputBin(row: RowIndex([]))
    var row: RowIndex?
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: row = try fields.bytes.map { try self.row($0) } ?? row
      case 2: bin.capacity = fields.int64 ?? bin.capacity
      case 3: bin.remaining = fields.int64 ?? bin.remaining
      case 4: bin.status = fields.int64 ?? bin.status
      case 5: try read(fields, into: &bin.name)
      case 6: try read(fields, into: &bin.description)
      default: break
      }
    }
    bin.row = try required(row, "the index of a row")
    return bin
  }

  private mutating func cover(_ bytes: UnsafeRawBufferPointer) throws -> Cover {
    var cover = Cover(row: RowIndex([]))
    var row: RowIndex?
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: row = try fields.bytes.map { try self.row($0) } ?? row
      case 2: cover.status = fields.int64 ?? cover.status
      case 3: try read(fields, into: &cover.description)
      default: break
      }
    }
    cover.row = try required(row, "the index of a row")
    return cover
  }

  private func check(_ bytes: UnsafeRawBufferPointer) throws -> ArithmeticCheck {
    var check = ArithmeticCheck(name: "", expected: 0, actual: 0)
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: check.name = try fields.string() ?? check.name
      case 2: check.expected = fields.int64 ?? check.expected
      case 3: check.actual = fields.int64 ?? check.actual
      default: break
      }
    }
    return check
  }

  private func finding(_ bytes: UnsafeRawBufferPointer) throws -> Finding {
    var finding = Finding(nil, "")
    var fields = FieldReader(bytes)
    while try fields.next() {
      switch fields.number {
      case 1: if let text = try fields.string() { finding.name = text.isEmpty ? nil : try Self.object(text) }
      case 2: finding.message = try fields.string() ?? finding.message
      default: break
      }
    }
    return finding
  }
}
