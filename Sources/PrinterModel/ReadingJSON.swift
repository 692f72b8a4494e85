// The JSON form of a device's reading, one for every program that shows one: a reading of now (`ReadingReport`), a fleet out of the journal, the
// chain behind a number. Names stand for what the MIBs number; a number ending in `Raw` is as the device sent it and may be -1, -2 or -3, which
// are no amounts: the meaning stands beside it. Where the walk is at hand, `sources` names in each group and row for each value its object, what
// that held, its unit, its rule and its quality; meters have these beside their value.

internal import MIB

/// Makes the JSON of readings and of their parts. Unknown numbers are null with the quality `unknown` or `someRemaining`.
package struct ReadingJSON: Sendable {
  private let sources: ReadingSources?
  private let profiles: ProfileSet

  package init(profiles: ProfileSet = .shipped) { self.init(sources: nil, profiles: profiles) }

  /// - Parameter sources: nil leaves the members `sources` out.
  init(sources: ReadingSources?, profiles: ProfileSet) {
    self.sources = sources
    self.profiles = profiles
  }

  /// The groups and tables of a reading, as members of one object.
  package func members(of reading: Reading) -> [(String, JSONText)] {
    [
      ("identity", identity(reading.identity)), ("status", status(reading.status)),
      ("meters", .array(reading.meters.map(meter))), ("supplies", .array(reading.supplies.map(supply))),
      ("inputs", .array(reading.inputs.map(tray))), ("outputs", .array(reading.outputs.map(bin))),
      ("covers", .array(reading.covers.map(cover))),
      ("markers", .array(reading.markers.map(marker))), ("alerts", .array(reading.alerts.map { .object(alert($0)) })),
      ("detectors", detectors(reading.detectors)), ("checks", .array(reading.checks.map(check))),
      ("findings", .array(reading.findings.map(finding))),
    ]
  }

  package func identity(_ identity: DeviceIdentity) -> JSONText {
    .object(identity.fields.map { ($0.0, JSONText($0.1)) } + named(sources?.identity))
  }

  private func detectors(_ detectors: ChangeDetectors) -> JSONText {
    .object(detectors.fields.map { ($0.0, JSONText($0.1)) } + named(sources?.detectors))
  }

  /// The member `sources`, where there are any. An array, because a value can have several (the console's lines).
  private func named(_ group: [ValueSource]?) -> [(String, JSONText)] {
    guard sources != nil else { return [] }
    let array = (group ?? []).map { source in
      JSONText.object([
        ("value", .string(source.value)), source.source.name.member,
        ("raw", .string(source.source.rawShown)), ("unit", JSONText(source.unit)),
        ("rule", .string(source.rule.description)), ("quality", .string(source.quality.identifier)),
      ])
    }
    return [("sources", .array(array))]
  }

  private func status(_ status: DeviceStatus) -> JSONText {
    let errors = status.detectedErrors.map { EnumerationNames.detectedErrors($0).map(JSONText.string) }
    return .object(
      [
        ("device", JSONText(status.device.flatMap(EnumerationNames.deviceStatus))),
        ("deviceRaw", JSONText(status.device)),
        ("printer", JSONText(status.printer.flatMap(EnumerationNames.printerStatus))),
        ("printerRaw", JSONText(status.printer)), ("detectedErrors", errors.map(JSONText.array) ?? .null),
        ("detectedErrorsRaw", JSONText(status.detectedErrors?.hexadecimal)),
        ("console", .array(status.console.map { .string($0.text) })),
      ] + named(sources?.status))
  }

  package func meter(_ meter: Meter) -> JSONText {
    .object([
      ("name", .string(meter.name.description)), ("value", meter.quality.isNumber ? .unsigned(meter.value) : .null),
      ("unit", .string(meter.unit.name)), ("quality", .string(meter.quality.identifier)),
      meter.source.name.member, ("raw", .string(meter.source.rawShown)),
      ("rule", .string(meter.rule.description)),
      ("reason", JSONText(Interpretation.reason(for: meter, profiles: profiles))),
    ])
  }

  package func supply(_ supply: Supply) -> JSONText {
    .object(
      [
        ("row", .string(supply.row.description)), ("marker", JSONText(supply.marker)),
        ("colorantIndex", JSONText(supply.colorantIndex)), ("colorant", JSONText(supply.colorant)),
        ("colour", JSONText(supply.colour)),
        ("class", JSONText(supply.supplyClass.map { EnumerationNames.supplyClass($0) ?? String($0) })),
        ("type", JSONText(supply.type.map { EnumerationNames.supplyType($0) ?? String($0) })),
        ("description", JSONText(supply.description)), ("unit", JSONText(supply.unit?.name)),
        ("capacityRaw", JSONText(supply.capacity)), ("capacityMeaning", Self.meaning(supply.capacity)),
        ("levelRaw", JSONText(supply.level)), ("meaning", .string(supply.meaning.rawValue)),
        ("percentRemaining", supply.percentRemaining.map(JSONText.number) ?? .null),
        ("pagesRemaining", JSONText(supply.pagesRemaining)), ("remaining", .string(supply.remaining)),
        ("quality", .string(supply.quality.identifier)),
        ("partNumber", JSONText(supply.partNumber)), ("serialNumber", JSONText(supply.serialNumber)),
        ("rule", .string(supply.rule.description)),
      ] + named(sources?.supplies[supply.row]))
  }

  private func tray(_ tray: InputTray) -> JSONText {
    .object(
      [
        ("row", .string(tray.row.description)), ("type", Self.name(tray.type, EnumerationNames.inputType)),
        ("name", JSONText(tray.name)),
        ("description", JSONText(tray.description)), ("media", JSONText(tray.media)),
        ("capacityUnit", JSONText(tray.capacityUnit?.name)), ("capacityRaw", JSONText(tray.capacity)),
        ("capacityMeaning", Self.meaning(tray.capacity)), ("levelRaw", JSONText(tray.level)),
        ("levelMeaning", Self.meaning(tray.level)), ("status", Self.subUnitStatus(tray.status)),
        ("statusRaw", JSONText(tray.status)),
      ] + named(sources?.inputs[tray.row]))
  }

  private func bin(_ bin: OutputBin) -> JSONText {
    .object(
      [
        ("row", .string(bin.row.description)), ("name", JSONText(bin.name)), ("description", JSONText(bin.description)),
        ("capacityRaw", JSONText(bin.capacity)), ("capacityMeaning", Self.meaning(bin.capacity)),
        ("remainingRaw", JSONText(bin.remaining)), ("remainingMeaning", Self.meaning(bin.remaining)),
        ("status", Self.subUnitStatus(bin.status)), ("statusRaw", JSONText(bin.status)),
      ] + named(sources?.outputs[bin.row]))
  }

  private static func meaning(_ amount: Int64?) -> JSONText { JSONText(amount.map { AmountMeaning($0).rawValue }) }

  /// The enumeration's name, or its number where the MIB names none.
  private static func name(_ value: Int64?, _ names: (Int64) -> String?) -> JSONText {
    JSONText(value.map { names($0) ?? String($0) })
  }

  /// The names of what PrtSubUnitStatusTC says, null where nothing is said.
  private static func subUnitStatus(_ value: Int64?) -> JSONText {
    value.map { .array(EnumerationNames.subUnitStatus($0).map(JSONText.string)) } ?? .null
  }

  private func marker(_ marker: MarkerUnit) -> JSONText {
    .object(
      [
        ("row", .string(marker.row.description)),
        ("technology", Self.name(marker.technology, EnumerationNames.markerTechnology)),
        ("powerOnCount", JSONText(marker.powerOnCount)), ("status", Self.subUnitStatus(marker.status)),
        ("statusRaw", JSONText(marker.status)),
      ] + named(sources?.markers[marker.row]))
  }

  private func cover(_ cover: Cover) -> JSONText {
    .object(
      [
        ("row", .string(cover.row.description)), ("description", JSONText(cover.description)),
        ("status", JSONText(cover.status.map { EnumerationNames.coverStatus($0) ?? String($0) })),
      ] + named(sources?.covers[cover.row]))
  }

  /// The members of one object.
  package func alert(_ alert: PrinterAlert) -> [(String, JSONText)] {
    [
      ("row", .string(alert.row.description)),
      ("severity", JSONText(alert.severity.flatMap(EnumerationNames.severity))),
      ("severityRaw", JSONText(alert.severity)),
      ("training", JSONText(alert.training.flatMap(EnumerationNames.trainingLevel))),
      ("group", JSONText(alert.group.flatMap(EnumerationNames.alertGroup))), ("groupRaw", JSONText(alert.group)),
      ("groupIndex", JSONText(alert.groupIndex)), ("location", JSONText(alert.location)),
      ("code", JSONText(alert.code.flatMap(EnumerationNames.alertCode))), ("codeRaw", JSONText(alert.code)),
      ("description", JSONText(alert.description)), ("timeTicks", JSONText(alert.time)),
    ] + named(sources?.alerts[alert.row])
  }

  package func check(_ check: ArithmeticCheck) -> JSONText {
    .object([
      ("name", .string(check.name)), ("expected", .integer(check.expected)), ("actual", .integer(check.actual)),
      ("holds", .bool(check.holds)),
    ])
  }

  private func finding(_ finding: Finding) -> JSONText {
    .object([finding.name?.member ?? ("oid", .null), ("message", .string(finding.message))])
  }
}

extension ObjectIdentifier {
  /// `oid` with an object's dotted name, `attribute` with that of an IPP attribute.
  fileprivate var member: (String, JSONText) {
    AttributeName(self).map { ("attribute", .string($0.description)) } ?? ("oid", .string(description))
  }
}

extension ReadingReport {
  /// One JSON object (RFC 8259), ending in a line break.
  package var json: String {
    JSONText.object(ReadingJSON(sources: sources, profiles: profiles).members(of: reading)).text() + "\n"
  }
}
