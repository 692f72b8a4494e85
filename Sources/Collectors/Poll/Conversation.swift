// What a probe and a poll have in common: a session, the number of the request that is out, what it all cost, and what was odd.

internal import Discovery
internal import Events
internal import MIB
internal import PrinterModel
internal import SNMP

/// A device's session within one conversation of the engine.
struct Conversation: Sendable {
  /// What became of the request in flight.
  enum Reply {
    case response(Response)
    case failure(SessionFailure)
  }

  /// What the session wants done, and whether its request is over.
  struct Turn {
    var datagrams: [[UInt8]] = []
    var timer: Instant?
    var reply: Reply?
  }

  /// Odd things kept in one conversation; a device that is odd more often is no more understandable.
  static let findingsMax = 32

  private(set) var session: Session
  /// That of the default context, while another is read.
  private var outer: Session?
  private(set) var findings: [Finding] = []
  private(set) var elsewhere: [Endpoint] = []
  /// Why the network gave a datagram back, if it did and nothing was heard since.
  private(set) var undelivered: Undeliverable?
  /// Whether a request of this session was granted.
  private var isGranted = false
  /// What the request in flight asks for first.
  private var asked: ObjectIdentifier?
  private var cost = PollCost()
  private var begun: Instant?

  init(_ session: Session) {
    self.session = session
  }

  /// The number that an answer to the request in flight must carry.
  var outstandingID: Int32? { session.outstandingID }

  /// Goes on with another session; the cost and the findings stay.
  mutating func use(_ session: Session) {
    self.session = session
    isGranted = false
  }

  /// Goes on in another context of the device; false where the credential names one already.
  mutating func enter(context: String) -> Bool {
    guard let other = session.session(inContext: context) else { return false }
    outer = session
    use(other)
    return true
  }

  /// Goes on in the context that was left.
  mutating func leaveContext() {
    guard let session = outer.take() else { return }
    use(session)
    isGranted = true
  }

  mutating func request(_ request: Request, now: Instant) -> Turn {
    begun = begun ?? now
    asked = request.names.first
    return take(session.request(request, now: now))
  }

  /// Gives the request in flight up.
  mutating func cancel() {
    session.cancel()
  }

  mutating func received(_ datagram: [UInt8], now: Instant) -> Turn {
    cost.bytesReceived &+= UInt32(clamping: datagram.count)
    undelivered = nil
    return take(session.received(datagram, now: now))
  }

  mutating func timerFired(now: Instant) -> Turn {
    take(session.timerFired(now: now))
  }

  mutating func undelivered(_ reason: Undeliverable) {
    undelivered = reason
  }

  mutating func answeredElsewhere(from source: Endpoint) {
    guard !elsewhere.contains(source) else { return }
    elsewhere.append(source)
    note(Finding(nil, "an answer came from \(source) instead; it was not accepted"))
  }

  /// Keeps a finding, once.
  mutating func note(_ finding: Finding) {
    guard findings.count < Self.findingsMax, !findings.contains(finding) else { return }
    findings.append(finding)
  }

  func cost(now: Instant) -> PollCost {
    var cost = cost
    let elapsed = begun.map { $0.duration(to: now) } ?? .zero
    cost.milliseconds = UInt32(clamping: Int64((elapsed / .milliseconds(1)).rounded()))
    return cost
  }

  private mutating func take(_ actions: [Session.Action]) -> Turn {
    var turn = Turn()
    for action in actions {
      switch action {
      case .send(let datagram):
        turn.datagrams.append(datagram)
        cost.requests &+= 1
        cost.bytesSent &+= UInt32(clamping: datagram.count)
      case .setTimer(let deadline): turn.timer = deadline
      case .completed(let response): turn.reply = reply(response)
      case .failed(let failure): turn.reply = .failure(failure)
      case .finding(let finding): note(finding)
      }
    }
    return turn
  }

  /// A device that refuses the very first request refuses whoever asks, and not the object.
  private mutating func reply(_ response: Response) -> Reply {
    guard isGranted || response.errorStatus != .authorizationError else {
      return .failure(.authentication(.accessDenied))
    }
    isGranted = true
    return .response(response)
  }

  /// Late and doubled answers tell of the network, not of the device: they are no findings of a reading. What is odd at one object after
  /// the other is told once, with the first; another community is the device's way everywhere.
  private mutating func note(_ finding: SessionFinding) {
    switch finding {
    case .late, .notOurs: break
    case .otherCommunity: note(Finding(nil, finding.description))
    default:
      guard !findings.contains(where: { $0.message == finding.description }) else { return }
      note(Finding(asked, finding.description))
    }
  }

  /// The request id of an SNMPv1 or v2c message, or the message id of an SNMPv3 one.
  static func identifier(of datagram: [UInt8]) -> Int32? {
    var notes: [DecodingNote] = []
    do throws(BERError) {
      switch try SNMPVersion(of: datagram) {
      case .v1, .v2c: return try Message(decoding: datagram, notes: &notes).pdu.requestID
      case .v3: return try LocatedV3Message(decoding: datagram, notes: &notes).message.messageID
      }
    } catch {
      return nil
    }
  }
}
