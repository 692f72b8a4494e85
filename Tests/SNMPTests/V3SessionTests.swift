internal import MIB
internal import SNMP
internal import Testing

/// The session over SNMPv3 against an authoritative engine in memory.
@Suite struct V3SessionTests {
  static let name: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 1, 0]
  static let engineID: [UInt8] = [0x80, 0, 0, 0xB, 4, 1, 2, 3]
  /// Derivation is the slow part; tests share the keys.
  static let keys = USMKeyCache()
  let start = ContinuousClock.now

  static func user(
    _ password: String = "authentication", privacy: String? = "privacy pass", name: String = "fleet",
    context: String = ""
  ) throws -> USMUser {
    try USMUser(
      name: name, authentication: .init(.sha1, password: Array(password.utf8)),
      privacy: privacy.map { .init(.aes128, password: Array($0.utf8)) }, contextName: context)
  }

  private func agent(_ user: USMUser, engineID: [UInt8] = V3SessionTests.engineID, boots: Int32 = 3)
    -> AuthoritativeEngine
  {
    AuthoritativeEngine(engineID: engineID, engineBoots: boots, users: [user], keys: Self.keys, saltSeed: 9)
  }

  private func session(_ user: USMUser, _ change: (inout SessionParameters) -> Void = { _ in }) -> Session {
    var parameters = SessionParameters()
    change(&parameters)
    return Session(credential: .user(user), keys: Self.keys, parameters: parameters, randomSeed: 7)
  }

  /// What an agent sends back to a datagram: its report, or the name with its context as the value.
  private func serve(_ agent: inout AuthoritativeEngine, _ datagram: [UInt8], time: Int32) throws -> [UInt8]? {
    switch agent.received(datagram, engineTime: time) {
    case .request(let request):
      let bindings = request.pdu.bindings.map { VarBind($0.name, .octets(request.scoped.contextName)) }
      return try agent.respond(to: request, with: request.pdu.response(bindings), engineTime: time)
    case .report(let datagram, _): return datagram
    case .ignored: return nil
    }
  }

  /// Exchanges datagrams until the session asks nothing more; the findings are those of all steps.
  private func exchange(
    _ session: inout Session, _ agent: inout AuthoritativeEngine, time: Int32, now: ContinuousClock.Instant
  ) throws -> [Session.Action] {
    var actions = session.request(.get([Self.name]), now: now)
    var all = actions
    while let datagram = actions.sent, let reply = try serve(&agent, datagram, time: time) {
      actions = session.received(reply, now: now)
      all += actions
    }
    return all
  }

  @Test(arguments: [nil, "privacy pass"])
  func `Discovery takes one exchange, and its time is good for the first request`(_ privacy: String?) throws {
    let user = try Self.user(privacy: privacy, context: "Jetdirect")
    var session = session(user)
    var agent = agent(user)
    let actions = try exchange(&session, &agent, time: 1_000, now: start)
    let response = try #require(actions.response)
    #expect(response.bindings == [VarBind(Self.name, .octets(Array("Jetdirect".utf8)))])
    #expect(response.sends == 2)
    #expect(actions.findings.isEmpty)
    #expect(session.engine?.id == Self.engineID)
    #expect(session.engine?.isSynchronized == true)
    #expect(agent.counters == [.unknownEngineID: 1])
    #expect(try exchange(&session, &agent, time: 1_000, now: start).response?.sends == 1)
  }

  @Test func `A user without passwords is served without them`() throws {
    let user = try USMUser(name: "guest")
    var session = session(user)
    var agent = agent(user)
    #expect(try exchange(&session, &agent, time: 5, now: start).response?.bindings.count == 1)
  }

  @Test func `An engine that counted a reboot is followed`() throws {
    let user = try Self.user()
    var session = session(user)
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    agent.engineBoots += 1
    let actions = try exchange(&session, &agent, time: 3, now: start + .seconds(60))
    #expect(actions.response?.sends == 2)
    #expect(actions.findings.isEmpty)
    #expect(session.engine?.boots == 4)
  }

  @Test func `An engine with boots 0 that restarts without counting is followed with a finding`() throws {
    let user = try Self.user()
    var session = session(user)
    var agent = agent(user, boots: 0)
    #expect(try exchange(&session, &agent, time: 100_000, now: start).response != nil)
    let actions = try exchange(&session, &agent, time: 2, now: start + .seconds(10))
    #expect(actions.response != nil)
    #expect(actions.findings == [.engineTimeWentBack])
  }

  @Test func `The engine's time goes on between requests`() throws {
    let user = try Self.user()
    var session = session(user)
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    let later = try exchange(&session, &agent, time: 1_000 + 86_400, now: start + .seconds(86_400))
    #expect(later.response?.sends == 1)
    #expect(agent.counters[.notInTimeWindow] == nil)
  }

  @Test func `A clock that drifted out of the window is set anew`() throws {
    let user = try Self.user()
    var session = session(user)
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    let actions = try exchange(&session, &agent, time: 2_000, now: start + .seconds(100))
    #expect(actions.response?.sends == 2)
    #expect(agent.counters[.notInTimeWindow] == 1)
  }

  @Test func `A device replaced at its address is discovered again`() throws {
    let user = try Self.user()
    var session = session(user)
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    let other: [UInt8] = [0x80, 0, 0, 9, 9, 9, 9, 9]
    var replacement = self.agent(user, engineID: other)
    let actions = try exchange(&session, &replacement, time: 50, now: start)
    #expect(actions.response != nil)
    #expect(actions.findings == [.engineChanged(from: Self.engineID, to: other)])
  }

  @Test func `Each wrong credential fails at once and says what is wrong`() throws {
    let right = try Self.user()
    let cases: [(USMUser, AuthenticationFailure)] = [
      (try Self.user("wrong password"), .wrongDigest),
      (try Self.user(privacy: "wrong password"), .decryptionError),
      (try Self.user(name: "stranger"), .unknownUserName),
    ]
    for (user, expected) in cases {
      var session = session(user)
      var agent = agent(right)
      let actions = try exchange(&session, &agent, time: 1_000, now: start)
      #expect(actions.failure == .authentication(expected))
      #expect(!session.isBusy)
    }
    var session = session(right)
    var agent = agent(try Self.user(privacy: nil))
    #expect(
      try exchange(&session, &agent, time: 9, now: start).failure == .authentication(.unsupportedSecurityLevel))
  }

  @Test func `Another context is spoken to with the same engine, other numbers, and each request sent once`() throws {
    let user = try Self.user()
    var session = session(user)
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    let found = session.session(inContext: "Jetdirect")
    var other = try #require(found)
    #expect(other.engine?.id == Self.engineID && other.parameters.retries == 0)
    let actions = try exchange(&other, &agent, time: 1_000, now: start)
    #expect(actions.response?.bindings == [VarBind(Self.name, .octets(Array("Jetdirect".utf8)))])
    #expect(actions.response?.sends == 1, "nothing has to be discovered again")
    _ = (session.request(.get([Self.name]), now: start), other.request(.get([Self.name]), now: start))
    #expect(session.outstandingID != other.outstandingID)
    #expect(other.credential.inContext("further") == nil, "a context is chosen already")
  }

  @Test func `A community names a context behind its name, once`() {
    let plain = Credential.community(version: .v2c, community: Array("public".utf8))
    let other = Credential.community(version: .v2c, community: Array("public@Jetdirect".utf8))
    #expect(plain.inContext("Jetdirect") == other)
    #expect(other.inContext("Jetdirect") == nil)
  }

  @Test func `A context the device lacks fails with that reason`() throws {
    let user = try Self.user(context: "nowhere")
    var session = session(user)
    var agent = agent(user)
    let discovery = try #require(session.request(.get([Self.name]), now: start).sent)
    let report = try #require(try serve(&agent, discovery, time: 5))
    let asked = try #require(session.received(report, now: start).sent)
    guard case .request(let request) = agent.received(asked, engineTime: 5) else {
      Issue.record("the request was not understood")
      return
    }
    let refusal = try agent.reportUnknownContext(to: request, engineTime: 5)
    #expect(session.received(refusal, now: start).failure == .authentication(.unknownContext))
  }

  @Test func `An engine that never finds us timely ends in a failure, not in a loop`() throws {
    let user = try Self.user()
    var session = session(user)
    var agent = agent(user)
    var time: Int32 = 1_000
    var actions = session.request(.get([Self.name]), now: start)
    var exchanges = 0
    while let datagram = actions.sent, exchanges < 50, let reply = try serve(&agent, datagram, time: time) {
      actions = session.received(reply, now: start)
      time += 1_000
      exchanges += 1
    }
    #expect(actions.failure == .authentication(.notInTimeWindow))
    #expect(exchanges == 4)
  }

  @Test func `A retransmission has a new message id, the same request id and its own round trip`() throws {
    let user = try Self.user(privacy: nil)
    var session = session(user)
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    let first = try #require(session.request(.get([Self.name]), now: start).sent)
    let deadline = start + session.timeout
    let second = try #require(session.timerFired(now: deadline).sent)
    let (one, two) = (try decoded(first), try decoded(second))
    #expect(one.messageID != two.messageID)
    #expect(one.payload == two.payload)
    let reply = try #require(try serve(&agent, second, time: 1_000))
    let response = try #require(session.received(reply, now: deadline + .milliseconds(20)).response)
    #expect(response.roundTrip == .milliseconds(20))
    let late = try #require(try serve(&agent, first, time: 1_000))
    #expect(session.received(late, now: deadline).findings == [.late])
  }

  @Test func `A forged answer is ignored, and the true one still completes`() throws {
    let user = try Self.user(privacy: nil)
    var session = session(user)
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    let sent = try #require(session.request(.get([Self.name]), now: start).sent)
    let reply = try #require(try serve(&agent, sent, time: 1_000))
    var forged = reply
    forged[forged.count - 1] ^= 1
    var plain = try decoded(reply)
    plain.flags = []
    plain.security.authentication = []
    forged[forged.count - 1] = reply[reply.count - 1]
    var notes: [DecodingNote] = []
    let range = try LocatedV3Message(decoding: reply, notes: &notes).authenticationRange
    forged[range.lowerBound] ^= 1
    #expect(session.received(forged, now: start).findings == [.notAuthentic])
    #expect(session.received(plain.encoded().datagram, now: start).findings == [.lowerSecurityLevel])
    #expect(session.received(reply, now: start).response != nil)
  }

  @Test(arguments: [(boots: 3, time: 849), (boots: 2, time: 1_000)] as [(boots: Int32, time: Int32)])
  func `An authentic answer from outside of the time window is ignored`(_ old: (boots: Int32, time: Int32)) throws {
    let user = try Self.user(privacy: nil)
    var session = session(user)
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    let sent = try #require(session.request(.get([Self.name]), now: start).sent)
    guard case .request(let request) = agent.received(sent, engineTime: 1_000) else {
      Issue.record("the request was not understood")
      return
    }
    let pdu = request.pdu.response([VarBind(Self.name, .integer(1))])
    agent.engineBoots = old.boots
    let untimely = try agent.respond(to: request, with: pdu, engineTime: old.time)
    #expect(session.received(untimely, now: start).findings == [.untimely])
    agent.engineBoots = 3
    let timely = try agent.respond(to: request, with: pdu, engineTime: 850)
    #expect(session.received(timely, now: start).response != nil, "150 seconds are still timely")
  }

  @Test func `When only forged answers came, the failure says so`() throws {
    let user = try Self.user(privacy: nil)
    var session = session(user) {
      $0.retries = 0; $0.firstPacketPatience = nil
    }
    var agent = agent(user)
    _ = try exchange(&session, &agent, time: 1_000, now: start)
    let sent = try #require(session.request(.get([Self.name]), now: start).sent)
    var reply = try #require(try serve(&agent, sent, time: 1_000))
    var notes: [DecodingNote] = []
    reply[try LocatedV3Message(decoding: reply, notes: &notes).authenticationRange.lowerBound] ^= 1
    _ = session.received(reply, now: start)
    #expect(session.timerFired(now: start + .seconds(9)).failure == .authentication(.responseNotAuthentic))
  }

  @Test func `A request larger than the device takes is answered here with tooBig`() throws {
    let user = try Self.user(privacy: nil)
    var session = session(user)
    let discovery = try #require(session.request(.get([Self.name]), now: start).sent)
    var report = V3Message(
      messageID: try decoded(discovery).messageID, maxSize: 484, flags: [],
      security: USMParameters(engineID: Self.engineID, engineBoots: 1, engineTime: 1),
      payload: .plain(
        ScopedPDU(
          contextEngineID: Self.engineID, contextName: [],
          pdu: PDU(.report, requestID: 0, bindings: [VarBind(ReportReason.unknownEngineID.name, .counter32(1))]))))
    report.maxSize = 484
    #expect(session.received(report.encoded().datagram, now: start).sent != nil)
    session.cancel()
    let names = [ObjectIdentifier](repeating: Self.name, count: 40)
    let actions = session.request(.get(names), now: start)
    #expect(actions.sent == nil)
    #expect(actions.response?.errorStatus == .tooBig)
    #expect(!session.isBusy)
  }

  @Test func `A discovery whose report names no engine fails`() throws {
    let user = try Self.user(privacy: nil)
    var session = session(user)
    let discovery = try #require(session.request(.get([Self.name]), now: start).sent)
    let empty = V3Message(
      messageID: try decoded(discovery).messageID, flags: [], security: USMParameters(),
      payload: .plain(ScopedPDU(contextEngineID: [], contextName: [], pdu: PDU(.report, requestID: 0))))
    #expect(
      session.received(empty.encoded().datagram, now: start).failure == .authentication(.unknownEngineID))
  }

  @Test func `An agent keeps silent where no report is wanted`() throws {
    let user = try Self.user()
    var agent = agent(user)
    let message = V3Message(
      messageID: 1, flags: [], security: USMParameters(),
      payload: .plain(ScopedPDU(contextEngineID: [], contextName: [], pdu: PDU(.get, requestID: 1))))
    guard case .ignored = agent.received(message.encoded().datagram, engineTime: 1) else {
      Issue.record("a report was sent")
      return
    }
    #expect(agent.counters[.unknownEngineID] == 1)
  }

  @Test func `Any damage to an encrypted answer is survived and never taken`() throws {
    let user = try Self.user()
    var fresh = session(user) { $0.malformedMax = .max }
    var agent = agent(user)
    _ = try exchange(&fresh, &agent, time: 1_000, now: start)
    let sent = try #require(fresh.request(.get([Self.name]), now: start).sent)
    let reply = try #require(try serve(&agent, sent, time: 1_000))
    for position in reply.indices {
      for mask: UInt8 in [0x01, 0x80] {
        var damaged = reply
        damaged[position] ^= mask
        var session = fresh
        #expect(session.received(damaged, now: start).response == nil, "byte \(position)")
        #expect(session.received(Array(reply.prefix(position)), now: start).response == nil)
      }
    }
  }

  private func decoded(_ datagram: [UInt8]) throws -> V3Message {
    var notes: [DecodingNote] = []
    return try LocatedV3Message(decoding: datagram, notes: &notes).message
  }
}
