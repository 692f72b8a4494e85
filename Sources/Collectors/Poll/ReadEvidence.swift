// What a poll takes from the findings of its readers and from its first objects.

internal import MIB
internal import PrinterModel
internal import SNMP

extension ReadFinding {
  /// The object it is about, or was met at.
  var name: ObjectIdentifier {
    switch self {
    case .error(_, let root, _), .notIncreasing(let root, _, _), .cycle(let root, _, _): root
    case .scalarError(_, let name), .noAnswer(_, let name), .missing(let name), .tooBig(let name): name
    case .unexpectedException(_, let name), .rootExhausted(let name): name
    case .misshapen(_, _, let name), .bulkRefused(_, let name): name
    }
  }

  /// The name after which the device was silent, if that is what it is about.
  var unansweredName: ObjectIdentifier? {
    switch self {
    case .noAnswer(_, let name), .tooBig(let name), .missing(let name): name
    default: nil
    }
  }
}

extension DeviceEvidence {
  /// What a walk says of the device before any profile is applied.
  init(_ walk: Walk) {
    self.init()
    systemDescription = walk[MIB2.sysDescr]?.octets.map { String(decoding: $0, as: UTF8.self) }
    if case .objectIdentifier(let identifier) = walk[MIB2.sysObjectID] { systemObjectID = identifier }
    let types = walk.subtree(HostResources.Device.entry.appending(HostResources.Device.type))
    if let printer = types.first(where: { $0.value == .objectIdentifier(HostResources.Device.printerType) }),
      let row = printer.name.last
    {
      let name = HostResources.Device.entry.appending(HostResources.Device.description, row)
      printerDescription = walk[name]?.octets.map { String(decoding: $0, as: UTF8.self) }
    }
    let deviceIDs = walk.subtree(PortMonitorMIB.Printer.entry.appending(PortMonitorMIB.Printer.deviceID))
    let deviceID = deviceIDs.first { $0.value.octets?.isEmpty == false }?.value.octets
    manufacturer = deviceID.flatMap { DeviceIDString(String(decoding: $0, as: UTF8.self)).manufacturer }
  }
}
