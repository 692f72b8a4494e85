// Alerts over IPP: `printer-alert` repeats rows of prtAlertTable, and `printer-state-reasons` says in keywords what is the matter. What both tell
// is one alert.
//
// Some printers (HP's inkjets) keep a history in printer-alert: thirty rows of severity `other` whose code is unknown, or that the printer is ready.
// Nothing is wrong there, and the rows raise nothing; one finding counts them.

internal import MIB

extension AttributeTranslation {
  mutating func translateAlerts() {
    var told: [(code: Int64, group: Int64?)] = []
    var index: UInt32 = 0
    let descriptions = walk.attribute("printer-alert-description")
    var silent = 0
    for (place, binding) in walk.attribute("printer-alert").enumerated() {
      guard let row = row(binding), !row.pairs.isEmpty else { continue }
      let code = number(row, "code", .alertCode, binding)
      let severity = number(row, "severity", .severity, binding)
      guard Self.tells(code, severity) else {
        silent += 1
        continue
      }
      index += 1
      if let code { told.append((code, number(row, "group", .alertGroup, binding))) }
      let description = descriptions.count > place ? descriptions[place] : nil
      makeAlert(index, row, code, severity, binding, description)
    }
    if silent > 0 {
      let rows = silent == 1 ? "1 row tells" : "\(silent) rows tell"
      found(
        AttributeName("printer-alert")?.identifier,
        "\(rows) of no alert: neither a code nor a severity says what is wrong")
    }
    for reason in reasons where reason.isCondition && reason.severity != .report {
      if let bit = reason.condition.bit { setErrorBit(bit, reason.binding) }
      guard !reason.isTold(by: told) || reason.groupIndex != nil else { continue }
      index += 1
      makeAlert(index, reason)
      // Two keywords of one code are one alert.
      told.append((reason.condition.code, reason.condition.group))
    }
    if let none = first("printer-state-reasons") { setErrorBit(nil, none) }
  }

  /// A row is an alert when its severity is graver than `other`, or its code names a condition.
  private static func tells(_ code: Int64?, _ severity: Int64?) -> Bool {
    if let severity, severity > 1 { return true }
    guard let code else { return false }
    return code > 2 && code != readyToPrint
  }

  /// printerReadyToPrint
  private static let readyToPrint: Int64 = 507

  private mutating func makeAlert(
    _ index: UInt32, _ row: AttributeRow, _ code: Int64?, _ severity: Int64?, _ binding: VarBind,
    _ description: VarBind?
  ) {
    func name(_ column: UInt32) -> ObjectIdentifier {
      PrinterMIB.Alert.entry.appending(column, Self.device, index)
    }
    let numbers: [(UInt32, Int64?)] = [
      (PrinterMIB.Alert.severity, severity),
      (PrinterMIB.Alert.trainingLevel, number(row, "training", .training, binding)),
      (PrinterMIB.Alert.group, number(row, "group", .alertGroup, binding)),
      (PrinterMIB.Alert.groupIndex, number(row, "groupindex", binding)),
      (PrinterMIB.Alert.location, number(row, "location", binding)), (PrinterMIB.Alert.code, code),
      (PrinterMIB.Alert.time, number(row, "time", binding)),
    ]
    for (column, number) in numbers { if let number { make(name(column), .integer(number), of: binding, .pwg51009) } }
    if let description, let octets = description.value.octets, !octets.isEmpty {
      let told = ObjectValue.octets(Octets(Self.unwrapped(octets.array)))
      make(name(PrinterMIB.Alert.description), told, of: description, .pwg51009)
    }
  }

  /// A description without the name of its attribute, which a Xerox B210 puts around it: `printer-alert-description[0] = 'A paper jam'`.
  private static func unwrapped(_ bytes: [UInt8]) -> [UInt8] {
    guard bytes.starts(with: "printer-alert-description[".utf8), bytes.last == UInt8(ascii: "'"),
      let quote = bytes.firstIndex(of: UInt8(ascii: "'")), quote < bytes.count - 1
    else { return bytes }
    return Array(bytes[(quote + 1)..<(bytes.count - 1)])
  }

  private mutating func makeAlert(_ index: UInt32, _ reason: StateReason) {
    func name(_ column: UInt32) -> ObjectIdentifier {
      PrinterMIB.Alert.entry.appending(column, Self.device, index)
    }
    let binding = reason.binding
    if let severity = reason.alertSeverity {
      make(name(PrinterMIB.Alert.severity), .integer(severity), of: binding, .rfc8011)
    }
    make(name(PrinterMIB.Alert.group), .integer(reason.condition.group), of: binding, .pwg51009)
    if let index = reason.groupIndex { make(name(PrinterMIB.Alert.groupIndex), .integer(index), of: binding, .rfc8011) }
    make(name(PrinterMIB.Alert.code), .integer(reason.condition.code), of: binding, .pwg51009)
    make(name(PrinterMIB.Alert.description), .octets(Array(reason.keyword.utf8)), of: binding, .rfc8011)
  }

  /// Sets a bit of hrPrinterDetectedErrorState; nil only says that the state was told.
  private mutating func setErrorBit(_ bit: Int?, _ binding: VarBind) {
    let name = HostResources.Printer.entry.appending(HostResources.Printer.detectedErrorState, Self.device)
    var octets = objects[name]?.octets?.array ?? [0, 0]
    guard let bit else {
      if objects[name] == nil { make(name, .octets(Octets(octets)), of: binding, .rfc8011) }
      return
    }
    octets[bit / 8] |= 0x80 >> UInt8(bit % 8)
    make(name, .octets(Octets(octets)), of: binding, .rfc8011)
  }
}

// MARK: - Rows of text

extension AttributeTranslation {
  /// A value that is a row; nil for one that says that there is none. What of it is no pair is a finding.
  mutating func row(_ binding: VarBind) -> AttributeRow? {
    guard let octets = binding.value.octets else {
      found(binding.name, "expected a row of the Printer MIB as text, not \(binding.value.display)")
      return nil
    }
    let text = String(decoding: octets, as: UTF8.self)
    guard text.trimmed != "none" else { return nil }
    let row = AttributeRow(text, of: AttributeName(binding.name)?.keyword ?? "")
    for part in row.malformed { found(binding.name, "`\(part)` is no pair of a key and a value") }
    return row
  }

  /// A code of a row; a word that the enumeration does not have is a finding and no number.
  mutating func number(
    _ row: AttributeRow, _ key: String, _ table: EnumerationNames.Table, _ binding: VarBind
  ) -> Int64? {
    guard let word = row[key], !word.trimmed.isEmpty else { return nil }
    if let number = EnumerationNames.number(of: word, in: table) { return number }
    found(binding.name, "`\(key)=\(word)` is none of the standard's words")
    return nil
  }

  /// A number of a row.
  mutating func number(_ row: AttributeRow, _ key: String, _ binding: VarBind) -> Int64? {
    guard let text = row[key], !text.trimmed.isEmpty else { return nil }
    if let number = Int32(text.trimmed) { return Int64(number) }
    found(binding.name, "`\(key)=\(text)` is no number of 32 bits")
    return nil
  }
}
