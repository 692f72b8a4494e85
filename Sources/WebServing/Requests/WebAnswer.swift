// An answer, before the headers that every answer has.

package struct WebAnswer: Sendable {
  package enum Body: Sendable {
    case none
    case bytes([UInt8])
    /// Compressed already.
    case gzip([UInt8])
    /// Piece by piece: the closure gives the next one, and nil at the end. What it throws ends the connection.
    /// - length: of the whole, where it is known.
    case pieces(length: Int?, @Sendable () async throws -> [UInt8]?)
    /// Server-sent events until the subscription or the client ends.
    case events(EventSubscription)
  }

  package var status: Int
  package var headers: [(String, String)]
  package var body: Body

  package init(status: Int, headers: [(String, String)] = [], body: Body = .none) {
    self.status = status
    self.headers = headers
    self.body = body
  }

  package static let jsonType = "application/json; charset=utf-8"

  /// - Parameter json: one JSON value in UTF-8.
  package static func json(_ json: [UInt8], status: Int = 200) -> WebAnswer {
    WebAnswer(
      status: status, headers: [("Content-Type", jsonType), ("Cache-Control", "no-store")], body: .bytes(json))
  }

  package static func json(_ json: WebJSON, status: Int = 200) -> WebAnswer { .json(json.bytes, status: status) }

  package static var noContent: WebAnswer { WebAnswer(status: 204, headers: [("Cache-Control", "no-store")]) }

  package static func events(_ subscription: EventSubscription) -> WebAnswer {
    WebAnswer(
      status: 200, headers: [("Content-Type", "text/event-stream; charset=utf-8"), ("Cache-Control", "no-store")],
      body: .events(subscription))
  }

  /// A file to save.
  /// - Parameter name: letters, digits, `-`, `_` and `.` alone.
  package static func download(_ name: String, type: String, _ body: Body) -> WebAnswer {
    WebAnswer(
      status: 200,
      headers: [
        ("Content-Type", type), ("Cache-Control", "no-store"),
        ("Content-Disposition", "attachment; filename=\"\(name)\""),
      ], body: body)
  }
}
