// `.snmprec` files: every tag, what is odd in them, and the way back.

internal import MIB
internal import Testing

@Suite("snmprec files")
struct SNMPRecTests {
  private func parse(_ text: String) -> SNMPRec.Document {
    SNMPRec.parse(Array((text.hasSuffix("\n") ? text : text + "\n").utf8))
  }

  @Test(arguments: [
    ("2|-7", ObjectValue.integer(-7)), ("4|text with | bars", .octets(Array("text with | bars".utf8))),
    ("4x|00 fF", .octets([0, 255])), ("4|", .octets([])), ("5|", .null),
    ("6|.1.3.6", .objectIdentifier([1, 3, 6])), ("64|10.0.0.255", .ipAddress([10, 0, 0, 255])),
    ("64x|0a0000ff", .ipAddress([10, 0, 0, 255])), ("65|4294967295", .counter32(.max)), ("66|3", .gauge32(3)),
    ("67|12", .timeTicks(12)), ("68x|9f78", .opaque([0x9F, 0x78])), ("70|18446744073709551615", .counter64(.max)),
    ("128|", .noSuchObject), ("129|", .noSuchInstance), ("130|", .endOfMibView),
  ])
  func `every tag has its type`(line: String, value: ObjectValue) {
    let document = parse("1.3.1|" + line + "\n")
    #expect(document.findings.isEmpty)
    #expect(document.walk.bindings == [VarBind([1, 3, 1], value)])
  }

  @Test func `malformed lines are findings with their numbers, and the rest is read`() {
    let document = parse(
      """
      # a comment
      1.3.1|2|1

      no bars here
      1.3.x|2|1
      1.3.2|99|1
      1.3.3|4x|abc
      1.3.4|4x|zz
      1.3.5|2|twelve
      1.3.6|64|1.2.3.999
      1.3.7|6|a.b
      1.3.8|2|8
      """)
    #expect(document.findings.map(\.line) == [4, 5, 6, 7, 8, 9, 10, 11])
    #expect(document.findings.allSatisfy { $0.message.contains("expected") })
    #expect(document.walk.bindings.map(\.name) == [[1, 3, 1], [1, 3, 8]])
  }

  @Test func `lines come in any order, and of two alike the later holds`() {
    let document = parse("1.3.2|2|2\n1.3.1|2|1\n1.3.2|2|3\n")
    #expect(document.walk.bindings == [VarBind([1, 3, 1], .integer(1)), VarBind([1, 3, 2], .integer(3))])
    #expect(document.findings == [SNMPRec.Finding(line: 3, message: "1.3.2 was stated before; the later line holds")])
  }

  @Test func `a number out of its type's range stays that number, as a finding`() {
    let document = parse("1.3.1|65|-3\n1.3.2|66|4294967296\n1.3.3|2|\n1.3.4|70|-1\n")
    #expect(document.walk.bindings.map(\.value) == [.integer(-3), .integer(4_294_967_296), .integer(0), .integer(-1)])
    #expect(document.findings.map(\.line) == [1, 2, 3, 4])
  }

  @Test func `a variation keeps its module and parameters, and its stated value`() {
    let document = parse(
      "1.3.1|65:numeric|rate=1,initial=7\n1.3.2|4:delay|value=slow,wait=1500\n1.3.3|2:error|op=any\n")
    #expect(document.variations.map(\.module) == ["numeric", "delay", "error"])
    #expect(document.variations[0].parameters.map(\.key) == ["rate", "initial"])
    #expect(document.walk[[1, 3, 1]] == .counter32(7))
    #expect(document.walk[[1, 3, 2]] == .octets(Array("slow".utf8)))
    #expect(document.walk[[1, 3, 3]] == nil)
    #expect(document.findings.map(\.line) == [3])
  }

  @Test func `carriage returns end lines too, and other bytes stay`() {
    let document = SNMPRec.parse(Array("1.3.1|4|a".utf8) + [0xE9] + Array(" \r\n".utf8))
    #expect(document.walk[[1, 3, 1]] == .octets([0x61, 0xE9, 0x20]))
  }

  @Test func `a byte order mark before the first line is none of it`() {
    let document = SNMPRec.parse([0xEF, 0xBB, 0xBF] + Array("1.3.6.1|2|7\n".utf8))
    #expect(document.walk[[1, 3, 6, 1]] == .integer(7) && document.findings.isEmpty)
  }

  @Test func `a last line that was cut off is a finding and no value`() {
    let document = SNMPRec.parse(Array("1.3.1|2|7\n1.3.2|2|50".utf8))
    #expect(document.walk.bindings == [VarBind([1, 3, 1], .integer(7))])
    #expect(document.findings.map(\.line) == [2])
    #expect(document.linesLost == 1)
  }

  @Test func `lines that are lost are counted, oddities that are not`() {
    #expect(parse("1.3.1|2|7\n1.3.1|2|8\n").linesLost == 0)
    #expect(parse("1.3.1|2|7\nnonsense\n1.3.2|2|x\n").linesLost == 2)
  }

  @Test func `an overlong line is a finding and nothing more`() {
    let long = String(repeating: "a", count: SNMPRec.lineBytesMax + 1)
    let document = parse("1.3.1|4|\(long)\n1.3.2|2|1\n")
    #expect(document.findings.map(\.line) == [1])
    #expect(document.walk.bindings.count == 1)
  }

  @Test func `what is written reads back as the same walk`() {
    let values: [ObjectValue] = [
      .integer(.min), .integer(.max), .octets([]), .octets(Array(0...255)), .octets(Array(" x".utf8)),
      .octets(Array("plain | text".utf8)), .null, .objectIdentifier([1, 3, 6, 1]), .objectIdentifier([]),
      .ipAddress([1, 2, 3, 4]), .ipAddress([]), .counter32(.max), .gauge32(0), .timeTicks(5), .opaque([0x9F]),
      .opaque([]),
      .counter64(.max), .noSuchObject, .noSuchInstance, .endOfMibView,
    ]
    let walk = Walk(values.enumerated().map { VarBind([1, 3, UInt32($0.offset)], $0.element) })
    let document = SNMPRec.parse(SNMPRec.bytes(of: walk))
    #expect(document.findings.isEmpty)
    #expect(document.walk == walk)
  }

  @Test func `random bytes never trap`() {
    var generator = SeededGenerator(seed: 0x5EED)
    let alphabet = Array("0123456789.|x:#=,-4526 \r\n".utf8) + [0, 0x80, 0xFF]
    for _ in 0..<2_000 {
      let bytes = (0..<Int.random(in: 0...120, using: &generator)).map { _ in
        alphabet.randomElement(using: &generator) ?? 0
      }
      let document = SNMPRec.parse(bytes)
      #expect(document.findings.count + document.walk.bindings.count <= 2 * (bytes.count { $0 == 0x0A } + 1))
    }
  }
}

/// SplitMix64: the same numbers for the same seed on every machine.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = state
    value = (value ^ (value >> 30)) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ (value >> 27)) &* 0x94D0_49BB_1331_11EB
    return value ^ (value >> 31)
  }
}
