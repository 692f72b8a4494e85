// What light polls ask for at once, and what is kept between them.

import MIB
import PrinterModel
import Testing

@testable import Collectors

@Suite struct `What moves in use` {
  private let tray = PrinterMIB.Input.entry.appending(PrinterMIB.Input.currentLevel, 1, 1)

  @Test func `is asked for with everything else of a device that cannot say that nothing happened`() throws {
    var printer = TestPrinter()
    printer.alertEvents = 0
    var device = PolledDevice(printer)
    _ = try device.poll(.full)
    let first = try device.reading(.light)
    let requests = device.requests
    #expect(!device.memory.canStandStill && first.read.contains(tray))
    let second = try device.reading(.light)
    #expect(device.requests == requests - 1)
    #expect(second.read == first.read && second.reading == first.reading)
  }

  @Test func `is left out again once the device can`() throws {
    var printer = TestPrinter()
    printer.alertEvents = 0
    var device = PolledDevice(printer)
    _ = try device.poll(.full)
    _ = try device.poll(.light)
    printer.alertEvents = 3
    device.agent.walk = printer.walk
    #expect(try device.reading(.light).read.contains(tray), "its counter moved")
    #expect(try !device.reading(.light).read.contains(tray) && device.memory.canStandStill)
  }

  @Test func `is asked for at once while an alert is raised`() throws {
    var device = PolledDevice()
    _ = try device.poll(.full)
    let still = try device.reading(.light)
    let requests = device.requests
    let raised = try device.reading(.light, hasActiveAlerts: true)
    #expect(!still.read.contains(tray) && raised.read.contains(tray))
    #expect(device.requests == requests)
    #expect(try !device.reading(.light).read.contains(tray), "the alert is gone")
  }
}

@Suite struct `Another device at the address` {
  @Test(arguments: ["MAC", "description"])
  func `is seen by a light poll where no serial number tells it, though it counted more and is up for longer`(
    what: String
  ) throws {
    var printer = TestPrinter()
    printer.serial = ""
    var device = PolledDevice(printer)
    device.agent.walk.set(
      HostResources.Device.entry.appending(HostResources.Device.description, 1), .octets(Array("Acme X100".utf8)))
    _ = try device.poll(.full)
    #expect(try device.reading(.light).kind == .light)
    printer.uptime += 90_000_000
    printer.lifeCount += 2_000
    if what == "MAC" { printer.mac[5] += 1 }
    device.agent.walk = printer.walk
    device.agent.walk.set(
      HostResources.Device.entry.appending(HostResources.Device.description, 1),
      .octets(Array((what == "MAC" ? "Acme X100" : "Acme Z900").utf8)))
    #expect(try device.reading(.light).kind == .full)
  }
}

@Suite struct `What is kept between polls` {
  @Test func `stays as it was with whoever holds it, whatever a poll makes of it`() throws {
    var device = PolledDevice()
    let new = device.memory
    _ = try device.poll(.full)
    let full = device.memory
    _ = try device.poll(.light)
    #expect(new.rest == nil && new.inUseReadAt == nil && new.abilities == PollMemory.new().abilities)
    #expect(full.rest != nil && full.lightPlan == nil && full.still == nil)
    #expect(device.memory.lightPlan != nil && device.memory.still != nil)
    var changed = full
    changed.suppliesContext = "Jetdirect"
    (changed.isContextSilent, changed.canStandStill) = (true, false)
    #expect(full.suppliesContext == nil && !full.isContextSilent && full.canStandStill)
  }
}
