internal import Evidence
internal import Foundation
internal import GRPCCore
internal import HubProtocol
@testable internal import HubServer
internal import Logging
internal import Replicator
internal import Synchronization
internal import Testing

@Suite(.timeLimit(.minutes(3))) struct `A hub's backup` {
  /// A hub with an install, records, a rejection, a conflict and a record ahead of its turn.
  private struct Made {
    let place: TestDirectory
    let directory: HubDirectory
    let store: SQLStore
    let install: Install
    var journal: TestJournal
    let code: DataLinkCode
  }

  private func make() async throws -> Made {
    let place = try TestDirectory()
    let directory = try HubDirectory.create(at: place.path + "/hub", names: ["hub.example.org"])
    let store = try directory.openStore()
    let now = HubClock.system.now
    try await store.addEntity(named: "Acme", now: now)
    let (used, code) = (DataLinkCode(), DataLinkCode())
    for code in [used, code] {
      _ = try await store.addCode(
        hash: code.hash(in: directory), entity: "Acme", usesMax: 1, expiresAt: now + 3_600_000, now: now)
    }
    var journal = try TestJournal()
    let outcome = try await store.enrol(
      TestStore.request(codeHash: used.hash(in: directory), journal: journal), now: now
    ) { id in
      try directory.authority.issueClient(
        install: id, request: try CheckedRequest(der: try TestAgent(root: []).request()))
    }
    guard case .enrolled(let install, _, _) = outcome else { throw HubError(.notFound, "not enrolled") }
    journal.append(50)
    var batch = journal.batch(1...50)
    batch.records[16].payload[0] ^= 1
    var other = try TestJournal()
    for text in ["x", "y", "another"] { other.append(text) }
    for batch in [batch, other.batch(3...3)] {
      _ = try await store.append([try #require(try BatchCheck.append(batch, install: install.number))], now: now)
    }
    journal.append(20)
    let record = BatchCheck.check(journal.batch(70...70).records[0], at: .init(epoch: 1, sequence: 70))
    #expect(
      try await store.keepExpress(
        [DeliveredExpress(epoch: 1, sequence: 70, record: record)], of: install.number, now: now)
        == [.kept])
    return Made(place: place, directory: directory, store: store, install: install, journal: journal, code: code)
  }

  @Test func `makes the same hub again, with rejections, conflicts and what came ahead; and no code is good in it`()
    async throws
  {
    let made = try await make()
    let (backup, copy) = (made.place.path + "/backup", made.place.path + "/copy")
    let told = try await HubBackup.make(of: made.directory, made.store, to: backup)
    #expect(told.hasDatabase)
    #expect(!FileManager.default.fileExists(atPath: backup + ".new"))
    let restored = try await HubBackup.restore(from: backup, to: copy)
    #expect((restored.installs, restored.held, restored.codesRevoked) == (1, 50, 1))
    let directory = try HubDirectory.open(at: copy)
    #expect(directory.authority.pin == made.directory.authority.pin)
    #expect(try directory.countersigner().key.description == made.directory.countersigner().key.description)
    let store = try directory.openStore()
    #expect(try await store.summaries(of: made.install.number) == made.store.summaries(of: made.install.number))
    for kind in [HeldRecord.Kind.rejected, .conflicting, .express] {
      let listed = try await store.listed(kind, of: made.install.number, limit: 9)
      #expect(try await listed == made.store.listed(kind, of: made.install.number, limit: 9))
      #expect(listed.count == 1, "\(kind)")
    }
    #expect(try await store.codes().allSatisfy { $0.state(now: HubClock.system.now) != .valid })
    #expect(try await store.auditTrail(limit: 1).first?.action == "hub.restored")
    for file in try FileManager.default.contentsOfDirectory(atPath: copy) {
      let mode = try FileManager.default.attributesOfItem(atPath: copy + "/" + file)[.posixPermissions] as? Int
      #expect(mode == 0o600, "\(file)")
    }
  }

  @Test func `is of one moment, whatever is committed meanwhile`() async throws {
    var made = try await make()
    made.journal.append(3_000)
    let (store, journal, install) = (made.store, made.journal, made.install)
    let writing = Task {
      for first in stride(from: 51, through: 3_050, by: 20) {
        let batch = journal.batch(first...min(first + 19, 3_070))
        _ = try await store.append(
          [try #require(try BatchCheck.append(batch, install: install.number))], now: HubClock.system.now)
      }
    }
    for round in 1...4 {
      let backup = made.place.path + "/backup-\(round)"
      _ = try await HubBackup.make(of: made.directory, made.store, to: backup)
      _ = try await HubBackup.restore(from: backup, to: backup + "-copy")
      let summary = try #require(
        try await HubDirectory.open(at: backup + "-copy").openStore().summaries(of: made.install.number).first)
      #expect(summary.agrees && summary.gaps == 0)
      // With the rejected one in its place.
      #expect(summary.count + 1 == Int(summary.held))
    }
    try await writing.value
  }

  @Test func `is refused where something is, and where a file of it is not as it was`() async throws {
    let made = try await make()
    let backup = made.place.path + "/backup"
    _ = try await HubBackup.make(of: made.directory, made.store, to: backup)
    await #expect(throws: HubError.self) { _ = try await HubBackup.make(of: made.directory, made.store, to: backup) }
    await #expect(throws: HubError.self) { _ = try await HubBackup.restore(from: backup, to: made.directory.path) }
    await #expect(throws: HubError.self) {
      _ = try await HubBackup.restore(from: made.directory.path, to: made.place.path + "/other")
    }
    for (index, file) in try FileManager.default.contentsOfDirectory(atPath: backup).sorted().enumerated() {
      let target = made.place.path + "/copy-\(index)"
      let path = URL(fileURLWithPath: backup + "/" + file)
      let bytes = try Data(contentsOf: path)
      var changed = bytes
      changed[bytes.count / 2] ^= 1
      try changed.write(to: path)
      let error = await #expect(throws: HubError.self) { _ = try await HubBackup.restore(from: backup, to: target) }
      #expect(error?.kind == .configuration, "\(file): \(error?.message ?? "")")
      #expect(!FileManager.default.fileExists(atPath: target + "/hub.json"))
      try FileManager.default.removeItem(at: path)
      await #expect(throws: HubError.self) { _ = try await HubBackup.restore(from: backup, to: target) }
      try bytes.write(to: path)
    }
    // Whole again, it is good.
    _ = try await HubBackup.restore(from: backup, to: made.place.path + "/last")
  }
}

@Suite(.serialized, .timeLimit(.minutes(5))) struct `A hub that was put back` {
  /// Serves a hub, backs it up in the middle of `before`, and serves what was restored.
  private func putBack(
    _ before: @Sendable @escaping (TestHub, _ backUp: @Sendable () async throws -> Void) async throws -> Void,
    after: @Sendable @escaping (TestHub) async throws -> Void
  ) async throws {
    let place = try TestDirectory()
    let (backup, copy) = (place.path + "/backup", place.path + "/copy")
    let clock = TestClock()
    try await TestHub.run(clock: clock) { hub in
      try await before(hub) {
        _ = try await HubBackup.make(of: hub.directory, hub.store, to: backup, clock: clock.clock)
      }
    }
    // X.509 knows whole seconds.
    clock.advance(by: .seconds(60))
    _ = try await HubBackup.restore(from: backup, to: copy, clock: clock.clock)
    clock.advance(by: .seconds(60))
    try await TestHub.serve(try HubDirectory.open(at: copy), clock: clock, after)
    withExtendedLifetime(place) {}
  }

  @Test func `knows an agent by the certificate that it was given after the backup`() async throws {
    let agents = AgentBox()
    var journal = try TestJournal()
    journal.append(5)
    try await putBack { [journal] hub, backUp in
      let (agent, id) = try await hub.agent(journal)
      try await backUp()
      hub.clock.advance(by: .seconds(60))
      var renewed = agent
      renewed.certificate = Array(try #require(try await hub.renew(agent).certificateChain.first))
      // An install of the same hub that enrolled since.
      let (late, _) = try await hub.agent(try TestJournal())
      agents.set([agent, renewed, late], id)
    } after: { [journal] hub in
      let (all, id) = agents.value
      try await hub.converse(all[1]) { _ = try await $0.greet(journal) }
      #expect(
        try await hub.store.auditTrail(limit: 9).contains { $0.action == "certificate.adopted" && $0.subject == id })
      let number = try #require(try await hub.store.install(id: id)).number
      // It counts like any other: the older one has ended.
      #expect(try await hub.store.certificates(of: number).filter { $0.supersededAt != nil }.count == 1)
      let unknown = try await status { try await hub.converse(all[2]) { _ = try await $0.greet(journal) } }
      #expect(unknown?.code == .unauthenticated)
      #expect(try await hub.metric("pthub_calls_refused_total{reason=\"unknown_certificate\"}") == 1)
    }
  }

  @Test
  func
    `takes no certificate that it does not know from before the backup, from after the restore, or of a revoked install`()
    async throws
  {
    let agents = AgentBox()
    let journal = try TestJournal()
    try await putBack { hub, backUp in
      let (agent, id) = try await hub.agent(journal)
      // Issued and forgotten, as by a prune.
      var forgotten = agent
      let request = try CheckedRequest(der: try agent.request())
      let authority = hub.directory.authority.with(clock: hub.clock.clock)
      forgotten.certificate = try authority.issueClient(install: id, request: request).der
      // Agents take no certificate of a hub that is fifteen minutes ahead.
      hub.clock.advance(by: .seconds(300))
      // Its renewal is the last that the backup knows.
      _ = try await hub.renew(agent)
      try await backUp()
      hub.clock.advance(by: .seconds(60))
      var renewed = agent
      renewed.certificate = Array(try #require(try await hub.renew(agent).certificateChain.first))
      agents.set([forgotten, renewed, agent], id)
    } after: { hub in
      let (all, id) = agents.value
      let early = try await status { try await hub.converse(all[0]) { _ = try await $0.greet(journal) } }
      #expect(early?.code == .unauthenticated)
      var later = all[2]
      let request = try CheckedRequest(der: try later.request())
      later.certificate = try hub.directory.authority.with(clock: hub.clock.clock)
        .issueClient(install: id, request: request).der
      let late = try await status { [later] in try await hub.converse(later) { _ = try await $0.greet(journal) } }
      #expect(late?.code == .unauthenticated)
      try await hub.store.revokeInstall(id: id, now: hub.clock.now)
      let revoked = try await status { try await hub.converse(all[1]) { _ = try await $0.greet(journal) } }
      #expect(revoked?.code == .unauthenticated || revoked?.code == .permissionDenied)
      #expect(try await !hub.store.auditTrail(limit: 99).contains { $0.action == "certificate.adopted" })
    }
  }

  /// What an agent removed by retention after the hub had acknowledged it, and the restored hub lacks, is gone: it says so, and it shows.
  @Test func `shows as lost what agents have removed since, and takes the rest`() async throws {
    let journal = try TestJournal()
    let source = TestSource(records: 600)
    let agents = AgentBox()
    try await putBack { hub, backUp in
      let (agent, id) = try await hub.agent(journal)
      source.change { $0.heads[0] = 200 }
      try await Self.deliver(source, journal, agent, hub)
      try await backUp()
      source.change { $0.heads[0] = 600 }
      try await Self.deliver(source, journal, agent, hub)
      agents.set([agent], id)
    } after: { hub in
      let (all, id) = agents.value
      // Retention took the first 450, of which the hub has lost those behind 200.
      source.change {
        $0.base = 450
        $0.heads[0] = 650
      }
      try await Self.deliver(source, journal, all[0], hub)
      let number = try #require(try await hub.store.install(id: id)).number
      let summary = try #require(try await hub.store.summaries(of: number).first)
      #expect((summary.held, summary.count, summary.lost, summary.gaps) == (650, 400, 250, 0))
      #expect(summary.agrees && summary.conflicts == 0 && summary.rejections == 0)
      #expect(try await hub.metric("pthub_records_handled_total{outcome=\"lost\"}") == 250)
      #expect(try await hub.store.records(of: number, epoch: 1, sequence: 450).isEmpty)
      #expect(try await hub.store.records(of: number, epoch: 1, sequence: 451).count == 1)
    }
  }

  private static func deliver(
    _ source: TestSource, _ journal: TestJournal, _ agent: TestAgent, _ hub: TestHub
  ) async throws {
    let target = try `A replicator against a hub`.target(hub, agent)
    let replicator = `A replicator against a hub`.replicator(source, target, journal)
    let number = try #require(try await hub.store.installs().first).number
    try await `A replicator against a hub`.running(replicator) {
      try await `A replicator against a hub`.eventually("everything to be delivered") {
        try await hub.store.holdings(of: number).first?.sequence == source.look { $0.heads[0] }
      }
    }
  }
}

/// What one half of a test leaves to the other.
private final class AgentBox: Sendable {
  private let state = Mutex<([TestAgent], String)>(([], ""))

  func set(_ agents: [TestAgent], _ install: String) { state.withLock { $0 = (agents, install) } }
  var value: ([TestAgent], String) { state.withLock { $0 } }
}
