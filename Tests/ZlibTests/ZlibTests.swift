// Messages through zlib and back, and what comes of those that lie.

internal import Testing
internal import Zlib

/// The same numbers in each run.
private struct Chance: RandomNumberGenerator {
  var state: UInt64 = 1
  mutating func next() -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return state ^ state >> 29
  }
}

private let formats = [ZlibFormat.zlib, .gzip]
private let text = Array(String(repeating: "Toner, schwarz: 40 %. ", count: 500).utf8)

private func inflated(_ bytes: [UInt8], _ format: ZlibFormat, bytesMax: Int = 1 << 20) throws(ZlibError) -> [UInt8] {
  try Inflater(format).inflate(bytes[...], bytesMax: bytesMax)
}

@Suite struct `A message` {
  @Test(arguments: formats) func `survives being deflated, one after the other`(format: ZlibFormat) throws {
    let (deflater, inflater) = (try Deflater(format), try Inflater(format))
    for count in [2_000, 100, 11_000, 300] {
      let message = Array(text.prefix(count))
      let deflated = try #require(deflater.deflate(message))
      #expect(deflated.count < message.count / 2)
      #expect(try inflater.inflate(deflated[...], bytesMax: count) == message)
    }
  }

  @Test(arguments: formats) func `that would not be shorter stays as it is`(format: ZlibFormat) throws {
    var chance = Chance()
    let noise = (0..<5_000).map { _ in UInt8.random(in: 0...255, using: &chance) }
    let deflater = try Deflater(format)
    for message in [[], [1], [1, 2, 3], noise] { #expect(deflater.deflate(message) == nil) }
    #expect(deflater.deflate(text) != nil, "and the next one is deflated again")
  }

  @Test func `is read as other programs write it`() throws {
    // Python: zlib.compress(b"abc" * 3)
    let zlib: [UInt8] = [
      0x78, 0x9C, 0x4B, 0x4C, 0x4A, 0x4E, 0x04, 0x23, 0x00, 0x11, 0x3D, 0x03, 0x73,
    ]
    #expect(try inflated(zlib, .zlib) == Array("abcabcabc".utf8))
  }
}

@Suite struct `Compressed bytes` {
  @Test(arguments: formats) func `are inflated to the limit and not beyond`(format: ZlibFormat) throws {
    let bomb = try #require(try Deflater(format).deflate([UInt8](repeating: 0, count: 50_000_000)))
    #expect(bomb.count < 60_000)
    let inflater = try Inflater(format)
    #expect(throws: ZlibError.tooLarge(limit: 1_000)) { try inflater.inflate(bomb[...], bytesMax: 1_000) }
    #expect(throws: ZlibError.tooLarge(limit: 49_999_999)) { try inflater.inflate(bomb[...], bytesMax: 49_999_999) }
    #expect(try inflater.inflate(bomb[...], bytesMax: 50_000_000).count == 50_000_000)
  }

  @Test(arguments: formats) func `that are cut anywhere are incomplete`(format: ZlibFormat) throws {
    let whole = try #require(try Deflater(format).deflate(Array(text.prefix(700))))
    for count in 0..<whole.count {
      #expect(throws: ZlibError.incomplete) { try inflated(Array(whole[..<count]), format) }
    }
  }

  @Test(arguments: formats) func `with others behind them are refused`(format: ZlibFormat) throws {
    let whole = try #require(try Deflater(format).deflate(text))
    #expect(throws: ZlibError.trailing(count: 3)) { try inflated(whole + [0, 0, 0], format) }
    #expect(throws: ZlibError.trailing(count: whole.count)) { try inflated(whole + whole, format) }
  }

  @Test func `of one format are none of the other`() throws {
    let (zlib, gzip) = (
      try #require(try Deflater(.zlib).deflate(text)), try #require(try Deflater(.gzip).deflate(text))
    )
    for (bytes, format) in [(zlib, ZlibFormat.gzip), (gzip, .zlib), (text, .zlib), (text, .gzip)] {
      let error = #expect(throws: ZlibError.self) { try inflated(bytes, format) }
      guard case .corrupt? = error else { throw error ?? .incomplete }
    }
  }

  @Test(arguments: formats) func `that were changed anywhere are refused, or mean the same`(format: ZlibFormat) throws {
    var chance = Chance()
    let message = Array(text.prefix(700))
    let whole = try #require(try Deflater(format).deflate(message))
    let inflater = try Inflater(format)
    for index in whole.indices {
      var changed = whole
      changed[index] ^= UInt8.random(in: 1...255, using: &chance)
      do {
        // The header of gzip has bytes that mean nothing to a reader: a time, a system.
        let read = try inflater.inflate(changed[...], bytesMax: 10_000)
        #expect(read == message && format == .gzip && index < 10)
      } catch { #expect(error != .unavailable(code: 0)) }
    }
    #expect(try inflater.inflate(whole[...], bytesMax: 700) == message, "the state is good for the next one")
  }
}
