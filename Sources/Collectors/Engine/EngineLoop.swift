// The engine's thread: everything in this file runs there and nowhere else, once `run` has begun.

internal import CLinux
internal import Discovery

final class EngineLoop {
  /// Receive calls per socket and turn, so that a flood of answers cannot starve the timers.
  private static let receiveRoundsMax = 16
  /// Answers from wrong sources that are looked into per second; looking goes through all conversations.
  private static let straysPerSecond = 100
  /// How long a device whose conversation ended may still answer without counting as a stray.
  private static let lateFor: Duration = .seconds(10)
  /// ICMP errors left over from earlier datagrams that one send may report before its own error is believed.
  private static let sendRetriesMax = 8
  private static let wakeTag: UInt64 = 0

  private struct Outgoing {
    var flight: AnyFlight
    var bytes: [UInt8]
  }

  private let parameters: EngineParameters
  private let shared: EngineShared
  private let epoll: Int32
  private let sockets: [UDPSocket]
  private let batch = ReceiveBatch()

  private var flights: [UInt64: AnyFlight] = [:]
  private var active: [Endpoint: AnyFlight] = [:]
  /// Flights that wait for a place (`ready`) or for their endpoint to become free (`inLine`).
  private var ready: [AnyFlight] = []
  private var readyHead = 0
  private var inLine: [Endpoint: [AnyFlight]] = [:]
  private var outgoing: [Outgoing] = []
  private var outgoingHead = 0
  private var isSendBlocked = false
  private var timers = TimerHeap()
  private var pace: Pace
  private var strayPace = Pace(packetsPerSecond: straysPerSecond, burst: straysPerSecond)
  private var recent: [Endpoint: Instant] = [:]
  private var statistics = EngineStatistics()
  private var endedSincePublish = 0
  /// Flights that ended in this turn. They land together at its end: waking who waits costs as much for many as for one.
  private var landing: [AnyFlight] = []
  private var isWaitingForWritable = false

  init(_ parameters: EngineParameters, _ shared: EngineShared) throws(EngineError) {
    self.parameters = parameters
    self.shared = shared
    pace = Pace(packetsPerSecond: parameters.packetsPerSecond, burst: parameters.burst)
    var sockets: [UDPSocket] = []
    for _ in 0..<max(parameters.socketCount, 1) {
      sockets.append(try UDPSocket(bufferBytes: parameters.socketBufferBytes, hops: parameters.hops))
    }
    self.sockets = sockets
    epoll = clinux_epoll_create()
    guard epoll >= 0 else { throw .system("create an epoll", errno: -epoll) }
    try Self.add(shared.wakeDescriptor, Self.wakeTag, to: epoll)
    for (index, socket) in sockets.enumerated() { try Self.add(socket.descriptor, UInt64(index) + 1, to: epoll) }
  }

  deinit {
    _ = clinux_close(epoll)
  }

  private static func add(_ descriptor: Int32, _ tag: UInt64, to epoll: Int32) throws(EngineError) {
    let result = clinux_epoll_add(epoll, descriptor, UInt32(CLINUX_READABLE), tag)
    guard result >= 0 else { throw .system("watch a descriptor", errno: -result) }
  }

  /// Runs until the engine is shut down.
  func run() {
    var events = [CLinuxEvent](repeating: CLinuxEvent(), count: sockets.count + 1)
    while true {
      let count = clinux_epoll_wait(epoll, &events, Int32(events.count), timeoutMilliseconds())
      let now = ContinuousClock.now
      for event in events.prefix(Int(max(count, 0))) where event.tag != Self.wakeTag {
        isSendBlocked = false
        receive(on: Int(event.tag) - 1, now: now)
      }
      let news = shared.collect()
      admit(news.arrivals, cancelled: news.cancelled)
      if news.isStopping {
        land()
        return stop()
      }
      fireTimers(now: ContinuousClock.now)
      startReady(now: ContinuousClock.now)
      sendDue(now: ContinuousClock.now)
      land()
      statistics.active = active.count
      statistics.waiting = flights.count - active.count
      shared.publish(statistics, ended: endedSincePublish)
      endedSincePublish = 0
    }
  }

  /// Until the next timer, or until the pace lets the next datagram go. Rounded up, so that the loop does not spin before a deadline.
  private func timeoutMilliseconds() -> Int32 {
    if readyHead < ready.count, active.count < parameters.activeMax { return 0 }
    let now = ContinuousClock.now
    var next = timers.soonest
    if outgoingHead < outgoing.count, !isSendBlocked {
      let send = pace.earliest(now: now)
      next = min(next ?? send, send)
    }
    guard let next else { return -1 }
    let wait = now.duration(to: next) / .milliseconds(1)
    return wait <= 0 ? 0 : Int32(min(wait.rounded(.up), 60_000))
  }

  private func stop() {
    for flight in flights.values { flight.fail(EngineError.stopped) }
    shared.publish(statistics, ended: endedSincePublish + flights.count)
    flights.removeAll()
    active.removeAll()
  }

  // MARK: Flights

  private func admit(_ arrivals: [AnyFlight], cancelled: [UInt64]) {
    for flight in arrivals {
      flights[flight.id] = flight
      ready.append(flight)
    }
    for id in cancelled {
      guard let flight = flights[id] else { continue }
      flight.fail(CancellationError())
      end(flight, now: ContinuousClock.now)
    }
  }

  private func startReady(now: Instant) {
    while readyHead < ready.count, active.count < parameters.activeMax {
      let flight = ready[readyHead]
      readyHead += 1
      if flight.hasEnded { continue }
      if active[flight.endpoint] == nil {
        start(flight, now: now)
      } else {
        inLine[flight.endpoint, default: []].append(flight)
      }
    }
    if readyHead == ready.count {
      ready.removeAll(keepingCapacity: true)
      readyHead = 0
    }
  }

  private func start(_ flight: AnyFlight, now: Instant) {
    flight.socket = Int(flight.id % UInt64(sockets.count))
    flight.isActive = true
    active[flight.endpoint] = flight
    apply(flight.start(now: now), to: flight, now: now)
  }

  private func apply(_ effects: AnyFlight.Effects, to flight: AnyFlight, now: Instant) {
    for datagram in effects.datagrams {
      if flight.queuedCount == 0 { flight.queuedSince = now }
      flight.queuedCount += 1
      outgoing.append(Outgoing(flight: flight, bytes: datagram))
    }
    if effects.isFinished { return end(flight, now: now) }
    guard let deadline = effects.timer else { return }
    if flight.queuedCount > 0 { flight.timerAfterSend = deadline } else { arm(flight, at: deadline) }
  }

  private func arm(_ flight: AnyFlight, at deadline: Instant) {
    flight.timerGeneration += 1
    timers.insert(.init(deadline: deadline, flight: flight.id, generation: flight.timerGeneration))
  }

  private func land() {
    for flight in landing { flight.land() }
    landing.removeAll(keepingCapacity: true)
  }

  private func end(_ flight: AnyFlight, now: Instant) {
    flight.hasEnded = true
    landing.append(flight)
    flights[flight.id] = nil
    endedSincePublish += 1
    guard flight.isActive else { return }
    active[flight.endpoint] = nil
    remember(flight.endpoint, now: now)
    // The next in line goes to the end of the ready queue: another device may come first, none is forgotten.
    guard var line = inLine.removeValue(forKey: flight.endpoint) else { return }
    ready.append(line.removeFirst())
    if !line.isEmpty { inLine[flight.endpoint] = line }
  }

  private func fireTimers(now: Instant) {
    while let entry = timers.popDue(now: now) {
      guard let flight = flights[entry.flight], flight.timerGeneration == entry.generation else { continue }
      apply(flight.timerFired(now: now), to: flight, now: now)
    }
  }

  // MARK: Sending

  private func sendDue(now: Instant) {
    guard !isSendBlocked else { return }
    while outgoingHead < outgoing.count {
      var due: [Outgoing] = []
      while due.count < Int(CLINUX_DATAGRAMS_MAX), outgoingHead < outgoing.count {
        if outgoing[outgoingHead].flight.hasEnded {
          outgoingHead += 1
          continue
        }
        guard pace.take(now: now) else { break }
        due.append(outgoing[outgoingHead])
        outgoingHead += 1
      }
      if due.isEmpty { break }
      let unsent = send(due, now: now)
      guard unsent.isEmpty else {
        // The kernel's buffer is full: these go first when it has room.
        outgoing.replaceSubrange(..<outgoingHead, with: unsent)
        outgoingHead = 0
        watchForRoom(true)
        return
      }
    }
    watchForRoom(false)
    if outgoingHead == outgoing.count || outgoingHead > 4_096 {
      outgoing.removeFirst(outgoingHead)
      outgoingHead = 0
    }
  }

  /// Sends each datagram from its flight's socket; returns those that the kernel had no room for.
  private func send(_ due: [Outgoing], now: Instant) -> [Outgoing] {
    var unsent: [Outgoing] = []
    for (index, socket) in sockets.enumerated() {
      let own = due.filter { $0.flight.socket == index }
      let datagrams = own.map { (endpoint: $0.flight.endpoint, bytes: $0.bytes) }
      var next = 0
      var retries = 0
      while next < own.count {
        let result = socket.send(datagrams[next...])
        if result > 0 {
          for item in own[next..<next + result] { left(item, now: now) }
          next += result
          retries = 0
        } else if SystemCode.isFull(-result) {
          unsent += own[next...]
          break
        } else {
          // The error may belong to an earlier datagram (udp(7), IP_RECVERR); only when it stays is it this one's.
          takeErrors(of: index, now: now)
          retries += 1
          guard retries > Self.sendRetriesMax else { continue }
          left(own[next], now: now)
          undelivered(own[next].flight, errno: Int32(-result), now: now)
          next += 1
          retries = 0
        }
      }
    }
    return unsent
  }

  /// Accounts for a datagram that left, and arms the timer that waited for it.
  private func left(_ item: Outgoing, now: Instant) {
    statistics.datagramsSent += 1
    statistics.bytesSent += UInt64(item.bytes.count)
    let flight = item.flight
    flight.queuedCount -= 1
    guard flight.queuedCount == 0, let since = flight.queuedSince else { return }
    flight.queuedSince = nil
    if let deadline = flight.timerAfterSend, !flight.hasEnded {
      flight.timerAfterSend = nil
      arm(flight, at: deadline.advanced(by: since.duration(to: now)))
    }
  }

  private func watchForRoom(_ isBlocked: Bool) {
    isSendBlocked = isBlocked
    guard isBlocked != isWaitingForWritable else { return }
    isWaitingForWritable = isBlocked
    let events = UInt32(CLINUX_READABLE) | (isBlocked ? UInt32(CLINUX_WRITABLE) : 0)
    for (index, socket) in sockets.enumerated() {
      _ = clinux_epoll_change(epoll, socket.descriptor, events, UInt64(index) + 1)
    }
  }

  // MARK: Receiving

  private func receive(on index: Int, now: Instant) {
    for _ in 0..<Self.receiveRoundsMax {
      let count = batch.receive(from: sockets[index])
      if count < 0 {
        // What the socket reports here are ICMP errors of earlier datagrams.
        takeErrors(of: index, now: now)
        continue
      }
      for position in 0..<count {
        statistics.datagramsReceived += 1
        guard let (source, bytes) = batch.datagram(position) else {
          statistics.cutDatagrams += 1
          continue
        }
        statistics.bytesReceived += UInt64(bytes.count)
        if let flight = active[source], flight.socket == index {
          apply(flight.received(bytes, now: now), to: flight, now: now)
        } else {
          stray(bytes, from: source, now: now)
        }
      }
      if count < ReceiveBatch.capacity { break }
    }
    takeErrors(of: index, now: now)
  }

  /// An answer from where nothing was asked: counted, and told to the conversation whose request it answers.
  private func stray(_ bytes: [UInt8], from source: Endpoint, now: Instant) {
    if let ended = recent[source], ended.duration(to: now) < Self.lateFor {
      statistics.lateDatagrams += 1
      return
    }
    statistics.strayDatagrams += 1
    if statistics.strays[source] != nil || statistics.strays.count < EngineStatistics.straysMax {
      statistics.strays[source, default: 0] += 1
    }
    guard strayPace.take(now: now) else { return }
    for flight in active.values {
      guard let expected = flight.outstandingID, flight.identifier(of: bytes) == expected else { continue }
      flight.answeredElsewhere(from: source)
    }
  }

  private func remember(_ endpoint: Endpoint, now: Instant) {
    recent[endpoint] = now
    guard recent.count > 2 * parameters.activeMax else { return }
    recent = recent.filter { $0.value.duration(to: now) < Self.lateFor }
    // More devices ended within ten seconds than are kept: forget them all rather than grow.
    if recent.count > 2 * parameters.activeMax { recent.removeAll() }
  }

  private func takeErrors(of index: Int, now: Instant) {
    while let (endpoint, code) = sockets[index].nextError() {
      guard let flight = active[endpoint], flight.socket == index else { continue }
      undelivered(flight, errno: code, now: now)
    }
  }

  private func undelivered(_ flight: AnyFlight, errno code: Int32, now: Instant) {
    statistics.undeliverable += 1
    guard !flight.hasEnded else { return }
    let reason: Undeliverable = SystemCode.isPortClosed(code) ? .portClosed : .unreachable(code)
    apply(flight.undelivered(reason, now: now), to: flight, now: now)
  }
}
