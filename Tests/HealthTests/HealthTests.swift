import Foundation
import HTTP2
import TLS
import Testing

@testable import Health

@Suite struct HealthTests {
  @Test func `a report is due at once, then each minute, and five seconds after a change at the earliest`() {
    var schedule = HealthSchedule()
    let start = ContinuousClock.now
    #expect(schedule.isDue(["a=ok"], now: start))
    schedule.attempted(["a=ok"], now: start)
    #expect(!schedule.isDue(["a=ok"], now: start.advanced(by: .seconds(59))))
    #expect(schedule.isDue(["a=ok"], now: start.advanced(by: .seconds(60))))
    #expect(!schedule.isDue(["a=failed"], now: start.advanced(by: .seconds(4))))
    #expect(schedule.isDue(["a=failed"], now: start.advanced(by: .seconds(5))))
  }

  @Test func `a report is one JSON object with sorted keys, the same each time`() throws {
    let report = HealthReport(
      version: "0.1.0", time: "2026-03-01T08:15:00.000Z", uptimeSeconds: 5,
      journal: .init(head: .init(epoch: 1, sequence: 9), acknowledged: nil, lag: 9), diskFreeBytes: 1,
      certificateDaysLeft: 80,
      lastSweep: .init(completed: "2026-03-01T08:14:00.000Z", milliseconds: 7, outcomes: ["found": 2]),
      devices: ["read": 2],
      components: [.init(name: "delivery", state: "ok", since: "2026-03-01T08:14:00.000Z", message: "m")],
      collectorProgress: nil)
    let text = String(decoding: try report.json(), as: UTF8.self)
    #expect(
      text == """
        {"certificateDaysLeft":80,"components":[{"message":"m","name":"delivery","since":"2026-03-01T08:14:00.000Z","state":"ok"}],\
        "devices":{"read":2},"diskFreeBytes":1,"journal":{"head":{"epoch":1,"sequence":9},"lag":9},\
        "lastSweep":{"completed":"2026-03-01T08:14:00.000Z","milliseconds":7,"outcomes":{"found":2}},"progress":[],\
        "time":"2026-03-01T08:15:00.000Z","uptimeSeconds":5,"version":"0.1.0"}
        """)
    let headline = HealthReport.headline(
      components: [("delivery", "ok")], lastSweep: "2026-03-01T08:14:00.000Z", version: "0.1.0")
    #expect(headline == ["delivery=ok", "2026-03-01T08:14:00.000Z", "0.1.0"])
  }

  @Test func `the format's page shows a report with every member, and explains each`() throws {
    let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("../..")
    let page = try String(contentsOf: root.appendingPathComponent("docs/formats/health.md"), encoding: .utf8)
    let example = Data(
      try #require(page.components(separatedBy: "```json\n").last?.components(separatedBy: "```").first).utf8)
    let report = try JSONDecoder().decode(HealthReport.self, from: example)
    let shown = try #require(try JSONSerialization.jsonObject(with: example) as? NSDictionary)
    let sent = try #require(try JSONSerialization.jsonObject(with: Data(try report.json())) as? NSDictionary)
    #expect(shown == sent, "the page shows what is not sent")
    let members = Self.members(of: sent)
    let whole = HealthReport(
      version: "", time: "", uptimeSeconds: 0,
      journal: .init(head: .init(epoch: 1, sequence: 0), acknowledged: .init(epoch: 1, sequence: 0), lag: 0),
      diskFreeBytes: 0, certificateDaysLeft: 0, lastSweep: .init(completed: "", milliseconds: 0, outcomes: [:]),
      devices: [:], components: [.init(name: "", state: "", since: "", message: "")], collectorProgress: "",
      nextCheckIn: "", clockAheadSeconds: 0,
      damage: .init(recordsLost: 0, recordsSalvaged: 0, endsUnknown: 0, quarantines: 0),
      progress: [.init(part: "", state: "", moved: "", reason: "")])
    let all = try #require(try JSONSerialization.jsonObject(with: Data(try whole.json())) as? NSDictionary)
    #expect(members == Self.members(of: all), "the page's example lacks a member")
    for member in members { #expect(page.contains("| `\(member)` |"), "\(member) is not explained") }
  }

  /// The names of a report's members, those of groups and rows behind a point.
  private static func members(of report: NSDictionary) -> Set<String> {
    var members: Set<String> = []
    for case (let name as String, let value) in report {
      let row = (value as? [Any])?.first as? [String: Any]
      let inner = ["journal", "lastSweep", "damage"].contains(name) ? value as? [String: Any] : row
      if let inner { members.formUnion(inner.keys.map { "\(name).\($0)" }) }
      if inner == nil || row != nil { members.insert(name) }
    }
    return members
  }

  static let connections: [(TLSError, HealthFailure.Cause, String)] = [
    (.unreachable(address: "h:1", reason: "no route"), .unavailable, "firewalls let the connection through"),
    (.refused(address: "h:1"), .unavailable, "Check hub.hc, and that the hub runs."),
    (.connectionLost(reason: "reset"), .unavailable, "the hub's log"),
    (.certificateNotTrusted(reason: "self-signed"), .foreign, "If the hub was made anew"),
    (.certificateExpired(subject: "CN=hub"), .foreign, "must renew the hub's certificate"),
    (.certificateNotYetValid(subject: "CN=hub"), .foreign, "Set this machine's clock"),
    (.wrongHost(expected: "h", names: ["hub"]), .foreign, "a name that the certificate has"),
    (.ownCertificateRefused(reason: "unknown"), .refused, "Ask the hub's operator"),
  ]

  @Test(arguments: connections.indices)
  func `a connection that fails is told with its own cause and remedy`(index: Int) {
    let (error, cause, remedy) = Self.connections[index]
    let failure = HealthFailure(HTTP2Error.connection(error))
    #expect(failure.cause == cause)
    #expect(failure.description == error.description)
    #expect(failure.remedy.contains(remedy), "\(failure.remedy)")
    #expect(failure.remedy.contains("firewall") == (remedy.contains("firewall")))
  }

  static let answers: [(Int, String, HealthFailure.Cause, String, String)] = [
    (
      503, #"{"error":"The hub cannot store now."}"#, .unavailable,
      "hc answered with HTTP 503: The hub cannot store now.", "the hub's log"
    ),
    (503, "<html>Bad gateway</html>", .unavailable, "hc answered with HTTP 503.", "the hub's log"),
    (403, #"{"error":"Revoked."}"#, .refused, "hc answered with HTTP 403: Revoked.", "enroll --again"),
    (404, "", .foreign, "hc answered with HTTP 404.", "names the hub's hc port"),
  ]

  @Test(arguments: answers.indices)
  func `an answer other than success is told with the hub's reason, and never blamed on a firewall`(index: Int) {
    let (status, body, cause, description, remedy) = Self.answers[index]
    let failure = HealthFailure(status: status, body: Array(body.utf8))
    #expect(failure.cause == cause)
    #expect(failure.description == description)
    #expect(failure.remedy.contains(remedy) && !failure.remedy.contains("firewall"))
  }
}
