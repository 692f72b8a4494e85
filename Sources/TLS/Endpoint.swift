// Where to connect to.

internal import Glibc

/// A host, by name or by address, and a TCP port.
package struct Endpoint: Hashable, Sendable, CustomStringConvertible {
  /// A DNS name, or an IPv4 or IPv6 address without brackets.
  package let host: String
  package let port: UInt16

  package init(host: String, port: UInt16) {
    self.host = host
    self.port = port
  }

  /// As an URL's authority writes it: an IPv6 address stands in brackets (RFC 3986 section 3.2.2).
  package var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Whether `host` is an IPv4 or IPv6 address rather than a name.
func isNumericAddress(_ host: String) -> Bool {
  var address = in6_addr()
  return inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1
}
