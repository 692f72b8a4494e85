// The models under Fixtures/devices: each must be a printer that does not contradict itself.

import MIB
import Testing

@testable import PrinterSimulator

struct ModelTests {
  @Test func `there are at least twelve models of eight vendors`() throws {
    let vendors = Set(try Fixtures.modelNames.map { try Fixtures.model($0).vendor })
    #expect(Fixtures.modelNames.count >= 12)
    #expect(vendors.count >= 8)
  }

  @Test(arguments: Fixtures.modelNames)
  func `a walk is strictly increasing and holds no exception`(name: String) throws {
    let bindings = try Fixtures.printer(name).walk.bindings
    #expect(bindings.count > 80)
    for (one, next) in zip(bindings, bindings.dropFirst()) { #expect(one.name < next.name) }
    #expect(!bindings.contains { $0.value.isException || $0.value == .null })
  }

  @Test(arguments: Fixtures.modelNames)
  func `the device is a printer by Host Resources and Printer-MIB at the same index`(name: String) throws {
    let printer = try Fixtures.printer(name)
    let device = printer.model.host.deviceIndex
    let type = printer.walk[HostResources.Device.entry.appending(HostResources.Device.type, device)]
    #expect(type == .objectIdentifier(HostResources.Device.printerType))
    let serial = printer.walk[PrinterMIB.General.entry.appending(PrinterMIB.General.serialNumber, device)]
    #expect(serial == .octets(Array(printer.identity.serial.utf8)))
  }

  @Test(arguments: Fixtures.modelNames)
  func `supply rows are whole and their colorants exist`(name: String) throws {
    let walk = try Fixtures.printer(name).walk
    let rows = walk.table(PrinterMIB.Supplies.entry)
    #expect(!rows.isEmpty)
    let colorants = Set(walk.table(PrinterMIB.Colorant.entry).map { Array($0.index) })
    for row in rows {
      for column in UInt32(2)...9 { #expect(row[column] != nil, "column \(column) of row \(row.index)") }
      let colorant = UInt32(try #require(row.number(PrinterMIB.Supplies.colorantIndex)))
      if colorant != 0 { #expect(colorants.contains([row.index.first ?? 0, colorant])) }
      let capacity = try #require(row.number(PrinterMIB.Supplies.maxCapacity))
      let level = try #require(row.number(PrinterMIB.Supplies.level))
      #expect(level >= -3)
      if capacity > 0 { #expect(level <= capacity) }
      let isReceptacle = row.number(PrinterMIB.Supplies.supplyClass) == 4
      #expect(isReceptacle == [4, 8].contains(row.number(PrinterMIB.Supplies.type)))
    }
  }

  @Test(arguments: Fixtures.modelNames)
  func `the life count is monochrome and colour together`(name: String) throws {
    let printer = try Fixtures.printer(name)
    let life = printer.walk[
      PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount, printer.model.host.deviceIndex, 1)]
    #expect(life == .counter32(UInt32(printer.ledger.value(.mono) + printer.ledger.value(.colour))))
  }

  @Test func `models differ in the traps that printers set`() throws {
    let models = try Fixtures.modelNames.map(Fixtures.model)
    #expect(models.contains { $0.quirks.versions == [.v1] })
    #expect(models.contains { $0.quirks.getNextOnly })
    #expect(models.contains { $0.quirks.genErrAtEnd })
    #expect(models.contains { $0.host.errorStateOctets == 1 })
    #expect(models.contains { $0.host.deviceIndex != 1 })
    #expect(models.contains { $0.quirks.wake == .lost && $0.quirks.sleepAfterMinutes != nil })
    #expect(models.contains { $0.quirks.wake == .late && $0.quirks.sleepAfterMinutes != nil })
    #expect(models.contains { $0.supplies.contains { $0.report == .some } })
    #expect(models.contains { $0.supplies.filter { $0.colorant == 1 && $0.type == .inkCartridge }.count == 2 })
    #expect(models.contains { $0.supplies.map(\.index) != (1...UInt32($0.supplies.count)).map { $0 } })
  }
}
