// What the errno values mean that a UDP socket reports.

internal import Glibc

enum SystemCode {
  /// The kernel has no room for more datagrams now.
  static func isFull(_ code: Int) -> Bool {
    code == Int(EAGAIN) || code == Int(ENOBUFS) || code == Int(ENOMEM)
  }

  /// ICMP port unreachable.
  static func isPortClosed(_ code: Int32) -> Bool { code == ECONNREFUSED }

  /// The system's words for an errno.
  static func text(_ code: Int32) -> String { String(cString: strerror(code)) }
}
