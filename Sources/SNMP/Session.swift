// One device's SNMP client as a state machine: one request in flight, no socket, no clock. Bytes and instants come in,
// actions go out, to be carried out in order.
//
//                 request                                received: the answer
//     (idle) -----------------> [discovering] ---------> [asking] ---------------> completed
//        ^       v3, engine        |  report tells          |  ^
//        |       unknown           |  the engine            |  | report: not in time window, other engine
//        |                         |                        +--+   (set anew and sent again, a limited number of times)
//        +-------------------------+------------------------+
//              timer ran out after the last send, or a report that nothing here can correct: failed
//
// Retransmission. SNMPv1 and v2c repeat the same bytes, so an answer after a repetition gives no time sample (Karn). SNMPv3
// takes a new message id for each send (RFC 3412, section 6.2) with the same request id; the answer names its send.
//
// Waking up is no round trip. What a device that may be asleep takes for its first answer is kept in an estimate of its own (`wakingTimer`): the
// next request after a pause waits so long, and those that follow it do not.
//
// What is never done: an answer is taken only if it names a request in flight; of SNMPv3 only if it is authentic and timely
// at the level asked for. Anything else becomes a finding, and the pending request stays.

internal import MIB

/// The client of one device. A value: its owner serialises access.
package struct Session: Sendable {
  package enum Action: Sendable {
    case send([UInt8])
    /// Call `timerFired` then. Replaces an earlier timer of this session.
    case setTimer(ContinuousClock.Instant)
    /// The request in flight is over; its timer is void.
    case completed(Response)
    /// The request in flight is over; its timer is void.
    case failed(SessionFailure)
    case finding(SessionFinding)
  }

  package private(set) var credential: Credential
  package private(set) var parameters: SessionParameters
  /// The device's SNMPv3 engine, once it is known.
  package private(set) var engine: EngineView?
  /// Datagrams ignored since the session began: late, twice, not ours, not authentic or malformed.
  package private(set) var ignoredDatagrams = 0

  private let keys: USMKeyCache
  private var random: IdentifierSource
  private var timer: RetransmissionTimer
  /// Of requests that may wake the device.
  private var wakingTimer: RetransmissionTimer
  private var pending: Pending?
  private var lastHeard: ContinuousClock.Instant?
  private var recentIDs = RecentIdentifiers()

  /// - Parameters:
  ///   - keys: shared by all sessions.
  ///   - randomSeed: unpredictable and used once; request ids, message ids and salts come from it.
  package init(credential: Credential, keys: USMKeyCache, parameters: SessionParameters, randomSeed: UInt64) {
    self.credential = credential
    self.keys = keys
    self.parameters = parameters
    random = IdentifierSource(seed: randomSeed)
    timer = RetransmissionTimer(
      initial: parameters.timeoutInitial, minimum: parameters.timeoutMin, maximum: parameters.timeoutMax)
    wakingTimer = timer
  }

  /// A session with the same device in another of its contexts, which sends each request once: a context that a device does not have is
  /// silence, or a report. Nil where the credential has a context already. There must be no request in flight.
  package mutating func session(inContext name: String) -> Session? {
    precondition(pending == nil, "a device has one request in flight")
    guard let credential = credential.inContext(name) else { return nil }
    var session = self
    session.credential = credential
    session.parameters.retries = 0
    // Numbers of its own: none of its answers is taken for one of this session's.
    session.random = IdentifierSource(seed: random.nextSeed())
    return session
  }

  /// Whether a request is in flight. No other may be begun then.
  package var isBusy: Bool { pending != nil }

  /// The number that an answer must carry: the request id of SNMPv1 and v2c, the message id of SNMPv3.
  package var outstandingID: Int32? {
    switch credential {
    case .community: pending?.requestID
    case .user: pending?.messages.last?.id
    }
  }

  /// The timeout the next request to a device that is awake would begin with.
  package var timeout: Duration { timer.timeout }

  /// Begins a request. There must be none in flight.
  package mutating func request(_ request: Request, now: ContinuousClock.Instant) -> [Action] {
    precondition(pending == nil, "a device has one request in flight")
    var pending = Pending(request: request, requestID: random.nextID(), begun: now)
    pending.mayBeAsleep = mayBeAsleep(now)
    self.pending = pending
    return send(now: now)
  }

  /// Whether the device was unheard for so long that it may have to wake up, and is given the time to.
  private func mayBeAsleep(_ now: ContinuousClock.Instant) -> Bool {
    guard parameters.firstPacketPatience != nil else { return false }
    return lastHeard.map { $0.duration(to: now) > parameters.idleAfter } ?? true
  }

  /// Forgets the request in flight, if there is one: its answer will be late.
  package mutating func cancel() {
    finish()
  }

  /// Takes a datagram that came from the device's address.
  package mutating func received(_ datagram: [UInt8], now: ContinuousClock.Instant) -> [Action] {
    pending?.responseBytes += datagram.count
    return switch credential {
    case .community(_, let community): receivedMessage(datagram, community: community, now: now)
    case .user(let user): receivedV3(datagram, user: user, now: now)
    }
  }

  /// Takes a datagram that came from the device's address, from a borrowed buffer.
  package mutating func received(_ datagram: UnsafeRawBufferPointer, now: ContinuousClock.Instant) -> [Action] {
    received(Array(datagram), now: now)
  }

  /// Tells that the time of `setTimer` has come. Called too early, it asks for the timer again; called while idle, it does
  /// nothing.
  package mutating func timerFired(now: ContinuousClock.Instant) -> [Action] {
    guard let pending else { return [] }
    guard now >= pending.deadline else { return [.setTimer(pending.deadline)] }
    if pending.mayBeAsleep { wakingTimer.backOff() } else { timer.backOff() }
    guard pending.sends <= parameters.retries else { return fail(pending.failureAtTimeout) }
    return send(now: now)
  }
}

// MARK: - Sending

extension Session {
  private mutating func send(now: ContinuousClock.Instant) -> [Action] {
    guard var pending else { return [] }
    let datagram: [UInt8]
    switch credential {
    case .community(let version, let community):
      datagram =
        pending.datagram ?? Message(version: version, community: community, pdu: pending.pdu(version)).encoded()
      pending.datagram = datagram
    case .user(let user):
      let messageID = random.nextID()
      do throws(USMError) {
        datagram = try securedDatagram(pending, user, messageID: messageID, now: now)
      } catch {
        preconditionFailure("A user's own keys fit its own level: \(error)")
      }
      if let engine, datagram.count > engine.maxSize {
        return completeAsTooBig(byteCount: datagram.count, deviceMax: engine.maxSize)
      }
      pending.messages.append(Pending.SentMessage(id: messageID, at: now))
    }
    pending.sends += 1
    pending.sendsInAll += 1
    pending.requestBytes += datagram.count
    pending.sentAt = now
    pending.deadline = deadline(pending, now: now)
    self.pending = pending
    return [.send(datagram), .setTimer(pending.deadline)]
  }

  /// The last send waits at least until the device had its time to wake up.
  private func deadline(_ pending: Pending, now: ContinuousClock.Instant) -> ContinuousClock.Instant {
    guard pending.mayBeAsleep else { return now + timer.timeout }
    let deadline = now + wakingTimer.timeout
    guard pending.sends > parameters.retries, let patience = parameters.firstPacketPatience else { return deadline }
    return max(deadline, pending.begun + patience)
  }

  private mutating func securedDatagram(
    _ pending: Pending, _ user: USMUser, messageID: Int32, now: ContinuousClock.Instant
  ) throws(USMError) -> [UInt8] {
    guard let engine else {
      // RFC 3414, section 4: an empty request of no user to no engine makes the device report its own.
      let discovery = PDU(.get, requestID: pending.requestID)
      return V3Message(
        messageID: messageID, maxSize: parameters.messageBytesMax, flags: .reportable, security: USMParameters(),
        payload: .plain(ScopedPDU(contextEngineID: [], contextName: [], pdu: discovery))
      ).encoded().datagram
    }
    let security = USMParameters(
      engineID: engine.id, engineBoots: engine.boots, engineTime: engine.time(at: now),
      userName: Array(user.name.utf8))
    let scoped = ScopedPDU(
      contextEngineID: engine.id, contextName: Array(user.contextName.utf8), pdu: pending.pdu(.v2c))
    let message = V3Message(
      messageID: messageID, maxSize: parameters.messageBytesMax, flags: user.level.union(.reportable),
      security: security, payload: .plain(scoped))
    return try message.sealed(with: keys.keys(for: user, engineID: engine.id), salt: random.nextSalt())
  }
}

// MARK: - Ending

extension Session {
  private mutating func finish() {
    guard let pending else { return }
    recentIDs.insert(pending.requestID)
    for message in pending.messages { recentIDs.insert(message.id) }
    self.pending = nil
  }

  private mutating func fail(_ failure: SessionFailure) -> [Action] {
    finish()
    return [.failed(failure)]
  }

  private mutating func complete(
    _ pdu: PDU, roundTrip: Duration?, notes: [DecodingNote], now: ContinuousClock.Instant
  ) -> [Action] {
    guard let pending else { return [] }
    if let roundTrip { measured(roundTrip, wasAsleep: pending.mayBeAsleep) }
    lastHeard = now
    let response = Response(
      pdu.bindings, errorStatus: pdu.errorStatus, errorIndex: Int(pdu.errorIndex),
      requestBytes: pending.requestBytes, responseBytes: pending.responseBytes, sends: pending.sendsInAll,
      roundTrip: roundTrip, notes: notes)
    finish()
    return [.completed(response)]
  }

  /// An answer within the timeout of a device that is awake came from one.
  private mutating func measured(_ roundTrip: Duration, wasAsleep: Bool) {
    if wasAsleep { wakingTimer.measured(roundTrip) }
    if !wasAsleep || roundTrip <= timer.timeout { timer.measured(roundTrip) }
  }

  /// What the device would say if it could take the request at all (RFC 3412, section 6.3).
  private mutating func completeAsTooBig(byteCount: Int, deviceMax: Int) -> [Action] {
    guard let pending else { return [] }
    let response = Response(
      [], errorStatus: .tooBig, requestBytes: pending.requestBytes, responseBytes: pending.responseBytes,
      sends: pending.sendsInAll)
    finish()
    return [.finding(.requestTooLarge(byteCount: byteCount, deviceMax: deviceMax)), .completed(response)]
  }

  private mutating func ignore(_ finding: SessionFinding) -> [Action] {
    ignoredDatagrams += 1
    if finding == .notOurs { pending?.strangers += 1 }
    return [.finding(finding)]
  }

  /// An unreadable datagram: a finding, and the failure of the request once it was too many.
  private mutating func ignoreMalformed(_ error: BERError) -> [Action] {
    let finding = ignore(.malformed(error))
    guard pending != nil else { return finding }
    pending?.malformed = error
    pending?.malformedCount += 1
    let isEnough = (pending?.malformedCount ?? 0) >= parameters.malformedMax
    return isEnough ? finding + fail(.malformed(error)) : finding
  }
}

// MARK: - Receiving SNMPv1 and SNMPv2c

extension Session {
  private mutating func receivedMessage(
    _ datagram: [UInt8], community: [UInt8], now: ContinuousClock.Instant
  ) -> [Action] {
    var notes: [DecodingNote] = []
    let message: Message
    do throws(BERError) {
      message = try Message(decoding: datagram, notes: &notes)
    } catch {
      return ignoreMalformed(error)
    }
    guard let pending, message.pdu.type == .response, message.pdu.requestID == pending.requestID,
      message.version.snmp == credential.version
    else {
      return ignore(recentIDs.contains(message.pdu.requestID) ? .late : .notOurs)
    }
    let findings: [Action] = message.community == community ? [] : [.finding(.otherCommunity)]
    let roundTrip = pending.sends == 1 ? pending.sentAt.duration(to: now) : nil
    return findings + complete(message.pdu, roundTrip: roundTrip, notes: notes, now: now)
  }
}

// MARK: - Receiving SNMPv3

extension Session {
  private mutating func receivedV3(_ datagram: [UInt8], user: USMUser, now: ContinuousClock.Instant) -> [Action] {
    var notes: [DecodingNote] = []
    let located: LocatedV3Message
    do throws(BERError) {
      located = try LocatedV3Message(decoding: datagram, notes: &notes)
    } catch {
      return ignoreMalformed(error)
    }
    let message = located.message
    guard let pending, let sent = pending.messages.first(where: { $0.id == message.messageID }) else {
      return ignore(recentIDs.contains(message.messageID) ? .late : .notOurs)
    }
    guard let engine else { return discovered(message, now: now) }
    if message.flags.contains(.authenticated), message.security.engineID != engine.id { return ignore(.notOurs) }
    let scoped: ScopedPDU
    do throws(USMError) {
      let keys = keys.keys(for: user, engineID: engine.id)
      scoped = try located.opened(from: datagram, with: keys, notes: &notes)
    } catch {
      return unopened(error)
    }
    if scoped.pdu.type == .report { return reported(scoped.pdu, in: message, now: now) }
    guard scoped.pdu.type == .response, scoped.pdu.requestID == pending.requestID else { return ignore(.notOurs) }
    // RFC 3412, section 7.2, step 12: the level must be the one asked at.
    guard user.level.isSubset(of: message.flags) else { return ignore(.lowerSecurityLevel) }
    if user.level.contains(.authenticated), self.engine?.accept(message, now: now) == false { return ignore(.untimely) }
    return complete(scoped.pdu, roundTrip: sent.at.duration(to: now), notes: notes, now: now)
  }

  /// Any answer to a discovery tells the engine, whatever the agent chose to report.
  private mutating func discovered(_ message: V3Message, now: ContinuousClock.Instant) -> [Action] {
    guard (1...USM.engineIDByteCountMax).contains(message.security.engineID.count) else {
      return fail(.authentication(.unknownEngineID))
    }
    engine = EngineView(discoveredFrom: message, now: now)
    return sendAnew(now: now)
  }

  /// The device is awake and has corrected us: the next send counts as a first one.
  private mutating func sendAnew(now: ContinuousClock.Instant) -> [Action] {
    lastHeard = now
    pending?.sends = 0
    pending?.mayBeAsleep = false
    pending?.messages.forEach { recentIDs.insert($0.id) }
    pending?.messages = []
    return send(now: now)
  }

  private mutating func unopened(_ error: USMError) -> [Action] {
    switch error {
    case .wrongDigest:
      pending?.notAuthenticCount += 1
      return ignore(.notAuthentic)
    case .unsupportedLevel:
      return ignore(.lowerSecurityLevel)
    case .decryption, .cipher:
      // The digest was right, so the device said this: waiting for another answer is of no use.
      return fail(.authentication(.decryptionError))
    }
  }

  private mutating func reported(_ report: PDU, in message: V3Message, now: ContinuousClock.Instant) -> [Action] {
    switch ReportReason(report) {
    case .unknownEngineID: engineReplaced(message, now: now)
    case .notInTimeWindow: resynchronize(message, now: now)
    case let reason:
      if let reason, let failure = AuthenticationFailure(reason) {
        fail(.authentication(failure))
      } else {
        fail(.reported(reason))
      }
    }
  }

  private mutating func engineReplaced(_ message: V3Message, now: ContinuousClock.Instant) -> [Action] {
    let former = engine?.id ?? []
    let id = message.security.engineID
    guard id != former, (1...USM.engineIDByteCountMax).contains(id.count),
      (pending?.rediscoveries ?? 0) < parameters.rediscoveriesMax
    else { return fail(.authentication(.unknownEngineID)) }
    pending?.rediscoveries += 1
    engine = EngineView(discoveredFrom: message, now: now)
    return [.finding(.engineChanged(from: former, to: id))] + sendAnew(now: now)
  }

  private mutating func resynchronize(_ message: V3Message, now: ContinuousClock.Instant) -> [Action] {
    guard let former = engine, (pending?.resynchronizations ?? 0) < parameters.resynchronizationsMax else {
      return fail(.authentication(.notInTimeWindow))
    }
    pending?.resynchronizations += 1
    let isAuthentic = message.flags.contains(.authenticated)
    engine?.adopt(message, isAuthentic: isAuthentic, now: now)
    var findings: [Action] = isAuthentic ? [] : [.finding(.unauthenticatedTime)]
    let wentBack =
      message.security.engineBoots < former.boots
      || (message.security.engineBoots == former.boots && message.security.engineTime < former.time(at: now))
    if former.isSynchronized, wentBack { findings.append(.finding(.engineTimeWentBack)) }
    return findings + sendAnew(now: now)
  }
}
