// [proxy]: the HTTP proxy that every connection to the hub goes through.

package import Platform

/// [proxy]
package struct ProxySettings: Hashable, Sendable, CustomStringConvertible {
  /// What a proxy wants to know whom it lets through (Basic, RFC 7617).
  package struct Credentials: Hashable, Sendable, CustomStringConvertible {
    package var user: String
    package var password: String

    package init(user: String, password: String) {
      self.user = user
      self.password = password
    }

    /// The user alone.
    package var description: String { user }
  }

  /// Takes the place of `password` and `password_file`, so that a service manager can hand the secret over.
  package static let passwordVariable = "PTAGENT_PROXY_PASSWORD"
  /// Both together become one header line, which proxies cut at 8 KiB.
  fileprivate static let textBytesMax = 1_024

  package var address: HostAndPort
  package var credentials: Credentials?

  package init(address: HostAndPort, credentials: Credentials? = nil) {
    self.address = address
    self.credentials = credentials
  }

  /// `proxy.example.org:3128 as printtrail`: never the password.
  package var description: String { "\(address)" + (credentials.map { " as \($0)" } ?? "") }
}

extension ProxySettings {
  private static let addressForm = "the proxy's address, such as \"proxy.example.org:3128\""

  /// Nil when something that it needs is missing or wrong; that has then been noted.
  init?(_ table: TableReader, directory: String) {
    defer { table.finish() }
    let address = table.required("address", expected: Self.addressForm) { node in
      if case .string(let text) = node { HostAndPort(text) } else { nil }
    }
    let user = table.parsed(
      "user", expected: "a user name of at most \(Self.textBytesMax) bytes without a colon (RFC 7617)"
    ) { Self.isUser($0) ? $0 : nil }
    let password = Self.password(table, directory: directory)
    guard let address else { return nil }
    guard let user else {
      if password.isGiven, !table.has("user") {
        table.note("user", expected: "a user name, because there is a password")
      }
      self.init(address: address)
      return
    }
    guard let text = password.text ?? Machine.environment(Self.passwordVariable) else {
      if !password.isGiven {
        table.note("password", expected: "password_file, password, or \(Self.passwordVariable) in the environment")
      }
      return nil
    }
    self.init(address: address, credentials: Credentials(user: user, password: text))
  }

  private static func password(_ table: TableReader, directory: String) -> (text: String?, isGiven: Bool) {
    let isGiven = table.has("password") || table.has("password_file")
    guard let bytes = table.secret("password", isRequired: false, directory: directory) else { return (nil, isGiven) }
    guard let text = String(validating: bytes, as: UTF8.self), isText(text) else {
      let name = table.has("password") ? "password" : "password_file"
      table.note(
        name, found: "\(bytes.count) bytes", expected: "1 to \(textBytesMax) bytes of text without control characters")
      return (nil, isGiven)
    }
    return (text, isGiven)
  }

  private static func isUser(_ text: String) -> Bool { isText(text) && !text.utf8.contains(UInt8(ascii: ":")) }

  private static func isText(_ text: String) -> Bool {
    (1...textBytesMax).contains(text.utf8.count) && text.utf8.allSatisfy { $0 >= 0x20 && $0 != 0x7f }
  }
}
