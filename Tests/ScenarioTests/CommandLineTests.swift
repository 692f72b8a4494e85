import Foundation
import Testing

/// What the programs have in common at the command line: one form of version, documented exit statuses, and results that are whole or said
/// not to be.
@Suite(.enabled(if: programs != nil, "skipped: PT_BIN does not name the programs")) struct CommandLineTests {
  static let names = ["ptagent", "ptjournal", "pthub", "ptsim"]
  private let directory: URL

  init() throws {
    directory = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-cli-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()
  private static let walk = root.appendingPathComponent("Fixtures/walks/colour-mfp.snmprec").path
  private static let fleet = root.appendingPathComponent("Fixtures/fleets/demo.toml").path

  @Test(arguments: names) func `the version has one form`(name: String) async throws {
    let (status, output) = try await Program.run(name, ["--version"], in: directory)
    #expect(status == 0 && output == "\(name) 0.1.0\n")
  }

  @Test(arguments: names) func `the help lists the exit statuses that the page lists`(name: String) async throws {
    let (_, help) = try await Program.run(name, ["--help"], in: directory)
    let section = try #require(help.components(separatedBy: "EXIT STATUS").dropFirst().first)
    let told = section.split(separator: "\n").compactMap { line -> Int? in
      let words = line.split(separator: " ")
      return words.count > 1 ? Int(words[0]) : nil
    }
    #expect(told == (try Self.documented(name)))
  }

  /// The statuses of docs/exit-codes.md with `yes` in the program's column; of a range the first.
  private static func documented(_ name: String) throws -> [Int] {
    let page = try String(contentsOf: root.appendingPathComponent("docs/exit-codes.md"), encoding: .utf8)
    let rows = page.split(separator: "\n").filter { $0.hasPrefix("|") }.map {
      $0.dropFirst().split(separator: "|", omittingEmptySubsequences: false).map {
        $0.trimmingCharacters(in: .whitespaces)
      }
    }
    let column = try #require(rows.first?.firstIndex(of: name))
    return rows.dropFirst(2).filter { $0[column] == "yes" }.compactMap { Int($0[0].prefix { $0.isNumber }) }
  }

  @Test(arguments: [
    "ptagent read --walk \(walk)", "ptagent read --walk \(walk) --output json", "ptsim list --fleet \(fleet)",
  ])
  func `a result that could not be written is no success`(command: String) async throws {
    let full = try await shell("\(command) > /dev/full")
    #expect(full.status == 74 && full.output.contains("standard output: no space left on device"), "\(full)")
    let closed = try await shell("{ sleep 0.2; \(command); echo $? > status; } | true; sleep 0.1; cat status")
    #expect(closed.output == "0\n", "\(closed)")
  }

  @Test func `a walk that is missing, cut or too large is told apart`() async throws {
    let missing = try await shell("ptagent read --walk nowhere")
    #expect(missing.status == 66, "\(missing)")
    let cut = try await shell("head -c 2000 \(Self.walk) > cut; ptagent read --walk cut")
    #expect(cut.status == 65 && cut.output.contains("cut off here") && cut.output.contains("Kyocera"), "\(cut)")
    let large = try await shell("truncate -s 20M large; ptagent read --walk large")
    #expect(large.status == 65 && large.output.contains("larger than 16 MiB"), "\(large)")
    let nothing = try await shell("echo '#' > nothing; ptagent read --walk nothing")
    #expect(nothing.status == 65, "\(nothing)")
  }

  @Test func `an answer over IPP that is cut is no whole reading`() async throws {
    let capture = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/ipp/history-inkjet.ipp").path
    let whole = try await shell("ptagent read --ipp-capture \(capture)")
    #expect(whole.status == 0, "\(whole)")
    let cut = try await shell("head -c 900 \(capture) > cut.ipp; ptagent read --ipp-capture cut.ipp")
    #expect(cut.status == 65 && cut.output.contains("breaks off") && cut.output.contains("Identity"), "\(cut)")
  }

  @Test func `an interrupted sweep shows what it found until then`() async throws {
    let settings =
      "printf '[state]\\ndirectory = \"%s\"\\n[discovery]\\nport = 16999\\nipp = false\\n' $PWD/none > sweep.toml"
    // Nothing listens there, which each address says at once; the pace is what takes time.
    let sweep = "ptagent sweep --config sweep.toml --packets-per-second 20 127.99.0.0/22"
    let ended = try await shell("\(settings); timeout --preserve-status -s INT 3 \(sweep)")
    #expect(ended.status == 75 && ended.output.contains("Interrupted"), "\(ended)")
    #expect(ended.output.contains("ADDRESS") && ended.output.contains("no answer"), "\(ended)")
  }

  @Test func `findings of a walk are few, and drive no terminal`() async throws {
    let noise = try await shell(
      "{ cat \(Self.walk); for i in $(seq 1500); do printf '\\033[31m%s\\n' $i; done; } > noise; ptagent read --walk noise"
    )
    #expect(noise.status == 65 && noise.output.contains("and 1,480 more findings"), "\(noise)")
    #expect(!noise.output.contains("\u{1B}"))
  }

  @Test func `a directory in which nothing can be made is told apart from one that a file stands for`() async throws {
    let fleet = try await shell("touch file; ptjournal stat file")
    #expect(fleet.status == 66, "\(fleet)")
    let configured = "printf '[state]\\ndirectory = \"%s\"\\n[discovery]\\nranges = [{ range = \"127.0.0.1\" }]\\n'"
    let inTheWay = try await shell("\(configured) $PWD/file > a.toml; touch file; ptagent run --config a.toml")
    #expect(inTheWay.status == 73, "\(inTheWay)")
    let notAllowed = try await shell("\(configured) /sys/kernel/agent > b.toml; ptagent run --config b.toml")
    #expect(notAllowed.status == 77, "\(notAllowed)")
  }

  /// A journal without an event comes into being when an enrolment begins, although no hub is there.
  private static let newJournal = """
    printf '[hub]\\ncsr = "127.0.0.1:9"\\nca_pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="\\n' > c.toml
    printf '[state]\\ndirectory = "%s"\\n' $PWD/state >> c.toml
    ptagent enroll --config c.toml --code 0123456789abcdef01234567 > /dev/null 2>&1
    """

  @Test(arguments: [
    ("show state/journal abc", 64), ("stat state/journal --at 2026-01-01", 64), ("show state/journal 9", 66),
    ("export state/journal --device nobody", 66), ("export state/journal --into file", 73),
    ("replay state/journal --into file", 73), ("export state/journal --into nowhere/deep", 73),
    ("export state/journal --into /sys/kernel/export", 77), ("stat state/journal > /dev/full", 74),
    ("export state/journal --into export; rm export/events.jsonl; ptjournal verify export", 15),
  ])
  func `a journal's tool tells a wrong command from a missing or forbidden file`(command: String, status: Int32)
    async throws
  {
    let ended = try await shell("\(Self.newJournal)\ntouch file; ptjournal \(command)")
    #expect(ended.status == status, "\(ended)")
    #expect(ended.output.contains("."), "no sentence")
  }

  /// Runs a line of a shell with the programs in its path, in the test's directory.
  private func shell(_ line: String) async throws -> (status: Int32, output: String) {
    try await Program.run(
      path: "/bin/bash", ["-c", "PATH=\(programs ?? ""):$PATH; cd \(directory.path); \(line)"], in: directory,
      seconds: 60)
  }
}
