// One origin for each session: `<token>.<domain>`. A browser keeps cookies, storage and scripts of origins apart, so that those of a device never meet
// the hub's or another device's.
//
// The token has 128 random bits in 32 hexadecimal digits: a DNS label in lower case, as browsers make of any.

internal import OpenSSL

package struct SessionOrigin: Equatable, Sendable {
  package let token: String
  private static let tokenBytes = 16

  package static func make() -> SessionOrigin { SessionOrigin(token: hexadecimal(SecureRandom.bytes(tokenBytes))) }

  private init(token: String) { self.token = token }

  /// The session that a request is for, by its `Host`; nil for a host that is none of theirs.
  package init?(host: String, domain: RemoteDomain) {
    guard let (name, port) = WrittenAddress.authority(Substring(host)), name.hasSuffix("." + domain.name),
      port ?? 443 == domain.port
    else { return nil }
    let token = String(name.dropLast(domain.name.utf8.count + 1))
    guard token.utf8.count == 2 * Self.tokenBytes,
      token.utf8.allSatisfy({ (0x30...0x39).contains($0) || (0x61...0x66).contains($0) })
    else { return nil }
    self.token = token
  }

  package func url(in domain: RemoteDomain) -> String { "https://\(host(in: domain))" }

  package func host(in domain: RemoteDomain) -> String {
    "\(token).\(domain.name)" + (domain.port == 443 ? "" : ":\(domain.port)")
  }
}

/// What sessions' origins are below: a domain, and the port that browsers reach it at.
package struct RemoteDomain: Equatable, Sendable {
  package let name: String
  package var port: UInt16

  package init(name: String, port: UInt16) {
    self.name = name.lowercased()
    self.port = port
  }
}
