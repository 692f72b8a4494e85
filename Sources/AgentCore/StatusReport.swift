// `ptagent status`: one screen, each part with its state, since when, and what to do. Pure: the file's content and the time come in.

internal import Platform
internal import ReadModels

/// What a look from outside finds.
package struct StatusReport: Sendable {
  /// An agent writes at least every ten seconds; one that has not for so long does not move any more.
  static let staleAfter: Duration = .seconds(35)

  package enum Presence: String, Sendable {
    case running, stopped
    /// The process is there and does not move.
    case hanging
    /// It never ran with this state directory.
    case never
  }

  package let presence: Presence
  package let status: AgentStatus?
  /// From the journal itself; nil when there is none.
  package let journal: JournalNumbers?
  /// Why the journal cannot be read, with what to do about it; nil: it can, or there is none.
  package let journalTrouble: String?
  /// The process that writes the journal and is not the agent that the status is about; nil: none does.
  package let otherWriter: Int32?
  private let now: Int64

  /// - Parameters:
  ///   - writer: the process that the journal's lock names; nil: nobody ever wrote it.
  ///   - isRunning: whether the process exists, and is an agent.
  ///   - now: milliseconds since 1970 UTC.
  package init(
    status: AgentStatus?, journal: JournalNumbers?, journalTrouble: String? = nil, writer: Int32? = nil,
    isRunning: (Int32) -> Bool, now: Int64
  ) {
    self.status = status
    self.journal = journal
    self.journalTrouble = journalTrouble
    otherWriter = writer.flatMap { $0 != status?.process && isRunning($0) ? $0 : nil }
    self.now = now
    guard let status else {
      presence = .never
      return
    }
    let age = now - status.writtenMilliseconds
    presence = !isRunning(status.process) ? .stopped : age > Self.staleAfter.milliseconds ? .hanging : .running
  }

  /// 0: runs, nothing failed. 1: runs, and something failed or it hangs. 69: does not run. 74: does not run, and the journal is damaged.
  package var exitCode: Int32 {
    if journalTrouble != nil, presence != .running { return AgentFailure.Code.inputOutput.rawValue }
    return switch presence {
    case .running: status?.condition == .failed || journalTrouble != nil ? 1 : 0
    case .hanging: 1
    case .stopped, .never: AgentFailure.Code.unavailable.rawValue
    }
  }

  /// For people.
  package var text: String {
    var lines = [headline]
    if let install = status?.install {
      let validity = Self.validity(days: install.certificateDaysLeft)
      lines.append("install    \(install.id) of \(install.entity), certificate \(validity)")
    }
    if let journal {
      let acknowledged = journal.acknowledged.map { "acknowledged to \($0)" } ?? "nothing acknowledged yet"
      lines.append("journal    head \(journal.head), \(acknowledged), \(counted(journal.lag, "record")) to deliver")
    }
    if let journalTrouble { lines.append("journal    \(journalTrouble)") }
    if let otherWriter {
      lines.append(
        "journal    is in use by the process \(otherWriter), which is not the agent of this state directory: two agents cannot write one journal. "
          + "Stop one of them, or give it a journal.directory of its own.")
    }
    if let devices = status?.devices, !devices.isEmpty {
      lines.append(
        "devices    " + devices.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }.joined(separator: ", "))
    }
    if presence == .running, let sweep = status?.sweep, sweep.isRunning {
      lines.append("sweep      \(sweep.done) of \(sweep.total) addresses, \(sweep.found) found, \(Int(sweep.rate))/s")
    }
    if presence == .running, let sweep = status?.lastSweep {
      let outcomes = sweep.outcomes.filter { $0.value > 0 }.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
      lines.append(
        "last sweep \(sweep.completed): \(outcomes.isEmpty ? "no address" : outcomes.joined(separator: ", "))")
    }
    if presence == .running, let remote = status?.remote {
      lines.append("remote     switched on, \(counted(remote.sessions, "session")) open")
    }
    guard let components = status?.components, presence == .running || presence == .hanging else {
      return lines.joined(separator: "\n") + "\n"
    }
    var table = TextTable([.init("PART"), .init("STATE"), .init("SINCE"), .init("WHAT")])
    for part in components { table.add([part.name, part.state.rawValue, part.since, part.message]) }
    lines += ["", table.text]
    for part in components { if let remedy = part.remedy { lines.append("\(part.name): \(remedy)") } }
    while lines.last?.hasSuffix("\n") == true { lines[lines.count - 1].removeLast() }
    return lines.joined(separator: "\n") + "\n"
  }

  /// `good for 80 days`, `expires today`, `expired 1 day ago`.
  private static func validity(days: Int64) -> String {
    let count = "\(days.magnitude) \(days.magnitude == 1 ? "day" : "days")"
    return days > 0 ? "good for \(count)" : days == 0 ? "expires today" : "expired \(count) ago"
  }

  /// In whole seconds: the status is written once a second at most.
  private func age(of status: AgentStatus) -> String {
    let seconds = max(0, now - status.writtenMilliseconds) / 1000
    return seconds == 0 ? "less than a second" : Duration.seconds(seconds).spoken
  }

  private var headline: String {
    guard let status else { return "The agent has not run with this configuration yet. Start it: ptagent run" }
    let age = age(of: status)
    switch presence {
    case .running:
      return
        "ptagent \(status.version) runs as process \(status.process) since \(status.started): \(status.condition.rawValue)"
    case .hanging:
      return "ptagent \(status.version) runs as process \(status.process), but has not moved for \(age). Restart it."
    case .stopped, .never: return "ptagent does not run; it was last seen \(age) ago. Start it: ptagent run"
    }
  }

  /// One JSON object: `presence`, the journal's numbers as they are now, and `status` as the agent wrote it.
  package func json() throws -> String {
    var json = JSONWriter()
    let written = try status?.json()
    json.object { json in
      json.member("presence", presence.rawValue)
      if let journal {
        json.key("journal")
        json.object { json in
          json.key("head")
          json.position(journal.head)
          if let acknowledged = journal.acknowledged {
            json.key("acknowledged")
            json.position(acknowledged)
          }
          json.member("lag", journal.lag)
        }
      }
      if let journalTrouble { json.member("journalTrouble", journalTrouble) }
      if let otherWriter { json.member("otherWriter", Int64(otherWriter)) }
      json.key("status")
      if let written { json.raw(written.dropLast()) } else { json.null() }
    }
    return String(decoding: json.take(), as: UTF8.self) + "\n"
  }
}
