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
  /// What is wrong with it or with a signature by a key that is known; nil where nothing is.
  package var fault: String?
  /// The names of others whose signature was checked, and is sound: their keys were given.
  package var verified: [String] = []
  /// The names of others whose keys are not known here.
  package var unverified: [String] = []
  package var countersigners: [String] { verified + unverified }

  /// By the checkpoint that says most of the record; nil where none covers it yet.
  /// - Parameter trusted: must have signed it, all of them; nil: the journal alone.
  package static func covering(
    _ position: RecordPosition, _ reader: JournalReader, _ trusted: TrustedKeys? = nil
  ) throws -> RecordSeal? {
    let own = TrustedKeys(journal: reader.identity.hexID, publicKey: reader.identity.publicKey)
    return try reader.checkpoint(covering: position).map { RecordSeal($0, reader.identity, trusted ?? own) }
  }

  private init(_ stored: StoredCheckpoint, _ identity: JournalIdentity, _ trusted: TrustedKeys) {
    size = stored.size
    do {
      let note = try SignedNote(bytes: stored.note)
      let checkpoint = try Checkpoint(text: note.text)
      (root, sealed) = (checkpoint.root, checkpoint.sealed)
      let key = try identity.verifier(epoch: stored.epoch)
      let others = note.signatures.filter { !$0.isBy(key) }
      unverified = others.map(\.name.description)
      guard try trusted.check(checkpoint, in: note) == stored.epoch, checkpoint.size == stored.size else {
        fault = "The checkpoint is of another tree: \(checkpoint.origin), of \(counted(checkpoint.size, "record"))."
        return
      }
      verified = trusted.countersigners.map(\.name.description)
      unverified = others.filter { !trusted.countersigners.contains(where: $0.isBy) }.map(\.name.description)
    } catch {
      fault = "\(error)"
    }
  }
}
