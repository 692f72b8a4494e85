import Foundation
import Testing

/// Profiles at the command line, and walks that are recorded to be given away: real programs, printers of ptsim.
@Suite(.enabled(if: programs != nil, "skipped: PT_BIN does not name the programs")) struct CaptureScenarioTests {
  private let directory: URL

  init() throws {
    directory = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-capture-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private func fixture(_ path: String) -> String { Self.root.appendingPathComponent("Fixtures/" + path).path }
  private func file(_ name: String) -> String { directory.appendingPathComponent(name).path }

  private func write(_ text: String, _ name: String) throws -> String {
    try text.write(toFile: file(name), atomically: true, encoding: .utf8)
    return file(name)
  }

  @Test func `a captured printer reads from the file as from the device, under another identity`() async throws {
    let printers = [
      "hp-color-laserjet-m555", "kyocera-taskalfa-3253ci", "lexmark-mx522", "ricoh-im-c3000", "xerox-versalink-c7025",
      "brother-mfc-l8900",
    ]
    var fleet = "port = 21561\nseed = 4\nmodels = \"\(fixture("devices"))\"\n"
    for (index, model) in printers.enumerated() {
      fleet += "\n[[printers]]\naddress = \"127.20.7.\(index + 1)\"\nmodel = \"\(model)\"\n"
      fleet += "name = \"CUSTOMER-PRN-\(index + 1)\"\nlocation = \"Lawyers Ltd, room \(index + 1)\"\n"
    }
    let simulator = try Program("ptsim", ["serve", "--fleet", try write(fleet, "fleet.toml")], log: directory)
    try await simulator.waits(for: "ready:")
    for index in printers.indices {
      let address = "127.20.7.\(index + 1):21561"
      let walk = file("\(printers[index]).snmprec")
      let (status, told) = try await Program.run("ptagent", ["capture", address, "--output", walk], in: directory)
      #expect(status == 0 && told.contains("serial number"), "\(printers[index]): \(told)")
      let live = try await reading([address])
      let recorded = try await reading(["--walk", walk])
      for part in ["meters", "supplies", "inputs", "outputs", "covers", "checks"] {
        #expect(Self.values(live[part]) == Self.values(recorded[part]), "\(printers[index]) \(part)")
      }
      let text = try String(contentsOfFile: walk, encoding: .utf8).lowercased()
      let identity = try #require(live["identity"] as? [String: Any])
      for key in ["serial", "hostName", "location"] {
        let value = try #require(identity[key] as? String, "\(printers[index]) \(key): \(identity)").lowercased()
        let hexadecimal = value.utf8.map { String(format: "%02x", $0) }.joined()
        #expect(!text.contains(value) && !text.contains(hexadecimal), "\(printers[index]): \(value)")
      }
      let mac = try #require(identity["macAddress"] as? String)
      #expect(!text.contains(mac) && !text.contains(mac.replacingOccurrences(of: ":", with: "")), "\(printers[index])")
    }
  }

  private func reading(_ arguments: [String]) async throws -> [String: Any] {
    let (_, output) = try await Program.run("ptagent", ["read"] + arguments + ["--output", "json"], in: directory)
    return try #require(try JSONSerialization.jsonObject(with: Data(output.utf8)) as? [String: Any])
  }

  /// Without the sources, whose raw bytes may hold a serial, and without what moved between two readings.
  private static func values(_ part: Any?) -> [String] {
    (part as? [[String: Any]] ?? []).map { row in
      row.filter { key, _ in !["sources", "serialNumber", "description", "value", "raw", "source"].contains(key) }
        .map { "\($0.key)=\($0.value)" }.sorted().joined(separator: " ")
    }
  }

  @Test func `a device that is not there is told, and nothing is written`() async throws {
    let (status, _) = try await Program.run(
      "ptagent", ["capture", "127.20.7.99:21562", "--output", file("none.snmprec")], in: directory)
    #expect(status == 69)
    #expect(!FileManager.default.fileExists(atPath: file("none.snmprec")))
  }

  @Test func `a profile file is checked, with every error and its line`() async throws {
    let acme = fixture("profiles/acme.toml")
    let (status, output) = try await Program.run("ptagent", ["profile", "check", acme], in: directory)
    #expect(status == 0 && output.contains("acme, version 1"))
    let wrong = try write("name = \"x\"\nversion = 1\nmakes = \"X\"\n[match]\nobject-ids = [\"1.x\"]\n", "wrong.toml")
    let (refused, errors) = try await Program.run("ptagent", ["profile", "check", wrong], in: directory)
    #expect(refused == 65)
    for error in ["wrong.toml:3: `makes`", "`make`: missing", "wrong.toml:5: `match.object-ids`", "3 errors"] {
      #expect(errors.contains(error), "\(error) in \(errors)")
    }
    let (absent, _) = try await Program.run("ptagent", ["profile", "check", file("no.toml")], in: directory)
    #expect(absent == 66)
  }

  @Test func `a site's own profile is read with, and its rule says where it is from`() async throws {
    try FileManager.default.createDirectory(atPath: file("profiles"), withIntermediateDirectories: true)
    try FileManager.default.copyItem(atPath: fixture("profiles/acme.toml"), toPath: file("profiles/acme.toml"))
    let old = "name = \"kyocera\"\nversion = 1\nmake = \"Kyocera\"\n[match]\nobject-ids = [\"1.3.6.1.4.1.1347\"]\n"
    _ = try write(old, "profiles/kyocera.toml")
    let configuration = try write("[profiles]\ndirectory = \"profiles\"\n", "ptagent.toml")
    let (_, list) = try await Program.run("ptagent", ["profile", "list", "--config", configuration], in: directory)
    #expect(list.contains("profiles/acme.toml") && list.contains("(not used: another one stands over it)"))
    let (status, text) = try await Program.run(
      "ptagent", ["read", "--config", configuration, "--walk", fixture("walks/acme.snmprec")], in: directory)
    #expect(status == 0 && text.contains("acme/named-counters@1+local"), "\(text)")
    _ = try write("name = 7\n", "profiles/broken.toml")
    let (refused, problem) = try await Program.run(
      "ptagent", ["config", "check", "--config", configuration], in: directory)
    #expect(refused == 78 && problem.contains("broken.toml:1"))
  }
}
