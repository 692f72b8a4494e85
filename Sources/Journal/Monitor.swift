// A mutex with one condition, for the places where a thread waits for another: threads of their own, not tasks.

internal import Glibc

final class Monitor: @unchecked Sendable {  // The pthread objects lie at fixed addresses and are made for sharing.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init() {
    pthread_mutex_init(mutex, nil)
    pthread_cond_init(condition, nil)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func withLock<R>(_ body: () -> R) -> R {
    pthread_mutex_lock(mutex)
    defer { pthread_mutex_unlock(mutex) }
    return body()
  }

  /// Lets go of the lock, which the caller holds, until woken; may return early.
  func wait() { pthread_cond_wait(condition, mutex) }
  /// Wakes one waiter. Best without the lock, which the waiter would find taken.
  func wakeOne() { pthread_cond_signal(condition) }
  func wakeAll() { pthread_cond_broadcast(condition) }
}

/// A result that one thread waits for and another gives.
final class Handover<Value: Sendable>: @unchecked Sendable {  // `value` is touched under the monitor only.
  private let monitor = Monitor()
  private var value: Value?

  func give(_ newValue: Value) {
    monitor.withLock { value = newValue }
    monitor.wakeOne()
  }

  func wait() -> Value {
    monitor.withLock {
      while true {
        if let value { return value }
        monitor.wait()
      }
    }
  }
}
