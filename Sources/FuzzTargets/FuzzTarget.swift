// What is fed with bytes by chance: each reader of bytes from outside, and what must hold of any input.
//
// libFuzzer drives these (`tools/fuzz`), guided by the code that an input reaches; the tests drive them with the seeds and with whatever
// was ever found (Fixtures/fuzz). A trap is the finding: nothing here throws or returns it.

internal import Discovery
internal import Events
internal import IPP
internal import MIB
internal import PrinterModel
internal import SNMP

package enum FuzzTarget: String, CaseIterable, Sendable {
  /// Messages of SNMPv1 and v2c: BER, PDUs, variable bindings, traps.
  case snmp
  /// The envelope of SNMPv3.
  case v3
  /// A session with a device of v3: what discovery, reports and authenticated answers come to.
  case usm
  /// Messages of the Internet Printing Protocol, and the rows that they carry as text.
  case ipp
  /// Recorded walks.
  case snmprec
  /// Recorded walks as a device, interpreted.
  case reading
  /// Vendor profiles.
  case profile
  /// Multicast DNS.
  case dns
  /// Events as they stand in a journal.
  case event

  /// Runs it. Traps if something does not hold.
  package func run(_ input: UnsafeRawBufferPointer) {
    let bytes = Array(input)
    switch self {
    case .snmp: Self.readMessage(bytes)
    case .v3: Self.readV3(bytes)
    case .usm: Self.converse(bytes)
    case .ipp: Self.readIPP(bytes)
    case .snmprec: Self.readRecording(bytes)
    case .reading: _ = Interpretation.read(SNMPRec.parse(bytes).walk)
    case .profile: _ = try? ProfileParser.parse(bytes, file: "input")
    case .dns: Self.readDNS(bytes)
    case .event: _ = try? Event(payload: bytes)
    }
  }

  /// What was read without a note is written as something that reads the same.
  private static func readMessage(_ bytes: [UInt8]) {
    var notes: [DecodingNote] = []
    guard let message = try? Message(decoding: bytes, notes: &notes), notes.isEmpty else { return }
    // A trap of v1 is read as the notification that it means.
    guard message.pdu.type != .trapV1 else { return }
    precondition((try? Message(decoding: message.encoded())) == message, "a message does not survive being written")
  }

  private static func readV3(_ bytes: [UInt8]) {
    var notes: [DecodingNote] = []
    guard let located = try? LocatedV3Message(decoding: bytes, notes: &notes) else { return }
    precondition(located.byteCount <= bytes.count)
    precondition(located.authenticationRange.upperBound <= located.byteCount)
  }

  /// The input is a row of datagrams, each behind its length (two bytes), answered to a session that asks.
  private static func converse(_ bytes: [UInt8]) {
    guard let user else { preconditionFailure("the user is as it should be") }
    var session = Session(
      credential: .user(user), keys: keys, parameters: SessionParameters(), randomSeed: 1)
    var now = start
    _ = session.request(.get([[1, 3, 6, 1, 2, 1, 1, 1, 0]]), now: now)
    var rest = bytes[...]
    while rest.count >= 2, session.isBusy {
      let length = Int(rest[rest.startIndex]) << 8 | Int(rest[rest.startIndex + 1])
      rest = rest.dropFirst(2)
      now += .milliseconds(10)
      _ = session.received(Array(rest.prefix(length)), now: now)
      rest = rest.dropFirst(length)
    }
    while session.isBusy {
      now += .seconds(60)
      _ = session.timerFired(now: now)
    }
  }

  private static let user = try? USMUser(
    name: "fuzz", authentication: .init(.sha256, password: Array("authentication".utf8)),
    privacy: .init(.aes128, password: Array("confidential".utf8)))
  private static let keys = USMKeyCache()
  private static let start = ContinuousClock.now

  private static func readIPP(_ bytes: [UInt8]) {
    guard let decoded = IPPDecoded(bytes) else { return }
    precondition(decoded.dataOffset <= bytes.count)
    for attribute in decoded.message.groups.flatMap(\.attributes) {
      for value in attribute.values {
        if let text = value.text { _ = AttributeRow(text) }
      }
    }
  }

  /// A walk that was read is written as one that reads the same.
  private static func readRecording(_ bytes: [UInt8]) {
    let walk = SNMPRec.parse(bytes).walk
    precondition(SNMPRec.parse(SNMPRec.bytes(of: walk)).walk == walk, "a walk does not survive being written")
  }

  private static func readDNS(_ bytes: [UInt8]) {
    var announced = AnnouncedPrinters()
    if let message = DNSMessage(bytes) { announced.take(message) }
    _ = announced.missing
    _ = announced.printers
  }
}
