// The writer's thread: a pthread, because LMDB ties a writing transaction to one, and because a commit blocks for as long as
// the disk takes, which no thread of Swift's cooperative pool may.

internal import Glibc

final class WriterThread: @unchecked Sendable {  // `committer` is used by the thread only; `isEnded` under `mutex`.
  let queue = RequestQueue()
  /// Let go of when the thread ends, and the directory's lock with it.
  private var committer: Committer?
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let ended = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var isEnded = false
  private var waiters: [CheckedContinuation<Void, Never>] = []

  private init(_ committer: Committer) {
    self.committer = committer
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
  static func start(_ makeCommitter: () throws -> Committer) throws -> WriterThread {
    let thread = WriterThread(try makeCommitter())
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
    while case .batch(let requests) = queue.take(waitingAtMost: committer?.nanosecondsUntilCheckpoint) {
      committer?.commit(requests)
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

/// A result that one thread waits for and another gives.
final class Handover<Value: Sendable>: @unchecked Sendable {  // `value` is touched under `mutex` only.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let given = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)
  private var value: Value?

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(given, nil)
  }

  deinit {
    pthread_cond_destroy(given)
    pthread_mutex_destroy(mutex)
    given.deallocate()
    mutex.deallocate()
  }

  func give(_ newValue: Value) {
    pthread_mutex_lock(mutex)
    value = newValue
    pthread_cond_signal(given)
    pthread_mutex_unlock(mutex)
  }

  func wait() -> Value {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    while true {
      if let value { return value }
      pthread_cond_wait(given, mutex)
    }
  }
}
