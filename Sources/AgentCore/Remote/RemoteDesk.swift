// Sessions of technicians with devices' own pages at this agent: who may have one, which there are, and how they end from this side.
//
//     job ──> switched on, device known and not excluded ──> who answers there, asked now ──> what answers ──> session (RemoteTechnician)
//
// What a hub wants is never enough: the agent's own file says whether, its own journal says where, and the device itself says who it is.

internal import AlertRules
internal import Collectors
internal import Discovery
internal import Events
internal import Evidence
internal import Jobs
internal import Journal
internal import Logging
internal import OpenSSL
internal import Platform
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import RemoteTechnician
internal import Replicator
internal import Settings
internal import Synchronization
internal import TLS

final class RemoteDesk: DevicePageOpening {
  /// What a page waits for collecting to begin, after a start.
  private static let collectorMax: Duration = .seconds(10)
  private static let collectorLook: Duration = .milliseconds(100)

  private struct State {
    var sessions: [JobID: (session: RemoteSession, since: Int64)] = [:]
    /// Sessions that are being opened; a job may be ended before it has one.
    var opening: [JobID: Opening] = [:]
    var pins: [DeviceID: CertificatePins] = [:]
  }

  private struct Opening {
    /// Where its device answered; nil before it did.
    var place: (device: DeviceID, address: IPv4Address)?
    /// Why it must not begin.
    var obstacle: String?
  }

  private let configured: @Sendable () -> AgentConfiguration
  private let identity: IdentityWatcher
  private let desk: CollectorDesk
  private let fold: FleetFold
  private let journal: Journal
  private let board: StatusBoard
  private let logger: Logger
  private let state = Mutex(State())

  init(
    configured: @escaping @Sendable () -> AgentConfiguration, identity: IdentityWatcher, desk: CollectorDesk,
    fold: FleetFold, journal: Journal, board: StatusBoard, logger: Logger
  ) {
    self.configured = configured
    self.identity = identity
    self.desk = desk
    self.fold = fold
    self.journal = journal
    self.board = board
    self.logger = logger
    tell()
  }

  /// The status says how many are open, where any may be.
  private func tell() {
    let sessions = configured().remote.isEnabled ? state.withLock { $0.sessions.count } : nil
    board.update { $0.remoteSessions = sessions }
  }

  // MARK: Whether

  func obstacle(to device: DeviceID) -> JobRefusal? {
    let settings = configured().remote
    guard settings.isEnabled else {
      return JobRefusal(.unavailable, "Remote technician is not switched on at this agent.")
    }
    guard let state = fold.state.devices[device], state.discovered != nil, state.merged == nil else {
      return JobRefusal(.unknownDevice, "This agent has no device \(device).")
    }
    if state.retired != nil {
      return JobRefusal(.notPermitted, "The device is retired: nobody knows whether it is still there.")
    }
    guard state.replaced == nil, let address = RemoteIdentity.address(of: state) else {
      return JobRefusal(.notPermitted, "Nobody knows where the device is: another one answers at its address.")
    }
    if RemoteIdentity.holds(settings.exclusions, device, state, address) {
      return JobRefusal(.notPermitted, "The device is excluded at this agent (remote.exclude).")
    }
    if let obstacle = TargetRules.obstacle(
      to: address, allowed: AddressSet(settings.allowedAddresses), own: Self.ownAddresses)
    {
      return JobRefusal(.notPermitted, "No session leads there. \(obstacle)")
    }
    return nil
  }

  /// That this machine has at this moment.
  private static var ownAddresses: Set<IPv4Address> { Set(HostInterface.all().map(\.address)) }

  // MARK: One session

  func open(_ job: JobID, _ device: DeviceID, for visit: JobOrder.Visit) async throws -> String {
    if let obstacle = obstacle(to: device) { throw obstacle }
    try begin(job)
    defer { end(job) }
    let settings = configured().remote
    let (hub, tls) = try target()
    let (address, evidence) = try await look(at: device, for: job)
    // It may have moved, by what it told just now.
    if let obstacle = obstacle(to: device) { throw obstacle }
    guard let known = fold.state.devices[device] else { throw RemoteNotOpened("This agent has no device \(device).") }
    let rules = try TargetRules(
      device: device, address: address, ports: settings.ports, allowed: AddressSet(settings.allowedAddresses),
      own: Self.ownAddresses)
    let pins = pins(of: device)
    let targets: [String]
    do { targets = try await TargetLook.targets(of: rules, pins) } catch {
      try await record(pins.takeNews(), of: device)
      throw error
    }
    let session = RemoteSession(
      RemoteOrder(
        job: job, visit: visit, rules: rules, evidence: evidence, targets: targets,
        names: RemoteIdentity.names(known, address),
        allowsOldTLS: RemoteIdentity.holds(settings.oldTLS, device, known, address)),
      limits: settings.limits, pins: pins, journal: RemoteRecords(journal: journal))
    try take(session)
    logger.notice(
      "a technician's session begins",
      metadata: ["job": "\(job)", "device": "\(device)", "user": "\(visit.user)", "address": "\(address)"])
    let fold = fold
    let ending = try await session.run(to: hub, tls: tls) {
      RemoteIdentity.absence(of: device, from: address, fold.state)
    }
    logger.notice(
      "a technician's session is over", metadata: ["job": "\(job)", "reason": "\(ending.reason.rawValue)"])
    let usage = session.usage
    return
      "\(ending.reason.rawValue): \(ending.message) \(counted(usage.requests, "request")), \(usage.bytesSent) bytes to the device, \(usage.bytesReceived) back."
  }

  func begin(_ job: JobID) throws {
    let limit = configured().remote.sessionsMax
    let isAdmitted = state.withLock { state in
      guard state.sessions.count + state.opening.count < limit else { return false }
      state.opening[job] = Opening()
      return true
    }
    guard isAdmitted else { throw RemoteNotOpened("\(limit) sessions are open already (remote.sessions_max).") }
  }

  func take(_ session: RemoteSession) throws {
    let opening = state.withLock { state in
      let opening = state.opening.removeValue(forKey: session.order.job)
      if let opening, opening.obstacle == nil {
        state.sessions[session.order.job] = (session, Machine.milliseconds)
      }
      return opening
    }
    guard let opening else { throw RemoteNotOpened("It was ended at the agent before it began.") }
    if let obstacle = opening.obstacle { throw RemoteNotOpened(obstacle) }
    tell()
  }

  private func end(_ job: JobID) {
    state.withLock { state in
      state.opening[job] = nil
      state.sessions[job] = nil
    }
    tell()
  }

  /// The hub's service, and this install's certificate for it.
  private func target() throws -> (TLS.Endpoint, TLSConfiguration) {
    guard let target = identity.current() else {
      throw RemoteNotOpened("This agent is not enrolled, or its certificate cannot be used.")
    }
    let address =
      configured().hub?.remotetechnician
      ?? HostAndPort(host: target.address.host, port: HubSettings.remotetechnicianPort)
    return (TLS.Endpoint(host: address.host, port: address.port), target.tls)
  }

  /// Asks who answers where the device was last seen.
  private func look(at device: DeviceID, for job: JobID) async throws -> (IPv4Address, evidence: String) {
    let collector = try await collector()
    let answer: (address: IPv4Address, identity: DeviceIdentity)?
    do { answer = try await collector.whoAnswers(for: device) } catch let failure as PollFailure {
      throw RemoteNotOpened("The device does not say who it is: \(failure.message).")
    }
    guard let answer else {
      throw RemoteNotOpened("The device is not read by this agent now: it has no address, or lies in no range.")
    }
    return (answer.address, try recognise(device, answer.identity, at: answer.address, for: job))
  }

  /// What shows that the device answers at an address. Whoever finds another one there finds it for all: no session stays at that address.
  /// - Throws: `RemoteNotOpened` as `RemoteIdentity.evidence`.
  func recognise(
    _ device: DeviceID, _ told: DeviceIdentity, at address: IPv4Address, for job: JobID
  ) throws -> String {
    let devices = fold.state.devices
    let there = state.withLock { state in
      state.opening[job]?.place = (device, address)
      for (other, opening) in state.opening where opening.place?.address == address && other != job {
        let known = RemoteIdentity.known(opening.place.flatMap { devices[$0.device] })
        guard let difference = RemoteIdentity.difference(known: known, told: told, at: address) else { continue }
        state.opening[other]?.obstacle = difference
      }
      return state.sessions.values.map(\.session).filter { $0.order.rules.address == address }
    }
    for session in there {
      let known = RemoteIdentity.known(devices[session.order.rules.device])
      if let difference = RemoteIdentity.difference(known: known, told: told, at: address) {
        session.end(RemoteEnd(.device, difference))
      }
    }
    return try RemoteIdentity.evidence(
      known: RemoteIdentity.known(devices[device]), told: told, at: address)
  }

  private func collector() async throws -> Collector {
    let end = ContinuousClock.now.advanced(by: Self.collectorMax)
    while ContinuousClock.now < end {
      if let collector = desk.collector, await collector.isCollecting { return collector }
      try await Task.sleep(for: Self.collectorLook)
    }
    throw CollectorStopped()
  }

  private func pins(of device: DeviceID) -> CertificatePins {
    let known = fold.state.devices[device]
    return state.withLock { state in
      if let pins = state.pins[device] { return pins }
      let ports = (known?.alerts.keys.map { $0 } ?? []).filter { $0.group == RemoteAlert.group }.map {
        UInt32(clamping: $0.groupIndex)
      }
      let pins = CertificatePins(
        pinned: known?.pinnedCertificates.mapValues(\.fact.digest) ?? [:], standing: Set(ports))
      state.pins[device] = pins
      return pins
    }
  }

  // MARK: From this side

  struct Shown: Equatable, Sendable {
    var job: JobID
    var device: DeviceID
    var address: String
    var visit: JobOrder.Visit
    var evidence: String
    var targets: [String]
    /// Milliseconds since 1970 UTC.
    var since: Int64
    var until: Int64
    var usage: RemoteUsage
    var secondsLeft: Int64
  }

  /// The sessions that are open, by their jobs.
  var sessions: [Shown] {
    state.withLock { Array($0.sessions.values) }.sorted { $0.session.order.job < $1.session.order.job }.map {
      (session, since) in
      let order = session.order
      let left = session.limits.time - session.started.duration(to: .now)
      return Shown(
        job: order.job, device: order.rules.device, address: order.rules.address.description, visit: order.visit,
        evidence: order.evidence, targets: order.targets, since: since,
        until: since + Int64(session.limits.time / .milliseconds(1)), usage: session.usage,
        secondsLeft: max(left.components.seconds, 0))
    }
  }

  /// Sessions that are being opened.
  var opening: Int { state.withLock { $0.opening.count } }

  /// Ends one session, or all and those that are being opened.
  /// - Returns: how many.
  func close(_ job: JobID?) -> Int {
    let (sessions, opening) = state.withLock { state in
      let opening = state.opening.keys.filter { job == nil || $0 == job }
      for id in opening { state.opening[id] = nil }
      return (state.sessions.values.map(\.session).filter { job == nil || $0.order.job == job }, opening.count)
    }
    for session in sessions { session.end(RemoteEnd(.closed, "It was ended at the agent.")) }
    return sessions.count + opening
  }

  /// Other certificates than the pinned one that a device has shown since the agent started.
  func certificates(of device: DeviceID) -> [RemoteCertificate] {
    fold.state.devices[device] == nil ? [] : pins(of: device).shown
  }

  /// Accepts one of them.
  /// - Parameter certificate: as in `CertificatePins.trust`.
  /// - Returns: at which ports; empty where no such one was shown.
  func trust(_ device: DeviceID, _ certificate: String) async throws -> [UInt32] {
    guard let known = fold.state.devices[device] else { return [] }
    let pins = pins(of: device)
    let raised = Dictionary(
      known.alerts.filter { $0.key.group == RemoteAlert.group }.map {
        (UInt32(clamping: $0.key.groupIndex), $0.value.time)
      }
    ) { first, _ in first }
    let ports = pins.trust(certificate, now: Machine.milliseconds, raised: raised)
    try await record(pins.takeNews(), of: device)
    return ports
  }

  private func record(_ bodies: [EventBody], of device: DeviceID) async throws {
    for body in bodies { _ = try await RemoteRecords(journal: journal).append(body, of: device) }
  }
}

/// What happens in sessions, as records about the device.
struct RemoteRecords: RemoteJournal {
  let journal: Journal

  func append(_ body: EventBody, of device: DeviceID) async throws -> UInt64 {
    let payload = try Event(time: Machine.milliseconds, device: device, body).encoded()
    return try await journal.append([payload]).last?.sequence ?? 0
  }
}

extension RemoteSettings {
  fileprivate var limits: RemoteLimits {
    var limits = RemoteLimits()
    limits.time = timeLimit
    limits.bytesMax = UInt64(bytesMax.bytes)
    limits.requestsMax = UInt64(requestsMax)
    limits.requestsPerSecond = Double(requestsPerSecond)
    return limits
  }
}
