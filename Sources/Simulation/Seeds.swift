// Which seeds a test goes through (docs/testing.md): PT_SEED names one, to repeat it; PT_SEEDS says how many, or from where to where, for
// a long run.

internal import Glibc

package enum Seeds {
  /// The seeds to go through: 1 and on.
  /// - Parameter count: how many, unless the environment says something else.
  package static func toRun(_ count: UInt64) -> [UInt64] {
    if let seed = variable("PT_SEED").flatMap(UInt64.init) { return [seed] }
    return Array(variable("PT_SEEDS").flatMap(range) ?? 1...max(1, count))
  }

  /// `10000`, or `5001-10000`.
  private static func range(_ text: String) -> ClosedRange<UInt64>? {
    let ends = text.split(separator: "-", omittingEmptySubsequences: false).map { UInt64($0) }
    switch ends.count {
    case 1: return ends[0].map { 1...max(1, $0) }
    case 2:
      guard let first = ends[0], let last = ends[1], first <= last else { return nil }
      return first...last
    default: return nil
    }
  }

  private static func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}
