// The checkpoint that a record is proved by, and who signed it.

package import Evidence
package import Journal
package import OpenSSL

package struct RecordSeal: Equatable, Sendable {
  /// Records in the tree that was signed.
  package var size: UInt64
  package var root: Digest?
  /// When it was signed, nanoseconds since 1970 UTC.
  package var sealed: Int64?
  /// What is wrong with it or its signature by the journal's key; nil where nothing is.
  package var fault: String?
  /// The names of the others who signed it. Their keys are not in the journal, so that their signatures are not checked here.
  package var countersigners: [String] = []

  /// By the checkpoint that says most of the record; nil where none covers it yet.
  package static func covering(_ position: RecordPosition, _ reader: JournalReader) throws -> RecordSeal? {
    try reader.checkpoint(covering: position).map { RecordSeal($0, reader.identity) }
  }

  private init(_ stored: StoredCheckpoint, _ identity: JournalIdentity) {
    size = stored.size
    do throws(NoteError) {
      let note = try SignedNote(bytes: stored.note)
      let checkpoint = try Checkpoint(text: note.text)
      (root, sealed) = (checkpoint.root, checkpoint.sealed)
      let key = try identity.verifier(epoch: stored.epoch)
      countersigners = note.signatures.filter { !$0.isBy(key) }.map(\.name.description)
      try note.verify([key])
      if checkpoint.origin != identity.origin(epoch: stored.epoch).description || checkpoint.size != stored.size {
        fault = "The checkpoint is of another tree: \(checkpoint.origin), of \(counted(checkpoint.size, "record"))."
      }
    } catch {
      fault = "\(error)"
    }
  }
}
