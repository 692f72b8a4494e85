// The seal of an export: a signed note over its manifest, which names every other file by its SHA-256 (docs/formats/export.md).
//
//   printtrail.journal/<journal id>/export
//   <SHA-256 of manifest.json, base64>
//
// The first line is the name of the key that signs, too. No checkpoint can be read from it: that has three lines.

package import OpenSSL

package struct ExportSeal: Hashable, Sendable {
  package let journal: String
  /// The manifest's SHA-256.
  package let manifest: Digest
  package let note: SignedNote

  static func origin(journal: String) -> String { "\(JournalOrigin.prefix)/\(journal)/export" }

  /// - Parameter signer: the journal's key under any name.
  package init(journal: String, manifest: Digest, signer: SignerKey) throws(NoteError) {
    self.journal = journal
    self.manifest = manifest
    let origin = Self.origin(journal: journal)
    note = try SignedNote(
      text: "\(origin)\n\(base64(manifest.bytes))\n", signer: signer.named(try NoteKeyName(origin)))
  }

  /// Reads a seal. Nothing is believed yet: see `TrustedKeys`.
  package init(bytes: some Collection<UInt8>) throws(NoteError) {
    note = try SignedNote(bytes: bytes)
    let lines = note.text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count == 3, let digest = OpenSSL.bytes(base64: lines[1]), let manifest = Digest(bytes: digest),
      base64(digest) == lines[1], let journal = JournalOrigin.journal(named: lines[0]),
      lines[0] == Self.origin(journal: journal)
    else { throw .malformed("it is no export's seal") }
    self.journal = journal
    self.manifest = manifest
  }
}
