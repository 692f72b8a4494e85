// ptbench golden-journal: the journal that every later release must open (Fixtures/journal/README.md). Run once for each format of the
// journal; what it wrote is kept, and never made again.

internal import ArgumentParser
internal import Evidence
internal import Foundation
internal import Journal
internal import OpenSSL
internal import ReadModels
internal import Synchronization

struct GoldenJournalCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "golden-journal",
    abstract:
      "Writes a small journal with every kind of event, two epochs, checkpoints, a countersignature and a cursor.")

  @Option(help: "A directory that does not exist yet.") var into: String
  @Flag(help: "Remove the records before the countersigned checkpoint, as retention does.") var shortened = false
  @Flag(
    help: "Write what came later: the types of events that the first journal of this format was written too early for.")
  var later = false
  @Flag(help: "Write what came later still: conflicts that the hub told of.") var conflicts = false
  @Flag(help: "Write what came after that: jobs.") var jobs = false
  @Flag(help: "Write what came later still: settings of the hub that were applied and refused.") var settings = false
  @Flag(help: "Write what came after that: sessions with devices' own pages.") var remote = false
  @Flag(help: "Write what came after that: requests that are recorded before they are made.") var requests = false
  @Flag(help: "Write what came after that: who wanted to see a page that he was not shown.") var refusals = false
  @Flag(help: "Write what came after that: a count that rose by more than can have been printed.") var leaps = false
  @Option(help: "The recorded walks that its readings are made from.") var walks = "Fixtures/walks"

  /// Few, so that a small journal has several.
  private static let recordsPerCheckpoint: UInt64 = 8

  func run() async throws {
    let clock = GoldenClock()
    var configuration = JournalConfiguration(directory: into)
    configuration.checkpointRecords = Self.recordsPerCheckpoint
    configuration.clock = clock.journalClock
    let story = try GoldenStory(walks: walks)
    let journal = try Journal.open(configuration, fold: FleetFold())
    if later {
      for entry in try GoldenLaterStory(walks: walks).entries() { try await append(entry, to: journal, clock) }
      return try await close(journal)
    }
    if conflicts {
      for entry in try GoldenConflictStory.entries() { try await append(entry, to: journal, clock) }
      return try await close(journal)
    }
    if jobs {
      for entry in try GoldenJobStory.entries() { try await append(entry, to: journal, clock) }
      return try await close(journal)
    }
    if settings {
      for entry in try GoldenSettingsStory.entries() { try await append(entry, to: journal, clock) }
      return try await close(journal)
    }
    if remote {
      for entry in try GoldenRemoteStory.entries() { try await append(entry, to: journal, clock) }
      return try await close(journal)
    }
    if requests {
      for entry in try GoldenRequestStory.entries() { try await append(entry, to: journal, clock) }
      return try await close(journal)
    }
    if refusals {
      for entry in try GoldenRefusalStory.entries() { try await append(entry, to: journal, clock) }
      return try await close(journal)
    }
    if leaps {
      for entry in try GoldenLeapStory.entries() { try await append(entry, to: journal, clock) }
      return try await close(journal)
    }
    for entry in try story.beforeRestore() { try await append(entry, to: journal, clock) }
    let hub = SignerKey(name: try NoteKeyName("hub.example"), privateKey: try Ed25519PrivateKey())
    let checkpoint = try await countersign(journal, hub)
    try await journal.openEpoch(reason: "restored from a backup")
    for entry in try story.afterRestore() { try await append(entry, to: journal, clock) }
    try await journal.moveCursor("dcam", to: RecordPosition(epoch: 2, sequence: 2))
    if shortened {
      try await journal.prune(through: checkpoint, countersignedBy: hub.verifier, acknowledgedBy: "dcam")
    }
    try await close(journal)
  }

  private func close(_ journal: Journal) async throws {
    await journal.close()
    // They belong to the process that had it open.
    for name in ["lock", "lock.mdb"] { try FileManager.default.removeItem(atPath: into + "/" + name) }
  }

  private func append(_ entry: GoldenEntry, to journal: Journal, _ clock: GoldenClock) async throws {
    clock.set(milliseconds: entry.time + 1)
    try await journal.append([entry.payload])
  }

  /// As a hub does it, with a key that is thrown away.
  private func countersign(_ journal: Journal, _ hub: SignerKey) async throws -> RecordPosition {
    guard let stored = try journal.reader.lastCheckpoint(epoch: 1) else { throw ExitCode.failure }
    var note = try SignedNote(bytes: stored.note)
    try note.sign(by: hub)
    try await journal.storeCountersignature(note, by: hub.verifier)
    return RecordPosition(epoch: stored.epoch, sequence: stored.size)
  }
}

/// Stands where the story has come to.
private final class GoldenClock: Sendable {
  private let nanoseconds = Mutex(GoldenStory.begin * 1_000_000)

  func set(milliseconds: Int64) { nanoseconds.withLock { $0 = milliseconds * 1_000_000 } }

  var journalClock: JournalClock {
    JournalClock(
      now: { self.nanoseconds.withLock(\.self) }, uptime: { UInt64(self.nanoseconds.withLock(\.self)) })
  }
}
