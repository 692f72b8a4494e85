// Replay: the whole journal folded again, from nothing, and compared with the state that stands beside it.

internal import Events
package import Evidence
internal import Glibc
package import Journal
package import OpenSSL
package import Projections

/// What folding a stretch of the journal gave.
package struct ReplayResult: Sendable {
  package var state = FleetState()
  /// The last record that retention has removed: its state was the beginning; nil where none was removed.
  package var base: RecordPosition?
  /// The last record that was folded; sequence 0 when there was none.
  package var position = RecordPosition.start
  package var records: UInt64 = 0
  /// Records whose payload is no event that this release can read. They move nothing.
  package var unreadable: UInt64 = 0
  /// The first of them, and why.
  package var firstUnreadable: (position: RecordPosition, reason: String)?
  /// The live state beside the journal, at the same record.
  package var live = LiveState.elsewhere
  package var digest: Digest { state.digest }

  /// The live state's digest; nil where it cannot be compared.
  package var liveDigest: Digest? { if case .digest(let digest) = live { digest } else { nil } }

  /// Whether live state and replay are equal; nil where they cannot be compared.
  package var isEqual: Bool? { liveDigest.map { $0 == digest } }
}

/// What a replay can be compared with.
package enum LiveState: Equatable, Sendable {
  case digest(Digest)
  /// The replay ended before the head.
  case elsewhere
  /// The state goes up to this record only, because it is being folded again.
  case behind(RecordPosition)
  /// Made by rules of another version, so that it differs without anything being wrong; nil: no program ever made one.
  case foldedByVersion(UInt32?)

  /// Why the live state says nothing about the records; nil where it can be compared.
  package var obstacle: String? {
    let own = FleetFold.currentVersion
    switch self {
    case .digest: return nil
    case .elsewhere: return "the replay ends before the journal's head"
    case .behind(let position): return "the live state goes up to record \(position) only; it is being folded again"
    case .foldedByVersion(nil): return "no program has folded this journal yet, so that there is no live state"
    case .foldedByVersion(let version?):
      let writer = version < own ? "an older program" : "a newer program"
      return
        "the live state is of fold version \(version), written by \(writer); this one folds by version \(own), which gives "
        + "other rows for the same records. "
        + (version < own
          ? "The agent of this release folds the journal again when it starts" : "Use the release that wrote it")
    }
  }
}

/// A place in the journal that a replay or an export begins or ends at.
package enum JournalPoint: Equatable, Sendable {
  case head
  /// With this sequence of the newest epoch, or of the epoch that is named.
  case sequence(UInt64, epoch: UInt32?)
  /// Before the first record that the journal took after this time (its record time), nanoseconds since 1970 UTC.
  case time(Int64)

  /// Reads `4711`, `2/4711` (epoch/sequence) or a time as `UTCTime` reads it.
  package init?(_ text: String) {
    let parts = text.split(separator: "/", omittingEmptySubsequences: false)
    if parts.count == 2, let epoch = UInt32(parts[0]), let sequence = UInt64(parts[1]) {
      self = .sequence(sequence, epoch: epoch)
    } else if let sequence = UInt64(text) {
      self = .sequence(sequence, epoch: nil)
    } else if let time = UTCTime.nanoseconds(text) {
      self = .time(time)
    } else {
      return nil
    }
  }

  /// The last position that may be folded, given the head.
  /// - Throws: `NamingError` where it is no record's.
  func limit(_ reader: JournalReader, _ head: RecordPosition) throws -> RecordPosition {
    switch self {
    case .head, .time: return head
    case .sequence(let sequence, let epoch):
      let position = RecordPosition(epoch: epoch ?? head.epoch, sequence: sequence)
      try reader.expectRecord(position)
      return position
    }
  }
}

package enum Replay {
  /// Folds the records up to `end` in memory, behind what retention has left in the place of those that it removed. The journal may
  /// be written meanwhile.
  /// - Throws: `JournalError.removed` where `end` lies before what is left, `NamingError` where it is no record's.
  package static func run(_ reader: JournalReader, to end: JournalPoint = .head) throws -> ReplayResult {
    while true {
      let base = try FleetBase(reader)
      do { return try run(reader, from: base, to: end) } catch let error as JournalError where error.isRemoval {
        // Retention went on meanwhile; if it did not, that is the answer.
        if try FleetBase(reader).removed == base.removed { throw error }
      }
    }
  }

  private static func run(_ reader: JournalReader, from base: FleetBase, to end: JournalPoint) throws -> ReplayResult {
    let snapshot = try reader.snapshot()
    let limit = try end.limit(reader, snapshot.head)
    try base.expect(limit)
    var result = ReplayResult()
    (result.state, result.base) = (base.state, base.removed)
    if let removed = base.removed { result.position = removed }
    var decoder = EventDecoder(.withoutRaw)
    var wasCut = limit < snapshot.head
    try reader.scan(from: base.first, through: limit) { view in
      if case .time(let latest) = end, view.time > latest {
        wasCut = true
        return false
      }
      result.records += 1
      result.position = view.position
      do throws(EventCodingError) {
        result.state.apply(try decoder.event(view.payload))
      } catch {
        result.unreadable += 1
        if result.firstUnreadable == nil { result.firstUnreadable = (view.position, "\(error)") }
      }
      return true
    }
    // The first record that is left is later than the time that is asked for, and so the base may be.
    if case .time = end, wasCut, result.records == 0 { try base.expect(.start) }
    if !wasCut { result.live = snapshot.liveState(at: result.position) }
    return result
  }
}

extension JournalSnapshot {
  /// The state can be compared where this program's rules made it, and it holds exactly the records that were folded.
  fileprivate func liveState(at position: RecordPosition) -> LiveState {
    guard foldVersion == FleetFold.currentVersion else { return .foldedByVersion(foldVersion) }
    guard let foldPosition, foldPosition < position else { return .digest(stateDigest) }
    return .behind(foldPosition)
  }
}

extension FleetState {
  /// The state that stands beside the journal, as one transaction sees it.
  package static func live(_ reader: JournalReader) throws -> FleetState {
    var state = FleetState()
    var decoder = EventDecoder(.withoutRaw)
    try reader.scanState { _, value in state.apply(try decoder.event(value)) }
    return state
  }
}

/// What `ptjournal replay --into` leaves: the fleet as JSON and a summary that names the digest.
package enum ReplayFiles {
  private static let fleetName = "fleet.json"
  private static let summaryName = "replay.json"

  /// - Parameter replacing: whether a replay that is there already is replaced.
  package static func write(
    fleet: [UInt8], summary: [UInt8], into directory: String, replacing: Bool = false
  ) throws {
    let place = try OutputDirectory(
      directory, for: [fleetName, summaryName], of: "a replay", replacing: replacing,
      where: { access(directory + "/" + summaryName, F_OK) == 0 })
    try place.fill {
      for (name, content) in [(fleetName, fleet), (summaryName, summary)] {
        var file = try ExportFile(name: name, in: directory)
        try file.write(line: content)
        _ = try file.finish()
      }
    }
  }
}
