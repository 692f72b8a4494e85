// The keys of signed notes (C2SP signed-note): an Ed25519 key with a name.
//
//   key id    SHA-256(name || 0x0A || 0x01 || 32-byte public key), its first 4 bytes
//   verifier  <name>+<key id, 8 hex digits>+<base64 of 0x01 || public key>
//   signer    PRIVATE+KEY+<name>+<key id, 8 hex digits>+<base64 of 0x01 || 32-byte seed>
//
// Both text forms are those of Go's golang.org/x/mod/sumdb/note, which others follow.

package import OpenSSL

/// A key's name, as signature lines show it: not empty, without spaces, control characters or plus.
package struct NoteKeyName: Hashable, Sendable, CustomStringConvertible {
  /// Longer names help nobody and make longer lines.
  package static let bytesMax = 255

  package let description: String

  package init(_ text: some StringProtocol) throws(NoteError) {
    guard !text.isEmpty, text.utf8.count <= Self.bytesMax,
      text.unicodeScalars.allSatisfy({ $0.value > 0x20 && $0 != "+" && $0.value != 0x7F && !$0.properties.isWhitespace }
      )
    else { throw .malformed("the key name '\(text)' is empty, too long or has a space or plus in it") }
    description = String(text)
  }
}

/// The public half of a note's key.
package struct VerifierKey: Hashable, Sendable, CustomStringConvertible {
  /// The signature type of Ed25519 (C2SP signed-note, "Signature types").
  static let ed25519: UInt8 = 0x01

  package let name: NoteKeyName
  package let publicKey: Ed25519PublicKey
  package let id: UInt32

  package init(name: NoteKeyName, publicKey: Ed25519PublicKey) {
    self.name = name
    self.publicKey = publicKey
    id = Self.id(name, publicKey)
  }

  /// Reads `name+hexid+base64`.
  package init(_ text: some StringProtocol) throws(NoteError) {
    let parts = text.split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let key = OpenSSL.bytes(base64: parts[2]), key.count == 1 + Ed25519PublicKey.byteCount,
      key[0] == Self.ed25519
    else { throw .malformed("'\(text)' is no Ed25519 verifier key") }
    let publicKey: Ed25519PublicKey
    do throws(OpenSSLError) { publicKey = try Ed25519PublicKey(rawRepresentation: key.dropFirst()) } catch {
      throw .malformed("'\(text)' holds no Ed25519 key: \(error)")
    }
    self.init(name: try NoteKeyName(parts[0]), publicKey: publicKey)
    guard parts[1].count == 8, UInt32(parts[1], radix: 16) == id else {
      throw .malformed("the key id in '\(text)' is not the key's")
    }
  }

  private static func id(_ name: NoteKeyName, _ key: Ed25519PublicKey) -> UInt32 {
    let digest = SHA256.hash(Array(name.description.utf8) + [0x0A, ed25519] + key.rawRepresentation)
    return digest.withBytes { UInt32(bigEndian: $0.loadUnaligned(as: UInt32.self)) }
  }

  /// The id as text: 8 lower-case hexadecimal digits.
  package var hexID: String { hexadecimal(withUnsafeBytes(of: id.bigEndian) { Array($0) }) }

  /// `name+hexid+base64`.
  package var description: String { "\(name)+\(hexID)+\(base64([Self.ed25519] + publicKey.rawRepresentation))" }
}

/// The private half of a note's key.
package struct SignerKey: Sendable {
  private static let prefix = "PRIVATE+KEY+"

  package let verifier: VerifierKey
  private let privateKey: Ed25519PrivateKey

  package init(name: NoteKeyName, privateKey: Ed25519PrivateKey) {
    self.privateKey = privateKey
    verifier = VerifierKey(name: name, publicKey: privateKey.publicKey)
  }

  /// Reads `PRIVATE+KEY+name+hexid+base64`. No message of an error repeats what may be a secret.
  package init(secretText text: some StringProtocol) throws(NoteError) {
    guard text.hasPrefix(Self.prefix) else { throw .malformed("the text is no private key") }
    let parts = text.dropFirst(Self.prefix.count).split(separator: "+", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, let key = OpenSSL.bytes(base64: parts[2]), key.count == 1 + Ed25519PrivateKey.byteCount,
      key[0] == VerifierKey.ed25519
    else { throw .malformed("the text is no Ed25519 private key") }
    let privateKey: Ed25519PrivateKey
    do throws(OpenSSLError) { privateKey = try Ed25519PrivateKey(rawRepresentation: key.dropFirst()) } catch {
      throw .malformed("the text holds no Ed25519 key: \(error)")
    }
    self.init(name: try NoteKeyName(parts[0]), privateKey: privateKey)
    guard parts[1].count == 8, UInt32(parts[1], radix: 16) == verifier.id else {
      throw .malformed("the private key's id is not its own")
    }
  }

  /// The same key under another name: its id is another one.
  package func named(_ name: NoteKeyName) -> SignerKey { SignerKey(name: name, privateKey: privateKey) }

  /// `PRIVATE+KEY+name+hexid+base64`: a secret.
  package var secretText: String {
    let key = base64([VerifierKey.ed25519] + privateKey.rawRepresentation)
    return "\(Self.prefix)\(verifier.name)+\(verifier.hexID)+\(key)"
  }

  func sign(_ text: String) throws(NoteError) -> [UInt8] {
    do throws(OpenSSLError) { return try privateKey.sign(Array(text.utf8)) } catch { throw .signing(error) }
  }
}
