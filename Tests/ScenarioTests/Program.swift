import Foundation
import Glibc
import TestPrograms
import Testing

/// The built programs, where PT_BIN says they are (`tools/test` sets it). Without it these suites are skipped, and say so.
let programs = ProcessInfo.processInfo.environment["PT_BIN"]

/// A program that runs, with its output in a file. It is ended by its process id, at the latest when the value goes.
final class Program {
  struct Failure: Error, CustomStringConvertible {
    var description: String
  }

  let name: String
  let log: URL
  private let process: ChildProgram

  /// Starts `name` of the built programs.
  convenience init(_ name: String, _ arguments: [String], log directory: URL, environment: [String: String] = [:])
    throws
  {
    guard let programs else { throw Failure(description: "PT_BIN is not set") }
    try self.init(path: programs + "/" + name, arguments, log: directory, environment: environment)
  }

  /// Starts any program.
  init(path: String, _ arguments: [String], log directory: URL, environment: [String: String] = [:]) throws {
    let executable = URL(fileURLWithPath: path)
    name = executable.lastPathComponent
    log = directory.appendingPathComponent("\(name)-\(UUID().uuidString.prefix(8)).log")
    try Data().write(to: log)
    process = try ChildProgram(
      path, arguments, environment: ProcessInfo.processInfo.environment.merging(environment) { $1 },
      output: .file(log.path))
  }

  var isRunning: Bool { process.isRunning }
  var id: Int32 { process.id }
  var output: String { (try? String(contentsOf: log, encoding: .utf8)) ?? "" }

  /// Waits until the output holds a text.
  func waits(for text: String, seconds: Double = 60) async throws {
    try await eventually(seconds, "\(name) to print \"\(text)\"; it printed: \(output.suffix(2000))") {
      guard process.isRunning || output.contains(text) else {
        throw Failure(description: "\(name) ended with \(process.wait().status): \(output.suffix(2000))")
      }
      return output.contains(text)
    }
  }

  /// Ends the program as a power cut would, without a chance to say anything.
  func killNow() { process.kill() }

  /// Asks the program to end and waits for it.
  /// - Returns: its exit status.
  @discardableResult
  func terminate(seconds: Double = 30) async throws -> Int32 {
    process.signal(SIGTERM)
    return try await ended(seconds: seconds)
  }

  func signal(_ number: Int32) { process.signal(number) }

  /// Waits for the end.
  func ended(seconds: Double = 60) async throws -> Int32 {
    try await eventually(seconds, "\(name) to end; it printed: \(output.suffix(2000))") { !process.isRunning }
    return process.wait().status
  }

  /// Runs one of the built programs to its end.
  static func run(
    _ name: String, _ arguments: [String], in directory: URL, environment: [String: String] = [:], seconds: Double = 120
  ) async throws -> (status: Int32, output: String) {
    guard let programs else { throw Failure(description: "PT_BIN is not set") }
    return try await run(
      path: programs + "/" + name, arguments, in: directory, environment: environment, seconds: seconds)
  }

  /// Runs any program to its end.
  static func run(
    path: String, _ arguments: [String], in directory: URL, environment: [String: String] = [:], seconds: Double = 120
  ) async throws -> (status: Int32, output: String) {
    let program = try Program(path: path, arguments, log: directory, environment: environment)
    let status = try await program.ended(seconds: seconds)
    return (status, program.output)
  }
}

/// Looks again and again until the condition holds. Only here, where other processes are waited for, does a test look at the clock: it gives
/// up after twice the time, since a machine that runs other tests beside is slow at times.
func eventually(_ seconds: Double, _ what: @autoclosure () -> String, _ condition: () async throws -> Bool) async throws
{
  let patience = seconds * 2
  let end = ContinuousClock.now + .seconds(patience)
  while try await !condition() {
    guard ContinuousClock.now < end else {
      throw Program.Failure(description: "waited \(patience) s in vain for \(what())")
    }
    try await Task.sleep(for: .milliseconds(50))
  }
}
