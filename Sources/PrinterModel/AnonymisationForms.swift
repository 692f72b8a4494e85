// The forms in which a secret stands in a walk, and what stands in its place.

internal import MIB

/// Replacements out of a seed (SplitMix64): the same length, and the same kinds of characters.
struct ReplacementSource {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  private mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = (state ^ (state >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }

  mutating func byte() -> UInt8 { UInt8(truncatingIfNeeded: next()) }

  /// A text of the same length whose letters and digits are others, each of its kind; never the text itself if it has any.
  mutating func likeness(of text: String) -> String {
    String(decoding: likeness(of: Array(text.utf8)), as: UTF8.self)
  }

  /// Bytes that are no ASCII letters or digits stay, but for the bytes of other characters, which become `x`: they may be letters.
  mutating func likeness(of bytes: [UInt8]) -> [UInt8] {
    var likeness = bytes
    repeat {
      likeness = bytes.map { self.likeness(of: $0) }
    } while likeness == bytes && bytes.contains(where: \.isAlphanumeric)
    return likeness
  }

  private mutating func likeness(of byte: UInt8) -> UInt8 {
    switch byte {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt8(ascii: "0") + UInt8(next() % 10)
    case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt8(ascii: "A") + UInt8(next() % 26)
    case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt8(ascii: "a") + UInt8(next() % 26)
    case 0x80...: UInt8(ascii: "x")
    default: byte
    }
  }

  /// Another number of as many decimal digits that a byte can hold.
  mutating func number(ofDigitsOf byte: UInt8) -> UInt8 {
    let range: ClosedRange<UInt8> = byte < 10 ? 1...9 : byte < 100 ? 10...99 : 100...223
    var number = byte
    while number == byte { number = range.lowerBound + UInt8(next() % UInt64(range.count)) }
    return number
  }
}

/// Every form in which a device may have written something.
enum SecretForms {
  typealias Form = (original: [UInt8], replacement: [UInt8])

  /// As it is, in the other case, as hexadecimal digits of its characters, and in UTF-16.
  static func text(_ text: String, _ replacement: String) -> [Form] {
    var forms: [Form] = []
    for change in [{ $0 }, { $0.uppercased() }, { $0.lowercased() }] as [(String) -> String] {
      let (original, other) = (Array(change(text).utf8), Array(change(replacement).utf8))
      // Upper case can be longer (ß); such a form has no place in a device's text.
      guard original.count == other.count else { continue }
      add((original, other), to: &forms)
      for isUpper in [true, false] { add((hexadecimal(original, isUpper), hexadecimal(other, isUpper)), to: &forms) }
      add((wide(original), wide(other)), to: &forms)
    }
    return sorted(forms)
  }

  /// As six bytes, and as digits with colons, hyphens, or nothing between them; and within an IPv6 address.
  static func hardwareAddress(_ address: [UInt8], _ replacement: [UInt8]) -> [Form] {
    var forms: [Form] = [(address, replacement), (interfaceID(address), interfaceID(replacement))]
    for isUpper in [true, false] {
      add((groups(address, isUpper), groups(replacement, like: address, isUpper)), to: &forms)
    }
    for isUpper in [true, false] {
      for separator in [":", "-", "", ".", " "] {
        func written(_ bytes: [UInt8]) -> [UInt8] {
          Array(
            bytes.map { String(decoding: hexadecimal([$0], isUpper), as: UTF8.self) }.joined(separator: separator).utf8)
        }
        add((written(address), written(replacement)), to: &forms)
      }
    }
    // Host names of many makers end with the last three bytes.
    for isUpper in [true, false] {
      add((hexadecimal(address.suffix(3), isUpper), hexadecimal(replacement.suffix(3), isUpper)), to: &forms)
    }
    return sorted(forms)
  }

  /// The modified EUI-64 of a hardware address (RFC 4291, appendix A): the last eight bytes of many a device's IPv6 addresses.
  private static func interfaceID(_ address: [UInt8]) -> [UInt8] {
    [address[0] ^ 2, address[1], address[2], 0xFF, 0xFE] + address[3...]
  }

  /// The last two groups of that as IPv6 addresses are written, `fe65:e2b9`: the others are the maker's.
  /// - Parameter other: whose number of digits the last group has.
  private static func groups(_ address: [UInt8], like other: [UInt8]? = nil, _ isUpper: Bool) -> [UInt8] {
    func last(_ address: [UInt8]) -> UInt16 { UInt16(address[4]) << 8 | UInt16(address[5]) }
    let digits = String(last(other ?? address), radix: 16).count
    let group = String(String(last(address) | 1 << (4 * (digits - 1)), radix: 16).suffix(digits))
    let written = other == nil ? String(last(address), radix: 16) : group
    let text = String(decoding: hexadecimal([0xFE, address[3]], false), as: UTF8.self) + ":" + written
    return Array((isUpper ? text.uppercased() : text).utf8)
  }

  /// As the sixteen bytes of an IPv6 address.
  static func address6(_ address: [UInt8], _ replacement: [UInt8]) -> [Form] { [(address, replacement)] }

  /// As four bytes, and in dotted form.
  static func address(_ address: [UInt8], _ replacement: [UInt8]) -> [Form] {
    func dotted(_ bytes: [UInt8]) -> [UInt8] { Array(bytes.map(String.init).joined(separator: ".").utf8) }
    return [(dotted(address), dotted(replacement)), (address, replacement)]
  }

  private static func add(_ form: Form, to forms: inout [Form]) {
    if !forms.contains(where: { $0.original == form.original }) { forms.append(form) }
  }

  private static func sorted(_ forms: [Form]) -> [Form] { forms.sorted { $0.original.count > $1.original.count } }

  private static func hexadecimal(_ bytes: some Sequence<UInt8>, _ isUpper: Bool) -> [UInt8] {
    bytes.flatMap { byte in
      let digits = String(byte, radix: 16, uppercase: isUpper)
      return Array((digits.utf8.count == 1 ? "0" + digits : digits).utf8)
    }
  }

  /// UTF-16 of either order, without the zero before the first or after the last character.
  private static func wide(_ bytes: [UInt8]) -> [UInt8] { Array(bytes.map { [$0] }.joined(separator: [0])) }
}

/// What an address of a person or a machine looks like within a text.
enum TextPattern {
  static let separators: Set<Character> = [
    " ", "\n", "\r", "\t", ",", ";", "<", ">", "\"", "'", "(", ")", "/", "=", "|",
  ]

  static func isEmail(_ word: Substring) -> Bool {
    let halves = word.split(separator: "@", omittingEmptySubsequences: false)
    return halves.count == 2 && !halves[0].isEmpty && halves[1].contains(".") && halves[1].count > 3
  }

  /// 8-4-4-4-12 hexadecimal digits, with or without `urn:uuid:`.
  static func isUUID(_ word: Substring) -> Bool {
    let digits = word.split(separator: ":").last ?? word
    let groups = digits.split(separator: "-", omittingEmptySubsequences: false)
    return groups.map(\.count) == [8, 4, 4, 4, 12] && groups.joined().allSatisfy(\.isHexDigit)
  }

  /// An address of a private network (RFC 1918) or of a link (RFC 3927) in dotted form. Others may be the version of something.
  static func localIPAddress(_ word: Substring) -> [UInt8]? {
    let host = word.split(separator: ":").first ?? word
    let parts = host.split(separator: ".", omittingEmptySubsequences: false).map { UInt8($0) }
    let bytes = parts.compactMap { $0 }
    guard parts.count == 4, bytes.count == 4 else { return nil }
    return isLocal(bytes) ? bytes : nil
  }

  private static func isLocal(_ address: [UInt8]) -> Bool {
    switch (address[0], address[1]) {
    case (10, _), (172, 16...31), (192, 168), (169, 254): true
    default: false
    }
  }

  /// Such addresses where a table is indexed by them. What begins with 10 may be any row: it is one at the end of a name, with a number that few
  /// rows have.
  static func localIPAddresses(in components: ArraySlice<UInt32>) -> [[UInt8]] {
    components.indices.dropLast(3).compactMap { start in
      let bytes = components[start..<(start + 4)].compactMap { UInt8(exactly: $0) }
      guard bytes.count == 4, isLocal(bytes) else { return nil }
      let isAtEnd = start + 4 == components.endIndex
      return bytes[0] != 10 || (isAtEnd && bytes.dropFirst().contains { $0 >= rowsMax }) ? bytes : nil
    }
  }

  /// Tables of printers have fewer rows and columns.
  private static let rowsMax: UInt8 = 64

  /// The name of the machine in what `uname -a` says of it: `Linux prt-7 2.6.31 #1 PREEMPT armv5tejl`.
  static func nodeName(_ text: String) -> Substring? {
    let words = text.split(separator: " ", maxSplits: 3)
    guard words.count > 2, systems.contains(words[0].lowercased()), words[2].first?.isNumber == true,
      words[2].contains(".")
    else { return nil }
    return words[1]
  }

  private static let systems: Set<String> = [
    "linux", "netbsd", "freebsd", "openbsd", "sunos", "darwin", "aix", "hp-ux", "qnx", "vxworks",
  ]

  /// Whether sixteen bytes are an IPv6 address of one network or host: a global, a unique local or a link's one (RFC 4291, RFC 4193), and no text.
  static func isIPv6Address(_ bytes: [UInt8]) -> Bool {
    guard bytes.count == 16, readable(bytes) == nil else { return false }
    let isOfLink = bytes[0] == 0xFE && bytes[1] & 0xC0 == 0x80
    return isOfLink || bytes[0] & 0xFE == 0xFC || (bytes[0] & 0xE0 == 0x20 && bytes[0] < 0x30)
  }

  /// Nothing but digits and what stands between them, beginning as a number that is dialled.
  static func isTelephone(_ text: String) -> Bool {
    let digits = text.count(where: \.isNumber)
    let marks: Set<Character> = ["+", " ", "(", ")", "-", "/", "."]
    guard (7...15).contains(digits), text.allSatisfy({ $0.isNumber || marks.contains($0) }) else { return false }
    return text.hasPrefix("+") || text.hasPrefix("(")
      || (text.hasPrefix("0") && text.contains { $0 == " " || $0 == "/" })
  }

  /// The text of bytes that are one: UTF-8 without control codes, with letters.
  static func readable(_ bytes: [UInt8]) -> String? {
    guard let text = String(validating: bytes.trimmed, as: UTF8.self), text.contains(where: \.isLetter),
      !text.unicodeScalars.contains(where: { $0.value < 0x20 && $0 != "\n" && $0 != "\r" && $0 != "\t" })
    else { return nil }
    return text
  }
}

extension UInt8 {
  var isAlphanumeric: Bool {
    switch self {
    case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "a")...UInt8(ascii: "z"):
      true
    default: false
    }
  }
}

extension [UInt8] {
  /// Without NUL and spaces at either end.
  var trimmed: ArraySlice<UInt8> {
    var slice = self[...]
    while let first = slice.first, first == 0 || first == 0x20 { slice.removeFirst() }
    while let last = slice.last, last == 0 || last == 0x20 { slice.removeLast() }
    return slice
  }

  /// Whether it is letters and spaces only: a word that may be a part of another one (`Office`).
  var isWord: Bool { allSatisfy { $0 == 0x20 || ($0.isAlphanumeric && !(0x30...0x39).contains($0)) } }

  /// Where these bytes stand; as whole words, where a letter next to them makes another word of them.
  func place(ofBytes wanted: [UInt8], from start: Int = 0, wholeWords: Bool) -> Range<Int>? {
    var from = start
    while let range = place(of: wanted, from: from) {
      let isApart =
        (range.lowerBound == 0 || !self[range.lowerBound - 1].isAlphanumeric)
        && (range.upperBound == count || !self[range.upperBound].isAlphanumeric)
      if !wholeWords || isApart { return range }
      from = range.lowerBound + 1
    }
    return nil
  }

  /// Replaces every occurrence by as many other bytes; whether there was one.
  /// - Parameter covered: a mark for each byte, set where something was replaced.
  mutating func replaceAll(
    _ wanted: [UInt8], with other: [UInt8], wholeWords: Bool, marking covered: inout [Bool]
  ) -> Bool {
    var from = 0
    var isFound = false
    while let range = place(ofBytes: wanted, from: from, wholeWords: wholeWords) {
      replaceSubrange(range, with: other)
      for index in range { covered[index] = true }
      from = range.lowerBound + other.count
      isFound = true
    }
    return isFound
  }
}

extension [UInt32] {
  mutating func replaceAll(_ wanted: [UInt32], with other: [UInt32]) -> Bool {
    var from = 0
    var isFound = false
    while let range = place(of: wanted, from: from) {
      replaceSubrange(range, with: other)
      from = range.lowerBound + other.count
      isFound = true
    }
    return isFound
  }
}

extension Array where Element: Equatable {
  /// Where these elements first stand in a row, at `start` or after it.
  func place(of wanted: [Element], from start: Int = 0) -> Range<Int>? {
    guard let first = wanted.first, count >= wanted.count else { return nil }
    var index = start
    while index <= count - wanted.count {
      if self[index] == first, self[index..<(index + wanted.count)].elementsEqual(wanted) {
        return index..<(index + wanted.count)
      }
      index += 1
    }
    return nil
  }
}
