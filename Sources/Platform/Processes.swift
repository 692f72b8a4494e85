// Another program, run to its end.

@preconcurrency internal import Glibc

extension Machine {
  /// Runs a program with this one's standard input, output and error, and waits for it.
  /// - Parameter words: the program, which is looked for in PATH, and its arguments.
  /// - Returns: its exit status; 128 and the number of a signal that ended it.
  /// - Throws: when it cannot be started.
  package static func run(_ words: [String]) throws(SystemError) -> Int32 {
    guard let program = words.first else { throw SystemError(operation: "run", path: "", code: ENOENT) }
    var pointers: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
    pointers.append(nil)
    defer { for pointer in pointers { free(pointer) } }
    var child = pid_t()
    let code = posix_spawnp(&child, program, nil, nil, pointers, environ)
    guard code == 0 else { throw SystemError(operation: "run", path: program, code: code) }
    var status: Int32 = 0
    while waitpid(child, &status, 0) < 0 {
      guard errno == EINTR else { throw .current("wait for", program) }
    }
    // WIFSIGNALED and WTERMSIG of wait(2).
    let signal = status & 0x7F
    return signal != 0 ? 128 + signal : status >> 8 & 0xFF
  }

  /// The path of this program; nil where /proc cannot be read.
  package static var programPath: String? {
    var buffer = [CChar](repeating: 0, count: Int(PATH_MAX) + 1)
    let length = readlink("/proc/self/exe", &buffer, buffer.count - 1)
    guard length > 0 else { return nil }
    return String(decoding: buffer.prefix(length).map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
