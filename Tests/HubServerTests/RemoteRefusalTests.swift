// Who gets nowhere: agents without right, browsers without right, and those who had it.

internal import Events
internal import Foundation
internal import Glibc
@testable internal import HubDatabase
@testable internal import HubServer
internal import NIOCore
internal import TestDatabases
internal import TestPrograms
internal import Testing

@Suite struct `A tunnel is refused` {
  private func expectRefused(
    _ site: RemoteSite, _ session: RemoteSession, as agent: TestAgent? = nil, hello: String? = nil
  ) async throws {
    do {
      let tunnel = try await site.tunnel(session, as: agent, hello: hello)
      try await site.eventuallyTrue(20, "the hub to close the tunnel") { !tunnel.channel.isActive }
    } catch {
      // The handshake was refused, which is as good.
    }
    #expect(try await site.state(session).openedAt == nil)
  }

  @Test func `without a certificate, and with one of another hub`() async throws {
    try await RemoteSite.run { site in
      let session = try await site.ask()
      try await expectRefused(site, session, as: TestAgent(root: site.hub.directory.authority.rootDER))
      let place = try TestDirectory()
      let other = try HubDirectory.create(at: place.path + "/hub", names: ["other.example.org"])
      var stranger = TestAgent(root: site.hub.directory.authority.rootDER)
      let request = try CheckedRequest(der: try stranger.request())
      stranger.certificate = try other.authority.issueClient(install: site.install.id, request: request).der
      try await expectRefused(site, session, as: stranger)
    }
  }

  @Test func `of another install, for another device, for no session, with nonsense`() async throws {
    try await RemoteSite.run { site in
      let session = try await site.ask()
      let (other, _) = try await site.hub.agent(try TestJournal())
      try await expectRefused(site, session, as: other)
      try await expectRefused(site, session, hello: site.hello(session, device: [UInt8](repeating: 8, count: 16)))
      for hello in [
        "", "{}", "[]", site.hello(session, targets: []), site.hello(session, targets: ["tcp:9100"]),
        site.hello(session, seconds: 0), site.hello(session, seconds: 100_000), String(repeating: " ", count: 100_000),
        site.hello(session).replacingOccurrences(
          of: "\"names\":[\"192.168.1.7\",\"npi3f2a\"]", with: "\"names\":[\"a b\"]"),
        site.hello(session).replacingOccurrences(of: "\"session\":\"", with: "\"session\":\"0"),
      ] {
        try await expectRefused(site, session, hello: hello)
      }
      let trail = try await site.hub.store.auditTrail(limit: 50).filter { $0.action == "remote.refused" }
      #expect(trail.contains { $0.detail.contains("there is no such session") })
      #expect(trail.contains { $0.detail.contains("it is of another device") })
      // The right one is still welcome after all these.
      _ = try await site.tunnel(session)
      _ = try await site.becomes(session, "open")
    }
  }

  @Test(
    arguments: [
      (nil, "its time is over."), ("nothing listens there.", "nothing listens there."), ("why?", "why?"),
      ("it was stopped", "it was stopped."),
    ] as [(String?, String)])
  func `in one sentence with one full stop`(reason: String?, words: String) {
    #expect(RemoteSession.endSentence(reason) == "The session has ended: \(words)")
  }

  @Test func `a second time for one session, and for one that has ended or was not sent`() async throws {
    try await RemoteSite.run { site in
      let (session, first, browser) = try await site.opened()
      let second = try await site.tunnel(session)
      try await site.eventuallyTrue(20, "the hub to close the second") { !second.channel.isActive }
      #expect(first.channel.isActive)
      #expect(try await browser.ask("/").status == 200)
      try await first.close(saying: "limit: the session's bytes are used up")
      #expect(try await site.becomes(session, "ended").endReason == "limit: the session's bytes are used up")
      let late = try await site.tunnel(session)
      try await site.eventuallyTrue(20, "the hub to close the late one") { !late.channel.isActive }
      let cancelled = try await site.ask()
      try await site.hub.store.endRemote(
        cancelled.job, because: "enough", by: Actor(name: "test"), now: site.hub.clock.now)
      try await expectRefused(site, cancelled)
    }
  }
}

@Suite struct `A browser gets nowhere` {
  @Test func `without the cookie, with a forged one, with another session's`() async throws {
    try await RemoteSite.run { site in
      let (_, tunnel, browser) = try await site.opened()
      var none = browser
      none.cookie = nil
      var forged = browser
      forged.cookie = String(repeating: "0", count: 64)
      let unknown = RemoteBrowser(
        token: String(repeating: "f", count: 32), port: browser.port, ca: browser.ca, cookie: browser.cookie)
      var replies: [RemoteBrowser.Reply] = []
      for stranger in [none, forged, unknown] { replies.append(try await stranger.ask("/")) }
      // Nobody can tell a session that is not his from one that is not there.
      for reply in replies {
        #expect(reply.status == 404 && reply.body == replies[0].body && reply.field("set-cookie") == nil)
        #expect(reply.fields.map(\.name) == replies[0].fields.map(\.name))
      }
      #expect(tunnel.requests.isEmpty)
    }
  }

  @Test func `with a key that was used, is too old, is another session's, or comes from another page`() async throws {
    try await RemoteSite.run { site in
      let (session, _, browser) = try await site.opened()
      let store = site.hub.store
      let token = String(repeating: "a", count: 32)
      let fresh = RemoteBrowser(token: token, port: browser.port, ca: browser.ca, cookie: nil)
      func admit(_ key: String) async throws {
        _ = try await store.admitToRemote(
          session.job, token: token, key: key, login: site.login, now: site.hub.clock.now)
      }
      try await admit("first")
      // The origin before is closed with it.
      try await Task.sleep(for: HubLimits.remoteStandingKept)
      #expect(try await browser.ask("/").status == 404)
      for options in [
        [], ["-H", "X-PrintTrail: 1"], ["-H", "X-PrintTrail: 1", "-H", "Origin: https://evil.example"],
        ["-H", "Origin: \(fresh.origin)"],
      ] {
        let reply = try await fresh.ask("/.printtrail/enter", ["-X", "POST", "--data-raw", "first"] + options)
        #expect(reply.status == 404 && reply.field("set-cookie") == nil, "\(options)")
      }
      await #expect(throws: HubError.self) { try await fresh.entered("second") }
      let entered = try await fresh.entered("first")
      #expect(try await entered.ask("/").status == 200)
      await #expect(throws: HubError.self) { try await fresh.entered("first") }
      try await admit("old")
      site.hub.clock.advance(by: HubLimits.remoteEntryValidity + .seconds(1))
      await #expect(throws: HubError.self) { try await fresh.entered("old") }
      let (_, other) = try await RemoteSite.technician("other", site.hub)
      await #expect(throws: HubError.self) {
        try await store.admitToRemote(session.job, token: token, key: "x", login: other, now: site.hub.clock.now)
      }
    }
  }

  /// What takes a session from a browser that had it, and what it reads then.
  enum Ending: String, CaseIterable, Sendable {
    case role, scope, disabled, loggedOut, install, time, console
  }

  @Test(arguments: Ending.allCases)
  func `once it may no more`(_ ending: Ending) async throws {
    try await RemoteSite.run { site in
      let (session, tunnel, browser) = try await site.opened()
      #expect(try await browser.ask("/").status == 200)
      let (store, now, actor) = (site.hub.store, site.hub.clock.now, Actor(name: "boss"))
      switch ending {
      case .role:
        try await store.changeUser(
          "tess", UserChange(roles: [.viewer]), within: .everything, keepingAnAdministrator: false, by: actor, now: now)
      case .scope:
        try await store.addEntity(named: "Elsewhere", now: now)
        try await store.changeUser(
          "tess", UserChange(scope: .entity("Elsewhere")), within: .everything, keepingAnAdministrator: false,
          by: actor,
          now: now)
      case .disabled:
        try await store.changeUser(
          "tess", UserChange(isDisabled: true), within: .everything, keepingAnAdministrator: false, by: actor, now: now)
      case .loggedOut: try await store.endSession(site.login, by: actor, now: now)
      case .install: try await store.revokeInstall(id: site.install.id, now: now)
      case .time: site.hub.clock.advance(by: .seconds(1_801))
      case .console: try await store.endRemote(session.job, because: "ended by boss", by: actor, now: now)
      }
      try await site.eventuallyTrue(10, "the hub to close the tunnel") { !tunnel.channel.isActive }
      let ended = try await site.becomes(session, "ended")
      #expect(ended.endReason?.isEmpty == false)
      try await Task.sleep(for: HubLimits.remoteStandingKept)
      let reply = try await browser.ask("/", ["-H", "Accept: text/html"])
      #expect(reply.status == 403 && reply.body.contains(RemotePages.escaped(ended.endReason ?? "-")), "\(reply)")
      #expect(reply.field("clear-site-data") == "\"cache\", \"storage\"")
      let trail = try await store.auditTrail(limit: 20).first { $0.action == "remote.ended" }
      #expect(trail?.detail.contains(session.job.description) == true)
    }
  }
}

@Suite(.enabled(if: PostgresServer.shared != nil, "needs Debian's postgresql-15"))
struct `Two hubs with one database` {
  private static func freePort() throws -> Int {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = inet_addr("127.0.0.1")
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let port = withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { raw in
        _ = bind(descriptor, raw, length)
        _ = getsockname(descriptor, raw, &length)
      }
      return Int(UInt16(bigEndian: pointer.pointee.sin_port))
    }
    return port
  }

  @Test func `serve a page at the one whose agent is connected to the other`() async throws {
    let address = try #require(PostgresServer.shared).newAddress()
    let relay = "127.0.0.1:\(try Self.freePort())"
    let otherRelay = "127.0.0.1:\(try Self.freePort())"
    try await RemoteSite.run(store: address, relay: relay) { site in
      let copy = site.place.path + "/hub-2"
      try FileManager.default.copyItem(atPath: site.hub.directory.path, toPath: copy)
      for own in ["server.key", "server.pem", "lock"] { try? FileManager.default.removeItem(atPath: "\(copy)/\(own)") }
      let clock = site.hub.clock
      try await TestHub.serve(
        try HubDirectory.open(at: copy), clock: clock, configure: { RemoteSite.serving(&$0, relay: otherRelay) }
      ) { other in
        let session = try await site.ask()
        let tunnel = try await site.tunnel(session) { request in
          request.path == "/long"
            ? FakeAnswer(200, [("content-type", "image/png")], String(repeating: "0123456789abcdef", count: 200_000))
            : FakeAnswer(
              200, [("content-type", "text/plain")], "\(request.method) \(request.path) \(request.body.count)")
        }
        _ = try await site.becomes(session, "open")
        let browser = try await site.enter(session, webPort: try #require(other.ready.remoteWeb).port)
        #expect(try await browser.ask("/far").body == "GET /far 0")
        #expect(try await browser.ask("/long", ["-H", "Connection: close"]).body.count == 3_200_000)
        let file = site.place.path + "/upload"
        try Data(repeating: 0x78, count: 3_000_000).write(to: URL(fileURLWithPath: file))
        let sent = try await browser.ask("/up", ["--data-binary", "@\(file)", "-H", "Expect:"])
        #expect(sent.body == "POST /up 3000000", "\(sent)")
        #expect(tunnel.requests.allSatisfy { $0.field("pt-session") == nil })
        // Nobody but a hub is passed on: not the very agent whose session it is.
        let count = tunnel.requests.count
        let port = try #require(site.hub.ready.remote).port
        #expect(
          try await FakeTunnel.relayed(port: port, certificate: site.agent, session: Relay.words(of: session)) == nil)
        #expect(tunnel.requests.count == count)
        try await tunnel.close(saying: "time: the session's time is over")
        _ = try await site.becomes(session, "ended")
        try await Task.sleep(for: HubLimits.remoteStandingKept)
        #expect(try await browser.ask("/far").status == 403)
      }
    }
  }
}
