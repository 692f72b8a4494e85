// One LMDB environment: a directory with data.mdb and lock.mdb, and the named databases in it.
//
// What LMDB 0.9 demands and how this room keeps it
//   * Once per path and process: POSIX locks of a second opening would vanish with the first close. `EnvironmentRegistry`
//     gives every caller in the process the same object.
//   * Never after fork, never on a network file system: the caller's business.
//   * The map's size must not change, nor the environment be closed, while a transaction of this process is open: the
//     `TransactionGate` counts them, and `reopen` waits for none.
//   * Database handles are opened all at once, before anything else runs: opening them later would need a lock.
//   * A commit syncs data, then writes and syncs one meta page; the *directory* it never syncs: `open` does, when it
//     created the files.
//
// Flags: MDB_NOTLS, because a reading transaction belongs to its value here and not to its thread. Read-ahead is the
// caller's choice. Never MDB_NOSYNC, MDB_NOMETASYNC or MDB_MAPASYNC (a commit would not be durable), never MDB_WRITEMAP (a
// full disk would kill the process with SIGBUS), never MDB_NOMEMINIT (it would write old heap memory to the disk).
//
// What this room never guesses: it repairs nothing. A file truncated behind LMDB's back still kills the reader with
// SIGBUS; whoever may meet such files inspects them from a child process.

internal import CLMDB
internal import Glibc

package final class Environment: @unchecked Sendable {  // `handle` is replaced only while the gate is held exclusively.
  /// The longest key LMDB takes, in bytes (its compiled-in MDB_MAXKEYSIZE).
  package static let keyBytesMax = 511
  /// How long `reopen` waits for the transactions of other threads: readers here are short by contract.
  package static let quiescenceWait: Duration = .seconds(5)

  package enum Access: Sendable { case readOnly, readWrite }

  package struct Options: Sendable {
    package var access: Access
    /// Bytes of address space to map. The file stays as small as its data. Nil takes the size the last writer stored.
    package var mapBytes: Int?
    /// The databases, all opened at once; created when missing and `access` is for writing.
    package var databases: [String]
    /// Databases that may be missing where `access` is for reading: those that a later release added. Created like the others.
    package var optionalDatabases: [String] = []
    /// Simultaneous reading transactions of all processes together. LMDB's default; 64 bytes of lock.mdb each.
    package var readersMax = 126
    /// Whether the kernel reads ahead. It makes a cold scan five times as fast (0.8 against 0.15 million records of 300 bytes
    /// a second); lookups scattered over a file larger than memory would want it off.
    package var readAhead = true

    package init(access: Access, mapBytes: Int? = nil, databases: [String], optionalDatabases: [String] = []) {
      self.access = access
      self.mapBytes = mapBytes
      self.databases = databases
      self.optionalDatabases = optionalDatabases
    }
  }

  /// The directory it was opened at.
  package let path: String
  let gate = TransactionGate()
  /// Nil after a `reopen` that failed.
  private(set) var handle: OpaquePointer?
  private(set) var options: Options
  private var databases: [Database]
  /// The inode of data.mdb, to notice that the file was replaced.
  let fileNumber: UInt64

  /// Opens the environment at the directory `path`, which must exist, or returns the one this process has open already
  /// (made writable if `options` ask for it). New files get mode 0600 and a synced directory entry.
  /// - Throws: with nothing left open.
  package static func open(at path: String, _ options: Options) throws(LMDBError) -> Environment {
    try EnvironmentRegistry.shared.open(path, options)
  }

  init(path: String, handle: OpaquePointer, options: Options, databases: [Database], fileNumber: UInt64) {
    self.path = path
    self.handle = handle
    self.options = options
    self.databases = databases
    self.fileNumber = fileNumber
  }

  deinit { EnvironmentRegistry.shared.close(self) }

  /// The database of this name, which must be among `Options.databases`.
  package func database(_ name: String) -> Database {
    guard let database = databases.first(where: { $0.name == name }) else {
      preconditionFailure("the environment was opened without the database \(name)")
    }
    return database
  }

  /// The unnamed database that knows where the named ones begin. It may hold rows of its own, under names that no database has: every
  /// commit writes its page anyway.
  package var main: Database { Database(name: "the main database", handle: 1) }

  /// The optional database of this name; nil when it was missing at the opening.
  package func optionalDatabase(_ name: String) -> Database? { databases.first { $0.name == name } }

  /// The latest committed state. Keep it short: while it is open, pages freed by later commits are not used again.
  /// - Throws: `readersFull` only when the processes of all readers live.
  package func beginRead() throws(LMDBError) -> ReadTransaction {
    do throws(LMDBError) {
      return ReadTransaction(access: try begin(flags: UInt32(MDB_RDONLY), to: "read"))
    } catch {
      switch error.kind {
      case .mapResized: try adoptMapSize()
      case .readersFull: guard try clearDeadReaders() > 0 else { throw error }
      default: throw error
      }
      return ReadTransaction(access: try begin(flags: UInt32(MDB_RDONLY), to: "read"))
    }
  }

  /// The only writing transaction: waits while another one is open, in any process. It belongs to the calling thread.
  /// - Throws: `fatal` when an earlier write of a meta page failed: `reopen`, then try again.
  package func beginWrite() throws(LMDBError) -> WriteTransaction {
    WriteTransaction(access: try begin(flags: 0, to: "begin a transaction"))
  }

  private func begin(flags: UInt32, to operation: String) throws(LMDBError) -> TransactionAccess {
    gate.enter()
    var transaction: OpaquePointer?
    let code = handle.map { mdb_txn_begin($0, nil, flags, &transaction) } ?? MDB_PANIC
    guard code == MDB_SUCCESS, let transaction else {
      gate.leave()
      throw failure(operation, code)
    }
    return TransactionAccess(handle: transaction, environment: self)
  }

  /// Closes and opens the files again, which clears the fatal state after a failed write. Database values stay valid.
  /// - Throws: `busy` when transactions of this process did not end in time: nothing has changed then. Any
  ///   other error leaves it closed for good reason; every transaction throws `fatal` until a later `reopen` succeeds.
  package func reopen(waitingAtMost patience: Duration = quiescenceWait) throws(LMDBError) {
    try reopen(with: options, waitingAtMost: patience)
  }

  func reopen(with options: Options, waitingAtMost patience: Duration = quiescenceWait) throws(LMDBError) {
    let result = gate.exclusively(within: patience) { () -> Result<Void, LMDBError> in
      if let handle { mdb_env_close(handle) }
      handle = nil
      do throws(LMDBError) {
        let opened = try OpenedEnvironment(path: path, options: options)
        precondition(
          opened.databases.starts(with: databases), "LMDB gave a database another handle after opening again")
        databases = opened.databases
        handle = opened.handle
        self.options = options
        return .success(())
      } catch {
        return .failure(error)
      }
    }
    guard let result else { throw LMDBError("open it again", path: path, kind: .busy) }
    try result.get()
  }

  private func adoptMapSize() throws(LMDBError) {
    let code = gate.exclusively(within: Self.quiescenceWait) { handle.map { mdb_env_set_mapsize($0, 0) } ?? MDB_PANIC }
    guard let code else { throw LMDBError("adopt the larger map", path: path, kind: .busy) }
    guard code == MDB_SUCCESS else { throw failure("adopt the larger map", code) }
  }

  /// Clears the slots of readers whose process has died, so that the pages that they saw may be used again; the number cleared.
  /// Asks the kernel once for each other process in the table: 0.9 us; 0.01 us where there is none.
  @discardableResult package func clearDeadReaders() throws(LMDBError) -> Int {
    gate.enter()
    defer { gate.leave() }
    var dead: Int32 = 0
    let code = handle.map { mdb_reader_check($0, &dead) } ?? MDB_PANIC
    guard code == MDB_SUCCESS else { throw failure("check the readers", code) }
    return Int(dead)
  }

  /// The sizes of the environment as of the last commit.
  package func statistics() throws(LMDBError) -> EnvironmentStatistics {
    let (information, pageBytes, readers) = try withHandle { handle in Self.readerCount(handle) }
    return EnvironmentStatistics(
      pageBytes: pageBytes, mapBytes: information.me_mapsize, pages: information.me_last_pgno + 1,
      lastTransaction: UInt64(information.me_last_txnid), readersMax: Int(information.me_maxreaders),
      readers: readers)
  }

  /// The used length of data.mdb as of the last commit: `statistics().fileBytes`, without looking at the readers.
  package func fileBytes() throws(LMDBError) -> Int {
    let (information, pageBytes, _) = try withHandle { _ in }
    return (information.me_last_pgno + 1) * pageBytes
  }

  /// The size of a page and the descriptor of data.mdb.
  func dataFile() throws(LMDBError) -> (pageBytes: Int, descriptor: Int32) {
    var descriptor: Int32 = -1
    let (_, pageBytes, code) = try withHandle { mdb_env_get_fd($0, &descriptor) }
    guard code == MDB_SUCCESS else { throw failure("find the file", code) }
    return (pageBytes, descriptor)
  }

  private func withHandle<R>(
    _ body: (OpaquePointer) -> R
  ) throws(LMDBError) -> (information: MDB_envinfo, pageBytes: Int, result: R) {
    gate.enter()
    defer { gate.leave() }
    var information = MDB_envinfo()
    var stat = MDB_stat()
    guard let handle else { throw failure("read the sizes", MDB_PANIC) }
    var code = mdb_env_info(handle, &information)
    if code == MDB_SUCCESS { code = mdb_env_stat(handle, &stat) }
    guard code == MDB_SUCCESS else { throw failure("read the sizes", code) }
    return (information, Int(stat.ms_psize), body(handle))
  }

  private static func readerCount(_ handle: OpaquePointer) -> Int {
    var lines = 0
    // The first line is a heading, or the sentence that there are none.
    mdb_reader_list(
      handle,
      { _, context in
        context?.assumingMemoryBound(to: Int.self).pointee += 1
        return 0
      }, &lines)
    return max(0, lines - 1)
  }

  func failure(_ operation: String, _ code: Int32) -> LMDBError { LMDBError(operation, path: path, code: code) }
}

/// A named database of one environment. Valid as long as the environment is.
package struct Database: Hashable, Sendable {
  package let name: String
  let handle: UInt32
}

/// The sizes of an environment.
package struct EnvironmentStatistics: Hashable, Sendable {
  package let pageBytes: Int
  /// Address space mapped: the limit of the file.
  package let mapBytes: Int
  /// Pages ever used, free ones included: the length of the file in pages.
  package let pages: Int
  /// The number of the last committed transaction.
  package let lastTransaction: UInt64
  package let readersMax: Int
  /// Reader slots in use, of all processes.
  package let readers: Int

  package var fileBytes: Int { pages * pageBytes }
}
