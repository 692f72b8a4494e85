// Ways in which a simulated device misbehaves on purpose, so that tests can feed a collector what the field feeds it.
//
// A fault is written `name` or `name:argument`; `Fault.catalogue` lists all of them with their meaning, and `ptsim serve
// --help` prints that list. A device may have several faults. Chance comes from the device's own seeded generator.

package import MIB

/// One fault of a device.
package enum Fault: Hashable, Sendable {
  case truncated
  case malformed
  case wrongSourcePort
  case wrongRequestID
  case tooBig
  case genErr(at: ObjectIdentifier)
  case nonIncreasing(at: ObjectIdentifier)
  case cycle(at: ObjectIdentifier)
  case diesAfter(replies: Int)
  case duplicates
  case late(milliseconds: Int)
  case slow(milliseconds: Int)
  case drops(percent: Int)
  case engineChanges(afterReplies: Int)
}

extension Fault {
  /// A line of the catalogue.
  package struct Entry: Sendable {
    package var name: String
    /// What stands behind the colon; nil if the fault has no argument.
    package var argument: String?
    package var meaning: String

    package var spelling: String { argument.map { "\(name):\($0)" } ?? name }
  }

  /// Every third answer of a `late` device is late.
  package static let lateEvery = 3
  /// An answer held back for longer than this is no use to any test.
  package static let delayMillisecondsMax = 600_000

  package static let catalogue: [Entry] = [
    Entry(name: "truncated", argument: nil, meaning: "answers end after half of their bytes"),
    Entry(name: "malformed", argument: nil, meaning: "answers are not BER: lengths point past the end"),
    Entry(name: "wrong-source-port", argument: nil, meaning: "answers come from another port than was asked"),
    Entry(name: "wrong-request-id", argument: nil, meaning: "answers carry the request id plus one"),
    Entry(name: "too-big", argument: nil, meaning: "every request is answered with tooBig"),
    Entry(name: "gen-err", argument: "OID", meaning: "genErr for every name at or behind OID"),
    Entry(name: "non-increasing", argument: "OID", meaning: "behind OID, GETNEXT answers the name asked for"),
    Entry(name: "cycle", argument: "OID", meaning: "behind OID, GETNEXT starts again from the first object"),
    Entry(name: "dies-after", argument: "N", meaning: "silent for ever after N answers"),
    Entry(name: "duplicates", argument: nil, meaning: "each answer comes twice"),
    Entry(name: "late", argument: "MS", meaning: "each third answer is MS late, behind later ones"),
    Entry(name: "slow", argument: "MS", meaning: "each answer takes MS milliseconds"),
    Entry(name: "drops", argument: "PERCENT", meaning: "this share of the requests is lost"),
    Entry(name: "engine-changes", argument: "N", meaning: "a new SNMPv3 engine id after each N answers"),
  ]

  /// Reads the spelling; throws a sentence that says what was expected.
  package init(_ text: String) throws(FaultSpellingError) {
    let parts = text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
    guard let entry = Self.catalogue.first(where: { $0.name == parts[0] }) else {
      let known = Self.catalogue.map(\.spelling).joined(separator: ", ")
      throw FaultSpellingError("'\(text)' is not a fault; expected one of \(known)")
    }
    let argument = parts.count > 1 ? parts[1] : nil
    guard (argument != nil) == (entry.argument != nil) else {
      throw FaultSpellingError("'\(text)': expected \(entry.spelling)")
    }
    func number(_ range: ClosedRange<Int>) throws(FaultSpellingError) -> Int {
      guard let value = argument.flatMap({ Int($0) }), range.contains(value) else {
        throw FaultSpellingError("'\(text)': expected a number from \(range.lowerBound) to \(range.upperBound)")
      }
      return value
    }
    func name() throws(FaultSpellingError) -> ObjectIdentifier {
      guard let name = argument.flatMap({ ObjectIdentifier(dotted: $0) }) else {
        throw FaultSpellingError("'\(text)': expected an object identifier, such as 1.3.6.1.2.1.43.11")
      }
      return name
    }
    switch entry.name {
    case "truncated": self = .truncated
    case "malformed": self = .malformed
    case "wrong-source-port": self = .wrongSourcePort
    case "wrong-request-id": self = .wrongRequestID
    case "too-big": self = .tooBig
    case "gen-err": self = .genErr(at: try name())
    case "non-increasing": self = .nonIncreasing(at: try name())
    case "cycle": self = .cycle(at: try name())
    case "dies-after": self = .diesAfter(replies: try number(0...1_000_000))
    case "duplicates": self = .duplicates
    case "late": self = .late(milliseconds: try number(1...Self.delayMillisecondsMax))
    case "slow": self = .slow(milliseconds: try number(1...Self.delayMillisecondsMax))
    case "drops": self = .drops(percent: try number(0...100))
    default: self = .engineChanges(afterReplies: try number(1...1_000_000))
    }
  }

  /// The spelling that reads back as this fault.
  package var spelling: String {
    switch self {
    case .truncated: "truncated"
    case .malformed: "malformed"
    case .wrongSourcePort: "wrong-source-port"
    case .wrongRequestID: "wrong-request-id"
    case .tooBig: "too-big"
    case .genErr(let name): "gen-err:\(name)"
    case .nonIncreasing(let name): "non-increasing:\(name)"
    case .cycle(let name): "cycle:\(name)"
    case .diesAfter(let replies): "dies-after:\(replies)"
    case .duplicates: "duplicates"
    case .late(let milliseconds): "late:\(milliseconds)"
    case .slow(let milliseconds): "slow:\(milliseconds)"
    case .drops(let percent): "drops:\(percent)"
    case .engineChanges(let replies): "engine-changes:\(replies)"
    }
  }
}

/// Why a fault could not be read, as a sentence without a full stop.
package struct FaultSpellingError: Error, Equatable, CustomStringConvertible {
  package var description: String
  init(_ description: String) { self.description = description }
}
