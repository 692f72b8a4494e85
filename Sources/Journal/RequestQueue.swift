// The queue between callers and the writer's thread, and the turn: who may commit.
//
//   callers --submit--> [ requests, first in first out ] --take--> writer: everything queued, up to the batch's caps
//      ^                                                             |
//      +-------- held back while the queue is over its caps <--------+
//
// There is one turn. The writer's thread has it from `take` to `endTurn`. A caller that blocks its thread anyway may have it
// when nobody does and nothing is queued (`takeTurn`), and commits at once without waking another thread; what is submitted
// meanwhile is queued, and goes before any further turn of that kind. While somebody has it, it is foreseen where the records stand that
// are submitted now (`foreseen`): their hashes need not wait for the turn.
//
// The first backpressure is `append` itself, which returns after the commit: a caller that waits has one request here. The
// caps are for callers that start many appends at once: they are suspended (or their thread blocked) before they queue.

internal import Evidence
internal import Glibc

typealias WriteOutcome = Result<[RecordPosition], JournalError>

/// One thing for the writer to do, and whom to tell.
struct WriteRequest: Sendable {
  enum Work: Sendable {
    /// The hashes may have been made for where the records were foreseen to stand.
    case append([[UInt8]], hashes: LeafBatch? = nil)
    /// With the records that it begins with.
    case openEpoch(reason: String, [[UInt8]])
    case moveCursor(String, RecordPosition)
    case checkpoint
    case countersign(SignedNote, VerifierKey)
    /// One step of it.
    case prune(Pruning)

    var appends: Bool {
      if case .append(let payloads, _) = self { !payloads.isEmpty } else { false }
    }

    /// Whether it is worth while that a second thread helps with the hashes.
    var isLargeAppend: Bool { records >= JournalLimits.sharedHashingRecordsMin }

    var hasHashes: Bool { if case .append(_, _?) = self { true } else { false } }

    var records: Int { if case .append(let payloads, _) = self { payloads.count } else { 0 } }
  }

  let work: Work
  let records: Int
  let bytes: Int
  /// Called once, on the thread that commits.
  let complete: @Sendable (WriteOutcome) -> Void

  init(_ work: Work, complete: @escaping @Sendable (WriteOutcome) -> Void) {
    self.work = work
    self.complete = complete
    records = work.records
    bytes = if case .append(let payloads, _) = work { payloads.reduce(0) { $0 + $1.count } } else { 0 }
  }
}

final class RequestQueue: @unchecked Sendable {  // Everything mutable is touched under `mutex` only.
  enum Submission { case queued, full, closed }

  /// Either a batch, or the news that the time to wait has passed (an empty batch), or that the queue was closed and is empty.
  enum Taken { case batch([WriteRequest]), closed }

  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let arrived = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private let roomMade = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var requests: [WriteRequest] = []
  /// Requests before this index were taken.
  private var taken = 0
  private var records = 0
  private var bytes = 0
  private var isClosed = false
  /// Whether somebody commits. The writer's thread is born with the turn.
  private var isTurnTaken = true
  /// The head as of the last commit; nil before the first turn ended.
  private var head: RecordPosition?
  /// The records that whoever has the turn appends.
  private var recordsInTurn = 0
  /// When the writer will have something to do without any further request, by CLOCK_MONOTONIC in nanoseconds.
  private var workDue: UInt64?
  /// When the writer's thread wakes by itself; nil while it is not asleep, `.max` for never.
  private var sleepsUntil: UInt64?
  private var heldBack: [CheckedContinuation<Void, Never>] = []
  /// Since when there has been something to commit without a turn that ended, by CLOCK_MONOTONIC in nanoseconds; nil: there is nothing.
  private var busySince: UInt64?
  /// When the last turn ended that committed anything.
  private var committedAt: UInt64?

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(roomMade, nil)
    var attributes = pthread_condattr_t()
    pthread_condattr_init(&attributes)
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC)
    pthread_cond_init(arrived, &attributes)
    pthread_condattr_destroy(&attributes)
  }

  deinit {
    pthread_cond_destroy(arrived)
    pthread_cond_destroy(roomMade)
    pthread_mutex_destroy(mutex)
    arrived.deallocate()
    roomMade.deallocate()
    mutex.deallocate()
  }

  /// Queues the request, or says that the queue is full or closed: its `complete` is then never called.
  func submit(_ request: WriteRequest) -> Submission {
    pthread_mutex_lock(mutex)
    return enqueueAndUnlock(request)
  }

  /// Suspends until the queue may have room again.
  func waitForRoom() async {
    await withCheckedContinuation { holdBack($0) }
  }

  /// Queues the request, blocking the thread while the queue is full.
  func submitBlocking(_ request: WriteRequest) -> Submission {
    pthread_mutex_lock(mutex)
    while !isClosed, !hasRoom { pthread_cond_wait(roomMade, mutex) }
    return enqueueAndUnlock(request)
  }

  private func enqueueAndUnlock(_ request: WriteRequest) -> Submission {
    let submission: Submission = isClosed ? .closed : hasRoom ? .queued : .full
    if submission == .queued {
      requests.append(request)
      records += request.records
      bytes += request.bytes
      if busySince == nil { busySince = Self.now() }
    }
    let wakes = submission == .queued && !isTurnTaken
    pthread_mutex_unlock(mutex)
    // Without the lock, which the woken thread would find taken.
    if wakes { pthread_cond_signal(arrived) }
    return submission
  }

  private func holdBack(_ continuation: CheckedContinuation<Void, Never>) {
    pthread_mutex_lock(mutex)
    let mustWait = !isClosed && !hasRoom
    if mustWait { heldBack.append(continuation) }
    pthread_mutex_unlock(mutex)
    if !mustWait { continuation.resume() }
  }

  /// One request always fits an empty queue, whatever its size.
  private var hasRoom: Bool {
    requests.count - taken < JournalLimits.queueRequestsMax && records < JournalLimits.queueRecordsMax
      && bytes < JournalLimits.queueBytesMax
  }

  /// Takes the turn for a caller's own commit of so many records, if nobody has it and nothing is queued or closed.
  func takeTurn(records: Int = 0) -> Bool {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    guard !isTurnTaken, !isClosed, requests.isEmpty else { return false }
    isTurnTaken = true
    recordsInTurn = records
    busySince = Self.now()
    return true
  }

  /// Where the first record stands that is submitted now, if everything before it succeeds and nobody is quicker; nil while nobody
  /// commits, when it need not be foreseen.
  func foreseen() -> RecordPosition? {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    guard isTurnTaken, let head else { return nil }
    let (sequence, isBeyond) = head.sequence.addingReportingOverflow(UInt64(recordsInTurn + records) + 1)
    return isBeyond ? nil : RecordPosition(epoch: head.epoch, sequence: sequence)
  }

  /// Gives the turn back after a commit.
  /// - Parameters:
  ///   - nanosecondsUntilDue: how long until there is work without any further request; nil when there will be none.
  ///   - head: the last record, now.
  func endTurn(nanosecondsUntilDue: UInt64?, head: RecordPosition? = nil) {
    let now = Self.now()
    let due = nanosecondsUntilDue.map { now &+ min($0, UInt64(Int64.max)) }
    pthread_mutex_lock(mutex)
    isTurnTaken = false
    if busySince != nil { committedAt = now }
    busySince = requests.isEmpty ? nil : now
    self.head = head
    workDue = due
    let hasWork = !requests.isEmpty || isClosed
    let wakes = sleepsUntil.map { hasWork || due ?? .max < $0 } ?? false
    pthread_mutex_unlock(mutex)
    if wakes { pthread_cond_signal(arrived) }
  }

  /// Waits for requests, or until other work is due, takes the turn and as many requests as one commit may hold. For the
  /// writer's thread only, which ends each turn with `endTurn`; after `closed` the turn is its for good.
  func take() -> Taken {
    pthread_mutex_lock(mutex)
    while !isWorkForWriter { sleep() }
    isTurnTaken = true
    if requests.isEmpty, isClosed {
      pthread_mutex_unlock(mutex)
      return .closed
    }
    let batch = takeBatch()
    if busySince == nil { busySince = Self.now() }
    let released = heldBack
    heldBack = []
    pthread_cond_broadcast(roomMade)
    pthread_mutex_unlock(mutex)
    for continuation in released { continuation.resume() }
    return .batch(batch)
  }

  /// How the writer moves.
  var progress: WriterProgress {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    let now = Self.now()
    func age(_ time: UInt64) -> Duration { .nanoseconds(Int64(clamping: now - min(time, now))) }
    return WriterProgress(
      waiting: requests.count - taken, busyFor: busySince.map(age), sinceCommit: committedAt.map(age))
  }

  private var isWorkForWriter: Bool {
    guard !isTurnTaken else { return false }
    return !requests.isEmpty || isClosed || workDue.map { $0 <= Self.now() } ?? false
  }

  /// Sleeps until woken, or until work is due. While somebody has the turn, its end is what to wait for.
  private func sleep() {
    let until = isTurnTaken ? UInt64.max : workDue ?? .max
    sleepsUntil = until
    if until == .max {
      pthread_cond_wait(arrived, mutex)
    } else {
      var deadline = timespec(tv_sec: Int(until / 1_000_000_000), tv_nsec: Int(until % 1_000_000_000))
      pthread_cond_timedwait(arrived, mutex, &deadline)
    }
    sleepsUntil = nil
  }

  /// CLOCK_MONOTONIC, in nanoseconds.
  private static func now() -> UInt64 {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  private func takeBatch() -> [WriteRequest] {
    var end = taken
    var batchRecords = 0
    var batchBytes = 0
    while end < requests.count, end - taken < JournalLimits.batchRequestsMax {
      let request = requests[end]
      let fits =
        batchRecords + request.records <= JournalLimits.batchRecordsMax
        && batchBytes + request.bytes <= JournalLimits.batchBytesMax
      guard fits || end == taken else { break }
      batchRecords += request.records
      batchBytes += request.bytes
      end += 1
    }
    let batch = Array(requests[taken..<end])
    taken = end
    recordsInTurn = batchRecords
    records -= batchRecords
    bytes -= batchBytes
    // Moving the rest down each time would be quadratic; keeping what was taken would be a leak.
    if taken == requests.count || taken > JournalLimits.batchRequestsMax {
      requests.removeFirst(taken)
      taken = 0
    }
    return batch
  }

  /// Refuses further requests; those queued are still taken.
  func close() {
    pthread_mutex_lock(mutex)
    isClosed = true
    let released = heldBack
    heldBack = []
    pthread_cond_broadcast(arrived)
    pthread_cond_broadcast(roomMade)
    pthread_mutex_unlock(mutex)
    for continuation in released { continuation.resume() }
  }
}
