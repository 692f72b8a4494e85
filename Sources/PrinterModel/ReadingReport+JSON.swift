// The JSON form of a reading's report. In each group and row, `sources` names for each value its object, what that held, its unit, its rule
// and its quality; meters have these beside their value. A number ending in `Raw` is as the device sent it and may be -1, -2 or -3, which
// are no amounts: the meaning stands beside it.

internal import MIB

extension ReadingReport {
  /// One JSON object (RFC 8259), ending in a line break. Unknown numbers are null with the quality `unknown` or `someRemaining`.
  package var json: String {
    let identity = identityFields.map { ($0.0, JSONText($0.1)) } + [("sources", Self.json(sources.identity))]
    let detectors = detectorFields.map { ($0.0, JSONText($0.1)) } + [("sources", Self.json(sources.detectors))]
    let object = JSONText.object([
      ("identity", .object(identity)), ("status", statusJSON), ("meters", .array(reading.meters.map(meterJSON))),
      ("supplies", .array(reading.supplies.map(supplyJSON))), ("inputs", .array(reading.inputs.map(trayJSON))),
      ("outputs", .array(reading.outputs.map(binJSON))), ("covers", .array(reading.covers.map(coverJSON))),
      ("alerts", .array(reading.alerts.map(alertJSON))), ("detectors", .object(detectors)),
      ("checks", .array(reading.checks.map(checkJSON))), ("findings", .array(reading.findings.map(findingJSON))),
    ])
    return object.text() + "\n"
  }

  /// An array, because a value can have several sources (the console's lines).
  private static func json(_ sources: [ValueSource]?) -> JSONText {
    .array(
      (sources ?? []).map { source in
        .object([
          ("value", .string(source.value)), ("oid", .string(source.source.name.description)),
          ("raw", .string(source.source.raw.display)), ("unit", JSONText(source.unit)),
          ("rule", .string(source.rule.description)), ("quality", .string(source.quality.identifier)),
        ])
      })
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
      ("console", .array(status.console.map { .string($0.text) })), ("sources", Self.json(sources.status)),
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
    .object([
      ("row", .string(supply.row.description)), ("marker", JSONText(supply.marker)),
      ("colorantIndex", JSONText(supply.colorantIndex)), ("colorant", JSONText(supply.colorant)),
      ("class", JSONText(supply.supplyClass.map { EnumerationNames.supplyClass($0) ?? String($0) })),
      ("type", JSONText(supply.type.map { EnumerationNames.supplyType($0) ?? String($0) })),
      ("description", JSONText(supply.description)), ("unit", JSONText(supply.unit?.name)),
      ("capacityRaw", JSONText(supply.capacity)), ("capacityMeaning", Self.meaning(supply.capacity)),
      ("levelRaw", JSONText(supply.level)), ("meaning", .string(supply.meaning.rawValue)),
      ("percentRemaining", supply.percentRemaining.map(JSONText.number) ?? .null),
      ("remaining", .string(supply.remaining)), ("quality", .string(supply.quality.identifier)),
      ("partNumber", JSONText(supply.partNumber)), ("serialNumber", JSONText(supply.serialNumber)),
      ("rule", .string(supply.rule.description)), ("sources", Self.json(sources.supplies[supply.row])),
    ])
  }

  private func trayJSON(_ tray: InputTray) -> JSONText {
    .object([
      ("row", .string(tray.row.description)), ("type", JSONText(tray.type)), ("name", JSONText(tray.name)),
      ("description", JSONText(tray.description)), ("media", JSONText(tray.media)),
      ("capacityUnit", JSONText(tray.capacityUnit?.name)), ("capacityRaw", JSONText(tray.capacity)),
      ("capacityMeaning", Self.meaning(tray.capacity)), ("levelRaw", JSONText(tray.level)),
      ("levelMeaning", Self.meaning(tray.level)), ("statusRaw", JSONText(tray.status)),
      ("sources", Self.json(sources.inputs[tray.row])),
    ])
  }

  private func binJSON(_ bin: OutputBin) -> JSONText {
    .object([
      ("row", .string(bin.row.description)), ("name", JSONText(bin.name)), ("description", JSONText(bin.description)),
      ("capacityRaw", JSONText(bin.capacity)), ("capacityMeaning", Self.meaning(bin.capacity)),
      ("remainingRaw", JSONText(bin.remaining)), ("remainingMeaning", Self.meaning(bin.remaining)),
      ("statusRaw", JSONText(bin.status)), ("sources", Self.json(sources.outputs[bin.row])),
    ])
  }

  private static func meaning(_ amount: Int64?) -> JSONText { JSONText(amount.map { AmountMeaning($0).rawValue }) }

  private func coverJSON(_ cover: Cover) -> JSONText {
    .object([
      ("row", .string(cover.row.description)), ("description", JSONText(cover.description)),
      ("status", JSONText(cover.status.map { EnumerationNames.coverStatus($0) ?? String($0) })),
      ("sources", Self.json(sources.covers[cover.row])),
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
      ("sources", Self.json(sources.alerts[alert.row])),
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
