// What `ptagent status` reads and shows.

import FoundationEssentials
import Platform
import Testing

@testable import AgentCore

@Suite struct StatusTests {
  static func sample(
    _ condition: AgentStatus.Condition = .ok, remedy: String? = nil, written: Int64 = 1_000_000
  ) throws -> AgentStatus {
    let json = """
      {"version":"0.1.0","process":7,"started":"2026-03-01T08:00:00.000Z","written":"2026-03-01T08:15:00.000Z",
       "writtenMilliseconds":\(written),"devices":{"read":3,"unreachable":1},
       "install":{"id":"i-1","entity":"Acme","hub":"hub:7444","certificateDaysLeft":80},
       "journal":{"directory":"/j","head":{"epoch":1,"sequence":9},"acknowledged":{"epoch":1,"sequence":4},"lag":5},
       "delivery":{"recordsSent":4,"rejections":0,"conflicts":0},
       "components":[{"name":"delivery","state":"\(condition.rawValue)","since":"2026-03-01T08:01:00.000Z","message":"as it is"\(remedy.map { ",\"remedy\":\"\($0)\"" } ?? "")}]}
      """
    return try JSONDecoder().decode(AgentStatus.self, from: Data(json.utf8))
  }

  @Test func `the status file has the documented keys and reads back as it was written`() throws {
    let status = try Self.sample()
    let json = try status.json()
    #expect(try JSONDecoder().decode(AgentStatus.self, from: Data(json)) == status)
    let text = String(decoding: json, as: UTF8.self)
    for key in [
      "version", "process", "started", "written", "install", "journal", "devices", "delivery", "components", "lag",
      "since",
    ] {
      #expect(text.contains("\"\(key)\""), "\(key)")
    }
    #expect(try status.json() == json)
  }

  @Test func `a status is read from its directory, and none is no error`() throws {
    let directory = "/tmp/printtrail-tests/status-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectory(directory)
    #expect(try AgentStatus.read(stateDirectory: directory) == nil)
    let status = try Self.sample()
    try Files.replace(AgentStatus.path(in: directory), with: try status.json())
    #expect(try AgentStatus.read(stateDirectory: directory) == status)
    try Files.replace(AgentStatus.path(in: directory), with: Array("{}".utf8))
    #expect(throws: (any Error).self) { try AgentStatus.read(stateDirectory: directory) }
  }

  @Test func `a running agent is shown with each part, since when, and what to do`() throws {
    let status = try Self.sample(.failed, remedy: "Do this.")
    let report = StatusReport(status: status, journal: nil, isRunning: { $0 == 7 }, now: 1_001_000)
    #expect(report.presence == .running)
    #expect(report.exitCode == 1)
    for part in [
      "process 7", "failed", "i-1 of Acme", "80 days", "3 read, 1 unreachable", "2026-03-01T08:01:00.000Z",
      "delivery: Do this.",
    ] {
      #expect(report.text.contains(part), "\(part)")
    }
  }

  @Test(arguments: [(80, "good for 80 days"), (1, "good for 1 day"), (0, "expires today"), (-1, "expired 1 day ago")])
  func `a certificate is good for days or expired days ago`(days: Int64, says: String) throws {
    var status = try Self.sample()
    status.install?.certificateDaysLeft = days
    let report = StatusReport(status: status, journal: nil, isRunning: { _ in true }, now: 1_001_000)
    #expect(report.text.contains("certificate \(says)\n"))
  }

  @Test(arguments: [(1_000_300, "less than a second ago"), (1_002_700, "2 s ago")])
  func `an age is told in whole seconds`(now: Int64, says: String) throws {
    let report = StatusReport(status: try Self.sample(), journal: nil, isRunning: { _ in false }, now: now)
    #expect(report.text.contains("last seen \(says)"))
  }

  @Test func `the JSON is one line`() throws {
    let report = StatusReport(status: try Self.sample(), journal: nil, isRunning: { _ in true }, now: 1_001_000)
    #expect(try report.json().split(separator: "\n").count == 1)
  }

  @Test func `an agent that is gone is not shown as running, whatever its last words were`() throws {
    let report = StatusReport(status: try Self.sample(), journal: nil, isRunning: { _ in false }, now: 1_060_000)
    #expect(report.presence == .stopped)
    #expect(report.exitCode == 69)
    #expect(report.text.contains("does not run; it was last seen 1 min ago"))
    #expect(!report.text.contains("as it is"))
  }

  @Test func `an agent that has not moved for long hangs`() throws {
    let report = StatusReport(status: try Self.sample(), journal: nil, isRunning: { _ in true }, now: 1_100_000)
    #expect(report.presence == .hanging)
    #expect(report.exitCode == 1)
  }

  @Test func `technicians' sessions are told of where there may be any`() throws {
    var status = try Self.sample()
    func report(_ isRunning: Bool) -> StatusReport {
      StatusReport(status: status, journal: nil, isRunning: { _ in isRunning }, now: 1_001_000)
    }
    #expect(!report(true).text.contains("remote"))
    #expect(try !report(true).json().contains("remote"))
    status.remote = AgentStatus.Remote(sessions: 2)
    #expect(report(true).text.contains("\nremote     switched on, 2 sessions open\n"))
    #expect(try report(true).json().contains("\"remote\":{\"sessions\":2}"))
    #expect(!report(false).text.contains("remote"))
  }

  @Test func `an agent that never ran is told as such`() throws {
    let report = StatusReport(status: nil, journal: nil, isRunning: { _ in true }, now: 0)
    #expect(report.presence == .never)
    #expect(try report.json() == "{\"presence\":\"never\",\"status\":null}\n")
  }

  @Test func `the worst part decides how the agent is`() throws {
    for condition in [AgentStatus.Condition.ok, .working, .waiting, .degraded, .failed] {
      #expect(try Self.sample(condition).condition == condition)
    }
  }
}
