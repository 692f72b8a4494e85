import Collectors
import Discovery
import Foundation
import MIB
import PrinterModel
import SNMP
import TestPrograms
import Testing

/// Recorded walks of real printers, served by snmpsim and polled over UDP: what arrives must be what the walk says. That the walk
/// itself is understood is tested against an independent oracle in PrinterModelTests.
///
/// Needs PT_CORPUS (the walks, with tools/serve_fleet.py), PT_PYTHON and PT_SNMPSIM; `tools/test` sets the latter two.
@Suite(
  .serialized, .timeLimit(.minutes(5)),
  .enabled(if: SimulatedCorpus.isAvailable, "skipped: PT_CORPUS, PT_PYTHON or PT_SNMPSIM is not set"))
struct `Recorded walks, polled over the wire` {
  @Test func `read as they do from the file, each of them`() async throws {
    let corpus = try SimulatedCorpus()
    defer { corpus.stop() }
    let engine = try UDPEngine()
    defer { engine.shutdown() }
    let reader = DeviceReader(engine: engine)
    let credential = NamedCredential(
      name: "public", credential: .community(version: .v2c, community: Array("public".utf8)))
    try await corpus.waitUntilReady(reader, credential)
    for (address, path) in corpus.served {
      let endpoint = Endpoint(try #require(IPv4Address(address)), port: corpus.port)
      let outcome = try await reader.read(endpoint, credentials: [credential])
      let walk = try corpus.walk(path)
      // Servers and switches are refused, and so are walks that a source cut down to a few private objects.
      let isWhole = walk[MIB2.sysObjectID] != nil || !walk.subtree(PrinterMIB.Marker.entry).isEmpty
      let isPrinter = Classification.of(walk).isPrinter && isWhole
      switch outcome.result {
      case .reading(let polled): try expectSame(polled, walk, path)
      case .failed(let failure): #expect(failure.reason == .notAPrinter && !isPrinter, "\(path): \(failure)")
      }
    }
  }

  @Test func `are captured as they are, whole below the subtrees that help to support a device`() async throws {
    let corpus = try SimulatedCorpus()
    defer { corpus.stop() }
    let engine = try UDPEngine()
    defer { engine.shutdown() }
    let reader = DeviceReader(engine: engine)
    let credential = NamedCredential(
      name: "public", credential: .community(version: .v2c, community: Array("public".utf8)))
    try await corpus.waitUntilReady(reader, credential)
    let wanted = [
      "kyocera_p2040dw", "jetdirect_m880", "librenms/snmprec/xerox.", "epson_l4260", "konica_2",
      "brother-lib_dcp-1618w",
    ]
    let served = corpus.served.filter { entry in wanted.contains { entry.path.contains($0) } }
    #expect(served.count == wanted.count)
    for (address, path) in served {
      let endpoint = Endpoint(try #require(IPv4Address(address)), port: corpus.port)
      let transcript = try await reader.capture(endpoint, credentials: [credential])
      #expect(transcript.interruption == nil && transcript.findings.isEmpty, "\(path): \(transcript.findings)")
      let captured = Walk(transcript.bindings)
      let expected = try corpus.walk(path).bindings.filter { binding in
        Interpretation.capturedSubtrees.contains { binding.name.isWithin($0) }
      }
      #expect(captured.bindings.map(\.name) == expected.map(\.name), "\(path)")
    }
  }

  private func expectSame(_ polled: PollReading, _ walk: Walk, _ path: String) throws {
    let whole = Interpretation.read(walk).normalized
    let reading = polled.reading.normalized
    #expect(polled.interruption == nil, "\(path)")
    for binding in polled.walk.bindings {
      #expect(served(walk[binding.name]) == served(binding.value), "\(path) \(binding.name)")
    }
    // Rows of three numbers are of private objects.
    let standard = whole.supplies.filter { $0.row.components.count == 2 }
    #expect(reading.supplies.filter { $0.row.components.count == 2 } == standard, "\(path)")
    #expect(reading.alerts == whole.alerts, "\(path)")
    #expect(reading.inputs == whole.inputs, "\(path)")
    #expect(reading.outputs == whole.outputs, "\(path)")
    #expect(reading.covers == whole.covers, "\(path)")
    #expect(reading.detectors == whole.detectors, "\(path)")
    // Without sysObjectID nobody knows which private objects to ask for, and such walks lack the tables that are walked by index.
    guard walk[MIB2.sysObjectID] != nil else { return }
    #expect(reading.supplies == whole.supplies, "\(path)")
    #expect(reading.status == whole.status, "\(path)")
    #expect(reading.identity == whole.identity, "\(path)")
    #expect(reading.meters == whole.meters, "\(path)")
  }
  /// snmpsim takes spaces off the end of a line of its file, and so off the end of a text.
  private func served(_ value: ObjectValue?) -> ObjectValue? {
    guard case .octets(let octets) = value else { return value }
    var bytes = octets.array
    while bytes.last == UInt8(ascii: " ") { bytes.removeLast() }
    return .octets(bytes)
  }
}

/// snmpsim with every walk of the corpus, each on an address of its own.
private final class SimulatedCorpus {
  private static let environment = ProcessInfo.processInfo.environment
  private static let root = environment["PT_CORPUS"]
  static var isAvailable: Bool {
    root != nil && environment["PT_PYTHON"] != nil && environment["PT_SNMPSIM"] != nil
  }

  let port: UInt16 = 21_161
  private(set) var served: [(address: String, path: String)] = []
  private let process: ChildProgram
  private let directory: String
  private var responder: Int32?

  init() throws {
    directory = NSTemporaryDirectory() + "printtrail-corpus-" + UUID().uuidString
    let root = try #require(Self.root)
    let files = FileManager.default.enumerator(atPath: root)?.compactMap { $0 as? String } ?? []
    let walks = files.filter { $0.hasSuffix(".snmprec") && !$0.contains("@") }.sorted()
    try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
    process = try ChildProgram(
      try #require(Self.environment["PT_PYTHON"]),
      [
        root + "/tools/serve_fleet.py", "--responder", try #require(Self.environment["PT_SNMPSIM"]), "--work",
        directory, "--port", "\(port)", "--first", "11",
      ] + walks.map { root + "/" + $0 },
      output: .pipe, errors: .nowhere)
    var text = ""
    while text.split(separator: "\n").count < walks.count + 1 {
      let data = process.read()
      try #require(!data.isEmpty, "serve_fleet.py ended early")
      text += String(decoding: data, as: UTF8.self)
    }
    for line in text.split(separator: "\n") {
      if line.hasPrefix("PID ") { responder = Int32(line.dropFirst(4)) }
      let parts = line.split(separator: "\t")
      guard parts.count == 2 else { continue }
      served.append((String(parts[0].split(separator: ":")[0]), String(parts[1])))
    }
  }

  /// snmpsim indexes the walks first; the last agent of the table answers last.
  func waitUntilReady(_ reader: DeviceReader, _ credential: NamedCredential) async throws {
    let last = try #require(served.last)
    let end = ContinuousClock.now + .seconds(240)
    while ContinuousClock.now < end {
      let outcome = try await reader.read(
        Endpoint(try #require(IPv4Address(last.address)), port: port), credentials: [credential])
      if case .reading = outcome.result { return }
      // Until it listens, the system refuses at once; another process is waited for, so the clock is looked at.
      try await Task.sleep(for: .milliseconds(200))
    }
    Issue.record("snmpsim does not answer at \(last.address):\(port)")
  }

  func walk(_ path: String) throws -> Walk {
    SNMPRec.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))).walk
  }

  func stop() {
    if let responder { kill(responder, SIGKILL) }
    process.kill()
    try? FileManager.default.removeItem(atPath: directory)
  }
}
