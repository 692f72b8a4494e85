// The embedded store: one SQLite database in WAL mode, synchronous=FULL.
//
// One writer at a time, any number of readers beside it; commands of other processes wait up to `HubLimits.busyTimeout`
// for the writer. In WAL mode with FULL a transaction is durable when COMMIT returns
// (sqlite.org/pragma.html#pragma_synchronous; NORMAL would lose the last ones with the power), which is what
// acknowledgements rest on. All blocking work is on GRDB's own dispatch queues, never on the cooperative pool.

internal import GRDB

package final class SQLiteStore: HubStore {
  let pool: DatabasePool

  /// Opens the database at `path`, making or migrating it.
  ///
  /// - Throws: `HubError`: 78 for a database of a newer pthub or one that is none, 77 without permission, 74 otherwise.
  package init(path: String) throws {
    var configuration = Configuration()
    configuration.busyMode = .timeout(HubLimits.busyTimeout.timeInterval)
    configuration.foreignKeysEnabled = true
    configuration.label = "hub"
    let migrator = SQLiteSchema.migrator
    do {
      pool = try DatabasePool(path: path, configuration: configuration)
      try pool.writeWithoutTransaction { db in
        // GRDB opens WAL databases with NORMAL.
        try db.execute(sql: "PRAGMA synchronous = FULL")
      }
      let isNewer = try pool.read { try migrator.hasBeenSuperseded($0) }
      guard !isNewer else {
        throw HubError(.configuration, "\(path) was written by a newer pthub. Install that version or a later one.")
      }
      try migrator.migrate(pool)
    } catch let error as DatabaseError {
      throw Self.operatorError(error, path: path)
    }
  }

  /// The value of `PRAGMA synchronous` of the connection that writes: 2 is FULL.
  func writerSynchronous() async throws -> Int? {
    try await pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
  }

  /// Writes in one transaction; a database error becomes one for the operator.
  func write<T: Sendable>(_ work: @Sendable @escaping (Database) throws -> T) async throws -> T {
    do { return try await pool.write(work) } catch let error as DatabaseError {
      throw Self.operatorError(error, path: pool.path)
    }
  }

  func read<T: Sendable>(_ work: @Sendable @escaping (Database) throws -> T) async throws -> T {
    do { return try await pool.read(work) } catch let error as DatabaseError {
      throw Self.operatorError(error, path: pool.path)
    }
  }

  static func operatorError(_ error: DatabaseError, path: String) -> HubError {
    let reason = error.message ?? "error \(error.resultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return HubError(
        .unavailable, "\(path) is busy: another process has been writing for \(HubLimits.busyTimeout). Try again.")
    case .SQLITE_FULL:
      return HubError(.inputOutput, "No space is left for \(path). Free some; nothing that was acknowledged is lost.")
    case .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
      return HubError(.permission, "\(path) cannot be written: \(reason). Run as the user that owns it.")
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      return HubError(
        .configuration,
        "\(path) is damaged: \(reason). Stop the hub and restore the database from its backup; the agents send the rest again."
      )
    default:
      return HubError(.inputOutput, "\(path) failed: \(reason).")
    }
  }
}
