// The Basic Encoding Rules as SNMP restricts them (X.690; RFC 3417, section 8): definite lengths, primitive strings,
// one-byte tags.
//
//     element  = tag (1 byte)  length (1 to 5 bytes, more if zero-padded)  contents
//     length   = 0xxxxxxx                  short form, 0...127
//              | 1nnnnnnn  n bytes         long form, big endian; need not be the shortest form
//              | 10000000                  indefinite form: forbidden by RFC 3417, refused here
//
// Reading is tolerant where printers are known to be careless, and says so in a `DecodingNote`; whatever would leave a
// doubt about where the next element begins is a `BERError`. Nothing on this path traps, whatever the bytes are.

/// The tags of SNMP (RFC 2578, section 7; RFC 3416, section 3).
package enum BERTag {
  package static let integer: UInt8 = 0x02
  package static let octetString: UInt8 = 0x04
  package static let null: UInt8 = 0x05
  package static let objectIdentifier: UInt8 = 0x06
  package static let sequence: UInt8 = 0x30
  package static let ipAddress: UInt8 = 0x40
  package static let counter32: UInt8 = 0x41
  package static let gauge32: UInt8 = 0x42
  package static let timeTicks: UInt8 = 0x43
  package static let opaque: UInt8 = 0x44
  package static let counter64: UInt8 = 0x46
  /// UInteger32 of the withdrawn RFC 1442: an unsigned number, still sent by old agents.
  package static let unsigned32: UInt8 = 0x47
  package static let noSuchObject: UInt8 = 0x80
  package static let noSuchInstance: UInt8 = 0x81
  package static let endOfMibView: UInt8 = 0x82
}

/// Why bytes are not what they should be: where, what was expected there, and what was found.
package struct BERError: Error, Hashable, Sendable, CustomStringConvertible {
  package enum Problem: Hashable, Sendable {
    /// The element needs `needed` more bytes, of which the enclosing element has `available`.
    case truncated(needed: Int, available: Int)
    case unexpectedTag(UInt8)
    /// Tag numbers above 30 take several bytes; SNMP has none.
    case multiByteTag(UInt8)
    case indefiniteLength
    /// The length needs more than 31 bits.
    case lengthTooLarge
    /// The contents of a number are missing.
    case emptyInteger
    /// The number has more significant bytes than fit 64 bits.
    case integerTooLong(byteCount: Int)
    /// The number is outside of what this field can hold.
    case integerOutOfRange(Int64)
    case emptyObjectIdentifier
    /// More than `ObjectIdentifier.componentsMax` sub-identifiers.
    case objectIdentifierTooLong
    /// A sub-identifier above 2^32-1.
    case subIdentifierTooLarge
    /// The last byte of an object identifier says that another one follows.
    case objectIdentifierUnterminated
    /// Bytes are left over inside an element that should have ended.
    case trailingBytes(Int)
    /// A string of a length this field does not take.
    case wrongLength(Int)
  }

  /// Bytes from the start of the datagram (of the decrypted scoped PDU, when `expected` says so).
  package let offset: Int
  /// The field being read: `version`, `variable binding`.
  package let expected: String
  package let problem: Problem

  package init(offset: Int, expected: String, problem: Problem) {
    self.offset = offset
    self.expected = expected
    self.problem = problem
  }

  package var description: String {
    "Could not read the \(expected) at byte \(offset): \(problem)"
  }
}

extension BERError.Problem: CustomStringConvertible {
  package var description: String {
    switch self {
    case .truncated(let needed, let available): "it needs \(bytes(needed)), and there are \(available)"
    case .unexpectedTag(let tag): "unexpected tag \(hexadecimalTag(tag))"
    case .multiByteTag(let tag): "a tag of several bytes begins with \(hexadecimalTag(tag))"
    case .indefiniteLength: "its length is indefinite"
    case .lengthTooLarge: "its length needs more than 31 bits"
    case .emptyInteger: "a number without contents"
    case .integerTooLong(let count): "a number of \(bytes(count))"
    case .integerOutOfRange(let value): "\(value) is out of range"
    case .emptyObjectIdentifier: "an object identifier without contents"
    case .objectIdentifierTooLong: "an object identifier of more than 128 parts"
    case .subIdentifierTooLarge: "a sub-identifier above 2^32-1"
    case .objectIdentifierUnterminated: "an object identifier that does not end"
    case .trailingBytes(let count): "\(bytes(count)) left over"
    case .wrongLength(let count): "\(bytes(count)) is not a length it can have"
    }
  }
}

private func bytes(_ count: Int) -> String { count == 1 ? "1 byte" : "\(count) bytes" }

/// Something a device encoded wrongly and that was understood all the same.
package struct DecodingNote: Hashable, Sendable, CustomStringConvertible {
  package enum Kind: Hashable, Sendable {
    /// Counter32, Gauge32, TimeTicks or Counter64 with its top bit set and no zero byte before it: read as unsigned.
    case negativeUnsigned
    /// A number without contents, read as 0.
    case emptyInteger
    /// An object identifier without contents, read as 0.0.
    case emptyObjectIdentifier
    /// A value that could not be read as its type; its contents are kept as `opaque`.
    case unreadableValue(BERError.Problem)
    /// A value of a type SNMP does not have; its contents are kept as `opaque`.
    case unknownType(UInt8)
    /// Bytes after the end of the message, ignored.
    case trailingBytes(Int)
  }

  /// Bytes from the start of the datagram.
  package let offset: Int
  package let kind: Kind

  package init(offset: Int, kind: Kind) {
    self.offset = offset
    self.kind = kind
  }

  package var description: String {
    switch kind {
    case .negativeUnsigned: "byte \(offset): an unsigned number was encoded as a negative one"
    case .emptyInteger: "byte \(offset): a number without contents was read as 0"
    case .emptyObjectIdentifier: "byte \(offset): an object identifier without contents was read as 0.0"
    case .unreadableValue(let problem): "byte \(offset): a value was kept undecoded: \(problem)"
    case .unknownType(let tag): "byte \(offset): a value of the unknown type \(hexadecimalTag(tag)) was kept undecoded"
    case .trailingBytes(let count): "byte \(offset): what follows the message was ignored, \(bytes(count))"
    }
  }
}

private func hexadecimalTag(_ tag: UInt8) -> String { "0x" + String(tag, radix: 16) }
