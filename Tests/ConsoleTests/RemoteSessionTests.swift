// Technicians' sessions at the local console: who is there, who was, and how they end.

import AlertRules
import Console
import Events
import Foundation
import Journal
import Synchronization
import Testing
import WebServing

@Suite struct `Technicians' sessions at the local console` {
  private struct Open: Decodable {
    struct Session: Decodable {
      struct Device: Decodable {
        var id: String
        var make: String?
        var serial: String?
      }
      var id: String
      var device: Device
      var address: String
      var user: String
      var from: String
      var reason: String
      var evidence: String
      var targets: [String]
      var since: String
      var until: String
      var requests: UInt64
      var bytesSent: UInt64
      var bytesReceived: UInt64
    }
    var enabled: Bool
    var hub: String?
    var sessionsMax: Int
    var opening: Int
    var sessions: [Session]
  }

  private struct Closed: Decodable {
    struct Session: Decodable {
      var id: String
      var device: Open.Session.Device?
      var user: String?
      var reason: String?
      var since: String
      var ended: String
      var why: String
      var message: String
      var requests: UInt64
    }
    var items: [Session]
    var next: String?
    var complete: Bool
  }

  private static func job(_ number: UInt8) -> JobID { JobID([UInt8](repeating: 0, count: 15) + [number])! }

  private static func visit(_ user: String) -> JobOrder.Visit {
    JobOrder.Visit(user: user, reason: "a <b>jam</b>", from: "198.51.100.7", seconds: 600)
  }

  private static func session(_ number: UInt8, _ user: String) -> ConsoleRemoteSession {
    ConsoleRemoteSession(
      job: job(number), device: ConsoleOfAFleet.id(Int(number)), address: "10.0.0.\(number)", visit: visit(user),
      evidence: "serial SN1", targets: ["https:443"], since: 1_000, until: 1_801_000, requests: 3, bytesSent: 4,
      bytesReceived: 5)
  }

  private func decoded<Value: Decodable>(_ text: String, _ type: Value.Type) throws -> Value {
    try JSONDecoder().decode(type, from: Data(text.utf8))
  }

  @Test func `are shown with who, from where, why, which device, since when, until when and how much`() async throws {
    let site = try ConsoleOfAFleet()
    try await site.live(devices: 3)
    site.visits.open.withLock { $0 = [Self.session(1, "anna"), Self.session(99, "ben")] }
    let open = try decoded(await site.get("remote").text, Open.self)
    #expect(open.enabled && open.hub == "hub.example.org:6000" && open.sessionsMax == 20 && open.opening == 1)
    let first = try #require(open.sessions.first)
    #expect(first.user == "anna" && first.from == "198.51.100.7" && first.reason == "a <b>jam</b>")
    #expect(first.device.serial == "SN100001" && first.device.make == "Ricoh" && first.address == "10.0.0.1")
    #expect(first.since == "1970-01-01T00:00:01.000Z" && first.until == "1970-01-01T00:30:01.000Z")
    #expect(first.requests == 3 && first.bytesSent == 4 && first.bytesReceived == 5 && first.targets == ["https:443"])
    // A device that nobody knows any more has its id.
    #expect(open.sessions.last?.device.id == ConsoleOfAFleet.id(99).description)
  }

  @Test func `end one by one, and all at once`() async throws {
    let site = try ConsoleOfAFleet()
    site.visits.open.withLock { $0 = [1, 2, 3].map { Self.session($0, "anna") } }
    let one = await site.ask(.delete, "remote/sessions/\(Self.job(2))")
    #expect(one.status == 200 && one.text == #"{"ended":1}"#)
    #expect(site.visits.open.withLock { $0.map(\.job) } == [Self.job(1), Self.job(3)])
    for wrong in ["\(Self.job(2))", "zz"] {
      let gone = await site.ask(.delete, "remote/sessions/\(wrong)")
      #expect(gone.status == 404 && gone.text.contains("unknown_session"), "\(gone)")
    }
    let all = await site.ask(.delete, "remote/sessions")
    #expect(all.status == 200 && all.text == #"{"ended":2}"#)
    // Whoever presses the button twice has done nothing wrong.
    #expect(await site.ask(.delete, "remote/sessions").text == #"{"ended":0}"#)
  }

  @Test func `that ended are those of the journal, the newest first, with what ended them`() async throws {
    let site = try ConsoleOfAFleet()
    try await site.live(devices: 2)
    let device = ConsoleOfAFleet.id(1)
    var events: [Event] = []
    for number in UInt8(1)...3 {
      let order = JobOrder(.page, devices: [device], visit: Self.visit("anna"))
      // Of the first one, nothing is known any more but that it ended.
      if number > 1 {
        events.append(
          Event(time: 10_000, .jobReceived(JobReceived(id: Self.job(number), order: order, created: 0, deadline: 0))))
      }
      events.append(
        Event(
          time: 100_000 * Int64(number), device: device,
          .remoteSessionClosed(
            RemoteSessionClosed(
              job: Self.job(number), reason: number == 3 ? "closed" : "time", message: "It ended.", requests: 7,
              milliseconds: 60_000))))
    }
    try await site.journal.append(try events.map { try $0.encoded() })
    let closed = try decoded(await site.get("remote/closed").text, Closed.self)
    #expect(closed.items.map(\.id) == [3, 2, 1].map { Self.job($0).description } && closed.complete)
    #expect(
      closed.items.map(\.why) == ["closed", "time", "time"] && closed.items.map(\.user) == ["anna", "anna", nil])
    let newest = try #require(closed.items.first)
    #expect(newest.since == "1970-01-01T00:04:00.000Z" && newest.ended == "1970-01-01T00:05:00.000Z")
    #expect(newest.device?.id == device.description && newest.requests == 7 && newest.message == "It ended.")
    let page = try decoded(await site.get("remote/closed", ("limit", "1")).text, Closed.self)
    #expect(page.items.count == 1 && !page.complete)
    let next = try #require(page.next)
    #expect(
      try decoded(await site.get("remote/closed", ("before", next)).text, Closed.self).items.map(\.id)
        == [2, 1].map { Self.job($0).description })
  }

  @Test func `are nobody's who is not logged in, and take no other methods`() async throws {
    let site = try ConsoleOfAFleet()
    for (method, path) in [
      (WebMethod.post, "remote"), (.get, "remote/sessions"), (.post, "remote/sessions/\(Self.job(1))"),
      (.delete, "remote/closed"),
    ] { #expect(await site.ask(method, path).status == 405, "\(method) \(path)") }
    #expect(await site.ask(.put, "password", #"{"new":"four words in a row"}"#).status == 204)
    site.visits.open.withLock { $0 = [Self.session(1, "anna")] }
    for (method, path) in [
      (WebMethod.get, "remote"), (.get, "remote/closed"), (.delete, "remote/sessions"),
      (.delete, "remote/sessions/\(Self.job(1))"),
    ] { #expect(await site.ask(method, path).status == 401, "\(method) \(path)") }
    #expect(site.visits.open.withLock { $0.count } == 1)
  }

  @Test func `that met another certificate have raised an alert with a name`() async throws {
    let site = try ConsoleOfAFleet()
    try await site.live(devices: 2)
    let raised = AlertRaised(
      key: RemoteAlert.certificateKey(port: 443), alert: RemoteAlert.certificate(port: 443), evidence: "SHA-256 aa")
    try await site.journal.append([
      try Event(time: 9_000, device: ConsoleOfAFleet.id(1), .alertRaised(raised)).encoded()
    ])
    let alerts = await site.get("alerts", ("origin", "rule")).text
    for part in [
      #""total":1"#, #""group":"remote""#, #""code":"remote.certificate""#, #""severity":"warning""#,
      #""evidence":"SHA-256 aa""#, #""origin":"rule""#,
    ] { #expect(alerts.contains(part), "\(part): \(alerts)") }
  }
}
