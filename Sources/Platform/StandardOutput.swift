// Standard output of programs whose output is their result: a report that is cut short must not look like one that is whole.

internal import Glibc

package enum StandardOutput {
  /// Lets a closed pipe be an error of the write, as a full disk is, instead of a signal that ends the program.
  package static func reportClosedPipes() { signal(SIGPIPE, SIG_IGN) }

  /// Writes all of a text.
  /// - Throws: with part of it written; `isClosedPipe` when the reader has gone away (`| head`), which is no fault.
  package static func write(_ text: String) throws(SystemError) { try write(Array(text.utf8)) }

  /// Writes all of the bytes.
  package static func write(_ bytes: [UInt8]) throws(SystemError) {
    try Machine.write(bytes, to: STDOUT_FILENO, "standard output")
  }
}

extension Machine {
  /// Writes bytes to a descriptor, all of them.
  /// - Parameter name: what the descriptor is called in an error.
  static func write(_ bytes: [UInt8], to descriptor: Int32, _ name: String) throws(SystemError) {
    var written = 0
    while written < bytes.count {
      let count = bytes.withUnsafeBytes {
        Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), $0.count - written)
      }
      if count < 0, errno == EINTR { continue }
      guard count > 0 else { throw .current("write to", name) }
      written += count
    }
  }

  /// Writes what helps and does not count (messages, progress) to a descriptor: 1 standard output, 2 standard error. Failures are passed over.
  package static func tell(_ text: String, to descriptor: Int32 = STDERR_FILENO) {
    try? write(Array(text.utf8), to: descriptor, "")
  }
}

extension SystemError {
  /// Whether the reader at the other end of a pipe has gone away.
  package var isClosedPipe: Bool { code == EPIPE }
}
