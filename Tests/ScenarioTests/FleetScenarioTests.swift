import Foundation
import Testing

/// Real programs over loopback: printers whose supplies run low and are changed, and one that gets another address.
@Suite(.serialized, .timeLimit(.minutes(3)), .enabled(if: programs != nil, "needs the built programs: run tools/test"))
struct `A fleet that lives` {
  private struct Alert: Decodable {
    var key: String
    var description: String?
  }
  private struct Device: Decodable {
    var id: String
    var address: String
    var state: String
    var alerts: [Alert]
  }
  private struct Devices: Decodable {
    var devices: [Device]
  }

  /// A printer with two toners, as a recorded walk.
  private func walk(serial: String, total: Int, black: Int, cyan: Int) -> String {
    let supplies = [(1, "Black Toner", black), (2, "Cyan Toner", cyan)].flatMap { row, name, level in
      [
        "1.3.6.1.2.1.43.11.1.1.2.1.\(row)|2|1", "1.3.6.1.2.1.43.11.1.1.3.1.\(row)|2|0",
        "1.3.6.1.2.1.43.11.1.1.4.1.\(row)|2|3", "1.3.6.1.2.1.43.11.1.1.5.1.\(row)|2|3",
        "1.3.6.1.2.1.43.11.1.1.6.1.\(row)|4|\(name)", "1.3.6.1.2.1.43.11.1.1.7.1.\(row)|2|19",
        "1.3.6.1.2.1.43.11.1.1.8.1.\(row)|2|100", "1.3.6.1.2.1.43.11.1.1.9.1.\(row)|2|\(level)",
      ]
    }
    let rest = [
      "1.3.6.1.2.1.1.1.0|4|Maker Laser 100", "1.3.6.1.2.1.1.2.0|6|1.3.6.1.4.1.99999.1", "1.3.6.1.2.1.1.3.0|67|1000",
      "1.3.6.1.2.1.25.3.2.1.2.1|6|1.3.6.1.2.1.25.3.1.5", "1.3.6.1.2.1.25.3.2.1.3.1|4|Maker Laser 100",
      "1.3.6.1.2.1.25.3.5.1.1.1|2|3", "1.3.6.1.2.1.43.5.1.1.17.1|4|\(serial)", "1.3.6.1.2.1.43.10.2.1.3.1.1|2|7",
      "1.3.6.1.2.1.43.10.2.1.4.1.1|65|\(total)",
    ]
    func key(_ line: String) -> [Int] { line.prefix { $0 != "|" }.split(separator: ".").compactMap { Int($0) } }
    return (rest + supplies).sorted { key($0).lexicographicallyPrecedes(key($1)) }.joined(separator: "\n") + "\n"
  }

  private func serve(_ site: Site, at address: String, _ walk: String) async throws -> Program {
    let name = UUID().uuidString
    let (recording, fleet) = (site.directory.path + "/\(name).snmprec", site.directory.path + "/\(name).toml")
    try walk.write(toFile: recording, atomically: true, encoding: .utf8)
    let text = """
      port = \(site.ports.snmp)
      [[printers]]
      address = "\(address)"
      walk = "\(recording)"

      """
    try text.write(toFile: fleet, atomically: true, encoding: .utf8)
    let program = try Program("ptsim", ["serve", "--fleet", fleet], log: site.directory)
    try await program.waits(for: "ready")
    return program
  }

  private func startAgent(_ site: Site, _ further: String = "") throws {
    let text = """
      [state]
      directory = "\(site.stateDirectory)"
      [console]
      enabled = false
      [discovery]
      ranges = ["127.30.\(site.network).1-4"]
      port = \(site.ports.snmp)
      sweep_interval = "10s"
      [poll]
      interval = "1s"
      \(further)

      """
    try text.write(toFile: site.configuration, atomically: true, encoding: .utf8)
    try site.startAgent()
  }

  private func devices(_ site: Site) async throws -> [Device] {
    let (status, output) = try await site.agentCommand(["devices", "--output", "json"])
    guard status == 0 else { return [] }
    return try site.decode(output, Devices.self).devices
  }

  private func waitForAlerts(_ site: Site, _ keys: Set<String>) async throws {
    var last: [Device] = []
    try await eventually(60, "the alerts \(keys), and not \(last)") {
      last = try await devices(site)
      return last.count == 1 && Set(last[0].alerts.map(\.key)) == keys
    }
  }

  @Test func `supplies run low and are replaced, one of them too early`() async throws {
    let site = try Site(network: 41)
    let address = "127.30.41.1"
    var printer = try await serve(site, at: address, walk(serial: "MKR0004101", total: 100, black: 5, cyan: 40))
    try startAgent(
      site, "[[meters.offset]]\ndevice = \"MKR0004101\"\nmeter = \"total\"\noffset = 900\nreason = \"board\"")
    // -1.ROW.RULE: black is low.
    try await waitForAlerts(site, ["-1.1.1"])
    printer.killNow()
    printer = try await serve(site, at: address, walk(serial: "MKR0004101", total: 110, black: 100, cyan: 100))
    // Both are replaced, and cyan with 40 % left; black is low no more.
    try await waitForAlerts(site, ["-1.1.2", "-1.2.2", "-1.2.3"])
    let told = try await devices(site)[0].alerts.compactMap(\.description)
    #expect(told.contains("Cyan Toner was replaced early: 40 % were left"), "\(told)")
    // An agent that is killed and starts again tells nothing twice, and has the same alerts.
    site.killAgent()
    try startAgent(
      site, "[[meters.offset]]\ndevice = \"MKR0004101\"\nmeter = \"total\"\noffset = 900\nreason = \"board\"")
    try await Task.sleep(for: .seconds(3))
    try await waitForAlerts(site, ["-1.1.2", "-1.2.2", "-1.2.3"])
    try await site.stopAgent()
    let (status, replayed) = try await Program.run("ptjournal", ["replay", site.journal], in: site.directory)
    #expect(status == 0, "\(replayed)")
    let why = try await Program.run("ptjournal", ["why", site.journal, "MKR0004101", "total"], in: site.directory)
    #expect(why.output.contains("110 impressions") && why.output.contains("1010"), "\(why.output)")
    #expect(why.output.contains("+900 since") && why.output.contains("board"), "\(why.output)")
    _ = printer
  }

  @Test func `a printer that gets another address is the same one, and --why says by what`() async throws {
    let site = try Site(network: 42)
    let recording = walk(serial: "MKR0004201", total: 100, black: 50, cyan: 40)
    let before = try await serve(site, at: "127.30.42.1", recording)
    try startAgent(site)
    try await eventually(60, "the printer to be read") { try await devices(site).map(\.state) == ["read"] }
    before.killNow()
    let after = try await serve(site, at: "127.30.42.3", recording)
    try await eventually(90, "the printer to have moved") {
      try await devices(site).map(\.address) == ["127.30.42.3:\(site.ports.snmp)"]
    }
    let (status, why) = try await site.agentCommand(["devices", "--why", "MKR0004201"])
    #expect(status == 0)
    #expect(
      why.contains("from 127.30.42.1:\(site.ports.snmp) to 127.30.42.3:\(site.ports.snmp): serial MKR0004201"), "\(why)"
    )
    let (_, days) = try await site.agentCommand(["devices", "--days-left"])
    #expect(days.contains("unknown: too few points"), "\(days)")
    try await site.stopAgent()
    _ = after
  }
}
