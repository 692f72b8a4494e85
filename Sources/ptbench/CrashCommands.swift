// ptbench crash-workload: a journal's life in short, told as it goes, for a recorder that watches it.
// ptbench crash-images: every state that a power cut may have left of it, checked.

internal import ArgumentParser
internal import CrashImages
internal import Events
internal import Evidence
internal import Foundation
internal import Journal
internal import ReadModels

struct CrashWorkload: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash-workload",
    abstract:
      "Appends, moves cursors, seals, opens epochs and journals again, by chance, and says on standard output what was acknowledged."
  )

  @Option(help: "A directory that does not exist yet.") var directory: String
  @Option(help: "The same seed does the same.") var seed: UInt64 = 1
  @Option(help: "Things to do.") var steps = 60

  func run() async throws {
    var fleet = SyntheticFleet(devices: 8)
    var random = SplitMix(seed: seed)
    var journal = try open()
    for _ in 0..<steps {
      switch Int.random(in: 0..<100, using: &random) {
      case 0..<70:
        let count = Int.random(in: 1...12, using: &random)
        let payloads = try (0..<count).map { _ in try fleet.nextEvent().encoded() }
        if let last = try await journal.append(payloads).last { say(.acknowledged(last)) }
      case 70..<85:
        let head = try journal.reader.head()
        guard head.sequence > 0 else { continue }
        try await journal.moveCursor(CrashNote.cursor, to: head)
        say(.moved(head))
      case 85..<93: try await journal.checkpoint()
      case 93..<96: try await journal.openEpoch(reason: "by chance")
      default:
        await journal.close()
        journal = try open()
      }
    }
    await journal.close()
  }

  private func open() throws -> Journal {
    var configuration = JournalConfiguration(directory: directory)
    configuration.checkpointRecords = 40
    return try Journal.open(configuration, fold: FleetFold())
  }

  /// At once, so that the recorder hears it before anything else happens.
  private func say(_ note: CrashNote) { FileHandle.standardOutput.write(Data(note.text.utf8)) }
}

struct CrashImagesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "crash-images",
    abstract:
      "Makes every state that a power cut may have left of a recorded run, and checks that nothing is lost in it.",
    discussion: "Exits 1 at the first image in which something is, and says how to make it again.")

  @Option(help: "The trace that the recorder wrote.") var trace: String
  @Option(help: "A directory to lay images out in; one on a tmpfs is fastest.") var work: String
  @Option(help: "The same seed makes the same images.") var seed: UInt64 = 1
  @Option(help: "Selections by chance at each moment.") var chances = 2

  func run() async throws {
    var images = CrashImages(try Trace.entries([UInt8](try Data(contentsOf: URL(fileURLWithPath: trace)))), seed: seed)
    images.chancesPerMoment = chances
    let check = CrashCheck(directory: work)
    var count = 0
    do {
      try await images.forEach { image in
        count += 1
        try await check.check(image)
      }
    } catch let finding as CrashFinding {
      print("seed \(seed): \(finding)")
      throw ExitCode.failure
    }
    print(
      #"{"benchmark":"crash.images","seed":\#(seed),"entries":\#(images.trace.count),"images":\#(count),"failures":0}"#)
  }
}
