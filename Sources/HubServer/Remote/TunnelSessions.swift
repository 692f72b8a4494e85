// The tunnels that this hub holds, and the way to those that others hold.

internal import Events
internal import Synchronization

/// Where a session's requests go, and what is added to them.
struct TunnelLine: Sendable {
  let connection: TunnelConnection
  /// For the hub that holds the tunnel; nil: it is this one.
  let session: RemoteSession?
}

final class TunnelSessions: Sendable {
  /// Any install's agent may name any job: what it holds is found under the install that it has proved to be, and under no other.
  private struct Key: Hashable {
    let job: JobID
    let install: InstallNumber
  }

  private let held = Mutex<[Key: TunnelConnection]>([:])
  /// How other hubs reach this one.
  let ownAddress: String
  private let relays: RelayClient

  init(ownAddress: String, relays: RelayClient) {
    self.ownAddress = ownAddress
    self.relays = relays
  }

  /// - Returns: false where there is one already.
  func hold(_ job: JobID, of install: InstallNumber, _ connection: TunnelConnection) -> Bool {
    held.withLock { held in
      let key = Key(job: job, install: install)
      guard held[key] == nil else { return false }
      held[key] = connection
      return true
    }
  }

  func letGo(_ job: JobID, of install: InstallNumber) {
    held.withLock { _ = $0.removeValue(forKey: Key(job: job, install: install)) }
  }

  var jobs: [JobID] { held.withLock { $0.keys.map(\.job) } }

  func connection(of job: JobID, of install: InstallNumber) -> TunnelConnection? {
    held.withLock { $0[Key(job: job, install: install)] }
  }

  /// Ends whatever says that it is for this job.
  func close(_ job: JobID, saying reason: String) {
    for connection in held.withLock({ held in held.filter { $0.key.job == job }.map(\.value) }) {
      connection.close(saying: reason)
    }
  }

  /// Ends what this hub holds.
  func closeAll(saying reason: String) {
    for connection in held.withLock({ Array($0.values) }) { connection.close(saying: reason) }
  }

  /// - Returns: nil where the hub that holds the tunnel cannot be reached, or none does.
  func line(to session: RemoteSession) async -> TunnelLine? {
    if let own = connection(of: session.job, of: session.install) {
      return own.isOpen ? TunnelLine(connection: own, session: nil) : nil
    }
    guard let address = session.heldBy, address != ownAddress, let endpoint = RelayAddress(address),
      let connection = await relays.connection(to: endpoint)
    else { return nil }
    return TunnelLine(connection: connection, session: session)
  }
}
