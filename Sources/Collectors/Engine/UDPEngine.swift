// The engine: one thread, a few UDP sockets, thousands of conversations.
//
//   task --run(machine)--> inbox --eventfd--> [ thread: start, receive, fire timers, send at the pace ] --output--> task
//
// * One conversation per endpoint at a time; others for the same endpoint wait in line, so that a device never has two requests of ours.
// * An answer belongs to a conversation if it came from that conversation's address and port, to the socket that asked. Anything else is
//   counted, shown in `statistics`, told to the conversation whose request it answers, and never accepted.
// * Everything queued is bounded. What does not fit is refused with an error, not kept.
// * A packet pace holds for the engine as a whole. Timers count from when a datagram really left.

internal import CLinux
package import Discovery
internal import Glibc
internal import Synchronization

/// The engine's limits.
package struct EngineParameters: Sendable {
  /// Sockets, so that answers do not all share one receive buffer and one guessable port.
  package var socketCount = 4
  /// Receive and send buffer per socket: some thousand answers of 1 KiB may wait while the thread is busy.
  package var socketBufferBytes: Int32 = 4 << 20
  /// Conversations at one time: those of the fastest sweep (`SweepParameters.inFlightMax`) and some thousand polls.
  package var activeMax = 20_480
  /// Conversations that wait for a place; more are refused (`EngineError.overloaded`).
  package var waitingMax = 65_536
  /// 2,000 small packets per second are 2 Mbit/s: a fleet of a thousand devices is polled in seconds, and no branch office's line is full.
  package var packetsPerSecond = 2_000
  package var burst = 64
  /// How many routers a request passes at most, plus one; nil: as the machine is set.
  package var hops: Int?

  package init() {}
}

/// Why a conversation did not take place.
package enum EngineError: Error, Equatable, CustomStringConvertible {
  case stopped
  case overloaded(waiting: Int)
  case system(String, errno: Int32)

  package var description: String {
    switch self {
    case .stopped: "The UDP engine has been shut down."
    case .overloaded(let waiting):
      "\(waiting) conversations with devices wait already. Poll fewer devices in parallel or raise the poll interval."
    case .system(let what, let code): "Could not \(what): \(String(cString: strerror(code))) (errno \(code))."
    }
  }
}

/// What the engine counted since it started, as of the thread's last full turn; after `shutdown`, all of it.
package struct EngineStatistics: Equatable, Sendable {
  /// Sources kept by name in `strays`; later ones are only counted.
  package static let straysMax = 32

  package var datagramsSent: UInt64 = 0
  package var datagramsReceived: UInt64 = 0
  package var bytesSent: UInt64 = 0
  package var bytesReceived: UInt64 = 0
  /// Answers from an endpoint that nothing was asked of.
  package var strayDatagrams: UInt64 = 0
  /// Where they came from, for people.
  package var strays: [Endpoint: UInt64] = [:]
  /// Answers from a device whose conversation had just ended, for example to a request that was sent twice.
  package var lateDatagrams: UInt64 = 0
  /// Answers larger than a UDP datagram can be, which the kernel cut.
  package var cutDatagrams: UInt64 = 0
  package var undeliverable: UInt64 = 0
  package var active = 0
  package var waiting = 0

  package init() {}
}

/// Runs device machines over UDP.
package final class UDPEngine: Sendable {
  private let shared: EngineShared
  private let thread: Mutex<pthread_t?>

  /// Opens the sockets and starts the thread.
  /// - Throws: `EngineError.system`; nothing is left open then.
  package init(_ parameters: EngineParameters = EngineParameters()) throws(EngineError) {
    shared = try EngineShared(waitingMax: parameters.waitingMax)
    let loop = try EngineLoop(parameters, shared)
    // The thread owns the loop from here on, through this one retain.
    let retained = Unmanaged.passRetained(loop)
    var identifier = pthread_t()
    let failure: Int32 = pthread_create(
      &identifier, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<EngineLoop>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, retained.toOpaque())
    guard failure == 0 else {
      retained.release()
      throw .system("start the UDP engine's thread", errno: failure)
    }
    thread = Mutex(identifier)
  }

  deinit {
    shutdown()
  }

  /// Runs a machine against a device until it finishes. It is made where it stays.
  /// - Throws: `CancellationError` if the task is cancelled, `EngineError` if the engine has no room or is shut down. What the device does or
  ///   does not answer is never thrown: it is in the machine's output.
  package func run<Machine: DeviceMachine>(
    _ machine: @autoclosure () -> Machine, at endpoint: Endpoint
  ) async throws -> Machine.Output {
    let id = shared.newID()
    return try await withTaskCancellationHandler {
      try await withCheckedThrowingContinuation { continuation in
        let flight = Flight(id: id, endpoint: endpoint, machine: machine(), continuation: continuation)
        if let refusal = shared.submit(flight) { return flight.fail(refusal) }
        // A cancellation that came before the flight was known is told again.
        if Task.isCancelled { shared.cancel(id) }
      }
    } onCancel: {
      shared.cancel(id)
    }
  }

  package var statistics: EngineStatistics { shared.statistics }

  /// Ends every conversation with `EngineError.stopped`, joins the thread and closes the sockets. May be called again. Blocks for less than
  /// one turn of the loop.
  package func shutdown() {
    shared.stop()
    let running = thread.withLock { thread -> pthread_t? in
      defer { thread = nil }
      return thread
    }
    if let running { pthread_join(running, nil) }
  }
}

/// What tasks and the thread share.
final class EngineShared: Sendable {
  struct Inbox {
    var arrivals: [AnyFlight] = []
    var cancelled: [UInt64] = []
    var isStopping = false
    var nextID: UInt64 = 1
    /// Flights handed in and not ended.
    var open = 0
    var statistics = EngineStatistics()
  }

  private let inbox = Mutex(Inbox())
  private let wake: Int32
  private let openMax: Int

  init(waitingMax: Int) throws(EngineError) {
    openMax = waitingMax
    wake = clinux_eventfd_create()
    guard wake >= 0 else { throw .system("create an eventfd", errno: -wake) }
  }

  deinit {
    _ = clinux_close(wake)
  }

  var wakeDescriptor: Int32 { wake }
  var statistics: EngineStatistics { inbox.withLock { $0.statistics } }

  func newID() -> UInt64 {
    inbox.withLock { inbox in
      defer { inbox.nextID += 1 }
      return inbox.nextID
    }
  }

  /// Hands a flight to the thread, or says why not.
  func submit(_ flight: AnyFlight) -> EngineError? {
    let refusal: EngineError? = inbox.withLock { inbox in
      if inbox.isStopping { return .stopped }
      if inbox.open >= openMax { return .overloaded(waiting: inbox.open) }
      inbox.open += 1
      inbox.arrivals.append(flight)
      return nil
    }
    if refusal == nil { signal() }
    return refusal
  }

  func cancel(_ id: UInt64) {
    inbox.withLock { $0.cancelled.append(id) }
    signal()
  }

  func stop() {
    inbox.withLock { $0.isStopping = true }
    signal()
  }

  /// Takes what came in. Called by the thread.
  func collect() -> (arrivals: [AnyFlight], cancelled: [UInt64], isStopping: Bool) {
    _ = clinux_eventfd_drain(wake)
    return inbox.withLock { inbox in
      defer {
        inbox.arrivals.removeAll(keepingCapacity: true)
        inbox.cancelled.removeAll(keepingCapacity: true)
      }
      return (inbox.arrivals, inbox.cancelled, inbox.isStopping)
    }
  }

  /// Publishes the thread's counts, and that so many flights ended.
  func publish(_ statistics: EngineStatistics, ended: Int) {
    inbox.withLock { inbox in
      inbox.statistics = statistics
      inbox.open -= ended
    }
  }

  private func signal() {
    // A full counter means that a wake is pending already; nothing else can fail on a descriptor of our own.
    _ = clinux_eventfd_signal(wake)
  }
}
