// What one session's origin keeps of another's: nothing, and nothing of the hub.

internal import DevicePages
internal import Foundation
@testable internal import HubServer
internal import Testing

@Suite struct `A session's origin in a browser` {
  @Test func `is a new one each time, and the one before is nobody's`() async throws {
    try await RemoteSite.run { site in
      let session = try await site.ask()
      let tunnel = try await site.tunnel(session)
      _ = try await site.becomes(session, "open")
      var tokens: Set<String> = []
      for _ in 0..<20 { tokens.insert(SessionOrigin.make().token) }
      #expect(tokens.count == 20)
      let browser = try await site.enter(session)
      #expect(try await browser.ask("/").status == 200)
      let token = String(repeating: "b", count: 32)
      _ = try await site.hub.store.admitToRemote(
        session.job, token: token, key: "key", login: site.login, now: site.hub.clock.now)
      let next = RemoteBrowser(token: token, port: browser.port, ca: browser.ca, cookie: nil)
      #expect(try await next.entered("key").ask("/").status == 200)
      try await Task.sleep(for: HubLimits.remoteStandingKept)
      // A worker that a page had left there would have nothing to ask.
      #expect(try await browser.ask("/").status == 404)
      #expect(tunnel.requests.count == 2)
    }
  }

  @Test(arguments: [
    ("hub.example.net", "pages.example.net", true), ("HUB.example.net", "example.net", true),
    ("hub.example.net", "pages.example.org", false), ("localhost", "remote.localhost", false),
    ("hub.localhost", "remote.localhost", false), ("127.0.0.1", "10.0.0.1", false), ("hub", "pages.example.net", false),
  ])
  func `is of the console's site, or not`(_ console: String, _ pages: String, _ isOne: Bool) {
    #expect(RemoteServices.isOfOneSite(console, pages) == isOne)
  }

  @Test func `gets rid of cookies that another session's page set for all of them`() async throws {
    try await RemoteSite.run { site in
      let (session, _, browser) = try await site.opened()
      let token = String(repeating: "c", count: 32)
      _ = try await site.hub.store.admitToRemote(
        session.job, token: token, key: "key", login: site.login, now: site.hub.clock.now)
      let next = RemoteBrowser(token: token, port: browser.port, ca: browser.ca, cookie: nil)
      let reply = try await next.ask(
        "/.printtrail/enter",
        [
          "-X", "POST", "-H", "X-PrintTrail: 1", "-H", "Origin: \(next.origin)", "-H", "Cookie: sid=chosen; theme=x",
          "--data-raw", "key",
        ])
      #expect(reply.status == 204)
      let set = reply.fields.filter { $0.name == "set-cookie" }.map(\.value)
      #expect(set.first?.hasPrefix("__Host-printtrail-page=") == true && set.first?.contains("Domain") == false)
      #expect(
        set.dropFirst()
          == [
            "sid=; Domain=remote.localhost; Path=/; Max-Age=0; Secure",
            "theme=; Domain=remote.localhost; Path=/; Max-Age=0; Secure",
          ])
    }
  }

  @Test(arguments: ["//evil.example/", "/\\evil.example/", "\\/evil.example/", "///evil.example"])
  func `is left by no link to another target`(_ path: String) async throws {
    try await RemoteSite.run { site in
      let (_, _, browser) = try await site.opened()
      let reply = try await browser.ask("\(LinkRewriter.switchPath)https/443/\(path)")
      let location = try #require(reply.field("location"))
      #expect(reply.status == 302 && location.hasPrefix("/evil.example"), "\(reply)")
    }
  }

  @Test func `is framed by nobody else, and so is the page that it is entered by`() async throws {
    try await RemoteSite.run { site in
      let (_, _, browser) = try await site.opened { _ in
        FakeAnswer(
          200,
          [
            ("content-type", "text/html"), ("content-security-policy", "frame-ancestors *"),
            ("x-frame-options", "ALLOWALL"),
          ], "<p>hello</p>")
      }
      let page = try await browser.ask("/")
      let policies = page.fields.filter { $0.name == "content-security-policy" }.map(\.value)
      // Several policies are all kept: the strictest one counts.
      #expect(policies.contains { $0.contains("frame-ancestors 'self'") } && page.field("x-frame-options") == nil)
      let enter = try await browser.ask("/.printtrail/enter")
      #expect(enter.field("x-frame-options") == "DENY")
      #expect(enter.field("content-security-policy")?.contains("frame-ancestors 'none'") == true)
    }
  }
}
