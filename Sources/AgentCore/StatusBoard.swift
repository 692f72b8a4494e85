// Where the parts of a running agent write down how they are doing. Reading it never waits for them.

internal import Collectors
internal import Discovery
internal import Platform
internal import ReadModels
internal import Replicator
internal import Synchronization

/// The parts that a status names, in the order in which it shows them.
package enum ComponentName: String, CaseIterable, Sendable {
  case journal, identity, settings, collector, delivery, health, console, metrics
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
    /// Nil while nothing is collected.
    var poller: ProgressFacts.Poller?
    /// When the state of `delivery` began, and when the hub last acknowledged anything.
    var deliveryBegan = Progress.Moment.now
    var deliveryAcknowledged: Progress.Moment?
    /// Technicians' sessions that are open; nil where [remote] is not switched on.
    var remoteSessions: Int?
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
  func collectorMoved(at time: Int64) {
    board.withLock { board in
      board.collectorProgress = time
      board.poller?.ended = .now
    }
  }

  /// Nor is a round of the collector's loop.
  func collectorStepped(_ step: CollectorStep) {
    let now = Progress.Moment.now
    board.withLock { board in
      let ended = board.poller?.ended
      board.poller = ProgressFacts.Poller(
        stepped: now, polling: step.polling, oldest: step.oldest.map { now - $0 }, ended: ended)
    }
  }

  /// Collecting begins, and must go on from now on; or it has ended.
  func collecting(_ isOn: Bool) {
    board.withLock { $0.poller = isOn ? ProgressFacts.Poller(stepped: .now) : nil }
  }

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

  /// The words of each; where one is stuck, that instead, and where collecting goes on and brings nothing, why.
  func components(
    _ parts: [Progress], fruitless: CollectorWords? = nil, at now: Int64
  ) -> [AgentStatus.Component] {
    let stuck = Dictionary(parts.filter { $0.movement == .stuck }.map { ($0.component.rawValue, $0) }) { first, _ in
      first
    }
    return components.map { component in
      guard let part = stuck[component.name] else {
        guard let words = fruitless, component.name == ComponentName.collector.rawValue, component.state == .working
        else { return component }
        return AgentStatus.Component(
          name: component.name, state: words.state, since: component.since, message: words.message, remedy: words.remedy
        )
      }
      let since = UTCTime.text(milliseconds: part.movedMilliseconds(at: .now, milliseconds: now))
      return AgentStatus.Component(
        name: component.name, state: .failed, since: since, message: "does not move: \(part.reason)",
        remedy: Progress.remedy)
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
