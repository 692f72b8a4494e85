import Foundation
import Testing

/// Suites that share networks (80 to 84), and so run one after the other.
@Suite(.serialized) enum `Hubs that are tried hard` {}

/// What the suites about running a hub need of a site beyond the others.
extension Site {
  // MARK: Metrics

  struct Answer {
    var status: Int
    var body: String
  }

  /// Asks the hub's listener for metrics and health.
  func ask(_ path: String) async throws -> Answer {
    let program = try Program(
      path: "/usr/bin/curl",
      ["-sS", "--max-time", "10", "-w", "\n%{http_code}", "http://127.0.0.1:\(ports.metrics)\(path)"], log: directory)
    let status = try await program.ended(seconds: 20)
    let output = program.output
    try FileManager.default.removeItem(at: program.log)
    guard status == 0, let end = output.lastIndex(of: "\n") else {
      throw Program.Failure(description: "curl ended with \(status): \(output)")
    }
    return Answer(status: Int(output[end...].dropFirst()) ?? 0, body: String(output[..<end]))
  }

  /// Every sample of /metrics, by its name with its labels.
  func metrics() async throws -> [String: Double] {
    let answer = try await ask("/metrics")
    guard answer.status == 200 else { throw Program.Failure(description: "/metrics: \(answer)") }
    var samples: [String: Double] = [:]
    for line in answer.body.split(separator: "\n") where !line.hasPrefix("#") {
      guard let space = line.lastIndex(of: " "), let value = Double(line[line.index(after: space)...]) else {
        throw Program.Failure(description: "no sample: \(line)")
      }
      samples[String(line[..<space])] = value
    }
    return samples
  }

  // MARK: One of several installs

  /// What the hub holds of an install; nothing may be wrong with it.
  func hubEpochs(of install: String) async throws -> [Epoch] {
    struct Line: Decodable {
      var epoch: UInt32
      var count: UInt64
      var root: String
      var gaps: Int
      var lost: UInt64
      var conflicts: Int
      var rejections: Int
    }
    let lines = try decode(
      try await hubCommand(["records", "--install", install, "--output", "json"]), [Line].self)
    guard lines.allSatisfy({ $0.gaps == 0 && $0.lost == 0 && $0.conflicts == 0 && $0.rejections == 0 }) else {
      throw Program.Failure(description: "the hub has gaps, losses, conflicts or rejections: \(lines)")
    }
    return lines.filter { $0.count > 0 }.map { Epoch(epoch: $0.epoch, records: $0.count, root: $0.root) }
  }

  func newCode(uses: Int) async throws -> String {
    struct Code: Decodable {
      var code: String
    }
    let created = try await hubCommand([
      "code", "create", "--entity", "Scenario", "--uses", "\(uses)", "--output", "json",
    ])
    return try decode(created, Code.self).code
  }

  /// Points an agent of another network at this site's hub and fleet.
  func adopt(_ agent: Site, pin: String, dcam: Int? = nil) throws {
    try agent.configureAgent(pin: pin) { [ports, network] text in
      text.replacing("csr = \"127.0.0.1:\(agent.ports.csr)\"", with: "csr = \"127.0.0.1:\(ports.csr)\"")
        .replacing("dcam = \"127.0.0.1:\(agent.ports.dcam)\"", with: "dcam = \"127.0.0.1:\(dcam ?? ports.dcam)\"")
        .replacing("hc = \"127.0.0.1:\(agent.ports.hc)\"", with: "hc = \"127.0.0.1:\(ports.hc)\"")
        .replacing("127.30.\(agent.network).", with: "127.30.\(network).")
        .replacing("port = \(agent.ports.snmp)", with: "port = \(ports.snmp)")
    }
  }
}

/// An agent with a machine of its own, beside others of the same hub.
final class Household {
  let hub: Site
  private(set) var agents: [(site: Site, install: String)] = []

  /// - Parameter hub: whose hub runs, and whose fleet all agents read.
  init(hub: Site) { self.hub = hub }

  /// Enrols an agent in a network of its own.
  ///
  /// - Parameter dcam: where it finds the hub; nil: where it is.
  @discardableResult
  func enrol(network: Int, code: String, pin: String, dcam: Int? = nil) async throws -> Site {
    let site = try Site(network: network)
    try hub.adopt(site, pin: pin, dcam: dcam)
    let before = Set(try await hub.installs())
    let enrolled = try await site.agentCommand(["enroll", "--code", code])
    #expect(enrolled.status == 0, "\(enrolled.output)")
    let new = try await hub.installs().filter { !before.contains($0) }
    agents.append((site, try #require(new.first)))
    return site
  }

  /// Stops every agent in order, and compares: the hub holds exactly each journal's records, and doubts nobody.
  func expectEqualEnds() async throws {
    for (site, install) in agents {
      if site.agent?.isRunning != true { try site.startAgent() }
      // Its status is there once it takes signals.
      try await eventually(60, "the agent to be up") {
        (try? site.agentStatus())?.contains("\"process\":\(site.agent?.id ?? 0),") == true
      }
      let sofar = try await site.journalEpochs()
      try await eventually(
        180,
        "the hub to hold \(sofar.map(\.records)) of \(install); the agent: \(site.agent?.output.suffix(1500) ?? "")"
      ) {
        let held = try await hub.hubEpochs(of: install)
        return held.count >= sofar.count && zip(held, sofar).allSatisfy { $0.records >= $1.records }
      }
      let status = try await site.stopAgent()
      #expect(status == 0, "\(site.agent?.output.suffix(3000) ?? "")")
      let (held, journal) = (try await hub.hubEpochs(of: install), try await site.journalEpochs())
      #expect(held == journal, "the hub and the journal differ in count or root")
      let verified = try await Program.run("ptjournal", ["verify", site.journal], in: site.directory)
      #expect(verified.status == 0, "\(verified.output)")
      #expect(try await hub.install(install).install.doubt == nil)
    }
  }
}
