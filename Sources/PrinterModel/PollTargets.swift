// What a poll must fetch, so that the interpretation finds all it reads: standard scalars and tables, a profile's private objects, and
// for a light poll the names that move while a device's structure stays as it is.

package import MIB

/// A table to walk: its entry and the columns that are read. A walker can fetch one row's columns together.
package struct TableTarget: Equatable, Sendable {
  package var entry: ObjectIdentifier
  package var columns: [UInt32]

  package init(_ entry: ObjectIdentifier, _ columns: [UInt32]) {
    self.entry = entry
    self.columns = columns
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

extension PollTargets {
  package static let standardScalars: [ObjectIdentifier] = [
    MIB2.sysDescr, MIB2.sysObjectID, MIB2.sysUpTime, MIB2.sysName, MIB2.sysLocation,
  ]

  /// What tells a printer from other devices, cheapest first: GET the scalars, GETNEXT once into each column.
  package static let evidence = PollTargets(
    scalars: [MIB2.sysDescr, MIB2.sysObjectID],
    tables: [
      TableTarget(PrinterMIB.General.entry, [PrinterMIB.General.serialNumber]),
      TableTarget(PrinterMIB.Marker.entry, [PrinterMIB.Marker.counterUnit, PrinterMIB.Marker.lifeCount]),
      TableTarget(HostResources.Device.entry, [HostResources.Device.type, HostResources.Device.description]),
      TableTarget(PortMonitorMIB.Printer.entry, [PortMonitorMIB.Printer.deviceID]),
    ])

  /// The standard tables of a full poll. hrDeviceTable stands first: it tells the printer's index.
  package static let tables: [TableTarget] = [
    TableTarget(HostResources.Device.entry, [2, 3, 5]),
    TableTarget(HostResources.Printer.entry, [1, 2]),
    TableTarget(MIB2.Interface.entry, [3, 6]),
    TableTarget(PrinterMIB.General.entry, [1, 2, 16, 17, 18, 19]),
    TableTarget(PrinterMIB.Localization.entry, [4]),
    TableTarget(PrinterMIB.Cover.entry, [2, 3]),
    TableTarget(PrinterMIB.Input.entry, [2, 8, 9, 10, 11, 12, 13, 18]),
    TableTarget(PrinterMIB.Output.entry, [3, 4, 5, 6, 7, 12]),
    TableTarget(PrinterMIB.Marker.entry, [2, 3, 4, 5, 15]),
    TableTarget(PrinterMIB.Supplies.entry, [2, 3, 4, 5, 6, 7, 8, 9]),
    TableTarget(PrinterMIB.Colorant.entry, [4]),
    TableTarget(PrinterMIB.Console.entry, [2]),
    TableTarget(PrinterMIB.Alert.entry, [2, 3, 4, 5, 6, 7, 8, 9]),
    TableTarget(PortMonitorMIB.Printer.entry, [3]),
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
    var columns: [ObjectIdentifier] = []
    for column in profile.tables.flatMap({ [$0.labels, $0.values] }) where !columns.contains(column) {
      columns.append(column)
    }
    return PollTargets(scalars: scalars, tables: grouped(columns))
  }

  /// Everything a full poll of such a device fetches.
  package static func full(for evidence: DeviceEvidence, profiles: ProfileSet = .shipped) -> PollTargets {
    let own = privateTargets(for: evidence, profiles: profiles)
    return PollTargets(scalars: standardScalars + own.scalars, tables: tables + own.tables)
  }

  /// The names to GET on a light poll: those of the previous full walk whose values move. If one of the change detectors among them
  /// differs from before, or one of these names is gone, the structure changed and a full poll is due.
  package static func dynamic(previous: Walk, profiles: ProfileSet = .shipped) -> [ObjectIdentifier] {
    var names = previous[MIB2.sysUpTime] == nil ? [] : [MIB2.sysUpTime]
    for target in movingTables {
      for column in target.columnNames {
        for binding in previous.subtree(column) where !binding.value.isException { names.append(binding.name) }
      }
    }
    guard let profile = Interpretation.profile(for: previous, profiles: profiles) else { return names }
    for name in profile.counters.map(\.name) + profile.records.map(\.name) + profile.identity.console {
      if let value = previous[name], !value.isException { names.append(name) }
    }
    for table in profile.tables {
      for binding in previous.subtree(table.values) where !binding.value.isException { names.append(binding.name) }
    }
    return names
  }

  /// Columns whose values move in a device whose structure stays.
  private static let movingTables: [TableTarget] = [
    TableTarget(HostResources.Device.entry, [HostResources.Device.status]),
    TableTarget(HostResources.Printer.entry, [1, 2]),
    TableTarget(PrinterMIB.General.entry, [1, 18, 19]),
    TableTarget(PrinterMIB.Cover.entry, [PrinterMIB.Cover.status]),
    TableTarget(PrinterMIB.Input.entry, [PrinterMIB.Input.currentLevel, PrinterMIB.Input.status]),
    TableTarget(PrinterMIB.Output.entry, [PrinterMIB.Output.remainingCapacity, PrinterMIB.Output.status]),
    TableTarget(PrinterMIB.Marker.entry, [PrinterMIB.Marker.lifeCount, PrinterMIB.Marker.powerOnCount]),
    TableTarget(PrinterMIB.Supplies.entry, [PrinterMIB.Supplies.level]),
    TableTarget(PrinterMIB.Console.entry, [PrinterMIB.Console.text]),
  ]

  /// Columns with one parent become one table; a subtree that is deeper than a column stays on its own.
  private static func grouped(_ columns: [ObjectIdentifier]) -> [TableTarget] {
    var tables: [TableTarget] = []
    for column in columns {
      guard let last = column.components.last else { continue }
      let parent = ObjectIdentifier(Array(column.components.dropLast()))
      if let index = tables.firstIndex(where: { $0.entry == parent }) {
        tables[index].columns.append(last)
      } else {
        tables.append(TableTarget(parent, [last]))
      }
    }
    return tables
  }
}
