// The fleet as the events tell it: one pure fold. No clock, no I/O, no order but that of the journal.
//
// The state can be written down as a short list of events that folds to the same state (`StateRow`): that list is what is stored beside
// the journal and what a snapshot holds. Hence no second format, and loading is folding.

package import Events
package import PrinterModel

/// Everything that is current: the agent itself and its devices.
package struct FleetState: Equatable, Sendable {
  package var agent = AgentState()
  package var devices = DeviceTable()

  package init() {}

  /// Folds one event.
  /// - Parameter touched: called with each row that it touched, for whoever stores them.
  package mutating func apply(_ event: Event, touched: (StateKey) -> Void = { _ in }) {
    guard let id = event.device else { return agent.apply(event, touched) }
    devices.change(id) { $0.apply(event, touched) }
  }

  /// Keeps what is known of a device in few bytes until an event changes it: for whoever holds the state of a fleet for long. It is the same
  /// state.
  package mutating func rest(_ device: DeviceID) {
    if devices[device] != nil { devices.change(device) { $0.rest() } }
  }
}

/// What the events of the agent itself say.
package struct AgentState: Equatable, Sendable {
  package var started: Timed<AgentStarted>?
  package var stopped: Timed<AgentStopped>?
  package var enrolled: Timed<InstallEnrolled>?
  package var sweepStarted: Timed<SweepStarted>?
  package var sweepCompleted: Timed<SweepCompleted>?
  /// The latest record that the hub refused, and how many there were.
  package var rejected: Timed<UploadRejected>?
  package internal(set) var jobs = JobStates()
  /// The hub's settings that are in use.
  package var settings: Timed<SettingsApplied>?
  /// The latest set that was not taken; nil once one was.
  package var settingsRefused: Timed<SettingsRefused>?

  package init() {}

  mutating func apply(_ event: Event, _ touched: (StateKey) -> Void) {
    if EventType.isOfJob(event.body.type), jobs.apply(event, touched) { return }
    switch event.body {
    case .agentStarted(let body):
      started = Timed(event.time, body)
      stopped = nil
      touched(StateKey(EventType.agentStarted))
      touched(StateKey(EventType.agentStopped))
    case .agentStopped(let body):
      stopped = Timed(event.time, body)
      touched(StateKey(EventType.agentStopped))
    case .installEnrolled(let body):
      enrolled = Timed(event.time, body)
      touched(StateKey(EventType.installEnrolled))
    case .sweepStarted(let body):
      sweepStarted = Timed(event.time, body)
      touched(StateKey(EventType.sweepStarted))
    case .sweepCompleted(let body):
      sweepCompleted = Timed(event.time, body)
      touched(StateKey(EventType.sweepCompleted))
    case .uploadRejected(let body):
      rejected = Timed(event.time, body)
      touched(StateKey(EventType.uploadRejected))
    case .settingsApplied(let body):
      settings = Timed(event.time, body)
      touched(StateKey(EventType.settingsApplied))
      guard settingsRefused != nil else { break }
      settingsRefused = nil
      touched(StateKey(EventType.settingsRefused))
    case .settingsRefused(let body):
      settingsRefused = Timed(event.time, body)
      touched(StateKey(EventType.settingsRefused))
    default: break
    }
  }
}

/// A fact with the time at which it was observed, in milliseconds since 1970 UTC.
package struct Timed<Fact: Equatable & Sendable>: Equatable, Sendable {
  package var time: Int64
  package var fact: Fact
  package init(_ time: Int64, _ fact: Fact) {
    self.time = time
    self.fact = fact
  }
}

/// One device as its events tell it.
package struct DeviceState: Equatable, Sendable {
  package let id: DeviceID
  /// When and as what it was found; the address is the current one.
  package var discovered: Timed<DeviceDiscovered>?
  /// Another device answers where this one was; nil once this one has an address again.
  package var replaced: Timed<DeviceReplaced>?
  /// The device that this one was found to be.
  package var merged: Timed<DeviceMerged>?
  /// Not read for so long that it is not asked any more; nil once it returned.
  package var retired: Timed<DeviceRetired>?
  /// The current reading, without alerts and uptime, and when it last changed.
  package var reading: Timed<Reading>? {
    get { held?.reading }
    set { held = newValue.map { .whole($0) } }
  }
  private var held: HeldReading?
  /// The latest successful poll.
  package var lastRead: Timed<ReadingUnchanged>?
  /// The latest poll, if it failed.
  package var failure: Timed<PollFailed>?
  /// Alerts that are raised now, and since when.
  package var alerts: [AlertKey: Timed<AlertRaised>] = [:]
  /// Alerts that came and went of late, and when they were cleared.
  package var flaps: [AlertKey: Timed<AlertCleared>] = [:]
  /// Meters whose history has more than one epoch.
  package var meterEpochs: [MeterName: Timed<MeterEpochOpened>] = [:]
  /// Meters that rose by more than can have been printed, until another epoch begins in which nothing goes on from there.
  package var meterLeaps: [MeterName: Timed<MeterLeapt>] = [:]
  /// What is added to meters to give their adjusted values.
  package var meterOffsets: [MeterName: Timed<MeterOffsetSet>] = [:]
  /// The certificates that its own pages are pinned to, by port.
  package var pinnedCertificates: [UInt32: Timed<RemoteCertificate>] = [:]

  package init(id: DeviceID) { self.id = id }

  /// A meter's value with its offset; nil where it has none, or where the sum is no count.
  package func adjusted(_ meter: Meter) -> UInt64? {
    guard let offset = meterOffsets[meter.name]?.fact.offset, meter.quality.isNumber else { return nil }
    let magnitude = offset.magnitude
    let (sum, isBeyond) =
      offset < 0
      ? meter.value.subtractingReportingOverflow(magnitude) : meter.value.addingReportingOverflow(magnitude)
    return isBeyond ? nil : sum
  }

  /// `read`, `unreachable`, `replaced`, `merged`, `retired` or `new`.
  package var condition: String {
    if merged != nil { return "merged" }
    if retired != nil { return "retired" }
    if replaced != nil { return "replaced" }
    if failure != nil { return "unreachable" }
    return lastRead == nil ? "new" : "read"
  }

  /// The address last seen, `10.0.0.7:161`; nil before the device was discovered.
  package var address: String? { discovered?.fact.address }

  mutating func apply(_ event: Event, _ touched: (StateKey) -> Void) {
    switch event.body {
    case .deviceDiscovered(let body):
      discovered = Timed(event.time, body)
      touched(key(EventType.deviceDiscovered))
    case .deviceMoved(let body):
      discovered?.fact.address = body.to
      touched(key(EventType.deviceDiscovered))
      guard replaced != nil else { break }
      replaced = nil
      touched(key(EventType.deviceReplaced))
    case .deviceReplaced(let body):
      replaced = Timed(event.time, body)
      touched(key(EventType.deviceReplaced))
    case .deviceMerged(let body):
      merged = Timed(event.time, body)
      touched(key(EventType.deviceMerged))
    case .deviceRetired(let body):
      retired = Timed(event.time, body)
      touched(key(EventType.deviceRetired))
    case .deviceReturned:
      retired = nil
      touched(key(EventType.deviceRetired))
    case .readingTaken(let body):
      reading = Timed(event.time, body.reading.normalized.current)
      touched(key(EventType.readingTaken))
      read(event.time, body.reading.detectors.uptimeTicks, body.cost, touched)
    case .readingChanged(let body):
      var current = reading ?? Timed(event.time, Reading())
      // So that its tables change in place.
      held = nil
      current.time = event.time
      current.fact.apply(body.change)
      reading = current
      touched(key(EventType.readingTaken))
      read(event.time, body.change.detectors?.uptimeTicks, body.cost, touched)
    case .readingUnchanged(let body):
      read(event.time, body.uptimeTicks, body.cost, touched)
    case .pollFailed(let body):
      failure = Timed(event.time, body)
      touched(key(EventType.pollFailed))
    case .alertRaised(let body):
      alerts[body.key] = Timed(event.time, body)
      touched(key(body.key))
      if flaps.removeValue(forKey: body.key) != nil { touched(StateKey(flap: body.key, of: id)) }
    case .alertUpdated(let body):
      let since = alerts[body.key]?.time ?? event.time
      alerts[body.key] = Timed(
        since, AlertRaised(key: body.key, alert: body.alert, evidence: body.evidence, penalty: body.penalty))
      touched(key(body.key))
    case .alertCleared(let body):
      alerts[body.key] = nil
      touched(key(body.key))
      guard body.penalty > 0 else { break }
      flaps[body.key] = Timed(event.time, body)
      touched(StateKey(flap: body.key, of: id))
    case .meterEpochOpened(let body):
      meterEpochs[body.meter] = Timed(event.time, body)
      touched(key(body.meter))
      guard meterLeaps[body.meter] != nil, !body.mayBeWrong else { break }
      meterLeaps[body.meter] = nil
      touched(StateKey(leap: body.meter, of: id))
    case .meterLeapt(let body):
      meterLeaps[body.meter] = Timed(event.time, body)
      touched(StateKey(leap: body.meter, of: id))
    case .meterOffsetSet(let body):
      meterOffsets[body.meter] = body.offset == 0 ? nil : Timed(event.time, body)
      touched(StateKey(offset: body.meter, of: id))
    case .remoteCertificatePinned(let body):
      pinnedCertificates[body.port] = Timed(event.time, body)
      touched(StateKey(port: body.port, of: id))
    default: break
    }
  }

  /// See `FleetState.rest`.
  fileprivate mutating func rest() { held = held?.resting }

  private mutating func read(_ time: Int64, _ uptime: UInt64?, _ cost: PollCost, _ touched: (StateKey) -> Void) {
    lastRead = Timed(time, ReadingUnchanged(uptimeTicks: uptime, cost: cost))
    touched(key(EventType.readingUnchanged))
    guard failure != nil else { return }
    failure = nil
    touched(key(EventType.pollFailed))
  }

  private func key(_ type: UInt16) -> StateKey { StateKey(type, id) }
  private func key(_ alert: AlertKey) -> StateKey { StateKey(alert: alert, of: id) }
  private func key(_ meter: MeterName) -> StateKey { StateKey(meter: meter, of: id) }
}

extension Reading {
  /// The part of a reading that is state: alerts are events of their own, and uptime belongs to the poll.
  fileprivate var current: Reading {
    var reading = self
    reading.alerts = []
    reading.detectors = detectors.withoutUptime
    return reading
  }
}
