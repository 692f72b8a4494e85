import Foundation
import Glibc
import Testing

extension `Hubs that are tried hard` {
  /// Bad networks: three agents deliver through tools/fault-proxy, which cuts, delays and spoils their connections, while hub and agents are
  /// killed. What remains is exactly what the agents recorded.
  @Suite(.serialized, .enabled(if: programs != nil, "needs the built programs: run tools/test"))
  struct `Delivery over bad networks, with real programs` {
    /// How long each fault lasts. PT_FAULT_SECONDS raises it for a long run.
    static let seconds = ProcessInfo.processInfo.environment["PT_FAULT_SECONDS"].flatMap(Double.init) ?? 8
    static let minutes = 6 + Int(seconds) / 30
    static let seed = `Delivery, with real programs`.seed
    private static let proxy = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("tools/fault-proxy").path

    /// Faults that strike once in a connection: the agents connect again and again.
    private static let striking = [
      "cut", "close", "half-close", "silence", "truncate", "duplicate", "reorder", "garble",
    ]

    /// A hub with three agents that reach it through a proxy.
    private func household(network: Int) async throws -> (Household, proxyPort: Int) {
      let site = try Site(network: network)
      try await site.startFleet(printers: 3)
      let (_, pin) = try await site.makeHub()
      try await site.startHub()
      let household = Household(hub: site)
      let code = try await site.newCode(uses: 3)
      let port = site.ports.csr + 4
      for agent in 1...3 { try await household.enrol(network: network + agent, code: code, pin: pin, dcam: port) }
      return (household, port)
    }

    private func startProxy(_ site: Site, port: Int, faults: [String], bytes: Int = 32_768) async throws -> Program {
      let program = try Program(
        path: Self.proxy,
        [
          "--listen", "127.0.0.1:\(port)", "--to", "127.0.0.1:\(site.ports.dcam)", "--seed", "\(Self.seed)", "--bytes",
          "\(bytes)", "--linger", "1",
        ] + faults.flatMap { ["--fault", $0] }, log: site.directory)
      try await program.waits(for: "ready")
      return program
    }

    /// Ends the faults, lets everybody come back, and compares.
    private func settle(_ household: Household, _ proxy: Program) async throws {
      proxy.signal(SIGUSR1)
      try await proxy.waits(for: "\"faults\": false")
      if household.hub.hub?.isRunning != true { try await household.hub.startHub() }
      for (site, _) in household.agents {
        // Who was sent away again and again comes back after minutes; one that is started anew comes at once.
        if site.agent?.isRunning == true { try await site.stopAgent() }
      }
      try await household.expectEqualEnds()
      #expect(household.hub.hub?.isRunning == true)
      #expect(proxy.isRunning, "\(proxy.output.suffix(2000))")
    }

    @Test(.timeLimit(.minutes(minutes)), arguments: striking + ["delay", "throttle", "refuse"])
    func `survives each fault, and restarts of both ends`(fault: String) async throws {
      print("seed \(Self.seed); repeat with PT_SEED=\(Self.seed)")
      let (household, port) = try await household(network: 80)
      let proxy = try await startProxy(household.hub, port: port, faults: [fault])
      for (site, _) in household.agents { try site.startAgent() }
      try await Task.sleep(for: .seconds(Self.seconds / 2))
      // No fault ends a program.
      for (site, _) in household.agents { #expect(site.agent?.isRunning == true, "\(site.agent?.output ?? "")") }
      #expect(household.hub.hub?.isRunning == true, "\(household.hub.hub?.output ?? "")")
      household.agents[0].site.killAgent()
      household.hub.killHub()
      try household.agents[0].site.startAgent()
      try await household.hub.startHub()
      try await Task.sleep(for: .seconds(Self.seconds / 2))
      if Self.striking.contains(fault) {
        try await eventually(60, "the fault to strike") {
          proxy.output.components(separatedBy: "\"struck\": \"\(fault)\"").count > 3
        }
      }
      try await settle(household, proxy)
    }

    @Test(.timeLimit(.minutes(minutes * 2)))
    func `survives a mix of all faults while hub and agents are killed`() async throws {
      print("seed \(Self.seed); repeat with PT_SEED=\(Self.seed)")
      var generator = SplitMix(seed: Self.seed)
      let (household, port) = try await household(network: 80)
      let proxy = try await startProxy(
        household.hub, port: port, faults: Self.striking + ["delay", "throttle", "refuse", "none"], bytes: 131_072)
      for (site, _) in household.agents { try site.startAgent() }
      let end = ContinuousClock.now + .seconds(Self.seconds * 3)
      while ContinuousClock.now < end {
        try await Task.sleep(for: .milliseconds(Int.random(in: 200...2_500, using: &generator)))
        let victim = Int.random(in: 0...3, using: &generator)
        if victim == 3 {
          household.hub.killHub()
          try await household.hub.startHub()
        } else {
          household.agents[victim].site.killAgent()
          try household.agents[victim].site.startAgent()
        }
      }
      try await settle(household, proxy)
    }

    /// What is spoiled under TLS is found by TLS: nothing of it becomes a record, and the hub counts it.
    @Test(.timeLimit(.minutes(minutes)), arguments: ["duplicate", "reorder", "garble"])
    func `bytes that were tampered with end the connection cleanly, and are counted`(fault: String) async throws {
      let (household, port) = try await household(network: 80)
      let proxy = try await startProxy(household.hub, port: port, faults: [fault], bytes: 4_096)
      for (site, _) in household.agents { try site.startAgent() }
      try await eventually(90, "TLS to find it; the proxy: \(proxy.output.suffix(800))") {
        try await (household.hub.metrics()["pthub_connection_errors_total{kind=\"tls\"}"] ?? 0) >= 1
      }
      #expect(household.hub.hub?.output.contains("connection broke TLS") == true)
      try await settle(household, proxy)
    }
  }
}
