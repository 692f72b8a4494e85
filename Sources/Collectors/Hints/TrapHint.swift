// What a trap says to somebody who polls: something happened at this device, look soon.
//
// A trap is believed no further than that. It is not evidence: its sender is not known, and it may never come. So neither community nor
// user is checked, and what it says is not read, but whose it is: the number of polls that traps can cause is bounded instead
// (`PollSchedule.hint`). Informs are acknowledged, or their sender would repeat them (RFC 3416, section 4.2.7).

internal import Discovery
internal import MIB
internal import SNMP

struct TrapHint: Equatable {
  /// Who sent it.
  let source: IPv4Address
  /// Whom it is about where a proxy passed it on: agent-addr (RFC 1157, section 4.1.6), or snmpTrapAddress.0 (RFC 3584, section 3.1).
  let origin: IPv4Address?
  /// What to send back to an inform.
  let acknowledgement: [UInt8]?

  /// RFC 3584, section 3.1.
  private static let trapAddress: ObjectIdentifier = [1, 3, 6, 1, 6, 3, 18, 1, 3, 0]

  /// Nil for what is no trap or inform of any version.
  init?(_ datagram: [UInt8], from source: IPv4Address) {
    guard let version = try? SNMPVersion(of: datagram) else { return nil }
    self.source = source
    guard version != .v3 else {
      // Signed or not: whoever sends it is heard as a hint. An inform of v3 stays without an acknowledgement.
      guard Self.isV3(datagram) else { return nil }
      (origin, acknowledgement) = (nil, nil)
      return
    }
    guard let message = try? Message(decoding: datagram), Self.kinds.contains(message.pdu.type) else { return nil }
    origin =
      message.pdu.bindings.lazy.compactMap { binding in
        if binding.name == Self.trapAddress, case .ipAddress(let bytes) = binding.value {
          Self.address(bytes.array)
        } else {
          nil
        }
      }.first
    acknowledgement = message.pdu.type == .inform ? Self.response(to: message) : nil
  }

  private static let kinds: Set<PDU.Kind> = [.trapV1, .trapV2, .inform]

  private static func isV3(_ datagram: [UInt8]) -> Bool {
    var notes: [DecodingNote] = []
    return (try? LocatedV3Message(decoding: datagram, notes: &notes)) != nil
  }

  private static func address(_ bytes: [UInt8]) -> IPv4Address? {
    let value = bytes.reduce(UInt32(0)) { $0 << 8 | UInt32($1) }
    return bytes.count == 4 && value != 0 ? IPv4Address(value) : nil
  }

  private static func response(to message: Message) -> [UInt8] {
    var message = message
    message.pdu.type = .response
    return message.encoded()
  }
}
