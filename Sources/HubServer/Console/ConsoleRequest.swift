// What the console is asked and what it answers, without a socket: the routes and their tests see nothing else.

internal import FoundationEssentials

struct ConsoleRequest: Sendable {
  enum Method: String, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
  }

  var method: Method
  /// Behind `/api/v1/`, its parts, percent-decoded.
  var path: [String]
  var query: [String: String] = [:]
  /// Nil: there is none.
  var body: [String: BodyValue]?
  /// What the session's cookie holds.
  var token: String?
  /// The client's address, as `ipv4:192.0.2.1`.
  var peer: String
  /// Whether nobody did anything: a page that fetches again because something changed keeps no session open.
  var isBackground = false
}

struct ConsoleAnswer: Sendable {
  enum Cookie: Equatable, Sendable {
    case unchanged
    case set(String)
    case clear
  }

  enum Body: Sendable {
    case none
    case json(ConsoleValue)
    case file(name: String, type: String, bytes: [UInt8])
    /// Live changes, for as long as this session is good.
    case events(OpenSession)
  }

  var status: Int
  var body: Body
  var cookie = Cookie.unchanged
  /// For `Retry-After`, in seconds.
  var retryAfter: Int64?
  /// For `Allow`.
  var allow: [ConsoleRequest.Method] = []

  static func ok(_ value: ConsoleValue) -> ConsoleAnswer { ConsoleAnswer(status: 200, body: .json(value)) }
  static func created(_ value: ConsoleValue) -> ConsoleAnswer { ConsoleAnswer(status: 201, body: .json(value)) }
  static let noContent = ConsoleAnswer(status: 204, body: .none)
}

/// Why a request comes to nothing, for whoever sent it.
struct ConsoleFault: Error, Equatable {
  var status: Int
  /// Stable, for programs.
  var code: String
  /// A sentence that says what to do.
  var message: String
  /// The member, parameter or setting where there is one.
  var field: String?
  /// In seconds.
  var retryAfter: Int64?
  var allow: [ConsoleRequest.Method] = []

  init(_ status: Int, _ code: String, _ message: String, field: String? = nil, retryAfter: Int64? = nil) {
    self.status = status
    self.code = code
    self.message = message
    self.field = field
    self.retryAfter = retryAfter
  }

  static func badValue(_ field: String, _ message: String) -> ConsoleFault {
    ConsoleFault(400, "bad_value", "\"\(field)\" \(message)", field: field)
  }

  static let notFound = ConsoleFault(404, "not_found", "There is nothing under this path.")

  /// What a command would print, without the commands that it names: who reads it here has none.
  init(_ error: HubError, field: String? = nil) {
    let message = Self.withoutCommands(error.message)
    switch error.kind {
    case .usage: self.init(422, "invalid", message, field: field)
    case .notFound: self.init(404, "not_found", message, field: field)
    case .permission: self.init(403, "not_allowed", message, field: field)
    case .unavailable:
      self.init(503, "unavailable", "The hub's database cannot be reached now. Try again in a moment.", retryAfter: 5)
    case .cannotCreate, .inputOutput, .configuration:
      self.init(500, "internal", "The hub could not do it. Its log says why.")
    }
  }

  private static func withoutCommands(_ message: String) -> String {
    var sentences: [Substring] = []
    for sentence in message.split(separator: ". ", omittingEmptySubsequences: true)
    where !sentence.contains("`pthub ") {
      sentences.append(sentence)
    }
    let text = sentences.joined(separator: ". ")
    return text.hasSuffix(".") || text.hasSuffix("?") ? text : text + "."
  }

  var answer: ConsoleAnswer {
    let error = ConsoleValue.object([
      "code": .text(code), "message": .text(message), "field": ConsoleValue(field),
    ])
    return ConsoleAnswer(
      status: status, body: .json(.object(["error": error])), retryAfter: retryAfter, allow: allow)
  }
}
