// One sweep over a plan: which address to probe next, at a polite pace, in two passes.
//
//              next()                          settled(found / notAPrinter / wrongCredential / refused)
//   [ due ] ---------> [ in flight, pass 1 ] ------------------------------------------------------------> done
//                             |  settled(silent)
//                             v
//                       [ silent queue ] --next()--> [ in flight, pass 2 ] --settled(anything)-----------> done
//
// The second pass has a longer patience, because the first packet to a sleeping printer only wakes it. It begins when no address is left
// for the first pass, or when the silent queue is full. The machine does no I/O: its owner probes what `next` names and says what came out.

/// What a probe of one address came to.
package enum SweepAnswer: Equatable, Sendable {
  case found
  case notAPrinter
  case wrongCredential
  /// Nothing came back.
  case silent
  /// The host is there and says that nothing listens (ICMP port unreachable): a second packet would hear the same.
  case refused
}

/// Why an address is, or is not, in the device list. The raw values are shown to people and kept in records.
package enum SweepReason: String, CaseIterable, Sendable {
  case found = "found"
  case notAPrinter = "not a printer"
  case wrongCredential = "wrong credential"
  case noAnswer = "no answer"
  case excluded = "excluded"
  case doNotTouch = "do not touch"
}

/// One address to probe.
package struct SweepAttempt: Equatable, Sendable {
  package var address: IPv4Address
  /// Index of the range that decides about this address.
  package var range: Int
  /// 1 or 2.
  package var pass: Int
  /// How long to wait for an answer to the first credential.
  package var patience: Duration
  /// How long to wait for an answer to each of the others: the first one has woken the device by then.
  package var furtherPatience: Duration

  package init(address: IPv4Address, range: Int, pass: Int, patience: Duration, furtherPatience: Duration) {
    self.address = address
    self.range = range
    self.pass = pass
    self.patience = patience
    self.furtherPatience = furtherPatience
  }
}

/// How far a sweep is.
package struct SweepProgress: Equatable, Sendable {
  /// Addresses whose outcome is known.
  package var done = 0
  package var total = 0
  package var found = 0
  /// Addresses settled per second so far.
  package var rate = 0.0
  /// Nil until there is something to estimate from; zero at the end.
  package var timeLeft: Duration?
  package init() {}
}

/// The state of one sweep.
package struct Sweep: Sendable {
  package enum Step: Equatable, Sendable {
    /// Probe this address and tell `settled`.
    case probe(SweepAttempt)
    /// Nothing may start before this time, unless something is settled first.
    case wait(until: ContinuousClock.Instant)
    /// Nothing may start before something is settled.
    case waitForAnswers
    case done
  }

  package let plan: SweepPlan
  package let parameters: SweepParameters
  /// Addresses per reason, so far. Excluded and do-not-touch addresses are counted from the start.
  package private(set) var counts: [SweepReason: Int] = [:]

  private var remaining: AddressSet.Iterator
  private var upcoming: IPv4Address?
  private var silent: [IPv4Address] = []
  private var silentHead = 0
  private var inFlight = 0
  private var pace: Pace
  private let started: ContinuousClock.Instant
  /// Two per address: one for the first pass and one for the outcome.
  private var stepsDone = 0

  package init(_ plan: SweepPlan, parameters: SweepParameters = SweepParameters(), now: ContinuousClock.Instant) {
    self.plan = plan
    self.parameters = parameters
    started = now
    pace = Pace(packetsPerSecond: parameters.packetsPerSecond, burst: parameters.burst)
    remaining = plan.due.makeIterator()
    upcoming = remaining.next()
    if !plan.excluded.isEmpty { counts[.excluded] = plan.excluded.count }
    if !plan.untouchable.isEmpty { counts[.doNotTouch] = plan.untouchable.count }
  }

  private var silentCount: Int { silent.count - silentHead }

  /// What to do now.
  package mutating func next(now: ContinuousClock.Instant) -> Step {
    let isSecondPass = upcoming == nil || silentCount >= parameters.silentMax
    guard let address = isSecondPass ? (silentCount > 0 ? silent[silentHead] : nil) : upcoming else {
      return inFlight == 0 ? .done : .waitForAnswers
    }
    guard inFlight < parameters.inFlightMax else { return .waitForAnswers }
    // Every address of `due` is in a range, since `due` was made from the ranges.
    let range = plan.range(of: address) ?? 0
    let packets = plan.ranges[range].credentialCount
    guard pace.take(packets, now: now) else { return .wait(until: pace.earliest(packets, now: now)) }
    if isSecondPass { dropFirstSilent() } else { upcoming = remaining.next() }
    inFlight += 1
    return .probe(
      SweepAttempt(
        address: address, range: range, pass: isSecondPass ? 2 : 1,
        patience: isSecondPass ? parameters.secondPatience : parameters.firstPatience,
        furtherPatience: parameters.firstPatience))
  }

  /// Tells what a probe came to. Returns the reason when that settles the address, nil when it gets its second pass.
  package mutating func settled(_ attempt: SweepAttempt, _ answer: SweepAnswer) -> SweepReason? {
    inFlight -= 1
    if answer == .silent, attempt.pass == 1 {
      silent.append(attempt.address)
      stepsDone += 1
      return nil
    }
    let reason: SweepReason =
      switch answer {
      case .found: .found
      case .notAPrinter: .notAPrinter
      case .wrongCredential: .wrongCredential
      case .silent, .refused: .noAnswer
      }
    counts[reason, default: 0] += 1
    stepsDone += attempt.pass == 1 ? 2 : 1
    return reason
  }

  /// How far the sweep is. The time left is estimated from the steps done, of which every address has two.
  package func progress(now: ContinuousClock.Instant) -> SweepProgress {
    var progress = SweepProgress()
    progress.total = plan.addressCount
    progress.done = counts.values.reduce(0, +)
    progress.found = counts[.found, default: 0]
    let elapsed = started.duration(to: now)
    let probed = progress.done - plan.excluded.count - plan.untouchable.count
    if elapsed > .zero { progress.rate = Double(probed) / (elapsed / .seconds(1)) }
    let steps = plan.due.count * 2
    if stepsDone == steps {
      progress.timeLeft = .zero
    } else if stepsDone > 0 {
      progress.timeLeft = elapsed * (Double(steps - stepsDone) / Double(stepsDone))
    }
    return progress
  }

  private mutating func dropFirstSilent() {
    silentHead += 1
    // Moving the rest up now and then keeps the queue's memory bounded at constant cost per address.
    guard silentHead >= 1_024 || silentHead == silent.count else { return }
    silent.removeFirst(silentHead)
    silentHead = 0
  }
}
