// The store over a database: SQLite beside the hub, or PostgreSQL, which several hubs share. Its statements are the same for both.

package import HubDatabase

package final class SQLStore: HubStore {
  let database: any SQLDatabase
  /// What the database refused.
  let failures = FailureCounts()

  /// - Parameter place: a path of an SQLite database, made if there is none, or the address of a PostgreSQL database.
  /// - Parameter hub: whose database it must be; a new one becomes this hub's.
  /// - Throws: `HubError`: 78 for a database of a newer pthub or of another hub or one that is none, 77 without permission, 69 for one that cannot be
  ///   reached, 74 otherwise.
  package convenience init(at place: String, hub: String? = nil) throws {
    do {
      try self.init(
        PostgresDatabase.isAddress(place) ? try PostgresDatabase(address: place) : try SQLiteDatabase(path: place),
        hub: hub)
    } catch let failure as SQLFailure {
      throw HubError(failure)
    }
  }

  package init(_ database: any SQLDatabase, hub: String? = nil) throws {
    self.database = database
    do {
      try database.migrate(Schema.migrations)
      guard let hub else { return }
      let owner = try database.writeNow { db in
        try db.execute("INSERT INTO hub (number, identity) VALUES (1, ?) ON CONFLICT DO NOTHING", hub)
        return try db.value("SELECT identity FROM hub") as String?
      }
      guard owner == hub else {
        throw HubError(
          .configuration,
          "\(database.place) belongs to another hub. Give each hub a database of its own, or copy the directory of the hub that it belongs to."
        )
      }
    } catch let failure as SQLFailure {
      throw HubError(failure)
    }
  }

  /// Whether this is the address of a PostgreSQL database.
  package static func isAddress(_ text: String) -> Bool { PostgresDatabase.isAddress(text) }

  /// Whether other hubs may work on the same database.
  package var isShared: Bool { database.dialect == .postgres }

  /// Writes in one transaction; a database's failure becomes an error for the operator.
  @discardableResult
  func write<Value: Sendable>(
    _ isolation: SQLIsolation = .serializable, _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value {
    do { return try await database.write(isolation, work) } catch let failure as SQLFailure { throw refused(failure) }
  }

  func read<Value: Sendable>(_ work: @Sendable @escaping (any SQLConnection) throws -> Value) async throws -> Value {
    do { return try await database.read(work) } catch let failure as SQLFailure { throw refused(failure) }
  }

  private func refused(_ failure: SQLFailure) -> HubError {
    failures.add(failure.kind)
    return HubError(failure)
  }
}

extension InstallNumber: SQLArgument, SQLReadable {
  package var sqlValue: SQLValue { .integer(rawValue) }

  package init?(sqlValue: SQLValue) {
    guard let number = Int64(sqlValue: sqlValue) else { return nil }
    self.init(number)
  }
}

extension HubError {
  init(_ failure: SQLFailure) {
    let kind: Kind =
      switch failure.kind {
      case .busy, .unreachable: .unavailable
      case .diskFull, .inputOutput, .duplicate: .inputOutput
      case .permission: .permission
      case .damaged, .newer, .configuration: .configuration
      }
    self.init(kind, failure.message)
  }

  /// What the database holds contradicts itself.
  static func damaged(_ what: String) -> HubError {
    HubError(
      .configuration,
      "\(what) Stop the hub and restore the database from its backup; the agents send the rest again.")
  }
}
