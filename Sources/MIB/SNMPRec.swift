// `.snmprec` files: one recorded object a line, the format of the snmpsim project, in which walks are kept and exchanged.
//
//     1.3.6.1.2.1.1.1.0|4|Example Printer            name | tag | value
//     1.3.6.1.2.1.2.2.1.6.1|4x|001122334455          a trailing x: the value is hexadecimal
//     1.3.6.1.2.1.1.3.0|67:numeric|initial=10,rate=1 tag:module: the value is that module's parameters
//
// Tags are BER identifier octets in decimal: 2 INTEGER, 4 OCTET STRING, 5 NULL, 6 OBJECT IDENTIFIER, 64 IpAddress, 65 Counter32,
// 66 Gauge32, 67 TimeTicks, 68 Opaque, 70 Counter64, and 128 to 130 for the exceptions of RFC 3416. Empty lines and lines that
// begin with `#` say nothing, and neither does a byte order mark at the beginning. Names may come in any order; of two lines with one name the later holds.
//
// Reading never fails as a whole. A line that cannot be read becomes a finding with its number, and every other line counts. A last line
// without a line feed was cut off: `50` may have been `5000`, so that it is a finding and no value. What is never guessed: a number out of its type's range stays the number that stands there, as an INTEGER, with a finding beside it.

/// Reader and writer of `.snmprec` files.
package enum SNMPRec {
  /// Longest line that is read; longer ones are findings. An OCTET STRING has at most 65,535 bytes (131,070 hexadecimal digits).
  package static let lineBytesMax = 140_000

  /// Something in a file that is not as the format has it.
  package struct Finding: Equatable, Sendable {
    /// Counted from 1.
    package var line: Int
    /// A sentence that names what was expected.
    package var message: String

    package init(line: Int, message: String) {
      self.line = line
      self.message = message
    }
  }

  /// A line whose value a simulator computes when it is asked for: `tag:module|key=value,key=value`.
  package struct Variation: Equatable, Sendable {
    package var name: ObjectIdentifier
    package var module: String
    /// As written, in order.
    package var parameters: [Parameter]

    package struct Parameter: Equatable, Sendable {
      package var key: String
      package var value: String
    }
  }

  /// What a file holds.
  package struct Document: Equatable, Sendable {
    package var walk = Walk()
    /// Lines with a module; where one states a `value` or an `initial` number, the walk has that value too.
    package var variations: [Variation] = []
    package var findings: [Finding] = []
    /// Lines that could not be read; each is among the findings.
    package var linesLost = 0
  }

  /// Reads a file. Never fails: what cannot be read is among the findings.
  package static func parse(_ bytes: [UInt8]) -> Document {
    var reading = FileReading()
    var lineNumber = 0
    var start = bytes.starts(with: byteOrderMark) ? byteOrderMark.count : 0
    while start < bytes.count {
      lineNumber += 1
      guard let end = bytes[start...].firstIndex(of: newline) else {
        reading.lose(lineNumber, cutMessage)
        break
      }
      let line = bytes[start..<end].trimmingTrailing { $0 == carriageReturn }
      start = end + 1
      guard let first = line.first, first != UInt8(ascii: "#") else { continue }
      reading.take(line, lineNumber)
    }
    return reading.finished()
  }

  /// Writes a walk, one line for each binding, in order. `parse` gives the same walk back.
  package static func bytes(of walk: Walk) -> [UInt8] {
    var output: [UInt8] = []
    output.reserveCapacity(walk.bindings.count * 48)
    for binding in walk.bindings { append(binding, to: &output) }
    return output
  }

  private static let cutMessage =
    "the file ends in this line without a line feed: it may be cut off here, and is not read; if it is whole, add a line feed"
  /// U+FEFF, which editors put before UTF-8.
  private static let byteOrderMark: [UInt8] = [0xEF, 0xBB, 0xBF]
  private static let newline = UInt8(ascii: "\n")
  private static let carriageReturn = UInt8(ascii: "\r")
}

// MARK: - Reading a line

extension SNMPRec {
  /// A file's lines as they come together.
  fileprivate struct FileReading {
    private var document = Document()
    private var bindings: [VarBind] = []
    private var seen: Set<ObjectIdentifier> = []

    mutating func lose(_ number: Int, _ message: String) {
      document.findings.append(Finding(line: number, message: message))
      document.linesLost += 1
    }

    mutating func take(_ line: ArraySlice<UInt8>, _ number: Int) {
      switch readLine(line) {
      case .failure(let problem): lose(number, problem.message)
      case .success(let entry):
        document.findings += entry.notes.map { Finding(line: number, message: $0) }
        if let variation = entry.variation { document.variations.append(variation) }
        guard let value = entry.value else { return }
        if !seen.insert(entry.name).inserted {
          let message = "\(entry.name) was stated before; the later line holds"
          document.findings.append(Finding(line: number, message: message))
        }
        bindings.append(VarBind(entry.name, value))
      }
    }

    consuming func finished() -> Document {
      document.walk = Walk(bindings)
      return document
    }
  }

  fileprivate struct Entry {
    var name: ObjectIdentifier
    var value: ObjectValue?
    var variation: Variation?
    var notes: [String] = []
  }

  fileprivate struct Problem: Error {
    var message: String
  }

  fileprivate static func readLine(_ line: ArraySlice<UInt8>) -> Result<Entry, Problem> {
    guard line.count <= lineBytesMax else {
      return .failure(Problem(message: "the line has \(line.count) bytes, more than \(lineBytesMax)"))
    }
    let fields = line.split(separator: UInt8(ascii: "|"), maxSplits: 2, omittingEmptySubsequences: false)
    guard fields.count == 3 else { return .failure(Problem(message: "expected NAME|TAG|VALUE")) }
    guard let name = ObjectIdentifier(dottedBytes: fields[0].trimmed), !name.isEmpty else {
      return .failure(Problem(message: "expected an object identifier, not `\(fields[0].text.abbreviated)`"))
    }
    let tagParts = fields[1].text.split(separator: ":", maxSplits: 1, omittingEmptySubsequences: false)
    guard let tagText = tagParts.first, let tag = Tag(tagText) else {
      return .failure(Problem(message: "expected a tag of the format (2, 4, 4x, …), not `\(tagParts.first ?? "")`"))
    }
    var entry = Entry(name: name)
    guard tagParts.count == 2 else {
      do throws(Problem) {
        entry.value = try tag.value(fields[2], notes: &entry.notes)
        return .success(entry)
      } catch {
        return .failure(error)
      }
    }
    readVariation(String(tagParts[1]), fields[2], tag, into: &entry)
    return .success(entry)
  }

  private static func readVariation(
    _ module: String, _ text: ArraySlice<UInt8>, _ tag: Tag, into entry: inout Entry
  ) {
    let parameters = text.split(separator: UInt8(ascii: ",")).map { part in
      let halves = part.split(separator: UInt8(ascii: "="), maxSplits: 1, omittingEmptySubsequences: false)
      return Variation.Parameter(key: halves[0].text, value: halves.count > 1 ? halves[1].text : "")
    }
    entry.variation = Variation(name: entry.name, module: module, parameters: parameters)
    guard let stated = parameters.first(where: { $0.key == "value" || $0.key == "initial" }) else {
      entry.notes.append("module `\(module)` computes the value; the walk has none")
      return
    }
    do throws(Problem) {
      entry.value = try tag.value(Array(stated.value.utf8)[...], notes: &entry.notes)
    } catch {
      entry.notes.append("module `\(module)`: \(error.message)")
    }
  }

  /// A tag with the trailing `x`.
  fileprivate struct Tag {
    var number: UInt8
    var isHexadecimal: Bool

    init?(_ text: some StringProtocol) {
      isHexadecimal = text.hasSuffix("x")
      guard let number = UInt8(isHexadecimal ? text.dropLast() : text[...]), Self.known.contains(number) else {
        return nil
      }
      self.number = number
    }

    static let known: Set<UInt8> = [2, 4, 5, 6, 64, 65, 66, 67, 68, 70, 128, 129, 130]

    func value(_ raw: ArraySlice<UInt8>, notes: inout [String]) throws(Problem) -> ObjectValue {
      let bytes = isHexadecimal ? try Self.hexadecimal(raw) : Array(raw)
      switch number {
      case 4: return .octets(bytes)
      case 68: return .opaque(bytes)
      case 5: return .null
      case 128: return .noSuchObject
      case 129: return .noSuchInstance
      case 130: return .endOfMibView
      case 64: return .ipAddress(isHexadecimal ? bytes : try Self.address(bytes))
      case 6:
        let dotted = bytes[...].trimmed
        guard let identifier = dotted.isEmpty ? ObjectIdentifier([]) : ObjectIdentifier(dottedBytes: dotted) else {
          throw Problem(message: "expected an object identifier as the value, not `\(dotted.text.abbreviated)`")
        }
        return .objectIdentifier(identifier)
      default: return try integer(bytes, notes: &notes)
      }
    }

    private func integer(_ bytes: [UInt8], notes: inout [String]) throws(Problem) -> ObjectValue {
      let text = bytes[...].text
      if text.isEmpty { notes.append("the number is empty; read as 0") }
      let digits = text.isEmpty ? "0" : text
      if number == 70, let value = UInt64(digits) { return .counter64(value) }
      guard let value = Int64(digits) else {
        throw Problem(message: "expected a whole number, not `\(text.abbreviated)`")
      }
      guard number != 2 else { return .integer(value) }
      guard number != 70, let unsigned = UInt32(exactly: value) else {
        notes.append("\(value) does not fit tag \(number); kept as an INTEGER")
        return .integer(value)
      }
      switch number {
      case 65: return .counter32(unsigned)
      case 66: return .gauge32(unsigned)
      default: return .timeTicks(unsigned)
      }
    }

    private static func hexadecimal(_ raw: ArraySlice<UInt8>) throws(Problem) -> [UInt8] {
      let digits = raw.filter { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") }
      guard digits.count.isMultiple(of: 2) else {
        throw Problem(message: "expected an even number of hexadecimal digits")
      }
      var bytes: [UInt8] = []
      bytes.reserveCapacity(digits.count / 2)
      var high: UInt8?
      for digit in digits {
        guard let nibble = nibble(digit) else { throw Problem(message: "expected hexadecimal digits only") }
        if let first = high {
          bytes.append(first << 4 | nibble)
          high = nil
        } else {
          high = nibble
        }
      }
      return bytes
    }

    private static func nibble(_ digit: UInt8) -> UInt8? {
      switch digit {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
      case UInt8(ascii: "A")...UInt8(ascii: "F"): digit - UInt8(ascii: "A") + 10
      default: nil
      }
    }

    /// Dotted decimal, or nothing for an empty address.
    private static func address(_ bytes: [UInt8]) throws(Problem) -> [UInt8] {
      let text = bytes[...].text
      var address: [UInt8] = []
      for part in text.split(separator: ".", omittingEmptySubsequences: !text.contains(".")) {
        guard let octet = UInt8(part) else {
          throw Problem(message: "expected an address in dotted decimal, not `\(text.abbreviated)`")
        }
        address.append(octet)
      }
      return address
    }
  }
}

// MARK: - Writing a line

extension SNMPRec {
  fileprivate static func append(_ binding: VarBind, to output: inout [UInt8]) {
    output += binding.name.description.utf8
    output.append(UInt8(ascii: "|"))
    output += tagAndValue(binding.value)
    output.append(newline)
  }

  private static func tagAndValue(_ value: ObjectValue) -> [UInt8] {
    switch value {
    case .integer(let number): Array("2|\(number)".utf8)
    case .octets(let bytes): isPlain(bytes) ? Array("4|".utf8) + bytes : Array("4x|\(hexadecimal(bytes))".utf8)
    case .null: Array("5|".utf8)
    case .objectIdentifier(let identifier): Array("6|\(identifier)".utf8)
    case .ipAddress(let bytes): Array("64x|\(hexadecimal(bytes))".utf8)
    case .counter32(let number): Array("65|\(number)".utf8)
    case .gauge32(let number): Array("66|\(number)".utf8)
    case .timeTicks(let number): Array("67|\(number)".utf8)
    case .opaque(let bytes): Array("68x|\(hexadecimal(bytes))".utf8)
    case .counter64(let number): Array("70|\(number)".utf8)
    case .noSuchObject: Array("128|".utf8)
    case .noSuchInstance: Array("129|".utf8)
    case .endOfMibView: Array("130|".utf8)
    }
  }

  /// Printable ASCII without a space at either end survives as text; all else goes as hexadecimal.
  private static func isPlain(_ bytes: Octets) -> Bool {
    let space = UInt8(ascii: " ")
    return bytes.first != space && bytes.last != space && bytes.allSatisfy { (0x20...0x7E).contains($0) }
  }

  private static func hexadecimal(_ bytes: Octets) -> String {
    bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
  }
}

extension String {
  /// Short enough for a message.
  fileprivate var abbreviated: String { count > 40 ? prefix(40) + "…" : self }
}

extension ArraySlice<UInt8> {
  /// Without spaces and tabs at either end.
  fileprivate var trimmed: ArraySlice<UInt8> {
    let isSpace = { (byte: UInt8) in byte == 0x20 || byte == 0x09 || byte == 0x0D }
    return drop(while: isSpace).trimmingTrailing(while: isSpace)
  }

  /// The text between the spaces.
  fileprivate var text: String { String(decoding: trimmed, as: UTF8.self) }

  fileprivate func trimmingTrailing(while condition: (UInt8) -> Bool) -> ArraySlice<UInt8> {
    var slice = self
    while let last = slice.last, condition(last) { slice.removeLast() }
    return slice
  }
}

extension ObjectIdentifier {
  /// The dotted form out of ASCII bytes, without making a string of each part: files have many thousand names.
  fileprivate init?(dottedBytes text: ArraySlice<UInt8>) {
    var components: [UInt32] = []
    components.reserveCapacity(16)
    var current: UInt64?
    for byte in text.first == UInt8(ascii: ".") ? text.dropFirst() : text {
      if byte == UInt8(ascii: ".") {
        guard let value = current else { return nil }
        components.append(UInt32(value))
        current = nil
      } else {
        guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) else { return nil }
        let value = (current ?? 0) * 10 + UInt64(byte - UInt8(ascii: "0"))
        guard value <= UInt64(UInt32.max) else { return nil }
        current = value
      }
    }
    guard let last = current, components.count < Self.componentsMax else { return nil }
    components.append(UInt32(last))
    self.init(components)
  }
}
