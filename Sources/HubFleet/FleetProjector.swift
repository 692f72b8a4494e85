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
// An agent whose state was put back from a backup has other records in the rest of its epoch than the hub holds; the hub keeps both (`conflict`).
// Its next epoch goes on from what the agent knows: what the others say of alerts, devices and addresses is folded before it. The counters are not
// read from them; the new epoch begins with whole readings.

package import HubDatabase
internal import Events
internal import FoundationEssentials
internal import PrinterModel
internal import Projections
internal import Synchronization

package final class FleetProjector: Sendable {
  /// Raised whenever the same records give other rows: an install's records are then folded again.
  package static let foldVersion: Int64 = 1
  /// Records of one transaction, and about how many bytes of them: a fraction of a second's work. Each transaction writes every device that
  /// it touches once, so behind a backlog long runs cost a fraction of short ones.
  package static let recordsMax = 50_000
  private static let bytesMax = 16 << 20
  /// Records of one statement: what is read beyond `bytesMax` at most.
  private static let pieceMax = 1_000
  /// Fleets that are kept in memory; others are loaded from their rows when something new comes.
  private static let fleetsInMemoryMax = 500

  /// An install's fleet and how far it is folded.
  package struct Fold: Sendable {
    var state = FleetState()
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
    var fold = version == Self.foldVersion ? try load(install, db) : try restart(install, db)
    guard let run = try nextRun(&fold, db) else {
      return Step(fold: fold, records: 0, unreadable: UnreadableRecords(), hasMore: false)
    }
    var changes = FleetChanges(now: now)
    var decoder = EventDecoder(.withoutRaw)
    var unreadable = UnreadableRecords()
    if fold.positions[run.epoch] == nil {
      for conflict in try conflicts(install, before: run.epoch, after: fold.positions.keys.max(), db) {
        do {
          let event = try conflict.payload.withUnsafeBytes { try decoder.event($0) }
          changes.apply(event, to: &fold.state, isObserving: false)
        } catch {
          unreadable.add(epoch: conflict.epoch, sequence: conflict.sequence, reason: "\(error)")
        }
      }
    }
    for (sequence, payload) in run.records {
      do {
        changes.apply(try payload.withUnsafeBytes { try decoder.event($0) }, to: &fold.state)
      } catch {
        // What is no event, or one of a later release, moves nothing; the record stays, and whoever folds it is told.
        unreadable.add(epoch: run.epoch, sequence: sequence, reason: "\(error)")
      }
    }
    fold.positions[run.epoch] = run.last
    try writeRows(changes, fold, db)
    try db.execute(
      """
      INSERT INTO projected (install, epoch, sequence) VALUES (?, ?, ?)
      ON CONFLICT (install, epoch) DO UPDATE SET sequence = excluded.sequence
      """, install, run.epoch, run.last)
    try EarlyAlerts.settle(install: install, epoch: run.epoch, through: run.last, db)
    try DeviceWriter(install: install, now: now, db: db).write(changes, fold.state)
    for device in changes.devices { fold.state.rest(device) }
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
    var fold = Fold(positions: positions, install: install)
    var decoder = EventDecoder()
    try db.forEachRow("SELECT event FROM fleet_row WHERE install = ? ORDER BY key", [.integer(install)]) { row in
      let payload: Data = try row("event")
      fold.state.apply(try payload.withUnsafeBytes { try decoder.event($0) })
    }
    return fold
  }

  private func restart(_ install: Int64, _ db: any SQLConnection) throws -> Fold {
    for table in ["projected", "fleet_row"] { try db.execute("DELETE FROM \(table) WHERE install = ?", install) }
    try db.execute("UPDATE projection SET fold = ? WHERE install = ?", Self.foldVersion, install)
    return Fold(install: install)
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
  private func nextRun(_ fold: inout Fold, _ db: any SQLConnection) throws -> Run? {
    let heads = try db.rows("SELECT epoch, held FROM journal WHERE install = ? ORDER BY epoch", fold.install)
      .map { (epoch: try $0("epoch") as Int64, held: try $0("held") as Int64) }
    guard let next = heads.first(where: { $0.held > fold.positions[$0.epoch] ?? 0 }) else { return nil }
    if fold.positions.keys.contains(where: { $0 > next.epoch }) {
      // An older epoch has grown, as after a hub's database was put back: in its order everything is folded again.
      fold = try restart(fold.install, db)
      return try nextRun(&fold, db)
    }
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
        run.hasMore = heads.contains { $0.epoch > next.epoch && $0.held > fold.positions[$0.epoch] ?? 0 }
        break
      }
    }
    return run
  }

  /// What an install told in place of what is held of its epochs, in order.
  private func conflicts(
    _ install: Int64, before epoch: Int64, after folded: Int64?, _ db: any SQLConnection
  ) throws -> [(epoch: Int64, sequence: Int64, payload: Data)] {
    guard let folded else { return [] }
    return try db.rows(
      "SELECT epoch, sequence, payload FROM conflict WHERE install = ? AND epoch >= ? AND epoch < ? ORDER BY epoch, sequence, number",
      install, folded, epoch
    ).map { (try $0("epoch"), try $0("sequence"), try $0("payload")) }
  }

  private func writeRows(_ changes: FleetChanges, _ fold: Fold, _ db: any SQLConnection) throws {
    var (written, removed): ([[SQLValue]], [[SQLValue]]) = ([], [])
    for key in changes.touched {
      let name: [SQLValue] = [.integer(fold.install), key.bytes.sqlValue]
      if let event = fold.state.row(key) {
        written.append(name + [try event.encoded().sqlValue])
      } else {
        removed.append(name)
      }
    }
    try db.execute(
      """
      INSERT INTO fleet_row (install, key, event) VALUES (?, ?, ?)
      ON CONFLICT (install, key) DO UPDATE SET event = excluded.event
      """, batch: written)
    try db.execute("DELETE FROM fleet_row WHERE install = ? AND key = ?", batch: removed)
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
  private let now: Int64
  /// Rows of the fleet's state.
  private(set) var touched: Set<StateKey> = []
  /// The devices that anything happened to, in the order of their ids.
  var devices: [DeviceID] { touched.compactMap(\.device).uniqued.sorted() }
  /// Counters as they were read, in order.
  private(set) var observations: [DeviceID: [MeterLedger.Observation]] = [:]
  /// Alerts as they came and went, in order.
  private(set) var alerts: [DeviceID: [Event]] = [:]

  init(now: Int64) { self.now = now }

  /// - Parameter isObserving: whether the counters of readings count.
  mutating func apply(_ told: Event, to state: inout FleetState, isObserving: Bool = true) {
    var event = told
    event.time = min(event.time, now)
    var isRead = false
    state.apply(event) { key in
      touched.insert(key)
      isRead = isRead || key.type == EventType.readingTaken
    }
    guard let id = event.device, let device = state.devices[id] else { return }
    switch event.body {
    case .alertRaised, .alertUpdated, .alertCleared: alerts[id, default: []].append(event)
    default: break
    }
    if isRead, isObserving { observations[id, default: []] += device.observations(at: event.time) }
  }
}

extension DeviceState {
  /// Every counter as it stands.
  func observations(at time: Int64) -> [MeterLedger.Observation] {
    (reading?.fact.meters ?? []).map { meter in
      var observation = MeterLedger.Observation(
        name: meter.name.description, value: meter.quality.isNumber ? Int64(exactly: meter.value) : nil,
        unit: meter.unit.name, quality: meter.quality.name, agentEpoch: Int64(meterEpochs[meter.name]?.fact.epoch ?? 1),
        time: time)
      if let epoch = meterEpochs[meter.name], let continues = epoch.fact.continues, let volume = epoch.fact.volume {
        let opened = epoch.fact
        observation.isReturn = epoch.time == time
        observation.continues = Int64(continues)
        observation.goesOnFrom = volume <= opened.current ? Int64(exactly: opened.current - volume) : nil
      }
      return observation
    }
  }
}

extension Sequence where Element: Hashable {
  fileprivate var uniqued: Set<Element> { Set(self) }
}
