// The hashes of the records of one append, made in pieces that do not depend on each other.
//
// The run of leaves is cut into perfect subtrees of at most 32 leaves, each standing where the epoch's tree can take it whole:
//
//   leaves 29..107        [29] [30 31] [32 .. 63] [64 .. 95] [96 .. 103] [104 .. 107]
//
// A piece is the unit of work: its leaf hashes, and the root over them. Two threads may take pieces from the front until none
// is left; the tree comes out the same as if each leaf had been appended after the other.

internal import Evidence
internal import Glibc
internal import OpenSSL

final class LeafBatch: @unchecked Sendable {
  // Shared by two threads: the constants are immutable, `next` and `isDone` are touched under the monitor only, and the
  // hashes of a piece are written by the one thread that took it before the piece is done, and read after.

  struct Piece {
    /// The index of its first record in the batch.
    let offset: Int
    /// Its number of records is 2^`height`.
    let height: Int
    var records: Range<Int> { offset..<offset + 1 << height }
  }

  /// 32 leaves: about 10 microseconds, so that nobody waits long for the last piece, nor often for the lock.
  private static let heightMax = 5
  /// Looks at a piece that the other thread has in work before this thread sleeps: some 20 microseconds, in which it is
  /// nearly always done. Falling asleep and being woken would take longer.
  private static let looksBeforeSleep = 500

  let count: Int
  let first: RecordPosition
  let time: Int64
  let pieces: [Piece]
  /// Held for their bytes.
  private let payloads: [[UInt8]]
  /// Where those lie: taken once, so that two threads do not fight over the arrays' reference counts.
  /// Arrays that are held and never changed stand still; none is bridged from another kind.
  private let bytes: UnsafeMutableBufferPointer<UnsafeRawBufferPointer>
  /// 32 bytes for each record.
  private let leaves: UnsafeMutableRawBufferPointer
  private let roots: UnsafeMutableBufferPointer<Digest>
  private let monitor = Monitor()
  /// The first piece that nobody has taken.
  private var next = 0
  private var isDone: [Bool]

  /// - Parameter first: the position of the first record, whose leaf is number `first.sequence - 1` of the tree.
  init(_ payloads: [[UInt8]], from first: RecordPosition, time: Int64) {
    self.payloads = payloads
    count = payloads.count
    self.first = first
    self.time = time
    var pieces: [Piece] = []
    var offset = 0
    while offset < payloads.count {
      let height = MerkleTree.height(at: first.sequence - 1 + UInt64(offset), count: payloads.count - offset)
      pieces.append(Piece(offset: offset, height: min(height, Self.heightMax)))
      offset += 1 << min(height, Self.heightMax)
    }
    self.pieces = pieces
    isDone = Array(repeating: false, count: pieces.count)
    let bytes = UnsafeMutableBufferPointer<UnsafeRawBufferPointer>.allocate(capacity: payloads.count)
    for (index, payload) in payloads.enumerated() {
      payload.withUnsafeBytes { bytes.initializeElement(at: index, to: $0) }
    }
    self.bytes = bytes
    leaves = .allocate(byteCount: payloads.count * Digest.byteCount, alignment: 8)
    roots = .allocate(capacity: pieces.count)
    roots.initialize(repeating: .zero)
  }

  deinit {
    // Plain words all, that need no deinitialization.
    bytes.deallocate()
    leaves.deallocate()
    roots.deallocate()
  }

  func position(_ index: Int) -> RecordPosition {
    RecordPosition(epoch: first.epoch, sequence: first.sequence + UInt64(index))
  }

  /// The bytes of a record's payload, as long as the batch is there.
  func payload(_ index: Int) -> UnsafeRawBufferPointer { bytes[index] }

  /// The 32 bytes of the leaf hash of a record whose piece is done.
  func leaf(_ index: Int) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(leaves(index..<index + 1)) }

  private func leaves(_ records: Range<Int>) -> UnsafeMutableRawBufferPointer {
    UnsafeMutableRawBufferPointer(
      rebasing: leaves[(records.lowerBound * Digest.byteCount)..<records.upperBound * Digest.byteCount])
  }

  /// The root of a piece that is done.
  func root(_ piece: Int) -> Digest { roots[piece] }

  /// Whether there are pieces that nobody has taken.
  var hasPiecesLeft: Bool { monitor.withLock { next < pieces.count } }

  /// Takes the next piece and hashes it; false when none is left.
  func hashNext() -> Bool {
    let taken: Int? = monitor.withLock {
      guard next < pieces.count else { return nil }
      next += 1
      return next - 1
    }
    guard let taken else { return false }
    hash(taken)
    monitor.withLock { isDone[taken] = true }
    monitor.wakeAll()
    return true
  }

  private func hash(_ number: Int) {
    let records = pieces[number].records
    let hashes = leaves(records)
    Record.writeLeafHashes(
      from: position(records.lowerBound), time: time, payloads: UnsafeBufferPointer(rebasing: bytes[records]),
      to: hashes)
    roots[number] = withUnsafeTemporaryAllocation(byteCount: Digest.byteCount << Self.heightMax, alignment: 8) {
      let scratch = UnsafeMutableRawBufferPointer(rebasing: $0[..<hashes.count])
      scratch.copyMemory(from: UnsafeRawBufferPointer(hashes))
      return MerkleTree.root(consuming: scratch)
    }
  }

  /// Returns when the piece is done: hashes it, or others while the other thread has it in work.
  func finish(_ piece: Int) {
    while !monitor.withLock({ isDone[piece] }) {
      guard !hashNext() else { continue }
      for _ in 0..<Self.looksBeforeSleep where monitor.withLock({ isDone[piece] }) { return }
      monitor.withLock {
        while !isDone[piece] { monitor.wait() }
      }
    }
  }

  /// Leaves the pieces that nobody has taken undone, for good.
  func abandon() {
    monitor.withLock { next = pieces.count }
  }
}
