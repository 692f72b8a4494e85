// A sweep's progress where somebody can see it.

internal import AgentCore
internal import CLinux
internal import Discovery
internal import Platform
internal import Synchronization

/// Draws a bar on a terminal, over itself; writes a line now and then to anything else.
final class TerminalDisplay: SweepDisplay {
  /// Between two lines in a log file.
  private static let linePause: Duration = .seconds(5)

  private struct State {
    var isDrawn = false
    var lastLine: ContinuousClock.Instant?
  }

  private let descriptor: Int32
  private let isTerminal: Bool
  private let state = Mutex(State())

  init(descriptor: Int32) {
    self.descriptor = descriptor
    isTerminal = clinux_is_terminal(descriptor) == 1
  }

  func sweepProgressed(_ done: Int, of total: Int, found: Int, rate: Double, timeLeft: Duration?) {
    var progress = SweepProgress()
    (progress.done, progress.total, progress.found) = (done, total, found)
    (progress.rate, progress.timeLeft) = (rate, timeLeft)
    if isTerminal { draw(progress) } else { line(progress) }
  }

  /// Leaves the last bar where it is.
  func sweepEnded() {
    let isDrawn = state.withLock { state in
      defer { state = State() }
      return state.isDrawn
    }
    if isDrawn { Machine.tell("\n", to: descriptor) }
  }

  private func draw(_ progress: SweepProgress) {
    let width = Int(clinux_terminal_width(descriptor))
    state.withLock { $0.isDrawn = true }
    // Carriage return, the bar, and "erase to end of line" (ECMA-48).
    Machine.tell("\r" + ProgressLine.bar(progress, width: width > 0 ? width : 80) + "\u{1B}[K", to: descriptor)
  }

  private func line(_ progress: SweepProgress) {
    let isDue = state.withLock { state in
      let now = ContinuousClock.now
      if let last = state.lastLine, last.duration(to: now) < Self.linePause, progress.timeLeft != .zero { return false }
      state.lastLine = now
      return true
    }
    if isDue { Machine.tell(ProgressLine.sentence(progress) + "\n", to: descriptor) }
  }
}
