// What one poll of one printer told, in the field's own vocabulary (RFC 3805, RFC 2790, PWG 5106.3).
//
// A reading never guesses. Each number keeps the object it came from, the raw value, its unit, the rule that gave it its
// meaning and a quality; what a device did not say is absent, and what it said wrongly is a finding beside the rest.

package import MIB

/// Everything that one poll of one device told.
package struct Reading: Equatable, Sendable {
  package var identity = DeviceIdentity()
  package var status = DeviceStatus()
  package var meters: [Meter] = []
  package var supplies: [Supply] = []
  package var inputs: [InputTray] = []
  package var outputs: [OutputBin] = []
  package var covers: [Cover] = []
  package var markers: [MarkerUnit] = []
  package var alerts: [PrinterAlert] = []
  package var detectors = ChangeDetectors()
  package var checks: [ArithmeticCheck] = []
  package var findings: [Finding] = []

  package init() {}
}

/// Where a value came from: the object, or the IPP attribute (`AttributeName`), and what it held.
package struct Source: Hashable, Sendable {
  package var name: ObjectIdentifier
  package var raw: ObjectValue

  package init(_ name: ObjectIdentifier, _ raw: ObjectValue) {
    self.name = name
    self.raw = raw
  }
}

/// How far a value can be trusted.
package enum Quality: UInt8, CaseIterable, Sendable {
  /// Measured by the device in the stated unit.
  case exact = 1
  /// The device knows only a few steps (for example full, low, empty).
  case coarse = 2
  /// Level -3: there is some left, and nobody knows how much. Not a number.
  case someRemaining = 3
  /// The device does not know, or said something that has no meaning. Never shown as a number.
  case unknown = 4

  /// As it stands in exports.
  package var name: String {
    switch self {
    case .exact: "exact"
    case .coarse: "coarse"
    case .someRemaining: "someRemaining"
    case .unknown: "unknown"
    }
  }
}

/// Which rule gave a value its meaning: a profile (or standard) with its version, for example `rfc3805/marker-life-count@1`.
package struct Rule: Hashable, Sendable, CustomStringConvertible {
  package var description: String
  package init(_ description: String) { self.description = description }
}

/// A device's text: decoded for people, with the bytes kept where decoding lost something.
package struct DeviceText: Hashable, Sendable {
  package var text: String
  /// The bytes as sent, when they cannot be had back from `text`; otherwise nil.
  package var raw: [UInt8]?

  package init(_ text: String, raw: [UInt8]? = nil) {
    self.text = text
    self.raw = raw
  }
}

/// The index of a row in a Printer-MIB table: `hrDeviceIndex.rowIndex`, for example `[1, 3]`. Supplies of other tables have three numbers: a
/// finisher's (1, 31, row), one of a maker's own record (1, the maker's enterprise number, code).
package struct RowIndex: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The sub-identifiers behind a column's.
  package let name: ObjectIdentifier
  package var components: [UInt32] { name.components }
  package init(_ name: ObjectIdentifier) { self.name = name }
  package init(_ components: some Sequence<UInt32>) { name = ObjectIdentifier(components) }
  package static func < (left: RowIndex, right: RowIndex) -> Bool { left.name < right.name }
  package var description: String { name.description }
}

/// Who the device is. The network address is not part of it.
package struct DeviceIdentity: Hashable, Sendable {
  /// Maker in one spelling, for example `Kyocera`; nil when nothing told it.
  package var make: String?
  package var model: DeviceText?
  /// As the device gave it (trimmed); comparison uses `normalizedSerial`.
  package var serial: DeviceText?
  /// Hardware address of the first Ethernet interface, six bytes.
  package var macAddress: [UInt8]?
  package var firmware: DeviceText?
  package var hostName: DeviceText?
  package var location: DeviceText?
  package var assetNumber: DeviceText?
  /// prtGeneralPrinterName: the name an administrator gave it.
  package var printerName: DeviceText?
  /// sysDescr and sysObjectID: what the profile was chosen by.
  package var systemDescription: DeviceText?
  package var systemObjectID: ObjectIdentifier?
  /// IEEE 1284 device id (PWG 5107.1 ppmPrinterIEEE1284DeviceId), as sent.
  package var deviceID: DeviceText?
  /// UUID (IPP printer-uuid), lower case, without `urn:uuid:`; nil when the device was not asked over IPP.
  package var uuid: String?
  package init() {}
}

/// Host-Resources state of the printer (RFC 2790).
package struct DeviceStatus: Hashable, Sendable {
  /// hrDeviceStatus: 1 unknown, 2 running, 3 warning, 4 testing, 5 down.
  package var device: Int64?
  /// hrPrinterStatus: 1 other, 2 unknown, 3 idle, 4 printing, 5 warmup.
  package var printer: Int64?
  /// hrPrinterDetectedErrorState as sent: bit 0 is the most significant bit of the first byte. One byte or more.
  package var detectedErrors: [UInt8]?
  /// Lines of the operator panel (prtConsoleDisplayBufferText), top first.
  package var console: [DeviceText] = []
  package init() {}
}

/// The cheap change detectors and the device's clock.
package struct ChangeDetectors: Hashable, Sendable {
  /// prtGeneralConfigChanges
  package var configurationChanges: UInt64?
  /// prtAlertCriticalEvents
  package var criticalAlertEvents: UInt64?
  /// prtAlertAllEvents
  package var allAlertEvents: UInt64?
  /// sysUpTime in hundredths of a second.
  package var uptimeTicks: UInt64?
  package init() {}
}

/// One tray (prtInputTable).
package struct InputTray: Hashable, Sendable {
  package var row: RowIndex
  package var type: Int64?
  /// prtInputCapacityUnit
  package var capacityUnit: CounterUnit?
  package var capacity: Int64?
  /// prtInputCurrentLevel as sent; -3 means at least one unit, -2 unknown, -1 no restriction.
  package var level: Int64?
  /// PrtSubUnitStatusTC bits.
  package var status: Int64?
  package var media: DeviceText?
  package var name: DeviceText?
  package var description: DeviceText?
  package init(row: RowIndex) { self.row = row }

  /// Whether more is said to be in it than goes in: then nobody knows how much is.
  package var isOverCapacity: Bool { AmountMeaning.isAbove(level, capacity) }
}

/// One print engine (prtMarkerTable), without its life count, which is a meter.
package struct MarkerUnit: Hashable, Sendable {
  package var row: RowIndex
  /// PrtMarkerMarkTechTC (IANA-PRINTER-MIB).
  package var technology: Int64?
  /// prtMarkerPowerOnCount: what was marked since the device was switched on, in the unit of the life count. It begins again with each power-up,
  /// so that it is no meter.
  package var powerOnCount: Int64?
  /// PrtSubUnitStatusTC bits.
  package var status: Int64?
  package init(row: RowIndex) { self.row = row }
}

/// One output bin (prtOutputTable).
package struct OutputBin: Hashable, Sendable {
  package var row: RowIndex
  package var capacity: Int64?
  package var remaining: Int64?
  package var status: Int64?
  package var name: DeviceText?
  package var description: DeviceText?
  package init(row: RowIndex) { self.row = row }

  /// Whether there is said to be more room in it than it has: then nobody knows how much there is.
  package var isOverCapacity: Bool { AmountMeaning.isAbove(remaining, capacity) }
}

/// One cover or door (prtCoverTable).
package struct Cover: Hashable, Sendable {
  package var row: RowIndex
  /// prtCoverStatus: 3 coverOpen, 4 coverClosed, 5 interlockOpen, 6 interlockClosed.
  package var status: Int64?
  package var description: DeviceText?
  package init(row: RowIndex) { self.row = row }
}

/// One row of prtAlertTable. Its identity over time is (device, group, group index, code).
package struct PrinterAlert: Hashable, Sendable {
  package var row: RowIndex
  /// prtAlertSeverityLevel: 1 other, 3 critical, 4 warning, 5 warningBinaryChangeEvent.
  package var severity: Int64?
  /// prtAlertTrainingLevel: 3 untrained (the user can fix it) up to 7 noInterventionRequired.
  package var training: Int64?
  package var group: Int64?
  package var groupIndex: Int64?
  package var location: Int64?
  /// PrtAlertCodeTC (IANA-PRINTER-MIB).
  package var code: Int64?
  package var description: DeviceText?
  /// prtAlertTime, hundredths of a second of the device's uptime.
  package var time: Int64?
  package init(row: RowIndex) { self.row = row }
}

/// Whether counters that should add up do, for example monochrome + colour = total.
package struct ArithmeticCheck: Hashable, Sendable {
  /// What was checked, for example `total = monochrome + fullColor`.
  package var name: String
  package var expected: Int64
  package var actual: Int64
  package var holds: Bool { expected == actual }
  package init(name: String, expected: Int64, actual: Int64) {
    self.name = name
    self.expected = expected
    self.actual = actual
  }
}

/// Something a device said that makes no sense, or did not say though it should: kept beside the reading, never dropped.
package struct Finding: Hashable, Sendable {
  package var name: ObjectIdentifier?
  /// A sentence that names what was expected.
  package var message: String
  package init(_ name: ObjectIdentifier?, _ message: String) {
    self.name = name
    self.message = message
  }
}
