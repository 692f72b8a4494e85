// Faults as they are written: `drops:20`, `gen-err:1.3.6.1.2.1.43.11`.

internal import MIB

extension Fault {
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
    if entry.argument == "OID" {
      guard let name = argument.flatMap({ ObjectIdentifier(dotted: $0) }) else {
        throw FaultSpellingError("'\(text)': expected an object identifier, such as 1.3.6.1.2.1.43.11")
      }
      self = Self.concerning(name, entry)
    } else if entry.argument != nil {
      let range = Self.range(of: entry)
      guard let value = argument.flatMap({ Int($0) }), range.contains(value) else {
        throw FaultSpellingError("'\(text)': expected a number from \(range.lowerBound) to \(range.upperBound)")
      }
      self = Self.counting(value, entry)
    } else {
      self = Self.plain(entry)
    }
  }

  /// The spelling that reads back as this fault.
  package var spelling: String {
    let (name, argument) = parts
    return argument.isEmpty ? name : "\(name):\(argument)"
  }

  private static func plain(_ entry: Entry) -> Fault {
    let all: [Fault] = [
      .truncated, .fragments, .malformed, .shortLengths, .longLengths, .indefiniteLengths, .paddedLengths, .deepNesting,
      .noBindings, .wrongSourcePort, .wrongRequestID, .duplicates, .tooBig, .genErrAtEnd, .getNextOnly, .singleGets,
      .noBulk, .sharedEngine, .nulPadding, .hexTails, .latin1, .ippMalformed, .ippBusy,
    ]
    return known(all, entry)
  }

  private static func concerning(_ name: ObjectIdentifier, _ entry: Entry) -> Fault {
    let all: [Fault] = [
      .genErr(at: name), .nonIncreasing(at: name), .cycle(at: name), .millionRows(at: name), .longStrings(at: name),
      .hugeNumbers(at: name),
    ]
    return known(all, entry)
  }

  private static func counting(_ number: Int, _ entry: Entry) -> Fault {
    let all: [Fault] = [
      .cut(bytes: number), .late(milliseconds: number), .slow(milliseconds: number), .slowFirst(milliseconds: number),
      .drops(percent: number), .diesAfter(replies: number), .tooBigAbove(bindings: number),
      .engineChanges(afterReplies: number), .bootsZero(afterReplies: number), .levels(number), .capacities(number),
      .countDrops(afterReplies: number), .rollsOver(pages: number), .swapped(afterReplies: number),
      .serialZeros(afterReplies: number), .ippSlow(milliseconds: number), .ippCut(bytes: number),
    ]
    return known(all, entry)
  }

  private static func known(_ all: [Fault], _ entry: Entry) -> Fault {
    guard let fault = all.first(where: { $0.parts.name == entry.name }) else {
      preconditionFailure("the catalogue has \(entry.name), and no fault is spelled so")
    }
    return fault
  }

  private static func range(of entry: Entry) -> ClosedRange<Int> {
    switch (entry.name, entry.argument) {
    case ("levels", _), ("capacities", _): Int(Int32.min)...Int(Int32.max)
    case ("dies-after", _), ("too-big-above", _): 0...1_000_000
    case ("ipp-cut", _): 0...IPPResponder.captureBytesMax
    case (_, "BYTES"): 0...Agent.messageBytesMax
    case (_, "MS"): 1...delayMillisecondsMax
    case (_, "PERCENT"): 0...100
    default: 1...1_000_000
    }
  }

  private var parts: (name: String, argument: String) {
    switch self {
    case .truncated: ("truncated", "")
    case .cut(let bytes): ("cut", "\(bytes)")
    case .fragments: ("fragments", "")
    case .malformed: ("malformed", "")
    case .shortLengths: ("short-lengths", "")
    case .longLengths: ("long-lengths", "")
    case .indefiniteLengths: ("indefinite-lengths", "")
    case .paddedLengths: ("padded-lengths", "")
    case .deepNesting: ("deep-nesting", "")
    case .noBindings: ("no-bindings", "")
    case .wrongSourcePort: ("wrong-source-port", "")
    case .wrongRequestID: ("wrong-request-id", "")
    case .duplicates: ("duplicates", "")
    case .late(let milliseconds): ("late", "\(milliseconds)")
    case .slow(let milliseconds): ("slow", "\(milliseconds)")
    case .slowFirst(let milliseconds): ("slow-first", "\(milliseconds)")
    case .drops(let percent): ("drops", "\(percent)")
    case .diesAfter(let replies): ("dies-after", "\(replies)")
    case .tooBig: ("too-big", "")
    case .tooBigAbove(let bindings): ("too-big-above", "\(bindings)")
    case .genErr(let name): ("gen-err", "\(name)")
    case .genErrAtEnd: ("gen-err-at-end", "")
    case .nonIncreasing(let name): ("non-increasing", "\(name)")
    case .cycle(let name): ("cycle", "\(name)")
    case .millionRows(let name): ("million-rows", "\(name)")
    case .getNextOnly: ("get-next-only", "")
    case .singleGets: ("single-gets", "")
    case .noBulk: ("no-bulk", "")
    case .engineChanges(let replies): ("engine-changes", "\(replies)")
    case .bootsZero(let replies): ("boots-zero", "\(replies)")
    case .sharedEngine: ("shared-engine", "")
    case .longStrings(let name): ("long-strings", "\(name)")
    case .hugeNumbers(let name): ("huge-numbers", "\(name)")
    case .nulPadding: ("nul-padding", "")
    case .hexTails: ("hex-tails", "")
    case .latin1: ("latin-1", "")
    case .levels(let level): ("levels", "\(level)")
    case .capacities(let capacity): ("capacities", "\(capacity)")
    case .countDrops(let replies): ("count-drops", "\(replies)")
    case .rollsOver(let pages): ("rolls-over", "\(pages)")
    case .swapped(let replies): ("swapped", "\(replies)")
    case .serialZeros(let replies): ("serial-zeros", "\(replies)")
    case .ippSlow(let milliseconds): ("ipp-slow", "\(milliseconds)")
    case .ippCut(let bytes): ("ipp-cut", "\(bytes)")
    case .ippMalformed: ("ipp-malformed", "")
    case .ippBusy: ("ipp-busy", "")
    }
  }
}

/// Why a fault could not be read, as a sentence without a full stop.
package struct FaultSpellingError: Error, Equatable, CustomStringConvertible {
  package var description: String
  init(_ description: String) { self.description = description }
}
