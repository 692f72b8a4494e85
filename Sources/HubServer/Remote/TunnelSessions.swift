// The tunnels that this hub holds, and the way to those that others hold.

internal import Events
internal import Synchronization

/// Where a session's requests go, and what is added to them.
struct TunnelLine: Sendable {
  let connection: TunnelConnection
  /// For the hub that holds the tunnel; nil: it is this one.
  let session: JobID?
}

final class TunnelSessions: Sendable {
  private let held = Mutex<[JobID: TunnelConnection]>([:])
  /// How other hubs reach this one.
  let ownAddress: String
  private let relays: RelayClient

  init(ownAddress: String, relays: RelayClient) {
    self.ownAddress = ownAddress
    self.relays = relays
  }

  /// - Returns: false where there is one already.
  func hold(_ job: JobID, _ connection: TunnelConnection) -> Bool {
    held.withLock { held in
      guard held[job] == nil else { return false }
      held[job] = connection
      return true
    }
  }

  func letGo(_ job: JobID) { held.withLock { _ = $0.removeValue(forKey: job) } }

  var jobs: [JobID] { held.withLock { Array($0.keys) } }

  func connection(of job: JobID) -> TunnelConnection? { held.withLock { $0[job] } }

  /// Ends what this hub holds.
  func closeAll(saying reason: String) {
    for connection in held.withLock({ Array($0.values) }) { connection.close(saying: reason) }
  }

  /// - Returns: nil where the hub that holds the tunnel cannot be reached, or none does.
  func line(to session: RemoteSession) async -> TunnelLine? {
    if let own = connection(of: session.job) { return own.isOpen ? TunnelLine(connection: own, session: nil) : nil }
    guard let address = session.heldBy, address != ownAddress, let endpoint = RelayAddress(address),
      let connection = await relays.connection(to: endpoint)
    else { return nil }
    return TunnelLine(connection: connection, session: session.job)
  }
}
