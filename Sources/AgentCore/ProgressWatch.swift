// The progress of a running agent: what its parts say of themselves, judged. `isWell` is what feeds the service's watchdog.

internal import Collectors
internal import Evidence
internal import Journal
internal import Platform
internal import ReadModels
internal import Replicator
internal import Synchronization

package final class ProgressWatch: Sendable {
  private struct State {
    var judge = ProgressJudge(now: .now)
    var replicator: Replicator?
  }

  private let board: StatusBoard
  private let journal: Journal
  private let state = Mutex(State())

  init(board: StatusBoard, journal: Journal) { (self.board, self.journal) = (board, journal) }

  /// From now on this one must move.
  func watch(_ replicator: Replicator) { state.withLock { $0.replicator = replicator } }

  /// One judgement for each part, now. Reads the journal, and waits for nothing else.
  package func parts() throws -> [Progress] {
    let lag = try JournalNumbers(journal.reader).lag
    let replicator = state.withLock { $0.replicator }
    // The pulse first: what is read later is newer, and can only be better.
    let (pulse, writer, snapshot) = (replicator?.pulse, journal.progress, board.snapshot)
    let now = Progress.Moment.now
    var facts = ProgressFacts(writer: ProgressFacts.Writer(writer, now: now), poller: snapshot.poller)
    if let pulse, let status = snapshot.delivery {
      facts.delivery = ProgressFacts.Delivery(
        state: status.state, began: snapshot.deliveryBegan, acknowledged: snapshot.deliveryAcknowledged, lag: lag,
        pulse: pulse)
    }
    return state.withLock { $0.judge.judge(facts, now: now) }
  }

  /// Whether every part moves or is rightly idle: what the service's watchdog is fed by. A journal that cannot be read is not well.
  package var isWell: Bool { trouble == nil }

  /// What does not move, and why; nil: all is well.
  package var trouble: String? {
    do {
      let stuck = try parts().filter { $0.movement == .stuck }
      return stuck.isEmpty ? nil : stuck.map { "\($0.part.rawValue): \($0.reason)" }.joined(separator: "; ")
    } catch { return "the journal cannot be read: \(error)" }
  }
}

extension ProgressFacts.Writer {
  fileprivate init(_ progress: WriterProgress, now: Progress.Moment) {
    self.init(
      busySince: progress.busyFor.map { now - $0 }, committed: progress.sinceCommit.map { now - $0 },
      waiting: progress.waiting)
  }
}

extension Progress {
  /// The part of the status that tells of the same.
  var component: ComponentName {
    switch part {
    case .writer: .journal
    case .poller: .collector
    case .replicator: .delivery
    }
  }

  /// When it last moved, in milliseconds since 1970 UTC.
  func movedMilliseconds(at now: Moment, milliseconds: Int64) -> Int64 {
    milliseconds - moved.duration(to: now).milliseconds
  }

  /// What to do about one that is stuck.
  static let remedy =
    "Its service begins it again by itself. If it happens again, look at the disk (dmesg), and send what \"ptagent diagnostics\" writes to whoever supports it."
}
