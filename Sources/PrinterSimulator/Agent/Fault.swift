// Ways in which a simulated device misbehaves on purpose, so that tests can feed a collector what the field feeds it.
//
// A fault is written `name` or `name:argument`; `Fault.catalogue` lists all of them with their meaning, and `ptsim serve
// --help` prints that list. A device may have several faults. Chance comes from the device's own seeded generator.
// docs/hostile-devices.md says what the product makes of each.

package import MIB

/// One fault of a device.
package enum Fault: Hashable, Sendable {
  // Datagrams (AnswerBytes, Device)
  case truncated
  case cut(bytes: Int)
  case fragments
  case malformed
  case shortLengths
  case longLengths
  case indefiniteLengths
  case paddedLengths
  case deepNesting
  case noBindings
  case wrongSourcePort
  case wrongRequestID
  case duplicates
  // Time (Device)
  case late(milliseconds: Int)
  case slow(milliseconds: Int)
  case slowFirst(milliseconds: Int)
  case drops(percent: Int)
  case diesAfter(replies: Int)
  // Requests (Responder)
  case tooBig
  case tooBigAbove(bindings: Int)
  case genErr(at: ObjectIdentifier)
  case genErrAtEnd
  case nonIncreasing(at: ObjectIdentifier)
  case cycle(at: ObjectIdentifier)
  case millionRows(at: ObjectIdentifier)
  case getNextOnly
  case singleGets
  case noBulk
  // SNMPv3 engines (Agent)
  case engineChanges(afterReplies: Int)
  case bootsZero(afterReplies: Int)
  case sharedEngine
  // What objects say (SpoiltObjects)
  case longStrings(at: ObjectIdentifier)
  case hugeNumbers(at: ObjectIdentifier)
  case nulPadding
  case hexTails
  case latin1
  case levels(Int)
  case capacities(Int)
  // Who it is and what it counts (SpoiltObjects)
  case countDrops(afterReplies: Int)
  case rollsOver(pages: Int)
  case swapped(afterReplies: Int)
  case serialZeros(afterReplies: Int)
  // IPP (Device, IPPServer)
  case ippSlow(milliseconds: Int)
  case ippCut(bytes: Int)
  case ippMalformed
  case ippBusy
}

extension Fault {
  /// A line of the catalogue.
  package struct Entry: Sendable {
    package var name: String
    /// What stands behind the colon; nil if the fault has no argument.
    package var argument: String?
    package var meaning: String

    init(_ name: String, _ argument: String?, _ meaning: String) {
      self.name = name
      self.argument = argument
      self.meaning = meaning
    }

    package var spelling: String { argument.map { "\(name):\($0)" } ?? name }
  }

  /// Every third answer of a `late` device is late.
  package static let lateEvery = 3
  /// An answer held back for longer than this is no use to any test.
  package static let delayMillisecondsMax = 600_000
  /// Rows of a table that has a `million-rows`.
  package static let rows: UInt32 = 1_000_000
  /// Bytes of a `long-strings`: what one UDP datagram carries besides the message around it.
  package static let longStringBytes = 65_000
  /// Sequences in one another in a `deep-nesting`.
  package static let nestingDepth = 300

  package static let catalogue: [Entry] = [
    Entry("truncated", "answers end after half of their bytes"),
    Entry("cut", "BYTES", "answers end after BYTES bytes"),
    Entry("fragments", "each answer comes in two datagrams, one half in each"),
    Entry("malformed", "answers are not BER: lengths point past the end"),
    Entry("short-lengths", "lengths are one less than what follows them"),
    Entry("long-lengths", "an answer says to have 2^63 bytes"),
    Entry("indefinite-lengths", "lengths are left open, as BER knows and SNMP forbids"),
    Entry("padded-lengths", "each length takes five bytes, which is allowed"),
    Entry("deep-nesting", "each value is 300 sequences in one another"),
    Entry("no-bindings", "answers hold no variable binding"),
    Entry("wrong-source-port", "answers come from another port than was asked"),
    Entry("wrong-request-id", "answers carry the request id plus one"),
    Entry("duplicates", "each answer comes twice"),
    Entry("late", "MS", "each third answer is MS late, behind later ones"),
    Entry("slow", "MS", "each answer takes MS milliseconds"),
    Entry("slow-first", "MS", "nothing comes before MS milliseconds after the first request"),
    Entry("drops", "PERCENT", "this share of the requests is lost"),
    Entry("dies-after", "N", "silent for ever after N answers"),
    Entry("too-big", "every request is answered with tooBig"),
    Entry("too-big-above", "N", "what would be answered with more than N bindings is answered with tooBig"),
    Entry("gen-err", "OID", "genErr for every name at or behind OID"),
    Entry("gen-err-at-end", "genErr in the place of the end of the MIB"),
    Entry("non-increasing", "OID", "behind OID, GETNEXT answers the name asked for"),
    Entry("cycle", "OID", "behind OID, GETNEXT starts again from the first object"),
    Entry("million-rows", "OID", "the column OID has a million rows"),
    Entry("get-next-only", "no GET is answered"),
    Entry("single-gets", "no GET and no GETNEXT of several names is answered"),
    Entry("no-bulk", "no GETBULK is answered"),
    Entry("engine-changes", "N", "a new SNMPv3 engine id after each N answers"),
    Entry("boots-zero", "N", "engineBoots is 0 for ever, and the engine's time starts again after each N answers"),
    Entry("shared-engine", "one SNMPv3 engine id for all devices with this fault"),
    Entry("long-strings", "OID", "texts at or below OID have 65000 bytes"),
    Entry("huge-numbers", "OID", "numbers at or below OID are 2^63, and 2^63 - 1 where they have a sign"),
    Entry("nul-padding", "texts are filled up with NUL to 64 bytes"),
    Entry("hex-tails", "texts of more than 16 bytes go on as hexadecimal digits behind a line break"),
    Entry("latin-1", "texts of the Printer-MIB end in a letter of ISO 8859-1, which the device says to use"),
    Entry("levels", "N", "prtMarkerSuppliesLevel of every supply is N"),
    Entry("capacities", "N", "prtMarkerSuppliesMaxCapacity of every supply is N"),
    Entry("count-drops", "N", "after N answers the life count starts again from 0"),
    Entry("rolls-over", "PAGES", "the life count begins PAGES before 2^32"),
    Entry("swapped", "N", "after N answers a device with another serial number and MAC answers"),
    Entry("serial-zeros", "N", "after N answers the serial number has zeros in front"),
    Entry("ipp-slow", "MS", "each answer over IPP takes MS milliseconds"),
    Entry("ipp-cut", "BYTES", "the connection ends after BYTES bytes of an answer over IPP"),
    Entry("ipp-malformed", "the first length in an answer over IPP points past its end"),
    Entry("ipp-busy", "every request over IPP is answered with HTTP status 503"),
  ]
}

extension Fault.Entry {
  fileprivate init(_ name: String, _ meaning: String) { self.init(name, nil, meaning) }
}

extension [Fault] {
  /// The odd habits among the faults, beside those of the model.
  func added(to quirks: Quirks) -> Quirks {
    var quirks = quirks
    if contains(.getNextOnly) { quirks.getNextOnly = true }
    if contains(.singleGets) { quirks.singleGetsOnly = true }
    if contains(.noBulk) { quirks.noBulk = true }
    if contains(.genErrAtEnd) { quirks.genErrAtEnd = true }
    return quirks
  }
}
