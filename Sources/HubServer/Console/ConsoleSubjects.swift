// What paths name, if it lies in a scope.

internal import FoundationEssentials
internal import HubDatabase

extension SQLStore {
  func consoleEntity(_ number: Int64, within scope: EntityScope) async throws -> String? {
    try await named("SELECT name AS found FROM entity WHERE number = ?", .integer(number), "number", scope)
  }

  func consoleInstall(_ id: String, within scope: EntityScope) async throws -> Install? {
    let condition = scope.condition("i.entity")
    return try await read { db in
      try db.rows(
        "\(Self.selectInstall) WHERE i.id = ? AND \(condition.sql)", [id.sqlValue] + condition.arguments
      ).first.map(Self.install)
    }
  }

  func isDevice(_ id: String, within scope: EntityScope) async throws -> Bool {
    try await named("SELECT id AS found FROM device WHERE id = ?", id.sqlValue, "entity", scope) != nil
  }

  func isJob(_ id: String, within scope: EntityScope) async throws -> Bool {
    try await named(
      "SELECT j.id AS found FROM job j JOIN install i ON i.number = j.install WHERE j.id = ?", id.sqlValue, "i.entity",
      scope) != nil
  }

  func isCode(_ number: Int64, within scope: EntityScope) async throws -> Bool {
    try await named(
      "SELECT 'code' AS found FROM datalink_code WHERE number = ?", .integer(number), "entity", scope) != nil
  }

  func consoleUser(_ name: String, within scope: EntityScope) async throws -> ConsoleUser? {
    let condition = scope.condition("u.entity")
    return try await read { db in
      try db.rows(
        "\(Self.selectUser) WHERE u.name = ? AND \(condition.sql)", [name.sqlValue] + condition.arguments
      ).first.map(Self.user)
    }
  }

  private func named(
    _ sql: String, _ value: SQLValue, _ column: String, _ scope: EntityScope
  ) async throws -> String? {
    let condition = scope.condition(column)
    return try await read { db in
      try db.rows("\(sql) AND \(condition.sql)", [value] + condition.arguments).first.map { try $0("found") }
    }
  }
}
