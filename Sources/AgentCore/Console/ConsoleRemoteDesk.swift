// Technicians' sessions with devices' own pages, as the console sees them.

internal import Console
internal import Events
internal import Logging
internal import Platform
internal import RemoteTechnician
internal import Replicator
internal import Settings
internal import WebServing

extension ConsoleDesk {
  func remote() -> ConsoleRemote {
    let configuration = keeper.current
    return ConsoleRemote(
      isEnabled: configuration.remote.isEnabled, hub: remoteAddress(configuration)?.description,
      sessionsMax: configuration.remote.sessionsMax, opening: pages.opening,
      sessions: pages.sessions.map { shown in
        ConsoleRemoteSession(
          job: shown.job, device: shown.device, address: shown.address, visit: shown.visit, evidence: shown.evidence,
          targets: shown.targets, since: shown.since, until: shown.until, requests: shown.usage.requests,
          bytesSent: shown.usage.bytesSent, bytesReceived: shown.usage.bytesReceived)
      })
  }

  func endRemote(_ session: JobID?) -> Int {
    let count = pages.close(session)
    logger.notice("technicians' sessions were ended at the console", metadata: ["count": "\(count)"])
    return count
  }

  /// For the dashboard.
  func remoteNumbers() -> WebJSON {
    .object([
      ("enabled", .bool(keeper.current.remote.isEnabled)), ("sessions", WebJSON(pages.sessions.count)),
      ("opening", WebJSON(pages.opening)),
    ])
  }

  /// Where sessions go; nil where none may be, or where nobody knows yet.
  func remoteAddress(_ configuration: AgentConfiguration) -> HostAndPort? {
    guard configuration.remote.isEnabled, let hub = configuration.hub else { return nil }
    if let named = hub.remotetechnician { return named }
    let dcam = isShipping ? watcher.current()?.address : hub.dcam
    return dcam.map { HostAndPort(host: $0.host, port: HubSettings.remotetechnicianPort) }
  }
}
