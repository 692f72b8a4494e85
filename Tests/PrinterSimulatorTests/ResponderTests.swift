// The agent's answers in each version: what exists, what does not, what is too big and what is refused.

import MIB
import SNMP
import Testing

@testable import PrinterSimulator

struct ResponderTests {
  private static let missing: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 99, 0]

  @Test(arguments: Fixtures.modelNames)
  func `a walk by GETNEXT gives every object once`(name: String) throws {
    var device = try Fixtures.device(name)
    let versions = try Fixtures.model(name).quirks.versions
    let version: CommunityVersion = versions.contains(.v2c) ? .v2c : .v1
    let expected = device.walk.bindings
    #expect(try device.walkByNext(version: version) == expected)
  }

  @Test func `a walk by GETBULK gives every object once, in datagrams of at most 1472 bytes`() throws {
    var device = try Fixtures.device("epson-wf-c20750")
    let expected = device.walk.bindings
    var found: [VarBind] = []
    var name: ObjectIdentifier = [1, 3]
    for step in 0..<500 {
      let pdu = PDU(getBulk: [name], requestID: Int32(step), nonRepeaters: 0, maxRepetitions: 200)
      let request = Message(version: .v2c, community: Array("public".utf8), pdu: pdu).encoded()
      let reply = try #require(device.received(request, now: .zero).first)
      #expect(reply.bytes.count <= 1472)
      let bindings = try Message(decoding: reply.bytes).pdu.bindings
      found += bindings.filter { !$0.value.isException }
      if bindings.last?.value == .endOfMibView { break }
      name = try #require(bindings.last?.name)
    }
    #expect(found == expected)
  }

  @Test func `GETBULK respects the number of repetitions and the non-repeaters`() throws {
    var device = try Fixtures.device("ricoh-im-c3000")
    let names = [MIB2.system, PrinterMIB.Supplies.entry.appending(6), PrinterMIB.Supplies.entry.appending(9)]
    let pdu = PDU(getBulk: names, requestID: 5, nonRepeaters: 1, maxRepetitions: 3)
    let response = try #require(try device.ask(pdu))
    #expect(response.bindings.count == 1 + 2 * 3)
    #expect(response.bindings[0].name == MIB2.sysDescr)
    #expect(response.bindings[1].name == PrinterMIB.Supplies.entry.appending(6, 1, 1))
    #expect(response.bindings[2].name == PrinterMIB.Supplies.entry.appending(9, 1, 1))
  }

  @Test func `negative numbers in GETBULK count as none`() throws {
    var device = try Fixtures.device("ricoh-im-c3000")
    let pdu = PDU(getBulk: [MIB2.system], requestID: 5, nonRepeaters: -4, maxRepetitions: -1)
    #expect(try device.ask(pdu)?.bindings.isEmpty == true)
  }

  @Test func `SNMPv1 names the missing object and keeps the bindings`() throws {
    var device = try Fixtures.device("ricoh-im-c3000")
    let pdu = PDU(.get, requestID: 1, names: [MIB2.sysDescr, Self.missing])
    let response = try #require(try device.ask(pdu, version: .v1))
    #expect(response.errorStatus == .noSuchName)
    #expect(response.errorIndex == 2)
    #expect(response.bindings == pdu.bindings)
  }

  @Test func `SNMPv2c tells a missing object from a missing instance`() throws {
    var device = try Fixtures.device("ricoh-im-c3000")
    let instance = PrinterMIB.Supplies.entry.appending(9, 1, 77)
    let response = try #require(try device.ask(PDU(.get, requestID: 1, names: [Self.missing, instance])))
    #expect(response.errorStatus == .noError)
    #expect(response.bindings.map(\.value) == [.noSuchObject, .noSuchInstance])
  }

  @Test func `SNMPv1 passes over Counter64 and SNMPv2c shows it`() throws {
    let name: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 1, 1, 0]
    let walk = Walk([VarBind(name, .counter64(1 << 40)), VarBind([1, 3, 6, 1, 4, 1, 1, 2, 0], .integer(1))])
    let old = Responder(walk: walk, version: .v1, bindingBytesMax: 1400)
    let new = Responder(walk: walk, version: .v2, bindingBytesMax: 1400)
    let next = PDU(.getNext, requestID: 1, names: [[1, 3]])
    #expect(old.respond(to: next)?.bindings.first?.value == .integer(1))
    #expect(new.respond(to: next)?.bindings.first?.value == .counter64(1 << 40))
    #expect(old.respond(to: PDU(.get, requestID: 1, names: [name]))?.errorStatus == .noSuchName)
  }

  @Test func `a GET that does not fit is too big`() throws {
    let names = (1...60).map { ObjectIdentifier([1, 3, 6, 1, 4, 1, 1, UInt32($0), 0]) }
    let walk = Walk(names.map { VarBind($0, .octets([UInt8](repeating: 65, count: 60))) })
    let old = Responder(walk: walk, version: .v1, bindingBytesMax: 1400).respond(
      to: PDU(.get, requestID: 1, names: names))
    let new = Responder(walk: walk, version: .v2, bindingBytesMax: 1400).respond(
      to: PDU(.get, requestID: 1, names: names))
    #expect(old?.errorStatus == .tooBig)
    #expect(old?.bindings.count == 60)
    #expect(new?.errorStatus == .tooBig)
    #expect(new?.bindings.isEmpty == true)
  }

  @Test func `SET is refused`() throws {
    var device = try Fixtures.device("ricoh-im-c3000")
    let known = PDU(.set, requestID: 1, bindings: [VarBind(MIB2.sysName, .octets([65]))])
    let unknown = PDU(.set, requestID: 1, bindings: [VarBind(Self.missing, .octets([65]))])
    #expect(try device.ask(known)?.errorStatus == .notWritable)
    #expect(try device.ask(unknown)?.errorStatus == .noAccess)
    #expect(try device.ask(known, version: .v1)?.errorStatus == .noSuchName)
  }

  @Test func `a wrong community, another version and noise are not answered`() throws {
    var device = try Fixtures.device("canon-lbp325")
    let pdu = PDU(.getNext, requestID: 1, names: [MIB2.system])
    let wrong = Message(version: .v1, community: Array("secret".utf8), pdu: pdu).encoded()
    let newer = Message(version: .v2c, community: Array("public".utf8), pdu: pdu).encoded()
    #expect(device.received(wrong, now: .zero).isEmpty)
    #expect(device.received(newer, now: .zero).isEmpty)
    #expect(device.received([1, 2, 3], now: .zero).isEmpty)
    #expect(device.received([], now: .zero).isEmpty)
    #expect(try device.ask(pdu, version: .v1) != nil)
  }

  @Test func `every request cut at every byte is survived`() throws {
    var device = try Fixtures.device("ricoh-im-c3000")
    let pdu = PDU(getBulk: [MIB2.system, PrinterMIB.root], requestID: 9, nonRepeaters: 1, maxRepetitions: 5)
    let whole = Message(version: .v2c, community: Array("public".utf8), pdu: pdu).encoded()
    for count in whole.indices { #expect(device.received(Array(whole.prefix(count)), now: .zero).isEmpty) }
    #expect(!device.received(whole, now: .zero).isEmpty)
  }

  @Test func `a printer that answers only GETNEXT lets GET time out`() throws {
    var device = try Fixtures.device("canon-lbp325")
    #expect(try device.ask(PDU(.get, requestID: 1, names: [MIB2.sysDescr]), version: .v1) == nil)
    #expect(try device.ask(PDU(.getNext, requestID: 1, names: [MIB2.system]), version: .v1) != nil)
  }

  @Test func `a printer of single GETs lets a GET of two names time out`() throws {
    var device = try Fixtures.device("brother-hl-l6400")
    #expect(try device.ask(PDU(.get, requestID: 1, names: [MIB2.sysDescr, MIB2.sysName])) == nil)
    #expect(try device.ask(PDU(.get, requestID: 1, names: [MIB2.sysDescr])) != nil)
    #expect(try device.ask(PDU(getBulk: [MIB2.system], requestID: 1, nonRepeaters: 0, maxRepetitions: 5)) == nil)
  }

  @Test func `a printer with genErr at the end says so instead of endOfMibView`() throws {
    var device = try Fixtures.device("kyocera-ecosys-m3655")
    let last = try #require(device.walk.bindings.last).name
    #expect(try device.ask(PDU(.getNext, requestID: 1, names: [last]))?.errorStatus == .genErr)
  }

  @Test func `uptime moves in a recorded walk and nothing else does`() throws {
    let walk = Walk([VarBind(MIB2.sysUpTime, .timeTicks(1000)), VarBind(MIB2.sysDescr, .octets([65]))])
    let plan = DevicePlan(address: try #require(HostAddress("127.30.0.9")), contents: .recording(walk, file: "x"))
    var device = plan.device(seed: 1, keys: USMKeyCache())
    device.advance(toMilliseconds: 5000)
    #expect(device.walk[MIB2.sysUpTime] == .timeTicks(1500))
    #expect(device.walk[MIB2.sysDescr] == .octets([65]))
  }
}
