// Files that must be whole or absent, and that only their owner may read.
//
// Writing: a temporary file beside the target (0600, O_EXCL), its bytes, fsync, rename, fsync of the directory. After a
// crash there is either the old file, or the new one, and at worst a temporary file besides. Reading refuses a file
// that others may read.

internal import CLinux
internal import Glibc

enum SecretFile {
  /// No file of the hub's directory that is read as a whole is larger.
  static let bytesMax = 1 << 20

  /// - Throws: `HubError` (74, or 77 where permissions are the reason). The old file is then unchanged.
  static func write(_ bytes: [UInt8], to path: String) throws(HubError) {
    let temporary = "\(path).new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw failure("create", temporary) }
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), bytes.count - written)
      }
      guard count > 0 else {
        if count < 0, errno == EINTR { continue }
        let error = failure("write", temporary)
        close(descriptor)
        unlink(temporary)
        throw error
      }
      written += count
    }
    guard fsync(descriptor) == 0, close(descriptor) == 0 else { throw failure("write", temporary) }
    guard rename(temporary, path) == 0 else { throw failure("replace", path) }
    try syncDirectory(of: path)
  }

  /// The file's bytes; nil if there is no such file.
  ///
  /// - Parameter secret: whether a file that its group or others may read is refused.
  static func read(_ path: String, secret: Bool) throws(HubError) -> [UInt8]? {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    if descriptor < 0 {
      if errno == ENOENT { return nil }
      throw failure("read", path)
    }
    defer { close(descriptor) }
    let mode = clinux_file_mode(descriptor)
    guard mode >= 0 else { throw failure("read", path) }
    if secret, mode & 0o077 != 0 {
      throw HubError(
        .permission, "\(path) may be read by others than its owner: chmod 600 it, and consider its secret known.")
    }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while bytes.count <= bytesMax {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw failure("read", path) }
      if count == 0 { return bytes }
      bytes.append(contentsOf: buffer[..<count])
    }
    throw HubError(.configuration, "\(path) is larger than \(bytesMax) bytes; it is not a file of the hub.")
  }

  /// Removes the file; nothing happens if there is none.
  static func remove(_ path: String) throws(HubError) {
    guard unlink(path) != 0 else { return try syncDirectory(of: path) }
    guard errno == ENOENT else { throw failure("remove", path) }
  }

  static func syncDirectory(of path: String) throws(HubError) {
    let slash = path.lastIndex(of: "/")
    let directory = slash.map { String(path[..<$0]) } ?? "."
    let descriptor = open(directory.isEmpty ? "/" : directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw failure("open", directory) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw failure("sync", directory) }
  }

  /// The error of the system call that just failed.
  static func failure(_ verb: String, _ path: String) -> HubError {
    let number = errno
    let reason = String(cString: strerror(number))
    switch number {
    case EACCES, EPERM, EROFS:
      return HubError(.permission, "Could not \(verb) \(path): \(reason). Run as the user that owns it.")
    default:
      return HubError(.inputOutput, "Could not \(verb) \(path): \(reason).")
    }
  }
}
