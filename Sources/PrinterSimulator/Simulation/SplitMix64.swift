// The simulator's only source of chance: a small generator with a fixed sequence for each seed, so that a fleet started
// twice with one seed lives the same life. (Steele, Lea, Flood: Fast splittable pseudorandom number generators, 2014.)

/// A seeded generator. Copying it copies its future.
package struct SplitMix64: RandomNumberGenerator, Sendable {
  private var state: UInt64

  package init(seed: UInt64) { state = seed }

  /// A generator of its own for one part of a whole: the same seed and name give the same sequence everywhere.
  package init(seed: UInt64, name: String) {
    // FNV-1a over the name, because Hasher is seeded anew in each process.
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for byte in name.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01b3 }
    state = seed ^ hash
  }

  package mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94d0_49bb_1331_11eb
    return mixed ^ (mixed >> 31)
  }

  /// True in `percent` of 100 cases.
  mutating func chance(percent: Int) -> Bool {
    percent > 0 && Int.random(in: 0..<100, using: &self) < percent
  }
}
