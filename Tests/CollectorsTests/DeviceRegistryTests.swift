import Collectors
import Discovery
import Events
import MIB
import PrinterModel
import Testing

@Suite struct DeviceRegistryTests {
  private let a = Endpoint(IPv4Address(0x0a00_0007))
  private let b = Endpoint(IPv4Address(0x0a00_0008))

  private func id(_ number: UInt8) throws -> DeviceID {
    try #require(DeviceID([UInt8](repeating: number, count: 16)))
  }

  private func identity(_ serial: String?, mac: [UInt8]? = nil, make: String? = "Acme", model: String = "J5")
    -> DeviceIdentity
  {
    var identity = DeviceIdentity()
    identity.serial = serial.map { DeviceText($0) }
    identity.macAddress = mac
    identity.make = make
    identity.model = DeviceText(model)
    return identity
  }

  private func sighted(
    _ registry: inout DeviceRegistry, _ identity: DeviceIdentity, _ endpoint: Endpoint, new: UInt8,
    isStillElsewhere: Bool = false, elsewhere: DeviceRegistry.Elsewhere? = nil
  ) throws -> DeviceRegistry.Sighting {
    registry.sighted(
      identity, at: endpoint, credential: "public", elsewhere: elsewhere ?? (isStillElsewhere ? .same("") : .silent),
      newID: try id(new), time: 1)
  }

  private func names(_ events: [Event]) -> [String] {
    events.map { event in
      switch event.body {
      case .deviceDiscovered(let found): "discovered" + (found.evidence.isEmpty ? "" : ": \(found.evidence)")
      case .deviceMerged(let merged): "merged into \(merged.into.short): \(merged.evidence)"
      case .deviceMoved(let moved): "moved \(moved.from) \(moved.to) by \(moved.evidence)"
      case .deviceReplaced(let replaced): "replaced: \(replaced.evidence)"
      case .deviceSeenAlso(let seen): "seen also at \(seen.address), known at \(seen.known), by \(seen.evidence)"
      default: "?"
      }
    }
  }

  @Test func `a new device is discovered once`() throws {
    var registry = DeviceRegistry()
    let first = try sighted(&registry, identity("CN12345678"), a, new: 1)
    #expect(first.device == (try id(1)))
    #expect(names(first.events) == ["discovered"])
    let second = try sighted(&registry, identity("CN12345678"), a, new: 2)
    #expect(second.device == (try id(1)))
    #expect(second.events.isEmpty)
  }

  @Test(arguments: [false, true])
  func `a new board that tells the device's serial number only after its own MAC is no second device`(isRestarted: Bool)
    throws
  {
    let (old, new): ([UInt8], [UInt8]) = ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 6])
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("REALSER001", mac: old), a, new: 1)
    let board = try sighted(&registry, identity("XXXXXXXXXX", mac: new), a, new: 2)
    #expect(try board.device == id(2) && board.displaced == id(1))
    if isRestarted {
      var former = KnownDevice(
        id: try id(1), endpoint: nil, credential: "public", identity: identity("REALSER001", mac: old))
      former.formerAddress = a.address
      registry = DeviceRegistry([
        former,
        KnownDevice(id: try id(2), endpoint: a, credential: "public", identity: identity("XXXXXXXXXX", mac: new)),
      ])
    }
    let programmed = try sighted(&registry, identity("REALSER001", mac: new), a, new: 3)
    #expect(try programmed.device == id(1) && programmed.merged.map(\.device) == [id(2)])
    #expect(
      names(programmed.events) == [
        "merged into \(try id(1).short): MAC 00:01:02:03:04:06 is told with serial REALSER001",
        "moved  10.0.0.7:161 by serial REALSER001",
      ])
    let again = try sighted(&registry, identity("REALSER001", mac: new), a, new: 4)
    #expect(try again.device == id(1) && again.events.isEmpty)
  }

  @Test func `a board that tells a serial number of a device at another address is not taken for that one's`() throws {
    let (old, new): ([UInt8], [UInt8]) = ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 6])
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("REALSER001", mac: old), b, new: 1)
    _ = try sighted(&registry, identity("XXXXXXXXXX", mac: new), a, new: 2)
    let told = try sighted(&registry, identity("REALSER001", mac: new), a, new: 3)
    #expect(try told.device == id(2) && told.merged.isEmpty)
  }

  @Test func `a device without a serial number is known again by its UUID`() throws {
    var registry = DeviceRegistry()
    func unnamed(_ uuid: String, mac: [UInt8]? = nil) -> DeviceIdentity {
      var identity = identity(nil, mac: mac)
      identity.uuid = uuid
      return identity
    }
    _ = try sighted(&registry, unnamed("4509a320-00a0-008f-00b6-002507510eca", mac: [0, 1, 2, 3, 4, 5]), a, new: 1)
    let moved = try sighted(&registry, unnamed("4509a320-00a0-008f-00b6-002507510eca"), b, new: 2)
    #expect(moved.device == (try id(1)))
    #expect(names(moved.events)[0].hasSuffix("by UUID 4509a320-00a0-008f-00b6-002507510eca"))
    let other = try sighted(&registry, unnamed("0509a320-00a0-008f-00b6-002507510eca"), b, new: 3)
    #expect(other.device == (try id(3)), "another UUID at the same address is another device")
    let cloned = try sighted(
      &registry, unnamed("4509a320-00a0-008f-00b6-002507510eca", mac: [0, 1, 2, 3, 4, 6]), a, new: 4)
    #expect(cloned.device == (try id(4)), "a hardware address goes before a UUID")
  }

  @Test func `a device that is read over SNMP and then over IPP is one`() throws {
    var registry = DeviceRegistry()
    var overSNMP = identity("CN12345678", mac: [0, 0x17, 0xC8, 1, 2, 3])
    overSNMP.systemObjectID = [1, 3, 6, 1, 4, 1, 11, 2]
    _ = try sighted(&registry, overSNMP, a, new: 1)
    var overIPP = identity(nil)
    overIPP.uuid = "4509a320-00a0-008f-00b6-002507510eca"
    let again = try sighted(&registry, overIPP, a, new: 2)
    #expect(again.device == (try id(1)))
    #expect(again.events.isEmpty)
    let moved = try sighted(&registry, overIPP, b, new: 3)
    #expect(moved.device == (try id(1)), "the UUID that it told is its own from then on")
  }

  @Test func `a device at another address moved and is the same device`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("00cn12 345678"), a, new: 1)
    #expect(registry.endpointToVerify(identity("CN12345678"), at: b) == a)
    let moved = try sighted(&registry, identity("CN12345678"), b, new: 2)
    #expect(moved.device == (try id(1)))
    #expect(names(moved.events) == ["moved 10.0.0.7:161 10.0.0.8:161 by serial CN12345678"])
    #expect(registry.device(at: a) == nil)
    #expect(registry.device(at: b) == (try id(1)))
  }

  @Test func `a device with two addresses does not move to and fro`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), a, new: 1)
    let second = try sighted(&registry, identity("CN12345678"), b, new: 2, isStillElsewhere: true)
    #expect(second.device == (try id(1)))
    #expect(!second.isPolledHere)
    #expect(names(second.events) == ["seen also at 10.0.0.8:161, known at 10.0.0.7:161, by serial CN12345678"])
    #expect(second.events.map(\.device) == [try id(1)])
    #expect(registry.device(at: a) == (try id(1)))
    let again = try sighted(&registry, identity("CN12345678"), b, new: 3, isStillElsewhere: true)
    #expect(again.events.isEmpty, "an address is told once")
  }

  @Test func `a second address that was another device's leaves that one without an address`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), a, new: 1)
    _ = try sighted(&registry, identity("CN99999999X"), b, new: 2)
    let second = try sighted(&registry, identity("CN12345678"), b, new: 3, isStillElsewhere: true)
    #expect(!second.isPolledHere)
    #expect(second.displaced == (try id(2)))
    #expect(registry.device(at: b) == nil)
  }

  @Test func `what was known at the second address by nothing but the address is merged into the device`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(nil), a, new: 1)
    _ = try sighted(&registry, identity(nil), b, new: 2)
    _ = try sighted(&registry, identity("CN12345678"), a, new: 3)
    let second = try sighted(&registry, identity("CN12345678"), b, new: 4, isStillElsewhere: true)
    #expect(second.device == (try id(1)) && !second.isPolledHere && second.displaced == nil)
    #expect(second.merged.map(\.device) == [try id(2)])
    #expect(
      names(second.events) == [
        "merged into 01010101: nothing but the address was known of it, where device 01010101 answers now",
        "seen also at 10.0.0.8:161, known at 10.0.0.7:161, by serial CN12345678",
      ])
  }

  @Test func `another model known at the second address is not merged`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), a, new: 1)
    _ = try sighted(&registry, identity(nil, make: "Other"), b, new: 2)
    let second = try sighted(&registry, identity("CN12345678"), b, new: 3, isStillElsewhere: true)
    #expect(second.merged.isEmpty)
    #expect(second.displaced == (try id(2)))
  }

  @Test func `another serial number at an address is a replacement and a discovery`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), a, new: 1)
    let swapped = try sighted(&registry, identity("CN99999999X"), a, new: 2)
    #expect(swapped.device == (try id(2)))
    #expect(swapped.displaced == (try id(1)))
    #expect(names(swapped.events) == ["replaced: serial CN99999999X instead of CN12345678", "discovered"])
    #expect(swapped.events.map(\.device) == [try id(1), try id(2)])
    let back = try sighted(&registry, identity("CN12345678"), b, new: 3)
    #expect(back.device == (try id(1)))
    #expect(names(back.events) == ["moved  10.0.0.8:161 by serial CN12345678"])
  }

  @Test func `two known devices that exchange addresses are both followed`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN11111112"), a, new: 1)
    _ = try sighted(&registry, identity("CN22222223"), b, new: 2)
    let one = try sighted(&registry, identity("CN22222223"), a, new: 3)
    #expect(one.device == (try id(2)))
    #expect(one.displaced == (try id(1)))
    let two = try sighted(&registry, identity("CN11111112"), b, new: 4)
    #expect(two.device == (try id(1)))
    #expect(two.displaced == nil)
    #expect(registry.entries.count == 2)
  }

  @Test func `a device is found by what it told last, and no longer by what it told before`() throws {
    var registry = DeviceRegistry()
    let mac: [UInt8] = [0, 1, 2, 3, 4, 5]
    _ = try sighted(&registry, identity(nil, mac: mac), a, new: 1)
    #expect(try sighted(&registry, identity("CN11111112", mac: mac), a, new: 2).device == (try id(1)))
    #expect(try sighted(&registry, identity("CN11111112"), b, new: 2).device == (try id(1)), "by its new serial")
    #expect(try sighted(&registry, identity("CN22222223", mac: mac), b, new: 2).device == (try id(2)), "a new board")
    #expect(try sighted(&registry, identity("CN22222223"), a, new: 3).device == (try id(2)))
  }

  @Test(.timeLimit(.minutes(5))) func `whose reading it is takes no longer the more devices there are`() throws {
    // Going through all devices at each of these sightings takes minutes.
    var registry = DeviceRegistry()
    for round in 0..<2 as Range<UInt32> {
      for number in 0..<5_000 as Range<UInt32> {
        let endpoint = Endpoint(IPv4Address(0x0a01_0000 + number))
        let bytes = [UInt8](repeating: 0, count: 14) + [UInt8(number >> 8), UInt8(number & 0xff)]
        let sighting = registry.sighted(
          identity("VNB\(100_000 + number)"), at: endpoint, credential: "public", newID: try #require(DeviceID(bytes)),
          time: 1)
        #expect(sighting.events.isEmpty == (round == 1))
      }
    }
    #expect(registry.entries.count == 5_000)
  }

  @Test(arguments: [
    "", "0000", "XXXX", "----", "unknown", "N/A", "0", "00000000000", "123456789", "  ", "ABC", "\u{0}\u{0}\u{0}",
    "Default string", "To be filled by O.E.M.", "(null)", "Not Specified", "JPXXXXXXXX", "Not Set", "XXXXXXXXXX",
  ])
  func `a serial number that identifies nothing never matches`(serial: String) throws {
    #expect(SerialNumber(serial) == nil)
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(serial), a, new: 1)
    let other = try sighted(&registry, identity(serial), b, new: 2)
    #expect(other.device == (try id(2)))
    #expect(registry.entries.count == 2)
  }

  @Test func `the same serial number of another make is another device`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("A1234567", make: "Acme"), a, new: 1)
    #expect(try sighted(&registry, identity("A1234567", make: "Bolt"), b, new: 2).device == (try id(2)))
  }

  @Test func `a serial number that two known devices share identifies neither`() throws {
    let known = try [(1, a), (2, b)].map { number, endpoint in
      KnownDevice(id: try id(UInt8(number)), endpoint: endpoint, credential: "public", identity: identity("SAME1234"))
    }
    var registry = DeviceRegistry(known)
    #expect(
      try sighted(&registry, identity("SAME1234"), b, new: 3).device == (try id(2)), "its own address still counts")
    let c = Endpoint(IPv4Address(0x0a00_0009))
    #expect(try sighted(&registry, identity("SAME1234"), c, new: 3).device == (try id(3)))
    #expect(registry.entries.count == 3)
  }

  @Test func `a device without serial number is followed by its MAC`() throws {
    let mac: [UInt8] = [0, 0x1b, 0x2c, 3, 4, 5]
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(nil, mac: mac), a, new: 1)
    let moved = try sighted(&registry, identity("unknown", mac: mac), b, new: 2)
    #expect(moved.device == (try id(1)))
    #expect(names(moved.events) == ["moved 10.0.0.7:161 10.0.0.8:161 by MAC 00:1b:2c:03:04:05"])
  }

  @Test func `one MAC with two serial numbers is two devices`() throws {
    let mac: [UInt8] = [0, 0x1b, 0x2c, 3, 4, 5]
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678", mac: mac), a, new: 1)
    #expect(try sighted(&registry, identity("CN87654321", mac: mac), b, new: 2).device == (try id(2)))
  }

  @Test(arguments: [("CN12345678", "CN87654321"), ("A1", "A2")])
  func `a card that went into another printer at the same address brings no identity with it`(
    serial: String, other: String
  ) throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(serial, mac: Self.mac), a, new: 1)
    let swapped = try sighted(&registry, identity(other, mac: Self.mac), a, new: 2)
    #expect(try swapped.device == id(2) && swapped.displaced == id(1))
    #expect(names(swapped.events) == ["replaced: serial \(other) instead of \(serial)", "discovered"])
    #expect(
      try sighted(&registry, identity(nil, mac: Self.mac), a, new: 3).events.isEmpty, "its serial is only not told")
  }

  @Test func `two printers that tell one MAC at two addresses are both read`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("M1", mac: Self.mac), a, new: 1)
    #expect(registry.endpointToVerify(identity("M2", mac: Self.mac), at: b) == nil)
    let second = try sighted(&registry, identity("M2", mac: Self.mac), b, new: 2)
    #expect(try second.device == id(2) && second.isPolledHere && second.displaced == nil)
    #expect(names(second.events) == ["discovered"])
    #expect(try sighted(&registry, identity("M1", mac: Self.mac), a, new: 3).events.isEmpty)
  }

  @Test(arguments: [
    [UInt8](repeating: 0, count: 6), [UInt8](repeating: 0xff, count: 6), [1, 0, 0x5e, 0, 0, 1], [1, 2, 3],
  ])
  func `an address that is no station's never matches`(mac: [UInt8]) throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(nil, mac: mac), a, new: 1)
    #expect(try sighted(&registry, identity(nil, mac: mac), b, new: 2).device == (try id(2)))
  }

  private static let mac: [UInt8] = [0, 0x1b, 0x2c, 3, 4, 5]
  private static let otherMAC: [UInt8] = [0, 0x1b, 0x2c, 3, 4, 6]

  @Test func `a device known by its MAC alone that then tells a known serial number is merged, with the evidence`()
    throws
  {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), a, new: 1)
    _ = try sighted(&registry, identity(nil, mac: Self.mac), b, new: 2)
    let one = try sighted(&registry, identity("CN12345678", mac: Self.mac), b, new: 3)
    #expect(one.device == (try id(1)))
    #expect(
      names(one.events) == [
        "merged into 01010101: MAC 00:1b:2c:03:04:05 is told with serial CN12345678",
        "moved 10.0.0.7:161 10.0.0.8:161 by serial CN12345678",
      ])
    #expect(one.events.map(\.device) == [try id(2), try id(1)])
    #expect(one.merged == [DeviceRegistry.Merged(device: try id(2), endpoint: b)])
    #expect(registry.entries.count == 1 && one.displaced == nil)
  }

  @Test func `a device known by its UUID alone that then tells a known serial number is merged, with the evidence`()
    throws
  {
    let uuid = "4509a320-00a0-008f-00b6-002507510eca"
    func told(_ serial: String?) -> DeviceIdentity {
      var told = identity(serial)
      told.uuid = uuid
      return told
    }
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), a, new: 1)
    _ = try sighted(&registry, told(nil), b, new: 2)
    let one = try sighted(&registry, told("CN12345678"), b, new: 3)
    #expect(one.device == (try id(1)))
    #expect(names(one.events).first == "merged into 01010101: UUID \(uuid) is told with serial CN12345678")
    #expect(one.merged == [DeviceRegistry.Merged(device: try id(2), endpoint: b)])
    #expect(registry.entries.count == 1)
    #expect(try sighted(&registry, told(nil), b, new: 4).device == (try id(1)), "it is known by its UUID from here on")
  }

  @Test func `a UUID in common with a device of another serial number or MAC merges nothing`() throws {
    let uuid = "4509a320-00a0-008f-00b6-002507510eca"
    var (other, now) = (identity(nil, mac: Self.otherMAC), identity("CN12345678", mac: Self.mac))
    (other.uuid, now.uuid) = (uuid, uuid)
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), a, new: 1)
    _ = try sighted(&registry, other, b, new: 2)
    #expect(try sighted(&registry, now, a, new: 3).merged.isEmpty)
    #expect(registry.entries.count == 2)
  }

  @Test func `at another port of its address a device is the same one, and is not asked where it was`() throws {
    let (ipp, snmp) = (Endpoint(a.address, port: 631), a)
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), ipp, new: 1)
    #expect(registry.endpointToVerify(identity("CN12345678"), at: snmp) == nil)
    let moved = try sighted(&registry, identity("CN12345678"), snmp, new: 2)
    #expect(moved.device == (try id(1)) && moved.isPolledHere)
    #expect(names(moved.events) == ["moved 10.0.0.7:631 10.0.0.7:161 by serial CN12345678"])
    let replaced = try sighted(&registry, identity("CN99999999"), ipp, new: 3)
    #expect(replaced.displaced == (try id(1)), "one address has one device")
  }

  @Test func `a serial number without a MAC in common merges nothing`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678"), a, new: 1)
    _ = try sighted(&registry, identity(nil), b, new: 2)
    let moved = try sighted(&registry, identity("CN12345678"), b, new: 3)
    #expect(moved.merged.isEmpty)
    #expect(moved.displaced == (try id(2)), "another device is where it was")
    #expect(registry.entries.count == 2)
  }

  @Test func `two live devices with one serial number and different MACs stay two`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678", mac: Self.mac), a, new: 1)
    let other = try sighted(
      &registry, identity("CN12345678", mac: Self.otherMAC), b, new: 2, elsewhere: .another("two devices"))
    #expect(other.device == (try id(2)) && other.isPolledHere)
    #expect(names(other.events) == ["discovered: two devices"])
    // From here on the MAC tells them apart, wherever they are.
    let c = Endpoint(IPv4Address(0x0a00_0009))
    let moved = try sighted(&registry, identity("CN12345678", mac: Self.otherMAC), c, new: 3)
    #expect(moved.device == (try id(2)))
    #expect(try sighted(&registry, identity("CN12345678", mac: Self.mac), a, new: 4).device == (try id(1)))
    #expect(registry.entries.count == 2)
  }

  @Test func `a device known by its MAC that tells another one's serial number stays itself`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678", mac: Self.otherMAC), a, new: 1)
    _ = try sighted(&registry, identity(nil, mac: Self.mac), b, new: 2)
    let still = try sighted(&registry, identity("CN12345678", mac: Self.mac), b, new: 3)
    #expect(still.device == (try id(2)) && still.merged.isEmpty)
    #expect(registry.entries.count == 2)
  }

  @Test(arguments: ["00000000", "XXXXXXXX", "Not Available"])
  func `a nonsense serial number of two devices with a MAC each merges neither`(serial: String) throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(serial, mac: Self.mac), a, new: 1)
    let other = try sighted(&registry, identity(serial, mac: Self.otherMAC), b, new: 2)
    #expect(other.device == (try id(2)) && other.merged.isEmpty)
  }

  @Test(arguments: [
    "CN12345678", "00CN12345678", "  CN12345678 ", "CN12345678\u{0}\u{0}", "cn12345678", "CN-12345678", "CN 1234/5678",
  ])
  func `a serial number with padding is the same one`(serial: String) throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity("CN12345678", mac: Self.mac), a, new: 1)
    #expect(try sighted(&registry, identity(serial), b, new: 2).device == (try id(1)))
  }

  @Test func `a renamed device is the same one, and nothing happened`() throws {
    var registry = DeviceRegistry()
    var before = identity("CN12345678")
    before.hostName = DeviceText("printer-3")
    var after = before
    after.hostName = DeviceText("reception")
    after.printerName = DeviceText("Reception")
    _ = try sighted(&registry, before, a, new: 1)
    let renamed = try sighted(&registry, after, a, new: 2)
    #expect(renamed.device == (try id(1)) && renamed.events.isEmpty)
  }

  @Test func `two interfaces of one device started at one moment with one total; two devices did not`() {
    let one = Sign(identity: identity("CN12345678", mac: Self.mac), started: 50_000, total: 7)
    func other(_ started: Int64?, _ total: UInt64?, serial: String = "CN12345678", mac: [UInt8]? = Self.otherMAC)
      -> Sign
    {
      Sign(identity: identity(serial, mac: mac), started: started, total: total)
    }
    let same = DeviceRegistry.Elsewhere.same("started at the same moment, with totals of 7 and 57")
    #expect(one.compared(with: other(52_000, 57), at: a) == same)
    #expect(one.compared(with: other(52_000, 7, mac: nil), at: a) == .same(""))
    #expect(one.compared(with: other(nil, nil, mac: Self.mac), at: a) == .same(""))
    #expect(one.compared(with: other(52_000, 7, serial: "CN99999999X"), at: a) == .silent)
    #expect(one.compared(with: Sign(identity: nil), at: a) == .silent)
    let two = DeviceRegistry.Elsewhere.another(
      "serial CN12345678 is also told at 10.0.0.7:161, by MAC 00:1b:2c:03:04:06 and not 00:1b:2c:03:04:05: two devices")
    #expect(one.compared(with: other(90_000, 7), at: a) == two)
    #expect(one.compared(with: other(52_000, 58), at: a) == two)
    #expect(one.compared(with: other(nil, 7), at: a) == two)
  }

  @Test func `a device that tells its serial number only now is the one that was there`() throws {
    var registry = DeviceRegistry()
    _ = try sighted(&registry, identity(nil), a, new: 1)
    #expect(try sighted(&registry, identity("CN12345678"), a, new: 2).device == (try id(1)))
    let silent = try sighted(&registry, identity(nil), a, new: 3)
    #expect(silent.device == (try id(1)))
    #expect(registry.entries[try id(1)]?.identity.serial?.text == "CN12345678", "what identifies it is not forgotten")
  }
}
