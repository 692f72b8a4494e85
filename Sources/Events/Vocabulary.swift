// Words that stand in record after record: the names of meters, rules, the indices of rows. A fleet uses a few hundred of them, so they are
// parsed once and shared, instead of parsed and allocated millions of times.

/// Remembers what some bytes mean. Bounded: each word has one place, and gives it up to the next one that belongs there.
struct Vocabulary<Word> {
  private var words: [(bytes: [UInt8], word: Word)?]

  /// - Parameter places: how many words are remembered at most; 0 for a vocabulary that is used once.
  init(places: Int) { words = Array(repeating: nil, count: places) }

  /// What the bytes mean, by memory or by `read`.
  mutating func word<Failure: Error>(
    _ bytes: UnsafeRawBufferPointer, read: (UnsafeRawBufferPointer) throws(Failure) -> Word
  ) throws(Failure) -> Word {
    guard !words.isEmpty else { return try read(bytes) }
    let place = place(of: bytes)
    if let known = words[place], known.bytes.count == bytes.count, bytes.elementsEqual(known.bytes) {
      return known.word
    }
    let word = try read(bytes)
    words[place] = (Array(bytes), word)
    return word
  }

  /// FNV-1a, folded to the number of places.
  private func place(of bytes: UnsafeRawBufferPointer) -> Int {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in bytes { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    return Int(truncatingIfNeeded: (hash ^ hash >> 32) % UInt64(words.count))
  }
}
