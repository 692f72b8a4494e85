internal import Evidence
internal import OpenSSL
internal import Testing

/// Many leaves that differ.
private let manyLeaves = (0..<130).map { SHA256.hash([UInt8($0), 3]) }

private func inclusion(_ index: Int, _ leaves: ArraySlice<Digest>) -> [Digest]? {
  proof(MerkleProof.inclusionRanges(of: UInt64(index), in: UInt64(leaves.count)), leaves)
}

private func consistency(_ old: Int, _ leaves: ArraySlice<Digest>) -> [Digest]? {
  proof(MerkleProof.consistencyRanges(from: UInt64(old), to: UInt64(leaves.count)), leaves)
}

private func proof(_ ranges: [Range<UInt64>], _ leaves: ArraySlice<Digest>) -> [Digest]? {
  var prover = MerkleProver(ranges)
  for leaf in leaves { prover.append(leaf) }
  return prover.proof
}

@Suite struct `An inclusion proof` {
  /// The paths of certificate-transparency's test suite (merkle_tree_test, "SHA256 paths"), which Trillian and others carry on.
  @Test(arguments: [
    (0, 1, [] as [String]),
    (
      0, 8,
      [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ]
    ),
    (
      5, 8,
      [
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      ]
    ),
    (2, 3, ["fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125"]),
    (
      1, 5,
      [
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      ]
    ),
  ])
  func `is the one of the reference tree`(index: Int, size: Int, path: [String]) throws {
    #expect(inclusion(index, ReferenceTree.leaves[..<size])?.map(\.hex) == path)
    let root = try #require(Digest(hex: ReferenceTree.roots[size]))
    #expect(
      MerkleProof.verifyInclusion(
        of: ReferenceTree.leaves[index], at: UInt64(index), in: UInt64(size), root: root,
        path: path.compactMap { Digest(hex: $0) }))
  }

  @Test(arguments: 1...130)
  func `of every leaf is RFC 6962's and verifies`(size: Int) throws {
    let leaves = manyLeaves[..<size]
    let root = ReferenceTree.hash(leaves)
    for index in 0..<size {
      let path = try #require(inclusion(index, leaves))
      #expect(path == ReferenceTree.path(index, leaves))
      #expect(
        MerkleProof.verifyInclusion(of: leaves[index], at: UInt64(index), in: UInt64(size), root: root, path: path))
    }
  }

  @Test(arguments: 1...40)
  func `proves no other leaf, index, size, root or path`(size: Int) throws {
    let leaves = manyLeaves[..<size]
    let root = ReferenceTree.hash(leaves)
    for index in 0..<size {
      let path = try #require(inclusion(index, leaves))
      func verifies(
        _ leaf: Digest? = nil, at other: Int? = nil, root otherRoot: Digest? = nil, path otherPath: [Digest]? = nil
      ) -> Bool {
        MerkleProof.verifyInclusion(
          of: leaf ?? leaves[index], at: UInt64(other ?? index), in: UInt64(size), root: otherRoot ?? root,
          path: otherPath ?? path)
      }
      #expect(!verifies(.zero))
      #expect(!verifies(root: .zero))
      #expect(!verifies(path: path + [.zero]))
      #expect(!verifies(path: [.zero] + path))
      for other in 0...size + 1 where other != index { #expect(!verifies(at: other)) }
      for place in path.indices {
        #expect(!verifies(path: Array(path[..<place]) + path[(place + 1)...]))
        #expect(!verifies(path: path[..<place] + [.zero] + path[(place + 1)...]))
      }
    }
  }

  @Test func `in large trees needs one frontier and as many hashes as the tree is high`() throws {
    var random = Seeded(seed: 6962)
    for _ in 0..<20 {
      let size = UInt64.random(in: 1_000...20_000, using: &random)
      let index = UInt64.random(in: 0..<size, using: &random)
      var prover = MerkleProver(MerkleProof.inclusionRanges(of: index, in: size))
      var frontier = MerkleFrontier()
      for leaf in 0..<size {
        #expect(prover.proof == nil || leaf == size - 1 || size == 1)
        prover.append(leafHash(leaf))
        frontier.append(leafHash(leaf))
      }
      let path = try #require(prover.proof)
      #expect(path.count <= 15)
      #expect(
        MerkleProof.verifyInclusion(of: leafHash(index), at: index, in: size, root: frontier.root, path: path))
    }
  }

  @Test func `of numbers at the end of all numbers neither traps nor verifies`() {
    for (index, size) in [(UInt64.max, UInt64.max), (.max - 1, .max), (0, .max), (0, 0), (1, 0), (.max, 0)] {
      for count in [0, 1, 63, 64, 65, 1000] {
        let path = Array(repeating: Digest.zero, count: count)
        #expect(!MerkleProof.verifyInclusion(of: .zero, at: index, in: size, root: .zero, path: path))
      }
    }
    #expect(MerkleProof.inclusionRanges(of: 0, in: .max).count == 64)
  }
}

@Suite struct `A consistency proof` {
  /// The proofs of certificate-transparency's test suite (merkle_tree_test, "SHA256 proofs").
  @Test(arguments: [
    (1, 1, [] as [String]),
    (
      1, 8,
      [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
      ]
    ),
    (
      6, 8,
      [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
      ]
    ),
    (
      2, 5,
      [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
      ]
    ),
  ])
  func `is the one of the reference tree`(old: Int, size: Int, hashes: [String]) throws {
    #expect(consistency(old, ReferenceTree.leaves[..<size])?.map(\.hex) == hashes)
    #expect(
      MerkleProof.verifyConsistency(
        from: UInt64(old), root: try #require(Digest(hex: ReferenceTree.roots[old])), to: UInt64(size),
        root: try #require(Digest(hex: ReferenceTree.roots[size])), proof: hashes.compactMap { Digest(hex: $0) }))
  }

  @Test(arguments: 1...130)
  func `of every pair is RFC 6962's and verifies`(size: Int) throws {
    let leaves = manyLeaves[..<size]
    let root = ReferenceTree.hash(leaves)
    for old in 1...size {
      let proof = try #require(consistency(old, leaves))
      #expect(proof == ReferenceTree.proof(old, leaves))
      #expect(
        MerkleProof.verifyConsistency(
          from: UInt64(old), root: ReferenceTree.hash(leaves[..<old]), to: UInt64(size), root: root, proof: proof))
    }
  }

  @Test(arguments: 1...40)
  func `proves no other sizes, roots or hashes`(size: Int) throws {
    let leaves = manyLeaves[..<size]
    let root = ReferenceTree.hash(leaves)
    for old in 1...size {
      let hashes = try #require(consistency(old, leaves))
      let oldRoot = ReferenceTree.hash(leaves[..<old])
      func verifies(
        from other: Int? = nil, root otherOldRoot: Digest? = nil, to otherRoot: Digest? = nil, _ others: [Digest]? = nil
      ) -> Bool {
        MerkleProof.verifyConsistency(
          from: UInt64(other ?? old), root: otherOldRoot ?? oldRoot, to: UInt64(size), root: otherRoot ?? root,
          proof: others ?? hashes)
      }
      #expect(!verifies(root: .zero))
      #expect(!verifies(to: .zero))
      #expect(!verifies(hashes + [.zero]))
      #expect(!verifies([.zero] + hashes))
      for other in 0...size + 1 where other != old { #expect(!verifies(from: other)) }
      for place in hashes.indices {
        #expect(!verifies(Array(hashes[..<place]) + hashes[(place + 1)...]))
        #expect(!verifies(hashes[..<place] + [.zero] + hashes[(place + 1)...]))
      }
    }
  }

  @Test func `of numbers at the end of all numbers neither traps nor verifies`() {
    for (old, size) in [(UInt64.max - 1, UInt64.max), (1, .max), (1 << 63, .max), (0, 0), (0, 7), (.max, 1)] {
      for count in [1, 63, 64, 65, 66, 1000] {
        let hashes = Array(repeating: Digest.zero, count: count)
        #expect(!MerkleProof.verifyConsistency(from: old, root: .zero, to: size, root: .zero, proof: hashes))
      }
    }
    #expect(MerkleProof.consistencyRanges(from: .max - 1, to: .max).count <= MerkleProof.hashesMax)
  }
}

private func leafHash(_ index: UInt64) -> Digest { SHA256.hash(withUnsafeBytes(of: index) { Array($0) }) }

/// SplitMix64: the same numbers for the same seed.
struct Seeded: RandomNumberGenerator {
  private var state: UInt64
  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var value = (state ^ state >> 30) &* 0xBF58_476D_1CE4_E5B9
    value = (value ^ value >> 27) &* 0x94D0_49BB_1331_11EB
    return value ^ value >> 31
  }
}
