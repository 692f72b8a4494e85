// Single conversations with devices: probe one, poll one, or find the credential and read one. No state of its own; the collector, the
// surveyor and `ptagent read` share it.

package import Discovery
internal import Events
package import PrinterModel
package import SNMP

/// Probes and polls devices through an engine.
package struct DeviceReader: Sendable {
  /// Patience with a device that somebody asked for by hand: the wake-up of a sleeping printer.
  private static let patience: Duration = .seconds(4)
  /// How long somebody who waits for a reading waits for a device that has fallen silent. Printers that draw a page answer again within ten.
  private static let silenceMax: Duration = .seconds(20)

  package let engine: UDPEngine
  package let keys: USMKeyCache
  package let profiles: ProfileSet
  package let ipp: IPPAsker
  private let plans = LightPlans()

  package init(engine: UDPEngine, keys: USMKeyCache = USMKeyCache(), profiles: ProfileSet = .shipped) {
    self.engine = engine
    self.keys = keys
    self.profiles = profiles
    ipp = IPPAsker(profiles: profiles)
  }

  /// Probes one address with the credentials in order.
  /// - Throws: `CancellationError` or `EngineError`.
  package func probe(
    _ attempt: SweepAttempt, port: UInt16, credentials: [NamedCredential], isIdentifying: Bool = false
  ) async throws -> ProbeOutput {
    try await probe(
      ProbeAsk.all(credentials, attempt), pass: attempt.pass, at: Endpoint(attempt.address, port: port),
      isIdentifying: isIdentifying)
  }

  private func probe(
    _ asks: [ProbeAsk], pass: Int, at endpoint: Endpoint, isIdentifying: Bool = false
  ) async throws -> ProbeOutput {
    let machine = ProbeMachine(
      asks, pass: pass, keys: keys, profiles: profiles, isIdentifying: isIdentifying,
      randomSeed: UInt64.random(in: .min ... .max))
    return try await engine.run(machine, at: endpoint)
  }

  /// What a first poll with this credential starts from.
  package func newMemory(_ credential: NamedCredential) -> PollMemory {
    PollMemory(session: newSession(credential.credential))
  }

  private func newSession(_ credential: Credential) -> Session {
    Session(
      credential: credential, keys: keys, parameters: SessionParameters(), randomSeed: UInt64.random(in: .min ... .max))
  }

  /// Polls one device. One that was never read and is silent is tried with other versions of SNMP.
  /// - Throws: `CancellationError` or `EngineError`; what the device does is in the outcome.
  package func poll(
    _ kind: PollKind, at endpoint: Endpoint, credential: NamedCredential, memory: PollMemory,
    hasActiveAlerts: Bool = false, isHinted: Bool = false, silenceMax: Duration? = nil
  ) async throws -> (outcome: PollOutcome, memory: PollMemory) {
    let polled = try await poll(
      kind, at: endpoint, credential: credential.name, memory: memory, hasActiveAlerts: hasActiveAlerts,
      isHinted: isHinted, silenceMax: silenceMax)
    guard memory.rest == nil, polled.outcome.isSilence else { return polled }
    let lastResorts = ProbeAsk.lastResorts([credential])
    guard !lastResorts.isEmpty else { return polled }
    let probe = try await probe(lastResorts, pass: 2, at: endpoint)
    guard let older = probe.credential else {
      guard probe.answer == .wrongCredential else { return polled }
      var (outcome, memory) = polled
      outcome.result = .failed(Self.failure(of: probe))
      return (outcome, memory)
    }
    return try await poll(
      kind, at: endpoint, credential: older.name, memory: newMemory(older), hasActiveAlerts: hasActiveAlerts,
      isHinted: isHinted, silenceMax: silenceMax)
  }

  /// What a poll makes of its answers takes up to milliseconds: that belongs neither on the engine's thread nor on an actor.
  @concurrent
  private func poll(
    _ kind: PollKind, at endpoint: Endpoint, credential: String, memory: PollMemory, hasActiveAlerts: Bool,
    isHinted: Bool, silenceMax: Duration?
  ) async throws -> (outcome: PollOutcome, memory: PollMemory) {
    let transcript = try await engine.run(
      PollMachine(
        kind, memory: memory, hasActiveAlerts: hasActiveAlerts, isHinted: isHinted, silenceMax: silenceMax,
        profiles: profiles), at: endpoint)
    return interpreted(transcript, endpoint, credential, formerPlan: memory.lightPlan)
  }

  private func interpreted(
    _ transcript: PollTranscript, _ endpoint: Endpoint, _ credential: String, formerPlan: LightPlan?
  ) -> (outcome: PollOutcome, memory: PollMemory) {
    var (outcome, memory) = transcript.interpreted(endpoint: endpoint, credential: credential, profiles: profiles)
    if let plan = memory.lightPlan, !plan.isStill(formerPlan) { memory.lightPlan = plans.shared(plan) }
    // A silent device has backed its session's timeout off to the longest; the next poll is not to wait that long from the start. A new
    // session, and not the former one again, so that no request id and no salt is used twice.
    if outcome.cost.bytesReceived == 0 { memory.session = newSession(memory.session.credential) }
    return (outcome, memory)
  }

  /// Finds out which credential works and reads everything, for somebody who waits: a failure says what to do.
  /// - Parameter ippPort: what does not answer SNMP is asked over IPP there; nil asks only over SNMP.
  package func read(
    _ endpoint: Endpoint, credentials: [NamedCredential], ippPort: UInt16? = nil
  ) async throws -> PollOutcome {
    let outcome = try await readOverSNMP(endpoint, credentials: credentials)
    guard let ippPort, !credentials.isEmpty, case .failed(let failure) = outcome.result, failure.reason == .timeout,
      let overIPP = try await ipp.probe(endpoint.address, port: ippPort)
    else { return outcome }
    switch overIPP.result {
    case .reading: return overIPP
    case .failed(let other):
      var both = outcome
      both.result = .failed(PollFailure(failure.reason, "\(failure.message). Over IPP: \(other.message)"))
      return both
    }
  }

  private func readOverSNMP(_ endpoint: Endpoint, credentials: [NamedCredential]) async throws -> PollOutcome {
    guard let first = credentials.first else {
      let failure = PollFailure(
        .authentication, "no range with a credential holds \(endpoint.address), or it is excluded")
      return PollOutcome(endpoint: endpoint, credential: "", cost: .init(), result: .failed(failure))
    }
    var outcome = try await read(endpoint, first, among: credentials)
    if case .failed(var failure) = outcome.result,
      let remedy = failure.remedy ?? outcome.remedyForSilence(credentials, failure)
    {
      failure.message += ". \(remedy)"
      outcome.result = .failed(failure)
    }
    return outcome
  }

  private func read(
    _ endpoint: Endpoint, _ first: NamedCredential, among credentials: [NamedCredential]
  ) async throws -> PollOutcome {
    var working = first
    if credentials.count > 1 {
      let attempt = SweepAttempt(
        address: endpoint.address, range: 0, pass: 2, patience: Self.patience, furtherPatience: .seconds(1))
      let probe = try await probe(attempt, port: endpoint.port, credentials: credentials)
      guard let found = probe.credential else {
        let failure = Self.failure(of: probe)
        return PollOutcome(endpoint: endpoint, credential: "", cost: probe.cost, result: .failed(failure))
      }
      working = found
    }
    return try await poll(
      .full, at: endpoint, credential: working, memory: newMemory(working), silenceMax: Self.silenceMax
    ).outcome
  }

  /// Finds out which credential works and walks everything that helps to support the device.
  /// - Throws: why not even a beginning was read.
  package func capture(
    _ endpoint: Endpoint, credentials: [NamedCredential]
  ) async throws(PollFailure) -> CaptureTranscript {
    do {
      guard !credentials.isEmpty else { throw PollFailure(.authentication, "there is no credential") }
      let attempt = SweepAttempt(
        address: endpoint.address, range: 0, pass: 2, patience: Self.patience, furtherPatience: .seconds(1))
      let probe = try await probe(attempt, port: endpoint.port, credentials: credentials)
      guard let working = probe.credential else { throw Self.failure(of: probe) }
      return try await engine.run(CaptureMachine(newMemory(working)), at: endpoint)
    } catch let failure as PollFailure {
      throw failure
    } catch {
      throw PollFailure(.timeout, "\(error)")
    }
  }

  private static func failure(of probe: ProbeOutput) -> PollFailure {
    switch probe.answer {
    case .wrongCredential:
      PollFailure(
        .authentication, probe.detail,
        remedy:
          "Check each credential's user, its level (auth and priv or neither), both algorithms and both passwords")
    case .refused: .portClosed
    default: PollFailure(.timeout, probe.detail)
    }
  }
}

extension PollOutcome {
  /// Whether nothing at all was heard.
  fileprivate var isSilence: Bool {
    guard case .failed(let failure) = result else { return false }
    return failure.reason == .timeout && cost.bytesReceived == 0
  }

  /// What whoever asked for a device that fell silent can look at.
  fileprivate func remedyForSilence(_ credentials: [NamedCredential], _ failure: PollFailure) -> String? {
    guard failure.reason == .timeout else { return nil }
    guard cost.bytesReceived > 0 else {
      return """
        Check the address, that the device is on and its SNMP enabled, the community or user (a device is silent to a wrong community), and that \
        firewalls let UDP port \(endpoint.port) through
        """
    }
    // The device told its engine, and then nothing. Many drop what they cannot decrypt.
    guard credentials.contains(where: { $0.credential.version == .v3 }) else { return nil }
    return """
      The device speaks SNMPv3 and is silent to this user's requests: check the priv algorithm and password, and the context; some devices do not \
      tell that these are wrong
      """
  }
}
