// Which names this console goes by. A page of another site may have its name lead to our address (DNS rebinding); the browser then sends that name as
// the host, and it is none of ours.

package struct HostNames: Sendable {
  /// Lower case, without port and brackets.
  private let names: Set<String>
  /// What has a further name added, as somebody who runs the server writes it; nil: nothing does.
  let setting: String?

  /// - Parameters:
  ///   - names: by which people reach it, besides those of loopback.
  ///   - hasLoopback: whether it listens there.
  package init(_ names: [String], hasLoopback: Bool, setting: String? = nil) {
    self.setting = setting
    let loopback = hasLoopback ? ["localhost", "127.0.0.1", "::1"] : []
    self.names = Set((names + loopback).map { Self.bare($0) })
  }

  /// Whether a Host header (RFC 9110, section 7.2) is one of the names, whatever its port.
  package func hold(_ authority: String) -> Bool { Self.host(of: authority).map(names.contains) ?? false }

  /// The host of an authority in lower case; nil where it is none.
  static func host(of authority: String) -> String? {
    let text = authority.lowercased()
    guard !text.isEmpty, text.utf8.count <= 255, text.utf8.allSatisfy({ $0 > 0x20 && $0 < 0x7f }) else { return nil }
    if text.hasPrefix("[") {
      guard let end = text.firstIndex(of: "]"), isPort(text[text.index(after: end)...]) else { return nil }
      return String(text[text.index(after: text.startIndex)..<end])
    }
    guard let colon = text.firstIndex(of: ":") else { return text.hasSuffix(".") ? String(text.dropLast()) : text }
    guard isPort(text[colon...]) else { return nil }
    return String(text[..<colon])
  }

  private static func isPort(_ text: Substring) -> Bool {
    text.isEmpty || text.hasPrefix(":") && text.dropFirst().utf8.allSatisfy { (0x30...0x39).contains($0) }
  }

  private static func bare(_ name: String) -> String {
    let text = name.lowercased()
    return text.hasPrefix("[") && text.hasSuffix("]") ? String(text.dropFirst().dropLast()) : text
  }

  /// Whether an address is this machine's to itself (RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3).
  package static func isLoopback(_ address: String) -> Bool {
    address.hasPrefix("127.") || address == "::1" || address.hasPrefix("::ffff:127.")
  }
}
