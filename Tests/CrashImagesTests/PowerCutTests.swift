import CrashImages
import Foundation
import TestPrograms
import Testing

/// A real run, recorded call by call, and every state of the disk that a power cut could have left of it.
///
/// PT_CRASH_RUNS raises the number of runs, PT_SEED repeats one.
@Suite(
  .serialized, .timeLimit(.minutes(10)),
  .enabled(if: Recording.programs != nil, "needs the built programs: run tools/test"))
struct `A power cut at any moment` {
  private static let environment = ProcessInfo.processInfo.environment
  static let seeds: [UInt64] = {
    if let seed = environment["PT_SEED"].flatMap(UInt64.init) { return [seed] }
    let runs = environment["PT_CRASH_RUNS"].flatMap(Int.init) ?? 1
    return (0..<runs).map { _ in UInt64.random(in: 0..<1_000_000) }
  }()

  @Test(arguments: seeds)
  func `loses nothing that was acknowledged`(seed: UInt64) async throws {
    let recording = try Recording(seed: seed, steps: 30)
    defer { recording.remove() }
    var images = CrashImages(recording.trace, seed: seed)
    images.chancesPerMoment = 4
    let check = CrashCheck(directory: recording.imageDirectory)
    var count = 0
    try await images.forEach { image in
      count += 1
      try await check.check(image)
    }
    print(
      "seed \(seed): \(count) images of \(recording.trace.count) entries, nothing lost; repeat with PT_SEED=\(seed)")
    #expect(count > 2_000)
  }

  /// What the checks are worth: the same run on a disk that ignores syncs must lose something.
  @Test func `would be noticed if the journal did not sync`() async throws {
    let recording = try Recording(seed: 7, steps: 20)
    defer { recording.remove() }
    let careless = recording.trace.filter { $0.action != .sync }
    let check = CrashCheck(directory: recording.imageDirectory)
    await #expect(throws: CrashFinding.self) {
      try await CrashImages(careless, seed: 7).forEach { try await check.check($0) }
    }
  }
}

/// A run of `ptbench crash-workload` under the recorder.
private struct Recording {
  static let programs = ProcessInfo.processInfo.environment["PT_BIN"]

  let directory: URL
  let trace: [TraceEntry]

  /// Images are looked at once: they need no disk under them where there is a tmpfs.
  var imageDirectory: String {
    let memory = "/dev/shm"
    return FileManager.default.isWritableFile(atPath: memory)
      ? "\(memory)/\(directory.lastPathComponent)" : directory.path
  }

  /// What it left on the disk.
  func remove() {
    for path in [directory.path, imageDirectory] { try? FileManager.default.removeItem(atPath: path) }
  }

  init(seed: UInt64, steps: Int) throws {
    directory = URL(fileURLWithPath: NSTemporaryDirectory() + "printtrail-crash-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
    let bin = try #require(Self.programs)
    let journal = directory.resolvingSymlinksInPath().path + "/journal"
    let file = directory.path + "/trace"
    let process = try ChildProgram(
      bin + "/ptbench",
      ["crash-workload", "--directory", journal, "--seed", "\(seed)", "--steps", "\(steps)"],
      environment: [
        "LD_PRELOAD": bin + "/libCrashRecorder.so", "PT_RECORD_DIRECTORY": journal, "PT_RECORD_TRACE": file,
        "PT_RECORD_NOTES": "1",
      ], output: .nowhere, errors: .inherited)
    let ending = process.wait()
    try #require(ending == .exited(0), "the workload ended: \(ending)")
    trace = try Trace.entries([UInt8](try Data(contentsOf: URL(fileURLWithPath: file))))
    try #require(trace.count > 50, "the recorder saw only \(trace.count) entries")
  }
}
