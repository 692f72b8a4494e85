// What users of the console may do, and whose.
//
// Roles do not include each other: a user has a set of them. Whoever has any may look at what is in his scope, which is everything, or one
// entity with all that is below it.

internal import HubDatabase

/// What a user may do beside looking.
package enum ConsoleRole: String, Sendable, CaseIterable, Comparable {
  case viewer
  /// Jobs, DataLink codes.
  case `operator`
  /// Entities, settings.
  case configurer
  /// Opens the pages of devices.
  case technician
  /// Users, the audit trail.
  case administrator

  /// What people call it.
  package var title: String {
    switch self {
    case .viewer: "Viewer"
    case .operator: "Operator"
    case .configurer: "Configurer"
    case .technician: "Remote Technician User"
    case .administrator: "Administrator"
    }
  }

  package static func < (left: ConsoleRole, right: ConsoleRole) -> Bool {
    (allCases.firstIndex(of: left) ?? 0) < (allCases.firstIndex(of: right) ?? 0)
  }

  /// - Throws: `HubError` 64 for a word that is no role, or for none.
  package static func set(of names: [String]) throws(HubError) -> Set<ConsoleRole> {
    var roles: Set<ConsoleRole> = []
    for name in names {
      guard let role = ConsoleRole(rawValue: name.lowercased()) else {
        let known = allCases.map(\.rawValue).joined(separator: ", ")
        throw HubError(.usage, "'\(cleaned(name))' is no role. There are \(known).")
      }
      roles.insert(role)
    }
    guard !roles.isEmpty else { throw HubError(.usage, "A user needs at least one role, such as viewer.") }
    return roles
  }

  /// As a column: names in order, a space between them.
  static func column(_ roles: Set<ConsoleRole>) -> String { roles.sorted().map(\.rawValue).joined(separator: " ") }

  /// Roles of a newer release give no rights here.
  static func roles(_ column: String) -> Set<ConsoleRole> {
    Set(column.split(separator: " ").compactMap { ConsoleRole(rawValue: String($0)) })
  }
}

/// What somebody may see: everything, or one entity and what is below it. Statements about what belongs to entities are made with it, and there
/// is no other way to make them.
package struct EntityScope: Sendable, Equatable {
  /// Nil: everything.
  let root: Int64?

  /// For the command line: whoever has the hub's directory has the hub.
  package static let everything = EntityScope(root: nil)

  var isEverything: Bool { root == nil }

  /// A condition over a column that holds an entity's number. The tree is walked once for each statement; UNION ends where a cycle would not.
  func condition(_ column: String) -> SQLCondition {
    guard let root else { return SQLCondition("1 = 1") }
    return SQLCondition(
      """
      \(column) IN (WITH RECURSIVE within (number) AS (
        SELECT number FROM entity WHERE number = ? UNION SELECT e.number FROM entity e JOIN within w ON e.parent = w.number)
        SELECT number FROM within)
      """, [.integer(root)])
  }
}

/// A part of a WHERE with its arguments.
struct SQLCondition {
  var sql: String
  var arguments: [SQLValue]

  init(_ sql: String, _ arguments: [SQLValue] = []) {
    self.sql = sql
    self.arguments = arguments
  }

  static func all(_ conditions: [SQLCondition]) -> SQLCondition {
    guard !conditions.isEmpty else { return SQLCondition("1 = 1") }
    return SQLCondition(
      conditions.map { "(\($0.sql))" }.joined(separator: " AND "), conditions.flatMap(\.arguments))
  }

  /// Rows in which one of these columns holds the text, whatever the case of its ASCII letters.
  static func search(_ text: String, in columns: [String], _ dialect: SQLDialect) -> SQLCondition {
    let escaped = text.replacing("\\", with: "\\\\").replacing("%", with: "\\%").replacing("_", with: "\\_")
    // SQLite's LIKE takes no notice of case, PostgreSQL's does.
    let like = dialect == .postgres ? "ILIKE" : "LIKE"
    return SQLCondition(
      columns.map { "\($0) \(like) ? ESCAPE '\\'" }.joined(separator: " OR "),
      columns.map { _ in "%\(escaped)%".sqlValue })
  }
}
