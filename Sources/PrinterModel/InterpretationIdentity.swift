// Identity and status: the system group, the printer's rows of the host resources, the general table and a profile's private objects.

internal import MIB

extension Interpreter {
  mutating func identity() -> DeviceIdentity {
    var identity = DeviceIdentity()
    identity.systemDescription = text(scalar(MIB2.sysDescr))
    identity.systemObjectID = evidence.systemObjectID
    identity.hostName = text(scalar(MIB2.sysName))
    identity.location = text(scalar(MIB2.sysLocation))
    identity.printerName = text(generalRow?.binding(PrinterMIB.General.printerName))
    identity.deviceID = text(deviceID)
    identity.macAddress = macAddress()
    let fields = identity.deviceID.map { DeviceIDString($0.text) }
    identity.make = profile?.make(for: evidence) ?? fields?.manufacturer
    identity.model = model(fields, identity)
    identity.serial = serial(fields)
    if let profile {
      identity.firmware = firstText(profile.identity.firmware) ?? cut(.firmware, .sysDescr)
      identity.assetNumber = firstText(profile.identity.assetNumber)
    }
    return identity
  }

  /// prtGeneralSerialNumber, else the profile's objects, else the device id, else a piece of sysDescr.
  private mutating func serial(_ fields: DeviceIDString?) -> DeviceText? {
    if let serial = text(generalRow?.binding(PrinterMIB.General.serialNumber)) { return serial }
    if let profile, let serial = firstText(profile.identity.serial) { return serial }
    if let serial = fields?.serialNumber { return DeviceText(serial) }
    return cut(.serial, .sysDescr)
  }

  /// The profile's objects, else hrDeviceDescr, else the device id, else a piece of sysDescr, else the printer's name; without the make.
  private mutating func model(_ fields: DeviceIDString?, _ identity: DeviceIdentity) -> DeviceText? {
    let found: DeviceText?
    if let profile, let model = firstText(profile.identity.model) {
      found = model
    } else if let description = cut(.model, .hrDeviceDescr)
      ?? text(deviceRow?.binding(HostResources.Device.description))
    {
      found = description
    } else if let model = fields?.model {
      found = DeviceText(model)
    } else {
      found = cut(.model, .sysDescr) ?? identity.printerName
    }
    return found.map { withoutMake($0, identity.make) }
  }

  private func withoutMake(_ model: DeviceText, _ make: String?) -> DeviceText {
    let makes = [make, profile?.make].compactMap { $0 }
    for make in makes where model.text.uppercased().hasPrefix(make.uppercased() + " ") {
      let rest = String(model.text.dropFirst(make.count)).trimmed
      if !rest.isEmpty { return DeviceText(rest, raw: model.raw) }
    }
    return model
  }

  /// The first cut of the profile that fits.
  private func cut(_ field: Profile.Cut.Field, _ origin: Profile.Cut.Origin) -> DeviceText? {
    guard let profile else { return nil }
    let text = origin == .sysDescr ? evidence.systemDescription : evidence.printerDescription
    guard let text else { return nil }
    for cut in profile.cuts where cut.field == field && cut.origin == origin {
      if let piece = cut.piece(of: text) { return DeviceText(piece) }
    }
    return nil
  }

  /// The first interface that is an Ethernet, else a wireless one, else one that tells no type; six bytes that are not all zero.
  private func macAddress() -> [UInt8]? {
    let interfaces = walk.table(MIB2.Interface.entry)
    let types: [Int64?] = [MIB2.Interface.typeEthernet, MIB2.Interface.typeWireless, nil]
    for type in types {
      for row in interfaces where row.number(MIB2.Interface.type) == type {
        if let address = row[MIB2.Interface.physicalAddress]?.octets, address.count == 6,
          address.contains(where: { $0 != 0 })
        {
          return address
        }
      }
    }
    return nil
  }

  mutating func detectors() -> ChangeDetectors {
    var detectors = ChangeDetectors()
    detectors.configurationChanges = generalRow?[PrinterMIB.General.configurationChanges]?.unsigned
    detectors.criticalAlertEvents = generalRow?[PrinterMIB.General.alertCriticalEvents]?.unsigned
    detectors.allAlertEvents = generalRow?[PrinterMIB.General.alertAllEvents]?.unsigned
    detectors.uptimeTicks = walk[MIB2.sysUpTime]?.unsigned
    return detectors
  }

  mutating func status() -> DeviceStatus {
    var status = DeviceStatus()
    status.device = number(deviceRow?.binding(HostResources.Device.status))
    let row = walk.table(HostResources.Printer.entry).first { $0.index.first == deviceIndex }
    status.printer = number(row?.binding(HostResources.Printer.status))
    if let binding = row?.binding(HostResources.Printer.detectedErrorState) {
      status.detectedErrors = binding.value.octets
      if status.detectedErrors == nil { findings.append(Finding(binding.name, "expected bits in an OCTET STRING")) }
    }
    status.console = walk.table(PrinterMIB.Console.entry).compactMap { text($0.binding(PrinterMIB.Console.text)) }
    if status.console.isEmpty, let profile, let line = firstText(profile.identity.console) { status.console = [line] }
    return status
  }
}

extension Profile.Cut {
  /// What the cut leaves of a text; nil if the text has not its marks, or nothing is left.
  func piece(of text: String) -> String? {
    var rest = text[...]
    if !after.isEmpty {
      guard let mark = rest.range(ofText: after) else { return nil }
      rest = rest[mark.upperBound...]
    }
    if !until.isEmpty {
      if let mark = rest.range(ofText: until) {
        rest = rest[..<mark.lowerBound]
      } else if after.isEmpty, dropLastWords == 0 {
        return nil
      }
    }
    var words = rest.split(separator: " ")
    if dropLastWords > 0 {
      // What goes is a serial number or a version, and these have digits; words without are part of the name.
      guard words.count > dropLastWords, words.suffix(dropLastWords).allSatisfy({ $0.contains(where: \.isNumber) })
      else { return nil }
      words.removeLast(dropLastWords)
    }
    return words.isEmpty ? nil : words.joined(separator: " ")
  }
}

extension Substring {
  /// Where `text` first stands in this one.
  fileprivate func range(ofText text: String) -> Range<Index>? {
    var start = startIndex
    while start < endIndex {
      if self[start...].hasPrefix(text) { return start..<index(start, offsetBy: text.count) }
      start = index(after: start)
    }
    return nil
  }
}

extension DeviceIdentity {
  /// Serial numbers that mean none.
  private static let placeholders: Set<String> = [
    "", "NA", "NONE", "UNKNOWN", "NULL", "XXXXXXXXXX", "SERIALNUMBER", "NOTAVAILABLE",
  ]

  /// The serial for comparison: upper case letters and digits, without zeros in front (devices and their own pages differ in these);
  /// nil if there is none or only a placeholder.
  package var normalizedSerial: String? {
    guard let serial else { return nil }
    let kept = serial.text.uppercased().filter { $0.isASCII && ($0.isLetter || $0.isNumber) }
    let normalized = String(kept.drop { $0 == "0" })
    return Self.placeholders.contains(normalized) ? nil : normalized
  }
}
