// Replay: the whole journal folded again, from nothing, and compared with the state that stands beside it.

internal import Events
package import Evidence
package import Journal
package import OpenSSL
package import Projections

/// What folding a stretch of the journal gave.
package struct ReplayResult: Sendable {
  package var state = FleetState()
  /// The last record that was folded; sequence 0 when there was none.
  package var position = RecordPosition.start
  package var records: UInt64 = 0
  /// Records whose payload is no event that this release can read. They move nothing.
  package var unreadable: UInt64 = 0
  /// The first of them, and why.
  package var firstUnreadable: (position: RecordPosition, reason: String)?
  /// The live state's digest at the same record; nil where the replay ended before the head.
  package var liveDigest: Digest?
  package var digest: Digest { state.digest }

  /// Whether live state and replay are equal; nil where they cannot be compared.
  package var isEqual: Bool? { liveDigest.map { $0 == digest } }
}

extension ReplayResult {
  /// The result as one JSON object.
  /// - Parameter withDevices: whether it holds the devices with their meters, supplies and alerts too, as `FleetReport.json` has them.
  package func json(withDevices: Bool = false) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("records", records)
      json.key("position")
      json.position(position)
      json.member("unreadable", unreadable)
      json.member("deviceCount", state.devices.count)
      json.member("digest", digest.hex)
      json.member("liveDigest", liveDigest?.hex)
      if let isEqual {
        json.key("equal")
        json.bool(isEqual)
      }
      if withDevices { FleetReport.devices(of: state, into: &json) }
    }
    return json.take()
  }
}

/// A place in the journal that a replay or an export begins or ends at.
package enum JournalPoint: Equatable, Sendable {
  case head
  /// With this sequence of the newest epoch, or of the epoch that is named.
  case sequence(UInt64, epoch: UInt32?)
  /// Before the first record that was appended after this time, nanoseconds since 1970 UTC.
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
  func limit(_ head: RecordPosition) -> RecordPosition {
    switch self {
    case .head, .time: head
    case .sequence(let sequence, let epoch):
      min(head, RecordPosition(epoch: epoch ?? head.epoch, sequence: sequence))
    }
  }
}

package enum Replay {
  /// Folds the records up to `end` in memory. The journal may be written meanwhile.
  package static func run(_ reader: JournalReader, to end: JournalPoint = .head) throws -> ReplayResult {
    let snapshot = try reader.snapshot()
    let limit = end.limit(snapshot.head)
    var result = ReplayResult()
    var decoder = EventDecoder(.withoutRaw)
    var wasCut = limit < snapshot.head
    try reader.scan(through: limit) { view in
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
    // The live state can be compared where it holds exactly the records that were folded here.
    if !wasCut, snapshot.foldPosition ?? snapshot.head >= result.position { result.liveDigest = snapshot.stateDigest }
    return result
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
  package static func write(fleet: [UInt8], summary: [UInt8], into directory: String) throws(ExportError) {
    try ExportFile.makeDirectory(directory)
    for (name, content) in [("fleet.json", fleet), ("replay.json", summary)] {
      var file = try ExportFile(name: name, in: directory)
      try file.write(line: content)
      _ = try file.finish()
    }
  }
}
