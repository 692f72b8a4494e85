// Ed25519 (RFC 8032): the journal's own signatures.

internal import COpenSSL

package struct Ed25519PrivateKey: Sendable {
  /// The size of the seed that is the private key's raw form, in bytes (RFC 8032 section 5.1.5).
  package static let byteCount = 32
  /// The size of every signature, in bytes.
  package static let signatureByteCount = 64

  private let handle: KeyHandle
  package let publicKey: Ed25519PublicKey

  /// Makes a new key.
  package init() throws(OpenSSLError) {
    try self.init(rawRepresentation: SecureRandom.bytes(Self.byteCount))
  }

  /// - Throws: unless the seed has exactly 32 bytes.
  package init(rawRepresentation: some Collection<UInt8>) throws(OpenSSLError) {
    let operation = "read the Ed25519 private key"
    let key = rawRepresentation.withContiguousBytes {
      EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nil, $0.octets, $0.count)
    }
    guard let key else { throw .draining(operation) }
    handle = KeyHandle(key)
    var raw = [UInt8](repeating: 0, count: Ed25519PublicKey.byteCount)
    var count = raw.count
    guard EVP_PKEY_get_raw_public_key(key, &raw, &count) == 1 else { throw .draining(operation) }
    publicKey = try Ed25519PublicKey(rawRepresentation: raw)
  }

  /// The seed, 32 bytes: a secret.
  package var rawRepresentation: [UInt8] {
    var raw = [UInt8](repeating: 0, count: Self.byteCount)
    var count = raw.count
    precondition(EVP_PKEY_get_raw_private_key(handle.pointer, &raw, &count) == 1, "an Ed25519 key without its seed")
    return raw
  }

  /// The signature of `message`, 64 bytes; the same for the same message.
  package func sign(_ message: some Collection<UInt8>) throws(OpenSSLError) -> [UInt8] {
    let operation = "sign with Ed25519"
    guard let context = EVP_MD_CTX_new() else { throw .draining(operation) }
    defer { EVP_MD_CTX_free(context) }
    guard EVP_DigestSignInit(context, nil, nil, nil, handle.pointer) == 1 else { throw .draining(operation) }
    var signature = [UInt8](repeating: 0, count: Self.signatureByteCount)
    var count = signature.count
    let succeeded = message.withContiguousBytes {
      EVP_DigestSign(context, &signature, &count, $0.octets, $0.count) == 1
    }
    guard succeeded, count == signature.count else { throw .draining(operation) }
    return signature
  }
}

package struct Ed25519PublicKey: Hashable, Sendable {
  /// The size of the raw form, in bytes.
  package static let byteCount = 32

  package let rawRepresentation: [UInt8]
  private let handle: KeyHandle

  /// - Throws: unless there are exactly 32 bytes.
  package init(rawRepresentation: some Collection<UInt8>) throws(OpenSSLError) {
    let key = rawRepresentation.withContiguousBytes {
      EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nil, $0.octets, $0.count)
    }
    guard let key else { throw .draining("read the Ed25519 public key") }
    handle = KeyHandle(key)
    self.rawRepresentation = Array(rawRepresentation)
  }

  /// Whether `signature` is this key's over `message`. False for anything malformed.
  package func verify(_ signature: some Collection<UInt8>, of message: some Collection<UInt8>) -> Bool {
    guard signature.count == Ed25519PrivateKey.signatureByteCount, let context = EVP_MD_CTX_new() else { return false }
    defer {
      EVP_MD_CTX_free(context)
      ERR_clear_error()
    }
    guard EVP_DigestVerifyInit(context, nil, nil, nil, handle.pointer) == 1 else { return false }
    return signature.withContiguousBytes { sign in
      message.withContiguousBytes { EVP_DigestVerify(context, sign.octets, sign.count, $0.octets, $0.count) == 1 }
    }
  }

  package static func == (left: Self, right: Self) -> Bool { left.rawRepresentation == right.rawRepresentation }

  package func hash(into hasher: inout Hasher) { hasher.combine(rawRepresentation) }
}
