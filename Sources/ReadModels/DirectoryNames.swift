// What lies in a directory, by name.

internal import Glibc

enum DirectoryNames {
  /// All names, hidden ones too, sorted, without `.` and `..`.
  static func list(_ path: String) throws(ExportError) -> [String] {
    guard let directory = opendir(path) else { throw .system(.list, path) }
    defer { closedir(directory) }
    var names: [String] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if name != ".", name != ".." { names.append(name) }
    }
    return names.sorted()
  }
}
