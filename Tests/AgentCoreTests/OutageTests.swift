import Testing

@testable import AgentCore

@Suite struct OutageTests {
  private let start = ContinuousClock.now

  @Test func `is told when it begins and then each ten minutes, however often it is met`() {
    var outage = Outage()
    let told = (0..<181).map { outage.failed("full", now: after(10 * $0)) }
    #expect(told.indices.filter { told[$0] } == [0, 60, 120, 180])
    #expect(outage.isOn)
  }

  @Test func `is told again when its reason changes, and when it comes back after an end`() {
    var outage = Outage()
    let told = [("full", 0), ("too large", 0), ("too large", 0)].map { outage.failed($0, now: after($1)) }
    #expect(told == [true, true, false])
    let isOver = outage.works(now: after(15))
    #expect(isOver && !outage.isOn)
    let isToldAgain = outage.failed("too large", now: after(16))
    #expect(isToldAgain)
  }

  @Test func `is not over while an attempt among several works`() {
    var outage = Outage()
    _ = outage.failed("full", now: after(0))
    var isOver = [outage.works(now: after(9))]
    _ = outage.failed("full", now: after(10))
    isOver += [24, 25, 26].map { outage.works(now: after($0)) }
    #expect(isOver == [false, false, true, false])
  }

  private func after(_ seconds: Int) -> ContinuousClock.Instant { start.advanced(by: .seconds(seconds)) }
}
