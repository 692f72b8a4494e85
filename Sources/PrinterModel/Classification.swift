// Is it a printer? Servers, switches and management boards answer SNMP too, and many of them list hrDevicePrinter, one for each
// print queue or parallel port that their kernel knows. So hrDevicePrinter alone proves nothing.

package import MIB

/// Whether a device is a printer, with the reason in a sentence.
package enum Classification: Equatable, Sendable {
  case printer(reason: String)
  case notPrinter(reason: String)

  package var isPrinter: Bool {
    if case .printer = self { true } else { false }
  }

  package var reason: String {
    switch self {
    case .printer(let reason), .notPrinter(let reason): reason
    }
  }

  /// Groups of Printer-MIB that only a printer has rows in. Localization alone (7) is not among them.
  private static let telling: Set<UInt32> = [5, 6, 8, 9, 10, 11, 12, 16, 18]

  /// Decides by what is there; a few objects are enough (`PollTargets.evidence`).
  package static func of(_ walk: Walk, profiles: ProfileSet = .shipped) -> Classification {
    if walk.isOfAttributes { return ofAttributes(walk) }
    if let row = printerRow(walk) { return .printer(reason: "it has rows of Printer-MIB (\(row))") }
    let interpreter = Interpreter(walk: walk, profiles: profiles)
    let evidence = interpreter.evidence
    let description = evidence.systemDescription?.uppercased() ?? ""
    if let profile = interpreter.profile,
      let word = profile.match.otherDevices.first(where: { description.contains($0) })
    {
      return .notPrinter(reason: "sysDescr says `\(word.lowercased())`: another kind of \(profile.make) device")
    }
    if let deviceID = interpreter.deviceID?.value.octets,
      DeviceIDString(String(decoding: deviceID, as: UTF8.self)).deviceClass == "PRINTER"
    {
      return .printer(reason: "its IEEE 1284 device id says that it is a printer")
    }
    if let profile = profiles.profiles.first(where: { $0.match.isPrinter(description: description) }) {
      return .printer(reason: "sysDescr reads as that of a printer by \(profile.make)")
    }
    if let identifier = evidence.systemObjectID,
      let profile = profiles.profiles.first(where: { profile in
        profile.match.printerObjectIDs.contains { identifier.isWithin($0) }
      })
    {
      return .printer(reason: "sysObjectID \(identifier) is among \(profile.make)'s printers")
    }
    return notPrinter(walk)
  }

  /// A print server answers for its queues as a printer does; only it tells a version of its own.
  private static func ofAttributes(_ walk: Walk) -> Classification {
    if walk.attribute("cups-version").first != nil {
      return .notPrinter(reason: "it is a queue of a print server (CUPS)")
    }
    guard walk.attribute("printer-state").first != nil || walk.attribute("printer-make-and-model").first != nil else {
      return .notPrinter(reason: "it told neither printer-state nor printer-make-and-model")
    }
    return .printer(reason: "it answers Get-Printer-Attributes")
  }

  /// The first row of a telling group.
  private static func printerRow(_ walk: Walk) -> ObjectIdentifier? {
    var name = PrinterMIB.root
    while let next = walk.next(after: name), let rest = next.name.suffix(below: PrinterMIB.root) {
      if let group = rest.first, telling.contains(group), !next.value.isException { return next.name }
      name = next.name
    }
    return nil
  }

  private static func notPrinter(_ walk: Walk) -> Classification {
    if walk.isEmpty { return .notPrinter(reason: "it said nothing") }
    let hasQueue = walk.table(HostResources.Device.entry).contains {
      $0[HostResources.Device.type] == .objectIdentifier(HostResources.Device.printerType)
    }
    return .notPrinter(
      reason: hasQueue
        ? "it lists a printer among its devices, but has no row of Printer-MIB: a print queue or a port"
        : "it has no row of Printer-MIB, and no profile knows its sysDescr or sysObjectID as a printer's")
  }
}

extension Profile.Match {
  /// Whether sysDescr alone, in upper case, tells a printer.
  fileprivate func isPrinter(description: String) -> Bool {
    printerDescriptions.contains { description.hasPrefix($0) }
      || descriptions.contains { description.hasPrefix($0) } && printerWords.contains { description.contains($0) }
  }
}
