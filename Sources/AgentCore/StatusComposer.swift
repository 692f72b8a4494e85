// Puts together what is known about the agent: the board's words, the journal's numbers, the fleet's projection.

internal import Enrolment
internal import Events
package import Evidence
internal import Health
package import Journal
internal import Platform
internal import Projections
internal import ReadModels
internal import Replicator

struct StatusComposer: Sendable {
  let board: StatusBoard
  let journal: Journal
  let journalDirectory: String
  let fold: FleetFold
  let identity: IdentityWatcher
  let progress: ProgressWatch

  /// The status file's content.
  func status() throws -> AgentStatus {
    let snapshot = board.snapshot
    let now = Machine.milliseconds
    let numbers = try journalNumbers()
    let parts = try progress.parts()
    let fleet = fold.state
    let install = identity.identity.map { identity in
      AgentStatus.Install(
        id: identity.installID, entity: identity.entity, hub: snapshot.delivery?.hub ?? "",
        certificateDaysLeft: identity.daysLeft(at: now / 1000),
        clockAheadSeconds: self.identity.circumstances.clockAheadSeconds)
    }
    return AgentStatus(
      version: AgentVersion.text, process: Machine.processID, started: UTCTime.text(milliseconds: board.started),
      written: UTCTime.text(milliseconds: now), writtenMilliseconds: now, install: install,
      journal: AgentStatus.Journal(
        directory: journalDirectory, head: Self.position(numbers.head),
        acknowledged: numbers.acknowledged.map(Self.position), lag: install == nil ? nil : numbers.lag),
      sweep: snapshot.sweepState, devices: Self.devices(fleet),
      delivery: Self.delivery(snapshot, now: now),
      components: snapshot.components(parts, fruitless: fruitless(fleet), at: now),
      progress: Self.movements(parts, at: now), lastSweep: Self.lastSweepShown(fleet.agent),
      remote: snapshot.remoteSessions.map { AgentStatus.Remote(sessions: $0) })
  }

  func fruitless(_ fleet: FleetState) -> CollectorWords? {
    guard let sweep = fleet.agent.sweepCompleted else { return nil }
    let outcomes = Dictionary(sweep.fact.outcomes.map { ($0.reason, $0.addresses) }, uniquingKeysWith: { $1 })
    return CollectorWords.fruitless(outcomes, devices: Self.devices(fleet))
  }

  private static func lastSweepShown(_ agent: AgentState) -> AgentStatus.LastSweep? {
    lastSweep(agent).map { AgentStatus.LastSweep(completed: $0.completed, outcomes: $0.outcomes) }
  }

  static func movements(_ parts: [Progress], at now: Int64) -> [AgentStatus.Movement] {
    parts.map { part in
      AgentStatus.Movement(
        part: part.part.rawValue, state: part.movement.rawValue,
        moved: UTCTime.text(milliseconds: part.movedMilliseconds(at: .now, milliseconds: now)), reason: part.reason)
    }
  }

  private static func delivery(_ snapshot: StatusBoard.Board, now: Int64) -> AgentStatus.Delivery {
    let delivery = snapshot.delivery
    func rate(_ span: Duration) -> Double? {
      snapshot.deliveryTrail.rate(over: span, at: now).map { ($0 * 10).rounded() / 10 }
    }
    return AgentStatus.Delivery(
      recordsSent: delivery?.recordsSent ?? 0, rejections: delivery?.rejections ?? 0,
      conflicts: delivery?.conflicts ?? 0, mode: delivery?.mode.rawValue,
      nextCheckIn: delivery?.nextCheckIn.map { UTCTime.text(milliseconds: $0) },
      recordsAcknowledged: delivery?.recordsAcknowledged, expressSent: delivery?.expressSent,
      rateOverOneMinute: rate(DeliveryTrail.spans[0]), rateOverFiveMinutes: rate(DeliveryTrail.spans[1]))
  }

  /// What a health report is sent at once for.
  func headline() throws -> [String] {
    HealthReport.headline(
      components: board.snapshot.components(
        try progress.parts(), fruitless: fruitless(fold.state), at: Machine.milliseconds
      ).map {
        ($0.name, $0.state.rawValue)
      },
      lastSweep: fold.state.agent.sweepCompleted.map { UTCTime.text(milliseconds: $0.time) }, version: AgentVersion.text
    )
  }

  /// The health report.
  func health() throws -> HealthReport {
    let snapshot = board.snapshot
    let now = Machine.milliseconds
    let numbers = try journalNumbers()
    let fleet = fold.state
    let parts = try progress.parts()
    return HealthReport(
      version: AgentVersion.text, time: UTCTime.text(milliseconds: now), uptimeSeconds: (now - board.started) / 1000,
      journal: HealthReport.Journal(
        head: HealthReport.Position(epoch: numbers.head.epoch, sequence: numbers.head.sequence),
        acknowledged: numbers.acknowledged.map { HealthReport.Position(epoch: $0.epoch, sequence: $0.sequence) },
        lag: numbers.lag), diskFreeBytes: Machine.bytesFree(at: journalDirectory),
      certificateDaysLeft: identity.identity.map { $0.daysLeft(at: now / 1000) },
      lastSweep: Self.lastSweep(fleet.agent),
      devices: Self.devices(fleet),
      components: snapshot.components(parts, fruitless: fruitless(fleet), at: now).map {
        HealthReport.Component(name: $0.name, state: $0.state.rawValue, since: $0.since, message: $0.message)
      },
      collectorProgress: snapshot.collectorProgress.map { UTCTime.text(milliseconds: $0) },
      nextCheckIn: snapshot.delivery?.nextCheckIn.map { UTCTime.text(milliseconds: $0) },
      clockAheadSeconds: identity.circumstances.clockAheadSeconds,
      damage: try HealthReport.Damage(journal.reader, directory: journalDirectory),
      progress: Self.movements(parts, at: now).map {
        HealthReport.Movement(part: $0.part, state: $0.state, moved: $0.moved, reason: $0.reason)
      })
  }

  private func journalNumbers() throws -> JournalNumbers { try JournalNumbers(journal.reader) }

  static func devices(_ fleet: FleetState) -> [String: Int] {
    var counts: [String: Int] = [:]
    for device in fleet.devices.values { counts[device.condition, default: 0] += 1 }
    return counts
  }

  private static func lastSweep(_ agent: AgentState) -> HealthReport.Sweep? {
    agent.sweepCompleted.map { sweep in
      HealthReport.Sweep(
        completed: UTCTime.text(milliseconds: sweep.time), milliseconds: sweep.fact.milliseconds,
        outcomes: Dictionary(sweep.fact.outcomes.map { ($0.reason, $0.addresses) }, uniquingKeysWith: { $1 }))
    }
  }

  private static func position(_ position: RecordPosition) -> AgentStatus.Position {
    AgentStatus.Position(epoch: position.epoch, sequence: position.sequence)
  }
}

/// How far the journal and its delivery are, from the journal alone.
package struct JournalNumbers: Sendable {
  package let head: RecordPosition
  /// The delivery's cursor; nil when nothing was ever acknowledged.
  package let acknowledged: RecordPosition?
  /// Records behind the cursor, over all epochs.
  package let lag: UInt64
  /// Records that were ever appended, over all epochs.
  package let records: UInt64

  package init(_ reader: JournalReader) throws {
    // The cursor first: a head that is read later can only be further on.
    let cursor = try reader.cursor(JournalSource.cursorName)
    var (lag, records) = (UInt64(0), UInt64(0))
    for epoch in try reader.epochs() {
      let size = try reader.frontier(epoch: epoch.number).size
      records += size
      guard let cursor, cursor.epoch >= epoch.number else {
        lag += size
        continue
      }
      if cursor.epoch == epoch.number { lag += size - min(size, cursor.sequence) }
    }
    acknowledged = cursor
    head = try reader.head()
    self.lag = lag
    self.records = records
  }
}

extension HealthReport.Damage {
  /// Nil where there is none. By the journal itself, so that a restart forgets nothing.
  init?(_ reader: JournalReader, directory: String) throws {
    self.init(
      recordsLost: 0, recordsSalvaged: 0, endsUnknown: 0, quarantines: JournalQuarantine.all(of: directory).count)
    for epoch in try reader.epochs() {
      let ranges = try reader.lost(epoch: epoch.number)
      guard !ranges.isEmpty else { continue }
      let size = try reader.frontier(epoch: epoch.number).size
      let lost = ranges.reduce(0) { sum, range in sum + (range.last.map { $0 - range.first + 1 } ?? 0) }
      recordsLost += lost
      if ranges.contains(where: { $0.last == nil }) { endsUnknown += 1 }
      let known = ranges.reduce(0) { sum, range in
        sum + (range.first <= size ? min(range.last ?? size, size) - range.first + 1 : 0)
      }
      let there = size - min(size, epoch.firstSequence - 1)
      recordsSalvaged += there - min(there, known)
    }
    if recordsLost == 0, recordsSalvaged == 0, endsUnknown == 0, quarantines == 0 { return nil }
  }
}
