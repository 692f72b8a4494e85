// The machine's own interfaces and routes, as the kernel tells them.

internal import CLinux
package import Discovery
internal import Glibc

extension HostInterface {
  /// More interfaces than this has no machine that an agent runs on.
  private static let countMax: Int32 = 256

  /// The IPv4 addresses of interfaces that are up; empty where the kernel tells none.
  package static func all() -> [HostInterface] {
    var found = Array(repeating: CLinuxInterface(), count: Int(countMax))
    let count = clinux_interfaces(&found, countMax)
    return found.prefix(max(0, Int(count))).map { interface in
      let name = withUnsafeBytes(of: interface.name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      func has(_ flag: Int) -> Bool { interface.flags & UInt32(flag) != 0 }
      return HostInterface(
        name: name, address: IPv4Address(interface.address), mask: interface.mask,
        isLoopback: has(CLINUX_INTERFACE_LOOPBACK), isPointToPoint: has(CLINUX_INTERFACE_POINT_TO_POINT),
        isMulticast: has(CLINUX_INTERFACE_MULTICAST))
    }
  }
}

extension HostNetworks {
  /// The text is small; one that has no end is none.
  private static let routesBytesMax = 1 << 20

  /// What to sweep from this machine when no range is configured, now.
  package static func toSweep(hops: Int) -> [IPv4Network] {
    toSweep(interfaces: HostInterface.all(), routes: routes(routesText()), hops: hops)
  }

  /// The kernel's table of routes as text; empty where there is none.
  package static func routesText() -> String {
    guard let file = fopen("/proc/net/route", "re") else { return "" }
    defer { fclose(file) }
    var bytes = [UInt8](repeating: 0, count: routesBytesMax)
    let count = fread(&bytes, 1, routesBytesMax, file)
    return String(decoding: bytes.prefix(count), as: UTF8.self)
  }
}
