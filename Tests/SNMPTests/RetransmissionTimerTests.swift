internal import SNMP
internal import Testing

/// RFC 6298's estimate.
@Suite struct RetransmissionTimerTests {
  private func timer() -> RetransmissionTimer {
    RetransmissionTimer(initial: .seconds(1), minimum: .milliseconds(100), maximum: .seconds(8))
  }

  @Test func `The first sample sets the timeout to three times itself`() {
    var timer = timer()
    timer.measured(.milliseconds(200))
    #expect(timer.timeout == .milliseconds(600))
  }

  @Test func `Further samples are smoothed with an eighth and a quarter`() {
    var timer = timer()
    timer.measured(.milliseconds(200))
    timer.measured(.milliseconds(400))
    // SRTT 225 ms, RTTVAR 125 ms.
    #expect(timer.timeout == .milliseconds(725))
  }

  @Test func `Equal samples let the timeout sink to the estimate, not below the minimum`() {
    var timer = timer()
    for _ in 0..<100 { timer.measured(.milliseconds(200)) }
    #expect(timer.timeout >= .milliseconds(200) && timer.timeout <= .milliseconds(211))
    for _ in 0..<100 { timer.measured(.microseconds(10)) }
    #expect(timer.timeout == .milliseconds(100))
  }

  @Test func `Timeouts double up to the maximum, and a sample ends that`() {
    var timer = timer()
    for _ in 0..<10 { timer.backOff() }
    #expect(timer.timeout == .seconds(8))
    timer.measured(.milliseconds(100))
    #expect(timer.timeout == .milliseconds(300))
  }

  @Test func `A clock that went backward does no harm`() {
    var timer = timer()
    timer.measured(.seconds(-5))
    #expect(timer.timeout == .milliseconds(100))
  }
}
