// Names of the standard objects that printers are read by. Column numbers are the last sub-identifier before the index.

/// MIB-II (RFC 1213, RFC 3418, RFC 2863): the system group and the interfaces.
package enum MIB2 {
  package static let system: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1]
  package static let sysDescr: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 1, 0]
  package static let sysObjectID: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 2, 0]
  package static let sysUpTime: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 3, 0]
  package static let sysContact: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 4, 0]
  package static let sysName: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 5, 0]
  package static let sysLocation: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 6, 0]
  /// Below it stand the makers' own objects; the next sub-identifier is IANA's enterprise number.
  package static let enterprises: ObjectIdentifier = [1, 3, 6, 1, 4, 1]

  /// ifTable.
  package enum Interface {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 2, 2, 1]
    package static let description: UInt32 = 2
    package static let type: UInt32 = 3
    package static let physicalAddress: UInt32 = 6
    package static let operationalStatus: UInt32 = 8
    /// ifType ethernetCsmacd; most printers say it of their radio too.
    package static let typeEthernet: Int64 = 6
    /// ethernetCsmacd, and what devices say instead: iso88023Csmacd (Brother), ethernet3Mbit, fastEther, fastEtherFX and gigabitEthernet, all
    /// deprecated by RFC 3635 in favour of the first.
    package static let ethernetTypes: Set<Int64?> = [typeEthernet, 7, 26, 62, 69, 117]
    /// ifType ieee80211.
    package static let typeWireless: Int64 = 71
  }
}

/// HOST-RESOURCES-MIB (RFC 2790): devices and the state of printers.
package enum HostResources {
  /// hrDeviceTable, indexed by hrDeviceIndex.
  package enum Device {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 25, 3, 2, 1]
    package static let type: UInt32 = 2
    package static let description: UInt32 = 3
    package static let identifier: UInt32 = 4
    package static let status: UInt32 = 5
    package static let errors: UInt32 = 6
    /// hrDevicePrinter, the value of hrDeviceType for a printer. Print servers state it too, one for each queue.
    package static let printerType: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 25, 3, 1, 5]
  }

  /// hrPrinterTable, indexed by hrDeviceIndex.
  package enum Printer {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 25, 3, 5, 1]
    package static let status: UInt32 = 1
    package static let detectedErrorState: UInt32 = 2
  }
}

/// Port Monitor MIB (PWG 5107.1): how a host is to address the printer's ports.
package enum PortMonitorMIB {
  /// ppmPrinterTable, indexed by ppmPrinterIndex.
  package enum Printer {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 2699, 1, 2, 1, 2, 1, 1]
    package static let name: UInt32 = 2
    package static let deviceID: UInt32 = 3
  }
}

/// Imaging System Counter MIB (PWG 5106.3). Its tables are indexed by a key of icKeyTable, a work type and a persistence.
package enum ImagingCounterMIB {
  /// icKeyTable: what a key stands for.
  package enum Key {
    package static let entry: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 2699, 1, 3, 1, 2, 1, 1]
    /// IcServiceTypeTC
    package static let serviceType: UInt32 = 2
    /// Which of several services of a type; 0 where there is one.
    package static let serviceIndex: UInt32 = 3
    /// IcSubunitTypeTC: set where the key is of a subunit and not of a service.
    package static let subunitType: UInt32 = 4
  }

  /// icMonitorTable
  package static let monitor: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 2699, 1, 3, 1, 6, 1, 1]
  /// icImageTable
  package static let image: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 2699, 1, 3, 1, 7, 1, 1]
  /// icImpressionTable
  package static let impression: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 2699, 1, 3, 1, 8, 1, 1]
  /// icTwoSidedTable
  package static let twoSided: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 2699, 1, 3, 1, 9, 1, 1]
  /// icSheetTable
  package static let sheet: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 2699, 1, 3, 1, 10, 1, 1]
}
