// Messages that were written for these tests, byte by byte and by the writer.

internal import Testing

internal import IPP

/// Bytes of a message, put together by hand.
private func attribute(_ tag: UInt8, _ name: String, _ value: [UInt8]) -> [UInt8] {
  [tag, 0, UInt8(name.utf8.count)] + Array(name.utf8) + [UInt8(value.count >> 8), UInt8(value.count & 0xFF)] + value
}

private func response(_ body: [UInt8], ended: Bool = true) -> [UInt8] {
  [2, 0, 0, 0, 0, 0, 0, 7, 0x04] + body + (ended ? [0x03] : [])
}

@Suite struct `An IPP message` {
  private func decoded(_ bytes: [UInt8]) throws -> IPPDecoded { try #require(IPPDecoded(bytes)) }

  private func printer(_ bytes: [UInt8]) throws -> IPPGroup { try #require(decoded(bytes).message[.printer]) }

  @Test func `has a header, groups, attributes and values`() throws {
    let bytes =
      response(
        attribute(0x23, "printer-state", [0, 0, 0, 3])
          + attribute(0x44, "printer-state-reasons", Array("toner-low".utf8))
          + attribute(0x44, "", Array("media-empty".utf8)) + attribute(0x22, "color-supported", [1])) + [1, 2, 3]
    let read = try decoded(bytes)
    #expect(read.findings.isEmpty)
    #expect(read.message.version == IPPMessage.Version(2, 0))
    #expect(read.message.code == IPPStatus.ok && read.message.requestID == 7)
    #expect(read.dataOffset == bytes.count - 3, "document data follows")
    let group = try #require(read.message[.printer])
    #expect(group["printer-state"] == [.enumeration(3)])
    #expect(group["printer-state-reasons"].map(\.text) == ["toner-low", "media-empty"])
    #expect(group["color-supported"] == [.boolean(true)])
    #expect(group["printer-name"].isEmpty)
  }

  @Test func `says what is not known and what is not there`() throws {
    let group = try printer(
      response(
        attribute(0x12, "printer-impressions-completed", []) + attribute(0x13, "printer-location", [])
          + attribute(0x10, "printer-alert", []) + attribute(0x15, "x", [])))
    #expect(group["printer-impressions-completed"] == [.outOfBand(.unknown)])
    #expect(group["printer-location"] == [.outOfBand(.noValue)])
    #expect(group["printer-alert"] == [.outOfBand(.unsupported)])
    #expect(group["x"] == [.outOfBand(.other(0x15))])
    #expect(group["printer-impressions-completed"][0].number == nil, "an unknown number is no number")
  }

  @Test func `is written as it is read`() throws {
    let date = try #require(IPPDateTime(bytes: [0x07, 0xEA, 11, 25, 8, 5, 0, 0, 0x2B, 1, 0]))
    let message = IPPMessage(
      code: 0, requestID: -5,
      groups: [
        IPPGroup(.operation, [IPPAttribute("attributes-charset", [.string("utf-8", .charset)])]),
        IPPGroup(
          .printer,
          [
            IPPAttribute("numbers", [.integer(.min), .integer(.max), .range(1, 9), .enumeration(5)]),
            IPPAttribute("texts", IPPStringSyntax.allCases.map { .string("Kopierer ä", $0) }),
            IPPAttribute(
              "others", [.octets([0, 255]), .dateTime(date), .resolution(across: 600, along: 300, units: 3)]),
            IPPAttribute("none", [.outOfBand(.noValue)]),
            IPPAttribute(
              "media",
              [
                .collection([
                  IPPAttribute("size", [.collection([IPPAttribute("x", [.integer(21_000)])])]),
                  IPPAttribute("source", [.string("tray-1", .keyword), .string("tray-2", .keyword)]),
                ])
              ]),
          ]),
        IPPGroup(.other(0x0A), []),
      ])
    let read = try decoded(try message.encoded())
    #expect(read.findings.isEmpty, "\(read.findings)")
    #expect(read.message == message)
    #expect(date.description == "2026-11-25T08:05:00.0+0100")
  }

  @Test func `that asks for a printer's attributes names charset, language and printer first, in this order`() throws {
    let request = IPPMessage.getPrinterAttributes(
      uri: "ipp://127.0.0.1/ipp/print", attributes: ["printer-state", "marker-levels"], requestID: 1)
    #expect(request.code == 0x000B)
    let operation = try #require(request[.operation])
    // RFC 8011, section 4.1.4: the first two, in this order.
    #expect(
      operation.attributes.map(\.name) == [
        "attributes-charset", "attributes-natural-language", "printer-uri", "requested-attributes",
      ])
    #expect(operation["requested-attributes"].count == 2)
  }

  @Test func `is not written when a value is too long for its length`() {
    let message = IPPMessage(
      code: 0, requestID: 1,
      groups: [IPPGroup(.printer, [IPPAttribute("big", [.octets(Array(repeating: 0, count: 65_536))])])])
    #expect(throws: IPPMessage.TooLong(attribute: "big")) { try message.encoded() }
  }

  // MARK: Nonsense

  @Test func `needs eight bytes and a version of IPP`() {
    #expect(IPPDecoded([2, 0, 0, 0, 0, 0, 0]) == nil)
    #expect(IPPDecoded(Array("<html><body>404</body></html>".utf8)) == nil)
    #expect(IPPDecoded([UInt8]()) == nil)
  }

  @Test func `keeps a value that is not of its syntax, and says so`() throws {
    let read = try decoded(
      response(attribute(0x21, "short", [1]) + attribute(0x31, "date", [1, 2]) + attribute(0x60, "what", [9])))
    let group = try #require(read.message[.printer])
    #expect(group["short"] == [.undecodable(tag: 0x21, [1])])
    #expect(group["date"] == [.undecodable(tag: 0x31, [1, 2])])
    #expect(group["what"] == [.undecodable(tag: 0x60, [9])])
    #expect(read.findings.map(\.attribute) == ["short", "date", "what"])
    #expect(group["short"][0].number == nil)
  }

  @Test func `reads a text that is not UTF-8 as ISO 8859-1, and says so`() throws {
    let read = try decoded(response(attribute(0x41, "printer-location", [0x42, 0xFC, 0x72, 0x6F])))
    #expect(read.message[.printer]?["printer-location"].first?.text == "Büro")
    #expect(read.findings.map(\.problem) == [.notUTF8])
  }

  @Test func `joins an attribute that stands there twice`() throws {
    let read = try decoded(
      response(
        attribute(0x21, "a", [0, 0, 0, 1]) + attribute(0x21, "b", [0, 0, 0, 2]) + attribute(0x21, "a", [0, 0, 0, 3])
          + attribute(0x21, "", [0, 0, 0, 4])))
    #expect(read.message[.printer]?["a"] == [.integer(1), .integer(3), .integer(4)])
    #expect(read.message[.printer]?["b"] == [.integer(2)])
    #expect(read.findings.map(\.problem) == [.repeatedAttribute])
  }

  @Test func `names values that belong to nothing`() throws {
    let noGroup = try decoded([1, 1, 0, 0, 0, 0, 0, 1] + attribute(0x21, "a", [0, 0, 0, 1]) + [0x03])
    #expect(noGroup.findings.map(\.problem) == [.misplacedValue])
    let noAttribute = try decoded(response(attribute(0x21, "", [0, 0, 0, 1])))
    #expect(noAttribute.findings.map(\.problem) == [.misplacedValue])
  }

  @Test func `that ends without its end tag gives what it has`() throws {
    let read = try decoded(response(attribute(0x21, "a", [0, 0, 0, 1]), ended: false))
    #expect(read.message[.printer]?["a"] == [.integer(1)])
    #expect(read.findings.map(\.problem) == [.noEnd])
  }

  @Test func `nested too deeply, or endlessly, ends`() throws {
    var deep: [UInt8] = attribute(0x34, "media", [])
    for _ in 0..<1_000 { deep += attribute(0x4A, "", Array("m".utf8)) + attribute(0x34, "", []) }
    let read = try decoded(response(deep, ended: false))
    #expect(read.findings.contains { $0.problem == .tooDeep })
    let unnamed = try decoded(response(attribute(0x34, "c", []) + attribute(0x21, "", [0, 0, 0, 1])))
    #expect(unnamed.findings.map(\.problem) == [.malformedCollection, .malformedCollection])
  }

  @Test(.timeLimit(.minutes(5))) func `of very many values is cut, in reasonable time`() throws {
    var many: [UInt8] = []
    for number in 0..<70_000 { many += attribute(0x13, "a\(number)", []) }
    let read = try decoded(response(many))
    #expect(read.findings.map(\.problem) == [.tooManyValues])
    #expect(read.message[.printer]?.attributes.count == IPPLimits.valuesMax)
  }

  @Test func `cut at any byte gives a beginning of what it was`() throws {
    let message = IPPMessage(
      code: 0, requestID: 1,
      groups: [
        IPPGroup(
          .printer,
          [
            IPPAttribute("marker-levels", [.integer(50), .integer(-3)]),
            IPPAttribute("printer-info", [.string("Flur", .textWithLanguage)]),
            IPPAttribute("media", [.collection([IPPAttribute("x", [.integer(1), .integer(2)])])]),
          ])
      ])
    let bytes = try message.encoded()
    let names = message.groups[0].attributes.map(\.name)
    for length in 8..<bytes.count {
      let read = try decoded(Array(bytes[..<length]))
      #expect(!read.findings.isEmpty, "a cut is said")
      #expect(names.starts(with: read.message[.printer]?.attributes.map(\.name) ?? []))
    }
  }

  @Test(arguments: 0..<40) func `with any bytes changed is read without a trap`(seed: UInt64) throws {
    let message = IPPMessage(
      code: 0, requestID: 1,
      groups: [
        IPPGroup(
          .printer,
          (0..<20).map {
            IPPAttribute(
              "a\($0)", [.integer($0), .collection([IPPAttribute("m", [.string("x", .keyword)])]), .octets([1])])
          })
      ])
    let original = try message.encoded()
    var state = seed &* 0x9E37_79B9_7F4A_7C15 &+ 1
    func random(_ bound: Int) -> Int {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return Int(state >> 33) % bound
    }
    for _ in 0..<500 {
      var bytes = original
      for _ in 0...random(4) { bytes[8 + random(bytes.count - 8)] = UInt8(random(256)) }
      let read = try #require(IPPDecoded(bytes))
      #expect(read.dataOffset <= bytes.count)
      #expect(read.findings.count <= IPPLimits.findingsMax)
    }
  }
}
