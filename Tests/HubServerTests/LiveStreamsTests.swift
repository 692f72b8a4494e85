@testable internal import HubServer
internal import Testing

@Suite struct LiveStreamsTests {
  private let overlap = HubLimits.twinOverlap.milliseconds

  private func peer(_ install: Int64 = 1, serial: String = "aa", notAfter: Int64 = 1_000_000_000) -> Peer {
    Peer(
      install: Install(
        number: InstallNumber(install), id: "i-\(install)", entity: "Acme", journalID: [], journalKey: [],
        machine: MachineDescription(hostName: "", operatingSystem: "", agentVersion: ""), enrolledAt: 0, seenAt: nil,
        revokedAt: nil),
      serial: serial, notAfter: notAfter, isOfRetiringRoot: false)
  }

  @Test func `a stream ends with its install, its certificate, or what took the place of it`() {
    var live = LiveStreams()
    let id = live.open(peer(), address: "a", now: 0).id
    _ = live.open(peer(2, serial: "bb"), address: "b", now: 0)
    #expect(live.due(EndedIdentities(), now: 0).isEmpty)
    for (ended, ending) in [
      (EndedIdentities(installs: [InstallNumber(1)]), LiveStreams.Ending.installRevoked),
      (EndedIdentities(revoked: ["aa"]), .certificateRevoked),
      (EndedIdentities(superseded: ["aa"]), .certificateReplaced),
    ] {
      let due = live.due(ended, now: 0)
      #expect(due.map(\.0) == [id] && due.map(\.1) == [ending])
    }
  }

  @Test func `a stream outlives its certificate by fifteen minutes`() {
    var live = LiveStreams()
    _ = live.open(peer(notAfter: 5_000), address: "a", now: 0)
    let skew = HubLimits.clockSkew.milliseconds
    #expect(live.due(EndedIdentities(), now: 5_000 + skew).isEmpty)
    #expect(live.due(EndedIdentities(), now: 5_001 + skew).map(\.1) == [.certificateEnded])
  }

  @Test func `a connection that died beside the one that followed it is no twin`() {
    var live = LiveStreams()
    let first = live.open(peer(), address: "a", now: 0).id
    _ = live.heard(first, now: 100)
    let second = live.open(peer(), address: "a", now: 1_000).id
    // What was under way comes in.
    #expect(live.heard(first, now: 1_000 + overlap - 1) == nil)
    for later in 0..<100 { #expect(live.heard(second, now: 1_000 + overlap + Int64(later) * 1_000) == nil) }
  }

  @Test func `two streams that both go on are two agents`() {
    var live = LiveStreams()
    let first = live.open(peer(), address: "a", now: 0).id
    let second = live.open(peer(), address: "b", now: 1_000).id
    #expect(live.heard(second, now: 1_000 + overlap) == nil)
    let twins = live.heard(first, now: 1_001 + overlap)
    #expect(twins == LiveStreams.Twins(install: InstallNumber(1), first: "a", second: "b"))
    #expect(live.heard(second, now: 1_002 + overlap) == twins)
    live.close(first)
    #expect(live.heard(second, now: 1_003 + overlap) == nil)
  }

  @Test func `streams of two installs have nothing to do with each other, and closed ones are forgotten`() {
    var live = LiveStreams()
    let first = live.open(peer(1), address: "a", now: 0).id
    let second = live.open(peer(2), address: "b", now: 0).id
    #expect(live.heard(first, now: overlap) == nil && live.heard(second, now: overlap) == nil)
    live.close(first)
    live.close(first)
    live.close(second)
    #expect(live.count == 0)
    #expect(live.heard(first, now: overlap * 2) == nil)
  }
}
