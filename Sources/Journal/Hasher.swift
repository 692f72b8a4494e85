// A second thread that hashes while the writer writes, and signs while it waits for the disk.
//
// Hashing a record costs more than LMDB takes to put it into its page. For a large append the hasher's thread takes pieces
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
  private enum Work {
    case hash(LeafBatch)
    case run(@Sendable () -> Void)
  }

  /// Looks for work before the thread sleeps again that was woken for some: about 100 microseconds.
  private static let looksWhenAlert = 2_000

  /// What there is to do; one thing at a time.
  private var offered: Work?
  /// Whether work is about to come.
  private var isAlert = false
  private var isStopped = false

  /// Calls `put` for each piece in order, when its hashes are there. On the calling thread.
  func forEachPiece(of batch: LeafBatch, _ put: (Int) throws -> Void) rethrows {
    if batch.count >= JournalLimits.sharedHashingRecordsMin, batch.hasPiecesLeft { offer(.hash(batch)) }
    defer {
      batch.abandon()
      monitor.withLock { if case .hash = offered { offered = nil } }
    }
    for piece in batch.pieces.indices {
      batch.finish(piece)
      try put(piece)
    }
  }

  /// Wakes the thread for a large append that is about to come: waking takes as long as hashing a hundred records, and what comes before
  /// the hashing need not be waited for.
  func alert() {
    let wakes = monitor.withLock {
      if thread == .none { thread = start() }
      isAlert = thread == .running && offered == nil
      return isAlert
    }
    if wakes { monitor.wakeOne() }
  }

  /// Does `work` on the second thread, soon.
  /// - Returns: false, with nothing done, when there is no second thread.
  func run(_ work: @escaping @Sendable () -> Void) -> Bool { offer(.run(work)) }

  @discardableResult private func offer(_ work: Work) -> Bool {
    let helps = monitor.withLock {
      if thread == .none { thread = start() }
      // What is to be run may still be there after a commit that failed: it comes first, and the caller does its own work itself.
      if case .run = offered { return false }
      if thread == .running { offered = work }
      return thread == .running
    }
    if helps { monitor.wakeOne() }
    return helps
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
    while let work = take() {
      switch work {
      case .hash(let batch): while batch.hashNext() {}
      case .run(let work): work()
      }
    }
  }

  /// Waits for work; nil when the thread is to end.
  private func take() -> Work? {
    while true {
      monitor.withLock {
        while offered == nil, !isStopped, !isAlert { monitor.wait() }
      }
      var looks = 0
      while looks < Self.looksWhenAlert, monitor.withLock({ offered == nil && !isStopped }) { looks += 1 }
      let (work, isOver): (Work?, Bool) = monitor.withLock {
        defer { (offered, isAlert) = (nil, false) }
        return (offered, isStopped)
      }
      if isOver { return nil }
      if let work { return work }
    }
  }

  /// Ends the thread.
  func stop() {
    monitor.withLock { isStopped = true }
    monitor.wakeOne()
  }
}
