// Whether a sealed checkpoint says the truth about the tree that the hub holds.

internal import Evidence
internal import OpenSSL

enum CheckpointCheck {
  /// What is wrong with the checkpoint, as a sentence; nil if it is signed by the registered journal key and its root
  /// is the hub's own.
  ///
  /// - Parameter root: the root over the first `checkpoint.sequence` leaves that the hub holds.
  static func fault(in checkpoint: DeliveredCheckpoint, root: Digest) -> String? {
    let journal = hexadecimal(checkpoint.install.journalID)
    let origin = JournalOrigin(journal: journal, epoch: checkpoint.epoch)
    let sealed: Checkpoint
    do {
      let note = try SignedNote(bytes: Array(checkpoint.note.utf8))
      let key = try Ed25519PublicKey(rawRepresentation: checkpoint.install.journalKey)
      try note.verify([VerifierKey(name: try origin.keyName(), publicKey: key)])
      sealed = try Checkpoint(text: note.text)
    } catch {
      return "Checkpoint not verified: \(error)"
    }
    guard sealed.origin == origin.description else {
      return "Checkpoint not verified: it is of \(sealed.origin), not of \(origin)."
    }
    guard sealed.size == checkpoint.sequence else {
      return "Checkpoint not verified: it is over \(sealed.size) records, not \(checkpoint.sequence)."
    }
    guard sealed.root == root else {
      return
        "Checkpoint not verified: its root \(sealed.root) is not the root \(root) of the records that the hub holds."
    }
    return nil
  }
}
