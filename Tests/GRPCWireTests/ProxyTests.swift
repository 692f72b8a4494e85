// Tunnels through HTTP proxies: tinyproxy, and programs that are none.

internal import GRPCCore
internal import GRPCWire
internal import TLS
internal import Testing

private func shakeHands(
  with endpoint: Endpoint, through proxy: Endpoint, _ credentials: HTTPProxy.Credentials? = nil,
  within: Duration = soon
) throws(TLSError) {
  var configuration = TLSConfiguration(trust: .systemRoots)
  configuration.proxy = HTTPProxy(endpoint: proxy, credentials: credentials)
  let connection = try TLSConnection(to: endpoint, configuration: configuration)
  defer { connection.close() }
  try connection.open(until: .now.advanced(by: within))
}

private let target = Endpoint(host: "hub.example", port: 443)

@Suite(.timeLimit(.minutes(5))) struct `What is said to be an HTTP proxy` {
  let listener = Listener()

  private func check(_ reason: String, credentials: HTTPProxy.Credentials? = nil) {
    #expect(throws: TLSError.proxyRefused(proxy: "\(listener.endpoint)", reason: reason)) {
      try shakeHands(with: target, through: listener.endpoint, credentials)
    }
  }

  @Test(arguments: [
    ("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n", "it wants other credentials (status 407)"),
    ("HTTP/1.0 401 Unauthorized\r\n\r\n", "it wants other credentials (status 401)"),
    ("HTTP/1.1 403 Forbidden\r\n\r\n", "it does not allow connections to that host and port (status 403)"),
    ("HTTP/1.1 502 Bad Gateway\r\nx: y\r\n\r\n", "it answered 'HTTP/1.1 502 Bad Gateway'"),
    ("SSH-2.0-OpenSSH_9.2\r\n\r\n", "it does not speak HTTP"),
    ("HTTP/1.1 2000 OK\r\n\r\n", "it does not speak HTTP"),
    ("\r\n\r\n", "it does not speak HTTP"),
    ("HTTP/1.1 200 OK\r\n", "it closed the connection"),
    ("", "it closed the connection"),
    ("HTTP/1.1 200 OK\r\nx: \(String(repeating: "y", count: 20_000))\r\n\r\n", "its answer is too long"),
  ]) func `is named with what it answers`(answer: String, reason: String) throws {
    try listener.answerOnce(answer)
    check(reason, credentials: .init(user: "u", password: "p"))
  }

  @Test func `may want credentials where there are none`() throws {
    try listener.answerOnce("HTTP/1.1 407 Proxy Authentication Required\r\n\r\n")
    check("it wants credentials (status 407)")
  }

  @Test func `has so long to answer, and no longer`() {
    #expect(throws: TLSError.timedOut(step: "asking the proxy \(listener.endpoint) for a tunnel")) {
      try shakeHands(with: target, through: listener.endpoint, within: .milliseconds(100))
    }
  }

  @Test func `may be nobody`() {
    let port = Listener().port
    #expect(throws: TLSError.proxyRefused(proxy: "127.0.0.1:\(port)", reason: "nothing listens there")) {
      try shakeHands(with: target, through: Endpoint(host: "127.0.0.1", port: port))
    }
  }

  @Test func `leads to TLS with the target when it opens the tunnel`() throws {
    try listener.answerOnce("HTTP/1.1 200 Connection established\r\n\r\nthis is no TLS at all, not by any measure")
    let error = #expect(throws: TLSError.self) { try shakeHands(with: target, through: listener.endpoint) }
    guard case .notTLS? = error else { throw Unexpected(error) }
  }
}

@Suite(
  .enabled(if: Peer.hasProxy && Peer.python != nil, "needs tinyproxy and \(Comment(rawValue: Peer.skipped))"),
  .timeLimit(.minutes(5)))
struct `Through tinyproxy` {
  static let credentials = HTTPProxy.Credentials(user: "dealer", password: "s3cret-word")
  let hub: Peer

  init() throws { hub = try Peer.grpc() }

  private func echo(through proxy: Peer, _ credentials: HTTPProxy.Credentials?, to endpoint: Endpoint? = nil)
    async throws -> String
  {
    var tls = try TestKeys.shared.configuration()
    tls.proxy = HTTPProxy(endpoint: proxy.endpoint, credentials: credentials)
    return try await withClient(endpoint ?? hub.endpoint, tls) { client, _ in
      try await client.text("Echo", String(repeating: "through", count: 50_000))
    }
  }

  private func refusal(_ body: () async throws -> String) async throws -> String {
    let error = await #expect(throws: RPCError.self) { try await body() }
    #expect(error?.code == .unavailable)
    guard case .proxyRefused(_, let reason)? = error?.cause as? TLSError else { throw Unexpected(error) }
    return reason
  }

  @Test(arguments: [nil, credentials])
  func `calls reach the hub, with credentials and without`(credentials: HTTPProxy.Credentials?) async throws {
    let proxy = try Peer.proxy(to: hub.port, credentials: credentials)
    let echoed = try await echo(through: proxy, credentials)
    #expect(echoed.utf8.count == 350_000)
  }

  @Test func `a name is looked up by the proxy`() async throws {
    let proxy = try Peer.proxy(to: hub.port)
    let echoed = try await echo(through: proxy, nil, to: Endpoint(host: "localhost", port: hub.port))
    #expect(echoed.utf8.count == 350_000)
  }

  @Test func `wrong credentials and missing ones are told apart`() async throws {
    let proxy = try Peer.proxy(to: hub.port, credentials: Self.credentials)
    let wrong = HTTPProxy.Credentials(user: "dealer", password: "another")
    #expect(try await refusal { try await echo(through: proxy, wrong) } == "it wants other credentials (status 401)")
    #expect(try await refusal { try await echo(through: proxy, nil) } == "it wants credentials (status 407)")
  }

  @Test func `a port that the proxy does not allow is refused with the reason`() async throws {
    let proxy = try Peer.proxy(to: 443)
    let reason = try await refusal { try await echo(through: proxy, nil) }
    #expect(reason == "it does not allow connections to that host and port (status 403)")
  }

  @Test func `a hub that is away is told as the proxy tells it`() async throws {
    let port = Listener().port
    let proxy = try Peer.proxy(to: port)
    let reason = try await refusal { try await echo(through: proxy, nil, to: Endpoint(host: "127.0.0.1", port: port)) }
    #expect(reason.hasPrefix("it answered 'HTTP/1."))
  }

  @Test func `the certificate must be the hub's, whoever opened the tunnel`() async throws {
    let impostor = try Peer.grpc(certificate: "other-server")
    let proxy = try Peer.proxy(to: impostor.port)
    let error = await #expect(throws: RPCError.self) {
      try await echo(through: proxy, nil, to: impostor.endpoint)
    }
    guard case .certificateNotTrusted? = error?.cause as? TLSError else { throw Unexpected(error) }
  }
}
