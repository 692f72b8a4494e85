// TLS against `openssl s_server`: whom it trusts, and what it says when it does not.

internal import Glibc
internal import OpenSSL
internal import TLS
internal import Testing

let soon = Duration.seconds(10)

/// Opens a connection, closes it, and returns what ALPN agreed on.
@discardableResult
private func shakeHands(with endpoint: Endpoint, _ configuration: TLSConfiguration, within: Duration = soon)
  throws(TLSError)
  -> String?
{
  let connection = try TLSConnection(to: endpoint, configuration: configuration)
  defer { connection.close() }
  try connection.open(until: .now.advanced(by: within))
  return connection.applicationProtocol
}

@Suite(.timeLimit(.minutes(5))) struct `A TLS connection` {
  let keys = TestKeys.shared

  @Test(arguments: ["127.0.0.1", "localhost"])
  func `is made to a server under a trusted authority`(host: String) throws {
    let peer = try Peer.tls()
    #expect(try shakeHands(with: Endpoint(host: host, port: peer.port), keys.configuration()) == "h2")
  }

  @Test func `is refused to a server under another authority`() throws {
    let peer = try Peer.tls(certificate: "other-server")
    let error = #expect(throws: TLSError.self) { try shakeHands(with: peer.endpoint, keys.configuration()) }
    guard case .certificateNotTrusted? = error else { throw Unexpected(error) }
  }

  @Test func `is refused when only the system's authorities are trusted`() throws {
    let peer = try Peer.tls()
    let error = #expect(throws: TLSError.self) {
      try shakeHands(with: peer.endpoint, TLSConfiguration(trust: .systemRoots))
    }
    guard case .certificateNotTrusted? = error else { throw Unexpected(error) }
  }

  @Test func `is refused to a server with another name`() throws {
    let peer = try Peer.tls(certificate: "elsewhere")
    #expect(throws: TLSError.wrongHost(expected: "127.0.0.1", names: ["other.example"])) {
      try shakeHands(with: peer.endpoint, keys.configuration())
    }
    var configuration = try keys.configuration()
    configuration.serverName = "other.example"
    #expect(try shakeHands(with: peer.endpoint, configuration) == "h2")
  }

  @Test func `is refused to a server that has its name only as common name`() throws {
    let peer = try Peer.tls(certificate: "common-name-only")
    #expect(throws: TLSError.wrongHost(expected: "127.0.0.1", names: [])) {
      try shakeHands(with: peer.endpoint, keys.configuration())
    }
  }

  @Test func `is refused to a server whose certificate has expired`() throws {
    let peer = try Peer.tls(certificate: "expired")
    #expect(throws: TLSError.certificateExpired(subject: "CN=expired")) {
      try shakeHands(with: peer.endpoint, keys.configuration())
    }
  }

  @Test func `is refused to a server that agrees to no protocol offered`() throws {
    let without = try Peer.tls(options: [])
    #expect(throws: TLSError.protocolNotAgreed(offered: ["h2"])) {
      try shakeHands(with: without.endpoint, keys.configuration())
    }
    let other = try Peer.tls(options: ["-alpn", "http/1.1"])
    #expect(throws: TLSError.protocolNotAgreed(offered: ["h2"])) {
      try shakeHands(with: other.endpoint, keys.configuration())
    }
  }

  @Test(arguments: [("-tls1_2", "TLSv1.2"), ("-tls1_3", "TLSv1.3")])
  func `is made with either version of TLS, with certificates on both sides`(option: String, version: String) throws {
    let peer = try Peer.tls(
      options: ["-alpn", "h2", option, "-Verify", "2", "-verify_return_error", "-CAfile", keys.path("ca.pem")])
    let connection = try TLSConnection(to: peer.endpoint, configuration: keys.configuration())
    defer { connection.close() }
    try connection.open(until: .now.advanced(by: soon))
    #expect(connection.protocolVersion == version && connection.applicationProtocol == "h2" && !connection.isResumed)
  }

  @Test func `is refused to a server older than TLS 1.2`() throws {
    let peer = try Peer.tls(options: ["-alpn", "h2", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0"])
    let error = #expect(throws: TLSError.self) { try shakeHands(with: peer.endpoint, keys.configuration()) }
    guard case .handshakeFailed? = error else { throw Unexpected(error) }
  }
}

@Suite(.timeLimit(.minutes(5))) struct `A pin` {
  let keys = TestKeys.shared

  @Test func `of the authority the server sends along is enough to trust it`() throws {
    let peer = try Peer.tls()
    let trust = TLSConfiguration.Trust.pinnedAuthority(try keys.certificate("ca").pin)
    #expect(try shakeHands(with: peer.endpoint, TLSConfiguration(trust: trust)) == "h2")
  }

  @Test func `of the server itself is enough to trust it`() throws {
    let peer = try Peer.tls()
    let trust = TLSConfiguration.Trust.pinnedAuthority(try keys.certificate("server").pin)
    #expect(try shakeHands(with: peer.endpoint, TLSConfiguration(trust: trust)) == "h2")
  }

  @Test func `that no certificate of the server has refuses it`() throws {
    let peer = try Peer.tls()
    let pin = try keys.certificate("other-ca").pin
    #expect(throws: TLSError.wrongPin(expected: pin)) {
      try shakeHands(with: peer.endpoint, TLSConfiguration(trust: .pinnedAuthority(pin)))
    }
  }

  /// The server sends the pinned authority's certificate, which is no secret, but its own was issued by another.
  @Test func `is not satisfied by a copy of the pinned certificate beside a foreign chain`() throws {
    let peer = try Peer.tls(certificate: "other-server")
    let pin = try keys.certificate("ca").pin
    let error = #expect(throws: TLSError.self) {
      try shakeHands(with: peer.endpoint, TLSConfiguration(trust: .pinnedAuthority(pin)))
    }
    guard case .certificateNotTrusted? = error else { throw Unexpected(error) }
  }

  @Test func `does not excuse a wrong host or an expired certificate`() throws {
    let pin = TLSConfiguration.Trust.pinnedAuthority(try keys.certificate("ca").pin)
    let elsewhere = try Peer.tls(certificate: "elsewhere")
    #expect(throws: TLSError.wrongHost(expected: "127.0.0.1", names: ["other.example"])) {
      try shakeHands(with: elsewhere.endpoint, TLSConfiguration(trust: pin))
    }
    let expired = try Peer.tls(certificate: "expired")
    #expect(throws: TLSError.certificateExpired(subject: "CN=expired")) {
      try shakeHands(with: expired.endpoint, TLSConfiguration(trust: pin))
    }
  }

  @Test func `required beside an authority must be in the verified chain`() throws {
    let peer = try Peer.tls()
    var configuration = try keys.configuration()
    configuration.requiredPin = try keys.certificate("server").pin
    #expect(try shakeHands(with: peer.endpoint, configuration) == "h2")
    let pin = try keys.certificate("other-ca").pin
    configuration.requiredPin = pin
    #expect(throws: TLSError.wrongPin(expected: pin)) { try shakeHands(with: peer.endpoint, configuration) }
  }
}

@Suite(.timeLimit(.minutes(5))) struct `A connection that cannot be made says why` {
  let keys = TestKeys.shared

  @Test func `because the name does not resolve`() throws {
    let endpoint = Endpoint(host: "no-such-host.invalid", port: 443)
    let error = #expect(throws: TLSError.self) { try shakeHands(with: endpoint, keys.configuration()) }
    guard case .nameNotResolved(host: "no-such-host.invalid", _)? = error else { throw Unexpected(error) }
  }

  @Test func `because nobody listens`() throws {
    let port = Listener().port
    #expect(throws: TLSError.refused(address: "127.0.0.1:\(port)")) {
      try shakeHands(with: Endpoint(host: "127.0.0.1", port: port), keys.configuration())
    }
  }

  @Test func `because a silent server lets the deadline pass`() throws {
    let listener = Listener()
    #expect(throws: TLSError.timedOut(step: "shaking hands with \(listener.endpoint)")) {
      try shakeHands(with: listener.endpoint, keys.configuration(), within: .milliseconds(100))
    }
  }

  @Test func `because the server speaks no TLS`() throws {
    let listener = Listener()
    try listener.answerOnce("HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
    let error = #expect(throws: TLSError.self) { try shakeHands(with: listener.endpoint, keys.configuration()) }
    guard case .notTLS? = error else { throw Unexpected(error) }
  }

  @Test func `because its owner interrupted it`() throws {
    let listener = Listener()
    let connection = try TLSConnection(to: listener.endpoint, configuration: keys.configuration())
    connection.interrupt()
    #expect(throws: TLSError.interrupted) { try connection.open(until: .now.advanced(by: soon)) }
  }

  @Test(arguments: [(identity: nil, 1), (identity: "other-client", 2)] as [(String?, Int)])
  func `at a later read, because the server refused our certificate`(identity: String?, _: Int) throws {
    let peer = try Peer.tls(
      options: ["-alpn", "h2", "-Verify", "2", "-verify_return_error", "-CAfile", keys.path("ca.pem")])
    let connection = try TLSConnection(to: peer.endpoint, configuration: keys.configuration(identity: identity))
    defer { connection.close() }
    let deadline = ContinuousClock.now.advanced(by: soon)
    try connection.open(until: deadline)
    let error = #expect(throws: TLSError.self) {
      let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 1024, alignment: 1)
      defer { buffer.deallocate() }
      while try connection.read(into: buffer) == nil { try connection.wait(writing: false, until: deadline) }
    }
    switch error {
    case .ownCertificateRefused: break
    // Where the server's word was lost with its connection.
    case .closedUnexplained(let withCertificate): #expect(withCertificate == (identity != nil))
    default: throw Unexpected(error)
    }
  }
}

/// An error of another kind than the test wants.
struct Unexpected: Error, CustomStringConvertible {
  let description: String
  init(_ error: Any?) { description = "unexpected: \(String(describing: error))" }
}
