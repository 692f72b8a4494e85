// HTTP/2 frames (RFC 9113 section 4.1) written and read by hand, without any HTTP/2 library.

struct Frame {
  enum Kind: UInt8 {
    case data = 0, headers, priority, reset, settings, pushPromise, ping, goAway, windowUpdate, continuation
  }

  let kind: Kind
  var flags: UInt8 = 0
  var stream: Int32 = 0
  var payload: [UInt8] = []

  var endsStream: Bool { flags & 1 != 0 }

  var bytes: [UInt8] {
    let length = payload.count
    return [UInt8(length >> 16), UInt8(length >> 8 & 255), UInt8(length & 255), kind.rawValue, flags]
      + Self.big(UInt32(stream)) + payload
  }

  static func settings(_ values: [(UInt16, UInt32)] = []) -> Frame {
    Frame(
      kind: .settings, payload: values.flatMap { name, value in [UInt8(name >> 8), UInt8(name & 255)] + big(value) })
  }

  static func settingsAcknowledgement() -> Frame { Frame(kind: .settings, flags: 1) }

  static func ping(acknowledging payload: [UInt8]? = nil) -> Frame {
    Frame(kind: .ping, flags: payload == nil ? 0 : 1, payload: payload ?? [UInt8](repeating: 0, count: 8))
  }

  static func data(_ stream: Int32, _ payload: [UInt8], endStream: Bool = false) -> Frame {
    Frame(kind: .data, flags: endStream ? 1 : 0, stream: stream, payload: payload)
  }

  static func reset(_ stream: Int32, _ code: UInt32) -> Frame {
    Frame(kind: .reset, stream: stream, payload: big(code))
  }

  static func windowUpdate(_ stream: Int32, _ count: UInt32) -> Frame {
    Frame(kind: .windowUpdate, stream: stream, payload: big(count))
  }

  static func goAway(last: Int32, code: UInt32, _ reason: String) -> Frame {
    Frame(kind: .goAway, payload: big(UInt32(last)) + big(code) + Array(reason.utf8))
  }

  /// Every field as a literal without indexing and without Huffman coding (RFC 7541 section 6.2.2).
  static func headers(_ stream: Int32, _ fields: [(String, String)], endStream: Bool = false) -> Frame {
    var block: [UInt8] = []
    for (name, value) in fields {
      block += [0, UInt8(name.utf8.count)]
      block += name.utf8
      block.append(UInt8(value.utf8.count))
      block += value.utf8
    }
    return Frame(kind: .headers, flags: endStream ? 5 : 4, stream: stream, payload: block)
  }

  /// The frames in `bytes`, which may begin with the client's preface; a frame that is not whole is left out.
  static func parse(_ bytes: [UInt8]) -> [Frame] {
    let preface = Array("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".utf8)
    var rest = bytes.starts(with: preface) ? bytes.dropFirst(preface.count) : bytes[...]
    var frames: [Frame] = []
    while rest.count >= 9 {
      let head = Array(rest.prefix(9))
      let length = head[..<3].reduce(0) { $0 << 8 | Int($1) }
      guard rest.count >= 9 + length, let kind = Kind(rawValue: head[3]) else { break }
      let stream = head[5...].reduce(Int32(0)) { $0 << 8 | Int32($1) }
      let payload = Array(rest.dropFirst(9).prefix(length))
      frames.append(Frame(kind: kind, flags: head[4], stream: stream, payload: payload))
      rest = rest.dropFirst(9 + length)
    }
    return frames
  }

  private static func big(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.bigEndian) { Array($0) } }
}
