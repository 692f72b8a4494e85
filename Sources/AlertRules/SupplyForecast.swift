// How many days a supply lasts, from its levels over time.
//
// What a device uses differs from day to day, so a level is the sum of many uses and not a line with noise around it: a fit through the points
// would believe itself far too much. Hence the history is cut into slices of equal length, of a day or more; the fall in each is one
// observation of what is used in such a time.
//
//     rate          the mean fall of the slices
//     interval      rate -+ t * s * sqrt(1/k + 1/h): k slices were seen, h are to come, s is their spread, t Student's for k - 1
//                   (a prediction interval: it has the uncertainty of the past and that of the days to come)
//     days left     the last level by the rate, and by either end of the interval; less the days that have passed since
//
// Of a supply that was not read for a week nothing is known: whether its printer prints, or stands in a cellar.
//
// Single wrong readings are taken out first (the median of three in a row). Never across a replacement; unknown where there are too few points,
// too short a time, or no fall.

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

/// Days until a supply is empty.
package struct SupplyForecast: Equatable, Sendable {
  package enum Unknown: String, Equatable, Sendable {
    case tooFewPoints = "too few points"
    case tooShort = "too short a history"
    case noFall = "no fall"
    case notRead = "not read of late"
  }

  /// How often the supply is empty within the interval, in percent.
  package static let confidencePercent = 95
  /// Levels that differ from the one before: with fewer the whole percent that devices count in are all that is seen.
  package static let pointsMin = 6
  /// A slice for each day: what is used by night is no observation of what is used in a day.
  package static let slices = 6...12
  private static let sliceDaysMin = 1.0
  /// Student's t at 97.5 percent for `slices` less one degrees of freedom.
  private static let quantiles = [2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201]
  /// Points that are enough for any history; whoever gathers them may leave out the others evenly.
  package static let pointsMax = 200
  private static let dayMilliseconds = 86_400_000.0
  /// How long the rate of the past stands for a time without levels: longer than a week of holidays, and no reading is the rule.
  private static let silenceDaysMax = 7.0

  package var daysLeft: Double
  /// The interval's ends; `latest` is nil where the supply may be used so slowly that nobody can tell.
  package var earliest: Double
  package var latest: Double?
  /// How many points it rests on.
  package var points: Int
  /// Percent a day, of a fall positive.
  package var percentPerDay: Double

  /// Estimates from points of one supply since its last replacement, ordered by time.
  /// - Parameter now: from when the days are counted, in milliseconds since 1970 UTC; nil: from the last point on.
  package static func estimate(_ history: [LevelPoint], at now: Int64? = nil) -> Result<SupplyForecast, UnknownForecast>
  {
    let points = cleaned(moves(history))
    guard let first = points.first, let last = points.last else {
      return .failure(UnknownForecast(.tooFewPoints, points: 0))
    }
    let passed = max(Double((now ?? last.time) - last.time) / dayMilliseconds, 0)
    guard passed <= silenceDaysMax else { return .failure(UnknownForecast(.notRead, points: points.count)) }
    let span = Double(last.time - first.time) / dayMilliseconds
    guard points.count >= pointsMin else {
      let isStill = span >= Double(slices.lowerBound) * sliceDaysMin && last.percent >= first.percent
      return .failure(UnknownForecast(isStill ? .noFall : .tooFewPoints, points: points.count))
    }
    guard span >= Double(slices.lowerBound) * sliceDaysMin else {
      return .failure(UnknownForecast(.tooShort, points: points.count))
    }
    let count = min(Int(span / sliceDaysMin), slices.upperBound)
    let falls = falls(points, slices: count)
    let (mean, spread) = moments(falls)
    guard mean > 0 else { return .failure(UnknownForecast(.noFall, points: points.count)) }
    let sliceDays = span / Double(count)
    let ahead = max(last.percent / mean, 1)
    let margin =
      quantiles[min(count - slices.lowerBound, quantiles.count - 1)] * spread
      * (1 / Double(count) + 1 / ahead).squareRoot()
    func days(_ fall: Double) -> Double { max(last.percent / fall * sliceDays - passed, 0) }
    return .success(
      SupplyForecast(
        daysLeft: days(mean), earliest: days(mean + margin), latest: mean > margin ? days(mean - margin) : nil,
        points: points.count, percentPerDay: mean / sliceDays))
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

  /// Each level as the median of itself and its neighbours.
  private static func cleaned(_ points: [LevelPoint]) -> [LevelPoint] {
    guard points.count >= 3 else { return points }
    return points.indices.map { index in
      guard points.indices.dropFirst().dropLast().contains(index) else { return points[index] }
      let three = points[(index - 1)...(index + 1)].map(\.percent).sorted()
      return LevelPoint(time: points[index].time, percent: three[1])
    }
  }

  /// What the level fell by in each of so many slices of equal length.
  private static func falls(_ points: [LevelPoint], slices: Int) -> [Double] {
    guard let first = points.first, let last = points.last else { return [] }
    var next = 0
    let levels = (0...slices).map { slice -> Double in
      let time = Double(first.time) + Double(last.time - first.time) * Double(slice) / Double(slices)
      while next < points.count - 1, Double(points[next].time) < time { next += 1 }
      guard next > 0 else { return first.percent }
      let (left, right) = (points[next - 1], points[next])
      let share = (time - Double(left.time)) / Double(right.time - left.time)
      return left.percent + (right.percent - left.percent) * min(max(share, 0), 1)
    }
    return zip(levels, levels.dropFirst()).map { $0 - $1 }
  }

  private static func moments(_ values: [Double]) -> (mean: Double, spread: Double) {
    let mean = values.reduce(0, +) / Double(values.count)
    let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    return (mean, (squares / Double(max(values.count - 1, 1))).squareRoot())
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
