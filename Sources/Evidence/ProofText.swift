// The parts that both kinds of proof have: lines of hashes, and a note behind an empty line.

internal import OpenSSL

enum ProofText {
  /// The largest proof that is read: a record of 256 KiB in base64, its path and two notes of the largest size.
  static let bytesMax = 1 << 20

  /// The blocks of lines between empty lines.
  static func blocks(_ bytes: some Collection<UInt8>) throws(EvidenceFinding) -> [ArraySlice<Substring>] {
    guard bytes.count <= bytesMax else { throw malformed("it has more than \(bytesMax) bytes") }
    guard let text = String(validating: bytes, as: UTF8.self) else { throw malformed("it is not UTF-8") }
    let lines = text.split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.last?.isEmpty == true else { throw malformed("its last line does not end") }
    return lines.dropLast().split(separator: "", omittingEmptySubsequences: false)
  }

  static func hashes(_ lines: ArraySlice<Substring>) throws(EvidenceFinding) -> [Digest] {
    guard lines.count <= MerkleProof.hashesMax else { throw malformed("it has \(lines.count) hashes") }
    var hashes: [Digest] = []
    for line in lines {
      guard let digest = decode(line).flatMap({ Digest(bytes: $0) }) else {
        throw malformed("'\(line.prefix(80))' is not the base64 of a hash")
      }
      hashes.append(digest)
    }
    return hashes
  }

  /// The bytes of a base64 text, only in its one canonical form: no changed text reads the same.
  static func decode(_ text: some StringProtocol) -> [UInt8]? {
    guard let bytes = OpenSSL.bytes(base64: text), base64(bytes) == text else { return nil }
    return bytes
  }

  /// A checkpoint that a proof carries, from its text and its signature lines.
  static func checkpoint(
    _ text: ArraySlice<Substring>, _ signatures: ArraySlice<Substring>
  ) throws(EvidenceFinding) -> ProvedCheckpoint {
    let note = (text + [""] + signatures).map { $0 + "\n" }.joined()
    do throws(NoteError) { return try ProvedCheckpoint(note: try SignedNote(bytes: Array(note.utf8))) } catch {
      throw malformed("\(error)")
    }
  }

  static func malformed(_ reason: String) -> EvidenceFinding {
    EvidenceFinding(.malformed, "This is not a proof that can be read: \(reason)\(reason.hasSuffix(".") ? "" : ".")")
  }
}

/// A checkpoint with the note that signs it.
package struct ProvedCheckpoint: Hashable, Sendable {
  package let note: SignedNote
  package let checkpoint: Checkpoint

  package init(note: SignedNote) throws(NoteError) {
    self.note = note
    checkpoint = try Checkpoint(text: note.text)
  }

  func check(_ trusted: TrustedKeys) throws(EvidenceFinding) -> UInt32 { try trusted.check(checkpoint, in: note) }
}

/// A proof of either kind, told apart by the first line.
package enum EvidenceProof: Hashable, Sendable {
  case inclusion(InclusionProof)
  case consistency(ConsistencyProof)

  package init(bytes: some Collection<UInt8>) throws(EvidenceFinding) {
    self =
      bytes.starts(with: Array(ConsistencyProof.title.utf8))
      ? .consistency(try ConsistencyProof(bytes: bytes)) : .inclusion(try InclusionProof(bytes: bytes))
  }
}
