import Foundation
import Glibc
import TestDatabases
import Testing

extension `Hubs that are tried hard` {
  /// What whoever runs a hub relies on: its health, its backups, and that one bad agent is nobody else's trouble. With real programs.
  @Suite(
    .serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"), .timeLimit(.minutes(8)))
  struct `Running a hub, with real programs` {
    private func household(network: Int, agents: Int, store: String? = nil) async throws -> (Household, pin: String) {
      let site = try Site(network: network)
      try await site.startFleet(printers: 3)
      let (_, pin) = try await site.makeHub(store: store)
      try await site.startHub(options: ["--log-format", "json"])
      let household = Household(hub: site)
      let code = try await site.newCode(uses: max(agents, 1))
      for agent in 1...max(agents, 1) { try await household.enrol(network: network + agent, code: code, pin: pin) }
      return (household, pin)
    }

    private func eventuallyHolds(_ household: Household, moreThan records: UInt64 = 0) async throws {
      for (_, install) in household.agents {
        try await eventually(60, "records of \(install) at the hub") {
          try await (household.hub.hubEpochs(of: install).last?.records ?? 0) > records
        }
      }
    }

    // MARK: Backup

    /// Delivered, backed up while it is served, delivered more, destroyed, restored: the agents bring the rest.
    @Test func `a hub that is destroyed and put back gets the rest from its agents`() async throws {
      let (household, _) = try await household(network: 80, agents: 3)
      let site = household.hub
      for (agent, _) in household.agents { try agent.startAgent() }
      try await eventuallyHolds(household, moreThan: 10)
      let backup = site.directory.path + "/backup"
      _ = try await site.hubCommand(["backup", "--to", backup])
      let counts = try await heldCounts(household)
      for (agent, install) in household.agents {
        try await eventually(60, "more records") {
          try await (site.hubEpochs(of: install).last?.records ?? 0) > (counts[install] ?? 0) + 10
        }
        // One of them is away meanwhile.
        if install == household.agents[0].install { agent.killAgent() }
      }
      site.killHub()
      try FileManager.default.removeItem(atPath: site.hubDirectory)

      _ = try await site.hubCommand(["restore", "--from", backup])
      // What was there when the backup was made, and nothing of what came after it.
      let restored = try await heldCounts(household)
      for (_, install) in household.agents {
        #expect(10 < restored[install] ?? 0 && restored[install] ?? .max <= counts[install] ?? 0)
      }
      try await site.startHub(options: ["--log-format", "json"])
      try await household.expectEqualEnds()
      #expect(site.hub?.output.contains("an agent lost records") == false)
      // No code of the backup is good any more; a new one is.
      let codes = try await site.hubCommand(["code", "list", "--output", "json"])
      #expect(!codes.contains("\"valid\""), "\(codes)")
    }

    private func heldCounts(_ household: Household) async throws -> [String: UInt64] {
      var counts: [String: UInt64] = [:]
      for (_, install) in household.agents {
        counts[install] = try await household.hub.hubEpochs(of: install).last?.records ?? 0
      }
      return counts
    }

    /// The same with PostgreSQL, whose database pg_dump copies while the hub writes.
    @Test(.enabled(if: PostgresServer.shared != nil, "needs Debian's postgresql-15"))
    func `a hub on PostgreSQL comes back of its keys and a dump`() async throws {
      let server = try #require(PostgresServer.shared)
      let address = try server.newAddress()
      let (household, _) = try await household(network: 82, agents: 1, store: address)
      let site = household.hub
      let (agent, install) = household.agents[0]
      try agent.startAgent()
      try await eventuallyHolds(household, moreThan: 10)
      let backup = site.directory.path + "/backup"
      #expect(try await site.hubCommand(["backup", "--to", backup]).contains("pg_dump"))
      let dump = site.directory.path + "/dump"
      let schema = try #require(address.components(separatedBy: "search_path%3D").last)
      try await postgres(
        site, "pg_dump", ["-h", server.directory, "-U", "hub", "-Fc", "-n", schema, "-f", dump, "postgres"])
      let before = try await site.hubEpochs(of: install).last?.records ?? 0
      try await eventually(60, "more records") {
        try await (site.hubEpochs(of: install).last?.records ?? 0) > before + 10
      }
      site.killHub()
      try FileManager.default.removeItem(atPath: site.hubDirectory)
      try server.execute("DROP SCHEMA \(schema) CASCADE")
      try await postgres(site, "pg_restore", ["-h", server.directory, "-U", "hub", "-d", "postgres", "-e", dump])
      _ = try await site.hubCommand(["restore", "--from", backup])
      try await site.startHub()
      try await household.expectEqualEnds()
    }

    private func postgres(_ site: Site, _ program: String, _ arguments: [String]) async throws {
      let run = try Program(path: "/usr/lib/postgresql/15/bin/\(program)", arguments, log: site.directory)
      let status = try await run.ended()
      #expect(status == 0, "\(program): \(run.output)")
    }

    // MARK: Health

    @Test func `a hub whose disk is full says so, and is well again when there is room`() async throws {
      let (household, _) = try await household(network: 80, agents: 1)
      let site = household.hub
      site.killHub()
      let full = site.directory.path + "/full"
      try await site.startHub(fullWhile: full)
      try household.agents[0].site.startAgent()
      try await eventuallyHolds(household)
      try await eventually(20, "a hub that is well") { try await site.ask("/healthz").status == 200 }
      try Data().write(to: URL(fileURLWithPath: full))
      try await eventually(30, "the full disk to be said") { try await site.ask("/healthz").status == 503 }
      let answer = try await site.ask("/healthz")
      #expect(answer.body.contains("full") && answer.body.contains("\"error\""), "\(answer.body)")
      let metrics = try await site.metrics()
      #expect(metrics["pthub_healthy"] == 0)
      #expect(metrics["pthub_database_errors_total{kind=\"disk_full\"}"] ?? 0 > 0)
      try FileManager.default.removeItem(atPath: full)
      try await eventually(90, "a hub that is well again") { try await site.ask("/healthz").status == 200 }
      try await household.expectEqualEnds()
    }

    @Test(.enabled(if: PostgresServer.shared != nil, "needs Debian's postgresql-15"))
    func `a hub whose PostgreSQL is gone says so, and goes on when it is back`() async throws {
      let server = try #require(PostgresServer.shared)
      // A socket of its own, which can be taken away.
      let sockets = "/tmp/pt-ops-\(UUID().uuidString.prefix(8))"
      try FileManager.default.createDirectory(atPath: sockets, withIntermediateDirectories: true)
      defer { try? FileManager.default.removeItem(atPath: sockets) }
      let link = sockets + "/.s.PGSQL.5432"
      let behind = server.directory + "/.s.PGSQL.5432"
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: behind)
      let address = try server.newAddress().replacing("host=\(server.directory)", with: "host=\(sockets)")
      let (household, _) = try await household(network: 82, agents: 1, store: address)
      let site = household.hub
      try household.agents[0].site.startAgent()
      try await eventuallyHolds(household)
      try await eventually(20, "a hub that is well") { try await site.ask("/healthz").status == 200 }
      try FileManager.default.removeItem(atPath: link)
      try server.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query <> '' AND pid <> pg_backend_pid()")
      try await eventually(30, "the lost database to be said") { try await site.ask("/healthz").status == 503 }
      #expect(try await site.metrics()["pthub_database_errors_total{kind=\"unreachable\"}"] ?? 0 > 0)
      try FileManager.default.createSymbolicLink(atPath: link, withDestinationPath: behind)
      try await eventually(90, "a hub that is well again") { try await site.ask("/healthz").status == 200 }
      try await household.expectEqualEnds()
    }

    // MARK: Logs

    @Test func `each line of the log is a JSON object, and those about an install name it`() async throws {
      let (household, _) = try await household(network: 80, agents: 1)
      let (agent, install) = household.agents[0]
      try agent.startAgent()
      try await eventuallyHolds(household)
      try await household.expectEqualEnds()
      household.hub.hub?.signal(SIGTERM)
      #expect(try await household.hub.hub?.ended() == 0)
      let lines = (household.hub.hub?.output ?? "").split(separator: "\n").filter { !$0.hasPrefix("ready ") }
      var messages: Set<String> = []
      for line in lines {
        let fields = try household.hub.decode(String(line), [String: String].self)
        let message = try #require(fields["msg"])
        #expect(fields["time"] != nil && fields["level"] != nil, "\(line)")
        messages.insert(message)
        if message.hasPrefix("stream ") || message.contains("install") {
          #expect(fields["install"] == install, "\(line)")
        }
      }
      #expect(
        messages.isSuperset(of: ["hub ready", "install enrolled", "stream opened", "stream closed", "hub stopped"]))
    }

    // MARK: One bad agent

    struct Attack: CustomTestStringConvertible, Sendable {
      let name: String
      /// One of these is what the hub answers. A GOAWAY may be lost behind what the hub did not read any more (RST).
      let answers: [String]
      /// What it must count.
      let metric: String
      let logged: String
      var testDescription: String { name }
    }

    static let attacks = [
      Attack(
        name: "declared", answers: ["\"reset\""], metric: "pthub_connection_errors_total{kind=\"call\"}",
        logged: "call broke the protocol"),
      Attack(
        name: "streamed", answers: ["\"reset\""], metric: "pthub_connection_errors_total{kind=\"call\"}",
        logged: "call broke the protocol"),
      Attack(
        name: "garbage", answers: ["\"status\": 3"], metric: "pthub_streams_ended_total{status=\"invalid_argument\"}",
        logged: "stream closed"),
      Attack(
        name: "truncated", answers: ["\"status\": 3"], metric: "pthub_streams_ended_total{status=\"invalid_argument\"}",
        logged: "stream closed"),
      Attack(
        name: "headers", answers: ["\"goaway\"", "\"closed\""],
        metric: "pthub_connection_errors_total{kind=\"http2_connection\"}",
        logged: "connection broke HTTP/2"),
      Attack(
        name: "floods", answers: ["\"goaway\"", "\"closed\""],
        metric: "pthub_connection_errors_total{kind=\"http2_connection\"}",
        logged: "connection broke HTTP/2"),
      Attack(
        name: "streams", answers: ["\"status\": 10"], metric: "pthub_streams_ended_total{status=\"aborted\"}",
        logged: "an install has too many streams"),
      Attack(
        name: "plaintext", answers: ["\"closed\""], metric: "pthub_connection_errors_total{kind=\"tls\"}",
        logged: "connection broke TLS"),
    ]

    private static let python = ProcessInfo.processInfo.environment["PT_PYTHON"]
    private static let script = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
      .appendingPathComponent("Support/hostile_agent.py").path
    /// What an attack may cost the hub in memory while it goes on; the messages of these attacks are a gigabyte.
    private static let memoryMax = Double(128 << 20)

    @Test(.enabled(if: python != nil, "needs PT_PYTHON, the path of a Python with h2"), arguments: attacks)
    func `an agent gone bad is refused, told and counted, in bounded memory, while its neighbour delivers`(
      attack: Attack
    )
      async throws
    {
      let (household, pin) = try await household(network: 80, agents: 1)
      let site = household.hub
      let (neighbour, _) = household.agents[0]
      let rogue = try Site(network: 83)
      try site.adopt(rogue, pin: pin)
      #expect(try await rogue.agentCommand(["enroll", "--code", try await site.newCode()]).status == 0)
      try neighbour.startAgent()
      try await eventuallyHolds(household)

      let before = try await site.metrics()
      #expect(before[attack.metric] == 0)
      let attacker = try Program(
        path: try #require(Self.python),
        [
          Self.script, "--hub", "127.0.0.1:\(site.ports.dcam)", "--identity", rogue.stateDirectory + "/identity",
          attack.name,
        ], log: site.directory)
      var memory: Double = 0
      while attacker.isRunning {
        memory = max(memory, try await site.metrics()["process_resident_memory_bytes"] ?? 0)
        try await Task.sleep(for: .milliseconds(100))
      }
      #expect(try await attacker.ended() == 0, "\(attacker.output)")
      #expect(attack.answers.contains { attacker.output.contains($0) }, "\(attacker.output)")
      let after = try await site.metrics()
      #expect(after[attack.metric] ?? 0 >= 1, "\(attack.metric)")
      #expect(site.hub?.output.contains("\"msg\":\"\(attack.logged)\"") == true)
      #expect(memory - (before["process_resident_memory_bytes"] ?? 0) < Self.memoryMax)
      #expect(try await site.ask("/healthz").status == 200)
      // The neighbour's one stream is still that one.
      #expect(neighbour.agent?.output.contains("delivery is interrupted") == false)
      try await household.expectEqualEnds()
    }

    /// Two processes with one identity and one journal: the hub keeps what the first of them said, sees both, and their neighbour hears nothing of it.
    @Test func `two agents with one identity are told apart, and a neighbour does not notice`() async throws {
      let (household, _) = try await household(network: 80, agents: 2)
      let site = household.hub
      let (original, install) = household.agents[0]
      let copy = try Site(network: 83)
      try FileManager.default.copyItem(atPath: original.stateDirectory, toPath: copy.stateDirectory)
      try String(contentsOfFile: original.configuration, encoding: .utf8)
        .replacing(original.stateDirectory, with: copy.stateDirectory)
        .write(toFile: copy.configuration, atomically: true, encoding: .utf8)
      for agent in [original, copy, household.agents[1].site] { try agent.startAgent() }
      try await eventually(90, "the doubt to be counted") {
        try await (site.metrics()["pthub_identities_doubted_total"] ?? 0) >= 1
      }
      #expect(try await site.install(install).install.doubt != nil)
      #expect(
        site.hub?.output.split(separator: "\n").contains {
          $0.contains("an identity is in doubt") && $0.contains(install)
        } == true)
      copy.killAgent()
      original.killAgent()
      let neighbour = household.agents[1]
      #expect(neighbour.site.agent?.output.contains("delivery is interrupted") == false)
      #expect(try await neighbour.site.stopAgent() == 0)
      #expect(try await site.hubEpochs(of: neighbour.install) == neighbour.site.journalEpochs())
      #expect(try await site.install(neighbour.install).install.doubt == nil)
    }
  }
}
