// The right edge of an RFC 6962 Merkle tree: all that is needed to append leaves and to know the root.
//
// A tree of `size` leaves is a row of perfect subtrees, one for each bit set in `size`, largest first. The frontier keeps
// their roots. Appending a leaf is adding 1 in binary: equal subtrees at the right merge, `node(left, right)`.
//
// A perfect subtree of 2^h leaves whose root is known is appended as one, where its first leaf's index is a multiple of 2^h:
// that is adding 2^h. So subtrees may be hashed apart from each other, also at once, with the same result.
//
//   size 7 = 0b111        [ root of leaves 0-3 | root of 4-5 | leaf 6 ]      root = node(0-3, node(4-5, 6))
//
// Hashes (RFC 6962 section 2.1): node = SHA-256(0x01 || left || right); the empty tree's root is SHA-256 of nothing.
//
// Encoded: size, 8 bytes big-endian, then one 32-byte hash for each bit set in it, largest subtree first.

package import OpenSSL

package enum MerkleTree {
  /// The root of the tree without leaves.
  package static let emptyRoot = SHA256.hash([UInt8]())

  /// The hash over two subtrees.
  package static func node(_ left: Digest, _ right: Digest) -> Digest { SHA256.hash(0x01, left, right) }

  /// The root of a perfect subtree.
  /// - Parameter leaves: their hashes, 32 bytes each, a power of two of them; overwritten with what lies above.
  package static func root(consuming leaves: UnsafeMutableRawBufferPointer) -> Digest {
    var count = leaves.count / Digest.byteCount
    precondition(count.nonzeroBitCount == 1, "a perfect subtree has a power of two of leaves")
    while count > 1 {
      SHA256.hashPairs(0x01, of: UnsafeMutableRawBufferPointer(rebasing: leaves[..<(count * Digest.byteCount)]))
      count /= 2
    }
    return Digest(loading: UnsafeRawBufferPointer(leaves))
  }

  /// The height of the largest perfect subtree that begins with the leaf `index` (from 0) and has at most `count` leaves, which
  /// must be at least one: a run of leaves cut by this, again and again, is the fewest subtrees that a frontier can take.
  package static func height(at index: UInt64, count: Int) -> Int {
    precondition(count > 0)
    return min(index.trailingZeroBitCount, Int.bitWidth - 1 - count.leadingZeroBitCount)
  }
}

package struct MerkleFrontier: Hashable, Sendable {
  /// The longest encoding: 64 subtrees.
  package static let encodedBytesMax = 8 + 64 * Digest.byteCount

  /// The number of leaves.
  package private(set) var size: UInt64 = 0
  /// The roots of the perfect subtrees, largest first: one for each bit set in `size`.
  package private(set) var nodes: [Digest] = []

  /// The empty tree.
  package init() {}

  package mutating func append(_ leaf: Digest) { append(leaf, height: 0) }

  /// Appends the 2^`height` leaves whose perfect subtree has this root.
  /// - Parameter height: `MerkleTree.height(at: size, ...)` or less: the subtree must begin where one of its height can.
  package mutating func append(_ root: Digest, height: Int) {
    precondition(height <= size.trailingZeroBitCount, "a subtree of height \(height) cannot begin at leaf \(size)")
    var subtree = root
    var merging = size >> UInt64(height)
    while merging & 1 == 1 {
      subtree = MerkleTree.node(nodes.removeLast(), subtree)
      merging >>= 1
    }
    nodes.append(subtree)
    size += 1 << UInt64(height)
  }

  /// The root of the tree; costs one hash for each subtree but one.
  package var root: Digest {
    guard var root = nodes.last else { return MerkleTree.emptyRoot }
    for node in nodes.dropLast().reversed() { root = MerkleTree.node(node, root) }
    return root
  }

  /// The tree of the leaves from `first` on, which must be where one of the perfect subtrees begins, or the end; nil otherwise.
  package func part(from first: UInt64) -> MerkleFrontier? {
    var (start, index) = (UInt64(0), 0)
    while start < first, index < nodes.count {
      // The largest subtree that is left: the highest bit of what is left of the size.
      start += 1 << UInt64(UInt64.bitWidth - 1 - (size - start).leadingZeroBitCount)
      index += 1
    }
    guard start == first else { return nil }
    var part = MerkleFrontier()
    part.size = size - first
    part.nodes = Array(nodes[index...])
    return part
  }

  /// The root of the perfect subtree that `leaves` are; nil unless it is one of this tree's row.
  package func root(of leaves: Range<UInt64>) -> Digest? {
    guard let part = part(from: leaves.lowerBound), let node = part.nodes.first,
      leaves.count.nonzeroBitCount == 1, part.size >= UInt64(leaves.count), part.size / 2 < UInt64(leaves.count)
    else { return nil }
    return node
  }

  package var encoded: [UInt8] {
    var bytes = withUnsafeBytes(of: size.bigEndian) { Array($0) }
    bytes.reserveCapacity(8 + nodes.count * Digest.byteCount)
    for node in nodes { node.withBytes { bytes.append(contentsOf: $0) } }
    return bytes
  }

  /// The encoding of a tree of which the size alone is known: zeros stand for its hashes.
  package static func encodedSize(_ size: UInt64) -> [UInt8] {
    withUnsafeBytes(of: size.bigEndian) { Array($0) }
      + [UInt8](repeating: 0, count: size.nonzeroBitCount * Digest.byteCount)
  }

  /// Nil unless `bytes` are exactly an encoding.
  package init?(encoded bytes: some Collection<UInt8>) {
    let bytes = Array(bytes)
    guard bytes.count >= 8 else { return nil }
    let size = bytes.withUnsafeBytes { UInt64(bigEndian: $0.loadUnaligned(as: UInt64.self)) }
    guard bytes.count == 8 + size.nonzeroBitCount * Digest.byteCount else { return nil }
    var nodes: [Digest] = []
    for offset in stride(from: 8, to: bytes.count, by: Digest.byteCount) {
      guard let node = Digest(bytes: bytes[offset..<offset + Digest.byteCount]) else { return nil }
      nodes.append(node)
    }
    self.size = size
    self.nodes = nodes
  }
}
