internal import Evidence
internal import OpenSSL
internal import Testing

@Suite struct `A Merkle frontier` {
  @Test func `has the roots of the reference tree`() {
    var frontier = MerkleFrontier()
    #expect(frontier.root.hex == ReferenceTree.roots[0])
    for (index, leaf) in ReferenceTree.leaves.enumerated() {
      frontier.append(leaf)
      #expect(frontier.root.hex == ReferenceTree.roots[index + 1])
    }
  }

  @Test func `agrees with the recursive definition at every size, and survives its encoding`() throws {
    var frontier = MerkleFrontier()
    var leaves: [Digest] = []
    for size in 0...130 {
      #expect(frontier.root == ReferenceTree.hash(leaves[...]))
      #expect(frontier.nodes.count == size.nonzeroBitCount)
      let decoded = try #require(MerkleFrontier(encoded: frontier.encoded))
      #expect(decoded == frontier)
      let leaf = SHA256.hash([UInt8(truncatingIfNeeded: size), 7])
      leaves.append(leaf)
      frontier = decoded
      frontier.append(leaf)
    }
  }

  @Test(arguments: 0..<20)
  func `takes whole subtrees wherever it ends`(before: Int) {
    let leaves = (0..<120).map { SHA256.hash([UInt8($0), 9]) }
    var frontier = MerkleFrontier()
    for leaf in leaves[..<before] { frontier.append(leaf) }
    var index = before
    while index < leaves.count {
      let height = MerkleTree.height(at: UInt64(index), count: leaves.count - index)
      var subtree = leaves[index..<index + 1 << height].flatMap(\.bytes)
      frontier.append(subtree.withUnsafeMutableBytes { MerkleTree.root(consuming: $0) }, height: height)
      index += 1 << height
    }
    #expect(index == leaves.count)
    #expect(frontier.size == 120)
    #expect(frontier.root == ReferenceTree.hash(leaves[...]))
  }

  @Test func `is not read from bytes that are cut short or too long`() {
    var frontier = MerkleFrontier()
    for byte in UInt8(0)..<7 { frontier.append(SHA256.hash([byte])) }
    let encoded = frontier.encoded
    for count in 0..<encoded.count { #expect(MerkleFrontier(encoded: encoded.prefix(count)) == nil) }
    #expect(MerkleFrontier(encoded: encoded + [0]) == nil)
  }
}
