// A second thread that hashes while the writer writes.
//
// Hashing a record costs twice what LMDB takes to put it into its page. For a large append the hasher's thread takes pieces
// from the front, and so does the writer whenever the piece it must put next is not done:
//
//   writer   [hash 0][put 0][put 1][hash 4][put 2][put 3][put 4] ...
//   hasher     (wakes) [hash 1][hash 2][hash 3][hash 5] ...
//
// The writer never depends on it: it would do all pieces itself. What the hasher works on is memory that it holds a reference
// to, so an append that fails just goes away; the hasher finishes its one piece, and nobody looks at it.

internal import Glibc

final class Hasher: @unchecked Sendable {  // Everything mutable is touched under the monitor only.
  private enum Thread { case none, running, unavailable }

  private let monitor = Monitor()
  private var thread = Thread.none
  /// What there is to help with.
  private var offered: LeafBatch?
  private var isStopped = false

  /// Calls `put` for each piece in order, when its hashes are there. On the calling thread.
  func forEachPiece(of batch: LeafBatch, _ put: (Int) throws -> Void) rethrows {
    if batch.payloads.count >= JournalLimits.sharedHashingRecordsMin { offer(batch) }
    defer {
      batch.abandon()
      monitor.withLock { offered = nil }
    }
    for piece in batch.pieces.indices {
      batch.finish(piece)
      try put(piece)
    }
  }

  private func offer(_ batch: LeafBatch) {
    let helps = monitor.withLock {
      if thread == .none { thread = start() }
      if thread == .running { offered = batch }
      return thread == .running
    }
    if helps { monitor.wakeOne() }
  }

  /// Without a second processor or a second thread the writer hashes alone.
  private func start() -> Thread {
    guard sysconf(Int32(_SC_NPROCESSORS_ONLN)) > 1 else { return .unavailable }
    let argument = Unmanaged.passRetained(self)
    var handle = pthread_t()
    let code = pthread_create(
      &handle, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<Hasher>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard code == 0 else {
      argument.release()
      return .unavailable
    }
    pthread_detach(handle)
    return .running
  }

  private func run() {
    while let batch = take() {
      while batch.hashNext() {}
    }
  }

  private func take() -> LeafBatch? {
    monitor.withLock {
      while offered == nil, !isStopped { monitor.wait() }
      defer { offered = nil }
      return isStopped ? nil : offered
    }
  }

  /// Ends the thread.
  func stop() {
    monitor.withLock { isStopped = true }
    monitor.wakeOne()
  }
}
