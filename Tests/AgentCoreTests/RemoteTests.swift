// Which device a session may lead to, and how commands reach the agent that runs.

import Discovery
import Events
import FoundationEssentials
import Platform
import PrinterModel
import Projections
import RemoteTechnician
import Settings
import Testing

@testable import AgentCore

@Suite struct RemoteIdentityTests {
  private let id = DeviceID((0..<16).map { UInt8($0) })!
  private let address = IPv4Address("10.0.0.7")!

  private func identity(serial: String? = nil, mac: [UInt8]? = nil, host: String? = nil) -> DeviceIdentity {
    var identity = DeviceIdentity()
    identity.serial = serial.map { DeviceText($0) }
    identity.macAddress = mac
    identity.hostName = host.map { DeviceText($0) }
    return identity
  }

  private func device(_ identity: DeviceIdentity, at address: String = "10.0.0.7:161") -> DeviceState {
    var fleet = FleetState()
    fleet.apply(
      Event(
        time: 1, device: id,
        .deviceDiscovered(DeviceDiscovered(address: address, identity: identity, credential: "public"))))
    return fleet.devices[id]!
  }

  @Test func `the serial number shows that it is the device, or else the MAC`() throws {
    func evidence(_ known: DeviceIdentity, _ told: DeviceIdentity) throws -> String {
      try RemoteIdentity.evidence(known: known, told: told, at: address)
    }
    let (mac, other): ([UInt8], [UInt8]) = ([0, 1, 2, 3, 4, 5], [0, 1, 2, 3, 4, 6])
    #expect(
      try evidence(identity(serial: "VCF9Z01234", mac: mac), identity(serial: " vcf9z01234 ")) == "serial VCF9Z01234")
    #expect(try evidence(identity(serial: "VCF9Z01234", mac: mac), identity(mac: mac)) == "MAC 00:01:02:03:04:05")
    #expect(try evidence(identity(mac: mac), identity(serial: "NEW0123456", mac: mac)) == "MAC 00:01:02:03:04:05")
    for (known, told) in [
      (identity(serial: "VCF9Z01234", mac: mac), identity(serial: "VCF9Z99999", mac: mac)),
      (identity(mac: mac), identity(mac: other)), (identity(), identity(serial: "VCF9Z01234", mac: mac)),
      (identity(serial: "VCF9Z01234"), identity(mac: mac)),
      (identity(serial: "0000000000"), identity(serial: "0000000000")),
    ] {
      let error = #expect(throws: RemoteNotOpened.self) { try evidence(known, told) }
      #expect(error?.description.hasSuffix(".") == true)
    }
  }

  @Test func `a device is excluded by its address, MAC, serial number or id`() throws {
    let state = device(identity(serial: "VCF9Z01234", mac: [0, 1, 2, 3, 4, 5]))
    func holds(_ words: String) throws -> Bool {
      let text = "[remote]\nexclude = [\(words)]"
      return RemoteIdentity.holds(
        try AgentConfiguration.parse(text, file: "x").remote.exclusions, id, state, address)
    }
    for word in ["10.0.0.7", "10.0.0.0/24", "00:01:02:03:04:05", "00-01-02-03-04-05", "vcf9z01234", "00010203"] {
      #expect(try holds("\"\(word)\""), "\(word)")
    }
    for word in ["10.0.1.0/24", "00:01:02:03:04:06", "VCF9Z01235", "00010204"] {
      #expect(try !holds("\"\(word)\""), "\(word)")
    }
    #expect(try !holds(""))
  }

  @Test func `a device that moved, was replaced, retired or merged is absent`() {
    var fleet = FleetState()
    func absence() -> String? { RemoteIdentity.absence(of: id, from: address, fleet) }
    #expect(absence() != nil)
    func happened(_ body: EventBody) { fleet.apply(Event(time: 2, device: id, body)) }
    happened(.deviceDiscovered(DeviceDiscovered(address: "10.0.0.7:161", identity: identity(), credential: "public")))
    #expect(absence() == nil)
    happened(.deviceMoved(DeviceMoved(from: "10.0.0.7:161", to: "10.0.0.8:161", evidence: "serial")))
    #expect(absence() == "The device has moved from 10.0.0.7.")
    happened(.deviceMoved(DeviceMoved(from: "10.0.0.8:161", to: "10.0.0.7:631", evidence: "serial")))
    #expect(absence() == nil)
    happened(.deviceReplaced(DeviceReplaced(address: "10.0.0.7:161", replacement: id, evidence: "other serial")))
    #expect(absence() == "Another device answers at 10.0.0.7 now.")
  }

  @Test func `its names are what it may call itself, and nothing else`() {
    #expect(
      RemoteIdentity.names(device(identity(host: "NPI3F2A")), address) == ["10.0.0.7", "npi3f2a", "npi3f2a.local"])
    #expect(RemoteIdentity.names(device(identity(host: "a.example")), address) == ["10.0.0.7", "a.example"])
    #expect(RemoteIdentity.names(device(identity(host: "a b\"<")), address) == ["10.0.0.7"])
  }
}

@Suite struct RemoteControlTests {
  @Test func `an ask that is none is told so, and without an agent nobody answers`() async throws {
    #expect(RemoteControl.isNonce("0123456789abcdef"))
    for text in ["", "0123456789abcde", "0123456789abcdeg", "../../../../etc/x"] {
      #expect(!RemoteControl.isNonce(text))
    }
    await #expect(throws: AgentFailure.self) {
      _ = try await RemoteControl.ask(.list, stateDirectory: "/nowhere/at/all")
    }
  }

  @Test func `an agent that is gone is not waited for`() async throws {
    let directory = "/tmp/printtrail-tests/remote-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectory(directory + "/remote")
    try Files.replace(AgentStatus.path(in: directory), with: try StatusTests.sample().json())
    let begun = ContinuousClock.now
    let error = await #expect(throws: AgentFailure.self) {
      _ = try await RemoteControl.ask(.list, stateDirectory: directory, isRunning: { _ in false })
    }
    #expect(error?.code == .unavailable && begun.duration(to: .now) < .seconds(2))
    #expect(try Files.names(in: directory + "/remote").isEmpty)
  }

  @Test func `a certificate is named by enough digits of it`() {
    #expect(RemoteControl.isCertificate("none") && RemoteControl.isCertificate("0123456789abcdef"))
    for text in ["", "0123456789abcde", "0123456789ABCDEF", "../../../../etc/xy", String(repeating: "a", count: 65)] {
      #expect(!RemoteControl.isCertificate(text), "\(text)")
    }
    let table = RemoteReport.certificates([
      RemoteCertificateLine(port: 443, sha256: "00ff", subject: "CN=x"),
      RemoteCertificateLine(port: 443, sha256: "", subject: ""),
    ])
    for word in ["00ff", "CN=x", "none: it answers without TLS"] { #expect(table.contains(word)) }
  }

  @Test func `sessions are shown as a table and as JSON`() throws {
    let line = RemoteSessionLine(
      id: "00000000-0000-0000-0000-000000000001", device: "00112233445566778899aabbccddeeff", address: "10.0.0.7",
      user: "anna", reason: "paper jam", from: "198.51.100.7", requests: 3, bytesSent: 1, bytesReceived: 2,
      secondsLeft: 61)
    let table = RemoteReport.table([line])
    for word in ["anna", "00112233", "1 min 1 s", "paper jam"] { #expect(table.contains(word)) }
    #expect(RemoteReport.table([]) == "No session is open.\n")
    let text = try RemoteReport.json([line])
    #expect(try JSONDecoder().decode([RemoteSessionLine].self, from: Data(text.utf8)) == [line])
  }
}
