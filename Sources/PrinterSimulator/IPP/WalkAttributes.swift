// What a device's objects say over IPP: the attributes of Get-Printer-Attributes, made of the very walk that its SNMP agent shows, so that both readings
// agree. The inverse of PrinterModel's translation, and written without it.
//
//     hrDeviceDescr                          printer-make-and-model
//     prtGeneralSerialNumber, -PrinterName   printer-serial-number, printer-name, printer-info
//     hrPrinterStatus, hrDeviceStatus        printer-state
//     prtAlertTable                          printer-alert, printer-alert-description, printer-state-reasons
//     prtMarkerSuppliesTable, colorants      printer-supply, printer-supply-description, marker-*
//     prtInputTable, prtOutputTable          printer-input-tray, printer-output-tray
//     prtMarkerLifeCount                     printer-impressions-completed, or printer-media-sheets-completed where it counts sheets
//     the hardware address                   printer-uuid, a version 1 UUID of this node
//
// What only the simulated printer knows is added by `Printer`: the colours of its impressions, and its device id.

internal import IPP
internal import MIB

/// Attributes in the order in which they are sent.
struct WalkAttributes {
  private let walk: Walk
  private(set) var attributes: [IPPAttribute] = []

  /// - Parameter printer: nil for a recording.
  init(_ walk: Walk, _ printer: Printer?) {
    self.walk = walk
    addIdentity(printer)
    addState()
    addCounts(printer)
    addSupplies()
    addTrays()
  }

  // MARK: Reading the walk

  private func first(_ entry: ObjectIdentifier, _ column: UInt32) -> ObjectValue? {
    walk.subtree(entry.appending(column)).first?.value
  }

  private func text(_ value: ObjectValue?) -> String? {
    guard let bytes = value?.octets?.array, !bytes.isEmpty else { return nil }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// The rows of a table by the last part of their index.
  private func rows(_ entry: ObjectIdentifier, _ columns: [UInt32]) -> [(index: UInt32, cells: [UInt32: ObjectValue])] {
    var rows: [UInt32: [UInt32: ObjectValue]] = [:]
    for column in columns {
      for binding in walk.subtree(entry.appending(column)) {
        if let index = binding.name.suffix(1).first { rows[index, default: [:]][column] = binding.value }
      }
    }
    return rows.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }
  }

  // MARK: Writing attributes

  private mutating func add(_ name: String, _ values: [IPPValue]) {
    if !values.isEmpty { attributes.append(IPPAttribute(name, values)) }
  }

  private mutating func addText(_ name: String, _ text: String?, _ syntax: IPPStringSyntax = .textWithoutLanguage) {
    if let text { add(name, [.string(text, syntax)]) }
  }

  private mutating func addIdentity(_ printer: Printer?) {
    typealias General = PrinterMIB.General
    let name = text(first(General.entry, General.printerName)) ?? text(walk[MIB2.sysName])
    let serial = text(first(General.entry, General.serialNumber))
    let description = text(first(HostResources.Device.entry, HostResources.Device.description))
    addText("printer-make-and-model", printer?.model.product ?? description)
    addText("printer-name", name, .nameWithoutLanguage)
    addText("printer-info", name)
    addText("printer-location", text(walk[MIB2.sysLocation]))
    addText("printer-serial-number", serial)
    if let printer {
      addText(
        "printer-device-id",
        "MFG:\(printer.model.vendor);MDL:\(printer.model.product);CLS:PRINTER;SN:\(printer.identity.serial);")
    }
    addText("printer-uuid", uuid(serial), .uri)
    if let changes = first(General.entry, General.configurationChanges)?.number {
      add("printer-config-changes", [.integer(Int32(clamping: changes))])
    }
    let ticks = walk[MIB2.sysUpTime]?.number ?? 0
    add("printer-up-time", [.integer(Int32(clamping: max(1, ticks / 100)))])
  }

  /// A version 1 UUID (RFC 9562, section 5.1) whose node is the hardware address and whose time comes of the serial number.
  private func uuid(_ serial: String?) -> String? {
    let addresses = walk.subtree(MIB2.Interface.entry.appending(MIB2.Interface.physicalAddress))
    guard let node = addresses.lazy.compactMap({ $0.value.octets?.array }).first(where: { $0.count == 6 }) else {
      return nil
    }
    var random = SplitMix64(seed: 0, name: serial ?? "")
    var bytes = (0..<8).map { _ in UInt8(truncatingIfNeeded: random.next()) } + node
    bytes.insert(contentsOf: [0, 0], at: 8)
    bytes = Array(bytes[0..<8]) + [0x80 | bytes[0] & 0x3F, bytes[1]] + node
    bytes[6] = 0x10 | bytes[6] & 0x0F
    let digits = bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    var rest = digits[...]
    let groups = [8, 4, 4, 4, 12].map { count in
      defer { rest = rest.dropFirst(count) }
      return String(rest.prefix(count))
    }
    return "urn:uuid:" + groups.joined(separator: "-")
  }

  // MARK: State and alerts

  private mutating func addState() {
    typealias Alert = PrinterMIB.Alert
    let device = first(HostResources.Device.entry, HostResources.Device.status)?.number
    let printer = first(HostResources.Printer.entry, HostResources.Printer.status)?.number
    // RFC 8011, section 5.4.11: 3 idle, 4 processing, 5 stopped.
    add("printer-state", [.enumeration(device == 5 ? 5 : printer == 4 ? 4 : 3)])
    addText("printer-state-message", text(first(PrinterMIB.Console.entry, PrinterMIB.Console.text)))
    let columns = [
      Alert.severity, Alert.trainingLevel, Alert.group, Alert.groupIndex, Alert.location, Alert.code, Alert.description,
      Alert.time,
    ]
    let alerts = rows(Alert.entry, columns).map(\.cells)
    let reasons = alerts.compactMap { AlertWords.reason($0[Alert.code]?.number, $0[Alert.severity]?.number) }
    add("printer-state-reasons", (reasons.isEmpty ? ["none"] : reasons).map { .string($0, .keyword) })
    add("printer-alert", alerts.map { .octets(Array(AlertWords.row($0).utf8)) })
    add("printer-alert-description", alerts.map { .string(text($0[Alert.description]) ?? "", .textWithoutLanguage) })
  }

  // MARK: Counts

  private mutating func addCounts(_ printer: Printer?) {
    typealias Marker = PrinterMIB.Marker
    guard let life = first(Marker.entry, Marker.lifeCount)?.number else { return }
    let total = IPPValue.integer(Int32(clamping: life))
    // PrtMarkerCounterUnitTC 8: sheets.
    guard first(Marker.entry, Marker.counterUnit)?.number != 8 else {
      return add("printer-media-sheets-completed", [total])
    }
    add("printer-impressions-completed", [total])
    guard let ledger = printer?.ledger, ledger.value(.total) == UInt64(clamping: life) else { return }
    func member(_ name: String, _ count: Count) -> IPPAttribute {
      IPPAttribute(name, [.integer(Int32(clamping: ledger.value(count)))])
    }
    var members = [member("monochrome", .mono)]
    if printer?.model.usage.colourShare ?? 0 > 0 { members.append(member("full-color", .colour)) }
    add("printer-impressions-completed-col", [.collection(members)])
  }

  // MARK: Supplies and trays

  private mutating func addSupplies() {
    typealias Supplies = PrinterMIB.Supplies
    let colorants = Dictionary(
      rows(PrinterMIB.Colorant.entry, [PrinterMIB.Colorant.value]).map {
        ($0.index, text($0.cells[PrinterMIB.Colorant.value]))
      }, uniquingKeysWith: { $1 })
    let columns = [
      Supplies.markerIndex, Supplies.colorantIndex, Supplies.supplyClass, Supplies.type, Supplies.description,
      Supplies.unit, Supplies.maxCapacity, Supplies.level,
    ]
    let supplies = rows(Supplies.entry, columns)
    let values = supplies.map { index, cells in
      let colorant = (cells[Supplies.colorantIndex]?.number).flatMap { UInt32(exactly: $0) }
      return RowText([
        ("index", Int64(index)), ("class", cells[Supplies.supplyClass]?.number),
        ("markerindex", cells[Supplies.markerIndex]?.number), ("type", cells[Supplies.type]?.number),
        ("unit", cells[Supplies.unit]?.number), ("maxcapacity", cells[Supplies.maxCapacity]?.number),
        ("level", cells[Supplies.level]?.number), ("colorantindex", cells[Supplies.colorantIndex]?.number),
      ]).with("colorantname", colorant.flatMap { colorants[$0] ?? nil })
    }
    add("printer-supply", values.map { .octets(Array($0.text.utf8)) })
    add(
      "printer-supply-description",
      supplies.map { .string(text($0.cells[Supplies.description]) ?? "", .textWithoutLanguage) })
    addMarkers(supplies.map { (text($0.cells[Supplies.description]) ?? "", $0.cells) })
  }

  /// CUPS's older attributes: percentages, of what is consumed alone, because for waste nobody agrees on what is counted.
  private mutating func addMarkers(_ supplies: [(name: String, cells: [UInt32: ObjectValue])]) {
    typealias Supplies = PrinterMIB.Supplies
    let consumed = supplies.filter { $0.cells[Supplies.supplyClass]?.number == 3 }
    add("marker-names", consumed.map { .string($0.name, .nameWithoutLanguage) })
    add(
      "marker-levels",
      consumed.map { _, cells in
        let (level, capacity) = (cells[Supplies.level]?.number ?? -2, cells[Supplies.maxCapacity]?.number ?? -2)
        guard level >= 0, capacity > 0 else { return .integer(level == -3 ? -3 : -1) }
        return .integer(Int32(clamping: level * 100 / capacity))
      })
  }

  private mutating func addTrays() {
    typealias Input = PrinterMIB.Input
    typealias Output = PrinterMIB.Output
    let inputs = rows(
      Input.entry,
      [
        Input.type, Input.capacityUnit, Input.maxCapacity, Input.currentLevel, Input.status, Input.mediaName,
        Input.name,
      ])
    add(
      "printer-input-tray",
      inputs.map { index, cells in
        let row = RowText([
          ("index", Int64(index)), ("type", cells[Input.type]?.number), ("unit", cells[Input.capacityUnit]?.number),
          ("maxcapacity", cells[Input.maxCapacity]?.number), ("level", cells[Input.currentLevel]?.number),
          ("status", cells[Input.status]?.number),
        ])
        let named = row.with("name", text(cells[Input.name])).with("medianame", text(cells[Input.mediaName]))
        return .octets(Array(named.text.utf8))
      })
    let outputs = rows(
      Output.entry, [Output.capacityUnit, Output.maxCapacity, Output.remainingCapacity, Output.status, Output.name])
    add(
      "printer-output-tray",
      outputs.map { index, cells in
        let row = RowText([
          ("index", Int64(index)), ("unit", cells[Output.capacityUnit]?.number),
          ("maxcapacity", cells[Output.maxCapacity]?.number), ("remaining", cells[Output.remainingCapacity]?.number),
          ("status", cells[Output.status]?.number),
        ])
        return .octets(Array(row.with("name", text(cells[Output.name])).text.utf8))
      })
  }
}

/// `index=1;type=3;level=42;`, as PWG 5100.13 writes a row of the Printer MIB. Enumerations are sent by their numbers, as some printers do.
struct RowText {
  private(set) var text = ""

  init(_ numbers: [(String, Int64?)]) {
    for (key, number) in numbers { if let number { text += "\(key)=\(number);" } }
  }

  /// Without what would end the pair.
  func with(_ key: String, _ word: String?) -> RowText {
    guard let word, !word.isEmpty else { return self }
    var row = self
    row.text += "\(key)=\(word.filter { $0 != ";" && !$0.isNewline });"
    return row
  }
}

/// Alerts in the words of IPP.
enum AlertWords {
  /// A row of prtAlertTable as PWG 5100.9 writes it.
  static func row(_ cells: [UInt32: ObjectValue]) -> String {
    typealias Alert = PrinterMIB.Alert
    let severity = (cells[Alert.severity]?.number).flatMap { severities[$0] }
    let numbers = RowText([
      ("code", cells[Alert.code]?.number), ("training", cells[Alert.trainingLevel]?.number),
      ("group", cells[Alert.group]?.number), ("groupindex", cells[Alert.groupIndex]?.number),
      ("location", cells[Alert.location]?.number), ("time", cells[Alert.time]?.number),
    ])
    return numbers.with("severity", severity).text
  }

  /// `media-jam-error`: the keyword of RFC 8011 or PWG 5100.9 with the severity as its suffix; nil for a code that a simulated printer never has.
  static func reason(_ code: Int64?, _ severity: Int64?) -> String? {
    guard let code, let keyword = keywords[code] else { return nil }
    switch severity {
    case 3: return keyword + "-error"
    case 4: return keyword + "-warning"
    default: return keyword + "-report"
    }
  }

  private static let severities: [Int64: String] = [1: "other", 3: "critical", 4: "warning"]

  /// By PrtAlertCodeTC.
  private static let keywords: [Int64: String] = [
    3: "cover-open", 8: "media-jam", 10: "cleaner-life-almost-over", 11: "cleaner-life-over", 12: "marker-supply-low",
    13: "marker-supply-empty", 807: "media-low", 808: "media-empty", 903: "output-area-full", 1101: "toner-empty",
    1102: "marker-ink-empty", 1104: "toner-low", 1105: "marker-ink-almost-empty", 1107: "marker-waste-almost-full",
    1108: "marker-waste-almost-full", 1109: "marker-waste-full", 1110: "marker-waste-full", 1111: "opc-near-eol",
    1112: "opc-life-over", 1113: "developer-low", 1114: "developer-empty",
  ]
}
