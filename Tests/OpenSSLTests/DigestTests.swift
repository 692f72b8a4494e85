// SHA-256 and the digest value.

internal import OpenSSL
internal import Testing

@Suite struct `SHA-256` {
  /// FIPS 180-4 examples, and the empty input.
  @Test(arguments: [
    ("", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"),
    ("abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
      "abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
      "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"
    ),
  ])
  func `gives the published digests`(text: String, hex: String) {
    #expect(SHA256.hash(Array(text.utf8)).hex == hex)
    #expect(SHA256.hash(text.utf8).hex == hex)
    #expect(Array(text.utf8).withUnsafeBytes { SHA256.hash($0) }.hex == hex)
    #expect(SHA256.hash(Array(text.utf8).span.bytes).hex == hex)
  }

  @Test func `gives the same digest however the bytes are cut`() {
    let bytes = (0..<300).map { UInt8($0 % 251) }
    for cut in [0, 1, 63, 64, 65, 299, 300] {
      var sha = SHA256()
      sha.update(bytes[..<cut])
      let halfway = sha
      sha.update(bytes[cut...])
      #expect(sha.finalize() == SHA256.hash(bytes))
      #expect(halfway.finalize() == SHA256.hash(bytes[..<cut]), "a copy goes its own way")
    }
  }

  /// Every length around the ends of blocks, beside others of every length, in even and odd numbers.
  @Test func `of many messages at once is what it is of each alone`() {
    let bytes = (0..<400).map { UInt8($0 * 7 % 251) }
    bytes.withUnsafeBytes { bytes in
      func piece(_ range: Range<Int>) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: bytes[range]) }
      var messages: [SHA256.Pieces] = []
      for length in 0...200 {
        for (other, head) in [(0, 0), (length, 26), (55 + length % 20, 64), (199 - length / 2, 1)] {
          messages.append((piece(0..<head), piece(head..<head + length)))
          messages.append((piece(7..<7 + other / 3), piece(100..<100 + other)))
        }
      }
      for count in [0, 1, 2, 31, 32, 33, messages.count - 1, messages.count] {
        var hashes = [UInt8](repeating: 0xA5, count: (count + 1) * Digest.byteCount)
        messages[..<count].withUnsafeBufferPointer { messages in
          hashes.withUnsafeMutableBytes { SHA256.hash(messages, into: $0) }
        }
        let expected = messages[..<count].flatMap { SHA256.hash($0.first, followedBy: $0.second).bytes }
        #expect(hashes.starts(with: expected), "\(count) messages")
        #expect(hashes.suffix(Digest.byteCount).allSatisfy { $0 == 0xA5 }, "writes no more than it was asked for")
      }
    }
  }

  @Test(arguments: 0...9) func `of neighbours takes the place of both`(pairs: Int) {
    let digests = (0..<2 * pairs).map { SHA256.hash([UInt8($0)]) }
    var bytes = digests.flatMap(\.bytes)
    bytes.withUnsafeMutableBytes { SHA256.hashPairs(0x01, of: $0) }
    let nodes = (0..<pairs).flatMap { SHA256.hash(0x01, digests[2 * $0], digests[2 * $0 + 1]).bytes }
    #expect(Array(bytes[..<nodes.count]) == nodes)
  }

  @Test func `goes on after it was asked for a digest`() {
    var sha = SHA256()
    sha.update(byte: UInt8(ascii: "a"))
    _ = sha.finalize()
    sha.update(Array("bc".utf8))
    #expect(sha.finalize() == SHA256.hash("abc".utf8))
  }
}

@Suite struct `A digest` {
  @Test func `is read from hexadecimal of either case and written in lower case`() throws {
    let hex = "BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"
    let digest = try #require(Digest(hex: hex))
    #expect(digest.hex == hex.lowercased())
    #expect(Digest(bytes: digest.bytes) == digest)
    #expect(digest.withBytes { $0.count } == 32)
  }

  @Test(arguments: ["", "00", String(repeating: "0", count: 63), String(repeating: "g", count: 64)])
  func `is not read from anything but 64 hexadecimal digits`(text: String) {
    #expect(Digest(hex: text) == nil)
  }

  @Test func `is ordered as its bytes are`() throws {
    let digests = (0..<64).map { SHA256.hash([UInt8($0)]) }
    let byBytes = digests.sorted { $0.bytes.lexicographicallyPrecedes($1.bytes) }
    #expect(digests.sorted() == byBytes)
  }
}

@Suite struct `Text encodings` {
  /// RFC 4648 section 10.
  @Test(arguments: [
    ("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg=="), ("fooba", "Zm9vYmE="),
    ("foobar", "Zm9vYmFy"),
  ])
  func `base64 goes there and back, with and without padding`(plain: String, encoded: String) {
    #expect(base64(plain.utf8) == encoded)
    #expect(bytes(base64: encoded) == Array(plain.utf8))
    #expect(bytes(base64: encoded.filter { $0 != "=" }) == Array(plain.utf8))
  }

  @Test(arguments: ["A", "AAAAA", "A=B=", "AA-A", "Zg===x"])
  func `base64 that cannot be is refused`(text: String) {
    #expect(bytes(base64: text) == nil)
  }

  @Test(arguments: ["0", "0g", "zz", "0x00"])
  func `hexadecimal that cannot be is refused`(text: String) {
    #expect(bytes(hexadecimal: text) == nil)
  }
}
