import CLinux
import Discovery
import Events
import Foundation
import Glibc
import MIB
import SNMP
import Synchronization
import Testing

@testable import Collectors

/// RFC 3805, prtAlertGroup: printerV2Alert.
private let printerV2Alert: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 18, 2, 0, 1]

@Suite struct `A trap as a hint` {
  private let source = IPv4Address(0x7F00_0902)
  private let origin = IPv4Address(0x0A01_0203)

  private func trap(_ kind: PDU.Kind, _ version: CommunityVersion = .v2c, extra: [VarBind] = []) -> [UInt8] {
    let bindings = [
      VarBind([1, 3, 6, 1, 2, 1, 1, 3, 0], .timeTicks(100)),
      VarBind([1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0], .objectIdentifier(printerV2Alert)),
    ]
    return Message(
      version: version, community: Array("whatever".utf8), pdu: PDU(kind, requestID: 77, bindings: bindings + extra)
    ).encoded()
  }

  @Test func `is heard of versions 1 and 2c, whosever community it bears`() throws {
    #expect(try #require(TrapHint(trap(.trapV2), from: source)).source == source)
    #expect(try #require(TrapHint(trap(.trapV1, .v1), from: source)).source == source)
  }

  @Test func `that was passed on is about whom it names`() throws {
    let address = VarBind([1, 3, 6, 1, 6, 3, 18, 1, 3, 0], .ipAddress([10, 1, 2, 3]))
    #expect(try #require(TrapHint(trap(.trapV2, extra: [address]), from: source)).origin == origin)
    #expect(try #require(TrapHint(trap(.trapV1, .v1, extra: [address]), from: source)).origin == origin)
    // Agents that do not know their own address.
    let nobody = VarBind([1, 3, 6, 1, 6, 3, 18, 1, 3, 0], .ipAddress([0, 0, 0, 0]))
    #expect(try #require(TrapHint(trap(.trapV1, .v1, extra: [nobody]), from: source)).origin == nil)
  }

  @Test func `is acknowledged if it is an inform`() throws {
    #expect(try #require(TrapHint(trap(.trapV2), from: source)).acknowledgement == nil)
    let answer = try #require(TrapHint(trap(.inform), from: source)?.acknowledgement)
    let message = try Message(decoding: answer)
    #expect(message.pdu.type == .response)
    #expect(message.pdu.requestID == 77)
    #expect(message.pdu.bindings.count == 2)
  }

  @Test func `is nothing else, nor what is cut`() {
    #expect(TrapHint(trap(.response), from: source) == nil)
    #expect(TrapHint(trap(.get), from: source) == nil)
    let whole = trap(.trapV2)
    for length in 0..<whole.count { #expect(TrapHint(Array(whole.prefix(length)), from: source) == nil) }
  }
}

@Suite struct `Hints and the schedule` {
  private let endpoint = Endpoint(IPv4Address(0x0A00_0001), port: 161)
  private let start = ContinuousClock.now
  private var random = SystemRandomNumberGenerator()
  private let device: DeviceID
  private let access: DeviceAccess

  init() {
    var random = SystemRandomNumberGenerator()
    device = DeviceID(using: &random)
    let session = Session(
      credential: TestCredentials.publicV2c.credential, keys: USMKeyCache(), parameters: SessionParameters(),
      randomSeed: 7)
    access = .snmp(TestCredentials.publicV2c, PollMemory(session: session))
  }

  private func schedule() -> PollSchedule {
    var schedule = PollSchedule(interval: .seconds(1_800), parallelMax: 4)
    schedule.found(at: endpoint, access: access, now: start)
    return schedule
  }

  private func hint(_ schedule: inout PollSchedule, at seconds: Int) {
    let isKnown = schedule.hint(endpoint, now: start.advanced(by: .seconds(seconds)))
    #expect(isKnown)
  }

  private mutating func poll(_ schedule: inout PollSchedule, at now: Instant) {
    let due = schedule.takeDue(now: now)
    #expect(due == [endpoint])
    schedule.polled(endpoint, device: device, access: access, pause: .seconds(1_800), now: now, random: &random)
  }

  @Test mutating func `a hint brings the next poll forward, but not at once after the last`() {
    var schedule = schedule()
    poll(&schedule, at: start)
    hint(&schedule, at: 5)
    let tooSoon = schedule.takeDue(now: start.advanced(by: .seconds(29)))
    #expect(tooSoon == [])
    poll(&schedule, at: start.advanced(by: .seconds(30)))
    hint(&schedule, at: 300)
    poll(&schedule, at: start.advanced(by: .seconds(300)))
  }

  @Test mutating func `a shorter interval brings polls forward, a longer one counts from the next poll on`() {
    var schedule = schedule()
    poll(&schedule, at: start)
    schedule.change(interval: .seconds(7_200), parallelMax: 4, now: start, random: &random)
    // Its turn was half an hour away, give or take.
    let early = schedule.takeDue(now: start.advanced(by: .seconds(1_600)))
    #expect(early == [])
    schedule.change(interval: .seconds(60), parallelMax: 4, now: start.advanced(by: .seconds(100)), random: &random)
    poll(&schedule, at: start.advanced(by: .seconds(160)))
  }

  @Test mutating func `hints without end cause a poll each half minute`() {
    var schedule = schedule()
    var polls = 0
    for second in 0..<600 {
      let now = start.advanced(by: .seconds(second))
      hint(&schedule, at: second)
      if schedule.takeDue(now: now).isEmpty { continue }
      polls += 1
      schedule.polled(endpoint, device: device, access: access, pause: .seconds(1_800), now: now, random: &random)
    }
    #expect(polls == 20)
  }

  @Test mutating func `a hint during a poll causes another one`() {
    var schedule = schedule()
    let first = schedule.takeDue(now: start)
    #expect(first == [endpoint])
    hint(&schedule, at: 1)
    let end = start.advanced(by: .seconds(2))
    schedule.polled(endpoint, device: device, access: access, pause: .seconds(1_800), now: end, random: &random)
    let again = schedule.takeDue(now: start.advanced(by: .seconds(30)))
    #expect(again == [endpoint])
  }

  @Test mutating func `the poll that a hint asked for knows that it is one, and no other does`() {
    var schedule = schedule()
    poll(&schedule, at: start)
    #expect(schedule.slots[endpoint]?.isPolledForHint == false)
    hint(&schedule, at: 60)
    let first = schedule.takeDue(now: start.advanced(by: .seconds(60)))
    #expect(first == [endpoint] && schedule.slots[endpoint]?.isPolledForHint == true)
    hint(&schedule, at: 61)
    let end = start.advanced(by: .seconds(62))
    schedule.polled(endpoint, device: device, access: access, pause: .seconds(1_800), now: end, random: &random)
    poll(&schedule, at: start.advanced(by: .seconds(90)))
    #expect(
      schedule.slots[endpoint]?.isPolledForHint == true, "what was heard during the first may be about the second")
    poll(&schedule, at: start.advanced(by: .seconds(4_000)))
    #expect(schedule.slots[endpoint]?.isPolledForHint == false)
  }

  @Test func `nobody known is not polled for a hint`() {
    var schedule = schedule()
    let isKnown = schedule.hint(Endpoint(IPv4Address(0x0A00_0002), port: 161), now: start)
    #expect(!isKnown)
  }
}

/// A member of the group on the loopback interface, so that the kernel delivers to it.
private final class LoopbackMembership {
  private let descriptor = socket(AF_INET, Int32(SOCK_DGRAM.rawValue), 0)

  init?() {
    var request = ip_mreq()
    request.imr_multiaddr.s_addr = AnnouncedPrinters.group.address.value.bigEndian
    request.imr_interface.s_addr = UInt32(0x7F00_0001).bigEndian
    let code = setsockopt(
      descriptor, Int32(IPPROTO_IP), IP_ADD_MEMBERSHIP, &request, socklen_t(MemoryLayout<ip_mreq>.size))
    guard code == 0 else { return nil }
  }

  deinit { _ = close(descriptor) }
}

@Suite(.serialized) struct `Printers that announce themselves` {
  private let loopback = HostInterface(name: "lo", address: IPv4Address(0x7F00_0001), mask: 0xFF00_0000)

  /// On a port of its own: others on this machine may speak multicast DNS.
  @Test func `are found by browsing, also when the answer comes in parts`() async throws {
    let membership = try #require(LoopbackMembership())
    let asked = Mutex<[DNSQuestion]>([])
    let responder = LoopbackResponder(AnnouncedPrinters.group.address.description) {
      guard let query = DNSMessage($0), !query.isResponse else { return [] }
      asked.withLock { $0 += query.questions }
      // Instances are told at once; where and what only when asked.
      return query.questions.contains { $0.type == DNSType.pointer }
        ? [TestAnnouncement.bytes(of: 0..<1)] : [TestAnnouncement.bytes(of: 1..<4)]
    }
    let found = try await AnnouncementBrowser.browse(
      [loopback], patience: .milliseconds(600), of: responder.endpoint)
    withExtendedLifetime((membership, responder)) {}
    #expect(found.map(\.address) == [IPv4Address(0xC000_0211)])
    #expect(found.first?.model == "Acme ColorJet 500")
    #expect(asked.withLock { Set($0.map(\.type)) } == [DNSType.pointer, DNSType.service, DNSType.texts])
  }

  @Test func `are nobody where no interface speaks to groups`() async throws {
    var silent = loopback
    silent.isMulticast = false
    #expect(try await AnnouncementBrowser.browse([silent]).isEmpty)
  }
}

/// One printer's records, each written without compression.
private enum TestAnnouncement {
  private static func name(_ labels: String...) -> [UInt8] {
    labels.flatMap { [UInt8($0.utf8.count)] + Array($0.utf8) } + [0]
  }

  private static var records: [[UInt8]] {
    let service = name("_ipp", "_tcp", "local")
    let instance = name("Acme 500", "_ipp", "_tcp", "local")
    let host = name("npi3f2a", "local")
    func record(_ owner: [UInt8], _ type: UInt16, _ data: [UInt8]) -> [UInt8] {
      owner + [0, UInt8(type), 0x80, 1, 0, 0, 0, 120, 0, UInt8(data.count)] + data
    }
    let text = "ty=Acme ColorJet 500"
    return [
      record(service, DNSType.pointer, instance),
      record(instance, DNSType.service, [0, 0, 0, 0, 0x02, 0x77] + host),
      record(instance, DNSType.texts, [UInt8(text.utf8.count)] + Array(text.utf8)),
      record(host, DNSType.address, [192, 0, 2, 17]),
    ]
  }

  static func bytes(of range: Range<Int>) -> [UInt8] {
    [0, 0, 0x84, 0, 0, 0, 0, UInt8(range.count), 0, 0, 0, 0] + records[range].joined()
  }
}

@Suite struct `The machine's own networks` {
  @Test func `are those of the kernel's routes, which are read as they are`() throws {
    let table = try String(contentsOfFile: "/proc/net/route", encoding: .utf8)
    #expect(table.hasPrefix("Iface"))
    #expect(HostNetworks.routesText() == table)
  }
}
