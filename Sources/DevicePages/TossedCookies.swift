// Cookies that a page at one session's origin has set for the domain that all sessions are below: a script may do that (RFC 6265 section 5.3), and a
// header of the device's may not (`ResponseRules`). A browser would send them to another device. The hub's own cookie cannot be made so: its name begins
// with `__Host-`, which browsers keep to one host.

package enum TossedCookies {
  /// Browsers keep some 180 of one site.
  private static let namesMax = 200

  /// What takes them away, as values of Set-Cookie. Those that were set for a part of the paths are not sent here, and stay.
  /// - Parameter sent: values of Cookie at an origin that was never used before.
  package static func removal(_ sent: [String], in domain: RemoteDomain) -> [String] {
    var names: [String] = []
    for pair in sent.flatMap({ $0.split(separator: ";") }) {
      let name = String(trimmed(pair.prefix { $0 != "=" }))
      guard pair.contains("="), !name.isEmpty, !name.lowercased().hasPrefix("__host-"), isToken(name),
        !names.contains(name), names.count < namesMax
      else { continue }
      names.append(name)
    }
    return names.map { "\($0)=; Domain=\(domain.name); Path=/; Max-Age=0; Secure" }
  }

  /// RFC 6265 section 4.1.1.
  private static func isToken(_ name: String) -> Bool {
    name.utf8.allSatisfy { byte in byte > 0x20 && byte < 0x7f && !"()<>@,;:\\\"/[]?={}".utf8.contains(byte) }
  }
}
