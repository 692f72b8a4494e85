// From what was read to what it means: merges a transcript with what a light or an interrupted poll leaves standing, and interprets the
// whole. Done on the caller's side, so that the engine's thread only moves packets.

package import Discovery
internal import MIB
package import PrinterModel

extension PollTranscript {
  /// The outcome of this poll, with the memory for the next one.
  /// - Parameter credential: name of the credential used.
  package func interpreted(
    endpoint: Endpoint, credential: String, profiles: ProfileSet = .shipped
  ) -> (outcome: PollOutcome, memory: PollMemory) {
    let (bindings, cuts) = bindings.shortened()
    guard !cuts.isEmpty else { return interpretedAsKept(endpoint, credential, profiles) }
    var kept = self
    kept.bindings = bindings
    kept.findings += cuts
    return kept.interpretedAsKept(endpoint, credential, profiles)
  }

  private func interpretedAsKept(
    _ endpoint: Endpoint, _ credential: String, _ profiles: ProfileSet
  ) -> (outcome: PollOutcome, memory: PollMemory) {
    if let interruption, bindings.isEmpty {
      let failed = PollOutcome(
        endpoint: endpoint, credential: credential, cost: cost, steps: steps, result: .failed(interruption))
      return (failed, memory)
    }
    if let rest = standingStill() { return told(rest, rest.interpretation.reading, endpoint, credential) }
    let (walk, excess) = merged().bounded()
    let pollFindings = allFindings(excess).bounded()
    var interpretation: Reading
    var rest: ReadingAtRest
    if let same = standingStill(walk) {
      (interpretation, rest) = same
    } else {
      let classification = Classification.of(walk, profiles: profiles)
      if !classification.isPrinter, interruption == nil {
        let failure = nothingButErrors ?? notAPrinter(classification)
        return (
          PollOutcome(endpoint: endpoint, credential: credential, cost: cost, steps: steps, result: .failed(failure)),
          memory
        )
      }
      interpretation = read(walk, profiles)
      interpretation.findings = interpretation.findings.bounded()
      rest = ReadingAtRest(walk, interpretation)
    }
    rest.pollFindings = pollFindings
    let isWhole = kind == .full && interruption == nil
    let step = isWhole ? NamesStep(from: former, to: walk) : .same
    var (outcome, memory) = told(rest, interpretation, endpoint, credential, step)
    if hasReadAlertTable, let former { memory.alertCounting = memory.alertCounting.after(former, walk) }
    memory.still = excess == nil ? stillAnswers(walk) : nil
    return (outcome, memory)
  }

  /// - Parameter interpretation: that of `rest`, unpacked.
  private func told(
    _ rest: ReadingAtRest, _ interpretation: Reading, _ endpoint: Endpoint, _ credential: String,
    _ step: NamesStep = .same
  ) -> (outcome: PollOutcome, memory: PollMemory) {
    var reading = interpretation
    reading.findings += rest.pollFindings
    var poll = PollReading(
      kind: kind, rest: rest, reading: reading, alerts: alertReport(reading), read: NameSet(of: bindings),
      interruption: interruption)
    poll.step = step
    poll.unanswered = unanswered
    var memory = memory
    if interruption == nil { memory.rest = rest }
    return (
      PollOutcome(endpoint: endpoint, credential: credential, cost: cost, steps: steps, result: .reading(poll)), memory
    )
  }

  /// What the next light poll may be compared with.
  private func stillAnswers(_ walk: Walk) -> StillAnswers? {
    guard kind == .light, trace.isWhole, memory.suppliesContext == nil else { return nil }
    return StillAnswers(steps: trace.steps, facts: StillAnswers.Facts(read: Walk(bindings), walk: walk))
  }

  /// What is known, at another uptime, where the device answered all as it did before.
  private func standingStill() -> ReadingAtRest? {
    guard interruption == nil, trace.facts != nil, let ticks = trace.ticks, var rest = memory.rest else { return nil }
    if !findings.isEmpty { rest.pollFindings = allFindings(nil).bounded() }
    return rest.moved(to: .timeTicks(ticks), UInt64(ticks))
  }

  /// The reading of the poll before where the device stands still: it was a printer then, and nothing new is to be read.
  private func standingStill(_ walk: Walk) -> (Reading, ReadingAtRest)? {
    guard interruption == nil, let former, let rest = memory.rest, let uptime = walk[MIB2.sysUpTime],
      let reading = Interpretation.read(walk, standingStillSince: former, rest.interpretation.reading)
    else { return nil }
    return (reading, rest.moved(to: uptime, reading.detectors.uptimeTicks))
  }

  /// What did not change since the poll before has the meaning that it had.
  private func read(_ walk: Walk, _ profiles: ProfileSet) -> Reading {
    guard let former, let rest = memory.rest else { return Interpretation.read(walk, profiles: profiles) }
    return Interpretation.read(walk, since: former, rest.interpretation.reading, profiles: profiles)
  }

  private func notAPrinter(_ classification: Classification) -> PollFailure {
    PollFailure(
      .notAPrinter, "it answers, but \(classification.reason)",
      remedy: "If it is one, let its access rules show \(PrinterMIB.root) with this credential")
  }

  /// What to say of a device that answered, and with no object at all: the error it gave first.
  private var nothingButErrors: PollFailure? {
    guard bindings.isEmpty, let first = findings.first(where: { $0.name != nil }) ?? findings.first else { return nil }
    let others = findings.count > 1 ? ", and \(findings.count - 1) more of the kind" : ""
    return PollFailure(.deviceError, "it answers, but with no object: \(first.message)\(others)")
  }

  /// A full poll that came to its end stands alone; any other is laid over what was known.
  private func merged() -> Walk {
    if kind == .full, interruption == nil { return Walk(bindings) }
    var walk = former ?? Walk()
    let read = Walk(bindings)
    let hasLost = completed.contains { walk.subtree($0).count != read.subtree($0).count }
    if !hasLost, absent.isEmpty, walk.contains(read, butFor: MIB2.sysUpTime) {
      if let uptime = read[MIB2.sysUpTime] { walk.set(MIB2.sysUpTime, uptime) }
      return walk
    }
    if !completed.isEmpty {
      walk = Walk(walk.bindings.filter { binding in !completed.contains { binding.name.isWithin($0) } })
    }
    return walk.merging(read, removing: NameSet(absent))
  }

  /// The findings of this poll; a light one keeps those of the poll before, because what was odd then was not read again.
  private func allFindings(_ excess: Finding?) -> [Finding] {
    var result = findings + (excess.map { [$0] } ?? [])
    if kind == .light {
      let former = memory.rest?.pollFindings ?? []
      let told = Set(former.map(\.message))
      result = former + result.filter { !told.contains($0.message) }
    }
    if let interruption {
      let last = bindings.last?.name
      let objects = bindings.count == 1 ? "1 object" : "\(bindings.count) objects"
      let message =
        "the poll was interrupted after \(objects) (\(interruption.message)); what was not read stays as it was"
      result.append(Finding(last, message))
    }
    return result
  }

  private static let alertColumns = [PrinterMIB.Alert.severity, PrinterMIB.Alert.code].map {
    PrinterMIB.Alert.entry.appending($0)
  }
  private static let errorState = HostResources.Printer.entry.appending(HostResources.Printer.detectedErrorState)

  /// Whether prtAlertTable was read to its end.
  private var hasReadAlertTable: Bool { Self.alertColumns.allSatisfy { completed.contains($0) } }

  /// What this poll may say about alerts: see `AlertTracker`.
  private func alertReport(_ reading: Reading) -> AlertReport {
    let isWhole = hasReadAlertTable
    let hasReadState = bindings.contains { $0.name.isWithin(Self.errorState) }
    let hasReadRows = isWhole || bindings.contains { $0.name.isWithin(PrinterMIB.Alert.entry) }
    return AlertReport(
      rows: isWhole ? reading.alerts : nil, partialRows: hasReadRows ? reading.alerts : [],
      detectedErrors: hasReadState ? reading.status.detectedErrors : nil)
  }
}
