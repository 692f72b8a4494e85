// `ptagent queue`: what waits for the hub, how fast it goes, and what the hub did not take. Pure: the journal's numbers, the status file's content
// and the time come in.

internal import Evidence
internal import FoundationEssentials
internal import Platform
internal import ReadModels

package struct QueueReport: Sendable {
  private let queue: QueueNumbers
  private let status: AgentStatus?
  private let isRunning: Bool
  private let isConfigured: Bool
  private let mode: String
  private let now: Int64

  /// - Parameters:
  ///   - status: what the agent wrote; nil: it never ran.
  ///   - presence: whether it runs.
  ///   - mode: of the configuration: what counts for an agent that does not run.
  ///   - now: milliseconds since 1970 UTC.
  package init(
    _ queue: QueueNumbers, status: AgentStatus?, presence: StatusReport.Presence, mode: String, isConfigured: Bool,
    now: Int64
  ) {
    self.queue = queue
    self.status = status
    isRunning = presence == .running
    self.mode = presence == .running ? status?.delivery.mode ?? mode : mode
    self.isConfigured = isConfigured
    self.now = now
  }

  private var delivery: AgentStatus.Delivery? { isRunning ? status?.delivery : nil }
  private var component: AgentStatus.Component? {
    isRunning ? status?.components.first { $0.name == ComponentName.delivery.rawValue } : nil
  }
  private var age: Duration? { queue.oldest.map { .milliseconds(max(0, now - $0)) } }

  /// For people.
  package var text: String {
    var lines = [
      "state       \(stateWords)", "mode        \(modeWords)", "head        \(queue.numbers.head)",
      "hub has     \(queue.numbers.acknowledged.map { "\($0)" } ?? "nothing yet")", "waiting     \(waitingWords)",
      "rate        \(rateWords)",
      "signed      \(queue.countersigned.map { "the hub has countersigned up to \($0)" } ?? "nothing countersigned by the hub yet")",
      "ahead       \(delivery?.expressSent.map { "\(counted($0, "record")) sent ahead of their turn" } ?? "-")",
      "lost        \(queue.lost.map { $0 == 0 ? "none" : counted($0, "record") } ?? "an unknown number of records")",
    ]
    guard !queue.troubles.isEmpty else { return (lines + ["not taken   none"]).joined(separator: "\n") + "\n" }
    var table = TextTable([.init("WHEN"), .init("WHAT"), .init("RECORD"), .init("REASON")])
    for trouble in queue.troubles {
      table.add([
        UTCTime.text(milliseconds: trouble.time), trouble.kind.rawValue, trouble.records, trouble.reason,
      ])
    }
    lines += ["", table.text]
    return lines.joined(separator: "\n")
  }

  private var stateWords: String {
    guard isRunning else {
      return isConfigured
        ? "the agent does not run; these are the journal's numbers" : "no hub is configured: nothing is delivered"
    }
    guard let component else { return "unknown" }
    let isSentence = component.message.last.map { ".?!".contains($0) } ?? true
    return component.message + (component.remedy.map { isSentence ? " \($0)" : ". \($0)" } ?? "")
  }

  private var modeWords: String {
    delivery?.nextCheckIn.map { "\(mode), next check-in \($0)" } ?? mode
  }

  private var waitingWords: String {
    guard queue.numbers.lag > 0 else { return "nothing" }
    let size = "\(counted(queue.numbers.lag, "record")), \(Self.bytes(queue.lagBytes))"
    return age.map { "\(size), the oldest since \($0.spoken)" } ?? size
  }

  /// In units of 1,000, with one digit behind the point.
  private static func bytes(_ count: UInt64) -> String {
    for (unit, size) in [("GB", 1_000_000_000), ("MB", 1_000_000), ("kB", 1_000)] as [(String, UInt64)]
    where count >= size {
      return "\(count / size).\(count % size * 10 / size) \(unit)"
    }
    return "\(count) B"
  }

  private var rateWords: String {
    guard let one = delivery?.rateOverOneMinute, let five = delivery?.rateOverFiveMinutes else { return "unknown" }
    return "\(one) records/s over the last minute, \(five) over five"
  }

  // MARK: For programs

  private struct Line: Encodable {
    struct Trouble: Encodable {
      let kind: String
      let time: String
      let records: String
      let reason: String
    }

    let isRunning: Bool
    let state: String?
    let message: String?
    let mode: String
    let nextCheckIn: String?
    let head: AgentStatus.Position
    let acknowledged: AgentStatus.Position?
    let lag: UInt64
    let lagBytes: UInt64
    let oldest: String?
    let oldestSeconds: Int64?
    let rateOverOneMinute: Double?
    let rateOverFiveMinutes: Double?
    let recordsSent: UInt64?
    let recordsAcknowledged: UInt64?
    let expressSent: UInt64?
    let countersigned: AgentStatus.Position?
    let lost: UInt64?
    let troubles: [Trouble]
  }

  private var line: Line {
    func position(_ position: RecordPosition) -> AgentStatus.Position {
      AgentStatus.Position(epoch: position.epoch, sequence: position.sequence)
    }
    return Line(
      isRunning: isRunning, state: component?.state.rawValue, message: component?.message, mode: mode,
      nextCheckIn: delivery?.nextCheckIn, head: position(queue.numbers.head),
      acknowledged: queue.numbers.acknowledged.map(position), lag: queue.numbers.lag, lagBytes: queue.lagBytes,
      oldest: queue.oldest.map { UTCTime.text(milliseconds: $0) }, oldestSeconds: age.map { $0.milliseconds / 1000 },
      rateOverOneMinute: delivery?.rateOverOneMinute, rateOverFiveMinutes: delivery?.rateOverFiveMinutes,
      recordsSent: delivery?.recordsSent, recordsAcknowledged: delivery?.recordsAcknowledged,
      expressSent: delivery?.expressSent, countersigned: queue.countersigned.map(position), lost: queue.lost,
      troubles: queue.troubles.map {
        Line.Trouble(
          kind: $0.kind.rawValue, time: UTCTime.text(milliseconds: $0.time), records: $0.records, reason: $0.reason)
      })
  }

  /// One JSON object; what is not known is left out.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(line), as: UTF8.self) + "\n"
  }

  /// A line of names and a line of values, which are empty where they are not known; positions are `epoch/sequence`.
  package var csv: String {
    func text(_ value: (some LosslessStringConvertible)?) -> String { value.map { "\($0)" } ?? "" }
    let line = line
    let cells: [(String, String)] = [
      ("isRunning", "\(line.isRunning)"), ("state", text(line.state)), ("message", text(line.message)),
      ("mode", line.mode), ("nextCheckIn", text(line.nextCheckIn)), ("head", "\(queue.numbers.head)"),
      ("acknowledged", queue.numbers.acknowledged.map { "\($0)" } ?? ""), ("lag", "\(line.lag)"),
      ("lagBytes", "\(line.lagBytes)"), ("oldest", text(line.oldest)), ("oldestSeconds", text(line.oldestSeconds)),
      ("rateOverOneMinute", text(line.rateOverOneMinute)), ("rateOverFiveMinutes", text(line.rateOverFiveMinutes)),
      ("recordsSent", text(line.recordsSent)), ("recordsAcknowledged", text(line.recordsAcknowledged)),
      ("expressSent", text(line.expressSent)), ("countersigned", queue.countersigned.map { "\($0)" } ?? ""),
      ("lost", text(line.lost)), ("troubles", "\(line.troubles.count)"),
    ]
    return CSVLine.text(cells.map(\.0)) + "\r\n" + CSVLine.text(cells.map(\.1)) + "\r\n"
  }
}
