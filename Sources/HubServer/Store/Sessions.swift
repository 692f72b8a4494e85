// Logins to the console, and the limit on them. Both are rows, so that hubs which share a database know each other's.
//
// A session is known by the SHA-256 of its token: whoever copies the database gets in nowhere. It ends when its user says so, is disabled, removed
// or gets another password, when nobody used it for a while, and after half a day in any case.

internal import FoundationEssentials
internal import HubDatabase
internal import OpenSSL

/// A session that is good, and whose it is.
package struct OpenSession: Sendable, Equatable {
  package let number: Int64
  package let user: ConsoleUser
  package let expiresAt: Int64
}

extension SQLStore {
  /// - Parameter token: 256 random bits as the cookie has them; only its hash is kept.
  package func openSession(
    token: String, for user: ConsoleUser, peer: String, now: Int64
  ) async throws {
    try await write { db in
      try db.execute(
        "DELETE FROM console_session WHERE expires_at <= ? OR seen_at <= ?", now,
        now - HubLimits.sessionIdle.milliseconds)
      // The oldest gives way: a user has a few machines.
      let open: [Int64] = try db.rows(
        "SELECT number FROM console_session WHERE user_number = ? ORDER BY number DESC", user.number
      ).map { try $0("number") }
      try db.execute(
        "DELETE FROM console_session WHERE number = ?",
        batch: open.dropFirst(HubLimits.sessionsPerUserMax - 1).map { [.integer($0)] })
      // Disabled, or with another password, since it was asked: the password that was right then opens nothing now.
      let current = try db.count(
        "SELECT count(*) FROM console_user WHERE number = ? AND disabled_at IS NULL AND password_at = ?", user.number,
        user.passwordAt)
      guard current == 1 else { throw HubError(.permission, "The user was changed just now. Log in again.") }
      try db.execute(
        """
        INSERT INTO console_session (token_hash, user_number, created_at, seen_at, expires_at, peer) VALUES (?, ?, ?, ?, ?, ?)
        """, Self.hash(token), user.number, now, now, now + HubLimits.sessionLifetime.milliseconds, peer)
      try db.execute("UPDATE console_user SET last_login_at = ? WHERE number = ?", now, user.number)
      try Self.insert(
        AuditEntry(at: now, action: "login.succeeded", subject: user.name, peer: peer, detail: ""),
        entity: user.scope.root, db)
    }
  }

  /// The session of a token, if it is good now.
  ///
  /// - Parameter isUse: whether it counts as use, after which the session is idle no more.
  package func session(token: String, isUse: Bool, now: Int64) async throws -> OpenSession? {
    let hash = Self.hash(token)
    let found = try await read { db in
      try db.row(
        """
        SELECT s.number AS session, s.seen_at, s.expires_at, u.*, e.name AS entity_name FROM console_session s
        JOIN console_user u ON u.number = s.user_number LEFT JOIN entity e ON e.number = u.entity
        WHERE s.token_hash = ? AND s.expires_at > ? AND s.seen_at > ? AND u.disabled_at IS NULL
        """, hash, now, now - HubLimits.sessionIdle.milliseconds
      ).map { row in
        (
          OpenSession(number: try row("session"), user: try Self.user(row), expiresAt: try row("expires_at")),
          seenAt: try row("seen_at") as Int64
        )
      }
    }
    guard let (session, seenAt) = found else { return nil }
    // Each request would be a write, and a flush to disk.
    if isUse, now - seenAt >= HubLimits.sessionSeenInterval.milliseconds {
      try await write { db in
        try db.execute("UPDATE console_session SET seen_at = ? WHERE number = ?", now, session.number)
      }
    }
    return session
  }

  package func endSession(_ session: OpenSession, by actor: Actor, now: Int64) async throws {
    try await write { db in
      let ended = try db.execute("DELETE FROM console_session WHERE number = ?", session.number)
      guard ended > 0 else { return }
      try Self.insert(
        AuditEntry(at: now, action: "login.ended", subject: session.user.name, peer: actor.peer, detail: ""),
        entity: session.user.scope.root, db)
    }
  }

  private static func hash(_ token: String) -> [UInt8] { Array(SHA256.hash(Array(token.utf8)).bytes) }

  // MARK: The limit on logins

  /// Takes a token for a login from each bucket that it falls into; gives back how long to wait if one is empty. Taken before the password is
  /// looked at, so that many at once are no way around it.
  ///
  /// - Returns: milliseconds to wait; nil: go on.
  package func beginLogin(user: String, peer: String, now: Int64) async throws -> Int64? {
    try await write { db in
      var limits: [(key: String, bucket: LoginBucket, rate: LoginBucket.Rate)] = []
      for (key, rate) in LoginBucket.keys(user: user, peer: AttemptLimiter.peer(of: peer)) {
        let row = try db.row("SELECT milli_tokens, at FROM login_attempt WHERE key = ?", key)
        let held = try row.map { LoginBucket(milliTokens: try $0("milli_tokens"), at: try $0("at")) }
        limits.append((key, LoginBucket.refilled(held, rate, now: now), rate))
      }
      let wait = limits.compactMap { $0.bucket.wait($0.rate) }.max()
      if let wait {
        // Once for each wait that begins, so that a guesser does not fill the trail.
        let told = "told \(limits[0].key)"
        let last = try db.row("SELECT at FROM login_attempt WHERE key = ?", told)
        if try last.map({ now - (try $0("at") as Int64) >= HubLimits.loginLimitTold.milliseconds }) ?? true {
          try Self.keepBucket(told, LoginBucket(milliTokens: 0, at: now), db)
          try Self.insert(
            AuditEntry(
              at: now, action: "login.limited",
              subject: try db.value("SELECT name FROM console_user WHERE name = ?", user) ?? "", peer: peer,
              detail: "too many attempts, wait \(wait / 1_000 + 1) s"), db)
        }
        return wait
      }
      for limit in limits { try Self.keepBucket(limit.key, limit.bucket.taken, db) }
      return nil
    }
  }

  /// A login that came out right was no guess.
  package func loginSucceeded(user: String, peer: String, now: Int64) async throws {
    try await write { db in
      for (key, rate) in LoginBucket.keys(user: user, peer: AttemptLimiter.peer(of: peer)) {
        guard let row = try db.row("SELECT milli_tokens, at FROM login_attempt WHERE key = ?", key) else { continue }
        var bucket = LoginBucket.refilled(
          LoginBucket(milliTokens: try row("milli_tokens"), at: try row("at")), rate, now: now)
        bucket.milliTokens = min(bucket.milliTokens + 1_000, Int64(rate.burst) * 1_000)
        try Self.keepBucket(key, bucket, db)
      }
    }
  }

  /// Says so in the audit trail, up to a number of times: guessers do not push out what else is in it. A name that nobody has is not
  /// written down; it may be a password that was typed into the wrong field.
  package func loginFailed(user: String, peer: String, now: Int64) async throws {
    try await write { db in
      let rate = LoginBucket.Rate(burst: HubLimits.loginFailuresToldBurst, interval: HubLimits.loginFailureToldInterval)
      let row = try db.row("SELECT milli_tokens, at FROM login_attempt WHERE key = 'failures told'")
      let held = try row.map { LoginBucket(milliTokens: try $0("milli_tokens"), at: try $0("at")) }
      let bucket = LoginBucket.refilled(held, rate, now: now)
      guard bucket.wait(rate) == nil else { return }
      try Self.keepBucket("failures told", bucket.taken, db)
      let known = try db.row("SELECT name, entity FROM console_user WHERE name = ?", user)
      try Self.insert(
        AuditEntry(
          at: now, action: "login.failed", subject: try known?("name") ?? "", peer: peer,
          detail: known == nil ? "of a name that nobody has" : ""), entity: try known?("entity") as Int64?? ?? nil, db)
    }
  }

  static func keepBucket(_ key: String, _ bucket: LoginBucket, _ db: any SQLConnection) throws {
    try db.execute(
      """
      INSERT INTO login_attempt (key, milli_tokens, at) VALUES (?, ?, ?)
      ON CONFLICT (key) DO UPDATE SET milli_tokens = excluded.milli_tokens, at = excluded.at
      """, key, bucket.milliTokens, bucket.at)
    // Those that are full again say nothing.
    try db.execute("DELETE FROM login_attempt WHERE at < ?", bucket.at - HubLimits.loginAttemptKept.milliseconds)
  }
}

/// Tokens of one kind of attempt; a pure value.
struct LoginBucket: Equatable {
  struct Rate {
    let burst: Int
    let interval: Duration
  }

  /// Thousandths of a token.
  var milliTokens: Int64
  var at: Int64

  var taken: LoginBucket { LoginBucket(milliTokens: milliTokens - 1_000, at: at) }

  /// What an attempt counts for: by this user from there, by anybody from there, and by this user from anywhere. The last lets many more through, so
  /// that nobody locks another out by guessing with his name.
  static func keys(user: String, peer: String) -> [(key: String, rate: Rate)] {
    // A name is of any length until somebody of that name is known.
    let name = String(user.prefix(HubLimits.userNameMax))
    return [
      ("user \(name) at \(peer)", Rate(burst: HubLimits.loginsBurst, interval: HubLimits.loginInterval)),
      ("peer \(peer)", Rate(burst: HubLimits.loginsPerPeerBurst, interval: HubLimits.loginPerPeerInterval)),
      ("user \(name)", Rate(burst: HubLimits.loginsPerUserBurst, interval: HubLimits.loginPerUserInterval)),
    ]
  }

  static func refilled(_ bucket: LoginBucket?, _ rate: Rate, now: Int64) -> LoginBucket {
    let full = Int64(rate.burst) * 1_000
    guard let bucket else { return LoginBucket(milliTokens: full, at: now) }
    // Hubs' clocks differ; time that goes backwards earns nothing.
    let elapsed = min(max(0, now - bucket.at), Int64(rate.burst) * rate.interval.milliseconds)
    let earned = elapsed * 1_000 / rate.interval.milliseconds
    return LoginBucket(milliTokens: min(full, bucket.milliTokens + earned), at: max(now, bucket.at))
  }

  /// Milliseconds until there is a token; nil: there is one.
  func wait(_ rate: Rate) -> Int64? {
    milliTokens >= 1_000 ? nil : (1_000 - milliTokens) * rate.interval.milliseconds / 1_000 + 1
  }
}
