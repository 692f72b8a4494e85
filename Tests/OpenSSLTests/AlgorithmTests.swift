// Published vectors for the algorithms of SNMP's User-based Security Model.

internal import OpenSSL
internal import Testing

private func unhex(_ text: String) throws -> [UInt8] { try #require(bytes(hexadecimal: text.filter { $0 != " " })) }

@Suite struct `Message authentication codes` {
  struct Vector: Sendable {
    let algorithm: HashAlgorithm
    let key: [UInt8]
    let message: String
    let code: String
  }

  static let jefe = Array("Jefe".utf8)
  static let question = "what do ya want for nothing?"
  static let longKey = [UInt8](repeating: 0xAA, count: 131)
  static let longText = "Test Using Larger Than Block-Size Key - Hash Key First"

  /// RFC 2202 case 2 and RFC 4231 cases 2 and 6.
  static let vectors = [
    Vector(algorithm: .md5, key: jefe, message: question, code: "750c783e6ab0b503eaa86e310a5db738"),
    Vector(algorithm: .sha1, key: jefe, message: question, code: "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"),
    Vector(
      algorithm: .sha224, key: jefe, message: question,
      code: "a30e01098bc6dbbf45690f3a7e9e6d0f8bbea2a39e6148008fd05e44"),
    Vector(
      algorithm: .sha256, key: jefe, message: question,
      code: "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"),
    Vector(
      algorithm: .sha384, key: jefe, message: question,
      code: "af45d2e376484031617f78d2b58a6b1b9c7ef464f5a01b47e42ec3736322445e8e2240ca5e69e2c78b3239ecfab21649"),
    Vector(
      algorithm: .sha512, key: jefe, message: question,
      code: """
        164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea250554\
        9758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737
        """),
    Vector(
      algorithm: .sha256, key: longKey, message: longText,
      code: "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
    Vector(
      algorithm: .sha512, key: longKey, message: longText,
      code: """
        80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f352\
        6b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598
        """),
  ]

  @Test(arguments: vectors)
  func `gives the published codes, again and again with one key`(vector: Vector) {
    let hmac = HMAC(vector.algorithm, key: vector.key)
    let first = hmac.authenticate(vector.message.utf8)
    _ = hmac.authenticate([])
    #expect(hexadecimal(first) == vector.code)
    #expect(hmac.authenticate(Array(vector.message.utf8)) == first)
    #expect(first.count == vector.algorithm.byteCount)
  }

  @Test func `takes an empty key`() {
    let code = HMAC.authenticate([UInt8](), key: [UInt8](), algorithm: .sha256)
    #expect(hexadecimal(code) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad")
  }

  @Test func `may be used from many tasks at once`() async {
    let hmac = HMAC(.sha256, key: Self.jefe)
    let codes = await withTaskGroup(of: [UInt8].self) { group in
      for _ in 0..<200 { group.addTask { hmac.authenticate(Self.question.utf8) } }
      return await group.reduce(into: Set<[UInt8]>()) { $0.insert($1) }
    }
    #expect(codes.map { hexadecimal($0) } == ["5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"])
  }
}

@Suite struct `Hashes` {
  @Test(arguments: [
    (HashAlgorithm.md5, "900150983cd24fb0d6963f7d28e17f72"),
    (.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (.sha224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    (.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
  ])
  func `of abc are the published ones`(algorithm: HashAlgorithm, hex: String) {
    #expect(hexadecimal(algorithm.hash("abc".utf8)) == hex)
  }

  @Test(arguments: HashAlgorithm.allCases)
  func `have the size they say`(algorithm: HashAlgorithm) {
    #expect(algorithm.hash([1, 2, 3]).count == algorithm.byteCount)
  }

  @Test func `compare in constant time by content and length`() {
    #expect(constantTimeEqual([1, 2, 3], [1, 2, 3]))
    #expect(!constantTimeEqual([1, 2, 3], [1, 2, 4]))
    #expect(!constantTimeEqual([1, 2, 3], [1, 2]))
    #expect(constantTimeEqual([], []))
  }
}

@Suite struct `Block ciphers` {
  struct Vector: Sendable {
    let cipher: BlockCipher
    let key: String
    let vector: String
    let plain: String
    let encrypted: String
  }

  static let plain = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51"

  /// SP 800-38A, F.3.13, F.3.15 and F.3.17 (first two blocks), and FIPS 81's DES-CBC example.
  static let vectors = [
    Vector(
      cipher: .aes128CFB, key: "2b7e151628aed2a6abf7158809cf4f3c", vector: "000102030405060708090a0b0c0d0e0f",
      plain: plain, encrypted: "3b3fd92eb72dad20333449f8e83cfb4a c8a64537a0b3a93fcde3cdad9f1ce58b"),
    Vector(
      cipher: .aes192CFB, key: "8e73b0f7da0e6452c810f32b809079e562f8ead2522c6b7b",
      vector: "000102030405060708090a0b0c0d0e0f", plain: plain,
      encrypted: "cdc80d6fddf18cab34c25909c99a4174 67ce7f7f81173621961a2b70171d3d7a"),
    Vector(
      cipher: .aes256CFB, key: "603deb1015ca71be2b73aef0857d77811f352c073b6108d72d9810a30914dff4",
      vector: "000102030405060708090a0b0c0d0e0f", plain: plain,
      encrypted: "dc7e84bfda79164b7ecd8486985d3860 39ffed143b28b1c832113c6331e5407b"),
    Vector(
      cipher: .desCBC, key: "0123456789abcdef", vector: "1234567890abcdef",
      plain: "4e6f77206973207468652074696d6520666f7220616c6c20",
      encrypted: "e5c7cdde872bf27c43e934008c389c0f683788499a7c05f6"),
  ]

  @Test(arguments: vectors)
  func `give the published texts both ways`(vector: Vector) throws {
    let (key, initial) = (try unhex(vector.key), try unhex(vector.vector))
    let (plain, encrypted) = (try unhex(vector.plain), try unhex(vector.encrypted))
    #expect(try vector.cipher.encrypt(plain, key: key, initializationVector: initial) == encrypted)
    #expect(try vector.cipher.decrypt(encrypted, key: key, initializationVector: initial) == plain)
  }

  @Test(arguments: [BlockCipher.aes128CFB, .aes192CFB, .aes256CFB])
  func `in CFB mode keep every length`(cipher: BlockCipher) throws {
    let key = [UInt8](repeating: 1, count: cipher.keyByteCount)
    let initial = [UInt8](repeating: 2, count: cipher.initializationVectorByteCount)
    for count in 0...33 {
      let plain = (0..<count).map { UInt8($0) }
      let encrypted = try cipher.encrypt(plain, key: key, initializationVector: initial)
      #expect(encrypted.count == count)
      #expect(try cipher.decrypt(encrypted, key: key, initializationVector: initial) == plain)
    }
  }

  @Test(arguments: BlockCipher.allCases)
  func `refuse keys and vectors of another length`(cipher: BlockCipher) {
    let key = [UInt8](repeating: 1, count: cipher.keyByteCount)
    let initial = [UInt8](repeating: 2, count: cipher.initializationVectorByteCount)
    let text = [UInt8](repeating: 3, count: 16)
    #expect(throws: OpenSSLError.self) { try cipher.encrypt(text, key: key + [0], initializationVector: initial) }
    #expect(throws: OpenSSLError.self) { try cipher.encrypt(text, key: key, initializationVector: [0] + initial) }
    #expect(throws: OpenSSLError.self) { try cipher.decrypt(text, key: [], initializationVector: initial) }
  }

  @Test func `refuse a DES text that is no multiple of the block`() {
    #expect(throws: OpenSSLError.self) {
      try BlockCipher.desCBC.decrypt(
        [1, 2, 3], key: [UInt8](repeating: 1, count: 8), initializationVector: [UInt8](repeating: 2, count: 8))
    }
  }
}

@Suite struct `Secure random bytes` {
  @Test func `come in the number asked for and differ`() {
    #expect(SecureRandom.bytes(0).isEmpty)
    #expect(SecureRandom.bytes(32).count == 32)
    #expect(SecureRandom.bytes(32) != SecureRandom.bytes(32))
  }
}
