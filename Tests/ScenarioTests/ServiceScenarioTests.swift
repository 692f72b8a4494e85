// The programs as services: what systemd hears of them, what the package's parts say. `tools/test-packages` does the whole of it with a systemd of its own.

import Foundation
import Glibc
import TestPrograms
import Testing

@Suite(.enabled(if: programs != nil, "skipped: PT_BIN does not name the programs"), .serialized)
struct `A service` {
  @Test(.timeLimit(.minutes(3)))
  func `of the agent is ready when it collects, enrols by the code that was left, and says that it ends`() async throws
  {
    let site = try Site(network: 96)
    let manager = try Manager(site.directory.path + "/notify")
    try await site.startFleet(printers: 2)
    let (code, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin)
    try FileManager.default.createDirectory(atPath: site.stateDirectory, withIntermediateDirectories: true)
    let left = site.stateDirectory + "/datalink-code"
    try (code + "\n").write(toFile: left, atomically: true, encoding: .utf8)

    let agent = try Program(
      "ptagent", ["run", "--config", site.configuration], log: site.directory,
      environment: ["NOTIFY_SOCKET": manager.path, "WATCHDOG_USEC": "400000"])
    try await manager.waits(for: "READY=1")
    #expect(FileManager.default.fileExists(atPath: site.journal + "/data.mdb"))
    try await manager.waits(for: "WATCHDOG=1")
    try await eventually(60, "the agent to enrol") {
      !FileManager.default.fileExists(atPath: left) && agent.output.contains("this machine is enrolled")
    }
    let installs = try await site.installs()
    #expect(installs.count == 1)
    // The system keeps ten messages that nobody takes, and the agent does not wait with another.
    manager.listen()
    #expect(try await agent.terminate() == 0)
    try await manager.waits(for: "STOPPING=1")
    #expect(manager.heard.firstIndex { $0.contains("READY=1") } == 0, "\(manager.heard.prefix(3))")
  }

  @Test(.timeLimit(.minutes(5))) func `of an agent whose code is refused removes it and says why`() async throws {
    let site = try Site(network: 97)
    let (_, pin) = try await site.makeHub()
    try await site.startHub()
    try site.configureAgent(pin: pin)
    try FileManager.default.createDirectory(atPath: site.stateDirectory, withIntermediateDirectories: true)
    let left = site.stateDirectory + "/datalink-code"
    try "0123456789abcdef01234567".write(toFile: left, atomically: true, encoding: .utf8)
    try site.startAgent()
    try await eventually(30, "the code to go") { !FileManager.default.fileExists(atPath: left) }
    try await eventually(30, "the status to say why") {
      try site.agentStatus().contains("does not accept this DataLink code")
    }
    try await site.stopAgent()
  }

  @Test(.timeLimit(.minutes(2))) func `of an agent whose hub is away keeps the code, and enrols when it is there`()
    async throws
  {
    let site = try Site(network: 98)
    let (code, pin) = try await site.makeHub()
    try site.configureAgent(pin: pin)
    try FileManager.default.createDirectory(atPath: site.stateDirectory, withIntermediateDirectories: true)
    let left = site.stateDirectory + "/datalink-code"
    try code.write(toFile: left, atomically: true, encoding: .utf8)
    try site.startAgent()
    try await eventually(30, "the status to say that it tries again") {
      try FileManager.default.fileExists(atPath: site.stateDirectory + "/status.json")
        && site.agentStatus().contains("not enrolled yet")
    }
    #expect(FileManager.default.fileExists(atPath: left))
    try await site.startHub()
    try await eventually(60, "the agent to enrol") { !FileManager.default.fileExists(atPath: left) }
    try await eventually(10, "the hub to have it") { try await site.installs().count == 1 }
    try await site.stopAgent()
  }

  @Test(.timeLimit(.minutes(2)))
  func `of the hub is ready when all ports listen, alive while it looks at its store, and ends`() async throws {
    let site = try Site(network: 99)
    let manager = try Manager(site.directory.path + "/notify")
    _ = try await site.makeHub()
    let ports = (0..<3).flatMap { [["--csr", "--dcam", "--hc"][$0], "127.0.0.1:\(site.ports.csr + $0)"] }
    let hub = try Program(
      "pthub", ["serve", "--directory", site.hubDirectory, "--metrics", "none"] + ports, log: site.directory,
      environment: ["NOTIFY_SOCKET": manager.path])
    try await manager.waits(for: "READY=1")
    #expect(hub.output.contains("hub ready"))
    try await manager.waits(for: "WATCHDOG=1")
    #expect(try await hub.terminate() == 0)
    try await manager.waits(for: "STOPPING=1")
  }

  @Test func `could run here, or could not and says why`() async throws {
    let site = try Site(network: 96)
    try site.configureAgent(pin: "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=")
    try FileManager.default.createDirectory(atPath: site.stateDirectory, withIntermediateDirectories: true)
    let fresh = try await site.agentCommand(["check"])
    #expect(fresh.status == 0 && fresh.output.contains("there is none yet"), "\(fresh)")
    let golden = Files.root.appendingPathComponent("Fixtures/journal/v1/journal")
    try FileManager.default.copyItem(atPath: golden.path, toPath: site.journal)
    let former = try await site.agentCommand(["check"])
    #expect(former.status == 0 && former.output.contains("a start makes it format 2"), "\(former)")
    #expect(try Files.same(golden.path + "/data.mdb", site.journal + "/data.mdb"), "a check writes nothing")
    let identity = site.journal + "/identity"
    let newer = try String(contentsOfFile: identity, encoding: .utf8)
      .replacingOccurrences(of: "format: 1", with: "format: 99")
    try newer.write(toFile: identity, atomically: true, encoding: .utf8)
    let refused = try await site.agentCommand(["check"])
    #expect(refused.status == 74 && refused.output.contains("format 99"), "\(refused)")
  }

  @Test func `is not installed without systemd or root, and a dry run only tells`() async throws {
    let directory = FileManager.default.temporaryDirectory
    let dry = try await Program.run("ptagent", ["service", "install", "--dry-run"], in: directory)
    #expect(dry.status == 0 && dry.output.contains("would write /etc/systemd/system/ptagent.service"), "\(dry)")
    #expect(dry.output.contains("ExecStart=") && dry.output.contains("NoNewPrivileges=yes"))
    guard !FileManager.default.fileExists(atPath: "/run/systemd/system") else { return }
    for command in ["install", "uninstall", "status"] {
      let refused = try await Program.run("ptagent", ["service", command], in: directory)
      #expect(refused.status == 69 && refused.output.contains("not run by systemd"), "\(refused)")
    }
  }
}

@Suite struct `What packages hold` {
  @Test(
    .enabled(if: Files.exists("/usr/bin/systemd-analyze"), "skipped: there is no systemd-analyze"),
    arguments: ["Sources/Platform/Service/ptagent.service", "tools/packaging/pthub.service"])
  func `a unit is exposed no more than 1.5`(unit: String) throws {
    let path = Files.root.appendingPathComponent(unit).path
    let (status, output) = try shell("systemd-analyze security --offline=true --threshold=15 --no-pager \(path)")
    #expect(status == 0, "\(output.suffix(400))")
    let rating = try #require(
      output.split(separator: "\n").last?.split(separator: ":").last?.split(separator: " ").first)
    #expect(try #require(Double(rating)) <= 1.5, "\(output)")
    #expect(output.contains("ptagent") || output.contains("pthub"))
  }

  @Test(.enabled(if: programs != nil, "skipped: PT_BIN does not name the programs"))
  func `every command has a man page, and no page is wrong`() throws {
    let directory = Files.scratch()
    defer { try? FileManager.default.removeItem(at: directory) }
    let tool = Files.root.appendingPathComponent("tools/manpages").path
    let made = try shell("python3 \(tool) --bin \(programs ?? "") --into \(directory.path)")
    #expect(made.status == 0, "\(made)")
    let pages = try Set(FileManager.default.contentsOfDirectory(atPath: directory.path))
    for name in CommandLineTests.names {
      let dump = try shell("\(programs ?? "")/\(name) --experimental-dump-help").output
      let root = try JSONDecoder().decode(Dump.self, from: Data(dump.utf8)).command
      for command in root.all([]) { #expect(pages.contains(command + ".1"), "\(command)") }
      #expect(root.all([]).count > 3)
    }
    #expect(pages.contains("ptagent.toml.5") && pages.contains("ptagent-config-check.1"))
    guard Files.exists("/usr/bin/man"), Files.exists("/usr/bin/groff") else { return }
    let checked = try shell(
      "cd \(directory.path) && for page in *; do LC_ALL=C.UTF-8 MANWIDTH=80 man --warnings -E UTF-8 -l -Tutf8 -Z $page 2>&1 >/dev/null; done"
    )
    #expect(checked.output.isEmpty, "\(checked.output.prefix(2000))")
  }

  @Test(
    .enabled(if: programs != nil, "skipped: PT_BIN does not name the programs"), arguments: CommandLineTests.names,
    ["bash", "zsh", "fish"])
  func `completions are what their shell reads`(name: String, shell kind: String) throws {
    let made = try shell("\(programs ?? "")/\(name) --generate-completion-script \(kind)")
    #expect(made.status == 0 && made.output.contains(name) && made.output.count > 1_000)
    guard Files.exists("/usr/bin/\(kind)") else { return }
    let read = try shell("\(programs ?? "")/\(name) --generate-completion-script \(kind) | \(kind) -n")
    #expect(read.status == 0, "\(read)")
  }

  @Test(.enabled(if: Files.exists(Files.root.path + "/Package.resolved"), "skipped: nothing is resolved"))
  func `the list of parts is SPDX 2.3, with a version of every part and the digest of every file`() throws {
    let (status, output) = try shell("python3 \(Files.root.path)/tools/sbom")
    #expect(status == 0, "\(output.suffix(500))")
    let list = try JSONDecoder().decode(PartList.self, from: Data(output.utf8))
    #expect(list.spdxVersion == "SPDX-2.3" && list.dataLicense == "CC0-1.0" && list.SPDXID == "SPDXRef-DOCUMENT")
    #expect(list.packages.count > 30 && list.files.count > 300)
    #expect(list.packages.allSatisfy { !$0.versionInfo.isEmpty && $0.versionInfo != "NOASSERTION" })
    for name in ["printtrail", "swift-nio-ssl", "grpc-swift-2", "liblmdb-dev", "swift-runtime"] {
      #expect(list.packages.contains { $0.name == name }, "\(name)")
    }
    // Whatever is related is there, and named once.
    let names = list.packages.map(\.SPDXID) + list.files.map(\.SPDXID) + [list.SPDXID]
    #expect(Set(names).count == names.count)
    for relation in list.relationships {
      #expect(names.contains(relation.spdxElementId) && names.contains(relation.relatedSpdxElement))
    }
    let again = try shell("python3 \(Files.root.path)/tools/sbom")
    #expect(again.output == output, "the same tree gives the same bytes")
    let validator = ProcessInfo.processInfo.environment["PT_PYTHON"].map {
      ($0 as NSString).deletingLastPathComponent + "/pyspdxtools"
    }
    guard let validator, Files.exists(validator) else { return }
    let scratch = Files.scratch()
    defer { try? FileManager.default.removeItem(at: scratch) }
    try output.write(toFile: scratch.path + "/list.spdx.json", atomically: true, encoding: .utf8)
    let validated = try shell("\(validator) -i \(scratch.path)/list.spdx.json")
    #expect(validated.status == 0, "\(validated.output.prefix(1500))")
  }

  @Test(arguments: ["agent", "hub"]) func `the package's scripts are what a shell reads, and ask nothing`(
    package: String
  ) throws {
    for script in ["preinst", "postinst", "prerm", "postrm"] {
      let path = Files.root.path + "/tools/packaging/\(package)/\(script)"
      guard Files.exists(path) else { continue }
      #expect(try shell("sh -n \(path)").status == 0, "\(path)")
      let text = try String(contentsOfFile: path, encoding: .utf8)
      let words = text.split(separator: "\n").compactMap { $0.split(separator: " ").first }
      #expect(!words.contains("read") && !text.contains("debconf"), "\(path)")
      #expect(text.contains("\nset -e\n"), "\(path)")
    }
  }

  private static let built =
    (try? FileManager.default.contentsOfDirectory(atPath: Files.root.path + "/dist"))?.filter { $0.hasSuffix(".deb") }
    ?? []

  @Test(
    .enabled(if: !built.isEmpty && Files.exists("/usr/bin/lintian"), "skipped: no packages in dist/, or no lintian"),
    .timeLimit(.minutes(5))) func `lintian finds no error in what is built`() throws
  {
    for package in Self.built {
      let path = Files.root.path + "/dist/" + package
      let size = try FileManager.default.attributesOfItem(atPath: path)[.size] as? Int
      #expect(try #require(size) < 40 << 20, "\(package)")
      let (status, output) = try shell("lintian --allow-root --fail-on error --tag-display-limit 0 \(path)")
      #expect(status == 0, "\(output)")
    }
  }
}

private struct Dump: Decodable {
  struct Command: Decodable {
    var commandName: String
    var shouldDisplay: Bool?
    var subcommands: [Command]?

    /// `ptagent-config-check`, of it and all under it.
    func all(_ above: [String]) -> [String] {
      if commandName == "help" || shouldDisplay == false { return [] }
      let path = above + [commandName]
      return [path.joined(separator: "-")] + (subcommands ?? []).flatMap { $0.all(path) }
    }
  }

  var command: Command
}

private struct PartList: Decodable {
  struct Part: Decodable {
    var SPDXID: String
    var name: String
    var versionInfo: String
  }

  struct File: Decodable {
    var SPDXID: String
  }

  struct Relation: Decodable {
    var spdxElementId: String
    var relatedSpdxElement: String
  }

  var spdxVersion: String
  var dataLicense: String
  var SPDXID: String
  var packages: [Part]
  var files: [File]
  var relationships: [Relation]
}

private enum Files {
  static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  static func exists(_ path: String) -> Bool { FileManager.default.fileExists(atPath: path) }
  static func same(_ one: String, _ other: String) throws -> Bool {
    try Data(contentsOf: URL(fileURLWithPath: one)) == Data(contentsOf: URL(fileURLWithPath: other))
  }

  static func scratch() -> URL {
    let url = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString.prefix(8))")
    try? FileManager.default.createDirectory(at: url, withIntermediateDirectories: true)
    return url
  }
}

private func shell(_ command: String) throws -> (status: Int32, output: String) {
  let ended = try ChildProgram.run("/bin/sh", ["-c", command])
  return (ended.status, ended.output)
}

/// A service manager's socket.
private final class Manager {
  let path: String
  private let descriptor: Int32
  private(set) var heard: [String] = []

  init(_ path: String) throws {
    self.path = path
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue | SOCK_NONBLOCK.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    let bytes = Array(path.utf8)
    try #require(bytes.count < 108)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let bound = withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(descriptor, $0, socklen_t(2 + bytes.count))
      }
    }
    try #require(bound == 0)
  }

  deinit { close(descriptor) }

  func waits(for word: String) async throws {
    try await eventually(60, "\(word); heard: \(heard.suffix(5))") {
      listen()
      return heard.contains { $0.contains(word) }
    }
  }

  func listen() {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    while true {
      let count = recv(descriptor, &buffer, buffer.count, 0)
      guard count > 0 else { return }
      heard.append(String(decoding: buffer[..<count], as: UTF8.self))
    }
  }
}
