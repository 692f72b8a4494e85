// What says what a number is a number of: the columns of its row that stay as they are while the row is what it was.
//
// Rows change places, and cartridges are swapped, on devices whose prtGeneralConfigChanges never moves. A level under the description of another
// row is a wrong number, so that levels and life counts that moved are told only after these were read again.

internal import MIB
internal import PrinterModel

enum RowLabels {
  /// A column of numbers, and those that label its rows.
  private struct Labelled {
    var entry: ObjectIdentifier
    var numbers: UInt32
    var labels: [UInt32]
  }

  private static let tables = [
    Labelled(
      entry: PrinterMIB.Marker.entry, numbers: PrinterMIB.Marker.lifeCount, labels: [PrinterMIB.Marker.counterUnit]),
    Labelled(
      entry: PrinterMIB.Supplies.entry, numbers: PrinterMIB.Supplies.level,
      labels: [
        PrinterMIB.Supplies.colorantIndex, PrinterMIB.Supplies.type, PrinterMIB.Supplies.description,
        PrinterMIB.Supplies.unit, PrinterMIB.Supplies.maxCapacity,
      ]),
    Labelled(
      entry: FinisherMIB.Supply.entry, numbers: FinisherMIB.Supply.level,
      labels: [
        FinisherMIB.Supply.type, FinisherMIB.Supply.description, FinisherMIB.Supply.unit,
        FinisherMIB.Supply.maxCapacity, FinisherMIB.Supply.colorName,
      ]),
  ]

  /// The labels of the rows whose numbers are in `moved`, as far as the device has them; the serial numbers of all supplies, where the device has
  /// a table of its own for them and any level moved.
  static func names(for moved: Walk, in walk: Walk, profiles: ProfileSet) -> [ObjectIdentifier] {
    var names: [ObjectIdentifier] = []
    for table in tables {
      let column = table.entry.appending(table.numbers)
      for binding in moved.subtree(column) {
        let row = binding.name.components.dropFirst(column.count)
        names += table.labels.map { table.entry.appending($0).appending(row) }
        if table.entry == PrinterMIB.Supplies.entry, let colorant = colorant(Array(row), walk),
          !names.contains(colorant)
        {
          names.append(colorant)
        }
      }
    }
    if !moved.subtree(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level)).isEmpty {
      let own = Interpretation.profile(for: walk, profiles: profiles)?.supplyNumbers ?? []
      names += own.compactMap(\.serialNumbers).flatMap { walk.subtree($0).map(\.name) }
    }
    return names.filter { walk[$0].map { !$0.isException } ?? false }
  }

  /// Whether it is a number that is told only with its labels.
  static func isNumber(_ name: ObjectIdentifier) -> Bool {
    tables.contains { name.isWithin($0.entry.appending($0.numbers)) }
  }

  /// prtMarkerColorantValue of a supply's colorant.
  private static func colorant(_ row: [UInt32], _ walk: Walk) -> ObjectIdentifier? {
    let index = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.colorantIndex).appending(row)
    guard let device = row.first, let number = walk[index]?.number, let colorant = UInt32(exactly: number),
      colorant != 0
    else { return nil }
    return PrinterMIB.Colorant.entry.appending(PrinterMIB.Colorant.value, device, colorant)
  }
}
