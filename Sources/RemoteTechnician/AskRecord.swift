// What the journal has of a request: enough to say what was asked for, and nothing that may be a secret. No value of a query is, nor what a path's segment has
// behind a semicolon (`;jsessionid=…`), nor a user's part of an authority; and of what is refused, which the hub may have made up, no character that a terminal
// would obey.

internal import Events
internal import HTTP2

enum AskRecord {
  /// Longer ones are nobody's that a person could read.
  private static let pathBytesMax = 1_024
  private static let methodBytesMax = 32
  private static let targetBytesMax = 300
  private static let parametersMax = 64
  private static let parameterBytesMax = 100
  /// Of all names together.
  private static let parametersBytesMax = 1_024
  private static let equals = UInt8(ascii: "=")

  static func begun(_ ask: DeviceAsk, of job: JobID) -> RemoteRequestBegun {
    RemoteRequestBegun(
      job: job, method: ask.method, path: path(ask.path), parameters: parameters(ask.path), target: target(ask))
  }

  static func over(_ ask: DeviceAsk, of job: JobID) -> RemoteRequest {
    RemoteRequest(
      job: job, method: ask.method, path: path(ask.path), parameters: parameters(ask.path), target: target(ask))
  }

  /// What was asked for, as far as it can be told.
  static func refused(_ headers: [HTTP2Header], of job: JobID) -> RemoteRequest {
    func pseudo(_ name: String) -> String { headers.first(named: name) ?? "" }
    // Behind a user and his password.
    let authority = pseudo(":authority").utf8.split(separator: UInt8(ascii: "@"), omittingEmptySubsequences: false).last
    return RemoteRequest(
      job: job, method: text(pseudo(":method").utf8, methodBytesMax), path: path(pseudo(":path")),
      parameters: parameters(pseudo(":path")),
      target: text(
        Array(pseudo(":scheme").utf8) + Array("://".utf8) + (authority.map(Array.init) ?? []), targetBytesMax)
    )
  }

  private static func target(_ ask: DeviceAsk) -> String { "\(ask.isEncrypted ? "https" : "http"):\(ask.port)" }

  /// Without its query, and without what stands behind its segments' semicolons.
  static func path(_ asked: String) -> String {
    let path = asked.utf8.prefix { $0 != UInt8(ascii: "?") && $0 != UInt8(ascii: "#") }
    let segments = path.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map(withoutParameters)
    return text(Array(segments.joined(separator: [UInt8(ascii: "/")])), pathBytesMax)
  }

  /// RFC 3986 section 3.3: what begins with a semicolon is of the segment before it. Some servers take an escaped one for it.
  private static func withoutParameters(_ segment: Substring.UTF8View) -> [UInt8] {
    let bytes = Array(segment)
    for index in bytes.indices {
      let rest = bytes[index...]
      if rest.first == UInt8(ascii: ";") || ["%3b", "%3B"].contains(where: { rest.starts(with: $0.utf8) }) {
        return Array(bytes[..<index])
      }
    }
    return bytes
  }

  /// What stands before the equals signs of the query. What has none, or nothing but more of them behind it, may be a value (`?YWRtaW46MTIzNA==`), and is left
  /// out.
  static func parameters(_ asked: String) -> [String] {
    let bytes = Array(asked.utf8)
    guard let question = bytes.firstIndex(of: UInt8(ascii: "?")) else { return [] }
    var (names, room) = ([String](), parametersBytesMax)
    for part in bytes[(question + 1)...].split(whereSeparator: { [UInt8(ascii: "&"), UInt8(ascii: ";")].contains($0) })
    {
      guard let end = part.firstIndex(of: equals), part[end...].contains(where: { $0 != equals }) else { continue }
      let name = text(part[..<end], parameterBytesMax)
      room -= name.utf8.count
      guard names.count < parametersMax, room >= 0 else { break }
      names.append(name)
    }
    return names
  }

  private static func text(_ bytes: some Collection<UInt8>, _ bytesMax: Int) -> String {
    let kept = bytes.prefix(bytesMax).map { (0x20..<0x7f).contains($0) ? $0 : UInt8(ascii: "_") }
    return String(decoding: kept, as: UTF8.self) + (bytes.count > bytesMax ? "…" : "")
  }
}
