// How fast the hub acknowledges: what it had acknowledged at moments of the last minutes.

internal import Platform

/// Totals over the last five minutes, one a second at most.
package struct DeliveryTrail: Equatable, Sendable {
  package static let spans: [Duration] = [.seconds(60), .seconds(300)]
  private static let kept: Int64 = 300_000
  private static let resolution: Int64 = 1_000

  private struct Mark: Equatable, Sendable {
    var time: Int64
    var total: UInt64
  }

  /// Ascending; the first is the last one that is too old, so that a span always has a beginning.
  private var marks: [Mark] = []

  package init() {}

  /// - Parameters:
  ///   - total: acknowledged since the process began.
  ///   - time: milliseconds; a clock that was set back begins the trail anew.
  package mutating func note(_ total: UInt64, at time: Int64) {
    if let last = marks.last, last.time > time { marks = [] }
    if let last = marks.last, last.total == total { return }
    if marks.count > 1, time - marks[marks.count - 1].time < Self.resolution {
      marks[marks.count - 1].total = total
    } else {
      marks.append(Mark(time: time, total: total))
    }
    while marks.count > 1, marks[1].time <= time - Self.kept { marks.removeFirst() }
  }

  /// Records a second over the span that ends at `time`; nil where nothing was noted yet.
  package func rate(over span: Duration, at time: Int64) -> Double? {
    guard let last = marks.last, let first = marks.first else { return nil }
    let begin = time - span.milliseconds
    let base = marks.last { $0.time <= begin } ?? first
    let seconds = Double(max(time - max(base.time, begin), Self.resolution)) / 1000
    return Double(last.total - min(last.total, base.total)) / seconds
  }
}
