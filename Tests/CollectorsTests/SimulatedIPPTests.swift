// Printers of ptsim that speak IPP: what the collector reads over it is what it reads over SNMP, as far as IPP can tell it.

import Collectors
import DeviceHTTP
import Discovery
import Events
import Foundation
import MIB
import PrinterModel
import PrinterSimulator
import SNMP
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct `Simulated printers over IPP` {
  private static let models: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: HostileFleet.root + "/Fixtures/devices")) ?? []
    return files.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(".toml".count)) }.sorted()
  }()

  private func plan(_ model: String, at address: String) throws -> DevicePlan {
    let file = HostileFleet.root + "/Fixtures/devices/\(model).toml"
    var plan = DevicePlan(
      address: try #require(HostAddress(address)), contents: .model(try DeviceModel.load(file: file, name: model)))
    plan.location = "2nd floor"
    plan.ipp = .objects
    return plan
  }

  private func serve<R>(
    _ plans: [DevicePlan], speed: Double = 0, _ body: (Server, CollectorSettings) async throws -> R
  ) async throws -> R {
    let server = try Server(fleet: Fleet(port: 0, seed: 69, plans: plans), ippPort: 0, speed: speed)
    try server.run()
    defer { server.stop() }
    let range = "\(plans[0].address)-\(plans[plans.count - 1].address.number & 0xFF)"
    var settings = CollectorSettings(
      ranges: [
        CollectorRange(
          name: range, addresses: AddressSet([try AddressRange(range)]), credentials: [TestCredentials.publicV2c])
      ])
    settings.port = UInt16(server.port)
    settings.ippPort = UInt16(try #require(server.ippPort))
    settings.browsesAnnouncements = false
    settings.sweep.firstPatience = .milliseconds(200)
    settings.sweep.secondPatience = .milliseconds(400)
    return try await body(server, settings)
  }

  /// What both ways can tell.
  private struct Common: Equatable {
    var identity: [String?]
    var total: String?
    var supplies: [String]
    var alerts: [String]
    var inputs: [String]

    init(_ reading: Reading) {
      let own = reading.identity
      identity = [
        own.make, own.serial?.text, own.macAddress.map { "\($0)" }, own.location?.text, own.printerName?.text,
      ]
      // The life count: over SNMP a profile may know a total that the standard's objects do not have.
      let life =
        reading.meters.first { $0.name.qualifier.hasPrefix("marker") } ?? reading.meters.first { $0.name == .total }
      total = life.map { "\($0.value) \($0.unit.name) \($0.quality)" }
      supplies = reading.supplies.filter { $0.row.components.count == 2 }.map {
        let part = "\($0.row.components[1]) \($0.supplyClass ?? 0) \($0.type ?? 0) \($0.description?.text ?? "-")"
        return "\(part) \($0.colorant?.text ?? "-") \($0.level ?? -9) \($0.remaining) \($0.quality)"
      }.sorted()
      alerts = reading.alerts.map {
        "\($0.group ?? 0) \($0.groupIndex ?? 0) \($0.code ?? 0) \($0.severity ?? 0) \($0.description?.text ?? "-")"
      }.sorted()
      inputs = reading.inputs.map { "\($0.row.components[1]) \($0.name?.text ?? "-") \($0.levelWords)" }.sorted()
    }
  }

  @Test(arguments: models) func `read as they do over SNMP, of every model and with its alerts`(model: String)
    async throws
  {
    try await serve([try plan(model, at: "127.70.0.1")]) { server, settings in
      let engine = try UDPEngine()
      defer { engine.shutdown() }
      let reader = DeviceReader(engine: engine)
      let endpoint = Endpoint(try #require(IPv4Address("127.70.0.1")), port: settings.port)
      // Time enough for supplies to run low, trays to be empty and covers open.
      for _ in 0..<3 {
        server.advance(by: .seconds(3 * 86_400))
        let snmp = try await reader.read(
          endpoint, credentials: [TestCredentials.publicV2c, TestCredentials.publicV1])
        let ipp = try await reader.ipp.poll(endpoint, port: settings.ippPort).outcome
        guard case .reading(let left) = snmp.result, case .reading(let right) = ipp.result else {
          Issue.record("\(snmp.result) \(ipp.result)")
          return
        }
        #expect(Common(right.reading) == Common(left.reading), "\(model)")
        #expect(right.reading.findings.isEmpty, "\(right.reading.findings)")
        #expect(right.reading.checks.filter { !$0.holds }.isEmpty)
      }
    }
  }

  @Test func `over IPP come to what they must, whatever is wrong with their answers`() async throws {
    let faults = [nil, "ipp-slow:300", "ipp-cut:0", "ipp-cut:600", "ipp-malformed", "ipp-busy"]
    let plans = try faults.enumerated().map { place, fault in
      var plan = try plan("brother-mfc-l8900", at: "127.73.0.\(place + 1)")
      plan.faults = try fault.map { [try Fault($0)] } ?? []
      return plan
    }
    let spelled = Set(faults.compactMap { $0?.split(separator: ":").first.map(String.init) })
    #expect(spelled == Set(Fault.catalogue.map(\.name).filter { $0.hasPrefix("ipp-") }))
    try await serve(plans) { server, settings in
      let asker = IPPAsker()
      var results: [PollOutcome] = []
      for plan in plans {
        let endpoint = Endpoint(try #require(IPv4Address("\(plan.address)")), port: settings.ippPort)
        results.append(try await asker.poll(endpoint, port: settings.ippPort).outcome)
      }
      func meters(_ index: Int) throws -> [MeterName] {
        guard case .reading(let poll) = results[index].result, poll.interruption == nil else { throw Unread() }
        return poll.reading.meters.map(\.name)
      }
      func failure(_ index: Int) -> PollFailure? {
        switch results[index].result {
        case .failed(let failure): failure
        case .reading(let poll): poll.interruption
        }
      }
      let honest = try meters(0)
      #expect(!honest.isEmpty)
      #expect(try meters(1) == honest)
      #expect(results[1].cost.milliseconds >= 300)
      for index in 2...5 { #expect(failure(index) != nil, "\(faults[index] ?? "") \(results[index].result)") }
      #expect(failure(4)?.reason == .malformed)
      #expect(failure(5)?.message.contains("503") == true, "\(String(describing: failure(5)))")
    }
  }

  private struct Unread: Error {}

  @Test func `are found by a sweep among those that speak SNMP, by IPP alone as well`() async throws {
    var plans = try ["hp-laserjet-m507", "brother-mfc-l8900", "kyocera-ecosys-m3655"].enumerated().map { place, model in
      try plan(model, at: "127.71.0.\(place + 1)")
    }
    plans[0].ipp = nil
    plans[1].versions = []
    try await serve(plans) { _, settings in
      let engine = try UDPEngine()
      defer { engine.shutdown() }
      let results = try await Surveyor(DeviceReader(engine: engine), settings).sweep()
      #expect(results.map(\.reason) == [.found, .found, .found])
      #expect(results.map(\.credential) == ["public", IPPAsker.accessName, "public"], "SNMP where it answers")
      #expect(results[1].identity?.serial?.text.isEmpty == false)
    }
  }

  @Test func `are found at the port that they announce, within the ranges alone`() async throws {
    var only = try plan("brother-mfc-l8900", at: "127.71.1.1")
    only.versions = []
    try await serve([only]) { _, settings in
      let announced = AnnouncedPrinter(
        service: "_ipp._tcp", instance: "Front", host: "front.local", port: settings.ippPort,
        address: try #require(IPv4Address("127.71.1.1")), attributes: ["rp": "ipp/printer"])
      var settings = settings
      // Where nothing listens.
      settings.ippPort = 1
      settings.browsesAnnouncements = true
      let engine = try UDPEngine()
      defer { engine.shutdown() }
      let reader = DeviceReader(engine: engine)
      let silent = try await Surveyor(reader, settings, browse: { _ in [] }).sweep()
      #expect(silent.map(\.reason) == [.noAnswer])
      let results = try await Surveyor(reader, settings, browse: { _ in [announced] }).sweep()
      #expect(results.map(\.reason) == [.found] && results[0].credential == IPPAsker.accessName)
      #expect(results[0].announcedWay == AnnouncedWay(announced))
      #expect(results[0].detail.contains("at port \(announced.port), as it announces"), "\(results[0].detail)")
    }
  }

  @Test func `are polled, their alerts raised and cleared, at the address of IPP`() async throws {
    var only = try plan("brother-mfc-l8900", at: "127.72.0.1")
    only.versions = []
    let (start, day) = (Int64(1_000), Int64(86_400_000))
    try await serve([only]) { server, settings in
      var settings = settings
      settings.pollInterval = .milliseconds(50)
      let record = EventLog()
      let engine = try UDPEngine()
      defer { engine.shutdown() }
      // A tenth of a day for each event: supplies run low and are replaced, trays are filled.
      let lived = Mutex<Int64>(0)
      let collector = Collector(
        settings, engine: engine, sink: record,
        clock: {
          let tenths = Int64(record.all.count)
          let more = lived.withLock { lived in
            defer { lived = max(lived, tenths) }
            return max(0, tenths - lived)
          }
          server.advance(by: .milliseconds(more * day / 10))
          return start + tenths * day / 10
        })
      let run = Task { try await collector.run() }
      func has(_ events: [Event], _ wanted: (EventBody) -> Bool) -> Bool { events.contains { wanted($0.body) } }
      await record.wait { events in
        has(events) { if case .readingChanged = $0 { true } else { false } }
          && has(events) { if case .alertCleared(let cleared) = $0 { cleared.key.group >= 0 } else { false } }
      }
      run.cancel()
      _ = await run.result
      let device = record.all.compactMap { event -> DeviceDiscovered? in
        if case .deviceDiscovered(let discovered) = event.body { discovered } else { nil }
      }
      #expect(device.map(\.address) == ["127.72.0.1:\(settings.ippPort)"])
      for case .alertCleared(let cleared) in record.all.map(\.body) {
        #expect(has(record.all) { if case .alertRaised(let raised) = $0 { raised.key == cleared.key } else { false } })
      }
    }
  }

  @Test func `refuse in HTTP what is no request of IPP`() async throws {
    try await serve([try plan("hp-laserjet-m507", at: "127.74.0.1")]) { _, settings in
      let client = DeviceHTTPClient()
      func status(_ path: String, _ type: String, _ body: [UInt8]) async throws -> Int {
        let request = DeviceRequest(
          address: "127.74.0.1", port: settings.ippPort, path: path, contentType: type, body: body)
        return try await client.post(request, within: .seconds(10)).status
      }
      let refused = [
        try await status("/elsewhere", "application/ipp", [1]), try await status("/ipp/print", "text/plain", [1]),
        try await status("/ipp/print", "application/ipp", [1, 2]),
        try await status("/ipp/print", "application/ipp", [UInt8](repeating: 0, count: 70_000)),
      ]
      #expect(refused == [404, 415, 400, 413])
    }
  }

  @Test func `answer as a captured response does`() async throws {
    let file = HostileFleet.root + "/Fixtures/ipp/everywhere-laser.ipp"
    var plan = DevicePlan(address: try #require(HostAddress("127.73.0.1")), contents: .recording(Walk(), file: file))
    plan.communities = []
    plan.ipp = try IPPContents.load(file: file)
    try await serve([plan]) { _, settings in
      let engine = try UDPEngine()
      defer { engine.shutdown() }
      let endpoint = Endpoint(try #require(IPv4Address("127.73.0.1")))
      let outcome = try await DeviceReader(engine: engine).ipp.poll(endpoint, port: settings.ippPort).outcome
      let bytes = [UInt8](try Data(contentsOf: URL(fileURLWithPath: file)))
      guard case .reading(let polled) = outcome.result, case .reading(let captured)? = IPPAsker.result(ofCapture: bytes)
      else {
        Issue.record("\(outcome.result)")
        return
      }
      #expect(polled.reading == captured.reading && !captured.reading.supplies.isEmpty)
    }
  }
}
