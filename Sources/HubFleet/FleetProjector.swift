// Records to read models: what an install's journal says, folded as its agent folds it, and put into the tables of FleetSchema.swift.
//
//     record rows ──> FleetState (Projections) ──> sightings ──> device, if this install leads it: meters, days, supplies, alerts
//
// One transaction takes a run of an install's records and moves `projected` with them, so a crash repeats nothing and skips nothing. The row
// in `projection` is locked meanwhile: hubs that share a database take turns for one install.
//
// What an install sees of a device that another one leads stays in `fleet_row`, and is taken from there when it takes over.
//
// Time. An agent's clock may be ahead by years. What it says of a time that the hub has not reached yet is taken for now, so that no other's
// readings, and none of its own, seem old beside it.
//
// Each epoch of a journal is folded for itself, from what its agent knew when it began (FleetCourse.swift). An agent whose state was put back or copied goes
// on in an epoch of its own, and the former one may go on as well: neither is folded into the other.

package import HubDatabase
internal import Events
internal import FoundationEssentials
internal import PrinterModel
internal import Projections
internal import Synchronization

package final class FleetProjector: Sendable {
  /// Raised whenever the same records give other rows: all are then folded again.
  package static let foldVersion: Int64 = 2
  /// Records of one transaction, and about how many bytes of them: a fraction of a second's work. Each transaction writes every device that
  /// it touches once, so behind a backlog long runs cost a fraction of short ones.
  package static let recordsMax = 50_000
  private static let bytesMax = 16 << 20
  /// Records of one statement: what is read beyond `bytesMax` at most.
  private static let pieceMax = 1_000
  /// Fleets that are kept in memory; others are loaded from their rows when something new comes.
  private static let fleetsInMemoryMax = 500

  /// Epochs of one install whose fleets are kept in memory: those of an agent and its copy.
  private static let epochsInMemoryMax = 2

  /// How far an install is folded, and its fleet as its epochs tell it, as far as that is in memory.
  package struct Fold: Sendable {
    var states: [Int64: FleetState] = [:]
    var positions: [Int64: Int64] = [:]
    package let install: Int64
  }

  package struct Step: Sendable {
    package let fold: Fold
    package let records: Int
    /// Records that moved nothing.
    package let unreadable: UnreadableRecords
    /// Whether there may be more of what the install had when this began; what came since is another fold's.
    package let hasMore: Bool
  }

  private let kept = Mutex<[Int64: Fold]>([:])

  package init() {}

  /// The installs that have records which are not folded yet.
  package static func due(_ db: any SQLConnection) throws -> [Int64] {
    try db.rows(
      """
      SELECT DISTINCT j.install FROM journal j
      LEFT JOIN projected p ON p.install = j.install AND p.epoch = j.epoch
      LEFT JOIN projection v ON v.install = j.install
      WHERE j.held > COALESCE(p.sequence, 0) OR v.fold IS NULL OR v.fold <> ? ORDER BY j.install
      """, foldVersion
    ).map { try $0("install") }
  }

  /// Folds the next records of an install, in the transaction that is open. `keep` the step once it is committed.
  /// - Parameter now: the hub's time, in milliseconds since 1970 UTC.
  package func advance(_ install: Int64, now: Int64, _ db: any SQLConnection) throws -> Step {
    try db.execute(
      "INSERT INTO projection (install, fold) VALUES (?, ?) ON CONFLICT DO NOTHING", install, Self.foldVersion)
    let version: Int64? = try db.value(
      "SELECT fold FROM projection WHERE install = ?\(db.dialect.lockingRows)", install)
    if version != Self.foldVersion { try Self.restart(db) }
    var fold = try load(install, db)
    guard let run = try nextRun(fold, db) else {
      return Step(fold: fold, records: 0, unreadable: UnreadableRecords(), hasMore: false)
    }
    var changes = FleetChanges(epoch: run.epoch, now: now)
    var decoder = EventDecoder(.withoutRaw)
    var unreadable = UnreadableRecords()
    var state: FleetState
    if fold.positions[run.epoch] != nil {
      state = try fold.states.removeValue(forKey: run.epoch) ?? rows(install, run.epoch, db)
    } else {
      let course = FleetCourse(install: install, positions: fold.positions, now: now, db: db)
      let former = try fold.positions.keys.max().map { try fold.states[$0] ?? rows(install, $0, db) }
      state = try course.beginning(of: run.epoch, first: run.records.first?.payload, former, &unreadable)
      changes.begin(state)
    }
    for (sequence, payload) in run.records {
      do {
        changes.apply(try payload.withUnsafeBytes { try decoder.event($0) }, to: &state)
      } catch {
        // What is no event, or one of a later release, moves nothing; the record stays, and whoever folds it is told.
        unreadable.add(epoch: run.epoch, sequence: sequence, reason: "\(error)")
      }
    }
    fold.positions[run.epoch] = run.last
    try writeRows(changes, state, install, db)
    try db.execute(
      """
      INSERT INTO projected (install, epoch, sequence) VALUES (?, ?, ?)
      ON CONFLICT (install, epoch) DO UPDATE SET sequence = excluded.sequence
      """, install, run.epoch, run.last)
    try EarlyAlerts.settle(install: install, epoch: run.epoch, through: run.last, db)
    try DeviceWriter(install: install, now: now, db: db).write(changes, state)
    for device in changes.devices { state.rest(device) }
    fold.states[run.epoch] = state
    for epoch in fold.states.keys.sorted().dropLast(Self.epochsInMemoryMax) where epoch != run.epoch {
      fold.states[epoch] = nil
    }
    return Step(fold: fold, records: run.records.count, unreadable: unreadable, hasMore: run.hasMore)
  }

  /// Remembers what a committed step came to.
  package func keep(_ step: Step) {
    kept.withLock { kept in
      if kept.count >= Self.fleetsInMemoryMax, kept[step.fold.install] == nil, let any = kept.keys.randomElement() {
        kept[any] = nil
      }
      kept[step.fold.install] = step.fold
    }
  }

  // MARK: Where the fold stands

  private func load(_ install: Int64, _ db: any SQLConnection) throws -> Fold {
    var positions: [Int64: Int64] = [:]
    for row in try db.rows("SELECT epoch, sequence FROM projected WHERE install = ?", install) {
      positions[try row("epoch")] = try row("sequence") as Int64
    }
    // Another hub may have gone on since.
    if let known = kept.withLock({ $0[install] }), known.positions == positions { return known }
    return Fold(positions: positions, install: install)
  }

  /// The fleet as an epoch tells it, of its rows.
  private func rows(_ install: Int64, _ epoch: Int64, _ db: any SQLConnection) throws -> FleetState {
    var state = FleetState()
    var decoder = EventDecoder()
    try db.forEachRow(
      "SELECT event FROM fleet_row WHERE install = ? AND epoch = ? ORDER BY key", [.integer(install), .integer(epoch)]
    ) { row in
      let payload: Data = try row("event")
      state.apply(try payload.withUnsafeBytes { try decoder.event($0) })
    }
    return state
  }

  /// Folds everything anew. Not one install's alone: a device may be seen by several, and its counters are of all of them.
  private static func restart(_ db: any SQLConnection) throws {
    for table in ["projected", "fleet_row", "meter", "meter_day", "supply", "alert", "sighting"] {
      try db.execute("DELETE FROM \(table)")
    }
    try db.execute("UPDATE projection SET fold = ?", foldVersion)
  }

  private struct Run {
    var epoch: Int64
    /// The sequence up to which the epoch is folded with it.
    var last: Int64
    var records: [(sequence: Int64, payload: Data)]
    /// Whether what the install had when this was read goes on behind it.
    var hasMore = true
  }

  /// The next records of the first epoch that has some; nil if there are none.
  private func nextRun(_ fold: Fold, _ db: any SQLConnection) throws -> Run? {
    let heads = try db.rows("SELECT epoch, held FROM journal WHERE install = ? ORDER BY epoch", fold.install)
      .map { (epoch: try $0("epoch") as Int64, held: try $0("held") as Int64) }
    guard let next = heads.first(where: { $0.held > fold.positions[$0.epoch] ?? 0 }) else { return nil }
    var run = Run(epoch: next.epoch, last: fold.positions[next.epoch] ?? 0, records: [])
    var bytes = 0
    while run.records.count < Self.recordsMax, bytes < Self.bytesMax {
      let before = run.records.count
      try db.forEachRow(
        """
        SELECT sequence, payload FROM record WHERE install = ? AND epoch = ? AND sequence > ? AND sequence <= ?
        ORDER BY sequence LIMIT \(Self.pieceMax)
        """,
        [.integer(fold.install), .integer(next.epoch), .integer(run.last), .integer(next.held)]
      ) { row in
        let payload: Data = try row("payload")
        bytes += payload.count
        run.last = try row("sequence")
        run.records.append((run.last, payload))
      }
      if run.records.count < before + Self.pieceMax {
        // Behind the last record there may be sequences that are lost or were rejected.
        run.last = next.held
        run.hasMore = heads.contains { $0.epoch != next.epoch && $0.held > fold.positions[$0.epoch] ?? 0 }
        break
      }
    }
    return run
  }

  private func writeRows(
    _ changes: FleetChanges, _ state: FleetState, _ install: Int64, _ db: any SQLConnection
  ) throws {
    var (written, removed): ([[SQLValue]], [[SQLValue]]) = ([], [])
    for key in changes.touched {
      let name: [SQLValue] = [.integer(install), .integer(changes.epoch), key.bytes.sqlValue]
      if let event = state.row(key) {
        written.append(name + [try event.encoded().sqlValue])
      } else {
        removed.append(name)
      }
    }
    try db.execute(
      """
      INSERT INTO fleet_row (install, epoch, key, event) VALUES (?, ?, ?, ?)
      ON CONFLICT (install, epoch, key) DO UPDATE SET event = excluded.event
      """, batch: written)
    try db.execute("DELETE FROM fleet_row WHERE install = ? AND epoch = ? AND key = ?", batch: removed)
  }
}

/// Records that could not be read as events: how many, and the first of them. An install may send millions.
package struct UnreadableRecords: Sendable, Equatable {
  package struct First: Sendable, Equatable {
    package let epoch: Int64
    package let sequence: Int64
    package let reason: String
  }

  package private(set) var count = 0
  package private(set) var first: First?

  package init() {}

  mutating func add(epoch: Int64, sequence: Int64, reason: String) {
    count += 1
    if first == nil { first = First(epoch: epoch, sequence: sequence, reason: reason) }
  }

  /// Adds what a later step found.
  package mutating func add(_ other: UnreadableRecords) {
    count += other.count
    first = first ?? other.first
  }
}

/// What a run of events did to a fleet.
struct FleetChanges {
  /// Of the journal.
  let epoch: Int64
  private let now: Int64
  /// Whether the epoch begins with it.
  private(set) var isBeginning = false
  /// Rows of the fleet's state.
  private(set) var touched: Set<StateKey> = []
  /// The devices that anything happened to, in the order of their ids.
  var devices: [DeviceID] { touched.compactMap(\.device).uniqued.sorted() }
  /// Counters as they were read, in order.
  private(set) var observations: [DeviceID: [MeterLedger.Observation]] = [:]
  /// Alerts as they came and went, in order.
  private(set) var alerts: [DeviceID: [Event]] = [:]

  init(epoch: Int64, now: Int64) {
    self.epoch = epoch
    self.now = now
  }

  /// The epoch begins with what its agent knew then.
  mutating func begin(_ state: FleetState) {
    isBeginning = true
    touched.formUnion(state.keys)
  }

  mutating func apply(_ told: Event, to state: inout FleetState) {
    var event = told
    event.time = min(event.time, now)
    var isRead = false
    let formerly = told.isReading ? event.device.flatMap { state.devices[$0]?.reading?.time } : nil
    state.apply(event) { key in
      touched.insert(key)
      isRead = isRead || key.type == EventType.readingTaken
    }
    guard let id = event.device, let device = state.devices[id] else { return }
    switch event.body {
    case .alertRaised, .alertUpdated, .alertCleared: alerts[id, default: []].append(event)
    default: break
    }
    guard isRead else { return }
    observations[id, default: []] += device.observations(at: event.time, in: epoch).map { observation in
      var observation = observation
      (observation.told, observation.formerly) = (told.time, formerly)
      return observation
    }
  }
}

extension Event {
  fileprivate var isReading: Bool {
    switch body {
    case .readingTaken, .readingChanged: true
    default: false
    }
  }
}

extension DeviceState {
  /// Every counter as it stands.
  /// - Parameter epoch: of the journal.
  func observations(at time: Int64, in epoch: Int64) -> [MeterLedger.Observation] {
    (reading?.fact.meters ?? []).map { meter in
      var observation = MeterLedger.Observation(
        name: meter.name.description, value: meter.quality.isNumber ? Int64(exactly: meter.value) : nil,
        unit: meter.unit.name, quality: meter.quality.name, agentEpoch: Int64(meterEpochs[meter.name]?.fact.epoch ?? 1),
        journalEpoch: epoch, time: time)
      guard let told = meterEpochs[meter.name] else { return observation }
      let opened = told.fact
      observation.isOpening = told.time == time
      if let continues = opened.continues, let volume = opened.volume {
        observation.continues = Int64(continues)
        observation.goesOnFrom = volume <= opened.current ? Int64(exactly: opened.current - volume) : nil
      } else if observation.isOpening, opened.cause == MeterEpochOpened.Cause.rollover.rawValue {
        observation.rolledOver = opened.volume.flatMap { Int64(exactly: $0) }
      }
      return observation
    }
  }
}

extension Sequence where Element: Hashable {
  fileprivate var uniqued: Set<Element> { Set(self) }
}
