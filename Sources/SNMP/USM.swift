// Sealing and opening messages of SNMPv3 (RFC 3414, sections 6 and 8; RFC 3826, section 3; RFC 7860, section 4.2).
//
//     seal:  encrypt the scoped PDU  ->  encode with zeros for the digest  ->  HMAC over the whole message  ->  digest
//     open:  digest set to zeros, HMAC compared in constant time  ->  only then decrypt  ->  decode the scoped PDU
//
//     DES:   IV = pre-IV xor salt,           salt = engine boots (4 bytes) | counter (4 bytes)
//     AES:   IV = engine boots (4) | engine time (4) | salt (8)
//
// Time windows are not checked here: who is authoritative, and hence which rule holds, is the caller's knowledge.

internal import OpenSSL

/// Constants of the User-based Security Model.
package enum USM {
  /// RFC 3414, section 2.2.3: a message is timely within 150 seconds.
  package static let timeWindowSeconds: Int32 = 150
  /// RFC 3414, section 2.2.2: an engine whose boots latched at this value authenticates nothing any more.
  package static let engineBootsMax = Int32.max
  /// RFC 3411, section 5: an SnmpEngineID has at most 32 bytes.
  package static let engineIDByteCountMax = 32
}

/// Why a message could not be sealed or opened.
package enum USMError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The message's level needs a key the user does not have, or is "encrypted but not authenticated".
  case unsupportedLevel
  /// The digest does not match: a wrong password, another engine, or a forged or damaged message.
  case wrongDigest
  /// The message is authentic, but its decrypted text is no scoped PDU: the privacy password or algorithm differs.
  case decryption(String)
  /// The cipher refused the key or the text; the message says why.
  case cipher(String)

  package var description: String {
    switch self {
    case .unsupportedLevel: "the security level needs a key this user does not have"
    case .wrongDigest: "the digest does not match"
    case .decryption(let reason): "could not decrypt: \(reason)"
    case .cipher(let reason): "the cipher failed: \(reason)"
    }
  }
}

extension V3Message {
  /// The datagram of this message, whose payload must be plain, encrypted and authenticated as its flags say.
  ///
  /// - Parameter salt: must not repeat under one key.
  package func sealed(with keys: USMKeys, salt: UInt64) throws(USMError) -> [UInt8] {
    var message = self
    if flags.contains(.encrypted) {
      guard let privacy = keys.privacy, case .plain(let scoped) = payload else { throw .unsupportedLevel }
      let saltBytes = privacy.salt(salt, boots: security.engineBoots)
      message.security.privacy = saltBytes
      message.payload = .encrypted(try privacy.encrypt(scoped.encoded(), security, salt: saltBytes))
    }
    guard flags.contains(.authenticated) else {
      guard !flags.contains(.encrypted) else { throw .unsupportedLevel }
      return message.encoded().datagram
    }
    guard let authentication = keys.authentication else { throw .unsupportedLevel }
    message.security.authentication = [UInt8](repeating: 0, count: authentication.algorithm.digestByteCount)
    var (datagram, range) = message.encoded()
    datagram.replaceSubrange(range, with: authentication.digest(datagram))
    return datagram
  }
}

extension LocatedV3Message {
  /// Verifies the digest, then decrypts, as the message's flags say. A message of level noAuthNoPriv is returned as it is.
  ///
  /// - Parameter datagram: the bytes this message was decoded from.
  package func opened(
    from datagram: [UInt8], with keys: USMKeys, notes: inout [DecodingNote]
  ) throws(USMError) -> ScopedPDU {
    try verify(datagram, keys)
    return try decrypted(with: keys, notes: &notes)
  }

  /// Verifies the digest alone. Succeeds for a message without the flag `authenticated`.
  package func verify(_ datagram: [UInt8], _ keys: USMKeys) throws(USMError) {
    guard message.flags.contains(.authenticated) else {
      guard !message.flags.contains(.encrypted) else { throw .unsupportedLevel }
      return
    }
    guard let authentication = keys.authentication else { throw .unsupportedLevel }
    let count = authentication.algorithm.digestByteCount
    guard message.security.authentication.count == count, byteCount <= datagram.count else { throw .wrongDigest }
    var blanked = Array(datagram.prefix(byteCount))
    blanked.replaceSubrange(authenticationRange, with: repeatElement(0, count: count))
    guard constantTimeEqual(authentication.digest(blanked), message.security.authentication) else {
      throw .wrongDigest
    }
  }

  /// Decrypts and decodes the payload of a message whose digest was verified.
  package func decrypted(with keys: USMKeys, notes: inout [DecodingNote]) throws(USMError) -> ScopedPDU {
    switch message.payload {
    case .plain(let scoped):
      guard !message.flags.contains(.encrypted) else { throw .decryption("the message is not encrypted") }
      return scoped
    case .encrypted(let text):
      guard message.flags.contains(.encrypted), let privacy = keys.privacy else { throw .unsupportedLevel }
      let plain = try privacy.decrypt(text, message.security)
      do throws(BERError) {
        return try plain.lend { (bytes) throws(BERError) in
          var reader = BERReader(bytes)
          return try ScopedPDU(from: &reader, notes: &notes)
        }
      } catch {
        throw .decryption(error.description)
      }
    }
  }
}

extension USMKeys.Authentication {
  /// The truncated HMAC: `algorithm.digestByteCount` bytes.
  func digest(_ message: [UInt8]) -> [UInt8] {
    Array(hmac.authenticate(message).prefix(algorithm.digestByteCount))
  }
}

extension USMKeys.Privacy {
  static let saltByteCount = 8

  func salt(_ counter: UInt64, boots: Int32) -> [UInt8] {
    guard algorithm == .des else { return bigEndianBytes(counter) }
    return bigEndianBytes(UInt32(bitPattern: boots)) + bigEndianBytes(UInt32(truncatingIfNeeded: counter))
  }

  func encrypt(_ text: [UInt8], _ parameters: USMParameters, salt: [UInt8]) throws(USMError) -> [UInt8] {
    let multiple = algorithm.cipher.textByteMultiple
    let padding = (multiple - text.count % multiple) % multiple
    do throws(OpenSSLError) {
      return try algorithm.cipher.encrypt(
        text + repeatElement(0, count: padding), key: cipherKey,
        initializationVector: initializationVector(parameters, salt))
    } catch {
      throw .cipher(error.description)
    }
  }

  func decrypt(_ text: [UInt8], _ parameters: USMParameters) throws(USMError) -> [UInt8] {
    guard parameters.privacy.count == Self.saltByteCount else {
      throw .decryption("the salt has \(parameters.privacy.count) bytes, not \(Self.saltByteCount)")
    }
    guard text.count % algorithm.cipher.textByteMultiple == 0 else {
      throw .decryption("the text has \(text.count) bytes, which is no whole number of blocks")
    }
    do throws(OpenSSLError) {
      return try algorithm.cipher.decrypt(
        text, key: cipherKey, initializationVector: initializationVector(parameters, parameters.privacy))
    } catch {
      throw .cipher(error.description)
    }
  }

  private var cipherKey: [UInt8] { Array(key.prefix(algorithm.cipher.keyByteCount)) }

  private func initializationVector(_ parameters: USMParameters, _ salt: [UInt8]) -> [UInt8] {
    guard algorithm == .des else {
      return bigEndianBytes(UInt32(bitPattern: parameters.engineBoots))
        + bigEndianBytes(UInt32(bitPattern: parameters.engineTime)) + salt
    }
    return zip(key.dropFirst(algorithm.cipher.keyByteCount), salt).map { $0 ^ $1 }
  }
}

private func bigEndianBytes(_ value: some FixedWidthInteger) -> [UInt8] {
  withUnsafeBytes(of: value.bigEndian) { Array($0) }
}
