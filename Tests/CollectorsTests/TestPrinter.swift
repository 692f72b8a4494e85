import Collectors
import Discovery
import MIB
import PrinterModel
import SNMP

/// A colour multifunction device as data: four toners, a waste box, two trays, a counter.
struct TestPrinter {
  var serial = "VNB3K12345"
  var descr = "Acme ColorJet 500, firmware 1.2.3"
  var objectID: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 99_999, 1]
  var mac: [UInt8] = [0x00, 0x11, 0x22, 0x33, 0x44, 0x55]
  var uptime: UInt32 = 100_000
  var configurationChanges: UInt32 = 7
  var alertEvents: UInt32 = 3
  var lifeCount: UInt32 = 12_345
  var counterUnit: Int64 = 7
  var levels: [Int64] = [80, 60, 40, 20, 100]
  var colours = ["black", "cyan", "magenta", "yellow"]
  /// Descriptions of supplies other than the usual ones, by row.
  var supplyTexts: [UInt32: String] = [:]
  var errorState: [UInt8] = [0, 0]
  var alerts: [(group: Int64, index: Int64, code: Int64, text: String)] = []

  var walk: Walk {
    var walk = Walk()
    func put(_ name: ObjectIdentifier, _ value: ObjectValue) { walk.set(name, value) }
    func text(_ string: String) -> ObjectValue { .octets(Array(string.utf8)) }
    put(MIB2.sysDescr, text(descr))
    put(MIB2.sysObjectID, .objectIdentifier(objectID))
    put(MIB2.sysUpTime, .timeTicks(uptime))
    put(MIB2.sysName, text("printer-3"))
    put(MIB2.sysLocation, text("2nd floor"))
    put(MIB2.Interface.entry.appending(3, 1), .integer(6))
    put(MIB2.Interface.entry.appending(6, 1), .octets(mac))
    let device = HostResources.Device.entry
    put(device.appending(2, 1), .objectIdentifier(HostResources.Device.printerType))
    put(device.appending(3, 1), text("Acme ColorJet 500"))
    put(device.appending(5, 1), .integer(2))
    put(HostResources.Printer.entry.appending(1, 1), .integer(3))
    put(HostResources.Printer.entry.appending(2, 1), .octets(errorState))
    let general = PrinterMIB.General.entry
    put(general.appending(1, 1), .counter32(configurationChanges))
    put(general.appending(2, 1), .integer(1))
    put(general.appending(16, 1), text("Printer 3"))
    put(general.appending(17, 1), text(serial))
    put(general.appending(18, 1), .counter32(alertEvents))
    put(general.appending(19, 1), .counter32(alertEvents))
    put(PrinterMIB.Localization.entry.appending(4, 1, 1), .integer(106))
    for (row, name) in ["Front cover", "Rear cover"].enumerated() {
      put(PrinterMIB.Cover.entry.appending(2, 1, UInt32(row + 1)), text(name))
      put(PrinterMIB.Cover.entry.appending(3, 1, UInt32(row + 1)), .integer(4))
    }
    for row: UInt32 in 1...2 {
      let input = PrinterMIB.Input.entry
      let columns: [(UInt32, ObjectValue)] = [
        (2, .integer(3)), (8, .integer(8)), (9, .integer(500)), (10, .integer(250)), (11, .integer(0)),
        (12, text("iso_a4_210x297mm")), (13, text("Tray \(row)")), (18, text("Paper tray \(row)")),
      ]
      for (column, value) in columns { put(input.appending(column, 1, row), value) }
    }
    let output = PrinterMIB.Output.entry
    for (column, value): (UInt32, ObjectValue) in [
      (4, .integer(250)), (5, .integer(-2)), (6, .integer(0)), (7, text("Top bin")), (12, text("Top output bin")),
    ] { put(output.appending(column, 1, 1), value) }
    for (column, value): (UInt32, ObjectValue) in [
      (2, .integer(4)), (3, .integer(counterUnit)), (4, .counter32(lifeCount)), (5, .counter32(12)), (15, .integer(0)),
    ] { put(PrinterMIB.Marker.entry.appending(column, 1, 1), value) }
    for (index, level) in levels.enumerated() {
      let row = UInt32(index + 1)
      let isWaste = index == 4
      let columns: [(UInt32, ObjectValue)] = [
        (2, .integer(1)), (3, .integer(isWaste ? 0 : Int64(row))), (4, .integer(isWaste ? 4 : 3)),
        (5, .integer(isWaste ? 4 : 3)),
        (6, text(supplyTexts[row] ?? (isWaste ? "Waste Toner Box" : "\(colours[index % 4].capitalized) Toner"))),
        (7, .integer(19)),
        (8, .integer(100)),
        (9, .integer(level)),
      ]
      for (column, value) in columns { put(PrinterMIB.Supplies.entry.appending(column, 1, row), value) }
      if !isWaste { put(PrinterMIB.Colorant.entry.appending(4, 1, row), text(colours[index % 4])) }
    }
    put(PrinterMIB.Console.entry.appending(2, 1, 1), text("Ready"))
    for (index, alert) in alerts.enumerated() {
      let row = UInt32(index + 1)
      let columns: [(UInt32, ObjectValue)] = [
        (2, .integer(4)), (3, .integer(3)), (4, .integer(alert.group)), (5, .integer(alert.index)), (6, .integer(0)),
        (7, .integer(alert.code)), (8, text(alert.text)), (9, .timeTicks(uptime)),
      ]
      for (column, value) in columns { put(PrinterMIB.Alert.entry.appending(column, 1, row), value) }
    }
    return walk
  }
}

extension String {
  fileprivate var capitalized: String { prefix(1).uppercased() + dropFirst() }
}

/// An SNMPv1 and v2c agent over a walk, with the faults of real ones.
struct WalkAgent: Sendable {
  var walk: Walk
  var community = "public"
  /// What another context holds, by the community that stands for it.
  var contexts: [String: Walk] = [:]
  /// Versions that it does not speak are met with silence.
  var versions: Set<CommunityVersion> = [.v1, .v2c]
  /// Answers to this many requests, then falls silent.
  var answersMax = Int.max
  /// A larger answer is `tooBig`.
  var responseBytesMax = Int.max
  /// GETNEXT and GETBULK after this name are answered with genErr.
  var genErrAfter: ObjectIdentifier?
  /// What follows the first name is the second one, which came before.
  var cycle: (after: ObjectIdentifier, to: ObjectIdentifier)?
  /// GETBULK is answered with genErr.
  var refusesBulk = false
  /// Every answer is this error.
  var errorToAll: ErrorStatus?
  /// Get is not answered.
  var isSilentToGet = false
  /// Every request id of an answer is wrong.
  var hasWrongID = false
  private(set) var requests = 0
  private(set) var names: [ObjectIdentifier] = []

  init(_ walk: Walk) {
    self.walk = walk
  }

  mutating func answer(_ datagram: [UInt8]) -> [UInt8]? {
    guard let request = try? Message(decoding: datagram) else { return nil }
    if let other = contexts[String(decoding: request.community, as: UTF8.self)] {
      var agent = self
      (agent.walk, agent.contexts) = (other, [:])
      agent.community = String(decoding: request.community, as: UTF8.self)
      defer { (requests, names) = (agent.requests, agent.names) }
      return agent.answer(datagram)
    }
    guard request.community == Array(community.utf8),
      versions.contains(request.version)
    else { return nil }
    requests += 1
    names += request.pdu.bindings.map(\.name)
    guard requests <= answersMax, !isSilentToGet || request.pdu.type != .get else { return nil }
    var pdu = response(to: request)
    if hasWrongID { pdu.requestID ^= 0x55 }
    let bytes = Message(version: request.version, community: request.community, pdu: pdu).encoded()
    guard bytes.count > responseBytesMax else { return bytes }
    let error = PDU(.response, requestID: pdu.requestID, errorStatus: .tooBig)
    return Message(version: request.version, community: request.community, pdu: error).encoded()
  }

  private func response(to request: Message) -> PDU {
    let pdu = request.pdu
    if refusesBulk, pdu.type == .getBulk { return error(.genErr, 1, pdu) }
    if let errorToAll { return error(errorToAll, 0, pdu) }
    var answers: [VarBind] = []
    switch pdu.type {
    case .get:
      answers = pdu.bindings.map { VarBind($0.name, walk[$0.name] ?? .noSuchInstance) }
    case .getNext:
      answers = pdu.bindings.map { next($0.name) }
    default:
      let nonRepeaters = Int(max(pdu.nonRepeaters, 0))
      answers = pdu.bindings.prefix(nonRepeaters).map { next($0.name) }
      var cursors = pdu.bindings.dropFirst(nonRepeaters).map(\.name)
      for _ in 0..<Int(max(pdu.maxRepetitions, 1)) {
        let row = cursors.map { next($0) }
        answers += row
        cursors = row.map(\.name)
      }
    }
    if request.version == .v1, let bad = answers.firstIndex(where: { $0.value.isException }) {
      return error(.noSuchName, bad + 1, pdu)
    }
    let isWalking = pdu.type != .get
    if isWalking, let limit = genErrAfter,
      let bad = pdu.bindings.firstIndex(where: { $0.name >= limit && $0.name.isWithin(PrinterMIB.root) })
    {
      return error(.genErr, bad + 1, pdu)
    }
    return PDU(.response, requestID: pdu.requestID, bindings: answers)
  }

  private func error(_ status: ErrorStatus, _ index: Int, _ pdu: PDU) -> PDU {
    PDU(.response, requestID: pdu.requestID, errorStatus: status, errorIndex: Int32(index), bindings: pdu.bindings)
  }

  private func next(_ name: ObjectIdentifier) -> VarBind {
    if let cycle, cycle.after == name, let value = walk[cycle.to] { return VarBind(cycle.to, value) }
    return walk.next(after: name) ?? VarBind(name, .endOfMibView)
  }
}

/// Carries a machine by hand: its datagrams go to an agent, time passes as the machine asks for.
struct MachineDriver<Machine: DeviceMachine> {
  /// Turns after which a machine is taken to run for ever.
  private static var turnsMax: Int { 20_000 }

  var machine: Machine
  var now = ContinuousClock.now
  /// Time from a datagram to its answer.
  var roundTrip: Duration = .milliseconds(5)
  private(set) var elapsed: Duration = .zero

  init(_ machine: Machine) {
    self.machine = machine
  }

  /// The machine runs for ever, or waits for nothing.
  struct Stuck: Error {}

  /// Runs until the machine finishes.
  mutating func run(_ answer: (inout Machine, [UInt8]) -> [UInt8]?) throws -> Machine.Output {
    let begun = now
    var actions = machine.start(now: now)
    for _ in 0..<Self.turnsMax {
      var replies: [[UInt8]] = []
      var timer: Instant?
      for action in actions {
        switch action {
        case .send(let datagram): if let reply = answer(&machine, datagram) { replies.append(reply) }
        case .setTimer(let deadline): timer = deadline
        case .finish(let output):
          elapsed = begun.duration(to: now)
          return output
        }
      }
      if !replies.isEmpty {
        now = now.advanced(by: roundTrip)
        actions = replies.flatMap { machine.received($0, now: now) }
        if actions.isEmpty, let timer { actions = [.setTimer(timer)] }
      } else if let timer {
        now = max(now, timer)
        actions = machine.timerFired(now: now)
      } else {
        throw Stuck()
      }
    }
    throw Stuck()
  }

  mutating func run(_ agent: inout WalkAgent) throws -> Machine.Output {
    try run { _, datagram in agent.answer(datagram) }
  }
}

enum TestCredentials {
  static let publicV2c = NamedCredential(
    name: "public", credential: .community(version: .v2c, community: Array("public".utf8)))
  static let publicV1 = NamedCredential(
    name: "public v1", credential: .community(version: .v1, community: Array("public".utf8)))
  static let secret = NamedCredential(
    name: "secret", credential: .community(version: .v2c, community: Array("secret".utf8)))
}

extension PollMemory {
  static func new(_ credential: NamedCredential = TestCredentials.publicV2c) -> PollMemory {
    PollMemory(
      session: Session(
        credential: credential.credential, keys: USMKeyCache(), parameters: SessionParameters(), randomSeed: 42))
  }
}

/// One device polled again and again by hand.
struct PolledDevice {
  static let endpoint = Endpoint(IPv4Address(0x0a00_0007))
  var agent: WalkAgent
  var memory = PollMemory.new()
  var silenceMax: Duration?
  var profiles = ProfileSet.none
  private(set) var elapsed: Duration = .zero
  private(set) var requests = 0

  init(_ printer: TestPrinter = TestPrinter()) {
    agent = WalkAgent(printer.walk)
  }

  /// Polls once; the outcome is that of a real poll, with the agent's faults.
  mutating func poll(
    _ kind: PollKind, hasActiveAlerts: Bool = false, isHinted: Bool = false
  ) throws -> PollOutcome {
    var driver = MachineDriver(
      PollMachine(
        kind, memory: memory, hasActiveAlerts: hasActiveAlerts, isHinted: isHinted, silenceMax: silenceMax,
        profiles: profiles))
    let before = agent.requests
    let transcript = try driver.run(&agent)
    requests = agent.requests - before
    elapsed = driver.elapsed
    let (outcome, memory) = transcript.interpreted(endpoint: Self.endpoint, credential: "public", profiles: profiles)
    self.memory = memory
    return outcome
  }

  /// Polls once and expects a reading.
  mutating func reading(
    _ kind: PollKind, hasActiveAlerts: Bool = false, isHinted: Bool = false
  ) throws -> PollReading {
    switch try poll(kind, hasActiveAlerts: hasActiveAlerts, isHinted: isHinted).result {
    case .reading(let reading): return reading
    case .failed(let failure): throw failure
    }
  }
}
