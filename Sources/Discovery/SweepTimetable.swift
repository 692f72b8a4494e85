// On which days, and when on those, sweeps begin. By the clock on the wall: `mon, thu at 06:00` stays six o'clock in summer.

package import Foundation

/// A day of the week. Raw values are those of `Calendar`: Sunday is 1.
package enum Weekday: Int, CaseIterable, Sendable {
  case sun = 1
  case mon, tue, wed, thu, fri, sat

  /// `mon`, `Monday`: three letters or the whole English word, in either case.
  package init?(written text: String) {
    let names = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"]
    let word = text.lowercased()
    guard let index = names.firstIndex(where: { $0 == word || $0.prefix(3) == word }) else { return nil }
    self.init(rawValue: index + 1)
  }
}

/// A time of the day, to the minute.
package struct TimeOfDay: Hashable, Comparable, Sendable, CustomStringConvertible {
  package let hour: Int
  package let minute: Int

  /// `06:00`, `6:30`, `23:59`.
  package init?(written text: String) {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, parts[1].count == 2, (1...2).contains(parts[0].count),
      parts.allSatisfy({ $0.allSatisfy { $0.isASCII && $0.isNumber } }), let hour = Int(parts[0]),
      let minute = Int(parts[1]),
      (0...23).contains(hour), (0...59).contains(minute)
    else { return nil }
    (self.hour, self.minute) = (hour, minute)
  }

  package static func < (left: TimeOfDay, right: TimeOfDay) -> Bool {
    (left.hour, left.minute) < (right.hour, right.minute)
  }

  package var description: String { "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)" }
}

package struct SweepTimetable: Hashable, Sendable {
  package let days: Set<Weekday>
  package let times: [TimeOfDay]

  /// - Parameters:
  ///   - days: none stands for every day.
  ///   - times: at least one.
  package init?(days: some Sequence<Weekday>, times: some Sequence<TimeOfDay>) {
    let days = Set(days)
    self.days = days.isEmpty ? Set(Weekday.allCases) : days
    self.times = Set(times).sorted()
    guard !self.times.isEmpty else { return nil }
  }

  /// When the next sweep begins after a moment. A time that the clock skips in spring is the next one there is; one that comes twice in
  /// autumn counts the first time.
  package func next(after moment: Date, in calendar: Calendar) -> Date? {
    days.flatMap { day in times.map { (day, $0) } }.compactMap { day, time in
      calendar.nextDate(
        after: moment, matching: DateComponents(hour: time.hour, minute: time.minute, weekday: day.rawValue),
        matchingPolicy: .nextTime, repeatedTimePolicy: .first)
    }.min()
  }
}
