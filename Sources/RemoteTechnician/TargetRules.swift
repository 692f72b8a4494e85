// What a session may reach: one device at one address, at a few ports. The hub names the device by its id; an address comes from this agent alone.

package import Discovery
package import Events

package struct TargetRules: Sendable {
  /// Raw printing: what is sent there is paper.
  package static let rawPrinting: UInt16 = 9_100
  package static let usualPorts: [UInt16] = [80, 443, 631]

  package let device: DeviceID
  /// Pinned for the session.
  package let address: IPv4Address
  package let ports: [UInt16]

  /// - Parameters:
  ///   - allowed: as in `obstacle`.
  ///   - own: as in `obstacle`.
  /// - Throws: `RemoteNotOpened` where no session may lead there.
  package init(
    device: DeviceID, address: IPv4Address, ports: [UInt16], allowed: AddressSet = AddressSet(), own: Set<IPv4Address>
  ) throws(RemoteNotOpened) {
    if let obstacle = Self.obstacle(to: address, allowed: allowed, own: own) {
      throw RemoteNotOpened("No session leads there. \(obstacle)")
    }
    self.device = device
    self.address = address
    self.ports = ports.filter { $0 != Self.rawPrinting && $0 != 0 }
  }

  /// Addresses that are no device's, whoever says so: this machine, the link alone, groups, and those at which clouds tell a machine its secrets.
  private static let forbidden: [(first: UInt32, last: UInt32, what: String)] = [
    (0x0000_0000, 0x00ff_ffff, "this network (RFC 1122 section 3.2.1.3)"),
    (0x7f00_0000, 0x7fff_ffff, "this machine itself"),
    // With 169.254.169.254, where most clouds have it, and 169.254.170.2.
    (0xa9fe_0000, 0xa9fe_ffff, "link-local, where clouds tell machines their secrets"),
    (0x6464_64c8, 0x6464_64c8, "a cloud's metadata service"),  // 100.100.100.200
    (0xc000_00c0, 0xc000_00c0, "a cloud's metadata service"),  // 192.0.0.192
    (0xa83f_8110, 0xa83f_8110, "a cloud's metadata service"),  // 168.63.129.16
    (0xe000_0000, 0xffff_ffff, "multicast, reserved or broadcast"),
  ]

  /// Why no session may lead to an address; nil where one may.
  /// - Parameters:
  ///   - allowed: addresses that are allowed all the same: those of a test fleet.
  ///   - own: the addresses that this machine has now. What listens there is no device, and may trust who comes from here.
  package static func obstacle(to address: IPv4Address, allowed: AddressSet, own: Set<IPv4Address>) -> String? {
    guard !allowed.contains(address) else { return nil }
    guard !own.contains(address) else { return "\(address) is this machine itself." }
    return forbidden.first { ($0.first...$0.last).contains(address.value) }.map { "\(address) is \($0.what)." }
  }
}
