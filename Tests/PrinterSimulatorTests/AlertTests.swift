// Single conditions: what one row of the alert table, the counters of events and the error state say of each.

import MIB
import Testing

@testable import PrinterSimulator

struct AlertTests {
  struct Expectation: Sendable {
    var condition: Condition
    var severity: Int64
    var group: Int64
    var groupIndex: Int64
    var code: Int64
    /// hrPrinterDetectedErrorState.
    var octets: [UInt8]
  }

  static let expectations: [Expectation] = [
    Expectation(condition: .paperLow(2), severity: 4, group: 8, groupIndex: 2, code: 807, octets: [0x80, 0]),
    Expectation(
      condition: .paperOut(2, last: false), severity: 4, group: 8, groupIndex: 2, code: 808, octets: [0, 0x04]),
    Expectation(
      condition: .paperOut(1, last: true), severity: 3, group: 8, groupIndex: 1, code: 808, octets: [0x40, 0x04]),
    Expectation(condition: .outputFull(1), severity: 3, group: 9, groupIndex: 1, code: 903, octets: [0, 0x08]),
    Expectation(condition: .coverOpen(1), severity: 3, group: 6, groupIndex: 1, code: 3, octets: [0x08, 0]),
    Expectation(condition: .jam, severity: 3, group: 13, groupIndex: 1, code: 8, octets: [0x04, 0]),
    Expectation(
      condition: .supplyLow(3, .toner), severity: 4, group: 11, groupIndex: 3, code: 1104, octets: [0x20, 0]),
    Expectation(
      condition: .supplyOut(3, .toner), severity: 3, group: 11, groupIndex: 3, code: 1101, octets: [0x10, 0]),
    Expectation(
      condition: .supplyLow(5, .wasteToner), severity: 4, group: 11, groupIndex: 5, code: 1107, octets: [0, 0]),
    Expectation(
      condition: .supplyOut(5, .wasteToner), severity: 3, group: 11, groupIndex: 5, code: 1109, octets: [1, 0]),
    Expectation(
      condition: .supplyLow(1, .inkCartridge), severity: 4, group: 11, groupIndex: 1, code: 1105, octets: [0x20, 0]),
  ]

  /// A colour printer without any condition.
  private func quietPrinter() throws -> Printer {
    var printer = try Fixtures.printer("ricoh-im-c3000")
    for condition in printer.conditions { printer.clear(condition) }
    return printer
  }

  @Test(arguments: expectations)
  func `a condition has its row, its bits and its count`(expected: Expectation) throws {
    var printer = try quietPrinter()
    let (all, critical) = (printer.alertEvents, printer.criticalEvents)
    printer.raise(expected.condition, "it happened")
    #expect(printer.alertEvents == all + 1)
    #expect(printer.criticalEvents == critical + (expected.severity == 3 ? 1 : 0))
    let walk = printer.walk
    let row = try #require(walk.table(PrinterMIB.Alert.entry).first)
    #expect(row.number(PrinterMIB.Alert.severity) == expected.severity)
    #expect(row.number(PrinterMIB.Alert.group) == expected.group)
    #expect(row.number(PrinterMIB.Alert.groupIndex) == expected.groupIndex)
    #expect(row.number(PrinterMIB.Alert.code) == expected.code)
    #expect(row[PrinterMIB.Alert.description] == .octets(Array("it happened".utf8)))
    #expect(walk[HostResources.Printer.entry.appending(2, 1)] == .octets(expected.octets))
    #expect(walk[HostResources.Device.entry.appending(5, 1)] == .integer(expected.severity == 3 ? 5 : 3))
    #expect(walk[PrinterMIB.General.entry.appending(19, 1)] == .counter32(all + 1))
  }

  @Test func `a condition that holds already has one row, and is gone when it is cleared`() throws {
    var printer = try quietPrinter()
    printer.raise(.jam, "Paper jam")
    let events = printer.alertEvents
    printer.raise(.jam, "Paper jam")
    #expect(printer.alerts.count == 1)
    #expect(printer.alertEvents == events)
    printer.clear(.jam)
    #expect(printer.alerts.isEmpty)
    #expect(printer.errorState == 0)
    #expect(printer.alertEvents == events)
    printer.raise(.jam, "Paper jam")
    #expect(printer.alertEvents == events + 1)
  }

  @Test(arguments: ["samsung-m4070", "xerox-versalink-c7025"])
  func `an alert names its supply by the serial number and not by the model's placeholder`(model: String) throws {
    var printer = try Fixtures.printer(model)
    var seen: Set<String> = []
    for _ in 0..<2_000 {
      printer.advance(byMilliseconds: 3_600_000)
      for alert in printer.alerts where alert.description.contains("Toner") { seen.insert(alert.description) }
    }
    #expect(!seen.isEmpty)
    for description in seen { #expect(!description.contains("{") && !description.contains("}"), "\(description)") }
  }

  @Test func `an alert index is never used twice`() throws {
    var printer = try quietPrinter()
    var seen: Set<UInt32> = []
    for _ in 0..<50 {
      printer.raise(.jam, "Paper jam")
      #expect(seen.insert(try #require(printer.alerts.first).index).inserted)
      printer.clear(.jam)
    }
  }

  @Test func `the alert table is bounded and the condition holds all the same`() throws {
    var printer = try quietPrinter()
    for index in UInt32(1)...100 { printer.raise(.paperLow(index), "Tray low") }
    #expect(printer.alerts.count == Printer.alertsMax)
    #expect(printer.conditions.count == 100)
    for index in UInt32(1)...100 { printer.clear(.paperLow(index)) }
    #expect(printer.alerts.isEmpty)
  }
}
