internal import MIB
internal import SNMP
internal import Testing

/// Reading and writing single elements (X.690, as RFC 3417 section 8 restricts it).
@Suite struct BERTests {
  private func value(_ bytes: [UInt8]) throws -> (ObjectValue, [DecodingNote]) {
    try bytes.withUnsafeBytes { buffer in
      var reader = BERReader(buffer)
      var notes: [DecodingNote] = []
      let value = try ObjectValue(from: &reader, notes: &notes)
      #expect(reader.isAtEnd)
      return (value, notes)
    }
  }

  private func encoding(_ value: ObjectValue) -> [UInt8] {
    var writer = BERWriter()
    value.write(to: &writer)
    return writer.bytes
  }

  private func failure(_ bytes: [UInt8]) -> BERError? {
    bytes.withUnsafeBytes { buffer in
      var reader = BERReader(buffer)
      var notes: [DecodingNote] = []
      do throws(BERError) {
        _ = try ObjectValue(from: &reader, notes: &notes)
        return nil
      } catch { return error }
    }
  }

  @Test(
    arguments: [
      (ObjectValue.integer(0), [0x02, 1, 0]),
      (.integer(127), [0x02, 1, 0x7F]),
      (.integer(128), [0x02, 2, 0, 0x80]),
      (.integer(-128), [0x02, 1, 0x80]),
      (.integer(-129), [0x02, 2, 0xFF, 0x7F]),
      (.integer(.max), [0x02, 8, 0x7F, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
      (.integer(.min), [0x02, 8, 0x80, 0, 0, 0, 0, 0, 0, 0]),
      (.counter32(.max), [0x41, 5, 0, 0xFF, 0xFF, 0xFF, 0xFF]),
      (.gauge32(300), [0x42, 2, 1, 0x2C]),
      (.timeTicks(0), [0x43, 1, 0]),
      (.counter64(.max), [0x46, 9, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF]),
      (.octets([1, 2]), [0x04, 2, 1, 2]),
      (.null, [0x05, 0]),
      (.ipAddress([10, 0, 0, 1]), [0x40, 4, 10, 0, 0, 1]),
      (.opaque([9]), [0x44, 1, 9]),
      (.objectIdentifier([1, 3, 6, 1, 4, 1, 2699]), [0x06, 7, 0x2B, 6, 1, 4, 1, 0x95, 0x0B]),
      (.objectIdentifier([2, 999, 3]), [0x06, 3, 0x88, 0x37, 3]),
      (.objectIdentifier([0, 0]), [0x06, 1, 0]),
      (.objectIdentifier([1, 3, .max]), [0x06, 6, 0x2B, 0x8F, 0xFF, 0xFF, 0xFF, 0x7F]),
      (.noSuchObject, [0x80, 0]),
      (.noSuchInstance, [0x81, 0]),
      (.endOfMibView, [0x82, 0]),
    ] as [(ObjectValue, [UInt8])])
  func `A value has exactly one encoding and is read back from it`(_ expected: ObjectValue, _ bytes: [UInt8]) throws {
    #expect(encoding(expected) == bytes)
    let (read, notes) = try value(bytes)
    #expect(read == expected)
    #expect(notes.isEmpty)
  }

  @Test func `Strings longer than 127 bytes have long lengths`() throws {
    for count in [127, 128, 255, 256, 65_536, 200_000] {
      let string = ObjectValue.octets([UInt8](repeating: 7, count: count))
      #expect(try value(encoding(string)).0 == string)
    }
    #expect(encoding(.octets([UInt8](repeating: 7, count: 300))).prefix(4) == [0x04, 0x82, 1, 0x2C])
  }

  @Test(
    arguments: [[0x02, 0x81, 1, 5], [0x02, 0x84, 0, 0, 0, 1, 5], [0x02, 0x87, 0, 0, 0, 0, 0, 0, 1, 5]] as [[UInt8]])
  func `A length in more bytes than it needs is accepted`(_ bytes: [UInt8]) throws {
    #expect(try value(bytes).0 == .integer(5))
  }

  @Test func `A number padded with redundant sign bytes is accepted`() throws {
    #expect(try value([0x02, 10, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0]).0 == .integer(256))
    #expect(try value([0x02, 10] + [UInt8](repeating: 0xFF, count: 10)).0 == .integer(-1))
  }

  @Test func `A negative Counter32 is read as unsigned and noted`() throws {
    let (read, notes) = try value([0x41, 4, 0xFF, 0xFF, 0xFF, 0xFE])
    #expect(read == .counter32(4_294_967_294))
    #expect(notes == [DecodingNote(offset: 0, kind: .negativeUnsigned)])
    #expect(try value([0x46, 8] + [UInt8](repeating: 0xFF, count: 8)).0 == .counter64(.max))
  }

  @Test func `A number beyond 64 bits is kept undecoded and noted`() throws {
    let contents: [UInt8] = [1, 2, 3, 4, 5, 6, 7, 8, 9]
    let (read, notes) = try value([0x02, 9] + contents)
    #expect(read == .opaque(contents))
    #expect(notes == [DecodingNote(offset: 0, kind: .unreadableValue(.integerTooLong(byteCount: 9)))])
    #expect(try value([0x02, 9, 0, 0x80, 0, 0, 0, 0, 0, 0, 0]).0 == .opaque([0, 0x80, 0, 0, 0, 0, 0, 0, 0]))
    #expect(try value([0x41, 5, 1, 0, 0, 0, 0]).0 == .opaque([1, 0, 0, 0, 0]))
  }

  @Test func `Numbers and identifiers without contents are read as zero and noted`() throws {
    #expect(try value([0x41, 0]) == (.counter32(0), [DecodingNote(offset: 0, kind: .emptyInteger)]))
    #expect(
      try value([0x06, 0]) == (.objectIdentifier([0, 0]), [DecodingNote(offset: 0, kind: .emptyObjectIdentifier)]))
  }

  @Test func `An unknown type is kept undecoded and noted`() throws {
    #expect(try value([0x45, 2, 1, 2]) == (.opaque([1, 2]), [DecodingNote(offset: 0, kind: .unknownType(0x45))]))
  }

  @Test(
    arguments: [
      ([], BERError.Problem.truncated(needed: 1, available: 0)),
      ([0x04], .truncated(needed: 1, available: 0)),
      ([0x04, 5, 1], .truncated(needed: 5, available: 1)),
      ([0x30, 0x80, 0, 0], .indefiniteLength),
      ([0x04, 0x84, 0xFF, 0xFF, 0xFF, 0xFF], .lengthTooLarge),
      ([0x04, 0xFF] + [UInt8](repeating: 0xFF, count: 127), .lengthTooLarge),
      ([0x9F, 0x78, 0], .multiByteTag(0x9F)),
    ] as [([UInt8], BERError.Problem)])
  func `An element that cannot be delimited is refused`(_ bytes: [UInt8], _ problem: BERError.Problem) {
    #expect(failure(bytes)?.problem == problem)
  }

  @Test(
    arguments: [
      ([0x06, 1, 0x81], BERError.Problem.objectIdentifierUnterminated),
      ([0x06, 6, 0x2B, 0x90, 0x80, 0x80, 0x80, 0x00], .subIdentifierTooLarge),
      ([0x06, 0], .emptyObjectIdentifier),
      ([0x06, 0x81, 128] + [UInt8](repeating: 1, count: 128), .objectIdentifierTooLong),
      ([0x02, 1, 0], .unexpectedTag(0x02)),
    ] as [([UInt8], BERError.Problem)])
  func `A name that is no object identifier is refused`(_ bytes: [UInt8], _ problem: BERError.Problem) {
    bytes.withUnsafeBytes { buffer in
      var reader = BERReader(buffer)
      let error = #expect(throws: BERError.self) { try reader.objectIdentifier("name") }
      #expect(error?.problem == problem)
      #expect(error?.offset == 0)
    }
  }

  @Test func `An identifier of 128 parts is read`() throws {
    let longest = ObjectIdentifier([1, 3] + [UInt32](repeating: 9, count: 126))
    #expect(try value(encoding(.objectIdentifier(longest))).0 == .objectIdentifier(longest))
  }
}
