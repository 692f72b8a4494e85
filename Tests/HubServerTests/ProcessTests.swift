// The built pthub as a process: killed without warning, ended politely, started twice. They need the environment
// variable PT_BIN, the directory of the built programs (`swift build --show-bin-path`).

internal import Evidence
internal import Foundation
internal import GRPCCore
internal import HubProtocol
@testable internal import HubServer
internal import Synchronization
internal import TestPrograms
internal import Testing

private let binaries = ProcessInfo.processInfo.environment["PT_BIN"]

@Suite(.enabled(if: binaries != nil, "set PT_BIN to the directory of the built programs"))
struct ProcessTests {
  /// A running `pthub serve`.
  private final class Server: Sendable {
    let ports: [String: Int]
    private let process: ChildProgram

    /// Starts it and waits until it is ready.
    static func start(_ directory: String) async throws -> Server {
      try await withCheckedThrowingContinuation { continuation in
        Thread.detachNewThread { continuation.resume(with: Result { try Server(directory) }) }
      }
    }

    private init(_ directory: String) throws {
      process = try ChildProgram(
        (binaries ?? "") + "/pthub",
        ["serve", "--directory", directory]
          + ["csr", "dcam", "hc", "metrics", "console"].flatMap { ["--\($0)", "127.0.0.1:0"] },
        output: .pipe, errors: .nowhere)
      var line: [UInt8] = []
      while case let byte = process.read(upTo: 1), !byte.isEmpty, byte != Array("\n".utf8) { line += byte }
      var ports: [String: Int] = [:]
      for field in String(decoding: line, as: UTF8.self).split(separator: " ") {
        let parts = field.split(separator: "=", maxSplits: 1)
        if parts.count == 2, let endpoint = HubServer.Endpoint(String(parts[1])) {
          ports[String(parts[0])] = endpoint.port
        }
      }
      self.ports = ports
    }

    var dcam: Int { ports["dcam"] ?? 0 }

    func send(_ signal: Int32) { process.signal(signal) }

    func ended() async -> ChildProgram.Ending { await process.ended() }
  }

  /// A hub with one enrolled agent, made without a server.
  private func enrolled(_ place: TestDirectory, _ journal: TestJournal) async throws -> (
    HubDirectory, TestAgent, Install
  ) {
    let directory = try HubDirectory.create(at: place.path + "/hub", names: [])
    let store = try directory.openStore()
    let now = HubClock.system.now
    try await store.addEntity(named: "Acme", now: now)
    let code = DataLinkCode()
    _ = try await store.addCode(
      hash: code.hash(in: directory), entity: "Acme", usesMax: 1, expiresAt: now + 60_000, now: now)
    var agent = TestAgent(root: directory.authority.rootDER)
    let request = try CheckedRequest(der: try agent.request())
    let outcome = try await store.enrol(
      TestStore.request(codeHash: code.hash(in: directory), journal: journal), now: now
    ) { try directory.authority.issueClient(install: $0, request: request) }
    guard case .enrolled(let install, let certificate, _) = outcome else { throw HubError(.notFound, "not enrolled") }
    agent.certificate = certificate.der
    return (directory, agent, install)
  }

  @Test(arguments: [3, 40, 77]) func `kill -9 between batches loses nothing that was acknowledged`(killAfter: Int)
    async throws
  {
    let place = try TestDirectory()
    var journal = try TestJournal()
    journal.append(2_000)
    let (directory, agent, install) = try await enrolled(place, journal)
    let acknowledged = Mutex<UInt64>(0)

    let first = try await Server.start(directory.path)
    _ = try? await TestHub.converse(agent, port: first.dcam) { [journal] stream in
      _ = try await stream.greet(journal)
      // Batches of 20 go on coming while it is killed.
      for start in stride(from: 1, through: 1_981, by: 20) { stream.send(journal.batch(start...start + 19)) }
      while let message = try await stream.next() {
        guard case .acknowledgement(let acknowledgement)? = message.message else { continue }
        acknowledged.withLock { $0 = acknowledgement.sequence }
        if acknowledgement.sequence >= UInt64(killAfter * 20) { first.send(SIGKILL) }
      }
    }
    first.send(SIGKILL)
    #expect(await first.ended() == .killed(by: SIGKILL))
    let promised = acknowledged.withLock { $0 }
    #expect(promised >= UInt64(killAfter * 20))

    let store = try directory.openStore()
    let summary = try #require(try await store.summaries(of: install.number).first)
    #expect(summary.held >= promised && summary.gaps == 0 && summary.agrees)

    let second = try await Server.start(directory.path)
    try await TestHub.converse(agent, port: second.dcam) { [journal] stream in
      let held = try #require(try await stream.greet(journal).holdings.first).sequence
      #expect(held >= promised)
      if held < 2_000 {
        stream.send(journal.batch(Int(held) + 1...2_000))
        _ = try await stream.acknowledged(2_000)
      }
    }
    second.send(SIGTERM)
    #expect(await second.ended() == .exited(0))
    #expect(try await store.summaries(of: install.number).first?.root == journal.frontier.root)
  }

  @Test(arguments: [SIGTERM, SIGINT]) func `a polite end tells open streams to come back and exits 0`(signal: Int32)
    async throws
  {
    let place = try TestDirectory()
    var journal = try TestJournal()
    journal.append(100)
    let (directory, agent, install) = try await enrolled(place, journal)
    let server = try await Server.start(directory.path)
    let error = try await status {
      try await TestHub.converse(agent, port: server.dcam) { [journal] stream in
        _ = try await stream.greet(journal)
        stream.send(journal.batch(1...100))
        _ = try await stream.acknowledged(100)
        server.send(signal)
        while try await stream.next() != nil {}
      }
    }
    #expect(error?.code == .unavailable)
    #expect(error?.message.contains("going down") == true)
    #expect(await server.ended() == .exited(0))
    let store = try directory.openStore()
    #expect(try await store.holdings(of: install.number) == [Holding(epoch: 1, sequence: 100)])
  }

  @Test func `a second serve of the same directory, and a port that is taken, end with 69 and one sentence`()
    async throws
  {
    let place = try TestDirectory()
    let (directory, _, _) = try await enrolled(place, try TestJournal())
    let other = try HubDirectory.create(at: place.path + "/other", names: [])
    let server = try await Server.start(directory.path)
    for arguments in [
      ["serve", "--directory", directory.path, "--metrics", "none", "--console", "none"],
      [
        "serve", "--directory", other.path, "--csr", "127.0.0.1:0", "--dcam", "127.0.0.1:\(server.dcam)", "--hc",
        "127.0.0.1:0", "--metrics", "none", "--console", "none",
      ],
      [
        "serve", "--directory", other.path, "--csr", "127.0.0.1:0", "--dcam", "127.0.0.1:0", "--hc",
        "127.0.0.1:\(server.ports["hc"] ?? 0)", "--metrics", "none", "--console", "none",
      ],
      [
        "serve", "--directory", other.path, "--csr", "127.0.0.1:0", "--dcam", "127.0.0.1:0", "--hc", "127.0.0.1:0",
        "--metrics", "127.0.0.1:\(server.ports["metrics"] ?? 0)", "--console", "none",
      ],
      [
        "serve", "--directory", other.path, "--csr", "127.0.0.1:0", "--dcam", "127.0.0.1:0", "--hc", "127.0.0.1:0",
        "--metrics", "none", "--console", "127.0.0.1:\(server.ports["console"] ?? 0)",
      ],
    ] {
      let command = try await Self.pthub(arguments)
      #expect(command.status == 69)
      #expect(
        command.errors.hasPrefix("pthub: ") && command.errors.split(separator: "\n").count == 1, "\(command.errors)")
    }
    server.send(SIGTERM)
    #expect(await server.ended() == .exited(0))
  }

  @Test func `commands work while the hub is served`() async throws {
    let place = try TestDirectory()
    var journal = try TestJournal()
    journal.append(10)
    let (directory, agent, install) = try await enrolled(place, journal)
    let server = try await Server.start(directory.path)
    try await TestHub.converse(agent, port: server.dcam) { [journal] stream in
      _ = try await stream.greet(journal)
      stream.send(journal.batch(1...10))
      _ = try await stream.acknowledged(10)
    }
    for arguments in [
      ["entity", "add", "Second"], ["entity", "list"], ["code", "create", "--entity", "Second"],
      ["code", "list", "--output", "json"],
      ["install", "list"], ["install", "show", install.id], ["records", "--install", install.id, "--output", "json"],
      ["record", "show", "--install", install.id, "--epoch", "1", "--sequence", "10"], ["ca", "show"],
      ["install", "revoke", install.id],
    ] {
      let command = try await Self.pthub(arguments + ["--directory", directory.path])
      #expect(command.status == 0, "\(arguments): \(command.errors)")
    }
    let refused = try await status {
      try await TestHub.converse(agent, port: server.dcam) { [journal] in _ = try await $0.greet(journal) }
    }
    #expect(refused?.code == .permissionDenied)
    server.send(SIGTERM)
    #expect(await server.ended() == .exited(0))
  }

  private static func pthub(_ arguments: [String]) async throws -> ChildProgram.Finished {
    try await ChildProgram.running((binaries ?? "") + "/pthub", arguments)
  }
}
