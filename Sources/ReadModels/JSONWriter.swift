// JSON text (RFC 8259) with keys in the order in which they are written, so that the same events always give the same bytes. An
// export is compared and hashed as text; Foundation's encoder neither promises an order nor is fast enough for millions of events.

package import Evidence
package import PrinterModel

/// Appends JSON to a buffer. Values are written where the caller stands; commas are its own business.
///
/// The buffer is memory of its own: a line is hundreds of pieces of a few bytes, and an array would check for each whether it is shared.
package struct JSONWriter: ~Copyable {
  private var storage: UnsafeMutablePointer<UInt8>
  private var capacity: Int
  private var count = 0
  private var needsComma = false

  package init() {
    capacity = 4_096
    storage = .allocate(capacity: capacity)
  }

  deinit { storage.deallocate() }

  /// The text so far.
  package var bytes: [UInt8] { Array(UnsafeBufferPointer(start: storage, count: count)) }

  /// Lends the text so far.
  borrowing func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try body(UnsafeRawBufferPointer(start: storage, count: count))
  }

  /// Hands the text over and begins anew.
  package mutating func take() -> [UInt8] {
    defer { clear() }
    return bytes
  }

  /// Begins anew without giving the memory back.
  package mutating func clear() {
    count = 0
    needsComma = false
  }

  // MARK: The buffer

  /// Where so many bytes may be written.
  @inline(__always) private mutating func room(_ more: Int) -> UnsafeMutablePointer<UInt8> {
    if more > capacity - count { grow(by: more) }
    return storage + count
  }

  private mutating func grow(by more: Int) {
    capacity = max(2 * capacity, count + more)
    let larger = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity)
    larger.update(from: storage, count: count)
    storage.deallocate()
    storage = larger
  }

  @inline(__always) private mutating func append(_ byte: UInt8) {
    room(1).pointee = byte
    count += 1
  }

  @inline(__always) private mutating func append(_ text: UnsafeBufferPointer<UInt8>) {
    guard let start = text.baseAddress else { return }
    room(text.count).update(from: start, count: text.count)
    count += text.count
  }

  @inline(__always) private mutating func append(_ text: StaticString) {
    append(UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  private mutating func append(utf8 text: String) {
    var text = text
    text.withUTF8 { append($0) }
  }

  // MARK: Values

  package mutating func object(_ members: (inout JSONWriter) throws -> Void) rethrows {
    separate()
    append(UInt8(ascii: "{"))
    needsComma = false
    try members(&self)
    append(UInt8(ascii: "}"))
    needsComma = true
  }

  package mutating func array<Element>(
    _ elements: some Sequence<Element>, _ each: (inout JSONWriter, Element) throws -> Void
  ) rethrows {
    separate()
    append(UInt8(ascii: "["))
    needsComma = false
    for element in elements { try each(&self, element) }
    append(UInt8(ascii: "]"))
    needsComma = true
  }

  package mutating func key(_ name: StaticString) {
    separate()
    let length = name.utf8CodeUnitCount
    let place = room(length + 3)
    place[0] = UInt8(ascii: "\"")
    (place + 1).update(from: name.utf8Start, count: length)
    place[length + 1] = UInt8(ascii: "\"")
    place[length + 2] = UInt8(ascii: ":")
    count += length + 3
    needsComma = false
  }

  package mutating func string(_ text: String) {
    separate()
    var text = text
    append(UInt8(ascii: "\""))
    text.withUTF8 { appendEscaped($0) }
    append(UInt8(ascii: "\""))
  }

  /// A string that is put together of parts which need no escaping.
  package mutating func composed(_ parts: (inout JSONWriter) -> Void) {
    separate()
    append(UInt8(ascii: "\""))
    parts(&self)
    append(UInt8(ascii: "\""))
  }

  /// A part of a composed string.
  package mutating func ascii(_ text: StaticString) { append(text) }

  package mutating func number(_ value: some BinaryInteger) {
    separate()
    decimal(value)
  }

  /// A finite number in its shortest form; not a number is null, as JSON has no word for it.
  package mutating func number(_ value: Double) {
    guard value.isFinite else { return null() }
    separate()
    append(utf8: value.description)
  }

  package mutating func bool(_ value: Bool) {
    separate()
    append(value ? "true" : "false" as StaticString)
  }

  package mutating func null() {
    separate()
    append("null" as StaticString)
  }

  /// Text that is JSON already.
  package mutating func raw(_ json: some Sequence<UInt8>) {
    separate()
    for byte in json { append(byte) }
  }

  /// A string of lower-case hexadecimal digits.
  package mutating func hex(_ data: some Collection<UInt8>) {
    quoted(2 * data.count) { text in
      for (index, byte) in data.enumerated() {
        text[2 * index] = Self.digit(byte >> 4)
        text[2 * index + 1] = Self.digit(byte & 0x0f)
      }
      return 2 * data.count
    }
  }

  /// A string of numbers with points between them: an object identifier, the index of a row.
  package mutating func dotted(_ numbers: some Sequence<UInt32>) {
    separate()
    append(UInt8(ascii: "\""))
    var isFirst = true
    for number in numbers {
      if !isFirst { append(UInt8(ascii: ".")) }
      isFirst = false
      decimal(number)
    }
    append(UInt8(ascii: "\""))
  }

  /// A string of base64 with padding (RFC 4648, section 4).
  package mutating func base64(_ data: UnsafeRawBufferPointer) {
    quoted((data.count + 2) / 3 * 4) { text in
      var place = 0
      func put(_ group: UInt32, _ characters: Int) {
        for character in 0..<4 {
          let sextet = Int(group >> (18 - 6 * UInt32(character))) & 63
          text[place + character] = character < characters ? Self.alphabet[sextet] : UInt8(ascii: "=")
        }
        place += 4
      }
      var index = 0
      while index + 3 <= data.count {
        put(UInt32(data[index]) << 16 | UInt32(data[index + 1]) << 8 | UInt32(data[index + 2]), 4)
        index += 3
      }
      switch data.count - index {
      case 1: put(UInt32(data[index]) << 16, 2)
      case 2: put(UInt32(data[index]) << 16 | UInt32(data[index + 1]) << 8, 3)
      default: break
      }
      return place
    }
  }

  /// A string of at most `length` bytes, which `write` makes and counts.
  private mutating func quoted(_ length: Int, _ write: (UnsafeMutableBufferPointer<UInt8>) -> Int) {
    separate()
    append(UInt8(ascii: "\""))
    count += write(UnsafeMutableBufferPointer(start: room(length), count: length))
    append(UInt8(ascii: "\""))
  }

  /// A whole number as it stands in a number or a composed string.
  package mutating func decimal(_ value: some BinaryInteger) {
    guard let magnitude = UInt64(exactly: value.magnitude) else {
      append(utf8: String(value))
      return
    }
    if value < 0 { append(UInt8(ascii: "-")) }
    var (digits, limit) = (1, UInt64(10))
    // 2^64 has twenty digits.
    while digits < 20, magnitude >= limit {
      digits += 1
      limit = limit.multipliedReportingOverflow(by: 10).partialValue
    }
    let place = room(digits)
    var rest = magnitude
    for index in stride(from: digits - 1, through: 0, by: -1) {
      place[index] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
      rest /= 10
    }
    count += digits
  }

  /// Makes the string that was just written the name of the member that follows.
  mutating func colon() {
    append(UInt8(ascii: ":"))
    needsComma = false
  }

  private mutating func separate() {
    if needsComma { append(UInt8(ascii: ",")) }
    needsComma = true
  }

  /// Runs without anything to escape are copied whole.
  private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    for index in text.indices {
      let byte = text[index]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
      append(UnsafeBufferPointer(rebasing: text[start..<index]))
      appendEscape(of: byte)
      start = index + 1
    }
    append(UnsafeBufferPointer(rebasing: text[start...]))
  }

  private mutating func appendEscape(of byte: UInt8) {
    append(UInt8(ascii: "\\"))
    switch byte {
    case 0x0a: append(UInt8(ascii: "n"))
    case 0..<0x20:
      append("u00" as StaticString)
      append(Self.digit(byte >> 4))
      append(Self.digit(byte & 0x0f))
    default: append(byte)
    }
  }

  private static func digit(_ nibble: UInt8) -> UInt8 {
    nibble < 10 ? UInt8(ascii: "0") + nibble : UInt8(ascii: "a") - 10 + nibble
  }

  private static let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
}

extension JSONWriter {
  /// A member that is left out when there is no value.
  package mutating func member(_ name: StaticString, _ text: String?) {
    guard let text else { return }
    key(name)
    string(text)
  }

  /// A member that is left out when there is no value.
  package mutating func member(_ name: StaticString, _ value: (some BinaryInteger)?) {
    guard let value else { return }
    key(name)
    number(value)
  }

  /// A value with all that is in it.
  package mutating func value(_ value: JSONText) {
    switch value {
    case .null: null()
    case .bool(let value): bool(value)
    case .integer(let value): number(value)
    case .unsigned(let value): number(value)
    case .number(let value): number(value)
    case .string(let text): string(text)
    case .array(let elements): array(elements) { $0.value($1) }
    case .object(let members):
      object { json in
        for (name, value) in members {
          json.string(name)
          json.colon()
          json.value(value)
        }
      }
    }
  }

  /// A place in a journal, as an object.
  package mutating func position(_ position: RecordPosition) {
    object { json in
      json.member("epoch", position.epoch)
      json.member("sequence", position.sequence)
    }
  }
}
