// Which seeds a test goes through (docs/testing.md): PT_SEED names one, to repeat it; PT_SEEDS says how many, for a long run.

internal import Glibc

package enum Seeds {
  /// The seeds to go through: 1 and on.
  /// - Parameter count: how many, unless the environment says something else.
  package static func toRun(_ count: UInt64) -> [UInt64] {
    if let seed = number("PT_SEED") { return [seed] }
    return Array(1...max(1, number("PT_SEEDS") ?? count))
  }

  private static func number(_ name: String) -> UInt64? { getenv(name).flatMap { UInt64(String(cString: $0)) } }
}
