// Renews the certificate before it ends, and asks the hub now and then what this install is to it: which roots to trust, whether to renew
// early, and what time it is there. `RenewalSchedule` says when, `Renewer` how.
//
// The new certificate is taken by everybody else as any other change of the identity: `IdentityWatcher` finds it on the disk, and the
// replicator ends its stream and opens the next one with it. What was under way unacknowledged is sent again, and is a duplicate to the hub.

internal import Enrolment
internal import Events
internal import Journal
internal import Logging
internal import OpenSSL
internal import Platform
internal import ReadModels
internal import Replicator
internal import ServiceLifecycle

struct RenewalService: Service {
  private static let lookInterval: Duration = .seconds(1)

  let store: IdentityStore
  let identity: IdentityWatcher
  let journal: Journal
  let logger: Logger

  func run() async throws {
    try await untilGracefulShutdown {
      let start = ContinuousClock.now
      var generator = SystemRandomNumberGenerator()
      var install: String?
      var schedule = RenewalSchedule(elapsed: .zero, using: &generator)
      while true {
        let elapsed = start.duration(to: .now)
        if let current = self.identity.identity {
          if current.installID != install {
            install = current.installID
            schedule = RenewalSchedule(elapsed: elapsed, using: &generator)
            self.identity.forgetHub()
          }
          try await self.work(current, &schedule, { start.duration(to: .now) }, &generator)
        }
        try await Task.sleep(for: Self.lookInterval)
      }
    }
  }

  private func work(
    _ current: InstallIdentity, _ schedule: inout RenewalSchedule, _ elapsed: () -> Duration,
    _ generator: inout SystemRandomNumberGenerator
  ) async throws {
    defer { identity.sayCertificate(of: current) }
    let life = current.life
    guard let address = identity.current()?.address,
      let task = schedule.due(
        life, isInterrupted: store.hasRenewal, seconds: Machine.milliseconds / 1000, elapsed: elapsed())
    else { return }
    let hub = HubRenewalService(address: address, product: AgentVersion.product, proxy: identity.proxy)
    do {
      switch task {
      case .ask: try await ask(hub, current, &schedule, elapsed, &generator)
      case .renew:
        try await renew(hub, &schedule, elapsed, &generator)
        identity.renewalWentWell()
      }
    } catch let error where error is RenewalError || error is EnrolmentError {
      let pause = schedule.failed(
        task, hint: (error as? RenewalError)?.hint, elapsed: elapsed(), using: &generator)
      if task == .renew { identity.renewalFailed("\(error)") }
      logger.warning(
        task == .renew ? "the certificate was not renewed" : "the hub did not tell what this install is to it",
        metadata: [
          "reason": "\(error)", "retry_in": "\(pause.spoken)",
          "certificate_days_left": "\(current.daysLeft(at: Machine.milliseconds / 1000))",
        ])
    } catch let error as JournalError where error.isDiskFull {
      schedule.failed(task, hint: nil, elapsed: elapsed(), using: &generator)
      logger.warning("the journal cannot note the new certificate", metadata: ["reason": "\(error)"])
    }
  }

  private func renew(
    _ hub: HubRenewalService, _ schedule: inout RenewalSchedule, _ elapsed: () -> Duration,
    _ generator: inout SystemRandomNumberGenerator
  ) async throws {
    let (renewed, standing) = try await Renewer(store: store, hub: hub).renew(now: Machine.milliseconds / 1000)
    try await journal.append(.enrolled(renewed, dcam: identity.current()?.address, isRenewal: true))
    try store.settleRenewal()
    if let standing { note(standing, &schedule, elapsed(), &generator) }
    schedule.renewed(renewed.life, elapsed: elapsed())
    logger.notice(
      "the certificate is renewed",
      metadata: [
        "install": "\(renewed.installID)", "serial": "\(renewed.certificate.serialNumber)",
        "ends": "\(UTCTime.text(milliseconds: renewed.certificate.notAfter * 1000))",
      ])
  }

  private func ask(
    _ hub: HubRenewalService, _ current: InstallIdentity, _ schedule: inout RenewalSchedule, _ elapsed: () -> Duration,
    _ generator: inout SystemRandomNumberGenerator
  ) async throws {
    let standing = try await hub.standing(of: current)
    note(standing, &schedule, elapsed(), &generator)
    let roots: [Certificate]
    do { roots = try standing.roots.map { try Certificate(der: $0) } } catch {
      throw RenewalError.unusableAnswer("one of the roots cannot be read")
    }
    if try store.trust(roots) {
      logger.notice(
        "the hub names the roots to trust from now on", metadata: ["roots": "\(roots.map(\.subject))"])
    }
  }

  private func note(
    _ standing: Standing, _ schedule: inout RenewalSchedule, _ elapsed: Duration,
    _ generator: inout SystemRandomNumberGenerator
  ) {
    schedule.answered(standing, elapsed: elapsed, using: &generator)
    identity.hubSaid(time: standing.hubTime, at: Machine.milliseconds)
    if let advice = standing.advice { logger.notice("the hub advises a renewal", metadata: ["reason": "\(advice)"]) }
  }
}
