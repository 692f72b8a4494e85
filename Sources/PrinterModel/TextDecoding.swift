// From the bytes of an OCTET STRING to a device's text.
//
// 1. NUL, space and other white space at both ends is padding and goes; it is not kept.
// 2. A hexadecimal tail goes: some devices (and some recordings of them) end a string after 16 bytes and put the rest behind a line
//    break, as hexadecimal digits. Where the head has those 16 bytes and the rest is printable, it is put back; else the tail is cut. A line
//    of a few pairs is one only where it ends in the string's NUL, `38 33 41 00`: `A4` in a second line is what the device means.
// 3. What is valid UTF-8 is UTF-8. Other bytes are in the declared character set, else in ISO 8859-1. A declared set of two or four bytes a
//    character is believed where NUL bytes, other control codes or bytes that are no UTF-8 bear it out; one that changes tables by escape
//    sequences (ISO 2022) where there is an escape.
// 4. NUL bytes inside end the text, as whoever filled the buffer meant it; where every other byte is NUL it is text of two bytes a character, and
//    they go.
// 5. `raw` keeps the bytes wherever the text alone does not tell them: after 2, after a decoding other than UTF-8, and when NUL
//    bytes stand inside.

internal import MIB

extension DeviceText {
  /// Decodes a device's bytes by the rules above; nil if nothing is left after trimming.
  init?(decoding octets: Octets, characterSet: CharacterSet?) {
    // Most texts have nothing but padding to lose, and no second thought is needed.
    let isSimple = octets.allSatisfy { $0 >= 0x20 && $0 < 0x7F }
    guard isSimple else {
      self.init(decoding: octets.array, characterSet: characterSet)
      return
    }
    var (start, end) = (0, octets.count)
    while start < end, octets[start] == 0x20 { start += 1 }
    while start < end, octets[end - 1] == 0x20 { end -= 1 }
    guard start < end else { return nil }
    self.init(String(decoding: octets[start..<end], as: UTF8.self))
  }

  /// The length after which a string is continued as hexadecimal digits.
  private static let hexadecimalHeadBytes = 16
  /// Fewer pairs than this, without a NUL at their end, may be a number or a paper size that the device means.
  private static let hexadecimalTailBytesMin = 4

  /// Decodes bytes by the rules above; nil if nothing is left after trimming.
  package init?(decoding bytes: [UInt8], characterSet: CharacterSet?) {
    let trimmed = bytes.trimmingPadding
    guard !trimmed.isEmpty else { return nil }
    if let characterSet, characterSet.isBorneOut(by: trimmed) {
      let text = characterSet.decode(bytes).beforeNUL.trimmed
      guard !text.isEmpty else { return nil }
      self.init(text, raw: bytes)
      return
    }
    if let rejoined = Self.rejoiningHexadecimalTail(bytes) {
      guard let text = DeviceText(decoding: rejoined, characterSet: characterSet) else { return nil }
      self.init(text.text, raw: bytes)
      return
    }
    let hasNUL = trimmed.contains(0)
    let told = hasNUL ? trimmed.beforeNUL : trimmed
    if let text = String(validating: told, as: UTF8.self) {
      self.init(hasNUL ? text.trimmed : text, raw: hasNUL ? bytes : nil)
    } else {
      self.init((characterSet ?? .latin1).decode(told), raw: bytes)
    }
  }

  /// The string without its hexadecimal tail, the tail put back where it can be; nil if there is no such tail.
  static func rejoiningHexadecimalTail(_ bytes: [UInt8]) -> [UInt8]? {
    guard let lineBreak = bytes.firstIndex(of: UInt8(ascii: "\n")), lineBreak > 0,
      let tail = hexadecimalPairs(bytes[(lineBreak + 1)...])
    else { return nil }
    let head = Array(bytes[..<lineBreak])
    guard tail.count >= hexadecimalTailBytesMin || head.count == hexadecimalHeadBytes && tail.last == 0 else {
      return nil
    }
    let rest = tail.prefix { $0 != 0 }
    let isPrintable = rest.allSatisfy { $0 >= 0x20 && $0 != 0x7F }
    return head.count == hexadecimalHeadBytes && isPrintable ? head + rest : head
  }

  /// Reads `38 32 37` and the like, on any number of lines; nil if anything else is there or nothing at all.
  private static func hexadecimalPairs(_ text: ArraySlice<UInt8>) -> [UInt8]? {
    var bytes: [UInt8] = []
    for word in text.split(whereSeparator: { $0 == 0x20 || $0 == 0x0A || $0 == 0x0D || $0 == 0 }) {
      guard word.count == 2, let byte = UInt8(String(decoding: word, as: UTF8.self), radix: 16) else { return nil }
      bytes.append(byte)
    }
    return bytes.isEmpty ? nil : bytes
  }
}

extension [UInt8] {
  /// Without NUL and white space at either end.
  fileprivate var trimmingPadding: ArraySlice<UInt8> {
    let isPadding = { (byte: UInt8) in byte == 0 || byte == 0x20 || (0x09...0x0D).contains(byte) }
    var slice = self[...]
    while let first = slice.first, isPadding(first) { slice.removeFirst() }
    while let last = slice.last, isPadding(last) { slice.removeLast() }
    return slice
  }
}

extension ArraySlice<UInt8> {
  /// Up to the first NUL; without NULs where every other byte is one.
  fileprivate var beforeNUL: ArraySlice<UInt8> {
    let isWide = [0, 1].contains { parity in
      count > 2 && indices.allSatisfy { ($0 - startIndex) % 2 != parity || self[$0] == 0 }
    }
    return isWide ? ArraySlice(filter { $0 != 0 }) : prefix { $0 != 0 }
  }
}

extension String {
  /// Up to the first NUL character, of a text whose leading ones are padding.
  fileprivate var beforeNUL: String {
    guard contains("\0") else { return self }
    return String(drop { $0 == "\0" }.prefix { $0 != "\0" })
  }

  /// Without ASCII white space and control codes at either end.
  package var trimmed: String {
    let isPadding = { (scalar: Unicode.Scalar) in scalar.value <= 0x20 || scalar == "\u{A0}" }
    var slice = unicodeScalars[...]
    while let first = slice.first, isPadding(first) { slice.removeFirst() }
    while let last = slice.last, isPadding(last) { slice.removeLast() }
    return String(slice)
  }
}
