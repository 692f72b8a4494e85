// The embedded database: SQLite in WAL mode, synchronous=FULL.
//
// One writer at a time, any number of readers beside it; commands of other processes wait up to `busyTimeout`
// for the writer. In WAL mode with FULL a transaction is durable when COMMIT returns
// (sqlite.org/pragma.html#pragma_synchronous; NORMAL would lose the last ones with the power), which is what
// acknowledgements rest on. All blocking work is on GRDB's own dispatch queues, never on the cooperative pool.

internal import Dispatch
internal import FoundationEssentials
internal import GRDB
internal import Glibc
internal import Platform

package final class SQLiteDatabase: SQLDatabase {
  let pool: DatabasePool

  package var dialect: SQLDialect { .sqlite }
  package var place: String { pool.path }

  /// How long a command waits for the database while the hub commits.
  private static let busySeconds = 15

  /// Opens the database at `path`, making it if there is none.
  /// - Throws: `SQLFailure`.
  package init(path: String) throws {
    var configuration = Configuration()
    configuration.busyMode = .timeout(Double(Self.busySeconds))
    configuration.foreignKeysEnabled = true
    configuration.label = "hub"
    do {
      pool = try DatabasePool(path: path, configuration: configuration)
      try pool.writeWithoutTransaction { db in
        // GRDB opens WAL databases with NORMAL.
        try db.execute(sql: "PRAGMA synchronous = FULL")
      }
    } catch let error as DatabaseError {
      throw Self.failure(error, path: path, bytesFree: Machine.bytesFree(at: path))
    }
  }

  package func migrate(_ migrations: [SQLMigration]) throws {
    var migrator = DatabaseMigrator()
    for migration in migrations {
      migrator.registerMigration(migration.name) { db in try db.execute(sql: migration.sqlite) }
    }
    do {
      let isNewer = try pool.read { try migrator.hasBeenSuperseded($0) }
      guard !isNewer else {
        throw SQLFailure(.newer, "\(place) was written by a newer pthub. Install that version or a later one.")
      }
      try migrator.migrate(pool)
      // Those that read before know the tables as they were.
      pool.invalidateReadOnlyConnections()
    } catch let error as DatabaseError {
      throw failure(error)
    }
  }

  package func writeNow<Value>(_ work: (any SQLConnection) throws -> Value) throws -> Value {
    do { return try pool.write { try work(SQLiteConnection(db: $0)) } } catch let error as DatabaseError {
      throw failure(error)
    }
  }

  package func read<Value: Sendable>(
    _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value {
    do { return try await pool.read { try work(SQLiteConnection(db: $0)) } } catch let error as DatabaseError {
      throw failure(error)
    }
  }

  package func write<Value: Sendable>(
    _ isolation: SQLIsolation, _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value {
    do { return try await pool.write { try work(SQLiteConnection(db: $0)) } } catch let error as DatabaseError {
      throw failure(error)
    }
  }

  package func byteCount() async throws -> Int64 {
    // The log may be gone when it is looked at: whoever closes the database last removes it.
    [place, place + "-wal"].reduce(0) { sum, path in
      let attributes = try? FileManager.default.attributesOfItem(atPath: path)
      return sum + (attributes?[.size] as? Int64 ?? (attributes?[.size] as? UInt64).map(Int64.init) ?? 0)
    }
  }

  /// Copies everything as of one moment into a new database, which needs no other file beside it. Nobody is held up meanwhile; the log grows
  /// by what is written.
  ///
  /// - Throws: `SQLFailure`; what is at `path` then is of no use.
  package func copy(to path: String) async throws {
    do {
      try await withCheckedThrowingContinuation { (done: CheckedContinuation<Void, any Error>) in
        DispatchQueue(label: "hub.copy").async { [pool] in
          done.resume(
            with: Result {
              let copy = try DatabaseQueue(path: path)
              // SQLite's online backup, all pages in one step of one read transaction (sqlite.org/backup.html).
              try pool.backup(to: copy)
              try copy.writeWithoutTransaction { try $0.execute(sql: "PRAGMA journal_mode = DELETE") }
              try copy.close()
            })
        }
      }
    } catch let error as DatabaseError {
      throw Self.failure(error, path: path, bytesFree: Machine.bytesFree(at: path))
    }
    let descriptor = open(path, O_RDWR | O_CLOEXEC)
    guard descriptor >= 0 else { throw SQLFailure(.inputOutput, "\(path) cannot be opened again.") }
    defer { close(descriptor) }
    guard fchmod(descriptor, 0o600) == 0, fsync(descriptor) == 0 else {
      throw SQLFailure(.inputOutput, "\(path) cannot be written to its disk: \(String(cString: strerror(errno))).")
    }
  }

  private func failure(_ error: DatabaseError) -> SQLFailure {
    Self.failure(error, path: place, bytesFree: Machine.bytesFree(at: place))
  }

  /// With less than this free a write may fail: some pages of the database, and its log's index.
  private static let bytesFreeLeast: UInt64 = 64 << 10

  /// The log's index is a mapped file: where it cannot grow, SQLite tells an input/output error and not a full disk.
  private static func isDiskFull(_ error: DatabaseError, _ bytesFree: UInt64?) -> Bool {
    error.resultCode == .SQLITE_FULL
      || error.resultCode == .SQLITE_IOERR && (bytesFree ?? .max) < bytesFreeLeast
  }

  /// - Parameter bytesFree: of the file system that holds `path`; nil if it cannot be told.
  static func failure(_ error: DatabaseError, path: String, bytesFree: UInt64?) -> SQLFailure {
    let reason = error.message ?? "error \(error.resultCode.rawValue)"
    switch error.resultCode {
    case .SQLITE_BUSY, .SQLITE_LOCKED:
      return SQLFailure(
        .busy, "\(path) is busy: another process has been writing for \(busySeconds) seconds. Try again.")
    case _ where isDiskFull(error, bytesFree):
      return SQLFailure(
        .diskFull, "The disk that holds \(path) is full. Free some space; nothing that was acknowledged is lost.")
    case .SQLITE_IOERR:
      return SQLFailure(
        .inputOutput,
        "The disk that holds \(path) failed: \(reason). Look into the system's log (dmesg); nothing that was acknowledged is lost."
      )
    case .SQLITE_PERM, .SQLITE_READONLY, .SQLITE_AUTH:
      return SQLFailure(.permission, "\(path) cannot be written: \(reason). Run as the user that owns it.")
    case .SQLITE_NOTADB, .SQLITE_CORRUPT:
      return SQLFailure(
        .damaged,
        "\(path) is damaged: \(reason). Stop the hub and restore the database from its backup; the agents send the rest again."
      )
    default:
      return SQLFailure(.inputOutput, "\(path) failed: \(reason).")
    }
  }
}
