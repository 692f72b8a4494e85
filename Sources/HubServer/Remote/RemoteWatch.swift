// Looks twice a second which sessions are over, in whatever process it was decided, and ends the tunnels of those that this hub holds.

internal import Logging
internal import ServiceLifecycle

struct RemoteWatch: Service {
  let store: SQLStore
  let sessions: TunnelSessions
  let clock: HubClock
  let logger: Logger

  /// Looks that fail one after the other before nobody may go on: a database that is busy is back within them.
  private static let failuresMax = 10

  func run() async throws {
    await cancelWhenGracefulShutdown {
      var failures = 0
      while !Task.isCancelled {
        do { try await Task.sleep(for: HubLimits.remoteWatchInterval) } catch { return }
        failures = await self.look() ? 0 : failures + 1
        // Nobody can be asked who may go on.
        if failures == Self.failuresMax { self.sessions.closeAll(saying: "closed: the hub's database is away") }
      }
    }
  }

  /// - Returns: false where the database did not answer.
  func look() async -> Bool {
    do {
      try await store.endRemotesThatAreOver(now: clock.now)
      for (job, reason) in try await store.endedRemotes(among: sessions.jobs) {
        sessions.close(job, saying: "closed: \(reason)")
      }
      return true
    } catch {
      guard !Task.isCancelled else { return true }
      logger.error("it was not looked which devices' pages must be closed", metadata: ["error": "\(error)"])
      return false
    }
  }
}
