// What LMDB or the file system under it refused, what it means and what to do about it.

internal import CLMDB
internal import Glibc

/// A failed call: what was being done, where, why, and the remedy.
package struct LMDBError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The meaning of the return code, as far as a caller may want to act on it.
  package enum Kind: Hashable, Sendable {
    /// The transaction needs more pages than the map has. Committed data are intact.
    case mapFull
    /// The file is not an LMDB file, or neither of its two meta pages is valid.
    case notAnEnvironment
    /// The file was written by another version of LMDB's own format.
    case formatVersion
    /// A page is not what its place in a tree says.
    case corrupted
    /// An earlier write of a meta page failed: the environment refuses writes until it is opened again.
    case fatal
    /// Another process made the map larger than it is here.
    case mapResized
    /// Every slot for reading transactions is taken.
    case readersFull
    /// The named database does not exist.
    case databaseMissing
    /// A key was to be appended that is not greater than the last one.
    case keyExists
    /// A key is empty or longer than `Environment.keyBytesMax`.
    case sizeRefused
    case accessDenied
    case readOnlyFileSystem
    case noSpace
    case inputOutput
    case missing
    case notADirectory
    case tooManyOpenFiles
    case outOfMemory
    /// Transactions of this process are still open where none may be.
    case busy
    /// The environment is already open in this process with other databases, or its file was replaced since.
    case openedDifferently
    /// The file changed during every look at it.
    case changing
    case other
  }

  /// As it reads after "Could not": `commit the transaction`.
  package let operation: String
  /// The environment's directory.
  package let path: String
  package let kind: Kind
  /// LMDB's negative code or errno.
  package let code: Int32

  init(_ operation: String, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
    kind = Self.kind(of: code)
  }

  init(_ operation: String, path: String, kind: Kind) {
    self.operation = operation
    self.path = path
    self.kind = kind
    code = 0
  }

  package var description: String {
    let reason = code == 0 ? "" : ": \(String(cString: mdb_strerror(code)))"
    return "Could not \(operation) in \(path)\(reason). \(remedy)"
  }

  private static func kind(of code: Int32) -> Kind {
    switch code {
    case MDB_MAP_FULL: .mapFull
    case MDB_INVALID: .notAnEnvironment
    case MDB_VERSION_MISMATCH: .formatVersion
    case MDB_CORRUPTED, MDB_PAGE_NOTFOUND: .corrupted
    case MDB_PANIC: .fatal
    case MDB_MAP_RESIZED: .mapResized
    case MDB_READERS_FULL: .readersFull
    case MDB_NOTFOUND: .databaseMissing
    case MDB_KEYEXIST: .keyExists
    case MDB_BAD_VALSIZE: .sizeRefused
    case EACCES, EPERM: .accessDenied
    case EROFS: .readOnlyFileSystem
    case ENOSPC, EDQUOT: .noSpace
    case EIO: .inputOutput
    case ENOENT: .missing
    case ENOTDIR: .notADirectory
    case EMFILE, ENFILE: .tooManyOpenFiles
    case ENOMEM: .outOfMemory
    default: .other
    }
  }

  /// One sentence or two that tell the operator what to do.
  package var remedy: String {
    switch kind {
    case .mapFull: "The map is full: raise its size or delete data. What was committed is intact."
    case .notAnEnvironment: "The file is damaged or is no LMDB file: keep it aside and restore a copy."
    case .formatVersion: "It was written by another LMDB: use the version of the program that wrote it."
    case .corrupted: "A page is damaged: keep the file aside, salvage what verifies, and check the disk."
    case .fatal: "An earlier write failed: the environment must be opened again, after the disk's fault is gone."
    case .mapResized: "Another process enlarged the map: open it again."
    case .readersFull: "Too many readers: end some, or clear the slots of dead ones."
    case .databaseMissing: "The environment is incomplete: it belongs to another program or was never finished."
    case .keyExists: "The key is not after the last one."
    case .sizeRefused: "A key must have 1 to \(Environment.keyBytesMax) bytes."
    case .accessDenied: "Run as the user that owns the directory, or give this user its files."
    case .readOnlyFileSystem: "The file system is read-only: mount it for writing; a disk fault may have made it so."
    case .noSpace: "The disk is full: free some space. What was committed is intact."
    case .inputOutput: "The disk failed or is full: see the kernel's log. What was committed is intact."
    case .missing: "There is no such file: check the path."
    case .notADirectory: "A part of the path is a file: name a directory."
    case .tooManyOpenFiles: "Raise the limit of open files."
    case .outOfMemory: "Memory or address space is exhausted: raise the limit or lower the map's size."
    case .busy: "Try again when the open transactions have ended."
    case .openedDifferently: "Close every user of it in this process first."
    case .changing: "It changes faster than it can be looked at: try again when fewer commits are made."
    case .other: "See the reason."
    }
  }
}
