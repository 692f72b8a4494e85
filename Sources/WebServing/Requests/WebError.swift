// What a client is told that does not get what it asked for: a code for programs, a sentence for people, never what went on inside.

/// An answer that is an error. Thrown by whoever answers; anything else that is thrown is told as `internal` and logged.
package struct WebError: Error, Equatable, Sendable {
  /// One of several things that are wrong.
  package struct Detail: Equatable, Sendable {
    package let code: String
    package let message: String
    package let field: String?

    package init(_ code: String, _ message: String, field: String? = nil) {
      (self.code, self.message, self.field) = (code, message, field)
    }
  }

  package let status: Int
  package let first: Detail
  /// All of them, where there are several.
  package let all: [Detail]
  /// Seconds until it is worth another attempt.
  package var retryAfter: Int?
  /// Methods that there are instead.
  package var allow: String?

  package init(_ status: Int, _ code: String, _ message: String, field: String? = nil) {
    self.status = status
    first = Detail(code, message, field: field)
    all = []
  }

  /// - Parameter details: at least one.
  package init(_ status: Int, all details: [Detail]) {
    precondition(!details.isEmpty)
    self.status = status
    first = details[0]
    all = details
  }

  package static func badValue(_ field: String, _ message: String) -> WebError {
    WebError(400, "bad_value", message, field: field)
  }

  package static func notFound(_ message: String = "There is nothing under this path.") -> WebError {
    WebError(404, "not_found", message)
  }

  package static func methodNotAllowed(_ allow: [WebMethod]) -> WebError {
    let names = allow.map(\.rawValue).joined(separator: ", ")
    var error = WebError(405, "method_not_allowed", "This path takes \(names).")
    error.allow = names
    return error
  }

  package var answer: WebAnswer {
    var members: [(String, WebJSON)] = [("error", Self.json(first))]
    if !all.isEmpty { members.append(("errors", .array(all.map(Self.json)))) }
    var answer = WebAnswer.json(.object(members), status: status)
    if let retryAfter { answer.headers.append(("Retry-After", "\(retryAfter)")) }
    if let allow { answer.headers.append(("Allow", allow)) }
    return answer
  }

  private static func json(_ detail: Detail) -> WebJSON {
    .object(
      [("code", .string(detail.code)), ("message", .string(detail.message))]
        + (detail.field.map { [("field", .string($0))] } ?? []))
  }
}
