// What a run did, line by line: its digest tells whether two runs were the same, its last lines what led to a failure.

package import OpenSSL

package struct RunTrace: CustomStringConvertible {
  private static let linesKept = 4_000
  private static let linesShown = 40

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

  /// Where this run and another one part; empty where they are the same, as far as their lines are kept.
  package func parting(from other: RunTrace) -> String {
    let place = zip(last, other.last).prefix { $0 == $1 }.count
    guard place < max(last.count, other.last.count) else { return "" }
    return [self, other].map { place < $0.last.count ? $0.last[place] : "the end" }.joined(separator: " | ")
  }

  /// The last lines.
  package var description: String { last.suffix(Self.linesShown).joined(separator: "\n") }
}
