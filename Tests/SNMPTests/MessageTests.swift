internal import MIB
internal import SNMP
internal import Testing

/// Whole messages, both ways, whole and damaged.
@Suite struct MessageTests {
  /// Decodes a datagram as whichever version it claims; nil when it is refused. Never traps is what the tests want.
  @discardableResult
  private func decode(_ datagram: [UInt8]) -> Bool {
    var notes: [DecodingNote] = []
    let community = (try? Message(decoding: datagram, notes: &notes)) != nil
    let v3 = (try? LocatedV3Message(decoding: datagram, notes: &notes)) != nil
    return community || v3
  }

  @Test(arguments: SampleMessages.community + [SampleMessages.trap])
  func `A message is read back as it was written`(_ message: Message) throws {
    var notes: [DecodingNote] = []
    #expect(try Message(decoding: message.encoded(), notes: &notes) == message)
    #expect(notes.isEmpty)
  }

  @Test func `A message of v3 is read back as it was written, with the place of its digest`() throws {
    var notes: [DecodingNote] = []
    let (datagram, range) = SampleMessages.v3.encoded()
    let located = try LocatedV3Message(decoding: datagram, notes: &notes)
    #expect(located.message == SampleMessages.v3)
    #expect(located.authenticationRange == range)
    #expect(located.byteCount == datagram.count)
    #expect(Array(datagram[range]) == [UInt8](repeating: 0xAB, count: 12))
    #expect(notes.isEmpty)
  }

  @Test func `A request has the bytes every manager sends`() {
    let message = Message(
      version: .v2c, community: Array("public".utf8),
      pdu: PDU(.get, requestID: 1, names: [[1, 3, 6, 1, 2, 1, 1, 1, 0]]))
    #expect(
      message.encoded() == [
        0x30, 0x26, 0x02, 1, 1, 0x04, 6, 0x70, 0x75, 0x62, 0x6C, 0x69, 0x63, 0xA0, 0x19, 0x02, 1, 1, 0x02, 1, 0, 0x02,
        1, 0, 0x30, 0x0E, 0x30, 0x0C, 0x06, 8, 0x2B, 6, 1, 2, 1, 1, 1, 0, 0x05, 0,
      ])
  }

  @Test func `Every sample cut short anywhere is refused`() {
    for datagram in SampleMessages.datagrams {
      for count in 0..<datagram.count {
        #expect(!decode(Array(datagram.prefix(count))), "cut to \(count) of \(datagram.count) bytes")
      }
    }
  }

  @Test func `Every sample with any byte changed is read or refused`() {
    for datagram in SampleMessages.datagrams {
      var damaged = datagram
      for position in datagram.indices {
        for mask: UInt8 in [0x01, 0x80, 0xFF, 0x7F, 0x20] {
          damaged[position] = datagram[position] ^ mask
          decode(damaged)
        }
        damaged[position] = datagram[position]
      }
    }
  }

  @Test(arguments: [0, 1, 2, 3] as [UInt64])
  func `Random bytes behind a message's head are read or refused`(_ seed: UInt64) {
    var random = SeededGenerator(seed: seed)
    for _ in 0..<2_000 {
      let body = (0..<Int.random(in: 0..<120, using: &random)).map { _ in UInt8.random(in: 0...255, using: &random) }
      let start: [UInt8] = [0x02, 1, [0, 1, 3].randomElement(using: &random) ?? 0]
      decode([0x30, UInt8(start.count + body.count)] + start + body)
    }
  }

  @Test func `The strings of an answer are pieces of one buffer, not memory of their own`() throws {
    let texts = ["", "Black Toner", "Cyan Toner"].map { Array($0.utf8) }
    let bindings = texts.enumerated().map { VarBind([1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 6, 1, UInt32($0)], .octets($1)) }
    let pdu = PDU(.response, requestID: 7, bindings: bindings + [VarBind([1, 3, 1], .ipAddress([127, 0, 0, 1]))])
    let message = Message(version: .v2c, community: Array("public".utf8), pdu: pdu)
    let read = try Message(decoding: message.encoded()).pdu.bindings
    #expect(read == pdu.bindings)
    let pieces = read.compactMap(\.value.octets)
    #expect(pieces.map(\.array) == texts)
    #expect(Set(pieces.map(\.keptByteCount)).count == 1)
    #expect(pieces.allSatisfy { $0.keptByteCount > texts.joined().count })
  }

  @Test func `Names are read back whatever the size of their parts`() throws {
    for count in 2...40 {
      for last: UInt32 in [0, 1, 0x7F, 0x80, 0x3FFF, 0x4000, .max] {
        for first: [UInt32] in [[0, 39], [1, 3], [2, 0], [2, 47], [2, 48], [2, .max]] {
          let middle = (0..<(count - 2)).map { UInt32($0 % 128) }
          let binding = VarBind(ObjectIdentifier(first + middle + [last]), .null)
          let message = Message(version: .v1, community: [], pdu: PDU(.get, requestID: 1, bindings: [binding]))
          #expect(try Message(decoding: message.encoded()) == message, "\(binding.name)")
        }
      }
    }
  }

  @Test func `Bytes after the message are ignored and noted`() throws {
    let message = SampleMessages.community[0]
    var notes: [DecodingNote] = []
    let datagram = message.encoded()
    #expect(try Message(decoding: datagram + [0, 0, 0], notes: &notes) == message)
    #expect(notes == [DecodingNote(offset: datagram.count, kind: .trailingBytes(3))])
  }

  @Test func `Bytes left over inside of a structure are refused where they begin`() {
    // version, community and an empty response, then a NULL that does not belong.
    let datagram: [UInt8] =
      [0x30, 20, 0x02, 1, 1, 0x04, 0, 0xA2, 11, 0x02, 1, 9, 0x02, 1, 0, 0x02, 1, 0, 0x30, 0, 0x05, 0]
    let error = #expect(throws: BERError.self) { try Message(decoding: datagram) }
    #expect(error == BERError(offset: 20, expected: "message", problem: .trailingBytes(2)))
  }

  @Test func `The version tells which message it is`() throws {
    #expect(try SNMPVersion(of: SampleMessages.trap.encoded()) == .v1)
    #expect(try SNMPVersion(of: SampleMessages.v3.encoded().datagram) == .v3)
    let error = #expect(throws: BERError.self) { try SNMPVersion(of: [0x30, 3, 0x02, 1, 2]) }
    #expect(error?.problem == .integerOutOfRange(2))
    #expect(throws: BERError.self) { try Message(decoding: SampleMessages.v3.encoded().datagram) }
  }

  @Test func `A v1 trap becomes the notification it means`() throws {
    // coldStart of enterprise 1.3.6.1.4.1.11 from 10.0.0.7 at 77 ticks.
    let datagram: [UInt8] = [
      0x30, 33, 0x02, 1, 0, 0x04, 6, 0x70, 0x75, 0x62, 0x6C, 0x69, 0x63, 0xA4, 20, 0x06, 6, 0x2B, 6, 1, 4, 1, 11, 0x40,
      0, 0x02, 1, 0, 0x02, 1, 0, 0x43, 1, 77, 0x30, 0,
    ]
    var fixed = datagram
    fixed[1] = UInt8(datagram.count - 2)
    fixed[14] = UInt8(datagram.count - 15)
    let pdu = try Message(decoding: fixed).pdu
    #expect(pdu.type == .trapV1)
    #expect(pdu.bindings.first == VarBind([1, 3, 6, 1, 2, 1, 1, 3, 0], .timeTicks(77)))
    #expect(
      pdu.bindings.dropFirst().first?.value == .objectIdentifier([1, 3, 6, 1, 6, 3, 1, 1, 5, 1]))
    #expect(pdu.bindings.last?.value == .objectIdentifier([1, 3, 6, 1, 4, 1, 11]))
  }
}

/// A generator whose failures can be repeated.
struct SeededGenerator: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed &* 2 &+ 1 }

  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ (state >> 29)
  }
}
