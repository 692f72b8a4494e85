// Other programs, run from tests without holding up the tasks of the hub under test.

internal import Foundation

struct TestCommand: Sendable {
  let status: Int32
  let output: String
  let error: String

  /// Runs a program to its end on a thread of its own: the cooperative pool has as many threads as the machine has
  /// cores, and the hub of the test lives on it.
  static func run(_ program: String, _ arguments: [String]) async throws -> TestCommand {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread {
        continuation.resume(with: Result { try wait(program, arguments) })
      }
    }
  }

  private static func wait(_ program: String, _ arguments: [String]) throws -> TestCommand {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: program)
    process.arguments = arguments
    let (output, error) = (Pipe(), Pipe())
    process.standardOutput = output
    process.standardError = error
    try process.run()
    // None of the programs writes more to standard error than a pipe holds.
    let text = output.fileHandleForReading.readDataToEndOfFile()
    let complaints = error.fileHandleForReading.readDataToEndOfFile()
    process.waitUntilExit()
    return TestCommand(
      status: process.terminationStatus, output: String(decoding: text, as: UTF8.self),
      error: String(decoding: complaints, as: UTF8.self))
  }
}
