// The address of a PostgreSQL database, as libpq reads it.

internal import CPostgres
internal import Foundation

struct PostgresAddress: Sendable, CustomStringConvertible {
  static let schemes = ["postgres://", "postgresql://"]

  /// As it was given, with its password if it has one.
  let text: String
  /// For messages.
  let description: String
  /// Whether the server is on this machine: a socket, or an address that never leaves it.
  let isLocal: Bool
  private let saysHowToEncrypt: Bool

  /// - Throws: `SQLFailure` `configuration`.
  init(_ text: String) throws(SQLFailure) {
    var message: UnsafeMutablePointer<CChar>?
    guard let options = PQconninfoParse(text, &message) else {
      defer { PQfreemem(message) }
      let reason = message.map { String(cString: $0).trimmingCharacters(in: .whitespacesAndNewlines) } ?? "no memory"
      throw SQLFailure(
        .configuration, "The address of the database cannot be read: \(reason). Write postgres://user@host/database.")
    }
    defer { PQconninfoFree(options) }
    var values: [String: String] = [:]
    var option = options
    while let keyword = option.pointee.keyword {
      if let value = option.pointee.val { values[String(cString: keyword)] = String(cString: value) }
      option += 1
    }
    let hosts = (values["hostaddr"] ?? values["host"] ?? "").split(separator: ",")
    self.text = text
    isLocal = hosts.allSatisfy { $0.hasPrefix("/") || $0 == "localhost" || $0 == "::1" || $0.hasPrefix("127.") }
    saysHowToEncrypt = values["sslmode"] != nil
    let port = values["port"].map { ":\($0)" } ?? ""
    let user = values["user"].map { "\($0)@" } ?? ""
    description = "postgres://\(user)\(values["host"] ?? values["hostaddr"] ?? "")\(port)/\(values["dbname"] ?? "")"
  }

  /// Keywords and values for a connection. What the address says comes last, and holds.
  var parameters: [(String, String)] {
    var parameters = [
      ("connect_timeout", "10"), ("tcp_user_timeout", "30000"), ("keepalives_idle", "30"),
      ("application_name", "pthub"), ("client_encoding", "UTF8"),
    ]
    if !isLocal, !saysHowToEncrypt { parameters.append(("sslmode", "verify-full")) }
    return parameters + [("dbname", text)]
  }
}
