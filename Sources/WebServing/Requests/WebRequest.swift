// A request as those see it who answer it: checked, whole, and without a socket.

package enum WebMethod: String, CaseIterable, Sendable {
  case get = "GET"
  case head = "HEAD"
  case post = "POST"
  case put = "PUT"
  case delete = "DELETE"

  /// Whether nothing is changed by it (RFC 9110, section 9.2.1).
  package var isSafe: Bool { self == .get || self == .head }
}

package struct WebRequest: Sendable {
  package var method: WebMethod
  /// The parts between the slashes, decoded: none for `/`. None is empty, `.` or `..`, or holds a slash or a control character.
  package var path: [String]
  package var query: Query
  /// Names in lower case.
  package var headers: [(name: String, value: String)]
  package var body: [UInt8]
  /// The client's address without a port; empty where it is not known.
  package var client: String
  /// The connection has TLS.
  package var isSecure: Bool

  package init(
    _ method: WebMethod, path: [String], query: Query = Query(), headers: [(name: String, value: String)] = [],
    body: [UInt8] = [], client: String = "127.0.0.1", isSecure: Bool = false
  ) {
    self.method = method
    self.path = path
    self.query = query
    self.headers = headers
    self.body = body
    self.client = client
    self.isSecure = isSecure
  }

  package func header(_ name: String) -> String? { headers.first { $0.name == name }?.value }

  /// Whether the client is on this machine.
  package var isLocal: Bool { HostNames.isLoopback(client) }

  /// A cookie's value (RFC 6265, section 4.2).
  package func cookie(_ name: String) -> String? {
    for (header, value) in headers where header == "cookie" {
      for pair in value.split(separator: ";") {
        let trimmed = pair.drop { $0 == " " }
        guard let equals = trimmed.firstIndex(of: "="), trimmed[..<equals] == name else { continue }
        return String(trimmed[trimmed.index(after: equals)...])
      }
    }
    return nil
  }

  /// The body as one JSON object.
  /// - Throws: `WebError` 400; an empty body is an empty object.
  package func members() throws(WebError) -> [(String, WebJSON)] {
    guard !body.isEmpty else { return [] }
    guard let json = WebJSON.parse(body) else {
      throw WebError(400, "bad_json", "The body is not JSON in UTF-8 (RFC 8259).")
    }
    guard case .object(let members) = json else {
      throw WebError(400, "bad_json", "The body is \(json.kind); send one JSON object.")
    }
    return members
  }
}

/// What a request's target names.
struct RequestTarget {
  let path: [String]
  let query: Query

  /// - Throws: `WebError` 400 where it is no path from the root, or one that would lead out of it.
  init(_ target: String) throws(WebError) {
    let bad = WebError(
      400, "bad_request",
      "The address is not one that is read here: it has to be a path from /, encoded as RFC 3986 has it.")
    guard target.hasPrefix("/") else { throw bad }
    let parts = target.split(separator: "?", maxSplits: 1, omittingEmptySubsequences: false)
    var path: [String] = []
    for part in parts[0].split(separator: "/", omittingEmptySubsequences: false).dropFirst() {
      guard let name = PercentCoding.decode(part, plusIsSpace: false), Self.isName(name) else { throw bad }
      path.append(name)
    }
    // `/` is one empty part.
    if path == [""] { path = [] }
    guard !path.contains("") else { throw bad }
    guard let query = Query(encoded: parts.count > 1 ? parts[1] : "") else {
      throw WebError(
        400, "bad_request",
        "The parameters are not encoded as application/x-www-form-urlencoded in UTF-8, or are more than \(Query.parametersMax)."
      )
    }
    self.path = path
    self.query = query
  }

  private static func isName(_ name: String) -> Bool {
    name != "." && name != ".."
      && !name.utf8.contains { $0 < 0x20 || $0 == 0x7f || $0 == UInt8(ascii: "/") || $0 == UInt8(ascii: "\\") }
  }
}
