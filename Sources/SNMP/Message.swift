// Messages of the community-based versions (RFC 1157, section 4; RFC 1901, section 3).
//
//     Message = SEQUENCE { version INTEGER, community OCTET STRING, PDU }

/// The versions whose messages carry a community; the raw value is the one on the wire.
package enum CommunityVersion: Int32, CaseIterable, Hashable, Sendable, CustomStringConvertible {
  case v1 = 0
  case v2c = 1

  package var description: String { self == .v1 ? "v1" : "v2c" }
}

/// The version every SNMP message begins with.
package enum SNMPVersion: Int32, CaseIterable, Hashable, Sendable {
  case v1 = 0
  case v2c = 1
  case v3 = 3

  /// The version of the message in `datagram`: which of `Message` and `V3Message` can read it.
  package init(of datagram: UnsafeRawBufferPointer) throws(BERError) {
    var reader = BERReader(datagram)
    var message = try reader.nested("message")
    self = try Self.read(from: &message)
  }

  /// The version of the message in `datagram`.
  package init(of datagram: [UInt8]) throws(BERError) {
    self = try datagram.lend { (bytes) throws(BERError) in try SNMPVersion(of: bytes) }
  }

  static func read(from message: inout BERReader) throws(BERError) -> SNMPVersion {
    let offset = message.position
    let number = try message.int32("version")
    guard let version = SNMPVersion(rawValue: number) else {
      throw BERError(offset: offset, expected: "version", problem: .integerOutOfRange(Int64(number)))
    }
    return version
  }
}

/// A message of SNMPv1 or SNMPv2c.
package struct Message: Hashable, Sendable {
  package var version: CommunityVersion
  package var community: [UInt8]
  package var pdu: PDU

  package init(version: CommunityVersion, community: [UInt8], pdu: PDU) {
    self.version = version
    self.community = community
    self.pdu = pdu
  }

  /// Reads a datagram.
  ///
  /// - Parameter notes: receives what was tolerated, also when an error is thrown.
  /// - Throws: when it is not one whole message of SNMPv1 or SNMPv2c.
  package init(decoding datagram: UnsafeRawBufferPointer, notes: inout [DecodingNote]) throws(BERError) {
    var reader = BERReader(datagram)
    var message = try reader.nested("message")
    let offset = message.position
    let number = try message.int32("version")
    guard let version = CommunityVersion(rawValue: number) else {
      throw BERError(offset: offset, expected: "version", problem: .integerOutOfRange(Int64(number)))
    }
    let community = try message.octets("community")
    let pdu = try PDU(from: &message, notes: &notes)
    try message.finish("message")
    reader.noteTrailingBytes(&notes)
    self.init(version: version, community: community, pdu: pdu)
  }

  /// Reads a datagram held in an array.
  package init(decoding datagram: [UInt8], notes: inout [DecodingNote]) throws(BERError) {
    self = try datagram.lend { (bytes) throws(BERError) in try Message(decoding: bytes, notes: &notes) }
  }

  /// Reads a datagram held in an array, without asking what was tolerated.
  package init(decoding datagram: [UInt8]) throws(BERError) {
    var notes: [DecodingNote] = []
    try self.init(decoding: datagram, notes: &notes)
  }

  /// The datagram of this message.
  package func encoded() -> [UInt8] {
    var writer = BERWriter()
    writer.constructed { message in
      pdu.write(to: &message)
      message.octets(community)
      message.integer(version.rawValue)
    }
    return writer.bytes
  }
}

extension BERReader {
  /// Bytes behind a datagram's message are not part of it; some agents send their whole buffer.
  func noteTrailingBytes(_ notes: inout [DecodingNote]) {
    if !isAtEnd { notes.append(DecodingNote(offset: position, kind: .trailingBytes(remaining))) }
  }
}

extension Array where Element == UInt8 {
  /// `withUnsafeBytes` with typed errors.
  func lend<R>(_ body: (UnsafeRawBufferPointer) throws(BERError) -> R) throws(BERError) -> R {
    let result: Result<R, BERError> = withUnsafeBytes { bytes in
      do throws(BERError) { return .success(try body(bytes)) } catch { return .failure(error) }
    }
    return try result.get()
  }
}
