// Appending many entries to one database.

internal import CLMDB

/// A place at a database's end, lent by `withAppender`. One kept over many entries spares LMDB the making of a cursor for
/// each, which is a third of the cost of a small entry.
package struct Appender: ~Copyable {
  private let handle: OpaquePointer
  private let environment: Environment
  private let name: String

  init(_ access: TransactionAccess, _ database: Database) throws(LMDBError) {
    var opened: OpaquePointer?
    let code = mdb_cursor_open(access.handle, database.handle, &opened)
    guard code == MDB_SUCCESS, let opened else {
      throw access.environment.failure("write to \(database.name)", code)
    }
    handle = opened
    environment = access.environment
    name = database.name
  }

  deinit { mdb_cursor_close(handle) }

  /// Appends one entry whose value of `valueByteCount` bytes the closure writes into its place in the page. It must write all
  /// of them: they hold something else before.
  /// - Parameter key: greater than every other; refused as `keyExists` otherwise.
  package func append(
    _ key: UnsafeRawBufferPointer, valueByteCount: Int, _ fill: (UnsafeMutableRawBufferPointer) -> Void
  ) throws(LMDBError) {
    var keyValue = MDB_val(key)
    var value = MDB_val(mv_size: valueByteCount, mv_data: nil)
    let code = mdb_cursor_put(handle, &keyValue, &value, UInt32(MDB_RESERVE | MDB_APPEND))
    guard code == MDB_SUCCESS else { throw environment.failure("write to \(name)", code) }
    fill(UnsafeMutableRawBufferPointer(start: value.mv_data, count: value.mv_size))
  }
}

extension WriteTransaction {
  /// Lends an appender. Meanwhile nothing else may write to this database.
  package func withAppender<R>(_ database: Database, _ body: (borrowing Appender) throws -> R) throws -> R {
    let appender = try Appender(access, database)
    return try body(appender)
  }
}
