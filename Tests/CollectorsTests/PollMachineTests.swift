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
    #expect(poll.alerts.rows == nil, "the alert table was not read")
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

  @Test func `alerts are read again when a detector moved or one is active`() throws {
    var device = PolledDevice()
    _ = try device.poll(.full)
    var printer = TestPrinter()
    printer.alerts = [(11, 1, 12, "Black toner low")]
    printer.alertEvents = 4
    device.agent.walk = printer.walk
    let raised = try device.reading(.light)
    #expect(raised.kind == .light)
    #expect(raised.alerts.rows?.map(\.description?.text) == ["Black toner low"])
    printer.alerts = []
    device.agent.walk = printer.walk
    // The row went away without moving a counter, as on many devices.
    let unread = try device.reading(.light)
    #expect(unread.alerts.rows == nil)
    let cleared = try device.reading(.light, hasActiveAlerts: true)
    #expect(cleared.alerts.rows == [])
    #expect(cleared.walk == printer.walk)
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
