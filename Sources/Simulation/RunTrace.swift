// What a run did, line by line: its digest tells whether two runs were the same, its last lines what led to a failure.

package import OpenSSL

package struct RunTrace: CustomStringConvertible {
  private static let linesKept = 40

  private var hash = SHA256()
  private var last: [String] = []
  package private(set) var lines = 0

  package init() {}

  package mutating func note(_ line: String) {
    hash.update(Array(line.utf8))
    hash.update(byte: UInt8(ascii: "\n"))
    lines += 1
    if last.count == Self.linesKept { last.removeFirst() }
    last.append(line)
  }

  package var digest: Digest { hash.finalize() }

  /// The last lines.
  package var description: String { last.joined(separator: "\n") }
}
