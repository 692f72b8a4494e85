// Readings as protobuf messages. Nothing is rounded, defaulted or dropped on the way: absent stays absent.

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
}

extension ReadingTaken {
  var wire: Wire.ReadingTaken {
    .with {
      $0.reading = reading.wire
      $0.raw = Data(PackedObjects.pack(raw.bindings))
      $0.cost = cost.wire
    }
  }
}

extension ReadingUnchanged {
  var wire: Wire.ReadingUnchanged {
    .with {
      if let uptimeTicks { $0.uptimeTicks = uptimeTicks }
      $0.cost = cost.wire
    }
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
      $0.removedMarkers = change.markers.removed.map(\.description)
      $0.checksChanged = change.checks != nil
      $0.findingsChanged = change.findings != nil
      $0.raw = Data(PackedObjects.pack(raw))
      $0.rawRemoved = Data(PackedObjects.pack(removed.map { VarBind($0, .null) }))
      $0.cost = cost.wire
    }
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
      $0.markers = markers.changed.map(\.wire)
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
      $0.markers = markers.map(\.wire)
      $0.checks = checks.map(\.wire)
      $0.findings = findings.map(\.wire)
    }
  }
}

extension DeviceText {
  var wire: Wire.Text {
    .with {
      $0.text = text
      if let raw { $0.raw = Data(raw) }
    }
  }
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
      if let uuid { $0.uuid = uuid }
    }
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
      if let reason { $0.reason = reason }
    }
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
      if let pagesRemaining { $0.pagesRemaining = pagesRemaining }
      $0.quality = UInt32(quality.rawValue)
      if let partNumber { $0.partNumber = partNumber }
      if let serialNumber { $0.serialNumber = serialNumber }
      $0.rule = rule.description
    }
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
}

extension Cover {
  var wire: Wire.Cover {
    .with {
      $0.row = row.description
      if let status { $0.status = status }
      if let description { $0.description_p = description.wire }
    }
  }
}

extension MarkerUnit {
  var wire: Wire.Marker {
    .with {
      $0.row = row.description
      if let technology { $0.technology = technology }
      if let powerOnCount { $0.powerOnCount = powerOnCount }
      if let status { $0.status = status }
    }
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
}
