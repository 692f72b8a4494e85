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

  /// Looked at in one transaction; a journal has a checkpoint for each thousand records at least.
  private static let checkpointsAtOnce = 64

  /// The first countersigned checkpoint that covers the record, because it does not rest on the journal's word alone; where nobody
  /// countersigned one, the first that covers it; nil where none does yet.
  package static func covering(_ position: RecordPosition, _ reader: JournalReader) throws -> RecordSeal? {
    var first: RecordSeal?
    var next: RecordPosition? = position
    while let from = next {
      let page = try reader.checkpoints(from: from, limit: checkpointsAtOnce)
      for stored in page {
        guard stored.epoch == position.epoch else { return first }
        let seal = RecordSeal(stored, reader.identity)
        if !seal.countersigners.isEmpty { return seal }
        first = first ?? seal
      }
      next = page.last.flatMap { RecordPosition(epoch: $0.epoch, sequence: $0.size).next }
    }
    return first
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
