internal import Evidence
internal import OpenSSL
internal import Testing

@Suite struct `A signed note` {
  private let signer: SignerKey
  private let witness: SignerKey

  init() throws {
    signer = SignerKey(
      name: try NoteKeyName("example.com/log"), privateKey: try Ed25519PrivateKey(rawRepresentation: Array(0..<32)))
    witness = SignerKey(
      name: try NoteKeyName("example.com/hub"), privateKey: try Ed25519PrivateKey(rawRepresentation: Array(32..<64)))
  }

  /// The example in the documentation of Go's sumdb/note, which C2SP's format is.
  @Test func `made by another implementation verifies`() throws {
    let key = try VerifierKey("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    let text = """
      If you think cryptography is the answer to your problem,
      then you don't know what your problem is.

      — PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=

      """
    let note = try SignedNote(bytes: Array(text.utf8))
    #expect(try note.verify([key]) == [key])
    #expect(note.bytes == Array(text.utf8))
    #expect(key.description == "PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
  }

  @Test func `bears several signatures and tells whose verify`() throws {
    var note = try SignedNote(text: "one\n\ntwo\n", signer: signer)
    try note.sign(by: witness)
    try note.sign(by: witness)
    let read = try SignedNote(bytes: note.bytes)
    #expect(read == note)
    #expect(read.signatures.count == 2)
    #expect(try read.verify([witness.verifier, signer.verifier]) == [signer.verifier, witness.verifier])
    #expect(try read.verify([witness.verifier]) == [witness.verifier])
  }

  @Test func `without a known key's signature is not believed`() throws {
    let note = try SignedNote(text: "one\n", signer: signer)
    #expect(throws: NoteError.unsigned) { try note.verify([witness.verifier]) }
    let sameName = SignerKey(name: signer.verifier.name, privateKey: try Ed25519PrivateKey())
    #expect(throws: NoteError.unsigned) { try note.verify([sameName.verifier]) }
  }

  @Test func `changed in any byte of its text or signature is refused`() throws {
    let bytes = try SignedNote(text: "text of a note\n", signer: signer).bytes
    for index in bytes.indices {
      var changed = bytes
      changed[index] ^= 0x01
      #expect(throws: NoteError.self, "byte \(index)") { try SignedNote(bytes: changed).verify([signer.verifier]) }
    }
  }

  @Test func `cut short anywhere is refused`() throws {
    let bytes = try SignedNote(text: "text of a note\n", signer: signer).bytes
    for count in bytes.indices {
      #expect(throws: NoteError.self, "first \(count) bytes") {
        try SignedNote(bytes: bytes.prefix(count)).verify([signer.verifier])
      }
    }
  }

  @Test func `with more signatures or bytes than a reader takes is refused`() throws {
    let line = try #require(try SignedNote(text: "x\n", signer: signer).signatures.first).line + "\n"
    func note(lines: Int) -> [UInt8] { Array(("x\n\n" + String(repeating: line, count: lines)).utf8) }
    #expect(try SignedNote(bytes: note(lines: SignedNote.signaturesMax)).signatures.count == SignedNote.signaturesMax)
    #expect(throws: NoteError.self) { try SignedNote(bytes: note(lines: SignedNote.signaturesMax + 1)) }
    #expect(throws: NoteError.self) { try SignedNote(bytes: [UInt8](repeating: 0x0A, count: SignedNote.bytesMax + 1)) }
  }

  @Test(arguments: ["", "a", "a+b", "a+00000000+AQ==", "a b+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"])
  func `has no key in text that is none`(text: String) {
    #expect(throws: NoteError.self) { try VerifierKey(text) }
  }

  @Test func `has keys that survive their text form`() throws {
    #expect(try VerifierKey(signer.verifier.description) == signer.verifier)
    let read = try SignerKey(secretText: signer.secretText)
    #expect(read.verifier == signer.verifier)
    #expect(try SignedNote(text: "x\n", signer: read) == SignedNote(text: "x\n", signer: signer))
    let foreign = signer.secretText.replacing("example.com/log", with: "example.com/other")
    #expect(throws: NoteError.self) { try SignerKey(secretText: foreign) }
  }
}

@Suite struct `A checkpoint` {
  private let origin = JournalOrigin(journal: String(repeating: "0a", count: 16), epoch: 3)

  @Test func `has the text of its specification`() {
    let checkpoint = Checkpoint(origin: origin, size: 20, root: .zero, sealed: 5)
    #expect(
      checkpoint.text
        == "printtrail.journal/\(origin.journal)/3\n20\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nsealed 5\n")
  }

  @Test func `survives signing and reading`() throws {
    let signer = SignerKey(name: try origin.keyName(), privateKey: try Ed25519PrivateKey())
    let checkpoint = Checkpoint(origin: origin, size: 7, root: SHA256.hash([1]), sealed: -9)
    let note = try SignedNote(bytes: try checkpoint.signed(by: signer).bytes)
    try note.verify([signer.verifier])
    let read = try Checkpoint(text: note.text)
    #expect(read == checkpoint)
    #expect(read.sealed == -9)
    #expect(JournalOrigin(read.origin) == origin)
  }

  @Test(arguments: [
    "", "a\n", "a\n1\n", "a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
    "a\n01\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "a\n-1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n", "a\n1\nAAAA\n",
    "\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "a\n18446744073709551616\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
    "a\n1\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n\n",
  ])
  func `is not read from text that is none`(text: String) {
    #expect(throws: NoteError.self) { try Checkpoint(text: text) }
  }

  @Test(arguments: [
    "printtrail.journal/00/1", "other/000102030405060708090a0b0c0d0e0f/1",
    "printtrail.journal/000102030405060708090A0b0c0d0e0f/1", "printtrail.journal/000102030405060708090a0b0c0d0e0f/01",
  ])
  func `of another kind of log is not a journal's`(text: String) { #expect(JournalOrigin(text) == nil) }
}
