// Vendor profiles: what a maker's private objects mean, as data (docs/formats/profiles.md). These are the values that a profile file
// becomes; `ProfileParser` makes them, `Interpretation` follows them and knows no vendor itself.

package import MIB

/// One maker's (or one family's) knowledge, with the version that goes into each rule's name.
package struct Profile: Equatable, Sendable {
  /// Lower case, unique: `kyocera`.
  package var name: String
  package var version: Int
  /// Whether it is of this site and not of the release: its rules say so.
  package var isLocal = false
  /// The maker in one spelling.
  package var make: String
  /// Brands that the same objects are sold under, by the beginning of sysDescr.
  package var brands: [Brand] = []
  package var match = Match()
  package var identity = IdentitySources()
  package var cuts: [Cut] = []
  package var counters: [ProfileCounter] = []
  package var tables: [CounterTable] = []
  package var records: [CounterRecord] = []
  package var supplyRecords: [SupplyRecord] = []
  package var supplyNumbers: [SupplyNumberTable] = []
  /// The SNMP context in which a device that has no row of prtMarkerSuppliesTable in the default one may have it.
  package var suppliesContext: String?
  package var checks: [CheckRule] = []

  package init(name: String, version: Int, make: String) {
    self.name = name
    self.version = version
    self.make = make
  }

  /// The rule name of one of this profile's parts: `kyocera/printed-pages@2`, or `kyocera/printed-pages@2+local` for a site's own.
  package func rule(_ part: String) -> Rule { Rule("\(name)/\(part)@\(version)\(isLocal ? "+local" : "")") }

  /// What a meter tells of the reason of its rule: that of a site's own profile, cut to what a record should carry.
  func reasonTold(_ reason: String?) -> String? {
    guard isLocal, let reason, !reason.isEmpty else { return nil }
    return String(reason.prefix(Self.reasonCharactersMax))
  }

  /// A reason is a sentence; it is told with each reading that its meter is new in or changed.
  static let reasonCharactersMax = 300
}

extension Profile {
  /// A name and how it shows.
  package struct Brand: Equatable, Sendable {
    /// Upper case beginning of sysDescr, of the printer's description or of the device id's maker.
    package var prefix: String
    package var make: String
  }

  /// How a device is recognised. Descriptions are compared in upper case.
  package struct Match: Equatable, Sendable {
    /// sysObjectID lies at or below one of these: the maker.
    package var objectIDs: [ObjectIdentifier] = []
    /// sysDescr begins with one of these: the maker. Stronger than the object id.
    package var descriptions: [String] = []
    /// sysObjectID at or below one of these is a printer even if nothing else is known.
    package var printerObjectIDs: [ObjectIdentifier] = []
    /// sysDescr beginning with one of these is a printer even if nothing else is known.
    package var printerDescriptions: [String] = []
    /// sysDescr that begins with one of `descriptions` and contains one of these is a printer even if nothing else is known.
    package var printerWords: [String] = []
    /// sysDescr that contains one of these is another kind of device (a scanner, a label applicator).
    package var otherDevices: [String] = []
  }

  /// Private objects that identify the device; of each list the first that answers holds.
  package struct IdentitySources: Equatable, Sendable {
    package var serial: [ObjectIdentifier] = []
    package var model: [ObjectIdentifier] = []
    package var firmware: [ObjectIdentifier] = []
    package var assetNumber: [ObjectIdentifier] = []
    package var deviceID: [ObjectIdentifier] = []
    /// Whether the serial number in the device id is the text in hexadecimal digits.
    package var isDeviceIDSerialHexadecimal = false
    package var console: [ObjectIdentifier] = []
  }

  /// A piece of a standard text: what stands after one mark and before another.
  package struct Cut: Equatable, Sendable {
    package enum Field: String, CaseIterable, Sendable { case model, serial, firmware }
    package enum Origin: String, CaseIterable, Sendable {
      case sysDescr, hrDeviceDescr
      /// The text of the profile's firmware object.
      case firmware
    }
    package var field: Field
    package var origin: Origin
    /// The text must have this; empty: from the beginning.
    package var after: String
    /// Up to here, or to the end.
    package var until: String
    /// Words to leave off at the end.
    package var dropLastWords: Int
  }
}

/// How well the meaning of a private object is known. The first four are believed; a reported one is believed only on a device whose own
/// numbers prove it (a check that holds).
package enum Confidence: String, CaseIterable, Sendable {
  case standard = "standard"
  case mibDefined = "mib-defined"
  case deviceRecorded = "device-recorded"
  case panelVerified = "panel-verified"
  case reported = "reported"
}

/// One object that is a counter.
package struct ProfileCounter: Equatable, Sendable {
  package var id: String
  package var name: ObjectIdentifier
  package var meter: MeterName
  package var unit: CounterUnit
  package var confidence: Confidence
  /// Whether it is the device's total in place of the marker's life count. Only for the meter `total`.
  package var replacesLifeCount: Bool
  /// Why, in a sentence; shown where somebody asks for the reason.
  package var reason: String?
  /// Where the object is a text: the word that must follow the number in front of it, in upper case.
  package var leadingNumberOf: String?
  /// What the number is multiplied with to be in the unit.
  package var times: UInt64 = 1
  /// What it is told as where sums prove that it is a part, and cannot tell which (`CheckRule.interchangeable`).
  package var otherwise: MeterName?

  init(
    id: String, name: ObjectIdentifier, meter: MeterName, unit: CounterUnit, confidence: Confidence,
    replacesLifeCount: Bool, reason: String?
  ) {
    self.id = id
    self.name = name
    self.meter = meter
    self.unit = unit
    self.confidence = confidence
    self.replacesLifeCount = replacesLifeCount
    self.reason = reason
  }
}

/// A table whose rows say themselves what they count.
package struct CounterTable: Equatable, Sendable {
  /// How a value finds its label.
  package enum Join: String, CaseIterable, Sendable {
    /// Both have the same index.
    case index
    /// The last sub-identifier of the value's index is that of the label's.
    case last
  }

  /// What a row's label means.
  package enum Meaning: Equatable, Sendable {
    /// These labels are known, others are passed over.
    case labels([Row])
    /// Every row counts the same thing, and its label tells which part of it: the meter's qualifier.
    case qualifier(MeterName)
  }

  package struct Row: Equatable, Sendable {
    /// The label in lower case with single spaces, or a type code in decimal.
    package var label: String
    package var meter: MeterName
    package var confidence: Confidence
    /// Where it is not the table's.
    package var unit: CounterUnit?
    /// As that of a counter: it is the device's total in place of the marker's life count.
    package var replacesLifeCount = false
  }

  /// A column that states each row's unit.
  package struct Units: Equatable, Sendable {
    package var column: ObjectIdentifier
    /// What its codes stand for, in decimal. A row with another code has a unit that nobody knows.
    package var codes: [String: CounterUnit]

    package init(column: ObjectIdentifier, codes: [String: CounterUnit]) {
      self.column = column
      self.codes = codes
    }
  }

  package var id: String
  /// The column that names the rows. Nil where the maker's MIB gives the index itself a meaning (a code of a paper size): then a row's label
  /// is its index in dotted form, without a 0 at the end.
  package var labels: ObjectIdentifier?
  /// Columns that name a row further, where the first alone does not tell rows apart (a paper's type beside its size).
  package var furtherLabels: [ObjectIdentifier] = []
  package var values: ObjectIdentifier
  package var join: Join
  package var unit: CounterUnit
  /// Where the device states each row's unit itself. A row that states another than `unit` is another meter, qualified by its unit; one that
  /// states none that is known is left out.
  package var units: Units?
  package var confidence: Confidence
  package var meaning: Meaning
  /// Why it is read so, in a sentence.
  package var reason: String?
  /// Stands before a label that `names` does not have, in a qualifier: `size 26`.
  package var qualifierPrefix = ""
  /// What codes stand for, in a qualifier.
  package var names: [String: String] = [:]

  init(
    id: String, labels: ObjectIdentifier?, values: ObjectIdentifier, join: Join, unit: CounterUnit,
    confidence: Confidence, meaning: Meaning
  ) {
    self.id = id
    self.labels = labels
    self.values = values
    self.join = join
    self.unit = unit
    self.confidence = confidence
    self.meaning = meaning
  }

  /// The columns that name the rows.
  package var labelColumns: [ObjectIdentifier] { (labels.map { [$0] } ?? []) + furtherLabels }

  /// The columns that tell what a row is: its names and its unit.
  package var describingColumns: [ObjectIdentifier] { labelColumns + (units.map { [$0.column] } ?? []) }
}

/// Counters packed into one OCTET STRING of records: a code, 01, a length, and so many octets, with FF at the end. Those of four octets are
/// counters.
package struct CounterRecord: Equatable, Sendable {
  package struct Code: Equatable, Sendable {
    package var code: UInt8
    package var meter: MeterName
    /// Where it is not the record's.
    package var unit: CounterUnit?
  }

  package var id: String
  package var name: ObjectIdentifier
  package var unit: CounterUnit
  package var confidence: Confidence
  package var codes: [Code]
  /// Why it is read so, in a sentence.
  package var reason: String?
}

/// What is left of supplies, packed as counters are (`CounterRecord`): for devices without prtMarkerSuppliesTable.
package struct SupplyRecord: Equatable, Sendable {
  package struct Code: Equatable, Sendable {
    package var code: UInt8
    /// PrtMarkerSuppliesTypeTC
    package var type: Int64
    package var description: String
    package var colorant: String?
    /// Whether the value is two octets, the level and the capacity, and not hundredths or other steps of a percent.
    package var isLevelOfCapacity: Bool
    /// The type on a device that prints with ink; then `type` is that on one that prints with toner.
    package var inkType: Int64?
    /// Whether nothing proves which of several such parts this one is: told only where all of them have one value.
    package var isAnyOfItsKind = false
  }

  package var name: ObjectIdentifier
  package enum Scale: Equatable, Sendable {
    /// The number that is one percent.
    case stepsPerPercent(Int64)
    /// What is left in this unit, of a capacity that the device does not tell.
    case unit(CounterUnit)
    /// 1 and 2 say that there is some left (2: not much); of other numbers nothing is known.
    case states
  }
  package var scale: Scale
  package var codes: [Code]
  /// Of what is told in percent: coarse where the device knows a few steps.
  package var quality = Quality.exact
  /// Models that print with ink, in upper case, where nothing else tells it.
  package var inkModels: [String] = []
  /// What a supply's row adds to its code, so that two records have no row in common.
  package var rowsFrom: UInt32 = 0

  package init(name: ObjectIdentifier, scale: Scale, codes: [Code]) {
    self.name = name
    self.scale = scale
    self.codes = codes
  }

  /// The last number of a supply's row.
  package func row(_ code: Code) -> UInt32 { rowsFrom + UInt32(code.code) }
}

/// A table of the maker's that tells the numbers of supplies, joined on the supply's description.
package struct SupplyNumberTable: Equatable, Sendable {
  package var descriptions: ObjectIdentifier
  package var partNumbers: ObjectIdentifier?
  package var serialNumbers: ObjectIdentifier?

  package var columns: [ObjectIdentifier] { [descriptions] + [partNumbers, serialNumbers].compactMap { $0 } }
}

/// Counters that should add up.
package struct CheckRule: Equatable, Sendable {
  /// What the check is called in a reading.
  package var name: String
  /// A meter, or `life` for the marker's life count.
  package var total: String
  package var parts: [String]
  /// Parts that a device may leave out (a monochrome device has no colour counter).
  package var optionalParts: [String]
  /// Parts that this sum cannot tell from each other, because sources contradict each other on which is which: it proves them only where
  /// they are equal. Else they are parts all the same, under the names that their counters have for that (`otherwise`).
  package var interchangeable: Set<String> = []
  /// Whether terms of several units may be added up.
  package var isAcrossUnits = false

  package init(name: String, total: String, parts: [String], optionalParts: [String]) {
    self.name = name
    self.total = total
    self.parts = parts
    self.optionalParts = optionalParts
  }

  package var terms: [String] { [total] + parts + optionalParts }

  /// Whether a term stands there twice: the total as a part of itself, or a part that is counted twice.
  package var isCircular: Bool { Set(terms).count != terms.count }
}
