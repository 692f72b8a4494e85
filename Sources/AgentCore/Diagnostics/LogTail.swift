// The last lines of the log, for diagnostics: what a supporter asks for first. In memory for the job of the hub, and in the state directory for
// `ptagent diagnostics`, which is asked for when the agent has ended, whoever its standard error belonged to.

internal import Platform
internal import Synchronization

/// Keeps the newest lines, up to a number of bytes.
package final class LogTail: Sendable {
  /// Half an hour of a busy agent.
  package static let bytesMax = 128 << 10

  private struct State {
    var lines: [String] = []
    var bytes = 0
    var file: RollingFile?
  }

  private let state = Mutex(State())

  /// Of each of the two files: together some days of an agent that nothing happens to.
  private static let fileBytesMax = 256 << 10

  package init() {}

  static func path(in stateDirectory: String) -> String { stateDirectory + "/recent.log" }

  /// Keeps the lines in a file, too: those that are there, and those to come.
  func keep(in stateDirectory: String) {
    state.withLock { state in
      let file = RollingFile(Self.path(in: stateDirectory), bytesMax: Self.fileBytesMax)
      for line in state.lines { file.append(Array(line.utf8)) }
      state.file = file
    }
  }

  /// - Parameter line: with its line break.
  package func add(_ line: String) {
    state.withLock { state in
      state.lines.append(line)
      state.file?.append(Array(line.utf8))
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
