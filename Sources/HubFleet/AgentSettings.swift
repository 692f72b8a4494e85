// What an agent's journal says of the hub's settings: the set that it has applied, and the one that it refused since.

package import HubDatabase
internal import Events
internal import FoundationEssentials
internal import Projections

package struct AgentSettings: Sendable {
  package struct Applied: Sendable {
    package let version: UInt64
    package let digest: [UInt8]
    /// Milliseconds since 1970 UTC by the agent's clock.
    package let at: Int64
    /// Keys that the agent's own file decides.
    package let overridden: [String]
  }

  package struct Refused: Sendable {
    package let version: UInt64
    package let digest: [UInt8]
    package let at: Int64
    package let keys: [String]
    package let reason: String
  }

  package private(set) var applied: Applied?
  package private(set) var refused: Refused?

  /// As far as the install's records are folded.
  package init(of install: Int64, _ db: any SQLConnection) throws {
    for type in [EventType.settingsApplied, EventType.settingsRefused] {
      guard
        let row = try db.row(
          "SELECT event FROM fleet_row WHERE install = ? AND key = ? ORDER BY epoch DESC LIMIT 1", install,
          StateKey(type).bytes)
      else { continue }
      let payload: Data = try row("event")
      let event = try payload.withUnsafeBytes { try Event(payload: $0) }
      switch event.body {
      case .settingsApplied(let body):
        applied = Applied(
          version: body.version, digest: body.digest, at: event.time, overridden: body.overridden)
      case .settingsRefused(let body):
        refused = Refused(
          version: body.version, digest: body.digest, at: event.time, keys: body.keys, reason: body.reason)
      default: break
      }
    }
  }
}
