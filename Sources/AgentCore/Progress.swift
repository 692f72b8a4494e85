// Health by progress: not whether a part lives, but whether it moves. Pure: the facts and the time come in.
//
// | part       | moves                                   | rightly idle                          | stuck                                             |
// |------------|-----------------------------------------|---------------------------------------|---------------------------------------------------|
// | writer     | commits                                 | nothing is to be committed            | something is, and no commit was done for a minute |
// | poller     | its loop goes round, and polls end      | collecting is stopped, for a reason   | the loop stands still for a minute, or polls are  |
// |            |                                         | that the status tells                 | under way and none ended for a quarter of an hour |
// | replicator | the hub acknowledges, or is connected   | nothing waits; there is no hub for it;| what was told is not dealt with for a minute; an  |
// |            | to                                      | the hub is away or does not answer    | attempt is overdue or does not end; records wait, |
// |            |                                         |                                       | and none is under way                             |
//
// What the world does to the agent (a hub that is away, a disk that is full, printers that are off) is never called stuck: to begin again would not
// help. A part that is stuck is our fault or the machine's, and the service's watchdog ends a process that has one. Times are by a clock that stands
// still while the machine sleeps: waking up is no fault.

package import Replicator

internal import Platform
internal import ReadModels

/// How one part moves.
package struct Progress: Equatable, Sendable {
  package typealias Moment = SuspendingClock.Instant

  package enum Part: String, CaseIterable, Sendable {
    case writer, poller, replicator
  }

  package enum Movement: String, Sendable {
    case moving
    /// There is nothing for it to do, or it waits for something that comes by itself.
    case idle
    case stuck
  }

  package let part: Part
  package let movement: Movement
  /// When it last moved, as far as that is known.
  package let moved: Moment
  /// What it does, or why it does nothing: without a full stop.
  package let reason: String
}

/// After what time something that does not move is stuck.
package enum ProgressLimits {
  /// A commit takes milliseconds, on a bad disk that others write to seconds; removing old records goes in steps of a second at most.
  package static let commit: Duration = .seconds(60)
  /// The loop goes round four times a second; a machine that has no time for it for a minute does nothing else either.
  package static let step: Duration = .seconds(60)
  /// A poll ends within three minutes (`PollMachine.timeMax`). One may ask a second device who it is, and wait its turn.
  package static let poll: Duration = .seconds(900)
  /// What hub and journal tell is dealt with at once, and may append a record, which the writer has a minute for.
  package static let deal: Duration = .seconds(120)
  /// A connection and a welcome take a minute and a half at most (`Replicator.welcomeMax`, `exchangeMax`).
  package static let attempt: Duration = .seconds(300)
  /// How long an attempt may be overdue.
  package static let overdue: Duration = .seconds(60)
  /// New records are read and sent within a second; a read of the journal may have to wait for the disk.
  package static let send: Duration = .seconds(120)
}

/// What is known of the three parts at one moment.
package struct ProgressFacts: Sendable {
  package struct Poller: Equatable, Sendable {
    /// When its loop last went round.
    package var stepped: Progress.Moment
    /// Polls under way, and since when the oldest of them is.
    package var polling: Int
    package var oldest: Progress.Moment?
    /// When a poll last ended.
    package var ended: Progress.Moment?

    package init(
      stepped: Progress.Moment, polling: Int = 0, oldest: Progress.Moment? = nil, ended: Progress.Moment? = nil
    ) {
      (self.stepped, self.polling, self.oldest, self.ended) = (stepped, polling, oldest, ended)
    }
  }

  package struct Writer: Equatable, Sendable {
    /// Since when something is to be committed and no commit was done; nil: there is nothing.
    package var busySince: Progress.Moment?
    package var committed: Progress.Moment?
    package var waiting: Int

    package init(busySince: Progress.Moment? = nil, committed: Progress.Moment? = nil, waiting: Int = 0) {
      (self.busySince, self.committed, self.waiting) = (busySince, committed, waiting)
    }
  }

  package struct Delivery: Sendable {
    package var state: DeliveryStatus.State
    /// When that state began.
    package var began: Progress.Moment
    /// When the hub last acknowledged anything.
    package var acknowledged: Progress.Moment?
    /// Records that the hub does not have, by the journal itself.
    package var lag: UInt64
    package var pulse: DeliveryPulse

    package init(
      state: DeliveryStatus.State, began: Progress.Moment, acknowledged: Progress.Moment? = nil, lag: UInt64 = 0,
      pulse: DeliveryPulse = DeliveryPulse()
    ) {
      (self.state, self.began, self.acknowledged, self.lag, self.pulse) = (state, began, acknowledged, lag, pulse)
    }
  }

  package var writer: Writer
  /// Nil while nothing is collected, which the status says why.
  package var poller: Poller?
  /// Nil before delivery has begun.
  package var delivery: Delivery?

  package init(writer: Writer = Writer(), poller: Poller? = nil, delivery: Delivery? = nil) {
    (self.writer, self.poller, self.delivery) = (writer, poller, delivery)
  }
}

/// Judges, and remembers what one moment does not tell.
package struct ProgressJudge: Sendable {
  private let began: Progress.Moment
  /// When nothing waited for delivery last.
  private var delivered: Progress.Moment

  package init(now: Progress.Moment) { (began, delivered) = (now, now) }

  /// One judgement for each part, in their order.
  package mutating func judge(_ facts: ProgressFacts, now: Progress.Moment) -> [Progress] {
    [writer(facts.writer, now), poller(facts.poller, now), replicator(facts.delivery, now)]
  }

  private func writer(_ facts: ProgressFacts.Writer, _ now: Progress.Moment) -> Progress {
    let moved = facts.committed ?? began
    guard let since = facts.busySince else { return Progress(.writer, .idle, moved, "nothing is to be written") }
    let stands = since.duration(to: now)
    guard stands > ProgressLimits.commit else { return Progress(.writer, .moving, moved, "writing") }
    return Progress(
      .writer, .stuck, moved,
      "the disk has not taken a commit for \(stands.spoken), and \(counted(facts.waiting, "request")) wait behind it")
  }

  private func poller(_ facts: ProgressFacts.Poller?, _ now: Progress.Moment) -> Progress {
    guard let facts else { return Progress(.poller, .idle, began, "nothing is collected") }
    let stands = facts.stepped.duration(to: now)
    guard stands <= ProgressLimits.step else {
      return Progress(.poller, .stuck, facts.stepped, "polling stands still for \(stands.spoken)")
    }
    guard facts.polling > 0, let oldest = facts.oldest else {
      return Progress(.poller, .moving, facts.stepped, "no poll is under way")
    }
    let moved = max(oldest, facts.ended ?? oldest)
    guard moved.duration(to: now) <= ProgressLimits.poll else {
      return Progress(
        .poller, .stuck, moved,
        "\(counted(facts.polling, "poll")) under way, and none has ended for \(moved.duration(to: now).spoken)")
    }
    return Progress(.poller, .moving, facts.stepped, "\(counted(facts.polling, "poll")) under way")
  }

  private mutating func replicator(_ facts: ProgressFacts.Delivery?, _ now: Progress.Moment) -> Progress {
    guard let facts else { return Progress(.replicator, .idle, began, "delivery has not begun") }
    let waiting = facts.lag - min(facts.lag, facts.pulse.withheld)
    if waiting == 0 { delivered = now }
    let moved = max(facts.began, facts.acknowledged ?? facts.began)
    if let since = facts.pulse.undealtSince, since.duration(to: now) > ProgressLimits.deal {
      return Progress(
        .replicator, .stuck, moved,
        "what the hub or the journal told is not dealt with for \(since.duration(to: now).spoken)")
    }
    switch facts.state {
    case .notEnrolled: return Progress(.replicator, .idle, moved, "there is no hub to deliver to")
    case .certificateExpired: return Progress(.replicator, .idle, moved, "the certificate has ended")
    case .connecting: return connecting(facts, moved, now)
    case .delivering: return delivering(facts, waiting, moved, now)
    case .checkedIn: return pausing(facts, "the next check-in is waited for", moved, now)
    case .waiting, .refused, .foreign:
      return pausing(facts, "the next attempt to reach the hub is waited for", moved, now)
    case .journalFull: return Progress(.replicator, .idle, moved, "the journal can take nothing")
    }
  }

  private func connecting(
    _ facts: ProgressFacts.Delivery, _ moved: Progress.Moment, _ now: Progress.Moment
  ) -> Progress {
    let takes = facts.began.duration(to: now)
    guard takes > ProgressLimits.attempt else { return Progress(.replicator, .moving, moved, "connecting to the hub") }
    return Progress(.replicator, .stuck, moved, "an attempt to reach the hub has not ended for \(takes.spoken)")
  }

  private func pausing(
    _ facts: ProgressFacts.Delivery, _ reason: String, _ moved: Progress.Moment, _ now: Progress.Moment
  ) -> Progress {
    let overdue = (facts.pulse.waitEnds ?? facts.began).duration(to: now)
    guard overdue > ProgressLimits.overdue else { return Progress(.replicator, .idle, moved, reason) }
    return Progress(.replicator, .stuck, moved, "\(reason), and is overdue by \(overdue.spoken)")
  }

  private func delivering(
    _ facts: ProgressFacts.Delivery, _ waiting: UInt64, _ moved: Progress.Moment, _ now: Progress.Moment
  ) -> Progress {
    guard waiting > 0 else { return Progress(.replicator, .idle, moved, "the hub has everything") }
    let stands = max(moved, delivered).duration(to: now)
    guard stands > ProgressLimits.send else { return Progress(.replicator, .moving, moved, "delivering") }
    let records = counted(Int64(clamping: waiting), "record")
    guard facts.pulse.unacknowledged == 0 else {
      return Progress(
        .replicator, .idle, moved, "\(records) wait for the hub, which has acknowledged nothing for \(stands.spoken)")
    }
    return Progress(
      .replicator, .stuck, moved, "\(records) wait, and none was sent for \(stands.spoken) though the hub is there")
  }
}

extension Progress {
  fileprivate init(_ part: Part, _ movement: Movement, _ moved: Moment, _ reason: String) {
    self.init(part: part, movement: movement, moved: moved, reason: reason)
  }
}
