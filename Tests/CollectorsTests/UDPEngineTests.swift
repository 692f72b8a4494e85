import Collectors
import Discovery
import Synchronization
import Testing

/// Sends `count` numbered datagrams one after another, each after the answer to the one before, and sends again after a silence.
private struct Echo: DeviceMachine {
  struct Output: Equatable, Sendable {
    var answers = 0
    var timeouts = 0
    var isRefused = false
    var elsewhere: [Endpoint] = []
  }

  var count = 1
  var timeout: Duration = .seconds(2)
  var timeoutsMax = 3
  var id: Int32 = 7
  private var output = Output()
  private(set) var outstandingID: Int32?

  init(count: Int = 1, timeout: Duration = .seconds(2), timeoutsMax: Int = 3, id: Int32 = 7) {
    self.count = count
    self.timeout = timeout
    self.timeoutsMax = timeoutsMax
    self.id = id
  }

  static func identifier(of datagram: [UInt8]) -> Int32? { datagram.first.map(Int32.init) }

  private mutating func ask(_ now: Instant) -> [Action] {
    outstandingID = id
    return [.send([UInt8(id)]), .setTimer(now.advanced(by: timeout))]
  }

  mutating func start(now: Instant) -> [Action] { ask(now) }
  mutating func received(_ datagram: [UInt8], now: Instant) -> [Action] {
    guard datagram.first == UInt8(id) else { return [] }
    output.answers += 1
    return output.answers == count ? [.finish(output)] : ask(now)
  }
  mutating func timerFired(now: Instant) -> [Action] {
    output.timeouts += 1
    return output.timeouts == timeoutsMax ? [.finish(output)] : ask(now)
  }
  mutating func undelivered(_ reason: Undeliverable, now: Instant) -> [Action] {
    guard reason == .portClosed else { return [] }
    output.isRefused = true
    return [.finish(output)]
  }
  mutating func answeredElsewhere(from source: Endpoint) { output.elsewhere.append(source) }
}

@Suite struct UDPEngineTests {
  private func engine(_ change: (inout EngineParameters) -> Void = { _ in }) throws -> UDPEngine {
    var parameters = EngineParameters()
    parameters.packetsPerSecond = 1_000_000
    parameters.burst = 10_000
    change(&parameters)
    return try UDPEngine(parameters)
  }

  @Test func `a thousand conversations run at one time and each gets its own answers`() async throws {
    let engine = try engine()
    let responders = (1...50).map { host in LoopbackResponder("127.0.7.\(host)") { [$0] } }
    let outputs = try await withThrowingTaskGroup(of: Echo.Output.self) { group in
      for index in 0..<1_000 {
        group.addTask { try await engine.run(Echo(count: 5), at: responders[index % 50].endpoint) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(outputs.count == 1_000)
    #expect(outputs.allSatisfy { $0.answers == 5 && $0.timeouts == 0 })
    engine.shutdown()
    #expect(engine.statistics.datagramsReceived == 5_000)
  }

  @Test func `two conversations with one endpoint never have requests out at the same time`() async throws {
    let engine = try engine()
    let seen = Mutex<[UInt8]>([])
    let responder = LoopbackResponder("127.0.7.60") { datagram in
      seen.withLock { $0 += datagram }
      return [datagram]
    }
    async let first = engine.run(Echo(count: 20, id: 1), at: responder.endpoint)
    async let second = engine.run(Echo(count: 20, id: 2), at: responder.endpoint)
    _ = try await (first, second)
    let order = seen.withLock { $0 }
    #expect(order == Array(repeating: order[0], count: 20) + Array(repeating: 3 - order[0], count: 20))
  }

  @Test func `an answer from a wrong source is counted and reported and never accepted`() async throws {
    let engine = try engine()
    let other = LoopbackResponder("127.0.7.71") { _ in [] }
    let device = LoopbackResponder("127.0.7.70", sendingFrom: other) { [$0] }
    let output = try await engine.run(Echo(timeout: .milliseconds(150), timeoutsMax: 2), at: device.endpoint)
    #expect(output.answers == 0)
    #expect(output.timeouts == 2)
    #expect(Set(output.elsewhere) == [other.endpoint])
    engine.shutdown()
    #expect(engine.statistics.strayDatagrams == 2)
    #expect(engine.statistics.strays == [other.endpoint: 2])
  }

  @Test func `a closed port is heard of at once`() async throws {
    let engine = try engine()
    let output = try await engine.run(Echo(timeout: .seconds(30)), at: Endpoint(IPv4Address(0x7f00_0750), port: 9))
    #expect(output.isRefused)
  }

  @Test func `a cancelled task ends its conversation and leaves the endpoint to the next`() async throws {
    let engine = try engine()
    let isAsked = AsyncStream.makeStream(of: Void.self)
    let device = LoopbackResponder("127.0.7.80") { datagram in
      isAsked.continuation.yield()
      return datagram == [1] ? [] : [datagram]
    }
    let stuck = Task { try await engine.run(Echo(timeout: .seconds(60), id: 1), at: device.endpoint) }
    for await _ in isAsked.stream { break }
    let next = Task { try await engine.run(Echo(id: 2), at: device.endpoint) }
    stuck.cancel()
    await #expect(throws: CancellationError.self) { try await stuck.value }
    #expect(try await next.value.answers == 1)
  }

  @Test func `a shutdown ends every conversation and refuses new ones`() async throws {
    let engine = try engine()
    let isAsked = AsyncStream.makeStream(of: Void.self)
    let device = LoopbackResponder("127.0.7.90") { _ in
      isAsked.continuation.yield()
      return []
    }
    let stuck = Task { try await engine.run(Echo(timeout: .seconds(60)), at: device.endpoint) }
    for await _ in isAsked.stream { break }
    engine.shutdown()
    await #expect(throws: EngineError.stopped) { try await stuck.value }
    await #expect(throws: EngineError.stopped) { try await engine.run(Echo(), at: device.endpoint) }
    engine.shutdown()
  }

  @Test func `more conversations than may wait are refused with an error that says what to do`() async throws {
    let engine = try engine { $0.waitingMax = 2 }
    let device = LoopbackResponder("127.0.7.91") { _ in [] }
    let isFull = await withTaskGroup(of: (any Error)?.self) { group in
      for _ in 0..<3 {
        group.addTask {
          do {
            _ = try await engine.run(Echo(timeout: .seconds(60)), at: device.endpoint)
            return nil
          } catch { return error }
        }
      }
      let first = await group.next() ?? nil
      group.cancelAll()
      return first as? EngineError
    }
    #expect(isFull == .overloaded(waiting: 2))
    #expect(isFull?.description.contains("Poll fewer devices") == true)
  }

  @Test func `packets leave at the pace and waiting for it is not taken for a slow device`() async throws {
    let engine = try engine {
      $0.packetsPerSecond = 100
      $0.burst = 1
    }
    let responders = (1...30).map { host in LoopbackResponder("127.0.8.\(host)") { [$0] } }
    let start = ContinuousClock.now
    let outputs = try await withThrowingTaskGroup(of: Echo.Output.self) { group in
      for responder in responders {
        group.addTask { try await engine.run(Echo(timeout: .milliseconds(120)), at: responder.endpoint) }
      }
      return try await group.reduce(into: []) { $0.append($1) }
    }
    #expect(start.duration(to: .now) > .milliseconds(280))
    #expect(outputs.allSatisfy { $0.answers == 1 && $0.timeouts == 0 })
  }
}
