internal import MIB
internal import OpenSSL
internal import SNMP
internal import Testing

/// Keys, digests and ciphers of the User-based Security Model.
@Suite struct USMTests {
  private static let engineID: [UInt8] = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]
  private static let password = Array("maplesyrup".utf8)

  private func localized(_ algorithm: AuthenticationAlgorithm) -> [UInt8] {
    let master = KeyDerivation.masterKey(password: Self.password, algorithm)
    return KeyDerivation.localizedKey(masterKey: master, engineID: Self.engineID, algorithm)
  }

  @Test(arguments: [
    (AuthenticationAlgorithm.md5, "9faf3283884e92834ebc9847d8edd963"),
    (.sha1, "9fb5cc0381497b3793528939ff788d5d79145211"),
  ])
  func `A password becomes RFC 3414's master key`(_ algorithm: AuthenticationAlgorithm, _ expected: String) {
    #expect(hexadecimal(KeyDerivation.masterKey(password: Self.password, algorithm)) == expected)
  }

  @Test(arguments: [
    (AuthenticationAlgorithm.md5, "526f5eed9fcce26f8964c2930787d82b"),
    (.sha1, "6695febc9288e36282235fc7151f128497b38f3f"),
    (.sha256, "8982e0e549e866db361a6b625d84cccc11162d453ee8ce3a6445c2d6776f0f8b"),
  ])
  func `A master key becomes the published localized key`(_ algorithm: AuthenticationAlgorithm, _ expected: String) {
    #expect(hexadecimal(localized(algorithm)) == expected)
  }

  @Test(arguments: [
    (AuthenticationAlgorithm.md5, "526f5eed9fcce26f8964c2930787d82b79eff44a90650ee0a3a40abfac5acc12"),
    (.sha1, "6695febc9288e36282235fc7151f128497b38f3f9b8b6d78936ba6e7d19dfd9c"),
  ])
  func `Reeder's extension gives the draft's key`(_ algorithm: AuthenticationAlgorithm, _ expected: String) {
    let key = KeyDerivation.privacyKey(
      localizedKey: localized(algorithm), engineID: Self.engineID, algorithm, .aes256Reeder)
    #expect(hexadecimal(key) == expected)
  }

  @Test func `Blumenthal's extension hashes all of the key so far`() {
    let short = localized(.md5)
    let key = KeyDerivation.privacyKey(localizedKey: short, engineID: Self.engineID, .md5, .aes256)
    #expect(key == short + HashAlgorithm.md5.hash(short))
    let shortest = Array(key.prefix(24))
    #expect(KeyDerivation.privacyKey(localizedKey: short, engineID: Self.engineID, .md5, .aes192) == shortest)
  }

  @Test(arguments: AuthenticationAlgorithm.allCases, PrivacyAlgorithm.allCases)
  func `What one side seals the other opens`(
    _ authentication: AuthenticationAlgorithm, _ privacy: PrivacyAlgorithm
  ) throws {
    let user = try USMUser(
      name: "fleet", authentication: .init(authentication, password: Self.password),
      privacy: .init(privacy, password: Array("another password".utf8)))
    let keys = USMKeyCache().keys(for: user, engineID: Self.engineID)
    let datagram = try sealed(with: keys, level: user.level)
    var notes: [DecodingNote] = []
    let located = try LocatedV3Message(decoding: datagram, notes: &notes)
    #expect(located.message.security.authentication.count == authentication.digestByteCount)
    #expect(located.message.security.privacy.count == 8)
    guard case .encrypted(let text) = located.message.payload else {
      Issue.record("the payload is not encrypted")
      return
    }
    #expect(text != SampleMessages.scoped.encoded())
    #expect(try located.opened(from: datagram, with: keys, notes: &notes) == SampleMessages.scoped)
  }

  @Test func `Any changed byte of an authenticated message is found out`() throws {
    let user = try USMUser(name: "fleet", authentication: .init(.sha256, password: Self.password))
    let keys = USMKeyCache().keys(for: user, engineID: Self.engineID)
    let datagram = try sealed(with: keys, level: user.level)
    for position in datagram.indices {
      var damaged = datagram
      damaged[position] ^= 0x01
      var notes: [DecodingNote] = []
      guard let located = try? LocatedV3Message(decoding: damaged, notes: &notes) else { continue }
      // Clearing the flag makes it a message of another level, which its receiver refuses by level.
      guard located.message.flags.contains(.authenticated) else { continue }
      #expect(throws: USMError.self, "byte \(position)") {
        try located.opened(from: damaged, with: keys, notes: &notes)
      }
    }
  }

  @Test func `A wrong privacy password is a decryption error, not another answer`() throws {
    func user(_ password: String) throws -> USMUser {
      try USMUser(
        name: "fleet", authentication: .init(.sha1, password: Self.password),
        privacy: .init(.aes128, password: Array(password.utf8)))
    }
    let cache = USMKeyCache()
    let datagram = try sealed(
      with: cache.keys(for: user("the right one"), engineID: Self.engineID), level: [.authenticated, .encrypted])
    var notes: [DecodingNote] = []
    let located = try LocatedV3Message(decoding: datagram, notes: &notes)
    let wrong = try cache.keys(for: user("the wrong one"), engineID: Self.engineID)
    let error = #expect(throws: USMError.self) { try located.opened(from: datagram, with: wrong, notes: &notes) }
    guard case .decryption = error else {
      Issue.record("\(String(describing: error))")
      return
    }
  }

  @Test func `Encryption without authentication is refused`() throws {
    let user = try USMUser(
      name: "fleet", authentication: .init(.sha1, password: Self.password),
      privacy: .init(.aes128, password: Self.password))
    let keys = USMKeyCache().keys(for: user, engineID: Self.engineID)
    #expect(throws: USMError.unsupportedLevel) { try sealed(with: keys, level: .encrypted) }
    #expect(throws: USMError.unsupportedLevel) { try sealed(with: .none, level: .authenticated) }
  }

  private func sealed(with keys: USMKeys, level: V3Message.Flags) throws(USMError) -> [UInt8] {
    let security = USMParameters(
      engineID: Self.engineID, engineBoots: 3, engineTime: 500, userName: Array("fleet".utf8))
    return try V3Message(messageID: 5, flags: level, security: security, payload: .plain(SampleMessages.scoped))
      .sealed(with: keys, salt: 0x0102_0304_0506_0708)
  }
}

/// Credentials and what they show of themselves.
@Suite struct CredentialTests {
  @Test func `No description of a credential shows its secret`() throws {
    let user = try USMUser(
      name: "fleet", authentication: .init(.sha1, password: Array("topsecret1".utf8)),
      privacy: .init(.aes128, password: Array("topsecret2".utf8)))
    let credentials: [Credential] = [
      .user(user), .community(version: .v2c, community: Array("topsecret0".utf8)),
    ]
    for credential in credentials {
      var dumped = ""
      dump(credential, to: &dumped)
      for text in ["\(credential)", String(reflecting: credential), dumped, "\([credential])"] {
        #expect(!text.contains("topsecret"))
        #expect(!text.contains("116, 111, 112"), "the secret's bytes are in: \(text)")
      }
    }
    #expect("\(credentials[0])".contains("fleet"))
    #expect(!"\(String(reflecting: user.authentication))".contains("116, 111, 112"))
  }

  @Test func `A user that cannot work is refused when it is made`() {
    let good = USMUser.Authentication(.sha1, password: Array("password".utf8))
    let privacy = USMUser.Privacy(.aes128, password: Array("password".utf8))
    #expect(throws: CredentialError.privacyWithoutAuthentication) { try USMUser(name: "a", privacy: privacy) }
    #expect(throws: CredentialError.passwordTooShort) {
      try USMUser(name: "a", authentication: .init(.md5, password: Array("7 bytes".utf8)))
    }
    #expect(throws: CredentialError.nameLength(0)) { try USMUser(name: "", authentication: good) }
    #expect(throws: CredentialError.nameLength(33)) { try USMUser(name: String(repeating: "n", count: 33)) }
    #expect(throws: CredentialError.contextNameLength(33)) {
      try USMUser(name: "a", contextName: String(repeating: "n", count: 33))
    }
  }
}
