// The proof that a journal only grew between two checkpoints, checked with public keys alone (docs/formats/proof.md):
//
//   printtrail.journal/consistency-proof@v1
//   <hash, base64>                       as RFC 6962 section 2.1.2 orders them; none when the sizes are equal
//
//   <the older checkpoint, a signed note>
//
//   <the newer checkpoint, a signed note>

package import OpenSSL

package struct ConsistencyProof: Hashable, Sendable {
  static let title = "printtrail.journal/consistency-proof@v1"

  package let hashes: [Digest]
  package let older: ProvedCheckpoint
  package let newer: ProvedCheckpoint

  package init(hashes: [Digest], older: ProvedCheckpoint, newer: ProvedCheckpoint) {
    self.hashes = hashes
    self.older = older
    self.newer = newer
  }

  package var bytes: [UInt8] {
    let lines = [Self.title] + hashes.map { base64($0.bytes) } + [""]
    return Array(lines.map { $0 + "\n" }.joined().utf8) + older.note.bytes + [UInt8(ascii: "\n")] + newer.note.bytes
  }

  /// Reads a proof. Nothing is believed yet: see `check`.
  package init(bytes: some Collection<UInt8>) throws(EvidenceFinding) {
    let blocks = try ProofText.blocks(bytes)
    guard blocks.count == 5, blocks[0].first == Substring(Self.title) else {
      throw ProofText.malformed("it is not '\(Self.title)', hashes and two checkpoints")
    }
    hashes = try ProofText.hashes(blocks[0].dropFirst())
    older = try ProofText.checkpoint(blocks[1], blocks[2])
    newer = try ProofText.checkpoint(blocks[3], blocks[4])
  }

  /// Checks that the older tree of the trusted journal is the beginning of the newer.
  package func check(_ trusted: TrustedKeys) throws(EvidenceFinding) {
    let (old, new) = (older.checkpoint, newer.checkpoint)
    let epochs = try epochs(trusted)
    guard epochs.older == epochs.newer else {
      throw EvidenceFinding(
        .wrongPath, "The checkpoints are of the epochs \(epochs.older) and \(epochs.newer), which are two trees.")
    }
    guard
      MerkleProof.verifyConsistency(from: old.size, root: old.root, to: new.size, root: new.root, proof: hashes)
    else {
      throw EvidenceFinding(
        .wrongPath,
        "The tree of size \(new.size) in epoch \(epochs.newer) does not begin with that of size \(old.size).")
    }
  }

  /// Checks both notes. Of two findings the one that says more is thrown, whichever note it is about.
  private func epochs(_ trusted: TrustedKeys) throws(EvidenceFinding) -> (older: UInt32, newer: UInt32) {
    let olderEpoch: UInt32
    do throws(EvidenceFinding) { olderEpoch = try older.check(trusted) } catch let first {
      do throws(EvidenceFinding) { _ = try newer.check(trusted) } catch {
        throw error.fault < first.fault ? error : first
      }
      throw first
    }
    return (olderEpoch, try newer.check(trusted))
  }
}
