import Foundation
import TestPrograms
import Testing

/// A line of hub_checks.py.
private struct CheckResult: Decodable {
  let check: String
  let ok: Bool
  let detail: String?
}

@Suite(.serialized) struct `The hub's console in browsers` {
  /// Checks that must have run: a script that ends early, or finds none, is not a console without faults.
  private static let checksMin = 16

  @Test(
    .enabled(if: Browser.chromium.isAvailable, "skipped: no PT_BIN, no PT_PYTHON, or Chromium cannot be driven here"))
  func `works in Chromium`() async throws { try await works(in: .chromium, network: 111) }

  @Test(.enabled(if: Browser.firefox.isAvailable, "skipped: no PT_BIN, no PT_PYTHON, or Firefox cannot be driven here"))
  func `works in Firefox`() async throws { try await works(in: .firefox, network: 112) }

  private func works(in browser: Browser, network: Int) async throws {
    let outcome = try await browser.running(
      "hub_checks.py", ["--browser", browser.rawValue, "--network", "\(network)"])
    let results = try outcome.output.split(separator: "\n").map {
      try JSONDecoder().decode(CheckResult.self, from: Data($0.utf8))
    }
    for result in results { #expect(result.ok, "\(result.check): \(result.detail ?? "")") }
    #expect(results.count >= Self.checksMin, "only \(results.count) checks ran; \(outcome.errors.suffix(2_000))")
    #expect(outcome.status == 0, "\(outcome.errors.suffix(2_000))")
  }
}
