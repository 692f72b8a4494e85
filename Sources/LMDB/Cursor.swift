// A place in a database's order of keys (byte-wise, shorter first).

internal import CLMDB

/// A cursor, lent by `withCursor`. Its key and value point into the map: they are valid until it moves or its transaction
/// changes something, and never outside the closure.
package struct Cursor: ~Copyable {
  private let handle: OpaquePointer
  private let environment: Environment
  private let name: String
  private var currentKey = MDB_val()
  private var currentValue = MDB_val()

  init(_ access: TransactionAccess, _ database: Database) throws(LMDBError) {
    var opened: OpaquePointer?
    let code = mdb_cursor_open(access.handle, database.handle, &opened)
    guard code == MDB_SUCCESS, let opened else {
      throw access.environment.failure("read \(database.name)", code)
    }
    handle = opened
    environment = access.environment
    name = database.name
  }

  deinit { mdb_cursor_close(handle) }

  /// The key it is on. Empty before the first move and after a move that found nothing.
  package var key: UnsafeRawBufferPointer { currentKey.bytes }
  /// The value it is on.
  package var value: UnsafeRawBufferPointer { currentValue.bytes }

  /// To the first entry; false when there is none.
  package mutating func first() throws(LMDBError) -> Bool { try move(MDB_FIRST) }
  /// To the last entry; false when there is none.
  package mutating func last() throws(LMDBError) -> Bool { try move(MDB_LAST) }
  /// To the entry after, or the first one from nowhere; false at the end.
  package mutating func next() throws(LMDBError) -> Bool { try move(MDB_NEXT) }
  /// To the entry before, or the last one from nowhere; false at the beginning.
  package mutating func previous() throws(LMDBError) -> Bool { try move(MDB_PREV) }

  /// To the first entry whose key is `key` or after it; false when there is none.
  package mutating func seek(_ key: UnsafeRawBufferPointer) throws(LMDBError) -> Bool {
    currentKey = MDB_val(key)
    return try move(MDB_SET_RANGE)
  }

  /// To the first entry whose key is `key` or after it; false when there is none.
  package mutating func seek(_ key: [UInt8]) throws(LMDBError) -> Bool {
    try key.withBytes { (key) throws(LMDBError) in try seek(key) }
  }

  /// To the last entry whose key is before `key`; false when there is none.
  package mutating func seek(before key: [UInt8]) throws(LMDBError) -> Bool {
    try seek(key) ? previous() : last()
  }

  private mutating func move(_ operation: MDB_cursor_op) throws(LMDBError) -> Bool {
    let code = mdb_cursor_get(handle, &currentKey, &currentValue, operation)
    if code == MDB_SUCCESS { return true }
    currentKey = MDB_val()
    currentValue = MDB_val()
    guard code == MDB_NOTFOUND else { throw environment.failure("read \(name)", code) }
    return false
  }
}
