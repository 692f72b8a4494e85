// One TLS connection as a client: TLS 1.2 or newer over TCP, never plaintext.
//
//   open     name -> addresses -> TCP -> (proxy tunnel) -> handshake -> chain, host, pins, ALPN checked,
//            whether the handshake was a full one or resumed a session
//   read     bytes, nothing for now (nil), or the end (0)
//   write    bytes taken, or nothing for now (nil)
//   wait     until the socket is ready, somebody called wake, or the deadline passed
//
// All of it belongs to one thread, which must be the connection's own: it blocks in `open` and `wait`, and SIGPIPE is
// blocked for it. Only `wake` and `interrupt` may be called from elsewhere.
//
// In TLS 1.3 the client is done before the server has looked at its certificate: `open` succeeds, and the refusal is
// thrown by a later `read`. A `write` that fails first therefore looks whether an alert explains it. Some servers (gRPC's
// own among them) send no alert and just close: when the server asked for a certificate and closes before its first byte,
// that is taken for a refusal too.

internal import COpenSSL
internal import Glibc
internal import OpenSSL
internal import Synchronization

/// `@unchecked`: its state is touched by one thread only, as the header demands; `wake` and `interrupt` touch only the
/// pipe and the atomic flag.
package final class TLSConnection: @unchecked Sendable {
  package let endpoint: Endpoint
  private let configuration: TLSConfiguration
  private let waker: WakePipe
  private let interrupted = Atomic<Bool>(false)

  private var session: Session?
  /// The server has sent something after the handshake.
  private var hasReceived = false
  /// A read that could not go on before something was written (a key update into a full socket).
  private var readNeedsWriting = false

  /// What an open connection owns.
  private struct Session: ~Copyable {
    let ssl: OpaquePointer
    let context: TLSContext
    let socket: Socket
    /// Nil when no sessions are kept.
    let saver: SessionSaver?

    deinit { SSL_free(ssl) }
  }

  /// Connects nothing yet.
  package init(to endpoint: Endpoint, configuration: TLSConfiguration) throws(TLSError) {
    self.endpoint = endpoint
    self.configuration = configuration
    waker = try WakePipe()
  }

  // MARK: from any thread

  /// Ends a `wait` that goes on, or the next one.
  package func wake() { waker.wake() }

  /// Makes an `open` that goes on, or the next one, throw `interrupted`.
  package func interrupt() {
    interrupted.store(true, ordering: .releasing)
    waker.wake()
  }

  // MARK: on the connection's thread

  /// Connects and shakes hands.
  /// - Throws: any `TLSError`; the connection is then closed and cannot be opened again.
  package func open(until deadline: ContinuousClock.Instant) throws(TLSError) {
    precondition(session == nil, "a connection is opened once")
    blockBrokenPipeSignal()
    let isInterrupted = { self.interrupted.load(ordering: .acquiring) }
    let hop = configuration.proxy?.endpoint ?? endpoint
    let socket: Socket
    do throws(TLSError) {
      let addresses = try NameResolver.addresses(of: hop, waker: waker, until: deadline, isInterrupted: isInterrupted)
      socket = try Socket.connect(to: addresses, waker: waker, until: deadline, isInterrupted: isInterrupted)
    } catch {
      // It is the proxy that is out of reach; of the server nothing is known.
      guard let proxy = configuration.proxy, error != .interrupted else { throw error }
      throw .proxyRefused(proxy: "\(proxy.endpoint)", reason: error.asOfProxy)
    }
    if let proxy = configuration.proxy {
      try proxy.openTunnel(on: socket, to: endpoint, waker: waker, until: deadline, isInterrupted: isInterrupted)
    }
    let session = try makeSession(over: socket)
    do throws(TLSError) {
      try shakeHands(session, until: deadline)
      if isResumed { try session.context.verifyAgain(session.ssl) }
      try checkProtocol(session)
    } catch {
      // A server that cannot go on with a session gets a full handshake the next time.
      if let saver = session.saver { saver.sessions.forget(saver.key) }
      throw error
    }
    if isResumed { session.saver?.keepResumed(session.ssl) }
    remoteAddress = session.socket.remote.peerDescription
    localAddress = session.socket.localDescription
    self.session = consume session
  }

  /// The other end, as gRPC names peers (`ipv4:127.0.0.1:443`); behind a proxy, the proxy. Empty before `open`.
  package private(set) var remoteAddress = ""
  /// The own end, as gRPC names peers. Empty before `open`.
  package private(set) var localAddress = ""
  /// What ALPN agreed on; nil when nothing was offered.
  package private(set) var applicationProtocol: String?
  /// The handshake resumed a session.
  package private(set) var isResumed = false
  /// Such as `TLSv1.3`; empty before `open`.
  package private(set) var protocolVersion = ""

  /// Reads into `buffer`, which must not be empty.
  /// - Returns: the bytes read; 0 when the peer closed properly; nil when nothing is there for now.
  package func read(into buffer: UnsafeMutableRawBufferPointer) throws(TLSError) -> Int? {
    guard let ssl = session?.ssl else { throw .connectionLost(reason: "it is closed") }
    ERR_clear_error()
    var count = 0
    let status = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
    readNeedsWriting = false
    if status == 1 {
      hasReceived = true
      return count
    }
    switch SSL_get_error(ssl, status) {
    case SSL_ERROR_WANT_READ: return nil
    case SSL_ERROR_WANT_WRITE:
      readNeedsWriting = true
      return nil
    case SSL_ERROR_ZERO_RETURN:
      if let refusal = silentRefusal { throw refusal }
      return 0
    case let code: throw failure(code, errno)
    }
  }

  /// Writes from `buffer`, which must not be empty.
  /// - Returns: the bytes taken, maybe fewer than given; nil when none can be taken for now.
  package func write(_ buffer: UnsafeRawBufferPointer) throws(TLSError) -> Int? {
    guard let ssl = session?.ssl else { throw .connectionLost(reason: "it is closed") }
    ERR_clear_error()
    var count = 0
    let status = SSL_write_ex(ssl, buffer.baseAddress, buffer.count, &count)
    if status == 1 { return count }
    switch SSL_get_error(ssl, status) {
    case SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE: return nil
    case let code:
      let plain = failure(code, errno)
      throw alertBehindFailure(ssl) ?? plain
    }
  }

  /// Waits until there may be something to read (to be called after `read` returned nil), or, if `writing`, room to
  /// write; until somebody calls `wake`; or until the deadline.
  package func wait(writing: Bool, until deadline: ContinuousClock.Instant?) throws(TLSError) {
    guard let descriptor = session?.socket.descriptor else { throw .connectionLost(reason: "it is closed") }
    let events = Int32(POLLIN) | (writing || readNeedsWriting ? Int32(POLLOUT) : 0)
    _ = try waitForDescriptor(descriptor, events: events, waker: waker, until: deadline)
  }

  /// Says goodbye if the socket takes it, and closes. Harmless when closed already.
  package func close() {
    guard let ssl = session?.ssl else { return }
    ERR_clear_error()
    SSL_shutdown(ssl)
    ERR_clear_error()
    session = nil
  }
}

// MARK: the handshake

extension TLSConnection {
  private func blockBrokenPipeSignal() {
    var signals = sigset_t()
    sigemptyset(&signals)
    sigaddset(&signals, SIGPIPE)
    pthread_sigmask(SIG_BLOCK, &signals, nil)
  }

  private func makeSession(over socket: consuming Socket) throws(TLSError) -> Session {
    let host = configuration.serverName ?? endpoint.host
    let context = try TLSContext(configuration, expectedHost: host)
    guard let ssl = SSL_new(context.pointer) else { throw .configuration(.draining("set up TLS")) }
    let saver = configuration.sessions.map {
      SessionSaver($0, TLSSessions.Key(configuration, endpoint: endpoint, host: host))
    }
    let session = Session(ssl: ssl, context: context, socket: socket, saver: saver)
    let parameters = SSL_get0_param(ssl)
    // RFC 9525 section 6.3: the common name is no name of a host.
    X509_VERIFY_PARAM_set_hostflags(
      parameters, UInt32(X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS | X509_CHECK_FLAG_NEVER_CHECK_SUBJECT))
    let prepared =
      if isNumericAddress(host) {
        X509_VERIFY_PARAM_set1_ip_asc(parameters, host) == 1
      } else {
        // RFC 6066 section 3: no address literals in SNI.
        X509_VERIFY_PARAM_set1_host(parameters, host, host.utf8.count) == 1 && pt_ssl_set_server_name(ssl, host) == 1
      }
    guard prepared, SSL_set_fd(ssl, session.socket.descriptor) == 1 else {
      throw .configuration(.draining("prepare the handshake with \(host)"))
    }
    saver?.attach(to: ssl)
    return session
  }

  private func shakeHands(_ session: borrowing Session, until deadline: ContinuousClock.Instant) throws(TLSError) {
    while true {
      ERR_clear_error()
      let status = SSL_connect(session.ssl)
      if status == 1 {
        isResumed = SSL_session_reused(session.ssl) == 1
        protocolVersion = SSL_get_version(session.ssl).map { String(cString: $0) } ?? ""
        return
      }
      let code = SSL_get_error(session.ssl, status)
      let systemCode = errno
      guard code == SSL_ERROR_WANT_READ || code == SSL_ERROR_WANT_WRITE else {
        if let refusal = session.context.verification.failure {
          ERR_clear_error()
          throw refusal
        }
        throw handshakeFailure(code, systemCode)
      }
      let events = code == SSL_ERROR_WANT_READ ? Int32(POLLIN) : Int32(POLLOUT)
      let outcome = try waitForDescriptor(session.socket.descriptor, events: events, waker: waker, until: deadline)
      if interrupted.load(ordering: .acquiring) { throw .interrupted }
      if outcome == .deadlinePassed { throw .timedOut(step: "shaking hands with \(endpoint)") }
    }
  }

  private func checkProtocol(_ session: borrowing Session) throws(TLSError) {
    var name: UnsafePointer<UInt8>?
    var count: UInt32 = 0
    SSL_get0_alpn_selected(session.ssl, &name, &count)
    applicationProtocol = name.map {
      String(decoding: UnsafeBufferPointer(start: $0, count: Int(count)), as: UTF8.self)
    }
    let offered = configuration.applicationProtocols
    guard offered.isEmpty || offered.contains(where: { $0 == applicationProtocol }) else {
      throw .protocolNotAgreed(offered: offered)
    }
  }
}

// MARK: failures

extension TLSConnection {
  /// Alerts (RFC 8446 section 6) that say the server did not like our certificate.
  private static let certificateAlerts: Set<Int32> = [
    SSL_AD_BAD_CERTIFICATE, SSL_AD_UNSUPPORTED_CERTIFICATE, SSL_AD_CERTIFICATE_REVOKED, SSL_AD_CERTIFICATE_EXPIRED,
    SSL_AD_CERTIFICATE_UNKNOWN, SSL_AD_UNKNOWN_CA, SSL_AD_ACCESS_DENIED, SSL_AD_CERTIFICATE_REQUIRED,
  ]

  private func handshakeFailure(_ code: Int32, _ systemCode: Int32) -> TLSError {
    guard code == SSL_ERROR_SSL else { return failure(code, systemCode) }
    let reason = pt_error_reason(ERR_peek_last_error())
    switch reason {
    case SSL_R_WRONG_VERSION_NUMBER, SSL_R_HTTP_REQUEST, SSL_R_HTTPS_PROXY_REQUEST, SSL_R_PACKET_LENGTH_TOO_LONG,
      SSL_R_UNEXPECTED_MESSAGE, SSL_R_BAD_PACKET_LENGTH, SSL_R_RECORD_LENGTH_MISMATCH:
      return .notTLS(reason: queuedReasons())
    case SSL_R_UNEXPECTED_EOF_WHILE_READING:
      return .handshakeFailed(reason: "the server closed the connection")
    case SSL_AD_REASON_OFFSET + SSL_AD_NO_APPLICATION_PROTOCOL:
      ERR_clear_error()
      return .protocolNotAgreed(offered: configuration.applicationProtocols)
    case let reason where Self.certificateAlerts.contains(reason - SSL_AD_REASON_OFFSET):
      return .ownCertificateRefused(reason: queuedReasons())
    default: return .handshakeFailed(reason: queuedReasons())
    }
  }

  /// What a failed read or write says, given SSL_get_error's code and the errno of the same moment.
  private func failure(_ code: Int32, _ systemCode: Int32) -> TLSError {
    if code == SSL_ERROR_SYSCALL {
      ERR_clear_error()
      if let silentRefusal { return silentRefusal }
      return .connectionLost(reason: systemCode == 0 ? "the peer closed it" : systemReason(systemCode))
    }
    let reason = pt_error_reason(ERR_peek_last_error())
    if reason == SSL_R_UNEXPECTED_EOF_WHILE_READING {
      ERR_clear_error()
      return silentRefusal ?? .connectionLost(reason: "the peer closed it without a word")
    }
    if Self.certificateAlerts.contains(reason - SSL_AD_REASON_OFFSET) {
      return .ownCertificateRefused(reason: queuedReasons())
    }
    return .connectionLost(reason: queuedReasons())
  }

  /// What a close says that comes before the server's first byte, if the server had asked for a certificate.
  private var silentRefusal: TLSError? {
    guard let context = session?.context, context.verification.wasAskedForCertificate, !hasReceived else { return nil }
    return .closedUnexplained(withCertificate: configuration.identity != nil)
  }

  /// An alert that waits to be read may explain why a write failed; application data before it are of no use any more.
  private func alertBehindFailure(_ ssl: OpaquePointer) -> TLSError? {
    /// More data than this before the alert are not searched.
    let readsMax = 64
    return withUnsafeTemporaryAllocation(byteCount: 16 * 1024, alignment: 16) { buffer in
      for _ in 0..<readsMax {
        ERR_clear_error()
        var count = 0
        let status = SSL_read_ex(ssl, buffer.baseAddress, buffer.count, &count)
        if status == 1 { continue }
        guard SSL_get_error(ssl, status) == SSL_ERROR_SSL else { return nil }
        let found = failure(SSL_ERROR_SSL, 0)
        if case .ownCertificateRefused = found { return found }
        return nil
      }
      return nil
    }
  }

  private func queuedReasons() -> String {
    let reasons = OpenSSLError.drainedReasons()
    return reasons.isEmpty ? "no reason given" : reasons.joined(separator: "; ")
  }
}
