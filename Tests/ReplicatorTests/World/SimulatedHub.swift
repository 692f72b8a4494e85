// A hub in memory that behaves as dcam.proto says.

import Evidence
import OpenSSL
import Replicator

/// Keeps every record by its identity; holdings are what is there without gaps.
struct SimulatedHub {
  /// Hashes by place.
  private(set) var records: [RecordPosition: [UInt8]] = [:]
  private(set) var conflicts: Set<RecordPosition> = []
  /// The hashes that came second to a place: both are kept.
  private(set) var others: [RecordPosition: Set<[UInt8]>] = [:]
  /// Places whose record was rejected when the place was free: that stands for it.
  private(set) var rejected: Set<RecordPosition> = []
  /// The hashes of all that was rejected.
  private var rejectedHashes: [RecordPosition: Set<[UInt8]>] = [:]
  private var standing: [RecordPosition: [UInt8]] = [:]
  private(set) var duplicates = 0
  private(set) var checkpoints: Set<RecordPosition> = []
  /// The hashes of what came ahead of its turn, until that comes.
  private(set) var express: [RecordPosition: [UInt8]] = [:]
  /// Records whose first payload byte is this are never accepted.
  static let poison: UInt8 = 0xff

  enum Answer: Equatable {
    case acknowledged(RecordPosition)
    case rejected(RecordPosition)
    case conflicted(RecordPosition, [UInt8])
  }

  func holdings() -> [UInt32: UInt64] {
    var holdings: [UInt32: UInt64] = [:]
    for epoch in Set(records.keys.map(\.epoch)).union(rejected.map(\.epoch)) {
      var sequence: UInt64 = 0
      while isDealtWith(RecordPosition(epoch: epoch, sequence: sequence + 1)) { sequence += 1 }
      holdings[epoch] = sequence
    }
    return holdings
  }

  /// Commits a batch and answers it. Nil: the batch leaves a gap, which the protocol forbids.
  mutating func commit(_ run: RecordRun) -> [Answer]? {
    let held = holdings()[run.first.epoch] ?? 0
    guard run.first.sequence <= held + 1 else { return nil }
    var answers: [Answer] = []
    for (offset, record) in run.records.enumerated() {
      let place = RecordPosition(epoch: run.first.epoch, sequence: run.first.sequence + UInt64(offset))
      let known = records[place] ?? standing[place]
      if record.payload.first == Self.poison {
        if known == nil {
          rejected.insert(place)
          standing[place] = record.hash
        }
        rejectedHashes[place, default: []].insert(record.hash)
        answers.append(.rejected(place))
      } else if let known {
        duplicates += 1
        guard known != record.hash else { continue }
        conflicts.insert(place)
        others[place, default: []].insert(record.hash)
        answers.append(.conflicted(place, known))
      } else {
        records[place] = record.hash
        if let ahead = express.removeValue(forKey: place), ahead != record.hash {
          conflicts.insert(place)
          others[place, default: []].insert(ahead)
          answers.append(.conflicted(place, ahead))
        }
      }
    }
    let now = holdings()[run.first.epoch] ?? 0
    return answers + [.acknowledged(RecordPosition(epoch: run.first.epoch, sequence: now))]
  }

  /// Commits what came ahead of its turn, and says what is wrong with it.
  mutating func keepExpress(_ ahead: ExpressRecord) -> [Answer] {
    let place = ahead.position
    guard ahead.record.payload.first != Self.poison else { return [] }
    guard let held = records[place] ?? standing[place] ?? express[place] else {
      express[place] = ahead.record.hash
      return []
    }
    guard held != ahead.record.hash else { return [] }
    conflicts.insert(place)
    others[place, default: []].insert(ahead.record.hash)
    return [.conflicted(place, held)]
  }

  /// What a welcome repeats.
  func troubles(after acknowledged: RecordPosition?) -> [Welcome.Trouble] {
    let held = holdings()
    let isTold = { (place: RecordPosition) in
      place > acknowledged ?? .start && place.sequence <= held[place.epoch] ?? 0
    }
    let rejections = rejectedHashes.keys.filter(isTold).sorted().map {
      Welcome.Trouble.rejected($0, reason: "poison")
    }
    let conflicts = others.keys.filter(isTold).sorted().map {
      Welcome.Trouble.conflicted($0, heldHash: records[$0] ?? standing[$0] ?? [])
    }
    return rejections + conflicts
  }

  /// The root of its tree over the first records of an epoch, by the hashes that stand for them; nil where it does not hold them all.
  func root(_ place: RecordPosition) -> Digest? {
    var tree = MerkleFrontier()
    for sequence in 1...place.sequence {
      let each = RecordPosition(epoch: place.epoch, sequence: sequence)
      guard let hash = (records[each] ?? standing[each]).flatMap({ Digest(bytes: $0) }) else { return nil }
      tree.append(hash)
    }
    return tree.root
  }

  mutating func seal(_ place: RecordPosition) { checkpoints.insert(place) }

  /// Puts the hub back: the last records of an epoch are lost.
  mutating func lose(_ epoch: UInt32, after sequence: UInt64) {
    records = records.filter { $0.key.epoch != epoch || $0.key.sequence <= sequence }
    rejected = rejected.filter { $0.epoch != epoch || $0.sequence <= sequence }
    standing = standing.filter { rejected.contains($0.key) }
  }

  /// Whether it keeps this record as one that came second.
  func keepsAsOther(_ hash: [UInt8], at place: RecordPosition) -> Bool { others[place]?.contains(hash) == true }

  func hasRejected(_ hash: [UInt8], at place: RecordPosition) -> Bool {
    rejectedHashes[place]?.contains(hash) == true
  }

  private func isDealtWith(_ place: RecordPosition) -> Bool { records[place] != nil || rejected.contains(place) }
}
