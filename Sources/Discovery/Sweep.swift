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
  /// Whether the second pass tries other versions of SNMP besides the credentials', and not in their place.
  package var isThorough: Bool

  package init(
    address: IPv4Address, range: Int, pass: Int, patience: Duration, furtherPatience: Duration, isThorough: Bool = true
  ) {
    self.address = address
    self.range = range
    self.pass = pass
    self.patience = patience
    self.furtherPatience = furtherPatience
    self.isThorough = isThorough
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
  /// Nil when nobody can say: a device takes longer than its patience. Zero at the end, and only there.
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
  /// Of the addresses whose first pass is over: how many there are, and how many were silent.
  private var firstPassDone = 0
  private var firstPassSilent = 0
  private var firstPassInFlight = 0
  /// Packets that probes of the first pass sent beside those of their credentials.
  private var sentBeside = 0
  /// When the last probe of each pass that is under way has waited for all its credentials.
  private var firstPatienceEnd: ContinuousClock.Instant
  private var secondPatienceEnd: ContinuousClock.Instant

  package init(_ plan: SweepPlan, parameters: SweepParameters = SweepParameters(), now: ContinuousClock.Instant) {
    self.plan = plan
    self.parameters = parameters
    started = now
    firstPatienceEnd = now
    secondPatienceEnd = now
    pace = Pace(packetsPerSecond: parameters.packetsPerSecond, burst: parameters.burst)
    remaining = plan.due.makeIterator()
    upcoming = remaining.next()
    if !plan.excluded.isEmpty { counts[.excluded] = plan.excluded.count }
    if !plan.untouchable.isEmpty { counts[.doNotTouch] = plan.untouchable.count }
  }

  private var isThorough: Bool { plan.due.count <= parameters.thoroughMax }
  private var silentCount: Int { silent.count - silentHead }
  /// Over TCP, to each address in its second pass.
  private var connections: Int { parameters.connects ? 1 : 0 }

  /// What to do now.
  package mutating func next(now: ContinuousClock.Instant) -> Step {
    let isSecondPass = upcoming == nil || silentCount >= parameters.silentMax
    guard let address = isSecondPass ? (silentCount > 0 ? silent[silentHead] : nil) : upcoming else {
      return inFlight == 0 ? .done : .waitForAnswers
    }
    guard inFlight < parameters.inFlightMax else { return .waitForAnswers }
    // Every address of `due` is in a range, since `due` was made from the ranges.
    let range = plan.range(of: address) ?? 0
    let credentials = plan.ranges[range].credentialCount
    let lastResorts = isSecondPass && isThorough ? plan.ranges[range].lastResortCount : 0
    let packets = credentials + lastResorts + (isSecondPass ? connections : 0)
    guard pace.take(packets, now: now) else { return .wait(until: pace.earliest(packets, now: now)) }
    if isSecondPass { dropFirstSilent() } else { upcoming = remaining.next() }
    inFlight += 1
    let attempt = SweepAttempt(
      address: address, range: range, pass: isSecondPass ? 2 : 1,
      patience: isSecondPass ? parameters.secondPatience(lastResorts) : parameters.firstPatience,
      furtherPatience: parameters.firstPatience, isThorough: isThorough)
    let patienceEnd =
      now + attempt.patience + attempt.furtherPatience * (credentials - 1) + SweepParameters.lastResortPatience
      * lastResorts
    if isSecondPass {
      secondPatienceEnd = max(secondPatienceEnd, patienceEnd)
    } else {
      firstPassInFlight += 1
      firstPatienceEnd = max(firstPatienceEnd, patienceEnd)
    }
    return .probe(attempt)
  }

  /// Tells what a probe came to. Returns the reason when that settles the address, nil when it gets its second pass.
  package mutating func settled(_ attempt: SweepAttempt, _ answer: SweepAnswer) -> SweepReason? {
    inFlight -= 1
    if attempt.pass == 1 {
      firstPassInFlight -= 1
      firstPassDone += 1
    }
    if answer == .silent, attempt.pass == 1 {
      silent.append(attempt.address)
      firstPassSilent += 1
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
    return reason
  }

  /// Tells of a packet that a probe of the first pass sends beside those of its credentials: what follows waits for it.
  package mutating func sendsBeside(now: ContinuousClock.Instant) {
    sentBeside += 1
    pace.owe(now: now)
  }

  /// How far the sweep is.
  package func progress(now: ContinuousClock.Instant) -> SweepProgress {
    var progress = SweepProgress()
    progress.total = plan.addressCount
    progress.done = counts.values.reduce(0, +)
    progress.found = counts[.found, default: 0]
    let elapsed = started.duration(to: now)
    let probed = progress.done - plan.excluded.count - plan.untouchable.count
    if elapsed > .zero { progress.rate = Double(probed) / (elapsed / .seconds(1)) }
    progress.timeLeft = progress.done == progress.total ? .zero : timeLeft(now: now)
    return progress
  }

  /// The packets to come at the sweep's pace, then the patience of the last second pass, which nothing shortens. As many of the addresses
  /// that were not asked yet are taken to be silent as of those that were, and those under way are among the silent: who answers does so
  /// soon. Of the ranges' credentials, the mean number; of packets beside them, as many as so far.
  private func timeLeft(now: ContinuousClock.Instant) -> Duration? {
    let unasked = plan.due.count - firstPassDone - firstPassInFlight
    let asked = firstPassDone + firstPassInFlight
    let silentPart = asked == 0 ? 1 : Double(firstPassSilent + firstPassInFlight) / Double(asked)
    let again = Double(silentCount + firstPassInFlight) + silentPart * Double(unasked)
    let lastResorts = isThorough ? plan.lastResortsMean : 0
    let besidePart = firstPassDone == 0 ? 0 : Double(sentBeside) / Double(firstPassDone)
    let packets =
      Double(unasked) * (plan.credentialsMean + besidePart)
      + again * (plan.credentialsMean + lastResorts + Double(connections))
    let sending = Duration.seconds(packets / Double(max(parameters.packetsPerSecond, 1)))
    var left = max(sending, now.duration(to: firstPatienceEnd))
    if again >= 1 {
      left += parameters.secondPatience(Int(lastResorts.rounded()))
      left += parameters.firstPatience * max(plan.credentialsMean - 1, 0)
      left += SweepParameters.lastResortPatience * lastResorts
    }
    left = max(left, now.duration(to: secondPatienceEnd))
    return left > .zero ? left : nil
  }

  private mutating func dropFirstSilent() {
    silentHead += 1
    // Moving the rest up now and then keeps the queue's memory bounded at constant cost per address.
    guard silentHead >= 1_024 || silentHead == silent.count else { return }
    silent.removeFirst(silentHead)
    silentHead = 0
  }
}
