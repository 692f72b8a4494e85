// Ranges of records that damage took at an agent before they were delivered.

internal import Evidence
internal import HubDatabase
internal import OpenSSL

enum Loss {
  /// The ranges of an epoch, ascending.
  static func all(_ install: InstallNumber, _ epoch: UInt32, _ db: any SQLConnection) throws -> [ClosedRange<UInt64>] {
    try db.rows("SELECT first, last FROM loss WHERE install = ? AND epoch = ? ORDER BY first", install, epoch)
      .compactMap { row in
        let (first, last): (UInt64, UInt64) = (try row("first"), try row("last"))
        return first <= last ? first...last : nil
      }
  }
}

extension MerkleFrontier {
  /// Appends leaves of zeros until there are `last`: a subtree at a time, so that no claim of an agent costs more than a few hashes.
  mutating func appendZeros(through last: UInt64) {
    guard last > size else { return }
    var subtrees = [Digest.zero]
    while size < last {
      let room = last - size
      let height = min(size.trailingZeroBitCount, UInt64.bitWidth - 1 - room.leadingZeroBitCount)
      while subtrees.count <= height {
        let below = subtrees[subtrees.count - 1]
        subtrees.append(MerkleTree.node(below, below))
      }
      append(subtrees[height], height: height)
    }
  }
}
