// What an agent tells hc about itself. The hub judges health by progress: what moved when, not whether a process lives.
//
//   POST /v1/health    application/json    over mutual TLS
//
// docs/formats/health.md says it to whoever writes a hub or an agent.

internal import FoundationEssentials

/// One report.
package struct HealthReport: Codable, Equatable, Sendable {
  /// A place in the journal.
  package struct Position: Codable, Equatable, Sendable {
    package var epoch: UInt32
    package var sequence: UInt64
    package init(epoch: UInt32, sequence: UInt64) {
      self.epoch = epoch
      self.sequence = sequence
    }
  }

  package struct Journal: Codable, Equatable, Sendable {
    package var head: Position
    package var acknowledged: Position?
    /// Records that the hub does not have, as far as the agent knows.
    package var lag: UInt64
    package init(head: Position, acknowledged: Position?, lag: UInt64) {
      self.head = head
      self.acknowledged = acknowledged
      self.lag = lag
    }
  }

  package struct Sweep: Codable, Equatable, Sendable {
    /// RFC 3339.
    package var completed: String
    package var milliseconds: UInt64
    /// Addresses per reason.
    package var outcomes: [String: UInt64]
    package init(completed: String, milliseconds: UInt64, outcomes: [String: UInt64]) {
      self.completed = completed
      self.milliseconds = milliseconds
      self.outcomes = outcomes
    }
  }

  package struct Component: Codable, Equatable, Sendable {
    package var name: String
    /// `ok`, `working`, `waiting`, `degraded` or `failed`.
    package var state: String
    /// RFC 3339.
    package var since: String
    package var message: String
    package init(name: String, state: String, since: String, message: String) {
      self.name = name
      self.state = state
      self.since = since
      self.message = message
    }
  }

  /// What damage has left and taken, of all epochs that the journal still has.
  package struct Damage: Codable, Equatable, Sendable {
    package var recordsLost: UInt64
    /// Records of damaged epochs that were kept.
    package var recordsSalvaged: UInt64
    /// Epochs of which it is not known how far they went, so that more may be lost.
    package var endsUnknown: Int
    /// Directories with damaged files that nobody has moved away yet.
    package var quarantines: Int
    package init(recordsLost: UInt64, recordsSalvaged: UInt64, endsUnknown: Int, quarantines: Int) {
      self.recordsLost = recordsLost
      self.recordsSalvaged = recordsSalvaged
      self.endsUnknown = endsUnknown
      self.quarantines = quarantines
    }
  }

  /// How a part moves that the agent cannot do without.
  package struct Movement: Codable, Equatable, Sendable {
    /// `writer`, `poller` or `replicator`.
    package var part: String
    /// `moving`, `idle` (rightly so) or `stuck`.
    package var state: String
    /// When it last moved, RFC 3339.
    package var moved: String
    package var reason: String
    package init(part: String, state: String, moved: String, reason: String) {
      self.part = part
      self.state = state
      self.moved = moved
      self.reason = reason
    }
  }

  package var version: String
  /// RFC 3339, by the agent's clock: the hub sees the skew.
  package var time: String
  package var uptimeSeconds: Int64
  package var journal: Journal
  /// Where the journal lies.
  package var diskFreeBytes: UInt64?
  package var certificateDaysLeft: Int64?
  package var lastSweep: Sweep?
  /// Devices per state: `read`, `unreachable`, `new`, `replaced`.
  package var devices: [String: Int]
  package var components: [Component]
  /// When the collector last moved, RFC 3339.
  package var collectorProgress: String?
  /// When delivery checks in next, RFC 3339; nil in service mode, and while a check-in goes on.
  package var nextCheckIn: String?
  /// How far the agent's clock is ahead of the hub's, as the hub told; negative behind.
  package var clockAheadSeconds: Int64?
  /// Nil where the journal is whole and nothing lies beside it.
  package var damage: Damage?
  package var progress: [Movement]

  package init(
    version: String, time: String, uptimeSeconds: Int64, journal: Journal, diskFreeBytes: UInt64?,
    certificateDaysLeft: Int64?, lastSweep: Sweep?, devices: [String: Int], components: [Component],
    collectorProgress: String?, nextCheckIn: String? = nil, clockAheadSeconds: Int64? = nil, damage: Damage? = nil,
    progress: [Movement] = []
  ) {
    self.version = version
    self.time = time
    self.uptimeSeconds = uptimeSeconds
    self.journal = journal
    self.diskFreeBytes = diskFreeBytes
    self.certificateDaysLeft = certificateDaysLeft
    self.lastSweep = lastSweep
    self.devices = devices
    self.components = components
    self.collectorProgress = collectorProgress
    self.nextCheckIn = nextCheckIn
    self.clockAheadSeconds = clockAheadSeconds
    self.damage = damage
    self.progress = progress
  }

  /// The body of the request: the same report gives the same bytes.
  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  /// What must not wait for the next minute when it changes: the components' states, the end of a sweep, the release.
  package static func headline(
    components: [(name: String, state: String)], lastSweep: String?, version: String
  ) -> [String] {
    components.map { "\($0.name)=\($0.state)" } + [lastSweep ?? "never swept", version]
  }
}
