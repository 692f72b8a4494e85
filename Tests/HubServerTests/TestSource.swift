// A journal that is not there: as many records as are wanted, made when they are read, and everything that delivery writes into it. It can be as
// slow as a disk that fails.

internal import Evidence
@testable internal import HubServer
internal import OpenSSL
internal import Platform
internal import Replicator
internal import Synchronization
internal import TLS

final class TestSource: DeliverySource {
  struct State {
    var heads: [UInt64]
    var cursor: RecordPosition?
    /// Sequences of epoch 1 whose bytes are not those of their hashes.
    var poison: Set<UInt64> = []
    /// Sequences that should not wait, and have not been looked at.
    var alerts: [UInt64] = []
    /// Sequences that are another record than they were.
    var changed: Set<UInt64> = []
    /// So many of epoch 1 were removed by retention.
    var base: UInt64 = 0
    var rejected: [RecordPosition] = []
    var conflicted: [ClosedRange<UInt64>] = []
    var recordsRead: UInt64 = 0
    var cursorMoves = 0
    /// What each write takes.
    var delay: Duration = .zero
  }

  let state: Mutex<State>
  let payloadBytes: Int

  init(records: UInt64, payloadBytes: Int = 40) {
    state = Mutex(State(heads: [records]))
    self.payloadBytes = payloadBytes
  }

  func change(_ change: (inout State) -> Void) { state.withLock { change(&$0) } }
  func look<R: Sendable>(_ look: (State) -> R) -> R { state.withLock { look($0) } }

  func record(_ place: RecordPosition) -> DeliveryRecord {
    let (isPoison, isChanged) = look { ($0.poison.contains(place.sequence), $0.changed.contains(place.sequence)) }
    var payload = [UInt8](repeating: isChanged ? 9 : 7, count: payloadBytes)
    withUnsafeBytes(of: place.sequence) { payload.replaceSubrange(0..<8, with: $0) }
    let time = 1_700_000_000_000_000_000 + Int64(place.sequence)
    let hash = Record(position: place, time: time, payload: payload).leafHash.bytes
    if isPoison, place.epoch == 1 { payload[20] ^= 1 }
    return DeliveryRecord(time: time, hash: hash, payload: payload)
  }

  private func write() async throws {
    let delay = look(\.delay)
    if delay > .zero { try await Task.sleep(for: delay) }
  }

  // MARK: DeliverySource

  func heads() async throws -> [RecordPosition] {
    look { $0.heads.enumerated().map { RecordPosition(epoch: UInt32($0 + 1), sequence: $1) } }
  }
  func bases() async throws -> [UInt32: UInt64] { look { $0.base > 0 ? [1: $0.base] : [:] } }
  func lost() async throws -> [UInt32: [ClosedRange<UInt64>]] { [:] }
  func cursor() async throws -> RecordPosition? { look(\.cursor) }
  func checkpoint() async throws -> CheckpointNote? { nil }
  func closedCheckpoints() async throws -> [CheckpointNote] { [] }

  func records(from first: RecordPosition, recordsMax: Int, bytesMax: Int) async throws -> RecordRun {
    let head = look { $0.heads[Int(first.epoch) - 1] }
    let count = min(UInt64(min(recordsMax, max(1, bytesMax / payloadBytes))), head + 1 - min(first.sequence, head + 1))
    change { $0.recordsRead += count }
    return RecordRun(
      first: first,
      records: (0..<count).map { record(RecordPosition(epoch: first.epoch, sequence: first.sequence + $0)) })
  }

  func moveCursor(to position: RecordPosition) async throws {
    try await write()
    change { ($0.cursor, $0.cursorMoves) = (position, $0.cursorMoves + 1) }
  }

  func appendRejection(of position: RecordPosition, reason: String) async throws {
    try await write()
    change { $0.rejected.append(position) }
  }

  func appendConflict(epoch: UInt32, _ range: ClosedRange<UInt64>, heldHash: [UInt8]) async throws {
    try await write()
    change { $0.conflicted.append(range) }
  }

  func urgentRecords(after seen: RecordPosition, through head: RecordPosition) async throws -> [ExpressRecord] {
    let found = state.withLock { state in
      defer { state.alerts = [] }
      return state.alerts
    }
    return found.map { sequence in
      let place = RecordPosition(epoch: head.epoch, sequence: sequence)
      return ExpressRecord(position: place, record: record(place))
    }
  }

  func keepCountersignature(_ checkpoint: CheckpointNote, key: String) async throws {}

  func beginEpoch(reason: String, beyond: UInt32) async throws -> RecordPosition {
    state.withLock { state in
      state.heads.append(1)
      return RecordPosition(epoch: UInt32(state.heads.count), sequence: 1)
    }
  }

  func waitForNews(after head: RecordPosition, checkpoint: RecordPosition?) async throws {
    while true {
      let isNew = look { !$0.alerts.isEmpty || $0.heads.last != head.sequence || UInt32($0.heads.count) != head.epoch }
      if isNew { return }
      try await Task.sleep(for: .milliseconds(20))
    }
  }
}

/// One identity that stays, at an address that can change.
final class TestTarget: DeliveryTargets {
  private let target: Mutex<DeliveryTarget>

  init(_ target: DeliveryTarget) { self.target = Mutex(target) }

  func current() -> DeliveryTarget? { target.withLock { $0 } }

  func changed(from target: DeliveryTarget?) async throws {
    while current()?.fingerprint == target?.fingerprint { try await Task.sleep(for: .milliseconds(50)) }
  }

  /// Is another install from now on, by the same certificate.
  func enrolAnew() { target.withLock { ($0.install, $0.fingerprint) = ("another", "another") } }

  func move(to port: Int) {
    target.withLock {
      $0.address = HostAndPort(host: "localhost", port: UInt16(port))
      $0.fingerprint = "\(port)"
    }
  }
}
