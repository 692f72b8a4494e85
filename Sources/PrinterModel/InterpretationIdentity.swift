// Identity and status: the system group, the printer's rows of the host resources, the general table and a profile's private objects.

internal import MIB

/// A text with the object that it came from and the rule that found it there.
struct FoundText {
  var text: DeviceText
  let source: Source
  let rule: Rule
}

extension Interpreter {
  /// The standard of the system group (SNMPv2-MIB).
  private static let systemGroup = "rfc3418"

  mutating func identity() -> DeviceIdentity {
    identitySources = []
    var identity = DeviceIdentity()
    identity.systemDescription = told("systemDescription", found(scalar(MIB2.sysDescr), Self.systemGroup, "sysDescr"))
    identity.systemObjectID = systemObjectID()
    identity.hostName = told("hostName", found(scalar(MIB2.sysName), Self.systemGroup, "sysName"))
    identity.location = told("location", found(scalar(MIB2.sysLocation), Self.systemGroup, "sysLocation"))
    let name = found(generalRow?.binding(PrinterMIB.General.printerName), "rfc3805", "prtGeneralPrinterName")
    identity.printerName = told("printerName", name)
    let deviceID = foundDeviceID()
    identity.deviceID = told("deviceID", deviceID)
    identity.macAddress = macAddress()
    identity.make = make(deviceID)
    identity.model = told("model", model(deviceID, identity.make, name))
    identity.serial = told("serial", serial(deviceID))
    if let profile {
      identity.firmware = told("firmware", firmware(profile) ?? cut(.firmware, .sysDescr))
      identity.assetNumber = told(
        "assetNumber", firstText(profile.identity.assetNumber, profile.rule("asset-number")))
    }
    attributes?.complete(&identity, &identitySources)
    return identity
  }

  /// Notes where a value of the identity came from.
  private mutating func told(_ value: String, _ found: FoundText?) -> DeviceText? {
    guard let found else { return nil }
    identitySources.append(ValueSource(value, found.source, rule: found.rule))
    return found.text
  }

  private mutating func found(_ binding: VarBind?, _ standard: String, _ object: String) -> FoundText? {
    guard let binding, let text = text(binding) else { return nil }
    return FoundText(text: text, source: Source(binding), rule: .object(standard, object))
  }

  private mutating func systemObjectID() -> ObjectIdentifier? {
    guard let identifier = evidence.systemObjectID, let binding = scalar(MIB2.sysObjectID) else { return nil }
    let rule = Rule.object(Self.systemGroup, "sysObjectID")
    identitySources.append(ValueSource("systemObjectID", Source(binding), rule: rule))
    return identifier
  }

  /// The standard's object, else the first vendor's that answered.
  private mutating func foundDeviceID() -> FoundText? {
    guard let deviceID, let text = text(deviceID) else { return nil }
    let vendor = profiles.profiles.first { $0.identity.deviceID.contains(deviceID.name) }
    let rule = vendor?.rule("device-id") ?? .object("pwg5107.1", "ppmPrinterIEEE1284DeviceId")
    return FoundText(text: text, source: Source(deviceID), rule: rule)
  }

  /// The profile's, whose source is what it was chosen by; else that of the device id.
  private mutating func make(_ deviceID: FoundText?) -> String? {
    if let profile {
      let (make, part) = profiles.make(for: evidence, of: profile)
      if let binding = (part ?? chosenBy).flatMap(binding(of:)) {
        identitySources.append(ValueSource("make", Source(binding), rule: profile.rule("make")))
      }
      return make
    }
    guard let deviceID, let make = DeviceIDString(deviceID.text.text).manufacturer else { return nil }
    identitySources.append(ValueSource("make", deviceID.source, rule: .deviceIDField))
    return make
  }

  private func binding(of part: DeviceEvidence.Part) -> VarBind? {
    switch part {
    case .systemDescription: scalar(MIB2.sysDescr)
    case .systemObjectID: scalar(MIB2.sysObjectID)
    case .printerDescription: deviceRow?.binding(HostResources.Device.description)
    case .manufacturer: deviceID
    }
  }

  /// prtGeneralSerialNumber, else the profile's objects, else the device id, else a piece of sysDescr. What stands for "none" is passed over; where
  /// the device says nothing else, that is told as it says it, and a finding tells that it is none. It identifies nothing (`SerialNumber`).
  private mutating func serial(_ deviceID: FoundText?) -> FoundText? {
    var told: [FoundText] = []
    let standard = generalRow?.binding(PrinterMIB.General.serialNumber)
    if let serial = serialNumber(found(standard, "rfc3805", "prtGeneralSerialNumber"), &told) { return serial }
    if let profile, let serial = serialNumber(firstText(profile.identity.serial, profile.rule("serial")), &told) {
      return serial
    }
    var last = deviceID?.field(\.serialNumber)
    if profile?.identity.isDeviceIDSerialHexadecimal == true, let hexadecimal = last?.text.text,
      let text = hexadecimal.fromHexadecimal
    {
      last?.text = DeviceText(text, raw: Array(hexadecimal.utf8))
    }
    return serialNumber(last ?? cut(.serial, .sysDescr), &told) ?? told.first
  }

  /// The text, unless it stands for "none": then it is put to those, and a finding quotes it.
  private mutating func serialNumber(_ found: FoundText?, _ none: inout [FoundText]) -> FoundText? {
    guard let found, SerialNumber.isPlaceholder(found.text.text) else { return found }
    findings.append(Finding(found.source.name, "\"\(found.text.text)\" is no serial number"))
    none.append(found)
    return nil
  }

  /// The profile's objects, else hrDeviceDescr, else the device id, else a piece of sysDescr, else the printer's name; without the make.
  private mutating func model(_ deviceID: FoundText?, _ make: String?, _ printerName: FoundText?) -> FoundText? {
    var model = profile.flatMap { firstText($0.identity.model, $0.rule("model")) }
    let description = deviceRow?.binding(HostResources.Device.description)
    if model == nil { model = cut(.model, .hrDeviceDescr) ?? found(description, "rfc2790", "hrDeviceDescr") }
    if model == nil { model = deviceID?.field(\.model) ?? cut(.model, .sysDescr) ?? printerName ?? portMonitorName() }
    if let text = model?.text { model?.text = withoutMake(text, make) }
    return model
  }

  /// ppmPrinterName, for people who choose a printer: the model on devices that say nothing else.
  private mutating func portMonitorName() -> FoundText? {
    let column = PortMonitorMIB.Printer.entry.appending(PortMonitorMIB.Printer.name)
    return found(walk.first(in: column), "pwg5107.1", "ppmPrinterName")
  }

  /// The profile's object, or the piece of its text that a cut leaves.
  private mutating func firmware(_ profile: Profile) -> FoundText? {
    guard var found = firstText(profile.identity.firmware, profile.rule("firmware")) else { return nil }
    let cuts = profile.cuts.lazy.filter { $0.field == .firmware && $0.origin == .firmware }
    if let piece = cuts.compactMap({ $0.piece(of: found.text.text) }).first {
      found.text = DeviceText(piece, raw: found.text.raw ?? Array(found.text.text.utf8))
    }
    return found
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
  private func cut(_ field: Profile.Cut.Field, _ origin: Profile.Cut.Origin) -> FoundText? {
    guard let profile else { return nil }
    let part: DeviceEvidence.Part = origin == .sysDescr ? .systemDescription : .printerDescription
    let text = origin == .sysDescr ? evidence.systemDescription : evidence.printerDescription
    guard let text, let binding = binding(of: part) else { return nil }
    for cut in profile.cuts where cut.field == field && cut.origin == origin {
      if let piece = cut.piece(of: text) {
        let rule = profile.rule("\(field.rawValue)-in-\(origin.rawValue)")
        return FoundText(text: DeviceText(piece), source: Source(binding), rule: rule)
      }
    }
    return nil
  }

  /// The first interface that is an Ethernet of any kind, else a wireless one, else one that tells no type; six bytes that are not all zero.
  private mutating func macAddress() -> [UInt8]? {
    let interfaces = walk.table(MIB2.Interface.entry)
    let preferences: [Set<Int64?>] = [MIB2.Interface.ethernetTypes, [MIB2.Interface.typeWireless], [nil]]
    for types in preferences {
      for row in interfaces where types.contains(row.number(MIB2.Interface.type)) {
        guard let binding = row.binding(MIB2.Interface.physicalAddress), let address = binding.value.octets,
          address.count == 6, address.contains(where: { $0 != 0 })
        else { continue }
        let rule = Rule.object("rfc2863", "ifPhysAddress")
        identitySources.append(ValueSource("macAddress", Source(binding), rule: rule))
        return address.array
      }
    }
    return nil
  }

  mutating func detectors() -> ChangeDetectors {
    var detectors = ChangeDetectors()
    detectors.configurationChanges = counter(generalRow?.binding(PrinterMIB.General.configurationChanges))
    detectors.criticalAlertEvents = counter(generalRow?.binding(PrinterMIB.General.alertCriticalEvents))
    detectors.allAlertEvents = counter(generalRow?.binding(PrinterMIB.General.alertAllEvents))
    detectors.uptimeTicks = attributes.map(\.uptimeTicks) ?? counter(scalar(MIB2.sysUpTime))
    return detectors
  }

  /// A Counter32, or TimeTicks.
  private mutating func counter(_ binding: VarBind?) -> UInt64? {
    number(binding, as: .unsigned32).flatMap(UInt64.init(exactly:))
  }

  mutating func status() -> DeviceStatus {
    statusSources = []
    var status = DeviceStatus()
    status.device = state("device", deviceRow?.binding(HostResources.Device.status), "hrDeviceStatus", 1)
    let row = walk.table(HostResources.Printer.entry).first { $0.index.first == deviceIndex }
    status.printer = state("printer", row?.binding(HostResources.Printer.status), "hrPrinterStatus", 2)
    if let binding = row?.binding(HostResources.Printer.detectedErrorState) {
      status.detectedErrors = binding.value.octets?.array
      let quality: Quality = status.detectedErrors == nil ? .unknown : .exact
      let rule = Rule.object("rfc2790", "hrPrinterDetectedErrorState")
      statusSources.append(ValueSource("detectedErrors", Source(binding), rule: rule, quality: quality))
      if status.detectedErrors == nil { findings.append(Finding(binding.name, "expected bits in an OCTET STRING")) }
    }
    status.console = console()
    return status
  }

  /// A state's number, whose source is noted; `unknown` is the number by which the device says that it does not know.
  private mutating func state(_ value: String, _ binding: VarBind?, _ object: String, _ unknown: Int64) -> Int64? {
    guard let binding else { return nil }
    let number = number(binding)
    let quality: Quality = number == nil || number == unknown ? .unknown : .exact
    statusSources.append(ValueSource(value, Source(binding), rule: .object("rfc2790", object), quality: quality))
    return number
  }

  /// The lines of the standard's console, else the profile's one.
  private mutating func console() -> [DeviceText] {
    let rule = Rule.object("rfc3805", "prtConsoleDisplayBufferText")
    let characterSet = consoleCharacterSet
    var lines = walk.table(PrinterMIB.Console.entry).compactMap { row -> FoundText? in
      guard let binding = row.binding(PrinterMIB.Console.text), let text = text(binding, in: characterSet) else {
        return nil
      }
      return FoundText(text: text, source: Source(binding), rule: rule)
    }
    if lines.isEmpty, let profile, let line = firstText(profile.identity.console, profile.rule("console")) {
      lines = [line]
    }
    statusSources += lines.map { ValueSource("console", $0.source, rule: $0.rule) }
    return lines.map(\.text)
  }
}

extension FoundText {
  /// A field of an IEEE 1284 device id.
  fileprivate func field(_ field: KeyPath<DeviceIDString, String?>) -> FoundText? {
    DeviceIDString(text.text)[keyPath: field].map {
      FoundText(text: DeviceText($0), source: source, rule: .deviceIDField)
    }
  }
}

extension String {
  /// A serial number of ten characters out of hexadecimal digits: ten octets of ASCII, or nine of which the last is the two decimal digits that
  /// it is written with (`583847393030303415` is X8G9000415, as the same device's prtGeneralSerialNumber says). Nil where it is neither.
  fileprivate var fromHexadecimal: String? {
    let digits = Array(utf8)
    guard digits.count == 18 || digits.count == 20 else { return nil }
    let bytes = stride(from: 0, to: digits.count, by: 2).compactMap { start in
      UInt8(String(decoding: digits[start...(start + 1)], as: UTF8.self), radix: 16)
    }
    guard bytes.count * 2 == digits.count else { return nil }
    let isPacked = digits.count == 18
    let text = String(decoding: isPacked ? bytes.prefix(8) + digits.suffix(2) : bytes[...], as: UTF8.self)
    return text.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber) } && (!isPacked || Int(text.suffix(2)) != nil)
      ? text : nil
  }
}

extension Rule {
  /// A field of an IEEE 1284 device id.
  fileprivate static let deviceIDField = Rule("ieee1284/device-id-field@1")
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
