// Waiting for descriptors until a deadline, and being woken meanwhile.

internal import Glibc
internal import Synchronization

/// The milliseconds poll(2) should wait until `deadline`, rounded up; -1 for no deadline.
func pollTimeout(until deadline: ContinuousClock.Instant?) -> Int32 {
  guard let deadline else { return -1 }
  let rest = ContinuousClock.now.duration(to: deadline)
  guard rest > .zero else { return 0 }
  let (seconds, attoseconds) = rest.components
  guard seconds < 1_000_000 else { return Int32.max }
  return Int32(seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
}

/// The text of an errno.
func systemReason(_ code: Int32) -> String {
  var text = [CChar](repeating: 0, count: 128)
  strerror_r(code, &text, text.count)
  return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

/// A pipe that ends another thread's poll(2).
final class WakePipe: Sendable {
  let readEnd: Int32
  private let writeEnd: Int32

  init() throws(TLSError) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else {
      throw .connectionLost(reason: "no pipe could be made: \(systemReason(errno))")
    }
    (readEnd, writeEnd) = (ends[0], ends[1])
    for end in ends {
      makeNonBlocking(end)
    }
  }

  deinit {
    close(readEnd)
    close(writeEnd)
  }

  /// Makes the descriptor readable. A full pipe is readable already.
  func wake() {
    var byte: UInt8 = 1
    _ = write(writeEnd, &byte, 1)
  }

  /// Makes the descriptor unreadable again.
  func drain() {
    var bytes: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
    while read(readEnd, &bytes, 32) > 0 {}
  }
}

/// Sets O_NONBLOCK and FD_CLOEXEC, so that no child process inherits a connection.
func makeNonBlocking(_ descriptor: Int32) {
  _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
  _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC)
}

/// What ended a wait.
enum WaitOutcome {
  case ready, woken, deadlinePassed
}

/// Waits until `descriptor` shows one of `events` (or an error), `waker` is woken, or `deadline` has passed. The waker
/// is drained. Readiness wins over being woken.
func waitForDescriptor(
  _ descriptor: Int32, events: Int32, waker: WakePipe, until deadline: ContinuousClock.Instant?
) throws(TLSError) -> WaitOutcome {
  var descriptors = [
    pollfd(fd: descriptor, events: Int16(truncatingIfNeeded: events), revents: 0),
    pollfd(fd: waker.readEnd, events: Int16(POLLIN), revents: 0),
  ]
  while true {
    let count = poll(&descriptors, 2, pollTimeout(until: deadline))
    if count < 0 {
      guard errno == EINTR else { throw .connectionLost(reason: systemReason(errno)) }
      continue
    }
    let woken = descriptors[1].revents != 0
    if woken { waker.drain() }
    if descriptors[0].revents != 0 { return .ready }
    if woken { return .woken }
    if let deadline, ContinuousClock.now >= deadline { return .deadlinePassed }
  }
}
