// A file of an export while it is written: buffered, hashed, and synced at the end.

internal import Glibc
package import OpenSSL

/// What went wrong with a file, with the remedy.
package struct ExportError: Error, Equatable, CustomStringConvertible {
  /// What a caller may want to tell apart.
  package enum Kind: Sendable {
    /// What is in the file is not what it must be.
    case content
    case missing, permission, cannotCreate, full, inputOutput
  }

  package var kind: Kind
  package var description: String

  package init(_ description: String, _ kind: Kind = .content) {
    self.kind = kind
    self.description = description
  }

  /// - Parameter code: errno of the call that has just failed.
  static func system(_ doing: Doing, _ path: String, code: Int32 = errno) -> ExportError {
    let (kind, remedy) = verdict(doing, code)
    let reason = String(cString: strerror(code)).lowercased()
    return ExportError("Could not \(doing.rawValue) \(path): \(reason). \(remedy)", kind)
  }

  enum Doing: String {
    case makeDirectory = "make the directory"
    case make, open, read, write, sync, remove, list
  }

  private static func verdict(_ doing: Doing, _ code: Int32) -> (Kind, remedy: String) {
    switch code {
    case EACCES, EPERM, EROFS: (.permission, "Use a user who may, or another directory.")
    case ENOENT where doing == .open || doing == .list: (.missing, "Check the path.")
    case ENOENT: (.cannotCreate, "Make the directory above it first.")
    case ENOTDIR where doing == .open, EISDIR where doing == .read:
      (.inputOutput, "A directory stands where a file should, or the other way round: check the path.")
    case ENOTDIR, EISDIR, EEXIST: (.cannotCreate, "Something else has this name: name another directory.")
    case ENOSPC, EDQUOT: (.full, "Free some space and begin again.")
    default: (.inputOutput, "See to the disk.")
    }
  }
}

/// What a finished file is.
package struct ExportedFile: Equatable, Sendable {
  package var name: String
  package var bytes: UInt64
  package var lines: UInt64
  package var sha256: Digest
}

struct ExportFile: ~Copyable {
  /// Enough that system calls do not count beside the formatting.
  private static let bufferBytes = 1 << 18

  private let name: String
  private let path: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var sha = SHA256()
  private var bytes: UInt64 = 0
  private var lines: UInt64 = 0

  /// Makes the file under the name that it has until its `OutputDirectory` is filled.
  init(name: String, in directory: String) throws(ExportError) {
    self.name = name
    path = directory + "/" + name + OutputDirectory.unfinished
    descriptor = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .system(.make, path) }
    buffer.reserveCapacity(Self.bufferBytes + 4096)
  }

  deinit { close(descriptor) }

  /// Appends a line, without its line feed.
  mutating func write(line: [UInt8]) throws(ExportError) {
    try line.span.bytes.withUnsafeBytes { (line) throws(ExportError) in try write(line: line) }
  }

  mutating func write(line: UnsafeRawBufferPointer) throws(ExportError) {
    buffer.append(contentsOf: line)
    buffer.append(UInt8(ascii: "\n"))
    lines += 1
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  mutating func write(_ data: UnsafeRawBufferPointer) throws(ExportError) {
    buffer.append(contentsOf: data)
    if buffer.count >= Self.bufferBytes { try flush() }
  }

  /// Writes what is left and syncs.
  mutating func finish() throws(ExportError) -> ExportedFile {
    try flush()
    guard fsync(descriptor) == 0 else { throw .system(.sync, path) }
    return ExportedFile(name: name, bytes: bytes, lines: lines, sha256: sha.finalize())
  }

  private mutating func flush() throws(ExportError) {
    buffer.withUnsafeBytes { sha.update($0) }
    var offset = 0
    while offset < buffer.count {
      let count = buffer.withUnsafeBytes { Glibc.write(descriptor, $0.baseAddress! + offset, $0.count - offset) }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .system(.write, path) }
      offset += count
    }
    bytes += UInt64(buffer.count)
    buffer.removeAll(keepingCapacity: true)
  }

  /// Writes a small file whole.
  static func write(_ bytes: [UInt8], name: String, in directory: String) throws(ExportError) {
    var file = try ExportFile(name: name, in: directory)
    file.buffer = bytes
    _ = try file.finish()
  }

  /// A whole file, at most `bytesMax` bytes; nil when there is none.
  static func readIfThere(_ path: String, bytesMax: Int) throws(ExportError) -> [UInt8]? {
    access(path, F_OK) == 0 || errno != ENOENT ? try read(path, bytesMax: bytesMax) : nil
  }

  /// A whole file, at most `bytesMax` bytes.
  static func read(_ path: String, bytesMax: Int) throws(ExportError) -> [UInt8] {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(.open, path) }
    defer { close(descriptor) }
    var content: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    while true {
      let count = chunk.withUnsafeMutableBytes { Glibc.read(descriptor, $0.baseAddress, $0.count) }
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw .system(.read, path) }
      guard count > 0 else { return content }
      content.append(contentsOf: chunk[..<count])
      guard content.count <= bytesMax else { throw ExportError("\(path) is larger than \(bytesMax) bytes.") }
    }
  }
}

/// The lines of a file, one at a time, hashed as they pass.
struct LineReader: ~Copyable {
  /// A longer line is no line of an export: payloads have at most a megabyte.
  static let lineBytesMax = 16 << 20
  private static let chunkBytes = 1 << 18

  private let path: String
  private let descriptor: Int32
  private var buffer: [UInt8] = []
  private var start = 0
  private var isAtEnd = false
  private var sha = SHA256()
  private(set) var bytes: UInt64 = 0
  /// Lines that ended in a line feed, so far.
  private(set) var lines: UInt64 = 0

  init(_ path: String) throws(ExportError) {
    self.path = path
    descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(.open, path) }
  }

  deinit { close(descriptor) }

  var sha256: Digest { sha.finalize() }

  /// The next line without its line feed; nil at the end. What stands behind the last line feed is no line.
  mutating func next() throws(ExportError) -> [UInt8]? {
    var searched = start
    while true {
      if let end = buffer[searched...].firstIndex(of: UInt8(ascii: "\n")) {
        defer { start = end + 1 }
        lines += 1
        return Array(buffer[start..<end])
      }
      searched = buffer.count
      guard !isAtEnd else { return nil }
      guard buffer.count - start <= Self.lineBytesMax else {
        throw ExportError("\(path) has a line of more than \(Self.lineBytesMax) bytes.")
      }
      searched -= start
      buffer.removeFirst(start)
      start = 0
      try fill()
    }
  }

  private mutating func fill() throws(ExportError) {
    var count = -1
    let chunk = [UInt8](unsafeUninitializedCapacity: Self.chunkBytes) { space, filled in
      repeat { count = Glibc.read(descriptor, space.baseAddress, space.count) } while count < 0 && errno == EINTR
      filled = max(count, 0)
    }
    guard count >= 0 else { throw .system(.read, path) }
    isAtEnd = chunk.isEmpty
    bytes += UInt64(chunk.count)
    sha.update(chunk)
    buffer.append(contentsOf: chunk)
  }
}
