// Is there a printer at this address, and which credential does it answer to?
//
//     GET sysDescr, sysObjectID  --silence, for each ask in order---------> silent                 (ProbeAsk.swift: which those are)
//             |                  --refused by the network-----------------> refused
//             |                  --wrong user or password, next credential-> ... wrongCredential
//             v answered
//     GETNEXT serial number, marker, hrDevice, device id: until it is a printer --> found / notAPrinter
//             |
//             v found, and somebody looks at the list: GETNEXT serial number and description, then the maker's own, where these are not known yet
//
// SNMPv1 answers a GET of two with neither where it has one of them only (noSuchName, RFC 1157 section 4.1.2): then each is asked by GETNEXT.
//
// Few varbinds: some old printers crash on many. The second pass asks for one object only, for devices that hang on two, and by GETNEXT, for
// those that answer no GET. That costs a silent address nothing, and a device that did not answer GETNEXT could not be read anyway.
// A device that answered once is asked for its evidence with that credential alone.

package import Discovery
package import Events
package import MIB
package import PrinterModel
package import SNMP

/// What a probe found out.
package struct ProbeOutput: Equatable, Sendable {
  package var answer: SweepAnswer
  /// The credential that worked, in the version that worked.
  package var credential: NamedCredential?
  /// What the device said.
  package var walk = Walk()
  /// A sentence for people: why it is or is not a printer, or which credential was refused how.
  package var detail: String
  /// Whence answers came that were not accepted.
  package var elsewhere: [Endpoint] = []
  package var cost = PollCost()

  package init(answer: SweepAnswer, detail: String) {
    self.answer = answer
    self.detail = detail
  }
}

/// One probe of one address.
package struct ProbeMachine: DeviceMachine {
  package typealias Output = ProbeOutput

  /// Times that one question of the evidence is asked before it is left out.
  private static let triesMax = 2
  /// Questions in a row without an answer after which the device counts as silent.
  private static let unansweredMax = 2

  private let asks: [ProbeAsk]
  private let keys: USMKeyCache
  private let profiles: ProfileSet
  private let first: Request
  /// Whether a printer is asked for its model and serial number as well.
  private let isIdentifying: Bool
  /// Questions for that, once it is a printer, and how many were come to.
  private static let identifyingMax = 2
  private var identified = 0
  private var random: SplitMix64
  private var index = 0
  private var conversation: Conversation
  private var walk = Walk()
  /// Columns left to ask, once the device answered.
  private var evidence: [[ObjectIdentifier]]?
  /// Those asked for now.
  private var pending: [ObjectIdentifier] = []
  private var tries = 0
  /// Questions in a row that were not answered at all.
  private var unanswered = 0
  private var refusals: [String] = []
  private var malformed: String?
  /// Answers to what was not asked.
  private var strangers = 0
  /// The last error that the device answered with, in words.
  private var deviceError: String?

  /// - Parameters:
  ///   - asks: at least one.
  ///   - pass: 1, or 2 for a device that was silent.
  ///   - randomSeed: unpredictable and used once.
  ///   - isIdentifying: whether a printer is asked for its model and serial number as well, by two questions at most.
  package init(
    _ asks: [ProbeAsk], pass: Int, keys: USMKeyCache, profiles: ProfileSet, isIdentifying: Bool = false,
    randomSeed: UInt64
  ) {
    precondition(!asks.isEmpty, "a range without credentials cannot be probed")
    self.asks = asks
    self.keys = keys
    self.profiles = profiles
    self.isIdentifying = isIdentifying
    first = pass == 1 ? .get(PollTargets.evidence.scalars) : .getNext([MIB2.sysDescr.justBefore])
    random = SplitMix64(seed: randomSeed)
    conversation = Conversation(Self.session(asks[0], keys: keys, seed: random.next()))
  }

  /// A session that sends each request once: retrying is the sweep's second pass.
  private static func session(_ ask: ProbeAsk, keys: USMKeyCache, seed: UInt64) -> Session {
    var parameters = SessionParameters.sweep
    parameters.retries = 0
    parameters.timeoutInitial = ask.patience
    parameters.timeoutMax = max(ask.patience, parameters.timeoutMax)
    return Session(credential: ask.credential.credential, keys: keys, parameters: parameters, randomSeed: seed)
  }

  package var outstandingID: Int32? { conversation.outstandingID }
  package static func identifier(of datagram: [UInt8]) -> Int32? { Conversation.identifier(of: datagram) }

  package mutating func start(now: Instant) -> [Action] {
    follow(conversation.request(first, now: now), now: now)
  }

  package mutating func received(_ datagram: [UInt8], now: Instant) -> [Action] {
    follow(conversation.received(datagram, now: now), now: now)
  }

  package mutating func timerFired(now: Instant) -> [Action] {
    follow(conversation.timerFired(now: now), now: now)
  }

  package mutating func undelivered(_ reason: Undeliverable, now: Instant) -> [Action] {
    conversation.undelivered(reason)
    guard reason == .portClosed, evidence == nil else { return [] }
    return finish(.refused, PollFailure.portClosed.message, now: now)
  }

  package mutating func answeredElsewhere(from source: Endpoint) { conversation.answeredElsewhere(from: source) }

  private mutating func follow(_ first: Conversation.Turn, now: Instant) -> [Action] {
    var turn = first
    var actions: [Action] = []
    while true {
      actions += turn.datagrams.map { .send($0) }
      if let timer = turn.timer { actions.append(.setTimer(timer)) }
      guard let reply = turn.reply else { return actions }
      let next = evidence == nil ? identified(reply, now: now) : learnt(reply, now: now)
      switch next {
      case .ask(let following): turn = following
      case .end(let output): return actions + [.finish(output)]
      }
    }
  }

  private enum Next {
    case ask(Conversation.Turn)
    case end(ProbeOutput)
  }

  /// The first question, with one credential after the other.
  private mutating func identified(_ reply: Conversation.Reply, now: Instant) -> Next {
    let name = asks[index].credential.name
    switch reply {
    case .response, .failure(.authentication), .failure(.reported):
      guard asks[index].purpose == .reading else { return .end(unidentified(now: now, hasEngine: true)) }
    case .failure: break
    }
    switch reply {
    case .response(let response):
      take(response, to: first)
      evidence = PollTargets.evidence.tables.map(\.columnNames)
      if case .getNext = first {
        return .ask(conversation.request(.getNext([MIB2.sysObjectID.justBefore]), now: now))
      }
      if response.errorStatus == .noSuchName {
        // One at a time: of two, the one behind which nothing follows would take the other's answer with it.
        pending = [MIB2.sysDescr.justBefore]
        evidence?.insert([MIB2.sysObjectID.justBefore], at: 0)
        return .ask(conversation.request(.getNext(pending), now: now))
      }
      return decideOrAsk(now: now)
    case .failure(let failure):
      switch failure {
      case .authentication, .reported: refusals.append("\(name): \(failure)")
      case .malformed: malformed = "\(failure)"
      case .timeout(_, let others): strangers += others
      }
    }
    index += 1
    guard index < asks.count else { return .end(unidentified(now: now)) }
    conversation.use(Self.session(asks[index], keys: keys, seed: random.next()))
    return .ask(conversation.request(first, now: now))
  }

  /// - Parameter hasEngine: whether it answered an SNMPv3 discovery, and nothing else.
  private func unidentified(now: Instant, hasEngine: Bool = false) -> ProbeOutput {
    if hasEngine {
      return output(.wrongCredential, "it speaks SNMPv3, and no credential for it is an SNMPv3 user", now: now)
    }
    if !refusals.isEmpty { return output(.wrongCredential, refusals.joined(separator: "; "), now: now) }
    if let malformed { return output(.notAPrinter, "its answers cannot be read: \(malformed)", now: now) }
    if strangers > 0 {
      return output(.silent, "only answers with other request ids (\(strangers)), which were not accepted", now: now)
    }
    guard let source = conversation.elsewhere.first else {
      if case .unreachable(let code) = conversation.undelivered {
        return output(.silent, SystemCode.text(code), now: now)
      }
      return output(.silent, "no answer", now: now)
    }
    return output(.silent, "answers came from \(source) only, and were not accepted", now: now)
  }

  /// The further questions.
  private mutating func learnt(_ reply: Conversation.Reply, now: Instant) -> Next {
    switch reply {
    case .response(let response):
      take(response, to: .getNext(pending))
      (tries, unanswered) = (0, 0)
    case .failure:
      tries += 1
      if tries == Self.triesMax { unanswered += 1 }
    }
    return decideOrAsk(now: now)
  }

  private mutating func decideOrAsk(now: Instant) -> Next {
    let isRetry = (1..<Self.triesMax).contains(tries) && !pending.isEmpty
    if !isRetry {
      tries = 0
      let classification = Classification.of(walk, profiles: profiles)
      if classification.isPrinter {
        guard let names = nextIdentifying() else { return .end(output(.found, classification.reason, now: now)) }
        pending = names
        return .ask(conversation.request(.getNext(pending), now: now))
      }
      if unanswered == Self.unansweredMax || (unanswered > 0 && evidence?.isEmpty ?? true) {
        return .end(output(.silent, "it answered the first question, and fell silent then", now: now))
      }
      if evidence?.isEmpty ?? true {
        let reason = walk.isEmpty ? deviceError ?? classification.reason : classification.reason
        return .end(output(.notAPrinter, reason, now: now))
      }
      pending = evidence?.removeFirst() ?? []
    }
    return .ask(conversation.request(.getNext(pending), now: now))
  }

  /// What to ask a printer next, so that its model and serial number are told as a poll tells them: the standard's objects, then what of its
  /// profile goes before what is known, or the makers' device ids where no profile is known and these are still missing.
  private mutating func nextIdentifying() -> [ObjectIdentifier]? {
    while isIdentifying, identified < Self.identifyingMax {
      identified += 1
      let names = identified == 1 ? Self.standardIdentity.filter { walk.subtree($0).isEmpty } : ownIdentity()
      if !names.isEmpty { return names }
    }
    return nil
  }

  private func ownIdentity() -> [ObjectIdentifier] {
    let known = Interpretation.read(walk, profiles: profiles).identity
    guard let own = Interpretation.profile(for: walk, profiles: profiles)?.identity else {
      return known.serial == nil || known.model == nil ? PollTargets.deviceIDs(profiles).map(\.justBefore) : []
    }
    let hasDescription = !walk.subtree(Self.printerDescription).isEmpty
    let names = [
      known.serial == nil ? own.serial.first : nil, own.model.first, hasDescription ? nil : own.deviceID.first,
    ]
    return names.compactMap { $0?.justBefore }
  }

  private static let printerDescription = HostResources.Device.entry.appending(HostResources.Device.description)
  private static let standardIdentity = [
    PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber), printerDescription,
  ]

  private mutating func take(_ response: Response, to request: Request) {
    switch response.errorStatus {
    // How SNMPv1 says that an object is not there.
    case .noSuchName: return
    case .noError: break
    case let status:
      let asked = request.names.first.map { ", asked for \($0)" } ?? ""
      deviceError = "it answers with no object, but with \(status)\(asked)"
      return
    }
    for binding in response.bindings where !binding.value.isException && binding.value != .null {
      walk.set(binding.name, binding.value)
    }
  }

  private mutating func finish(_ answer: SweepAnswer, _ detail: String, now: Instant) -> [Action] {
    [.finish(output(answer, detail, now: now))]
  }

  private func output(_ answer: SweepAnswer, _ detail: String, now: Instant) -> ProbeOutput {
    var output = ProbeOutput(answer: answer, detail: detail)
    output.credential = evidence == nil ? nil : asks[index].credential
    output.walk = walk
    output.elsewhere = conversation.elsewhere
    output.cost = conversation.cost(now: now)
    return output
  }
}

/// A source of seeds: SplitMix64 (Steele, Lea and Flood 2014).
struct SplitMix64: Sendable {
  private var state: UInt64

  init(seed: UInt64) {
    state = seed
  }

  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var mixed = state
    mixed = (mixed ^ mixed >> 30) &* 0xbf58_476d_1ce4_e5b9
    mixed = (mixed ^ mixed >> 27) &* 0x94d0_49bb_1331_11eb
    return mixed ^ mixed >> 31
  }
}
