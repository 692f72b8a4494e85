// Who may see a device's page: by the origin's token, by the cookie that its key was changed for, and by what the user may at this moment.
//
// A page asks for fifty things at once, so what was found holds for two seconds. What was not found is not remembered, and costs one look by an index.

internal import DevicePages
internal import Synchronization

struct RemoteVisit: Sendable {
  let session: RemoteSession
  let standing: RemoteStanding
  let place: DevicePlace
}

final class RemoteGate: Sendable {
  static let cookieName = "__Host-printtrail-page"
  private static let rememberedMax = 4_096

  private struct Remembered {
    var visit: RemoteVisit
    let until: ContinuousClock.Instant
  }

  private let store: SQLStore
  private let clock: HubClock
  private let remembered = Mutex<[String: Remembered]>([:])

  init(store: SQLStore, clock: HubClock) {
    self.store = store
    self.clock = clock
  }

  /// Nil: no such origin, or not for whoever has this cookie, or none.
  ///
  /// - Parameter isAnew: whether what was found a moment ago counts no more.
  func visit(_ origin: SessionOrigin, cookies: [String], isAnew: Bool = false) async throws -> RemoteVisit? {
    guard let cookie = Self.cookie(cookies) else { return nil }
    let key = "\(origin.token) \(cookie)"
    let now = ContinuousClock.now
    if !isAnew, let known = remembered.withLock({ $0[key] }), known.until > now { return known.visit }
    guard let (session, standing) = try await store.remoteVisit(token: origin.token, cookie: cookie, now: clock.now),
      let place = session.place
    else { return nil }
    let visit = RemoteVisit(session: session, standing: standing, place: place)
    remembered.withLock { remembered in
      if remembered.count >= Self.rememberedMax { remembered = remembered.filter { $0.value.until > now } }
      if remembered.count < Self.rememberedMax {
        remembered[key] = Remembered(visit: visit, until: now + HubLimits.remoteStandingKept)
      }
    }
    return visit
  }

  /// Uses a key up.
  ///
  /// - Returns: the cookie to give; nil where the key is none.
  func enter(_ origin: SessionOrigin, key: String, peer: String) async throws -> String? {
    let cookie = SessionOrigin.make().token + SessionOrigin.make().token
    let isGood = try await store.enterRemote(
      token: origin.token, key: key, cookie: cookie, peer: peer, now: clock.now)
    return isGood ? cookie : nil
  }

  /// The session goes over to another of the device's targets.
  func go(to target: DeviceTarget, _ visit: RemoteVisit) async throws {
    try await store.setRemoteTarget(target.description, of: visit.session.number)
    remembered.withLock { remembered in
      remembered = remembered.filter { $0.value.visit.session.number != visit.session.number }
    }
  }

  private static func cookie(_ headers: [String]) -> String? {
    for header in headers {
      for pair in header.split(separator: ";") {
        let pair = pair.drop { $0 == " " }
        if pair.hasPrefix(cookieName + "=") {
          let value = String(pair.dropFirst(cookieName.utf8.count + 1))
          return value.utf8.count == 64 ? value : nil
        }
      }
    }
    return nil
  }
}
