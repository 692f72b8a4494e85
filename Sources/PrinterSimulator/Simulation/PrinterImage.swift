// What a simulated printer's agent shows: the MIB of a `Printer` as a `Walk`.
//
// The part that never changes is built once. The rest is set again only when the printer's revision has moved, and
// sysUpTime at each request, so that a thousand printers can be walked at full speed.

package import MIB

package struct PrinterImage: Sendable {
  /// The objects, as of the last `refresh`.
  package private(set) var walk: Walk
  private var revision: UInt64?
  private var alertRows: [ObjectIdentifier] = []
  private let marker: [UInt32]

  /// Builds the image of a printer.
  package init(of printer: Printer) {
    marker = [printer.model.host.deviceIndex, 1]
    walk = Walk(StaticObjects(printer: printer).bindings)
    refresh(printer)
  }

  /// Brings the image up to date with the printer it was built of.
  package mutating func refresh(_ printer: Printer) {
    walk.set(MIB2.sysUpTime, .timeTicks(Self.ticks(printer.uptime)))
    guard revision != printer.revision else { return }
    revision = printer.revision
    setHost(printer)
    setGeneral(printer)
    setPaper(printer)
    setMarker(printer)
    setAlerts(printer)
    setCounters(printer)
  }

  /// Hundredths of a second, which wrap after 497 days.
  static func ticks(_ milliseconds: Int64) -> UInt32 { UInt32(truncatingIfNeeded: milliseconds / 10) }

  private func name(_ entry: ObjectIdentifier, _ column: UInt32, _ row: UInt32) -> ObjectIdentifier {
    entry.appending([column, marker[0], row])
  }

  private mutating func setHost(_ printer: Printer) {
    let device = marker[0]
    let status: Int64 = printer.isStopped ? 5 : printer.alerts.isEmpty ? 2 : 3
    walk.set(HostResources.Device.entry.appending(HostResources.Device.status, device), .integer(status))
    let state: Int64 = printer.isPrinting ? 4 : printer.isStopped ? 1 : 3
    walk.set(HostResources.Printer.entry.appending(HostResources.Printer.status, device), .integer(state))
    let word = printer.errorState
    let octets = [UInt8(word >> 8), UInt8(word & 0xff)].prefix(printer.model.host.errorStateOctets)
    walk.set(
      HostResources.Printer.entry.appending(HostResources.Printer.detectedErrorState, device), .octets(Array(octets)))
  }

  private mutating func setGeneral(_ printer: Printer) {
    typealias General = PrinterMIB.General
    let values: [(UInt32, UInt32)] = [
      (General.configurationChanges, printer.configurationChanges),
      (General.alertCriticalEvents, printer.criticalEvents),
      (General.alertAllEvents, printer.alertEvents),
    ]
    for (column, value) in values { walk.set(General.entry.appending(column, marker[0]), .counter32(value)) }
    for (position, cover) in printer.model.covers.enumerated() {
      let status: Int64 = printer.coversOpen[position] ? 3 : 4
      walk.set(name(PrinterMIB.Cover.entry, PrinterMIB.Cover.status, cover.index), .integer(status))
    }
    let text = printer.alerts.last?.description ?? printer.model.console.first ?? ""
    if !printer.model.console.isEmpty {
      walk.set(name(PrinterMIB.Console.entry, PrinterMIB.Console.text, 1), .octets(Array(text.utf8)))
    }
  }

  private mutating func setPaper(_ printer: Printer) {
    for (position, tray) in printer.model.inputs.enumerated() {
      let sheets = printer.traySheets[position]
      let level = tray.report.level(of: sheets, capacity: tray.capacity)
      walk.set(name(PrinterMIB.Input.entry, PrinterMIB.Input.currentLevel, tray.index), .integer(level))
      // PrtSubUnitStatusTC: 0 available and idle; 8 non-critical alert, 9 unavailable because of what the alert says.
      let status: Int64 = sheets == 0 ? 9 : printer.conditions.contains(.paperLow(tray.index)) ? 8 : 0
      walk.set(name(PrinterMIB.Input.entry, PrinterMIB.Input.status, tray.index), .integer(status))
    }
    for (position, bin) in printer.model.outputs.enumerated() {
      let level = bin.report.level(of: bin.capacity - printer.binSheets[position], capacity: bin.capacity)
      walk.set(name(PrinterMIB.Output.entry, PrinterMIB.Output.remainingCapacity, bin.index), .integer(level))
      let status: Int64 = printer.conditions.contains(.outputFull(bin.index)) ? 16 : 0
      walk.set(name(PrinterMIB.Output.entry, PrinterMIB.Output.status, bin.index), .integer(status))
    }
  }

  private mutating func setMarker(_ printer: Printer) {
    typealias Marker = PrinterMIB.Marker
    let inSheets = printer.model.markerUnit == 8
    let life = printer.ledger.value(inSheets ? .sheets : .total)
    walk.set(Marker.entry.appending([Marker.lifeCount] + marker), .counter32(UInt32(truncatingIfNeeded: life)))
    walk.set(
      Marker.entry.appending([Marker.powerOnCount] + marker),
      .counter32(UInt32(truncatingIfNeeded: printer.pagesSincePowerOn)))
    // 0 available and idle; 4 active; 16 critical alert.
    let status: Int64 = printer.isStopped ? 16 : printer.isPrinting ? 4 : 0
    walk.set(Marker.entry.appending([Marker.status] + marker), .integer(status))
    for supply in printer.supplies {
      typealias Supplies = PrinterMIB.Supplies
      let text = Placeholders(printer: printer, supplySerial: supply.serial).filled(supply.model.description)
      walk.set(name(Supplies.entry, Supplies.description, supply.model.index), .octets(Array(text.utf8)))
      walk.set(name(Supplies.entry, Supplies.level, supply.model.index), .integer(supply.reportedLevel))
    }
  }

  private mutating func setAlerts(_ printer: Printer) {
    for row in alertRows { walk.remove(row) }
    alertRows.removeAll(keepingCapacity: true)
    typealias Alert = PrinterMIB.Alert
    for alert in printer.alerts {
      let condition = alert.condition
      let cells: [(UInt32, ObjectValue)] = [
        (Alert.severity, .integer(condition.severity)), (Alert.trainingLevel, .integer(condition.training)),
        (Alert.group, .integer(condition.group)), (Alert.groupIndex, .integer(condition.groupIndex)),
        (Alert.location, .integer(-2)), (Alert.code, .integer(condition.code)),
        (Alert.description, .octets(Array(alert.description.utf8))),
        (Alert.time, .timeTicks(Self.ticks(alert.raisedAt))),
      ]
      for (column, value) in cells {
        let cell = name(Alert.entry, column, alert.index)
        walk.set(cell, value)
        alertRows.append(cell)
      }
    }
  }

  private mutating func setCounters(_ printer: Printer) {
    for counter in printer.model.counters {
      let value = counter.counts.reduce(0) { $0 + printer.ledger.value($1) }
      walk.set(counter.name, counter.type.value(value))
    }
    for object in printer.model.records {
      var bytes: [UInt8] = []
      for record in object.records {
        let value = UInt32(truncatingIfNeeded: printer.ledger.value(record.count))
        bytes += [record.code, 0x01, 0x04]
        bytes += (0..<4).map { UInt8(truncatingIfNeeded: value >> (24 - 8 * UInt32($0))) }
      }
      walk.set(object.name, .octets(bytes + [0xff]))
    }
  }
}

extension LevelReport {
  /// A tray's level: prtInputCurrentLevel and prtOutputRemainingCapacity say -3 for at least one sheet, -2 for unknown.
  fileprivate func level(of sheets: Int, capacity: Int) -> Int64 {
    switch self {
    case .exact: Int64(sheets)
    case .steps: Int64((sheets * 10 + capacity - 1) / capacity * capacity / 10)
    case .some: sheets > 0 ? -3 : 0
    case .unknown: -2
    }
  }
}

extension CounterType {
  fileprivate func value(_ number: UInt64) -> ObjectValue {
    switch self {
    case .integer: .integer(Int64(truncatingIfNeeded: number))
    case .counter32: .counter32(UInt32(truncatingIfNeeded: number))
    case .counter64: .counter64(number)
    case .gauge32: .gauge32(UInt32(truncatingIfNeeded: number))
    case .text: .octets(Array(String(number).utf8))
    }
  }
}

/// The words in braces that a model's text may hold.
struct Placeholders {
  private let words: [(String, String)]

  init(printer: Printer, supplySerial: String = "") {
    let mac = printer.identity.macAddress.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined(separator: ":")
    words = [
      ("{serial}", printer.identity.serial), ("{name}", printer.identity.name), ("{mac}", mac),
      ("{location}", printer.identity.location), ("{product}", printer.model.product),
      ("{supply_serial}", supplySerial),
    ]
  }

  func filled(_ text: String) -> String {
    guard text.contains("{") else { return text }
    var result = ""
    var rest = text[...]
    while let first = rest.first {
      if first == "{", let word = words.first(where: { rest.hasPrefix($0.0) }) {
        result += word.1
        rest = rest.dropFirst(word.0.count)
      } else {
        result.append(first)
        rest = rest.dropFirst()
      }
    }
    return result
  }
}
