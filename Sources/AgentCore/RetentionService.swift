// Keeps the journal within its limits: removes what is old and safe at the hub, and while the hub is away, lets readings be recorded less
// often. Never the other way round: what the hub does not have is not removed.
//
//     each 10 s:  older than journal.keep?          --> remove through the last countersigned checkpoint that is older
//                 fuller than four fifths?          --> remove through the first one that makes room down to seven tenths
//                 how much does the hub not have?   --> thinning (ThinningPolicy), told as an event when it changes
//
// A journal that is full already takes no event, but records can still be removed from it: so removing goes first.

internal import Collectors
internal import Events
internal import Evidence
internal import Journal
internal import Logging
internal import Platform
internal import Replicator
internal import ServiceLifecycle
internal import Settings
internal import Synchronization

/// The thinning of the moment, for the collector.
final class ThinningGauge: Sendable {
  private let value = Mutex<Duration?>(nil)

  var interval: Duration? {
    get { value.withLock { $0 } }
    set { value.withLock { $0 = newValue } }
  }
}

struct RetentionService: Service {
  /// A thousand devices that are read every ten seconds fill a fiftieth of the smallest journal in this time.
  private static let lookInterval: Duration = .seconds(10)
  /// Removing begins when more than this of the limit is in use, and makes room down to `lowPercent`.
  private static let highPercent = 80
  private static let lowPercent = 70

  let journal: Journal
  let settings: JournalSettings
  /// `journal.keep` as it is in use; nil: that of `settings`.
  var keep: (@Sendable () -> Duration)?
  /// The key of the hub that is there, once it has named one.
  let countersigningKey: @Sendable () -> String?
  let gauge: ThinningGauge
  let board: StatusBoard
  let logger: Logger

  func run() async throws {
    try await untilGracefulShutdown {
      var policy = ThinningPolicy()
      while true {
        do { try await self.look(&policy) } catch let error as JournalError where error.isDiskFull {
          // What cannot be written now is looked at again; the collector says that there is no space.
          logger.debug("retention waits for space", metadata: ["reason": "\(error)"])
        }
        try await Task.sleep(for: Self.lookInterval)
      }
    }
  }

  func look(_ policy: inout ThinningPolicy) async throws {
    try await remove(try usage())
    try await thin(&policy, try usage())
  }

  private func usage() throws -> JournalUsage {
    let statistics = try journal.reader.statistics()
    return JournalUsage(
      usedBytes: statistics.usedBytes, records: statistics.records, lag: try JournalNumbers(journal.reader).lag,
      limitBytes: Int(clamping: settings.sizeMax.bytes))
  }

  // MARK: Thinning

  private func thin(_ policy: inout ThinningPolicy, _ usage: JournalUsage) async throws {
    policy.update(backlog: usage.backlogPercent)
    guard policy.interval != gauge.interval else { return }
    let body = ReadingsThinned(
      intervalSeconds: UInt32(clamping: (policy.interval ?? .zero).components.seconds),
      percent: UInt32(clamping: usage.backlogPercent))
    try await journal.appendUnlessFull(.readingsThinned(body), logger)
    gauge.interval = policy.interval
    guard let interval = policy.interval else {
      logger.notice("readings are recorded with every poll again")
      return board.sayJournal(directory: settings.directory)
    }
    let message =
      "the journal fills with what no hub has yet: a device's readings are recorded at most each \(interval.spoken)"
    logger.warning("readings are thinned", metadata: ["percent": "\(body.percent)", "interval": "\(interval.spoken)"])
    board.say(
      .journal, .degraded, message,
      remedy:
        "\(body.percent) % of journal.size_max are records that the hub does not have. Enrol, bring the hub back, or raise journal.size_max; alerts are recorded as always."
    )
  }

  // MARK: Removing

  private func remove(_ usage: JournalUsage) async throws {
    guard let text = countersigningKey(), let key = try? VerifierKey(text) else { return }
    let marks = try RemovalMarks(journal.reader, key)
    let time =
      Machine.milliseconds * 1_000_000 - Int64(clamping: (keep?() ?? settings.keep).components.seconds) * 1_000_000_000
    if let mark = marks.last(sealedBefore: time) {
      try await remove(through: mark, marks, .age, key)
    } else if usage.usedPercent > Self.highPercent,
      let mark = marks.first(removing: usage.records(above: Self.lowPercent))
    {
      try await remove(through: mark, marks, .size, key)
    }
  }

  private func remove(
    through position: RecordPosition, _ marks: RemovalMarks, _ reason: RecordsRemoved.Reason, _ key: VerifierKey
  ) async throws {
    let records = marks.records(through: position)
    do {
      try await journal.prune(
        through: position, countersignedBy: key, acknowledgedBy: JournalSource.cursorName)
    } catch JournalError.pruneRefused(let why) {
      // Nothing is wrong: an earlier epoch, say, is not vouched for yet.
      logger.info("old records stay", metadata: ["through": "\(position)", "reason": "\(why)"])
      return
    }
    logger.notice(
      "old records were removed",
      metadata: ["through": "\(position)", "records": "\(records)", "reason": "\(reason.rawValue)"])
    let body = RecordsRemoved(
      epoch: position.epoch, through: position.sequence, records: records, reason: reason.rawValue,
      countersigner: key.name.description)
    try await journal.appendUnlessFull(.recordsRemoved(body), logger)
  }
}

/// How full a journal is.
struct JournalUsage: Equatable {
  var usedBytes: Int
  var records: Int
  /// Records that the hub does not have.
  var lag: UInt64
  var limitBytes: Int

  private var bytesPerRecord: Int { max(1, usedBytes / max(1, records)) }

  var usedPercent: Int { usedBytes * 100 / max(1, limitBytes) }

  var backlogPercent: Int {
    Int(Double(min(lag, UInt64(records))) * Double(bytesPerRecord) * 100 / Double(max(1, limitBytes)))
  }

  /// How many records make the difference to so many percent of the limit.
  func records(above percent: Int) -> UInt64 {
    UInt64(max(0, usedBytes - limitBytes / 100 * percent) / bytesPerRecord)
  }
}

/// The checkpoints that records may be removed up to, in order: countersigned, and acknowledged.
struct RemovalMarks {
  private struct Mark {
    let position: RecordPosition
    /// Nanoseconds since 1970 UTC; nil where the note does not say.
    let sealed: Int64?
    /// Records up to it that are still there.
    let records: UInt64
  }

  private var marks: [Mark] = []

  init(_ reader: JournalReader, _ key: VerifierKey) throws {
    guard let cursor = try reader.cursor(JournalSource.cursorName) else { return }
    var before: UInt64 = 0
    for epoch in try reader.epochs() where epoch.number <= cursor.epoch {
      let base = epoch.firstSequence - 1
      for stored in try reader.checkpoints(from: RecordPosition(epoch: epoch.number, sequence: base + 1)) {
        guard stored.epoch == epoch.number else { break }
        let position = RecordPosition(epoch: stored.epoch, sequence: stored.size)
        guard position <= cursor, let note = try? SignedNote(bytes: stored.note),
          note.signatures.contains(where: { $0.isBy(key) })
        else { continue }
        marks.append(
          Mark(
            position: position, sealed: try? Checkpoint(text: note.text).sealed, records: before + stored.size - base))
      }
      before += try reader.frontier(epoch: epoch.number).size - base
    }
  }

  /// The last one that was signed before this time.
  func last(sealedBefore time: Int64) -> RecordPosition? {
    marks.last { $0.sealed ?? .max < time }?.position
  }

  /// The first one with so many records before it, or the last of all.
  func first(removing records: UInt64) -> RecordPosition? {
    (marks.first { $0.records >= records } ?? marks.last)?.position
  }

  func records(through position: RecordPosition) -> UInt64 {
    marks.first { $0.position == position }?.records ?? 0
  }
}
