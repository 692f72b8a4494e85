import Collectors
import Discovery
import Events
import MIB
import PrinterModel
import Testing

@Suite struct `What tells two devices apart beside serial number and MAC` {
  private let a = Endpoint(IPv4Address(0x0a00_0007))
  private let b = Endpoint(IPv4Address(0x0a00_0008))
  private let c = Endpoint(IPv4Address(0x0a00_0009))

  private func id(_ number: UInt8) throws -> DeviceID {
    try #require(DeviceID([UInt8](repeating: number, count: 16)))
  }

  private func identity(_ model: String?, deviceID: String? = nil, serial: String? = nil, mac: [UInt8]? = nil)
    -> DeviceIdentity
  {
    var identity = DeviceIdentity()
    identity.model = model.map { DeviceText($0) }
    identity.deviceID = deviceID.map { DeviceText($0) }
    identity.serial = serial.map { DeviceText($0) }
    identity.macAddress = mac
    return identity
  }

  private func sighted(
    _ registry: inout DeviceRegistry, _ identity: DeviceIdentity, _ endpoint: Endpoint, new: UInt8,
    elsewhere: DeviceRegistry.Elsewhere = .silent
  ) throws -> DeviceRegistry.Sighting {
    registry.sighted(
      identity, at: endpoint, credential: "public", elsewhere: elsewhere, newID: try id(new), time: 1)
  }

  private func replacement(_ sighting: DeviceRegistry.Sighting) -> String? {
    for event in sighting.events {
      if case .deviceReplaced(let body) = event.body { return body.evidence }
    }
    return nil
  }

  private static let ids = (
    p2055: "MFG:Hewlett-Packard;MDL:HP LaserJet P2055;CLS:PRINTER;", m553: "MFG:HP;MDL:HP Color LaserJet M553;"
  )

  @Test func `another device id at an address is another device`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("LaserJet", deviceID: Self.ids.p2055), a, new: 1)
    let other = try sighted(&registry, identity("LaserJet", deviceID: Self.ids.m553), a, new: 2)
    #expect(try other.device == id(2) && other.displaced == id(1))
    #expect(replacement(other) == "device id HP Color LaserJet M553 instead of HP LaserJet P2055")
  }

  @Test func `another model at an address is another device, also where the former one told serial number and MAC`()
    throws
  {
    var registry = DeviceRegistry()
    let former = identity("Acme Laser 5", serial: "AC7712345", mac: [0, 1, 2, 3, 4, 5])
    _ = try sighted(&registry, former, a, new: 1)
    let other = try sighted(&registry, identity("Zed Inkjet 9"), a, new: 2)
    #expect(try other.device == id(2) && other.displaced == id(1))
    #expect(replacement(other) == "Zed Inkjet 9 instead of Acme Laser 5")
  }

  @Test(arguments: [
    ("Acme Laser 5 v1.2", "Acme Laser 5 v1.3"), ("Acme Laser 5 FW 20230101", "Acme Laser 5 FW 20240202"),
    ("Acme Laser printer 5", "Acme Laserdrucker 5"), ("LaserJet P2055", "LaserJet P2055dn"),
    ("LaserJet P2055dn", "LaserJet"), ("LaserJet P2055dn", nil),
    ("LaserJet 400 Firmware 17", "LaserJet 400 Firmware 18"),
  ])
  func `an update, another language, or less told is no other device`(before: String, after: String?) throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(before), a, new: 1)
    let again = try sighted(&registry, identity(after), a, new: 2)
    #expect(try again.device == id(1) && again.events.isEmpty)
    let back = try sighted(&registry, identity(before), a, new: 3)
    #expect(try back.device == id(1) && back.events.isEmpty)
  }

  private static func deviceID(_ model: String) -> String { "MFG:Acme;CMD:PJL;MDL:\(model);CLS:PRINTER;" }

  @Test(arguments: [
    ("HP DesignJet T120", "HP DesignJet T1200"), ("HP LaserJet 4", "HP LaserJet 4250"),
    ("Acme Laser Mono", "Acme Inkjet Colour Photo"),
  ])
  func `device ids are compared to the letter, as far as one does not say more`(first: String, second: String) throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(first, deviceID: Self.deviceID(first)), a, new: 1)
    let other = try sighted(&registry, identity(second, deviceID: Self.deviceID(second)), a, new: 2)
    #expect(try other.device == id(2) && other.displaced == id(1))
    #expect(replacement(other) == "device id \(second) instead of \(first)")
  }

  @Test(arguments: [
    ("HP LaserJet P2055", "HP LaserJet P2055dn"), ("HP LaserJet M553", "HP Color LaserJet M553 Series"),
    ("Acme Laser 5 v1.2", "Acme Laser 5 v1.3"), ("LaserJet", "HP LaserJet 4250"), ("bizhub C454e", "Acme C454e"),
    ("Acme Laser Mono", "ACME Laser-Mono Series"),
  ])
  func `a device id that says more than before is of the same device`(first: String, second: String) throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(first, deviceID: Self.deviceID(first)), a, new: 1)
    for model in [second, first] {
      let again = try sighted(&registry, identity(model, deviceID: Self.deviceID(model)), a, new: 2)
      #expect(try again.device == id(1) && again.events.isEmpty)
    }
  }

  @Test func `another printer behind one print server, whose MAC both tell, is another device`()
    throws
  {
    let mac: [UInt8] = [0, 0x30, 0x6e, 0x11, 0x22, 0x33]
    let first = identity("LaserJet P2055", deviceID: Self.ids.p2055, mac: mac)
    let second = identity("Color LaserJet M553", deviceID: Self.ids.m553, mac: mac)
    var registry = DeviceRegistry()
    _ = try sighted(&registry, first, a, new: 1)
    let other = try sighted(&registry, second, a, new: 2)
    #expect(try other.device == id(2) && other.displaced == id(1))
    let back = try sighted(&registry, first, a, new: 3)
    #expect(try back.device == id(1) && back.displaced == id(2))
    #expect(replacement(back) == "device id HP LaserJet P2055 instead of HP Color LaserJet M553")
    #expect(try sighted(&registry, second, b, new: 4).device == id(2), "and moves with the print server's MAC")
  }

  @Test func `another make behind one print server is another device`() throws {
    let mac: [UInt8] = [0, 0x30, 0x6e, 0x11, 0x22, 0x44]
    var (first, second) = (identity(nil, mac: mac), identity(nil, mac: mac))
    (first.make, second.make) = ("HP", "Brother")
    var registry = DeviceRegistry()
    _ = try sighted(&registry, first, a, new: 1)
    let other = try sighted(&registry, second, a, new: 2)
    #expect(try other.device == id(2) && replacement(other) == "Brother instead of HP")
    #expect(try sighted(&registry, first, a, new: 3).device == id(1))
  }

  @Test func `a name that an administrator gave instead of a model tells no other device`() throws {
    var registry = DeviceRegistry()
    var named = identity("Floor 3")
    named.printerName = DeviceText("Floor 3")
    _ = try sighted(&registry, identity("Acme Laser 5"), a, new: 1)
    #expect(try sighted(&registry, named, a, new: 2).device == id(1))
  }

  @Test func `two live devices with one serial number and no MAC are told apart by model and total`() {
    func sign(_ model: String, _ total: UInt64, source: UInt32 = 1) -> Sign {
      Sign(identity: identity(model, serial: "CN12345678"), total: total, totalSource: [1, 3, 6, source])
    }
    let here = sign("Acme Laser 5", 100)
    #expect(here.compared(with: sign("Acme Laser 5", 101), at: a) == .same(""))
    #expect(here.compared(with: sign("Acme Laser 5", 5_000, source: 2), at: a) == .same(""), "two ways, two counts")
    let words = "serial CN12345678 is also told at 10.0.0.7:161, by another device: "
    #expect(
      here.compared(with: sign("Acme Laser 5", 5_000), at: a) == .another(words + "totals of 100 here and 5000 there"))
    #expect(
      here.compared(with: sign("Acme Laser 6", 100), at: a) == .another(words + "Acme Laser 5 instead of Acme Laser 6"))
  }

  @Test func `two live devices with one serial number and no MAC are told apart by when they were started`() {
    func sign(_ started: Int64, overSNMP: Bool = true) -> Sign {
      var sign = Sign(identity: identity("Acme Laser 5", serial: "PRINTER77"), started: started, total: 12)
      sign.isStartOfSNMP = overSNMP
      return sign
    }
    let words = "serial PRINTER77 is also told at 10.0.0.7:161, by another device: started 1000 s apart"
    #expect(sign(5_000_000).compared(with: sign(4_000_000), at: a) == .another(words))
    #expect(sign(5_000_000).compared(with: sign(4_995_000), at: a) == .same(""))
    #expect(sign(5_000_000).compared(with: sign(4_000_000, overSNMP: false), at: a) == .same(""), "two services of one")
  }

  @Test(arguments: [
    "Not Programmed", "Serial Number Here", "serial number not available", "PRINTER SERIAL", "BLANK", "Please Set",
    "TBD", "Uninitialized", "Unknown Serial", "Not Present", "PLACEHOLDER", "not initialized", "0xFFFFFFFF",
    "DEADBEEF", "65535", "4294967295", "Unset Serial", "123456789012", "0123456789", "ABCDEFGHIJ", "SN000000",
    "CN0000000000",
  ])
  func `words for a number that is not there are no serial number`(text: String) { #expect(SerialNumber(text) == nil) }

  @Test(arguments: [
    "VNB3K12345", "1234567891", "ABCDEG1234", "CN10000000", "A1B2000000", "1111111112", "65536", "BLANKO77",
  ])
  func `what a maker may give is a serial number`(text: String) { #expect(SerialNumber(text) != nil) }

  @Test func `a serial number that two live devices tell identifies nothing from then on`() throws {
    let told = identity("Acme Laser 5", serial: "SOMETHING1")
    var registry = DeviceRegistry()
    _ = try sighted(&registry, told, a, new: 1)
    let second = try sighted(&registry, told, b, new: 2, elsewhere: .another("totals of 100 here and 5000 there"))
    #expect(try second.device == id(2) && second.isPolledHere)
    let third = try sighted(&registry, told, c, new: 3)
    #expect(try third.device == id(3) && third.isPolledHere)
    for (number, endpoint) in [(1, a), (2, b), (3, c)] {
      let again = try sighted(&registry, told, endpoint, new: 9)
      #expect(try again.device == id(UInt8(number)) && again.events.isEmpty)
    }
  }
}
