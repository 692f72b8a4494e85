// The IPP side of a simulated device.

import IPP
import MIB
import SNMP
import Testing

@testable import PrinterSimulator

struct IPPTests {
  private func device(_ model: String = "ricoh-im-c3000") throws -> Device {
    var plan = try Fixtures.plan(model)
    plan.ipp = .objects
    return plan.device(seed: 7, keys: USMKeyCache())
  }

  private func ask(_ device: inout Device, _ message: IPPMessage) throws -> IPPMessage {
    let bytes = try #require(device.answerIPP(try message.encoded())).bytes
    return try #require(IPPDecoded(bytes)).message
  }

  private func request(_ attributes: [String] = [], version: IPPMessage.Version = .init(2, 0)) -> IPPMessage {
    .getPrinterAttributes(
      uri: "ipp://127.30.0.1/ipp/print", attributes: attributes, requestID: 77, version: version)
  }

  @Test func `what is asked for is answered, in the version and with the number of the request`() throws {
    var device = try device()
    let all = try ask(&device, request(version: .init(1, 1)))
    #expect(all.version == .init(1, 1) && all.requestID == 77 && all.code == IPPStatus.ok)
    let names = try #require(all[.printer]).attributes.map(\.name)
    #expect(Set(names).count == names.count && names.contains("printer-supply"))
    let some = try ask(&device, request(["printer-state", "printer-name", "media-supported"]))
    #expect(try #require(some[.printer]).attributes.map(\.name) == ["printer-name", "printer-state"])
  }

  @Test func `what cannot be answered says why`() throws {
    var device = try device()
    var operation = request()
    operation.code = 0x0002
    #expect(try ask(&device, operation).code == IPPStatus.operationNotSupported)
    #expect(try ask(&device, request(version: .init(9, 0))).code == IPPStatus.versionNotSupported)
    let bare = IPPMessage(code: IPPOperation.getPrinterAttributes, requestID: 1, groups: [])
    #expect(try ask(&device, bare).code == IPPStatus.badRequest)
    #expect(device.answerIPP([1, 2, 3]) == nil)
    var silent = try Fixtures.device("ricoh-im-c3000")
    #expect(silent.answerIPP(try request().encoded()) == nil, "it does not speak IPP")
  }

  @Test func `a request cut at any byte is refused or answered, and never traps`() throws {
    var device = try device()
    let whole = try request(["printer-state"]).encoded()
    for count in 0...whole.count { _ = device.answerIPP(Array(whole.prefix(count))) }
  }

  @Test func `reasons are the alerts in keywords, and none when there is none`() throws {
    var device = try device()
    let first = try #require(try ask(&device, request(["printer-state-reasons"]))[.printer])
    #expect(first["printer-state-reasons"].map(\.text) == ["none"])
    var seen: Set<String> = []
    for day in 1...40 {
      device.advance(toMilliseconds: Int64(day) * 86_400_000)
      let group = try #require(try ask(&device, request())[.printer])
      let reasons = group["printer-state-reasons"].compactMap(\.text)
      seen.formUnion(reasons)
      let alerts = try #require(device.printer).alerts
      #expect(group["printer-alert"].count == alerts.count)
      #expect(alerts.isEmpty == (reasons == ["none"]))
    }
    #expect(seen.count > 2 && seen.allSatisfy { $0 == "none" || $0.hasSuffix("-warning") || $0.hasSuffix("-error") })
  }

  @Test func `only loopback listens`() throws {
    var plan = try Fixtures.plan("ricoh-im-c3000", at: "10.1.2.3")
    plan.ipp = .objects
    let answer: IPPServer.Answer = { _ in nil }
    #expect(throws: SimulatorError.notLoopback(plan.address)) { try IPPServer([(plan.address, answer)], port: 0) }
  }

  @Test func `a fleet file says who speaks IPP`() throws {
    let fleet = try Fleet.load(file: Fixtures.folder + "/fleets/ipp.toml")
    #expect(fleet.ippPort == 631)
    #expect(fleet.plans.map { $0.ipp != nil } == [false, true, true, true])
    #expect(fleet.plans.map(\.spoken.isEmpty) == [false, false, true, true])
    for text in [
      "[[printers]]\naddress = \"127.0.0.9\"\nmodel = \"hp-laserjet-m507\"\nversions = []\n",
      "[[printers]]\naddress = \"127.0.0.9\"\nipp_file = \"../ipp/everywhere-laser.ipp\"\nipp = true\n",
      "[[printers]]\naddress = \"127.0.0.9\"\nipp_file = \"../ipp/README.md\"\n",
    ] {
      #expect(throws: SettingsError.self) { try Fleet.parse(text, file: Fixtures.folder + "/fleets/test.toml") }
    }
  }
}
