// A conversation with one device as a pure value: datagrams and times come in, actions go out. The engine carries many of them on one
// thread; a test carries one by hand, without a socket and without sleeping.

package import Discovery

package typealias Instant = ContinuousClock.Instant

/// What a machine wants done.
package enum MachineAction<Output: Sendable>: Sendable {
  /// Send this datagram to the machine's device.
  case send([UInt8])
  /// Call `timerFired` at this time, unless another timer is set before. If a datagram of the same turn had to wait for the packet pace,
  /// the timer is put off by as much, so that waiting in our own queue never looks like a slow device.
  case setTimer(Instant)
  /// The conversation is over; nothing is called any more.
  case finish(Output)
}

/// Why the network itself gave a datagram back.
package enum Undeliverable: Equatable, Sendable {
  /// The host answered that nothing listens on the port (ICMP port unreachable).
  case portClosed
  /// A router or this machine said that the host or its network cannot be reached, or may not be; the system's errno.
  case unreachable(Int32)
}

/// A conversation with one device.
package protocol DeviceMachine: Sendable {
  associatedtype Output: Sendable
  typealias Action = MachineAction<Output>

  mutating func start(now: Instant) -> [Action]
  /// A datagram from exactly the endpoint that the machine runs at.
  mutating func received(_ datagram: [UInt8], now: Instant) -> [Action]
  mutating func timerFired(now: Instant) -> [Action]
  /// The network gave a datagram back. ICMP messages can be wrong, so a machine that ignores this is still right, only slower.
  mutating func undelivered(_ reason: Undeliverable, now: Instant) -> [Action]

  /// The number that an answer to the outstanding request must carry: by it an answer from a wrong source is told from noise.
  var outstandingID: Int32? { get }
  /// The number that this datagram carries, or nil.
  static func identifier(of datagram: [UInt8]) -> Int32?
  /// The answer to the outstanding request came from `source` instead of the device. It was not accepted.
  mutating func answeredElsewhere(from source: Endpoint)
}
