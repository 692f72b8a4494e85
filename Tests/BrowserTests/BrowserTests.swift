// The consoles in real browsers, Chromium and Firefox, against real programs: an agent, a hub, simulated printers. The checks are Support's, in
// Python, because the drivers of browsers are; this runs them and says what each of them found.

import Foundation
import TestPrograms
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

  /// Runs one of Support's programs to its end, on a thread that other tests do not need.
  func running(_ program: String, _ arguments: [String]) async throws -> ChildProgram.Finished {
    try await ChildProgram.running(Self.python, Self.command(program, arguments), environment: Self.ownEnvironment)
  }

  /// The same on this thread.
  private func run(_ program: String, _ arguments: [String]) throws -> ChildProgram.Finished {
    try ChildProgram.run(Self.python, Self.command(program, arguments), environment: Self.ownEnvironment)
  }

  private static var python: String { environment["PT_PYTHON"] ?? "/usr/bin/python3" }
  private static var ownEnvironment: [String: String] {
    environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 }
  }
  private static func command(_ program: String, _ arguments: [String]) -> [String] {
    [support.appendingPathComponent(program).path] + arguments
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
