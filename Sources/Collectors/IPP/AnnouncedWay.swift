// Where a printer that announces itself by DNS-SD says that it is to be asked over IPP. An announcement is a hint of anybody's in the network: it
// changes only the port and the path at an address that is asked anyway, and not to a port where a request would be printed or do harm.

package import Discovery

/// A port and a path of IPP at one address.
package struct AnnouncedWay: Hashable, Sendable {
  package var port: UInt16
  package var way: IPPWay

  /// Ways that are tried at one address: a printer has IPP with and without TLS, and few have several queues.
  static let triedMax = 4
  /// The Bonjour Printing Specification 1.2.1 bounds a resource path by what a string of a TXT record has room for.
  private static let pathBytesMax = 252
  /// Raw printing (9100 and the ports after it) prints what it is sent.
  private static let rawPorts: ClosedRange<UInt16> = 9_100...9_120
  /// Below them are services that are no web server's.
  private static let ownPortsFrom: UInt16 = 1_024
  private static let webPorts: Set<UInt16> = [80, 443, 631]

  /// - Returns: nil where what is announced is no IPP, or not to be followed.
  package init?(_ printer: AnnouncedPrinter) {
    let isEncrypted = printer.service == "_ipps._tcp"
    guard isEncrypted || printer.service == "_ipp._tcp" else { return nil }
    let port = printer.port
    guard Self.webPorts.contains(port) || (port >= Self.ownPortsFrom && !Self.rawPorts.contains(port)) else {
      return nil
    }
    let resource = printer.attributes["rp"] ?? ""
    let path = resource.hasPrefix("/") ? resource : "/" + resource
    guard path.utf8.count <= Self.pathBytesMax, path.utf8.allSatisfy(Self.isOfPath) else { return nil }
    self.port = port
    way = IPPWay(path: resource.isEmpty ? IPPConversation.paths[0] : path, isEncrypted: isEncrypted)
  }

  /// Unreserved characters and what separates segments (RFC 3986, section 3.3): nothing that ends a line of a request.
  private static func isOfPath(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"):
      true
    default: "/-._~%:@+!,=".utf8.contains(byte)
    }
  }

  /// The ways of one address, without TLS first, each once.
  static func all(of printers: [AnnouncedPrinter]) -> [AnnouncedWay] {
    var ways: [AnnouncedWay] = []
    for way in printers.compactMap(AnnouncedWay.init) where !ways.contains(way) { ways.append(way) }
    return Array((ways.filter { !$0.way.isEncrypted } + ways.filter(\.way.isEncrypted)).prefix(triedMax))
  }
}
