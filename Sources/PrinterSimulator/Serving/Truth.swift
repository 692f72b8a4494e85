// What is true of a fleet at this moment, for comparing with what arrived elsewhere: each printer's real counters, supplies
// and alerts, written as JSON. Keys are sorted, so that two truths can be compared as text.

internal import FoundationEssentials

/// The truth about all printers of a fleet. Recordings, whose truth is their file, are left out.
package struct FleetTruth: Codable, Equatable, Sendable {
  package var printers: [PrinterTruth]

  package init(_ devices: some Sequence<Device>) {
    printers = devices.compactMap { device in
      device.printer.map { PrinterTruth($0, address: device.address.description, replies: device.replies) }
    }
  }

  /// The JSON text. Throws if a value cannot be written as JSON, which none of these can fail to be.
  package func json() throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return Array(try encoder.encode(self))
  }

  /// Replaces `file` with the JSON text, all of it or nothing. Throws `SettingsError`.
  package func write(file: String) throws {
    do {
      try Data(json()).write(to: URL(filePath: file), options: .atomic)
    } catch {
      throw SettingsError(file: file, message: "the truth could not be written; expected a writable place")
    }
  }
}

package struct PrinterTruth: Codable, Equatable, Sendable {
  package struct Counters: Codable, Equatable, Sendable {
    package var total: UInt64
    package var mono: UInt64
    package var colour: UInt64
    package var print: UInt64
    package var copy: UInt64
    package var fax: UInt64
    package var scans: UInt64
    package var duplex: UInt64
    package var jams: UInt64
  }

  package struct Supply: Codable, Equatable, Sendable {
    package var index: UInt32
    package var type: String
    package var description: String
    /// prtMarkerSuppliesLevel and prtMarkerSuppliesMaxCapacity as shown.
    package var level: Int64
    package var capacity: Int
    /// What is really left, or free, in hundredths of a percent.
    package var remainingHundredths: Int
    package var replacements: Int
  }

  package struct Alert: Codable, Equatable, Sendable {
    package var index: UInt32
    package var severity: Int64
    package var group: Int64
    package var groupIndex: Int64
    package var code: Int64
    package var description: String
    /// prtAlertTime.
    package var time: UInt32
  }

  package var address: String
  package var vendor: String
  package var model: String
  package var product: String
  package var serial: String
  package var macAddress: String
  package var name: String
  package var counters: Counters
  package var supplies: [Supply]
  package var alerts: [Alert]
  /// prtAlertAllEvents and prtAlertCriticalEvents.
  package var alertEvents: UInt32
  package var criticalEvents: UInt32
  /// sysUpTime.
  package var uptime: UInt32
  /// SNMP answers it has sent.
  package var replies: Int

  init(_ printer: Printer, address: String, replies: Int) {
    let ledger = printer.ledger
    self.address = address
    vendor = printer.model.vendor
    model = printer.model.name
    product = printer.model.product
    serial = printer.identity.serial
    let words = Placeholders(printer: printer)
    macAddress = words.filled("{mac}")
    name = printer.identity.name
    counters = Counters(
      total: ledger.value(.total), mono: ledger.value(.mono), colour: ledger.value(.colour),
      print: ledger.value(.print), copy: ledger.value(.copy), fax: ledger.value(.fax), scans: ledger.value(.scans),
      duplex: ledger.value(.duplex), jams: ledger.value(.jams))
    supplies = printer.supplies.map { supply in
      Supply(
        index: supply.model.index, type: supply.model.type.rawValue,
        description: Placeholders(printer: printer, supplySerial: supply.serial).filled(supply.model.description),
        level: supply.reportedLevel, capacity: supply.model.capacity, remainingHundredths: supply.hundredthsOfPercent,
        replacements: supply.replacements)
    }
    alerts = printer.alerts.map { alert in
      Alert(
        index: alert.index, severity: alert.condition.severity, group: alert.condition.group,
        groupIndex: alert.condition.groupIndex, code: alert.condition.code, description: alert.description,
        time: PrinterImage.ticks(alert.raisedAt))
    }
    alertEvents = printer.alertEvents
    criticalEvents = printer.criticalEvents
    uptime = PrinterImage.ticks(printer.uptime)
    self.replies = replies
  }
}
