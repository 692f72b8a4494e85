// Carries one sweep out: asks the state machine what to probe next, probes it, and tells the outcome of each address.

package import Discovery
internal import Events
internal import MIB
internal import PrinterModel
internal import Synchronization

/// Sweeps address ranges.
package struct Surveyor: Sendable {
  /// Progress is told at most this often.
  private static let progressEvery: Duration = .milliseconds(500)
  /// How soon the sweep looks whether a probe has ended when nothing else can start: short beside the patience of a probe, and 50 looks in
  /// a second cost nothing.
  private static let lookAgain: Duration = .milliseconds(20)

  private let reader: DeviceReader
  private let settings: CollectorSettings
  private let browse: @Sendable ([HostInterface]) async throws -> [AnnouncedPrinter]

  /// - Parameter browse: who announces itself through these interfaces.
  package init(
    _ reader: DeviceReader, _ settings: CollectorSettings,
    browse: @escaping @Sendable ([HostInterface]) async throws -> [AnnouncedPrinter] = {
      try await AnnouncementBrowser.browse($0)
    }
  ) {
    self.reader = reader
    self.settings = settings
    self.browse = browse
  }

  /// Sweeps all ranges once and returns the outcome of every address, ordered; nothing is recorded. Printers are asked for their model and serial
  /// number as well. A task that is cancelled returns what was settled until then.
  package func sweep(progress: @Sendable (SweepProgress) -> Void = { _ in }) async throws -> [AddressResult] {
    let results = Mutex<[AddressResult]>([])
    do {
      _ = try await run(settings.plan, isKnown: { _ in nil }, isIdentifying: true, progress: progress) { result in
        results.withLock { $0.append(result) }
      }
    } catch {
      guard Task.isCancelled else { throw error }
    }
    return results.withLock { $0 }.sorted { $0.address < $1.address }
  }

  /// Sweeps once and tells each address as it is settled, those that are left out included.
  /// - Parameters:
  ///   - isKnown: what is known of an address without asking it, for example that a device was polled there a minute ago.
  ///   - isIdentifying: whether printers are asked for their model and serial number: a poll that follows tells them anyway.
  ///   - settled: called for every address, for several at one time.
  ///   - elsewhere: called for each printer that announces itself at an address which the sweep does not cover.
  /// - Returns: addresses per reason.
  func run(
    _ plan: SweepPlan, isKnown: @escaping @Sendable (IPv4Address) async -> AddressResult?,
    isIdentifying: Bool = false,
    progress: @Sendable (SweepProgress) -> Void, settled: @escaping @Sendable (AddressResult) async throws -> Void,
    elsewhere: (AnnouncedPrinter) -> Void = { _ in }
  ) async throws -> [SweepReason: Int] {
    for address in plan.excluded {
      try await settled(AddressResult(address: address, reason: .excluded, detail: "excluded"))
    }
    for address in plan.untouchable {
      try await settled(AddressResult(address: address, reason: .doNotTouch, detail: "on the do-not-touch list"))
    }
    var parameters = settings.sweep
    parameters.connects = settings.usesIPP
    let sweep = SweepState(Sweep(plan, parameters: parameters, now: ContinuousClock.now))
    // Asked meanwhile: no silent address is settled before those that announce themselves have done so.
    let announced = Task { try await announcements(in: plan) }
    defer { announced.cancel() }
    try await withThrowingDiscardingTaskGroup { group in
      var lastProgress = ContinuousClock.now
      // A probe that throws cancels the group's tasks, not this loop.
      while !group.isCancelled {
        let now = ContinuousClock.now
        if lastProgress.duration(to: now) >= Self.progressEvery {
          progress(sweep.progress(now: now))
          lastProgress = now
        }
        switch sweep.next(now: now) {
        case .done: return
        case .wait(let until): try await Task.sleep(until: until, clock: .continuous)
        case .waitForAnswers: try await Task.sleep(for: Self.lookAgain)
        case .probe(let attempt):
          group.addTask {
            let (answer, result) = try await ask(
              attempt, isKnown: isKnown, isIdentifying: isIdentifying, connecting: { sweep.sendsBeside() },
              announced: { try await announced.value[attempt.address] ?? [] })
            if let reason = sweep.settle(attempt, answer) {
              var result = result
              result.reason = reason
              if reason == .noAnswer, let printers = try await announced.value[attempt.address] {
                result.detail += "; announces itself by DNS-SD as " + Self.named(printers)
              }
              try await settled(result)
            }
          }
        }
      }
    }
    progress(sweep.progress(now: ContinuousClock.now))
    // Which an empty sweep would end before.
    for (address, printers) in try await announced.value where plan.range(of: address) == nil {
      if let printer = printers.first { elsewhere(printer) }
    }
    return sweep.counts
  }

  /// What announces itself in those networks of this machine that the sweep covers a part of, by address.
  private func announcements(in plan: SweepPlan) async throws -> [IPv4Address: [AnnouncedPrinter]] {
    guard settings.browsesAnnouncements else { return [:] }
    let near = HostInterface.all().filter { interface in
      IPv4Network(interface.address, mask: interface.mask).map { !plan.due.intersection($0.addresses).isEmpty } ?? false
    }
    return Dictionary(grouping: try await browse(near), by: \.address)
  }

  /// `HP LaserJet [3F2A] (_ipp._tcp port 631, _printer._tcp port 515)`
  private static func named(_ printers: [AnnouncedPrinter]) -> String {
    let services = printers.map { "\($0.service) port \($0.port)" }.joined(separator: ", ")
    return "\(printers.first?.instance ?? "") (\(services))"
  }

  /// - Parameters:
  ///   - connecting: called before a connection that the sweep did not reckon with.
  ///   - announced: what announces itself at this address; asked for when nothing else has found a printer there.
  private func ask(
    _ attempt: SweepAttempt, isKnown: @Sendable (IPv4Address) async -> AddressResult?, isIdentifying: Bool,
    connecting: () -> Void, announced: () async throws -> [AnnouncedPrinter]
  ) async throws -> (SweepAnswer, AddressResult) {
    if let known = await isKnown(attempt.address) { return (.found, known) }
    let credentials = settings.credentials(for: attempt.address)
    // In the second pass both are asked at one time, so that IPP takes no time of its own: a silent address is waited for longer than that.
    async let meanwhile = attempt.pass == 2 ? overIPP(attempt.address) : nil
    let output = try await reader.probe(
      attempt, port: settings.port, credentials: credentials, isIdentifying: isIdentifying)
    if output.answer == .silent || output.answer == .refused {
      var found = try await meanwhile
      if settings.usesIPP, output.answer == .refused, attempt.pass == 1 {
        connecting()
        found = try await overIPP(attempt.address)
      }
      if let found, found.0 == .found { return found }
      let isLast = attempt.pass == 2 || output.answer == .refused
      if settings.usesIPP, isLast, let found = try await asAnnounced(attempt.address, try await announced(), connecting)
      {
        return found
      }
      if let found { return found }
    }
    var result = AddressResult(address: attempt.address, reason: .noAnswer, detail: output.detail)
    result.credential = output.credential?.name
    result.hasAnswered = output.cost.bytesReceived > 0 || !output.elsewhere.isEmpty
    if !output.walk.isEmpty { result.identity = Interpretation.read(output.walk, profiles: reader.profiles).identity }
    return (output.answer, result)
  }

  /// What an address without SNMP says over IPP; nil when nothing listens there.
  private func overIPP(
    _ address: IPv4Address, as announced: AnnouncedWay? = nil
  ) async throws -> (SweepAnswer, AddressResult)? {
    guard settings.usesIPP,
      let outcome = try await reader.ipp.probe(
        address, port: announced?.port ?? settings.ippPort, way: announced?.way)
    else { return nil }
    var result = AddressResult(address: address, reason: .noAnswer, detail: "")
    result.hasAnswered = true
    switch outcome.result {
    case .reading(let poll):
      result.credential = IPPAsker.accessName
      result.identity = poll.reading.identity
      result.detail = "no answer over SNMP; it answers Get-Printer-Attributes over IPP"
      if let announced {
        result.announcedWay = announced
        result.detail += " at port \(announced.port), as it announces by DNS-SD"
      }
      return (.found, result)
    case .failed(let failure):
      result.detail = "no answer over SNMP; \(failure.message)"
      return (failure.reason == .notAPrinter ? .notAPrinter : .silent, result)
    }
  }
}

extension Surveyor {
  /// Asks where an address announces a printer; nil when there is none.
  private func asAnnounced(
    _ address: IPv4Address, _ printers: [AnnouncedPrinter], _ connecting: () -> Void
  ) async throws -> (SweepAnswer, AddressResult)? {
    for way in AnnouncedWay.all(of: printers) {
      connecting()
      if let found = try await overIPP(address, as: way), found.0 == .found { return found }
    }
    return nil
  }
}

/// The sweep's state, shared by the loop and the probes that end.
private final class SweepState: Sendable {
  private let sweep: Mutex<Sweep>

  init(_ sweep: Sweep) {
    self.sweep = Mutex(sweep)
  }

  var counts: [SweepReason: Int] { sweep.withLock { $0.counts } }

  func next(now: Instant) -> Sweep.Step { sweep.withLock { $0.next(now: now) } }
  func sendsBeside() { sweep.withLock { $0.sendsBeside(now: ContinuousClock.now) } }
  func progress(now: Instant) -> SweepProgress { sweep.withLock { $0.progress(now: now) } }

  func settle(_ attempt: SweepAttempt, _ answer: SweepAnswer) -> SweepReason? {
    sweep.withLock { $0.settled(attempt, answer) }
  }
}
