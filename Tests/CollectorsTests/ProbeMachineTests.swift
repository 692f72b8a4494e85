import Collectors
import Discovery
import Events
import MIB
import PrinterModel
import SNMP
import Testing

@Suite struct ProbeMachineTests {
  private func attempt(pass: Int = 1, isThorough: Bool = true) -> SweepAttempt {
    SweepAttempt(
      address: IPv4Address(0x0a00_0007), range: 0, pass: pass, patience: pass == 1 ? .seconds(1) : .seconds(4),
      furtherPatience: .seconds(1), isThorough: isThorough)
  }

  private func probe(
    _ credentials: [NamedCredential] = [TestCredentials.publicV2c], pass: Int = 1, isThorough: Bool = true
  ) -> MachineDriver<ProbeMachine> {
    MachineDriver(
      ProbeMachine(
        ProbeAsk.all(credentials, attempt(pass: pass, isThorough: isThorough)), pass: pass, keys: USMKeyCache(),
        profiles: .none, randomSeed: 1)
    )
  }

  @Test(arguments: [1, 2]) func `a printer is found with few and small questions`(pass: Int) throws {
    var agent = WalkAgent(TestPrinter().walk)
    var driver = probe(pass: pass)
    let output = try driver.run(&agent)
    #expect(output.answer == .found)
    #expect(output.credential?.name == "public")
    #expect(agent.requests <= 3)
    #expect(agent.names.count <= 3)
    #expect(output.cost.requests == UInt32(agent.requests))
  }

  @Test func `a printer that somebody looks for is asked for its model and serial number, with two questions at most`()
    throws
  {
    func found(_ walk: Walk, isIdentifying: Bool) throws -> (DeviceIdentity, requests: Int) {
      var agent = WalkAgent(walk)
      var driver = MachineDriver(
        ProbeMachine(
          ProbeAsk.all([TestCredentials.publicV2c], attempt()), pass: 1, keys: USMKeyCache(), profiles: .shipped,
          isIdentifying: isIdentifying, randomSeed: 1))
      let output = try driver.run(&agent)
      #expect(output.answer == .found)
      return (Interpretation.read(output.walk).identity, agent.requests)
    }
    let (identity, requests) = try found(TestPrinter().walk, isIdentifying: true)
    #expect(identity.model?.text == "Acme ColorJet 500" && identity.serial?.text == "VNB3K12345")
    #expect(requests <= 1 + (try found(TestPrinter().walk, isIdentifying: false).requests))
    let kyocera = Walk([
      VarBind(MIB2.sysDescr, .octets(Array("KYOCERA Document Solutions Printing System".utf8))),
      VarBind(MIB2.sysObjectID, .objectIdentifier([1, 3, 6, 1, 4, 1, 1347, 41])),
      VarBind([1, 3, 6, 1, 4, 1, 1347, 43, 5, 1, 1, 1, 1], .octets(Array("ECOSYS P2040dw".utf8))),
      VarBind([1, 3, 6, 1, 4, 1, 1347, 43, 5, 1, 1, 28, 1], .octets(Array("VD21457943".utf8))),
    ])
    let (own, asked) = try found(kyocera, isIdentifying: true)
    #expect(own.model?.text == "ECOSYS P2040dw" && own.serial?.text == "VD21457943")
    #expect(asked == 3)
    let id = VarBind(
      [1, 3, 6, 1, 4, 1, 2435, 2, 3, 9, 1, 1, 7, 0], .octets(Array("MFG:Brother;MDL:HL-1;SN:E12345;CLS:PRINTER;".utf8)))
    let nameless = Walk([VarBind(PrinterMIB.Marker.entry.appending(4, 1, 1), .counter32(7)), id])
    #expect(try found(nameless, isIdentifying: true).0.model?.text == "HL-1")
    // A name that somebody gave stands in sysDescr, where HP's have the product.
    let renamed = Walk([
      VarBind(MIB2.sysDescr, .octets(Array("HP ETHERNET MULTI-ENVIRONMENT,SN:VNB3K12345,PID:Purchasing Laser".utf8))),
      VarBind(MIB2.sysObjectID, .objectIdentifier([1, 3, 6, 1, 4, 1, 11, 2, 3, 9, 1])),
      VarBind(
        HostResources.Device.entry.appending(HostResources.Device.description, 1),
        .octets(Array("HP Color LaserJet M452nw".utf8))),
    ])
    let swept = try found(renamed, isIdentifying: true).0
    #expect(swept.model?.text == "Color LaserJet M452nw" && swept.model == Interpretation.read(renamed).identity.model)
  }

  @Test func `what answers no Get is found in the second pass, for one packet to a silent address`() throws {
    var agent = WalkAgent(TestPrinter().walk)
    agent.isSilentToGet = true
    var first = probe(pass: 1)
    #expect(try first.run(&agent).answer == .silent)
    #expect(agent.requests == 1)
    var second = probe(pass: 2)
    let output = try second.run(&agent)
    #expect(output.answer == .found)
    #expect(output.walk[MIB2.sysObjectID] == agent.walk[MIB2.sysObjectID])
    #expect(agent.requests <= 1 + 3)
  }

  @Test func `what answers without a row of Printer-MIB is not a printer and the reason is told`() throws {
    var agent = WalkAgent(
      Walk([
        VarBind(MIB2.sysDescr, .octets(Array("Linux switch".utf8))),
        VarBind(MIB2.sysObjectID, .objectIdentifier([1, 3, 6, 1, 4, 1, 8072])),
      ]))
    var driver = probe()
    let output = try driver.run(&agent)
    #expect(output.answer == .notAPrinter)
    #expect(output.detail.contains("Printer-MIB"))
  }

  @Test(arguments: [1, 2]) func `what answers once and falls silent is no other thing than silent`(pass: Int) throws {
    var agent = WalkAgent(TestPrinter().walk)
    agent.answersMax = pass
    var driver = probe(pass: pass)
    let output = try driver.run(&agent)
    #expect(output.answer == .silent)
    #expect(output.detail == "it answered the first question, and fell silent then")
    #expect(driver.elapsed < .seconds(20))
  }

  @Test(arguments: [(true, 5), (false, 3)])
  func `a silent address gets one packet per credential and other version, and each its bounded time`(
    isThorough: Bool, packetsExpected: Int
  ) throws {
    var packets = 0
    var driver = probe(
      [TestCredentials.publicV2c, TestCredentials.secret, TestCredentials.publicV1], pass: 2, isThorough: isThorough)
    let output = try driver.run { _, _ in
      packets += 1
      return nil
    }
    #expect(output.answer == .silent)
    #expect(packets == packetsExpected)
    #expect(driver.elapsed == .seconds(4 + 1 + 1) + SweepParameters.lastResortPatience * (packets - 3))
  }

  @Test(arguments: [true, false])
  func `what speaks SNMPv1 alone is found in the second pass, with the same credential`(isThorough: Bool) throws {
    var agent = WalkAgent(TestPrinter().walk)
    agent.versions = [.v1]
    var first = probe(pass: 1)
    #expect(try first.run(&agent).answer == .silent)
    var second = probe(pass: 2, isThorough: isThorough)
    let output = try second.run(&agent)
    #expect(output.answer == .found)
    #expect(output.credential == NamedCredential(name: "public", credential: TestCredentials.publicV1.credential))
  }

  @Test func `what speaks SNMPv3 alone is there, and wants a user`() throws {
    var engine = AuthoritativeEngine(
      engineID: [0x80, 0, 0, 1, 2, 3, 4, 5], engineBoots: 1, users: [], keys: USMKeyCache(), saltSeed: 1)
    var driver = probe(pass: 2)
    let output = try driver.run { _, datagram in
      if case .report(let report, _) = engine.received(datagram, engineTime: 100) { return report }
      return nil
    }
    #expect(output.answer == .wrongCredential)
    #expect(output.credential == nil)
    #expect(output.detail == "it speaks SNMPv3, and no credential for it is an SNMPv3 user")
  }

  @Test func `the credential that works is found after those that do not`() throws {
    var agent = WalkAgent(TestPrinter().walk)
    agent.community = "secret"
    var driver = probe([TestCredentials.publicV2c, TestCredentials.publicV1, TestCredentials.secret])
    let output = try driver.run(&agent)
    #expect(output.answer == .found)
    #expect(output.credential?.name == "secret")
    #expect(driver.elapsed < .seconds(3))
  }

  @Test func `an SNMPv1 device that has no object asked for is still asked on`() throws {
    var walk = TestPrinter().walk
    walk.remove(MIB2.sysDescr)
    var agent = WalkAgent(walk)
    var driver = probe([TestCredentials.publicV1])
    let output = try driver.run(&agent)
    #expect(output.answer == .found)
  }

  @Test func `an SNMPv1 device that tells a description alone is known by it`() throws {
    var agent = WalkAgent(Walk([VarBind(MIB2.sysDescr, .octets(Array("HP ETHERNET MULTI-ENVIRONMENT".utf8)))]))
    var driver = MachineDriver(
      ProbeMachine(
        ProbeAsk.all([TestCredentials.publicV1], attempt()), pass: 1, keys: USMKeyCache(), profiles: .shipped,
        randomSeed: 1))
    let output = try driver.run(&agent)
    #expect(output.answer == .found, "\(output.detail)")
    #expect(agent.requests == 2, "the GET of two, and one GETNEXT")
  }

  @Test func `a wrong user of SNMPv3 is a wrong credential and not silence`() throws {
    let user = try USMUser(name: "nobody", authentication: .init(.sha1, password: Array("password1".utf8)))
    let other = try USMUser(name: "somebody", authentication: .init(.sha1, password: Array("password2".utf8)))
    var engine = AuthoritativeEngine(
      engineID: [0x80, 0, 0, 1, 2, 3, 4, 5], engineBoots: 1, users: [other], keys: USMKeyCache(), saltSeed: 1)
    var driver = probe([NamedCredential(name: "v3", credential: .user(user))])
    let output = try driver.run { _, datagram in
      if case .report(let report, _) = engine.received(datagram, engineTime: 100) { return report }
      return nil
    }
    #expect(output.answer == .wrongCredential)
    #expect(output.detail == "v3: unknown user name")
    #expect(driver.elapsed < .seconds(1))
  }

  @Test func `a credential that is granted no access is refused, and the next one is tried`() throws {
    var agent = WalkAgent(TestPrinter().walk)
    agent.community = "secret"
    var refusing = WalkAgent(TestPrinter().walk)
    refusing.errorToAll = .authorizationError
    var driver = probe([TestCredentials.publicV2c, TestCredentials.secret])
    let output = try driver.run { _, datagram in agent.answer(datagram) ?? refusing.answer(datagram) }
    #expect(output.answer == .found)
    #expect(output.credential?.name == "secret")
    var alone = probe()
    let refused = try alone.run(&refusing)
    #expect(refused.answer == .wrongCredential)
    #expect(refused.detail == "public: the device grants no access with it")
  }

  @Test func `a refused port is known at once`() {
    var machine = probe().machine
    _ = machine.start(now: .now)
    guard case .finish(let output)? = machine.undelivered(.portClosed, now: .now).first else {
      Issue.record("the machine goes on")
      return
    }
    #expect(output.answer == .refused)
  }

  @Test func `an answer with a wrong id is no answer`() throws {
    var agent = WalkAgent(TestPrinter().walk)
    agent.hasWrongID = true
    var driver = probe()
    let output = try driver.run(&agent)
    #expect(output.answer == .silent)
    #expect(driver.elapsed == .seconds(1))
    #expect(output.detail == "only answers with other request ids (1), which were not accepted")
  }

  @Test(arguments: [ErrorStatus.tooBig, .genErr])
  func `what answers with errors alone is told with the error and an object`(status: ErrorStatus) throws {
    var agent = WalkAgent(TestPrinter().walk)
    agent.errorToAll = status
    var driver = probe()
    let output = try driver.run(&agent)
    #expect(output.answer == .notAPrinter)
    #expect(output.detail.contains("\(status), asked for 1.3.6"))
  }

  @Test func `an answer from elsewhere is told by its request id and not taken`() throws {
    var driver = probe()
    let other = Endpoint(IPv4Address(0x0a00_0009))
    var agent = WalkAgent(TestPrinter().walk)
    let output = try driver.run { machine, datagram in
      // The engine's part: an answer from another endpoint whose id is the one that is out.
      if let reply = agent.answer(datagram), ProbeMachine.identifier(of: reply) == ProbeMachine.identifier(of: datagram)
      {
        machine.answeredElsewhere(from: other)
      }
      return nil
    }
    #expect(output.answer == .silent)
    #expect(output.elsewhere == [other])
    #expect(output.detail.contains("10.0.0.9:161"))
  }
}
