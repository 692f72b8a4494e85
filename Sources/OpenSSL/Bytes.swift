// How bytes pass between Swift and C in this room: borrowed where they lie when they lie in one piece, copied otherwise.

extension Collection where Element == UInt8 {
  /// Lends the bytes as one contiguous buffer; copies only when the collection is not contiguous.
  func withContiguousBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    let lent: Result<R, E>? = withContiguousStorageIfAvailable { buffer in
      Result { () throws(E) -> R in try body(UnsafeRawBufferPointer(buffer)) }
    }
    if let lent { return try lent.get() }
    let copied: Result<R, E> = Array(self).withUnsafeBytes { buffer in
      Result { () throws(E) -> R in try body(buffer) }
    }
    return try copied.get()
  }
}

extension UnsafeRawBufferPointer {
  /// The bytes as C's `const unsigned char *`; nil when the buffer is empty and has no address.
  var octets: UnsafePointer<UInt8>? { baseAddress?.assumingMemoryBound(to: UInt8.self) }
}

/// Lower-case hexadecimal, two digits a byte.
package func hexadecimal(_ bytes: some Sequence<UInt8>) -> String {
  let digits = Array("0123456789abcdef".utf8)
  var text: [UInt8] = []
  text.reserveCapacity(bytes.underestimatedCount * 2)
  for byte in bytes {
    text.append(digits[Int(byte >> 4)])
    text.append(digits[Int(byte & 15)])
  }
  return String(decoding: text, as: UTF8.self)
}

/// The bytes that `text` spells in hexadecimal of either case; nil when a character is no digit or one digit is left over.
package func bytes(hexadecimal text: some StringProtocol) -> [UInt8]? {
  var bytes: [UInt8] = []
  var high: UInt8?
  for character in text.utf8 {
    guard let digit = hexadecimalDigit(character) else { return nil }
    if let first = high {
      bytes.append(first << 4 | digit)
      high = nil
    } else {
      high = digit
    }
  }
  return high == nil ? bytes : nil
}

private func hexadecimalDigit(_ character: UInt8) -> UInt8? {
  switch character {
  case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0")
  case UInt8(ascii: "a")...UInt8(ascii: "f"): character - UInt8(ascii: "a") + 10
  case UInt8(ascii: "A")...UInt8(ascii: "F"): character - UInt8(ascii: "A") + 10
  default: nil
  }
}

/// Standard base64 with padding (RFC 4648 section 4).
package func base64(_ bytes: some Collection<UInt8>) -> String {
  let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
  var text: [UInt8] = []
  text.reserveCapacity((bytes.count + 2) / 3 * 4)
  var iterator = bytes.makeIterator()
  while let first = iterator.next() {
    let second = iterator.next()
    let third = second == nil ? nil : iterator.next()
    text.append(alphabet[Int(first >> 2)])
    text.append(alphabet[Int((first & 3) << 4 | (second ?? 0) >> 4)])
    text.append(second.map { alphabet[Int(($0 & 15) << 2 | (third ?? 0) >> 6)] } ?? UInt8(ascii: "="))
    text.append(third.map { alphabet[Int($0 & 63)] } ?? UInt8(ascii: "="))
  }
  return String(decoding: text, as: UTF8.self)
}

/// Decodes standard base64 (RFC 4648 section 4). Padding may be missing, as gRPC's binary metadata allows; nil when a
/// character is outside the alphabet or the length is impossible.
package func bytes(base64 text: some StringProtocol) -> [UInt8]? {
  var characters = Array(text.utf8)
  while characters.count % 4 == 0 || characters.count % 4 == 3, characters.last == UInt8(ascii: "="),
    characters.count > 0
  {
    characters.removeLast()
  }
  guard characters.count % 4 != 1 else { return nil }
  var bytes: [UInt8] = []
  bytes.reserveCapacity(characters.count * 3 / 4)
  var accumulated: UInt32 = 0
  var bits = 0
  for character in characters {
    guard let value = base64Digit(character) else { return nil }
    accumulated = (accumulated << 6 | UInt32(value)) & 0xFF_FFFF
    bits += 6
    if bits >= 8 {
      bits -= 8
      bytes.append(UInt8(truncatingIfNeeded: accumulated >> UInt32(bits)))
    }
  }
  return bytes
}

private func base64Digit(_ character: UInt8) -> UInt8? {
  switch character {
  case UInt8(ascii: "A")...UInt8(ascii: "Z"): character - UInt8(ascii: "A")
  case UInt8(ascii: "a")...UInt8(ascii: "z"): character - UInt8(ascii: "a") + 26
  case UInt8(ascii: "0")...UInt8(ascii: "9"): character - UInt8(ascii: "0") + 52
  case UInt8(ascii: "+"): 62
  case UInt8(ascii: "/"): 63
  default: nil
  }
}
