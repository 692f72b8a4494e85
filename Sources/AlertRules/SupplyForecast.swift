// How many days a supply lasts, from its levels over time: a Theil-Sen line (the median of the slopes of all pairs of points, which a few
// wrong readings do not move), with Sen's interval for the slope (P. K. Sen, 1968: the ranks of Kendall's statistic). Levels come in whole
// percent and stand still for days, so only the points where the level moved are taken, and the two ends.
//
// Never across a replacement; unknown where there are too few points, too short a time, or no fall that is beyond doubt.

/// A measured level.
package struct LevelPoint: Equatable, Sendable {
  /// Milliseconds since 1970 UTC.
  package var time: Int64
  package var percent: Double
  package init(time: Int64, percent: Double) {
    self.time = time
    self.percent = percent
  }
}

/// Days until a supply is empty, from the last point on.
package struct SupplyForecast: Equatable, Sendable {
  package enum Unknown: String, Equatable, Sendable {
    case tooFewPoints = "too few points"
    case tooShort = "too short a history"
    case noFall = "no fall that is beyond doubt"
  }

  /// The share of cases in which the interval holds what is estimated, in percent.
  package static let confidencePercent = 95
  /// The quantile of the normal distribution for it.
  private static let quantile = 1.96
  /// With fewer pairs Sen's interval reaches beyond the observed slopes.
  package static let pointsMin = 6
  package static let spanMin: Duration = .seconds(2 * 86_400)
  /// Some 20,000 pairs: beyond it points are left out evenly.
  package static let pointsMax = 200
  private static let dayMilliseconds = 86_400_000.0

  package var daysLeft: Double
  /// The interval's ends; `latest` is nil where the fall may be so slow that nobody can tell.
  package var earliest: Double
  package var latest: Double?
  /// How many points it rests on.
  package var points: Int
  /// Percent a day, of a fall positive.
  package var percentPerDay: Double

  /// Estimates from points of one supply since its last replacement, ordered by time.
  package static func estimate(_ history: [LevelPoint]) -> Result<SupplyForecast, UnknownForecast> {
    let points = thinned(moves(history))
    guard points.count >= pointsMin, let first = points.first, let last = points.last else {
      return .failure(UnknownForecast(.tooFewPoints, points: points.count))
    }
    guard Duration.milliseconds(last.time - first.time) >= spanMin else {
      return .failure(UnknownForecast(.tooShort, points: points.count))
    }
    let slopes = slopes(points)
    let fall = -median(slopes)
    let (low, high) = interval(slopes, points: points.count)
    // Both ends as falls: the steepest one empties it first.
    guard fall > 0, -low > 0 else { return .failure(UnknownForecast(.noFall, points: points.count)) }
    return .success(
      SupplyForecast(
        daysLeft: last.percent / fall, earliest: last.percent / -low, latest: -high > 0 ? last.percent / -high : nil,
        points: points.count, percentPerDay: fall))
  }

  /// The points where the level moved, and the last one.
  private static func moves(_ history: [LevelPoint]) -> [LevelPoint] {
    var result: [LevelPoint] = []
    for point in history where point.percent != result.last?.percent && point.time > (result.last?.time ?? .min) {
      result.append(point)
    }
    if let last = history.last, let kept = result.last, last.time > kept.time { result.append(last) }
    return result
  }

  private static func thinned(_ points: [LevelPoint]) -> [LevelPoint] {
    guard points.count > pointsMax else { return points }
    let step = Double(points.count - 1) / Double(pointsMax - 1)
    return (0..<pointsMax).map { points[min(Int((Double($0) * step).rounded()), points.count - 1)] }
  }

  /// Percent a day of each pair, sorted.
  private static func slopes(_ points: [LevelPoint]) -> [Double] {
    var slopes: [Double] = []
    slopes.reserveCapacity(points.count * (points.count - 1) / 2)
    for (index, left) in points.enumerated() {
      for right in points[(index + 1)...] where right.time > left.time {
        slopes.append((right.percent - left.percent) / (Double(right.time - left.time) / dayMilliseconds))
      }
    }
    return slopes.sorted()
  }

  private static func median(_ sorted: [Double]) -> Double {
    let middle = sorted.count / 2
    return sorted.count % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
  }

  /// Sen's: the slopes at the ranks (N - C) / 2 and (N + C) / 2 + 1, C = z * sqrt(n(n-1)(2n+5) / 18).
  private static func interval(_ sorted: [Double], points: Int) -> (low: Double, high: Double) {
    let n = Double(points)
    let spread = quantile * (n * (n - 1) * (2 * n + 5) / 18).squareRoot()
    let count = Double(sorted.count)
    let low = max(Int(((count - spread) / 2).rounded(.down)) - 1, 0)
    let high = min(Int(((count + spread) / 2).rounded(.up)), sorted.count - 1)
    return (sorted[low], sorted[high])
  }
}

/// Why there is no estimate.
package struct UnknownForecast: Error, Equatable, Sendable {
  package var reason: SupplyForecast.Unknown
  package var points: Int
  init(_ reason: SupplyForecast.Unknown, points: Int) {
    self.reason = reason
    self.points = points
  }
}
