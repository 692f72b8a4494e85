// One writer a journal: an flock(2) on the file `lock`, which holds the writer's process id for whoever is refused.
//
// The kernel drops the lock with the descriptor, so that a killed writer leaves none. The file itself stays: to remove it
// would let two writers lock two files of one name.

internal import Glibc

final class DirectoryLock: Sendable {
  private let descriptor: Int32

  /// - Throws: `locked` when another writer has it, in this process or another.
  init(directory: String) throws(JournalError) {
    let path = directory + "/" + JournalFile.lock
    let descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw .file(operation: "open", path: path, errno: errno) }
    let code = flock(descriptor, LOCK_EX | LOCK_NB) == 0 ? 0 : errno
    guard code == 0 else {
      close(descriptor)
      guard code == EWOULDBLOCK else { throw .file(operation: "lock", path: path, errno: code) }
      throw .locked(path: directory, pid: Self.holder(path))
    }
    do throws(JournalError) {
      guard ftruncate(descriptor, 0) == 0 else { throw .file(operation: "write", path: path, errno: errno) }
      try Files.writeAll(Array("\(getpid())\n".utf8), to: descriptor, path: path)
    } catch {
      close(descriptor)
      throw error
    }
    self.descriptor = descriptor
  }

  deinit {
    // Not by closing alone: a child that another thread is just starting has a copy of the descriptor until it becomes its program, and
    // would keep the lock for that long.
    flock(descriptor, LOCK_UN)
    close(descriptor)
  }

  static func holder(_ path: String) -> Int32? {
    guard let bytes = try? Files.read(path) else { return nil }
    return Int32(String(decoding: bytes, as: UTF8.self).prefix { $0.isNumber })
  }
}
