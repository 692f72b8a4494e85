// Replicator and journal together in a world that does what its seed says (World): whatever happens in it, in the end nothing is lost.

import Evidence
import Journal
import OpenSSL
import Replicator
import Simulation
import Testing

@Suite struct SimulationTests {
  private static let faults = 30

  @Test(arguments: Seeds.toRun(24))
  func `after any faults the hub holds what the journal holds`(seed: UInt64) async throws {
    let world = try SimulatedWorld(seed: seed, faults: Self.faults)
    do { try await world.run() } catch { world.failures.append("\(error)") }
    if world.failures.isEmpty { try await expectRest(world) }
    #expect(world.failures.isEmpty, "seed \(seed): \(world.failures)\n\(world.trace)")
    await world.agent.stop()
  }

  @Test(arguments: [3, 1_414_213])
  func `one seed is one story`(seed: UInt64) async throws {
    var traces: [RunTrace] = []
    for _ in 0..<2 {
      let world = try SimulatedWorld(seed: seed, faults: Self.faults)
      try await world.run()
      #expect(world.trace.lines > 200)
      traces.append(world.trace)
      await world.agent.stop()
    }
    #expect(traces[0].digest == traces[1].digest, "\(traces[0].parting(from: traces[1]))")
  }

  @Test func `another seed is another story`() async throws {
    var digests: Set<Digest> = []
    for seed in 1...3 as ClosedRange<UInt64> {
      let world = try SimulatedWorld(seed: seed, faults: 5)
      try await world.run()
      digests.insert(world.trace.digest)
      await world.agent.stop()
    }
    #expect(digests.count == 3)
  }

  /// What must hold when nothing happens any more.
  private func expectRest(_ world: SimulatedWorld) async throws {
    func fail(_ what: String) { world.failures.append(what) }
    guard let running = world.agent.running else { return fail("the agent does not run") }
    try world.agent.ledger.expectWhole(running.journal.reader)
    let report = try JournalVerifier(running.journal.reader).verify()
    if !report.isSound { fail("\(report.findings)") }
    if world.mode == .service, running.delivery.lag != 0 {
      fail("\(running.delivery.lag.map { "\($0)" } ?? "nobody knows how many") records wait")
    }
    let ledger = world.agent.ledger
    let cursor = try await running.source.cursor()
    if cursor ?? .start < ledger.last {
      fail("the cursor is at \(String(describing: cursor)), the last record at \(ledger.last)")
    }
    var reports: Set<[UInt8]> = []
    try running.journal.reader.scan { view in
      if view.payload.first == SimulatedAgent.report { reports.insert(Array(view.payload)) }
      return true
    }
    for (place, hash) in world.hub.express where ledger.abandoned[place]?.contains(hash) != true {
      fail("what came ahead of \(place) did not go when its turn came")
    }
    for (place, hash) in ledger.records where world.hub.records[place] != hash {
      if world.hub.hasRejected(hash, at: place) {
        if !reports.contains(SimulatedAgent.report(of: place)) { fail("nobody was told of the rejection of \(place)") }
        continue
      }
      if !world.hub.keepsAsOther(hash, at: place) { fail("the hub does not have \(place)") }
      if !world.conflictsTold.contains(place) { fail("nobody was told of the conflict at \(place)") }
      if ledger.abandoned[place] == nil { fail("a conflict at \(place), where nothing was put back") }
    }
    for (place, hash) in world.hub.records where ledger.records[place] != hash {
      if ledger.abandoned[place]?.contains(hash) != true { fail("the hub has \(place), which the journal never had") }
    }
  }
}
