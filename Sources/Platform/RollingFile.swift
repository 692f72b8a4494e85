// A file that is appended to and never grows beyond a size: when it is full it becomes the one before, and another begins.
//
//     NAME      the newest lines
//     NAME.1    those before
//
// For what helps and does not count: nothing is flushed to the disk, and what cannot be written is lost without a word.

internal import Glibc
internal import Synchronization

package final class RollingFile: Sendable {
  private struct State: ~Copyable {
    var descriptor: Int32 = -1
    var bytes = 0
  }

  private let path: String
  private let bytesMax: Int
  private let state = Mutex(State())

  /// - Parameter bytesMax: of each of the two.
  package init(_ path: String, bytesMax: Int) { (self.path, self.bytesMax) = (path, bytesMax) }

  deinit { state.withLock { if $0.descriptor >= 0 { close($0.descriptor) } } }

  package func append(_ bytes: [UInt8]) {
    state.withLock { state in
      if state.descriptor < 0 || state.bytes + bytes.count > bytesMax { begin(&state) }
      guard state.descriptor >= 0 else { return }
      try? Machine.write(bytes, to: state.descriptor, path)
      state.bytes += bytes.count
    }
  }

  /// Opens the file, or where it is full, another.
  private func begin(_ state: inout State) {
    if state.descriptor >= 0 {
      close(state.descriptor)
      rename(path, path + ".1")
    }
    state.descriptor = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0o600)
    var status = stat()
    state.bytes = state.descriptor >= 0 && fstat(state.descriptor, &status) == 0 ? Int(status.st_size) : 0
  }

  /// What both files hold, the older first; empty where there are none.
  package static func read(_ path: String) -> [UInt8] {
    [path + ".1", path].flatMap { (try? Files.read($0)) ?? [] }
  }
}
