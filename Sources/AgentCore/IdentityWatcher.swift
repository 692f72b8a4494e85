// Notices when this machine becomes an install, or another one, while the agent runs. `ptagent enroll` is another process: it stores the
// identity and leaves the event to whoever writes the journal, which is us.

internal import Settings
internal import Enrolment
internal import Events
internal import Health
internal import Journal
internal import Logging
internal import OpenSSL
internal import Platform
internal import ReadModels
internal import Replicator
internal import ServiceLifecycle
internal import Synchronization
internal import TLS

/// What came of the last attempt to enrol this machine, where it is not enrolled.
struct EnrolmentAttempt: Equatable, Sendable {
  let state: AgentStatus.Condition
  let message: String
  let remedy: String
}

final class IdentityWatcher: DeliveryTargets, Service {
  /// Two files are looked at each time; people who enrol a machine wait for it to come alive.
  private static let lookInterval: Duration = .seconds(1)
  /// How soon a change is noticed by those who wait for one.
  private static let changeInterval: Duration = .milliseconds(250)

  private struct State {
    var stamp: [FileStamp?]?
    /// Of the settings that the target was made with.
    var revision: UInt64?
    var identity: InstallIdentity?
    var target: DeliveryTarget?
    var circumstances = IdentityCircumstances()
    var attempt: EnrolmentAttempt?
  }

  private let store: IdentityStore
  /// Hub and proxy may be set while the agent runs.
  private let keeper: SettingsKeeper
  private let journal: Journal
  private let board: StatusBoard
  private let logger: Logger
  private let state = Mutex(State())

  init(
    store: IdentityStore, keeper: SettingsKeeper, journal: Journal, board: StatusBoard, logger: Logger
  ) {
    self.store = store
    self.keeper = keeper
    self.journal = journal
    self.board = board
    self.logger = logger
  }

  private var hub: HubSettings? { keeper.current.hub }
  /// That connections to the hub go through.
  var proxy: HTTPProxy? { keeper.current.proxy?.httpProxy }

  var identity: InstallIdentity? { state.withLock { $0.identity } }

  // MARK: DeliveryTargets

  func current() -> DeliveryTarget? { state.withLock { $0.target } }

  func changed(from target: DeliveryTarget?) async throws {
    while current()?.fingerprint == target?.fingerprint { try await Task.sleep(for: Self.changeInterval) }
  }

  /// Where health reports go; nil before enrolment, or when nobody said where.
  func healthTarget() -> HealthTarget? {
    guard let identity, let target = current(), let address = hub?.hc ?? identity.hc else { return nil }
    return HealthTarget(address: address, tls: target.tls, fingerprint: target.fingerprint)
  }

  // MARK: Service

  func run() async throws {
    try await untilGracefulShutdown {
      while true {
        try await self.look()
        try await Task.sleep(for: Self.lookInterval)
      }
    }
  }

  /// Takes the identity from the disk if it changed since the last look.
  /// - Throws: what the journal throws, unless it is only full: then the next look does it. An identity that cannot be used is said on
  ///   the board.
  func look() async throws {
    let (stamp, revision) = (store.stamp, keeper.numbered.revision)
    if state.withLock({ $0.stamp == stamp && $0.revision == revision }) { return }
    do {
      let identity = try store.identity()
      if let identity, try store.hasUnjournalledIdentity() { try await journalEnrolment(of: identity) }
      try adopt(identity)
      // Settling moved the files once more; that is no news.
      let settled = store.stamp
      state.withLock { ($0.stamp, $0.revision) = (settled, revision) }
    } catch let error as JournalError where error.isDiskFull {
      board.say(
        .identity, .waiting, "the journal cannot note the enrolment: \(error)",
        remedy: "Free some space; the enrolment is then taken by itself.")
    } catch let error as EnrolmentError {
      logger.error("the identity cannot be used", metadata: ["reason": "\(error)"])
      state.withLock { ($0.stamp, $0.revision, $0.identity, $0.target) = (stamp, revision, nil, nil) }
      board.say(
        .identity, .failed, error.description, remedy: "Restore the file, or run: ptagent enroll --again --code CODE")
    }
  }

  private func journalEnrolment(of identity: InstallIdentity) async throws {
    try await journal.append(.enrolled(identity, dcam: dcam(identity)))
    try store.settle()
    logger.notice(
      "this machine is enrolled", metadata: ["install": "\(identity.installID)", "entity": "\(identity.entity)"])
  }

  private func adopt(_ identity: InstallIdentity?) throws(EnrolmentError) {
    guard let identity else {
      state.withLock { ($0.identity, $0.target) = (nil, nil) }
      return sayNotEnrolled()
    }
    state.withLock { $0.attempt = nil }
    guard let address = dcam(identity) else {
      state.withLock { ($0.identity, $0.target) = (identity, nil) }
      board.say(.identity, .failed, "the hub named no address for dcam", remedy: "Set hub.dcam in ptagent.toml.")
      return
    }
    let tls: TLSConfiguration
    do {
      tls = TLSConfiguration(
        trust: .authorities(identity.roots),
        identity: try TLSConfiguration.Identity(chain: identity.chain, key: identity.key), proxy: proxy)
    } catch { throw .cryptography(error.description) }
    let target = DeliveryTarget(
      address: address, tls: tls, usableUntil: identity.certificate.notAfter + InstallIdentity.clockSkewMax,
      // The way counts as well: another proxy or address is another target.
      fingerprint: "\(identity.certificate.fingerprint.hex) \(address) \(keeper.current.proxy.map { "\($0)" } ?? "")",
      install: identity.installID)
    state.withLock { ($0.identity, $0.target) = (identity, target) }
    sayCertificate(of: identity)
  }

  /// An attempt to enrol failed. Its words stand until there is an identity, whatever the attempt left in the directory.
  func attempted(_ attempt: EnrolmentAttempt) {
    state.withLock { $0.attempt = attempt }
    if identity == nil { sayNotEnrolled() }
  }

  private func sayNotEnrolled() {
    if let attempt = state.withLock({ $0.attempt }) {
      return board.say(.identity, attempt.state, attempt.message, remedy: attempt.remedy)
    }
    let isConfigured = hub != nil
    board.say(
      .identity, isConfigured ? .waiting : .ok,
      isConfigured
        ? "not enrolled: the agent collects and journals, and ships nothing"
        : "no [hub] is configured: the agent ships nothing",
      remedy: isConfigured ? "Run: ptagent enroll --code CODE" : nil)
  }

  /// Says how long the certificate is good for, and what stands in the way of its renewal.
  func sayCertificate(of identity: InstallIdentity) {
    let words = CertificateWords(identity, circumstances, seconds: Machine.milliseconds / 1000)
    board.say(.identity, words.state, words.message, remedy: words.remedy)
  }

  // MARK: what `RenewalService` finds out

  var circumstances: IdentityCircumstances { state.withLock { $0.circumstances } }

  func renewalFailed(_ reason: String) { state.withLock { $0.circumstances.renewalTrouble = reason } }
  func renewalWentWell() { state.withLock { $0.circumstances.renewalTrouble = nil } }

  /// Both in milliseconds since 1970 UTC.
  func hubSaid(time: Int64, at now: Int64) {
    guard time > 0 else { return }
    state.withLock { $0.circumstances.clockAheadSeconds = (now - time) / 1000 }
  }

  /// The hub is another one, perhaps.
  func forgetHub() { state.withLock { $0.circumstances = IdentityCircumstances() } }

  private func dcam(_ identity: InstallIdentity) -> HostAndPort? { hub?.dcam ?? identity.dcam }
}

extension ProxySettings {
  var httpProxy: HTTPProxy {
    HTTPProxy(
      endpoint: Endpoint(host: address.host, port: address.port),
      credentials: credentials.map { HTTPProxy.Credentials(user: $0.user, password: $0.password) })
  }
}
