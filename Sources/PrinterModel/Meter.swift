// Meters: page counters by what they count. Vocabulary after PWG 5106.3 (Imaging System Counters).

/// One counter's value at the time of the reading.
package struct Meter: Hashable, Sendable {
  package var name: MeterName
  package var value: UInt64
  package var unit: CounterUnit
  package var quality: Quality
  package var source: Source
  package var rule: Rule
  /// Why the rule has it so, in the words of its profile, where that is a site's own: nobody else has the file. Nil for rules of the release,
  /// which knows their reasons (`Interpretation.reason`).
  package var reason: String?

  package init(
    name: MeterName, value: UInt64, unit: CounterUnit, quality: Quality = .exact, source: Source, rule: Rule,
    reason: String? = nil
  ) {
    self.reason = reason
    self.name = name
    self.value = value
    self.unit = unit
    self.quality = quality
    self.source = source
    self.rule = rule
  }
}

/// What a meter counts: service x colour x size x sides, and a qualifier where one device has several alike.
package struct MeterName: Hashable, Comparable, Sendable, CustomStringConvertible {
  /// The service that did the work.
  package enum Service: String, CaseIterable, Sendable {
    case total, print, copy, fax, faxIn, faxOut, scan, report, maintenance, other
  }
  package enum Colour: String, CaseIterable, Sendable {
    case all, monochrome, fullColor, highlightColor, singleColor, twoColor
  }
  package enum Size: String, CaseIterable, Sendable {
    case any, large, small
  }
  package enum Sides: String, CaseIterable, Sendable {
    case any, oneSided, twoSided
  }

  package var service: Service
  package var colour: Colour
  package var size: Size
  package var sides: Sides
  /// Which of several alike: `marker 1.1`, `A4`, `engine`. Empty for the device as a whole.
  package var qualifier: String

  package init(
    _ service: Service, _ colour: Colour = .all, size: Size = .any, sides: Sides = .any, qualifier: String = ""
  ) {
    self.service = service
    self.colour = colour
    self.size = size
    self.sides = sides
    self.qualifier = qualifier
  }

  /// The same with a further qualifier, as for a counter in another unit.
  func qualified(by word: String) -> MeterName {
    var name = self
    name.qualifier = [qualifier, word].filter { !$0.isEmpty }.joined(separator: ", ")
    return name
  }

  /// The device's one total.
  package static let total = MeterName(.total)

  /// The stable key, for example `total`, `print.fullColor`, `total.all.large`, `total#marker 1.2`.
  package var description: String {
    var text = service.rawValue
    if colour != .all || size != .any || sides != .any { text += "." + colour.rawValue }
    if size != .any || sides != .any { text += "." + size.rawValue }
    if sides != .any { text += "." + sides.rawValue }
    return qualifier.isEmpty ? text : text + "#" + qualifier
  }

  /// Reads the stable key back; nil if a part is not one of the vocabulary.
  package init?(_ description: String) {
    let halves = description.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false)
    let parts = halves[0].split(separator: ".", omittingEmptySubsequences: false).map(String.init)
    guard (1...4).contains(parts.count), let service = Service(rawValue: parts[0]) else { return nil }
    guard let colour = parts.count > 1 ? Colour(rawValue: parts[1]) : .all else { return nil }
    guard let size = parts.count > 2 ? Size(rawValue: parts[2]) : .any else { return nil }
    guard let sides = parts.count > 3 ? Sides(rawValue: parts[3]) : .any else { return nil }
    self.init(service, colour, size: size, sides: sides, qualifier: halves.count > 1 ? String(halves[1]) : "")
  }

  /// By the parts of the key, one after the other.
  package static func < (left: MeterName, right: MeterName) -> Bool {
    func parts(_ name: MeterName) -> (String, String, String, String, String) {
      (name.service.rawValue, name.colour.rawValue, name.size.rawValue, name.sides.rawValue, name.qualifier)
    }
    return parts(left) < parts(right)
  }
}

/// PrtMarkerCounterUnitTC and PrtCapacityUnitTC in one (IANA-PRINTER-MIB); the raw value is the MIB's number. Images, which PWG 5106.3 counts
/// and that MIB has no unit for, have a number of ours far above the MIB's.
package struct CounterUnit: RawRepresentable, Hashable, Sendable {
  package let rawValue: Int64
  package init(rawValue: Int64) { self.rawValue = rawValue }

  package static let other = CounterUnit(rawValue: 1)
  package static let unknown = CounterUnit(rawValue: 2)
  package static let characters = CounterUnit(rawValue: 5)
  package static let impressions = CounterUnit(rawValue: 7)
  package static let sheets = CounterUnit(rawValue: 8)
  package static let hours = CounterUnit(rawValue: 11)
  package static let tenthsOfGrams = CounterUnit(rawValue: 13)
  package static let tenthsOfMilliliters = CounterUnit(rawValue: 15)
  package static let items = CounterUnit(rawValue: 18)
  package static let percent = CounterUnit(rawValue: 19)
  /// Whether it says what is counted: `other` and `unknown` do not.
  package var isStated: Bool { self != .other && self != .unknown }
  /// Images that a scanner made (PWG 5106.3).
  package static let images = CounterUnit(rawValue: 5106)
}
