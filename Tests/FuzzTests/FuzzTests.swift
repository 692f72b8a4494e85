// Seeds, and whatever a fuzzer ever found, through every reader of bytes from outside; and some chance of our own.

import FuzzTargets
import Foundation
import Testing

@Suite struct `Bytes from outside` {
  private static let fixtures = URL(fileURLWithPath: #filePath + "/../../../Fixtures/fuzz").standardized

  static func inputs(of target: FuzzTarget) throws -> [URL] {
    try FileManager.default.contentsOfDirectory(
      at: fixtures.appendingPathComponent(target.rawValue), includingPropertiesForKeys: nil
    ).filter { !$0.lastPathComponent.hasPrefix(".") }
  }

  @Test(arguments: FuzzTarget.allCases) func `that are seeds, or were found, trap nothing`(target: FuzzTarget) throws {
    let inputs = try Self.inputs(of: target)
    #expect(!inputs.isEmpty, "there are seeds")
    for input in inputs { run(target, Array(try Data(contentsOf: input))) }
  }

  @Test(arguments: FuzzTarget.allCases) func `that are cut or changed anywhere trap nothing`(target: FuzzTarget) throws
  {
    var random = Chance(state: ProcessInfo.processInfo.environment["PT_SEED"].flatMap { UInt64($0) } ?? 1)
    for input in try Self.inputs(of: target) {
      let whole = Array(try Data(contentsOf: input))
      for length in stride(from: 0, to: min(whole.count, 512), by: 1) { run(target, Array(whole.prefix(length))) }
      guard !whole.isEmpty else { continue }
      for _ in 0..<200 {
        var changed = whole
        for _ in 0..<Int.random(in: 1...6, using: &random) {
          changed[Int.random(in: 0..<changed.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
        }
        run(target, changed)
      }
    }
  }

  private func run(_ target: FuzzTarget, _ bytes: [UInt8]) { bytes.withUnsafeBytes { target.run($0) } }
}

/// The same changes in each run, and others with PT_SEED: what one of them finds can be had again. Finding is the fuzzer's work.
private struct Chance: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
