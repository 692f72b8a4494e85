// Looking whether the records of a journal are all there, and where they end being so.

internal import Evidence
internal import LMDB

/// Whether records follow one another as they should, each as it was recorded.
struct RecordSequenceCheck {
  private let lost: [UInt32: [LostRecords]]
  /// The trees over what retention removed.
  private let bases: [UInt32: MerkleFrontier]
  /// The last record before the first that is wrong, in the order of the tree.
  private var soundThrough = RecordPosition.start
  /// What is wrong with the one after it.
  var fault: String?
  /// The trees of the epochs, as far as they have no gap.
  var trees: [UInt32: MerkleFrontier] {
    finished.merging([soundThrough.epoch: frontier]) { $1 }
  }
  /// Every record that is sound, wherever it was met.
  private var present: [UInt32: SequenceRanges] = [:]
  private var finished: [UInt32: MerkleFrontier] = [:]
  private var frontier = MerkleFrontier()

  init(lost: [UInt32: [LostRecords]], bases: [UInt32: MerkleFrontier]) {
    self.lost = lost
    self.bases = bases
    frontier = bases[1] ?? MerkleFrontier()
  }

  /// The last record before the first that is missing or not sound, wherever they lie.
  /// - Parameter trees: how many records each epoch has, as far as it is known.
  func end(_ trees: [UInt32: MerkleFrontier]) -> RecordPosition {
    var end = RecordPosition.start
    for epoch in present.keys.sorted() {
      guard let first = present[epoch]?.ranges.first, first.lowerBound == (bases[epoch]?.size ?? 0) + 1 else { break }
      end = RecordPosition(epoch: epoch, sequence: first.upperBound)
      guard trees[epoch]?.size == first.upperBound else { break }
    }
    return end
  }

  /// Notes a record that stands somewhere else than in the tree, if it is sound.
  mutating func note(_ key: UnsafeRawBufferPointer, _ value: DataValue) {
    guard case .bytes(let bytes) = value, let position = RecordPosition(key: key),
      RecordView(position: position, value: bytes)?.isSound == true
    else { return }
    present[position.epoch, default: SequenceRanges()].insert(position.sequence)
  }

  mutating func take(_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) {
    note(key, .bytes(value))
    guard fault == nil else { return }
    guard let position = RecordPosition(key: key), let view = RecordView(position: position, value: value) else {
      fault = "is cut short"
      return
    }
    guard follows(position) else {
      fault = "is missing, \(position) stands in its place"
      return
    }
    guard present[position.epoch]?.contains(position.sequence) == true else {
      fault = "is not what was recorded"
      return
    }
    if position.epoch != soundThrough.epoch {
      finished[soundThrough.epoch] = frontier
      frontier = bases[position.epoch] ?? MerkleFrontier()
    }
    frontier.append(view.leafHash)
    soundThrough = position
  }

  private func follows(_ position: RecordPosition) -> Bool {
    let isNew = position.epoch != soundThrough.epoch
    let expected =
      isNew || soundThrough.sequence == 0 ? (bases[position.epoch]?.size ?? 0) + 1 : soundThrough.sequence + 1
    if position.sequence == expected { return true }
    return lost[position.epoch]?.contains {
      $0.first == expected && $0.last == position.sequence &- 1
    } ?? false
  }
}
