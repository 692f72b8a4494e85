internal import MIB
internal import SNMP
internal import Testing

/// The session over SNMPv1 and SNMPv2c, driven by hand: no clock but `start`.
@Suite struct SessionTests {
  static let sysDescr: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 1, 0]
  static let community = Array("public".utf8)
  let start = ContinuousClock.now

  private func session(_ version: CommunityVersion = .v2c, _ change: (inout SessionParameters) -> Void = { _ in })
    -> Session
  {
    var parameters = SessionParameters()
    parameters.firstPacketPatience = nil
    change(&parameters)
    return Session(
      credential: .community(version: version, community: Self.community), keys: USMKeyCache(),
      parameters: parameters, randomSeed: 42)
  }

  private func answer(
    _ request: [UInt8], requestID: Int32? = nil, community: [UInt8] = SessionTests.community
  ) throws -> [UInt8] {
    var message = try Message(decoding: request)
    message.pdu = message.pdu.response([VarBind(Self.sysDescr, .octets([1]))])
    message.pdu.requestID = requestID ?? message.pdu.requestID
    message.community = community
    return message.encoded()
  }

  @Test func `A request is sent, its answer completes it, and the round trip is measured`() throws {
    var session = session()
    let actions = session.request(.get([Self.sysDescr]), now: start)
    let sent = try #require(actions.sent)
    #expect(actions.timer == start + .seconds(1))
    #expect(try Message(decoding: sent).pdu.bindings == [VarBind(Self.sysDescr, .null)])
    let reply = try answer(sent)
    let response = try #require(session.received(reply, now: start + .milliseconds(30)).response)
    #expect(response.bindings == [VarBind(Self.sysDescr, .octets([1]))])
    #expect(response.roundTrip == .milliseconds(30))
    #expect(response.requestBytes == sent.count)
    #expect(response.responseBytes == reply.count)
    #expect(!session.isBusy)
    #expect(session.timeout == .milliseconds(250), "the named minimum")
    #expect(session.timerFired(now: start + .seconds(1)).isEmpty, "the timer is void")
  }

  @Test func `Without an answer the same bytes go out again, ever later, and then it fails`() throws {
    var session = session()
    let first = session.request(.get([Self.sysDescr]), now: start)
    let second = session.timerFired(now: start + .seconds(1))
    #expect(second.sent == first.sent)
    #expect(second.timer == start + .seconds(3))
    let third = session.timerFired(now: start + .seconds(3))
    #expect(third.sent == first.sent)
    #expect(third.timer == start + .seconds(7))
    #expect(session.timerFired(now: start + .seconds(7)).failure == .timeout(sends: 3))
    #expect(!session.isBusy)
  }

  @Test func `A timer that fires early is set again`() {
    var session = session()
    _ = session.request(.get([Self.sysDescr]), now: start)
    let actions = session.timerFired(now: start + .milliseconds(999))
    #expect(actions.sent == nil)
    #expect(actions.timer == start + .seconds(1))
  }

  @Test func `A device that may be asleep gets its four seconds, an awake one does not`() throws {
    var session = session {
      $0.firstPacketPatience = .seconds(4); $0.timeoutInitial = .milliseconds(500)
    }
    let first = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    _ = session.timerFired(now: start + .milliseconds(500))
    #expect(session.timerFired(now: start + .milliseconds(1_500)).timer == start + .seconds(4))
    let completed = session.received(try answer(first), now: start + .milliseconds(3_900))
    #expect(completed.response?.roundTrip == nil, "Karn: which send was answered is unknown")
    let awake = start + .seconds(5)
    let sentAgain = session.request(.get([Self.sysDescr]), now: awake)
    var deadline = try #require(sentAgain.timer)
    while let next = session.timerFired(now: deadline).timer { deadline = next }
    #expect(!session.isBusy)
  }

  @Test func `The time of waking up is no round trip: an awake device is asked again as soon as before`() throws {
    var session = session { $0.firstPacketPatience = .seconds(4) }
    let sent = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    _ = session.timerFired(now: start + .seconds(1))
    _ = session.timerFired(now: start + .seconds(3))
    _ = session.received(try answer(sent), now: start + .seconds(4))
    #expect(session.timeout == .seconds(1))
    // It hangs on requests of several names: 1 s, 2 s and 4 s, which a reading by hand has the patience for.
    let names = [Self.sysDescr, Self.sysDescr.appending(0)]
    let several = start + .seconds(4)
    var deadline = try #require(session.request(.get(names), now: several).timer)
    while let next = session.timerFired(now: deadline).timer { deadline = next }
    #expect(several.duration(to: deadline) == .seconds(7))
  }

  @Test func `What the device took to wake up is waited for after the next pause`() throws {
    var session = session { $0.firstPacketPatience = .seconds(4) }
    var now = start
    var first: [Duration] = []
    for _ in 0..<3 {
      var actions = session.request(.get([Self.sysDescr]), now: now)
      let sent = try #require(actions.sent)
      first.append(now.duration(to: try #require(actions.timer)))
      let woken = now + .milliseconds(3_900)
      while let timer = actions.timer, timer < woken { actions = session.timerFired(now: timer) }
      _ = session.received(try answer(sent), now: woken)
      let next = try #require(session.request(.get([Self.sysDescr]), now: woken).sent)
      _ = session.received(try answer(next), now: woken + .milliseconds(20))
      #expect(session.timeout == .milliseconds(250), "that of a device which is awake")
      now = woken + .seconds(1_800)
    }
    #expect(first == [.seconds(1), .seconds(4), .seconds(8)], "one packet wakes it, not three")
  }

  @Test func `A device that is slow awake, too, is waited for`() throws {
    var session = session { $0.firstPacketPatience = .seconds(4) }
    var now = start
    var sends: [Int] = []
    for _ in 0..<4 {
      var actions = session.request(.get([Self.sysDescr]), now: now)
      let sent = try #require(actions.sent)
      let answered = now + .milliseconds(2_900)
      var count = 1
      while let timer = actions.timer, timer < answered {
        actions = session.timerFired(now: timer)
        count += 1
      }
      sends.append(count)
      _ = session.received(try answer(sent), now: answered)
      now = answered
    }
    #expect(sends == [2, 2, 2, 1], "one request later than without a pause before the first")
  }

  @Test(arguments: [(Duration.seconds(30), Duration.seconds(4)), (.milliseconds(500), .milliseconds(1_750))])
  func `The first request of a poll is patient, the next one of the same poll is not`(
    pause: Duration, lasts: Duration
  ) throws {
    var session = session { $0.firstPacketPatience = .seconds(4) }
    let sent = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    _ = session.received(try answer(sent), now: start + .milliseconds(10))
    let begun = start + .milliseconds(10) + pause
    var deadline = try #require(session.request(.get([Self.sysDescr]), now: begun).timer)
    while let next = session.timerFired(now: deadline).timer { deadline = next }
    #expect(begun.duration(to: deadline) == lasts)
  }

  @Test func `The backed-off timeout stays until a new sample`() throws {
    var session = session()
    let sent = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    _ = session.timerFired(now: start + .seconds(1))
    _ = session.received(try answer(sent), now: start + .seconds(2))
    #expect(session.timeout == .seconds(2))
    let next = try #require(session.request(.get([Self.sysDescr]), now: start + .seconds(3)).sent)
    _ = session.received(try answer(next), now: start + .seconds(3) + .milliseconds(400))
    #expect(session.timeout == .milliseconds(1_200), "SRTT 400 ms + 4 x 200 ms")
  }

  @Test func `A wrong request id is a finding, and the request stays`() throws {
    var session = session()
    let sent = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    #expect(session.received(try answer(sent, requestID: 7), now: start).findings == [.notOurs])
    #expect(session.ignoredDatagrams == 1)
    #expect(session.received(try answer(sent), now: start).response != nil)
  }

  @Test func `A request that comes back from the device is not its answer`() throws {
    var session = session()
    let sent = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    #expect(session.received(sent, now: start).findings == [.notOurs])
    #expect(session.isBusy)
  }

  @Test func `Late and duplicate answers are told from strangers`() throws {
    var session = session()
    let first = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    let reply = try answer(first)
    _ = session.received(reply, now: start)
    #expect(session.received(reply, now: start).findings == [.late])
    let second = session.request(.get([Self.sysDescr]), now: start)
    #expect(session.received(reply, now: start).findings == [.late])
    #expect(second.sent != first)
    #expect(session.isBusy)
  }

  @Test func `After a cancelled request its answer is late`() throws {
    var session = session()
    let sent = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    session.cancel()
    #expect(!session.isBusy)
    #expect(session.received(try answer(sent), now: start).findings == [.late])
  }

  @Test func `An answer of another version is not ours`() throws {
    var session = session(.v1)
    let sent = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    var message = try Message(decoding: answer(sent))
    message.version = .v2c
    #expect(session.received(message.encoded(), now: start).findings == [.notOurs])
  }

  @Test func `An answer in another community is taken with a finding`() throws {
    var session = session()
    let sent = try #require(session.request(.get([Self.sysDescr]), now: start).sent)
    let actions = session.received(try answer(sent, community: []), now: start)
    #expect(actions.findings == [.otherCommunity])
    #expect(actions.response != nil)
  }

  @Test func `One malformed answer is ignored, a second one fails the request`() throws {
    var session = session()
    _ = session.request(.get([Self.sysDescr]), now: start)
    let first = session.received([0x30, 0x80], now: start)
    #expect(first.findings.count == 1)
    #expect(first.failure == nil)
    let second = session.received([0x30, 0x80], now: start)
    #expect(second.failure == .malformed(BERError(offset: 1, expected: "message", problem: .indefiniteLength)))
  }

  @Test func `When only nonsense came, the failure says so instead of timeout`() throws {
    var session = session { $0.retries = 0 }
    _ = session.request(.get([Self.sysDescr]), now: start)
    _ = session.received([], now: start)
    guard case .malformed = session.timerFired(now: start + .seconds(1)).failure else {
      Issue.record("the malformed answer was forgotten")
      return
    }
  }

  @Test func `An error of the device is a response`() throws {
    var session = session()
    let sent = try #require(session.request(.getNext([Self.sysDescr]), now: start).sent)
    var message = try Message(decoding: sent)
    message.pdu = message.pdu.response([], errorStatus: .genErr, errorIndex: 1)
    let response = try #require(session.received(message.encoded(), now: start).response)
    #expect(response.errorStatus == .genErr)
    #expect(response.errorIndex == 1)
  }

  @Test func `GetBulk goes to a v1 device as GetNext`() throws {
    let bulk = Request.getBulk([Self.sysDescr], nonRepeaters: 0, maxRepetitions: 5)
    var old = session(.v1)
    let sentOld = try #require(old.request(bulk, now: start).sent)
    #expect(try Message(decoding: sentOld).pdu.type == .getNext)
    var new = session(.v2c)
    let sentNew = try #require(new.request(bulk, now: start).sent)
    let pdu = try Message(decoding: sentNew).pdu
    #expect(pdu.type == .getBulk)
    #expect(pdu.nonRepeaters == 0)
    #expect(pdu.maxRepetitions == 5)
  }

  @Test func `Any damage to an answer is survived`() throws {
    var fresh = session { $0.malformedMax = .max }
    let sent = try #require(fresh.request(.get([Self.sysDescr]), now: start).sent)
    let reply = try answer(sent)
    for position in reply.indices {
      var damaged = reply
      damaged[position] ^= 0x80
      var session = fresh
      _ = session.received(damaged, now: start)
      _ = session.received(Array(reply.prefix(position)), now: start)
      if session.isBusy { #expect(session.received(reply, now: start).response != nil) }
    }
  }
}

extension [Session.Action] {
  var sent: [UInt8]? {
    for case .send(let bytes) in self { return bytes }
    return nil
  }

  var timer: ContinuousClock.Instant? {
    for case .setTimer(let instant) in self { return instant }
    return nil
  }

  var response: Response? {
    for case .completed(let response) in self { return response }
    return nil
  }

  var failure: SessionFailure? {
    for case .failed(let failure) in self { return failure }
    return nil
  }

  var findings: [SessionFinding] {
    compactMap { if case .finding(let finding) = $0 { finding } else { nil } }
  }
}
