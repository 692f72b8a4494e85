// What OpenSSL said went wrong, as text.
//
// OpenSSL keeps a queue of errors per thread. Every failed call of this room drains that queue at once into a value, so
// that no stale entry is ever blamed for a later failure.

internal import COpenSSL

/// A failed call of OpenSSL: what was being done and the reasons of the error queue, oldest first.
package struct OpenSSLError: Error, Hashable, Sendable, CustomStringConvertible {
  /// What could not be done, as it reads after "Could not": `parse the certificate`.
  package let operation: String
  /// The texts of the error queue, oldest (most specific) first; empty when OpenSSL queued nothing.
  package let reasons: [String]

  package init(operation: String, reasons: [String] = []) {
    self.operation = operation
    self.reasons = reasons
  }

  /// Drains this thread's error queue into an error.
  package static func draining(_ operation: String) -> OpenSSLError {
    OpenSSLError(operation: operation, reasons: drainedReasons())
  }

  package var description: String {
    reasons.isEmpty ? "Could not \(operation)." : "Could not \(operation): \(reasons.joined(separator: "; "))."
  }

  /// Empties this thread's error queue and returns its texts.
  package static func drainedReasons() -> [String] {
    var reasons: [String] = []
    while case let code = ERR_get_error(), code != 0 {
      reasons.append(text(of: code))
    }
    return reasons
  }

  private static func text(of code: UInt) -> String {
    if let reason = ERR_reason_error_string(code) { return String(cString: reason) }
    // System errors have no reason string in OpenSSL 3; the long form carries their number.
    var text = [CChar](repeating: 0, count: 256)
    ERR_error_string_n(code, &text, text.count)
    return String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}
