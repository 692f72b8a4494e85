// The hub's own signature under the checkpoints of its installs.
//
// A hub that countersigns a checkpoint says: I hold exactly these records. The key is Ed25519 and signs nothing else; it lies in the hub's
// directory as a C2SP signer key, and is named after nothing that could change:
//
//     printtrail.hub/<16 random bytes, 32 hexadecimal digits>

package import Evidence
internal import OpenSSL

package struct Countersigner: Sendable {
  private static let namePrefix = "printtrail.hub/"
  private static let nameByteCount = 16

  private let signer: SignerKey

  /// What auditors and agents check its signatures with.
  package var key: VerifierKey { signer.verifier }

  /// Makes a key, kept nowhere.
  init() throws {
    let name = try NoteKeyName(Self.namePrefix + hexadecimal(SecureRandom.bytes(Self.nameByteCount)))
    signer = SignerKey(name: name, privateKey: try Ed25519PrivateKey())
  }

  private init(_ signer: SignerKey) { self.signer = signer }

  /// Reads the key in `path`, or makes one.
  ///
  /// - Throws: `HubError`: 77 if others may read it, 78 if it is damaged.
  static func loadOrCreate(_ path: String) throws -> Countersigner {
    guard let bytes = try SecretFile.read(path, secret: true) else {
      let made = try Countersigner()
      try SecretFile.write(Array((made.signer.secretText + "\n").utf8), to: path)
      return made
    }
    let line = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
    do throws(NoteError) { return Countersigner(try SignerKey(secretText: line)) } catch {
      throw HubError(.configuration, "\(path) is damaged. Restore it from the backup of the directory.")
    }
  }

  /// The note with the same text and this hub's signature alone.
  func countersign(_ note: SignedNote) throws(NoteError) -> SignedNote {
    try SignedNote(text: note.text, signer: signer)
  }
}
