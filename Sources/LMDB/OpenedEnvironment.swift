// Making an MDB_env: create, configure, open, open the databases, sync the directory; undone as a whole on any failure.

internal import CLMDB
internal import Glibc

struct OpenedEnvironment {
  let handle: OpaquePointer
  let databases: [Database]
  let fileNumber: UInt64

  init(path: String, options: Environment.Options) throws(LMDBError) {
    let dataPath = path + "/data.mdb"
    let isNew = fileNumberIfAny(dataPath) == nil
    var created: OpaquePointer?
    let code = mdb_env_create(&created)
    guard code == MDB_SUCCESS, let handle = created else { throw LMDBError("open it", path: path, code: code) }
    do throws(LMDBError) {
      try Self.configure(handle, path: path, options)
      databases = try Self.openDatabases(handle, path: path, options)
      if isNew { try Self.synchronizeDirectory(path) }
      guard let number = fileNumberIfAny(dataPath) else { throw LMDBError("find data.mdb", path: path, code: errno) }
      fileNumber = number
      self.handle = handle
    } catch {
      mdb_env_close(handle)
      throw error
    }
  }

  private static func configure(
    _ handle: OpaquePointer, path: String, _ options: Environment.Options
  ) throws(LMDBError) {
    var flags = UInt32(MDB_NOTLS)
    if options.access == .readOnly { flags |= UInt32(MDB_RDONLY) }
    if !options.readAhead { flags |= UInt32(MDB_NORDAHEAD) }
    var code = mdb_env_set_maxdbs(handle, UInt32(options.databases.count + options.optionalDatabases.count))
    if code == MDB_SUCCESS { code = mdb_env_set_maxreaders(handle, UInt32(options.readersMax)) }
    if code == MDB_SUCCESS, let mapBytes = options.mapBytes { code = mdb_env_set_mapsize(handle, mapBytes) }
    // What LMDB would print of itself before it aborts says nothing to anybody but its authors.
    mdb_env_set_assert(handle) { _, _ in abort() }
    if code == MDB_SUCCESS { code = mdb_env_open(handle, path, flags, 0o600) }
    guard code == MDB_SUCCESS else { throw LMDBError("open it", path: path, code: code) }
  }

  /// Handles become everybody's when the transaction that opened them commits, also a reading one.
  private static func openDatabases(
    _ handle: OpaquePointer, path: String, _ options: Environment.Options
  ) throws(LMDBError) -> [Database] {
    let isReadOnly = options.access == .readOnly
    var transaction: OpaquePointer?
    var code = mdb_txn_begin(handle, nil, isReadOnly ? UInt32(MDB_RDONLY) : 0, &transaction)
    guard code == MDB_SUCCESS else { throw LMDBError("open its databases", path: path, code: code) }
    var databases: [Database] = []
    for name in options.databases + options.optionalDatabases {
      var database: MDB_dbi = 0
      code = mdb_dbi_open(transaction, name, isReadOnly ? 0 : UInt32(MDB_CREATE), &database)
      if code == MDB_NOTFOUND, options.optionalDatabases.contains(name) { continue }
      guard code == MDB_SUCCESS else {
        mdb_txn_abort(transaction)
        throw LMDBError("open its database \(name)", path: path, code: code)
      }
      databases.append(Database(name: name, handle: database))
    }
    code = mdb_txn_commit(transaction)
    guard code == MDB_SUCCESS else { throw LMDBError("create its databases", path: path, code: code) }
    return databases
  }

  private static func synchronizeDirectory(_ path: String) throws(LMDBError) {
    let descriptor = Glibc.open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LMDBError("sync the directory", path: path, code: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw LMDBError("sync the directory", path: path, code: errno) }
  }
}

/// The inode number of a file; nil when it cannot be examined.
func fileNumberIfAny(_ path: String) -> UInt64? {
  var status = stat()
  return stat(path, &status) == 0 ? UInt64(status.st_ino) : nil
}
