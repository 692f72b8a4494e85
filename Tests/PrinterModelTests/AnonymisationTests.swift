// A walk that is given away has nothing of its owner's, and reads as before.

internal import Foundation
internal import MIB
internal import PrinterModel
internal import Testing

@Suite("An anonymous walk")
struct AnonymisationTests {
  private static let seed: UInt64 = 7

  private func anonymous(_ walk: Walk, seed: UInt64 = Self.seed, keepsTexts: Bool = false) -> AnonymisedWalk {
    Interpretation.anonymised(walk, seed: seed, keepsTexts: keepsTexts)
  }

  /// Every form in which a serial, an address or a name may stand.
  private static let personal = SNMPRec.parse(
    Array(
      """
      1.3.6.1.2.1.1.1.0|4|Acme Printer X200 series
      1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.1248.1.1.2.1.3.5.69.69.80.83.50
      1.3.6.1.2.1.1.4.0|4|Jo Doe, jo.doe@customer.example
      1.3.6.1.2.1.1.5.0|4|PRN-LAW-7.customer.example
      1.3.6.1.2.1.1.6.0|4|Law firm, floor 3
      1.3.6.1.2.1.2.2.1.3.1|2|6
      1.3.6.1.2.1.2.2.1.6.1|4x|00c0eea1b2c3
      1.3.6.1.2.1.4.20.1.1.10.1.2.33|64|10.1.2.33
      1.3.6.1.2.1.25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5
      1.3.6.1.2.1.43.5.1.1.4.1|4|Jane Roe
      1.3.6.1.2.1.43.5.1.1.16.1|4|Front desk copier
      1.3.6.1.2.1.43.5.1.1.17.1|4|X8G9012345
      1.3.6.1.2.1.43.10.2.1.3.1.1|2|7
      1.3.6.1.2.1.43.10.2.1.4.1.1|65|4242
      1.3.6.1.2.1.43.11.1.1.6.1.1|4|Black Toner;PN 006R01509;SN48178080E0000481
      1.3.6.1.2.1.43.11.1.1.8.1.1|2|100
      1.3.6.1.2.1.43.11.1.1.9.1.1|2|60
      1.3.6.1.2.1.43.18.1.1.8.1.1|4|Paper low at PRN-LAW-7
      1.3.6.1.4.1.1248.1.2.2.1.1.1.1.1|4|MFG:EPSON;MDL:X200;SN:58384739303132333435;
      1.3.6.1.4.1.1248.1.2.2.44.1.1.2.1.1|4x|0158003800470039003000310032003300340035ff
      1.3.6.1.4.1.1248.9.1.0|4|00:C0:EE:A1:B2:C3
      1.3.6.1.4.1.1248.9.2.0|4|EPSONA1B2C3
      1.3.6.1.4.1.1248.9.3.0|4|http://10.1.2.33/status and 192.168.7.8
      1.3.6.1.4.1.1248.9.4.0|4|+49 30 1234567
      1.3.6.1.4.1.1248.9.5.0|4|cfe92100-67c4-11d4-a45f-00c0eea1b2c3
      1.3.6.1.4.1.1248.9.6.0|4|quarterly figures board meeting
      1.3.6.1.4.1.1248.9.7.0|4|Copy: Black & White
      1.3.6.1.4.1.1248.9.7.1|4x|fe8000000000000002c0eefffea1b2c3
      1.3.6.1.4.1.1248.9.7.2|4|fe80::2c0:eeff:fea1:b2c3
      1.3.6.1.4.1.1248.9.7.3|4x|20010db8000000010000000000007a7b
      1.3.6.1.4.1.1248.9.8.88.56.71.57.48.49.50.51.52.53|2|1

      """.utf8)
  ).walk

  private static let words = [
    "X8G9012345", "x8g9012345", "fea1", "b2c3", "58384739303132333435", "Jo Doe", "jo.doe", "customer.example",
    "PRN-LAW-7", "Law firm",
    "Jane Roe", "Front desk", "48178080E0000481", "A1B2C3", "a1b2c3", "10.1.2.33", "192.168.7.8", "1234567",
    "cfe92100", "quarterly", "88.56.71.57.48.49.50.51.52.53",
  ]

  @Test func `has no serial, address or name in any form`() {
    let anonymous = anonymous(Self.personal)
    let file = SNMPRec.bytes(of: anonymous.walk)
    let text = String(decoding: file, as: UTF8.self)
    for word in Self.words { #expect(!text.contains(word), "\(word)") }
    for bytes in Self.rawForms { #expect(!Self.holds(anonymous.walk, bytes)) }
    #expect(anonymous.objectsLeftOut.isEmpty)
    #expect(anonymous.objectsOutside == 1 && anonymous.textsMasked >= 1)
  }

  /// The hardware address, the IP address and the serial in UTF-16, as bytes.
  private static let rawForms: [[UInt8]] = [
    [0x00, 0xC0, 0xEE, 0xA1, 0xB2, 0xC3], [10, 1, 2, 33], [0xEE, 0xFF, 0xFE, 0xA1, 0xB2, 0xC3],
    [0x0D, 0xB8, 0, 0, 0, 1],
    wide(Array("X8G9012345".utf8)),
  ]

  /// UTF-16 of either order, without the zero at its end or its beginning.
  private static func wide(_ bytes: [UInt8]) -> [UInt8] { Array(bytes.map { [$0] }.joined(separator: [0])) }

  private static func holds(_ walk: Walk, _ wanted: [UInt8]) -> Bool {
    walk.bindings.contains { binding in
      switch binding.value {
      case .octets(let bytes), .opaque(let bytes), .ipAddress(let bytes):
        bytes.indices.contains { bytes[$0...].starts(with: wanted) }
      default: false
      }
    }
  }

  @Test func `reads as before but for the identity`() {
    let before = Interpretation.read(Self.personal)
    let after = Interpretation.read(anonymous(Self.personal).walk)
    expectSame(before, after, "personal")
    #expect(after.identity.serial?.text.count == before.identity.serial?.text.count)
    #expect(after.identity.serial != before.identity.serial)
    #expect(after.identity.hostName != before.identity.hostName)
    #expect(after.supplies.first?.partNumber == "006R01509")
    let serial = after.identity.serial?.text ?? ""
    #expect(DeviceIDString(after.identity.deviceID?.text ?? "").serialNumber == serial, "also inside the device id")
  }

  @Test func `the same text has the same replacement, and another file has another`() throws {
    let walk = anonymous(Self.personal).walk
    let host = try #require(Interpretation.read(walk).identity.hostName?.text.split(separator: ".").first)
    let alert = try #require(walk[[1, 3, 6, 1, 2, 1, 43, 18, 1, 1, 8, 1, 1]]?.octets)
    #expect(String(decoding: alert, as: UTF8.self) == "Paper low at \(host)")
    #expect(anonymous(Self.personal).walk == walk)
    #expect(anonymous(Self.personal, seed: 8).walk != walk)
  }

  @Test func `what the words of printers say stays, and with a wish every private text that names nobody`() {
    let name: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 1248, 9, 7, 0]
    #expect(anonymous(Self.personal).walk[name] == .octets(Array("Copy: Black & White".utf8)))
    let kept = anonymous(Self.personal, keepsTexts: true)
    #expect(kept.walk[[1, 3, 6, 1, 4, 1, 1248, 9, 6, 0]] == .octets(Array("quarterly figures board meeting".utf8)))
    #expect(kept.textsMasked == 0)
    #expect(!SNMPRec.bytes(of: kept.walk).isEmpty && !Self.holds(kept.walk, Array("X8G9012345".utf8)))
  }

  @Test func `the list tells what was replaced, where and by what`() throws {
    let list = anonymous(Self.personal).replacements
    let serial = try #require(list.first { $0.kind == .serial && $0.original == "X8G9012345" })
    // prtGeneralSerialNumber, the device id, UTF-16, and an index.
    #expect(serial.places == 4 && serial.replacement.count == 10)
    for kind in [AnonymisedWalk.Kind.hardwareAddress, .address, .hostName, .location, .contact, .operatorName, .uuid] {
      #expect(list.contains { $0.kind == kind }, "\(kind)")
    }
  }

  @Test func `a printer that is called what it is keeps its name`() throws {
    let walk = Walk([
      VarBind(MIB2.sysDescr, .octets(Array("Brother HL-L6400".utf8))),
      VarBind(MIB2.sysName, .octets(Array("Brother".utf8))),
    ])
    #expect(anonymous(walk).walk == walk)
  }

  @Test(.enabled(if: Corpus.root != nil, Corpus.skipped), arguments: Corpus.walks)
  func `of a recorded walk reads as before, and has nothing that was to go`(path: String) throws {
    let walk = try Corpus.walk(path)
    let anonymous = anonymous(walk)
    let before = Interpretation.read(walk)
    expectSame(before, Interpretation.read(anonymous.walk), path)
    #expect(anonymous.objectsLeftOut.isEmpty, "\(path) \(anonymous.objectsLeftOut)")
    var secrets: [[UInt8]] = []
    for serial in [before.identity.serial?.text] + before.supplies.map(\.serialNumber) {
      if let serial, serial.utf8.count >= 5 { secrets.append(Array(serial.utf8)) }
    }
    for binding in walk.subtree(MIB2.Interface.entry.appending(MIB2.Interface.physicalAddress)) {
      if let mac = binding.value.octets, mac.count == 6, mac.contains(where: { $0 != 0 }) { secrets.append(mac.array) }
    }
    for binding in walk.bindings {
      if case .ipAddress(let address) = binding.value, let first = address.first, first != 0, first != 127, first < 224
      {
        secrets.append(Array(address.map(String.init).joined(separator: ".").utf8))
      }
    }
    for secret in Set(secrets) {
      let hexadecimal = Array(secret.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined().utf8)
      for form in [secret, hexadecimal, Self.wide(secret)] {
        #expect(!Self.holds(anonymous.walk, form), "\(path): \(String(decoding: secret, as: UTF8.self))")
      }
    }
  }

  /// Equal but for who the device is; what a text says of it may differ, and its length not.
  private func expectSame(_ before: Reading, _ after: Reading, _ path: String) {
    #expect(after.meters.map(\.name) == before.meters.map(\.name), "\(path)")
    #expect(after.meters.map(\.value) == before.meters.map(\.value), "\(path)")
    #expect(after.meters.map(\.rule) == before.meters.map(\.rule), "\(path)")
    #expect(after.supplies.map(\.level) == before.supplies.map(\.level), "\(path)")
    #expect(after.supplies.map(\.percentRemaining) == before.supplies.map(\.percentRemaining), "\(path)")
    #expect(after.supplies.map(\.type) == before.supplies.map(\.type), "\(path)")
    #expect(after.supplies.map(\.partNumber) == before.supplies.map(\.partNumber), "\(path)")
    #expect(after.supplies.map { $0.serialNumber?.count } == before.supplies.map { $0.serialNumber?.count }, "\(path)")
    #expect(after.inputs.map(Self.unnamed) == before.inputs.map(Self.unnamed), "\(path)")
    #expect(after.outputs.map(Self.unnamed) == before.outputs.map(Self.unnamed), "\(path)")
    #expect(after.covers.map { [$0.status] } == before.covers.map { [$0.status] }, "\(path)")
    #expect(after.supplies.map { $0.colorant?.text } == before.supplies.map { $0.colorant?.text }, "\(path)")
    #expect(after.alerts.map { $0.description == nil } == before.alerts.map { $0.description == nil }, "\(path)")
    #expect(after.alerts.map(\.code) == before.alerts.map(\.code), "\(path)")
    #expect(after.alerts.map(\.severity) == before.alerts.map(\.severity), "\(path)")
    #expect(Self.silent(after.status) == Self.silent(before.status), "\(path)")
    #expect(after.status.console.count == before.status.console.count, "\(path)")
    #expect(after.detectors == before.detectors, "\(path)")
    #expect(after.checks == before.checks, "\(path)")
    #expect(Self.ofReading(after.findings) == Self.ofReading(before.findings), "\(path)")
    #expect(after.identity.make == before.identity.make, "\(path)")
    #expect(after.identity.model == before.identity.model, "\(path)")
    #expect(after.identity.firmware == before.identity.firmware, "\(path)")
    #expect(after.identity.systemObjectID == before.identity.systemObjectID, "\(path)")
    #expect(after.identity.macAddress?.prefix(3) == before.identity.macAddress?.prefix(3), "\(path)")
  }

  /// Whether a serial number is one is told of the identity, which is another.
  private static func ofReading(_ findings: [Finding]) -> [String] {
    findings.map(\.message).filter { !$0.hasSuffix("is no serial number") }
  }

  /// What people name is not the same; that there is a name is.
  private static func unnamed(_ tray: InputTray) -> InputTray {
    var tray = tray
    for name in [\.name, \.description, \.media] as [WritableKeyPath<InputTray, DeviceText?>] {
      tray[keyPath: name] = tray[keyPath: name].map { _ in DeviceText("named") }
    }
    return tray
  }

  private static func silent(_ status: DeviceStatus) -> DeviceStatus {
    var status = status
    status.console = []
    return status
  }

  private static func unnamed(_ bin: OutputBin) -> OutputBin {
    var bin = bin
    for name in [\.name, \.description] as [WritableKeyPath<OutputBin, DeviceText?>] {
      bin[keyPath: name] = bin[keyPath: name].map { _ in DeviceText("named") }
    }
    return bin
  }
}
