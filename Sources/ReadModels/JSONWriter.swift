// JSON text (RFC 8259) with keys in the order in which they are written, so that the same events always give the same bytes. An
// export is compared and hashed as text; Foundation's encoder neither promises an order nor is fast enough for millions of events.

package import Evidence

/// Appends JSON to a buffer. Values are written where the caller stands; commas are its own business.
package struct JSONWriter: ~Copyable {
  package private(set) var bytes: [UInt8] = []
  private var needsComma = false

  package init() {}

  /// Hands the text over and begins anew.
  package mutating func take() -> [UInt8] {
    defer { bytes.removeAll(keepingCapacity: true) }
    needsComma = false
    return bytes
  }

  /// Begins anew without giving the memory back.
  package mutating func clear() {
    bytes.removeAll(keepingCapacity: true)
    needsComma = false
  }

  package mutating func object(_ members: (inout JSONWriter) throws -> Void) rethrows {
    separate()
    bytes.append(UInt8(ascii: "{"))
    needsComma = false
    try members(&self)
    bytes.append(UInt8(ascii: "}"))
    needsComma = true
  }

  package mutating func array<Element>(
    _ elements: some Sequence<Element>, _ each: (inout JSONWriter, Element) throws -> Void
  ) rethrows {
    separate()
    bytes.append(UInt8(ascii: "["))
    needsComma = false
    for element in elements { try each(&self, element) }
    bytes.append(UInt8(ascii: "]"))
    needsComma = true
  }

  package mutating func key(_ name: StaticString) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    name.withUTF8Buffer { bytes.append(contentsOf: $0) }
    bytes.append(UInt8(ascii: "\""))
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  package mutating func string(_ text: String) {
    separate()
    var text = text
    bytes.append(UInt8(ascii: "\""))
    text.withUTF8 { appendEscaped($0) }
    bytes.append(UInt8(ascii: "\""))
  }

  /// A string that is put together of parts which need no escaping.
  package mutating func composed(_ parts: (inout JSONWriter) -> Void) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    parts(&self)
    bytes.append(UInt8(ascii: "\""))
  }

  /// A part of a composed string.
  package mutating func ascii(_ text: StaticString) { text.withUTF8Buffer { bytes.append(contentsOf: $0) } }

  package mutating func number(_ value: some BinaryInteger) {
    separate()
    decimal(value)
  }

  /// A finite number in its shortest form; not a number is null, as JSON has no word for it.
  package mutating func number(_ value: Double) {
    guard value.isFinite else { return null() }
    separate()
    bytes.append(contentsOf: value.description.utf8)
  }

  package mutating func bool(_ value: Bool) {
    separate()
    bytes.append(contentsOf: (value ? "true" : "false").utf8)
  }

  package mutating func null() {
    separate()
    bytes.append(contentsOf: "null".utf8)
  }

  /// Text that is JSON already.
  package mutating func raw(_ json: some Sequence<UInt8>) {
    separate()
    bytes.append(contentsOf: json)
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
    bytes.append(UInt8(ascii: "\""))
    var isFirst = true
    for number in numbers {
      if !isFirst { bytes.append(UInt8(ascii: ".")) }
      isFirst = false
      decimal(number)
    }
    bytes.append(UInt8(ascii: "\""))
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

  /// A string of at most `capacity` bytes, which `write` makes and counts.
  private mutating func quoted(_ capacity: Int, _ write: (UnsafeMutableBufferPointer<UInt8>) -> Int) {
    separate()
    bytes.append(UInt8(ascii: "\""))
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: capacity) { text in
      let count = write(text)
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[..<count]))
    }
    bytes.append(UInt8(ascii: "\""))
  }

  /// A whole number as it stands in a number or a composed string.
  package mutating func decimal(_ value: some BinaryInteger) {
    guard let magnitude = UInt64(exactly: value.magnitude) else {
      bytes.append(contentsOf: String(value).utf8)
      return
    }
    if value < 0 { bytes.append(UInt8(ascii: "-")) }
    // 2^64 has twenty digits.
    withUnsafeTemporaryAllocation(of: UInt8.self, capacity: 20) { text in
      var (rest, start) = (magnitude, 20)
      repeat {
        start -= 1
        text[start] = UInt8(ascii: "0") + UInt8(rest % 10)
        rest /= 10
      } while rest > 0
      bytes.append(contentsOf: UnsafeBufferPointer(rebasing: text[start...]))
    }
  }

  /// Makes the string that was just written the name of the member that follows.
  mutating func colon() {
    bytes.append(UInt8(ascii: ":"))
    needsComma = false
  }

  private mutating func separate() {
    if needsComma { bytes.append(UInt8(ascii: ",")) }
    needsComma = true
  }

  /// Runs without anything to escape are copied whole.
  private mutating func appendEscaped(_ text: UnsafeBufferPointer<UInt8>) {
    var start = 0
    for index in text.indices {
      let byte = text[index]
      guard byte < 0x20 || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") else { continue }
      bytes.append(contentsOf: text[start..<index])
      appendEscape(of: byte)
      start = index + 1
    }
    bytes.append(contentsOf: text[start...])
  }

  private mutating func appendEscape(of byte: UInt8) {
    bytes.append(UInt8(ascii: "\\"))
    switch byte {
    case 0x0a: bytes.append(UInt8(ascii: "n"))
    case 0..<0x20:
      bytes.append(contentsOf: "u00".utf8)
      bytes.append(Self.digit(byte >> 4))
      bytes.append(Self.digit(byte & 0x0f))
    default: bytes.append(byte)
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

  /// A place in a journal, as an object.
  package mutating func position(_ position: RecordPosition) {
    object { json in
      json.member("epoch", position.epoch)
      json.member("sequence", position.sequence)
    }
  }
}
