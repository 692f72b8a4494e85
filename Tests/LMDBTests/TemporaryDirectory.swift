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

  func mode(of name: String) -> mode_t? {
    var status = stat()
    return stat(path + "/" + name, &status) == 0 ? status.st_mode & 0o777 : nil
  }
}

struct FileFailure: Error { let code: Int32 }
