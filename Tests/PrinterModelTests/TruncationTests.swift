// Outside bytes never trap: every fixture cut at every byte, every walk cut at every binding, every value replaced.

internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Cut and twisted input")
struct TruncationTests {
  @Test(arguments: Fixtures.names)
  func `a file cut at any byte reads, and the lines before the cut count`(name: String) throws {
    let bytes = try Fixtures.bytes(name)
    var lines = 0
    for end in bytes.indices {
      let document = SNMPRec.parse(Array(bytes[..<end]))
      #expect(document.findings.count <= 1)
      #expect(document.walk.bindings.count >= lines - 1)
      if bytes[end] == UInt8(ascii: "\n") { lines += 1 }
    }
  }

  @Test(arguments: Fixtures.names)
  func `a walk cut at any binding reads`(name: String) throws {
    let walk = try Fixtures.walk(name)
    for count in walk.bindings.indices {
      let cut = Walk(walk.bindings.prefix(count))
      let reading = Interpretation.read(cut)
      #expect(reading.supplies.count <= count)
      #expect(!ReadingReport(reading, walk: cut).text.isEmpty || count == 0)
    }
  }

  private static let twisted: [ObjectValue] = [
    .integer(.min), .integer(.max), .integer(-1), .octets([]), .octets([0xFF, 0xFE, 0x00]),
    .octets(Array(repeating: 0x0A, count: 70)),
    .null, .objectIdentifier(ObjectIdentifier([])), .ipAddress([1]), .counter32(.max), .counter64(.max),
    .opaque([0x9F]),
    .noSuchInstance, .endOfMibView,
  ]

  @Test(arguments: twisted)
  func `any value at any place reads`(value: ObjectValue) throws {
    let walk = try Fixtures.walk("colour-mfp")
    for binding in walk.bindings {
      var other = walk
      other.set(binding.name, value)
      let reading = Interpretation.read(other)
      #expect(reading.meters.count { $0.name == .total } <= 1)
      #expect(reading.supplies.allSatisfy { $0.percentRemaining == nil || $0.quality.isNumber })
      #expect(!ReadingReport(reading, walk: other).json.isEmpty)
    }
  }

  @Test(arguments: Fixtures.names)
  func `a walk cut at any binding is made anonymous`(name: String) throws {
    let bindings = try Fixtures.walk(name).bindings
    for count in bindings.indices {
      let anonymous = Interpretation.anonymised(Walk(bindings.prefix(count)), seed: UInt64(count))
      #expect(anonymous.walk.bindings.count + anonymous.objectsOutside + anonymous.objectsLeftOut.count <= count)
    }
  }

  @Test(.enabled(if: Corpus.root != nil, Corpus.skipped), arguments: Corpus.walks)
  func `a recorded walk cut at many places reads`(path: String) throws {
    let bytes = try Corpus.bytes(path)
    let step = max(100, bytes.count / 25)
    for end in stride(from: 0, to: bytes.count, by: step) {
      let document = SNMPRec.parse(Array(bytes[..<end]))
      _ = Interpretation.read(document.walk)
      #expect(document.findings.count <= 1)
    }
  }

  @Test func `a table of a hundred thousand rows is read up to its cap`() {
    let level = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level)
    let walk = Walk((0..<100_000).map { VarBind(level.appending(1, UInt32($0)), .integer(1)) })
    let reading = Interpretation.read(walk)
    #expect(reading.supplies.count == Walk.tableRowsMax)
    #expect(reading.findings.contains { $0.message.contains("not read") })
  }
}
