import Foundation
import Glibc

/// A customer's site with everything in it: simulated printers, a hub, and an agent. All real programs over loopback.
final class Site {
  let directory: URL
  let network: Int
  let ports: (csr: Int, dcam: Int, hc: Int, snmp: Int, metrics: Int)
  private(set) var fleet: Program?
  private(set) var hub: Program?
  private(set) var agent: Program?

  /// - Parameter network: the fleet's addresses are 127.30.`network`.1 and on; each test has a network and ports of its own.
  init(network: Int) throws {
    self.network = network
    directory = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-site-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let base = 21_000 + network * 10
    // Those between are for what a test puts before the hub, or beside it.
    ports = (base, base + 1, base + 2, base + 3, base + 9)
  }

  deinit {
    agent?.killNow()
    hub?.killNow()
    fleet?.killNow()
    try? FileManager.default.removeItem(at: directory)
  }

  var hubDirectory: String { directory.path + "/hub" }
  var stateDirectory: String { directory.path + "/agent" }
  var journal: String { stateDirectory + "/journal" }
  var configuration: String { directory.path + "/ptagent.toml" }
  var truth: String { directory.path + "/truth.json" }

  // MARK: Printers

  static let models = [
    "hp-color-laserjet-m555", "kyocera-taskalfa-3253ci", "ricoh-im-c3000", "brother-mfc-l8900", "lexmark-mx522",
  ]

  /// - Parameter speed: simulated seconds for each second.
  func startFleet(printers: Int = 5, speed: Double = 600, faults: [String] = []) async throws {
    let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures")
    var text = "port = \(ports.snmp)\nseed = \(network)\nmodels = \"\(fixtures.path)/devices\"\n"
    for printer in 0..<printers {
      text += """

        [[printers]]
        address = "127.30.\(network).\(printer + 1)"
        model = "\(Self.models[printer % Self.models.count])"
        name = "P\(printer)"

        """
    }
    let file = directory.appendingPathComponent("fleet.toml")
    try text.write(to: file, atomically: true, encoding: .utf8)
    let program = try Program(
      "ptsim",
      ["serve", "--fleet", file.path, "--speed", "\(speed)", "--truth", truth] + faults.flatMap { ["--fault", $0] },
      log: directory)
    fleet = program
    try await program.waits(for: "ready")
  }

  // MARK: The hub

  /// - Parameter store: the address of a PostgreSQL database; nil: SQLite.
  func makeHub(store: String? = nil) async throws -> (code: String, pin: String) {
    let initialised = try await hubCommand(["init"] + (store.map { ["--store", $0] } ?? []))
    let pin = try Self.field("pin", of: initialised)
    _ = try await hubCommand(["entity", "add", "Scenario"])
    return (try await newCode(), pin)
  }

  func newCode() async throws -> String {
    let created = try await hubCommand(["code", "create", "--entity", "Scenario", "--output", "json"])
    return try decode(created, Code.self).code
  }

  /// - Parameters:
  ///   - point: where the program kills itself; see Sources/CrashRecorder.
  ///   - file: while it exists, the disk of the hub's directory is full.
  func startHub(killAt point: String? = nil, fullWhile file: String? = nil, options: [String] = []) async throws {
    let program = try Program(
      "pthub",
      [
        "serve", "--directory", hubDirectory, "--csr", "127.0.0.1:\(ports.csr)", "--dcam", "127.0.0.1:\(ports.dcam)",
        "--hc", "127.0.0.1:\(ports.hc)", "--metrics", "127.0.0.1:\(ports.metrics)",
      ] + (options.contains("--console") ? [] : ["--console", "none"]) + options, log: directory,
      environment: file.map { preloaded(["PT_FULL_WHILE": $0], watching: hubDirectory) }
        ?? killing(at: point, in: hubDirectory))
    hub = program
    // One that is to be killed may be killed before it is ready.
    if point == nil { try await program.waits(for: "ready") }
  }

  func killHub() { hub?.killNow() }

  func hubCommand(_ arguments: [String]) async throws -> String {
    let command = arguments.count > 1 && !arguments[1].hasPrefix("-") ? 2 : 1
    let all = Array(arguments[..<command]) + ["--directory", hubDirectory] + Array(arguments[command...])
    let (status, output) = try await Program.run("pthub", all, in: directory)
    guard status == 0 else { throw Program.Failure(description: "pthub \(arguments) ended with \(status): \(output)") }
    return output
  }

  // MARK: The agent

  func configureAgent(pin: String, pollInterval: String = "1s", edit: (String) -> String = { $0 }) throws {
    let text = """
      [hub]
      csr = "127.0.0.1:\(ports.csr)"
      dcam = "127.0.0.1:\(ports.dcam)"
      hc = "127.0.0.1:\(ports.hc)"
      ca_pin = "\(pin)"

      [state]
      directory = "\(stateDirectory)"

      [discovery]
      ranges = [{ range = "127.30.\(network).1-20" }]
      port = \(ports.snmp)
      sweep_interval = "1h"

      [poll]
      interval = "\(pollInterval)"

      [console]
      enabled = false

      """
    try edit(text).write(toFile: configuration, atomically: true, encoding: .utf8)
  }

  func editConfiguration(_ edit: (String) -> String) throws {
    let text = try String(contentsOfFile: configuration, encoding: .utf8)
    try edit(text).write(toFile: configuration, atomically: true, encoding: .utf8)
  }

  struct Queue: Decodable {
    struct Position: Decodable {
      var epoch: UInt32
      var sequence: UInt64
    }
    var isRunning: Bool
    var mode: String
    var nextCheckIn: String?
    var acknowledged: Position?
    var lag: UInt64
  }

  /// What `ptagent queue` says.
  func queue() async throws -> Queue {
    let (status, output) = try await agentCommand(["queue", "--output", "json"])
    guard status == 0 else { throw Program.Failure(description: "ptagent queue ended with \(status): \(output)") }
    return try decode(output, Queue.self)
  }

  /// A configuration that only names the fleet's port.
  func portOnlyConfiguration() throws -> String {
    let path = directory.path + "/port.toml"
    try "[discovery]\nport = \(ports.snmp)\nranges = [{ range = \"127.30.\(network).0/24\" }]\n"
      .write(toFile: path, atomically: true, encoding: .utf8)
    return path
  }

  func agentCommand(_ arguments: [String], seconds: Double = 120) async throws -> (status: Int32, output: String) {
    try await Program.run("ptagent", arguments + ["--config", configuration], in: directory, seconds: seconds)
  }

  /// What the running agent says of itself.
  func agentStatus() throws -> String { try String(contentsOfFile: stateDirectory + "/status.json", encoding: .utf8) }

  /// - Parameters:
  ///   - point: where the program kills itself; see Sources/CrashRecorder.
  ///   - watched: the directory whose calls are counted for it; nil: the journal.
  ///   - file: while it exists, the journal's disk is full.
  ///   - hanging: while it exists, the journal's disk takes for ever to sync.
  func startAgent(
    killAt point: String? = nil, in watched: String? = nil, fullWhile file: String? = nil,
    hangWhile hanging: String? = nil
  ) throws {
    let disk = [("PT_FULL_WHILE", file), ("PT_HANG_WHILE", hanging)].compactMap { name, file in file.map { (name, $0) }
    }
    let environment =
      disk.isEmpty
      ? try killing(at: point, in: watched ?? journal)
      : preloaded(Dictionary(uniqueKeysWithValues: disk), watching: journal)
    agent = try Program("ptagent", ["run", "--config", configuration], log: directory, environment: environment)
  }

  private func killing(at point: String?, in watched: String) throws -> [String: String] {
    point.map { preloaded(["PT_KILL_AT": $0], watching: watched) } ?? [:]
  }

  private func preloaded(_ settings: [String: String], watching: String) -> [String: String] {
    guard let programs else { return [:] }
    let directory = URL(fileURLWithPath: watching).resolvingSymlinksInPath().path
    return settings.merging(["LD_PRELOAD": programs + "/libCrashRecorder.so", "PT_RECORD_DIRECTORY": directory]) { $1 }
  }

  func killAgent() { agent?.killNow() }

  @discardableResult
  func stopAgent() async throws -> Int32 { try await agent?.terminate() ?? -1 }

  // MARK: What both sides hold

  struct Epoch: Equatable, Decodable {
    var epoch: UInt32
    var records: UInt64
    var root: String
  }

  func journalEpochs() async throws -> [Epoch] {
    struct Stat: Decodable {
      var epochs: [Epoch]
    }
    let (status, output) = try await Program.run("ptjournal", ["stat", journal, "--output", "json"], in: directory)
    guard status == 0 else { throw Program.Failure(description: "ptjournal stat ended with \(status): \(output)") }
    return try decode(output, Stat.self).epochs.filter { $0.records > 0 }
  }

  /// The ids of the hub's installs.
  func installs() async throws -> [String] {
    struct Install: Decodable {
      var id: String
    }
    return try decode(try await hubCommand(["install", "list", "--output", "json"]), [Install].self).map(\.id)
  }

  func hubEpochs() async throws -> [Epoch] {
    struct Line: Decodable {
      var epoch: UInt32
      var count: UInt64
      var root: String
      var gaps: Int
      var lost: UInt64
      var conflicts: Int
      var rejections: Int
    }
    guard let install = try await installs().first else { return [] }
    let lines = try decode(
      try await hubCommand(["records", "--install", install, "--output", "json"]), [Line].self)
    guard lines.allSatisfy({ $0.gaps == 0 && $0.conflicts == 0 && $0.rejections == 0 }) else {
      throw Program.Failure(description: "the hub has gaps, conflicts or rejections: \(lines)")
    }
    return lines.filter { $0.count > 0 }.map { Epoch(epoch: $0.epoch, records: $0.count, root: $0.root) }
  }

  /// The hub's count of what it was told is lost, over all epochs.
  func hubLost() async throws -> UInt64 {
    struct Line: Decodable {
      var lost: UInt64
    }
    guard let install = try await installs().first else { return 0 }
    let lines = try decode(try await hubCommand(["records", "--install", install, "--output", "json"]), [Line].self)
    return lines.reduce(0) { $0 + $1.lost }
  }

  // MARK: Identities

  struct Certificate: Decodable, Equatable {
    var serial: String
    var firstUsed: String?
    var superseded: String?
  }

  struct Install: Decodable {
    struct Line: Decodable {
      var id: String
      var revoked: String?
      var replacedBy: String?
      var doubt: String?
    }

    var install: Line
    var certificates: [Certificate]
  }

  /// What the hub knows of an install; nil: of the first.
  func install(_ id: String? = nil) async throws -> Install {
    var named = id
    if named == nil { named = try await installs().first }
    guard let id = named else { throw Program.Failure(description: "there is no install") }
    return try decode(try await hubCommand(["install", "show", id, "--output", "json"]), Install.self)
  }

  // MARK: Helpers

  private struct Code: Decodable {
    var code: String
  }

  func decode<Value: Decodable>(_ text: String, _ type: Value.Type) throws -> Value {
    do { return try JSONDecoder().decode(type, from: Data(text.utf8)) } catch {
      throw Program.Failure(description: "expected \(type) as JSON, got: \(text) (\(error))")
    }
  }

  private static func field(_ name: String, of text: String) throws -> String {
    for line in text.split(separator: "\n") where line.hasPrefix(name) {
      return line.dropFirst(name.count).trimmingCharacters(in: .whitespaces)
    }
    throw Program.Failure(description: "expected a line \"\(name) ...\" in: \(text)")
  }
}
