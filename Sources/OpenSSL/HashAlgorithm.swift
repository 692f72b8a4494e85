// The hash functions of SNMP's User-based Security Model (RFC 3414, RFC 7860) and HMAC over them.
//
// They come from a library context of our own with the default provider, so that a machine whose openssl.cnf hides MD5
// or SHA-1 still reaches its old printers: what may be used with a device is the operator's setting, not this room's.

internal import COpenSSL
internal import Synchronization

/// A hash function by name.
package enum HashAlgorithm: String, CaseIterable, Hashable, Sendable {
  case md5, sha1, sha224, sha256, sha384, sha512

  /// The size of the result, in bytes.
  package var byteCount: Int {
    switch self {
    case .md5: 16
    case .sha1: 20
    case .sha224: 28
    case .sha256: 32
    case .sha384: 48
    case .sha512: 64
    }
  }

  /// OpenSSL's name for it.
  var name: String {
    switch self {
    case .md5: "MD5"
    case .sha1: "SHA1"
    case .sha224: "SHA2-224"
    case .sha256: "SHA2-256"
    case .sha384: "SHA2-384"
    case .sha512: "SHA2-512"
    }
  }

  /// The hash of `bytes`: `byteCount` bytes.
  package func hash(_ bytes: some Collection<UInt8>) -> [UInt8] {
    bytes.withContiguousBytes { input in
      [UInt8](unsafeUninitializedCapacity: Int(EVP_MAX_MD_SIZE)) { output, count in
        var length: UInt32 = 0
        let succeeded = EVP_Digest(
          input.baseAddress, input.count, output.baseAddress, &length, Library.digest(self), nil)
        precondition(succeeded == 1, "OpenSSL's own \(name) failed: memory is exhausted")
        count = Int(length)
      }
    }
  }
}

/// A keyed HMAC (RFC 2104), to be kept and used again: setting the key up costs more than a short message.
package final class HMAC: @unchecked Sendable {  // The context is touched only while `lock` is held.
  package let algorithm: HashAlgorithm
  private let lock = Mutex<Void>(())
  private let context: OpaquePointer

  /// - Parameter key: of any length, also empty.
  package init(_ algorithm: HashAlgorithm, key: some Collection<UInt8>) {
    self.algorithm = algorithm
    let context = key.withContiguousBytes { pt_hmac_new(Library.context, algorithm.name, $0.octets, $0.count) }
    guard let context else { preconditionFailure("OpenSSL's own HMAC failed: memory is exhausted") }
    self.context = context
  }

  deinit { EVP_MAC_CTX_free(context) }

  /// The authentication code of `message`: `algorithm.byteCount` bytes, untruncated.
  package func authenticate(_ message: some Collection<UInt8>) -> [UInt8] {
    message.withContiguousBytes { input in
      [UInt8](unsafeUninitializedCapacity: algorithm.byteCount) { output, count in
        let succeeded = lock.withLock { _ in
          // A null key starts again with the key already set.
          EVP_MAC_init(context, nil, 0, nil) == 1
            && (input.isEmpty || EVP_MAC_update(context, input.octets, input.count) == 1)
            && EVP_MAC_final(context, output.baseAddress, &count, output.count) == 1
        }
        precondition(succeeded, "OpenSSL's own HMAC failed: memory is exhausted")
      }
    }
  }

  /// The authentication code of one message under a key that is not used again.
  package static func authenticate(
    _ message: some Collection<UInt8>, key: some Collection<UInt8>, algorithm: HashAlgorithm
  ) -> [UInt8] {
    HMAC(algorithm, key: key).authenticate(message)
  }
}

/// Compares in a time that depends on the lengths only, for authentication codes and other secrets.
package func constantTimeEqual(_ left: some Collection<UInt8>, _ right: some Collection<UInt8>) -> Bool {
  guard left.count == right.count else { return false }
  return left.withContiguousBytes { first in
    right.withContiguousBytes { second in
      first.isEmpty || CRYPTO_memcmp(first.baseAddress, second.baseAddress, first.count) == 0
    }
  }
}

/// The library context of this room and what was fetched from it. All of it is immutable once made, and OpenSSL counts
/// references to it atomically, hence `nonisolated(unsafe)`.
enum Library {
  nonisolated(unsafe) static let context: OpaquePointer = {
    guard let context = OSSL_LIB_CTX_new(), OSSL_PROVIDER_load(context, "default") != nil else {
      preconditionFailure("OpenSSL has no default provider: \(OpenSSLError.drainedReasons())")
    }
    return context
  }()

  nonisolated(unsafe) private static let digests: [OpaquePointer] = HashAlgorithm.allCases.map { algorithm in
    guard let digest = EVP_MD_fetch(context, algorithm.name, nil) else {
      preconditionFailure("OpenSSL's default provider has no \(algorithm.name)")
    }
    return digest
  }

  static func digest(_ algorithm: HashAlgorithm) -> OpaquePointer {
    switch algorithm {
    case .md5: digests[0]
    case .sha1: digests[1]
    case .sha224: digests[2]
    case .sha256: digests[3]
    case .sha384: digests[4]
    case .sha512: digests[5]
    }
  }

  nonisolated(unsafe) private static let ciphers: [OpaquePointer] = BlockCipher.allCases.map { cipher in
    guard let fetched = EVP_CIPHER_fetch(context, cipher.name, nil) else {
      preconditionFailure("OpenSSL's default provider has no \(cipher.name)")
    }
    return fetched
  }

  static func cipher(_ cipher: BlockCipher) -> OpaquePointer {
    switch cipher {
    case .aes128CFB: ciphers[0]
    case .aes192CFB: ciphers[1]
    case .aes256CFB: ciphers[2]
    case .desCBC: ciphers[3]
    }
  }
}
