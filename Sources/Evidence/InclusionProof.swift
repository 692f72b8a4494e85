// The proof that a record is in a journal, checked with public keys alone (docs/formats/proof.md). It is a C2SP tlog-proof
// (https://c2sp.org/tlog-proof) that carries the record:
//
//   c2sp.org/tlog-proof@v1
//   extra <canonical bytes of the record, base64>
//   index <sequence - 1>
//   <hash, base64>                       from the leaf's sibling up; none in a tree of one record
//
//   <checkpoint, a signed note>

package import OpenSSL

package struct InclusionProof: Hashable, Sendable {
  static let title = "c2sp.org/tlog-proof@v1"

  package let record: Record
  /// The leaf's index, from 0.
  package let index: UInt64
  package let path: [Digest]
  package let checkpoint: ProvedCheckpoint

  package init(record: Record, path: [Digest], checkpoint: ProvedCheckpoint) {
    self.record = record
    index = record.position.sequence &- 1
    self.path = path
    self.checkpoint = checkpoint
  }

  package var bytes: [UInt8] {
    let lines =
      [Self.title, "extra " + base64(record.canonicalBytes), "index \(index)"] + path.map { base64($0.bytes) } + [""]
    return Array(lines.map { $0 + "\n" }.joined().utf8) + checkpoint.note.bytes
  }

  /// Reads a proof. Nothing is believed yet: see `check`.
  package init(bytes: some Collection<UInt8>) throws(EvidenceFinding) {
    let blocks = try ProofText.blocks(bytes)
    guard blocks.count == 3, blocks[0].count >= 3, blocks[0].first == Substring(Self.title) else {
      throw ProofText.malformed("it is not '\(Self.title)', a record, an index, hashes and a checkpoint")
    }
    let (extra, number) = (blocks[0].dropFirst().first ?? "", blocks[0].dropFirst(2).first ?? "")
    guard extra.hasPrefix("extra "), let canonical = ProofText.decode(extra.dropFirst(6)),
      let record = Record(canonicalBytes: canonical)
    else { throw ProofText.malformed("its second line does not hold a record") }
    guard number.hasPrefix("index "), let index = UInt64(number.dropFirst(6)), number == "index \(index)" else {
      throw ProofText.malformed("its third line is no index")
    }
    self.record = record
    self.index = index
    path = try ProofText.hashes(blocks[0].dropFirst(3))
    checkpoint = try ProofText.checkpoint(blocks[1], blocks[2])
  }

  /// Checks that the record is in the tree that the trusted journal signed.
  package func check(_ trusted: TrustedKeys) throws(EvidenceFinding) {
    let epoch = try checkpoint.check(trusted)
    let size = checkpoint.checkpoint.size
    guard record.position.epoch == epoch, record.position.sequence > 0, record.position.sequence - 1 == index else {
      throw EvidenceFinding(
        .wrongPath, "The record says that it is \(record.position), the proof is for leaf \(index) of epoch \(epoch).")
    }
    guard index < size else {
      throw EvidenceFinding(.wrongPath, "The checkpoint \(epoch)/\(size) does not cover the record \(record.position).")
    }
    let (leaf, root) = (record.leafHash, checkpoint.checkpoint.root)
    guard MerkleProof.verifyInclusion(of: leaf, at: index, in: size, root: root, path: path) else {
      throw EvidenceFinding(
        .wrongPath,
        "The record \(record.position) is not in the tree of checkpoint \(epoch)/\(size), or not as it is here.")
    }
  }
}
