import Collectors
import Testing

@Suite struct ThinningPolicyTests {
  private static let hour: Duration = .seconds(3_600)

  @Test func `readings become rarer as the journal fills, and a level is left only with some slack`() {
    var policy = ThinningPolicy()
    let course: [(Int, Duration?)] = [
      (0, nil), (59, nil), (60, Self.hour), (56, Self.hour), (55, nil), (76, .seconds(21_600)), (71, .seconds(21_600)),
      (70, Self.hour), (85, .seconds(86_400)), (95, .seconds(604_800)), (98, .seconds(315_360_000)),
      (100, .seconds(315_360_000)),
      (91, .seconds(604_800)),
      (90, .seconds(86_400)), (0, nil),
    ]
    for (percent, interval) in course {
      policy.update(backlog: percent)
      #expect(policy.interval == interval, "at \(percent) %")
    }
  }
}
