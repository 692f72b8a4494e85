// The console's password at rest: one line, its hash, in a file that the agent's user alone may read. The file counts, not memory: `ptagent console
// password` is another process.

internal import Platform
internal import Synchronization
internal import WebServing

package final class ConsolePassword: Sendable {
  package enum State: Equatable, Sendable {
    case none
    case hash(String)
    /// There is a file that cannot be used: nobody gets in until it is put right.
    case unusable(String)
  }

  private let path: String

  package init(path: String) { self.path = path }

  package var state: State {
    do {
      let text = String(decoding: try Files.read(path), as: UTF8.self)
      let line = String(text.prefix { $0 != "\n" })
      if line.isEmpty, text.isEmpty { return .unusable("\(path) is empty. \(Self.remedy)") }
      guard PasswordHash.isHash(line) else {
        return .unusable("\(path) holds no password of this console. \(Self.remedy)")
      }
      return .hash(line)
    } catch {
      return error.isNotFound ? .none : .unusable("\(error.description) \(Self.remedy)")
    }
  }

  private static let remedy = "Set it anew with: ptagent console password"

  /// - Throws: `SystemError`; what was there is unchanged.
  package func set(hash: String) throws {
    // Before the first run there is no state directory yet; the agent makes it with this mode, too.
    try Files.makeDirectory(Files.parent(of: path), mode: 0o755)
    try Files.replace(path, with: Array((hash + "\n").utf8), mode: 0o600)
  }

  package func remove() throws { try Files.remove(path) }
}
