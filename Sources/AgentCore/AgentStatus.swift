// How an agent is doing, as `<state>/status.json` holds it and `ptagent status` shows it. The file is written by the agent alone, replaced in
// one step, and read by anyone; its keys only ever gain company.

internal import FoundationEssentials
internal import Platform

/// The state of the whole agent.
package struct AgentStatus: Codable, Equatable, Sendable {
  package enum Condition: String, CaseIterable, Codable, Sendable {
    /// Nothing to do, nothing wrong.
    case ok
    /// Busy with what it is there for.
    case working
    /// For something that comes by itself: a hub that is away, a pause.
    case waiting
    /// Goes on, but somebody should look.
    case degraded
    /// Does not go on before somebody acts.
    case failed
  }

  package struct Component: Codable, Equatable, Sendable {
    package var name: String
    package var state: Condition
    /// When this state began, RFC 3339.
    package var since: String
    package var message: String
    /// What to do; nil when there is nothing to do.
    package var remedy: String?
  }

  /// How one of the three parts moves that the agent cannot do without.
  package struct Movement: Codable, Equatable, Sendable {
    /// `writer`, `poller` or `replicator`.
    package var part: String
    /// `moving`, `idle` (rightly so) or `stuck`.
    package var state: String
    /// When it last moved, RFC 3339.
    package var moved: String
    package var reason: String
  }

  package struct Position: Codable, Equatable, Sendable {
    package var epoch: UInt32
    package var sequence: UInt64
  }

  package struct Install: Codable, Equatable, Sendable {
    package var id: String
    package var entity: String
    package var hub: String
    package var certificateDaysLeft: Int64
    /// How far this machine's clock is ahead of the hub's; negative behind. Nil before the hub has told.
    package var clockAheadSeconds: Int64?
  }

  package struct Journal: Codable, Equatable, Sendable {
    package var directory: String
    package var head: Position
    package var acknowledged: Position?
    /// Records that the hub does not have, as far as the agent knows; nil before it was ever enrolled.
    package var lag: UInt64?
  }

  package struct LastSweep: Codable, Equatable, Sendable {
    /// RFC 3339.
    package var completed: String
    /// Addresses per reason.
    package var outcomes: [String: UInt64]
  }

  package struct SweepState: Codable, Equatable, Sendable {
    package var isRunning: Bool
    package var done: Int
    package var total: Int
    package var found: Int
    /// Addresses per second.
    package var rate: Double
    package var secondsLeft: Int64?
  }

  package struct Delivery: Codable, Equatable, Sendable {
    package var recordsSent: UInt64
    package var rejections: UInt64
    package var conflicts: UInt64
    /// `service` or `normal`; nil: by an earlier release.
    package var mode: String?
    /// When the next check-in is due, RFC 3339.
    package var nextCheckIn: String?
    package var recordsAcknowledged: UInt64?
    /// Sent ahead of their turn.
    package var expressSent: UInt64?
    /// Records that the hub acknowledged, per second over the last minute, and over the last five.
    package var rateOverOneMinute: Double?
    package var rateOverFiveMinutes: Double?
  }

  /// Technicians' sessions with devices' own pages, where there may be any.
  package struct Remote: Codable, Equatable, Sendable {
    /// Sessions that are open.
    package var sessions: Int
  }

  package var version: String
  package var process: Int32
  /// RFC 3339.
  package var started: String
  /// When this was written, RFC 3339.
  package var written: String
  package var writtenMilliseconds: Int64
  package var install: Install?
  package var journal: Journal
  package var sweep: SweepState?
  /// Devices per state: `read`, `unreachable`, `new`, `replaced`.
  package var devices: [String: Int]
  package var delivery: Delivery
  package var components: [Component]
  /// Nil: by an earlier release.
  package var progress: [Movement]?
  /// The last sweep that ended; nil: none did.
  package var lastSweep: LastSweep?
  /// Nil: [remote] is not switched on.
  package var remote: Remote?

  /// The file in a state directory.
  package static func path(in stateDirectory: String) -> String { stateDirectory + "/status.json" }

  /// The worst condition of all components.
  package var condition: Condition {
    let order: [Condition] = [.failed, .degraded, .waiting, .working, .ok]
    return order.first { condition in components.contains { $0.state == condition } } ?? .ok
  }

  /// One line, as every JSON that the agent prints.
  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self)) + [0x0a]
  }

  /// The status that an agent left in a state directory; nil when there is none.
  /// - Throws: `SystemError`, or what the JSON decoder says of a file that is not one.
  package static func read(stateDirectory: String) throws -> AgentStatus? {
    let bytes: [UInt8]
    do { bytes = try Files.read(path(in: stateDirectory)) } catch {
      if error.isNotFound { return nil }
      throw error
    }
    return try JSONDecoder().decode(AgentStatus.self, from: Data(bytes))
  }
}
