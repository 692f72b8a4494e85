// Supplies (RFC 3805, prtMarkerSuppliesTable). One row is one supply, whatever its name or colour.
//
//     capacity  level      meaning
//     > 0       >= 0       measured: level / capacity; coarse where the capacity is so small that it counts steps
//     <= 0      >= 0       a level without a capacity: a percentage only if the unit is percent
//     either    more than full (above the capacity, or above 100 percent): unknown, and a finding
//     any       -3         some remains, nobody knows how much
//     any       -2         unknown
//     any       -1         no restriction
//     any       < -3       not standard: unknown, and a finding
//     any       absent     unknown
//
// A container of waste by its type that is consumed by its class: unknown, and a finding, for what is left is what is in it or the room.
//
// Where a maker's record tells in percent what a row does not tell (-2, -3), the row has that percentage, by the record's rule.
//
// The level of a receptacle (class 4) is the space left in it, so that the same ratio holds and nothing is inverted.

internal import MIB

/// What a supply's level means.
package enum SupplyMeaning: String, CaseIterable, Sendable {
  case measured
  case levelWithoutCapacity = "level-without-capacity"
  case someRemaining = "some-remaining"
  case unknown
  case noRestriction = "no-restriction"
  case nonStandardNegative = "non-standard-negative"
  case absent
}

extension Supply {
  /// What the level means, by the table in this file's header.
  package var meaning: SupplyMeaning {
    guard let level else { return .absent }
    switch level {
    case -3: return .someRemaining
    case -2: return .unknown
    case -1: return .noRestriction
    case ..<(-3): return .nonStandardNegative
    default: return (capacity ?? 0) > 0 ? .measured : .levelWithoutCapacity
    }
  }

  /// The level that a full supply has: its capacity, or 100 where there is none and the unit is percent. Nil where nothing tells it.
  package var fullLevel: Int64? {
    switch meaning {
    case .measured: capacity
    case .levelWithoutCapacity: unit == .percent ? 100 : nil
    default: nil
    }
  }

  /// Whether the level is above that of a full supply. Seen in devices whose cartridges hold more than the nominal filling; no percentage
  /// can be made of it.
  package var isOverCapacity: Bool {
    guard let level, let fullLevel else { return false }
    return level > fullLevel
  }
}

extension Supply {
  /// Why a level that is more than full has no percentage.
  fileprivate var overCapacityMessage: String {
    let full = meaning == .measured ? "the capacity of \(fullLevel ?? 0)" : "100 percent"
    return "the level of \(level ?? 0) is above \(full): how much is left is unknown"
  }

  /// Why the level of a container of waste has no percentage.
  fileprivate var wasteConsumedMessage: String {
    let type = EnumerationNames.supplyType(type)
    return
      "\(type) of the class supplyThatIsConsumed: whether \(level ?? 0) is what is in it or the room left is unknown"
  }
}

extension Rule {
  static let supplyLevel = Rule("rfc3805/supply-level@3")
  /// A finisher's supply, read as a marker's is.
  static let finisherSupplyLevel = Rule("rfc3806/supply-level@2")
  /// Part and serial numbers in a supply's description.
  static let supplyLabel = Rule("printtrail/supply-label@1")
  static let supplyLevelInPercent = Rule("rfc3805/supply-level-percent-unit@3")
}

extension Interpreter {
  /// A device whose capacity is at most this many units knows that many steps and no more: full, low and empty, or twentieths. Steps of ten out
  /// of a hundred do not show in one reading.
  private static let coarseCapacityMax: Int64 = 20

  mutating func supplies() -> [Supply] {
    let colorants = colorantTexts()
    let numbers = suppliesByDescription()
    var supplies = rows(PrinterMIB.Supplies.entry).map { row in supply(row, colorants) }
    if supplies.isEmpty { supplies = recordedSupplies() } else { complete(&supplies) }
    supplies += rows(FinisherMIB.Supply.entry).map { row in finisherSupply(row) }
    return supplies.map { supply in
      var supply = supply
      guard let description = supply.description?.text else { return supply }
      (supply.partNumber, supply.serialNumber) = SupplyLabel.numbers(in: description)
      guard let own = numbers[CounterTable.normalizedLabel(description)] ?? nil else { return supply }
      supply.partNumber = own.part?.text.text ?? supply.partNumber
      supply.serialNumber = own.serial?.text.text ?? supply.serialNumber
      return supply
    }
  }

  /// A finisher's supply (RFC 3806): its row is (hrDeviceIndex, 31, finSupplyIndex), 31 being the group's number, so that it is no row of
  /// prtMarkerSuppliesTable.
  private mutating func finisherSupply(_ row: TableRow) -> Supply {
    let index = Array(row.index)
    let components = index.prefix(1) + [FinisherMIB.Supply.group] + index.dropFirst()
    var supply = Supply(row: RowIndex(components), quality: .unknown, rule: .finisherSupplyLevel)
    supply.supplyClass = number(row.binding(FinisherMIB.Supply.supplyClass))
    supply.type = number(row.binding(FinisherMIB.Supply.type))
    supply.description = text(row.binding(FinisherMIB.Supply.description))
    supply.unit = number(row.binding(FinisherMIB.Supply.unit)).map(CounterUnit.init(rawValue:))
    supply.capacity = number(row.binding(FinisherMIB.Supply.maxCapacity))
    supply.level = number(row.binding(FinisherMIB.Supply.level))
    supply.colorant = text(row.binding(FinisherMIB.Supply.colorName))
    measure(&supply, row.binding(FinisherMIB.Supply.level)?.name)
    return supply
  }

  private mutating func supply(_ row: TableRow, _ colorants: [ObjectIdentifier: DeviceText]) -> Supply {
    var supply = Supply(row: RowIndex(row.index), quality: .unknown, rule: .supplyLevel)
    supply.marker = number(row.binding(PrinterMIB.Supplies.markerIndex))
    supply.colorantIndex = number(row.binding(PrinterMIB.Supplies.colorantIndex))
    supply.supplyClass = number(row.binding(PrinterMIB.Supplies.supplyClass))
    supply.type = number(row.binding(PrinterMIB.Supplies.type))
    supply.description = text(row.binding(PrinterMIB.Supplies.description))
    supply.unit = number(row.binding(PrinterMIB.Supplies.unit)).map(CounterUnit.init(rawValue:))
    supply.capacity = number(row.binding(PrinterMIB.Supplies.maxCapacity))
    supply.level = number(row.binding(PrinterMIB.Supplies.level))
    if let device = row.index.first, let colorant = supply.colorantIndex.flatMap(UInt32.init(exactly:)), colorant != 0 {
      supply.colorant = colorants[[device, colorant]]
    }
    if let attributes { supply.colorant = attributes.colorants[supply.row]?.text }
    measure(&supply, row.binding(PrinterMIB.Supplies.level)?.name)
    return supply
  }

  /// - Parameter level: the object of the supply's level, for findings.
  private mutating func measure(_ supply: inout Supply, _ level: ObjectIdentifier?) {
    if supply.meaning == .levelWithoutCapacity, supply.unit == .percent, supply.rule == .supplyLevel {
      supply.rule = .supplyLevelInPercent
    }
    switch supply.meaning {
    case .measured, .levelWithoutCapacity:
      guard !supply.isOverCapacity else {
        findings.append(Finding(level, supply.overCapacityMessage))
        return
      }
      guard !supply.isWasteConsumed else {
        findings.append(Finding(level, supply.wasteConsumedMessage))
        return
      }
      let full = supply.fullLevel
      supply.percentRemaining = full.map { Double(supply.level ?? 0) * 100 / Double($0) }
      supply.quality = supply.meaning == .measured && full ?? 0 <= Self.coarseCapacityMax ? .coarse : .exact
    case .someRemaining: supply.quality = .someRemaining
    case .unknown, .noRestriction, .absent: supply.quality = .unknown
    case .nonStandardNegative:
      findings.append(Finding(level, "expected a level of 0 or more, or -1, -2 or -3"))
    }
  }

  /// prtMarkerColorantValue by (hrDeviceIndex, prtMarkerColorantIndex).
  private mutating func colorantTexts() -> [ObjectIdentifier: DeviceText] {
    var texts: [ObjectIdentifier: DeviceText] = [:]
    for row in rows(PrinterMIB.Colorant.entry) {
      texts[row.index] = text(row.binding(PrinterMIB.Colorant.value))
    }
    return texts
  }
}

// MARK: - Supplies of a maker's own record

extension Interpreter {
  /// The supplies of the profile's records, for a device without prtMarkerSuppliesTable: a row is (hrDeviceIndex, the maker's enterprise
  /// number, code). A part that two records tell of is told by the first; what another one says in pages is told beside it.
  private mutating func recordedSupplies() -> [Supply] {
    guard let profile else { return [] }
    let rule = profile.rule("supply-record")
    var supplies: [Supply] = []
    for record in profile.supplyRecords {
      let entries = packedRecords(record.name)
      let doubtful = Set(record.codes.filter(\.isAnyOfItsKind).map(\.code))
      let areAlike = Set(entries.filter { doubtful.contains($0.code) }.map(\.value)).count <= 1
      let former = supplies.count
      let paint = record.codes.contains { $0.inkType != nil } ? paint(record, entries, profile) : nil
      for entry in entries {
        guard let known = record.codes.first(where: { $0.code == entry.code }), areAlike || !known.isAnyOfItsKind,
          var supply = recordedSupply(record, known, entry, rule)
        else { continue }
        if let inkType = known.inkType {
          supply.type =
            switch paint {
            case .toner: known.type
            case .ink: inkType
            case nil: Self.unknownType
            }
        }
        guard let index = supplies[..<former].firstIndex(where: { $0.description == supply.description }) else {
          supplies.append(supply)
          continue
        }
        supplies[index].pagesRemaining = supplies[index].pagesRemaining ?? supply.pagesRemaining
      }
    }
    return supplies
  }

  /// PrtMarkerSuppliesTypeTC unknown.
  private static let unknownType: Int64 = 2
  /// Parts that only a device with toner has (PrtMarkerSuppliesTypeTC): opc and fuser; and toner itself.
  private static let partsWithToner: Set<Int64> = [3, 9, 15, 21]
  /// ink and inkCartridge.
  private static let partsWithInk: Set<Int64> = [5, 6]
  /// PrtMarkerMarkTechTC: electrophotographic of any kind, and ink jet of any kind.
  private static let technologiesOfToner = 3...5 as ClosedRange<Int64>
  private static let technologiesOfInk = 12...14 as ClosedRange<Int64>

  private enum Paint { case toner, ink }

  /// What the device prints with: by prtMarkerMarkTech, the standard's supplies, the parts in the record, or the model; nil where none tells it.
  private func paint(_ record: SupplyRecord, _ entries: [PackedRecord], _ profile: Profile) -> Paint? {
    func numbers(_ column: ObjectIdentifier) -> [Int64] { walk.column(column).compactMap(\.value.number) }
    let technologies = numbers(PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.technology))
    if technologies.contains(where: Self.technologiesOfToner.contains) { return .toner }
    if technologies.contains(where: Self.technologiesOfInk.contains) { return .ink }
    let told = numbers(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.type))
    let codes = Set(entries.map(\.code))
    let parts = profile.supplyRecords.filter { $0.name == record.name }.flatMap(\.codes)
      .filter { codes.contains($0.code) && $0.inkType == nil }.map(\.type)
    if (told + parts).contains(where: Self.partsWithToner.contains) { return .toner }
    if (told + parts).contains(where: Self.partsWithInk.contains) { return .ink }
    let texts =
      (profile.identity.model.map { walk[$0] } + [deviceID?.value]).compactMap(Self.plainText)
      + [
        evidence.systemDescription, evidence.printerDescription,
      ].compactMap(\.self)
    return texts.contains { text in record.inkModels.contains { text.uppercased().contains($0) } } ? .ink : nil
  }

  /// What the maker's record tells of rows of prtMarkerSuppliesTable: how much is left where they do not know, and pages. A part that two rows
  /// could be is told of neither.
  private mutating func complete(_ supplies: inout [Supply]) {
    for part in recordedSupplies() {
      let rows = supplies.indices.filter { supplies[$0].isPart(part) }
      guard rows.count == 1, let row = rows.first else { continue }
      supplies[row].pagesRemaining = supplies[row].pagesRemaining ?? part.pagesRemaining
      guard let percent = part.percentRemaining, [.someRemaining, .unknown].contains(supplies[row].meaning) else {
        continue
      }
      supplies[row].percentRemaining = percent
      supplies[row].quality = part.quality
      supplies[row].rule = part.rule
    }
  }

  /// Nil where the value is of another form than this code's.
  private mutating func recordedSupply(
    _ record: SupplyRecord, _ code: SupplyRecord.Code, _ entry: PackedRecord, _ rule: Rule
  ) -> Supply? {
    let enterprise = record.name.components.dropFirst(MIB2.enterprises.components.count).first ?? 0
    var supply = Supply(
      row: RowIndex([deviceIndex, enterprise, record.row(code)]), quality: record.quality, rule: rule)
    supply.supplyClass = 3
    supply.type = code.type
    supply.description = DeviceText(code.description)
    supply.colorant = code.colorant.map { DeviceText($0) }
    if code.isLevelOfCapacity {
      guard entry.value.count == 2, entry.value[1] > 0 else { return nil }
      supply.unit = .other
      supply.level = Int64(entry.value[0])
      supply.capacity = Int64(entry.value[1])
      if entry.value[1] <= Self.coarseCapacityMax { supply.quality = .coarse }
      return measured(supply, Int64(entry.value[0]), of: Int64(entry.value[1]), record)
    }
    if case .states = record.scale {
      guard let state = entry.state else { return nil }
      supply.level = [1, 2].contains(state) ? -3 : -2
      supply.quality = [1, 2].contains(state) ? .someRemaining : .unknown
      return supply
    }
    guard let number = entry.number.map({ Int64(clamping: $0) }) else { return nil }
    switch record.scale {
    case .states: return nil
    case .unit(let unit):
      supply.unit = unit
      supply.level = number
      if unit == .impressions { supply.pagesRemaining = number }
      // Nothing left is nothing left, whatever the capacity.
      if number == 0 { supply.percentRemaining = 0 }
      return supply
    case .stepsPerPercent(let steps):
      supply.unit = .percent
      supply.level = number / steps
      supply.capacity = 100
      return measured(supply, number, of: 100 * steps, record)
    }
  }

  /// The supply with its percentage; what is more than full has none.
  private mutating func measured(_ supply: Supply, _ level: Int64, of full: Int64, _ record: SupplyRecord) -> Supply {
    var supply = supply
    guard level <= full else {
      supply.quality = .unknown
      let part = supply.description?.text ?? ""
      findings.append(Finding(record.name, "what is left of \(part) is above 100 percent: unknown"))
      return supply
    }
    supply.percentRemaining = Double(level) * 100 / Double(full)
    return supply
  }
}

extension Supply {
  /// PrtMarkerSuppliesTypeTC toner and tonerCartridge; ink and inkCartridge.
  private static let toners: Set<Int64> = [3, 21]
  private static let inks: Set<Int64> = [5, 6]

  /// Whether this row of the standard is the part of a maker's record: a toner or an ink by its colour, another part by its name, `Drum Unit`
  /// being the `Drum`.
  fileprivate func isPart(_ part: Supply) -> Bool {
    guard !isReceptacle, let name = description?.text.lowercased(), let own = part.description?.text.lowercased() else {
      return false
    }
    for kind in [Self.toners, Self.inks] where part.type.map(kind.contains) == true {
      let colour = colorant?.text.lowercased() ?? String(name.prefix { $0 != " " })
      return type.map(kind.contains) == true && colour == part.colorant?.text.lowercased()
    }
    return name == own || name.hasPrefix(own + " ")
  }
}

// MARK: - Part and serial numbers

/// A supply's own numbers, and where they stand.
struct SupplyNumbers {
  var part: FoundText?
  var serial: FoundText?
}

extension Interpreter {
  /// What the profile's tables tell of supplies, by their descriptions. Descriptions that stand there twice tell nothing: no one knows which
  /// of two black cartridges a number belongs to.
  mutating func suppliesByDescription() -> [String: SupplyNumbers?] {
    var found: [String: SupplyNumbers?] = [:]
    guard let profile else { return found }
    let rule = profile.rule("supply-numbers")
    for table in profile.supplyNumbers {
      for (index, value) in walk.column(table.descriptions) {
        guard let octets = value.octets, let text = DeviceText(decoding: octets, characterSet: characterSet) else {
          continue
        }
        let label = CounterTable.normalizedLabel(text.text)
        guard found[label] == nil else {
          found[label] = .some(nil)
          continue
        }
        found[label] = SupplyNumbers(
          part: table.partNumbers.flatMap { firstText([$0.appending(index)], rule) },
          serial: table.serialNumbers.flatMap { firstText([$0.appending(index)], rule) })
      }
    }
    return found
  }
}
