import Collectors
import Discovery
import Events
import PrinterModel
import SNMP
import Synchronization
import Testing

/// Devices at loopback addresses that can be exchanged while they are served.
private final class Exchange: Sendable {
  private let agents: Mutex<[String: WalkAgent]>

  init(_ printers: [String: TestPrinter]) { agents = Mutex(printers.mapValues { WalkAgent($0.walk) }) }

  func serve(_ address: String, port: UInt16) -> LoopbackResponder {
    LoopbackResponder(address, port: port) { [self] datagram in
      [agents.withLock { $0[address]?.answer(datagram) }].compactMap { $0 }
    }
  }

  func exchange(_ one: String, _ other: String) {
    agents.withLock { agents in
      let moved = agents[one]
      agents[one] = agents[other]
      agents[other] = moved
    }
  }
}

@Suite(.timeLimit(.minutes(3))) struct `Two devices that exchange their addresses` {
  private func printer(_ number: UInt8) -> TestPrinter {
    var printer = TestPrinter()
    printer.serial = "VNB3K1000\(number)"
    printer.mac[5] = number
    return printer
  }

  private func moves(_ events: [Event]) -> [DeviceMoved] {
    events.compactMap { if case .deviceMoved(let moved) = $0.body { moved } else { nil } }
  }

  @Test func `are both followed by the poll of one of them, without a sweep`() async throws {
    let exchange = Exchange(["127.0.29.2": printer(2), "127.0.29.3": printer(3)])
    let first = exchange.serve("127.0.29.2", port: 0)
    let port = first.endpoint.port
    let second = exchange.serve("127.0.29.3", port: port)
    var settings = CollectorSettings(
      ranges: [
        CollectorRange(
          name: "all", addresses: AddressSet([try AddressRange("127.0.29.2-3")]),
          credentials: [TestCredentials.publicV2c])
      ])
    settings.port = port
    settings.usesIPP = false
    let sink = EventLog()
    let collector = Collector(settings, engine: try UDPEngine(), sink: sink, profiles: .none, clock: { 1_000 })
    let run = Task { try await collector.run() }
    await sink.wait { $0.contains { if case .sweepCompleted = $0.body { true } else { false } } }
    await sink.wait { $0.count { if case .readingTaken = $0.body { true } else { false } } == 2 }
    exchange.exchange("127.0.29.2", "127.0.29.3")
    let asked = try #require(await collector.devices.map(\.id).min())
    _ = try await collector.poll([asked], alerts: false)
    await sink.wait { moves($0).count == 2 }
    run.cancel()
    _ = await run.result
    withExtendedLifetime((first, second)) {}
    let addresses = ["127.0.29.2:\(port)", "127.0.29.3:\(port)"]
    #expect(moves(sink.all).map(\.to).sorted() == addresses)
    #expect(await collector.devices.compactMap { $0.endpoint?.description }.sorted() == addresses)
  }
}
