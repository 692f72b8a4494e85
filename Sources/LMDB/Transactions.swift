// Transactions: values that end exactly once.
//
// A `ReadTransaction` sees one committed state; a `WriteTransaction` sees that and its own changes, and is aborted unless it
// is committed. Bytes are lent to closures, straight from the map: they are valid in the closure only, and in a writing
// transaction only until its next change.

internal import CLMDB

/// What both transactions can do.
package protocol ReadableTransaction: ~Copyable {
  var access: TransactionAccess { get }
}

/// The inside of a transaction, which nobody above this room can look into.
package struct TransactionAccess {
  let handle: OpaquePointer
  let environment: Environment
}

package struct ReadTransaction: ~Copyable, ReadableTransaction {
  package let access: TransactionAccess

  init(access: TransactionAccess) { self.access = access }

  deinit {
    mdb_txn_abort(access.handle)
    access.environment.gate.leave()
  }

  /// Ends it now.
  package consuming func end() {}
}

package struct WriteTransaction: ~Copyable, ReadableTransaction {
  package let access: TransactionAccess
  private var isOpen = true

  init(access: TransactionAccess) { self.access = access }

  deinit {
    if isOpen { mdb_txn_abort(access.handle) }
    access.environment.gate.leave()
  }

  /// Gives up every change.
  package consuming func abort() {}

  /// Makes the changes durable: when this returns, they are on the disk, together.
  /// - Throws: with none of them made. `mapFull` and `noSpace` often show only here. After a failed write of the meta page
  ///   the environment refuses further transactions with `fatal` until it is opened again.
  package consuming func commit() throws(LMDBError) {
    isOpen = false
    let code = mdb_txn_commit(access.handle)
    guard code == MDB_SUCCESS else { throw access.environment.failure("commit the transaction", code) }
  }

  /// Puts one entry, in place of one with this key.
  /// - Parameter appending: the key is greater than every other: packs the pages full. Refused as `keyExists` otherwise.
  package func put(
    _ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer, into database: Database, appending: Bool = false
  ) throws(LMDBError) {
    var keyValue = MDB_val(key)
    var value = MDB_val(value)
    let flags = appending ? UInt32(MDB_APPEND) : 0
    let code = mdb_put(access.handle, database.handle, &keyValue, &value, flags)
    guard code == MDB_SUCCESS else { throw access.environment.failure("write to \(database.name)", code) }
  }

  /// Deletes the entry with this key; false when there was none.
  @discardableResult
  package func delete(_ key: UnsafeRawBufferPointer, from database: Database) throws(LMDBError) -> Bool {
    var keyValue = MDB_val(key)
    let code = mdb_del(access.handle, database.handle, &keyValue, nil)
    if code == MDB_NOTFOUND { return false }
    guard code == MDB_SUCCESS else { throw access.environment.failure("delete from \(database.name)", code) }
    return true
  }

  /// Deletes the entries from `first` through `last` in order, each after it was lent to `body`, until that says no.
  /// - Parameter body: returns false for an entry that is to stay, with all behind it. It must write nothing to this database.
  package func delete(
    from first: [UInt8], through last: [UInt8], in database: Database,
    _ body: (_ key: UnsafeRawBufferPointer, _ value: UnsafeRawBufferPointer) throws -> Bool = { _, _ in true }
  ) throws {
    var opened: OpaquePointer?
    var code = mdb_cursor_open(access.handle, database.handle, &opened)
    guard code == MDB_SUCCESS, let cursor = opened else {
      throw access.environment.failure("delete from \(database.name)", code)
    }
    defer { mdb_cursor_close(cursor) }
    var (key, value) = (MDB_val(), MDB_val())
    code = first.withBytes {
      key = MDB_val($0)
      return mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE)
    }
    while code == MDB_SUCCESS, !last.lexicographicallyPrecedes(key.bytes) {
      guard try body(key.bytes, value.bytes) else { return }
      code = mdb_cursor_del(cursor, 0)
      guard code == MDB_SUCCESS else { break }
      // After a deletion this is the entry that took its place.
      code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)
    }
    guard code == MDB_SUCCESS || code == MDB_NOTFOUND else {
      throw access.environment.failure("delete from \(database.name)", code)
    }
  }

  /// Deletes every entry.
  package func empty(_ database: Database) throws(LMDBError) {
    let code = mdb_drop(access.handle, database.handle, 0)
    guard code == MDB_SUCCESS else { throw access.environment.failure("empty \(database.name)", code) }
  }
}

extension ReadableTransaction where Self: ~Copyable {
  /// Lends the value of this key; nil when there is none.
  package func withValue<R>(
    of key: UnsafeRawBufferPointer, in database: Database, _ body: (UnsafeRawBufferPointer) -> R
  ) throws(LMDBError) -> R? {
    var keyValue = MDB_val(key)
    var value = MDB_val()
    let code = mdb_get(access.handle, database.handle, &keyValue, &value)
    if code == MDB_NOTFOUND { return nil }
    guard code == MDB_SUCCESS else { throw access.environment.failure("read from \(database.name)", code) }
    return body(value.bytes)
  }

  /// The value of this key, copied; nil when there is none.
  package func value(of key: [UInt8], in database: Database) throws(LMDBError) -> [UInt8]? {
    try key.withBytes { (key) throws(LMDBError) in try withValue(of: key, in: database) { Array($0) } }
  }

  /// Lends a cursor, which is on no entry yet.
  package func withCursor<R>(_ database: Database, _ body: (inout Cursor) throws -> R) throws -> R {
    var cursor = try Cursor(access, database)
    return try body(&cursor)
  }

  /// The sizes of one database's tree.
  package func statistics(of database: Database) throws(LMDBError) -> DatabaseStatistics {
    var stat = MDB_stat()
    let code = mdb_stat(access.handle, database.handle, &stat)
    guard code == MDB_SUCCESS else { throw access.environment.failure("measure \(database.name)", code) }
    return DatabaseStatistics(
      entries: stat.ms_entries, depth: Int(stat.ms_depth), branchPages: stat.ms_branch_pages,
      leafPages: stat.ms_leaf_pages, overflowPages: stat.ms_overflow_pages)
  }

  /// Pages of the file that hold nothing and will be used again. Reads LMDB's own free list: a page number count leads each
  /// entry's list (mdb.c, "MDB_IDL").
  package func freePages() throws -> Int {
    let freeList = Database(name: "the free list", handle: 0)
    return try withCursor(freeList) { cursor in
      var pages = 0
      while try cursor.next() {
        guard cursor.value.count >= MemoryLayout<UInt>.size else { continue }
        pages += Int(clamping: cursor.value.loadUnaligned(as: UInt.self))
      }
      return pages
    }
  }
}

/// The sizes of one database's tree, in entries and pages.
package struct DatabaseStatistics: Hashable, Sendable {
  package let entries: Int
  package let depth: Int
  package let branchPages: Int
  package let leafPages: Int
  package let overflowPages: Int
}

extension WriteTransaction {
  /// Puts one entry from arrays.
  package func put(
    _ key: [UInt8], _ value: [UInt8], into database: Database, appending: Bool = false
  ) throws(LMDBError) {
    try key.withBytes { (key) throws(LMDBError) in
      try value.withBytes { (value) throws(LMDBError) in
        try put(key, value, into: database, appending: appending)
      }
    }
  }

  /// Deletes the entry with this key; false when there was none.
  @discardableResult package func delete(_ key: [UInt8], from database: Database) throws(LMDBError) -> Bool {
    try key.withBytes { (key) throws(LMDBError) in try delete(key, from: database) }
  }
}

extension MDB_val {
  /// LMDB reads through this pointer and never writes: the field is not const only because results share the type.
  init(_ bytes: UnsafeRawBufferPointer) {
    self.init(mv_size: bytes.count, mv_data: UnsafeMutableRawPointer(mutating: bytes.baseAddress))
  }

  var bytes: UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: mv_data, count: mv_size) }
}

extension [UInt8] {
  /// `withUnsafeBytes` with a typed error.
  func withBytes<R, E: Error>(_ body: (UnsafeRawBufferPointer) throws(E) -> R) throws(E) -> R {
    try span.bytes.withUnsafeBytes(body)
  }
}
