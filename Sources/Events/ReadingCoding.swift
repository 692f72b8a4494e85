// Readings as protobuf messages and back. Nothing is rounded, defaulted or dropped on the way: absent stays absent.

internal import FoundationEssentials
internal import MIB
internal import PrinterModel
internal import SwiftProtobuf

extension PollCost {
  var wire: Wire.PollCost {
    .with {
      $0.requests = requests
      $0.bytesSent = bytesSent
      $0.bytesReceived = bytesReceived
      $0.milliseconds = milliseconds
    }
  }
  init(_ wire: Wire.PollCost) {
    self.init(
      requests: wire.requests, bytesSent: wire.bytesSent, bytesReceived: wire.bytesReceived,
      milliseconds: wire.milliseconds)
  }
}

extension ReadingTaken {
  var wire: Wire.ReadingTaken {
    .with {
      $0.reading = reading.wire
      $0.raw = Data(PackedObjects.pack(raw.bindings))
      $0.cost = cost.wire
    }
  }
  init(_ wire: Wire.ReadingTaken) throws {
    self.init(
      reading: try Reading(wire.reading), raw: Walk(try PackedObjects.unpack(Array(wire.raw))),
      cost: PollCost(wire.cost))
  }
}

extension ReadingUnchanged {
  var wire: Wire.ReadingUnchanged {
    .with {
      if let uptimeTicks { $0.uptimeTicks = uptimeTicks }
      $0.cost = cost.wire
    }
  }
  init(_ wire: Wire.ReadingUnchanged) {
    self.init(uptimeTicks: wire.hasUptimeTicks ? wire.uptimeTicks : nil, cost: PollCost(wire.cost))
  }
}

extension ReadingChanged {
  var wire: Wire.ReadingChanged {
    .with {
      $0.changed = change.wire
      $0.removedMeters = change.meters.removed.map(\.description)
      $0.removedSupplies = change.supplies.removed.map(\.description)
      $0.removedInputs = change.inputs.removed.map(\.description)
      $0.removedOutputs = change.outputs.removed.map(\.description)
      $0.removedCovers = change.covers.removed.map(\.description)
      $0.checksChanged = change.checks != nil
      $0.findingsChanged = change.findings != nil
      $0.raw = Data(PackedObjects.pack(raw))
      $0.rawRemoved = Data(PackedObjects.pack(removed.map { VarBind($0, .null) }))
      $0.cost = cost.wire
    }
  }

  init(_ wire: Wire.ReadingChanged) throws {
    let reading = try Reading(wire.changed)
    var change = ReadingChange()
    change.identity = wire.changed.hasIdentity ? reading.identity : nil
    change.status = wire.changed.hasStatus ? reading.status : nil
    change.detectors = wire.changed.hasDetectors ? reading.detectors : nil
    change.meters.changed = reading.meters
    change.meters.removed = try wire.removedMeters.map(meterName)
    change.supplies.changed = reading.supplies
    change.supplies.removed = try wire.removedSupplies.map(rowIndex)
    change.inputs.changed = reading.inputs
    change.inputs.removed = try wire.removedInputs.map(rowIndex)
    change.outputs.changed = reading.outputs
    change.outputs.removed = try wire.removedOutputs.map(rowIndex)
    change.covers.changed = reading.covers
    change.covers.removed = try wire.removedCovers.map(rowIndex)
    change.checks = wire.checksChanged ? reading.checks : nil
    change.findings = wire.findingsChanged ? reading.findings : nil
    self.init(
      change: change, raw: try PackedObjects.unpack(Array(wire.raw)),
      removed: try PackedObjects.unpack(Array(wire.rawRemoved)).map(\.name), cost: PollCost(wire.cost))
  }
}

extension ReadingChange {
  /// A reading that holds only what changed.
  fileprivate var wire: Wire.Reading {
    .with {
      if let identity { $0.identity = identity.wire }
      if let status { $0.status = status.wire }
      if let detectors { $0.detectors = detectors.wire }
      $0.meters = meters.changed.map(\.wire)
      $0.supplies = supplies.changed.map(\.wire)
      $0.inputs = inputs.changed.map(\.wire)
      $0.outputs = outputs.changed.map(\.wire)
      $0.covers = covers.changed.map(\.wire)
      $0.checks = (checks ?? []).map(\.wire)
      $0.findings = (findings ?? []).map(\.wire)
    }
  }
}

extension Reading {
  var wire: Wire.Reading {
    .with {
      $0.identity = identity.wire
      $0.status = status.wire
      $0.detectors = detectors.wire
      $0.meters = meters.map(\.wire)
      $0.supplies = supplies.map(\.wire)
      $0.inputs = inputs.map(\.wire)
      $0.outputs = outputs.map(\.wire)
      $0.covers = covers.map(\.wire)
      $0.checks = checks.map(\.wire)
      $0.findings = findings.map(\.wire)
    }
  }

  init(_ wire: Wire.Reading) throws {
    self.init()
    identity = try DeviceIdentity(wire.identity)
    status = DeviceStatus(wire.status)
    detectors = ChangeDetectors(wire.detectors)
    meters = try wire.meters.map { try Meter($0) }
    supplies = try wire.supplies.map { try Supply($0) }
    inputs = try wire.inputs.map { try InputTray($0) }
    outputs = try wire.outputs.map { try OutputBin($0) }
    covers = try wire.covers.map { try Cover($0) }
    checks = wire.checks.map { ArithmeticCheck(name: $0.name, expected: $0.expected, actual: $0.actual) }
    findings = try wire.findings.map { try Finding($0) }
  }
}

extension DeviceText {
  var wire: Wire.Text {
    .with {
      $0.text = text
      if let raw { $0.raw = Data(raw) }
    }
  }
  init(_ wire: Wire.Text) { self.init(wire.text, raw: wire.hasRaw ? Array(wire.raw) : nil) }
}

extension DeviceIdentity {
  var wire: Wire.Identity {
    .with {
      if let make { $0.make = make }
      if let model { $0.model = model.wire }
      if let serial { $0.serial = serial.wire }
      if let macAddress { $0.macAddress = Data(macAddress) }
      if let firmware { $0.firmware = firmware.wire }
      if let hostName { $0.hostName = hostName.wire }
      if let location { $0.location = location.wire }
      if let assetNumber { $0.assetNumber = assetNumber.wire }
      if let printerName { $0.printerName = printerName.wire }
      if let systemDescription { $0.systemDescription = systemDescription.wire }
      if let systemObjectID { $0.systemObjectID = systemObjectID.description }
      if let deviceID { $0.deviceID = deviceID.wire }
    }
  }
  init(_ wire: Wire.Identity) throws {
    self.init()
    make = wire.hasMake ? wire.make : nil
    model = wire.hasModel ? DeviceText(wire.model) : nil
    serial = wire.hasSerial ? DeviceText(wire.serial) : nil
    macAddress = wire.hasMacAddress ? Array(wire.macAddress) : nil
    firmware = wire.hasFirmware ? DeviceText(wire.firmware) : nil
    hostName = wire.hasHostName ? DeviceText(wire.hostName) : nil
    location = wire.hasLocation ? DeviceText(wire.location) : nil
    assetNumber = wire.hasAssetNumber ? DeviceText(wire.assetNumber) : nil
    printerName = wire.hasPrinterName ? DeviceText(wire.printerName) : nil
    systemDescription = wire.hasSystemDescription ? DeviceText(wire.systemDescription) : nil
    systemObjectID = wire.hasSystemObjectID ? try objectIdentifier(wire.systemObjectID) : nil
    deviceID = wire.hasDeviceID ? DeviceText(wire.deviceID) : nil
  }
}

extension DeviceStatus {
  var wire: Wire.Status {
    .with {
      if let device { $0.device = device }
      if let printer { $0.printer = printer }
      if let detectedErrors { $0.detectedErrors = Data(detectedErrors) }
      $0.console = console.map(\.wire)
    }
  }
  init(_ wire: Wire.Status) {
    self.init()
    device = wire.hasDevice ? wire.device : nil
    printer = wire.hasPrinter ? wire.printer : nil
    detectedErrors = wire.hasDetectedErrors ? Array(wire.detectedErrors) : nil
    console = wire.console.map { DeviceText($0) }
  }
}

extension ChangeDetectors {
  var wire: Wire.Detectors {
    .with {
      if let configurationChanges { $0.configurationChanges = configurationChanges }
      if let criticalAlertEvents { $0.criticalAlertEvents = criticalAlertEvents }
      if let allAlertEvents { $0.allAlertEvents = allAlertEvents }
      if let uptimeTicks { $0.uptimeTicks = uptimeTicks }
    }
  }
  init(_ wire: Wire.Detectors) {
    self.init()
    configurationChanges = wire.hasConfigurationChanges ? wire.configurationChanges : nil
    criticalAlertEvents = wire.hasCriticalAlertEvents ? wire.criticalAlertEvents : nil
    allAlertEvents = wire.hasAllAlertEvents ? wire.allAlertEvents : nil
    uptimeTicks = wire.hasUptimeTicks ? wire.uptimeTicks : nil
  }
}

extension Meter {
  var wire: Wire.Meter {
    .with {
      $0.name = name.description
      $0.value = value
      $0.unit = unit.rawValue
      $0.quality = UInt32(quality.rawValue)
      $0.source = Data(PackedObjects.pack([VarBind(source.name, source.raw)]))
      $0.rule = rule.description
    }
  }
  init(_ wire: Wire.Meter) throws {
    let packed = try PackedObjects.unpack(Array(wire.source))
    guard packed.count == 1 else {
      throw WireVocabularyError(description: "a meter has one source, not \(packed.count)")
    }
    self.init(
      name: try meterName(wire.name), value: wire.value, unit: CounterUnit(rawValue: wire.unit),
      quality: try readQuality(wire.quality), source: Source(packed[0].name, packed[0].value), rule: Rule(wire.rule))
  }
}

extension Supply {
  var wire: Wire.Supply {
    .with {
      $0.row = row.description
      if let marker { $0.marker = marker }
      if let colorantIndex { $0.colorantIndex = colorantIndex }
      if let colorant { $0.colorant = colorant.wire }
      if let supplyClass { $0.supplyClass = supplyClass }
      if let type { $0.type = type }
      if let description { $0.description_p = description.wire }
      if let unit { $0.unit = unit.rawValue }
      if let capacity { $0.capacity = capacity }
      if let level { $0.level = level }
      if let percentRemaining { $0.percentRemaining = percentRemaining }
      $0.quality = UInt32(quality.rawValue)
      if let partNumber { $0.partNumber = partNumber }
      if let serialNumber { $0.serialNumber = serialNumber }
      $0.rule = rule.description
    }
  }
  init(_ wire: Wire.Supply) throws {
    self.init(row: try rowIndex(wire.row), quality: try readQuality(wire.quality), rule: Rule(wire.rule))
    marker = wire.hasMarker ? wire.marker : nil
    colorantIndex = wire.hasColorantIndex ? wire.colorantIndex : nil
    colorant = wire.hasColorant ? DeviceText(wire.colorant) : nil
    supplyClass = wire.hasSupplyClass ? wire.supplyClass : nil
    type = wire.hasType ? wire.type : nil
    description = wire.hasDescription_p ? DeviceText(wire.description_p) : nil
    unit = wire.hasUnit ? CounterUnit(rawValue: wire.unit) : nil
    capacity = wire.hasCapacity ? wire.capacity : nil
    level = wire.hasLevel ? wire.level : nil
    percentRemaining = wire.hasPercentRemaining ? wire.percentRemaining : nil
    partNumber = wire.hasPartNumber ? wire.partNumber : nil
    serialNumber = wire.hasSerialNumber ? wire.serialNumber : nil
  }
}

extension InputTray {
  var wire: Wire.Input {
    .with {
      $0.row = row.description
      if let type { $0.type = type }
      if let capacityUnit { $0.capacityUnit = capacityUnit.rawValue }
      if let capacity { $0.capacity = capacity }
      if let level { $0.level = level }
      if let status { $0.status = status }
      if let media { $0.media = media.wire }
      if let name { $0.name = name.wire }
      if let description { $0.description_p = description.wire }
    }
  }
  init(_ wire: Wire.Input) throws {
    self.init(row: try rowIndex(wire.row))
    type = wire.hasType ? wire.type : nil
    capacityUnit = wire.hasCapacityUnit ? CounterUnit(rawValue: wire.capacityUnit) : nil
    capacity = wire.hasCapacity ? wire.capacity : nil
    level = wire.hasLevel ? wire.level : nil
    status = wire.hasStatus ? wire.status : nil
    media = wire.hasMedia ? DeviceText(wire.media) : nil
    name = wire.hasName ? DeviceText(wire.name) : nil
    description = wire.hasDescription_p ? DeviceText(wire.description_p) : nil
  }
}

extension OutputBin {
  var wire: Wire.Output {
    .with {
      $0.row = row.description
      if let capacity { $0.capacity = capacity }
      if let remaining { $0.remaining = remaining }
      if let status { $0.status = status }
      if let name { $0.name = name.wire }
      if let description { $0.description_p = description.wire }
    }
  }
  init(_ wire: Wire.Output) throws {
    self.init(row: try rowIndex(wire.row))
    capacity = wire.hasCapacity ? wire.capacity : nil
    remaining = wire.hasRemaining ? wire.remaining : nil
    status = wire.hasStatus ? wire.status : nil
    name = wire.hasName ? DeviceText(wire.name) : nil
    description = wire.hasDescription_p ? DeviceText(wire.description_p) : nil
  }
}

extension Cover {
  var wire: Wire.Cover {
    .with {
      $0.row = row.description
      if let status { $0.status = status }
      if let description { $0.description_p = description.wire }
    }
  }
  init(_ wire: Wire.Cover) throws {
    self.init(row: try rowIndex(wire.row))
    status = wire.hasStatus ? wire.status : nil
    description = wire.hasDescription_p ? DeviceText(wire.description_p) : nil
  }
}

extension PrinterAlert {
  var wire: Wire.Alert {
    .with {
      $0.row = row.description
      if let severity { $0.severity = severity }
      if let training { $0.training = training }
      if let group { $0.group = group }
      if let groupIndex { $0.groupIndex = groupIndex }
      if let location { $0.location = location }
      if let code { $0.code = code }
      if let description { $0.description_p = description.wire }
      if let time { $0.time = time }
    }
  }
  init(_ wire: Wire.Alert) throws {
    self.init(row: wire.row.isEmpty ? RowIndex([]) : try rowIndex(wire.row))
    severity = wire.hasSeverity ? wire.severity : nil
    training = wire.hasTraining ? wire.training : nil
    group = wire.hasGroup ? wire.group : nil
    groupIndex = wire.hasGroupIndex ? wire.groupIndex : nil
    location = wire.hasLocation ? wire.location : nil
    code = wire.hasCode ? wire.code : nil
    description = wire.hasDescription_p ? DeviceText(wire.description_p) : nil
    time = wire.hasTime ? wire.time : nil
  }
}

extension ArithmeticCheck {
  var wire: Wire.Check {
    .with {
      $0.name = name
      $0.expected = expected
      $0.actual = actual
    }
  }
}

extension Finding {
  var wire: Wire.Finding {
    .with {
      if let name { $0.object = name.description }
      $0.message = message
    }
  }
  init(_ wire: Wire.Finding) throws {
    self.init(wire.object.isEmpty ? nil : try objectIdentifier(wire.object), wire.message)
  }
}

private func objectIdentifier(_ text: String) throws -> ObjectIdentifier {
  guard let name = ObjectIdentifier(dotted: text) else {
    throw WireVocabularyError(description: "\"\(text)\" is not an object identifier")
  }
  return name
}

private func readQuality(_ number: UInt32) throws -> Quality {
  guard let quality = UInt8(exactly: number).flatMap(Quality.init(rawValue:)) else {
    throw WireVocabularyError(description: "\(number) is not a quality")
  }
  return quality
}
