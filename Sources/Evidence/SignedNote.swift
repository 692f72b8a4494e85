// Signed notes (C2SP signed-note): text with signature lines.
//
//   <text, ending in a newline>
//   <empty line>
//   — <key name> <base64 of 4-byte key id || signature>        (em dash U+2014; at least one line)
//
// The signatures are over the text with its final newline. Lines of unknown keys are kept and ignored; a line of a known
// key that does not verify condemns the note.

package import OpenSSL

/// Why a note was not read, not signed or not believed.
package enum NoteError: Error, Hashable, Sendable, CustomStringConvertible {
  case malformed(String)
  /// No signature of a known key.
  case unsigned
  /// The signature of this known key is wrong: the text or the signature was changed.
  case wrongSignature(name: String)
  case signing(OpenSSLError)

  package var description: String {
    switch self {
    case .malformed(let reason): "The signed note cannot be read: \(reason)."
    case .unsigned: "The note has no signature of a known key: it is not from whom it should be from."
    case .wrongSignature(let name): "The note's signature by \(name) is wrong: the text or the signature was changed."
    case .signing(let error): "The note could not be signed: \(error)"
    }
  }
}

/// One signature line.
package struct NoteSignature: Hashable, Sendable {
  package let name: NoteKeyName
  package let keyID: UInt32
  /// For Ed25519, 64 bytes. Of any length when the key's type is unknown.
  package let signature: [UInt8]

  /// The line, without its newline.
  package var line: String {
    "— \(name) " + base64(withUnsafeBytes(of: keyID.bigEndian) { Array($0) } + signature)
  }

  /// Reads one line, without its newline. Only the one base64 text of its bytes is taken, so that no changed line reads the
  /// same.
  package init(line: some StringProtocol) throws(NoteError) {
    let parts = line.split(separator: " ", omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "—", let bytes = OpenSSL.bytes(base64: parts[2]), bytes.count > 4,
      base64(bytes) == parts[2]
    else {
      throw .malformed("'\(line)' is no signature line")
    }
    name = try NoteKeyName(parts[1])
    keyID = bytes.withUnsafeBytes { UInt32(bigEndian: $0.loadUnaligned(as: UInt32.self)) }
    signature = Array(bytes[4...])
  }

  init(name: NoteKeyName, keyID: UInt32, signature: [UInt8]) {
    self.name = name
    self.keyID = keyID
    self.signature = signature
  }

  package func isBy(_ key: VerifierKey) -> Bool { keyID == key.id && name == key.name }
}

package struct SignedNote: Hashable, Sendable {
  /// The largest note that is read, in bytes: a checkpoint has some hundred, a signature line about 150.
  package static let bytesMax = 65_536
  /// The most signature lines that are read. The specification demands at least 16.
  package static let signaturesMax = 64

  /// Ends in a newline.
  package let text: String
  /// At least one, in the order of their lines.
  package private(set) var signatures: [NoteSignature]

  /// Signs a new note.
  package init(text: String, signer: SignerKey) throws(NoteError) {
    try Self.check(text)
    self.text = text
    signatures = [try Self.signature(of: text, by: signer)]
  }

  /// Reads a note. Nothing is believed yet: see `verify`.
  package init(bytes: some Collection<UInt8>) throws(NoteError) {
    guard bytes.count <= Self.bytesMax else { throw .malformed("it has more than \(Self.bytesMax) bytes") }
    guard let note = String(validating: bytes, as: UTF8.self) else { throw .malformed("it is not UTF-8") }
    let lines = note.split(separator: "\n", omittingEmptySubsequences: false)
    // The last newline leaves one empty piece; the last empty line before it ends the text.
    guard lines.last?.isEmpty == true, let blank = lines.dropLast().lastIndex(where: \.isEmpty), blank > 0 else {
      throw .malformed("text and signatures are not parted by an empty line, or the last line does not end")
    }
    let text = lines[..<blank].joined(separator: "\n") + "\n"
    try Self.check(text)
    let signatureLines = lines[(blank + 1)...].dropLast()
    guard !signatureLines.isEmpty, signatureLines.count <= Self.signaturesMax else {
      throw .malformed("it has \(signatureLines.count) signatures, not 1 to \(Self.signaturesMax)")
    }
    var signatures: [NoteSignature] = []
    for line in signatureLines { signatures.append(try NoteSignature(line: line)) }
    self.text = text
    self.signatures = signatures
  }

  /// The whole note.
  package var bytes: [UInt8] {
    Array((text + "\n" + signatures.map { $0.line + "\n" }.joined()).utf8)
  }

  /// Checks every signature by one of `keys`, of which at least one must be there.
  /// - Returns: the keys whose signatures it bears, in the order of their lines.
  @discardableResult
  package func verify(_ keys: [VerifierKey]) throws(NoteError) -> [VerifierKey] {
    var verified: [VerifierKey] = []
    for signature in signatures {
      guard let key = keys.first(where: { signature.isBy($0) }) else { continue }
      guard key.publicKey.verify(signature.signature, of: Array(text.utf8)) else {
        throw .wrongSignature(name: key.name.description)
      }
      if !verified.contains(key) { verified.append(key) }
    }
    guard !verified.isEmpty else { throw .unsigned }
    return verified
  }

  /// Adds another signer's line: a countersignature.
  package mutating func sign(by signer: SignerKey) throws(NoteError) {
    try add(try Self.signature(of: text, by: signer))
  }

  /// Adds a line made elsewhere; one that is there already is not added again. It is not verified here.
  package mutating func add(_ signature: NoteSignature) throws(NoteError) {
    guard !signatures.contains(signature) else { return }
    guard signatures.count < Self.signaturesMax else {
      throw .malformed("it has \(Self.signaturesMax) signatures already")
    }
    signatures.append(signature)
  }

  private static func signature(of text: String, by signer: SignerKey) throws(NoteError) -> NoteSignature {
    NoteSignature(name: signer.verifier.name, keyID: signer.verifier.id, signature: try signer.sign(text))
  }

  private static func check(_ text: String) throws(NoteError) {
    guard text.utf8.last == UInt8(ascii: "\n"), text.utf8.allSatisfy({ $0 >= 0x20 || $0 == 0x0A }) else {
      throw .malformed("the text does not end in a newline or has a control character")
    }
  }
}
