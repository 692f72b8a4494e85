// Whether what two installs see is one printer: pure.

package import PrinterModel

package struct DeviceMatch: Equatable, Sendable {
  /// `DeviceIdentity.normalizedSerial`
  package var serial: String?
  /// Twelve hexadecimal digits.
  package var mac: String?
  package var make: String?

  package init(serial: String?, mac: String?, make: String?) {
    self.serial = serial
    self.mac = mac
    self.make = make
  }

  package init(_ identity: DeviceIdentity) {
    serial = identity.normalizedSerial
    mac = identity.macAddress.map { bytes in
      bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
    make = identity.make
  }

  /// Equal serials of one maker, or equal MACs, and nothing that contradicts: a number that is not there contradicts nothing.
  package func isSame(as other: DeviceMatch) -> Bool {
    func agree(_ one: String?, _ two: String?) -> Bool? {
      guard let one, let two else { return nil }
      return one.lowercased() == two.lowercased()
    }
    let (serials, macs) = (agree(serial, other.serial), agree(mac, other.mac))
    guard serials != false, macs != false, agree(make, other.make) != false else { return false }
    return serials == true || macs == true
  }
}
