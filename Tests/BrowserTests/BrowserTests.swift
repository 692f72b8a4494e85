// The consoles in real browsers, Chromium and Firefox, against real programs: an agent, a hub, simulated printers. The checks are Support's, in
// Python, because the drivers of browsers are; this runs them and says what each of them found.

import Foundation
import Testing

/// A browser that can be driven here, by Python (PT_PYTHON) and its driver.
enum Browser: String, CaseIterable, CustomTestStringConvertible {
  case chromium, firefox

  var testDescription: String { rawValue }

  /// Ports and addresses of its own, so that both may run at the same time.
  var network: Int { self == .chromium ? 90 : 91 }

  static let support = URL(fileURLWithPath: #filePath).deletingLastPathComponent().appendingPathComponent("Support")
  private static let environment = ProcessInfo.processInfo.environment

  /// Whether the programs, Python and the browser are there; `tools/test` sees to all three.
  var isAvailable: Bool {
    guard Self.environment["PT_BIN"] != nil, Self.environment["PT_PYTHON"] != nil else { return false }
    return (try? run("browsers.py", [rawValue]))?.status == 0
  }

  struct Outcome: Sendable {
    let status: Int32
    let output: String
    let errors: String
  }

  /// Runs one of Support's programs until it ends, on a thread that other tests do not need.
  func running(_ program: String, _ arguments: [String]) async throws -> Outcome {
    try await withCheckedThrowingContinuation { continuation in
      Thread.detachNewThread { continuation.resume(with: Result { try run(program, arguments) }) }
    }
  }

  /// The same on this thread.
  func run(_ program: String, _ arguments: [String]) throws -> Outcome {
    let files = FileManager.default
    let directory = files.temporaryDirectory.appendingPathComponent("printtrail-browser-test-\(UUID().uuidString)")
    try files.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? files.removeItem(at: directory) }
    // Files, because a pipe that nobody empties would hold the program up.
    let output = directory.appendingPathComponent("output")
    let errors = directory.appendingPathComponent("errors")
    for file in [output, errors] { try Data().write(to: file) }
    let process = Process()
    process.executableURL = URL(fileURLWithPath: Self.environment["PT_PYTHON"] ?? "/usr/bin/python3")
    process.arguments = [Self.support.appendingPathComponent(program).path] + arguments
    process.environment = Self.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
    process.standardOutput = try FileHandle(forWritingTo: output)
    process.standardError = try FileHandle(forWritingTo: errors)
    process.standardInput = FileHandle.nullDevice
    // `waitUntilExit` turns a run loop round and round, which takes a processor for as long as the program runs.
    let ended = DispatchSemaphore(value: 0)
    process.terminationHandler = { _ in ended.signal() }
    try process.run()
    ended.wait()
    return Outcome(
      status: process.terminationStatus, output: try String(contentsOf: output, encoding: .utf8),
      errors: try String(contentsOf: errors, encoding: .utf8))
  }
}

/// A line of console_checks.py.
private struct CheckResult: Decodable {
  let check: String
  let ok: Bool
  let seconds: Double
  let detail: String?
}

@Suite(.serialized) struct `The agent's console` {
  /// Checks that must have run: a script that ends early, or finds none, is not a console without faults.
  private static let checksMin = 20

  @Test(
    .enabled(if: Browser.chromium.isAvailable, "skipped: no PT_BIN, no PT_PYTHON, or Chromium cannot be driven here"))
  func `works in Chromium`() async throws { try await works(in: .chromium) }

  @Test(.enabled(if: Browser.firefox.isAvailable, "skipped: no PT_BIN, no PT_PYTHON, or Firefox cannot be driven here"))
  func `works in Firefox`() async throws { try await works(in: .firefox) }

  private func works(in browser: Browser) async throws {
    let outcome = try await browser.running(
      "console_checks.py", ["--browser", browser.rawValue, "--network", String(browser.network)])
    let decoder = JSONDecoder()
    let results = try outcome.output.split(separator: "\n").map {
      try decoder.decode(CheckResult.self, from: Data($0.utf8))
    }
    for result in results where !result.ok {
      Issue.record("\(browser), \(result.check) (\(result.seconds) s): \(result.detail ?? "")")
    }
    #expect(results.count >= Self.checksMin, "\(outcome.errors.suffix(4000))")
    #expect(outcome.status == 0, "\(outcome.errors.suffix(4000))")
  }
}
