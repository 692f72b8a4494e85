// Who is logged in. A session's id is 256 random bits in a cookie; what is kept of it is its hash, so that who reads memory or a database cannot use it.

internal import FoundationEssentials
internal import OpenSSL
internal import Synchronization

/// The id of a session, as its client has it.
package struct SessionToken: Sendable {
  /// 43 characters of base64url.
  package let text: String
  /// What is kept: SHA-256 of the text, 64 hexadecimal digits.
  package let hash: String

  package static func make() -> SessionToken {
    let text = Data(SecureRandom.bytes(32)).base64EncodedString().replacing("+", with: "-").replacing("/", with: "_")
      .replacing("=", with: "")
    return SessionToken(text: text, hash: Self.hash(of: text))
  }

  private init(text: String, hash: String) { (self.text, self.hash) = (text, hash) }

  /// Nil for what cannot be one.
  package init?(_ text: String?) {
    guard let text, text.utf8.count == 43, text.utf8.allSatisfy({ Self.isCharacter($0) }) else { return nil }
    self.init(text: text, hash: Self.hash(of: text))
  }

  private static func hash(of text: String) -> String { SHA256.hash(Array(text.utf8)).hex }

  private static func isCharacter(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
      UInt8(ascii: "0")...UInt8(ascii: "9"),
      UInt8(ascii: "-"), UInt8(ascii: "_"):
      true
    default: false
    }
  }
}

/// The cookie that a session's id lives in. With TLS its name has the prefix that no page without TLS can set (RFC 6265bis, section 4.1.3.2).
package struct SessionCookie: Sendable {
  private let name: String

  package init(_ name: String) { self.name = name }

  private func name(isSecure: Bool) -> String { isSecure ? "__Host-" + name : name }

  package func token(_ request: WebRequest) -> SessionToken? {
    SessionToken(request.cookie(name(isSecure: request.isSecure)))
  }

  /// The header that gives it.
  package func setting(_ token: SessionToken, isSecure: Bool) -> (String, String) {
    (
      "Set-Cookie",
      "\(name(isSecure: isSecure))=\(token.text); Path=/; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    )
  }

  /// The header that takes it away.
  package func clearing(isSecure: Bool) -> (String, String) {
    (
      "Set-Cookie",
      "\(name(isSecure: isSecure))=; Path=/; Max-Age=0; HttpOnly; SameSite=Strict" + (isSecure ? "; Secure" : "")
    )
  }
}

/// Sessions of one process, in memory: they end with it.
package final class Sessions: Sendable {
  /// Somebody who went to lunch logs in again.
  package static let idleMax: Duration = .seconds(30 * 60)
  /// A working day.
  package static let ageMax: Duration = .seconds(12 * 3_600)
  /// The oldest is ended for one more.
  package static let countMax = 64

  private struct Session {
    let begun: ContinuousClock.Instant
    var used: ContinuousClock.Instant

    var end: ContinuousClock.Instant { min(begun.advanced(by: ageMax), used.advanced(by: idleMax)) }
  }

  private let sessions = Mutex<[String: Session]>([:])

  package init() {}

  package func begin(now: ContinuousClock.Instant = .now) -> SessionToken {
    let token = SessionToken.make()
    sessions.withLock { sessions in
      sessions = sessions.filter { $0.value.end > now }
      if sessions.count >= Self.countMax, let oldest = sessions.min(by: { $0.value.used < $1.value.used }) {
        sessions[oldest.key] = nil
      }
      sessions[token.hash] = Session(begun: now, used: now)
    }
    return token
  }

  /// How long the session is good for from now on, if it is; it counts as used.
  package func use(_ token: SessionToken?, now: ContinuousClock.Instant = .now) -> Duration? {
    guard let token else { return nil }
    return sessions.withLock { sessions in
      guard var session = sessions[token.hash] else { return nil }
      guard session.end > now else {
        sessions[token.hash] = nil
        return nil
      }
      session.used = now
      sessions[token.hash] = session
      return now.duration(to: session.end)
    }
  }

  package func end(_ token: SessionToken?) {
    guard let token else { return }
    sessions.withLock { _ = $0.removeValue(forKey: token.hash) }
  }

  /// - Parameter token: the one that stays.
  package func endAll(but token: SessionToken? = nil) {
    sessions.withLock { sessions in sessions = sessions.filter { $0.key == token?.hash } }
  }
}

/// How often somebody may try a password. A value; the time comes in.
package struct LoginLimiter: Sendable {
  /// Wrong ones of one client within `window`.
  package static let perClientMax = 5
  /// Of all together: who has many addresses is no better off.
  package static let totalMax = 30
  package static let window: Duration = .seconds(300)

  private var failures: [(client: String, time: ContinuousClock.Instant)] = []

  package init() {}

  /// - Returns: how long the client has to wait; nil where it may try.
  package mutating func wait(_ client: String, now: ContinuousClock.Instant) -> Duration? {
    failures.removeAll { $0.time.advanced(by: Self.window) <= now }
    let own = failures.filter { $0.client == client }
    let first =
      own.count >= Self.perClientMax ? own.first : failures.count >= Self.totalMax ? failures.first : nil
    return first.map { now.duration(to: $0.time.advanced(by: Self.window)) }
  }

  package mutating func failed(_ client: String, now: ContinuousClock.Instant) {
    failures.append((client, now))
    if failures.count > Self.totalMax { failures.removeFirst() }
  }

  package mutating func succeeded(_ client: String) { failures.removeAll { $0.client == client } }
}
