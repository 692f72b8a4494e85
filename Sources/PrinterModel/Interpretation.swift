// From a walk to a reading. Pure: the same walk and profiles always give the same reading, and nothing is asked of the device.
//
//     IPP attributes ── AttributeTranslation ──> walk
//     walk ── evidence ──> profile ──┐
//       ├──> identity, status        │
//       ├──> inputs, outputs, covers,│
//       │    markers                 │
//       ├──> alerts, supplies        │
//       └──> meters <────────────────┘ ──> checks
//
// A walk may be cut off anywhere, hold nonsense or lie: what can be read is read, and what cannot is a finding. No row index carries a
// meaning of its own; the printer's hrDeviceIndex is found, not taken to be 1.

package import MIB

/// The interpretation of walks.
package enum Interpretation {
  /// Reads everything that the walk tells. Never fails; `findings` says what made no sense.
  package static func read(_ walk: Walk, profiles: ProfileSet = .shipped) -> Reading {
    var interpreter = Interpreter(walk: walk, profiles: profiles)
    return interpreter.reading()
  }

  /// Reads a walk that may differ from a former one in nothing but sysUpTime, as that of a device that stands still does.
  ///
  /// - Parameters:
  ///   - former: a walk.
  ///   - reading: what `read` made of it, with the same profiles.
  /// - Returns: what `read` would make of this walk; nil where more than that differs, so that it has to be read.
  package static func read(
    _ walk: Walk, standingStillSince former: Walk, _ reading: @autoclosure () -> Reading
  ) -> Reading? {
    guard let uptime = walk[MIB2.sysUpTime]?.uptime, former[MIB2.sysUpTime]?.uptime != nil,
      walk.equals(former, butFor: MIB2.sysUpTime)
    else { return nil }
    var reading = reading()
    reading.detectors.uptimeTicks = uptime
    return reading
  }

  /// The profile that a reading of this walk is made with; nil if only the standards apply.
  package static func profile(for walk: Walk, profiles: ProfileSet = .shipped) -> Profile? {
    Interpreter(walk: walk, profiles: profiles).profile
  }
}

extension ObjectValue {
  /// As `Interpreter.detectors` takes it; nil where that would have a finding.
  fileprivate var uptime: UInt64? { number(as: .unsigned32).flatMap(UInt64.init(exactly:)) }
}

/// What one interpretation works on, and the findings as they come.
struct Interpreter {
  /// SNMP's objects: those of the device, or those that its IPP attributes were translated into.
  let walk: Walk
  /// What the walk was made of, if it was read over IPP.
  let attributes: AttributeTranslation?
  let profiles: ProfileSet
  let evidence: DeviceEvidence
  let profile: Profile?
  /// What of the evidence the profile was chosen by.
  let chosenBy: DeviceEvidence.Part?
  let characterSet: CharacterSet?
  /// hrDeviceIndex of the printer.
  let deviceIndex: UInt32
  let deviceRow: TableRow?
  let generalRow: TableRow?
  /// The IEEE 1284 device id with the name it came from.
  let deviceID: VarBind?
  var findings: [Finding]
  /// Where the identity and the status came from.
  var identitySources: [ValueSource] = []
  var statusSources: [ValueSource] = []

  init(walk: Walk, profiles: ProfileSet) {
    attributes = AttributeTranslation(walk)
    let all = attributes?.objects ?? walk
    let (walk, others) = Self.ofOnePrinter(all)
    self.walk = walk
    findings = (attributes?.findings ?? []) + others
    self.profiles = profiles
    let devices = walk.table(HostResources.Device.entry)
    let generals = walk.table(PrinterMIB.General.entry)
    let printers = devices.filter {
      $0[HostResources.Device.type] == .objectIdentifier(HostResources.Device.printerType)
    }
    let hostResourcesIndex = walk.first(in: HostResources.Printer.entry)?.name.last
    // Where several printers answer, the one that is read.
    let own = others.isEmpty ? nil : generals.first?.index.first
    let printer: TableRow? = printers.first { own == nil || $0.index.first == own }
    let index: UInt32 = own ?? printer?.index.first ?? hostResourcesIndex ?? generals.first?.index.first ?? 1
    deviceIndex = index
    deviceRow = printer ?? devices.first { $0.index.first == index }
    generalRow = generals.first { $0.index.first == index } ?? generals.first
    characterSet = Self.characterSet(walk, generalRow)
    var evidence = DeviceEvidence(
      systemDescription: Self.plainText(walk[MIB2.sysDescr]), systemObjectID: Self.identifier(walk[MIB2.sysObjectID]),
      printerDescription: Self.plainText(deviceRow?[HostResources.Device.description]))
    deviceID = Self.deviceID(walk, profiles)
    evidence.manufacturer = Self.plainText(deviceID?.value).flatMap { DeviceIDString($0).manufacturer }
    self.evidence = evidence
    let choice = profiles.choice(for: evidence)
    profile = choice?.profile
    chosenBy = choice?.part
  }

  mutating func reading() -> Reading {
    var reading = Reading()
    reading.identity = identity()
    reading.status = status()
    reading.detectors = detectors()
    reading.inputs = inputs()
    reading.outputs = outputs()
    reading.covers = covers()
    reading.markers = markers()
    reading.alerts = alerts()
    reading.supplies = supplies()
    (reading.meters, reading.checks) = attributes?.meters(&findings) ?? meters()
    reading.findings = attributes?.named(findings) ?? findings
    return reading
  }
}

// MARK: - Reading values

extension Interpreter {
  /// A text column or scalar in the device's character set. A value that is no OCTET STRING is a finding.
  mutating func text(_ binding: VarBind?) -> DeviceText? { text(binding, in: characterSet) }

  mutating func text(_ binding: VarBind?, in characterSet: CharacterSet?) -> DeviceText? {
    guard let binding, !binding.value.isException else { return nil }
    guard let octets = binding.value.octets else {
      findings.append(Finding(binding.name, "expected an OCTET STRING"))
      return nil
    }
    return DeviceText(decoding: octets, characterSet: characterSet)
  }

  /// A number. A value of another type is a finding, and so is a number that the object cannot have by its MIB.
  mutating func number(_ binding: VarBind?, as syntax: NumericSyntax = .integer32) -> Int64? {
    guard let binding, !binding.value.isException else { return nil }
    if let number = binding.value.number(as: syntax) { return number }
    let (least, most) = (syntax.range.lowerBound, syntax.range.upperBound)
    let message = "expected a number from \(least) to \(most), not \(binding.value.display)"
    findings.append(Finding(binding.name, binding.value.isNumeric ? message : "expected a number"))
    return nil
  }

  func scalar(_ name: ObjectIdentifier) -> VarBind? {
    walk[name].map { VarBind(name, $0) }
  }

  /// The first of these objects that holds a text.
  mutating func firstText(_ names: [ObjectIdentifier], _ rule: Rule) -> FoundText? {
    for name in names {
      if let binding = scalar(name), let text = text(binding) {
        return FoundText(text: text, source: Source(binding), rule: rule)
      }
    }
    return nil
  }

  static func plainText(_ value: ObjectValue?) -> String? {
    value?.octets.flatMap { DeviceText(decoding: $0, characterSet: nil)?.text }
  }

  private static func identifier(_ value: ObjectValue?) -> ObjectIdentifier? {
    if case .objectIdentifier(let identifier) = value { identifier } else { nil }
  }

  /// A walk in which one agent answers for several printers, each with markers and a serial number of its own, without the rows of all but the first: one
  /// printer's serial number never stands beside another's counters. Others are as they were.
  private static func ofOnePrinter(_ walk: Walk) -> (Walk, [Finding]) {
    let generals = walk.table(PrinterMIB.General.entry)
    guard generals.count > 1 else { return (walk, []) }
    let serials = generals.compactMap { row in
      plainText(row[PrinterMIB.General.serialNumber]).flatMap { SerialNumber($0) }
    }
    let indices = generals.compactMap(\.index.first)
    let marking = Set(walk.table(PrinterMIB.Marker.entry).compactMap(\.index.first))
    guard serials.count == generals.count, Set(serials).count == serials.count, indices.allSatisfy(marking.contains),
      let first = indices.first
    else { return (walk, []) }
    let kept = walk.bindings.filter { binding in
      guard let row = binding.name.suffix(below: PrinterMIB.root)?.components.dropFirst(columnDepth).first else {
        return true
      }
      return row == first || !indices.contains(row)
    }
    let column = PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber)
    let list = zip(indices, serials).map { "\($1) at \($0)" }.joined(separator: ", ")
    let message = "\(indices.count) printers answer here (serial numbers \(list)): only the first is read"
    return (Walk(kept), [Finding(column, message)])
  }

  /// Group, table, entry and column stand between Printer-MIB's root and a row's hrDeviceIndex.
  private static let columnDepth = 4

  /// The character set of the localization in force, else of the first that states one.
  private static func characterSet(_ walk: Walk, _ general: TableRow?) -> CharacterSet? {
    localized(PrinterMIB.General.currentLocalization, walk, general)
      ?? walk.table(PrinterMIB.Localization.entry).lazy
      .compactMap { $0.number(PrinterMIB.Localization.characterSet) }.first.map(CharacterSet.init(rawValue:))
  }

  /// The console has a localization of its own, else the general one.
  var consoleCharacterSet: CharacterSet? {
    Self.localized(PrinterMIB.General.consoleLocalization, walk, generalRow) ?? characterSet
  }

  /// The character set of the localization that a column of prtGeneralTable names.
  private static func localized(_ column: UInt32, _ walk: Walk, _ general: TableRow?) -> CharacterSet? {
    let number = general?.number(column)
    let row = walk.table(PrinterMIB.Localization.entry).first { $0.index.last.map(Int64.init) == number }
    return row?.number(PrinterMIB.Localization.characterSet).map(CharacterSet.init(rawValue:))
  }

  /// The device id where the standard has it, else where a vendor has it.
  private static func deviceID(_ walk: Walk, _ profiles: ProfileSet) -> VarBind? {
    if let standard = walk.subtree(PortMonitorMIB.Printer.entry.appending(PortMonitorMIB.Printer.deviceID)).first(
      where: { $0.value.octets?.isEmpty == false })
    {
      return standard
    }
    for name in profiles.profiles.lazy.flatMap(\.identity.deviceID) {
      if let value = walk[name], value.octets?.isEmpty == false { return VarBind(name, value) }
    }
    return nil
  }
}
