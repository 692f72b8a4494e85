// Checkpoints (C2SP tlog-checkpoint): the signed statement "my tree had this root at this size".
//
//   <origin>
//   <size, decimal>
//   <root, base64>
//   <extension lines>          one here: sealed <nanoseconds since 1970 UTC>
//
// Each epoch of a journal is a tree of its own and so has an origin of its own, which is also the name of the key that signs
// its checkpoints, as the specification advises:
//
//   printtrail.journal/<journal id, 32 hex digits>/<epoch, decimal>

package import OpenSSL

/// Which tree of which journal.
package struct JournalOrigin: Hashable, Sendable, CustomStringConvertible {
  static let prefix = "printtrail.journal"

  /// The journal's id, 32 lower-case hexadecimal digits.
  package let journal: String
  package let epoch: UInt32

  package init(journal: String, epoch: UInt32) {
    self.journal = journal
    self.epoch = epoch
  }

  /// Reads an origin line.
  package init?(_ text: some StringProtocol) {
    guard let journal = Self.journal(named: text), let last = text.split(separator: "/").last, let epoch = UInt32(last)
    else { return nil }
    self.init(journal: journal, epoch: epoch)
    guard description == text else { return nil }
  }

  /// The id of the journal that a name of its key or of one of its trees begins with: `printtrail.journal/<id>`, alone or with
  /// one more part. Nil when the name is of something else.
  package static func journal(named name: some StringProtocol) -> String? {
    let parts = name.split(separator: "/", omittingEmptySubsequences: false)
    guard (2...3).contains(parts.count), parts[0] == prefix, parts[1].utf8.count == 32,
      parts[1].utf8.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) || (97...102).contains($0) })
    else { return nil }
    return String(parts[1])
  }

  /// The name of the journal's key as people pass it on, for all its epochs.
  package static func keyName(journal: String) throws(NoteError) -> NoteKeyName {
    try NoteKeyName("\(prefix)/\(journal)")
  }

  package var description: String { "\(Self.prefix)/\(journal)/\(epoch)" }

  /// The name under which the journal's key signs this tree's checkpoints.
  package func keyName() throws(NoteError) -> NoteKeyName { try NoteKeyName(description) }
}

package struct Checkpoint: Hashable, Sendable {
  /// The first word of the extension line that tells when it was signed.
  private static let sealedWord = "sealed"

  /// Names the tree.
  package var origin: String
  /// The number of leaves: the sequence of the last record.
  package var size: UInt64
  package var root: Digest
  /// Lines after the root, each not empty and without a newline.
  package var extensions: [String] = []

  package init(origin: String, size: UInt64, root: Digest, extensions: [String] = []) {
    self.origin = origin
    self.size = size
    self.root = root
    self.extensions = extensions
  }

  /// A journal's checkpoint.
  /// - Parameter sealed: when it is signed, nanoseconds since 1970 UTC.
  package init(origin: JournalOrigin, size: UInt64, root: Digest, sealed: Int64) {
    self.init(origin: origin.description, size: size, root: root, sealed: sealed)
  }

  /// The same, of a tree whose `JournalOrigin` is text already.
  package init(origin: String, size: UInt64, root: Digest, sealed: Int64) {
    self.init(origin: origin, size: size, root: root, extensions: ["\(Self.sealedWord) \(sealed)"])
  }

  /// When it was signed, nanoseconds since 1970 UTC; nil when no line tells.
  package var sealed: Int64? {
    for line in extensions where line.hasPrefix(Self.sealedWord + " ") {
      return Int64(line.dropFirst(Self.sealedWord.count + 1))
    }
    return nil
  }

  /// The text that is signed.
  package var text: String {
    ([origin, String(size), base64(root.bytes)] + extensions).map { $0 + "\n" }.joined()
  }

  /// Reads the text of a note.
  package init(text: some StringProtocol) throws(NoteError) {
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.count >= 4, lines.last?.isEmpty == true, !lines.dropLast().contains(where: \.isEmpty) else {
      throw .malformed("a checkpoint has at least three lines and none is empty")
    }
    guard let size = UInt64(lines[1]), String(size) == lines[1] else {
      throw .malformed("the checkpoint's size '\(lines[1])' is no decimal number")
    }
    guard let bytes = OpenSSL.bytes(base64: lines[2]), let root = Digest(bytes: bytes), base64(bytes) == lines[2] else {
      throw .malformed("the checkpoint's root '\(lines[2])' is not the base64 of 32 bytes")
    }
    self.init(
      origin: String(lines[0]), size: size, root: root, extensions: lines[3...].dropLast().map { String($0) })
  }

  package func signed(by signer: SignerKey) throws(NoteError) -> SignedNote {
    try SignedNote(text: text, signer: signer)
  }
}
