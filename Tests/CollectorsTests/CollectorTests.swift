import CLinux
import Collectors
import Discovery
import Events
import MIB
import PrinterModel
import SNMP
import Synchronization
import Testing

/// Apart, because a device that falls silent is waited for.
@Suite(.timeLimit(.minutes(3))) struct `A first poll that breaks off` {
  @Test func `makes no device of one that did not say who it is`() async throws {
    // It answers a probe, and of the poll the first request: its description.
    var agent = WalkAgent(TestPrinter().walk)
    agent.answersMax = 4
    let shared = Mutex(agent)
    let responder = LoopbackResponder("127.0.17.9") { datagram in
      [shared.withLock { $0.answer(datagram) }].compactMap { $0 }
    }
    var settings = CollectorSettings(
      ranges: [
        CollectorRange(
          name: "127.0.17.9", addresses: AddressSet([try AddressRange("127.0.17.9")]),
          credentials: [TestCredentials.publicV2c])
      ])
    settings.port = responder.endpoint.port
    let sink = EventLog()
    let collector = Collector(settings, engine: try UDPEngine(), sink: sink, profiles: .none, clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { $0.contains { if case .discoveryFailed = $0.body { true } else { false } } }
    run.cancel()
    _ = await run.result
    #expect(sink.all.allSatisfy { $0.device == nil })
    #expect(await collector.devices.isEmpty)
    for case .discoveryFailed(let failed) in sink.all.map(\.body) { #expect(failed.reason == "timeout") }
  }
}

private final class FullSink: EventSink {
  struct Full: Error {}
  func append(_ events: [Event]) async throws { throw Full() }
}

@Suite(.timeLimit(.minutes(5))) struct CollectorTests {
  /// Real agents on loopback addresses, all on one port.
  private final class Fleet {
    let responders: [LoopbackResponder]
    let port: UInt16

    init(_ printers: [String: TestPrinter]) throws {
      let first = try #require(printers.keys.sorted().first)
      func serve(_ address: String, port: UInt16) throws -> LoopbackResponder {
        let agent = Mutex(WalkAgent(try #require(printers[address]).walk))
        return LoopbackResponder(address, port: port) { datagram in
          [agent.withLock { $0.answer(datagram) }].compactMap { $0 }
        }
      }
      let one = try serve(first, port: 0)
      port = one.endpoint.port
      responders = try [one] + printers.keys.sorted().dropFirst().map { [port] in try serve($0, port: port) }
    }
  }

  private func settings(_ ranges: String..., port: UInt16, credentials: [NamedCredential] = [TestCredentials.publicV2c])
    throws -> CollectorSettings
  {
    var settings = CollectorSettings(
      ranges: try ranges.map {
        CollectorRange(name: $0, addresses: AddressSet([try AddressRange($0)]), credentials: credentials)
      })
    settings.port = port
    settings.sweep.firstPatience = .milliseconds(200)
    settings.sweep.secondPatience = .milliseconds(400)
    return settings
  }

  private func printer(_ number: Int) -> TestPrinter {
    var printer = TestPrinter()
    printer.serial = "VNB3K1000\(number)"
    printer.mac[5] = UInt8(number)
    return printer
  }

  @Test func `what is asked for is swept and read at once, and told as all else is`() async throws {
    let fleet = try Fleet(["127.0.17.2": printer(2), "127.0.17.5": printer(5)])
    var settings = try settings("127.0.17.1-8", port: fleet.port)
    // Nothing comes by itself but the first sweep.
    settings.usesIPP = false
    let sink = EventLog()
    let collector = Collector(settings, engine: try UDPEngine(), sink: sink, profiles: .none, clock: { 1_000 })
    await #expect(throws: CollectorStopped.self) { try await collector.scan() }
    await #expect(throws: CollectorStopped.self) { try await collector.poll(alerts: false) }
    let run = Task { try await collector.run() }
    await sink.wait { events in events.count { if case .readingTaken = $0.body { true } else { false } } == 2 }
    let part = try #require(settings.plan(for: [try AddressRange("127.0.17.4-6")]))
    let scan = try await collector.scan(part)
    #expect(scan.addresses == 3 && scan.found == 1)
    let sweeps = sink.all.compactMap { if case .sweepCompleted(let sweep) = $0.body { sweep } else { nil } }
    #expect(sweeps.count == 2 && sweeps.last?.outcomes.reduce(0) { $0 + $1.addresses } == 3)
    let before = sink.all.count
    let all = try await collector.poll(alerts: true)
    #expect(all == PollResult(read: 2, failed: 0, notAsked: 0))
    let polled = Set(sink.all.dropFirst(before).compactMap(\.device))
    #expect(polled.count == 2, "each was read once more")
    let one = try #require(polled.min())
    let unknown = try #require(DeviceID([UInt8](repeating: 1, count: 16)))
    let some = try await collector.poll([one, unknown], alerts: false)
    #expect(some == PollResult(read: 1, failed: 0, notAsked: 1))
    run.cancel()
    _ = await run.result
    await #expect(throws: CollectorStopped.self) { try await collector.poll(alerts: false) }
  }

  @Test func `only what is configured can be asked for`() throws {
    var settings = try settings("10.0.0.1-20", "10.0.1.0/24", port: 161)
    settings.exclusions = AddressSet([try AddressRange("10.0.0.7")])
    func plan(_ ranges: String...) throws -> SweepPlan? {
      settings.plan(for: try ranges.map { try AddressRange($0) })
    }
    let part = try #require(try plan("10.0.0.5-10", "10.0.1.9"))
    #expect(part.due.count == 6 && part.excluded.count == 1)
    #expect(part.ranges.map(\.name) == ["10.0.0.5-10, 10.0.1.9", "10.0.0.5-10, 10.0.1.9"])
    #expect(try plan("10.0.0.15-25") == nil)
    #expect(try plan("10.0.0.1", "192.0.2.1") == nil)
    #expect(try plan() == nil)
    settings.ranges[0].credentials = []
    #expect(try plan("10.0.0.5") == nil, "there is nothing to ask with")
  }

  @Test func `a sweep tells a reason for every address`() async throws {
    let fleet = try Fleet(["127.0.9.2": printer(2), "127.0.9.5": printer(5)])
    var settings = try settings("127.0.9.1-8", port: fleet.port)
    settings.exclusions = AddressSet([try AddressRange("127.0.9.7")])
    settings.doNotTouch = AddressSet([try AddressRange("127.0.9.8")])
    let surveyor = Surveyor(DeviceReader(engine: try UDPEngine(), profiles: .none), settings)
    let results = try await surveyor.sweep()
    #expect(
      results.map { "\($0.address) \($0.reason.rawValue)" } == [
        "127.0.9.1 no answer", "127.0.9.2 found", "127.0.9.3 no answer", "127.0.9.4 no answer", "127.0.9.5 found",
        "127.0.9.6 no answer", "127.0.9.7 excluded", "127.0.9.8 do not touch",
      ])
    #expect(results[1].credential == "public")
    #expect(results[1].identity?.serial?.text == "VNB3K10002")
  }

  /// A trap of a device, to the port that the collector listens on.
  private func sendTrap(from address: String, to port: UInt16) throws {
    let socket = clinux_udp_create()
    defer { _ = clinux_close(socket) }
    try #require(clinux_udp_bind(socket, try #require(IPv4Address(address)).value, 0) == 0)
    let trap = PDU(.trapV2, requestID: 1, bindings: [VarBind([1, 3, 6, 1, 2, 1, 1, 3, 0], .timeTicks(1))])
    var bytes = Message(version: .v2c, community: Array("public".utf8), pdu: trap).encoded()
    try bytes.withUnsafeMutableBufferPointer { bytes in
      var datagram = CLinuxDatagram()
      datagram.bytes = bytes.baseAddress
      datagram.length = UInt32(bytes.count)
      datagram.address = 0x7F00_0001
      datagram.port = port
      try #require(clinux_udp_send(socket, &datagram, 1) == 1)
    }
  }

  /// A port that was free a moment ago.
  private func freePort() throws -> UInt16 {
    let socket = clinux_udp_create()
    defer { _ = clinux_close(socket) }
    try #require(clinux_udp_bind(socket, 0, 0) == 0)
    return UInt16(clinux_udp_port(socket))
  }

  /// Hears only what is said of traps.
  private final class TrapObserver: CollectorObserver {
    let reasons = Mutex<[String]>([])
    func trapsUnheard(_ reason: String) { reasons.withLock { $0.append(reason) } }
  }

  @Test func `without the port for traps it is told so, and devices are found and read`() async throws {
    let taken = clinux_udp_create()
    defer { _ = clinux_close(taken) }
    try #require(clinux_udp_bind(taken, 0, 0) == 0)
    let fleet = try Fleet(["127.0.18.2": printer(2)])
    var settings = try settings("127.0.18.2", port: fleet.port)
    settings.trapPort = UInt16(clinux_udp_port(taken))
    let (sink, observer) = (EventLog(), TrapObserver())
    let collector = Collector(
      settings, engine: try UDPEngine(), sink: sink, observer: observer, profiles: .none, clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { $0.contains { if case .readingTaken = $0.body { true } else { false } } }
    run.cancel()
    do { try await run.value } catch is CancellationError {}
    let reasons = observer.reasons.withLock { $0 }
    #expect(reasons.count == 1 && reasons[0].contains("listen on UDP port"), "\(reasons)")
  }

  @Test func `a trap from an address in a range that no sweep found has it looked at`() async throws {
    let trapPort = try freePort()
    var settings = try settings("127.0.17.3", port: try freePort())
    settings.trapPort = trapPort
    let sink = EventLog()
    let collector = Collector(settings, engine: try UDPEngine(), sink: sink, profiles: .none, clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { $0.contains { if case .sweepCompleted = $0.body { true } else { false } } }
    #expect(!sink.all.contains { if case .readingTaken = $0.body { true } else { false } })
    // It comes up only now.
    let agent = Mutex(WalkAgent(printer(3).walk))
    let responder = LoopbackResponder("127.0.17.3", port: settings.port) { datagram in
      [agent.withLock { $0.answer(datagram) }].compactMap { $0 }
    }
    try sendTrap(from: "127.0.17.3", to: trapPort)
    await sink.wait { $0.contains { if case .readingTaken = $0.body { true } else { false } } }
    withExtendedLifetime(responder) {}
    run.cancel()
    do { try await run.value } catch is CancellationError {}
  }

  @Test func `the service discovers what a sweep finds, reads it and records in order`() async throws {
    let fleet = try Fleet(["127.0.10.2": printer(2), "127.0.10.5": printer(5)])
    let sink = EventLog()
    let collector = Collector(
      try settings("127.0.10.1-6", port: fleet.port), engine: try UDPEngine(), sink: sink, profiles: .none,
      clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { events in
      events.count { if case .readingTaken = $0.body { true } else { false } } == 2
        && events.contains { if case .sweepCompleted = $0.body { true } else { false } }
    }
    run.cancel()
    // It may notice while it waits, and throw, or between two waits, and return.
    do { try await run.value } catch is CancellationError {}
    guard case .sweepStarted(let started)? = sink.all.first?.body else {
      Issue.record("\(sink.all)")
      return
    }
    #expect(started.addresses == 6)
    for event in sink.all {
      if case .sweepCompleted(let completed) = event.body {
        #expect(completed.outcomes.map { "\($0.reason) \($0.addresses)" } == ["found 2", "no answer 4"])
      }
    }
    for device in Set(sink.all.compactMap(\.device)) {
      let own = sink.all.filter { $0.device == device }.map(\.body)
      guard case .deviceDiscovered(let discovered)? = own.first, case .readingTaken(let taken)? = own.dropFirst().first
      else {
        Issue.record("\(own)")
        continue
      }
      #expect(discovered.credential == "public")
      #expect(taken.reading.identity.serial == discovered.identity.serial)
    }
    #expect(await collector.devices.count == 2)
  }

  @Test func `what was not read for six weeks is retired after a sweep, and what was retired returns when it is found`()
    async throws
  {
    let fleet = try Fleet(["127.0.24.5": printer(5)])
    let sink = EventLog()
    let (gone, back) = (DeviceID([UInt8](repeating: 8, count: 16)), DeviceID([UInt8](repeating: 9, count: 16)))
    let week: Int64 = 7 * 86_400_000
    func known(_ id: DeviceID?, _ endpoint: Endpoint?, _ serial: String) throws -> KnownDevice {
      var identity = DeviceIdentity()
      identity.serial = DeviceText(serial)
      var known = KnownDevice(id: try #require(id), endpoint: endpoint, credential: "public", identity: identity)
      known.lastRead = week
      // Today is one day more.
      known.daysAsked = 41
      return known
    }
    var retired = try known(back, Endpoint(IPv4Address(0x7f00_1805), port: fleet.port), "VNB3K10005")
    retired.isRetired = true
    let collector = Collector(
      try settings("127.0.24.4-6", port: fleet.port), known: [try known(gone, nil, "VNB3K10009"), retired],
      engine: try UDPEngine(), sink: sink, profiles: .none, clock: { 7 * week })
    let run = Task { try await collector.run() }
    await sink.wait { events in
      events.contains { if case .readingTaken = $0.body { true } else { false } }
        && events.contains { if case .deviceRetired = $0.body { true } else { false } }
    }
    run.cancel()
    do { try await run.value } catch is CancellationError {}
    #expect(
      sink.all.filter { $0.device == gone }.map(\.body) == [
        .pollFailed(
          PollFailed(
            address: "", reason: "noAddress",
            message: "another device answers where it was, and it was found nowhere else", daysAsked: 42)),
        .deviceRetired(DeviceRetired(address: "", lastRead: week, evidence: "not read for 42 days")),
      ])
    let own = sink.all.filter { $0.device == back }.map(\.body)
    #expect(
      own.first
        == .deviceReturned(
          DeviceReturned(
            address: "127.0.24.5:\(fleet.port)", evidence: "read again after 42 days, known by serial VNB3K10005")))
    #expect(await collector.devices.map(\.isRetired).sorted { !$0 && $1 } == [false, true])
  }

  private func count(_ events: [Event], _ isWanted: (EventBody) -> Bool) -> Int { events.count { isWanted($0.body) } }

  private func isTaken(_ body: EventBody) -> Bool { if case .readingTaken = body { true } else { false } }

  @Test func `a device that was met by its MAC and tells a known serial number goes on as that device, once`()
    async throws
  {
    let fleet = try Fleet(["127.0.25.5": printer(5)])
    let sink = EventLog()
    let (first, second) = (
      try #require(DeviceID([UInt8](repeating: 8, count: 16))), try #require(DeviceID([UInt8](repeating: 9, count: 16)))
    )
    var bySerial = KnownDevice(
      id: first, endpoint: Endpoint(IPv4Address(0x7f00_1902), port: fleet.port), credential: "public",
      identity: DeviceIdentity())
    bySerial.identity.serial = DeviceText("VNB3K10005")
    var byMAC = KnownDevice(
      id: second, endpoint: Endpoint(IPv4Address(0x7f00_1905), port: fleet.port), credential: "public",
      identity: DeviceIdentity())
    byMAC.identity.macAddress = printer(5).mac
    let key = AlertKey(group: 8, groupIndex: 1, code: 13)
    byMAC.alerts[key] = ActiveAlert(alert: PrinterAlert(row: RowIndex([1, 1])), raised: 400)
    let collector = Collector(
      try settings("127.0.25.1-6", port: fleet.port), known: [bySerial, byMAC], engine: try UDPEngine(), sink: sink,
      profiles: .none, clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { events in count(events, isTaken) >= 1 }
    run.cancel()
    do { try await run.value } catch is CancellationError {}
    let address = "127.0.25.5:\(fleet.port)"
    let evidence = "MAC 00:11:22:33:44:05 is told with serial VNB3K10005"
    #expect(
      sink.all.filter { $0.device == second }.map(\.body) == [
        .alertCleared(AlertCleared(key: key, milliseconds: 600)),
        .deviceMerged(DeviceMerged(into: first, address: address, evidence: evidence)),
      ])
    #expect(
      sink.all.filter { $0.device == first }.map(\.body).contains(
        .deviceMoved(DeviceMoved(from: "127.0.25.2:\(fleet.port)", to: address, evidence: "serial VNB3K10005"))))
    #expect(await collector.devices.map(\.id) == [first])
  }

  @Test func `two live devices with one serial number are two devices, each read at its address`() async throws {
    var twin = printer(5)
    twin.mac[5] = 6
    twin.lifeCount = 777
    let fleet = try Fleet(["127.0.26.5": printer(5), "127.0.26.6": twin])
    let sink = EventLog()
    let collector = Collector(
      try settings("127.0.26.4-7", port: fleet.port), engine: try UDPEngine(), sink: sink, profiles: .none,
      clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { events in count(events, isTaken) == 2 }
    run.cancel()
    do { try await run.value } catch is CancellationError {}
    #expect(await collector.devices.count == 2)
    let told = sink.all.compactMap { if case .deviceDiscovered(let found) = $0.body { found.evidence } else { nil } }
    #expect(told.count == 2 && told.contains { $0.hasSuffix("two devices") }, "\(told)")
  }

  @Test func `one device with two interfaces is read at one, whatever MAC each tells`() async throws {
    var second = printer(5)
    second.mac[5] = 6
    let fleet = try Fleet(["127.0.27.5": printer(5), "127.0.27.6": second])
    let sink = EventLog()
    let collector = Collector(
      try settings("127.0.27.4-7", port: fleet.port), engine: try UDPEngine(), sink: sink, profiles: .none,
      clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { events in events.contains { if case .deviceSeenAlso = $0.body { true } else { false } } }
    run.cancel()
    do { try await run.value } catch is CancellationError {}
    #expect(await collector.devices.count == 1)
    let told = sink.all.compactMap { if case .deviceSeenAlso(let seen) = $0.body { seen.evidence } else { nil } }
    #expect(told == ["serial VNB3K10005; started at the same moment, with totals of 12345 and 12345"])
  }

  @Test func `a known device that answers elsewhere has moved and keeps its id`() async throws {
    let fleet = try Fleet(["127.0.11.5": printer(5)])
    let sink = EventLog()
    let id = try #require(DeviceID([UInt8](repeating: 9, count: 16)))
    var identity = DeviceIdentity()
    identity.serial = DeviceText("VNB3K10005")
    let known = KnownDevice(
      id: id, endpoint: Endpoint(IPv4Address(0x7f00_0b02), port: fleet.port), credential: "public", identity: identity)
    let collector = Collector(
      try settings("127.0.11.1-6", port: fleet.port), known: [known], engine: try UDPEngine(), sink: sink,
      profiles: .none,
      clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { $0.contains { if case .readingTaken = $0.body { true } else { false } } }
    run.cancel()
    _ = await run.result
    let moved = sink.all.compactMap { event -> DeviceMoved? in
      if case .deviceMoved(let moved) = event.body, event.device == id { moved } else { nil }
    }
    #expect(moved.map(\.to) == ["127.0.11.5:\(fleet.port)"])
    #expect(moved.map(\.evidence) == ["serial VNB3K10005"])
    #expect(!sink.all.contains { if case .deviceDiscovered = $0.body { true } else { false } })
  }

  @Test func `a device that another one took the address of has no alert any more`() async throws {
    let fleet = try Fleet(["127.0.11.5": printer(5)])
    let sink = EventLog()
    let id = try #require(DeviceID([UInt8](repeating: 9, count: 16)))
    var identity = DeviceIdentity()
    identity.serial = DeviceText("VNB3K99999")
    var known = KnownDevice(
      id: id, endpoint: Endpoint(IPv4Address(0x7f00_0b05), port: fleet.port), credential: "public", identity: identity)
    let key = AlertKey(group: 8, groupIndex: 1, code: 13)
    known.alerts[key] = ActiveAlert(alert: PrinterAlert(row: RowIndex([1, 1])), raised: 400)
    let collector = Collector(
      try settings("127.0.11.5", port: fleet.port), known: [known], engine: try UDPEngine(), sink: sink,
      profiles: .none, clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { $0.contains { if case .readingTaken = $0.body { true } else { false } } }
    run.cancel()
    _ = await run.result
    let told = sink.all.filter { $0.device == id }
    #expect(told.contains { if case .deviceReplaced = $0.body { true } else { false } })
    #expect(count(told) { if case .alertCleared = $0 { true } else { false } } == 1)
  }

  @Test func `a second address with the same serial is told, and stays without a device of its own`() async throws {
    let fleet = try Fleet(["127.0.16.2": printer(2), "127.0.16.3": printer(2)])
    let sink = EventLog()
    let collector = Collector(
      try settings("127.0.16.2-3", port: fleet.port), engine: try UDPEngine(), sink: sink, profiles: .none,
      clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { $0.contains { if case .deviceSeenAlso = $0.body { true } else { false } } }
    run.cancel()
    _ = await run.result
    let seen = sink.all.compactMap { event in
      if case .deviceSeenAlso(let seen) = event.body { (event.device, seen) } else { nil }
    }
    let (device, body) = try #require(seen.first)
    #expect(seen.count == 1)
    #expect(await collector.devices.map(\.id) == [device])
    #expect(Set([body.address, body.known]) == Set(fleet.responders.map(\.endpoint.description)))
    #expect(body.evidence == "serial VNB3K10002")
  }

  @Test func `a printer that is found and cannot be read is told with its address and the reason`() async throws {
    // It answers the three questions of a probe, and nothing after them.
    let agent = Mutex(WalkAgent(printer(2).walk))
    let responder = LoopbackResponder("127.0.17.2") { datagram in
      agent.withLock { agent in
        if agent.requests == 2 { agent.errorToAll = .genErr }
        return [agent.answer(datagram)].compactMap { $0 }
      }
    }
    let sink = EventLog()
    let collector = Collector(
      try settings("127.0.17.2", port: responder.endpoint.port), engine: try UDPEngine(), sink: sink, profiles: .none,
      clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { $0.contains { if case .discoveryFailed = $0.body { true } else { false } } }
    run.cancel()
    _ = await run.result
    for case .discoveryFailed(let failed) in sink.all.map(\.body) {
      #expect(failed.address == responder.endpoint.description)
      #expect(failed.credential == "public")
      #expect(failed.reason == "deviceError")
      #expect(failed.message.contains("genErr"))
    }
    #expect(sink.all.allSatisfy { $0.device == nil })
  }

  @Test func `a sink that fails stops the service`() async throws {
    let fleet = try Fleet(["127.0.12.2": printer(2)])
    let collector = Collector(
      try settings("127.0.12.1-3", port: fleet.port), engine: try UDPEngine(), sink: FullSink(), profiles: .none,
      clock: { 1_000 })
    await #expect(throws: FullSink.Full.self) { try await collector.run() }
  }

  @Test func `a sweep whose engine is shut down ends with the engine's error`() async throws {
    let engine = try UDPEngine()
    engine.shutdown()
    let settings = try settings("127.0.14.1-50", port: 161)
    await #expect(throws: EngineError.stopped) {
      try await Surveyor(DeviceReader(engine: engine, profiles: .none), settings).sweep()
    }
  }

  @Test func `one device is read now with the first credential that works`() async throws {
    let fleet = try Fleet(["127.0.13.2": printer(2)])
    let settings = try settings(
      "127.0.13.0/24", port: fleet.port, credentials: [TestCredentials.secret, TestCredentials.publicV2c])
    let reader = DeviceReader(engine: try UDPEngine(), profiles: .none)
    let endpoint = fleet.responders[0].endpoint
    let outcome = try await reader.read(endpoint, credentials: [TestCredentials.publicV2c])
    #expect(outcome.credential == "public")
    guard case .reading(let poll) = outcome.result else {
      Issue.record("\(outcome)")
      return
    }
    #expect(poll.reading.supplies.count == 5)
    #expect(settings.credentials(for: endpoint.address).map(\.name) == ["secret", "public"])
    let nowhere = try await reader.read(endpoint, credentials: [])
    guard case .failed(let failure) = nowhere.result else { return }
    #expect(failure.message.contains("no range with a credential holds"))
  }

  @Test func `who reads a silent device by hand is told what to check`() async throws {
    let responder = LoopbackResponder("127.0.15.2") { _ in [] }
    let reader = DeviceReader(engine: try UDPEngine(), profiles: .none)
    let credentials = [TestCredentials.secret, TestCredentials.publicV2c]
    let outcome = try await reader.read(responder.endpoint, credentials: credentials)
    guard case .failed(let failure) = outcome.result else {
      Issue.record("\(outcome)")
      return
    }
    #expect(failure.message.hasPrefix("no answer. Check the address"))
    #expect(failure.message.contains("UDP port \(responder.endpoint.port)"))
  }
}
