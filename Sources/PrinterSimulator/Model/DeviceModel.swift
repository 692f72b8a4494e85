// A model of printer as a file of Fixtures/devices describes it: what it is, which objects it shows, how it wears and
// which of its agent's habits are odd. A model is a pattern; a `Printer` is one device of it with a serial number.
//
// Text may hold {serial}, {name}, {location}, {mac}, {product} and, in supplies, {supply_serial}.

package import MIB

package struct DeviceModel: Sendable, Equatable {
  /// The file's name without `.toml`.
  package var name: String
  package var vendor: String
  package var product: String
  package var system: SystemGroup
  package var host: HostGroup
  package var serialPattern: String
  /// The first three bytes of the hardware address.
  package var macPrefix: [UInt8]
  package var usage: Usage
  package var markerUnit: Int
  package var console: [String]
  package var covers: [CoverModel]
  package var inputs: [InputModel]
  package var outputs: [OutputModel]
  package var colorants: [ColorantModel]
  package var supplies: [SupplyModel]
  /// Objects that never change.
  package var objects: [StaticObject]
  package var counters: [CounterObject]
  package var records: [RecordObject]
  package var quirks: Quirks
}

/// The system group (RFC 3418) and the interface.
package struct SystemGroup: Sendable, Equatable {
  package var objectID: ObjectIdentifier
  package var description: String
  package var contact: String
  package var interface: String
}

/// Host-Resources-MIB (RFC 2790) as this model fills it.
package struct HostGroup: Sendable, Equatable {
  /// hrDeviceIndex of the printer: not always 1.
  package var deviceIndex: UInt32
  package var description: String
  /// Bytes of hrPrinterDetectedErrorState: 1 or 2.
  package var errorStateOctets: Int
}

/// How much the printer is used, and for what. Shares are percent.
package struct Usage: Sendable, Equatable {
  package var pagesPerMinute: Int
  package var pagesPerDay: Int
  package var colourShare: Int
  package var copyShare: Int
  package var faxShare: Int
  package var duplexShare: Int
  package var largeShare: Int
  /// One jam in so many pages on average; 0 for never.
  package var jamEvery: Int
  /// Life count when the simulation starts.
  package var initialPages: ClosedRange<Int>
}

package struct CoverModel: Sendable, Equatable {
  package var index: UInt32
  package var description: String
}

/// How a tray or supply tells its level.
package enum LevelReport: String, CaseIterable, Sendable {
  /// In its own unit.
  case exact
  /// In tenths of its capacity.
  case steps
  /// Level -3 while there is some, 0 when there is none.
  case some
  /// Level -2 always.
  case unknown
}

package struct InputModel: Sendable, Equatable {
  package var index: UInt32
  /// prtInputType: 3 sheetFeedAutoRemovableTray, 4 sheetFeedAutoNonRemovableTray, 5 sheetFeedManual.
  package var type: Int
  package var name: String
  package var description: String
  package var media: String
  package var capacity: Int
  package var report: LevelReport
}

package struct OutputModel: Sendable, Equatable {
  package var index: UInt32
  package var name: String
  package var description: String
  package var capacity: Int
  package var report: LevelReport
}

package struct ColorantModel: Sendable, Equatable {
  package var index: UInt32
  package var value: String
}

/// PrtMarkerSuppliesTypeTC, the ones that models use.
package enum SupplyType: String, CaseIterable, Sendable {
  case toner, wasteToner, ink, inkCartridge, wasteInk, opc, developer, fuser, cleanerUnit, transferUnit, tonerCartridge,
    staples

  /// The number in IANA-PRINTER-MIB.
  package var number: Int64 {
    switch self {
    case .toner: 3
    case .wasteToner: 4
    case .ink: 5
    case .inkCartridge: 6
    case .wasteInk: 8
    case .opc: 9
    case .developer: 10
    case .fuser: 15
    case .cleanerUnit: 18
    case .transferUnit: 20
    case .tonerCartridge: 21
    case .staples: 32
    }
  }

  /// prtMarkerSuppliesClass 4: it fills up, and its level is the space left.
  package var isReceptacle: Bool { self == .wasteToner || self == .wasteInk }
}

/// Which pages use a supply up.
package enum Wear: String, CaseIterable, Sendable {
  case all, mono, colour
}

package struct SupplyModel: Sendable, Equatable {
  package var index: UInt32
  package var type: SupplyType
  /// prtMarkerSuppliesColorantIndex; 0 for none.
  package var colorant: UInt32
  package var description: String
  /// prtMarkerSuppliesSupplyUnit.
  package var unit: Int
  /// As told in `unit`: -2 for unknown.
  package var capacity: Int
  /// Pages it lasts for.
  package var yield: Int
  package var wear: Wear
  package var report: LevelReport
  /// Percent left at which the printer warns.
  package var lowAt: Int
}

package struct StaticObject: Sendable, Equatable {
  package var name: ObjectIdentifier
  package var value: StaticValue
}

package enum StaticValue: Sendable, Equatable {
  /// Text with placeholders.
  case text(String)
  case value(ObjectValue)
}

/// The SNMP type a counter is sent as.
package enum CounterType: String, CaseIterable, Sendable {
  case integer, counter32, counter64, gauge32
  /// Decimal digits in an OCTET STRING.
  case text
}

/// A number that is the sum of some counts, where the vendor keeps it.
package struct CounterObject: Sendable, Equatable {
  package var name: ObjectIdentifier
  package var counts: [Count]
  package var type: CounterType
}

/// Brother's counter string: records of code, 0x01, 0x04 and four bytes of value, closed by 0xff.
package struct RecordObject: Sendable, Equatable {
  package struct Record: Sendable, Equatable {
    package var code: UInt8
    package var count: Count
  }
  package var name: ObjectIdentifier
  package var records: [Record]
}

/// What is odd about the model's agent.
package struct Quirks: Sendable, Equatable {
  /// A GET of more than one name is not answered; single GETs and GETNEXT are.
  package var singleGetsOnly = false
  /// No GET is answered, only GETNEXT and GETBULK.
  package var getNextOnly = false
  /// GETBULK is not answered.
  package var noBulk = false
  package var versions: Set<AgentVersion> = [.v1, .v2c, .v3]
  /// genErr instead of the end of the MIB.
  package var genErrAtEnd = false
  /// Idle minutes after which the printer sleeps; nil for never.
  package var sleepAfterMinutes: Int?
  /// What happens to the packet that wakes it.
  package var wake: WakeBehaviour = .lost
  /// How late the first answer is when `wake` is `late`, in milliseconds.
  package var wakeMilliseconds = 3000
  package init() {}
}

package enum AgentVersion: String, CaseIterable, Sendable {
  case v1, v2c, v3
}

package enum WakeBehaviour: String, CaseIterable, Sendable {
  case lost, late
}
