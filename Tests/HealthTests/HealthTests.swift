import Health
import Testing

@Suite struct HealthTests {
  @Test func `a report is due at once, then each minute, and five seconds after a change at the earliest`() {
    var schedule = HealthSchedule()
    let start = ContinuousClock.now
    #expect(schedule.isDue(["a=ok"], now: start))
    schedule.attempted(["a=ok"], now: start)
    #expect(!schedule.isDue(["a=ok"], now: start.advanced(by: .seconds(59))))
    #expect(schedule.isDue(["a=ok"], now: start.advanced(by: .seconds(60))))
    #expect(!schedule.isDue(["a=failed"], now: start.advanced(by: .seconds(4))))
    #expect(schedule.isDue(["a=failed"], now: start.advanced(by: .seconds(5))))
  }

  @Test func `a report is one JSON object with sorted keys, the same each time`() throws {
    let report = HealthReport(
      version: "0.1.0", time: "2026-03-01T08:15:00.000Z", uptimeSeconds: 5,
      journal: .init(head: .init(epoch: 1, sequence: 9), acknowledged: nil, lag: 9), diskFreeBytes: 1,
      certificateDaysLeft: 80,
      lastSweep: .init(completed: "2026-03-01T08:14:00.000Z", milliseconds: 7, outcomes: ["found": 2]),
      devices: ["read": 2],
      components: [.init(name: "delivery", state: "ok", since: "2026-03-01T08:14:00.000Z", message: "m")],
      collectorProgress: nil)
    let text = String(decoding: try report.json(), as: UTF8.self)
    #expect(
      text == """
        {"certificateDaysLeft":80,"components":[{"message":"m","name":"delivery","since":"2026-03-01T08:14:00.000Z","state":"ok"}],\
        "devices":{"read":2},"diskFreeBytes":1,"journal":{"head":{"epoch":1,"sequence":9},"lag":9},\
        "lastSweep":{"completed":"2026-03-01T08:14:00.000Z","milliseconds":7,"outcomes":{"found":2}},\
        "time":"2026-03-01T08:15:00.000Z","uptimeSeconds":5,"version":"0.1.0"}
        """)
    #expect(report.headline == ["delivery=ok", "2026-03-01T08:14:00.000Z", "0.1.0"])
  }
}
