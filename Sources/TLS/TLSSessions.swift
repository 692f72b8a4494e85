// Sessions that may be resumed (RFC 8446 section 2.2; for TLS 1.2, RFC 5077): a handshake without certificates and
// signatures, which spares a hub most of its work when everybody comes back at once.
//
// A resumed handshake shows no certificate, so nothing in it says whom one speaks to but the session itself. Therefore:
//
//   - a session is only ever used for the same endpoint, name, trust, pin, client certificate and protocols;
//   - after a resumed handshake the chain that the session was made with is verified again, by the same code and with the
//     same host, pins and anchors as in a full one (`TLSConnection`): what has expired since is refused;
//   - a renewed client certificate makes a full handshake, so that the server sees it.
//
// A session of TLS 1.3 is used once (RFC 8446 appendix C.4), and a handshake that fails forgets all of its kind: the next
// one is full.

internal import COpenSSL
internal import OpenSSL
internal import Synchronization

package final class TLSSessions: Sendable {
  /// Sessions kept: a server sends two tickets at once, and an agent speaks to fewer than eight servers.
  package static let keptMax = 16

  /// What must be the same.
  struct Key: Hashable, Sendable {
    let endpoint: Endpoint
    let host: String
    let trust: TLSConfiguration.Trust
    let requiredPin: PublicKeyPin?
    let identity: Digest?
    let applicationProtocols: [String]

    init(_ configuration: TLSConfiguration, endpoint: Endpoint, host: String) {
      self.endpoint = endpoint
      self.host = host
      trust = configuration.trust
      requiredPin = configuration.requiredPin
      identity = configuration.identity?.chain.first?.fingerprint
      applicationProtocols = configuration.applicationProtocols
    }
  }

  /// `@unchecked`: OpenSSL counts references to it atomically, and nobody changes it here.
  final class Saved: @unchecked Sendable {
    let pointer: OpaquePointer
    init(taking pointer: OpaquePointer) { self.pointer = pointer }
    deinit { SSL_SESSION_free(pointer) }
  }

  /// The newest last.
  private let kept = Mutex<[(key: Key, session: Saved)]>([])

  package init() {}

  package var count: Int { kept.withLock { $0.count } }

  func save(_ session: Saved, for key: Key) {
    kept.withLock { kept in
      kept.append((key, session))
      if kept.count > Self.keptMax { kept.removeFirst() }
    }
  }

  /// The newest session, which is not kept any more; nil when there is none that may be resumed.
  func take(for key: Key) -> Saved? {
    kept.withLock { kept in
      while let index = kept.lastIndex(where: { $0.key == key }) {
        let session = kept.remove(at: index).session
        if SSL_SESSION_is_resumable(session.pointer) == 1 { return session }
      }
      return nil
    }
  }

  func forget(_ key: Key) { kept.withLock { $0.removeAll { $0.key == key } } }
}

/// Where OpenSSL leaves the sessions of one connection.
final class SessionSaver {
  let sessions: TLSSessions
  let key: TLSSessions.Key

  init(_ sessions: TLSSessions, _ key: TLSSessions.Key) {
    self.sessions = sessions
    self.key = key
  }

  /// Resumes the newest session if there is one, and has new ones saved. The saver must live as long as `ssl`.
  func attach(to ssl: OpaquePointer) {
    // Index 0 is the application's (SSL_set_app_data(3)).
    SSL_set_ex_data(ssl, 0, Unmanaged.passUnretained(self).toOpaque())
    if let saved = sessions.take(for: key) { SSL_set_session(ssl, saved.pointer) }
  }

  /// Saves a copy: OpenSSL marks its own as unusable when a connection ends without a goodbye.
  func save(_ session: OpaquePointer?) {
    guard let session, let copy = SSL_SESSION_dup(session) else { return }
    sessions.save(TLSSessions.Saved(taking: copy), for: key)
  }

  /// A session of TLS 1.2 that was resumed may be resumed again.
  func keepResumed(_ ssl: OpaquePointer) {
    if SSL_version(ssl) == TLS1_2_VERSION { save(SSL_get_session(ssl)) }
  }
}

/// OpenSSL has a session: at the end of a handshake, or with a ticket that came later. 0 for: no reference was kept.
func savesSession(_ ssl: OpaquePointer?, _ session: OpaquePointer?) -> Int32 {
  guard let ssl, let saver = SSL_get_ex_data(ssl, 0) else { return 0 }
  Unmanaged<SessionSaver>.fromOpaque(saver).takeUnretainedValue().save(session)
  return 0
}
