internal import Glibc

/// A new directory, removed with everything in it when the value goes.
final class TemporaryDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("/tmp/printtrail-lmdb-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FileFailure(code: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit {
    for name in ["data.mdb", "lock.mdb", "file"] { unlink(path + "/" + name) }
    rmdir(path)
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    guard let file = fopen(path + "/" + name, "w") else { throw FileFailure(code: errno) }
    defer { fclose(file) }
    guard fwrite(bytes, 1, bytes.count, file) == bytes.count else { throw FileFailure(code: errno) }
  }

  func overwrite(_ bytes: [UInt8], at offset: Int, in name: String) throws {
    guard let file = fopen(path + "/" + name, "r+") else { throw FileFailure(code: errno) }
    defer { fclose(file) }
    guard fseek(file, offset, SEEK_SET) == 0, fwrite(bytes, 1, bytes.count, file) == bytes.count else {
      throw FileFailure(code: errno)
    }
  }

  func remove(_ name: String) throws {
    guard unlink(path + "/" + name) == 0 else { throw FileFailure(code: errno) }
  }

  /// How much of a file counts as this process's memory (proc_pid_smaps(5)).
  func mappedBytes(of name: String) throws -> Int {
    guard let file = fopen("/proc/self/smaps", "r") else { throw FileFailure(code: errno) }
    defer { fclose(file) }
    var (line, capacity): (UnsafeMutablePointer<CChar>?, Int) = (nil, 0)
    defer { free(line) }
    var (isInFile, bytes) = (false, 0)
    while getline(&line, &capacity, file) > 0, let line {
      let fields = String(cString: line).split(whereSeparator: \.isWhitespace)
      if fields.first?.contains("-") == true { isInFile = fields.last.map { $0 == "\(path)/\(name)" } ?? false }
      if isInFile, fields.first == "Rss:", fields.count > 1 { bytes += 1_024 * (Int(fields[1]) ?? 0) }
    }
    return bytes
  }

  func mode(of name: String) -> mode_t? {
    var status = stat()
    return stat(path + "/" + name, &status) == 0 ? status.st_mode & 0o777 : nil
  }
}

struct FileFailure: Error { let code: Int32 }
