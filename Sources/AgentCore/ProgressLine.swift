// A sweep's progress as one line: a bar on a terminal, a sentence otherwise. Pure: the width and the numbers come in.

package import Discovery

internal import Platform

package enum ProgressLine {
  /// Narrower than this a bar says nothing.
  private static let barMin = 8
  private static let barMax = 40

  /// `  412/1016 [##########--------------] 40%  found 12  198/s  3 s left`, not longer than `width` where that can be.
  package static func bar(_ progress: SweepProgress, width: Int) -> String {
    let total = max(progress.total, 1)
    let done = min(max(progress.done, 0), total)
    let digits = String(progress.total)
    let count = String(repeating: " ", count: max(0, digits.count - String(done).count)) + "\(done)/\(digits)"
    let tail = "\(done * 100 / total)%  found \(progress.found)  \(facts(progress))"
    let room = min(barMax, width - count.count - tail.count - 5)
    guard room >= barMin else { return "\(count)  \(tail)" }
    let filled = room * done / total
    return "\(count) [\(String(repeating: "#", count: filled))\(String(repeating: "-", count: room - filled))] \(tail)"
  }

  /// `swept 412 of 1016 addresses, found 12, 198/s, 3 s left`
  package static func sentence(_ progress: SweepProgress) -> String {
    let facts = facts(progress).split(separator: "  ").joined(separator: ", ")
    return "swept \(progress.done) of \(progress.total) addresses, found \(progress.found)"
      + (facts.isEmpty ? "" : ", \(facts)")
  }

  private static func facts(_ progress: SweepProgress) -> String {
    var parts: [String] = []
    if progress.rate > 0 { parts.append("\(Int(progress.rate.rounded()))/s") }
    if let left = progress.timeLeft { parts.append(left == .zero ? "done" : "\(whole(left).spoken) left") }
    return parts.joined(separator: "  ")
  }

  /// Whole seconds, rounded up: "0 s left" would be a lie.
  private static func whole(_ duration: Duration) -> Duration { .seconds((duration.milliseconds + 999) / 1000) }
}
