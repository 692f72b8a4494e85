import Enrolment
import Testing

@Suite struct RenewalScheduleTests {
  private static let day: Int64 = 86_400
  private var generator = SplitMix(seed: 7)

  private func life(days: Int64 = 90, fingerprint: [UInt8] = [0, 0, 0, 0]) -> CertificateLife {
    CertificateLife(notBefore: 1_000_000 - 900, notAfter: 1_000_000 + days * Self.day, fingerprint: fingerprint)
  }

  @Test func `a certificate is due between two thirds and three quarters of its life, by its fingerprint`() {
    #expect(life().due == 1_000_000 + 60 * Self.day)
    let latest = life(fingerprint: [255, 255, 255, 255]).due
    #expect(latest > 1_000_000 + 67 * Self.day && latest <= 1_000_000 + 68 * Self.day)
    let points = Set((0...255).map { life(fingerprint: [UInt8($0), 0, 0, 0]).due })
    #expect(points.count == 256)
  }

  @Test func `a certificate of less than no time is due at once and does not trap`() {
    let broken = CertificateLife(notBefore: 2_000_000, notAfter: 1_000_000, fingerprint: [])
    #expect(broken.due <= 1_000_000)
  }

  @Test mutating func `nothing is done before it is time, and the hub is asked soon after the start`() {
    let schedule = RenewalSchedule(elapsed: .zero, using: &generator)
    let (early, due) = (life().due - 1, life().due)
    #expect(schedule.due(life(), isInterrupted: false, seconds: early, elapsed: RenewalSchedule.firstAskMax) == .ask)
    #expect(schedule.due(life(), isInterrupted: false, seconds: due, elapsed: .zero) == .renew)
    #expect(schedule.due(life(), isInterrupted: true, seconds: early, elapsed: .zero) == .renew)
  }

  @Test mutating func `the next question comes when the hub wishes, give or take a quarter`() {
    var schedule = RenewalSchedule(elapsed: .zero, using: &generator)
    var moments: Set<Duration> = []
    for _ in 0..<50 {
      let standing = Standing(hubTime: 0, roots: [], advice: nil, nextIn: .seconds(400))
      schedule.answered(standing, elapsed: .seconds(1000), using: &generator)
      #expect(schedule.due(life(), isInterrupted: false, seconds: 1_000_000, elapsed: .seconds(1299)) == nil)
      #expect(schedule.due(life(), isInterrupted: false, seconds: 1_000_000, elapsed: .seconds(1500)) == .ask)
      for second in 1299...1500
      where schedule.due(life(), isInterrupted: false, seconds: 1_000_000, elapsed: .seconds(second)) == .ask {
        moments.insert(.seconds(second))
        break
      }
    }
    #expect(moments.count > 20)
  }

  @Test mutating func `the hub's advice makes a young certificate due`() {
    var schedule = RenewalSchedule(elapsed: .zero, using: &generator)
    schedule.answered(
      Standing(hubTime: 0, roots: [], advice: "another root", nextIn: nil), elapsed: .zero, using: &generator)
    #expect(schedule.due(life(), isInterrupted: false, seconds: 1_000_000, elapsed: .seconds(1)) == .renew)
    schedule.renewed(life(), elapsed: .seconds(1))
    #expect(schedule.due(life(), isInterrupted: false, seconds: 1_000_000, elapsed: .seconds(2)) == nil)
  }

  @Test mutating func `a clock that is wrong does not renew again and again`() {
    var schedule = RenewalSchedule(elapsed: .zero, using: &generator)
    let wrong = life().due + 1
    #expect(schedule.due(life(), isInterrupted: false, seconds: wrong, elapsed: .zero) == .renew)
    schedule.renewed(life(), elapsed: .zero)
    let third = Duration.seconds(30 * Self.day)
    #expect(schedule.due(life(), isInterrupted: false, seconds: wrong, elapsed: third - .seconds(1)) != .renew)
    #expect(schedule.due(life(), isInterrupted: false, seconds: wrong, elapsed: third) == .renew)
  }

  @Test mutating func `waits after failures grow, are random, honour the hub's hint, and have an end`() {
    var schedule = RenewalSchedule(elapsed: .zero, using: &generator)
    var longest = Duration.zero
    for failure in 0..<40 {
      let pause = schedule.failed(.renew, hint: nil, elapsed: .zero, using: &generator)
      #expect(pause <= .seconds(min(1800, 1 << min(failure, 12))))
      longest = max(longest, pause)
    }
    #expect(longest > .seconds(600))
    for _ in 0..<20 {
      let pause = schedule.failed(.renew, hint: .seconds(90), elapsed: .zero, using: &generator)
      #expect(pause >= .seconds(90) && pause <= .seconds(90 + 1800))
    }
    #expect(schedule.failed(.renew, hint: .seconds(1_000_000), elapsed: .zero, using: &generator) <= .seconds(5400))
    #expect(schedule.failed(.renew, hint: .seconds(-5), elapsed: .zero, using: &generator) >= .zero)
  }

  @Test mutating func `nothing is tried before the wait is over`() {
    var schedule = RenewalSchedule(elapsed: .zero, using: &generator)
    let due = life().due
    let pause = schedule.failed(.renew, hint: .seconds(30), elapsed: .seconds(100), using: &generator)
    let before = Duration.seconds(100) + pause - .milliseconds(1)
    #expect(schedule.due(life(), isInterrupted: true, seconds: due, elapsed: before) == nil)
    #expect(schedule.due(life(), isInterrupted: true, seconds: due, elapsed: .seconds(100) + pause) == .renew)
  }
}

private struct SplitMix: RandomNumberGenerator {
  private var state: UInt64

  init(seed: UInt64) { state = seed }

  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var mixed = state
    mixed = (mixed ^ (mixed >> 30)) &* 0xBF58_476D_1CE4_E5B9
    mixed = (mixed ^ (mixed >> 27)) &* 0x94D0_49BB_1331_11EB
    return mixed ^ (mixed >> 31)
  }
}
