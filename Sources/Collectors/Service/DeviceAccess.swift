// How a device is asked: with which credential over SNMP, or over IPP; and what the next poll may build on.

/// SNMP is preferred where it answers: it tells more, in fewer bytes. IPP is for what does not answer SNMP.
enum DeviceAccess: Sendable {
  /// Behind a reference: tables of thousands of them would otherwise have as much room again for what may be added.
  indirect case snmp(NamedCredential, PollMemory)
  /// With how it answered last, if it did.
  case ipp(IPPWay?)

  /// The credential's name, or IPP's.
  var name: String {
    switch self {
    case .snmp(let credential, _): credential.name
    case .ipp: IPPAsker.accessName
    }
  }

  var isSNMP: Bool {
    if case .snmp = self { true } else { false }
  }
}
