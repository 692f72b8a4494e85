import Discovery
import Foundation
import Testing

@Suite struct `A timetable of sweeps` {
  private let berlin: Calendar = {
    var calendar = Calendar(identifier: .gregorian)
    calendar.timeZone = TimeZone(identifier: "Europe/Berlin") ?? .gmt
    return calendar
  }()

  private func next(_ days: [String], _ times: [String], after text: String) throws -> String? {
    let timetable = try #require(
      SweepTimetable(days: days.compactMap { Weekday(written: $0) }, times: times.compactMap { TimeOfDay(written: $0) })
    )
    let moment = try Date(text, strategy: .iso8601)
    return timetable.next(after: moment, in: berlin)?.formatted(.iso8601)
  }

  @Test func `goes on at the next time of the next day`() throws {
    // A Wednesday; Berlin is one hour ahead in winter.
    #expect(
      try next(["mon", "Thursday"], ["06:00", "13:30"], after: "2026-01-14T10:00:00Z") == "2026-01-15T05:00:00Z")
    #expect(try next(["mon", "thu"], ["06:00", "13:30"], after: "2026-01-15T05:00:00Z") == "2026-01-15T12:30:00Z")
    #expect(try next(["mon", "thu"], ["06:00", "13:30"], after: "2026-01-15T13:00:00Z") == "2026-01-19T05:00:00Z")
    #expect(try next([], ["6:00"], after: "2026-01-15T05:00:00Z") == "2026-01-16T05:00:00Z")
  }

  @Test func `stays by the clock on the wall when that is moved`() throws {
    #expect(try next(["sat"], ["06:00"], after: "2026-03-21T12:00:00Z") == "2026-03-28T05:00:00Z")
    #expect(try next(["sun"], ["06:00"], after: "2026-03-28T12:00:00Z") == "2026-03-29T04:00:00Z")
    // 02:30 does not exist on that day, and comes twice on the other.
    #expect(try next(["sun"], ["02:30"], after: "2026-03-28T12:00:00Z") == "2026-03-29T01:00:00Z")
    #expect(try next(["sun"], ["02:30"], after: "2026-10-24T12:00:00Z") == "2026-10-25T00:30:00Z")
  }

  @Test(arguments: ["24:00", "6", "06:60", "06:0", "a:00", "-1:00", "06:00:00", ""])
  func `has no such time`(text: String) { #expect(TimeOfDay(written: text) == nil) }

  @Test(arguments: ["m", "mo", "montag", "thurs", ""])
  func `has no such day`(text: String) { #expect(Weekday(written: text) == nil) }

  @Test func `is none without a time`() {
    #expect(SweepTimetable(days: [.mon], times: []) == nil)
    #expect(TimeOfDay(written: "6:05")?.description == "06:05")
  }
}
