// Proofs from a journal (docs/formats/proof.md): one pass over the stored leaf hashes of one epoch, in short transactions and with
// one frontier in memory, however many records there are. Of records that retention removed the base's tree has all that the
// proof for a later record needs.
//
// Where damage left a gap no tree behind it can be built any more: what lies before is proved by the checkpoints before it.
//
// The stored hashes are not recomputed. A proof is checked before it is handed out, so that a damaged journal gives none.

package import Evidence
internal import OpenSSL

/// Why there is no proof.
package enum ProofRefusal: Error, Hashable, Sendable, CustomStringConvertible {
  /// `newest` is the size of the epoch's newest checkpoint.
  case notCovered(RecordPosition, newest: UInt64?)
  /// The checkpoint of this size, which was asked for, is over earlier records.
  case tooEarly(RecordPosition, size: UInt64)
  /// `near` are the sizes that there are, around it.
  case noCheckpoint(RecordPosition, near: [UInt64])
  case order(from: UInt64, to: UInt64)
  /// Damage took these from the epoch's tree. `end` is its last checkpoint before them, of size 0 where there is none.
  case lost(LostRecords, end: RecordPosition)
  case damaged(String)

  package var description: String {
    switch self {
    case .notCovered(let position, nil):
      "Record \(position) is not proved by anything yet: its epoch has no checkpoint. \(Self.remedy)"
    case .notCovered(let position, let newest?):
      "Record \(position) is not covered by the newest checkpoint, \(position.epoch)/\(newest). \(Self.remedy)"
    case .tooEarly(let position, let size):
      "Record \(position) is not covered by the checkpoint \(position.epoch)/\(size). Name a greater size, or none for the newest."
    case .noCheckpoint(let position, let near):
      "There is no checkpoint \(position). "
        + (near.isEmpty
          ? "Its epoch has none yet. \(Self.remedy)"
          : "Near it: \(near.map { "\(position.epoch)/\($0)" }.joined(separator: " and ")).")
    case .order(let from, let to): "A proof goes from the smaller to the greater checkpoint, not from \(from) to \(to)."
    case .lost(let lost, let end) where end.sequence == 0:
      "No record of epoch \(end.epoch) can be proved any more: damage took \(lost) from its tree. An export has the journal's seal as its proof."
    case .lost(let lost, let end):
      "Nothing behind the checkpoint \(end) can be proved any more: damage took \(lost) from the tree. An export has the journal's seal as its "
        + "proof."
    case .damaged(let reason): "The journal gives no proof that holds: \(reason) Run ptjournal verify on it."
    }
  }

  private static let remedy =
    "The agent signs one every \(JournalLimits.checkpointRecords) records, every 15 minutes and when it stops: try again then."
}

package struct JournalProver {
  private let reader: JournalReader

  package init(_ reader: JournalReader) { self.reader = reader }

  /// Proves that a record is in its epoch's tree.
  /// - Parameter size: of the checkpoint to prove it by; nil: the epoch's newest.
  /// - Throws: `ProofRefusal`, `NamingError`, `JournalError`.
  package func inclusion(of position: RecordPosition, size: UInt64? = nil) throws -> InclusionProof {
    let record = try reader.namedRecord(position)
    let checkpoint = try checkpoint(epoch: position.epoch, size: size)
    try expectTree(epoch: position.epoch, of: max(position.sequence, size ?? 0))
    guard let checkpoint, checkpoint.checkpoint.size >= position.sequence else {
      if let size { throw ProofRefusal.tooEarly(position, size: size) }
      throw ProofRefusal.notCovered(position, newest: checkpoint?.checkpoint.size)
    }
    let ranges = MerkleProof.inclusionRanges(of: position.sequence - 1, in: checkpoint.checkpoint.size)
    let path = try hashes(of: ranges, epoch: position.epoch)
    let proof = InclusionProof(record: record, path: path, checkpoint: checkpoint)
    try check { trusted throws(EvidenceFinding) in try proof.check(trusted) }
    return proof
  }

  /// Proves that an epoch's tree only grew between two checkpoints.
  /// - Parameter to: the size of the later one; nil: the epoch's newest.
  /// - Throws: `ProofRefusal`, `NamingError`, `JournalError`.
  package func consistency(epoch: UInt32, from: UInt64, to: UInt64? = nil) throws -> ConsistencyProof {
    try reader.expectEpoch(epoch)
    guard let older = try checkpoint(epoch: epoch, size: from), let newer = try checkpoint(epoch: epoch, size: to)
    else {
      throw ProofRefusal.noCheckpoint(RecordPosition(epoch: epoch, sequence: from), near: [])
    }
    try expectTree(epoch: epoch, of: max(from, newer.checkpoint.size))
    guard from > 0, from <= newer.checkpoint.size else {
      throw ProofRefusal.order(from: from, to: newer.checkpoint.size)
    }
    let ranges = MerkleProof.consistencyRanges(from: from, to: newer.checkpoint.size)
    let proof = ConsistencyProof(hashes: try hashes(of: ranges, epoch: epoch), older: older, newer: newer)
    try check { trusted throws(EvidenceFinding) in try proof.check(trusted) }
    return proof
  }

  /// The checkpoint of this size, or the newest whose tree can be built; nil when the newest is asked for and there is none.
  private func checkpoint(epoch: UInt32, size: UInt64?) throws -> ProvedCheckpoint? {
    guard let stored = try size.map({ try self.stored(epoch: epoch, size: $0) }) ?? reader.lastProvable(epoch: epoch)
    else { return nil }
    do throws(NoteError) { return try ProvedCheckpoint(note: try SignedNote(bytes: stored.note)) } catch {
      throw ProofRefusal.damaged("the checkpoint \(epoch)/\(stored.size) cannot be read: \(error)")
    }
  }

  /// - Throws: `ProofRefusal.lost` where damage keeps a tree of this size from being built, or signed by a checkpoint.
  private func expectTree(epoch: UInt32, of size: UInt64) throws {
    guard let lost = try reader.lost(epoch: epoch).first else { return }
    let end = try reader.lastProvable(epoch: epoch)?.size ?? 0
    guard size <= end else {
      throw ProofRefusal.lost(lost, end: RecordPosition(epoch: epoch, sequence: end))
    }
  }

  private func stored(epoch: UInt32, size: UInt64) throws -> StoredCheckpoint {
    let next = try reader.checkpoint(epoch: epoch, atLeast: size)
    if let next, next.size == size { return next }
    let before = try reader.checkpoint(epoch: epoch, before: size)
    throw ProofRefusal.noCheckpoint(
      RecordPosition(epoch: epoch, sequence: size), near: [before?.size, next?.size].compactMap { $0 })
  }

  private func hashes(of ranges: [Range<UInt64>], epoch: UInt32) throws -> [Digest] {
    let base = try reader.base(epoch: epoch)
    var prover = MerkleProver(ranges, base: base)
    let end = ranges.map(\.upperBound).max() ?? 0
    var expected = base.size + 1
    let (first, last) = (RecordPosition(epoch: epoch, sequence: expected), RecordPosition(epoch: epoch, sequence: end))
    try reader.scan(from: first, through: last) { view in
      guard view.position.sequence == expected else { return false }
      prover.append(view.leafHash)
      expected += 1
      return true
    }
    guard let proof = prover.proof else {
      throw ProofRefusal.damaged("record \(RecordPosition(epoch: epoch, sequence: expected)) is missing.")
    }
    return proof
  }

  private func check(_ body: (TrustedKeys) throws(EvidenceFinding) -> Void) throws(ProofRefusal) {
    let own = TrustedKeys(journal: reader.identity.hexID, publicKey: reader.identity.publicKey)
    do throws(EvidenceFinding) { try body(own) } catch { throw .damaged("\(error)") }
  }
}

extension JournalReader {
  /// The last checkpoint of an epoch whose tree can be built of what is there: before the first gap that damage left. Nil where there is
  /// none, or where retention removed records of an epoch with gaps, whose tree is not known.
  package func lastProvable(epoch: UInt32) throws(JournalError) -> StoredCheckpoint? {
    guard let gap = try lost(epoch: epoch).first else { return try lastCheckpoint(epoch: epoch) }
    return try base(epoch: epoch).size == 0 ? checkpoint(epoch: epoch, before: gap.first) : nil
  }
}
