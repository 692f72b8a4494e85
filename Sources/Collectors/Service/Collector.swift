// The collector service: finds devices, polls them, and says through its sink what happened.
//
//      sweeps (at start, then every sweepInterval)        polls (every pollInterval per device, spread, backing off)
//            |  found at an endpoint                            |   and traps: a hint to poll soon
//            v                                                  v
//      [ schedule: endpoint -> due ] ----------------> poll -> which device is it? (registry) -> what happened? (monitor)
//                                                                                                   |
//                                     sink.append(events), durable <--------------------------------+  then the observer hears of it
//
// A device that a sweep finds is discovered by its first poll, which reads everything that identifies it. A sweep does not ask an endpoint
// whose device answered its last poll: it is found.
//
// A device that nobody could read for `retireAfter`, of which it was asked on as many days, is retired: it is asked no more, and comes back when a sweep
// finds it.
//
// The actor holds the state; network and interpretation happen outside of it. If the sink fails, `run` throws, and what was not appended
// never happened: the next start begins from the journal.

internal import AlertRules
package import Discovery
internal import Events
internal import Foundation
internal import MIB
package import PrinterModel
package import SNMP

/// Runs the collection of one install.
package actor Collector {
  /// How often the schedule is looked at: polls are minutes apart, and a sweep's finds should not wait.
  static let tick: Duration = .milliseconds(250)
  /// How often it is tried whether the port for traps can be had now.
  private static let trapPortRetry: Duration = .seconds(30)
  /// How often the clock on the wall is looked at while a sweep's time is waited for.
  private static let clockLook: Duration = .seconds(30)
  /// An address where nothing is known is probed for a hint at most this often.
  private static let hintedProbeSpacing: Duration = .seconds(600)
  /// Such addresses remembered; whoever invents more is not heard until some are forgotten.
  private static let hintedProbesMax = 1_024
  /// How often it is looked at who is to be retired: it is a matter of weeks.
  private static let retirementEvery: Duration = .seconds(3_600)
  /// For how long IPP does not take the place of SNMP that fell silent, in milliseconds: printers sleep over nights, and what an administrator
  /// switched off stays off.
  private static let sleepMax: Int64 = 24 * 3_600_000

  private(set) var settings: CollectorSettings
  let reader: DeviceReader
  private let sink: any EventSink
  private let observer: any CollectorObserver
  let clock: @Sendable () -> Int64
  private let thinning: @Sendable () -> Duration?
  private var random = SystemRandomNumberGenerator()

  private var registry: DeviceRegistry
  /// Held aside, so that the dictionary's empty rows are small.
  var monitors: [DeviceID: Held<DeviceMonitor>]
  var schedule: PollSchedule
  /// When addresses where nothing is known were probed for a hint.
  private var hintedProbes: [IPv4Address: Instant] = [:]
  /// Addresses at which printers announce themselves, and which no range holds, as they were told.
  private var announcedElsewhere: Set<IPv4Address> = []
  /// Why first polls failed, as it was told.
  private var undiscovered: [Endpoint: PollFailure.Reason] = [:]
  private var hasSwept = false
  private var isSweeping = false
  /// Whether polls are made: not before and after `run`.
  package internal(set) var isCollecting = false
  /// When something last moved, in milliseconds since 1970 UTC: what a health check compares with now.
  package private(set) var lastProgress: Int64

  /// - Parameters:
  ///   - known: the devices of earlier runs.
  ///   - thinning: how often a device's readings are told at most; nil: each one.
  ///   - clock: milliseconds since 1970 UTC.
  package init(
    _ settings: CollectorSettings, known: [KnownDevice] = [], engine: UDPEngine, sink: any EventSink,
    observer: any CollectorObserver = NoObserver(), keys: USMKeyCache = USMKeyCache(), profiles: ProfileSet = .shipped,
    thinning: @escaping @Sendable () -> Duration? = { nil }, clock: @escaping @Sendable () -> Int64
  ) {
    self.settings = settings
    self.sink = sink
    self.observer = observer
    self.clock = clock
    self.thinning = thinning
    reader = DeviceReader(engine: engine, keys: keys, profiles: profiles)
    registry = DeviceRegistry(known)
    monitors = Dictionary(known.map { ($0.id, Held(DeviceMonitor($0))) }) { _, later in later }
    schedule = PollSchedule(interval: settings.pollInterval, parallelMax: settings.parallelMax)
    lastProgress = clock()
  }

  /// Collects until the task is cancelled or the sink fails.
  package func run() async throws {
    resumeKnown()
    isCollecting = true
    defer { isCollecting = false }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await self.sweepForEver() }
      group.addTask { try await self.pollForEver() }
      let hearsTraps = settings.trapPort != nil
      if hearsTraps { group.addTask { try await self.hearTraps() } }
      group.addTask { try await self.retireForEver() }
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Goes on with other settings, if they say how to collect and not where and when to sweep.
  ///
  /// - Returns: false if they say more; nothing has changed then, and another collector is needed.
  package func take(_ other: CollectorSettings) -> Bool {
    guard settings.differsOnlyInManner(from: other) else { return false }
    settings = other
    schedule.change(
      interval: other.pollInterval, parallelMax: other.parallelMax, now: ContinuousClock.now, random: &random)
    return true
  }

  /// Reads one device now and whole, without recording anything.
  package func readNow(_ endpoint: Endpoint) async throws -> PollOutcome {
    try await reader.read(
      endpoint, credentials: settings.credentials(for: endpoint.address),
      ippPort: settings.usesIPP ? settings.ippPort : nil)
  }

  /// Sweeps once without recording anything.
  package func sweepNow(progress: @Sendable (SweepProgress) -> Void = { _ in }) async throws -> [AddressResult] {
    try await Surveyor(reader, settings).sweep(progress: progress)
  }

  /// The devices as they are known now.
  package var devices: [KnownDevice] { monitors.values.map(\.value.known) }

  private func resumeKnown() {
    let now = ContinuousClock.now
    for monitor in monitors.values.map(\.value).sorted(by: { $0.known.id < $1.known.id }) {
      guard let endpoint = monitor.known.endpoint, !monitor.known.isRetired else { continue }
      let credentials = settings.credentials(for: endpoint.address)
      let former = credentials.first { $0.name == monitor.known.credential }
      guard let credential = former ?? credentials.first else { continue }
      let isOverIPP =
        settings.usesIPP && monitor.known.isReadOverIPP && (former == nil || !monitor.known.meters.isEmpty)
      schedule.resume(
        monitor.known.id, at: self.endpoint(endpoint, isOverIPP: isOverIPP),
        access: isOverIPP ? .ipp(nil) : access(credential), now: now)
    }
  }

  /// Where a device is asked that was last known at `endpoint`: an older release told the port of SNMP whichever way it asked.
  private func endpoint(_ known: Endpoint, isOverIPP: Bool) -> Endpoint {
    if isOverIPP { return known.port == settings.port ? Endpoint(known.address, port: settings.ippPort) : known }
    return known.port == settings.ippPort ? Endpoint(known.address, port: settings.port) : known
  }

  private func access(_ credential: NamedCredential) -> DeviceAccess { .snmp(credential, reader.newMemory(credential)) }

  private func moved() {
    lastProgress = clock()
    observer.progressed(at: lastProgress)
  }

  // MARK: Retirement

  private func retireForEver() async throws {
    while true {
      try await Task.sleep(for: Self.retirementEvery)
      try await retireUnread()
    }
  }

  /// Retires the devices that were not read for `retireAfter`. Not before a sweep is over, and none that was not asked since the start: it
  /// may have been the service that was away. Those that have no address are missed.
  private func retireUnread() async throws {
    guard hasSwept else { return }
    let now = clock()
    for id in monitors.keys.sorted() {
      let missed = monitors[id]?.value.missed(time: now) ?? []
      if !missed.isEmpty { try await sink.append(missed) }
      guard let monitor = monitors[id]?.value, monitor.isToRetire(after: settings.retireAfter, time: now)
      else {
        continue
      }
      let endpoint = monitor.known.endpoint
      // That poll's end may say otherwise; the next look will see it.
      if let endpoint, schedule.isBeingPolled(endpoint) { continue }
      let events = monitors[id]?.value.retire(time: now) ?? []
      if let endpoint { schedule.remove(endpoint) }
      try await sink.append(events)
    }
  }

  // MARK: Sweeps

  private func sweepForEver() async throws {
    if let timetable = settings.sweepTimetable, !monitors.isEmpty { try await waitForSweep(timetable) }
    while true {
      let started = ContinuousClock.now
      try await sweepOnce()
      if let timetable = settings.sweepTimetable {
        try await waitForSweep(timetable)
      } else {
        try await Task.sleep(until: started.advanced(by: settings.sweepInterval), clock: .continuous)
      }
    }
  }

  /// Until the next time of the timetable by the clock on the wall, which may be set meanwhile.
  private func waitForSweep(_ timetable: SweepTimetable) async throws {
    let now = Date(timeIntervalSince1970: Double(clock()) / 1_000)
    guard let due = timetable.next(after: now, in: .current).map({ Int64($0.timeIntervalSince1970 * 1_000) }) else {
      return try await Task.sleep(for: settings.sweepInterval)
    }
    while clock() < due { try await Task.sleep(for: min(.milliseconds(due - clock()), Self.clockLook)) }
  }

  /// - Parameter plan: all that is configured, or a part of it.
  /// - Returns: addresses per reason.
  @discardableResult
  func sweepOnce(_ plan: SweepPlan? = nil) async throws -> [SweepReason: Int] {
    while isSweeping { try await Task.sleep(for: Self.tick) }
    isSweeping = true
    defer { isSweeping = false }
    let isWhole = plan == nil
    let plan = plan ?? settings.plan
    let number = UInt64(clamping: clock())
    let started = ContinuousClock.now
    let begun = SweepStarted(
      sweep: number, ranges: plan.ranges.map(\.name), addresses: UInt64(clamping: plan.addressCount))
    try await sink.append([Event(time: clock(), .sweepStarted(begun))])
    observer.sweepStarted(addresses: plan.addressCount)
    let observer = observer
    let counts = try await Surveyor(reader, settings).run(
      plan, isKnown: { await self.knownResult($0) }, progress: { observer.sweepProgressed($0) },
      settled: { await self.settled($0) },
      elsewhere: {
        if isWhole || settings.plan.range(of: $0.address) == nil, announcedElsewhere.insert($0.address).inserted {
          observer.announcedElsewhere($0)
        }
      })
    let elapsed = started.duration(to: ContinuousClock.now) / .milliseconds(1)
    let outcomes = counts.sorted { $0.key.rawValue < $1.key.rawValue }.map {
      SweepOutcome(reason: $0.key.rawValue, addresses: UInt64(clamping: $0.value))
    }
    let done = SweepCompleted(sweep: number, milliseconds: UInt64(elapsed.rounded()), outcomes: outcomes)
    try await sink.append([Event(time: clock(), .sweepCompleted(done))])
    if isWhole {
      hasSwept = true
      try await retireUnread()
    }
    moved()
    return counts
  }

  /// The result of an address whose device answered its last poll over SNMP. One that is read over IPP is asked again in each sweep, because SNMP
  /// may have been switched on.
  private func knownResult(_ address: IPv4Address) -> AddressResult? {
    let endpoint = Endpoint(address, port: settings.port)
    guard schedule.slots[endpoint]?.access.isSNMP ?? false, let device = registry.device(at: endpoint),
      let monitor = monitors[device]?.value, monitor.hasReading,
      monitor.reachability.isReachable
    else { return nil }
    var result = AddressResult(address: address, reason: .found, detail: "known, and answered its last poll")
    result.credential = monitor.known.credential
    result.identity = monitor.known.identity
    return result
  }

  private func settled(_ result: AddressResult) {
    moved()
    observer.addressSettled(result)
    guard result.reason == .found else { return }
    let endpoint = Endpoint(result.address, port: settings.port)
    if knownResult(result.address) != nil { return }
    let isConfigured = settings.credentials(for: result.address).contains { $0.name == result.credential }
    if result.credential == IPPAsker.accessName, !isConfigured {
      let endpoint = Endpoint(result.address, port: result.announcedWay?.port ?? settings.ippPort)
      // As before: its next poll comes when it is due. One that was not reached is asked where it says now that it is.
      let known = schedule.slots[endpoint]?.device.flatMap { monitors[$0]?.value }
      if let known, known.reachability.isReachable || result.announcedWay == nil { return }
      return schedule.found(at: endpoint, access: .ipp(result.announcedWay?.way), now: ContinuousClock.now)
    }
    let credentials = settings.credentials(for: result.address)
    guard let credential = credentials.first(where: { $0.name == result.credential }) else { return }
    schedule.found(at: endpoint, access: access(credential), now: ContinuousClock.now)
  }

  // MARK: Traps

  /// Sweeps and polls go on while the port cannot be had: traps are only hints. It may be free later.
  private func listener(at port: UInt16) async throws -> TrapListener {
    var isTold = false
    while true {
      do throws(EngineError) {
        let listener = try TrapListener(port: port)
        if isTold { observer.trapsHeard() }
        return listener
      } catch {
        if !isTold { observer.trapsUnheard(error.description) }
        isTold = true
      }
      try await Task.sleep(for: Self.trapPortRetry)
    }
  }

  private func hearTraps() async throws {
    guard let port = settings.trapPort else { return }
    let listener = try await listener(at: port)
    try await withThrowingDiscardingTaskGroup { group in
      while !group.isCancelled {
        for hint in listener.take() {
          if let address = heard(hint) { group.addTask { try await self.probe(address) } }
        }
        try await Task.sleep(for: Self.tick)
      }
    }
  }

  /// Brings a known device's poll forward.
  /// - Returns: an address to probe, where nothing is known.
  private func heard(_ hint: TrapHint) -> IPv4Address? {
    let now = ContinuousClock.now
    let addresses = [hint.origin, hint.source].compactMap { $0 }
    let ports = settings.usesIPP ? [settings.port, settings.ippPort] : [settings.port]
    for address in addresses {
      for port in ports where schedule.hint(Endpoint(address, port: port), now: now) { return nil }
    }
    guard let address = addresses.first(where: { !settings.credentials(for: $0).isEmpty }) else { return nil }
    hintedProbes = hintedProbes.filter { $0.value.advanced(by: Self.hintedProbeSpacing) > now }
    guard hintedProbes[address] == nil, hintedProbes.count < Self.hintedProbesMax else { return nil }
    hintedProbes[address] = now
    return address
  }

  /// A sweep of one address, which nobody is told of but by what it finds.
  private func probe(_ address: IPv4Address) async throws {
    let plan = SweepPlan(
      ranges: [
        SweepRange(
          name: address.description, addresses: AddressSet([AddressRange(address)]),
          credentialCount: settings.credentials(for: address).count,
          lastResortCount: ProbeAsk.lastResorts(settings.credentials(for: address)).count)
      ])
    _ = try await Surveyor(reader, settings).run(
      plan, isKnown: { _ in nil }, progress: { _ in }, settled: { await self.settled($0) })
  }

  // MARK: Polls

  private func pollForEver() async throws {
    try await withThrowingDiscardingTaskGroup { group in
      // A poll that throws cancels the group's tasks, not this loop.
      while !group.isCancelled {
        let due = schedule.takeDue(now: ContinuousClock.now)
        for endpoint in due { group.addTask { try await self.poll(endpoint) } }
        if due.isEmpty, schedule.pollingCount == 0 { moved() }
        observer.stepped(schedule.step(now: ContinuousClock.now))
        try await Task.sleep(for: Self.tick)
      }
    }
  }

  private func poll(_ endpoint: Endpoint) async throws {
    guard let slot = schedule.slots[endpoint] else { return schedule.abandoned(endpoint) }
    let monitor = slot.device.flatMap { monitors[$0]?.value }
    let kind = monitor?.nextPoll(time: clock()) ?? .full
    let hasActiveAlerts = monitor.map { !$0.known.alerts.isEmpty } ?? false
    let (outcome, access) = try await ask(
      endpoint, kind, slot.access, hasActiveAlerts: hasActiveAlerts, isHinted: slot.isPolledForHint)
    try await finished(outcome, access, slot)
  }

  private func ask(
    _ endpoint: Endpoint, _ kind: PollKind, _ access: DeviceAccess, hasActiveAlerts: Bool, isHinted: Bool = false
  ) async throws -> (PollOutcome, DeviceAccess) {
    switch access {
    case .snmp(let credential, let memory):
      let (outcome, memory) = try await reader.poll(
        kind, at: endpoint, credential: credential, memory: memory, hasActiveAlerts: hasActiveAlerts,
        isHinted: isHinted)
      return (outcome, .snmp(credential, memory))
    case .ipp(let way):
      let (outcome, way) = try await reader.ipp.poll(endpoint, port: endpoint.port, way: way)
      return (outcome, .ipp(way))
    }
  }

  private func finished(_ outcome: PollOutcome, _ access: DeviceAccess, _ slot: PollSchedule.Slot) async throws {
    moved()
    switch outcome.result {
    case .reading(let poll) where slot.device == nil && poll.interruption != nil && !poll.reading.identity.isAnyones:
      // A first poll that broke off before the device told who it is would make one more device of it.
      if let interruption = poll.interruption { try await discoveryFailed(interruption, outcome) }
    case .reading(let poll) where slot.device == nil || poll.interruption == nil:
      try await identified(poll.reading.identity, outcome, access)
    case .failed(let failure) where slot.device == nil:
      try await discoveryFailed(failure, outcome)
    case .reading, .failed:
      // Nothing was found out about who it is: it stays who it was.
      guard let device = slot.device else { return schedule.abandoned(outcome.endpoint) }
      // It was found elsewhere, or in another way, while this poll was under way.
      if let now = monitors[device]?.value.known.endpoint, now != outcome.endpoint, schedule.slots[now] != nil {
        return schedule.abandoned(outcome.endpoint)
      }
      try await tell(outcome, of: device, access, after: [])
    }
  }

  /// What nobody knows is left to the next sweep. It is told when the reason is new: sweeps may be frequent.
  private func discoveryFailed(_ failure: PollFailure, _ outcome: PollOutcome) async throws {
    let endpoint = outcome.endpoint
    if undiscovered.updateValue(failure.reason, forKey: endpoint) != failure.reason {
      let body = DiscoveryFailed(
        address: endpoint.description, credential: outcome.credential, reason: failure.reason.rawValue,
        message: failure.message)
      try await sink.append([Event(time: clock(), .discoveryFailed(body))])
    }
    schedule.abandoned(endpoint)
    observer.discoveryFailed(at: endpoint, failure)
  }

  /// Decides whose reading it is, then tells it.
  private func identified(
    _ identity: DeviceIdentity, _ outcome: PollOutcome, _ access: DeviceAccess
  ) async throws {
    let endpoint = outcome.endpoint
    if isAsleep(overSNMP: identity, at: endpoint) { return schedule.abandoned(endpoint) }
    var elsewhere = DeviceRegistry.Elsewhere.silent
    var answering: (endpoint: Endpoint, access: DeviceAccess)?
    if let former = registry.endpointToVerify(identity, at: endpoint) {
      let (answer, access) = try await whoAnswers(at: former, Sign(outcome, at: clock()))
      elsewhere = answer
      answering = access.map { (former, $0) }
    }
    var sighting = registry.sighted(
      identity, at: endpoint, credential: access.name, elsewhere: elsewhere,
      returning: returning(identity, outcome), newID: DeviceID(using: &random), time: clock())
    undiscovered[endpoint] = nil
    sighting.events = end(sighting.merged, seenAt: endpoint) + sighting.events
    if let displaced = sighting.displaced {
      // Nobody watches it before it is read somewhere again.
      sighting.events = (monitors[displaced]?.value.end(time: clock()) ?? []) + sighting.events
      let known = monitors[displaced]?.value.known
      monitors[displaced]?.value.update(
        endpoint: nil, credential: known?.credential ?? "", identity: known?.identity ?? DeviceIdentity())
    }
    guard sighting.isPolledHere else { return try await seenAlso(sighting, at: endpoint) }
    let merged = registry.entries[sighting.device]?.identity ?? identity
    if let former = monitors[sighting.device]?.value.known.endpoint, former != endpoint { schedule.remove(former) }
    if monitors[sighting.device] == nil {
      let known = KnownDevice(
        id: sighting.device, endpoint: endpoint, credential: access.name, identity: merged)
      monitors[sighting.device] = Held(DeviceMonitor(known))
    } else {
      monitors[sighting.device]?.value.update(endpoint: endpoint, credential: access.name, identity: merged)
    }
    sighting.events +=
      monitors[sighting.device]?.value.comeBack(at: endpoint, evidence: sighting.evidence, time: clock()) ?? []
    try await tell(outcome, of: sighting.device, access, after: sighting.events)
    // Who has taken the place of a device that moved is found out now and not by the next sweep: two may have exchanged their addresses.
    if let answering, registry.device(at: answering.endpoint) == nil {
      schedule.found(at: answering.endpoint, access: answering.access, now: ContinuousClock.now)
    }
  }

  /// The one device without an identifier that is back at its address.
  private func returning(_ identity: DeviceIdentity, _ outcome: PollOutcome) -> (device: DeviceID, words: String)? {
    let sign = Sign(outcome, at: clock())
    let back = registry.mayReturn(identity, to: outcome.endpoint).compactMap { device in
      monitors[device]?.value.returned(sign).map { (device, $0) }
    }
    return back.count == 1 ? back.first : nil
  }

  /// Whether this is a device that is polled over SNMP at the same address, and was read so less than `sleepMax` ago: its SNMP sleeps, and IPP,
  /// which tells fewer counters, does not take its place.
  private func isAsleep(overSNMP identity: DeviceIdentity, at endpoint: Endpoint) -> Bool {
    guard let device = registry.device(telling: identity, at: endpoint), let known = monitors[device]?.value.known,
      let former = known.endpoint, former != endpoint, former.address == endpoint.address,
      schedule.slots[former]?.access.isSNMP == true, !known.isRetired, let lastRead = known.lastRead
    else { return false }
    return clock() - lastRead < Self.sleepMax
  }

  /// Devices that go on as another one are monitored and polled no more.
  private func end(_ merged: [DeviceRegistry.Merged], seenAt endpoint: Endpoint) -> [Event] {
    merged.flatMap { gone in
      if let former = gone.endpoint, former != endpoint { schedule.remove(former) }
      var monitor = monitors.removeValue(forKey: gone.device)?.value
      return monitor?.end(time: clock()) ?? []
    }
  }

  private func seenAlso(_ sighting: DeviceRegistry.Sighting, at endpoint: Endpoint) async throws {
    try await sink.append(sighting.events)
    schedule.abandoned(endpoint)
    for case .deviceSeenAlso(let seen) in sighting.events.map(\.body) {
      observer.deviceSeenAlso(sighting.device, seen)
    }
  }

  /// Who answers at an endpoint where a device with this sign was known, and how it was read there; nil: it was not.
  private func whoAnswers(
    at endpoint: Endpoint, _ sign: Sign
  ) async throws -> (DeviceRegistry.Elsewhere, access: DeviceAccess?) {
    guard let slot = schedule.slots[endpoint] else { return (.silent, nil) }
    guard case .snmp(let credential, _) = slot.access else {
      let (outcome, access) = try await ask(endpoint, .full, slot.access, hasActiveAlerts: false)
      return compared(sign, with: outcome, at: endpoint, access)
    }
    // A silent address is known as such after one packet and its patience, without a whole poll's retries.
    let attempt = SweepAttempt(
      address: endpoint.address, range: 0, pass: 2, patience: settings.sweep.secondPatience,
      furtherPatience: settings.sweep.firstPatience)
    let probe = try await reader.probe(attempt, port: endpoint.port, credentials: [credential])
    guard probe.answer == .found else { return (.silent, nil) }
    let working = probe.credential ?? credential
    let (outcome, _) = try await reader.poll(
      .full, at: endpoint, credential: working, memory: reader.newMemory(working))
    return compared(sign, with: outcome, at: endpoint, access(working))
  }

  private func compared(
    _ sign: Sign, with outcome: PollOutcome, at endpoint: Endpoint, _ access: DeviceAccess
  ) -> (DeviceRegistry.Elsewhere, access: DeviceAccess?) {
    let there = Sign(outcome, at: clock())
    return (sign.compared(with: there, at: endpoint), there.identity == nil ? nil : access)
  }

  private func tell(
    _ outcome: PollOutcome, of device: DeviceID, _ access: DeviceAccess, after events: [Event]
  ) async throws {
    let identity = monitors[device]?.value.known.identity ?? DeviceIdentity()
    let told =
      monitors[device]?.value.completed(
        outcome, time: clock(), thinning: thinning(), rules: settings.rules.rules(for: device, identity),
        offsets: settings.offsets.filter { $0.device.matches(device, identity) }) ?? []
    try await sink.append(events + told)
    let pause = monitors[device]?.value.pause(interval: settings.pollInterval) ?? settings.pollInterval
    schedule.polled(
      outcome.endpoint, device: device, access: access, pause: pause, now: ContinuousClock.now, random: &random)
    observer.devicePolled(device, outcome)
  }
}
