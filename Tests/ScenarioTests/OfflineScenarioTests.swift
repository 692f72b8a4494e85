import Foundation
import Testing

/// A season without a hub, with an accelerated clock: the journal stays within its limit, thins readings, and keeps every alert.
@Suite(.enabled(if: programs != nil, "needs the built programs: run tools/test"))
struct `A hub that is away for 90 days` {
  private struct Line: Decodable {
    var benchmark: String
    var seconds: Int?
    var changed: Int?
    var alerts: Int?
    var polls: Int?
    var file_bytes: Int?
    var limit_bytes: Int?
  }

  /// Four devices; what a thousand take is measured (docs/performance.md).
  @Test(arguments: [(12, false), (4, true)])
  func `fits into its limit`(mebibytes: Int, thins: Bool) async throws {
    let directory = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-offline-\(UUID().uuidString)")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    defer { try? FileManager.default.removeItem(at: directory) }
    // It checks the limit, the alerts and every hash itself.
    let (status, output) = try await Program.run(
      "ptbench",
      [
        "offline", "--directory", directory.path + "/journal", "--devices", "4", "--days", "90", "--mebibytes",
        "\(mebibytes)",
      ], in: directory)
    #expect(status == 0, "\(output)")
    let lines = try output.split(separator: "\n").map { try JSONDecoder().decode(Line.self, from: Data($0.utf8)) }
    let last = try #require(lines.last)
    #expect(last.benchmark == "offline" && last.polls == 4 * 90 * 48)
    #expect((last.file_bytes ?? .max) <= last.limit_bytes ?? 0)
    #expect((last.alerts ?? 0) > 0)
    #expect(lines.contains { $0.benchmark == "offline.thinning" && ($0.seconds ?? 0) >= 3_600 } == thins, "\(output)")
  }
}
