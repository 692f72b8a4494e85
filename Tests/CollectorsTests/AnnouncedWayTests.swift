// A printer that announces itself on a port and a path of its own is asked there; what nobody should follow is not followed.

import Discovery
import Testing

@testable import Collectors

@Suite("A way that is announced") struct AnnouncedWayTests {
  private func way(_ service: String, _ port: UInt16, _ attributes: [String: String]) -> AnnouncedWay? {
    AnnouncedWay(
      AnnouncedPrinter(
        service: service, instance: "Front", host: "front.local", port: port, address: IPv4Address(0x0A09_0901),
        attributes: attributes))
  }

  @Test func `has the port and the resource path, with TLS for ipps`() throws {
    let plain = try #require(way("_ipp._tcp", 8_631, ["rp": "printers/front"]))
    #expect(plain.port == 8_631 && plain.way == IPPWay(path: "/printers/front"))
    let encrypted = try #require(way("_ipps._tcp", 443, ["rp": "/ipp/port1"]))
    #expect(encrypted.port == 443 && encrypted.way == IPPWay(path: "/ipp/port1", isEncrypted: true))
    #expect(way("_ipp._tcp", 631, [:])?.way.path == "/ipp/print")
  }

  @Test(arguments: [21, 22, 23, 25, 161, 515, 9_100, 9_101] as [UInt16])
  func `is not followed to a port where a request is printed or does harm`(port: UInt16) {
    #expect(way("_ipp._tcp", port, ["rp": "ipp/print"]) == nil)
  }

  @Test(arguments: ["a b", "a\r\nHost: x", "\u{0}", "é", String(repeating: "a", count: 300)])
  func `is not followed to a path that would change the request`(path: String) {
    #expect(way("_ipp._tcp", 8_631, ["rp": path]) == nil)
  }

  @Test(arguments: ["_printer._tcp", "_pdl-datastream._tcp", "_http._tcp"])
  func `is that of IPP alone`(service: String) { #expect(way(service, 8_631, ["rp": "ipp/print"]) == nil) }

  @Test func `is one of a few`() {
    let printers = (0..<40).map { place in
      AnnouncedPrinter(
        service: place < 20 ? "_ipps._tcp" : "_ipp._tcp", instance: "\(place)", host: "front.local",
        port: UInt16(8_600 + place / 2), address: IPv4Address(0x0A09_0901), attributes: [:])
    }
    let ways = AnnouncedWay.all(of: printers)
    #expect(ways.map(\.port) == [8_610, 8_611, 8_612, 8_613] && ways.allSatisfy { !$0.way.isEncrypted })
  }
}
