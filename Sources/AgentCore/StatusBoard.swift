// Where the parts of a running agent write down how they are doing. Reading it never waits for them.

internal import Collectors
internal import Discovery
internal import Platform
internal import ReadModels
internal import Replicator
internal import Synchronization

/// The parts that a status names, in the order in which it shows them.
package enum ComponentName: String, CaseIterable, Sendable {
  case journal, identity, settings, collector, delivery, health, console
}

/// The latest word of each component.
package final class StatusBoard: Sendable {
  struct Word: Equatable {
    var state: AgentStatus.Condition
    var since: Int64
    var message: String
    var remedy: String?
  }

  struct Board {
    var words: [ComponentName: Word] = [:]
    var sweep: SweepProgress?
    var isSweeping = false
    var delivery: DeliveryStatus?
    var deliveryTrail = DeliveryTrail()
    var collectorProgress: Int64?
    /// Counts changes, so that the writer knows whether there is anything to write.
    var revision: UInt64 = 0
  }

  private let board = Mutex(Board())
  let started: Int64

  package init(started: Int64 = Machine.milliseconds) { self.started = started }

  /// Says how a component is. `since` moves only when the state does.
  func say(_ name: ComponentName, _ state: AgentStatus.Condition, _ message: String, remedy: String? = nil) {
    board.withLock { board in
      let before = board.words[name]
      let since = before?.state == state ? before?.since : nil
      let word = Word(state: state, since: since ?? Machine.milliseconds, message: message, remedy: remedy)
      guard word != before else { return }
      board.words[name] = word
      board.revision += 1
    }
  }

  func update(_ change: (inout Board) -> Void) {
    board.withLock { board in
      change(&board)
      board.revision += 1
    }
  }

  /// Progress alone is no news.
  func collectorMoved(at time: Int64) { board.withLock { $0.collectorProgress = time } }

  var snapshot: Board { board.withLock { $0 } }
}

extension StatusBoard.Board {
  var components: [AgentStatus.Component] {
    ComponentName.allCases.compactMap { name in
      words[name].map { word in
        AgentStatus.Component(
          name: name.rawValue, state: word.state, since: UTCTime.text(milliseconds: word.since), message: word.message,
          remedy: word.remedy)
      }
    }
  }

  var sweepState: AgentStatus.SweepState? {
    sweep.map { progress in
      AgentStatus.SweepState(
        isRunning: isSweeping, done: progress.done, total: progress.total, found: progress.found,
        rate: (progress.rate * 10).rounded() / 10, secondsLeft: progress.timeLeft.map { ($0.milliseconds + 999) / 1000 }
      )
    }
  }
}
