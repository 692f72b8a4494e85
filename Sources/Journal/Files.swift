// The few file operations around LMDB: small files written whole, directories synced.

internal import Glibc
internal import LMDB

enum Files {
  /// The largest small file that is read: the identity and the key have some hundred bytes.
  static let smallFileBytesMax = 65_536

  /// The bytes of a small file; nil when there is none.
  static func read(_ path: String) throws(JournalError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0, errno == ENOENT { return nil }
    guard descriptor >= 0 else { throw .file(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: smallFileBytesMax)
    var count = 0
    while count < bytes.count {
      let offset = count
      let got = bytes.withUnsafeMutableBytes {
        Glibc.read(descriptor, $0.baseAddress.map { $0 + offset }, $0.count - offset)
      }
      if got < 0, errno == EINTR { continue }
      guard got >= 0 else { throw .file(operation: "read", path: path, errno: errno) }
      if got == 0 { break }
      count += got
    }
    return Array(bytes.prefix(count))
  }

  /// Writes a file so that after a crash either it is whole or it is not there: written beside, synced, renamed, the
  /// directory synced.
  static func write(_ bytes: [UInt8], to path: String, in directory: String, mode: mode_t) throws(JournalError) {
    let draft = path + ".new"
    let descriptor = open(draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode)
    guard descriptor >= 0 else { throw .file(operation: "create", path: draft, errno: errno) }
    defer { close(descriptor) }
    try writeAll(bytes, to: descriptor, path: draft)
    guard fchmod(descriptor, mode) == 0, fsync(descriptor) == 0 else {
      throw .file(operation: "sync", path: draft, errno: errno)
    }
    guard rename(draft, path) == 0 else { throw .file(operation: "rename", path: draft, errno: errno) }
    try synchronizeDirectory(directory)
  }

  static func writeAll(_ bytes: [UInt8], to descriptor: Int32, path: String) throws(JournalError) {
    var rest = bytes[...]
    while !rest.isEmpty {
      let written = rest.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress, $0.count) }
      if written < 0, errno == EINTR { continue }
      guard written > 0 else { throw .file(operation: "write", path: path, errno: errno) }
      rest = rest.dropFirst(written)
    }
  }

  static func synchronizeDirectory(_ path: String) throws(JournalError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .file(operation: "open", path: path, errno: errno) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .file(operation: "sync", path: path, errno: errno) }
  }

  /// The size of a file in bytes; nil when there is none.
  static func size(_ path: String) throws(JournalError) -> Int? {
    var status = stat()
    if stat(path, &status) == 0 { return Int(status.st_size) }
    guard errno == ENOENT else { throw .file(operation: "examine", path: path, errno: errno) }
    return nil
  }

  /// Bytes the file system has given to a file, which is less than its size where it is sparse; 0 when there is none.
  static func allocatedBytes(_ path: String) -> Int {
    var status = stat()
    return stat(path, &status) == 0 ? Int(status.st_blocks) * 512 : 0
  }

  static func remove(_ path: String) throws(JournalError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .file(operation: "remove", path: path, errno: errno) }
  }

  /// The names in a directory; none when it cannot be read.
  static func names(in path: String) -> [String] {
    guard let stream = opendir(path) else { return [] }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      names.append(
        withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) })
    }
    return names
  }

  /// Renames a file; does nothing when there is none.
  static func move(_ path: String, to target: String) throws(JournalError) {
    guard rename(path, target) == 0 || errno == ENOENT else {
      throw .file(operation: "rename", path: path, errno: errno)
    }
  }

  /// Makes a directory for the owner alone, durably.
  static func makeDirectory(_ path: String) throws(JournalError) {
    guard mkdir(path, 0o700) == 0 || errno == EEXIST else { throw .file(operation: "create", path: path, errno: errno) }
    try synchronizeDirectory(parent(of: path))
  }

  /// Makes sure that `path` is a directory on a local file system, making its last component (0700) if `creating`.
  static func prepareDirectory(_ path: String, creating: Bool) throws(JournalError) {
    var status = stat()
    if stat(path, &status) != 0 {
      let code = errno
      guard code == ENOENT else {
        throw code == ENOTDIR ? .notADirectory(path: path) : .directoryUnusable(path: path, errno: code)
      }
      guard creating else { throw .noJournal(path: path) }
      guard mkdir(path, 0o700) == 0 else { throw .directoryUnusable(path: path, errno: errno) }
      try synchronizeDirectory(parent(of: path))
    } else if status.st_mode & S_IFMT != S_IFDIR {
      throw .notADirectory(path: path)
    }
    if let name = NetworkFileSystem.name(at: path) { throw .networkFileSystem(path: path, name: name) }
    guard access(path, creating ? R_OK | W_OK | X_OK : R_OK | X_OK) == 0 else {
      throw .directoryUnusable(path: path, errno: errno)
    }
  }

  static func parent(of path: String) -> String {
    var trimmed = Substring(path)
    while trimmed.count > 1, trimmed.last == "/" { trimmed.removeLast() }
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }
}

/// What errno means, in the C library's words.
func systemMessage(_ code: Int32) -> String { String(cString: strerror(code)) }
