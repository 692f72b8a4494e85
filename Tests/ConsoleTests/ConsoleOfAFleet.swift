import Console
import Events
import Foundation
import Journal
import Logging
import MIB
import PrinterModel
import Projections
import ReadModels
import Synchronization
import Testing
import WebServing

/// A console over a journal of its own, with an agent that collects nothing.
final class ConsoleOfAFleet {
  let directory = NSTemporaryDirectory() + "printtrail-console-" + UUID().uuidString
  let fold = FleetFold()
  let journal: Journal
  let console: LocalConsole
  let feed = EventFeed(subscriptionsMax: 4)
  let visits = Visits()

  init(isLocal: Bool = true) throws {
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    journal = try Journal.open(JournalConfiguration(directory: directory + "/journal"), fold: fold)
    console = try LocalConsole(
      QuietAgent(journal: journal, fold: fold, visits: visits),
      password: ConsolePassword(path: directory + "/password"), feed: feed,
      exportDirectory: directory + "/export", isLocal: isLocal,
      logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
  }

  deinit { try? FileManager.default.removeItem(atPath: directory) }

  static func id(_ number: Int) -> DeviceID {
    DeviceID(
      [0xd0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0] + (0..<4).map { UInt8(truncatingIfNeeded: number >> (24 - 8 * $0)) })!
  }

  /// Devices with two meters and four supplies each; each third has an alert, each seventh does not answer.
  func live(devices: Int, polls: Int = 1) async throws {
    var events = [Event(time: 1_000, .agentStarted(AgentStarted(version: "1", hostName: "h")))]
    for number in 0..<devices { events += Self.events(of: number, polls: polls) }
    for start in stride(from: 0, to: events.count, by: 500) {
      try await journal.append(try events[start..<min(start + 500, events.count)].map { try $0.encoded() })
    }
  }

  private static func events(of number: Int, polls: Int) -> [Event] {
    let device = id(number)
    var identity = DeviceIdentity()
    identity.make = ["Kyocera", "Ricoh", "Canon"][number % 3]
    identity.model = DeviceText("Model \(number % 40)")
    identity.serial = DeviceText("SN\(100_000 + number)")
    identity.location = DeviceText("Floor \(number % 12)")
    var events = [
      Event(
        time: 2_000, device: device,
        .deviceDiscovered(
          DeviceDiscovered(
            address: "10.\(number / 250).0.\(number % 250 + 1):161", identity: identity, credential: "public")))
    ]
    var reading = Reading()
    reading.identity = identity
    reading.meters = [meter(.total, UInt64(number * 10)), unknown(MeterName(.total, .monochrome))]
    reading.supplies = ["black", "cyan", "magenta", "yellow"].enumerated().map { index, colour in
      var supply = Supply(
        row: RowIndex([1, UInt32(index + 1)]), quality: index == 1 ? .someRemaining : .exact, rule: Rule("t@1"))
      supply.colorant = DeviceText(colour)
      supply.capacity = 100
      supply.level = index == 0 ? Int64(number % 100) : index == 1 ? -3 : 60
      supply.unit = .percent
      supply.percentRemaining = index == 1 ? nil : index == 0 ? Double(number % 100) : 60
      supply.supplyClass = 3
      return supply
    }
    events.append(
      Event(
        time: 3_000, device: device,
        .readingTaken(
          ReadingTaken(reading: reading, raw: Walk([VarBind([1, 3], .integer(1))]), cost: PollCost(milliseconds: 80)))))
    for poll in 1..<max(1, polls) {
      var change = ReadingChange()
      change.meters.changed = [meter(.total, UInt64(number * 10 + poll))]
      events.append(
        Event(
          time: Int64(3_000 + poll * 60_000), device: device,
          .readingChanged(ReadingChanged(change: change, raw: [], removed: [], cost: PollCost(milliseconds: 40)))))
    }
    if number % 3 == 0 {
      var alert = PrinterAlert(row: RowIndex([1, 1]))
      (alert.severity, alert.group, alert.code) = (number % 2 == 0 ? 3 : 4, 11, 1104)
      alert.description = DeviceText("Toner <b>low</b>")
      events.append(
        Event(
          time: 4_000, device: device,
          .alertRaised(AlertRaised(key: AlertKey(group: 11, groupIndex: 1, code: 1104), alert: alert))))
    }
    if number % 7 == 6 {
      events.append(
        Event(
          time: 5_000, device: device,
          .pollFailed(PollFailed(address: "10.0.0.1:161", reason: "timeout", message: "no answer"))))
    }
    return events
  }

  private static func meter(_ name: MeterName, _ value: UInt64) -> Meter {
    Meter(
      name: name, value: value, unit: .impressions,
      source: Source([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(UInt32(value))), rule: Rule("t@1"))
  }

  private static func unknown(_ name: MeterName) -> Meter {
    var meter = meter(name, 0)
    meter.quality = .unknown
    return meter
  }

  // MARK: Asking

  func ask(
    _ method: WebMethod, _ path: String, _ body: String? = nil, query: [(String, String)] = [], cookie: String? = nil,
    client: String = "127.0.0.1"
  ) async -> (status: Int, text: String, headers: [(String, String)]) {
    let request = WebRequest(
      method, path: ["api", "v1"] + path.split(separator: "/").map(String.init),
      query: Query(query.map { (name: $0.0, value: $0.1) }),
      headers: cookie.map { [(name: "cookie", value: $0)] } ?? [],
      body: Array((body ?? "").utf8), client: client)
    let answer: WebAnswer
    do { answer = try await console.answer(request) } catch let error as WebError { answer = error.answer } catch {
      return (500, "\(error)", [])
    }
    switch answer.body {
    case .bytes(let bytes): return (answer.status, String(decoding: bytes, as: UTF8.self), answer.headers)
    case .pieces(_, let next):
      var bytes: [UInt8] = []
      while let piece = try? await next() { bytes += piece }
      return (answer.status, "\(bytes.count)", answer.headers)
    case .none, .gzip, .events: return (answer.status, "", answer.headers)
    }
  }

  func get(_ path: String, _ query: (String, String)...) async -> (
    status: Int, text: String, headers: [(String, String)]
  ) {
    await ask(.get, path, query: query)
  }
}

struct QuietAgent: ConsoleAgent {
  let journal: Journal
  let fold: FleetFold
  let visits: Visits

  var reader: JournalReader { journal.reader }
  var version: String { "0.0.0" }
  var hostName: String { "print-srv" }
  var fleet: FleetState { fold.state }
  var isShipping: Bool { false }

  func lowThreshold(_ device: DeviceID, _ identity: DeviceIdentity, _ supply: Supply) -> Double { 10 }
  func setup() -> WebJSON { .object([("state", .string("unconfigured"))]) }
  func connectivity(_ wish: SetupWish) async throws -> WebJSON { .string(wish.hub?.csr ?? "") }
  func activate(code: String, again: Bool, _ wish: SetupWish) async throws -> WebJSON { .string(code) }
  func overview() -> [(String, WebJSON)] { [("agent", .null)] }
  func discovery() -> WebJSON { .null }
  func addresses() -> [ConsoleAddress] {
    var addresses: [ConsoleAddress] = []
    for number in 0..<20 {
      let reason = number % 4 == 0 ? "found" : "no answer"
      addresses.append(
        ConsoleAddress(
          order: 0x0a00_0001 + UInt32(number), address: "10.0.0.\(1 + number)", reason: reason, detail: "silent",
          credential: nil, make: nil, model: nil, serial: nil, time: Int64(number)))
    }
    return addresses
  }
  func collection(of device: DeviceID) -> WebJSON { .object([("items", .array([]))]) }
  func obstacle(to device: DeviceState) -> String? { nil }
  func queue() throws -> [UInt8] { Array("{}".utf8) }
  func jobs(_ max: Int) throws -> [UInt8] { Array("[]".utf8) }
  func journalSettings() -> [(String, WebJSON)] { [("directory", .string("j"))] }
  func outgoing() -> WebJSON { .null }
  func settings() -> WebJSON { .null }
  func readNow(_ device: DeviceID) async throws -> (status: Int, WebJSON) { (200, .null) }
  func sweep(_ ranges: [String]?) async throws {}
  func change(_ changes: [(key: String, value: String?)], dryRun: Bool, revision: Int64?) async throws -> WebJSON {
    .array(changes.map { .array([.string($0.key), WebJSON($0.value)]) })
  }
  func diagnostics() throws -> [UInt8] { [1, 2, 3] }
  func remote() -> ConsoleRemote {
    ConsoleRemote(
      isEnabled: true, hub: "hub.example.org:6000", sessionsMax: 20, opening: 1, sessions: visits.open.withLock { $0 })
  }
  func endRemote(_ session: JobID?) -> Int { visits.end(session) }
}

/// Technicians' sessions that a test has opened.
final class Visits: Sendable {
  let open = Mutex<[ConsoleRemoteSession]>([])

  func end(_ session: JobID?) -> Int {
    open.withLock { open in
      let before = open.count
      open.removeAll { session == nil || $0.job == session }
      return before - open.count
    }
  }
}
