// The fields of one protobuf message, read where they lie.
//
// The generated messages write what journals hold, but do not read it: a fold meets millions of records, and for each the generated
// decoder would build a tree of objects only to have it copied into our own values. This reader lends each field's bytes instead.
//
//     message  = field*          field = tag, content          tag = number << 3 | wire type, a varint
//     content  = 0 varint | 1 eight bytes | 2 length, bytes | 3 .. 4 group (skipped) | 5 four bytes
//
// (protobuf.dev, "Encoding".) A field that is not known, or known with another wire type, is passed over, as the generated decoder does;
// the record that it stands in is never rewritten, so nothing is lost. Bytes come from a disk or another release: lengths are never
// trusted, and what does not fit is a `FieldError`.

/// Why bytes are not a protobuf message.
enum FieldError: Error, CustomStringConvertible {
  case truncated
  case tag(UInt64)
  case varint
  case utf8(field: UInt32)
  case tooDeep

  var description: String {
    switch self {
    case .truncated: "it ends in the middle of a field"
    case .tag(let tag): "\(tag) is not the tag of a field"
    case .varint: "a number has more than 64 bits"
    case .utf8(let field): "the text of field \(field) is not UTF-8"
    case .tooDeep: "its groups are nested deeper than \(FieldReader.groupDepthMax)"
    }
  }
}

/// Goes from field to field. Valid as long as the bytes are.
struct FieldReader {
  /// No message of ours has a group; the generated decoder gives up at the same depth.
  static let groupDepthMax = 100

  private enum Content {
    case varint(UInt64)
    case fixed64(UInt64)
    case bytes(UnsafeRawBufferPointer)
    case passedOver
  }

  private var rest: VarintReader
  /// The number of the field that `next` came to.
  private(set) var number: UInt32 = 0
  private var content = Content.passedOver

  init(_ bytes: UnsafeRawBufferPointer) { rest = VarintReader(bytes) }

  /// Goes on to the next field; false at the end.
  mutating func next() throws(FieldError) -> Bool {
    guard !rest.isAtEnd else { return false }
    let tag = try Self.tag(&rest)
    number = tag.number
    switch tag.wireType {
    case 0: content = .varint(try Self.varint(&rest))
    case 1: content = .fixed64(UInt64(littleEndian: try Self.bytes(&rest, 8).loadUnaligned(as: UInt64.self)))
    case 2: content = .bytes(try Self.bytes(&rest, try Self.varint(&rest)))
    default:
      try Self.passOver(tag, &rest, depth: 1)
      content = .passedOver
    }
    return true
  }

  // MARK: The field's content, nil where its wire type is another

  var uint64: UInt64? { if case .varint(let number) = content { number } else { nil } }
  var int64: Int64? { uint64.map { Int64(bitPattern: $0) } }
  var uint32: UInt32? { uint64.map { UInt32(truncatingIfNeeded: $0) } }
  var bool: Bool? { uint64.map { $0 != 0 } }
  var double: Double? { if case .fixed64(let bits) = content { Double(bitPattern: bits) } else { nil } }
  var bytes: UnsafeRawBufferPointer? { if case .bytes(let bytes) = content { bytes } else { nil } }
  var octets: [UInt8]? { bytes.map { Array($0) } }

  func string() throws(FieldError) -> String? {
    guard let bytes else { return nil }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw .utf8(field: number) }
    return text
  }

  /// Appends the field's text to a repeated field.
  func append(to texts: inout [String]) throws(FieldError) {
    if let text = try string() { texts.append(text) }
  }

  // MARK: The wire

  private typealias Tag = (number: UInt32, wireType: UInt8)

  private static func tag(_ rest: inout VarintReader) throws(FieldError) -> Tag {
    let tag = try varint(&rest)
    guard let bits = UInt32(exactly: tag), bits >> 3 > 0, bits & 7 < 6, bits & 7 != 4 else { throw .tag(tag) }
    return (bits >> 3, UInt8(bits & 7))
  }

  private static func varint(_ rest: inout VarintReader) throws(FieldError) -> UInt64 {
    switch rest.next() {
    case .number(let number): return number
    case .truncated: throw .truncated
    case .tooLarge: throw .varint
    }
  }

  private static func bytes(_ rest: inout VarintReader, _ count: UInt64) throws(FieldError) -> UnsafeRawBufferPointer {
    guard let bytes = rest.bytes(count) else { throw .truncated }
    return bytes
  }

  /// Passes over the content of a field that no message of ours has: a group, or four bytes.
  private static func passOver(_ tag: Tag, _ rest: inout VarintReader, depth: Int) throws(FieldError) {
    switch tag.wireType {
    case 0: _ = try varint(&rest)
    case 1: _ = try bytes(&rest, 8)
    case 2: _ = try bytes(&rest, try varint(&rest))
    case 5: _ = try bytes(&rest, 4)
    default:
      guard depth <= groupDepthMax else { throw .tooDeep }
      let end = UInt64(tag.number) << 3 | 4
      while true {
        var ahead = rest
        if try varint(&ahead) == end {
          rest = ahead
          return
        }
        try passOver(try self.tag(&rest), &rest, depth: depth + 1)
      }
    }
  }
}

/// Varints (base 128, least significant group first) and runs of bytes, read one after the other.
struct VarintReader {
  enum Number {
    case number(UInt64)
    case truncated
    /// More than 64 bits.
    case tooLarge
  }

  private let source: UnsafeRawBufferPointer
  /// How many bytes were read.
  private(set) var offset = 0

  init(_ source: UnsafeRawBufferPointer) { self.source = source }

  var isAtEnd: Bool { offset == source.count }

  mutating func byte() -> UInt8? {
    guard offset < source.count else { return nil }
    defer { offset += 1 }
    return source[offset]
  }

  mutating func next() -> Number {
    guard let first = byte() else { return .truncated }
    // Nearly all numbers are small.
    guard first >= 0x80 else { return .number(UInt64(first)) }
    var number = UInt64(first & 0x7f)
    for shift in stride(from: UInt64(7), through: 63, by: 7) {
      guard let byte = byte() else { return .truncated }
      guard shift < 63 || byte <= 1 else { return .tooLarge }
      number |= UInt64(byte & 0x7f) << shift
      if byte < 0x80 { return .number(number) }
    }
    return .tooLarge
  }

  /// The next bytes; nil when there are not so many.
  mutating func bytes(_ count: UInt64) -> UnsafeRawBufferPointer? {
    guard count <= UInt64(source.count - offset) else { return nil }
    defer { offset += Int(count) }
    return UnsafeRawBufferPointer(rebasing: source[offset..<offset + Int(count)])
  }

  /// What was read since an earlier offset.
  func bytes(since start: Int) -> UnsafeRawBufferPointer {
    UnsafeRawBufferPointer(rebasing: source[start..<offset])
  }
}
