// The Trap-PDU of SNMPv1 (RFC 1157, section 4.1.6) and its translation to an SNMPv2 notification (RFC 3584,
// section 3.1), so that a listener has one shape to understand.
//
//     Trap-PDU = [0xA4] { enterprise  agent-addr  generic-trap  specific-trap  time-stamp  variable-bindings }
//
//     notification bindings = sysUpTime.0  snmpTrapOID.0  bindings...  snmpTrapAddress.0  snmpTrapEnterprise.0

internal import MIB

/// The fields of SNMPv1's Trap-PDU.
struct TrapV1 {
  var enterprise: ObjectIdentifier
  var agentAddress: [UInt8]
  var genericTrap: Int32
  var specificTrap: Int32
  var timeStamp: UInt32
  var bindings: [VarBind]

  static let sysUpTime: ObjectIdentifier = [1, 3, 6, 1, 2, 1, 1, 3, 0]
  static let snmpTrapOID: ObjectIdentifier = [1, 3, 6, 1, 6, 3, 1, 1, 4, 1, 0]
  static let snmpTrapAddress: ObjectIdentifier = [1, 3, 6, 1, 6, 3, 18, 1, 3, 0]
  static let snmpTrapEnterprise: ObjectIdentifier = [1, 3, 6, 1, 6, 3, 1, 1, 4, 3, 0]
  /// The generic traps coldStart (0) to egpNeighborLoss (5) are `snmpTraps.1` to `snmpTraps.6`.
  static let snmpTraps: ObjectIdentifier = [1, 3, 6, 1, 6, 3, 1, 1, 5]
  /// `enterpriseSpecific`: the specific trap tells which one it is.
  static let enterpriseSpecific: Int32 = 6

  init(from fields: inout BERReader, notes: inout [DecodingNote]) throws(BERError) {
    enterprise = try fields.objectIdentifier("enterprise")
    agentAddress = fields.copy(try fields.element(tag: BERTag.ipAddress, "agent-addr"))
    genericTrap = try fields.int32("generic-trap")
    specificTrap = try fields.int32("specific-trap")
    let value = try ObjectValue(from: &fields, notes: &notes)
    timeStamp = value.unsigned.map(UInt32.init(truncatingIfNeeded:)) ?? 0
    bindings = try VarBindList.read(from: &fields, notes: &notes)
  }

  func write(to writer: inout BERWriter) {
    writer.constructed(PDU.Kind.trapV1.rawValue) { fields in
      VarBindList.write(bindings, to: &fields)
      fields.unsigned(UInt64(timeStamp), tag: BERTag.timeTicks)
      fields.integer(specificTrap)
      fields.integer(genericTrap)
      fields.primitive(BERTag.ipAddress, agentAddress)
      fields.objectIdentifier(enterprise)
    }
  }

  /// RFC 3584, section 3.1: the SNMPv2 notification this trap means, still marked as `.trapV1`.
  var notification: PDU {
    let identity =
      if (0..<Self.enterpriseSpecific).contains(genericTrap) {
        Self.snmpTraps.appending(UInt32(genericTrap) + 1)
      } else {
        enterprise.appending(0, UInt32(bitPattern: specificTrap))
      }
    let head = [VarBind(Self.sysUpTime, .timeTicks(timeStamp)), VarBind(Self.snmpTrapOID, .objectIdentifier(identity))]
    let tail = [
      VarBind(Self.snmpTrapAddress, .ipAddress(agentAddress)),
      VarBind(Self.snmpTrapEnterprise, .objectIdentifier(enterprise)),
    ]
    return PDU(.trapV1, requestID: 0, bindings: head + bindings + tail)
  }

  /// RFC 3584, section 3.2: the trap that says this notification. Fields the notification lacks are zero.
  init(notification: PDU) {
    let own: Set = [Self.sysUpTime, Self.snmpTrapOID, Self.snmpTrapAddress, Self.snmpTrapEnterprise]
    func value(_ name: ObjectIdentifier) -> ObjectValue? { notification.bindings.first { $0.name == name }?.value }
    func identifier(_ name: ObjectIdentifier) -> ObjectIdentifier? {
      if case .objectIdentifier(let identifier) = value(name) { identifier } else { nil }
    }
    let identity = identifier(Self.snmpTrapOID) ?? [0, 0]
    let last = identity.last ?? 0
    if identity.dropLast() == Self.snmpTraps, (1...6).contains(last) {
      genericTrap = Int32(last) - 1
      specificTrap = 0
      enterprise = identifier(Self.snmpTrapEnterprise) ?? Self.snmpTraps
    } else {
      genericTrap = Self.enterpriseSpecific
      specificTrap = Int32(bitPattern: last)
      let parent = identity.dropLast()
      enterprise =
        identifier(Self.snmpTrapEnterprise) ?? (parent.last == 0 ? parent.dropLast() : parent)
    }
    if case .ipAddress(let bytes) = value(Self.snmpTrapAddress) {
      agentAddress = bytes.array
    } else {
      agentAddress = [0, 0, 0, 0]
    }
    timeStamp = value(Self.sysUpTime)?.unsigned.map(UInt32.init(truncatingIfNeeded:)) ?? 0
    bindings = notification.bindings.filter { !own.contains($0.name) }
  }
}
