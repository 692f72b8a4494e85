import Events
import Foundation
import Journal
import MIB
import PrinterModel
import Projections
import Testing

@testable import ReadModels

@Suite struct `A list of devices` {
  @Test func `says of a receptacle that it is the room`() {
    let box = Self.supply(supplyClass: 4, level: 10, percent: 10)
    let full = Self.supply(supplyClass: 4, level: -3, percent: nil)
    let black = Self.supply(supplyClass: 3, level: -3, percent: nil)
    #expect(FleetReport.supplies([box, full, black]) == "waste room 10 %, waste some room, row 1.1 some remaining")
  }

  @Test func `drives no terminal, whatever a device calls itself`() {
    var table = TextTable([.init("MODEL")])
    table.add(["red \u{1B}[31m\u{9B}2J\r\nX"])
    #expect(table.text == "MODEL\nred  [31m 2J  X\n")
  }

  @Test func `in JSON names special numbers as raw, with their meaning beside them`() throws {
    var reading = Reading()
    var supply = Self.supply(supplyClass: 3, level: -3, percent: nil)
    supply.capacity = -2
    reading.supplies = [supply]
    var tray = InputTray(row: RowIndex([1, 1]))
    (tray.capacity, tray.level) = (500, -3)
    reading.inputs = [tray]
    var bin = OutputBin(row: RowIndex([1, 1]))
    (bin.capacity, bin.remaining) = (-1, -7)
    reading.outputs = [bin]
    var json = JSONWriter()
    json.object { $0.reading(reading) }
    let text = String(decoding: json.take(), as: UTF8.self)
    for expected in [
      #""capacityRaw":-2,"capacityMeaning":"unknown","levelRaw":-3,"meaning":"some-remaining","#,
      #""capacityRaw":500,"capacityMeaning":"known","levelRaw":-3,"levelMeaning":"some""#,
      #""capacityRaw":-1,"capacityMeaning":"no-restriction","remainingRaw":-7,"remainingMeaning":"non-standard-negative""#,
    ] {
      #expect(text.contains(expected), "\(expected) in \(text)")
    }
    for name in ["\"level\"", "\"capacity\"", "\"remaining\""] { #expect(!text.contains(name)) }
  }

  private static func supply(supplyClass: Int64, level: Int64, percent: Double?) -> Supply {
    var supply = Supply(row: RowIndex([1, 1]), quality: percent == nil ? .someRemaining : .exact, rule: Rule("t@1"))
    supply.supplyClass = supplyClass
    (supply.level, supply.capacity, supply.percentRemaining) = (level, 100, percent)
    return supply
  }
}
