// A name or address that agents reach the hub by, as it stands in the hub's certificate (RFC 5280 section 4.2.1.6).

internal import Glibc
internal import SwiftASN1
internal import X509

enum ServerName: Hashable {
  case dns(String)
  /// 4 or 16 bytes in network order.
  case address([UInt8])

  /// What every hub's certificate bears, so that tools on the same machine can use it.
  static let loopback: [ServerName] = [
    .dns("localhost"), .address([127, 0, 0, 1]), .address([UInt8](repeating: 0, count: 15) + [1]),
  ]

  /// The longest DNS name and the longest label of it (RFC 1035 section 2.3.4).
  private static let dnsBytesMax = 253
  private static let labelBytesMax = 63

  /// - Throws: `HubError` 64 if `text` is neither an address nor a DNS name.
  init(_ text: String) throws(HubError) {
    if let address = Self.address(text) {
      self = .address(address)
      return
    }
    let labels = text.split(separator: ".", omittingEmptySubsequences: false)
    let valid = text.utf8.count <= Self.dnsBytesMax && labels.allSatisfy(Self.isLabel)
    guard valid else {
      throw HubError(
        .usage,
        "'\(text)' is neither a DNS name nor an IP address. Give a name such as hub.example.org, without a port.")
    }
    self = .dns(text.lowercased())
  }

  private static func isLabel(_ label: Substring) -> Bool {
    (1...labelBytesMax).contains(label.utf8.count) && label.first != "-" && label.last != "-"
      && label.utf8.allSatisfy {
        ($0 | 0x20) >= 0x61 && ($0 | 0x20) <= 0x7A || (0x30...0x39).contains($0) || $0 == 0x2D
      }
  }

  /// 4 or 16 bytes; nil unless `text` is an IPv4 or IPv6 address.
  static func address(_ text: String) -> [UInt8]? {
    var four = in_addr()
    if inet_pton(AF_INET, text, &four) == 1 { return withUnsafeBytes(of: four) { Array($0) } }
    var six = in6_addr()
    if inet_pton(AF_INET6, text, &six) == 1 { return withUnsafeBytes(of: six) { Array($0) } }
    return nil
  }

  var generalName: GeneralName {
    switch self {
    case .dns(let name): .dnsName(name)
    case .address(let bytes): .ipAddress(ASN1OctetString(contentBytes: bytes[...]))
    }
  }
}
