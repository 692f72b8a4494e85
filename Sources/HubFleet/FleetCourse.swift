// What an agent knew when an epoch of its journal began.
//
//     held      1 2 3 | 4 5 6 7        the epoch before, as the hub holds it
//     conflict        | 4'5'6'         what the agent told in place of some of it
//     the agent 1 2 3 | 4'5'6'         as it was put back after 3, and went on before the hub told it of 4
//
// A journal's next epoch begins where its agent found that it had been put back (`JournalRestored`), or that records are lost. What the hub holds
// beyond, the agent does not know: alerts that were raised there, devices that were found, are none of this epoch's. So that the fleet is what the
// agent believes, the epoch before is folded again as far as the agent had it; where nothing came between, it is taken as it is.

internal import Events
internal import FoundationEssentials
internal import HubDatabase
internal import Projections

struct FleetCourse {
  let install: Int64
  /// How far each epoch is folded.
  let positions: [Int64: Int64]
  /// The hub's time, in milliseconds since 1970 UTC.
  let now: Int64
  let db: any SQLConnection

  /// - Parameters:
  ///   - first: the payload of the epoch's first record.
  ///   - former: the fleet of the newest epoch before.
  func beginning(
    of epoch: Int64, first: Data?, _ former: FleetState?, _ unreadable: inout UnreadableRecords
  ) throws -> FleetState {
    guard let newest = positions.keys.filter({ $0 < epoch }).max() else { return FleetState() }
    let restored = restoration(first)
    let last = restored.map { Int64($0.epoch) }.flatMap { positions[$0] == nil ? nil : $0 } ?? newest
    let held = positions[last] ?? 0
    let reach = min(restored.flatMap { Int64(exactly: $0.sequence) } ?? held, held)
    let conflicts = try conflicts(last)
    if let former, last == newest, conflicts.isEmpty, reach == held { return former }
    return try folded(last, through: reach, conflicts, &unreadable)
  }

  private func restoration(_ first: Data?) -> JournalRestored? {
    guard let first, let event = try? first.withUnsafeBytes({ try Event(payload: $0) }),
      case .journalRestored(let restored) = event.body
    else { return nil }
    return restored
  }

  /// What the agent told last in place of what is held, by sequence.
  private func conflicts(_ epoch: Int64) throws -> [Int64: Data] {
    var told: [Int64: Data] = [:]
    try db.forEachRow(
      "SELECT sequence, payload FROM conflict WHERE install = ? AND epoch = ? ORDER BY sequence, number",
      [.integer(install), .integer(epoch)]
    ) { row in
      told[try row("sequence")] = try row("payload") as Data
    }
    return told
  }

  /// An epoch's fleet, the records that are in conflict in the place of those that are held.
  private func folded(
    _ epoch: Int64, through reach: Int64, _ conflicts: [Int64: Data], _ unreadable: inout UnreadableRecords
  ) throws -> FleetState {
    let first: Data? = try db.value(
      "SELECT payload FROM record WHERE install = ? AND epoch = ? ORDER BY sequence LIMIT 1", install, epoch)
    let before = FleetCourse(
      install: install, positions: positions.filter { $0.key < epoch }, now: now, db: db)
    var passed = UnreadableRecords()
    var state = try before.beginning(of: epoch, first: first, nil, &passed)
    var decoder = EventDecoder(.withoutRaw)
    func apply(_ payload: Data) throws {
      var event = try payload.withUnsafeBytes { try decoder.event($0) }
      event.time = min(event.time, now)
      state.apply(event)
    }
    func applyConflicts(_ sequences: some Sequence<Int64>, _ unreadable: inout UnreadableRecords) {
      for sequence in sequences {
        guard let payload = conflicts[sequence] else { continue }
        do { try apply(payload) } catch {
          unreadable.add(epoch: epoch, sequence: sequence, reason: "\(error)")
        }
      }
    }
    var next: Int64 = 1
    try db.forEachRow(
      "SELECT sequence, payload FROM record WHERE install = ? AND epoch = ? AND sequence <= ? ORDER BY sequence",
      [.integer(install), .integer(epoch), .integer(reach)]
    ) { row in
      let sequence: Int64 = try row("sequence")
      applyConflicts(next...sequence, &unreadable)
      // What is no event moved nothing when it was folded, either, and was told then.
      let payload: Data = try row("payload")
      if conflicts[sequence] == nil { try? apply(payload) }
      next = sequence + 1
    }
    applyConflicts(conflicts.keys.filter { $0 >= next }.sorted(), &unreadable)
    return state
  }
}
