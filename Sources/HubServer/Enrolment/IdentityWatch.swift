// Looks every few seconds what has become of identities, in whatever process: `pthub install revoke` writes into the database, `pthub ca
// rotate` into the directory. Streams that go on by what has ended are ended, and other roots count from the next handshake on.

internal import Logging
internal import ServiceLifecycle

struct IdentityWatch: Service {
  let authorities: Authorities
  let identity: ServerIdentity
  let store: any RegistryStore
  let streams: StreamGuard
  let clock: HubClock
  let logger: Logger

  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await Task.sleep(for: HubLimits.identityWatchInterval) } catch { return }
        self.lookAtRoots()
        await self.lookAtIdentities()
      }
    }
  }

  func lookAtRoots() {
    do {
      guard try authorities.reload() else { return }
      identity.rootsChanged()
      logger.notice("the hub's roots have changed", metadata: ["pins": "\(authorities.current.trusted.map(\.pin))"])
    } catch {
      logger.error("the hub's roots were not read", metadata: ["error": "\(error)"])
    }
  }

  func lookAtIdentities() async {
    let now = clock.now
    let lookBack = HubLimits.endedLookBack.milliseconds
    // From the moment at which calls are refused, too (`supersededGrace`).
    let superseded = now - HubLimits.supersededGrace.milliseconds
    do {
      streams.end(
        try await store.endedIdentities(
          in: EndedWindow(
            revokedSince: now - lookBack, supersededSince: superseded - lookBack, supersededBefore: superseded)))
    } catch {
      logger.error("it was not looked whose streams must end", metadata: ["error": "\(error)"])
    }
  }
}
