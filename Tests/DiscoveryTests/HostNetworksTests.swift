import Discovery
import Testing

@Suite struct `The machine's own networks` {
  private func interface(_ name: String, _ address: String, _ mask: UInt32) throws -> HostInterface {
    HostInterface(name: name, address: try #require(IPv4Address(address)), mask: mask)
  }

  @Test func `are swept, but not those of containers, tunnels and the machine itself`() throws {
    var loopback = try interface("lo", "127.0.0.1", 0xFF00_0000)
    loopback.isLoopback = true
    var tunnel = try interface("tun0", "10.8.0.6", 0xFFFF_FFFC)
    tunnel.isPointToPoint = true
    let found = HostNetworks.toSweep(
      interfaces: [
        loopback, try interface("eth0", "192.168.7.20", 0xFFFF_FF00),
        try interface("eth0", "192.168.7.21", 0xFFFF_FF00),
        try interface("docker0", "172.17.0.1", 0xFFFF_0000), tunnel, try interface("wlan0", "10.3.4.5", 0xFF00_0000),
        try interface("eth1", "10.9.9.9", 0xFFFF_FFFF), try interface("eth2", "10.7.0.1", 0xFF00_FF00),
      ], routes: [], hops: 1)
    // A /8 is swept around the own address; a host route and a mask with holes are no network.
    #expect(found.map(\.description) == ["192.168.7.0/24", "10.3.0.0/16"])
  }

  @Test func `are joined by private ones behind gateways when more than one hop is allowed`() throws {
    let own = [try interface("eth0", "192.168.7.20", 0xFFFF_FF00)]
    let routes = HostNetworks.routes(
      """
      Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT
      eth0\t00000000\t0107A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0
      eth0\t0007A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0
      eth0\t0009A8C0\t0107A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
      eth0\t00000808\t0107A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
      nonsense
      eth0\tzz\t0107A8C0\t0003\t0\t0\t0\t00FFFFFF\t0\t0\t0
      """)
    #expect(routes.map(\.description) == ["192.168.9.0/24", "8.8.0.0/24"])
    func swept(_ hops: Int) -> [String] {
      HostNetworks.toSweep(interfaces: own, routes: routes, hops: hops).map(\.description)
    }
    #expect(swept(0) == [])
    #expect(swept(1) == ["192.168.7.0/24"])
    // The internet is not the customer's.
    #expect(swept(2) == ["192.168.7.0/24", "192.168.9.0/24"])
  }

  @Test func `have their addresses`() throws {
    let network = IPv4Network(try #require(IPv4Address("10.1.2.3")), prefix: 30)
    #expect(network.addresses.count == 4)
    #expect(IPv4Network(try #require(IPv4Address("10.1.2.3")), prefix: 0).description == "0.0.0.0/0")
    #expect(IPv4Network(IPv4Address(1), mask: 0xFF00_00FF) == nil)
  }
}
