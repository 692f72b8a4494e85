// Sessions of TLS that are resumed: that they are, and that nobody gets in by one who would not get in without.

internal import GRPCCore
internal import GRPCWire
internal import OpenSSL
@testable internal import TLS
internal import Testing

/// Opens a connection, waits for the server's tickets if there are to be any, closes, and tells whether it was resumed.
private func isResumed(_ endpoint: Endpoint, _ configuration: TLSConfiguration) throws -> Bool {
  let connection = try TLSConnection(to: endpoint, configuration: configuration)
  defer { connection.close() }
  let deadline = ContinuousClock.now.advanced(by: soon)
  try connection.open(until: deadline)
  guard connection.protocolVersion == "TLSv1.3" else { return connection.isResumed }
  let before = configuration.sessions?.count ?? 0
  let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 1)
  defer { buffer.deallocate() }
  while let sessions = configuration.sessions, sessions.count <= before, ContinuousClock.now < deadline {
    guard try connection.read(into: buffer) == nil, sessions.count <= before else { break }
    try connection.wait(writing: false, until: deadline)
  }
  return connection.isResumed
}

@Suite(.timeLimit(.minutes(5))) struct `A session of TLS` {
  let keys = TestKeys.shared

  private func peer(_ version: String = "-tls1_3", port: UInt16 = 0, certificate: String = "server") throws -> Peer {
    try Peer.tls(
      port: port, certificate: certificate,
      options: ["-alpn", "h2", version, "-Verify", "2", "-verify_return_error", "-CAfile", keys.path("ca.pem")])
  }

  private func configuration() throws -> TLSConfiguration {
    var configuration = try keys.configuration()
    configuration.sessions = TLSSessions()
    return configuration
  }

  @Test(arguments: ["-tls1_2", "-tls1_3"]) func `is resumed by the next connection, and the one after`(version: String)
    throws
  {
    let (peer, configuration) = (try peer(version), try configuration())
    #expect(try isResumed(peer.endpoint, configuration) == false)
    #expect(try isResumed(peer.endpoint, configuration))
    #expect(try isResumed(peer.endpoint, configuration))
    #expect(try isResumed(peer.endpoint, keys.configuration()) == false, "nobody keeps sessions here")
  }

  @Test func `is not resumed with another certificate, name, trust, pin or port`() throws {
    let (peer, other, configuration) = (try peer(), try peer(), try configuration())
    #expect(try isResumed(peer.endpoint, configuration) == false)
    var changed = configuration
    changed.identity = try keys.identity("other-client")
    #expect(try isResumed(other.endpoint, configuration) == false)
    // The server refuses that certificate, but later: a handshake that was resumed would have shown none.
    let connection = try TLSConnection(to: peer.endpoint, configuration: changed)
    try connection.open(until: .now.advanced(by: soon))
    #expect(!connection.isResumed)
    connection.close()
    for change: (inout TLSConfiguration) throws -> Void in [
      { $0.serverName = "localhost" },
      { $0.trust = .authorities([try keys.certificate("ca"), try keys.certificate("other-ca")]) },
      { $0.requiredPin = try keys.certificate("ca").pin },
    ] {
      var changed = configuration
      try change(&changed)
      #expect(try isResumed(peer.endpoint, changed) == false)
    }
    #expect(try isResumed(peer.endpoint, configuration))
  }

  /// A session is put where it does not belong, as if all else had failed.
  @Test func `does not excuse a wrong name, trust or pin`() throws {
    let (peer, configuration) = (try peer(), try configuration())
    #expect(try isResumed(peer.endpoint, configuration) == false)
    let foreign = try keys.certificate("other-ca")
    for (change, isRight) in [
      ({ $0.serverName = "other.example" }, { $0 == .wrongHost(expected: "other.example", names: ["localhost"]) }),
      ({ $0.requiredPin = foreign.pin }, { $0 == .wrongPin(expected: foreign.pin) }),
      ({ $0.trust = .pinnedAuthority(foreign.pin) }, { $0 == .wrongPin(expected: foreign.pin) }),
      ({ $0.trust = .authorities([foreign]) }, { if case .certificateNotTrusted = $0 { true } else { false } }),
    ] as [((inout TLSConfiguration) -> Void, (TLSError) -> Bool)] {
      var changed = configuration
      change(&changed)
      let sessions = try #require(configuration.sessions)
      let own = TLSSessions.Key(configuration, endpoint: peer.endpoint, host: peer.endpoint.host)
      let key = TLSSessions.Key(changed, endpoint: peer.endpoint, host: changed.serverName ?? peer.endpoint.host)
      sessions.save(try #require(sessions.take(for: own)), for: key)
      let connection = try TLSConnection(to: peer.endpoint, configuration: changed)
      let error = #expect(throws: TLSError.self) { try connection.open(until: .now.advanced(by: soon)) }
      #expect(connection.isResumed, "the server took it")
      #expect(error.map(isRight) == true, "\(String(describing: error))")
      #expect(sessions.take(for: key) == nil, "it is forgotten")
      _ = try isResumed(peer.endpoint, configuration)
    }
  }

  @Test func `that the server does not know any more gives a full handshake, with all its checks`() throws {
    let configuration = try configuration()
    var first: Peer? = try peer()
    let endpoint = try #require(first?.endpoint)
    #expect(try isResumed(endpoint, configuration) == false)
    first = nil
    var second: Peer? = try peer(port: endpoint.port)
    #expect(try isResumed(endpoint, configuration) == false)
    #expect(try isResumed(endpoint, configuration))
    second = nil
    let impostor = try peer(port: endpoint.port, certificate: "other-server")
    let error = #expect(throws: TLSError.self) { try isResumed(endpoint, configuration) }
    guard case .certificateNotTrusted? = error else { throw Unexpected(error) }
    #expect(configuration.sessions?.count == 0)
    withExtendedLifetime((first, second, impostor)) {}
  }

  @Test func `is kept with a few others`() throws {
    let (peer, configuration) = (try peer(), try configuration())
    _ = try isResumed(peer.endpoint, configuration)
    let sessions = try #require(configuration.sessions)
    let key = TLSSessions.Key(configuration, endpoint: peer.endpoint, host: peer.endpoint.host)
    let session = try #require(sessions.take(for: key))
    for _ in 0..<2 * TLSSessions.keptMax { sessions.save(session, for: key) }
    #expect(sessions.count == TLSSessions.keptMax)
  }
}

@Suite(.enabled(if: Peer.python != nil, Comment(rawValue: Peer.skipped)), .timeLimit(.minutes(5)))
struct `A connection that a transport makes again` {
  @Test(arguments: [("TLSv1_2", "TLSv1.2"), ("TLSv1_3", "TLSv1.3")])
  func `resumes its session, as the server sees it`(name: String, version: String) async throws {
    let peer = try Peer.hostile(version: name)
    try await withClient(peer.endpoint, TestKeys.shared.configuration()) { client, _ in
      let first = try await client.text("Resumed")
      #expect(first == "\(version) False")
      // The first connection goes away with it.
      let again = try await client.unary("GoAwayAtOnce", [1]).message
      #expect(again == Array("1".utf8))
      let second = try await client.text("Resumed")
      #expect(second == "\(version) True")
    }
  }
}
