// Printer-MIB (RFC 3805): its tables and the columns that are read. Rows are indexed by hrDeviceIndex and the row's own number.

/// Printer-MIB. `root` holds everything; each table names its entry and its columns.
package enum PrinterMIB {
  package static let root: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43]

  /// prtGeneralTable, indexed by hrDeviceIndex alone.
  package enum General {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 5, 1, 1]
    package static let configurationChanges: UInt32 = 1
    /// The row of prtLocalizationTable that is in force.
    package static let currentLocalization: UInt32 = 2
    /// The row of prtLocalizationTable that the console's texts are in.
    package static let consoleLocalization: UInt32 = 10
    package static let printerName: UInt32 = 16
    package static let serialNumber: UInt32 = 17
    package static let alertCriticalEvents: UInt32 = 18
    package static let alertAllEvents: UInt32 = 19
  }

  /// prtCoverTable.
  package enum Cover {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 6, 1, 1]
    package static let description: UInt32 = 2
    package static let status: UInt32 = 3
  }

  /// prtLocalizationTable.
  package enum Localization {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 7, 1, 1]
    package static let language: UInt32 = 2
    package static let country: UInt32 = 3
    /// IANA MIBenum of the character set in which this locale's strings are sent.
    package static let characterSet: UInt32 = 4
  }

  /// prtInputTable.
  package enum Input {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 8, 2, 1]
    package static let type: UInt32 = 2
    package static let capacityUnit: UInt32 = 8
    package static let maxCapacity: UInt32 = 9
    package static let currentLevel: UInt32 = 10
    package static let status: UInt32 = 11
    package static let mediaName: UInt32 = 12
    package static let name: UInt32 = 13
    package static let description: UInt32 = 18
  }

  /// prtOutputTable.
  package enum Output {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 9, 2, 1]
    package static let capacityUnit: UInt32 = 3
    package static let maxCapacity: UInt32 = 4
    package static let remainingCapacity: UInt32 = 5
    package static let status: UInt32 = 6
    package static let name: UInt32 = 7
    package static let description: UInt32 = 12
  }

  /// prtMarkerTable.
  package enum Marker {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 10, 2, 1]
    package static let technology: UInt32 = 2
    /// The unit of the two counters: without it a life count means nothing.
    package static let counterUnit: UInt32 = 3
    package static let lifeCount: UInt32 = 4
    /// Units since the device was switched on, not a number of switchings.
    package static let powerOnCount: UInt32 = 5
    package static let processColorants: UInt32 = 6
    package static let spotColorants: UInt32 = 7
    package static let status: UInt32 = 15
  }

  /// prtMarkerSuppliesTable.
  package enum Supplies {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 11, 1, 1]
    package static let markerIndex: UInt32 = 2
    package static let colorantIndex: UInt32 = 3
    package static let supplyClass: UInt32 = 4
    package static let type: UInt32 = 5
    package static let description: UInt32 = 6
    package static let unit: UInt32 = 7
    package static let maxCapacity: UInt32 = 8
    /// What is left of a consumable; the space that is left in a receptacle.
    package static let level: UInt32 = 9
  }

  /// prtMarkerColorantTable.
  package enum Colorant {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 12, 1, 1]
    package static let markerIndex: UInt32 = 2
    package static let role: UInt32 = 3
    package static let value: UInt32 = 4
    package static let tonality: UInt32 = 5
  }

  /// prtConsoleDisplayBufferTable.
  package enum Console {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 16, 5, 1]
    package static let text: UInt32 = 2
  }

  /// prtAlertTable.
  package enum Alert {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 18, 1, 1]
    package static let severity: UInt32 = 2
    package static let trainingLevel: UInt32 = 3
    package static let group: UInt32 = 4
    package static let groupIndex: UInt32 = 5
    package static let location: UInt32 = 6
    package static let code: UInt32 = 7
    package static let description: UInt32 = 8
    package static let time: UInt32 = 9
  }
}

/// Finisher MIB (RFC 3806), below Printer-MIB's root. Rows are indexed by hrDeviceIndex and the row's own number.
package enum FinisherMIB {
  /// finSupplyTable: staples, waste of punchers and the like.
  package enum Supply {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 31, 1, 1]
    /// The group's number in the MIB.
    package static let group: UInt32 = 31
    package static let supplyClass: UInt32 = 3
    package static let type: UInt32 = 4
    package static let description: UInt32 = 5
    package static let unit: UInt32 = 6
    package static let maxCapacity: UInt32 = 7
    /// What is left of a consumable; the space that is left in a receptacle.
    package static let level: UInt32 = 8
    package static let colorName: UInt32 = 9
  }
}
