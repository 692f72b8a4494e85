// Who stands at the doors of the two ports without being anybody: he is not to be in the way of those who are.

internal import Foundation
@testable internal import HubServer
internal import NIOCore
internal import NIOPosix
internal import NIOSSL
internal import Synchronization
internal import TestPrograms
internal import Testing

@Suite struct `Whoever shows nothing at a door` {
  private func silent(_ port: Int) async throws -> any Channel {
    try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup).connect(host: "127.0.0.1", port: port).get()
  }

  @Test func `makes room for browsers and agents, however many they are`() async throws {
    try await RemoteSite.run { site in
      let (web, agents) = (try #require(site.hub.ready.remoteWeb).port, try #require(site.hub.ready.remote).port)
      var crowd: [any Channel] = []
      for _ in 0..<300 {
        crowd.append(try await silent(web))
        crowd.append(try await silent(agents))
      }
      let (_, _, browser) = try await site.opened()
      #expect(try await browser.ask("/").status == 200)
      // All of them are of one network: so many may stand there, and the longest waiting have gone.
      let most = 2 * HubLimits.remoteWaitingOfNetworkMax
      try await site.eventuallyTrue(10, "the first of the crowd to be sent away") { [crowd] in
        crowd.count { $0.isActive } <= most
      }
      #expect(!crowd[0].isActive && !crowd[1].isActive)
      for channel in crowd { try? await channel.close() }
    }
  }

  @Test func `is closed in time, and one that has shown a session may wait longer`() async throws {
    try await RemoteSite.run { site in
      let port = try #require(site.hub.ready.remoteWeb).port
      let (_, _, browser) = try await site.opened()
      let slow = try await RawBrowser.connect(browser)
      let begun = ContinuousClock.now
      try await slow.send("GET / HTTP/1.1\r\nHost: ")
      let known = try await RawBrowser.connect(browser)
      try await known.send(
        "GET / HTTP/1.1\r\nHost: \(browser.host)\r\nCookie: \(RemoteBrowser.cookieName)=\(browser.cookie ?? "")\r\n\r\n"
      )
      let bare = try await silent(port)
      try await bare.closeFuture.get()
      try await slow.channel.closeFuture.get()
      let waited = begun.duration(to: .now)
      #expect(waited >= HubLimits.remoteWebHeadTimeout && waited < .seconds(20), "\(waited)")
      #expect(known.channel.isActive && known.text.contains("200 OK"), "\(known.text)")
      try await known.channel.close()
    }
  }

  @Test func `is counted until it has gone, by network, and admitted up to a number`() async throws {
    let server = try await ServerBootstrap(group: .singletonMultiThreadedEventLoopGroup).bind(
      host: "127.0.0.1", port: 0
    )
    .get()
    let port = try #require(server.localAddress?.port)
    let doorway = Doorway(admittedMax: 2, waitingMax: 4, waitingOfNetworkMax: 3)
    var channels: [any Channel] = []
    for _ in 0..<5 {
      let channel = try await silent(port)
      doorway.came(channel)
      channels.append(channel)
    }
    try await channels[0].closeFuture.get()
    try await channels[1].closeFuture.get()
    #expect(doorway.counts.waiting == 3)
    #expect(doorway.admit(channels[2]) && doorway.admit(channels[2]) && doorway.admit(channels[3]))
    #expect(!doorway.admit(channels[4]), "there is room for two")
    #expect(!doorway.admit(channels[0]), "it has gone")
    #expect(doorway.counts == (1, 2))
    for channel in channels { try? await channel.close() }
    while doorway.counts != (0, 0) { try await Task.sleep(for: .milliseconds(5)) }
    try await server.close()
  }
}

@Suite struct `Who asks for a page without the role` {
  @Test func `stands in the audit trail, and does not fill it`() async throws {
    try await RemoteSite.run { site in
      let store = site.hub.store
      for _ in 0..<(HubLimits.remoteRefusalsToldBurst + 5) {
        try await store.noteRefusedPage(
          RemoteSite.device, by: site.login, peer: "ipv4:192.0.2.1", because: "This takes the role.",
          now: site.hub.clock.now)
      }
      let told = try await store.auditTrail(limit: 100).filter { $0.action == "remote.refused" }
      #expect(told.count == HubLimits.remoteRefusalsToldBurst)
      #expect(told[0].subject == RemoteSite.device && told[0].peer == "ipv4:192.0.2.1")
      #expect(told[0].detail == "tess asked for the page: This takes the role.")
    }
  }
}

@Suite struct `A browser's request` {
  @Test(arguments: [
    ("GET / HTTP/1.1\r\nHost: x\r\nNo colon\r\n\r\n", "400"), ("\u{0}\u{1}\u{2}\r\n\r\n", "400"),
    (
      "GET / HTTP/1.1\r\nHost: x\r\nCookie: " + String(repeating: "a", count: HubLimits.remoteHeadBytesMax + 10)
        + "\r\n\r\n", "431"
    ),
    // The head is one, and what follows is none: there is an answer to the head already, or there will be, and no second one.
    ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nnonsense\r\n", nil),
  ])
  func `that cannot be read ends its connection, and the hub lives on`(_ bytes: String, _ status: String?) async throws
  {
    try await RemoteSite.run { site in
      let (_, tunnel, browser) = try await site.opened()
      let raw = try await RawBrowser.connect(browser)
      try await raw.send(bytes)
      try await raw.channel.closeFuture.get()
      if let status { #expect(raw.text.hasPrefix("HTTP/1.1 \(status) "), "\(raw.text)") }
      #expect(raw.text.components(separatedBy: "HTTP/1.1 ").count <= 2, "\(raw.text)")
      // Cookies that make every request too long are taken away, or nobody could open any page again.
      #expect(raw.text.lowercased().contains("clear-site-data: \"cookies\"") == (status == "431"))
      try await Task.sleep(for: HubLimits.remoteRefusalDelay * 2)
      #expect(try await browser.ask("/").status == 200 && tunnel.requests.count == 1)
    }
  }

  @Test(arguments: [
    (["-X", "POST", "-H", "Origin: https://evil.example", "-d", "x"], 403),
    (["-H", "Origin: https://evil.example"], 403),
    (["-X", "POST", "-H", "Sec-Fetch-Site: cross-site", "-H", "Sec-Fetch-Mode: navigate", "-d", "x"], 403),
    (
      [
        "-X", "POST", "-H", "Sec-Fetch-Site: same-site", "-H", "Sec-Fetch-Mode: navigate", "-H", "Origin: null", "-d",
        "x",
      ], 403
    ),
    (["-H", "Sec-Fetch-Site: cross-site", "-H", "Sec-Fetch-Mode: no-cors"], 403),
    (["-H", "Sec-Fetch-Site: cross-site", "-H", "Sec-Fetch-Mode: navigate"], 200),
    (
      [
        "-X", "POST", "-H", "Sec-Fetch-Site: same-origin", "-H", "Sec-Fetch-Mode: navigate", "-H", "Origin: null", "-d",
        "x",
      ], 200
    ),
  ])
  func `of another site's page changes nothing at a device`(_ options: [String], _ status: Int) async throws {
    try await RemoteSite.run { site in
      let (_, tunnel, browser) = try await site.opened()
      #expect(try await browser.ask("/", options).status == status)
      #expect(tunnel.requests.count == (status == 200 ? 1 : 0))
    }
  }

  @Test func `takes no cookie to the device that is there twice with two values`() async throws {
    try await RemoteSite.run { site in
      let (_, tunnel, browser) = try await site.opened()
      let own = "\(RemoteBrowser.cookieName)=\(browser.cookie ?? "")"
      var bare = browser
      bare.cookie = nil
      _ = try await bare.ask("/", ["-H", "Cookie: \(own); sid=own; theme=dark; sid=tossed; a=1; a=1"])
      #expect(tunnel.requests.last?.field("cookie") == "theme=dark; a=1; a=1")
    }
  }

  @Test func `that nobody waits for any more gives its place back`() async throws {
    try await RemoteSite.run { site in
      let (_, tunnel, browser) = try await site.opened { request in
        var answer = FakeAnswer(200, [("content-type", "text/plain")], "first bytes")
        answer.isEndless = request.path == "/slow"
        return answer
      }
      let places = HubLimits.remoteRequestsPerSessionMax
      for _ in 0..<2 {
        try await withThrowingTaskGroup(of: Void.self) { group in
          for _ in 0..<places {
            group.addTask {
              let reply = try await browser.ask("/slow", ["--max-time", "3"])
              #expect(reply.status == 200)
            }
          }
          try await group.waitForAll()
        }
      }
      #expect(try await browser.ask("/").status == 200)
      #expect(tunnel.requests.count == 2 * places + 1)
    }
  }

  @Test func `is one of so many of its session`() {
    let tally = SessionTally(max: 2)
    #expect(tally.begins(1) && tally.begins(1) && !tally.begins(1) && tally.begins(2))
    tally.ends(1)
    #expect(tally.begins(1) && !tally.begins(1))
  }
}

/// A TLS connection to a session's origin that sends what it is told, and keeps what it is answered.
private final class RawBrowser: ChannelInboundHandler, Sendable {
  typealias InboundIn = ByteBuffer

  private let heard = Mutex("")
  private let made = Mutex<(any Channel)?>(nil)

  var channel: any Channel {
    guard let channel = made.withLock({ $0 }) else { preconditionFailure("it is connected before anybody has it") }
    return channel
  }
  var text: String { heard.withLock { $0 } }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    let bytes = unwrapInboundIn(data)
    heard.withLock { $0 += String(decoding: bytes.readableBytesView, as: UTF8.self) }
  }

  static func connect(_ browser: RemoteBrowser) async throws -> RawBrowser {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .file(browser.ca)
    let context = try NIOSSLContext(configuration: configuration)
    let host = String(browser.host.prefix { $0 != ":" })
    let raw = RawBrowser()
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            try NIOSSLClientHandler(context: context, serverHostname: host))
          try channel.pipeline.syncOperations.addHandler(raw)
        }
      }
      .connect(host: "127.0.0.1", port: browser.port).get()
    raw.made.withLock { $0 = channel }
    return raw
  }

  func send(_ text: String) async throws { try await channel.writeAndFlush(ByteBuffer(string: text)) }
}
