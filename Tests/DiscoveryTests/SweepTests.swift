import Discovery
import Testing

/// Drives a sweep with a clock of its own: each address answers after its own delay, or never.
private struct SweepRun {
  struct Host {
    var delay: Duration
    var answer: SweepAnswer
    /// A sleeping device answers only a probe that waits this long.
    var needs: Duration = .zero
    /// The probe sends a packet of which the sweep is told.
    var connects = false
  }

  var hosts: [IPv4Address: Host] = [:]
  private(set) var reasons: [IPv4Address: SweepReason] = [:]
  private(set) var attempts: [(at: Duration, attempt: SweepAttempt)] = []
  private(set) var inFlightMost = 0
  /// What was estimated to be left after each step, and when.
  private(set) var estimates: [(at: Duration, left: Duration?)] = []
  private(set) var elapsed: Duration = .zero

  mutating func run(_ plan: SweepPlan, _ parameters: SweepParameters = SweepParameters()) {
    let start = ContinuousClock.now
    var now = start
    var sweep = Sweep(plan, parameters: parameters, now: now)
    var pending: [(due: ContinuousClock.Instant, attempt: SweepAttempt, answer: SweepAnswer)] = []
    while true {
      let step = sweep.next(now: now)
      estimates.append((start.duration(to: now), sweep.progress(now: now).timeLeft))
      var wake: ContinuousClock.Instant?
      switch step {
      case .done:
        elapsed = start.duration(to: now)
        #expect(sweep.progress(now: now).timeLeft == .zero)
        #expect(sweep.progress(now: now).done == plan.addressCount)
        return
      case .probe(let attempt):
        attempts.append((start.duration(to: now), attempt))
        if attempt.pass == 1, hosts[attempt.address]?.connects == true { sweep.sendsBeside(now: now) }
        let (delay, answer) = outcome(of: attempt, plan)
        pending.append((now.advanced(by: delay), attempt, answer))
        inFlightMost = max(inFlightMost, pending.count)
        continue
      case .wait(let until): wake = until
      case .waitForAnswers: wake = nil
      }
      let soonest = pending.indices.min { pending[$0].due < pending[$1].due }
      if let soonest, wake.map({ pending[soonest].due <= $0 }) ?? true {
        let event = pending.remove(at: soonest)
        now = max(now, event.due)
        if let reason = sweep.settled(event.attempt, event.answer) { reasons[event.attempt.address] = reason }
      } else if let wake {
        now = wake
      } else {
        Issue.record("the sweep waits for answers that are not on their way")
        return
      }
    }
  }

  private func outcome(of attempt: SweepAttempt, _ plan: SweepPlan) -> (Duration, SweepAnswer) {
    let range = plan.ranges[attempt.range]
    let lastResorts = attempt.pass == 2 && attempt.isThorough ? range.lastResortCount : 0
    let tried = SweepParameters.lastResortPatience * lastResorts
    if let host = hosts[attempt.address], host.needs <= attempt.patience + tried { return (host.delay, host.answer) }
    return (attempt.patience + attempt.furtherPatience * (range.credentialCount - 1) + tried, .silent)
  }
}

@Suite struct SweepTests {
  private func plan(
    _ text: String, credentials: Int = 1, lastResorts: Int = 0, excluding: String? = nil, doNotTouch: String? = nil
  ) throws -> SweepPlan {
    SweepPlan(
      ranges: [
        SweepRange(
          name: text, addresses: AddressSet([try AddressRange(text)]), credentialCount: credentials,
          lastResortCount: lastResorts)
      ],
      excluding: AddressSet(try [excluding].compactMap { $0 }.map { try AddressRange($0) }),
      doNotTouch: AddressSet(try [doNotTouch].compactMap { $0 }.map { try AddressRange($0) }))
  }

  private func address(_ text: String) -> IPv4Address { IPv4Address(text) ?? IPv4Address(0) }

  @Test func `a class C network with 20 printers is through in under 10 seconds`() throws {
    var run = SweepRun()
    for host in 1...20 {
      run.hosts[address("10.0.0.\(host * 12)")] = .init(
        delay: .milliseconds(400), answer: .found, needs: host % 4 == 0 ? .seconds(4) : .zero)
    }
    // What else is tried in one community's place: SNMPv1, and whether there is an SNMPv3 engine.
    try run.run(plan("10.0.0.0/24", lastResorts: 2))
    #expect(run.reasons.values.count { $0 == .found } == 20)
    #expect(run.elapsed < .seconds(10))
    #expect(run.elapsed > .seconds(5), "the second pass waits its 4 s for the silent ones")
  }

  @Test func `a large sweep sends no packet more for other versions of SNMP`() throws {
    var (few, many) = (SweepRun(), SweepRun())
    try few.run(plan("10.0.0.0/24", lastResorts: 2))
    #expect(few.attempts.allSatisfy { $0.attempt.isThorough })
    let network = try plan("10.0.0.0/19", lastResorts: 2)
    many.run(network)
    #expect(many.attempts.allSatisfy { !$0.attempt.isThorough })
    let packets = Double(2 * network.due.count)
    #expect(many.elapsed < .seconds(packets / Double(SweepParameters().packetsPerSecond) + 10))
  }

  @Test(arguments: [1, 3], [0, 2])
  func `the time left counts what else is tried`(credentials: Int, lastResorts: Int) throws {
    var run = SweepRun()
    try run.run(plan("10.0.0.0/24", credentials: credentials, lastResorts: lastResorts))
    for estimate in run.estimates.dropLast() where estimate.at > .seconds(1) {
      let truth = run.elapsed - estimate.at
      let left = try #require(estimate.left)
      #expect(
        abs((left - truth) / .seconds(1)) < 1 + 0.25 * (truth / .seconds(1)), "\(left) at \(estimate.at), not \(truth)")
    }
  }

  @Test func `a silent address is asked again with longer patience and an answering one is not`() throws {
    var run = SweepRun()
    run.hosts[address("10.0.0.1")] = .init(delay: .milliseconds(20), answer: .found)
    run.hosts[address("10.0.0.2")] = .init(delay: .seconds(3), answer: .found, needs: .seconds(4))
    try run.run(plan("10.0.0.1-3"))
    #expect(
      run.attempts.map { "\($0.attempt.address)/\($0.attempt.pass)" } == [
        "10.0.0.1/1", "10.0.0.2/1", "10.0.0.3/1", "10.0.0.2/2", "10.0.0.3/2",
      ])
    #expect(run.reasons == [address("10.0.0.1"): .found, address("10.0.0.2"): .found, address("10.0.0.3"): .noAnswer])
  }

  @Test(arguments: [1, 3], [0, 100])
  func `the time left that is told is about what it takes, second pass and further credentials included`(
    credentials: Int, found: Int
  ) throws {
    var run = SweepRun()
    for host in 1...200 where host % 2 == 0 && host <= 2 * found {
      run.hosts[address("10.0.0.\(host)")] = .init(delay: .milliseconds(20), answer: .found)
    }
    try run.run(plan("10.0.0.0/23", credentials: credentials))
    for estimate in run.estimates.dropLast() where estimate.at > .seconds(1) {
      let truth = run.elapsed - estimate.at
      let left = try #require(estimate.left)
      #expect(left > .zero)
      #expect(
        abs((left - truth) / .seconds(1)) < 1 + 0.25 * (truth / .seconds(1)), "\(left) at \(estimate.at), not \(truth)")
    }
  }

  @Test func `every address has a reason`() throws {
    var run = SweepRun()
    run.hosts[address("10.0.0.1")] = .init(delay: .milliseconds(20), answer: .found)
    run.hosts[address("10.0.0.2")] = .init(delay: .milliseconds(20), answer: .notAPrinter)
    run.hosts[address("10.0.0.3")] = .init(delay: .milliseconds(20), answer: .wrongCredential)
    run.hosts[address("10.0.0.4")] = .init(delay: .milliseconds(1), answer: .refused)
    let plan = try plan("10.0.0.1-9", excluding: "10.0.0.6-8", doNotTouch: "10.0.0.8-9")
    run.run(plan)
    #expect(Array(plan.excluded).map(\.description) == ["10.0.0.6", "10.0.0.7"])
    #expect(Array(plan.untouchable).map(\.description) == ["10.0.0.8", "10.0.0.9"])
    #expect(
      run.reasons.mapValues(\.rawValue) == [
        address("10.0.0.1"): "found", address("10.0.0.2"): "not a printer", address("10.0.0.3"): "wrong credential",
        address("10.0.0.4"): "no answer", address("10.0.0.5"): "no answer",
      ])
    #expect(run.attempts.allSatisfy { $0.attempt.address < address("10.0.0.6") }, "nothing left out is ever probed")
    #expect(run.attempts.count { $0.attempt.address == address("10.0.0.4") } == 1, "who refused is not asked again")
  }

  @Test func `no second of a sweep sends more packets than the pace allows`() throws {
    var run = SweepRun()
    try run.run(plan("10.0.0.0/21", credentials: 3))
    for index in run.attempts.indices {
      let from = run.attempts[index].at
      let packets = run.attempts[index...].prefix { $0.at < from + .seconds(1) }.count * 3
      #expect(packets <= 250 + 25 + 3)
    }
    #expect(run.inFlightMost <= SweepParameters().inFlightMax)
  }

  @Test func `connections in the second pass count at the pace`() throws {
    var parameters = SweepParameters()
    parameters.connects = true
    var run = SweepRun()
    try run.run(plan("10.0.0.0/22"), parameters)
    // One in the first pass, two in the second.
    let packets = run.attempts.indices.map { index in
      let end = run.attempts[index].at + .seconds(1)
      return run.attempts[index...].prefix { $0.at < end }.reduce(0) { $0 + $1.attempt.pass }
    }
    #expect(try #require(packets.max()) <= 250 + 25 + 2)
    let told = try #require(run.estimates.first { $0.at > .seconds(2) })
    let left = try #require(told.left)
    #expect(abs((left - (run.elapsed - told.at)) / .seconds(1)) < 2, "\(left) at \(told.at), of \(run.elapsed)")
  }

  @Test func `packets that a probe sends beside its own are paid off by the next ones`() throws {
    let plan = try plan("10.0.0.0/21")
    var run = SweepRun()
    for address in plan.due {
      run.hosts[address] = .init(delay: .milliseconds(5), answer: .refused, connects: true)
    }
    run.run(plan)
    // Two packets for each of 2,046 addresses, and a burst ahead.
    #expect(run.elapsed > .seconds(16))
    #expect(run.elapsed < .seconds(16.5))
    let told = try #require(run.estimates.first { $0.at > .seconds(2) })
    let left = try #require(told.left)
    // Who is under way might be silent, and cost the patience of a second pass.
    let truth = run.elapsed - told.at
    #expect(left > truth - .seconds(1) && left < truth + .seconds(5), "\(left) at \(told.at), not \(truth)")
  }

  @Test func `a fast sweep of silent addresses is as fast as its pace in both passes`() throws {
    var parameters = SweepParameters()
    parameters.packetsPerSecond = 2_000
    parameters.burst = 200
    var run = SweepRun()
    try run.run(plan("10.0.0.0/21"), parameters)
    // 2,046 addresses twice, and the patience of the last; nothing waits for a place meanwhile.
    #expect(run.elapsed < .seconds(2.1 + 4))
    #expect(run.inFlightMost > 1_500)
  }

  @Test func `a full silent queue gets its second pass before the first pass goes on`() throws {
    var parameters = SweepParameters()
    parameters.silentMax = 8
    parameters.inFlightMax = 4
    var run = SweepRun()
    try run.run(plan("10.0.0.1-40"), parameters)
    let firstSecondPass = try #require(run.attempts.firstIndex { $0.attempt.pass == 2 })
    #expect((8...12).contains(firstSecondPass))
    #expect(run.inFlightMost == 4)
    #expect(run.reasons.count == 40)
  }

  @Test func `the first range that holds an address decides about its credentials`() throws {
    let ranges = try [("10.0.0.1-5", 2), ("10.0.0.0/24", 1)].map {
      SweepRange(name: $0.0, addresses: AddressSet([try AddressRange($0.0)]), credentialCount: $0.1)
    }
    let plan = SweepPlan(ranges: ranges)
    #expect(plan.addressCount == 254)
    #expect(plan.range(of: address("10.0.0.5")) == 0)
    #expect(plan.range(of: address("10.0.0.6")) == 1)
    #expect(plan.range(of: address("10.0.1.6")) == nil)
  }
}

@Suite struct PaceTests {
  private func take(_ pace: inout Pace, _ now: ContinuousClock.Instant, _ expected: Bool, packets: Int = 1) {
    let taken = pace.take(packets, now: now)
    #expect(taken == expected)
  }

  @Test func `after a burst packets leave one interval apart`() {
    let start = ContinuousClock.now
    var pace = Pace(packetsPerSecond: 100, burst: 3)
    for _ in 0..<3 { take(&pace, start, true) }
    let next = pace.earliest(now: start)
    #expect(next == start.advanced(by: .milliseconds(10)))
    take(&pace, start.advanced(by: .milliseconds(9)), false)
    take(&pace, next, true)
    #expect(pace.earliest(now: next) == start.advanced(by: .milliseconds(20)))
  }

  @Test func `a long pause saves up no more than one burst`() {
    let start = ContinuousClock.now
    var pace = Pace(packetsPerSecond: 100, burst: 3)
    take(&pace, start, true)
    let later = start.advanced(by: .seconds(3_600))
    let taken = (0..<10).count { _ in pace.take(now: later) }
    #expect(taken == 3)
  }

  @Test func `what left without asking is paid for by what follows`() {
    let start = ContinuousClock.now
    var pace = Pace(packetsPerSecond: 100, burst: 2)
    pace.owe(5, now: start)
    take(&pace, start.advanced(by: .milliseconds(39)), false)
    take(&pace, start.advanced(by: .milliseconds(40)), true)
  }

  @Test func `more than a burst at once is let through when nothing is owed and paid for afterwards`() {
    let start = ContinuousClock.now
    var pace = Pace(packetsPerSecond: 100, burst: 2)
    take(&pace, start, true, packets: 5)
    take(&pace, start.advanced(by: .milliseconds(39)), false)
    take(&pace, start.advanced(by: .milliseconds(40)), true)
  }
}
