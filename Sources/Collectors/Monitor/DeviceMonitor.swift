// One device over time: takes the outcome of each poll and says what happened.
//
//     outcome --> reachability --> offsets, meter epochs --> reading (taken / changed / unchanged) --> alerts, rules --> events, in this order
//
// An epoch is told before the reading that begins it, so that a fold never subtracts across it.
//
// A whole reading (ReadingTaken) is told at the first complete poll since the service started, when the device's structure or the rules
// that give its numbers their meaning changed, and every 24 hours; otherwise only what differs. A whole reading is only made from a full
// poll.
//
// Settling. A printer that was just switched on answers before it has its counters and supplies; a cartridge that is out may take its row along. What a
// full poll found is taken for the device's structure only when two in a row agree, and after rows went there are full polls until they are back, the
// first of them soon. What was remembered of supplies stays until then, and no alert about one is cleared because its row is gone.
// A device whose prtGeneralConfigChanges never counted anything cannot say that a row has come: it is read in full every few hours.
//
// Thinning. While the journal fills up because the hub is away, a device's readings are told at most so often; each is then the difference
// from the last one told, or whole where that is due. What happens to the device is told as always: alerts, silence, a meter that begins anew.
//
// Interrupted polls. A device that fell silent in mid-poll has told something. If every meter that it is known to have was read, its
// reading counts, rows that were not read stay as they were, and a finding says so. Else the poll counts as failed, because a reading would
// date an old count anew. In both cases alerts may be raised by it, and none is cleared.

package import AlertRules
package import Discovery
package import Events
internal import MIB
package import PrinterModel

/// The state of one device and the events of its polls.
package struct DeviceMonitor: Sendable {
  /// A whole reading at least this often, so that nobody has to go back far to understand a changed one.
  package static let fullEvery: Duration = .seconds(24 * 3_600)

  /// How often a device is read in full that does not count what happens to its configuration: a tray or a finisher is not put in every hour.
  package static let fullEveryUncounted: Duration = .seconds(4 * 3_600)
  /// Full polls after rows went, until they are back: half a day of them, at two an hour.
  static let fullPollsAfterLoss = 24
  /// The first of them comes this soon: printers have started by then.
  static let settlingPause: Duration = .seconds(60)
  /// Supplies remembered while rows are gone; more are no printer's.
  private static let suppliesMax = 256

  package private(set) var known: KnownDevice
  package private(set) var reachability = Reachability()
  /// The last poll's objects and reading; nil until the first one since the service started.
  private var rest: ReadingAtRest?
  /// When `rest` was told, in milliseconds since 1970 UTC.
  private var told: Int64?
  /// Whether `rest` was made from a poll that came to its end.
  private var isComplete = false
  /// How the last poll's names compared with those before.
  private var step = NamesStep.first
  /// Full polls to come because rows went.
  private var fullPollsDue = 0
  /// When it was last read in full, in milliseconds since 1970 UTC.
  private var fullPollAt: Int64?
  private var countsConfigurationChanges = false
  /// Who the device said it is, at the last poll.
  private var identityRead: DeviceIdentity
  /// When `known.meters` were read.
  private var metersRead: Int64?

  package init(_ known: KnownDevice) {
    self.known = known
    identityRead = known.identity
    reachability = Reachability(daysAsked: known.daysAsked, until: known.silentSince)
    metersRead = known.meters.isEmpty ? nil : known.lastRead
  }

  /// When the device was started, by what it said last since the service started, in milliseconds since 1970 UTC.
  package var started: Int64? {
    guard let lastRead = known.lastRead, let ticks = rest?.interpretation.uptimeTicks,
      let milliseconds = Int64(exactly: ticks).map({ $0.multipliedReportingOverflow(by: 10) }), !milliseconds.overflow
    else { return nil }
    return lastRead - milliseconds.partialValue
  }

  /// Whether a poll was told since the service started.
  package var hasReading: Bool { rest != nil }

  /// The last reading that was told, as readings are compared.
  package var reading: Reading? { rest.map { Self.comparable($0.reading) } }

  /// The device is asked no more: no alert of it stands on.
  package mutating func end(time: Int64) -> [Event] {
    AlertTracker.end(&known, time: time).map { Event(time: time, device: known.id, $0) }
  }

  /// The device has no address, so that nobody can ask it, and a sweep has not found it: a day of this counts as one on which it was asked in vain.
  package mutating func missed(time: Int64) -> [Event] {
    guard known.endpoint == nil, !known.isRetired, reachability.failed(time: time) else { return [] }
    let body = PollFailed(
      address: "", reason: "noAddress", message: "another device answers where it was, and it was found nowhere else",
      daysAsked: reachability.daysAsked)
    return [Event(time: time, device: known.id, .pollFailed(body))]
  }

  /// Whether nobody has read it for so long, and it was asked or missed in vain on as many days: neither a clock that is set nor a service that was
  /// away retires a device.
  package func isToRetire(after: Duration, time: Int64) -> Bool {
    guard !known.isRetired, let last = known.lastRead, !UnsetClock.made(last, before: time),
      .milliseconds(time - last) >= after
    else { return false }
    return !reachability.isReachable && Double(reachability.daysAsked) >= (after / .seconds(86_400)).rounded(.down)
  }

  /// The words for it where this device, which had no address, is what answers with this sign.
  package func returned(_ sign: Sign) -> String? {
    ReturnEvidence.words(total: known.meters[.total], started: started, lastRead: known.lastRead, sign)
  }

  /// Nobody could read it for so long that it is asked no more. No alert of it stands on.
  package mutating func retire(time: Int64) -> [Event] {
    let last = known.lastRead ?? time
    let days = max(time - last, 0) / 86_400_000
    known.isRetired = true
    let body = DeviceRetired(
      address: known.endpoint?.description ?? "", lastRead: last, evidence: "not read for \(days) days")
    return end(time: time) + [Event(time: time, device: known.id, .deviceRetired(body))]
  }

  /// A retired device was read again.
  package mutating func comeBack(at endpoint: Endpoint, evidence: String, time: Int64) -> [Event] {
    guard known.isRetired else { return [] }
    known.isRetired = false
    let days = max(time - (known.lastRead ?? time), 0) / 86_400_000
    let body = DeviceReturned(
      address: endpoint.description, evidence: "read again after \(days) days, known by \(evidence)")
    return [Event(time: time, device: known.id, .deviceReturned(body))]
  }

  /// What the next poll should go for.
  package func nextPoll(time: Int64) -> PollKind {
    guard isComplete, step == .same, fullPollsDue == 0, let last = known.lastFullReading, let fullPollAt else {
      return .full
    }
    let every = countsConfigurationChanges ? Self.fullEvery : Self.fullEveryUncounted
    return Self.isDue(last, Self.fullEvery, time: time) || Self.isDue(fullPollAt, every, time: time) ? .full : .light
  }

  /// Whether so much time has passed. A clock that was ahead and was put right says nothing of how much: it has.
  private static func isDue(_ last: Int64, _ every: Duration, time: Int64) -> Bool {
    !(.zero..<every).contains(.milliseconds(time - last))
  }

  /// How long until the next poll.
  package func pause(interval: Duration) -> Duration {
    if reachability.isReachable, step == .fewer { return min(interval, Self.settlingPause) }
    return reachability.pause(interval: interval)
  }

  private mutating func settle(_ poll: PollReading, time: Int64) {
    guard poll.interruption == nil else { return }
    step = poll.step
    switch step {
    case .fewer: fullPollsDue = Self.fullPollsAfterLoss
    case .more: fullPollsDue = 0
    case .same: fullPollsDue = max(fullPollsDue - 1, 0)
    case .first: break
    }
    if poll.kind == .full { fullPollAt = time }
    countsConfigurationChanges = poll.reading.detectors.configurationChanges ?? 0 > 0
  }

  /// The device is at another endpoint, answers to another credential, or told more of its identity.
  package mutating func update(endpoint: Endpoint?, credential: String, identity: DeviceIdentity) {
    known.endpoint = endpoint
    known.credential = credential
    known.identity = identity
  }

  /// Takes a poll's outcome and returns what happened.
  /// - Parameters:
  ///   - thinning: tell readings at most this often; nil: each one.
  ///   - rules: those of this device.
  ///   - offsets: those that are set for this device.
  package mutating func completed(
    _ outcome: PollOutcome, time: Int64, thinning: Duration? = nil, rules: DeviceRules = DeviceRules(),
    offsets: [MeterOffset] = []
  ) -> [Event] {
    known.countAnew(at: time)
    if let read = metersRead, UnsetClock.made(read, before: time) { metersRead = nil }
    let bodies: [EventBody] =
      switch outcome.result {
      case .failed(let failure): failed(failure, at: outcome.endpoint, time: time, rules)
      case .reading(let poll):
        received(
          poll.keepingUnits(of: known.meters).holding(known.meters[.total]), outcome, time: time, thinning, rules,
          offsets)
      }
    return bodies.map { Event(time: time, device: known.id, $0) }
  }

  private mutating func failed(
    _ failure: PollFailure, at endpoint: Endpoint, time: Int64, _ rules: DeviceRules
  ) -> [EventBody] {
    let since = known.silentSince ?? time
    known.silentSince = since
    var events: [EventBody] = []
    if reachability.failed(time: time) {
      events.append(
        .pollFailed(
          PollFailed(
            address: endpoint.description, reason: failure.reason.rawValue, message: failure.message,
            daysAsked: reachability.daysAsked)))
    }
    let report = Rules.report(silentSince: since, standing: standing, rules: rules, time: time)
    return events + AlertTracker.update(&known, with: report, time: time)
  }

  private mutating func received(
    _ poll: PollReading, _ outcome: PollOutcome, time: Int64, _ thinning: Duration?, _ rules: DeviceRules,
    _ offsets: [MeterOffset]
  ) -> [EventBody] {
    if let interruption = poll.interruption, !mayCount(poll) {
      let alerts = AlertTracker.update(&known, with: poll.alerts, time: time)
      return failed(interruption, at: outcome.endpoint, time: time, rules) + alerts
    }
    reachability.answered()
    known.silentSince = nil
    var events = set(offsets)
    let step = tellMeters(poll, outcome, time, thinning, rules, into: &events)
    events += AlertTracker.update(&known, with: poll.alerts, time: time)
    let isRead = poll.interruption == nil
    settle(poll, time: time)
    var report = Rules.report(
      on: poll.reading, after: known.supplies, isRead: isRead, step: step, standing: standing, rules: rules, time: time)
    if fullPollsDue > 0 { report.leaveUndecided(standing.keys, ofSuppliesOtherThan: poll.reading.supplies) }
    events += AlertTracker.update(&known, with: report, time: time)
    if isRead { remember(poll.reading.supplies) }
    known.identity = poll.reading.identity
    identityRead = poll.reading.identity
    known.lastRead = time
    return events
  }

  /// Tells the epochs that begin and the reading; returns the total's step within its epoch.
  private mutating func tellMeters(
    _ poll: PollReading, _ outcome: PollOutcome, _ time: Int64, _ thinning: Duration?, _ rules: DeviceRules,
    into events: inout [EventBody]
  ) -> MeterStep? {
    var context = MeterContext()
    context.isUpForLess =
      rest?.interpretation.uptimeTicks.flatMap { before in
        poll.reading.detectors.uptimeTicks.map { $0 < before }
      } ?? false
    context.elapsed = metersRead.flatMap { $0 <= time ? .milliseconds(time - $0) : nil }
    context.board = BoardChange(from: identityRead, to: poll.reading.identity)
    context.pagesPerMinuteMax = rules.thresholds.pagesPerMinuteMax
    let fresh = poll.reading.meters.filter { poll.read.contains($0.source.name) }
    let before = known.meters[.total]
    var meters = known.meters
    let epochs = MeterTracker.update(&meters, with: fresh, context)
    guard !epochs.isEmpty || !isThinned(thinning, time: time) else { return nil }
    let leapt = MeterTracker.leapt(from: known.meters, to: meters, with: fresh, context)
    known.meters = meters
    metersRead = time
    events += epochs.map { .meterEpochOpened($0) } + leapt.map { .meterLeapt($0) }
    events.append(tell(poll, cost: outcome.cost, time: time))
    guard let before, let now = meters[.total] else { return nil }
    // Where the former count goes on, the step is from that.
    if let volume = epochs.first(where: { $0.meter == .total && $0.continues != nil })?.volume {
      return MeterStep(before: now.value - volume, now: now.value, unit: now.unit, elapsed: nil)
    }
    guard now.epoch == before.epoch else { return nil }
    return MeterStep(before: before.value, now: now.value, unit: now.unit, elapsed: context.elapsed)
  }

  /// The offsets that the settings have, where they differ from those that were told.
  private mutating func set(_ offsets: [MeterOffset]) -> [EventBody] {
    let wanted = Dictionary(offsets.map { ($0.meter, $0) }) { _, later in later }
    var events: [EventBody] = []
    for meter in Set(wanted.keys).union(known.offsets.keys).sorted() {
      let (previous, offset) = (known.offsets[meter] ?? 0, wanted[meter]?.offset ?? 0)
      guard offset != previous else { continue }
      known.offsets[meter] = offset == 0 ? nil : offset
      let reason = wanted[meter]?.reason ?? "taken out of the settings"
      events.append(
        .meterOffsetSet(MeterOffsetSet(meter: meter, offset: offset, previous: previous, reason: reason)))
    }
    return events
  }

  private mutating func remember(_ supplies: [Supply]) {
    let before = known.supplies
    known.supplies = SortedTable(
      supplies.map { ($0.row, SupplyMemory($0, after: SupplyRules.memory(of: $0, in: before))) })
    guard fullPollsDue > 0 else { return }
    for (row, memory) in before where known.supplies[row] == nil && known.supplies.count < Self.suppliesMax {
      known.supplies[row] = memory
    }
  }

  /// The alerts of our rules that stand.
  private var standing: [AlertKey: Standing] {
    known.alerts.filter { $0.key.group == AlertRule.group }.mapValues {
      Standing(Condition($0.alert, evidence: $0.evidence), raised: $0.raised)
    }
  }

  /// Whether an interrupted poll may become a reading: it is the first ever of its device, or it has every known meter.
  private func mayCount(_ poll: PollReading) -> Bool {
    guard let reading else { return known.lastFullReading == nil }
    return reading.meters.allSatisfy { poll.read.contains($0.source.name) }
  }

  /// Also a whole reading that is due waits: polls that are interrupted now and then make it due again and again.
  private func isThinned(_ thinning: Duration?, time: Int64) -> Bool {
    guard let thinning, let told else { return false }
    // A clock that was set back does not silence a device.
    return (.zero..<thinning).contains(.milliseconds(time - told))
  }

  /// As readings are compared: normalised, and without the alerts, which are events of their own.
  private static func comparable(_ reading: Reading) -> Reading {
    var reading = reading.normalized
    reading.alerts = []
    return reading
  }

  /// The event of the reading itself.
  private mutating func tell(_ poll: PollReading, cost: PollCost, time: Int64) -> EventBody {
    defer {
      rest = poll.rest
      told = time
      isComplete = poll.interruption == nil
    }
    let unchanged = EventBody.readingUnchanged(
      ReadingUnchanged(uptimeTicks: poll.reading.detectors.uptimeTicks, cost: cost))
    let isWholeDue = isWholeDue(poll, time: time)
    if !isWholeDue, let rest, rest.equalsButForUptime(poll.rest) { return unchanged }
    let current = Self.comparable(poll.reading)
    guard !isWholeDue, let rest, let reading, poll.interruption != nil || Structure(reading) == Structure(current)
    else {
      if poll.interruption == nil { known.lastFullReading = time }
      return .readingTaken(ReadingTaken(reading: current, raw: poll.walk, cost: cost))
    }
    let change = current.changes(since: reading)
    let raw = RawChange(from: rest.walk.walk, to: poll.walk)
    if change.isEmpty, raw.isEmpty { return unchanged }
    return .readingChanged(
      ReadingChanged(change: change, raw: raw.changed, removed: raw.removed, cost: cost))
  }

  /// Whether a whole reading is due whatever differs.
  private func isWholeDue(_ poll: PollReading, time: Int64) -> Bool {
    guard poll.interruption == nil else { return false }
    guard isComplete, let last = known.lastFullReading else { return true }
    return poll.kind == .full && Self.isDue(last, Self.fullEvery, time: time)
  }
}

/// What of a reading changes only when the device, or our understanding of it, does.
private struct Structure: Equatable {
  var meters: [MeterName: Rule]
  var supplies: [RowIndex: Rule]
  var rows: [[RowIndex]]
  var systemObjectID: ObjectIdentifier?
  var serial: DeviceText?

  init(_ reading: Reading) {
    meters = Dictionary(reading.meters.map { ($0.name, $0.rule) }) { first, _ in first }
    supplies = Dictionary(reading.supplies.map { ($0.row, $0.rule) }) { first, _ in first }
    rows = [
      reading.inputs.map(\.row).sorted(), reading.outputs.map(\.row).sorted(), reading.covers.map(\.row).sorted(),
      reading.markers.map(\.row).sorted(),
    ]
    systemObjectID = reading.identity.systemObjectID
    serial = reading.identity.serial
  }
}

/// The difference of two walks, without what other records carry: uptime, and the alert table, whose rows are alert events.
struct RawChange {
  private static let sysUpTime: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 3]
  private static let alertTable: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 43, 18]
  private static let printerUpTime = AttributeName.identifier(of: "printer-up-time")

  private(set) var changed: [VarBind] = []
  private(set) var removed: [ObjectIdentifier] = []

  var isEmpty: Bool { changed.isEmpty && removed.isEmpty }

  init(from before: Walk, to after: Walk) {
    var old = before.bindings[...]
    for binding in after.bindings {
      while let first = old.first, first.name < binding.name {
        removed.append(first.name)
        old.removeFirst()
      }
      if let first = old.first, first.name == binding.name {
        if first.value != binding.value { changed.append(binding) }
        old.removeFirst()
      } else {
        changed.append(binding)
      }
    }
    removed += old.map(\.name)
    changed.removeAll { Self.isToldElsewhere($0.name) }
    removed.removeAll { Self.isToldElsewhere($0) }
  }

  private static func isToldElsewhere(_ name: ObjectIdentifier) -> Bool {
    name.isWithin(sysUpTime) || name.isWithin(alertTable) || name.isWithin(printerUpTime)
  }
}
