// Sessions with devices' own pages, as the hub keeps them (docs/remote-technician.md).
//
//     asked ──the agent dials in──> opened ──the key is used──> entered ──> ended        by time, by somebody, by the agent, with the job, with
//       └───────────── nobody came in time, the job failed ───────────────────┘          the install's certificate
//
// A session is a job of its agent and a row here, made in one transaction. Of its origin's token, of the key that opens the origin and of the cookie that
// keeps it open there are hashes alone. Who asks for a key again gets another origin, and the one before is closed: an origin belongs to one tab's login.

internal import DevicePages
package import Events
internal import FoundationEssentials
internal import HubDatabase
internal import OpenSSL

package struct RemoteSession: Sendable, Equatable {
  package let number: Int64
  package let job: JobID
  package let install: InstallNumber
  /// The hub's id of it.
  package let device: String
  /// The agent's.
  package let agentDevice: DeviceID
  package let user: Int64
  package let userName: String
  /// The login that the origin belongs to.
  package let login: Int64
  package let reason: String
  package let createdAt: Int64
  /// Until when its agent may come.
  package let openUntil: Int64
  package let endsAt: Int64
  package let seconds: Int64
  package let openedAt: Int64?
  /// The hub that has the agent's connection, as other hubs reach it; empty: no other hub does.
  package let heldBy: String?
  package let names: [String]
  package let targets: [String]
  package let target: String?
  package let enteredAt: Int64?
  package let endedAt: Int64?
  package let endReason: String?
  /// The address that it was asked for from, as people write it.
  package let from: String

  init(_ row: SQLRow) throws {
    guard let job = JobID(try row("job") as String), let agentDevice = DeviceID(try row("agent_device") as Data) else {
      throw HubError.damaged("A session with a device's page cannot be read.")
    }
    func words(_ text: String?) -> [String] { text?.split(separator: " ").map(String.init) ?? [] }
    (number, self.job, install, device) = (try row("number"), job, try row("install"), try row("device"))
    (self.agentDevice, user, userName) = (agentDevice, try row("user_number"), try row("user_name"))
    (login, reason, createdAt) = (try row("login"), try row("reason"), try row("created_at"))
    (openUntil, endsAt, openedAt, heldBy) = (
      try row("open_until"), try row("ends_at"), try row("opened_at"), try row("held_by")
    )
    seconds = try row("seconds")
    (names, targets, target) = (words(try row("names")), words(try row("targets")), try row("target"))
    (enteredAt, endedAt, endReason) = (try row("entered_at"), try row("ended_at"), try row("end_reason"))
    from = SQLStore.bareAddress(try row("peer"))
  }

  /// That it has ended, and why: one sentence, however the reason came.
  var endSentence: String { Self.endSentence(endReason) }

  static func endSentence(_ reason: String?) -> String {
    let reason = reason ?? "its time is over"
    return "The session has ended: \(reason)\(reason.last.map { ".!?".contains($0) } ?? false ? "" : ".")"
  }

  /// Where its requests go; nil before its agent has come.
  var place: DevicePlace? {
    DevicePlace(
      names: names, targets: targets.compactMap { DeviceTarget($0) }, current: target.flatMap { DeviceTarget($0) })
  }
}

/// What an agent says of the session that it has opened, and with which certificate it came.
struct RemoteOpening: Sendable {
  let job: JobID
  let device: DeviceID
  let install: InstallNumber
  let certificate: String
  let seconds: Int64
  let names: [String]
  let targets: [String]
  let heldBy: String
}

/// Why somebody may not go on, as a sentence for him; or that he may.
enum RemoteStanding: Sendable, Equatable {
  case good
  case refused(String)
}

enum RemoteOutcome: Sendable {
  case done(RemoteSession)
  case refused(String)
}

extension SQLStore {
  // MARK: Asking

  /// Asks an agent for a device's own page.
  ///
  /// - Parameter device: by its id; it lies within the caller's scope.
  /// - Returns: why not, where it may not be; the refusal is in the audit trail then.
  func askForPage(
    of device: String, reason: String, seconds: Int64, by login: OpenSession, actor: Actor, now: Int64
  ) async throws -> RemoteOutcome {
    try await write { db in
      guard
        let row = try db.row(
          """
          SELECT d.number, w.state, d.entity, s.install, s.agent_device, i.revoked_at, i.id AS install_id FROM device d
          JOIN device_standing w ON w.device = d.number JOIN sighting s ON s.device = d.number AND s.install = d.leader JOIN install i ON i.number = d.leader
          WHERE d.id = ? ORDER BY s.last_read_at DESC
          """, device)
      else { throw HubError(.notFound, "There is no such device.") }
      let install: InstallNumber = try row("install")
      guard let agentDevice = DeviceID(try row("agent_device") as Data) else {
        throw HubError.damaged("The device \(device) cannot be read.")
      }
      let entity: Int64 = try row("entity")
      // Before all else, and in no trail: who asks without end fills none.
      let rate = LoginBucket.Rate(burst: HubLimits.remoteAsksBurst, interval: HubLimits.remoteAskInterval)
      if let wait = try Self.remotePace("remote \(login.user.number)", rate, now: now, db) {
        return .refused(
          "You asked for many devices' pages just now. Wait \(wait / 1_000 + 1) seconds, then try again.")
      }
      func refused(_ why: String) throws -> RemoteOutcome {
        try Self.insert(
          AuditEntry(
            at: now, action: "remote.refused", subject: device, peer: actor.peer,
            detail: "\(why) Asked by \(actor.name): \(cleaned(reason))"), entity: entity, db)
        return .refused(why)
      }
      let state: String = try row("state")
      guard !["merged", "replaced", "retired"].contains(state) else {
        return try refused("The device is \(state): there is nothing behind it to open.")
      }
      guard try row("revoked_at") as Int64? == nil else {
        return try refused("The install that reads this device was revoked, and is sent nothing.")
      }
      let offer = try Self.remoteOffer(device: try row("number"), install: install, db)
      guard offer.isOffered else {
        return try refused(
          "Remote technician is not switched on for this device at the hub. A configurer switches it on, and the site at its agent."
        )
      }
      if let why = try Self.remoteLimit(login.user, install, db) { return try refused(why) }
      let job = JobID.random()
      let wait = HubLimits.remoteOpenWait.milliseconds
      let visit = JobOrder.Visit(
        user: login.user.name, reason: reason, from: Self.bareAddress(actor.peer), seconds: UInt32(seconds))
      // An agent ends a job whose time is over, also one that runs.
      let deadline = now + wait + seconds * 1_000 + HubLimits.remoteGrace.milliseconds
      _ = try Self.create(
        NewJob(
          id: job, install: install, order: JobOrder(.page, devices: [agentDevice], visit: visit), deadline: deadline,
          creator: actor.name, peer: actor.peer), now: now, db)
      try db.execute(
        """
        INSERT INTO remote_session (job, install, device, agent_device, user_number, user_name, login, reason, peer, created_at, open_until,
          ends_at, seconds) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
        """, job.description, install, device, agentDevice.bytes, login.user.number, login.user.name, login.number,
        reason, actor.peer, now, now + wait, now + wait + seconds * 1_000, seconds)
      try Self.insert(
        AuditEntry(
          at: now, action: "remote.asked", subject: device, peer: actor.peer,
          detail: "session \(job), \(seconds) s, by \(actor.name): \(cleaned(reason))"), entity: entity, db)
      guard let session = try Self.remoteSession(job, db) else { throw HubError.damaged("The session \(job) is gone.") }
      return .done(session)
    }
  }

  private static func remoteLimit(
    _ user: ConsoleUser, _ install: InstallNumber, _ db: any SQLConnection
  ) throws -> String? {
    let own = try db.count(
      "SELECT count(*) FROM remote_session WHERE user_number = ? AND ended_at IS NULL", user.number)
    guard own < HubLimits.remoteSessionsPerUserMax else {
      return "You have \(own) devices' pages open already. End one of them first."
    }
    let of = try db.count("SELECT count(*) FROM remote_session WHERE install = ? AND ended_at IS NULL", install)
    guard of < HubLimits.remoteSessionsPerInstallMax else {
      return "The agent has \(of) devices' pages open already, which is what it serves at once. Try again later."
    }
    return nil
  }

  /// Counts one more of what may be done so often, by whoever `key` names.
  ///
  /// - Returns: milliseconds to wait where it is too often; it is not counted then.
  private static func remotePace(
    _ key: String, _ rate: LoginBucket.Rate, now: Int64, _ db: any SQLConnection
  ) throws -> Int64? {
    let row = try db.row("SELECT milli_tokens, at FROM login_attempt WHERE key = ?", key)
    let held = try row.map { LoginBucket(milliTokens: try $0("milli_tokens"), at: try $0("at")) }
    let bucket = LoginBucket.refilled(held, rate, now: now)
    if let wait = bucket.wait(rate) { return wait }
    try keepBucket(key, bucket.taken, db)
    return nil
  }

  /// Has the trail tell of somebody who asked for a device's page and may see none.
  func noteRefusedPage(
    _ subject: String, by login: OpenSession, peer: String, because why: String, now: Int64
  ) async throws {
    try await write { db in
      let rate = LoginBucket.Rate(
        burst: HubLimits.remoteRefusalsToldBurst, interval: HubLimits.remoteRefusalToldInterval)
      guard try Self.remotePace("page \(login.user.number)", rate, now: now, db) == nil else { return }
      try Self.insert(
        AuditEntry(
          at: now, action: "remote.refused", subject: cleaned(String(subject.prefix(64))), peer: peer,
          detail: "\(login.user.name) asked for the page: \(why)"), db)
    }
  }

  // MARK: Looking

  static func remoteSession(_ job: JobID, _ db: any SQLConnection) throws -> RemoteSession? {
    try db.row("SELECT * FROM remote_session WHERE job = ?", job.description).map { try RemoteSession($0) }
  }

  package func remoteSession(_ job: JobID) async throws -> RemoteSession? {
    try await read { try Self.remoteSession(job, $0) }
  }

  /// Those that have not ended, the newest first.
  ///
  /// - Parameter user: his alone; nil: of all.
  package func openRemoteSessions(of user: Int64? = nil, within scope: EntityScope) async throws -> [RemoteSession] {
    let condition = scope.condition("d.entity")
    return try await read { db in
      try db.rows(
        """
        SELECT r.* FROM remote_session r JOIN device d ON d.id = r.device
        WHERE r.ended_at IS NULL AND \(condition.sql) \(user == nil ? "" : "AND r.user_number = ?") ORDER BY r.number DESC LIMIT 1000
        """, condition.arguments + [user?.sqlValue].compactMap { $0 }
      ).map { try RemoteSession($0) }
    }
  }

  // MARK: The agent's side

  /// Takes an agent's connection for the session that it names, once.
  func openRemote(_ opening: RemoteOpening, peer: String, now: Int64) async throws -> RemoteOutcome {
    try await write { db in
      let session = try Self.remoteSession(opening.job, db)
      func refused(_ why: String) throws -> RemoteOutcome {
        // An agent that goes wrong comes again and again, and does not fill the trail.
        let rate = LoginBucket.Rate(
          burst: HubLimits.remoteRefusalsToldBurst, interval: HubLimits.remoteRefusalToldInterval)
        guard try Self.remotePace("tunnel \(opening.install.rawValue)", rate, now: now, db) == nil else {
          return .refused(why)
        }
        let install: String = try db.value("SELECT id FROM install WHERE number = ?", opening.install) ?? ""
        try Self.insert(
          AuditEntry(
            at: now, action: "remote.refused", subject: install, peer: peer,
            detail: "a tunnel for session \(opening.job): \(why)"), db)
        return .refused(why)
      }
      // Another install's session is none for this one, and it does not learn that there is one.
      guard let session, session.install == opening.install else { return try refused("there is no such session") }
      guard session.agentDevice == opening.device else { return try refused("it is of another device") }
      guard session.endedAt == nil else { return try refused("it has ended") }
      guard session.openedAt == nil else { return try refused("it has a tunnel already") }
      guard now <= session.openUntil else { return try refused("nobody waits for it any more") }
      let isWanted = try db.count(
        "SELECT count(*) FROM job WHERE id = ? AND is_open = 1 AND cancelled_at IS NULL AND state <> 'created'",
        opening.job.description)
      guard isWanted == 1 else { return try refused("its job was not sent, or has ended") }
      let endsAt = now + min(session.seconds, opening.seconds) * 1_000
      let changed = try db.execute(
        """
        UPDATE remote_session SET opened_at = ?, held_by = ?, certificate = ?, names = ?, targets = ?, target = ?, ends_at = ?
        WHERE number = ? AND opened_at IS NULL AND ended_at IS NULL
        """, now, opening.heldBy, opening.certificate, opening.names.joined(separator: " "),
        opening.targets.joined(separator: " "), opening.targets.first, endsAt, session.number)
      guard changed == 1, let opened = try Self.remoteSession(opening.job, db) else {
        return try refused("it has a tunnel already")
      }
      try Self.audit(
        opened, "remote.opened", "its agent is connected: \(opening.targets.joined(separator: ", "))", peer: peer, now,
        db)
      return .done(opened)
    }
  }

  // MARK: The browser's side

  /// Makes the origin of a session, and the key that opens it once.
  ///
  /// - Parameters:
  ///   - token: of the origin.
  ///   - login: of the user who asked for the session.
  /// - Throws: `HubError` 64 where it is not open, 77 where it is somebody else's.
  func admitToRemote(
    _ job: JobID, token: String, key: String, login: OpenSession, now: Int64
  ) async throws -> RemoteSession {
    try await write { db in
      guard let session = try Self.remoteSession(job, db) else {
        throw HubError(.usage, "This job is no session with a device's page.")
      }
      guard session.user == login.user.number else {
        throw HubError(.permission, "This is \(session.userName)'s session. Ask for one of your own.")
      }
      guard session.endedAt == nil else {
        throw HubError(.usage, session.endSentence)
      }
      guard session.openedAt != nil else { throw HubError(.usage, "Its agent has not opened the page yet.") }
      try db.execute(
        """
        UPDATE remote_session SET token_hash = ?, entry_hash = ?, entry_until = ?, cookie_hash = NULL, login = ? WHERE number = ?
        """, Self.secretHash(token), Self.secretHash(key), now + HubLimits.remoteEntryValidity.milliseconds,
        login.number, session.number)
      return session
    }
  }

  /// Uses a key up.
  ///
  /// - Parameter cookie: is good from now on, if the key was.
  /// - Returns: whether it was.
  func enterRemote(token: String, key: String, cookie: String, peer: String, now: Int64) async throws -> Bool {
    // Whoever reaches the port may try: only a key that is one costs a write.
    let isKnown = try await read { db in
      try db.count(
        "SELECT count(*) FROM remote_session WHERE token_hash = ? AND entry_hash = ?", Self.secretHash(token),
        Self.secretHash(key)) == 1
    }
    guard isKnown else { return false }
    return try await write { db in
      let changed = try db.execute(
        """
        UPDATE remote_session SET cookie_hash = ?, entry_hash = NULL, entered_at = coalesce(entered_at, ?)
        WHERE token_hash = ? AND entry_hash = ? AND entry_until >= ? AND ended_at IS NULL
        """, Self.secretHash(cookie), now, Self.secretHash(token), Self.secretHash(key), now)
      guard changed == 1,
        let row = try db.row("SELECT * FROM remote_session WHERE token_hash = ?", Self.secretHash(token))
      else { return false }
      let session = try RemoteSession(row)
      try Self.audit(session, "remote.entered", "by \(session.userName)", peer: peer, now, db)
      return true
    }
  }

  /// The session of an origin's token and of a cookie that was given there, and whether its user may go on.
  ///
  /// - Returns: nil for a token or a cookie that is none: whoever has it learns nothing.
  func remoteVisit(
    token: String, cookie: String, now: Int64
  ) async throws -> (session: RemoteSession, standing: RemoteStanding)? {
    try await read { db in
      guard
        let row = try db.row(
          "SELECT * FROM remote_session WHERE token_hash = ? AND cookie_hash = ?", Self.secretHash(token),
          Self.secretHash(cookie))
      else { return nil }
      let session = try RemoteSession(row)
      return (session, try Self.remoteStanding(session, now: now, db))
    }
  }

  private static func remoteStanding(
    _ session: RemoteSession, now: Int64, _ db: any SQLConnection
  ) throws -> RemoteStanding {
    if session.endedAt != nil {
      return .refused(session.endSentence)
    }
    guard now < session.endsAt else { return .refused("The session has ended: its time is over.") }
    let user = try db.row(
      """
      \(selectUser) JOIN console_session s ON s.user_number = u.number
      WHERE s.number = ? AND u.number = ? AND s.expires_at > ? AND s.seen_at > ? AND u.disabled_at IS NULL
      """, session.login, session.user, now, now - HubLimits.sessionIdle.milliseconds
    ).map { try Self.user($0) }
    guard let user else {
      return .refused("You are not logged in at the hub any more. Log in there, and open the page anew.")
    }
    guard user.roles.contains(.technician) else {
      return .refused("This takes the role \(ConsoleRole.technician.title), which you do not have any more.")
    }
    guard try mayBeSeen(session.device, within: user.scope, db) else {
      return .refused("You may not see this device any more.")
    }
    return .good
  }

  func setRemoteTarget(_ target: String, of session: Int64) async throws {
    try await write { db in
      try db.execute("UPDATE remote_session SET target = ? WHERE number = ?", target, session)
    }
  }

  static func audit(
    _ session: RemoteSession, _ action: String, _ detail: String, peer: String, _ now: Int64, _ db: any SQLConnection
  ) throws {
    try insert(
      AuditEntry(
        at: now, action: action, subject: session.device, peer: peer, detail: "session \(session.job), \(detail)"),
      entity: try db.value("SELECT entity FROM device WHERE id = ?", session.device) as Int64?, db)
  }

  static func secretHash(_ secret: String) -> [UInt8] { Array(SHA256.hash(Array(secret.utf8)).bytes) }

  /// The address of a peer as people write it: `192.0.2.1` of `ipv4:192.0.2.1`, `2001:db8::1` of `ipv6:[2001:db8::1]`.
  static func bareAddress(_ peer: String) -> String {
    for scheme in ["ipv4:", "ipv6:"] where peer.hasPrefix(scheme) {
      return String(peer.dropFirst(scheme.utf8.count).filter { $0 != "[" && $0 != "]" })
    }
    return peer
  }
}
