// The writer's thread: a pthread, because a commit blocks for as long as the disk takes, which no thread of Swift's cooperative
// pool may. A caller that blocks its own thread may commit there instead, when nobody else commits and nothing is queued:
// handing over to this thread and back costs two wakings, a fifth of a small commit.

internal import Evidence
internal import Glibc

// Unchecked: `committer` is used by who has the queue's turn, `isEnded` and `waiters` under `mutex`.
final class WriterThread: @unchecked Sendable {
  let queue = RequestQueue()
  /// Let go of when the thread ends, and the directory's lock with it.
  private var committer: Committer?
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let ended = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isEnded = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  private let clock: JournalClock

  private init(_ committer: Committer, _ clock: JournalClock) {
    self.committer = committer
    self.clock = clock
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(ended, nil)
  }

  deinit {
    pthread_cond_destroy(ended)
    pthread_mutex_destroy(mutex)
    ended.deallocate()
    mutex.deallocate()
  }

  /// Starts the thread, which from now on alone uses what `makeCommitter` made.
  static func start(_ clock: JournalClock, _ makeCommitter: () throws -> Committer) throws -> WriterThread {
    let thread = WriterThread(try makeCommitter(), clock)
    let argument = Unmanaged.passRetained(thread)
    var handle = pthread_t()
    let code = pthread_create(
      &handle, nil,
      { argument in
        guard let argument else { return nil }
        Unmanaged<WriterThread>.fromOpaque(argument).takeRetainedValue().run()
        return nil
      }, argument.toOpaque())
    guard code == 0 else {
      argument.release()
      throw JournalError.file(operation: "start the writer's thread for", path: "the journal", errno: code)
    }
    pthread_detach(handle)
    return thread
  }

  private func run() {
    queue.endTurn(nanosecondsUntilDue: committer?.nanosecondsUntilDue, head: committer?.head)
    while case .batch(let requests) = queue.take() {
      committer?.commit(requests)
      queue.endTurn(nanosecondsUntilDue: committer?.nanosecondsUntilDue, head: committer?.head)
    }
    committer?.commit([WriteRequest(.checkpoint) { _ in }])
    committer = nil
    pthread_mutex_lock(mutex)
    isEnded = true
    let resumed = waiters
    waiters = []
    pthread_cond_broadcast(ended)
    pthread_mutex_unlock(mutex)
    for waiter in resumed { waiter.resume() }
  }

  /// Does the work on the calling thread, which must be one that may block, and which nobody had to wake; nil when it is not
  /// this caller's turn.
  func performHere(_ work: WriteRequest.Work) -> WriteOutcome? {
    guard queue.takeTurn(records: work.records) else { return nil }
    let (outcome, due, head) = commit(work)
    queue.endTurn(nanosecondsUntilDue: due, head: head)
    return outcome
  }

  /// The payloads to be appended; with their hashes, made on the calling thread, while another commit must be waited for anyway.
  func prepare(_ payloads: [[UInt8]]) -> WriteRequest.Work {
    guard payloads.count >= JournalLimits.foreseenRecordsMin, let first = queue.foreseen() else {
      return .append(payloads)
    }
    let leaves = LeafBatch(payloads, from: first, time: clock.now())
    while leaves.hashNext() {}
    return .append(payloads, hashes: leaves)
  }

  /// Not inlined, so that the reference to the committer ends before the turn: `stop` must find the directory unlocked.
  @inline(never) private func commit(_ work: WriteRequest.Work) -> (WriteOutcome?, UInt64?, RecordPosition?) {
    guard let committer else { return (nil, nil, nil) }
    return (committer.commit([work]).first, committer.nanosecondsUntilDue, committer.head)
  }

  /// Ends the thread after the queued requests and a last checkpoint, and waits for that.
  func stop() async {
    queue.close()
    await withCheckedContinuation { continuation in
      if !wait(continuation) { continuation.resume() }
    }
  }

  private func wait(_ continuation: CheckedContinuation<Void, Never>) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    if !isEnded { waiters.append(continuation) }
    return !isEnded
  }

  /// As `stop`, blocking the thread.
  func stopBlocking() {
    queue.close()
    pthread_mutex_lock(mutex)
    while !isEnded { pthread_cond_wait(ended, mutex) }
    pthread_mutex_unlock(mutex)
  }
}
