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
      let argument = ["OID": "1.3.6.1", "N": "3", "MS": "20", "PERCENT": "50", "BYTES": "9", "PAGES": "7"][
        entry.argument ?? ""]
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

  @Test func `an answer is cut, split, or has other lengths around the same contents`() throws {
    var whole = try Fixtures.device(Self.model)
    let bytes = try #require(whole.received(Self.request, now: .zero).first).bytes
    func answers(_ fault: Fault) throws -> [[UInt8]] {
      var device = try device(fault)
      return device.received(Self.request, now: .zero).map(\.bytes)
    }
    #expect(try answers(.cut(bytes: 9)) == [Array(bytes.prefix(9))])
    let halves = try answers(.fragments)
    #expect(halves.count == 2 && halves[0] + halves[1] == bytes)
    let padded = try #require(try answers(.paddedLengths).first)
    #expect(padded.count > bytes.count)
    #expect(try Message(decoding: padded) == Message(decoding: bytes))
    for fault: Fault in [.shortLengths, .longLengths, .indefiniteLengths] {
      let wrong = try #require(try answers(fault).first)
      #expect(wrong != bytes, "\(fault)")
      #expect(throws: BERError.self, "\(fault)") { try Message(decoding: wrong) }
    }
    #expect(try #require(try answers(.indefiniteLengths).first).starts(with: [0x30, 0x80]))
    #expect(try #require(try answers(.deepNesting).first).count > 600)
    #expect(try Message(decoding: #require(try answers(.noBindings).first)).pdu.bindings.isEmpty)
  }

  @Test func `a column has a million rows, and what follows it is still there`() throws {
    let column = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.description)
    var device = try device(.millionRows(at: column))
    func next(_ name: ObjectIdentifier) throws -> ObjectIdentifier? {
      try device.ask(PDU(.getNext, requestID: 1, names: [name]))?.bindings.first?.name
    }
    #expect(try next(column) == column.appending(1, 1))
    #expect(try next(column.appending(1, 999_999)) == column.appending(1, 1_000_000))
    let after = try #require(try next(column.appending(1, 1_000_000)))
    #expect(after.isWithin(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.unit)))
  }

  @Test func `what objects say is spoilt, and their names stay`() throws {
    let plain = try Fixtures.device(Self.model).walk
    for fault: Fault in [.nulPadding, .hexTails, .latin1, .levels(-3), .capacities(-2), .hugeNumbers(at: [1, 3])] {
      var spoilt = SpoiltObjects([fault], plain)
      let walk = spoilt.spoilt(plain, replies: 0)
      #expect(walk.bindings.map(\.name) == plain.bindings.map(\.name), "\(fault)")
      #expect(walk != plain, "\(fault)")
    }
  }

  @Test func `after so many answers it is another device, or counts anew`() throws {
    let plain = try Fixtures.device(Self.model).walk
    let serial = PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber, 1)
    let life = PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount, 1, 1)
    var swapped = SpoiltObjects([.swapped(afterReplies: 3)], plain)
    #expect(swapped.spoilt(plain, replies: 2) == plain)
    #expect(swapped.spoilt(plain, replies: 3)[serial] != plain[serial])
    var zeros = SpoiltObjects([.serialZeros(afterReplies: 3)], plain)
    #expect(zeros.spoilt(plain, replies: 3)[serial]?.octets.map { Array($0.prefix(2)) } == [0x30, 0x30])
    var drops = SpoiltObjects([.countDrops(afterReplies: 3)], plain)
    #expect(drops.spoilt(plain, replies: 3)[life] == .counter32(0))
    var more = plain
    more.set(life, .counter32(UInt32(try #require(plain[life]?.number)) + 9))
    #expect(drops.spoilt(more, replies: 4)[life] == .counter32(9))
    var around = SpoiltObjects([.rollsOver(pages: 5)], plain)
    #expect(around.spoilt(plain, replies: 0)[life] == .counter32(.max - 4))
    #expect(around.spoilt(more, replies: 0)[life] == .counter32(4))
  }

  @Test func `nothing comes before the time after the first request`() throws {
    var device = try device(.slowFirst(milliseconds: 4000))
    func delay(_ now: Duration) -> Duration? { device.received(Self.request, now: now).first?.delay }
    #expect(delay(.seconds(10)) == .seconds(4))
    #expect(delay(.seconds(11)) == .seconds(3))
    #expect(delay(.seconds(15)) == .zero)
  }

  @Test func `an engine counts no boots, and two devices have one engine id`() throws {
    let user = try USMUser(name: "open")
    let zero = try Fixtures.device(Self.model, faults: [.bootsZero(afterReplies: 2)], users: [user])
    #expect(zero.agent.engine.engineBoots == 0)
    let one = try Fixtures.plan(Self.model, at: "127.30.0.1", faults: [.sharedEngine], users: [user])
    let two = try Fixtures.plan(Self.model, at: "127.30.0.2", faults: [.sharedEngine], users: [user])
    let keys = USMKeyCache()
    #expect(one.device(seed: 1, keys: keys).agent.engineID == two.device(seed: 1, keys: keys).agent.engineID)
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
