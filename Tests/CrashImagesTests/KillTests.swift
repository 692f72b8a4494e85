import CrashImages
import Evidence
import Foundation
import Simulation
import TestPrograms
import Testing

/// A real run, killed by SIGKILL exactly before or after a call that matters.
///
/// PT_KILLS raises the number of kills at points by chance, PT_SEED repeats those of one seed.
@Suite(
  .timeLimit(.minutes(KillPoint.minutes)),
  .enabled(if: KilledRun.programs != nil, "needs the built programs: run tools/test"))
struct `A kill` {
  /// The first calls make the journal, the others are of its commits.
  @Test(arguments: KillPoint.all)
  func `loses nothing that was acknowledged`(point: KillPoint) async throws {
    for number in 1...5 {
      let run = try await KilledRun(seed: 11, steps: 40, at: point, number: number)
      #expect(run.wasKilled || number > 2, "\(point), number \(number), is never reached")
      try await run.check()
    }
  }

  @Test func `at points by chance loses nothing that was acknowledged`() async throws {
    for seed in KillPoint.seeds {
      var random = SplitMix64(seed: seed)
      let point = try #require(KillPoint.all.randomElement(using: &random))
      let number = Int.random(in: 1...60, using: &random)
      do {
        try await KilledRun(seed: seed, steps: 40, at: point, number: number).check()
      } catch { Issue.record("seed \(seed), \(point), number \(number): \(error)") }
    }
  }

  /// What the checks are worth: a note of a record that is not there is missed.
  @Test func `would be noticed if something acknowledged were missing`() async throws {
    let run = try await KilledRun(seed: 11, steps: 40, at: KillPoint(moment: "before", call: "meta"), number: 30)
    #expect(run.wasKilled)
    let next = try #require(CrashNote.all(in: run.said).last { if case .acknowledged = $0 { true } else { false } })
    guard case .acknowledged(var position) = next else { return }
    position.sequence += 100
    await #expect(throws: CrashFinding.self) {
      try await CrashCheck.check(journal: run.journal, after: [.acknowledged(position)])
    }
  }
}

/// A call, and whether it is made yet.
struct KillPoint: CustomStringConvertible, Sendable {
  let moment: String
  let call: String
  var description: String { "\(moment):\(call)" }

  static let all = ["write", "sync", "meta", "rename", "note"].flatMap { call in
    ["before", "after"].map { KillPoint(moment: $0, call: call) }
  }

  private static let kills = ProcessInfo.processInfo.environment["PT_KILLS"].flatMap(UInt64.init) ?? 30
  static let seeds = Seeds.toRun(kills)
  /// A kill takes a tenth of a second, and on a busy machine ten times that.
  static let minutes = 5 + Int(kills) / 60
}

/// A run of `ptbench crash-workload` that the recorder kills at a point, if it comes there.
private final class KilledRun {
  static let programs = ProcessInfo.processInfo.environment["PT_BIN"]

  private let directory: URL
  let wasKilled: Bool
  /// What it wrote to its standard output.
  let said: String
  var journal: String { directory.path + "/journal" }

  init(seed: UInt64, steps: Int, at point: KillPoint, number: Int) async throws {
    let memory = "/dev/shm"
    let parent = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    directory = URL(fileURLWithPath: "\(parent)/printtrail-kill-\(UUID().uuidString.prefix(8))")
      .resolvingSymlinksInPath()
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let bin = try #require(Self.programs)
    let process = try ChildProgram(
      bin + "/ptbench",
      ["crash-workload", "--directory", directory.path + "/journal", "--seed", "\(seed)", "--steps", "\(steps)"],
      environment: [
        "LD_PRELOAD": bin + "/libCrashRecorder.so", "PT_RECORD_DIRECTORY": directory.path + "/journal",
        "PT_RECORD_NOTES": "1", "PT_KILL_AT": "\(point):\(number)",
      ], output: .pipe, errors: .inherited)
    said = process.readToEnd()
    let ending = process.wait()
    wasKilled = ending == .killed(by: SIGKILL)
    try #require(wasKilled || ending == .exited(0), "the workload ended: \(ending)")
  }

  deinit { try? FileManager.default.removeItem(at: directory) }

  func check() async throws {
    try await CrashCheck.check(journal: journal, after: CrashNote.all(in: said))
  }
}
