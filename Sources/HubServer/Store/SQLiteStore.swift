// The embedded store: one SQLite database in WAL mode, synchronous=FULL.
//
// One writer at a time, any number of readers beside it; commands of other processes wait up to `HubLimits.busyTimeout`
// for the writer. In WAL mode with FULL a transaction is durable when COMMIT returns
// (sqlite.org/pragma.html#pragma_synchronous; NORMAL would lose the last ones with the power), which is what
// acknowledgements rest on. All blocking work is on GRDB's own dispatch queues, never on the cooperative pool.

internal import GRDB
internal import Platform

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
      throw Self.operatorError(error, path: path, bytesFree: Machine.bytesFree(at: path))
    }
  }

  /// The value of `PRAGMA synchronous` of the connection that writes: 2 is FULL.
  func writerSynchronous() async throws -> Int? {
    try await pool.writeWithoutTransaction { try Int.fetchOne($0, sql: "PRAGMA synchronous") }
  }

  /// Writes in one transaction; a database error becomes one for the operator.
  func write<T: Sendable>(_ work: @Sendable @escaping (Database) throws -> T) async throws -> T {
    do { return try await pool.write(work) } catch let error as DatabaseError {
      throw operatorError(error)
    }
  }

  func read<T: Sendable>(_ work: @Sendable @escaping (Database) throws -> T) async throws -> T {
    do { return try await pool.read(work) } catch let error as DatabaseError {
      throw operatorError(error)
    }
  }

  private func operatorError(_ error: DatabaseError) -> HubError {
    Self.operatorError(error, path: pool.path, bytesFree: Machine.bytesFree(at: pool.path))
  }

  /// With less than this free a write may fail: some pages of the database, and its log's index.
  private static let bytesFreeLeast: UInt64 = 64 << 10

  /// The log's index is a mapped file: where it cannot grow, SQLite tells an input/output error and not a full disk.
  private static func isDiskFull(_ error: DatabaseError, _ bytesFree: UInt64?) -> Bool {
    error.resultCode == .SQLITE_FULL
      || error.resultCode == .SQLITE_IOERR && (bytesFree ?? .max) < bytesFreeLeast
  }

  /// - Parameter bytesFree: of the file system that holds `path`; nil if it cannot be told.
  static func operatorError(_ error: DatabaseError, path: String, bytesFree: UInt64?) -> HubError {
    let reason = error.message ?? "error \(error.resultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return HubError(
        .unavailable, "\(path) is busy: another process has been writing for \(HubLimits.busyTimeout). Try again.")
    case _ where isDiskFull(error, bytesFree):
      return HubError(
        .inputOutput, "The disk that holds \(path) is full. Free some space; nothing that was acknowledged is lost.")
    case .SQLITE_IOERR:
      return HubError(
        .inputOutput,
        "The disk that holds \(path) failed: \(reason). Look into the system's log (dmesg); nothing that was acknowledged is lost."
      )
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
