// Whether what answers is the device that a session is for. Pure.

internal import AlertRules
internal import Collectors
internal import Discovery
internal import Events
internal import PrinterModel
internal import Projections
internal import RemoteTechnician
internal import Settings

enum RemoteIdentity {
  /// What a device is known by.
  static func known(_ device: DeviceState?) -> DeviceIdentity {
    device?.reading?.fact.identity ?? device?.discovered?.fact.identity ?? DeviceIdentity()
  }

  /// The address last seen, without the port that it is read at.
  static func address(of device: DeviceState) -> IPv4Address? {
    device.address.flatMap { Endpoint($0) }?.address
  }

  /// What shows that another device answers at an address than the one that is known there, as a sentence; nil where nothing shows it.
  static func difference(known: DeviceIdentity, told: DeviceIdentity, at address: IPv4Address) -> String? {
    if let serial = known.comparableSerial, let other = told.comparableSerial {
      guard serial != other else { return nil }
      return "Another device answers at \(address): it tells the serial number \(other), and this one has \(serial)."
    }
    guard let mac = known.comparableMAC, let other = told.comparableMAC, mac != other else { return nil }
    return "Another device answers at \(address): its MAC address is \(other.macText), and this one has \(mac.macText)."
  }

  /// What shows that it is the same device: its serial number, or else its hardware address.
  /// - Throws: `RemoteNotOpened` where it is another one, or nobody can tell.
  static func evidence(
    known: DeviceIdentity, told: DeviceIdentity, at address: IPv4Address
  ) throws(RemoteNotOpened) -> String {
    if let difference = difference(known: known, told: told, at: address) { throw RemoteNotOpened(difference) }
    if let serial = known.comparableSerial, told.comparableSerial != nil { return "serial \(serial)" }
    guard let mac = known.comparableMAC, told.comparableMAC != nil else {
      throw RemoteNotOpened(
        "What answers at \(address) tells neither the serial number nor the MAC address that this device is known by, so that nobody can say whether it is the same."
      )
    }
    return "MAC \(mac.macText)"
  }

  /// Why a session with a device at an address must end; nil while it is there.
  static func absence(of device: DeviceID, from address: IPv4Address, _ fleet: FleetState) -> String? {
    guard let state = fleet.devices[device], state.merged == nil else { return "The device goes on as another one." }
    if state.replaced != nil { return "Another device answers at \(address) now." }
    if state.retired != nil { return "The device was retired." }
    guard self.address(of: state) == address else { return "The device has moved from \(address)." }
    return nil
  }

  /// Whether a device is among those that somebody wrote down.
  static func holds(
    _ set: [RemoteSettings.DeviceSet], _ device: DeviceID, _ state: DeviceState, _ address: IPv4Address
  ) -> Bool {
    let identities = [state.reading?.fact.identity, state.discovered?.fact.identity].compactMap { $0 }
    return set.contains { element in
      switch element {
      case .addresses(let range): AddressSet([range]).contains(address)
      case .mac(let mac): identities.contains { $0.macAddress == mac }
      case .named(let selector):
        identities.contains { selector.matches(device, $0) } || selector.matches(device, DeviceIdentity())
      }
    }
  }

  /// What the device calls itself and how it is reached, for telling its links from others.
  static func names(_ state: DeviceState, _ address: IPv4Address) -> [String] {
    let host = (state.reading?.fact.identity ?? state.discovered?.fact.identity)?.hostName?.text.lowercased() ?? ""
    let isName =
      !host.isEmpty && host.utf8.count <= 253
      && host.allSatisfy { $0.isASCII && ($0.isLetter || $0.isNumber || $0 == "-" || $0 == ".") }
    guard isName else { return [address.description] }
    return [address.description, host] + (host.contains(".") ? [] : ["\(host).local"])
  }
}
