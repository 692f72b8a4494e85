@testable internal import Collectors
internal import Events
internal import Foundation
internal import MIB
internal import PrinterModel
internal import SNMP
internal import Testing

/// Chance from a seed.
private struct Dice {
  private var state: UInt64

  init(_ seed: UInt64) { state = seed }

  mutating func roll(_ sides: UInt64) -> UInt64 {
    state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
    return (state >> 33) % sides
  }

  mutating func once(in sides: UInt64) -> Bool { roll(sides) == 0 }
}

@Suite("Answers that are as they were") struct StillAnswersTests {
  /// What a poll told, and what it asked.
  private struct Told: Equatable {
    var result: PollOutcome.Result
    var requests: UInt32
    var wireBytes: UInt64
  }

  private func told(_ device: inout PolledDevice, _ kind: PollKind, alerts: Bool, hint: Bool) throws -> Told {
    let outcome = try device.poll(kind, hasActiveAlerts: alerts, isHinted: hint)
    return Told(
      result: outcome.result, requests: outcome.cost.requests,
      wireBytes: UInt64(outcome.cost.bytesSent) + UInt64(outcome.cost.bytesReceived))
  }

  /// What printers do between two polls: mostly nothing.
  private func live(_ printer: inout TestPrinter, _ dice: inout Dice) {
    printer.uptime &+= UInt32(dice.roll(100_000))
    guard dice.once(in: 2) else { return }
    switch dice.roll(9) {
    case 0: printer.lifeCount += UInt32(dice.roll(50))
    case 1: printer.levels[Int(dice.roll(5))] = Int64(dice.roll(100))
    case 2:
      printer.alerts.append((8, 1, Int64(dice.roll(4)) + 800, "Tray 1 low"))
      if dice.once(in: 2) { printer.alertEvents += 1 }
    case 3: if !printer.alerts.isEmpty { printer.alerts.removeLast() }
    case 4: printer.errorState = [UInt8(dice.roll(256)), 0]
    case 5: printer.configurationChanges += 1
    case 6: printer.uptime = UInt32(dice.roll(500))
    case 7: printer.supplyTexts[1] = "Black Toner \(dice.roll(3))"
    default: printer.serial = dice.once(in: 5) ? "OTHER\(dice.roll(9))" : printer.serial
    }
  }

  @Test(arguments: 0..<60 as Range<UInt64>)
  func `a poll tells and asks the same whether or not it may see that nothing moved`(seed: UInt64) throws {
    var dice = Dice(seed)
    var printer = TestPrinter()
    if seed % 3 == 0 { printer.alertEvents = 0 }
    var (quick, thorough) = (PolledDevice(printer), PolledDevice(printer))
    var quickPolls = 0
    for poll in 0..<40 {
      live(&printer, &dice)
      quick.agent.walk = printer.walk
      if seed % 4 == 1 {
        quick.agent.walk.remove(PrinterMIB.General.entry.appending(PrinterMIB.General.alertAllEvents, 1))
      }
      quick.agent.answersMax = dice.once(in: 12) ? quick.agent.requests + 1 : .max
      thorough.agent = quick.agent
      let (alerts, hint) = (dice.once(in: 4), dice.once(in: 10))
      let kind = poll == 0 || dice.once(in: 15) ? PollKind.full : .light
      if dice.once(in: 6) {
        let past = quick.memory.inUseReadAt?.advanced(by: .seconds(-3_600))
        let rows = dice.once(in: 2) ? past : quick.memory.rowsReadAt
        (quick.memory.inUseReadAt, thorough.memory.inUseReadAt) = (past, past)
        (quick.memory.rowsReadAt, thorough.memory.rowsReadAt) = (rows, rows)
      }
      if quick.memory.still != nil { quickPolls += 1 }
      thorough.memory.still = nil
      let seen = try told(&quick, kind, alerts: alerts, hint: hint)
      #expect(try told(&thorough, kind, alerts: alerts, hint: hint) == seen, "poll \(poll) of seed \(seed)")
      #expect(quick.memory.rest == thorough.memory.rest)
      #expect(quick.memory.alertCounting == thorough.memory.alertCounting)
    }
    #expect(quickPolls > 10)
  }

  @Test func `what moved is read and told, however small`() throws {
    var printer = TestPrinter()
    var device = PolledDevice(printer)
    _ = try device.poll(.full)
    for _ in 0..<3 {
      printer.uptime += 10
      device.agent.walk = printer.walk
      let still = try device.reading(.light)
      #expect(still.walk == printer.walk && still.reading.detectors.uptimeTicks == UInt64(printer.uptime))
    }
    #expect(device.memory.still != nil)
    printer.levels[3] -= 1
    device.agent.walk = printer.walk
    #expect(try device.reading(.light).reading.supplies[3].level == 19)
    // The same number of another type is not the same.
    device.agent.walk.set(PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount, 1, 1), .gauge32(12_345))
    #expect(try device.reading(.light).walk == device.agent.walk)
    // A clock that went back is a restart, though nothing else differs.
    device.agent.walk.set(MIB2.sysUpTime, .timeTicks(5))
    #expect(try device.reading(.light).kind == .full)
    #expect(device.memory.still == nil)
  }

  @Test func `a third light poll sees of each model that it stands still`() throws {
    let walks = URL(filePath: #filePath).deletingLastPathComponent().appending(path: "../../Fixtures/walks")
    let files = try FileManager.default.contentsOfDirectory(at: walks, includingPropertiesForKeys: nil)
      .filter { $0.pathExtension == "snmprec" }
    #expect(files.count > 5)
    for file in files {
      var walk = SNMPRec.parse([UInt8](try Data(contentsOf: file))).walk
      walk.set(MIB2.sysUpTime, .timeTicks(1_000))
      var device = PolledDevice()
      device.agent = WalkAgent(walk)
      device.profiles = .shipped
      guard case .reading = try device.poll(.full).result else { continue }
      for _ in 0..<2 { _ = try device.poll(.light) }
      var driver = MachineDriver(PollMachine(.light, memory: device.memory, profiles: .shipped))
      let transcript = try driver.run(&device.agent)
      #expect(transcript.trace.facts != nil, "\(file.lastPathComponent): \(transcript.trace) \(transcript.findings)")
    }
  }

  @Test func `a part of a packed walk is read without the rest`() {
    let walk = TestPrinter().walk
    let packed = PackedWalk(walk)
    for root in [PrinterMIB.Supplies.entry, PrinterMIB.Alert.entry, MIB2.sysUpTime, [1, 3], [2, 1]]
      as [ObjectIdentifier]
    {
      #expect(packed.subtree(root) == Walk(walk.subtree(root)))
    }
    let moved = packed.replacing(VarBind(MIB2.sysUpTime, .timeTicks(7)))
    #expect(moved.subtree(MIB2.sysUpTime)[MIB2.sysUpTime] == .timeTicks(7))
    #expect(moved.subtree(PrinterMIB.Supplies.entry) == Walk(walk.subtree(PrinterMIB.Supplies.entry)))
  }
}
