// A failed call of the operating system, told so that an operator can act on it.

internal import Glibc

/// What could not be done, to which path, and errno's reason.
package struct SystemError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What was tried, as it reads after "Could not": `write`.
  package let operation: String
  package let path: String
  /// errno.
  package let code: Int32

  package init(operation: String, path: String, code: Int32) {
    self.operation = operation
    self.path = path
    self.code = code
  }

  /// Takes errno of the call that has just failed in this thread.
  static func current(_ operation: String, _ path: String) -> SystemError {
    SystemError(operation: operation, path: path, code: errno)
  }

  package var reason: String {
    code == EFBIG
      ? "it is larger than \(Files.sizeMax >> 20) MiB, the most that is read"
      : String(cString: strerror(code)).lowercased()
  }

  /// Also where a part of the path is a file: there is nothing below one.
  package var isNotFound: Bool { code == ENOENT || code == ENOTDIR }
  package var isTooLarge: Bool { code == EFBIG }
  package var isPermissionDenied: Bool { code == EACCES || code == EPERM || code == EROFS }
  package var isDiskFull: Bool { code == ENOSPC || code == EDQUOT }

  package var description: String { "Could not \(operation) \(path): \(reason)." }
}
