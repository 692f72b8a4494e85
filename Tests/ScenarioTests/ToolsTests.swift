import Foundation
import TestPrograms
import Testing

/// The scripts of tools/: whoever asks what one does is told, and nothing happens; what one does not know it refuses.
@Suite struct `A script of tools` {
  private static let tools = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("tools")
  static let names = [
    "bench", "check", "crash-images", "demo", "fault-proxy", "fuzz", "install-dependencies", "manpages", "package",
    "protos", "record-golden", "sbom", "screenshots", "test", "test-packages", "verify_export.py",
  ]

  @Test func `is known here`() throws {
    let files = try FileManager.default.contentsOfDirectory(atPath: Self.tools.path)
    let scripts = files.filter { !["benchmarks", "packaging"].contains($0) && !$0.hasPrefix("_") }
    #expect(Set(scripts) == Set(Self.names))
  }

  @Test(arguments: names, ["--help", "-h"]) func `tells what it does`(name: String, option: String) throws {
    let (status, output) = try run(name, [option])
    #expect(status == 0 && output.contains(name), "\(output)")
    #expect(!output.contains("set -e") && output.split(separator: "\n").count >= 3, "\(output)")
  }

  @Test(arguments: names, ["--nonsense"]) func `refuses what it does not know`(name: String, option: String) throws {
    let (status, output) = try run(name, [option])
    #expect(status == 64 && !output.isEmpty, "\(output)")
  }

  @Test(arguments: [
    ("bench", ["journal", "nonsense"]), ("crash-images", ["--seed"]), ("crash-images", ["1", "2"]),
    ("crash-images", [""]), ("fuzz", ["nonsense"]), ("fuzz", ["--seconds", "x"]),
    ("test", ["--filter"]), ("test", ["JournalTests"]), ("package", ["--bin"]), ("sbom", ["--version"]),
    ("manpages", ["--bin", "/tmp"]), ("record-golden", ["nowhere"]), ("check", ["--fast", "fast"]),
  ])
  func `refuses what makes no sense`(name: String, arguments: [String]) throws {
    let (status, output) = try run(name, arguments)
    #expect(status == 64 && output.contains("--help") || output.contains("Fixtures/journal"), "\(output)")
  }

  /// Without Swift in the path: whatever a script began, it could not build.
  private func run(_ name: String, _ arguments: [String]) throws -> (Int32, String) {
    let python = ProcessInfo.processInfo.environment["PT_PYTHON"].map {
      ($0 as NSString).deletingLastPathComponent + ":"
    }
    let ended = try ChildProgram.run(
      Self.tools.appendingPathComponent(name).path, arguments,
      environment: ["PATH": (python ?? "") + "/usr/bin:/bin"])
    return (ended.status, ended.output)
  }
}
