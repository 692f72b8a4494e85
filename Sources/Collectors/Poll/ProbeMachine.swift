// Is there a printer at this address, and which credential does it answer to?
//
//     GET sysDescr, sysObjectID  --silence, for each credential in order--> silent
//             |                  --refused by the network-----------------> refused
//             |                  --wrong user or password, next credential-> ... wrongCredential
//             v answered
//     GETNEXT serial number, marker, hrDevice, device id: until it is a printer --> found / notAPrinter
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
  /// Name of the credential that worked.
  package var credential: String?
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

  private let credentials: [NamedCredential]
  private let patience: Duration
  private let furtherPatience: Duration
  private let keys: USMKeyCache
  private let profiles: ProfileSet
  private let first: Request
  private var random: SplitMix64
  private var index = 0
  private var conversation: Conversation
  private var walk = Walk()
  /// Columns left to ask, once the device answered.
  private var evidence: [[ObjectIdentifier]]?
  /// Those asked for now.
  private var pending: [ObjectIdentifier] = []
  private var tries = 0
  private var refusals: [String] = []
  private var malformed: String?
  /// Answers to what was not asked.
  private var strangers = 0
  /// The last error that the device answered with, in words.
  private var deviceError: String?

  /// - Parameters:
  ///   - credentials: at least one.
  ///   - attempt: patience per credential, and the pass.
  ///   - randomSeed: unpredictable and used once.
  package init(
    credentials: [NamedCredential], attempt: SweepAttempt, keys: USMKeyCache, profiles: ProfileSet, randomSeed: UInt64
  ) {
    precondition(!credentials.isEmpty, "a range without credentials cannot be probed")
    self.credentials = credentials
    self.keys = keys
    self.profiles = profiles
    patience = attempt.patience
    furtherPatience = attempt.furtherPatience
    first = attempt.pass == 1 ? .get(PollTargets.evidence.scalars) : .getNext([MIB2.sysDescr.justBefore])
    random = SplitMix64(seed: randomSeed)
    conversation = Conversation(
      Self.session(credentials[0], patience: patience, keys: keys, seed: random.next()))
  }

  /// A session that sends each request once: retrying is the sweep's second pass.
  private static func session(
    _ credential: NamedCredential, patience: Duration, keys: USMKeyCache, seed: UInt64
  ) -> Session {
    var parameters = SessionParameters.sweep
    parameters.retries = 0
    parameters.timeoutInitial = patience
    parameters.timeoutMax = max(patience, parameters.timeoutMax)
    return Session(credential: credential.credential, keys: keys, parameters: parameters, randomSeed: seed)
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
    let name = credentials[index].name
    switch reply {
    case .response(let response):
      take(response, to: first)
      evidence = PollTargets.evidence.tables.map(\.columnNames)
      if case .getNext = first {
        return .ask(conversation.request(.getNext([MIB2.sysObjectID.justBefore]), now: now))
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
    guard index < credentials.count else { return .end(unidentified(now: now)) }
    conversation.use(Self.session(credentials[index], patience: furtherPatience, keys: keys, seed: random.next()))
    return .ask(conversation.request(first, now: now))
  }

  private func unidentified(now: Instant) -> ProbeOutput {
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
      tries = 0
    case .failure:
      tries += 1
    }
    return decideOrAsk(now: now)
  }

  private mutating func decideOrAsk(now: Instant) -> Next {
    let isRetry = (1..<Self.triesMax).contains(tries) && !pending.isEmpty
    if !isRetry {
      tries = 0
      let classification = Classification.of(walk, profiles: profiles)
      if classification.isPrinter { return .end(output(.found, classification.reason, now: now)) }
      if evidence?.isEmpty ?? true {
        let reason = walk.isEmpty ? deviceError ?? classification.reason : classification.reason
        return .end(output(.notAPrinter, reason, now: now))
      }
      pending = evidence?.removeFirst() ?? []
    }
    return .ask(conversation.request(.getNext(pending), now: now))
  }

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
    output.credential = evidence == nil ? nil : credentials[index].name
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
