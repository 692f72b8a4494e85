// Each fault does what its line in the catalogue says.

import MIB
import SNMP
import Testing

@testable import PrinterSimulator

struct FaultTests {
  private static let model = "ricoh-im-c3000"
  private static let get = PDU(.get, requestID: 41, names: [MIB2.sysDescr])
  private static let request = Message(version: .v2c, community: Array("public".utf8), pdu: get).encoded()

  private func device(_ fault: Fault) throws -> Device { try Fixtures.device(Self.model, faults: [fault]) }

  @Test func `every fault of the catalogue can be spelled and read back`() throws {
    for entry in Fault.catalogue {
      let argument = ["OID": "1.3.6.1", "N": "3", "MS": "20", "PERCENT": "50"][entry.argument ?? ""]
      let text = argument.map { "\(entry.name):\($0)" } ?? entry.name
      #expect(try Fault(text).spelling == text)
    }
  }

  @Test(arguments: ["", "explode", "drops", "drops:101", "drops:x", "truncated:1", "gen-err:1..2", "late:0"])
  func `a fault that cannot be read says what was expected`(text: String) throws {
    let error = #expect(throws: FaultSpellingError.self) { try Fault(text) }
    #expect(error?.description.contains("expected") == true)
  }

  @Test func `truncated answers end early`() throws {
    var whole = try Fixtures.device(Self.model)
    var cut = try device(.truncated)
    let full = try #require(whole.received(Self.request, now: .zero).first).bytes
    let half = try #require(cut.received(Self.request, now: .zero).first).bytes
    #expect(half == Array(full.prefix(full.count / 2)))
  }

  @Test func `malformed answers are not BER`() throws {
    var device = try device(.malformed)
    let bytes = try #require(device.received(Self.request, now: .zero).first).bytes
    #expect(throws: BERError.self) { try Message(decoding: bytes) }
  }

  @Test func `answers from another port are marked so`() throws {
    var device = try device(.wrongSourcePort)
    #expect(device.received(Self.request, now: .zero).first?.fromOtherPort == true)
  }

  @Test func `the request id is one too many`() throws {
    var device = try device(.wrongRequestID)
    #expect(try device.ask(Self.get)?.requestID == 42)
  }

  @Test func `everything is too big`() throws {
    var device = try device(.tooBig)
    #expect(try device.ask(Self.get)?.errorStatus == .tooBig)
  }

  @Test func `a walk breaks with genErr at the name`() throws {
    var device = try device(.genErr(at: PrinterMIB.Supplies.entry))
    let last = try #require(try device.walkByNext().last).name
    #expect(last < PrinterMIB.Supplies.entry)
    #expect(try device.ask(PDU(.getNext, requestID: 1, names: [last]))?.errorStatus == .genErr)
    let bulk = PDU(getBulk: [last], requestID: 2, nonRepeaters: 0, maxRepetitions: 10)
    #expect(try device.ask(bulk)?.errorStatus == .genErr)
    #expect(try device.ask(Self.get)?.errorStatus == .noError)
  }

  @Test func `GETNEXT stands still behind the name`() throws {
    var device = try device(.nonIncreasing(at: PrinterMIB.Supplies.entry))
    let found = try device.walkByNext(limit: 600).map(\.name)
    #expect(found.count == 600)
    #expect(found[598] == found[599])
  }

  @Test func `GETNEXT starts again behind the name`() throws {
    var device = try device(.cycle(at: PrinterMIB.Supplies.entry))
    let found = try device.walkByNext(limit: 600).map(\.name)
    let first = try #require(device.walk.bindings.first).name
    #expect(found.filter { $0 == first }.count > 1)
  }

  @Test func `a device dies after its answers`() throws {
    var device = try device(.diesAfter(replies: 3))
    #expect(try device.walkByNext().count == 3)
    #expect(try device.ask(Self.get) == nil)
  }

  @Test func `answers come twice`() throws {
    var device = try device(.duplicates)
    let replies = device.received(Self.request, now: .zero)
    #expect(replies.count == 2)
    #expect(replies.first == replies.last)
  }

  @Test func `each third answer is late`() throws {
    var device = try device(.late(milliseconds: 700))
    let delays = (0..<6).compactMap { _ in device.received(Self.request, now: .zero).first?.delay }
    #expect(delays == [.zero, .zero, .milliseconds(700), .zero, .zero, .milliseconds(700)])
  }

  @Test func `each answer is slow`() throws {
    var device = try device(.slow(milliseconds: 250))
    #expect(device.received(Self.request, now: .zero).first?.delay == .milliseconds(250))
  }

  @Test func `a share of the requests is lost, the same for the same seed`() throws {
    func answered() throws -> [Bool] {
      var device = try device(.drops(percent: 30))
      return (0..<1000).map { _ in !device.received(Self.request, now: .zero).isEmpty }
    }
    let first = try answered()
    #expect((620...780).contains(first.filter { $0 }.count))
    #expect(try answered() == first)
  }

  @Test func `the SNMPv3 engine changes in the middle of a walk`() throws {
    let user = try USMUser(name: "open")
    var device = try Fixtures.device(Self.model, faults: [.engineChanges(afterReplies: 2)], users: [user])
    let first = device.agent.engineID
    _ = device.received(Self.request, now: .zero)
    #expect(device.agent.engineID == first)
    _ = device.received(Self.request, now: .zero)
    #expect(device.agent.engineID != first)
  }
}
