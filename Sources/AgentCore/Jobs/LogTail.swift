// The last lines of the log, for diagnostics: what a supporter asks for first.

internal import Synchronization

/// Keeps the newest lines, up to a number of bytes.
package final class LogTail: Sendable {
  /// Half an hour of a busy agent.
  package static let bytesMax = 128 << 10

  private struct State {
    var lines: [String] = []
    var bytes = 0
  }

  private let state = Mutex(State())

  package init() {}

  /// - Parameter line: with its line break.
  package func add(_ line: String) {
    state.withLock { state in
      state.lines.append(line)
      state.bytes += line.utf8.count
      guard state.bytes > 2 * Self.bytesMax else { return }
      // Seldom, so that few lines are moved for each.
      var kept = state.lines[...]
      while state.bytes > Self.bytesMax, let first = kept.popFirst() { state.bytes -= first.utf8.count }
      state.lines = Array(kept)
    }
  }

  /// The newest lines, in their order, of at most so many bytes.
  package func lines(bytesMax: Int) -> [String] {
    state.withLock { state in
      var bytes = 0
      let newest = state.lines.reversed().prefix { line in
        bytes += line.utf8.count
        return bytes <= bytesMax
      }
      return newest.reversed()
    }
  }
}
