// A simulated printer's life: deterministic, independent of how time is cut, and arithmetically true at every moment.

import MIB
import Testing

@testable import PrinterSimulator

struct LifeTests {
  private static let hour: Int64 = 3_600_000

  @Test(arguments: Fixtures.modelNames)
  func `counters move forwards and always add up`(name: String) throws {
    var printer = try Fixtures.printer(name)
    let start = printer.ledger.value(.total)
    var last = start
    for _ in 0..<100 {
      printer.advance(byMilliseconds: Self.hour)
      let ledger = printer.ledger
      let total = ledger.value(.total)
      #expect(total >= last)
      #expect(ledger.value(.mono) + ledger.value(.colour) == total)
      #expect(ledger.value(.print) + ledger.value(.copy) + ledger.value(.fax) == total)
      #expect(ledger.value(.simplex) + ledger.value(.duplex) == total)
      #expect(ledger.value(.large) + ledger.value(.small) == total)
      last = total
    }
    #expect(last > start)
  }

  @Test(arguments: Fixtures.modelNames)
  func `vendor counters agree with the life count after a week`(name: String) throws {
    var printer = try Fixtures.printer(name)
    printer.advance(byMilliseconds: 168 * Self.hour)
    let walk = printer.walk
    for counter in printer.model.counters {
      let expected = counter.counts.reduce(0) { $0 + printer.ledger.value($1) }
      #expect(walk[counter.name]?.unsigned == expected)
    }
    if printer.model.usage.colourShare == 0 { #expect(printer.ledger.value(.colour) == 0) }
  }

  @Test func `a week in one step and a week in seconds end the same`() throws {
    var whole = try Fixtures.printer("konica-bizhub-c300i")
    var pieces = whole
    whole.advance(by: .seconds(7 * 86_400))
    for _ in 0..<(7 * 1440) {
      pieces.advance(byMilliseconds: 59_999)
      pieces.advance(byMilliseconds: 1)
    }
    #expect(whole.walk == pieces.walk)
    #expect(whole.ledger == pieces.ledger)
    #expect(whole.alertEvents == pieces.alertEvents)
  }

  @Test func `the same seed gives the same life and another seed another`() throws {
    func life(_ seed: UInt64) throws -> Walk {
      var printer = try Fixtures.printer("ricoh-im-c3000", seed: seed)
      printer.advance(byMilliseconds: 48 * Self.hour)
      return printer.walk
    }
    #expect(try life(3) == life(3))
    #expect(try life(3) != life(4))
  }

  @Test func `negative time changes nothing`() throws {
    var printer = try Fixtures.printer("samsung-m4070")
    let before = printer.walk
    printer.advance(by: .seconds(-60))
    #expect(printer.walk == before)
  }

  @Test(arguments: Fixtures.modelNames)
  func `alerts are raised and cleared and every row is true`(name: String) throws {
    var printer = try Fixtures.printer(name)
    var raised: Set<UInt32> = []
    var cleared = 0
    var shown: Set<UInt32> = []
    for _ in 0..<(45 * 24 * 2) {
      printer.advance(byMilliseconds: Self.hour / 2)
      let now = Set(printer.alerts.map(\.index))
      raised.formUnion(now)
      cleared += shown.subtracting(now).count
      shown = now
      #expect(printer.isStopped == printer.conditions.contains(where: \.isCritical))
      for alert in printer.alerts { #expect(printer.conditions.contains(alert.condition)) }
    }
    #expect(raised.count >= 5)
    #expect(cleared >= 4)
    #expect(Int(printer.alertEvents) >= raised.count)
    #expect(printer.criticalEvents > 0 && printer.criticalEvents <= printer.alertEvents)
  }

  @Test(arguments: Fixtures.modelNames)
  func `the error state says what the alert table says`(name: String) throws {
    var printer = try Fixtures.printer(name)
    var image = PrinterImage(of: printer)
    let device = printer.model.host.deviceIndex
    for _ in 0..<400 {
      printer.advance(byMilliseconds: Self.hour)
      image.refresh(printer)
      let codes = Set(image.walk.table(PrinterMIB.Alert.entry).compactMap { $0.number(PrinterMIB.Alert.code) })
      let name = HostResources.Printer.entry.appending(HostResources.Printer.detectedErrorState, device)
      let octets = try #require(image.walk[name]?.octets)
      #expect(octets.count == printer.model.host.errorStateOctets)
      #expect(codes.contains(8) == (octets[0] & 0x04 != 0), "jammed")
      #expect(codes.contains(3) == (octets[0] & 0x08 != 0), "doorOpen")
      #expect(!codes.isDisjoint(with: [1104, 1105]) == (octets[0] & 0x20 != 0), "lowToner")
      #expect(!codes.isDisjoint(with: [1101, 1102]) == (octets[0] & 0x10 != 0), "noToner")
      #expect(codes.contains(807) == (octets[0] & 0x80 != 0), "lowPaper")
    }
  }

  @Test func `an image kept up to date equals one built anew`() throws {
    var printer = try Fixtures.printer("xerox-versalink-c7025")
    var image = PrinterImage(of: printer)
    for _ in 0..<150 {
      printer.advance(byMilliseconds: Self.hour)
      image.refresh(printer)
      #expect(image.walk == PrinterImage(of: printer).walk)
    }
  }

  @Test func `supplies fall with pages and are replaced by ones with another serial`() throws {
    var printer = try Fixtures.printer("epson-wf-c20750")
    let before = printer.supplies
    var rises = 0
    var last = before.map(\.remaining)
    for _ in 0..<(200 * 24) {
      printer.advance(byMilliseconds: Self.hour)
      let now = printer.supplies.map(\.remaining)
      rises += zip(last, now).filter { $0 < $1 }.count
      last = now
    }
    let replaced = zip(before, printer.supplies).filter { $1.replacements > 0 }
    #expect(!replaced.isEmpty)
    #expect(rises == printer.supplies.reduce(0) { $0 + $1.replacements })
    for (old, new) in replaced { #expect(old.serial != new.serial) }
  }

  @Test func `a printer that is stopped prints nothing`() throws {
    var printer = try Fixtures.printer("lexmark-mx522")
    var stops = 0
    for _ in 0..<50_000 {
      let wasStopped = printer.isStopped
      let total = printer.ledger.value(.total)
      let events = printer.criticalEvents
      printer.advance(byMilliseconds: 10_000)
      guard wasStopped, printer.isStopped, printer.criticalEvents == events else { continue }
      stops += 1
      #expect(printer.ledger.value(.total) == total)
    }
    #expect(stops > 0)
  }
}
