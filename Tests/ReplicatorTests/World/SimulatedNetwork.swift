import Replicator
import Simulation

/// Connections between agent and hub. What goes one way in one of them keeps its order; one connection may overtake another. A cut
/// stops what is under way at some point, and neither side knows at once.
struct SimulatedNetwork {
  private struct Connection {
    let hub: Int
    /// When the last message that was sent arrives.
    var lastUp: Int64 = 0
    var lastDown: Int64 = 0
    /// Nothing that was to arrive later arrives.
    var upUntil = Int64.max
    var downUntil = Int64.max
    var isCut: Bool { upUntil < .max }
  }

  private var connections: [Connection] = []

  /// - Parameter hub: which of the hub's lives is connected to.
  mutating func connect(toHub hub: Int) -> Int {
    connections.append(Connection(hub: hub))
    return connections.count - 1
  }

  /// The hub's life that the connection leads to.
  func hub(of connection: Int) -> Int { connections[connection].hub }

  func isCut(_ connection: Int) -> Bool { connections[connection].isCut }

  /// When something that the agent sends now arrives; nil: never.
  mutating func sendUp(_ connection: Int, now: Int64, _ random: inout SplitMix64) -> Int64? {
    guard !connections[connection].isCut else { return nil }
    connections[connection].lastUp = max(connections[connection].lastUp, now + Self.delay(&random))
    return connections[connection].lastUp
  }

  /// When something that the hub sends now arrives; nil: never.
  mutating func sendDown(_ connection: Int, now: Int64, _ random: inout SplitMix64) -> Int64? {
    guard !connections[connection].isCut else { return nil }
    connections[connection].lastDown = max(connections[connection].lastDown, now + Self.delay(&random))
    return connections[connection].lastDown
  }

  /// When something that is sent beside the rest now arrives, in either direction: what it overtakes is not its business. Nil: never.
  func sendAside(_ connection: Int, now: Int64, _ random: inout SplitMix64) -> Int64? {
    connections[connection].isCut ? nil : now + Self.delay(&random)
  }

  func arrivesUp(_ connection: Int, now: Int64) -> Bool { now <= connections[connection].upUntil }
  func arrivesDown(_ connection: Int, now: Int64) -> Bool { now <= connections[connection].downUntil }

  /// Some of what is under way arrives yet, and what is sent from now on does not.
  mutating func cut(_ connection: Int, now: Int64, _ random: inout SplitMix64) {
    guard !connections[connection].isCut else { return }
    let (up, down) = (max(now, connections[connection].lastUp), max(now, connections[connection].lastDown))
    connections[connection].upUntil = Int64.random(in: now...up, using: &random)
    connections[connection].downUntil = Int64.random(in: now...down, using: &random)
  }

  /// Mostly a few milliseconds, now and then seconds.
  private static func delay(_ random: inout SplitMix64) -> Int64 {
    1_000_000 * Int64.random(in: 1...(random.once(in: 20) ? 4_000 : 150), using: &random)
  }
}
