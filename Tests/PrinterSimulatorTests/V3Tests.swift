// The agent in SNMPv3: discovery, reports, contexts and levels, with messages made by hand.

import MIB
import SNMP
import Testing

@testable import PrinterSimulator

struct V3Tests {
  private let keys = USMKeyCache()
  private let user: USMUser
  private var device: Device
  private let get = PDU(.get, requestID: 3, names: [MIB2.sysDescr])

  init() throws {
    user = try USMUser(
      name: "fleet", authentication: .init(.sha256, password: Array("fleet-auth-pass".utf8)),
      privacy: .init(.aes128, password: Array("fleet-priv-pass".utf8)))
    device = try Fixtures.device("hp-color-laserjet-m555", users: [user], context: "Jetdirect")
  }

  /// Sends one message and returns the answer's PDU.
  private mutating func ask(
    _ pdu: PDU, as asker: USMUser, flags: V3Message.Flags, context: String = "Jetdirect", time: Int32? = nil,
    maxSize: Int32 = 65_507
  ) throws -> PDU? {
    let engine = device.agent.engineID
    let security = USMParameters(
      engineID: engine, engineBoots: device.agent.engine.engineBoots, engineTime: try time ?? engineTime(),
      userName: Array(asker.name.utf8))
    let scoped = ScopedPDU(contextEngineID: engine, contextName: Array(context.utf8), pdu: pdu)
    let message = V3Message(
      messageID: 1, maxSize: maxSize, flags: flags.union(.reportable), security: security, payload: .plain(scoped))
    let keys = keys.keys(for: asker, engineID: engine)
    guard let reply = device.received(try message.sealed(with: keys, salt: 9), now: .zero).first else { return nil }
    #expect(reply.bytes.count <= 1472)
    var notes: [DecodingNote] = []
    let located = try LocatedV3Message(decoding: reply.bytes, notes: &notes)
    return try located.opened(from: reply.bytes, with: keys, notes: &notes).pdu
  }

  private func engineTime() throws -> Int32 { Int32(try #require(device.printer).uptime / 1000) }

  @Test mutating func `discovery is answered with the engine id`() throws {
    let message = V3Message(
      messageID: 7, flags: .reportable, security: USMParameters(),
      payload: .plain(ScopedPDU(contextEngineID: [], contextName: [], pdu: PDU(.get, requestID: 7))))
    let reply = try #require(device.received(message.encoded().datagram, now: .zero).first)
    var notes: [DecodingNote] = []
    let answer = try LocatedV3Message(decoding: reply.bytes, notes: &notes).message
    let mac = try #require(device.printer).identity.macAddress
    #expect(answer.security.engineID == [0x80, 0, 0, 11, 3] + mac)
    guard case .plain(let scoped) = answer.payload else { Issue.record("a report is not encrypted"); return }
    #expect(ReportReason(scoped.pdu) == .unknownEngineID)
  }

  @Test mutating func `an authentic and encrypted request is answered`() throws {
    let answer = try #require(try ask(get, as: user, flags: [.authenticated, .encrypted]))
    #expect(answer.type == .response)
    #expect(answer.bindings.first?.value == device.walk[MIB2.sysDescr])
  }

  @Test mutating func `another context is reported as unknown`() throws {
    let answer = try #require(try ask(get, as: user, flags: [.authenticated, .encrypted], context: ""))
    #expect(ReportReason(answer) == .unknownContext)
  }

  @Test mutating func `a request below the user's level is refused`() throws {
    let answer = try #require(try ask(get, as: user, flags: .authenticated))
    #expect(answer.errorStatus == .authorizationError)
  }

  @Test mutating func `an unknown user is reported`() throws {
    let answer = try #require(try ask(get, as: try USMUser(name: "nobody"), flags: []))
    #expect(ReportReason(answer) == .unknownUserName)
  }

  @Test mutating func `a request out of the time window is reported`() throws {
    let answer = try #require(try ask(get, as: user, flags: [.authenticated, .encrypted], time: 5))
    #expect(ReportReason(answer) == .notInTimeWindow)
  }

  @Test mutating func `a wrong password is reported as a wrong digest`() throws {
    let stranger = try USMUser(
      name: "fleet", authentication: .init(.sha256, password: Array("another-password".utf8)),
      privacy: .init(.aes128, password: Array("fleet-priv-pass".utf8)))
    let answer = try #require(try ask(get, as: stranger, flags: [.authenticated, .encrypted]))
    #expect(ReportReason(answer) == .wrongDigest)
  }

  @Test mutating func `GETBULK keeps to the size that the asker takes`() throws {
    let bulk = PDU(getBulk: [PrinterMIB.root], requestID: 3, nonRepeaters: 0, maxRepetitions: 100)
    let small = try #require(try ask(bulk, as: user, flags: [.authenticated, .encrypted], maxSize: 484))
    let large = try #require(try ask(bulk, as: user, flags: [.authenticated, .encrypted]))
    #expect(!small.bindings.isEmpty)
    #expect(small.bindings.count < large.bindings.count)
  }
}
