internal import Evidence
internal import OpenSSL
internal import Testing

/// A small journal's tree: records, and a checkpoint at any size.
private struct Ground {
  let journal: SignerKey
  let hub: SignerKey
  let origin = JournalOrigin(journal: String(repeating: "0b", count: 16), epoch: 2)
  let records = (1...11).map { sequence in
    Record(position: RecordPosition(epoch: 2, sequence: sequence), time: Int64(sequence), payload: [UInt8(sequence)])
  }

  init() throws {
    let name = try JournalOrigin.keyName(journal: origin.journal)
    journal = SignerKey(name: name, privateKey: try Ed25519PrivateKey(rawRepresentation: Array(0..<32)))
    hub = SignerKey(
      name: try NoteKeyName("hub.example"), privateKey: try Ed25519PrivateKey(rawRepresentation: Array(32..<64)))
  }

  var trusted: TrustedKeys {
    get throws { try #require(TrustedKeys([hub.verifier, journal.verifier])) }
  }

  func checkpoint(_ size: Int, countersigned: Bool = true) throws -> ProvedCheckpoint {
    var frontier = MerkleFrontier()
    for record in records[..<size] { frontier.append(record.leafHash) }
    var note = try Checkpoint(origin: origin, size: UInt64(size), root: frontier.root, sealed: 1)
      .signed(by: journal.named(try origin.keyName()))
    if countersigned { try note.sign(by: hub) }
    return try ProvedCheckpoint(note: note)
  }

  func hashes(_ ranges: [Range<UInt64>]) throws -> [Digest] {
    var prover = MerkleProver(ranges)
    for record in records { prover.append(record.leafHash) }
    return try #require(prover.proof)
  }

  func inclusion(_ index: Int, _ size: Int) throws -> InclusionProof {
    InclusionProof(
      record: records[index], path: try hashes(MerkleProof.inclusionRanges(of: UInt64(index), in: UInt64(size))),
      checkpoint: try checkpoint(size))
  }

  func consistency(_ old: Int, _ size: Int) throws -> ConsistencyProof {
    ConsistencyProof(
      hashes: try hashes(MerkleProof.consistencyRanges(from: UInt64(old), to: UInt64(size))),
      older: try checkpoint(old), newer: try checkpoint(size))
  }
}

@Suite struct `A proof` {
  private let ground: Ground
  init() throws { ground = try Ground() }

  private func fault(_ body: () throws -> Void) -> EvidenceFault? {
    do { try body() } catch { return (error as? EvidenceFinding)?.fault }
    return nil
  }

  @Test func `of every record in every tree survives its text and is sound`() throws {
    for size in 1...11 {
      for index in 0..<size {
        let proof = try ground.inclusion(index, size)
        #expect(try EvidenceProof(bytes: proof.bytes) == .inclusion(proof))
        try proof.check(ground.trusted)
      }
      for old in 1...size {
        let proof = try ground.consistency(old, size)
        #expect(try EvidenceProof(bytes: proof.bytes) == .consistency(proof))
        try proof.check(ground.trusted)
      }
    }
  }

  @Test func `has the text of its specification`() throws {
    let text = String(decoding: try ground.inclusion(1, 3).bytes, as: UTF8.self)
    #expect(text.hasPrefix("c2sp.org/tlog-proof@v1\nextra AQAAAAIAAAAAAAAAAgAAAAAAAAACAAAAAQI=\nindex 1\n"))
    #expect(text.contains("\n\nprinttrail.journal/\(ground.origin.journal)/2\n3\n"))
  }

  @Test func `cut short anywhere is not read, and changed anywhere not believed`() throws {
    for bytes in [try ground.inclusion(4, 11).bytes, try ground.consistency(3, 11).bytes] {
      for count in bytes.indices {
        #expect(fault { try check(Array(bytes[..<count])) } != nil, "first \(count) bytes")
        var changed = bytes
        changed[count] ^= 0x01
        #expect(fault { try check(changed) } != nil, "byte \(count)")
      }
    }
  }

  private func check(_ bytes: [UInt8]) throws {
    switch try EvidenceProof(bytes: bytes) {
    case .inclusion(let proof): try proof.check(ground.trusted)
    case .consistency(let proof): try proof.check(ground.trusted)
    }
  }

  @Test func `says which of its faults it has`() throws {
    let proof = try ground.inclusion(4, 11)
    let other = JournalOrigin(journal: String(repeating: "0c", count: 16), epoch: 2)
    let stranger = try Ed25519PrivateKey()
    let trusted = try ground.trusted
    let cases: [(EvidenceFault, TrustedKeys)] = [
      (.anotherJournal, TrustedKeys(journal: other.journal, publicKey: trusted.publicKey)),
      (.unknownKey, TrustedKeys(journal: trusted.journal, publicKey: stranger.publicKey)),
      (
        .unknownKey,
        TrustedKeys(
          journal: trusted.journal, publicKey: trusted.publicKey,
          countersigners: [VerifierKey(name: try NoteKeyName("hub.example"), publicKey: stranger.publicKey)])
      ),
    ]
    for (expected, keys) in cases { #expect(fault { try proof.check(keys) } == expected) }
    let text = String(decoding: proof.bytes, as: UTF8.self)
    #expect(fault { try check(Array(text.replacing("sealed 1", with: "sealed 2").utf8)) } == .badSignature)
    #expect(fault { try check(Array(text.replacing("index 4", with: "index 5").utf8)) } == .wrongPath)
    #expect(fault { try check(Array(text.replacing("index 4", with: "index 04").utf8)) } == .malformed)
    let uncountersigned = InclusionProof(
      record: proof.record, path: proof.path, checkpoint: try ground.checkpoint(11, countersigned: false))
    #expect(fault { try uncountersigned.check(trusted) } == .unknownKey)
  }

  @Test func `is checked with one journal's key, under any of its names`() throws {
    let names = ["printtrail.journal/\(ground.origin.journal)", ground.origin.description]
    for name in names {
      let key = VerifierKey(name: try NoteKeyName(name), publicKey: ground.journal.verifier.publicKey)
      try ground.inclusion(0, 5).check(try #require(TrustedKeys([key])))
    }
    #expect(TrustedKeys([]) == nil)
    #expect(TrustedKeys([ground.hub.verifier]) == nil)
    #expect(TrustedKeys([ground.journal.verifier, ground.journal.verifier]) == nil)
  }
}

@Suite struct `A run of leaves` {
  @Test func `stands in for its leaves wherever it lies`() {
    let leaves = (0..<70).map { SHA256.hash([UInt8($0), 5]) }
    let root = ReferenceTree.hash(leaves[...])
    for begin in 0..<leaves.count {
      for end in begin...leaves.count {
        var run = MerkleRun(first: UInt64(begin))
        for leaf in leaves[begin..<end] { run.append(leaf) }
        let heights = MerkleRun.heights(of: UInt64(begin)..<UInt64(end))
        #expect(heights.count == run.roots.count)
        var frontier = MerkleFrontier()
        for leaf in leaves[..<begin] { frontier.append(leaf) }
        for (subtree, height) in zip(run.roots, heights) { frontier.append(subtree, height: height) }
        for leaf in leaves[end...] { frontier.append(leaf) }
        #expect(frontier.root == root)
      }
    }
  }

  @Test func `of a million records is some twenty hashes`() {
    #expect(MerkleRun.heights(of: 0..<1_000_000).count == 7)
    #expect(MerkleRun.heights(of: 3..<1_000_003).count <= 40)
  }
}
