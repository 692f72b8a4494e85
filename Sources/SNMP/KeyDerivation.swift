// From a password to the keys of one user at one engine.
//
//     Ku   = H(password repeated to 2^20 bytes)            RFC 3414, appendix A.2
//     Kul  = H(Ku | engine id | Ku)                        RFC 3414, section 2.6
//
// A cipher whose key is longer than Kul lengthens it in one of two ways:
//
//     Blumenthal:  K = Kul; while too short: K = K | H(K)                          draft-blumenthal-aes-usm-04
//     Reeder:      K = Kul; while too short: K = K | Kul(Ku(last piece of K))      draft-reeder-snmpv3-usm-3desede-00

internal import OpenSSL

package enum KeyDerivation {
  /// RFC 3414, appendix A.2: the password is repeated to 1 MiB, so that a guess costs milliseconds.
  static let expandedByteCount = 1_048_576

  /// Ku: the key of a password at no engine in particular. Takes some milliseconds; an empty password is our own bug.
  package static func masterKey(password: [UInt8], _ algorithm: AuthenticationAlgorithm) -> [UInt8] {
    precondition(!password.isEmpty, "USMUser admits no empty password")
    let expanded = [UInt8](unsafeUninitializedCapacity: expandedByteCount) { buffer, count in
      var index = 0
      for position in 0..<expandedByteCount {
        buffer[position] = password[index]
        index += 1
        if index == password.count { index = 0 }
      }
      count = expandedByteCount
    }
    return algorithm.hash.hash(expanded)
  }

  /// Kul: the key at one engine.
  package static func localizedKey(
    masterKey: [UInt8], engineID: [UInt8], _ algorithm: AuthenticationAlgorithm
  ) -> [UInt8] {
    algorithm.hash.hash(masterKey + engineID + masterKey)
  }

  /// The key material of a cipher, made from Kul: `privacy.keyMaterialByteCount` bytes.
  package static func privacyKey(
    localizedKey: [UInt8], engineID: [UInt8], _ algorithm: AuthenticationAlgorithm, _ privacy: PrivacyAlgorithm
  ) -> [UInt8] {
    var key = localizedKey
    var lastPiece = localizedKey
    while key.count < privacy.keyMaterialByteCount {
      switch privacy {
      case .aes192Reeder, .aes256Reeder:
        let masterKey = masterKey(password: lastPiece, algorithm)
        lastPiece = Self.localizedKey(masterKey: masterKey, engineID: engineID, algorithm)
        key += lastPiece
      case .des, .aes128, .aes192, .aes256:
        key += algorithm.hash.hash(key)
      }
    }
    return Array(key.prefix(privacy.keyMaterialByteCount))
  }
}

extension AuthenticationAlgorithm {
  var hash: HashAlgorithm {
    switch self {
    case .md5: .md5
    case .sha1: .sha1
    case .sha224: .sha224
    case .sha256: .sha256
    case .sha384: .sha384
    case .sha512: .sha512
    }
  }
}

extension PrivacyAlgorithm {
  /// What is taken from the localized key: for DES 8 bytes of key and 8 of pre-IV (RFC 3414, section 8.1.1.1).
  package var keyMaterialByteCount: Int {
    switch self {
    case .des, .aes128: 16
    case .aes192, .aes192Reeder: 24
    case .aes256, .aes256Reeder: 32
    }
  }

  var cipher: BlockCipher {
    switch self {
    case .des: .desCBC
    case .aes128: .aes128CFB
    case .aes192, .aes192Reeder: .aes192CFB
    case .aes256, .aes256Reeder: .aes256CFB
    }
  }
}
