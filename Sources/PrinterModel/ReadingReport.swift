// A reading for people and for programs: what `ptagent read` prints. Each number stands with the object it came from, the raw value, its
// unit, the rule and the quality; what is not known is the word `unknown`, never a number.

internal import MIB

/// Renders one reading as text or as JSON.
package struct ReadingReport: Sendable {
  private let reading: Reading
  private let profiles: ProfileSet

  package init(_ reading: Reading, profiles: ProfileSet = .shipped) {
    self.reading = reading
    self.profiles = profiles
  }

  /// Sections with aligned columns, ending in a line break.
  package var text: String {
    var sections: [(title: String, rows: [[String]])] = [("Identity", identityRows), ("Status", statusRows)]
    sections.append(("Meters", reading.meters.map(meterRow)))
    sections.append(("Supplies", reading.supplies.map(supplyRow)))
    sections.append(("Trays", reading.inputs.map(trayRow)))
    sections.append(("Output bins", reading.outputs.map(binRow)))
    sections.append(("Covers", reading.covers.map(coverRow)))
    sections.append(("Alerts", reading.alerts.map(alertRow)))
    sections.append(("Checks", reading.checks.map(checkRow)))
    sections.append(("Findings", reading.findings.map { [$0.name?.description ?? "-", $0.message] }))
    return sections.filter { !$0.rows.isEmpty }.map { "\($0.title)\n" + Self.aligned($0.rows) }
      .joined(separator: "\n")
  }
}

// MARK: - Rows

extension ReadingReport {
  /// The total names its reason, because a device can have several counters that could be it.
  fileprivate func meterRow(_ meter: Meter) -> [String] {
    let value = meter.quality.isNumber ? "\(meter.value) \(meter.unit.name)" : meter.quality.word
    var row = [
      meter.name.description, value, meter.quality.word, meter.source.name.description, meter.source.raw.display,
      meter.rule.description,
    ]
    if meter.name == .total, let reason = Interpretation.reason(for: meter.rule, profiles: profiles) {
      row.append("because: \(reason)")
    }
    return row
  }

  fileprivate func supplyRow(_ supply: Supply) -> [String] {
    let level = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level).appending(supply.row.components)
    return [
      supply.row.description, EnumerationNames.supplyType(supply.type), supply.colorant?.text ?? "-",
      supply.description?.text ?? "-", supply.remaining, supply.levelOfCapacity, supply.quality.word,
      level.description, supply.level.map { "raw \($0)" } ?? "absent", supply.rule.description,
    ]
  }

  fileprivate func trayRow(_ tray: InputTray) -> [String] {
    let level = PrinterMIB.Input.entry.appending(PrinterMIB.Input.currentLevel).appending(tray.row.components)
    return [
      tray.row.description, tray.name?.text ?? tray.description?.text ?? "-", tray.levelWords,
      tray.media?.text ?? "-", level.description, tray.level.map { "raw \($0)" } ?? "absent",
    ]
  }

  fileprivate func binRow(_ bin: OutputBin) -> [String] {
    let remaining = bin.remaining.map { $0 >= 0 ? "room for \($0)" : InputTray.special($0) } ?? "unknown"
    return [bin.row.description, bin.name?.text ?? bin.description?.text ?? "-", remaining]
  }

  fileprivate func coverRow(_ cover: Cover) -> [String] {
    [cover.row.description, cover.description?.text ?? "-", Self.name(cover.status, EnumerationNames.coverStatus)]
  }

  fileprivate func alertRow(_ alert: PrinterAlert) -> [String] {
    [
      alert.row.description, Self.name(alert.severity, EnumerationNames.severity),
      Self.name(alert.code, EnumerationNames.alertCode),
      "\(Self.name(alert.group, EnumerationNames.alertGroup)) \(alert.groupIndex.map(String.init) ?? "-")",
      Self.name(alert.training, EnumerationNames.trainingLevel), alert.description?.text ?? "-",
    ]
  }

  fileprivate func checkRow(_ check: ArithmeticCheck) -> [String] {
    let verdict = check.holds ? "holds" : "does not hold, \(check.expected) against \(check.actual)"
    return [check.name, verdict]
  }

  fileprivate var identityFields: [(String, String?)] {
    let identity = reading.identity
    return [
      ("make", identity.make), ("model", identity.model?.text), ("serial", identity.serial?.text),
      ("macAddress", identity.macAddress.map(\.macText)), ("firmware", identity.firmware?.text),
      ("hostName", identity.hostName?.text), ("location", identity.location?.text),
      ("assetNumber", identity.assetNumber?.text), ("printerName", identity.printerName?.text),
      ("systemDescription", identity.systemDescription?.text),
      ("systemObjectID", identity.systemObjectID?.description), ("deviceID", identity.deviceID?.text),
    ]
  }

  fileprivate var identityRows: [[String]] {
    identityFields.compactMap { name, value in value.map { [name, $0] } }
  }

  fileprivate var statusRows: [[String]] {
    var rows = [
      ["device", Self.name(reading.status.device, EnumerationNames.deviceStatus)],
      ["printer", Self.name(reading.status.printer, EnumerationNames.printerStatus)],
    ]
    if let errors = reading.status.detectedErrors {
      let names = EnumerationNames.detectedErrors(errors)
      rows.append(["detected errors", names.isEmpty ? "none" : names.joined(separator: ", ")])
    } else {
      rows.append(["detected errors", "unknown"])
    }
    return rows + reading.status.console.map { ["console", $0.text] }
  }

  /// The MIB's name, the number where it has none, `unknown` where there is no number.
  fileprivate static func name(_ value: Int64?, _ names: (Int64) -> String?) -> String {
    value.map { names($0) ?? String($0) } ?? "unknown"
  }

  private static func aligned(_ rows: [[String]]) -> String {
    var widths: [Int] = []
    let clean = rows.map { $0.map { $0.replacingControls } }
    for row in clean {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.count)
      }
    }
    return clean.map { row in
      var line = " "
      for (column, cell) in row.enumerated() {
        let padding = column == row.count - 1 ? 0 : widths[column] - cell.count
        line += " " + cell + String(repeating: " ", count: padding)
      }
      return line + "\n"
    }.joined()
  }
}

// MARK: - JSON

extension ReadingReport {
  /// One JSON object (RFC 8259), ending in a line break. Unknown numbers are null with the quality `unknown` or `someRemaining`.
  package var json: String {
    let object = JSONText.object([
      ("identity", .object(identityFields.map { ($0.0, JSONText($0.1)) })),
      ("status", statusJSON), ("meters", .array(reading.meters.map(meterJSON))),
      ("supplies", .array(reading.supplies.map(supplyJSON))), ("inputs", .array(reading.inputs.map(trayJSON))),
      ("outputs", .array(reading.outputs.map(binJSON))), ("covers", .array(reading.covers.map(coverJSON))),
      ("alerts", .array(reading.alerts.map(alertJSON))), ("detectors", detectorsJSON),
      ("checks", .array(reading.checks.map(checkJSON))), ("findings", .array(reading.findings.map(findingJSON))),
    ])
    return object.text() + "\n"
  }

  private var statusJSON: JSONText {
    let status = reading.status
    let errors = status.detectedErrors.map { EnumerationNames.detectedErrors($0).map(JSONText.string) }
    return .object([
      ("device", JSONText(status.device.flatMap(EnumerationNames.deviceStatus))),
      ("deviceRaw", JSONText(status.device)),
      ("printer", JSONText(status.printer.flatMap(EnumerationNames.printerStatus))),
      ("printerRaw", JSONText(status.printer)), ("detectedErrors", errors.map(JSONText.array) ?? .null),
      ("detectedErrorsRaw", JSONText(status.detectedErrors?.hexadecimal)),
      ("console", .array(status.console.map { .string($0.text) })),
    ])
  }

  private var detectorsJSON: JSONText {
    .object([
      ("configurationChanges", JSONText(reading.detectors.configurationChanges)),
      ("criticalAlertEvents", JSONText(reading.detectors.criticalAlertEvents)),
      ("allAlertEvents", JSONText(reading.detectors.allAlertEvents)),
      ("uptimeTicks", JSONText(reading.detectors.uptimeTicks)),
    ])
  }

  private func meterJSON(_ meter: Meter) -> JSONText {
    .object([
      ("name", .string(meter.name.description)), ("value", meter.quality.isNumber ? .unsigned(meter.value) : .null),
      ("unit", .string(meter.unit.name)), ("quality", .string(meter.quality.identifier)),
      ("oid", .string(meter.source.name.description)), ("raw", .string(meter.source.raw.display)),
      ("rule", .string(meter.rule.description)),
      ("reason", JSONText(Interpretation.reason(for: meter.rule, profiles: profiles))),
    ])
  }

  private func supplyJSON(_ supply: Supply) -> JSONText {
    let level = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level).appending(supply.row.components)
    return .object([
      ("row", .string(supply.row.description)), ("marker", JSONText(supply.marker)),
      ("colorantIndex", JSONText(supply.colorantIndex)), ("colorant", JSONText(supply.colorant)),
      ("class", JSONText(supply.supplyClass.map { EnumerationNames.supplyClass($0) ?? String($0) })),
      ("type", JSONText(supply.type.map { EnumerationNames.supplyType($0) ?? String($0) })),
      ("description", JSONText(supply.description)), ("unit", JSONText(supply.unit?.name)),
      ("capacityRaw", JSONText(supply.capacity)), ("levelRaw", JSONText(supply.level)),
      ("meaning", .string(supply.meaning.rawValue)),
      ("percentRemaining", supply.percentRemaining.map(JSONText.number) ?? .null),
      ("quality", .string(supply.quality.identifier)), ("partNumber", JSONText(supply.partNumber)),
      ("serialNumber", JSONText(supply.serialNumber)), ("oid", .string(level.description)),
      ("rule", .string(supply.rule.description)),
    ])
  }

  private func trayJSON(_ tray: InputTray) -> JSONText {
    .object([
      ("row", .string(tray.row.description)), ("type", JSONText(tray.type)), ("name", JSONText(tray.name)),
      ("description", JSONText(tray.description)), ("media", JSONText(tray.media)),
      ("capacityUnit", JSONText(tray.capacityUnit?.name)), ("capacityRaw", JSONText(tray.capacity)),
      ("levelRaw", JSONText(tray.level)), ("statusRaw", JSONText(tray.status)),
    ])
  }

  private func binJSON(_ bin: OutputBin) -> JSONText {
    .object([
      ("row", .string(bin.row.description)), ("name", JSONText(bin.name)), ("description", JSONText(bin.description)),
      ("capacityRaw", JSONText(bin.capacity)), ("remainingRaw", JSONText(bin.remaining)),
      ("statusRaw", JSONText(bin.status)),
    ])
  }

  private func coverJSON(_ cover: Cover) -> JSONText {
    .object([
      ("row", .string(cover.row.description)), ("description", JSONText(cover.description)),
      ("status", JSONText(cover.status.map { EnumerationNames.coverStatus($0) ?? String($0) })),
    ])
  }

  private func alertJSON(_ alert: PrinterAlert) -> JSONText {
    .object([
      ("row", .string(alert.row.description)),
      ("severity", JSONText(alert.severity.flatMap(EnumerationNames.severity))),
      ("severityRaw", JSONText(alert.severity)),
      ("training", JSONText(alert.training.flatMap(EnumerationNames.trainingLevel))),
      ("group", JSONText(alert.group.flatMap(EnumerationNames.alertGroup))), ("groupRaw", JSONText(alert.group)),
      ("groupIndex", JSONText(alert.groupIndex)), ("location", JSONText(alert.location)),
      ("code", JSONText(alert.code.flatMap(EnumerationNames.alertCode))), ("codeRaw", JSONText(alert.code)),
      ("description", JSONText(alert.description)), ("timeTicks", JSONText(alert.time)),
    ])
  }

  private func checkJSON(_ check: ArithmeticCheck) -> JSONText {
    .object([
      ("name", .string(check.name)), ("expected", .integer(check.expected)), ("actual", .integer(check.actual)),
      ("holds", .bool(check.holds)),
    ])
  }

  private func findingJSON(_ finding: Finding) -> JSONText {
    .object([("oid", JSONText(finding.name?.description)), ("message", .string(finding.message))])
  }
}
