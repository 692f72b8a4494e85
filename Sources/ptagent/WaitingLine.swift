// How long something takes, while it takes it, where somebody sits and waits.

internal import CLinux
internal import Platform
internal import Synchronization

/// A line on standard error, drawn anew each second until it is ended; nothing at all where that is no terminal.
final class WaitingLine: Sendable {
  private static let interval: Duration = .seconds(1)

  private let task: Task<Void, Never>?
  private let hasEnded = Mutex(false)

  init(_ what: String) {
    guard clinux_is_terminal(2) == 1 else {
      task = nil
      return
    }
    let start = ContinuousClock.now
    task = Task {
      // Not before a second has passed: most readings take less.
      while (try? await Task.sleep(for: Self.interval)) != nil {
        let seconds = start.duration(to: .now).components.seconds
        Machine.tell("\r\(what), \(Duration.seconds(seconds).spoken)\u{1B}[K")
      }
    }
  }

  /// Takes the line away, once.
  func end() {
    guard let task,
      hasEnded.withLock({ hasEnded in
        defer { hasEnded = true }
        return !hasEnded
      })
    else { return }
    task.cancel()
    Machine.tell("\r\u{1B}[K")
  }
}
