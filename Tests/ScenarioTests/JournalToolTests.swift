import Foundation
import Testing

/// `ptjournal` on the golden journal: what a person or a script sees, and the exit statuses that its help promises.
@Suite(.enabled(if: programs != nil, "needs the built programs: run tools/test"), .timeLimit(.minutes(5)))
final class `The journal's tool, on the golden journal` {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private let work = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-tool-" + UUID().uuidString)
  private var journal: String { work.path + "/journal" }

  init() throws {
    try FileManager.default.createDirectory(at: work, withIntermediateDirectories: true)
    try FileManager.default.copyItem(
      atPath: Self.root.path + "/Fixtures/journal/v1/journal", toPath: journal)
  }

  deinit { try? FileManager.default.removeItem(at: work) }

  private func run(_ command: String, _ arguments: String...) async throws -> (status: Int32, output: String) {
    try await Program.run("ptjournal", [command, journal] + arguments, in: work)
  }

  /// The shipped profile of the golden copier, with something replaced.
  private func profile(replacing text: String, with other: String) throws -> String {
    let shipped = try String(
      contentsOf: Self.root.appendingPathComponent("Sources/PrinterModel/Profiles/kyocera.toml"), encoding: .utf8)
    #expect(shipped.contains(text))
    let path = work.path + "/profile.toml"
    try Data(shipped.replacingOccurrences(of: text, with: other).utf8).write(to: URL(fileURLWithPath: path))
    return path
  }

  @Test func `why explains a number`() async throws {
    let found = try await run("why", "192.0.2.9", "total", "--raw")
    #expect(found.status == 0, "\(found)")
    for words in ["15 impressions", "kyocera/printed-pages@", "record 2/8", "dropped from 10007 to 12", "not known"] {
      #expect(found.output.contains(words), "\(found)")
    }
    let objects = try await run("why", "00ABC12345", "total", "--at", "1/16", "--raw")
    #expect(objects.output.contains("1.3.6.1.4.1.1347.43.10.1.1.12.1.1 = INTEGER 10007\n"), "\(objects)")
    #expect(objects.output.contains("1.3.6.1.2.1.1.5.0 = OCTET STRING"), "\(objects)")
    let json = try await run("why", "0111", "total", "--at", "1/20", "--output", "json")
    #expect(json.status == 0 && json.output.contains("\"value\":10007"), "\(json)")
  }

  @Test func `why says what there is where a name means nothing or several things`() async throws {
    let device = try await run("why", "nobody", "total")
    #expect(device.status == 66 && device.output.contains("00ABC12345"), "\(device)")
    let meter = try await run("why", "192.0.2.9", "pages")
    #expect(meter.status == 66 && meter.output.contains("print.monochrome"), "\(meter)")
  }

  @Test func `diff tells by its status whether a value would change`() async throws {
    let same = try await run("diff", "--from", "2/9")
    #expect(same.status == 0 && same.output.contains("every value stays"), "\(same)")
    let path = try profile(replacing: "1.3.6.1.4.1.1347.43.10.1.1.12.1.1", with: "1.3.6.1.4.1.1347.43.10.1.1.12.1.9")
    let other = try await run("diff", "--profile", path, "--device", "192.0.2.9", "--output", "json")
    #expect(other.status == 1 && other.output.contains("\"before\":{\"name\":\"total\",\"value\":10000"), "\(other)")
  }

  @Test func `diff names what is wrong with a profile by file and line`() async throws {
    let bad = try await run("diff", "--profile", try profile(replacing: "make = \"Kyocera\"", with: "make = 3"))
    #expect(bad.status == 65 && bad.output.contains("profile.toml:8: `make`: expected a string"), "\(bad)")
    let none = try await run("diff", "--profile", work.path + "/none.toml")
    #expect(none.status == 66, "\(none)")
  }
}
