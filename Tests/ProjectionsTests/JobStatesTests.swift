import Events
import Testing

@testable import Projections

@Suite struct `The jobs of an agent` {
  private func state(_ events: [Event]) -> JobStates {
    var fleet = FleetState()
    for event in events { fleet.apply(event) }
    return fleet.agent.jobs
  }

  @Test func `are open until they have ended, and then remembered without what they were about`() {
    let jobs = Fixture.busyFleet(DeviceID(0..<16)!).agent.jobs
    #expect(jobs.open.map(\.id) == [Fixture.job(2), Fixture.job(3)])
    #expect(jobs[Fixture.job(2)]?.started == nil && jobs[Fixture.job(3)]?.started != nil)
    let done = jobs[Fixture.job(1)]
    #expect(done?.isOpen == false && done?.deadline == 99 && done?.received?.fact.order.ranges.isEmpty == true)
    guard case .completed(let end)? = done?.ended?.fact else {
      Issue.record("not completed")
      return
    }
    #expect(end.result == "done" && end.attachment.isEmpty)
    #expect(jobs[Fixture.job(6)]?.deadline == 98)
  }

  /// A release that does not know who asked folds the same rows.
  @Test func `do not keep who wanted to see a page`() throws {
    let visit = JobOrder.Visit(user: "anna", reason: "jam", from: "198.51.100.7", seconds: 900)
    let order = JobOrder(.page, devices: [try #require(DeviceID(0..<16))], visit: visit)
    let jobs = state([
      Event(time: 1, .jobRefused(JobRefused(id: Fixture.job(1), .notPermitted, "no", of: order, deadline: 9))),
      Event(time: 2, .jobFailed(JobFailed(id: Fixture.job(2), .failed, "no", of: order))),
    ])
    let refused = JobRefused(id: Fixture.job(1), .notPermitted, "no", kind: "page", deadline: 9)
    #expect(jobs[Fixture.job(1)]?.ended?.fact == .refused(refused))
    #expect(jobs[Fixture.job(2)]?.ended?.fact == .failed(JobFailed(id: Fixture.job(2), .failed, "no")))
  }

  @Test func `that have ended stay so, whatever comes after`() {
    let end = Event(time: 3, .jobExpired(JobExpired(id: Fixture.job(1), hadStarted: false)))
    let events =
      Fixture.jobs.prefix(1).map { Event(time: 1, $0) } + [end] + Fixture.jobs.prefix(2).map { Event(time: 4, $0) }
    #expect(state(events).open.isEmpty)
  }

  @Test func `are the last so many that ended, and the same when they are folded from their rows`() throws {
    func id(_ number: Int) -> JobID {
      let tail = [UInt8](repeating: 7, count: 14)
      return JobID([UInt8(number >> 8), UInt8(number & 0xff)] + tail)!
    }
    var fleet = FleetState()
    var stored: [[UInt8]: Event] = [:]
    for number in 0..<JobStates.endedMax + 300 {
      let refused = JobRefused(id: id(number), .busy, "many", kind: "scan", deadline: 9)
      var touched: [StateKey] = []
      fleet.apply(Event(time: Int64(number), .jobRefused(refused))) { touched.append($0) }
      for key in touched { stored[key.bytes] = fleet.row(key) }
    }
    #expect(fleet.agent.jobs.byID.count == JobStates.endedMax)
    #expect(fleet.agent.jobs[id(299)] == nil && fleet.agent.jobs[id(300)] != nil)
    #expect(stored == Dictionary(uniqueKeysWithValues: fleet.rows.map { ($0.key, $0.event) }))
    var again = FleetState()
    for row in fleet.rows { again.apply(try Event(payload: row.event.encoded())) }
    #expect(again == fleet)
  }
}
