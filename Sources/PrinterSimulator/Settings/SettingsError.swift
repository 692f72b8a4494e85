// What is wrong with a model or fleet file, in one sentence that names the file, the line, the key and what was expected.

/// A file that cannot be used. Nothing has been started when this is thrown.
package struct SettingsError: Error, Equatable, CustomStringConvertible {
  package var file: String
  /// 1 is the first line; nil when the fault has no single place (a missing file, a missing key of the whole file).
  package var line: Int?
  /// For example `printers[3].model`; empty for the file as a whole.
  package var key: String
  /// What was found and what was expected instead.
  package var message: String

  package init(file: String, line: Int? = nil, key: String = "", message: String) {
    self.file = file
    self.line = line
    self.key = key
    self.message = message
  }

  package var description: String {
    let place = line.map { "\(file):\($0)" } ?? file
    return key.isEmpty ? "\(place): \(message)" : "\(place): \(key): \(message)"
  }
}
