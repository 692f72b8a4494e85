// Whom a verifier believes: a journal, and whoever must have signed beside it.
//
// A journal has one key pair, and signs with it under a name for each epoch and one for exports. So its key under any of its
// names is enough for all of them; only the names differ, and with them the key ids:
//
//   printtrail.journal/<journal id>            the journal's, for people to pass on
//   printtrail.journal/<journal id>/<epoch>    signs the epoch's checkpoints
//   printtrail.journal/<journal id>/export     signs exports' manifests

package import OpenSSL

package struct TrustedKeys: Hashable, Sendable {
  /// The journal's id, 32 lower-case hexadecimal digits.
  package let journal: String
  package let publicKey: Ed25519PublicKey
  /// Keys of others, such as a hub. Each must have signed a checkpoint that is to be believed.
  package let countersigners: [VerifierKey]

  package init(journal: String, publicKey: Ed25519PublicKey, countersigners: [VerifierKey] = []) {
    self.journal = journal
    self.publicKey = publicKey
    self.countersigners = countersigners
  }

  /// Nil unless exactly one of `keys` is a journal's. All others are countersigners'.
  package init?(_ keys: [VerifierKey]) {
    let journals = keys.compactMap { key in JournalOrigin.journal(named: key.name.description).map { (key, $0) } }
    guard let (key, journal) = journals.first, journals.count == 1 else { return nil }
    self.init(journal: journal, publicKey: key.publicKey, countersigners: keys.filter { $0 != key })
  }

  /// Checks that a checkpoint is the journal's, and signed by the journal and every countersigner.
  /// - Parameter note: whose text `checkpoint` is.
  /// - Returns: the epoch whose tree it is about.
  @discardableResult
  package func check(_ checkpoint: Checkpoint, in note: SignedNote) throws(EvidenceFinding) -> UInt32 {
    guard let origin = JournalOrigin(checkpoint.origin), origin.journal == journal else {
      throw EvidenceFinding(
        .anotherJournal, "The checkpoint is of \(checkpoint.origin), not of the journal \(journal) that you trust.")
    }
    let what = "The checkpoint \(origin.epoch)/\(checkpoint.size)"
    try check(note, what, signedBy: [try key(named: origin.description)] + countersigners)
    return origin.epoch
  }

  /// Checks that an export's manifest has this digest.
  package func check(_ seal: ExportSeal, of manifest: Digest) throws(EvidenceFinding) {
    guard seal.journal == journal else {
      throw EvidenceFinding(
        .anotherJournal, "The manifest is signed for the journal \(seal.journal), not for \(journal) that you trust.")
    }
    try check(seal.note, "The manifest", signedBy: [try key(named: ExportSeal.origin(journal: journal))])
    guard seal.manifest == manifest else {
      throw EvidenceFinding(.edited, "The manifest is not the one that was signed: its SHA-256 differs.")
    }
  }

  private func key(named name: String) throws(EvidenceFinding) -> VerifierKey {
    do throws(NoteError) { return VerifierKey(name: try NoteKeyName(name), publicKey: publicKey) } catch {
      throw EvidenceFinding(.malformed, "\(error)")
    }
  }

  private func check(_ note: SignedNote, _ what: String, signedBy keys: [VerifierKey]) throws(EvidenceFinding) {
    for key in keys where !note.signatures.contains(where: { $0.isBy(key) }) {
      let signers = note.signatures.map { "\($0.name)" }.joined(separator: ", ")
      throw EvidenceFinding(.unknownKey, "\(what) is not signed by the key \(key) that you trust, but by \(signers).")
    }
    do throws(NoteError) { try note.verify(keys) } catch {
      throw EvidenceFinding(.badSignature, "\(what) is not what was signed: \(error)")
    }
  }
}
