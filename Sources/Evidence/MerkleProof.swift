// Proofs over RFC 6962 trees: that a leaf is in a tree (inclusion), and that a tree is the beginning of a later one (consistency).
//
// A proof is a list of roots of subtrees. Which subtrees is a question of numbers alone (RFC 6962 sections 2.1.1 and 2.1.2), so
// it is answered first, as ranges of leaves; the roots follow when the leaves have passed once, in order. Of a tree of any size
// only one frontier is held.
//
//   size 7, leaf 5:   [4, 5)  [6, 7)  [0, 4)          the sibling first, the root's child last
//
//           root
//         /      \
//     [0, 4)    [4, 7)
//               /    \
//           [4, 6)  [6, 7)
//            /  \
//       [4, 5)  leaf 5
//
// Verification is RFC 9162's (sections 2.1.3.2 and 2.1.4.2): it climbs from the leaf, or from the older tree's last subtree,
// by the bits of two indexes. Nothing that comes from outside can trap here.

package import OpenSSL

package enum MerkleProof {
  /// A path in a tree of 2^64 leaves has as many hashes; a consistency proof has one more.
  package static let hashesMax = 65

  /// The subtrees whose roots prove that leaf `index` is in a tree of `size` leaves: PATH of RFC 6962 section 2.1.1.
  /// - Parameter index: from 0, below `size`.
  package static func inclusionRanges(of index: UInt64, in size: UInt64) -> [Range<UInt64>] {
    precondition(index < size, "leaf \(index) is not in a tree of \(size)")
    var ranges: [Range<UInt64>] = []
    var tree = 0..<size
    while tree.upperBound - tree.lowerBound > 1 {
      let (left, right) = children(tree)
      ranges.append(left.contains(index) ? right : left)
      tree = left.contains(index) ? left : right
    }
    return ranges.reversed()
  }

  /// The subtrees whose roots prove that the tree of `old` leaves is the beginning of that of `size`: PROOF of RFC 6962 section
  /// 2.1.2. None when the trees are equal.
  /// - Parameter old: from 1 to `size`. Every tree begins with the empty one, so that there is nothing to prove for 0.
  package static func consistencyRanges(from old: UInt64, to size: UInt64) -> [Range<UInt64>] {
    precondition(old > 0 && old <= size, "a tree of \(size) does not begin with \(old) leaves")
    var ranges: [Range<UInt64>] = []
    var tree = 0..<size
    while tree.upperBound != old {
      let (left, right) = children(tree)
      // SUBPROOF: either all that is old lies at the left, or the left is complete and part of both trees.
      ranges.append(old <= left.upperBound ? right : left)
      tree = old <= left.upperBound ? left : right
    }
    // The whole older tree is the one root that the verifier has already.
    if tree.lowerBound > 0 { ranges.append(tree) }
    return ranges.reversed()
  }

  /// A tree's two subtrees: the left has the largest power of two of leaves that is less than all.
  private static func children(_ tree: Range<UInt64>) -> (Range<UInt64>, Range<UInt64>) {
    let leaves = tree.upperBound - tree.lowerBound
    let split = tree.lowerBound + 1 << UInt64(UInt64.bitWidth - 1 - (leaves - 1).leadingZeroBitCount)
    return (tree.lowerBound..<split, split..<tree.upperBound)
  }

  /// Whether `path` leads from a leaf to the root of the tree: RFC 9162 section 2.1.3.2.
  package static func verifyInclusion(
    of leaf: Digest, at index: UInt64, in size: UInt64, root: Digest, path: [Digest]
  ) -> Bool {
    guard index < size else { return false }
    var climb = Climb(index: index, last: size - 1)
    var node = leaf
    for sibling in path {
      guard climb.last > 0 else { return false }
      node = climb.isRight ? MerkleTree.node(sibling, node) : MerkleTree.node(node, sibling)
      climb.rise()
    }
    return climb.last == 0 && node == root
  }

  /// Whether `proof` leads from the last subtree of the older tree to both roots: RFC 9162 section 2.1.4.2.
  package static func verifyConsistency(
    from old: UInt64, root oldRoot: Digest, to size: UInt64, root: Digest, proof: [Digest]
  ) -> Bool {
    guard old > 0, old < size else { return old == size && oldRoot == root && proof.isEmpty }
    var hashes = proof[...]
    // Where the older tree is perfect, its root is the first hash.
    guard let first = old.nonzeroBitCount == 1 ? oldRoot : hashes.popFirst() else { return false }
    var climb = Climb(index: old - 1, last: size - 1)
    climb.skipWhileRight()
    var (oldNode, node) = (first, first)
    for sibling in hashes {
      guard climb.last > 0 else { return false }
      if climb.isRight {
        (oldNode, node) = (MerkleTree.node(sibling, oldNode), MerkleTree.node(sibling, node))
      } else {
        node = MerkleTree.node(node, sibling)
      }
      climb.rise()
    }
    return climb.last == 0 && oldNode == oldRoot && node == root
  }

  /// A node and the last node of its level: fn and sn of RFC 9162.
  private struct Climb {
    var index: UInt64
    var last: UInt64

    /// Whether the sibling stands at the left. The last node of a level that has no sibling rises until it is one.
    var isRight: Bool { index & 1 == 1 || index == last }

    /// To the parent; from a node without a sibling, to the level where it gets one.
    mutating func rise() {
      if index == last { while index & 1 == 0, index > 0 { shift() } }
      shift()
    }

    mutating func skipWhileRight() { while index & 1 == 1 { shift() } }

    private mutating func shift() {
      index >>= 1
      last >>= 1
    }
  }
}

/// Makes a proof while the leaves pass.
package struct MerkleProver: Sendable {
  /// In the order of the leaves, each with its place in the proof.
  private let parts: [(range: Range<UInt64>, place: Int)]
  private var roots: [Digest]
  private var part = 0
  private var subtree = MerkleFrontier()
  private var next: UInt64 = 0

  /// - Parameters:
  ///   - ranges: of `MerkleProof`. They do not overlap.
  ///   - base: the tree of the first leaves, which will not pass: their records are not there any more.
  package init(_ ranges: [Range<UInt64>], base: MerkleFrontier = MerkleFrontier()) {
    parts = ranges.enumerated().map { ($1, $0) }.sorted { $0.range.lowerBound < $1.range.lowerBound }
    roots = Array(repeating: .zero, count: ranges.count)
    next = base.size
    // What a proof for a leaf behind the base needs of it are subtrees of its row, and at most one that goes on behind it.
    while part < parts.count, parts[part].range.upperBound <= base.size {
      guard let root = base.root(of: parts[part].range) else { return }
      roots[parts[part].place] = root
      part += 1
    }
    guard part < parts.count, parts[part].range.contains(base.size) else { return }
    subtree = base.part(from: parts[part].range.lowerBound) ?? MerkleFrontier()
  }

  /// Takes the next leaf, from the first behind the base on.
  package mutating func append(_ leaf: Digest) {
    defer { next += 1 }
    guard part < parts.count, parts[part].range.contains(next),
      subtree.size == next - parts[part].range.lowerBound
    else { return }
    // A subtree of RFC 6962's recursion has the root of a tree of its own leaves.
    subtree.append(leaf)
    guard next + 1 == parts[part].range.upperBound else { return }
    roots[parts[part].place] = subtree.root
    subtree = MerkleFrontier()
    part += 1
  }

  /// The proof; nil until every leaf that it needs has passed.
  package var proof: [Digest]? { part == parts.count ? roots : nil }
}
