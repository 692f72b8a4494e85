// Entities as a tree: a dealer's customers, their sites, the departments there. Codes, installs and devices belong to one entity each and stay
// there; what is asked of an entity is asked of all below it, too.

internal import HubDatabase

extension SQLStore {
  /// A common table expression `below`: the entity that the argument names, and everything below it. UNION ends where a cycle would not.
  static let below = """
    WITH RECURSIVE below (number, name) AS (
      SELECT number, name FROM entity WHERE lower(name) = lower(?)
      UNION SELECT e.number, e.name FROM entity e JOIN below b ON e.parent = b.number)
    """

  /// The tree, each entity behind the one that it is in, siblings by name.
  package func entityTree() async throws -> [EntityNode] {
    let rows = try await read { db in
      try db.rows(
        """
        SELECT number, name, parent, created_at, (SELECT count(*) FROM install WHERE install.entity = entity.number) AS installs,
          (SELECT count(*) FROM setting WHERE setting.entity = entity.number) AS settings
        FROM entity ORDER BY lower(name)
        """
      ).map { row in
        (
          number: try row("number") as Int64, parent: try row("parent") as Int64?,
          entity: Entity(name: try row("name"), createdAt: try row("created_at"), installs: try row("installs")),
          settings: try row("settings") as Int
        )
      }
    }
    let children = Dictionary(grouping: rows) { $0.parent }
    var nodes: [EntityNode] = []
    func visit(_ parent: Int64?, _ path: [String]) {
      // Commands refuse what would be deeper, or a cycle.
      guard path.count <= HubLimits.entityDepthMax else { return }
      for row in children[parent] ?? [] {
        nodes.append(EntityNode(entity: row.entity, path: path, settings: row.settings))
        visit(row.number, path + [row.entity.name])
      }
    }
    visit(nil, [])
    return nodes
  }

  /// - Throws: `HubError` 64 if there is an entity of this name or the tree would be too deep, 65 if there is no such parent.
  package func addEntity(named name: String, under parent: String, by actor: Actor? = nil, now: Int64) async throws {
    try await write { db in
      try Self.refuseTaken(name, db)
      let above = try Self.entity(parent, db)
      guard try Self.depth(of: above.number, db) < HubLimits.entityDepthMax else { throw Self.tooDeep }
      let number = try db.inserted(
        "INSERT INTO entity (name, created_at, parent) VALUES (?, ?, ?)", name, now, above.number)
      try Self.insert(
        AuditEntry(
          at: now, action: "entity.added", subject: name, peer: actor?.peer ?? "",
          detail: Self.words(["under \(above.name)"], by: actor)),
        entity: number, db)
    }
  }

  /// Puts an entity, with all that is below it, under another one; nil: at the top.
  ///
  /// - Throws: `HubError` 65 if there is no such entity, 64 if it would be below itself or too deep.
  package func moveEntity(_ name: String, under parent: String?, now: Int64) async throws {
    try await write { db in
      let moved = try Self.entity(name, db)
      var above: (number: Int64, name: String)?
      if let parent {
        let target = try Self.entity(parent, db)
        let below = try Self.numbersBelow(moved.name, db)
        guard !below.contains(target.number) else {
          throw HubError(
            .usage,
            moved.number == target.number
              ? "'\(moved.name)' cannot be under itself."
              : "'\(target.name)' is under '\(moved.name)': the two cannot be under each other. Move '\(target.name)' elsewhere first."
          )
        }
        let height = try Self.height(of: moved.number, db)
        guard try Self.depth(of: target.number, db) + height <= HubLimits.entityDepthMax else { throw Self.tooDeep }
        above = target
      }
      try db.execute("UPDATE entity SET parent = ? WHERE number = ?", above?.number, moved.number)
      // Other settings are inherited now.
      try Self.raiseRevision(db)
      try Self.insert(
        AuditEntry(
          at: now, action: "entity.moved", subject: moved.name, peer: "",
          detail: above.map { "under \($0.name)" } ?? "to the top"), entity: moved.number, db)
    }
  }

  /// - Throws: `HubError` 65 if there is no such entity, 64 if another one has the name.
  package func renameEntity(_ name: String, to other: String, by actor: Actor? = nil, now: Int64) async throws {
    try await write { db in
      let renamed = try Self.entity(name, db)
      guard
        try db.count(
          "SELECT count(*) FROM entity WHERE lower(name) = lower(?) AND number <> ?", other, renamed.number) == 0
      else { throw HubError(.usage, "There is an entity named '\(other)' already. Choose another name.") }
      try db.execute("UPDATE entity SET name = ? WHERE number = ?", other, renamed.number)
      try Self.insert(
        AuditEntry(
          at: now, action: "entity.renamed", subject: other, peer: actor?.peer ?? "",
          detail: Self.words(["was \(renamed.name)"], by: actor)),
        entity: renamed.number, db)
    }
  }

  /// Removes an entity that nothing is in, with its settings and the codes that nobody can use any more.
  ///
  /// - Throws: `HubError` 65 if there is no such entity, 64 if something is in it.
  package func removeEntity(_ name: String, by actor: Actor? = nil, now: Int64) async throws {
    try await write { db in
      let removed = try Self.entity(name, db)
      // Its own number is gone with it.
      let parent: Int64?? = try db.value("SELECT parent FROM entity WHERE number = ?", removed.number)
      let children = try db.count("SELECT count(*) FROM entity WHERE parent = ?", removed.number)
      let installs = try db.count("SELECT count(*) FROM install WHERE entity = ?", removed.number)
      let codes = try db.count(
        "SELECT count(*) FROM datalink_code WHERE entity = ? AND revoked_at IS NULL AND uses < uses_max AND expires_at > ?",
        removed.number, now)
      let users = try db.count("SELECT count(*) FROM console_user WHERE entity = ?", removed.number)
      let contents = [
        Self.counted(children, "entity", "entities"), Self.counted(installs, "install", "installs"),
        Self.counted(codes, "valid code", "valid codes"), Self.counted(users, "user", "users"),
      ].compactMap { $0 }
      guard contents.isEmpty else {
        throw HubError(
          .usage,
          "'\(removed.name)' still has \(contents.joined(separator: ", ")): only an entity that nothing is in is removed. Move its entities, revoke its codes and remove its users first; installs stay where they enrolled."
        )
      }
      try db.execute("DELETE FROM setting WHERE entity = ?", removed.number)
      try db.execute("DELETE FROM remote_offer WHERE entity = ?", removed.number)
      try db.execute("DELETE FROM datalink_code WHERE entity = ?", removed.number)
      try db.execute("DELETE FROM entity WHERE number = ?", removed.number)
      try Self.insert(
        AuditEntry(
          at: now, action: "entity.removed", subject: removed.name, peer: actor?.peer ?? "",
          detail: Self.words([], by: actor)), entity: parent ?? nil, db)
    }
  }

  /// - Throws: `HubError` 65 if there is no entity of this name.
  package func requireEntity(_ name: String) async throws { try await read { db in _ = try Self.entity(name, db) } }

  /// The names of a scope.
  func entityNames(within scope: EntityScope) async throws -> Set<String> {
    let condition = scope.condition("number")
    return try await read { db in
      Set(try db.rows("SELECT name FROM entity WHERE \(condition.sql)", condition.arguments).map { try $0("name") })
    }
  }

  // MARK: Within a transaction

  static func entity(_ name: String, _ db: any SQLConnection) throws -> (number: Int64, name: String) {
    guard let row = try db.row("SELECT number, name FROM entity WHERE lower(name) = lower(?)", name) else {
      throw HubError(
        .notFound, "There is no entity named '\(name)'. Add it with `pthub entity add`, or see `pthub entity list`.")
    }
    return (try row("number"), try row("name"))
  }

  private static func refuseTaken(_ name: String, _ db: any SQLConnection) throws {
    guard try db.count("SELECT count(*) FROM entity WHERE lower(name) = lower(?)", name) == 0 else {
      throw HubError(.usage, "There is an entity named '\(name)' already. Choose another name.")
    }
  }

  private static func numbersBelow(_ name: String, _ db: any SQLConnection) throws -> Set<Int64> {
    Set(try db.rows("\(below) SELECT number FROM below", name).map { try $0("number") })
  }

  /// How many entities lie on the way from the root to this one, itself among them.
  private static func depth(of number: Int64, _ db: any SQLConnection) throws -> Int {
    var (depth, current): (Int, Int64?) = (0, number)
    while let entity = current, depth <= HubLimits.entityDepthMax {
      depth += 1
      current = try db.value("SELECT parent FROM entity WHERE number = ? AND parent IS NOT NULL", entity)
    }
    return depth
  }

  /// How many levels there are from this one to the lowest below it, itself among them.
  private static func height(of number: Int64, _ db: any SQLConnection) throws -> Int {
    var (height, level): (Int, [Int64]) = (0, [number])
    while !level.isEmpty, height <= HubLimits.entityDepthMax {
      height += 1
      level = try level.flatMap { entity in
        try db.rows("SELECT number FROM entity WHERE parent = ?", entity).map { try $0("number") as Int64 }
      }
    }
    return height
  }

  private static var tooDeep: HubError {
    HubError(.usage, "The tree would be deeper than \(HubLimits.entityDepthMax) entities. Put it further up.")
  }

  private static func counted(_ count: Int, _ one: String, _ many: String) -> String? {
    count == 0 ? nil : "\(count) \(count == 1 ? one : many)"
  }
}

/// The rules for names of entities, shared by the command and the console.
package enum EntityRules {
  /// - Throws: `HubError` 64 for what cannot be a name.
  package static func check(_ name: String) throws(HubError) {
    guard name.first?.isWhitespace == false, name.last?.isWhitespace == false, name.count <= HubLimits.entityNameMax,
      !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
    else {
      throw HubError(
        .usage, "An entity's name has 1 to \(HubLimits.entityNameMax) printable characters and no space at its ends.")
    }
  }
}
