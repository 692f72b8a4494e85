// Supplies and receptacles (prtMarkerSuppliesTable, RFC 3805). Keyed by row, because two black cartridges are two supplies.

/// One row of prtMarkerSuppliesTable, with its level put into meaning.
package struct Supply: Hashable, Sendable {
  package var row: RowIndex
  /// prtMarkerSuppliesMarkerIndex
  package var marker: Int64?
  package var colorantIndex: Int64?
  /// prtMarkerColorantValue of the row's colorant, as the device spells it.
  package var colorant: DeviceText?
  /// prtMarkerSuppliesClass: 1 other, 3 supplyThatIsConsumed, 4 receptacleThatIsFilled.
  package var supplyClass: Int64?
  /// prtMarkerSuppliesType (IANA-PRINTER-MIB PrtMarkerSuppliesTypeTC).
  package var type: Int64?
  package var description: DeviceText?
  /// prtMarkerSuppliesSupplyUnit
  package var unit: CounterUnit?
  /// prtMarkerSuppliesMaxCapacity as sent: -1 other, -2 unknown.
  package var capacity: Int64?
  /// prtMarkerSuppliesLevel as sent: -1 other, -2 unknown, -3 some remaining. For a receptacle: the space left.
  package var level: Int64?
  /// Percent left (of a consumable) or free (of a receptacle). Nil unless the device measured it; 0 to 100.
  package var percentRemaining: Double?
  /// Pages that the device expects to print with what is left. Nil where it tells none.
  package var pagesRemaining: Int64?
  package var quality: Quality
  package var partNumber: String?
  package var serialNumber: String?
  package var rule: Rule

  package init(row: RowIndex, quality: Quality, rule: Rule) {
    self.row = row
    self.quality = quality
    self.rule = rule
  }
}

extension Supply {
  /// prtMarkerSuppliesClass 4, receptacleThatIsFilled: level and capacity are about the room that is left in it. What holds waste is one by its type
  /// where the device tells no class.
  package var isReceptacle: Bool { supplyClass == 4 || (supplyClass == nil && isWaste) }

  /// Whether the type says that it takes waste up; of a device that tells no type, whether the description does.
  var isWaste: Bool {
    if let type, !Self.untoldTypes.contains(type) { return Self.wasteTypes.contains(type) }
    return description?.text.lowercased().split(whereSeparator: { !$0.isLetter }).contains("waste") ?? false
  }

  /// Whether the class says that it is consumed and the type that it takes waste up: its level may be what is in it or the room left.
  package var isWasteConsumed: Bool {
    supplyClass == 3 && type.map(Self.wasteTypes.contains) ?? false
  }

  /// PrtMarkerSuppliesTypeTC: wasteToner, wasteInk, wasteWax, wasteWater and wastePaper; other and unknown.
  private static let wasteTypes: Set<Int64> = [4, 8, 14, 24, 26]
  private static let untoldTypes: Set<Int64> = [1, 2]
}
