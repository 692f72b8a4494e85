// Each device of Fixtures/fleets/hostile.toml, read over UDP by the reader that the agent has: what must come out of it, in how many requests and
// how long. docs/hostile-devices.md is the same list in words.

import Collectors
import Discovery
import Events
import Foundation
import MIB
import PrinterModel
import PrinterSimulator
import SNMP
import Synchronization
import Testing

/// What one device must come to.
struct HostileCase: Sendable, CustomTestStringConvertible {
  enum Outcome: Sendable {
    /// What the same device tells without the fault: meters, supplies and identity.
    case same
    /// The total is right, other things are missing.
    case total
    /// Every meter that is told is right, and the device says where it stopped.
    case interrupted
    /// No number that the fault has spoilt: what is told is what an honest device tells.
    case noWrongNumber
    case failed(PollFailure.Reason)
  }

  var name: String
  var outcome: Outcome
  /// Words of a finding, or of the failure.
  var words = ""
  var requestsMax: UInt32 = 80
  var secondsMax: Double = 25

  init(_ name: String, _ outcome: Outcome, _ words: String = "", requests: UInt32 = 80, seconds: Double = 25) {
    (self.name, self.outcome, self.words, requestsMax, secondsMax) = (name, outcome, words, requests, seconds)
  }

  var testDescription: String { name }

  static let all: [HostileCase] = [
    HostileCase("honest", .same), HostileCase("v1-only", .same), HostileCase("v2c-only", .same),
    HostileCase("truncated", .failed(.malformed), "malformed", requests: 3),
    HostileCase("cut:0", .failed(.malformed), "malformed", requests: 3),
    HostileCase("cut:60", .failed(.malformed), "malformed", requests: 3),
    HostileCase("fragments", .failed(.malformed), "malformed", requests: 3),
    HostileCase("malformed", .failed(.malformed), "malformed", requests: 3),
    HostileCase("short-lengths", .failed(.malformed), "malformed", requests: 3),
    HostileCase("long-lengths", .failed(.malformed), "its length needs more than 31 bits", requests: 3),
    HostileCase("indefinite-lengths", .failed(.malformed), "its length is indefinite", requests: 3),
    HostileCase("padded-lengths", .same),
    HostileCase("deep-nesting", .noWrongNumber, "expected a number"),
    HostileCase("no-bindings", .failed(.deviceError), "the answer lacks"),
    HostileCase("wrong-source-port", .failed(.timeout), "only, and were not accepted", requests: 3),
    HostileCase("wrong-request-id", .failed(.timeout), "other request ids", requests: 3),
    HostileCase("duplicates", .same), HostileCase("late:700", .same), HostileCase("slow:40", .same),
    HostileCase("slow-first:4000", .same), HostileCase("drops:20", .same, seconds: 30),
    HostileCase("dies-after:12", .interrupted, "was interrupted", seconds: 30),
    HostileCase("too-big", .failed(.deviceError), "tooBig"), HostileCase("too-big-above:5", .same, requests: 100),
    HostileCase("gen-err:1.3.6.1.2.1.43.11", .total, "genErr", requests: 160),
    HostileCase("gen-err-at-end", .same, "genErr"),
    HostileCase("non-increasing:1.3.6.1.2.1.43.11.1.1.6", .total, "was given as following"),
    HostileCase("cycle:1.3.6.1.2.1.43.11.1.1.6", .total, "was given as following"),
    HostileCase("million-rows:1.3.6.1.2.1.43.11.1.1.6", .total, "more objects than are read", requests: 200),
    HostileCase("get-next-only", .same), HostileCase("single-gets", .same, requests: 240),
    HostileCase("no-bulk", .same, "GetBulk is not used"),
    HostileCase("long-strings:1.3.6.1.2.1.43.11", .total, "65000 bytes, of which the first 1024 are kept"),
    HostileCase("huge-numbers:1.3.6.1.2.1.43", .noWrongNumber, "not Counter64 9223372036854775808"),
    HostileCase("nul-padding", .same), HostileCase("hex-tails", .same), HostileCase("latin-1", .total),
    HostileCase("levels:-3", .total), HostileCase("levels:150", .total, "above the capacity"),
    HostileCase("capacities:-2", .total), HostileCase("rolls-over:500", .noWrongNumber),
    HostileCase("count-drops:20", .same), HostileCase("swapped:20", .same), HostileCase("serial-zeros:20", .same),
    HostileCase("engine-changes:9", .same, "new SNMP engine id"),
    HostileCase("boots-zero:9", .same, "restarted without counting it"),
    HostileCase("shared-engine", .same), HostileCase("shared-engine 2", .same),
  ]
}

@Suite(.timeLimit(.minutes(5))) struct `Hostile devices, read by the collector` {
  @Test(arguments: HostileCase.all) func `come to what they must, in bounded time and packets`(one: HostileCase)
    async throws
  {
    let read = try #require(try await HostileFleet.shared.value.reads[one.name])
    #expect(read.outcome.cost.requests <= one.requestsMax && read.seconds <= one.secondsMax, "\(read.outcome.cost)")
    switch (one.outcome, read.outcome.result) {
    case (.failed(let reason), .failed(let failure)):
      #expect(failure.reason == reason && failure.message.contains(one.words), "\(failure)")
    case (.failed, .reading), (_, .failed): Issue.record("\(read.outcome.result)")
    case (let outcome, .reading(let poll)):
      let findings = poll.reading.findings.map(\.message)
      #expect(one.words.isEmpty || findings.contains { $0.contains(one.words) }, "\(findings)")
      try expect(outcome, poll, read.honest)
      try expectRecordable(poll)
    }
  }

  private func expect(_ outcome: HostileCase.Outcome, _ poll: PollReading, _ honest: Reading) throws {
    let (told, truth) = (Told(poll.reading), Told(honest))
    switch outcome {
    case .same:
      #expect(told == truth)
      #expect(poll.interruption == nil)
    case .total:
      #expect(told.meters["total"] == truth.meters["total"] && told.meters["total"] != nil)
      #expect(poll.interruption == nil)
    case .interrupted:
      #expect(poll.interruption?.reason == .timeout)
      for (meter, value) in told.meters { #expect(truth.meters[meter] == value, "\(meter)") }
    case .noWrongNumber:
      for (meter, value) in told.meters {
        #expect(truth.meters[meter] == value || value.hasPrefix("4294966796 "), "\(meter)")
      }
    case .failed: break
    }
  }

  /// A record of the journal has at most 262,144 bytes; an event that is larger would end the service.
  private func expectRecordable(_ poll: PollReading) throws {
    let body = ReadingTaken(reading: poll.reading, raw: poll.walk, cost: PollCost())
    #expect(try Event(time: 1, .readingTaken(body)).encoded().count < 262_144)
  }

  @Test func `show levels as what they are`() async throws {
    let reads = try await HostileFleet.shared.value.reads
    func supplies(_ name: String) throws -> [Supply] {
      guard case .reading(let poll) = try #require(reads[name]).outcome.result else { return [] }
      return poll.reading.supplies
    }
    let some = try supplies("levels:-3")
    #expect(some.count == 7)
    #expect(some.allSatisfy { $0.quality == .someRemaining && $0.percentRemaining == nil })
    let above = try supplies("levels:150")
    #expect(above.count == 7)
    #expect(above.allSatisfy { $0.quality == .unknown && $0.percentRemaining == nil && $0.level == 150 })
    for name in ["non-increasing:1.3.6.1.2.1.43.11.1.1.6", "long-strings:1.3.6.1.2.1.43.11"] {
      let honest = try #require(reads[name]).honest.supplies
      let first = try supplies(name).filter { row in honest.contains { $0.row == row.row } }
      for supply in first where supply.level != nil {
        #expect(supply.level == honest.first { $0.row == supply.row }?.level, "\(name) \(supply.row)")
      }
    }
  }

  @Test func `have texts in the letters that the device says`() async throws {
    let read = try #require(try await HostileFleet.shared.value.reads["latin-1"])
    guard case .reading(let poll) = read.outcome.result else {
      Issue.record("\(read.outcome.result)")
      return
    }
    let honest = read.honest.supplies.compactMap(\.description?.text)
    #expect(honest.count == 7)
    #expect(poll.reading.supplies.compactMap(\.description?.text) == honest.map { $0 + " ü" })
    #expect(poll.reading.supplies.allSatisfy { $0.description?.raw?.last == 0xFC })
  }

  @Test func `are each of them a case, and stand in the documentation`() throws {
    let fleet = try Fleet.load(file: HostileFleet.file)
    let faults = Set(fleet.plans.flatMap { $0.faults.map { $0.spelling.split(separator: ":")[0] } }.map(String.init))
    let overSNMP = Fault.catalogue.map(\.name).filter { !$0.hasPrefix("ipp-") }
    #expect(faults == Set(overSNMP), "hostile.toml has a device for each fault; those of IPP are in SimulatedIPPTests")
    #expect(Set(HostileCase.all.map(\.name)) == Set(HostileFleet.names(of: fleet)))
    let page = try String(contentsOfFile: HostileFleet.root + "/docs/hostile-devices.md", encoding: .utf8)
    for entry in Fault.catalogue { #expect(page.contains("`\(entry.spelling)`"), "\(entry.spelling)") }
  }

  @Test func `get a reason in a sweep, each of them, and are found where they can be read`() async throws {
    let fleet = try Fleet.load(file: HostileFleet.file)
    let server = try Server(fleet: fleet, port: 0, speed: 0)
    try server.run()
    defer { server.stop() }
    let range = "127.66.0.1-\(fleet.plans.count)"
    let v3 = try HostileFleet.credential(try #require(fleet.plans.last))
    var settings = CollectorSettings(
      ranges: [
        CollectorRange(
          name: range, addresses: AddressSet([try AddressRange(range)]),
          credentials: [TestCredentials.publicV2c, TestCredentials.publicV1, v3])
      ])
    settings.port = UInt16(server.port)
    settings.usesIPP = false
    settings.browsesAnnouncements = false
    let engine = try UDPEngine()
    defer { engine.shutdown() }
    let results = try await Surveyor(DeviceReader(engine: engine), settings).sweep()
    #expect(results.count == fleet.plans.count)
    let cases = Dictionary(uniqueKeysWithValues: HostileCase.all.map { ($0.name, $0) })
    for (result, name) in zip(results, HostileFleet.names(of: fleet)) {
      if case .failed? = cases[name]?.outcome {
        #expect([.noAnswer, .notAPrinter].contains(result.reason), "\(name): \(result)")
      } else {
        #expect(result.reason == .found, "\(name): \(result)")
      }
    }
  }

  /// Truncation at every byte: the whole of an answer's length, each on an address of its own.
  @Test func `are unreachable wherever their answers end, and right once they are whole`() async throws {
    let fleet = try Fleet.load(file: HostileFleet.file)
    let honest = try #require(fleet.plans.first)
    let lengths = Array(0...140)
    let plans = try lengths.map { length in
      var plan = honest
      plan.address = try #require(HostAddress("127.67.0.\(length + 1)"))
      plan.faults = [.cut(bytes: length)]
      return plan
    }
    let reads = try await HostileFleet.read(plans, seed: fleet.seed)
    // The first answer of this device has 137 bytes or a few less or more, as its uptime does.
    for (length, read) in zip(lengths, reads) where length < 125 {
      guard case .failed(let failure) = read.outcome.result else {
        Issue.record("\(length): \(read.outcome.result)")
        continue
      }
      #expect(failure.reason == .malformed, "\(length): \(failure)")
      #expect(read.outcome.cost.requests <= 3 && read.seconds < 30, "\(length)")
    }
  }
}

/// What a reading says, without the places of its findings and the bytes behind its texts.
private struct Told: Equatable {
  var meters: [String: String]
  var supplies: [String]
  var identity: [String?]

  init(_ reading: Reading) {
    meters = Dictionary(
      reading.meters.map { ("\($0.name)", "\($0.value) \($0.unit.name) \($0.quality)") }, uniquingKeysWith: { $1 })
    supplies = reading.supplies.map {
      "\($0.row) \($0.description?.text ?? "-") \($0.colorant?.text ?? "-") \($0.remaining) \($0.quality)"
    }.sorted()
    let identity = reading.identity
    self.identity = [
      identity.make, identity.model?.text, identity.serial?.text, identity.macAddress.map { "\($0)" },
      identity.firmware?.text, identity.printerName?.text,
    ]
  }
}

/// The fleet of Fixtures/fleets/hostile.toml, each device read once, all at one time.
struct HostileFleet {
  struct Read {
    var outcome: PollOutcome
    var seconds: Double
    /// What the same device tells without its fault.
    var honest: Reading
  }

  /// By the device's name; a second one of a name has a 2 behind it.
  var reads: [String: Read] = [:]

  static let shared = Task { try await HostileFleet() }

  static let root = #filePath.split(separator: "/").dropLast(3).map { "/" + $0 }.joined()
  static let file = root + "/Fixtures/fleets/hostile.toml"

  init() async throws {
    let fleet = try Fleet.load(file: Self.file)
    let reads = try await Self.read(fleet.plans, seed: fleet.seed)
    self.reads = Dictionary(uniqueKeysWithValues: zip(Self.names(of: fleet), reads))
  }

  static func names(of fleet: Fleet) -> [String] {
    var seen: Set<String> = []
    return fleet.plans.map { seen.insert($0.name).inserted ? $0.name : $0.name + " 2" }
  }

  static func read(_ plans: [DevicePlan], seed: UInt64) async throws -> [Read] {
    let server = try Server(fleet: Fleet(port: 0, seed: seed, plans: plans), speed: 0)
    try server.run()
    defer { server.stop() }
    let engine = try UDPEngine()
    defer { engine.shutdown() }
    let reader = DeviceReader(engine: engine)
    let port = UInt16(server.port)
    let reads = try await withThrowingTaskGroup(of: (Int, Read).self) { group in
      for (place, plan) in plans.enumerated() {
        group.addTask { (place, try await read(plan, seed: seed, port: port, reader)) }
      }
      return try await group.reduce(into: [Int: Read]()) { $0[$1.0] = $1.1 }
    }
    return plans.indices.compactMap { reads[$0] }
  }

  private static func read(
    _ plan: DevicePlan, seed: UInt64, port: UInt16, _ reader: DeviceReader
  ) async throws -> Read {
    var honest = plan
    honest.faults = []
    let walk = honest.device(seed: seed, keys: USMKeyCache()).walk
    let address = try #require(IPv4Address(plan.address.description))
    let began = ContinuousClock.now
    let outcome = try await reader.read(Endpoint(address, port: port), credentials: [try credential(plan)])
    return Read(
      outcome: outcome, seconds: began.duration(to: .now) / .seconds(1), honest: Interpretation.read(walk))
  }

  static func credential(_ plan: DevicePlan) throws -> NamedCredential {
    switch plan.spoken {
    case [.v3]:
      let user = try USMUser(
        name: "reader", authentication: .init(.sha256, password: Array("authentication of the reader".utf8)),
        privacy: .init(.aes128, password: Array("privacy of the reader".utf8)))
      return NamedCredential(name: "reader", credential: .user(user))
    case [.v1]: return TestCredentials.publicV1
    default: return TestCredentials.publicV2c
    }
  }
}
