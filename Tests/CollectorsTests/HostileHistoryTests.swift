// Devices that change while the collector watches them: what the journal is told.

import Collectors
import Discovery
import Events
import MIB
import PrinterModel
import PrinterSimulator
import SNMP
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(5))) struct `Devices that change while they are watched` {
  /// Watches one device with a fault until `condition` holds, and gives the events.
  /// - Parameter live: called after each record; moves the simulated time and the clock.
  private func watch(
    _ fault: Fault, at address: String, model: String = "hp-color-laserjet-m555",
    live: @Sendable @escaping (Server, [Event]) -> Int64 = { _, events in 1_000 + Int64(events.count) },
    until condition: @Sendable @escaping ([Event]) -> Bool
  ) async throws -> [Event] {
    let file = HostileFleet.root + "/Fixtures/devices/\(model).toml"
    var plan = DevicePlan(
      address: try #require(HostAddress(address)), contents: .model(try DeviceModel.load(file: file, name: model)))
    plan.faults = [fault]
    let server = try Server(fleet: Fleet(port: 0, seed: 5, plans: [plan]), speed: 0)
    try server.run()
    defer { server.stop() }
    var settings = CollectorSettings(
      ranges: [
        CollectorRange(
          name: address, addresses: AddressSet([try AddressRange(address)]), credentials: [TestCredentials.publicV2c])
      ])
    settings.port = UInt16(server.port)
    settings.usesIPP = false
    settings.pollInterval = .milliseconds(100)
    let history = EventLog()
    let engine = try UDPEngine()
    defer { engine.shutdown() }
    let collector = Collector(
      settings, engine: engine, sink: history, profiles: .none, clock: { live(server, history.all) })
    let run = Task { try await collector.run() }
    await history.wait(until: condition)
    run.cancel()
    _ = await run.result
    return history.all
  }

  private func readings(_ events: [Event]) -> Int {
    events.count {
      switch $0.body {
      case .readingTaken, .readingChanged, .readingUnchanged: true
      default: false
      }
    }
  }

  @Test func `a count that drops opens an epoch, and no volume is invented`() async throws {
    let events = try await watch(.countDrops(afterReplies: 24), at: "127.68.0.1") { events in
      events.contains { if case .meterEpochOpened = $0.body { true } else { false } }
    }
    for case .meterEpochOpened(let epoch) in events.map(\.body) {
      #expect(epoch.meter == .total && epoch.current == 0 && epoch.previous > 0)
      #expect(epoch.cause == "drop" && epoch.volume == nil)
    }
  }

  @Test func `a count that goes around at 2 to the 32 has its volume`() async throws {
    let day: Int64 = 86_400_000
    let lived = Mutex<Int64>(0)
    let events = try await watch(.rollsOver(pages: 600), at: "127.68.0.2") { server, events in
      let days = Int64(events.count { $0.device != nil }) / 2
      lived.withLock { lived in
        if days > lived {
          server.advance(by: .seconds(86_400))
          lived += 1
        }
      }
      return day + days * day
    } until: { events in
      events.contains { if case .meterEpochOpened = $0.body { true } else { false } }
    }
    for case .meterEpochOpened(let epoch) in events.map(\.body) where epoch.meter == .total {
      #expect(epoch.cause == "rollover" && epoch.previous > UInt64(UInt32.max) - 600)
      #expect(epoch.volume == epoch.current + (1 << 32) - epoch.previous)
    }
  }

  @Test func `another device at the address replaces the one that was there`() async throws {
    let events = try await watch(.swapped(afterReplies: 24), at: "127.68.0.3") { events in
      Set(events.compactMap(\.device)).count == 2 && events.last.map { $0.device != nil } ?? false
    }
    let replaced = events.first { if case .deviceReplaced = $0.body { true } else { false } }
    let discovered = events.filter { if case .deviceDiscovered = $0.body { true } else { false } }
    #expect(discovered.count == 2)
    guard case .deviceReplaced(let body)? = replaced?.body else {
      Issue.record("\(events.map(\.body))")
      return
    }
    #expect(body.replacement == discovered.last?.device && replaced?.device == discovered.first?.device)
    #expect(body.evidence.hasPrefix("serial "))
  }

  @Test func `zeros in front of a serial number change nothing`() async throws {
    let events = try await watch(.serialZeros(afterReplies: 21), at: "127.68.0.4") { self.readings($0) >= 15 }
    #expect(Set(events.compactMap(\.device)).count == 1)
    #expect(events.count { if case .deviceDiscovered = $0.body { true } else { false } } == 1)
    #expect(!events.contains { if case .deviceReplaced = $0.body { true } else { false } })
    let serials = events.compactMap { event -> String? in
      if case .readingTaken(let taken) = event.body { taken.reading.identity.serial?.text } else { nil }
    }
    #expect(serials.last?.hasPrefix("00") == true, "the device is read as it now calls itself: \(serials)")
  }
}
