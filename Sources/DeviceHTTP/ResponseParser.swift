// Reads a device's answer to one request over HTTP/1.0 or 1.1 (RFC 9112), piece by piece. A value: bytes come in, what they say goes out.
//
//     head ──> body of a known length ──> done          head: at most `headBytesMax`, interim answers among it
//      │  ├──> chunk size ──> chunk ──> line end ─┐
//      │  │        ^──────────────────────────────┘ ──> trailers ──> done
//      │  └──> until the connection ends
//      └──> upgraded: bytes as they are
//
// It is written for devices that are broken and for such as are hostile: nothing is kept beyond the head, a chunk's size line and the trailers, each
// with its limit, and what could be read in two ways is an error. HTTP/0.9, which has no head, is none.

package struct ResponseParser: Sendable {
  /// Bytes of a head, with those of interim answers before it.
  package static let headBytesMax = 64 << 10
  /// Interim answers before the one that counts; more than one or two are nobody's.
  static let interimsMax = 8
  /// Bytes of the line before a chunk: its size, and extensions that nobody uses.
  static let chunkLineBytesMax = 4 << 10
  /// Digits of a chunk's size: 2^60 bytes are more than come.
  private static let chunkDigitsMax = 15

  package enum Event: Equatable, Sendable {
    /// - isWhole: no body follows.
    case head(ResponseHead, isWhole: Bool)
    case body([UInt8])
    /// The answer is over.
    case end
  }

  private enum State: Equatable {
    case head
    case fixed(left: Int)
    case chunkSize
    case chunk(left: Int)
    case chunkEnd
    case trailers
    case untilClosed
    case upgraded
    case done
  }

  private let isHead: Bool
  private let isUpgrade: Bool
  private var state = State.head
  /// Of the head, a line, or the trailers: what is not over yet.
  private var kept: [UInt8] = []
  /// How much of `kept` was looked at for its end.
  private var lookedAt = 0
  /// Of heads, interim ones among them; then of trailers.
  private var sectionBytes = 0
  private var hasHead = false
  private var interims = 0
  /// Whether the head lets the connection be used again.
  private var persists = false
  private var hasSurplus = false

  /// - Parameters:
  ///   - method: of the request; an answer to HEAD has no body.
  ///   - isUpgrade: whether 101 is an answer to it.
  package init(method: String, isUpgrade: Bool = false) {
    isHead = method == "HEAD"
    self.isUpgrade = isUpgrade
  }

  /// Whether the answer is over. What came after it was dropped.
  package var isDone: Bool { state == .done }

  /// Whether another request may go over the connection (RFC 9112 section 9.3): the answer is over, its end was told in one way, the device did not say
  /// that it closes, and nothing came behind it.
  package var leavesConnection: Bool { isDone && persists && !hasSurplus }

  /// Takes what came.
  package mutating func receive(_ bytes: [UInt8]) throws(DeviceFault) -> [Event] {
    var events: [Event] = []
    var rest = bytes[...]
    while !rest.isEmpty, state != .done {
      switch state {
      case .head: try head(&rest, &events)
      case .fixed(let left):
        let piece = rest.prefix(left)
        rest = rest.dropFirst(piece.count)
        events.append(.body(Array(piece)))
        state = .fixed(left: left - piece.count)
        if piece.count == left { end(&events) }
      case .chunkSize: try chunkSize(&rest)
      case .chunk(let left):
        let piece = rest.prefix(left)
        rest = rest.dropFirst(piece.count)
        events.append(.body(Array(piece)))
        state = piece.count == left ? .chunkEnd : .chunk(left: left - piece.count)
      case .chunkEnd: try chunkEnd(&rest)
      case .trailers: try trailers(&rest, &events)
      case .untilClosed, .upgraded:
        events.append(.body(Array(rest)))
        rest = []
      case .done: break
      }
    }
    if !rest.isEmpty { hasSurplus = true }
    return events
  }

  /// The device has ended the connection.
  /// - Throws: `cut` where the answer was not over, `notHTTP` where there was none.
  package mutating func finish() throws(DeviceFault) -> [Event] {
    switch state {
    case .done: return []
    case .untilClosed, .upgraded:
      (state, persists) = (.done, false)
      return [.end]
    case .head where kept.isEmpty && !hasHead: throw .notHTTP(DeviceFault.withoutAnswer)
    default: throw .cut
    }
  }

  /// Takes what a connection gave: bytes, or its end.
  @inline(never)
  package mutating func take(_ bytes: [UInt8]?) throws -> [Event] {
    if let bytes { try receive(bytes) } else { try finish() }
  }

  private mutating func end(_ events: inout [Event]) {
    state = .done
    events.append(.end)
  }
}

// MARK: - The head

extension ResponseParser {
  private static let beginning = Array("HTTP/1.".utf8)

  private mutating func head(_ rest: inout ArraySlice<UInt8>, _ events: inout [Event]) throws(DeviceFault) {
    // Devices send an empty line too many after an answer before.
    while kept.isEmpty, rest.first == 13 || rest.first == 10 {
      rest.removeFirst()
      sectionBytes += 1
    }
    let room = Self.headBytesMax - sectionBytes - kept.count
    kept += rest.prefix(max(room, 0))
    let taken = rest.prefix(max(room, 0)).count
    rest = rest.dropFirst(taken)
    guard kept.starts(with: Self.beginning.prefix(kept.count)) else {
      throw .notHTTP("it does not begin as HTTP/1 does (HTTP/0.9 had no head)")
    }
    guard let (lines, count) = section() else {
      if !rest.isEmpty || kept.count + sectionBytes >= Self.headBytesMax { throw .headTooLarge }
      return
    }
    let head = try ResponseHead(lines: lines)
    // What follows the head.
    rest = (kept[count...] + rest)[...]
    sectionBytes += count
    (kept, lookedAt) = ([], 0)
    hasHead = true
    if (100..<200).contains(head.status), head.status != 101 {
      interims += 1
      guard interims <= Self.interimsMax else { throw .headTooLarge }
      return
    }
    try begin(head, &events)
  }

  /// The lines up to an empty one in `kept`, and how many bytes they are with it; nil when that has not come.
  private mutating func section() -> (lines: [ArraySlice<UInt8>], bytes: Int)? {
    // The end is a line feed, and then another one, or a carriage return between the two.
    var index = max(lookedAt - 3, 0)
    while let feed = kept[index...].firstIndex(of: 10) {
      let next = feed + 1
      let isEnd =
        next < kept.count && (kept[next] == 10 || kept[next] == 13 && next + 1 < kept.count && kept[next + 1] == 10)
      if isEnd {
        let end = kept[next] == 10 ? next + 1 : next + 2
        let lines = kept[...feed].split(separator: 10, omittingEmptySubsequences: true).map { line in
          line.last == 13 ? line.dropLast() : line
        }
        return (lines, end)
      }
      index = next
    }
    lookedAt = kept.count
    return nil
  }

  private mutating func begin(_ head: ResponseHead, _ events: inout [Event]) throws(DeviceFault) {
    if head.status == 101 {
      guard isUpgrade else { throw .notHTTP("it changes to a protocol that nobody asked for") }
      state = .upgraded
      events.append(.head(head, isWhole: false))
      return
    }
    let body = try framing(head)
    (state, persists) = (body, head.persists && !head.isFramedTwice)
    guard body == .done else { return events.append(.head(head, isWhole: false)) }
    events.append(.head(head, isWhole: true))
    events.append(.end)
  }

  /// RFC 9112 section 6.3.
  private func framing(_ head: ResponseHead) throws(DeviceFault) -> State {
    if isHead || head.status == 204 || head.status == 304 { return .done }
    let codings = head.elements("transfer-encoding").filter { $0 != "identity" }
    if let last = codings.last {
      guard codings.dropLast().allSatisfy({ $0 != "chunked" }) else { throw .notHTTP("it is chunked twice") }
      return last == "chunked" ? .chunkSize : .untilClosed
    }
    let lengths = Set(head.elements("content-length"))
    guard let text = lengths.first else { return .untilClosed }
    guard lengths.count == 1 else { throw .notHTTP("it has several lengths") }
    guard text.utf8.allSatisfy({ (0x30...0x39).contains($0) }), let length = Int(text) else {
      throw .notHTTP("its length is no number")
    }
    return length == 0 ? .done : .fixed(left: length)
  }
}

// MARK: - Chunks

extension ResponseParser {
  /// The next line without its end; nil when it has not come whole.
  private mutating func line(_ rest: inout ArraySlice<UInt8>) throws(DeviceFault) -> [UInt8]? {
    guard let feed = rest.firstIndex(of: 10) else {
      kept += rest
      rest = []
      guard kept.count <= Self.chunkLineBytesMax else { throw .notHTTP("a chunk's line is too long") }
      return nil
    }
    kept += rest[..<feed]
    rest = rest[(feed + 1)...]
    guard kept.count <= Self.chunkLineBytesMax else { throw .notHTTP("a chunk's line is too long") }
    defer { kept = [] }
    return kept.last == 13 ? kept.dropLast() : kept
  }

  private mutating func chunkSize(_ rest: inout ArraySlice<UInt8>) throws(DeviceFault) {
    guard let line = try line(&rest) else { return }
    let word = line.prefix { $0 != UInt8(ascii: ";") }.filter { $0 != 0x20 && $0 != 9 }
    let digits = word.map { Character(UnicodeScalar($0)).hexDigitValue }
    guard (1...Self.chunkDigitsMax).contains(digits.count), !digits.contains(nil) else {
      throw .notHTTP("a chunk has no size")
    }
    let size = digits.reduce(0) { $0 << 4 | ($1 ?? 0) }
    sectionBytes = 0
    state = size == 0 ? .trailers : .chunk(left: size)
  }

  private mutating func chunkEnd(_ rest: inout ArraySlice<UInt8>) throws(DeviceFault) {
    // A carriage return may come alone first.
    guard let line = try line(&rest) else {
      guard kept.isEmpty || kept == [13] else { throw .notHTTP("a chunk is longer than it says") }
      return
    }
    guard line.isEmpty else { throw .notHTTP("a chunk is longer than it says") }
    state = .chunkSize
  }

  /// They are dropped.
  private mutating func trailers(_ rest: inout ArraySlice<UInt8>, _ events: inout [Event]) throws(DeviceFault) {
    guard let line = try line(&rest) else { return }
    sectionBytes += line.count + 2
    guard sectionBytes <= Self.headBytesMax else { throw .headTooLarge }
    if line.isEmpty { end(&events) }
  }
}
