import Collectors
import Events
import MIB
import PrinterModel
import SNMP
import Testing

@Suite struct PollMachineTests {
  @Test func `a full poll reads the whole device and nothing is missing`() throws {
    var device = PolledDevice()
    let poll = try device.reading(.full)
    #expect(poll.kind == .full)
    #expect(poll.interruption == nil)
    #expect(poll.walk == device.agent.walk)
    #expect(poll.reading.supplies.count == 5)
    #expect(poll.reading.meters.contains { $0.name == .total && $0.value == 12_345 })
    #expect(poll.reading.findings == [])
  }

  @Test func `a full poll of a colour device costs under 8 KB and a light one a tenth of it`() throws {
    var device = PolledDevice()
    let full = try device.poll(.full).cost
    #expect(full.bytesSent + full.bytesReceived < 8_000, "\(full)")
    let again = try device.poll(.full).cost
    #expect(again.requests < full.requests, "what the device bears is remembered")
    let light = try device.poll(.light).cost
    #expect(light.bytesSent + light.bytesReceived < 1_000, "\(light)")
    #expect(light.requests <= 2)
  }

  /// An HP print server whose supplies lie in the context of the printer.
  private func printServer() -> PolledDevice {
    var printer = TestPrinter()
    printer.descr = "HP ETHERNET MULTI-ENVIRONMENT,SN:X,PID:HP Color LaserJet"
    printer.objectID = [1, 3, 6, 1, 4, 1, 11, 2, 3, 9, 1]
    var device = PolledDevice(printer)
    device.profiles = .shipped
    let own = printer.walk
    let entries = [PrinterMIB.Supplies.entry, PrinterMIB.Colorant.entry]
    let supplies = own.bindings.filter { binding in entries.contains { binding.name.isWithin($0) } }
    device.agent.walk = Walk(own.bindings.filter { binding in !entries.contains { binding.name.isWithin($0) } })
    device.agent.contexts["public@Jetdirect"] = Walk(supplies)
    return device
  }

  @Test func `supplies that lie in another context are read there, in each poll`() throws {
    var device = printServer()
    let full = try device.reading(.full)
    #expect(full.reading.supplies.map(\.level) == [80, 60, 40, 20, 100])
    #expect(device.memory.session.credential == TestCredentials.publicV2c.credential)
    device.agent.contexts["public@Jetdirect"]?.set(PrinterMIB.Supplies.entry.appending(9, 1, 1), .integer(79))
    let light = try device.reading(.light)
    #expect(light.kind == .light, "\(light.reading.findings)")
    #expect(light.reading.supplies.map(\.level) == [79, 60, 40, 20, 100])
    #expect(light.reading.identity == full.reading.identity && light.interruption == nil)
    device.agent.contexts = [:]
    let silent = try device.reading(.light)
    #expect(silent.interruption?.reason == .timeout)
    #expect(silent.reading.supplies.map(\.level) == [79, 60, 40, 20, 100], "what was not read stays as it was")
  }

  @Test func `a context that a device does not have is asked once, and interrupts nothing`() throws {
    var device = printServer()
    device.agent.contexts = [:]
    let first = try device.reading(.full)
    #expect(first.interruption == nil && first.reading.supplies.isEmpty)
    let asked = device.agent.requests
    _ = try device.reading(.full)
    #expect(device.elapsed < .seconds(1), "nobody waits for it again")
    #expect(device.agent.requests > asked)
  }

  @Test(arguments: [true, false])
  func `a device that tells its maker by a private device id alone is read as the sweep found it`(
    hasInterface: Bool
  ) throws {
    var device = PolledDevice()
    device.profiles = .shipped
    let info: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 2435, 2, 3, 9, 4, 2, 1, 5, 5]
    device.agent.walk = Walk([
      VarBind(MIB2.Interface.entry.appending(3, 1), .integer(6)),
      VarBind(
        [1, 3, 6, 1, 4, 1, 2435, 2, 3, 9, 1, 1, 7, 0],
        .octets(Array("MFG:Brother;CMD:PJL;MDL:DCP-L3550CDW;CLS:PRINTER;".utf8))),
      VarBind(info.appending(1, 0), .octets(Array("E12345A6J".utf8))),
      VarBind(info.appending(10, 0), .octets([0, 1, 4, 0, 0, 6, 0x4B, 0xFF])),
    ])
    if !hasInterface { device.agent.walk.remove(MIB2.Interface.entry.appending(3, 1)) }
    let reading = try device.reading(.full).reading
    #expect(reading.identity.make == "Brother" && reading.identity.model?.text == "DCP-L3550CDW")
    #expect(reading.identity.serial?.text == "E12345A6J")
    #expect(reading.meters.map(\.value) == [1_611])
  }

  @Test func `a light poll sees moved counters and carries the rest`() throws {
    var device = PolledDevice()
    _ = try device.poll(.full)
    var printer = TestPrinter()
    printer.lifeCount = 12_400
    printer.levels = [79, 60, 40, 19, 100]
    printer.uptime += 5_000
    device.agent.walk = printer.walk
    let poll = try device.reading(.light)
    #expect(poll.kind == .light)
    #expect(poll.walk == printer.walk)
    #expect(poll.reading.meters.allSatisfy { poll.read.contains($0.source.name) }, "every counter was asked for")
    #expect(poll.reading.supplies.map(\.level) == [79, 60, 40, 19, 100])
    #expect(!poll.read.contains(MIB2.sysDescr))
    #expect(poll.alerts.rows == [], "the alert table was looked at and is empty")
  }

  @Test func `trays and covers of a device that stands still are left out, and of no other`() throws {
    var device = PolledDevice()
    _ = try device.poll(.full)
    var printer = TestPrinter()
    let tray = PrinterMIB.Input.entry.appending(PrinterMIB.Input.currentLevel, 1, 1)
    let still = try device.reading(.light)
    #expect(!still.read.contains(tray), "nobody may take it for read")
    #expect(still.reading.supplies.count == 5)
    #expect(still.read.contains(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level, 1, 1)))
    #expect(still.reading.meters.allSatisfy { still.read.contains($0.source.name) })
    printer.lifeCount += 1
    device.agent.walk = printer.walk
    #expect(try device.reading(.light).read.contains(tray), "a page was printed")
    #expect(try device.reading(.light, hasActiveAlerts: true).read.contains(tray), "an alert is active")
    #expect(try !device.reading(.light).read.contains(tray))
  }

  @Test func `trays and covers are read at least once an hour, and always without detectors`() throws {
    var device = PolledDevice()
    let tray = PrinterMIB.Input.entry.appending(PrinterMIB.Input.currentLevel, 1, 1)
    _ = try device.poll(.full)
    device.memory.inUseReadAt = device.memory.inUseReadAt?.advanced(by: .seconds(-3_600))
    #expect(try device.reading(.light).read.contains(tray))
    #expect(try !device.reading(.light).read.contains(tray))
    device.agent.walk.remove(PrinterMIB.General.entry.appending(PrinterMIB.General.alertAllEvents, 1))
    _ = try device.poll(.full)
    #expect(try device.reading(.light).read.contains(tray))
  }

  @Test(arguments: [
    "restart", "configuration", "serial", "object id", "vanished row",
  ])
  func `a light poll becomes a full one when the structure may have changed`(what: String) throws {
    var device = PolledDevice()
    _ = try device.poll(.full)
    var printer = TestPrinter()
    switch what {
    case "restart": printer.uptime = 10
    case "configuration": printer.configurationChanges = 2
    case "serial": printer.serial = "VNB3K99999"
    case "object id": printer.objectID = [1, 3, 6, 1, 4, 1, 99_999, 2]
    default: printer.levels.removeLast()
    }
    device.agent.walk = printer.walk
    let poll = try device.reading(.light)
    #expect(poll.kind == .full)
    #expect(poll.walk == printer.walk)
    #expect(poll.reading.findings.contains { $0.message.hasPrefix("read in full because") })
  }

  @Test(arguments: [0, 3] as [UInt32?] + [nil])
  func `an alert is seen at the next light poll, whatever the device's counters of alerts do`(events: UInt32?) throws {
    var device = PolledDevice()
    var printer = TestPrinter()
    printer.alertEvents = events ?? 0
    func told(_ device: inout PolledDevice, hasActiveAlerts: Bool = false) throws -> [String?]? {
      device.agent.walk = printer.walk
      if events == nil {
        for column in [PrinterMIB.General.alertCriticalEvents, PrinterMIB.General.alertAllEvents] {
          device.agent.walk.remove(PrinterMIB.General.entry.appending(column, 1))
        }
      }
      let poll = try device.reading(device.memory.rest == nil ? .full : .light, hasActiveAlerts: hasActiveAlerts)
      #expect(poll.walk == device.agent.walk)
      return poll.alerts.rows?.map(\.description?.text)
    }
    #expect(try told(&device) == [])
    #expect(try told(&device) == [], "an empty table is read to its end by looking at its beginning")
    printer.alerts = [(11, 1, 12, "Maintenance Box is nearing its end")]
    #expect(try told(&device) == ["Maintenance Box is nearing its end"])
    printer.alerts = []
    #expect(try told(&device) == [], "the row went away without moving a counter, as on many devices")
    printer.alerts = [(8, 1, 808, "Tray empty")]
    #expect(try told(&device) == ["Tray empty"])
    printer.alerts.append((8, 2, 808, "Another tray empty"))
    #expect(try told(&device, hasActiveAlerts: true)?.count == 2)
  }

  @Test func `a device without GetBulk has its alerts walked until its counter is proven`() throws {
    var device = PolledDevice()
    device.memory = .new(TestCredentials.publicV1)
    _ = try device.reading(.full)
    #expect(try device.reading(.light).alerts.rows == [])
    var printer = TestPrinter()
    printer.alerts = [(8, 1, 808, "Tray empty")]
    device.agent.walk = printer.walk
    #expect(try device.reading(.light).alerts.rows?.count == 1)
    #expect(device.memory.alertCounting == .disproven, "the row came and the counter stood")
  }

  @Test
  func `rows that always stand are looked at in every poll, and all of them walked when one came, went or changed`()
    throws
  {
    var device = PolledDevice()
    var printer = TestPrinter()
    printer.alerts = [(5, 1, 2, "Sleep mode on")]
    func poll(_ device: inout PolledDevice, isHinted: Bool = false) throws -> Int? {
      device.agent.walk = printer.walk
      return try device.reading(device.memory.rest == nil ? .full : .light, isHinted: isHinted).alerts.rows?.count
    }
    #expect(try poll(&device) == 1)
    #expect(try poll(&device) == nil, "no row came, went or changed, and nothing is told anew")
    printer.alerts.append((8, 1, 808, "Tray empty"))
    printer.alertEvents += 1
    #expect(try poll(&device) == 2)
    #expect(device.memory.alertCounting == .proven)
    #expect(try poll(&device) == nil)
    device.memory.rowsReadAt = device.memory.rowsReadAt?.advanced(by: .seconds(-3_600))
    #expect(try poll(&device) == 2, "once an hour, whatever happened")
    #expect(try poll(&device) == nil)
    printer.alerts.append((8, 2, 808, "Another tray empty"))
    #expect(try poll(&device, isHinted: true) == 3, "a trap has the alerts walked, whatever the counter says")
    #expect(device.memory.alertCounting == .disproven, "and shows that it does not count them all")
    printer.alerts.removeLast()
    #expect(try poll(&device) == 2)
    printer.alerts = (1...9).map { (8, $0, 808, "Tray \($0) empty") }
    #expect(try poll(&device) == 9)
    #expect(try poll(&device) == 9, "of many rows, and no proof, all are walked")
    printer.alerts = [(8, 1, 808, "Tray empty")]
    #expect(try poll(&device) == 1)
    #expect(try poll(&device) == nil)
    printer.alerts = [(6, 1, 501, "Cover open")]
    #expect(try poll(&device) == 1, "the same row is about something else")
    printer.descr += ", firmware 1.2.4"
    printer.configurationChanges += 1
    #expect(try poll(&device) == 1)
    #expect(device.memory.alertCounting == .unproven, "another firmware has all to prove")
  }

  @Test func `trays and covers are always read where the counter of alerts never counted, or not all`() throws {
    let tray = PrinterMIB.Input.entry.appending(PrinterMIB.Input.currentLevel, 1, 1)
    var printer = TestPrinter()
    printer.alertEvents = 0
    var device = PolledDevice(printer)
    _ = try device.poll(.full)
    #expect(try device.reading(.light).read.contains(tray))
    device = PolledDevice()
    _ = try device.poll(.full)
    #expect(try !device.reading(.light).read.contains(tray))
    device.memory.alertCounting = .disproven
    #expect(try device.reading(.light).read.contains(tray))
  }

  @Test func `a level that moved is never told of what stood in its row before`() throws {
    var printer = TestPrinter()
    printer.levels = [50, 60, 40, 20, 100]
    var device = PolledDevice(printer)
    _ = try device.poll(.full)
    (printer.levels[0], printer.levels[1]) = (60, 50)
    printer.supplyTexts = [1: "Cyan Toner", 2: "Black Toner"]
    device.agent.walk = printer.walk
    let swapped = try device.reading(.light)
    #expect(swapped.kind == .full && swapped.walk == printer.walk)
    #expect(swapped.reading.supplies.prefix(2).map { $0.description?.text } == ["Cyan Toner", "Black Toner"])
    #expect(swapped.reading.supplies.prefix(2).map(\.percentRemaining) == [60, 50])
    #expect(swapped.reading.findings.contains { $0.message.hasPrefix("read in full because") })
    printer.levels[3] = 19
    device.agent.walk = printer.walk
    let used = try device.reading(.light)
    #expect(used.kind == .light && used.reading.supplies[3].percentRemaining == 19)
    #expect(used.read.contains(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.description, 1, 4)))
    #expect(!used.read.contains(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.description, 1, 3)))
  }

  @Test(arguments: [
    PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.maxCapacity, 1, 4),
    PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.unit, 1, 4),
    PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.type, 1, 4),
    PrinterMIB.Colorant.entry.appending(PrinterMIB.Colorant.value, 1, 4),
    PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.counterUnit, 1, 1),
  ])
  func `a number that moved is told with the unit, the capacity and the colour that it has now`(label: ObjectIdentifier)
    throws
  {
    var device = PolledDevice()
    _ = try device.poll(.full)
    var printer = TestPrinter()
    printer.levels[3] = 19
    printer.lifeCount += 1
    device.agent.walk = printer.walk
    device.agent.walk.set(label, label.isWithin(PrinterMIB.Colorant.entry) ? .octets(Array("red".utf8)) : .integer(8))
    let poll = try device.reading(.light)
    #expect(poll.kind == .full && poll.walk == device.agent.walk)
  }

  @Test func `what the rows are called is read at least once an hour`() throws {
    var device = PolledDevice()
    _ = try device.poll(.full)
    var printer = TestPrinter()
    printer.supplyTexts = [2: "Cyan Toner, high yield"]
    device.agent.walk = printer.walk
    #expect(try device.reading(.light).kind == .light)
    device.memory.rowsReadAt = device.memory.rowsReadAt?.advanced(by: .seconds(-3_600))
    #expect(try device.reading(.light).walk == printer.walk)
  }

  @Test func `levels that moved are not told when the device falls silent before it says what they are of`() throws {
    var device = PolledDevice()
    _ = try device.poll(.full)
    var printer = TestPrinter()
    printer.levels = [60, 80, 40, 20, 100]
    printer.supplyTexts = [1: "Cyan Toner", 2: "Black Toner"]
    device.agent.walk = printer.walk
    device.agent.answersMax = device.agent.requests + 1
    let poll = try device.reading(.light)
    #expect(poll.interruption != nil)
    #expect(poll.reading.supplies.prefix(2).map(\.percentRemaining) == [80, 60], "as they were, and not as read")
    #expect(!poll.read.contains(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level, 1, 1)))
    #expect(poll.read.contains(PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level, 1, 3)))
  }

  @Test func `a device that dies in mid-walk leaves a partial reading with a finding that says where`() throws {
    var device = PolledDevice()
    device.agent.answersMax = 8
    let poll = try device.reading(.full)
    let interruption = try #require(poll.interruption)
    #expect(interruption.reason == .timeout)
    #expect(!poll.read.isEmpty)
    #expect(poll.walk.bindings.count < device.agent.walk.bindings.count)
    #expect(NameSet(poll.walk.bindings.map(\.name)) == poll.read, "nothing is shown that was not read")
    #expect(poll.alerts.rows == nil)
    let finding = try #require(poll.reading.findings.last)
    #expect(finding.message.contains("interrupted after"))
    #expect(device.elapsed < .seconds(60))
  }

  @Test(arguments: [4, 6, 8]) func `who waits for a device that dies in mid-walk waits a bounded time`(answers: Int)
    throws
  {
    var device = PolledDevice()
    device.silenceMax = .seconds(20)
    device.agent.answersMax = answers
    let poll = try device.reading(.full)
    #expect(poll.interruption?.reason == .timeout)
    #expect(!poll.read.isEmpty)
    #expect(device.elapsed < .seconds(21))
  }

  @Test func `an interrupted poll keeps what was known and names what it read`() throws {
    var device = PolledDevice()
    let whole = try device.reading(.full)
    device.agent.answersMax = device.agent.requests + 3
    let poll = try device.reading(.full)
    #expect(poll.interruption != nil)
    #expect(poll.walk == whole.walk)
    #expect(poll.read.count < whole.read.count)
    #expect(poll.reading.supplies.count == 5)
  }

  @Test func `a device that never answers fails with a timeout and no reading`() throws {
    var device = PolledDevice()
    device.agent.answersMax = 0
    guard case .failed(let failure) = try device.poll(.full).result else {
      Issue.record("a reading out of nothing")
      return
    }
    #expect(failure.reason == .timeout)
    #expect(device.elapsed == .seconds(7), "1 + 2 + 4 s for one request, and nothing else is asked")
    #expect(device.requests == 3)
  }

  @Test(arguments: [TestCredentials.publicV1, TestCredentials.publicV2c])
  func `what answers no Get is read by GetNext, and light polls remember it`(credential: NamedCredential) throws {
    var device = PolledDevice()
    device.memory = .new(credential)
    device.agent.isSilentToGet = true
    #expect(try device.reading(.full).walk == device.agent.walk)
    // GetBulk does not read everything here: some objects are left to Get.
    device.memory.abilities.bulk = .refused
    let learning = try device.reading(.light)
    #expect(learning.kind == .light)
    #expect(device.memory.abilities.get == .refused)
    #expect(device.elapsed < .seconds(8))
    let remembering = try device.reading(.light)
    #expect(remembering.read == learning.read)
    #expect(device.elapsed < .milliseconds(100), "no Get is tried again")
  }

  @Test(arguments: [90, 140, 300]) func `small answers are asked for where larger ones are too big`(bytes: Int) throws {
    var device = PolledDevice()
    device.agent.responseBytesMax = bytes
    let poll = try device.reading(.full)
    #expect(poll.walk == device.agent.walk)
  }

  @Test func `an error in mid-walk ends that part with a finding and the rest is read`() throws {
    var device = PolledDevice()
    device.agent.genErrAfter = PrinterMIB.Console.entry
    let poll = try device.reading(.full)
    #expect(poll.interruption == nil)
    #expect(poll.reading.findings.contains { $0.message.contains("genErr") })
    #expect(poll.unanswered.contains { $0.isWithin(PrinterMIB.Console.entry) })
    #expect(try PolledDevice().unansweredOfFullPoll == [])
    #expect(poll.reading.supplies.count == 5)
    #expect(poll.reading.meters.contains { $0.name == .total })
  }

  @Test func `a walk that goes in circles ends with a finding`() throws {
    var device = PolledDevice()
    let level = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.level)
    device.agent.cycle = (level.appending(1, 5), level.appending(1, 2))
    let poll = try device.reading(.full)
    #expect(poll.reading.supplies.map(\.level) == [80, 60, 40, 20, 100])
    #expect(!poll.reading.findings.isEmpty)
  }

  @Test func `answers with wrong ids are never taken`() throws {
    var device = PolledDevice()
    device.agent.hasWrongID = true
    guard case .failed = try device.poll(.full).result else {
      Issue.record("an answer with another request's id was taken")
      return
    }
  }

  @Test func `of answers with wrong ids alone, the failure tells how many came`() throws {
    var device = PolledDevice()
    device.agent.hasWrongID = true
    guard case .failed(let failure) = try device.poll(.full).result else { return }
    #expect(failure.reason == .timeout)
    #expect(failure.message.hasPrefix("no answer to 3 requests, but answers with other request ids (3)"))
  }

  @Test(arguments: [ErrorStatus.tooBig, .genErr])
  func `a device that answers everything with an error is told with the error and an object`(status: ErrorStatus) throws
  {
    var device = PolledDevice()
    device.agent.errorToAll = status
    guard case .failed(let failure) = try device.poll(.full).result else {
      Issue.record("a reading out of nothing")
      return
    }
    #expect(failure.reason == .deviceError)
    #expect(failure.message.contains("\(status)"))
    #expect(failure.message.contains("1.3.6.1.2.1.1"))
  }

  @Test func `a device that refuses the very first request refuses the credential, and is asked once`() throws {
    var device = PolledDevice()
    device.agent.errorToAll = .authorizationError
    guard case .failed(let failure) = try device.poll(.full).result else {
      Issue.record("a reading of a device that grants none")
      return
    }
    #expect(failure.reason == .authentication)
    #expect(failure.remedy == "Give a community that may read")
    #expect(device.requests == 1)
  }

  @Test func `a refused GetBulk is told with the object it was refused at`() throws {
    var device = PolledDevice()
    device.agent.refusesBulk = true
    let findings = try device.reading(.full).reading.findings
    let refused = try #require(findings.first { $0.message.hasPrefix("GetBulk is not used") })
    #expect(refused.name != nil)
  }

  @Test func `SNMPv1 devices are read whole`() throws {
    var device = PolledDevice()
    device.memory = .new(TestCredentials.publicV1)
    let poll = try device.reading(.full)
    #expect(poll.walk == device.agent.walk)
  }

  @Test func `what answers and is no printer any more is a failure that says so`() throws {
    var device = PolledDevice()
    device.agent.walk = Walk([VarBind(MIB2.sysDescr, .octets(Array("a router".utf8)))])
    guard case .failed(let failure) = try device.poll(.full).result else {
      Issue.record("a reading of a router")
      return
    }
    #expect(failure.reason == .notAPrinter)
  }
}

extension PolledDevice {
  /// What a full poll of a device without faults leaves unanswered.
  fileprivate var unansweredOfFullPoll: [ObjectIdentifier] {
    get throws {
      var device = self
      return try device.reading(.full).unanswered
    }
  }
}
