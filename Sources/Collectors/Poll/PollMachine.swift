// One poll of one device.
//
//   full:   walk the standard tables, the system group among them
//                          -> did nothing tell the maker?   yes -> GET the makers' device ids, as a probe meets them
//                          -> GET and walk the profile's objects
//                          -> are there no supplies?        yes -> walk them in the context that the profile names -> end
//   light:  GET what moves, and look whether prtAlertTable is empty
//                          -> did the structure change?     yes -> full
//                          -> did anything move?            yes -> GET what moves in use, and what says what the moved numbers are of
//                             did one of these change?      yes -> full
//                          -> may the alerts differ?        yes -> walk prtAlertTable -> end
//                                                           no  -> end
//           supplies that were read in another context are walked there in each light poll as well, at its end
//
// What a light poll asks for and decides by is in LightPoll.swift. Every device is read in full at least once a day (`DeviceMonitor`).
//
// A device that does not answer the first request of a poll is silent, and the poll is over: nothing else is asked, but for one GETNEXT after
// a silent GET of a device that never answered one (`ScalarRead`). The first request to a device that was never polled asks for one object,
// because some hang on several.
// A device that falls silent in mid-poll, or takes longer than `timeMax`, interrupts the poll: what was read is kept. Where somebody waits,
// `silenceMax` ends the patience with a device that died: three requests in a row, with timeouts that grow, take more than a minute.

package import Discovery
package import Events
package import MIB
package import PrinterModel
internal import SNMP

/// What a poll read, before interpretation.
package struct PollTranscript: Sendable {
  package var kind: PollKind
  /// What was answered now.
  package var bindings: [VarBind] = []
  /// Names that the device said it does not have.
  package var absent: [ObjectIdentifier] = []
  /// Columns and tables that were walked to their end: what is not among `bindings` there does not exist.
  package var completed: [ObjectIdentifier] = []
  package var findings: [Finding] = []
  /// Objects and subtrees of which an error, or nothing, was all that the device answered.
  package var unanswered: [ObjectIdentifier] = []
  /// Why the poll ended early.
  package var interruption: PollFailure?
  package var cost = PollCost()
  /// What was done, in order.
  package var steps: [PollStep] = []
  /// For the next poll; its walk is not updated yet.
  package var memory: PollMemory
  /// Of a light poll: how its answers compare with those before.
  var trace = StillTrace(nil, ticks: nil)
  private var unpacked: Walk?

  init(kind: PollKind, memory: PollMemory) {
    self.kind = kind
    self.memory = memory
  }

  /// All objects as of the last poll that came to its end; nil before the first.
  package var former: Walk? { unpacked ?? memory.rest?.walk.walk }

  /// The same, kept.
  mutating func unpackFormer() -> Walk? {
    unpacked = former
    return unpacked
  }
}

/// One poll.
package struct PollMachine: DeviceMachine {
  package typealias Output = PollTranscript

  /// A device that needs longer is not worth waiting for: its counters would be of another time when the last one comes.
  package static let timeMax: Duration = .seconds(180)

  private enum Step {
    case get([ObjectIdentifier])
    /// What is known, and the rows of a table that it watches.
    case getKnown(KnownRead.Plan, watch: TableWatch? = nil)
    case walk(WalkTargets)
    /// The supplies, in this context.
    case context(String)
  }

  /// Columns to walk, with what follows from their names alone.
  private struct WalkTargets {
    /// Those of every printer.
    static let standard = WalkTargets(PollTargets.tables)
    static let alerts = WalkTargets([LightPoll.alertTable])
    static let suppliesOfContext = WalkTargets(PollTargets.suppliesOfContext)

    let roots: [ObjectIdentifier]
    let plan: WalkPlan

    init(_ tables: [TableTarget]) {
      roots = tables.flatMap(\.columnNames)
      plan = WalkPlan(roots) { column in tables.first { column.isWithin($0.entry) }?.usualRows }
    }
  }

  private enum Reader {
    case get(ScalarRead)
    case getKnown(KnownRead)
    case walk(TableWalk, [ObjectIdentifier])
  }

  /// Whether what is walked now lies in another context.
  private var context: String?
  private var hasReadContext = false

  private let profiles: ProfileSet
  private let silenceMax: Duration?
  private var conversation: Conversation
  /// When something was last heard or fired.
  private var now: Instant?
  /// The step under way: when it began, and what had been asked and read until then.
  private var openStep: (name: String, begun: Instant, requests: UInt32)?
  private var transcript: PollTranscript
  private var steps: [Step] = []
  private var reader: Reader?
  private var hasAskedDeviceIDs = false
  private var hasReadPrivate = false
  private var light: LightPoll?
  /// What the first answer of a light poll told of prtAlertTable.
  private var alertTable = KnownRead.Watched.unknown
  private var begun: Instant?
  /// Whether the device answered anything in this poll.
  private var hasHeard = false
  /// When it answered last, or the poll began.
  private var lastHeard: Instant?

  /// - Parameters:
  ///   - kind: a light poll without a walk in `memory` becomes a full one.
  ///   - hasActiveAlerts: whether an alert is raised now.
  ///   - isHinted: whether the device asked for it by a trap: its alerts are walked, whatever its detectors say.
  ///   - silenceMax: how long after its last answer the device is waited for; nil for as long as its requests are repeated.
  package init(
    _ kind: PollKind, memory: PollMemory, hasActiveAlerts: Bool = false, isHinted: Bool = false,
    silenceMax: Duration? = nil, profiles: ProfileSet = .shipped
  ) {
    self.profiles = profiles
    self.silenceMax = silenceMax
    conversation = Conversation(memory.session)
    let isLight = kind == .light && memory.rest != nil
    transcript = PollTranscript(kind: isLight ? .light : .full, memory: memory)
    if isLight, let rest = memory.rest {
      startLight(rest, LightPoll.Occasion(hasActiveAlerts: hasActiveAlerts, isHinted: isHinted))
    } else {
      startFull()
    }
  }

  private mutating func startLight(_ rest: ReadingAtRest, _ occasion: LightPoll.Occasion) {
    let memory = transcript.memory
    let still = memory.still
    let known = memory.lightPlan ?? LightPlan(before(), profiles: profiles, abilities: memory.abilities)
    let plan = known.adapted(to: memory.abilities)
    transcript.memory.lightPlan = plan
    transcript.trace = StillTrace(still, ticks: rest.interpretation.uptimeTicks)
    let light = LightPoll(plan, memory, occasion, profiles: profiles)
    steps = [.getKnown(light.hasReadInUse ? plan.together : plan.always, watch: alertWatch(rest, still))]
    self.light = light
  }

  /// The rows of prtAlertTable as of the last poll, without unpacking the rest where it is known.
  private mutating func alertWatch(_ rest: ReadingAtRest, _ still: StillAnswers?) -> TableWatch? {
    guard let still else { return LightPoll.alertWatch(before()) }
    return still.facts.hasAlertRows ? LightPoll.alertWatch(rest.walk.subtree(PrinterMIB.Alert.entry)) : nil
  }

  /// All objects as of the last poll, but for what another context holds, which is asked for there.
  private mutating func before() -> Walk {
    let walk = transcript.unpackFormer() ?? Walk()
    return transcript.memory.suppliesContext == nil ? walk : walk.withoutSuppliesOfContext
  }

  package var outstandingID: Int32? { conversation.outstandingID }
  package static func identifier(of datagram: [UInt8]) -> Int32? { Conversation.identifier(of: datagram) }

  package mutating func start(now: Instant) -> [Action] {
    begun = now
    lastHeard = now
    self.now = now
    return proceed(now: now)
  }

  package mutating func received(_ datagram: [UInt8], now: Instant) -> [Action] {
    follow(conversation.received(datagram, now: now), now: now)
  }

  package mutating func timerFired(now: Instant) -> [Action] {
    guard let silenceMax, let silenceEnd, now >= silenceEnd else {
      return follow(conversation.timerFired(now: now), now: now)
    }
    conversation.cancel()
    transcript.interruption = PollFailure(.timeout, "no answer for \(silenceMax.components.seconds) s")
    return [.finish(finished(now: now))]
  }

  private var silenceEnd: Instant? {
    guard let silenceMax else { return nil }
    return lastHeard?.advanced(by: silenceMax)
  }

  package mutating func undelivered(_ reason: Undeliverable, now: Instant) -> [Action] {
    // In mid-poll only a hint: the session goes on trying, and the reason goes into the message if nothing comes.
    conversation.undelivered(reason)
    guard reason == .portClosed, !hasHeard else { return [] }
    transcript.interruption = .portClosed
    return [.finish(finished(now: now))]
  }

  package mutating func answeredElsewhere(from source: Endpoint) { conversation.answeredElsewhere(from: source) }

  // MARK: Requests and answers

  private mutating func follow(_ turn: Conversation.Turn, now: Instant) -> [Action] {
    self.now = now
    let actions = actions(turn)
    guard let reply = turn.reply else { return actions }
    take(reply, now: now)
    return actions + proceed(now: now)
  }

  private func actions(_ turn: Conversation.Turn) -> [Action] {
    turn.datagrams.map { .send($0) } + (turn.timer.map { [.setTimer(min($0, silenceEnd ?? $0))] } ?? [])
  }

  /// Sends the next request, or ends.
  private mutating func proceed(now: Instant) -> [Action] {
    var actions: [Action] = []
    while transcript.interruption == nil {
      if let begun, begun.duration(to: now) >= Self.timeMax {
        transcript.interruption = PollFailure(.timeout, "the poll took longer than \(Self.timeMax)")
        break
      }
      guard let request = nextRequest() else { break }
      let turn = conversation.request(request, now: now)
      actions += self.actions(turn)
      guard let reply = turn.reply else { return actions }
      take(reply, now: now)
    }
    return actions + [.finish(finished(now: now))]
  }

  private mutating func nextRequest() -> Request? {
    while true {
      if let request = readerNext() { return request }
      if reader != nil { closeReader() }
      guard transcript.interruption == nil, openReader() else { return nil }
    }
  }

  /// The reader is taken out while it changes, so that its arrays change in place.
  private mutating func readerNext() -> Request? {
    switch reader.take() {
    case .get(var read):
      let request = read.next()
      reader = .get(read)
      return request
    case .getKnown(var read):
      let request = read.next()
      reader = .getKnown(read)
      return request
    case .walk(var walk, let roots):
      let request = walk.next()
      reader = .walk(walk, roots)
      return request
    case nil: return nil
    }
  }

  private mutating func take(_ reply: Conversation.Reply, now: Instant) {
    var isTryingGetNext = false
    switch reader.take() {
    case .get(var read):
      Self.give(reply, to: &read)
      isTryingGetNext = read.isTryingGetNext
      reader = .get(read)
    case .getKnown(var read):
      Self.give(reply, to: &read)
      isTryingGetNext = read.isTryingGetNext
      reader = .getKnown(read)
    case .walk(var walk, let roots):
      Self.give(reply, to: &walk)
      reader = .walk(walk, roots)
    case nil: break
    }
    switch reply {
    case .response:
      hasHeard = true
      lastHeard = now
    case .failure(let failure):
      if !hasHeard, !isTryingGetNext { transcript.interruption = self.failure(failure) }
    }
  }

  private static func give(_ reply: Conversation.Reply, to source: inout some RequestSource) {
    switch reply {
    case .response(let response): source.received(response)
    case .failure(let failure): source.failed(failure)
    }
  }

  // MARK: Steps

  private mutating func startFull() {
    transcript.kind = .full
    _ = transcript.unpackFormer()
    transcript.memory.lightPlan = nil
    transcript.memory.still = nil
    hasAskedDeviceIDs = false
    hasReadPrivate = false
    hasReadContext = false
    steps = [.walk(.standard)]
  }

  /// Begins the next step; false when there is none.
  private mutating func openReader() -> Bool {
    if steps.isEmpty { planMore() }
    guard !steps.isEmpty else { return false }
    var abilities = transcript.memory.abilities
    let step = steps.removeFirst()
    if let now { openStep = (stepName(step), now, conversation.cost(now: now).requests) }
    switch step {
    case .get(let names):
      abilities.columnsWorked()
      reader = .get(ScalarRead(names: names, abilities: abilities))
    case .getKnown(let plan, let watch): reader = .getKnown(KnownRead(plan.adapted(to: abilities), watch: watch))
    case .walk(let targets):
      let walk = TableWalk(targets.plan, abilities: abilities, expected: formerCount)
      reader = .walk(walk, targets.roots)
    case .context(let name):
      guard conversation.enter(context: name) else { return openReader() }
      context = name
      let targets = WalkTargets.suppliesOfContext
      reader = .walk(TableWalk(targets.plan, abilities: abilities, expected: formerCount), targets.roots)
    }
    return true
  }

  /// How many values a column had the last time; nil before the first poll, of which the tables' usual rows are expected.
  private var formerCount: ((ObjectIdentifier) -> Int?)? {
    transcript.former.map { walk in { walk.subtree($0).count } }
  }

  /// Notes how a step went, for whoever wants to see.
  private mutating func note(_ stopped: PollFailure?, objects: Int) {
    guard let step = openStep, let now else { return }
    openStep = nil
    let milliseconds = step.begun.duration(to: now) / .milliseconds(1)
    transcript.steps.append(
      PollStep(
        name: step.name, milliseconds: UInt32(max(0, milliseconds.rounded())),
        requests: conversation.cost(now: now).requests - step.requests, objects: objects, failure: stopped))
  }

  private func stepName(_ step: Step) -> String {
    switch step {
    case .get where hasReadPrivate: "vendor objects"
    case .get: "device ids"
    case .getKnown: transcript.steps.isEmpty ? "what moves" : "labels"
    case .walk where transcript.kind == .light: "alerts"
    case .walk: hasReadPrivate ? "vendor tables" : "standard tables"
    case .context: "supplies in another context"
    }
  }

  private mutating func closeReader() {
    if context != nil { return closeContext() }
    switch reader {
    case .get(let read):
      transcript.absent += read.absent
      close(read)
    case .getKnown(let read):
      transcript.absent += read.absent
      if read.watched != .unknown { alertTable = read.watched }
      // Nothing follows the table's name in it: read to its end.
      if read.watched == .empty { transcript.completed += WalkTargets.alerts.roots }
      close(read)
    case .walk(let walk, let roots):
      // A column that was not answered is not known to its end; an error of the device's own is how it says that nothing follows.
      let unanswered = Set(walk.findings.compactMap { $0.unansweredName })
      if walk.stopped == nil {
        transcript.completed +=
          unanswered.isEmpty ? roots : roots.filter { root in !unanswered.contains { $0.isWithin(root) } }
      }
      close(walk)
    case nil: break
    }
    reader = nil
  }

  /// A context that never answered is none of the device's; one that did and is silent now interrupts the poll as any silence does.
  private mutating func closeContext() {
    let name = context.take()
    conversation.leaveContext()
    guard case .walk(let walk, let roots) = reader.take() else { return }
    note(
      walk.stopped == nil ? nil : PollFailure(.timeout, "no answer in context \(name ?? "")"),
      objects: walk.bindings.count)
    let abilities = transcript.memory.abilities
    defer { transcript.memory.abilities = abilities }
    if walk.stopped == nil, walk.findings.allSatisfy({ $0.unansweredName == nil }) {
      transcript.memory.suppliesContext = walk.bindings.isEmpty ? nil : name
      if transcript.kind == .light || !walk.bindings.isEmpty { transcript.completed += roots }
      return close(walk)
    }
    guard transcript.memory.suppliesContext != nil else {
      transcript.memory.isContextSilent = true
      return
    }
    close(walk)
    let silence = PollFailure(.timeout, "no answer in context \(name ?? "")")
    transcript.interruption = transcript.interruption ?? silence
  }

  private mutating func close(_ source: some RequestSource) {
    let read = source.bindings
    defer { note(nil, objects: read.count) }
    if transcript.kind == .light, source.stopped == nil, source.findings.isEmpty {
      add(inOrder: Walk(read))
    } else {
      transcript.bindings += read
      transcript.trace.fell()
    }
    transcript.memory.abilities = source.abilities
    transcript.unanswered += source.findings.compactMap(\.unknownName)
    for finding in source.findings { conversation.note(Finding(finding.name, finding.description)) }
    switch source.stopped {
    case nil: note(nil, objects: read.count)
    case .unreachable(let failure):
      transcript.interruption = transcript.interruption ?? self.failure(failure)
      note(transcript.interruption, objects: read.count)
    case .requestsExhausted(let count):
      conversation.note(Finding(nil, "reading was ended after \(count) requests"))
    case .bindingsExhausted(let count):
      conversation.note(Finding(nil, "reading was ended after \(count) objects"))
    }
  }

  /// In order, so that nothing that follows has to put them in order again.
  private mutating func add(inOrder read: Walk) {
    transcript.trace.answered(read, watched: alertTable.rawValue)
    transcript.bindings =
      transcript.bindings.isEmpty ? read.bindings : Walk(transcript.bindings + read.bindings).bindings
  }

  /// What the answers so far ask for.
  private mutating func planMore() {
    if transcript.kind == .light {
      planLight()
    } else if !hasReadPrivate {
      let walk = Walk(transcript.bindings)
      // What answers with nothing but errors answers no further question.
      let hasAnswered = !walk.isEmpty || conversation.findings.isEmpty
      if !hasAskedDeviceIDs, hasAnswered, Interpretation.profile(for: walk, profiles: profiles) == nil {
        hasAskedDeviceIDs = true
        let deviceIDs = PollTargets.deviceIDs(profiles)
        if !deviceIDs.isEmpty { return steps.append(.get(deviceIDs)) }
      }
      hasReadPrivate = true
      let own = PollTargets.further(walk, profiles: profiles)
      if !own.scalars.isEmpty { steps.append(.get(own.scalars)) }
      if !own.tables.isEmpty { steps.append(.walk(WalkTargets(own.tables))) }
    } else if !hasReadContext {
      hasReadContext = true
      planContext()
    }
  }

  /// After a whole read: where the maker's devices may have their supplies, if they are not here.
  private mutating func planContext() {
    let walk = Walk(transcript.bindings)
    guard walk.subtree(PrinterMIB.Supplies.entry).isEmpty else {
      transcript.memory.suppliesContext = nil
      return
    }
    guard !transcript.memory.isContextSilent,
      let name = Interpretation.profile(for: walk, profiles: profiles)?.suppliesContext
    else { return }
    steps = [.context(name)]
  }

  private mutating func planLight() {
    guard let begun else { return }
    let seen = comparison(begun)
    switch light?.next(seen, absent: transcript.absent, alerts: alertTable, now: begun) {
    case .full(let reason):
      conversation.note(Finding(nil, "read in full because \(reason)"))
      transcript.bindings = []
      transcript.absent = []
      transcript.completed = []
      transcript.unanswered = []
      startFull()
    case .further(let isInUse, let labels):
      guard let plan = transcript.memory.lightPlan else { return }
      steps = [.getKnown(labels.isEmpty ? plan.inUse : plan.further(inUse: isInUse, labels, before()))]
    case .alerts: steps = [.walk(.alerts)]
    case nil:
      guard let name = transcript.memory.suppliesContext, !hasReadContext else { return }
      hasReadContext = true
      steps = [.context(name)]
    }
  }

  private mutating func comparison(_ begun: Instant) -> LightPoll.Comparison {
    if let facts = transcript.trace.facts, light?.areRowsDue(begun) == false { return .still(facts) }
    return .walks(read: Walk(transcript.bindings), before: before())
  }

  private mutating func finished(now: Instant) -> PollTranscript {
    if reader != nil { closeReader() }
    conversation.leaveContext()
    transcript.cost = conversation.cost(now: now)
    transcript.memory.session = conversation.session
    if transcript.interruption == nil, transcript.kind == .full || light?.hasReadInUse == true {
      transcript.memory.inUseReadAt = begun
    }
    if let light { transcript.memory.canStandStill = light.canStandStill }
    if transcript.interruption == nil, transcript.kind == .full || light?.hasReadRows == true {
      transcript.memory.rowsReadAt = begun
    }
    if !transcript.absent.isEmpty || transcript.interruption != nil { transcript.trace.fell() }
    if transcript.kind == .light, light?.labels.isEmpty == false { withholdMoved() }
    transcript.findings = conversation.findings
    return transcript
  }

  /// The poll ended before the device said what the numbers are of that moved: they are not told.
  private mutating func withholdMoved() {
    guard let former = transcript.former else { return }
    transcript.bindings.removeAll { RowLabels.isNumber($0.name) && former[$0.name] != $0.value }
  }

  private func failure(_ failure: SessionFailure) -> PollFailure {
    switch failure {
    case .timeout:
      if case .unreachable(let code)? = conversation.undelivered {
        return PollFailure(.timeout, "no answer: \(SystemCode.text(code))")
      }
      if let source = conversation.elsewhere.first {
        return PollFailure(.timeout, "answers came from \(source) only, and were not accepted")
      }
      return PollFailure(.timeout, "\(failure)")
    case .authentication(let refusal):
      return PollFailure(
        .authentication, "\(failure)", remedy: refusal.remedy(for: conversation.session.credential))
    case .reported: return PollFailure(.authentication, "\(failure)")
    case .malformed: return PollFailure(.malformed, "\(failure)")
    }
  }
}

extension Walk {
  /// Without what is read in another context.
  fileprivate var withoutSuppliesOfContext: Walk {
    let entries = PollTargets.suppliesOfContext.map(\.entry)
    return Walk(bindings.filter { binding in !entries.contains { binding.name.isWithin($0) } })
  }
}
