// The collector and printers without SNMP: found, told, polled again; and a printer whose SNMP is switched on.

import Collectors
import Discovery
import Events
import IPP
import MIB
import PrinterModel
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct `Printers without SNMP` {
  private func settings(_ range: String, ippPort: UInt16, snmpPort: UInt16 = 16_159) throws -> CollectorSettings {
    var settings = CollectorSettings(
      ranges: [
        CollectorRange(
          name: range, addresses: AddressSet([try AddressRange(range)]), credentials: [TestCredentials.publicV2c])
      ])
    // Nothing answers SNMP on this port, which the host says at once.
    settings.port = snmpPort
    settings.ippPort = ippPort
    settings.sweep.firstPatience = .milliseconds(200)
    settings.sweep.secondPatience = .milliseconds(400)
    return settings
  }

  @Test func `are found over IPP, and the reason tells it`() async throws {
    let printer = try await IPPPrinter("127.0.30.2") { _ in .printer(serial: "IPP00000001", impressions: 7) }
    let reader = DeviceReader(engine: try UDPEngine())
    let results = try await Surveyor(reader, try settings("127.0.30.1-3", ippPort: printer.port)).sweep()
    #expect(results.map(\.reason) == [.noAnswer, .found, .noAnswer])
    #expect(results[1].credential == IPPAsker.accessName)
    #expect(results[1].identity?.serial?.text == "IPP00000001")
    #expect(results[1].detail == "no answer over SNMP; it answers Get-Printer-Attributes over IPP")
  }

  @Test func `are found where the address is silent to SNMP, in the second pass`() async throws {
    let silent = LoopbackResponder("127.0.31.2") { _ in [] }
    let printer = try await IPPPrinter("127.0.31.2") { _ in .printer(serial: "IPP00000002", impressions: 7) }
    let settings = try settings("127.0.31.2", ippPort: printer.port, snmpPort: silent.endpoint.port)
    let results = try await Surveyor(DeviceReader(engine: try UDPEngine()), settings).sweep()
    #expect(results.map(\.reason) == [.found])
  }

  @Test func `are not asked where the settings say so, and on no address that is left out`() async throws {
    let asked = Mutex(0)
    let printer = try await IPPPrinter("127.0.32.2") { _ in
      asked.withLock { $0 += 1 }
      return .printer(serial: "IPP00000003", impressions: 7)
    }
    var settings = try settings("127.0.32.2", ippPort: printer.port)
    settings.usesIPP = false
    let reader = DeviceReader(engine: try UDPEngine())
    #expect(try await Surveyor(reader, settings).sweep().map(\.reason) == [.noAnswer])
    settings.usesIPP = true
    settings.doNotTouch = AddressSet([try AddressRange("127.0.32.2")])
    #expect(try await Surveyor(reader, settings).sweep().map(\.reason) == [.doNotTouch])
    #expect(asked.withLock { $0 } == 0)
  }

  @Test func `that are something else are told as what they are`() async throws {
    let web = try await IPPPrinter("127.0.33.2") { _ in nil }
    let queue = try await IPPPrinter("127.0.33.3", port: web.port) { _ in
      .printer(serial: "X", impressions: 1) + [IPPAttribute("cups-version", [.string("2.4.2", .textWithoutLanguage)])]
    }
    let settings = try settings("127.0.33.2-3", ippPort: web.port)
    let results = try await Surveyor(DeviceReader(engine: try UDPEngine()), settings).sweep()
    #expect(results.map(\.reason) == [.noAnswer, .notAPrinter])
    #expect(results[1].detail.contains("queue of a print server"))
    withExtendedLifetime(queue) {}
  }

  @Test func `whose answer breaks off are interrupted, and say nothing of what was not told`() throws {
    let message = IPPMessage(
      version: IPPMessage.Version(2, 0), code: IPPStatus.ok, requestID: 1,
      groups: [IPPGroup(.printer, .printer(serial: "IPP00000009", impressions: 7))])
    let bytes = try message.encoded()
    for count in bytes.indices {
      guard case .reading(let poll)? = IPPAsker.result(ofCapture: Array(bytes.prefix(count))) else { continue }
      #expect(poll.interruption?.reason == .malformed, "\(count) bytes of \(bytes.count)")
      #expect(poll.alerts.rows == nil && poll.alerts.detectedErrors == nil)
    }
    guard case .reading(let whole)? = IPPAsker.result(ofCapture: bytes) else {
      Issue.record("the whole is no reading")
      return
    }
    #expect(whole.interruption == nil && whole.reading.supplies.count == 1)
  }

  @Test func `are discovered, read, and polled again`() async throws {
    let pages = Mutex<Int32>(100)
    let printer = try await IPPPrinter("127.0.34.2") { _ in
      let now = pages.withLock { pages in
        pages += 1
        return pages
      }
      return .printer(serial: "IPP00000004", impressions: now, upTime: now)
    }
    var settings = try settings("127.0.34.2", ippPort: printer.port)
    settings.pollInterval = .milliseconds(100)
    let log = EventLog()
    let collector = Collector(settings, engine: try UDPEngine(), sink: log, clock: { 1_000 })
    let run = Task { try await collector.run() }
    await log.wait { $0.contains { if case .readingChanged = $0.body { true } else { false } } }
    run.cancel()
    _ = await run.result
    let own = log.all.filter { $0.device != nil }.map(\.body)
    guard case .deviceDiscovered(let discovered) = own[0], case .readingTaken(let taken) = own[1],
      case .readingChanged(let changed) = own[2]
    else {
      Issue.record("\(own)")
      return
    }
    #expect(discovered.credential == IPPAsker.accessName && discovered.identity.serial?.text == "IPP00000004")
    #expect(discovered.address == "127.0.34.2:\(printer.port)", "where it was asked")
    let total = try #require(taken.reading.meters.first)
    #expect(total.name == .total && total.source.name.shown == "printer-impressions-completed")
    #expect(taken.raw.isOfAttributes && Interpretation.read(taken.raw).meters == taken.reading.meters)
    #expect(changed.change.meters.changed.map(\.name) == [.total])
    #expect(
      changed.raw.map(\.name.shown) == ["printer-impressions-completed"], "the time since it was switched on is none")
  }

  /// Polls a printer over IPP once for each list of reasons, and gives what its monitor tells of alerts.
  private func alerts(_ reasons: [[String]]) throws -> [EventBody] {
    var monitor = DeviceMonitor(
      KnownDevice(
        id: try #require(DeviceID([UInt8](repeating: 3, count: 16))), endpoint: nil, credential: IPPAsker.accessName,
        identity: DeviceIdentity()))
    var events: [Event] = []
    for (minute, words) in reasons.enumerated() {
      var attributes = [IPPAttribute].printer(serial: "IPP00000009", impressions: 7)
      attributes.removeAll { $0.name == "printer-state-reasons" }
      attributes.append(IPPAttribute("printer-state-reasons", words.map { .string($0, .keyword) }))
      let message = IPPMessage(code: IPPStatus.ok, requestID: 1, groups: [IPPGroup(.printer, attributes)])
      let result = try #require(IPPAsker.result(ofCapture: try message.encoded()))
      let outcome = PollOutcome(
        endpoint: Endpoint(IPv4Address(0x0a00_0009)), credential: IPPAsker.accessName, cost: PollCost(), result: result)
      events += monitor.completed(outcome, time: Int64(minute) * 60_000)
    }
    return events.map(\.body).filter {
      switch $0 {
      case .alertRaised, .alertUpdated, .alertCleared: true
      default: false
      }
    }
  }

  @Test func `raise, update and clear an alert by the reasons of their state, with its duration`() throws {
    let events = try alerts([["none"], ["media-jam-warning"], ["media-jam-error"], ["media-jam-error"], ["none"]])
    guard events.count == 3, case .alertRaised(let raised) = events[0], case .alertUpdated(let updated) = events[1],
      case .alertCleared(let cleared) = events[2]
    else {
      Issue.record("\(events)")
      return
    }
    #expect(raised.key == AlertKey(group: 13, groupIndex: -1, code: 8) && raised.alert.severity == 4)
    #expect(raised.alert.description?.text == "media-jam")
    #expect(updated.key == raised.key && updated.alert.severity == 3)
    #expect(cleared.key == raised.key && cleared.milliseconds == 180_000)
  }

  @Test func `that sleep, wake, warm up or do what they were told raise nothing`() throws {
    let events = try alerts([
      ["none"], ["hibernate-report"], ["suspend"], ["power-down"], ["power-up-report"], ["printer-ready-to-print"],
      ["subunit-power-saver-warning"], ["stapler-warming-up-warning"], ["marker-adjusting-print-quality-report"],
      ["moving-to-paused", "paused"], ["cover-closed-report"], ["configuration-change-report"], ["none"],
    ])
    #expect(events.isEmpty, "\(events)")
  }

  @Test func `with two reasons that have no code raise two alerts, and clear each by itself`() throws {
    let events = try alerts([["fan-fault-warning", "acme-belt-worn-error"], ["acme-belt-worn-error"], ["none"]])
    let keys = events.map { body -> AlertKey? in
      switch body {
      case .alertRaised(let raised): raised.key
      case .alertCleared(let cleared): cleared.key
      default: nil
      }
    }
    #expect(keys.count == 4 && Set(keys).count == 2, "\(events)")
    #expect(keys.last == keys.first { $0 != keys[2] })
  }

  @Test func `are read by hand when SNMP is silent, and asked by hand over IPP alone`() async throws {
    let printer = try await IPPPrinter("127.0.35.2") { _ in .printer(serial: "IPP00000005", impressions: 7) }
    let reader = DeviceReader(engine: try UDPEngine())
    let endpoint = Endpoint(IPv4Address(0x7f00_2302), port: 16_159)
    let outcome = try await reader.read(endpoint, credentials: [TestCredentials.publicV2c], ippPort: printer.port)
    guard case .reading(let poll) = outcome.result else {
      Issue.record("\(outcome)")
      return
    }
    #expect(poll.reading.supplies.map(\.remaining) == ["42 %"] && outcome.credential == IPPAsker.accessName)
    let onlySNMP = try await reader.read(endpoint, credentials: [TestCredentials.publicV2c])
    guard case .failed(let failure) = onlySNMP.result else { return }
    #expect(failure.reason == .timeout)
  }

  @Test func `whose SNMP sleeps stay what they are, and IPP takes its place after a day of silence alone`() async throws
  {
    let asked = Mutex(0)
    let printer = try await IPPPrinter("127.0.37.2") { _ in
      asked.withLock { $0 += 1 }
      return .printer(serial: "VNB3K10008", impressions: 7)
    }
    var snmp = TestPrinter()
    snmp.serial = "VNB3K10008"
    let agent = Mutex(WalkAgent(snmp.walk))
    let isOn = Mutex(true)
    let time = Mutex<Int64>(1_000)
    let responder = LoopbackResponder("127.0.37.2") { datagram in
      guard isOn.withLock({ $0 }) else { return [] }
      return [agent.withLock { $0.answer(datagram) }].compactMap { $0 }
    }
    var settings = try settings("127.0.37.2", ippPort: printer.port, snmpPort: responder.endpoint.port)
    settings.sweepInterval = .milliseconds(300)
    settings.pollInterval = .milliseconds(500)
    let log = EventLog()
    let collector = Collector(
      settings, engine: try UDPEngine(), sink: log, profiles: .none, clock: { time.withLock { $0 } })
    let run = Task { try await collector.run() }
    await log.wait { $0.contains { if case .readingTaken = $0.body { true } else { false } } }
    isOn.withLock { $0 = false }
    await log.wait { $0.contains { if case .pollFailed = $0.body { true } else { false } } }
    // Each sweep that follows finds it over IPP, and reads it.
    let sweeps = log.all.count { if case .sweepCompleted = $0.body { true } else { false } }
    await log.wait { all in
      all.count { if case .sweepCompleted = $0.body { true } else { false } } >= sweeps + 3
        && asked.withLock { $0 } >= 3
    }
    #expect(!log.all.contains { if case .deviceMoved = $0.body { true } else { false } })
    time.withLock { $0 += 25 * 3_600_000 }
    await log.wait { $0.contains { if case .deviceMoved = $0.body { true } else { false } } }
    run.cancel()
    _ = await run.result
    #expect(Set(log.all.compactMap(\.device)).count == 1)
  }

  @Test func `whose SNMP is switched on are read over it from the next sweep on, in a new epoch of the total`()
    async throws
  {
    let printer = try await IPPPrinter("127.0.36.2") { _ in .printer(serial: "VNB3K10007", impressions: 7) }
    var snmp = TestPrinter()
    snmp.serial = "VNB3K10007"
    let agent = Mutex(WalkAgent(snmp.walk))
    let isOn = Mutex(false)
    let responder = LoopbackResponder("127.0.36.2") { datagram in
      guard isOn.withLock({ $0 }) else { return [] }
      return [agent.withLock { $0.answer(datagram) }].compactMap { $0 }
    }
    var settings = try settings("127.0.36.2", ippPort: printer.port, snmpPort: responder.endpoint.port)
    settings.sweepInterval = .milliseconds(300)
    settings.pollInterval = .seconds(60)
    let log = EventLog()
    let collector = Collector(settings, engine: try UDPEngine(), sink: log, profiles: .none, clock: { 1_000 })
    let run = Task { try await collector.run() }
    await log.wait { $0.contains { if case .readingTaken = $0.body { true } else { false } } }
    isOn.withLock { $0 = true }
    await log.wait { $0.contains { if case .meterEpochOpened = $0.body { true } else { false } } }
    run.cancel()
    _ = await run.result
    #expect(Set(log.all.compactMap(\.device)).count == 1, "one device, whichever way it is read")
    for case .meterEpochOpened(let epoch) in log.all.map(\.body) where epoch.meter == .total {
      #expect(
        epoch.evidence.hasPrefix("source changed from printer-impressions-completed to 1.3.6.1.2.1.43.10.2.1.4.1.1"))
    }
    #expect(await collector.devices.map(\.credential) == ["public"])
    let moves = log.all.compactMap { event -> DeviceMoved? in
      if case .deviceMoved(let moved) = event.body { moved } else { nil }
    }
    #expect(
      moves == [
        DeviceMoved(
          from: "127.0.36.2:\(printer.port)", to: "127.0.36.2:\(responder.endpoint.port)", evidence: "serial VNB3K10007"
        )
      ])
  }
}
