// From IPP attributes to the objects of the Printer MIB and the Host Resources MIB that they repeat (docs/decisions/0009-attributes-are-objects.md).
//
//     printer-make-and-model           -> hrDeviceDescr
//     printer-device-id                -> ppmPrinterIEEE1284DeviceId
//     printer-name, -location, -serial-number, printer-state-message, printer-config-changes   -> their objects
//     printer-state, -state-reasons    -> hrDeviceStatus, hrPrinterStatus, hrPrinterDetectedErrorState, prtAlertTable
//     printer-alert(-description)      -> prtAlertTable
//     printer-supply(-description)     -> prtMarkerSuppliesTable; marker-* where there is none
//     printer-input-tray, -output-tray -> prtInputTable, prtOutputTable
//
// So one interpretation serves both protocols. Each object made here remembers the attribute and the value it was made of: a reading's
// sources name these, never an object that the device was not asked for. Meters have no object that could say what they count and are made
// of their attributes (`AttributeMeters`). What cannot be read is a finding; an unknown word gives no number.

internal import MIB

/// What a walk of attributes says in the words of the MIBs.
struct AttributeTranslation {
  /// What an object was made of.
  struct Origin {
    let source: Source
    let rule: Rule
  }

  /// hrDeviceIndex of every row: over IPP a printer is one device.
  static let device: UInt32 = 1

  /// The attributes.
  let walk: Walk
  /// The objects made of them.
  private(set) var objects = Walk()
  private(set) var origins: [ObjectIdentifier: [Origin]] = [:]
  /// The colorant of each supply, for which IPP has no table.
  private(set) var colorants: [RowIndex: (text: DeviceText, origin: Origin)] = [:]
  private(set) var findings: [Finding] = []
  private var told: Set<String> = []

  /// Nil for a walk of SNMP's objects.
  init?(_ walk: Walk) {
    guard walk.isOfAttributes else { return nil }
    self.walk = walk
    translateDescription()
    translateState()
    translateAlerts()
    translateSupplies()
    translateTrays()
  }

  // MARK: Making objects

  mutating func make(_ name: ObjectIdentifier, _ value: ObjectValue, of binding: VarBind, _ standard: String) {
    objects.set(name, value)
    origins[name, default: []].append(Origin(source: Source(binding), rule: .attribute(standard, binding.name)))
  }

  /// One finding for each thing said, however many values say it: printers repeat themselves.
  mutating func found(_ name: ObjectIdentifier?, _ message: String) {
    guard told.insert(message).inserted else { return }
    findings.append(Finding(name, message))
  }

  mutating func setColorant(_ row: RowIndex, _ text: DeviceText, _ origin: Origin) {
    colorants[row] = (text, origin)
  }

  /// The first value of an attribute, if it has one.
  func first(_ keyword: String) -> VarBind? { walk.attribute(keyword).first }

  private mutating func copyText(_ keyword: String, to name: ObjectIdentifier, _ standard: String = .rfc8011) {
    guard let binding = first(keyword), binding.value.octets?.isEmpty == false else { return }
    make(name, binding.value, of: binding, standard)
  }
}

extension String {
  static let rfc8011 = "rfc8011"
  static let pwg510013 = "pwg5100.13"
  static let pwg51009 = "pwg5100.9"
  static let pwg510022 = "pwg5100.22"
  static let cups = "cups"
}

extension Rule {
  /// A value that is taken as the attribute's standard defines it: `pwg5100.13/printer-supply@1`.
  static func attribute(_ standard: String, _ name: ObjectIdentifier) -> Rule {
    Rule("\(standard)/\(AttributeName(name)?.keyword ?? name.description)@1")
  }
}

// MARK: - Description and state

extension AttributeTranslation {
  private static func row(_ entry: ObjectIdentifier, _ column: UInt32, _ index: UInt32...) -> ObjectIdentifier {
    entry.appending(column).appending([device] + index)
  }

  private mutating func translateDescription() {
    let type = Self.row(HostResources.Device.entry, HostResources.Device.type)
    objects.set(type, .objectIdentifier(HostResources.Device.printerType))
    copyText(
      "printer-make-and-model", to: Self.row(HostResources.Device.entry, HostResources.Device.description))
    copyText(
      "printer-device-id", to: Self.row(PortMonitorMIB.Printer.entry, PortMonitorMIB.Printer.deviceID), .pwg510013)
    copyText("printer-name", to: Self.row(PrinterMIB.General.entry, PrinterMIB.General.printerName))
    copyText(
      "printer-serial-number", to: Self.row(PrinterMIB.General.entry, PrinterMIB.General.serialNumber), .pwg510013)
    copyText("printer-location", to: MIB2.sysLocation)
    copyText("printer-state-message", to: Self.row(PrinterMIB.Console.entry, PrinterMIB.Console.text, 1))
    if let changes = first("printer-config-changes") {
      let name = Self.row(PrinterMIB.General.entry, PrinterMIB.General.configurationChanges)
      make(name, changes.value, of: changes, .pwg510013)
    }
  }

  /// RFC 8011, section 5.4.11: 3 idle, 4 processing, 5 stopped.
  private mutating func translateState() {
    let device = Self.row(HostResources.Device.entry, HostResources.Device.status)
    let printer = Self.row(HostResources.Printer.entry, HostResources.Printer.status)
    guard let state = first("printer-state") else { return }
    switch state.value.number {
    case 3, 4:
      let isWarned = reasons.contains { $0.isCondition && $0.severity != .report }
      make(device, .integer(isWarned ? 3 : 2), of: state, .rfc8011)
      make(printer, .integer(state.value.number == 4 ? 4 : 3), of: state, .rfc8011)
    case 5:
      make(device, .integer(5), of: state, .rfc8011)
      make(printer, .integer(1), of: state, .rfc8011)
    default:
      found(state.name, "expected 3 (idle), 4 (processing) or 5 (stopped), not \(state.value.display)")
    }
  }

  /// `printer-state-reasons`, with `none` and whatever is no text left out.
  var reasons: [StateReason] { walk.attribute("printer-state-reasons").compactMap(StateReason.init) }
}
