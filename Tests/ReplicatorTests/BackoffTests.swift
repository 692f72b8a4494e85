import Replicator
import Simulation
import Testing

@Suite struct BackoffTests {
  @Test func `waits spread over a width that doubles up to five minutes`() {
    var random = SplitMix64(seed: 1)
    for attempts in 0..<40 {
      var widest: Duration = .zero
      for _ in 0..<200 {
        var backoff = Backoff()
        for _ in 0..<attempts { _ = backoff.failed(using: &random) }
        widest = max(widest, backoff.failed(using: &random))
      }
      let width = min(Backoff.longest, Backoff.first * (1 << min(attempts, 20)))
      #expect(widest <= width)
      #expect(widest > width * 3 / 4)
    }
  }

  @Test func `the hub's hint is waited for before the jitter`() {
    var random = SplitMix64(seed: 2)
    var backoff = Backoff()
    let delay = backoff.failed(hint: .seconds(30), using: &random)
    #expect(delay >= .seconds(30) && delay <= .seconds(31))
  }

  @Test(arguments: [Duration.seconds(-5), .seconds(1_000_000)])
  func `an absurd hint does not keep the agent away`(hint: Duration) {
    var random = SplitMix64(seed: 3)
    var backoff = Backoff()
    #expect(backoff.failed(hint: hint, using: &random) <= Backoff.hintMax + Backoff.first)
  }

  @Test func `success starts anew`() {
    var random = SplitMix64(seed: 4)
    var backoff = Backoff()
    for _ in 0..<9 { _ = backoff.failed(using: &random) }
    backoff.succeeded()
    #expect(backoff.failed(using: &random) <= Backoff.first)
  }
}
