// A run of leaves in as few hashes as a tree around it needs: the roots of the perfect subtrees that it is made of.
//
// Where an export leaves records out, these stand in their place: `MerkleFrontier` takes them as they are, and the tree's root
// is the same. Which subtrees they are follows from where the run lies, so only the roots are written.
//
//   leaves 3 to 10:   [3]  [4 5 6 7]  [8 9]  [10]

package import OpenSSL

package struct MerkleRun: Sendable {
  /// Left to right.
  package private(set) var roots: [Digest] = []
  private var heights: [Int] = []
  private var next: UInt64

  /// - Parameter first: the index of the run's first leaf in the tree, from 0.
  package init(first: UInt64) { next = first }

  /// The run of all leaves of a tree.
  package init(_ tree: MerkleFrontier) {
    next = tree.size
    roots = tree.nodes
    heights = Self.heights(of: 0..<tree.size)
  }

  package mutating func append(_ leaf: Digest) {
    var (root, height) = (leaf, 0)
    // A subtree of the same height that ends here is this one's left sibling, if this one begins at an odd multiple of its size.
    while heights.last == height, next >> UInt64(height) & 1 == 1 {
      root = MerkleTree.node(roots.removeLast(), root)
      height = heights.removeLast() + 1
    }
    roots.append(root)
    heights.append(height)
    next += 1
  }

  /// The heights of the subtrees of `run`, left to right.
  package static func heights(of run: Range<UInt64>) -> [Int] {
    var heights: [Int] = []
    var next = run.lowerBound
    while next < run.upperBound {
      let height = MerkleTree.height(at: next, count: Int(clamping: run.upperBound - next))
      heights.append(height)
      next += 1 << UInt64(height)
    }
    return heights
  }
}
