// Names for the numbers of the MIBs' enumerations. A number without a name has none here: it is shown as a number, never guessed.

/// The names of enumerated values, as the MIBs spell them; nil for a number that they do not define.
package enum EnumerationNames {
  package static func supplyType(_ value: Int64) -> String? { EnumerationTables.supplyTypes[value] }
  package static func supplyClass(_ value: Int64) -> String? { EnumerationTables.supplyClasses[value] }
  package static func unit(_ value: Int64) -> String? { EnumerationTables.units[value] }
  package static func colorantRole(_ value: Int64) -> String? { EnumerationTables.colorantRoles[value] }
  package static func markerTechnology(_ value: Int64) -> String? { EnumerationTables.markerTechnologies[value] }
  package static func severity(_ value: Int64) -> String? { EnumerationTables.severities[value] }
  package static func trainingLevel(_ value: Int64) -> String? { EnumerationTables.trainingLevels[value] }
  package static func alertGroup(_ value: Int64) -> String? { EnumerationTables.alertGroups[value] }
  package static func coverStatus(_ value: Int64) -> String? { EnumerationTables.coverStatuses[value] }
  package static func inputType(_ value: Int64) -> String? { EnumerationTables.inputTypes[value] }
  /// hrDeviceStatus
  package static func deviceStatus(_ value: Int64) -> String? { EnumerationTables.deviceStatuses[value] }
  /// hrPrinterStatus
  package static func printerStatus(_ value: Int64) -> String? { EnumerationTables.printerStatuses[value] }

  /// PrtAlertCodeTC. The codes of finishers are regular (IANA-PRINTER-MIB): 30200 + 100 x device + the code of the subunit, so that
  /// 30211 is the stapler's subunitLifeOver, `staplerLifeOver`.
  package static func alertCode(_ value: Int64) -> String? {
    guard value >= finisherCodes.lowerBound else { return EnumerationTables.alertCodes[value] }
    guard finisherCodes.contains(value) else { return nil }
    let (device, subunitCode) = (value - finisherCodes.lowerBound).quotientAndRemainder(dividingBy: 100)
    guard let finisher = EnumerationTables.finishers[bounds: Int(device)], subunitCodes.contains(subunitCode),
      let name = EnumerationTables.alertCodes[subunitCode]
    else { return nil }
    let event = name.hasPrefix("subunit") ? name.dropFirst("subunit".count) : name[...]
    return finisher + event.prefix(1).uppercased() + event.dropFirst()
  }

  /// A bit of hrPrinterDetectedErrorState by its number, 0 being the most significant of the first octet (RFC 2790).
  package static func detectedError(_ bit: Int64) -> String? {
    Int(exactly: bit).flatMap { EnumerationTables.detectedErrors[bounds: $0] }
  }

  /// The set bits of hrPrinterDetectedErrorState, one octet or more; a bit that RFC 2790 does not name is `bit15` and so on.
  package static func detectedErrors(_ octets: [UInt8]) -> [String] {
    var names: [String] = []
    for (index, octet) in octets.enumerated() {
      for bit in 0..<8 where octet & (0x80 >> bit) != 0 {
        let number = index * 8 + bit
        names.append(EnumerationTables.detectedErrors[bounds: number] ?? "bit\(number)")
      }
    }
    return names
  }

  /// PrtSubUnitStatusTC (RFC 3805): an availability in bits 0 to 2, then alerts and states as single bits.
  package static func subUnitStatus(_ value: Int64) -> [String] {
    let availability =
      switch value & 7 {
      case 0: "availableAndIdle"
      case 2: "availableAndStandby"
      case 4: "availableAndActive"
      case 6: "availableAndBusy"
      case 1: "unavailableAndOnRequest"
      case 3: "unavailableBecauseBroken"
      case 5: "unknown"
      default: "reserved"
      }
    let flags = [(8, "nonCriticalAlerts"), (16, "criticalAlerts"), (32, "offline"), (64, "transitioning")]
    return [availability] + flags.filter { value & Int64($0.0) != 0 }.map(\.1)
  }

  static let finisherCodes: Range<Int64> = 30_200..<31_900
  static let subunitCodes: ClosedRange<Int64> = 3...38
}

extension Array {
  /// The element at an index, or nil beyond the ends.
  fileprivate subscript(bounds index: Int) -> Element? { indices.contains(index) ? self[index] : nil }
}

extension CounterUnit {
  package static let tenThousandthsOfInches = CounterUnit(rawValue: 3)
  package static let micrometers = CounterUnit(rawValue: 4)
  package static let lines = CounterUnit(rawValue: 6)
  package static let dotRow = CounterUnit(rawValue: 9)
  package static let thousandthsOfOunces = CounterUnit(rawValue: 12)
  package static let hundredthsOfFluidOunces = CounterUnit(rawValue: 14)
  package static let feet = CounterUnit(rawValue: 16)
  package static let meters = CounterUnit(rawValue: 17)

  /// The MIB's name, or `unit 42` for a number that it does not define.
  package var name: String { EnumerationNames.unit(rawValue) ?? "unit \(rawValue)" }

  /// The unit with this name, for profiles.
  package init?(name: String) {
    guard let value = EnumerationTables.units.first(where: { $0.value == name })?.key else { return nil }
    self.init(rawValue: value)
  }
}
