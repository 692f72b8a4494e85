// How many devices one agent polls, what that costs its processor and the network, and how long a sweep takes. The devices are real or
// simulated; `ptsim` serves a fleet on loopback addresses.

internal import ArgumentParser
internal import Collectors
internal import Discovery
internal import Events
internal import Glibc
internal import SNMP
internal import Synchronization

struct CollectBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "collect", abstract: "Sweeps a range of devices and polls what it finds, in full and light.")

  @Option(help: "The devices, for example 127.1.0.1-127.1.3.200.") var range: String
  @Option(help: "UDP port.") var port: UInt16 = 161
  @Option(help: "Community (SNMPv2c).") var community = "public"
  @Option(help: "Polls of each device: the first is full, the others light.") var rounds = 5
  @Flag(help: "Poll in full in every round.") var full = false
  @Option(help: "Devices polled at one time; as many as the agent does by default.") var parallel = 256
  @Option(help: "Packets per second at most, for the polls.") var packetsPerSecond = 100_000
  @Option(help: "Packets per second of the sweep.") var sweepPacketsPerSecond = 200

  func validate() throws {
    guard rounds > 0, parallel > 0, packetsPerSecond > 0, sweepPacketsPerSecond > 0 else {
      throw ValidationError("rounds, parallel and the packets per second are at least 1")
    }
  }

  func run() async throws {
    let credential = NamedCredential(
      name: "bench", credential: .community(version: .v2c, community: Array(community.utf8)))
    var settings = CollectorSettings(
      ranges: [
        CollectorRange(name: range, addresses: AddressSet([try AddressRange(range)]), credentials: [credential])
      ])
    settings.port = port
    settings.sweep.packetsPerSecond = sweepPacketsPerSecond
    settings.sweep.burst = max(sweepPacketsPerSecond / 10, 1)
    var parameters = EngineParameters()
    parameters.packetsPerSecond = packetsPerSecond
    parameters.burst = max(packetsPerSecond / 100, 64)
    let engine = try UDPEngine(parameters)
    defer { engine.shutdown() }
    let reader = DeviceReader(engine: engine)
    let found = try await sweep(Surveyor(reader, settings), engine)
    try await poll(found, reader, credential, engine)
  }

  private func sweep(_ surveyor: Surveyor, _ engine: UDPEngine) async throws -> [Endpoint] {
    let before = Usage(engine)
    let results = try await surveyor.sweep()
    let used = Usage(engine).since(before)
    let found = results.filter { $0.reason == .found }.map { Endpoint($0.address, port: port) }
    print(
      #"{"benchmark":"collect.sweep","addresses":\#(results.count),"found":\#(found.count),"#
        + #""packets_per_second_max":\#(sweepPacketsPerSecond),"#
        + #""wire_bytes_per_found":\#(used.wireBytes / UInt64(max(found.count, 1))),\#(used.fields)}"#)
    return found
  }

  private func poll(
    _ endpoints: [Endpoint], _ reader: DeviceReader, _ credential: NamedCredential, _ engine: UDPEngine
  ) async throws {
    var memories = endpoints.map { (key: $0, value: reader.newMemory(credential)) }
    for round in 0..<rounds {
      let kind: PollKind = full || round == 0 ? .full : .light
      let before = Usage(engine)
      let polled = try await pollAll(memories, kind, reader, credential)
      let used = Usage(engine).since(before)
      memories = polled.memories
      let count = max(polled.readings, 1)
      print(
        #"{"benchmark":"collect.poll.\#(kind == .full ? "full" : "light")","round":\#(round),"devices":\#(endpoints.count),"#
          + #""readings":\#(polled.readings),"devices_per_second":\#(Int(Double(polled.readings) / max(used.seconds, 1e-9))),"#
          + #""wire_bytes_per_device":\#(used.wireBytes / UInt64(count)),"requests_per_device":\#(Double(polled.requests) / Double(count)),"#
          + #"\#(used.fields)}"#)
    }
  }

  /// Devices that no task has taken yet.
  private final class Waiting: Sendable {
    private let memories: Mutex<[(key: Endpoint, value: PollMemory)]>

    init(_ memories: [(key: Endpoint, value: PollMemory)]) { self.memories = Mutex(memories) }

    func next() -> (Endpoint, PollMemory)? { memories.withLock { $0.popLast() } }
  }

  private struct Polled {
    var memories: [(key: Endpoint, value: PollMemory)] = []
    var readings = 0
    var requests = 0
  }

  private func pollAll(
    _ memories: [(key: Endpoint, value: PollMemory)], _ kind: PollKind, _ reader: DeviceReader,
    _ credential: NamedCredential
  ) async throws -> Polled {
    // A task polls one device after the other; a task each would cost more than some polls do.
    let waiting = Waiting(memories)
    return try await withThrowingTaskGroup(of: Polled.self) { group in
      for _ in 0..<min(parallel, memories.count) {
        group.addTask {
          var polled = Polled()
          while let (endpoint, memory) = waiting.next() {
            let (outcome, newMemory) = try await reader.poll(
              kind, at: endpoint, credential: credential, memory: memory)
            polled.memories.append((endpoint, newMemory))
            polled.requests += Int(outcome.cost.requests)
            if case .reading = outcome.result { polled.readings += 1 }
          }
          return polled
        }
      }
      return try await group.reduce(into: Polled()) { all, polled in
        all.memories += polled.memories
        all.readings += polled.readings
        all.requests += polled.requests
      }
    }
  }

  /// Time, processor time and traffic at one moment, or between two.
  private struct Usage {
    var seconds: Double
    var processorSeconds: Double
    var sent: UInt64
    var received: UInt64
    /// With the headers of IPv4 and UDP: 28 bytes a datagram.
    var wireBytes: UInt64

    init(_ engine: UDPEngine) {
      processorSeconds = ptbench.processorSeconds()
      var now = timespec()
      clock_gettime(CLOCK_MONOTONIC, &now)
      self.seconds = Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
      let statistics = engine.statistics
      sent = statistics.datagramsSent
      received = statistics.datagramsReceived
      wireBytes = statistics.bytesSent + statistics.bytesReceived + 28 * (sent + received)
    }

    func since(_ before: Usage) -> Usage {
      var difference = self
      difference.seconds -= before.seconds
      difference.processorSeconds -= before.processorSeconds
      difference.sent &-= before.sent
      difference.received &-= before.received
      difference.wireBytes &-= before.wireBytes
      return difference
    }

    var fields: String {
      #""seconds":\#(seconds),"cpu_seconds":\#(processorSeconds),"datagrams_sent":\#(sent),"datagrams_received":\#(received),"#
        + #""wire_bytes":\#(wireBytes)"#
    }
  }
}
