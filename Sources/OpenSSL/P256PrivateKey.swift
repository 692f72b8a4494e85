// The agent's TLS identity key: ECDSA over P-256, made on this machine and never sent anywhere.

internal import COpenSSL

package struct P256PrivateKey: Sendable {
  let handle: KeyHandle

  /// Makes a new key.
  package init() throws(OpenSSLError) {
    guard let key = pt_p256_generate() else { throw .draining("make a P-256 key") }
    handle = KeyHandle(key)
  }

  /// Reads an unencrypted PEM, PKCS#8 (RFC 5958) or SEC 1.
  /// - Throws: when it is not PEM, is encrypted, or is a key of another kind.
  package init(pem: String) throws(OpenSSLError) {
    let operation = "read the private key"
    guard let found = withReadingBIO(pem.utf8, { pt_pem_read_private_key($0) }), let key = found else {
      throw .draining(operation)
    }
    handle = KeyHandle(key)
    var name = [CChar](repeating: 0, count: 32)
    guard EVP_PKEY_is_a(key, "EC") == 1, EVP_PKEY_get_group_name(key, &name, name.count, nil) == 1,
      OBJ_sn2nid(name) == NID_X9_62_prime256v1
    else {
      ERR_clear_error()
      throw OpenSSLError(operation: operation, reasons: ["it is not a P-256 key"])
    }
  }

  /// PKCS#8 in PEM, unencrypted: a secret, to be written with mode 0600.
  package func pem() throws(OpenSSLError) -> String {
    guard let bytes = writtenBytes({ pt_pem_write_private_key($0, handle.pointer) == 1 }) else {
      throw .draining("encode the private key")
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// `sha256/<base64>` over the public half's SubjectPublicKeyInfo (RFC 7469 section 2.4).
  package func pin() throws(OpenSSLError) -> PublicKeyPin {
    PublicKeyPin(subjectPublicKeyInfo: try handle.subjectPublicKeyInfo())
  }
}

/// What a public key is recognised by: SHA-256 of its SubjectPublicKeyInfo, written `sha256/<base64>`.
package struct PublicKeyPin: Hashable, Sendable, CustomStringConvertible {
  package let digest: Digest

  package init(digest: Digest) { self.digest = digest }

  /// - Parameter subjectPublicKeyInfo: DER (RFC 5280 section 4.1.2.7).
  package init(subjectPublicKeyInfo: some Collection<UInt8>) {
    digest = SHA256.hash(subjectPublicKeyInfo)
  }

  /// Reads `sha256/<base64 of 32 bytes>`; nil for anything else.
  package init?(_ text: some StringProtocol) {
    let prefix = "sha256/"
    guard text.hasPrefix(prefix), let decoded = bytes(base64: text.dropFirst(prefix.count)),
      let digest = Digest(bytes: decoded)
    else { return nil }
    self.digest = digest
  }

  package var description: String { "sha256/" + base64(digest.bytes) }
}
