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

  @Test(arguments: [true, false])
  func `two live devices with one MAC, or one UUID, are told apart by model, total and when they were started`(
    byMAC: Bool
  ) throws {
    var shared = identity("Acme Laser 5", mac: byMAC ? [0, 0x11, 0x22, 0x33, 0x44, 0x55] : nil)
    if !byMAC { shared.uuid = "01234567-89ab-cdef-0123-456789abcdef" }
    func sign(_ total: UInt64, started: Int64 = 5_000_000, model: String = "Acme Laser 5") -> Sign {
      var identity = shared
      identity.model = DeviceText(model)
      return Sign(identity: identity, started: started, total: total, totalSource: [1, 3, 6, 1])
    }
    let name = byMAC ? "MAC 00:11:22:33:44:55" : "UUID 01234567-89ab-cdef-0123-456789abcdef"
    let words = "\(name) is also told at 10.0.0.7:161, by another device: "
    #expect(sign(100).compared(with: sign(101), at: a) == .same(""), "one device with two addresses")
    #expect(sign(100).compared(with: sign(5_000), at: a) == .another(words + "totals of 100 here and 5000 there"))
    let later = sign(100, started: 6_000_000)
    #expect(sign(100).compared(with: later, at: a) == .another(words + "started 1000 s apart"))
    guard case .another = sign(100).compared(with: sign(100, model: "Acme Laser 6"), at: a) else {
      Issue.record("two models are two devices")
      return
    }
    var registry = DeviceRegistry()
    _ = try sighted(&registry, shared, a, new: 1)
    #expect(registry.endpointToVerify(shared, at: b) == a)
    let second = try sighted(&registry, shared, b, new: 2, elsewhere: .another(words))
    #expect(try second.device == id(2) && second.isPolledHere && second.displaced == nil)
    for (number, endpoint) in [(1, a), (2, b)] {
      let again = try sighted(&registry, shared, endpoint, new: 9)
      #expect(try again.device == id(UInt8(number)) && again.events.isEmpty)
    }
  }

  // MARK: A device that is known by its address alone

  private func returned(_ registry: inout DeviceRegistry, _ identity: DeviceIdentity, words: String?, new: UInt8) throws
    -> DeviceRegistry.Sighting
  {
    let back = registry.mayReturn(identity, to: a)
    let returning = words.flatMap { words in back.first.map { (device: $0, words: words) } }
    return registry.sighted(
      identity, at: a, credential: "public", returning: returning, newID: try id(new), time: 1)
  }

  @Test(arguments: [false, true])
  func `a device without any identifier is back where another one took its address, if its count says so`(
    isRestarted: Bool
  ) throws {
    let (mono, photo) = (identity("Acme Laser 5"), identity("Acme Photo 7"))
    var registry = DeviceRegistry()
    _ = try sighted(&registry, mono, a, new: 1)
    #expect(registry.mayReturn(photo, to: a).isEmpty, "nobody has gone")
    #expect(try sighted(&registry, photo, a, new: 2).displaced == id(1))
    if isRestarted {
      var former = KnownDevice(id: try id(1), endpoint: nil, credential: "public", identity: mono)
      former.formerAddress = a.address
      registry = DeviceRegistry([
        former, KnownDevice(id: try id(2), endpoint: a, credential: "public", identity: photo),
      ])
    }
    #expect(try registry.mayReturn(mono, to: a) == [id(1)] && registry.mayReturn(mono, to: b).isEmpty)
    #expect(registry.mayReturn(identity("Acme Laser 5e"), to: a).isEmpty, "another model, to the letter")
    #expect(registry.mayReturn(identity("Acme Laser 5", serial: "CN12345678"), to: a).isEmpty)
    var stranger = registry
    #expect(try returned(&stranger, mono, words: nil, new: 3).device == id(3), "whose count says nothing")
    let back = try returned(&registry, mono, words: "a count", new: 3)
    #expect(try back.device == id(1) && back.displaced == id(2) && back.evidence == "a count")
    #expect(try sighted(&registry, mono, a, new: 4).device == id(1))
  }

  @Test func `whether it is back is told by its count and by when it was started`() {
    let object = ObjectIdentifier([1, 3, 6, 1])
    func words(_ total: UInt64, now: UInt64, started: Int64? = nil, startedNow: Int64? = nil, at name: UInt32 = 1)
      -> String?
    {
      let sign = Sign(
        identity: identity("Acme Laser 5"), started: startedNow, total: now, totalSource: [1, 3, 6, name])
      return ReturnEvidence.words(
        total: MeterState(value: total, source: object, unit: .impressions), started: started, lastRead: 9_000_000,
        sign)
    }
    let goesOn = "a total of 1003, which goes on from 1000"
    #expect(words(1_000, now: 1_003) == "the same address, make and model (Acme Laser 5), and \(goesOn)")
    #expect(words(1_000, now: 999) == nil, "below")
    #expect(words(1_000, now: 1_101) == nil, "more than a tenth above")
    #expect(words(90_000, now: 91_001) == nil, "more than anybody prints elsewhere")
    #expect(words(0, now: 0) == nil, "no count")
    #expect(words(1_000, now: 1_003, at: 2) == nil, "another object")
    let moment = "the same address, make and model (Acme Laser 5), moment of starting, and "
    #expect(
      words(1_000, now: 2_000, started: 5_000_000, startedNow: 5_004_000)
        == moment + "a total of 2000, which goes on from 1000")
    #expect(words(1_000, now: 1_003, started: 5_000_000, startedNow: 4_000_000) == nil, "it was on while both were")
    #expect(words(1_000, now: 1_003, started: 5_000_000, startedNow: 9_500_000) != nil, "it was switched on since")
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
