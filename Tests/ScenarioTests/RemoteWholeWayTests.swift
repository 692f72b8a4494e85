// Devices' own pages the whole way, with real programs: a browser or its HTTP client, one hub or two, an agent, web servers at the addresses of simulated
// printers. The checks are Support's remote_*.py, in Python, because the driver of the browser is; this runs them and says what each of them found.

import Foundation
import Glibc
import TestDatabases
import TestPrograms
import Testing

private let python = ProcessInfo.processInfo.environment["PT_PYTHON"]
private let scenarios = URL(fileURLWithPath: #filePath).deletingLastPathComponent()

private func areExecutable(_ paths: [String]) -> Bool {
  paths.allSatisfy { FileManager.default.isExecutableFile(atPath: $0) }
}

/// Whether Chromium can be driven here; `tools/test` sees to it.
private let hasChromium: Bool = {
  guard let python else { return false }
  let browsers = scenarios.deletingLastPathComponent().appendingPathComponent("BrowserTests/Support/browsers.py").path
  return (try? ChildProgram.run(python, [browsers, "chromium"]))?.status == 0
}()

/// Whether network namespaces can be made here: by root, and not where a container's seccomp forbids it.
private let hasNamespaces: Bool = {
  getuid() == 0 && (try? ChildProgram.run("/usr/bin/unshare", ["--net", "--mount", "/bin/true"]))?.status == 0
}()

@Suite(
  .enabled(if: programs != nil, "needs the built programs: run tools/test"),
  .enabled(if: python != nil, "needs PT_PYTHON, which tools/test sets"), .timeLimit(.minutes(6)))
struct `A device's own page, the whole way` {
  private struct Check: Decodable {
    let check: String
    let ok: Bool
    let seconds: Double
    let detail: String?
  }

  /// - Parameters:
  ///   - network: the site's addresses and ports, twenty of them: this number and the next.
  ///   - checksMin: as many must have run; a program that ends early has found nothing.
  private func runs(_ program: String, network: Int, _ options: [String] = [], checksMin: Int) async throws {
    let finished = try await ChildProgram.running(
      try #require(python),
      [scenarios.appendingPathComponent("Support/\(program)").path, "--network", "\(network)"] + options,
      environment: ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 })
    let checks = finished.output.split(separator: "\n").compactMap {
      try? JSONDecoder().decode(Check.self, from: Data($0.utf8))
    }
    for check in checks where !check.ok {
      Issue.record("\(check.check) (\(check.seconds) s): \(check.detail ?? "")")
    }
    #expect(checks.count >= checksMin, "\(finished.output.suffix(2000)) \(finished.errors.suffix(4000))")
    #expect(finished.status == 0, "\(finished.errors.suffix(4000))")
  }

  @Test(
    .enabled(if: hasChromium, "needs Chromium and its driver"),
    .enabled(
      if: areExecutable([
        "/usr/sbin/nginx", "/usr/sbin/ippeveprinter", "/usr/sbin/avahi-daemon", "/usr/bin/dbus-daemon",
      ]),
      "needs Debian's nginx-light, cups-ipp-utils, avahi-daemon and dbus"))
  func `is served by Python, nginx, ippeveprinter and hostile devices, to a person in Chromium`() async throws {
    try await runs("remote_whole_way.py", network: 113, checksMin: 29)
  }

  @Test func `is shown to nobody who may not see it, and of nothing but a known device, by whatever hub`() async throws
  {
    try await runs("remote_refusals.py", network: 115, checksMin: 22)
  }

  @Test(.enabled(if: PostgresServer.shared != nil, "needs Debian's postgresql-15"))
  func `is seen at one hub while its agent is at another, which is killed`() async throws {
    let address = try #require(PostgresServer.shared).newAddress()
    try await runs("remote_hubs.py", network: 117, ["--store", address], checksMin: 7)
  }

  @Test(
    .enabled(if: hasNamespaces, "needs root, and network namespaces"),
    .enabled(if: areExecutable(["/usr/sbin/ip", "/usr/bin/ss"]), "needs Debian's iproute2"))
  func `is all of a customer's network that a hub reaches`() async throws {
    try await runs("remote_network.py", network: 119, checksMin: 7)
  }

  @Test(.enabled(if: areExecutable(["/usr/bin/tinyproxy"]), "needs tinyproxy (Debian: tinyproxy-bin)"))
  func `comes through an HTTP proxy that wants a password`() async throws {
    try await runs("remote_proxy.py", network: 121, checksMin: 4)
  }
}
