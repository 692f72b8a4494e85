import CrashImages
import Evidence
import Foundation
import Journal
import OpenSSL
import Replicator
import Simulation
import Synchronization

/// The clocks of a simulated machine: they move when the world says so, and the wall clock can be set.
final class SimulatedClock: Sendable {
  private static let beginning: Int64 = 1_700_000_000_000_000_000
  private let moment = Mutex<(uptime: Int64, offset: Int64)>((0, 0))

  func turn(to uptime: Int64) { moment.withLock { $0.uptime = uptime } }
  func set(by nanoseconds: Int64) { moment.withLock { $0.offset += nanoseconds } }

  var clock: JournalClock {
    JournalClock(
      now: { self.moment.withLock { Self.beginning + $0.uptime + $0.offset } },
      uptime: { self.moment.withLock { UInt64($0.uptime) } })
  }
}

/// An agent as far as delivery goes: a real journal in a directory that goes with it, and delivery's core. Where the replicator has
/// tasks, the world has moments.
final class SimulatedAgent {
  /// Payloads that begin with this tell of a rejection.
  static let report: UInt8 = 0xee
  static let restoration: UInt8 = 0xed
  static let conflict: UInt8 = 0xec
  static let alert: UInt8 = 0xa1

  /// What runs; nil while it is down.
  private(set) var running: Running?
  /// Counts its starts, so that what was planned in an earlier life does not happen in a later one.
  private(set) var life = 0
  var ledger = Ledger()
  let clock = SimulatedClock()
  private let root: String
  private var directories = 1
  private var configuration: JournalConfiguration

  struct Running {
    let journal: Journal
    let source: JournalSource
    var delivery: Delivery
    var backoff = Backoff()
    /// The connection it believes in.
    var connection: Int?
    /// What the core was told last of the journal.
    var knownHead: RecordPosition
    /// Up to where it was looked through for alerts.
    var looked: RecordPosition
    /// Requests of this connection that were not answered yet; in normal mode it ends with the last.
    var unanswered = 0
    var knownCheckpoint: RecordPosition?
    /// A move of the cursor that is under way.
    var dueCursor: RecordPosition?
  }

  /// - Parameter random: also makes the journal's key, so that even signatures are the same in two runs.
  init(random: inout SplitMix64) throws {
    let memory = "/dev/shm"
    let parent = FileManager.default.isWritableFile(atPath: memory) ? memory : NSTemporaryDirectory()
    root = URL(fileURLWithPath: "\(parent)/printtrail-world-\(UUID().uuidString)").resolvingSymlinksInPath().path
    configuration = JournalConfiguration(directory: root + "/journal-1")
    configuration.clock = clock.clock
    configuration.checkpointRecords = 20
    configuration.mapBytes = 1 << 30
    // Nothing happens by itself: the writer's thread has nothing to wake up for.
    configuration.checkpointInterval = .seconds(1_000_000_000)
    configuration.readerCheckInterval = .seconds(1_000_000_000)
    let name = try NoteKeyName("printtrail.journal/\(hexadecimal(random.bytes(16)))")
    let key = SignerKey(name: name, privateKey: try Ed25519PrivateKey(rawRepresentation: random.bytes(32)))
    try JournalImage(files: ["journal.key": Array((key.secretText + "\n").utf8)]).write(to: configuration.directory)
  }

  deinit { try? FileManager.default.removeItem(atPath: root) }

  var directory: String { configuration.directory }

  func image() throws -> JournalImage { try JournalImage(of: directory) }

  /// Changes what runs, if anything does.
  func update<R>(_ change: (inout Running) -> R) -> R? { running.map { _ in change(&running!) } }

  static func report(of position: RecordPosition) -> [UInt8] {
    [report] + UInt64(position.epoch).bytes + position.sequence.bytes
  }

  func start() async throws {
    life += 1
    let journal = try Journal.open(configuration)
    let coding = DeliveryCoding(
      rejection: { position, _ in Self.report(of: position) }, isRejection: { $0.first == Self.report },
      conflict: { _, range, _ in [Self.conflict] + range.lowerBound.bytes + range.upperBound.bytes },
      isUrgent: { $0.first == Self.alert },
      restoration: { position, _ in [Self.restoration] + position.sequence.bytes })
    let source = JournalSource(journal, coding: coding)
    let (heads, checkpoint) = (try await source.heads(), try await source.checkpoint())
    let delivery = Delivery(
      heads: heads, lost: try await source.lost(), cursor: try await source.cursor(), checkpoint: checkpoint,
      expressBehind: 4)
    running = Running(
      journal: journal, source: source, delivery: delivery, knownHead: heads.last ?? .start,
      looked: delivery.cursor ?? .start,
      knownCheckpoint: checkpoint?.position)
  }

  /// Ends it in order.
  func stop() async {
    await running?.journal.close()
    running = nil
  }

  /// Ends it at once, leaving these files.
  func end(leaving image: JournalImage) async throws {
    directories += 1
    let next = root + "/journal-\(directories)"
    try image.write(to: next)
    await stop()
    try FileManager.default.removeItem(atPath: configuration.directory)
    configuration.directory = next
  }
}

extension UInt64 {
  fileprivate var bytes: [UInt8] { withUnsafeBytes(of: bigEndian) { Array($0) } }
}
