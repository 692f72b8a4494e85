// PostgreSQL, which any number of hubs share.
//
// A transaction takes a connection out of the pool, runs on that connection's own queue, and gives it back; a connection that broke is not
// given back, and the next transaction makes a new one. What a lost connection leaves open, whether a commit was done, is an error
// to the caller: delivery is asked again and finds what is held.
//
// Without a word of it in the address, a server on another machine is spoken to with TLS and its certificate checked
// (sslmode=verify-full); libpq's own default would fall back to plain text.

internal import CPostgres
internal import Dispatch
internal import Foundation
internal import Synchronization

package final class PostgresDatabase: SQLDatabase {
  private struct Pool {
    var idle: [PostgresConnection] = []
    /// Connections in use.
    var lent = 0
    var waiting: [CheckedContinuation<PostgresConnection?, Never>] = []
  }

  /// Transactions at once of one hub. PostgreSQL takes 100 connections in all as it is installed.
  private static let connectionsMax = 8
  /// How often a transaction that got in another's way is run in all.
  private static let attemptsMax = 10

  private let address: PostgresAddress
  private let pool = Mutex(Pool())

  package var dialect: SQLDialect { .postgres }
  package var place: String { address.description }

  /// Connects once, to know that it can.
  ///
  /// - Parameter address: `postgres://` or `postgresql://`, as libpq takes it
  ///   (postgresql.org/docs/15/libpq-connect.html#LIBPQ-CONNSTRING).
  /// - Throws: `SQLFailure`.
  package init(address: String) throws {
    self.address = try PostgresAddress(address)
    let connection = try PostgresConnection(self.address)
    pool.withLock { $0.idle.append(connection) }
  }

  /// Whether this is the address of such a database.
  package static func isAddress(_ text: String) -> Bool { PostgresAddress.schemes.contains { text.hasPrefix($0) } }

  package func migrate(_ migrations: [SQLMigration]) throws {
    let connection = try PostgresConnection(address)
    try connection.transaction(.readCommitted) { connection in
      // Several hubs may be started at once.
      _ = try connection.rows("SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(?)) AS lock", Self.migrationLock)
      try connection.execute(
        "CREATE TABLE IF NOT EXISTS migration (name TEXT PRIMARY KEY, applied_at TIMESTAMPTZ NOT NULL DEFAULT now())")
    }
    try connection.transaction(.readCommitted) { connection in
      _ = try connection.rows("SELECT 1 AS locked FROM (SELECT pg_advisory_xact_lock(?)) AS lock", Self.migrationLock)
      let applied = Set(try connection.rows("SELECT name FROM migration").map { try $0("name") as String })
      guard applied.isSubset(of: migrations.map(\.name)) else {
        throw SQLFailure(.newer, "\(place) was written by a newer pthub. Install that version or a later one.")
      }
      for migration in migrations where !applied.contains(migration.name) {
        try connection.script(migration.postgres)
        try connection.execute("INSERT INTO migration (name) VALUES (?)", migration.name)
      }
    }
  }

  /// Held while tables are made: a number that no other program is likely to lock.
  private static let migrationLock: Int64 = 0x70_74_68_75_62

  package func writeNow<Value>(_ work: (any SQLConnection) throws -> Value) throws -> Value {
    do { return try PostgresConnection(address).transaction(.readCommitted, work) } catch let stale as PostgresStale {
      throw stale.failure
    } catch let conflict as PostgresConflict {
      throw SQLFailure(.busy, "\(place) is busy: \(conflict.reason). Try again.")
    }
  }

  package func read<Value: Sendable>(
    _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await run(.serializable, readOnly: true, work)
  }

  package func write<Value: Sendable>(
    _ isolation: SQLIsolation, _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await run(isolation, readOnly: false, work)
  }

  package func byteCount() async throws -> Int64 {
    try await read { try $0.value("SELECT pg_database_size(current_database()) AS bytes") } ?? 0
  }

  private func run<Value: Sendable>(
    _ isolation: SQLIsolation, readOnly: Bool, _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value {
    var attempt = 1
    while true {
      do {
        return try await lend { try $0.transaction(isolation, readOnly: readOnly, work) }
      } catch let conflict as PostgresConflict {
        guard attempt < Self.attemptsMax else {
          throw SQLFailure(.busy, "\(place) is busy: \(conflict.reason). Try again.")
        }
        attempt += 1
        // Those who met once should not meet again.
        try await Task.sleep(for: .milliseconds(Int64.random(in: 0...10 * Int64(attempt))))
      }
    }
  }

  // MARK: The pool

  private func lend<Value: Sendable>(
    _ work: @Sendable @escaping (PostgresConnection) throws -> Value
  ) async throws -> Value {
    let idle = await take()
    let queue = idle?.queue ?? DispatchQueue(label: "hub.postgres.connecting")
    let (result, connection) = await withCheckedContinuation { continuation in
      queue.async { [address] in
        var connection = idle
        let result = Result {
          do {
            if let connection, connection.isWell { return try work(connection) }
          } catch is PostgresStale {
            // It stood idle while the server was restarted.
          }
          let fresh = try PostgresConnection(address)
          connection = fresh
          do { return try work(fresh) } catch let stale as PostgresStale { throw stale.failure }
        }
        continuation.resume(returning: (result, connection))
      }
    }
    giveBack(connection)
    return try result.get()
  }

  /// Waits until one more may be used; gives an idle one, if there is any.
  private func take() async -> PostgresConnection? {
    await withCheckedContinuation { continuation in
      let isFree = pool.withLock { pool in
        guard pool.lent < Self.connectionsMax else {
          pool.waiting.append(continuation)
          return false
        }
        pool.lent += 1
        return true
      }
      if isFree { continuation.resume(returning: pool.withLock { $0.idle.popLast() }) }
    }
  }

  private func giveBack(_ connection: PostgresConnection?) {
    let well = connection.flatMap { $0.isWell ? $0 : nil }
    let next = pool.withLock { pool -> CheckedContinuation<PostgresConnection?, Never>? in
      if !pool.waiting.isEmpty { return pool.waiting.removeFirst() }
      pool.lent -= 1
      if let well { pool.idle.append(well) }
      return nil
    }
    next?.resume(returning: well)
  }
}
