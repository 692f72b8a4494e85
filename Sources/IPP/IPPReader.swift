// Reading IPP messages, which come from outside: nothing traps, and what makes no sense is a finding while the rest is kept.
//
// Printers cut answers off, send four-byte integers of one byte, Latin-1 where they promised UTF-8, values before any attribute. A
// message that breaks off in its middle gives what came before. Only what has no header is no message at all.

/// What is wrong with a message.
package struct IPPFinding: Hashable, Sendable, CustomStringConvertible {
  package enum Problem: Hashable, Sendable {
    /// The message ends inside an element.
    case truncated
    /// There is no end-of-attributes tag.
    case noEnd
    /// A value stands before any group, or before any attribute.
    case misplacedValue
    /// The value does not have the length, or the inner form, of its syntax.
    case malformedValue(tag: UInt8)
    /// The text is not UTF-8; each byte was read as a character of ISO 8859-1.
    case notUTF8
    /// An attribute stands twice in one group.
    case repeatedAttribute
    /// A member of a collection has no name, or the collection does not end.
    case malformedCollection
    case tooDeep
    case tooManyValues
  }

  package let problem: Problem
  /// The attribute concerned; empty outside of any.
  package let attribute: String
  /// Where, in bytes from the message's beginning.
  package let offset: Int

  package var description: String {
    let place = attribute.isEmpty ? "at byte \(offset)" : "\(attribute), at byte \(offset)"
    return switch problem {
    case .truncated: "\(place): the message breaks off"
    case .noEnd: "\(place): the message ends without its end tag"
    case .misplacedValue: "\(place): a value belongs to no attribute"
    case .malformedValue(let tag): "\(place): a value does not have the form of its syntax, 0x\(String(tag, radix: 16))"
    case .notUTF8: "\(place): a text is not UTF-8 and was read as ISO 8859-1"
    case .repeatedAttribute: "\(place): the attribute stands there twice"
    case .malformedCollection: "\(place): a collection is malformed"
    case .tooDeep: "\(place): collections are nested too deeply"
    case .tooManyValues: "\(place): there are too many values"
    }
  }
}

package enum IPPLimits {
  /// Collections within collections: `media-col-database` has three.
  package static let depthMax = 16
  /// Values of one message, members of collections included: the largest real answer has some 6,000.
  package static let valuesMax = 65_536
  /// Findings kept of one message: more say nothing new.
  package static let findingsMax = 100
}

/// A message and what is wrong with it.
package struct IPPDecoded: Hashable, Sendable {
  package var message: IPPMessage
  package var findings: [IPPFinding]
  /// Where the document data begins, in bytes; the message's length when there is none.
  package var dataOffset: Int
  /// Whether it ends inside an element, or without its end tag: what came before is there.
  package var breaksOff: Bool

  /// Nil when there are not even the eight bytes of a header, or the version is none of IPP's.
  package init?(_ bytes: some Collection<UInt8>) {
    guard let read = bytes.withContiguousStorageIfAvailable({ IPPReader.read(UnsafeRawBufferPointer($0)) }) else {
      guard let copied = Array(bytes).withUnsafeBytes({ IPPReader.read($0) }) else { return nil }
      self = copied
      return
    }
    guard let read else { return nil }
    self = read
  }

  fileprivate init(message: IPPMessage, findings: [IPPFinding], dataOffset: Int, breaksOff: Bool) {
    self.message = message
    self.findings = findings
    self.dataOffset = dataOffset
    self.breaksOff = breaksOff
  }
}

private struct IPPReader {
  private static let headerByteCount = 8
  private static let endOfAttributes: UInt8 = 0x03
  private static let delimiters: ClosedRange<UInt8> = 0x00...0x0F
  private static let (beginCollection, endCollection, memberName): (UInt8, UInt8, UInt8) = (0x34, 0x37, 0x4A)

  private let bytes: UnsafeRawBufferPointer
  private var position = headerByteCount
  private var findings: [IPPFinding] = []
  private var breaksOff = false
  private var values = 0
  /// The attribute that is being read.
  private var name = ""
  /// Where each name of the group that is being read stands in it.
  private var places: [String: Int] = [:]
  /// Where the values go that have no name: to the last attribute.
  private var current: Int?

  static func read(_ bytes: UnsafeRawBufferPointer) -> IPPDecoded? {
    guard bytes.count >= headerByteCount, (1...2).contains(bytes[0]) else { return nil }
    var reader = IPPReader(bytes)
    let groups = reader.groups()
    let message = IPPMessage(
      version: IPPMessage.Version(bytes[0], bytes[1]),
      code: UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: 2, as: UInt16.self)),
      requestID: Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: 4, as: Int32.self)), groups: groups)
    return IPPDecoded(
      message: message, findings: reader.findings, dataOffset: reader.position, breaksOff: reader.breaksOff)
  }

  private init(_ bytes: UnsafeRawBufferPointer) { self.bytes = bytes }

  private mutating func found(_ problem: IPPFinding.Problem, at offset: Int) {
    if problem == .truncated || problem == .noEnd { breaksOff = true }
    guard findings.count < IPPLimits.findingsMax else { return }
    findings.append(IPPFinding(problem: problem, attribute: name, offset: offset))
  }

  // MARK: Groups and attributes

  private mutating func groups() -> [IPPGroup] {
    var groups: [IPPGroup] = []
    while position < bytes.count {
      let tag = bytes[position]
      if tag == Self.endOfAttributes {
        position += 1
        return groups
      }
      if Self.delimiters.contains(tag) {
        position += 1
        groups.append(IPPGroup(IPPGroup.Kind(tag: tag), []))
        (name, places, current) = ("", [:], nil)
        continue
      }
      guard let element = element() else { return groups }
      guard let value = value(element, depth: 0) else { return groups }
      guard !groups.isEmpty, add(value, element, to: &groups[groups.count - 1].attributes) else {
        found(.misplacedValue, at: element.offset)
        continue
      }
    }
    name = ""
    found(.noEnd, at: position)
    return groups
  }

  /// A value without a name is one more of the last attribute; false when there is none.
  private mutating func add(_ value: IPPValue, _ element: Element, to attributes: inout [IPPAttribute]) -> Bool {
    if element.name.isEmpty {
      guard let current else { return false }
      attributes[current].values.append(value)
    } else if let place = places[element.name] {
      found(.repeatedAttribute, at: element.offset)
      attributes[place].values.append(value)
      current = place
    } else {
      (places[element.name], current) = (attributes.count, attributes.count)
      attributes.append(IPPAttribute(element.name, [value]))
    }
    return true
  }

  // MARK: Elements

  private struct Element {
    let tag: UInt8
    let name: String
    let offset: Int
    let value: Range<Int>
  }

  /// Tag, name and value as they lie; nil when the message breaks off here.
  private mutating func element() -> Element? {
    let offset = position
    let tag = bytes[position]
    position += 1
    guard let nameRange = counted(), let value = counted() else {
      found(.truncated, at: offset)
      position = bytes.count
      return nil
    }
    values += 1
    guard values <= IPPLimits.valuesMax else {
      found(.tooManyValues, at: offset)
      position = bytes.count
      return nil
    }
    let elementName = text(nameRange)
    if !elementName.isEmpty { name = elementName }
    return Element(tag: tag, name: elementName, offset: offset, value: value)
  }

  /// Two bytes of length, and so many bytes.
  private mutating func counted() -> Range<Int>? {
    guard bytes.count - position >= 2 else { return nil }
    let length = Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt16.self)))
    guard length <= bytes.count - position - 2 else { return nil }
    let range = position + 2..<position + 2 + length
    position = range.upperBound
    return range
  }

  private mutating func text(_ range: Range<Int>) -> String {
    let part = UnsafeRawBufferPointer(rebasing: bytes[range])
    if let text = String(validating: part, as: UTF8.self) { return text }
    found(.notUTF8, at: range.lowerBound)
    return String(String.UnicodeScalarView(part.map { Unicode.Scalar($0) }))
  }

  // MARK: Values

  /// The value of an element; nil when the message breaks off in it.
  private mutating func value(_ element: Element, depth: Int) -> IPPValue? {
    if element.tag == Self.beginCollection { return collection(from: element, depth: depth + 1) }
    if let value = simpleValue(element) { return value }
    found(.malformedValue(tag: element.tag), at: element.offset)
    return .undecodable(tag: element.tag, Array(bytes[element.value]))
  }

  /// Nil when the bytes are not of the tag's form.
  private mutating func simpleValue(_ element: Element) -> IPPValue? {
    let range = element.value
    func integer(_ index: Int) -> Int32 {
      Int32(bigEndian: bytes.loadUnaligned(fromByteOffset: range.lowerBound + 4 * index, as: Int32.self))
    }
    switch element.tag {
    case 0x10...0x1F: return .outOfBand(IPPOutOfBand(tag: element.tag))
    case 0x21: return range.count == 4 ? .integer(integer(0)) : nil
    case 0x22: return range.count == 1 ? .boolean(bytes[range.lowerBound] != 0) : nil
    case 0x23: return range.count == 4 ? .enumeration(integer(0)) : nil
    case 0x30: return .octets(Array(bytes[range]))
    case 0x31: return IPPDateTime(bytes: Array(bytes[range])).map { .dateTime($0) }
    case 0x32:
      guard range.count == 9 else { return nil }
      return .resolution(
        across: integer(0), along: integer(1), units: Int8(bitPattern: bytes[range.upperBound - 1]))
    case 0x33: return range.count == 8 ? .range(integer(0), integer(1)) : nil
    case 0x35, 0x36: return languageString(element)
    default:
      guard let syntax = IPPStringSyntax(rawValue: element.tag) else { return nil }
      return .string(text(range), syntax)
    }
  }

  /// language length 2 | language | text length 2 | text
  private mutating func languageString(_ element: Element) -> IPPValue? {
    let range = element.value
    guard let syntax = IPPStringSyntax(rawValue: element.tag), range.count >= 4 else { return nil }
    func length(_ offset: Int) -> Int {
      Int(UInt16(bigEndian: bytes.loadUnaligned(fromByteOffset: offset, as: UInt16.self)))
    }
    let language = length(range.lowerBound)
    guard language <= range.count - 4 else { return nil }
    let start = range.lowerBound + 2 + language
    guard length(start) == range.upperBound - start - 2 else { return nil }
    return .string(text(start + 2..<range.upperBound), syntax)
  }

  /// RFC 8010, section 3.1.6: members' names are values of their own, and each is followed by its values.
  private mutating func collection(from beginning: Element, depth: Int) -> IPPValue? {
    guard depth <= IPPLimits.depthMax else {
      found(.tooDeep, at: beginning.offset)
      position = bytes.count
      return nil
    }
    let attribute = name
    var members: [IPPAttribute] = []
    while position < bytes.count, !Self.delimiters.contains(bytes[position]) {
      guard let element = element() else { return .collection(members) }
      switch element.tag {
      case Self.endCollection:
        name = attribute
        return .collection(members)
      case Self.memberName: members.append(IPPAttribute(text(element.value), []))
      default:
        guard let value = value(element, depth: depth) else { return .collection(members) }
        if members.isEmpty {
          found(.malformedCollection, at: element.offset)
        } else {
          members[members.count - 1].values.append(value)
        }
      }
    }
    name = attribute
    found(.malformedCollection, at: position)
    return .collection(members)
  }
}
