// A connection within GRDB's transaction. Statements are GRDB's, prepared once and kept; values go in and out by SQLite's own functions,
// because GRDB's arguments and rows cost several times what SQLite takes for a row.

internal import FoundationEssentials
internal import GRDB
internal import GRDBSQLite

struct SQLiteConnection: SQLConnection {
  let db: Database

  var dialect: SQLDialect { .sqlite }

  func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
    let statement = try db.cachedStatement(sql: sql)
    let places = Dictionary(statement.columnNames.enumerated().map { ($1, $0) }) { first, _ in first }
    let cursor = BoundStatement(statement)
    defer { cursor.end() }
    try cursor.bind(arguments)
    while try cursor.step() { try body(SQLRow(places: places, values: cursor.values)) }
  }

  func execute(_ sql: String, batch: [[SQLValue]]) throws -> Int {
    guard !batch.isEmpty else { return 0 }
    let cursor = BoundStatement(try db.cachedStatement(sql: sql))
    defer { cursor.end() }
    let before = db.totalChangesCount
    for arguments in batch {
      try cursor.bind(arguments)
      while try cursor.step() {}
      cursor.end()
    }
    return db.totalChangesCount - before
  }

  func insert(into table: String, _ columns: [String], _ rows: [[SQLValue]]) throws {
    let places = columns.map { _ in "?" }.joined(separator: ", ")
    _ = try execute("INSERT INTO \(table) (\(columns.joined(separator: ", "))) VALUES (\(places))", batch: rows)
  }
}

/// A prepared statement while it runs. `end` it before it is bound again.
private struct BoundStatement {
  /// SQLite copies what is bound: SQLITE_TRANSIENT, which is a cast that Swift does not import.
  private static let copied = unsafeBitCast(-1, to: sqlite3_destructor_type.self)

  private let statement: Statement
  private var pointer: OpaquePointer { statement.sqliteStatement }

  init(_ statement: Statement) { self.statement = statement }

  func bind(_ arguments: [SQLValue]) throws {
    let expected = sqlite3_bind_parameter_count(pointer)
    guard arguments.count == expected else {
      throw DatabaseError(
        resultCode: .SQLITE_MISUSE, message: "\(arguments.count) values for \(expected) places", sql: statement.sql)
    }
    for (index, argument) in arguments.enumerated() {
      let place = Int32(index + 1)
      let code: Int32
      switch argument {
      case .null: code = sqlite3_bind_null(pointer, place)
      case .integer(let number): code = sqlite3_bind_int64(pointer, place, number)
      case .text(var text):
        code = text.withUTF8 { utf8 in
          // Nothing is there where an empty text's bytes would be, and to SQLite that is NULL.
          guard let start = utf8.baseAddress, !utf8.isEmpty else {
            return sqlite3_bind_text(pointer, place, "", 0, Self.copied)
          }
          return start.withMemoryRebound(to: CChar.self, capacity: utf8.count) {
            sqlite3_bind_text64(pointer, place, $0, UInt64(utf8.count), Self.copied, UInt8(SQLITE_UTF8))
          }
        }
      case .bytes(let bytes):
        code = bytes.withUnsafeBytes { raw in
          guard let start = raw.baseAddress, !raw.isEmpty else { return sqlite3_bind_zeroblob(pointer, place, 0) }
          return sqlite3_bind_blob64(pointer, place, start, UInt64(raw.count), Self.copied)
        }
      }
      try check(code)
    }
  }

  /// Whether there is a row; false: it has ended.
  func step() throws -> Bool {
    let code = sqlite3_step(pointer)
    if code == SQLITE_ROW { return true }
    if code != SQLITE_DONE { try check(code) }
    return false
  }

  /// The row that `step` came to.
  var values: [SQLValue] {
    (0..<sqlite3_column_count(pointer)).map { column in
      switch sqlite3_column_type(pointer, column) {
      case SQLITE_INTEGER: return .integer(sqlite3_column_int64(pointer, column))
      case SQLITE_NULL: return .null
      case SQLITE_BLOB:
        guard let start = sqlite3_column_blob(pointer, column) else { return .bytes(Data()) }
        return .bytes(Data(bytes: start, count: Int(sqlite3_column_bytes(pointer, column))))
      default:
        // Texts; no table has a column for floating point, and no statement gives one but as what it reads as.
        guard let start = sqlite3_column_text(pointer, column) else { return .text("") }
        let bytes = UnsafeBufferPointer(start: start, count: Int(sqlite3_column_bytes(pointer, column)))
        return .text(String(decoding: bytes, as: UTF8.self))
      }
    }
  }

  func end() {
    // It repeats the failure of the last step, which was thrown already.
    sqlite3_reset(pointer)
    sqlite3_clear_bindings(pointer)
  }

  private func check(_ code: Int32) throws {
    guard code != SQLITE_OK else { return }
    throw DatabaseError(
      resultCode: ResultCode(rawValue: code & 0xFF),
      message: String(cString: sqlite3_errmsg(sqlite3_db_handle(pointer))), sql: statement.sql)
  }
}
