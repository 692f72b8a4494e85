// The columns of the standard tables that a reading shows, with the names of their objects: a row's sources are read off the walk by it.

internal import MIB

/// One table, and what a report calls its columns.
struct ReportedTable: Sendable {
  /// How a column's number reads, which decides how far it can be trusted.
  enum Kind: Sendable {
    case text
    case number
    /// A Counter32.
    case counter
    /// An enumeration with the MIB's names.
    case code(@Sendable (Int64) -> String?)
    /// An amount, for which -1, -2 and -3 are no numbers.
    case amount
    /// Hundredths of a second.
    case ticks
  }

  struct Column: Sendable {
    let value: String
    let number: UInt32
    let object: String
    let kind: Kind

    init(_ value: String, _ number: UInt32, _ object: String, _ kind: Kind) {
      self.value = value
      self.number = number
      self.object = object
      self.kind = kind
    }
  }

  static let ticks = "hundredths of a second"

  let entry: ObjectIdentifier
  let columns: [Column]
  /// The standard that defines them.
  var standard = "rfc3805"

  /// The sources of a row's values, for the columns that the walk has.
  /// - Parameter unit: of the row's amounts.
  func sources(in walk: Walk, _ row: RowIndex, unit: CounterUnit? = nil) -> [ValueSource] {
    columns.compactMap { column in
      let name = entry.appending(column.number).appending(row.name)
      guard let raw = walk[name], !raw.isException else { return nil }
      return ValueSource(
        column.value, Source(name, raw), unit: column.kind.unit(unit), rule: .object(standard, column.object),
        quality: column.kind.quality(of: raw))
    }
  }

  func number(_ column: UInt32, in walk: Walk, _ row: RowIndex) -> Int64? {
    walk[entry.appending(column).appending(row.name)]?.number(as: .integer32)
  }
}

extension ReportedTable.Kind {
  func unit(_ unit: CounterUnit?) -> String? {
    switch self {
    case .amount: unit?.name
    case .ticks: ReportedTable.ticks
    case .text, .number, .counter, .code: nil
    }
  }

  private var syntax: NumericSyntax {
    switch self {
    case .counter, .ticks: .unsigned32
    case .text, .number, .code, .amount: .integer32
    }
  }

  /// Unknown where the value is of another type, none that the object can have, or means that the device does not know.
  func quality(of raw: ObjectValue) -> Quality {
    if case .text = self { return raw.octets == nil ? .unknown : .exact }
    guard let number = raw.number(as: syntax) else { return .unknown }
    switch self {
    case .code(let names): return names(number) == "unknown" ? .unknown : .exact
    case .amount: return AmountMeaning(number).quality
    case .text, .number, .counter, .ticks: return .exact
    }
  }
}

// MARK: - Tables

extension ReportedTable {
  static let supplies = ReportedTable(
    entry: PrinterMIB.Supplies.entry,
    columns: [
      Column("marker", PrinterMIB.Supplies.markerIndex, "prtMarkerSuppliesMarkerIndex", .number),
      Column("colorantIndex", PrinterMIB.Supplies.colorantIndex, "prtMarkerSuppliesColorantIndex", .number),
      Column("class", PrinterMIB.Supplies.supplyClass, "prtMarkerSuppliesClass", .code(EnumerationNames.supplyClass)),
      Column("type", PrinterMIB.Supplies.type, "prtMarkerSuppliesType", .code(EnumerationNames.supplyType)),
      Column("description", PrinterMIB.Supplies.description, "prtMarkerSuppliesDescription", .text),
      Column("unit", PrinterMIB.Supplies.unit, "prtMarkerSuppliesSupplyUnit", .code(EnumerationNames.unit)),
      Column("capacityRaw", PrinterMIB.Supplies.maxCapacity, "prtMarkerSuppliesMaxCapacity", .amount),
      Column("levelRaw", PrinterMIB.Supplies.level, "prtMarkerSuppliesLevel", .amount),
    ])

  static let finisherSupplies = ReportedTable(
    entry: FinisherMIB.Supply.entry,
    columns: [
      Column("class", FinisherMIB.Supply.supplyClass, "finSupplyClass", .code(EnumerationNames.supplyClass)),
      Column("type", FinisherMIB.Supply.type, "finSupplyType", .code(EnumerationNames.supplyType)),
      Column("description", FinisherMIB.Supply.description, "finSupplyDescription", .text),
      Column("unit", FinisherMIB.Supply.unit, "finSupplyUnit", .code(EnumerationNames.unit)),
      Column("capacityRaw", FinisherMIB.Supply.maxCapacity, "finSupplyMaxCapacity", .amount),
      Column("levelRaw", FinisherMIB.Supply.level, "finSupplyCurrentLevel", .amount),
      Column("colorant", FinisherMIB.Supply.colorName, "finSupplyColorName", .text),
    ], standard: "rfc3806")

  static let colorant = ReportedTable(
    entry: PrinterMIB.Colorant.entry,
    columns: [Column("colorant", PrinterMIB.Colorant.value, "prtMarkerColorantValue", .text)])

  static let input = ReportedTable(
    entry: PrinterMIB.Input.entry,
    columns: [
      Column("type", PrinterMIB.Input.type, "prtInputType", .code(EnumerationNames.inputType)),
      Column("capacityUnit", PrinterMIB.Input.capacityUnit, "prtInputCapacityUnit", .code(EnumerationNames.unit)),
      Column("capacityRaw", PrinterMIB.Input.maxCapacity, "prtInputMaxCapacity", .amount),
      Column("levelRaw", PrinterMIB.Input.currentLevel, "prtInputCurrentLevel", .amount),
      Column("statusRaw", PrinterMIB.Input.status, "prtInputStatus", .number),
      Column("media", PrinterMIB.Input.mediaName, "prtInputMediaName", .text),
      Column("name", PrinterMIB.Input.name, "prtInputName", .text),
      Column("description", PrinterMIB.Input.description, "prtInputDescription", .text),
    ])

  static let output = ReportedTable(
    entry: PrinterMIB.Output.entry,
    columns: [
      Column("capacityUnit", PrinterMIB.Output.capacityUnit, "prtOutputCapacityUnit", .code(EnumerationNames.unit)),
      Column("capacityRaw", PrinterMIB.Output.maxCapacity, "prtOutputMaxCapacity", .amount),
      Column("remainingRaw", PrinterMIB.Output.remainingCapacity, "prtOutputRemainingCapacity", .amount),
      Column("statusRaw", PrinterMIB.Output.status, "prtOutputStatus", .number),
      Column("name", PrinterMIB.Output.name, "prtOutputName", .text),
      Column("description", PrinterMIB.Output.description, "prtOutputDescription", .text),
    ])

  static let cover = ReportedTable(
    entry: PrinterMIB.Cover.entry,
    columns: [
      Column("description", PrinterMIB.Cover.description, "prtCoverDescription", .text),
      Column("status", PrinterMIB.Cover.status, "prtCoverStatus", .code(EnumerationNames.coverStatus)),
    ])

  static let marker = ReportedTable(
    entry: PrinterMIB.Marker.entry,
    columns: [
      Column(
        "technology", PrinterMIB.Marker.technology, "prtMarkerMarkTech", .code(EnumerationNames.markerTechnology)),
      Column("powerOnCount", PrinterMIB.Marker.powerOnCount, "prtMarkerPowerOnCount", .counter),
      Column("statusRaw", PrinterMIB.Marker.status, "prtMarkerStatus", .number),
    ])

  static let alert = ReportedTable(
    entry: PrinterMIB.Alert.entry,
    columns: [
      Column("severity", PrinterMIB.Alert.severity, "prtAlertSeverityLevel", .code(EnumerationNames.severity)),
      Column(
        "training", PrinterMIB.Alert.trainingLevel, "prtAlertTrainingLevel", .code(EnumerationNames.trainingLevel)),
      Column("group", PrinterMIB.Alert.group, "prtAlertGroup", .code(EnumerationNames.alertGroup)),
      Column("groupIndex", PrinterMIB.Alert.groupIndex, "prtAlertGroupIndex", .number),
      Column("location", PrinterMIB.Alert.location, "prtAlertLocation", .amount),
      Column("code", PrinterMIB.Alert.code, "prtAlertCode", .code(EnumerationNames.alertCode)),
      Column("description", PrinterMIB.Alert.description, "prtAlertDescription", .text),
      Column("timeTicks", PrinterMIB.Alert.time, "prtAlertTime", .ticks),
    ])

  static let detectors = ReportedTable(
    entry: PrinterMIB.General.entry,
    columns: [
      Column("configurationChanges", PrinterMIB.General.configurationChanges, "prtGeneralConfigChanges", .counter),
      Column("criticalAlertEvents", PrinterMIB.General.alertCriticalEvents, "prtAlertCriticalEvents", .counter),
      Column("allAlertEvents", PrinterMIB.General.alertAllEvents, "prtAlertAllEvents", .counter),
    ])
}
