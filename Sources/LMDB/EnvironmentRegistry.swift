// Which environments this process has open, so that each path is opened once.
//
// An entry outlives its environment's last reference until the files are closed: `open` waits for that, because opening
// the same files before the close would lose the new opening's POSIX locks to it.

internal import CLMDB
internal import Glibc

final class EnvironmentRegistry: @unchecked Sendable {  // Everything is touched under `lock` only.
  static let shared = EnvironmentRegistry()

  private struct DirectoryKey: Hashable {
    let device: UInt64
    let number: UInt64
  }

  private final class Entry {
    weak var environment: Environment?
    init(_ environment: Environment) { self.environment = environment }
  }

  // Recursive: dropping the last reference to an environment inside `open` comes back through `close`.
  private let lock = ThreadLock(recursive: true)
  private var entries: [DirectoryKey: Entry] = [:]
  private var keys: [ObjectIdentifier: DirectoryKey] = [:]

  func open(_ path: String, _ options: Environment.Options) throws(LMDBError) -> Environment {
    var status = stat()
    guard stat(path, &status) == 0 else { throw LMDBError("open it", path: path, code: errno) }
    guard status.st_mode & S_IFMT == S_IFDIR else { throw LMDBError("open it", path: path, code: ENOTDIR) }
    let key = DirectoryKey(device: UInt64(status.st_dev), number: UInt64(status.st_ino))

    lock.lock()
    defer { lock.unlock() }
    while let entry = entries[key] {
      if let environment = entry.environment { return try adopt(environment, path, options) }
      lock.wait()
    }
    let opened = try OpenedEnvironment(path: path, options: options)
    let environment = Environment(
      path: path, handle: opened.handle, options: options, databases: opened.databases, fileNumber: opened.fileNumber)
    entries[key] = Entry(environment)
    keys[ObjectIdentifier(environment)] = key
    return environment
  }

  private func adopt(
    _ environment: Environment, _ path: String, _ options: Environment.Options
  ) throws(LMDBError) -> Environment {
    guard environment.options.databases == options.databases,
      fileNumberIfAny(path + "/data.mdb") == environment.fileNumber
    else { throw LMDBError("open it", path: path, kind: .openedDifferently) }
    if options.access == .readWrite, environment.options.access == .readOnly { try environment.reopen(with: options) }
    return environment
  }

  /// Called by the environment's deinit.
  func close(_ environment: Environment) {
    lock.lock()
    defer { lock.unlock() }
    if let handle = environment.handle { mdb_env_close(handle) }
    guard let key = keys.removeValue(forKey: ObjectIdentifier(environment)) else { return }
    entries[key] = nil
    lock.broadcast()
  }
}

/// A pthread mutex with one condition.
final class ThreadLock: @unchecked Sendable {  // The pthread objects live at fixed addresses and are made for sharing.
  private let mutex = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  private let condition = UnsafeMutablePointer<pthread_cond_t>.allocate(capacity: 1)

  init(recursive: Bool = false) {
    var attributes = pthread_mutexattr_t()
    pthread_mutexattr_init(&attributes)
    if recursive { pthread_mutexattr_settype(&attributes, Int32(PTHREAD_MUTEX_RECURSIVE)) }
    pthread_mutex_init(mutex, &attributes)
    pthread_mutexattr_destroy(&attributes)
    var clock = pthread_condattr_t()
    pthread_condattr_init(&clock)
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC)
    pthread_cond_init(condition, &clock)
    pthread_condattr_destroy(&clock)
  }

  deinit {
    pthread_cond_destroy(condition)
    pthread_mutex_destroy(mutex)
    condition.deallocate()
    mutex.deallocate()
  }

  func lock() { pthread_mutex_lock(mutex) }
  func unlock() { pthread_mutex_unlock(mutex) }
  func broadcast() { pthread_cond_broadcast(condition) }
  func wait() { pthread_cond_wait(condition, mutex) }

  /// Waits until signalled or until CLOCK_MONOTONIC reaches `deadline`; false when the time has passed.
  func wait(until deadline: timespec) -> Bool {
    var deadline = deadline
    return pthread_cond_timedwait(condition, mutex, &deadline) == 0
  }
}

/// Counts the open transactions of one environment, so that it can be closed when there are none.
final class TransactionGate: @unchecked Sendable {  // `open` is touched under `lock` only.
  private let lock = ThreadLock()
  private var open = 0

  func enter() {
    lock.lock()
    open += 1
    lock.unlock()
  }

  func leave() {
    lock.lock()
    open -= 1
    if open == 0 { lock.broadcast() }
    lock.unlock()
  }

  /// Runs `body` while no transaction is open and none can begin; nil when they did not end in time. Transactions may still
  /// begin while this waits, so that a nested one cannot block its own thread.
  func exclusively<R>(within patience: Duration, _ body: () -> R) -> R? {
    var deadline = timespec()
    clock_gettime(CLOCK_MONOTONIC, &deadline)
    deadline.tv_sec += Int(patience.components.seconds)
    lock.lock()
    defer { lock.unlock() }
    while open > 0 {
      guard lock.wait(until: deadline) else { return nil }
    }
    return body()
  }
}
