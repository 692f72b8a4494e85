// The right edge of an RFC 6962 Merkle tree: all that is needed to append leaves and to know the root.
//
// A tree of `size` leaves is a row of perfect subtrees, one for each bit set in `size`, largest first. The frontier keeps
// their roots. Appending a leaf is adding 1 in binary: equal subtrees at the right merge, `node(left, right)`.
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
  package static func node(_ left: Digest, _ right: Digest) -> Digest {
    withUnsafeTemporaryAllocation(byteCount: 1 + 2 * Digest.byteCount, alignment: 8) { buffer in
      buffer[0] = 0x01
      left.withBytes { buffer[1...].copyBytes(from: $0) }
      right.withBytes { buffer[(1 + Digest.byteCount)...].copyBytes(from: $0) }
      return SHA256.hash(UnsafeRawBufferPointer(buffer))
    }
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

  package mutating func append(_ leaf: Digest) {
    var subtree = leaf
    var merging = size
    while merging & 1 == 1 {
      subtree = MerkleTree.node(nodes.removeLast(), subtree)
      merging >>= 1
    }
    nodes.append(subtree)
    size += 1
  }

  /// The root of the tree; costs one hash for each subtree but one.
  package var root: Digest {
    guard var root = nodes.last else { return MerkleTree.emptyRoot }
    for node in nodes.dropLast().reversed() { root = MerkleTree.node(node, root) }
    return root
  }

  package var encoded: [UInt8] {
    var bytes = withUnsafeBytes(of: size.bigEndian) { Array($0) }
    bytes.reserveCapacity(8 + nodes.count * Digest.byteCount)
    for node in nodes { node.withBytes { bytes.append(contentsOf: $0) } }
    return bytes
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
