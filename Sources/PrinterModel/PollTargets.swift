// What a poll must fetch, so that the interpretation finds all it reads: standard scalars and tables, a profile's private objects, and
// for a light poll the names that move while a device's structure stays as it is.

package import MIB

/// A table to walk: its entry and the columns that are read. A walker can fetch one row's columns together.
package struct TableTarget: Equatable, Sendable {
  package var entry: ObjectIdentifier
  package var columns: [UInt32]
  /// The rows that most printers have there; nil where they differ. Only the size of a first request follows from it.
  package var usualRows: Int?

  package init(_ entry: ObjectIdentifier, _ columns: [UInt32], usualRows: Int? = nil) {
    self.entry = entry
    self.columns = columns
    self.usualRows = usualRows
  }

  /// The columns' names, to begin a walk at.
  package var columnNames: [ObjectIdentifier] { columns.map { entry.appending($0) } }
}

/// Scalars to GET and tables to walk.
package struct PollTargets: Equatable, Sendable {
  package var scalars: [ObjectIdentifier]
  package var tables: [TableTarget]

  package init(scalars: [ObjectIdentifier], tables: [TableTarget]) {
    self.scalars = scalars
    self.tables = tables
  }
}

/// What a light poll asks for.
package struct MovingNames: Equatable, Sendable {
  /// In every poll.
  package var always: [ObjectIdentifier]
  /// When something else moved, or they were not read for long (docs/decisions/0005-what-a-light-poll-leaves-out.md).
  package var inUse: [ObjectIdentifier]
}

extension PollTargets {
  /// What tells a printer from other devices, cheapest first: GET the scalars, GETNEXT once into each column.
  package static let evidence = PollTargets(
    scalars: [MIB2.sysDescr, MIB2.sysObjectID],
    tables: [
      TableTarget(PrinterMIB.General.entry, [PrinterMIB.General.serialNumber]),
      TableTarget(PrinterMIB.Marker.entry, [PrinterMIB.Marker.counterUnit, PrinterMIB.Marker.lifeCount]),
      TableTarget(HostResources.Device.entry, [HostResources.Device.type, HostResources.Device.description]),
      TableTarget(PortMonitorMIB.Printer.entry, [PortMonitorMIB.Printer.deviceID]),
    ])

  /// The standard tables of a full poll, in the order of the MIB. The system group is read as a table of one row.
  package static let tables: [TableTarget] = [
    TableTarget(MIB2.system, [1, 2, 3, 5, 6], usualRows: 1),
    TableTarget(MIB2.Interface.entry, [3, 6]),
    TableTarget(HostResources.Device.entry, [2, 3, 5], usualRows: 1),
    TableTarget(HostResources.Printer.entry, [1, 2], usualRows: 1),
    TableTarget(PrinterMIB.General.entry, [1, 2, 10, 16, 17, 18, 19], usualRows: 1),
    TableTarget(PrinterMIB.Cover.entry, [2, 3]),
    TableTarget(PrinterMIB.Localization.entry, [4], usualRows: 1),
    TableTarget(PrinterMIB.Input.entry, [2, 8, 9, 10, 11, 12, 13, 18]),
    TableTarget(PrinterMIB.Output.entry, [3, 4, 5, 6, 7, 12]),
    TableTarget(PrinterMIB.Marker.entry, [2, 3, 4, 5, 15], usualRows: 1),
    TableTarget(PrinterMIB.Supplies.entry, [2, 3, 4, 5, 6, 7, 8, 9]),
    TableTarget(PrinterMIB.Colorant.entry, [4]),
    TableTarget(PrinterMIB.Console.entry, [2], usualRows: 1),
    TableTarget(PrinterMIB.Alert.entry, [2, 3, 4, 5, 6, 7, 8, 9], usualRows: 0),
    TableTarget(FinisherMIB.Supply.entry, [3, 4, 5, 6, 7, 8, 9], usualRows: 0),
    TableTarget(PortMonitorMIB.Printer.entry, [2, 3], usualRows: 1),
    imagingKeys,
  ]

  /// A profile's objects; empty where no profile fits.
  package static func privateTargets(
    for evidence: DeviceEvidence, profiles: ProfileSet = .shipped
  ) -> PollTargets {
    guard let profile = profiles.profile(for: evidence) else { return PollTargets(scalars: [], tables: []) }
    let identity = profile.identity
    let scalars =
      identity.serial + identity.model + identity.firmware + identity.assetNumber + identity.deviceID
      + identity.console + profile.counters.map(\.name) + profile.records.map(\.name)
      + profile.supplyRecords.map(\.name)
    var columns: [ObjectIdentifier] = []
    let wanted =
      profile.tables.flatMap { $0.describingColumns + [$0.values] } + profile.supplyNumbers.flatMap(\.columns)
    for column in wanted where !columns.contains(column) { columns.append(column) }
    return PollTargets(scalars: scalars, tables: grouped(columns))
  }

  /// What is read in a second SNMP context: the supplies and their colours.
  package static let suppliesOfContext = tables.filter {
    [PrinterMIB.Supplies.entry, PrinterMIB.Colorant.entry].contains($0.entry)
  }

  /// Where makers keep their IEEE 1284 device ids: asked of a device that told no maker by anything of the standard's.
  package static func deviceIDs(_ profiles: ProfileSet = .shipped) -> [ObjectIdentifier] {
    var names: [ObjectIdentifier] = []
    for name in profiles.profiles.flatMap(\.identity.deviceID) where !names.contains(name) { names.append(name) }
    return names
  }

  /// What a full poll fetches after the standard tables, by what these told: the profile's objects, and the imaging counters of a device
  /// that has any.
  package static func further(_ walk: Walk, profiles: ProfileSet = .shipped) -> PollTargets {
    var targets = privateTargets(for: Interpreter(walk: walk, profiles: profiles).evidence, profiles: profiles)
    if !walk.subtree(ImagingCounterMIB.Key.entry).isEmpty { targets.tables += imagingTables }
    return targets
  }

  /// The names to GET on a light poll: those of the previous full walk whose values move. If one of the change detectors among them
  /// differs from before, or one of these names is gone, the structure changed and a full poll is due.
  package static func moving(previous: Walk, profiles: ProfileSet = .shipped) -> MovingNames {
    var always = previous[MIB2.sysUpTime] == nil ? [] : [MIB2.sysUpTime]
    always += instances(of: alwaysMoving, in: previous)
    if let profile = Interpretation.profile(for: previous, profiles: profiles) {
      let scalars =
        profile.counters.map(\.name) + profile.records.map(\.name) + profile.supplyRecords.map(\.name)
        + profile.identity.console
      always += scalars.filter { previous[$0].map { !$0.isException } ?? false }
      for table in profile.tables { always += instances(of: table.values, in: previous) }
    }
    always += instances(of: imagingTables, in: previous)
    return MovingNames(always: always, inUse: instances(of: movingInUse, in: previous))
  }

  private static func instances(of tables: [TableTarget], in walk: Walk) -> [ObjectIdentifier] {
    tables.flatMap(\.columnNames).flatMap { instances(of: $0, in: walk) }
  }

  private static func instances(of column: ObjectIdentifier, in walk: Walk) -> [ObjectIdentifier] {
    walk.subtree(column).filter { !$0.value.isException }.map(\.name)
  }

  /// Columns that move while a device's structure stays, and that nothing else tells of: meters, levels of supplies, states, detectors.
  private static let alwaysMoving: [TableTarget] = [
    TableTarget(HostResources.Device.entry, [HostResources.Device.status]),
    TableTarget(HostResources.Printer.entry, [1, 2]),
    TableTarget(PrinterMIB.General.entry, [1, 18, 19]),
    TableTarget(PrinterMIB.Marker.entry, [PrinterMIB.Marker.lifeCount]),
    TableTarget(PrinterMIB.Supplies.entry, [PrinterMIB.Supplies.level]),
    TableTarget(FinisherMIB.Supply.entry, [FinisherMIB.Supply.level]),
  ]

  /// Columns that move when paper does, or when an alert is raised.
  private static let movingInUse: [TableTarget] = [
    TableTarget(PrinterMIB.Cover.entry, [PrinterMIB.Cover.status]),
    TableTarget(PrinterMIB.Input.entry, [PrinterMIB.Input.currentLevel, PrinterMIB.Input.status]),
    TableTarget(PrinterMIB.Output.entry, [PrinterMIB.Output.remainingCapacity, PrinterMIB.Output.status]),
    TableTarget(PrinterMIB.Marker.entry, [PrinterMIB.Marker.powerOnCount]),
    TableTarget(PrinterMIB.Console.entry, [PrinterMIB.Console.text]),
  ]

  /// Columns with one parent become one table; a subtree that is deeper than a column stays on its own.
  private static func grouped(_ columns: [ObjectIdentifier]) -> [TableTarget] {
    var tables: [TableTarget] = []
    for column in columns {
      guard let last = column.last else { continue }
      let parent = column.dropLast()
      if let index = tables.firstIndex(where: { $0.entry == parent }) {
        tables[index].columns.append(last)
      } else {
        tables.append(TableTarget(parent, [last]))
      }
    }
    return tables
  }
}
