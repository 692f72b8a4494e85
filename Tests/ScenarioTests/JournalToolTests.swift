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

  /// The golden journal has the records 1/1 to 1/20 and 2/1 to 2/12.
  @Test(arguments: [
    ("replay --to 13", 66, "There is no record 2/13. The journal's head is 2/12."),
    ("replay --to 1/21", 66, "its epoch ends with 1/20"), ("replay --to 3/1", 66, "There is no epoch 3"),
    ("replay --to 2026-02-30", 64, "Give SEQUENCE, EPOCH/SEQUENCE, or a time such as"),
    ("replay --force", 64, "--into"),
    ("export --from 5 --to 4", 64, "--to is before --from"), ("export --from 13", 66, "There is no record 2/13"),
    ("export --from 2100-01-01", 0, "No record is what was asked for"), ("export --force", 64, "--into"),
    ("export --into WORK", 73, "/journal is there"), ("diff --to 13", 66, "There is no record 2/13"),
    ("diff --device nobody", 66, "00ABC12345"), ("why 192.0.2.9 total --at 13", 66, "There is no record 2/13"),
    ("show 0", 66, "numbered from 1"), ("show 2026-01-01", 64, "Give a number, or EPOCH/NUMBER."),
    ("stat --at 13", 66, "There is no record 2/13"), ("stat --at 2/0", 0, "2/0 e3b0c442"),
    ("tail -n -1", 64, "Give a whole number from 0"), ("key --epoch 3", 66, "the journal's epochs are 1 to 2"),
    ("key --epoch -1", 64, "Give a whole number from 0"), ("prove 13", 66, "There is no record 2/13"),
    ("prove 5 --size 4", 66, "There is no checkpoint 2/4. Near it: 2/"),
    ("prove 12 --size 1", 66, "Name a greater size"),
    ("prove --from-size 12 --size 1", 64, "from the smaller to the greater"),
    ("prove --from-size 3/1", 66, "There is no epoch 3"),
    ("verify --key foo", 64, "`pthub key` the hub's"), ("why 192.0.2.9 total --key foo", 64, "`ptjournal key JOURNAL`"),
  ])
  func `says what is wrong with a number, a time or a name, and what to do`(
    line: String, status: Int32, words: String
  ) async throws {
    let arguments = line.replacing("WORK", with: work.path).split(separator: " ").map(String.init)
    let ended = try await Program.run("ptjournal", [arguments[0], journal] + arguments.dropFirst(), in: work)
    #expect(ended.status == status && ended.output.contains(words), "\(ended)")
  }

  @Test func `verify and why hold a journal to the key that is trusted`() async throws {
    let key = try await run("key").output.trimmingCharacters(in: .whitespacesAndNewlines)
    #expect(try await run("verify", "--key", key).status == 0)
    let another = work.path + "/another"
    try FileManager.default.copyItem(atPath: Self.root.path + "/Fixtures/journal/v2/journal", toPath: another)
    let other = try await Program.run("ptjournal", ["key", another], in: work)
      .output.trimmingCharacters(in: .whitespacesAndNewlines)
    let foreign = try await run("verify", "--key", other)
    #expect(foreign.status == 12 && foreign.output.contains("that you trust"), "\(foreign)")
    #expect(try await run("why", "192.0.2.9", "total", "--key", key).status == 0)
    let explained = try await run("why", "192.0.2.9", "total", "--key", other)
    #expect(explained.status == 12 && explained.output.contains("that you trust"), "\(explained)")
  }

  @Test func `stat tells the last checkpoint that somebody countersigned`() async throws {
    let shortened = work.path + "/shortened"
    try FileManager.default.copyItem(
      atPath: Self.root.path + "/Fixtures/journal/v2-shortened/journal", toPath: shortened)
    let text = try await Program.run("ptjournal", ["stat", shortened], in: work)
    #expect(text.output.contains("countersigned  1/16, by hub.example\n"), "\(text)")
    let json = try await Program.run("ptjournal", ["stat", shortened, "--output", "json"], in: work)
    #expect(json.output.contains("\"countersigned\":{\"epoch\":1,\"size\":16}"), "\(json)")
  }

  @Test func `tail goes back into earlier epochs`() async throws {
    let lines = try await run("tail", "-n", "14").output.split(separator: "\n")
    #expect(lines.count == 14 && lines[0].contains("  1/19  ") && lines[2].contains("  2/1  "), "\(lines)")
    #expect(try await run("tail", "-n", "1000").output.split(separator: "\n").count == 32)
  }

  @Test func `a time has the offset that it says`() async throws {
    for time in ["2026-01-05T09:42Z", "2026-01-05T10:42+01:00", "2026-01-05T04:12:00.0005-05:30", "2026-01-05T09:42"] {
      let replay = try await run("replay", "--to", time)
      #expect(replay.output.contains("up to 2/2,"), "\(time): \(replay)")
    }
  }

  @Test func `one is not told as many`() async throws {
    let replay = try await run("replay")
    #expect(replay.output.contains("no events of this release: 1 record; the first is 1/19"), "\(replay)")
    let file = work.path + "/export/events.jsonl"
    _ = try await run("export", "--into", work.path + "/export", "--from", "12")
    try Data(try String(contentsOfFile: file, encoding: .utf8).replacingOccurrences(of: "1.0", with: "1.1").utf8)
      .write(to: URL(fileURLWithPath: file))
    let verified = try await Program.run("ptjournal", ["verify", work.path + "/export"], in: work)
    #expect(verified.status == 16 && verified.output.contains("in 1 record of"), "\(verified)")
  }

  @Test func `diff names what is wrong with a profile by file and line`() async throws {
    let bad = try await run("diff", "--profile", try profile(replacing: "make = \"Kyocera\"", with: "make = 3"))
    #expect(bad.status == 65 && bad.output.contains("profile.toml:8: `make`: expected a string"), "\(bad)")
    let none = try await run("diff", "--profile", work.path + "/none.toml")
    #expect(none.status == 66, "\(none)")
  }
}
