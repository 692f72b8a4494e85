// One machine on its way: the machine, where it runs, and who waits for its output.

internal import Discovery

/// What the engine's thread sees of a flight, whatever its machine.
///
/// `@unchecked Sendable`: a flight is made by the calling task, handed over once through the inbox's lock, and from then on touched by the
/// engine's thread alone.
class AnyFlight: @unchecked Sendable {
  let id: UInt64
  let endpoint: Endpoint
  /// The socket that it sends from; an answer must come back there.
  var socket = 0
  var isActive = false
  var hasEnded = false
  /// Timers of an earlier generation are stale.
  var timerGeneration: UInt64 = 0
  /// Asked for while a datagram waits for the packet pace; armed when the datagram has left.
  var timerAfterSend: Instant?
  /// When the datagrams that have not left yet were queued.
  var queuedSince: Instant?
  var queuedCount = 0

  init(id: UInt64, endpoint: Endpoint) {
    self.id = id
    self.endpoint = endpoint
  }

  /// What a turn of the machine asks of the engine.
  struct Effects {
    var datagrams: [[UInt8]] = []
    var timer: Instant?
    var isFinished = false
  }

  var outstandingID: Int32? { nil }
  func identifier(of datagram: [UInt8]) -> Int32? { nil }
  func start(now: Instant) -> Effects { Effects() }
  func received(_ datagram: [UInt8], now: Instant) -> Effects { Effects() }
  func timerFired(now: Instant) -> Effects { Effects() }
  func undelivered(_ reason: Undeliverable, now: Instant) -> Effects { Effects() }
  func answeredElsewhere(from source: Endpoint) {}
  /// Gives the output of a machine that has finished to whoever waits for it.
  func land() {}
  /// Ends the flight without an output. Only the first end counts.
  func fail(_ error: any Error) {}
}

final class Flight<Machine: DeviceMachine>: AnyFlight, @unchecked Sendable {
  private var machine: Machine
  private var output: Machine.Output?
  private var continuation: CheckedContinuation<Machine.Output, any Error>?

  init(
    id: UInt64, endpoint: Endpoint, machine: Machine, continuation: CheckedContinuation<Machine.Output, any Error>
  ) {
    self.machine = machine
    self.continuation = continuation
    super.init(id: id, endpoint: endpoint)
  }

  override var outstandingID: Int32? { machine.outstandingID }
  override func identifier(of datagram: [UInt8]) -> Int32? { Machine.identifier(of: datagram) }
  override func start(now: Instant) -> Effects { carryOut(machine.start(now: now)) }
  override func received(_ datagram: [UInt8], now: Instant) -> Effects {
    carryOut(machine.received(datagram, now: now))
  }
  override func timerFired(now: Instant) -> Effects { carryOut(machine.timerFired(now: now)) }
  override func undelivered(_ reason: Undeliverable, now: Instant) -> Effects {
    carryOut(machine.undelivered(reason, now: now))
  }
  override func answeredElsewhere(from source: Endpoint) { machine.answeredElsewhere(from: source) }

  override func land() {
    guard let output = output.take() else { return }
    continuation?.resume(returning: output)
    continuation = nil
  }

  override func fail(_ error: any Error) {
    continuation?.resume(throwing: error)
    continuation = nil
  }

  private func carryOut(_ actions: [Machine.Action]) -> Effects {
    var effects = Effects()
    for action in actions {
      switch action {
      case .send(let datagram): effects.datagrams.append(datagram)
      case .setTimer(let deadline): effects.timer = deadline
      case .finish(let output):
        self.output = output
        effects.isFinished = true
        return effects
      }
    }
    return effects
  }
}
