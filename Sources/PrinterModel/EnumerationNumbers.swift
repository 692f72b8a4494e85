// From the words of IPP to the numbers of the MIBs' enumerations: IPP writes them as the MIBs do (`tonerCartridge`), some printers with hyphens
// (`toner-cartridge`), some as the number itself.

extension EnumerationNames {
  /// A code that a row can carry.
  enum Table {
    case supplyType, supplyClass, unit, inputType, severity, training, alertGroup, alertCode

    fileprivate var numbers: [String: Int64] {
      switch self {
      case .supplyType: Self.supplyTypes
      case .supplyClass: Self.supplyClasses
      case .unit: Self.units
      case .inputType: Self.inputTypes
      case .severity: Self.severities
      case .training: Self.trainings
      case .alertGroup: Self.alertGroups
      case .alertCode: Self.alertCodes
      }
    }

    private static let supplyTypes = byWord(EnumerationTables.supplyTypes)
    private static let supplyClasses = byWord(EnumerationTables.supplyClasses)
    private static let units = byWord(EnumerationTables.units)
    private static let inputTypes = byWord(EnumerationTables.inputTypes)
    private static let severities = byWord(EnumerationTables.severities)
    private static let trainings = byWord(EnumerationTables.trainingLevels)
    private static let alertGroups = byWord(EnumerationTables.alertGroups)
    private static let alertCodes = byWord(EnumerationTables.alertCodes)

    private static func byWord(_ names: [Int64: String]) -> [String: Int64] {
      Dictionary(names.map { ($0.value.lowercased(), $0.key) }) { first, _ in first }
    }
  }

  /// The number of a word, in any spelling of the above; nil for a word that the enumeration does not have.
  static func number(of word: String, in table: Table) -> Int64? {
    let plain = word.trimmed.lowercased().filter { $0 != "-" }
    return table.numbers[plain] ?? Int64(word.trimmed)
  }

  /// The alert code of a finisher's keyword: `stapler-life-over` is 30211 (PWG 5100.9, IANA-PRINTER-MIB).
  static func finisherAlertCode(named keyword: String) -> Int64? {
    for (device, finisher) in EnumerationTables.finishers.enumerated() {
      let prefix = finisher.reduce("") { $0 + ($1.isUppercase ? "-" + $1.lowercased() : String($1)) } + "-"
      guard keyword.hasPrefix(prefix) else { continue }
      let event = String(keyword.dropFirst(prefix.count))
      guard let code = alertCode(named: "subunit-" + event) ?? alertCode(named: event), subunitCodes.contains(code)
      else { return nil }
      return finisherCodes.lowerBound + 100 * Int64(device) + code
    }
    return nil
  }

  /// The code of what happened, of a finisher's code without the finisher; others as they are.
  package static func subunitCode(_ code: Int64) -> Int64 {
    finisherCodes.contains(code) ? (code - finisherCodes.lowerBound) % 100 : code
  }

  /// The alert code of a keyword: `marker-toner-empty`.
  static func alertCode(named keyword: String) -> Int64? {
    let number = number(of: keyword, in: .alertCode)
    return number.flatMap { $0 > 2 && alertCode($0) != nil ? $0 : nil }
  }
}
