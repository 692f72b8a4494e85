// Users of the console: who may look at the hub and change it over the network.
//
//     console_user ─< console_session      a login; known by the hash of its token, in every hub that shares the database
//     login_attempt                        what the limit on logins counts, likewise
//
// Whoever ends a user, by disabling or removing, ends its sessions with the next request: a session is looked up together with its user.

internal import HubDatabase

/// Who does something to the hub, for the audit trail.
package struct Actor: Sendable, Equatable {
  package let name: String
  /// From where; empty: on the hub's own machine.
  package let peer: String

  package init(name: String, peer: String = "") {
    self.name = name
    self.peer = peer
  }
}

package struct ConsoleUser: Sendable, Equatable {
  package let number: Int64
  package let name: String
  package let displayName: String
  package let roles: Set<ConsoleRole>
  /// Whose this user may see; nil: everything.
  package let entity: String?
  package let scope: EntityScope
  package let createdAt: Int64
  package let passwordAt: Int64
  package let lastLoginAt: Int64?
  package let disabledAt: Int64?

  var administersEverything: Bool { roles.contains(.administrator) && scope.isEverything && disabledAt == nil }
}

/// A user to add.
package struct NewConsoleUser: Sendable {
  package var name: String
  package var displayName: String
  /// As `PasswordHash` writes it.
  package var passwordHash: String
  package var roles: Set<ConsoleRole>
  /// The name of an entity; nil: everything.
  package var entity: String?

  package init(name: String, displayName: String, passwordHash: String, roles: Set<ConsoleRole>, entity: String?) {
    self.name = name
    self.displayName = displayName
    self.passwordHash = passwordHash
    self.roles = roles
    self.entity = entity
  }
}

/// What becomes another; nil: stays.
package struct UserChange: Sendable {
  package enum Scope: Sendable {
    case everything
    case entity(String)
  }

  package var displayName: String?
  package var roles: Set<ConsoleRole>?
  package var scope: Scope?
  package var isDisabled: Bool?

  package init(
    displayName: String? = nil, roles: Set<ConsoleRole>? = nil, scope: Scope? = nil, isDisabled: Bool? = nil
  ) {
    self.displayName = displayName
    self.roles = roles
    self.scope = scope
    self.isDisabled = isDisabled
  }
}

/// The rules for names, shared by the command and the console.
package enum UserRules {
  /// A name as it is kept.
  ///
  /// - Throws: `HubError` 64 for what cannot be one.
  package static func name(_ text: String) throws(HubError) -> String {
    let name = text.lowercased()
    let isGood = name.unicodeScalars.allSatisfy { scalar in
      ("a"..."z").contains(scalar) || ("0"..."9").contains(scalar) || "._-@+".unicodeScalars.contains(scalar)
    }
    guard isGood, !name.isEmpty, name.utf8.count <= HubLimits.userNameMax else {
      throw HubError(
        .usage,
        "A user's name has 1 to \(HubLimits.userNameMax) of the characters a to z, 0 to 9 and . _ - @ +, as mail addresses do."
      )
    }
    return name
  }

  /// - Throws: `HubError` 64.
  package static func displayName(_ text: String) throws(HubError) -> String {
    guard text.count <= HubLimits.entityNameMax,
      !text.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else { throw HubError(.usage, "A display name has at most \(HubLimits.entityNameMax) printable characters.") }
    return text
  }
}

extension SQLStore {
  static let selectUser =
    "SELECT u.*, e.name AS entity_name FROM console_user u LEFT JOIN entity e ON e.number = u.entity"

  static func user(_ row: SQLRow) throws -> ConsoleUser {
    ConsoleUser(
      number: try row("number"), name: try row("name"), displayName: try row("display_name"),
      roles: ConsoleRole.roles(try row("roles")), entity: try row("entity_name"),
      scope: EntityScope(root: try row("entity")), createdAt: try row("created_at"), passwordAt: try row("password_at"),
      lastLoginAt: try row("last_login_at"), disabledAt: try row("disabled_at"))
  }

  /// The users whose scope lies within this one, by name.
  package func users(within scope: EntityScope) async throws -> [ConsoleUser] {
    let condition = scope.condition("u.entity")
    return try await read { db in
      try db.rows("\(Self.selectUser) WHERE \(condition.sql) ORDER BY u.name", condition.arguments).map(Self.user)
    }
  }

  /// - Throws: `HubError` 65 if there is no such user within the scope.
  package func user(named name: String, within scope: EntityScope) async throws -> ConsoleUser {
    try await read { db in try Self.requireUser(name, within: scope, db) }
  }

  /// - Throws: `HubError`: 64 if there is one of this name, 65 if there is no such entity within the scope.
  package func addUser(_ user: NewConsoleUser, within scope: EntityScope, by actor: Actor, now: Int64) async throws {
    try await write { db in
      guard try db.count("SELECT count(*) FROM console_user WHERE name = ?", user.name) == 0 else {
        throw HubError(.usage, "There is a user '\(user.name)' already. Choose another name.")
      }
      let entity = try Self.scopeEntity(user.entity.map { .entity($0) } ?? .everything, within: scope, db)
      try db.execute(
        """
        INSERT INTO console_user (name, display_name, password, roles, entity, created_at, password_at) VALUES (?, ?, ?, ?, ?, ?, ?)
        """, user.name, user.displayName, user.passwordHash, ConsoleRole.column(user.roles), entity?.number, now, now)
      try Self.insert(
        AuditEntry(
          at: now, action: "user.added", subject: user.name, peer: actor.peer,
          detail:
            "\(ConsoleRole.column(user.roles)), \(entity.map { "of \($0.name)" } ?? "of everything"), by \(actor.name)"),
        entity: entity?.number, db)
    }
  }

  /// Changes a user; what the user has open goes by it from the next request on.
  ///
  /// - Throws: `HubError`: 65 if there is no such user or entity within the scope, 64 if nobody were left to administer.
  package func changeUser(
    _ name: String, _ change: UserChange, within scope: EntityScope, keepingAnAdministrator: Bool, by actor: Actor,
    now: Int64
  ) async throws {
    try await write { db in
      let user = try Self.requireUser(name, within: scope, db)
      var notes: [(action: String, detail: String)] = []
      if let displayName = change.displayName, displayName != user.displayName {
        try db.execute("UPDATE console_user SET display_name = ? WHERE number = ?", displayName, user.number)
        notes.append(("user.named", "\(displayName), was \(user.displayName)"))
      }
      if let roles = change.roles, roles != user.roles {
        try db.execute(
          "UPDATE console_user SET roles = ? WHERE number = ?", ConsoleRole.column(roles), user.number)
        notes.append(("user.roles", "\(ConsoleRole.column(roles)), was \(ConsoleRole.column(user.roles))"))
      }
      if let wanted = change.scope {
        let entity = try Self.scopeEntity(wanted, within: scope, db)
        if entity?.number != user.scope.root {
          try db.execute("UPDATE console_user SET entity = ? WHERE number = ?", entity?.number, user.number)
          notes.append(("user.scope", "\(entity?.name ?? "everything"), was \(user.entity ?? "everything")"))
        }
      }
      if let isDisabled = change.isDisabled, isDisabled != (user.disabledAt != nil) {
        try db.execute(
          "UPDATE console_user SET disabled_at = ? WHERE number = ?", isDisabled ? now : nil as Int64?, user.number)
        if isDisabled { try db.execute("DELETE FROM console_session WHERE user_number = ?", user.number) }
        notes.append((isDisabled ? "user.disabled" : "user.enabled", ""))
      }
      if keepingAnAdministrator, user.administersEverything { try Self.requireAdministrator(db) }
      for note in notes {
        try Self.insert(
          AuditEntry(
            at: now, action: note.action, subject: user.name, peer: actor.peer,
            detail: [note.detail, "by \(actor.name)"].filter { !$0.isEmpty }.joined(separator: ", ")),
          entity: user.scope.root, db)
      }
    }
  }

  /// - Throws: as `changeUser`.
  package func removeUser(
    _ name: String, within scope: EntityScope, keepingAnAdministrator: Bool, by actor: Actor, now: Int64
  ) async throws {
    try await write { db in
      let user = try Self.requireUser(name, within: scope, db)
      try db.execute("DELETE FROM console_session WHERE user_number = ?", user.number)
      try db.execute("DELETE FROM console_user WHERE number = ?", user.number)
      if keepingAnAdministrator, user.administersEverything { try Self.requireAdministrator(db) }
      try Self.insert(
        AuditEntry(
          at: now, action: "user.removed", subject: user.name, peer: actor.peer, detail: "by \(actor.name)"),
        entity: user.scope.root, db)
    }
  }

  /// Gives a user another password, and ends what is open with the old one.
  ///
  /// - Parameter session: stays: that of whoever changes his own.
  /// - Throws: `HubError` 65 if there is no such user within the scope.
  package func setPassword(
    hash: String, of name: String, within scope: EntityScope, keeping session: Int64? = nil, by actor: Actor, now: Int64
  ) async throws {
    try await write { db in
      let user = try Self.requireUser(name, within: scope, db)
      try db.execute(
        "UPDATE console_user SET password = ?, password_at = ? WHERE number = ?", hash, now, user.number)
      try db.execute(
        "DELETE FROM console_session WHERE user_number = ? AND number <> ?", user.number, session ?? 0)
      try Self.insert(
        AuditEntry(
          at: now, action: "user.password", subject: user.name, peer: actor.peer, detail: "by \(actor.name)"),
        entity: user.scope.root, db)
    }
  }

  /// What a password is compared with; nil where nobody may log in by this name.
  package func credential(of name: String) async throws -> (user: ConsoleUser, hash: String)? {
    try await read { db in
      try db.row("\(Self.selectUser) WHERE u.name = ? AND u.disabled_at IS NULL", name).map {
        (try Self.user($0), try $0("password"))
      }
    }
  }

  // MARK: Within a transaction

  private static func requireUser(
    _ name: String, within scope: EntityScope, _ db: any SQLConnection
  ) throws -> ConsoleUser {
    let condition = scope.condition("u.entity")
    let rows = try db.rows(
      "\(selectUser) WHERE u.name = ? AND \(condition.sql)", [name.lowercased().sqlValue] + condition.arguments)
    guard let row = rows.first else {
      throw HubError(.notFound, "There is no user '\(cleaned(name))'. See `pthub user list`.")
    }
    return try user(row)
  }

  private static func scopeEntity(
    _ wanted: UserChange.Scope, within scope: EntityScope, _ db: any SQLConnection
  ) throws -> (number: Int64, name: String)? {
    switch wanted {
    case .entity(let name): return try entity(name, within: scope, db)
    case .everything:
      guard scope.isEverything else {
        throw HubError(
          .usage, "Who administers one entity cannot give rights over everything. Name an entity below it.")
      }
      return nil
    }
  }

  /// Nobody locks himself and everybody else out from afar.
  private static func requireAdministrator(_ db: any SQLConnection) throws {
    let left = try db.rows("SELECT roles FROM console_user WHERE disabled_at IS NULL AND entity IS NULL").filter {
      ConsoleRole.roles(try $0("roles")).contains(.administrator)
    }
    guard !left.isEmpty else {
      throw HubError(
        .usage, "Nobody would be left to administer the hub. Make somebody else administrator of everything first.")
    }
  }

  /// An entity of the scope.
  ///
  /// - Throws: `HubError` 65, as if it were not there, for one outside.
  static func entity(
    _ name: String, within scope: EntityScope, _ db: any SQLConnection
  ) throws -> (number: Int64, name: String) {
    let found = try entity(name, db)
    let condition = scope.condition("number")
    let rows = try db.rows(
      "SELECT number FROM entity WHERE number = ? AND \(condition.sql)",
      [.integer(found.number)] + condition.arguments)
    guard !rows.isEmpty else { throw HubError(.notFound, "There is no entity named '\(cleaned(name))'.") }
    return found
  }
}
