// An IPv4 address in host byte order, as CLinux takes it.

package struct HostAddress: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let number: UInt32

  package init(number: UInt32) { self.number = number }

  /// Reads four numbers from 0 to 255 with dots; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    guard parts.count == 4 else { return nil }
    var number: UInt32 = 0
    for part in parts {
      guard part.count <= 3, part.allSatisfy(\.isASCII), let byte = UInt8(part) else { return nil }
      number = number << 8 | UInt32(byte)
    }
    self.number = number
  }

  package var description: String {
    (0..<4).map { String(number >> (24 - 8 * UInt32($0)) & 0xff) }.joined(separator: ".")
  }

  /// In 127.0.0.0/8.
  package var isLoopback: Bool { number >> 24 == 127 }

  package static func < (left: Self, right: Self) -> Bool { left.number < right.number }

  /// The addresses of a block such as 127.21.0.0/22, without its first and last (network and broadcast). Nil if it is not one,
  /// or larger than `/16`.
  static func block(_ text: String) -> [HostAddress]? {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    guard parts.count == 2, let base = HostAddress(parts[0]), let bits = UInt32(parts[1]), (16...30).contains(bits)
    else { return nil }
    let size = UInt32(1) << (32 - bits)
    let first = base.number & ~(size - 1)
    return (1..<(size - 1)).map { HostAddress(number: first + $0) }
  }
}
