// The ciphers of SNMP's User-based Security Model: DES-CBC (RFC 3414 section 8) and AES-CFB128 (RFC 3826, with the
// 192 and 256 bit keys of the two key extensions in use).
//
// DES is not in OpenSSL's default provider; Triple-DES with one key three times is DES, and is.

internal import COpenSSL

/// A cipher with its mode. None of them pads.
package enum BlockCipher: CaseIterable, Hashable, Sendable {
  case aes128CFB, aes192CFB, aes256CFB, desCBC

  /// The size of the key, in bytes.
  package var keyByteCount: Int {
    switch self {
    case .aes128CFB: 16
    case .aes192CFB: 24
    case .aes256CFB: 32
    case .desCBC: 8
    }
  }

  /// The size of the initialization vector, in bytes.
  package var initializationVectorByteCount: Int { self == .desCBC ? 8 : 16 }

  /// Texts must be a multiple of this many bytes: DES-CBC's caller pads (RFC 3414 section 8.1.1.2), CFB takes any length.
  package var textByteMultiple: Int { self == .desCBC ? 8 : 1 }

  /// OpenSSL's name for it.
  var name: String {
    switch self {
    case .aes128CFB: "AES-128-CFB"
    case .aes192CFB: "AES-192-CFB"
    case .aes256CFB: "AES-256-CFB"
    case .desCBC: "DES-EDE3-CBC"
    }
  }

  /// - Throws: when the key, the vector or the text has a length this cipher does not take.
  package func encrypt(
    _ text: [UInt8], key: [UInt8], initializationVector: [UInt8]
  ) throws(OpenSSLError) -> [UInt8] {
    try transform(text, key: key, initializationVector: initializationVector, encrypting: true)
  }

  /// - Throws: when the key, the vector or the text has a length this cipher does not take. A wrong key is not noticed:
  ///   it gives other bytes.
  package func decrypt(
    _ text: [UInt8], key: [UInt8], initializationVector: [UInt8]
  ) throws(OpenSSLError) -> [UInt8] {
    try transform(text, key: key, initializationVector: initializationVector, encrypting: false)
  }

  private func transform(
    _ text: [UInt8], key: [UInt8], initializationVector: [UInt8], encrypting: Bool
  ) throws(OpenSSLError) -> [UInt8] {
    let operation = encrypting ? "encrypt with \(name)" : "decrypt with \(name)"
    func refuse(_ reason: String) -> OpenSSLError { OpenSSLError(operation: operation, reasons: [reason]) }
    guard key.count == keyByteCount else { throw refuse("the key has \(key.count) bytes, not \(keyByteCount)") }
    guard initializationVector.count == initializationVectorByteCount else {
      throw refuse("the vector has \(initializationVector.count) bytes, not \(initializationVectorByteCount)")
    }
    guard text.count % textByteMultiple == 0 else {
      throw refuse("the text has \(text.count) bytes, not a multiple of \(textByteMultiple)")
    }
    guard let length = Int32(exactly: text.count) else { throw refuse("the text is larger than 2 GiB") }
    guard length > 0 else { return [] }
    guard let context = EVP_CIPHER_CTX_new() else { throw .draining(operation) }
    defer { EVP_CIPHER_CTX_free(context) }

    let effectiveKey = self == .desCBC ? key + key + key : key
    guard
      EVP_CipherInit_ex2(
        context, Library.cipher(self), effectiveKey, initializationVector, encrypting ? 1 : 0, nil) == 1,
      EVP_CIPHER_CTX_set_padding(context, 0) == 1
    else { throw .draining(operation) }

    var produced: Int32 = 0
    var rest: Int32 = 0
    var succeeded = false
    let output = [UInt8](unsafeUninitializedCapacity: text.count + Int(EVP_MAX_BLOCK_LENGTH)) { buffer, count in
      guard let start = buffer.baseAddress else { return }
      succeeded =
        EVP_CipherUpdate(context, start, &produced, text, length) == 1
        && EVP_CipherFinal_ex(context, start + Int(produced), &rest) == 1
      count = succeeded ? Int(produced) + Int(rest) : 0
    }
    guard succeeded else { throw .draining(operation) }
    return output
  }
}
