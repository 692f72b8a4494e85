import Evidence
import Foundation
import TestPrograms

/// tools/verify_export.py, which shares no code with the library.
enum IndependentVerifier {
  private static let script =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    + "/../../tools/verify_export.py"

  /// How it ends; nil where PT_PYTHON names no Python that could run it.
  static func status(of export: String, _ key: VerifierKey, countersigners: [VerifierKey] = []) throws -> Int32? {
    guard let python = ProcessInfo.processInfo.environment["PT_PYTHON"] else { return nil }
    return try ChildProgram.run(
      python, [script, export] + ([key] + countersigners).flatMap { ["--key", $0.description] }
    ).status
  }
}
