// What changed since the last poll is mostly a meter and some levels. Each section of a reading is read from objects of its own, so that the others
// stay as they were.
//
//     object that changed                                  section
//     ---------------------------------------------------  -----------------
//     sysUpTime, the general table's change detectors      detectors
//     hrDeviceStatus, hrPrinterTable, the console          status
//     trays, bins, covers, alerts                          inputs, outputs, covers, alerts
//     supplies, colorants, a finisher's supplies           supplies
//     markers                                              markers, meters and checks
//     objects of makers and of the PWG, imaging counters   supplies, meters and checks
//       among them, but those that tell who it is
//     any other; an object that came, went or is none      all: it may decide how the rest is read
//
// Findings stand in one list. Where there are any, a section that is read anew must have the findings that it had, or all is read anew.

package import MIB

extension Interpretation {
  /// Reads a walk of which a part was read before.
  ///
  /// - Parameters:
  ///   - former: a walk.
  ///   - reading: what `read` made of it, with the same profiles.
  /// - Returns: what `read` would make of this walk.
  package static func read(
    _ walk: Walk, since former: Walk, _ reading: Reading, profiles: ProfileSet = .shipped
  ) -> Reading {
    guard !walk.isOfAttributes, let changed = walk.changedNames(since: former),
      let sections = Sections.read(from: changed, profiles: profiles),
      let result = update(reading, sections, of: walk, since: former, profiles)
    else { return read(walk, profiles: profiles) }
    return result
  }

  private static func update(
    _ reading: Reading, _ sections: Sections, of walk: Walk, since former: Walk, _ profiles: ProfileSet
  ) -> Reading? {
    var interpreter = Interpreter(walk: walk, profiles: profiles)
    guard interpreter.profile?.isOfPrivateObjects ?? true else { return nil }
    var result = reading
    interpreter.read(sections, into: &result)
    guard reading.findings.isEmpty else {
      var before = Interpreter(walk: former, profiles: profiles)
      var unused = reading
      before.read(sections, into: &unused)
      return before.findings == interpreter.findings ? result : nil
    }
    result.findings = interpreter.findings
    return result
  }
}

extension Walk {
  /// The names whose values differ; nil where one came or went, or has no value.
  fileprivate func changedNames(since former: Walk) -> [ObjectIdentifier]? {
    guard bindings.count == former.bindings.count else { return nil }
    var changed: [ObjectIdentifier] = []
    for (now, before) in zip(bindings, former.bindings) {
      guard now.name == before.name else { return nil }
      guard now.value != before.value else { continue }
      guard !now.value.isException, !before.value.isException else { return nil }
      changed.append(now.name)
    }
    return changed
  }
}

/// Sections of a reading.
private struct Sections: OptionSet {
  let rawValue: UInt16
  static let status = Sections(rawValue: 1 << 0)
  static let detectors = Sections(rawValue: 1 << 1)
  static let inputs = Sections(rawValue: 1 << 2)
  static let outputs = Sections(rawValue: 1 << 3)
  static let covers = Sections(rawValue: 1 << 4)
  static let alerts = Sections(rawValue: 1 << 5)
  static let supplies = Sections(rawValue: 1 << 6)
  static let meters = Sections(rawValue: 1 << 7)

  private static let standard: [(root: ObjectIdentifier, section: Sections)] =
    [1, 18, 19].map { (PrinterMIB.General.entry.appending($0), .detectors) } + [
      (MIB2.sysUpTime, .detectors),
      (HostResources.Device.entry.appending(HostResources.Device.status), .status),
      (HostResources.Printer.entry, .status), (PrinterMIB.Console.entry, .status),
      (PrinterMIB.Input.entry, .inputs), (PrinterMIB.Output.entry, .outputs), (PrinterMIB.Cover.entry, .covers),
      (PrinterMIB.Alert.entry, .alerts), (PrinterMIB.Supplies.entry, .supplies),
      (PrinterMIB.Colorant.entry, .supplies), (FinisherMIB.Supply.entry, .supplies),
      // What a device prints with may decide what its supplies are.
      (PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.technology), Sections([.supplies, .meters])),
      (PrinterMIB.Marker.entry, .meters),
    ]

  /// Objects of makers and of the PWG that tell who the device is.
  private static func identify(_ name: ObjectIdentifier, _ profiles: ProfileSet) -> Bool {
    name.isWithin(PortMonitorMIB.Printer.entry) || profiles.profiles.contains { $0.identity.names(name) }
  }

  /// The sections that these objects are read into; nil where they may decide more.
  static func read(from names: [ObjectIdentifier], profiles: ProfileSet) -> Sections? {
    var sections: Sections = []
    for name in names {
      if let known = standard.first(where: { name.isWithin($0.root) }) {
        sections.insert(known.section)
      } else if name.isWithin(MIB2.enterprises), !identify(name, profiles) {
        sections.formUnion([.supplies, .meters])
      } else {
        return nil
      }
    }
    return sections
  }
}

extension Profile {
  /// Whether counters and supplies are read from objects of makers alone.
  fileprivate var isOfPrivateObjects: Bool {
    func isPrivate(_ name: ObjectIdentifier) -> Bool { name.isWithin(MIB2.enterprises) }
    return counters.allSatisfy { isPrivate($0.name) } && records.allSatisfy { isPrivate($0.name) }
      && supplyRecords.allSatisfy { isPrivate($0.name) }
      && tables.allSatisfy { isPrivate($0.values) && $0.describingColumns.allSatisfy(isPrivate) }
      && supplyNumbers.allSatisfy { $0.columns.allSatisfy(isPrivate) }
  }
}

extension Profile.IdentitySources {
  /// Whether a value of the identity, or the console, is read from this object.
  fileprivate func names(_ name: ObjectIdentifier) -> Bool {
    [serial, model, firmware, assetNumber, deviceID, console].contains { $0.contains(name) }
  }
}

extension Interpreter {
  /// Reads some sections anew, in the order in which `reading` reads them all.
  fileprivate mutating func read(_ sections: Sections, into reading: inout Reading) {
    if sections.contains(.status) { reading.status = status() }
    if sections.contains(.detectors) { reading.detectors = detectors() }
    if sections.contains(.inputs) { reading.inputs = inputs() }
    if sections.contains(.outputs) { reading.outputs = outputs() }
    if sections.contains(.covers) { reading.covers = covers() }
    if sections.contains(.alerts) { reading.alerts = alerts() }
    if sections.contains(.supplies) { reading.supplies = supplies() }
    if sections.contains(.meters) { reading.markers = markers() }
    if sections.contains(.meters) { (reading.meters, reading.checks) = meters() }
  }
}
