// DNS messages as multicast DNS sends them (RFC 1035, section 4; RFC 6762): questions out, records in.
//
//     message   id u16, flags u16, counts of questions, answers, authorities and additional records u16
//     question  name, type u16, class u16
//     record    name, type u16, class u16, time to live u32, length u16, data
//     name      labels, each a length of 1 to 63 and so many bytes; ends with 0, or with a pointer (two bits set) to an earlier place
//
// Whoever shares the network may send anything: nothing here traps, and a name neither loops nor grows without end.

/// A name, as its labels: an instance's first label may hold dots, spaces and any UTF-8 (RFC 6763, section 4.1).
package struct DNSName: Hashable, Sendable, CustomStringConvertible {
  /// Bytes of a name with its lengths (RFC 1035, section 2.3.4).
  static let bytesMax = 255

  package var labels: [[UInt8]]

  package init(_ labels: [[UInt8]]) { self.labels = labels }

  /// `_ipp._tcp.local`, split at its dots.
  package init(_ text: String) { labels = text.split(separator: ".").map { Array($0.utf8) } }

  package var description: String { labels.map { String(decoding: $0, as: UTF8.self) }.joined(separator: ".") }

  /// Names are the same in either case, as far as ASCII goes (RFC 1035, section 2.3.3).
  package static func == (left: DNSName, right: DNSName) -> Bool { left.folded == right.folded }
  package func hash(into hasher: inout Hasher) { hasher.combine(folded) }

  private var folded: [[UInt8]] { labels.map { $0.map { (0x41...0x5A).contains($0) ? $0 | 0x20 : $0 } } }
}

/// What is asked for.
package struct DNSQuestion: Hashable, Sendable {
  package var name: DNSName
  package var type: UInt16

  package init(_ name: DNSName, _ type: UInt16) { (self.name, self.type) = (name, type) }
}

/// A record of a kind that tells of services; others are left out.
package struct DNSRecord: Hashable, Sendable {
  package enum Data: Hashable, Sendable {
    case address(IPv4Address)
    case pointer(DNSName)
    /// RFC 6763, section 6: `key=value`, each a string of its own.
    case texts([[UInt8]])
    /// RFC 2782.
    case service(host: DNSName, port: UInt16)
  }

  package var name: DNSName
  package var data: Data
}

/// The types that are understood.
package enum DNSType {
  package static let address: UInt16 = 1
  package static let pointer: UInt16 = 12
  package static let texts: UInt16 = 16
  package static let service: UInt16 = 33
}

package struct DNSMessage: Equatable, Sendable {
  package static let headerBytes = 12
  /// Records that one message tells of at most: a packet of 9,000 bytes holds some 300.
  static let recordsMax = 1_024

  package var isResponse: Bool
  package var questions: [DNSQuestion] = []
  package var records: [DNSRecord] = []

  /// Reads a message; nil where not even the header is whole. A record that breaks off ends it: what came before counts.
  package init?(_ bytes: [UInt8]) {
    var reader = DNSReader(bytes)
    guard reader.skip(2), let flags = reader.integer16(), let questionCount = reader.integer16(),
      let answers = reader.integer16(), let authorities = reader.integer16(), let additional = reader.integer16()
    else { return nil }
    isResponse = flags & 0x8000 != 0
    for _ in 0..<questionCount {
      guard let name = reader.name(), let type = reader.integer16(), reader.skip(2) else { return }
      questions.append(DNSQuestion(name, type))
    }
    let count = Int(answers) + Int(authorities) + Int(additional)
    for _ in 0..<min(count, Self.recordsMax) {
      guard reader.record(into: &records) else { return }
    }
  }

  /// A query for several things, without recursion. Its answers are asked for as unicast (RFC 6762, section 5.4).
  package static func query(_ questions: [DNSQuestion], id: UInt16) -> [UInt8] {
    var bytes: [UInt8] = []
    func put(_ value: UInt16) { bytes += [UInt8(value >> 8), UInt8(value & 0xff)] }
    for field in [id, 0, UInt16(questions.count), 0, 0, 0] { put(field) }
    for question in questions {
      for label in question.name.labels where (1...63).contains(label.count) {
        bytes.append(UInt8(label.count))
        bytes += label
      }
      bytes.append(0)
      put(question.type)
      put(0x8001)
    }
    return bytes
  }
}

private struct DNSReader {
  private let bytes: [UInt8]
  private var offset = 0

  init(_ bytes: [UInt8]) { self.bytes = bytes }

  mutating func skip(_ count: Int) -> Bool {
    guard count <= bytes.count - offset else { return false }
    offset += count
    return true
  }

  mutating func integer16() -> UInt16? {
    guard bytes.count - offset >= 2 else { return nil }
    defer { offset += 2 }
    return UInt16(bytes[offset]) << 8 | UInt16(bytes[offset + 1])
  }

  mutating func name() -> DNSName? {
    guard let (name, end) = name(at: offset) else { return nil }
    offset = end
    return name
  }

  /// The name that begins at a place, and where what follows it begins. A pointer must go backwards, so that none goes round.
  private func name(at start: Int) -> (DNSName, Int)? {
    var labels: [[UInt8]] = []
    var length = 1
    var place = start
    var lowest = start
    var end: Int?
    while place < bytes.count {
      let first = bytes[place]
      switch first >> 6 {
      case 0 where first == 0: return (DNSName(labels), end ?? place + 1)
      case 0:
        let count = Int(first)
        length += count + 1
        guard count < bytes.count - place, length <= DNSName.bytesMax else { return nil }
        labels.append(Array(bytes[place + 1...place + count]))
        place += count + 1
      case 3:
        guard place + 1 < bytes.count else { return nil }
        let target = Int(first & 0x3F) << 8 | Int(bytes[place + 1])
        guard target < lowest else { return nil }
        end = end ?? place + 2
        (place, lowest) = (target, target)
      default: return nil
      }
    }
    return nil
  }

  /// - Returns: false where it breaks off.
  mutating func record(into records: inout [DNSRecord]) -> Bool {
    guard let name = name(), let type = integer16(), skip(6), let length = integer16() else { return false }
    let start = offset
    guard skip(Int(length)) else { return false }
    if let data = data(type, start..<offset) { records.append(DNSRecord(name: name, data: data)) }
    return true
  }

  /// Nil for other types, and for data that is not what its type says.
  private func data(_ type: UInt16, _ range: Range<Int>) -> DNSRecord.Data? {
    switch type {
    case DNSType.address where range.count == 4:
      return .address(IPv4Address(bytes[range].reduce(0) { $0 << 8 | UInt32($1) }))
    case DNSType.pointer: return name(at: range.lowerBound).map { .pointer($0.0) }
    case DNSType.service where range.count > 6:
      let port = UInt16(bytes[range.lowerBound + 4]) << 8 | UInt16(bytes[range.lowerBound + 5])
      return name(at: range.lowerBound + 6).map { .service(host: $0.0, port: port) }
    case DNSType.texts: return .texts(texts(range))
    default: return nil
    }
  }

  private func texts(_ range: Range<Int>) -> [[UInt8]] {
    var texts: [[UInt8]] = []
    var place = range.lowerBound
    while place < range.upperBound {
      let end = min(place + 1 + Int(bytes[place]), range.upperBound)
      if end > place + 1 { texts.append(Array(bytes[place + 1..<end])) }
      place = end
    }
    return texts
  }
}
