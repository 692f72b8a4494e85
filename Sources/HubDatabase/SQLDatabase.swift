// One way to speak to two databases: SQLite, embedded, and PostgreSQL, which several hubs share.
//
//     SQLDatabase ── read / write ──> SQLConnection: rows, execute, insert
//          ├── SQLiteDatabase      GRDB's pool: one writer, any number of readers
//          └── PostgresDatabase    libpq: a pool of connections, each with a queue of its own
//
// Statements are written once, in what both understand: `?` for arguments, ON CONFLICT, RETURNING; whole numbers are BIGINT, bytes are
// told apart by the schema alone. Where they differ, the dialect says how.

/// What differs between the databases.
package enum SQLDialect: Sendable {
  case sqlite, postgres

  /// Behind a SELECT: until the transaction ends, nobody else changes the rows that it gave. SQLite has one writer, and nothing to lock.
  package var lockingRows: String {
    switch self {
    case .sqlite: ""
    case .postgres: " FOR NO KEY UPDATE"
    }
  }
}

/// What a transaction sees of others that run beside it.
package enum SQLIsolation: Sendable {
  /// As if it ran alone. Where that does not come out, it is run again.
  case serializable
  /// What others committed before each of its statements. For transactions that lock what they change.
  case readCommitted
}

package struct SQLMigration: Sendable {
  package let name: String
  package let sqlite: String
  package let postgres: String

  package init(_ name: String, sqlite: String, postgres: String) {
    self.name = name
    self.sqlite = sqlite
    self.postgres = postgres
  }
}

package protocol SQLDatabase: Sendable {
  var dialect: SQLDialect { get }
  /// Where it is, for messages; without a password.
  var place: String { get }

  /// Brings the tables to the last of these migrations, each in one transaction.
  ///
  /// - Throws: `SQLFailure` `newer` if one was applied that is not among them.
  func migrate(_ migrations: [SQLMigration]) throws

  /// What everything in it takes up on the disk, with the log that goes before it.
  ///
  /// - Throws: `SQLFailure`.
  func byteCount() async throws -> Int64

  /// Writes in one transaction, and holds up the thread. For starting.
  func writeNow<Value>(_ work: (any SQLConnection) throws -> Value) throws -> Value

  /// Reads in one transaction.
  /// - Throws: `SQLFailure`, or what `work` throws.
  func read<Value: Sendable>(_ work: @Sendable @escaping (any SQLConnection) throws -> Value) async throws -> Value

  /// Writes in one transaction: durable when this returns, undone when it throws. `work` may be run more than once, if it got in the way
  /// of another; only the last run counts.
  /// - Throws: `SQLFailure`, or what `work` throws.
  func write<Value: Sendable>(
    _ isolation: SQLIsolation, _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value
}

extension SQLDatabase {
  package func write<Value: Sendable>(
    _ work: @Sendable @escaping (any SQLConnection) throws -> Value
  ) async throws -> Value {
    try await write(.serializable, work)
  }
}

/// A connection within a transaction. Not to be kept beyond the closure that it is given to.
package protocol SQLConnection {
  var dialect: SQLDialect { get }

  /// Hands each row to `body` as it comes.
  func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (SQLRow) throws -> Void) throws

  /// Runs a statement for each of these rows of arguments; gives how many rows they changed in all.
  @discardableResult
  func execute(_ sql: String, batch: [[SQLValue]]) throws -> Int

  /// Inserts rows of which none is there yet: the quickest way that the database has.
  func insert(into table: String, _ columns: [String], _ rows: [[SQLValue]]) throws
}

extension SQLConnection {
  package func rows(_ sql: String, _ arguments: (any SQLArgument)?...) throws -> [SQLRow] {
    try rows(sql, arguments.map { $0?.sqlValue ?? .null })
  }

  package func rows(_ sql: String, _ arguments: [SQLValue]) throws -> [SQLRow] {
    var rows: [SQLRow] = []
    try forEachRow(sql, arguments) { rows.append($0) }
    return rows
  }

  /// The first row; nil if there is none.
  package func row(_ sql: String, _ arguments: (any SQLArgument)?...) throws -> SQLRow? {
    try rows(sql, arguments.map { $0?.sqlValue ?? .null }).first
  }

  /// The first column of the first row; nil if there is none.
  package func value<Value: SQLReadable>(_ sql: String, _ arguments: (any SQLArgument)?...) throws -> Value? {
    guard let value = try rows(sql, arguments.map { $0?.sqlValue ?? .null }).first?.values.first else { return nil }
    guard let read = Value(sqlValue: value) else {
      throw SQLFailure(.damaged, "The database holds a value that it must not.")
    }
    return read
  }

  /// How many rows a `SELECT count(*)` counts.
  package func count(_ sql: String, _ arguments: (any SQLArgument)?...) throws -> Int {
    guard case .integer(let count)? = try rows(sql, arguments.map { $0?.sqlValue ?? .null }).first?.values.first else {
      preconditionFailure("not a count: \(sql)")
    }
    return Int(count)
  }

  /// Gives how many rows were changed.
  @discardableResult
  package func execute(_ sql: String, _ arguments: (any SQLArgument)?...) throws -> Int {
    try execute(sql, batch: [arguments.map { $0?.sqlValue ?? .null }])
  }
}

extension SQLConnection {
  /// Inserts one row, and gives the `number` that the database gave it.
  package func inserted(_ sql: String, _ arguments: (any SQLArgument)?...) throws -> Int64 {
    guard
      let row = try rows("\(sql) RETURNING number", arguments.map { $0?.sqlValue ?? .null }).first
    else { preconditionFailure("nothing was inserted: \(sql)") }
    return try row("number")
  }
}
