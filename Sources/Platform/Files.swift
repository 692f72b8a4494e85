// Small files that must be there whole or not at all: identity, settings, status.
//
// Replacing a file goes: write `<path>.<pid>.new`, fsync it, rename it over `<path>`, fsync the directory. A reader therefore sees the old
// bytes or the new ones, also after a power cut; what a crash leaves behind is a `.new` file that nobody reads.

internal import Glibc

package enum Files {
  /// A small file is never larger: a larger one is somebody's mistake, and is not read into memory.
  package static let sizeMax = 16 << 20

  /// How far a write must have come before it is reported as done.
  package enum Durability: Sendable {
    /// On disk, with its name: it survives a power cut.
    case durable
    /// In the file system's cache: enough for what is written again a second later.
    case cached
  }

  /// The bytes of a file.
  /// - Throws: when it cannot be read, or is larger than `sizeMax` (EFBIG).
  package static func read(_ path: String) throws(SystemError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .current("read", path) }
    defer { close(descriptor) }
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 64 << 10)
    while true {
      let count = retrying { chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) } }
      guard count >= 0 else { throw .current("read", path) }
      if count == 0 { return bytes }
      guard bytes.count + count <= sizeMax else { throw SystemError(operation: "read", path: path, code: EFBIG) }
      bytes.append(contentsOf: chunk[..<count])
    }
  }

  /// The file as UTF-8; what is not UTF-8 is replaced.
  package static func readText(_ path: String) throws(SystemError) -> String {
    String(decoding: try read(path), as: UTF8.self)
  }

  /// Puts `bytes` at `path` in one step.
  /// - Parameter mode: permission bits of the new file; the umask does not weaken or widen them.
  /// - Throws: with the former file untouched.
  package static func replace(
    _ path: String, with bytes: some Sequence<UInt8>, mode: UInt32 = 0o644, _ durability: Durability = .durable
  ) throws(SystemError) {
    let temporary = "\(path).\(getpid()).new"
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_t(mode))
    guard descriptor >= 0 else { throw .current("write", path) }
    do throws(SystemError) {
      defer { close(descriptor) }
      guard fchmod(descriptor, mode_t(mode)) == 0 else { throw SystemError.current("write", path) }
      try write(Array(bytes), to: descriptor, path)
      if durability == .durable, fsync(descriptor) != 0 { throw SystemError.current("write", path) }
    } catch {
      unlink(temporary)
      throw error
    }
    guard rename(temporary, path) == 0 else {
      let failure = SystemError.current("write", path)
      unlink(temporary)
      throw failure
    }
    if durability == .durable { try syncDirectory(parent(of: path)) }
  }

  /// Copies a file of any size, and puts the copy at `target` in one step.
  /// - Throws: with what stood there untouched.
  package static func copy(_ source: String, to target: String, mode: UInt32) throws(SystemError) {
    let reading = open(source, O_RDONLY | O_CLOEXEC)
    guard reading >= 0 else { throw .current("read", source) }
    defer { close(reading) }
    let temporary = "\(target).\(getpid()).new"
    let writing = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode_t(mode))
    guard writing >= 0 else { throw .current("write", target) }
    do throws(SystemError) {
      defer { close(writing) }
      guard fchmod(writing, mode_t(mode)) == 0 else { throw SystemError.current("write", target) }
      var chunk = [UInt8](repeating: 0, count: 1 << 20)
      while true {
        let count = retrying { chunk.withUnsafeMutableBytes { Glibc.read(reading, $0.baseAddress, $0.count) } }
        guard count >= 0 else { throw SystemError.current("read", source) }
        if count == 0 { break }
        try write(Array(chunk[..<count]), to: writing, target)
      }
      guard fsync(writing) == 0 else { throw SystemError.current("write", target) }
      guard rename(temporary, target) == 0 else { throw SystemError.current("write", target) }
    } catch {
      unlink(temporary)
      throw error
    }
    try syncDirectory(parent(of: target))
  }

  /// Writes over a file where it lies, for a disk that has no room for a second one; the rest of it becomes spaces. Not atomic.
  /// - Throws: EFBIG, with the file untouched, when the bytes do not fit into it.
  package static func overwrite(_ path: String, with bytes: [UInt8]) throws(SystemError) {
    let descriptor = open(path, O_WRONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .current("write", path) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else { throw .current("write", path) }
    let room = Int(status.st_size) - bytes.count
    guard room >= 0 else { throw SystemError(operation: "write", path: path, code: EFBIG) }
    try write(bytes + [UInt8](repeating: 0x20, count: room), to: descriptor, path)
  }

  /// Makes a directory and those above it that are missing. One that is there already keeps its mode.
  package static func makeDirectory(_ path: String, mode: UInt32 = 0o700) throws(SystemError) {
    if Glibc.mkdir(path, mode_t(mode)) == 0 { return try syncDirectory(parent(of: path)) }
    let code = errno
    if code == EEXIST {
      guard isDirectory(path) else { throw SystemError(operation: "make the directory", path: path, code: ENOTDIR) }
      return
    }
    let above = parent(of: path)
    guard code == ENOENT, above != path else {
      throw SystemError(operation: "make the directory", path: path, code: code)
    }
    try makeDirectory(above, mode: mode)
    guard Glibc.mkdir(path, mode_t(mode)) == 0 || errno == EEXIST else { throw .current("make the directory", path) }
    try syncDirectory(above)
  }

  /// Removes a file; one that is not there is fine.
  package static func remove(_ path: String) throws(SystemError) {
    guard unlink(path) == 0 || errno == ENOENT else { throw .current("remove", path) }
    try syncDirectory(parent(of: path))
  }

  /// The names in a directory, sorted, without `.` and `..`.
  package static func names(in path: String) throws(SystemError) -> [String] {
    guard let directory = opendir(path) else { throw .current("list", path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }

  package static func exists(_ path: String) -> Bool { access(path, F_OK) == 0 }

  /// Whether this process may read the file.
  package static func isReadable(_ path: String) -> Bool { access(path, R_OK) == 0 }

  /// Whether this process may create files in the directory.
  package static func isWritableDirectory(_ path: String) -> Bool {
    isDirectory(path) && access(path, W_OK | X_OK) == 0
  }

  /// The permission bits, or nil if there is no such file.
  package static func mode(of path: String) -> UInt32? {
    var status = stat()
    return stat(path, &status) == 0 ? UInt32(status.st_mode) & 0o7777 : nil
  }

  /// The directory that a path lies in.
  package static func parent(of path: String) -> String {
    let trimmed = path.count > 1 && path.hasSuffix("/") ? path.dropLast() : path[...]
    guard let slash = trimmed.lastIndex(of: "/") else { return "." }
    return slash == trimmed.startIndex ? "/" : String(trimmed[..<slash])
  }

  /// `path` as it is if absolute, else below `directory`.
  package static func resolve(_ path: String, in directory: String) -> String {
    path.hasPrefix("/") ? path : directory + "/" + path
  }

  private static func isDirectory(_ path: String) -> Bool {
    var status = stat()
    return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
  }

  private static func write(_ bytes: [UInt8], to descriptor: Int32, _ path: String) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let count = retrying {
        bytes.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written) }
      }
      guard count >= 0 else { throw .current("write", path) }
      written += count
    }
  }

  private static func syncDirectory(_ path: String) throws(SystemError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .current("open the directory", path) }
    defer { close(descriptor) }
    // A file system that cannot sync a directory says EINVAL (fsync(2)); there is nothing more to be had from it.
    guard fsync(descriptor) == 0 || errno == EINVAL else { throw .current("write the directory", path) }
  }

  /// Repeats a call that a signal interrupted.
  private static func retrying(_ call: () -> Int) -> Int {
    while true {
      let result = call()
      if result >= 0 || errno != EINTR { return result }
    }
  }
}

/// What changes when a file is replaced.
package struct FileStamp: Hashable, Sendable {
  let inode: UInt64
  let size: Int64
  let seconds: Int64
  let nanoseconds: Int64
}

extension Files {
  /// When it was written last, in milliseconds since 1970 UTC; nil when there is no such file.
  package static func modified(_ path: String) -> Int64? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return Int64(status.st_mtim.tv_sec) * 1_000 + Int64(status.st_mtim.tv_nsec) / 1_000_000
  }

  /// Nil when there is no such file.
  package static func stamp(_ path: String) -> FileStamp? {
    var status = stat()
    guard stat(path, &status) == 0 else { return nil }
    return FileStamp(
      inode: UInt64(status.st_ino), size: Int64(status.st_size), seconds: Int64(status.st_mtim.tv_sec),
      nanoseconds: Int64(status.st_mtim.tv_nsec))
  }
}
