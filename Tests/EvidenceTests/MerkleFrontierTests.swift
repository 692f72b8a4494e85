internal import Evidence
internal import OpenSSL
internal import Testing

@Suite struct `A Merkle frontier` {
  /// The leaves and roots that Certificate Transparency implementations are tested with (RFC 6962's reference tree).
  private static let leaves: [[UInt8]] = [
    [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
    [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57], Array(0x60...0x6F),
  ]
  private static let roots = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ]

  @Test func `has the roots of the reference tree`() {
    var frontier = MerkleFrontier()
    #expect(frontier.root.hex == Self.roots[0])
    for (index, leaf) in Self.leaves.enumerated() {
      frontier.append(SHA256.hash([0x00] + leaf))
      #expect(frontier.root.hex == Self.roots[index + 1])
    }
  }

  /// RFC 6962 section 2.1, as it is written.
  private func merkleTreeHash(_ leaves: ArraySlice<Digest>) -> Digest {
    if leaves.isEmpty { return SHA256.hash([UInt8]()) }
    if leaves.count == 1 { return leaves[leaves.startIndex] }
    var split = 1
    while split * 2 < leaves.count { split *= 2 }
    let middle = leaves.startIndex + split
    return SHA256.hash(
      [0x01] + merkleTreeHash(leaves[..<middle]).bytes + merkleTreeHash(leaves[middle...]).bytes)
  }

  @Test func `agrees with the recursive definition at every size, and survives its encoding`() throws {
    var frontier = MerkleFrontier()
    var leaves: [Digest] = []
    for size in 0...130 {
      #expect(frontier.root == merkleTreeHash(leaves[...]))
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
      var subtree = Array(leaves[index..<index + 1 << height])
      frontier.append(subtree.withUnsafeMutableBufferPointer { MerkleTree.root(consuming: $0) }, height: height)
      index += 1 << height
    }
    #expect(index == leaves.count)
    #expect(frontier.size == 120)
    #expect(frontier.root == merkleTreeHash(leaves[...]))
  }

  @Test func `is not read from bytes that are cut short or too long`() {
    var frontier = MerkleFrontier()
    for byte in UInt8(0)..<7 { frontier.append(SHA256.hash([byte])) }
    let encoded = frontier.encoded
    for count in 0..<encoded.count { #expect(MerkleFrontier(encoded: encoded.prefix(count)) == nil) }
    #expect(MerkleFrontier(encoded: encoded + [0]) == nil)
  }
}
