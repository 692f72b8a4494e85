import Evidence
import Foundation

/// tools/verify_export.py, which shares no code with the library.
enum IndependentVerifier {
  private static let script =
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().path
    + "/../../tools/verify_export.py"

  /// How it ends; nil where PT_PYTHON names no Python that could run it.
  static func status(of export: String, _ key: VerifierKey, countersigners: [VerifierKey] = []) throws -> Int32? {
    guard let python = ProcessInfo.processInfo.environment["PT_PYTHON"] else { return nil }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: python)
    process.arguments = [script, export] + ([key] + countersigners).flatMap { ["--key", $0.description] }
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }
}
