// The networks that this machine is in, and those that its routes lead to: where printers are looked for when nobody said where.

/// An IPv4 network: `10.0.0.0/24`.
package struct IPv4Network: Hashable, Sendable, CustomStringConvertible {
  package let base: IPv4Address
  /// 0 to 32.
  package let prefix: Int

  /// The network of this size that holds the address.
  /// - Parameter prefix: 0 to 32.
  package init(_ address: IPv4Address, prefix: Int) {
    precondition((0...32).contains(prefix), "a prefix has 0 to 32 bits")
    base = IPv4Address(address.value & Self.mask(prefix))
    self.prefix = prefix
  }

  /// - Parameter mask: ones, then zeros; nil for anything else.
  package init?(_ address: IPv4Address, mask: UInt32) {
    guard Self.mask(mask.leadingOnes) == mask else { return nil }
    self.init(address, prefix: mask.leadingOnes)
  }

  private static func mask(_ prefix: Int) -> UInt32 { prefix == 0 ? 0 : .max << UInt32(32 - prefix) }

  package var description: String { "\(base)/\(prefix)" }

  /// All of them, its own and its broadcast address included.
  package var addresses: AddressSet { AddressSet(span: base.value...(base.value | ~Self.mask(prefix))) }

  func contains(_ address: IPv4Address) -> Bool { IPv4Network(address, prefix: prefix) == self }

  /// The addresses of RFC 1918: what lies outside is not the customer's to sweep.
  var isPrivate: Bool {
    [(0x0A00_0000, 8), (0xAC10_0000, 12), (0xC0A8_0000, 16)].contains { base, bits in
      prefix >= bits && IPv4Network(IPv4Address(base), prefix: bits).contains(self.base)
    }
  }
}

extension UInt32 {
  fileprivate var leadingOnes: Int { (~self).leadingZeroBitCount }
}

/// One of this machine's addresses.
package struct HostInterface: Hashable, Sendable {
  package var name: String
  package var address: IPv4Address
  package var mask: UInt32
  package var isLoopback: Bool
  package var isPointToPoint: Bool
  package var isMulticast: Bool

  package init(
    name: String, address: IPv4Address, mask: UInt32, isLoopback: Bool = false, isPointToPoint: Bool = false,
    isMulticast: Bool = true
  ) {
    (self.name, self.address, self.mask) = (name, address, mask)
    (self.isLoopback, self.isPointToPoint, self.isMulticast) = (isLoopback, isPointToPoint, isMulticast)
  }
}

/// Which networks a sweep without configured ranges covers.
package enum HostNetworks {
  /// Of a larger network only this much around the own address is swept: 65,534 addresses take five and a half minutes at the default pace.
  package static let prefixSmallest = 16
  /// Interfaces of virtual machines and containers on this very machine: no printer stands there.
  private static let virtual = ["docker", "br-", "veth", "virbr", "lxc", "lxdbr", "cni", "flannel", "podman"]

  /// - Parameters:
  ///   - routes: networks behind gateways, without the default route.
  ///   - hops: 0: none; 1: those that the machine is in; more: also the private ones that its routes lead to.
  /// - Returns: in the order of the interfaces, each once.
  package static func toSweep(
    interfaces: [HostInterface], routes: [IPv4Network], hops: Int
  ) -> [IPv4Network] {
    guard hops >= 1 else { return [] }
    let own = interfaces.filter { interface in
      !interface.isLoopback && !interface.isPointToPoint && !virtual.contains { interface.name.hasPrefix($0) }
    }.compactMap { interface in
      IPv4Network(interface.address, mask: interface.mask).map {
        // A host route is no network.
        IPv4Network(interface.address, prefix: max($0.prefix, prefixSmallest))
      }
    }.filter { $0.prefix <= 30 }
    let behind = hops > 1 ? routes.filter { $0.isPrivate && (prefixSmallest...30).contains($0.prefix) } : []
    var seen: Set<IPv4Network> = []
    return (own + behind).filter { seen.insert($0).inserted }
  }

  /// The networks behind gateways in the text of /proc/net/route; the default route is none. Lines that make no sense are left out.
  ///
  ///     Iface Destination Gateway Flags RefCnt Use Metric Mask ...     numbers are hexadecimal, in the bytes' order of the machine
  package static func routes(_ text: String) -> [IPv4Network] {
    text.split(separator: "\n").dropFirst().compactMap { line in
      let fields = line.split(whereSeparator: { $0 == "\t" || $0 == " " })
      guard fields.count >= 8, let destination = UInt32(fields[1], radix: 16),
        let gateway = UInt32(fields[2], radix: 16),
        let mask = UInt32(fields[7], radix: 16), gateway != 0, mask != 0
      else { return nil }
      return IPv4Network(IPv4Address(UInt32(bigEndian: destination)), mask: UInt32(bigEndian: mask))
    }
  }
}
