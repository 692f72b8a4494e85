// What the hub asks for in one request, as far as it may.

internal import DeviceHTTP
internal import Discovery
internal import Events
internal import HTTP2

/// A request that is not passed on.
struct AskRefusal: Error, Equatable {
  let message: String
  /// A hub that asks for another machine by its address or name is no hub to serve.
  var endsSession = false
}

struct DeviceAsk: Equatable {
  let method: String
  /// With its query.
  let path: String
  let isEncrypted: Bool
  let port: UInt16
  let isWebSocket: Bool
  /// What passes, in lower case.
  let fields: [HTTP2Header]
  /// Of the body, where the hub says it.
  let length: Int?

  /// - Throws: why it is refused.
  init(_ headers: [HTTP2Header], _ rules: TargetRules) throws(AskRefusal) {
    func pseudo(_ name: String) -> String { headers.first(named: name) ?? "" }
    port = try Self.port(pseudo(":authority"), rules)
    let isWebSocket = headers.first(named: ":protocol") == "websocket"
    self.isWebSocket = isWebSocket
    method = isWebSocket ? "GET" : pseudo(":method")
    guard isWebSocket == (pseudo(":method") == "CONNECT"), !method.isEmpty, method.utf8.count <= 32,
      method.utf8.allSatisfy(ResponseHead.isToken), method != "TRACE"
    else { throw AskRefusal(message: "This method is not passed on.") }
    switch pseudo(":scheme") {
    case "https", "wss": isEncrypted = true
    case "http", "ws": isEncrypted = false
    default: throw AskRefusal(message: "The scheme is http or https.")
    }
    path = pseudo(":path")
    guard path.first == "/", path.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else {
      throw AskRefusal(message: "The path begins with a slash and has no character that must be escaped.")
    }
    fields = PassingFields.toDevice(headers)
    length = headers.first(named: "content-length").flatMap { Int($0) }
  }

  /// The port of `<device id>:<port>`.
  private static func port(_ authority: String, _ rules: TargetRules) throws(AskRefusal) -> UInt16 {
    let halves = authority.split(separator: ":", omittingEmptySubsequences: false)
    guard let name = halves.first, name.utf8.count == 32, name.allSatisfy(\.isHexDigit) else {
      throw AskRefusal(
        message: "A session reaches its device by the device's id, and never an address or a name.", endsSession: true)
    }
    guard name.lowercased() == rules.device.description else {
      throw AskRefusal(message: "This is another device than the session's.")
    }
    guard halves.count == 2, halves[1].utf8.allSatisfy({ (0x30...0x39).contains($0) }), let port = UInt16(halves[1]),
      rules.ports.contains(port)
    else {
      throw AskRefusal(
        message: "A session reaches the ports \(rules.ports.map(String.init).joined(separator: ", ")) alone.")
    }
    return port
  }

  /// Asked twice, it does what it does once, and that is nothing (RFC 9110 section 9.2.1).
  var isSafe: Bool { ["GET", "HEAD", "OPTIONS"].contains(method) }

  var place: RestingConnections.Place { RestingConnections.Place(port: port, isEncrypted: isEncrypted) }

  // MARK: As the device gets it

  /// - Parameters:
  ///   - hasBody: whether one follows. Without a length it goes in chunks.
  ///   - key: of a WebSocket's handshake.
  func head(to address: IPv4Address, hasBody: Bool, key: String? = nil) -> [UInt8] {
    let usual: UInt16 = isEncrypted ? 443 : 80
    var lines = ["\(method) \(path) HTTP/1.1", "Host: \(address)\(port == usual ? "" : ":\(port)")"]
    lines += fields.map { "\(Self.written($0.name)): \($0.value)" }
    if let key {
      lines += ["Connection: Upgrade", "Upgrade: websocket", "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: \(key)"]
    } else {
      if hasBody {
        lines.append(length.map { "Content-Length: \($0)" } ?? "Transfer-Encoding: chunked")
      } else if ["POST", "PUT", "PATCH"].contains(method) {
        lines.append("Content-Length: 0")
      }
      lines.append("Connection: \(isSafe && !hasBody ? "keep-alive" : "close")")
    }
    return Array((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
  }

  /// Names are the same in either case of letters (RFC 9110 section 5.1); not all devices know that, and all know this one.
  static func written(_ name: String) -> String {
    if name.hasPrefix("sec-websocket-") { return "Sec-WebSocket-" + written(String(name.dropFirst(14))) }
    return name.split(separator: "-", omittingEmptySubsequences: false).map {
      $0.prefix(1).uppercased() + $0.dropFirst()
    }
    .joined(separator: "-")
  }
}

/// Which header fields pass. Those of one hop do not (RFC 9110 section 7.6.1), nor what tells of the way, nor what is ours.
enum PassingFields {
  private static let ofOneHop: Set<String> = [
    "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings", "forwarded", "via",
  ]
  private static let beginnings = [":", "proxy-", "x-forwarded-", "pt-"]

  private static func passes(_ name: String) -> Bool {
    !ofOneHop.contains(name) && !beginnings.contains { name.hasPrefix($0) }
  }

  static func toDevice(_ headers: [HTTP2Header]) -> [HTTP2Header] {
    let own: Set<String> = ["host", "content-length", "expect", "sec-websocket-key", "sec-websocket-version", "cookie"]
    var fields = headers.filter { field in
      passes(field.name) && !own.contains(field.name) && field.name.utf8.allSatisfy(ResponseHead.isToken)
        && field.value.utf8.allSatisfy { $0 == 9 || $0 >= 0x20 && $0 != 0x7f }
    }
    // RFC 9113 section 8.2.3: HTTP/2 may have cookies in several fields, HTTP/1.1 has one.
    let cookies = headers.filter { $0.name == "cookie" }.map(\.value)
    if !cookies.isEmpty { fields.append(HTTP2Header("cookie", cookies.joined(separator: "; "))) }
    return fields
  }

  static func fromDevice(_ head: ResponseHead, keepsLength: Bool) -> [HTTP2Header] {
    let nominated = Set(head.elements("connection"))
    var hasLength = false
    return head.fields.compactMap { field in
      guard passes(field.name), !nominated.contains(field.name) else { return nil }
      if field.name == "content-length" {
        // The same one twice is one.
        guard keepsLength, !hasLength, let length = head.elements("content-length").first else { return nil }
        hasLength = true
        return HTTP2Header(field.name, length)
      }
      return HTTP2Header(field.name, field.value)
    }
  }
}
