// What the hub wanted done and what came of it, from the journal alone: for `ptagent jobs`, with an agent and without one.

internal import Events
package import Journal
internal import PrinterModel
internal import ReadModels

package struct JobHistory: Sendable {
  struct Entry: Sendable, Equatable {
    let id: JobID
    var what = ""
    /// `received`, `started`, and how it ended.
    var state = ""
    /// Milliseconds since 1970 UTC, by this machine's clock.
    var received: Int64?
    var started: Int64?
    var ended: Int64?
    var result = ""
  }

  /// In the order in which they came.
  let entries: [Entry]

  /// Goes through the journal.
  /// - Parameter jobsMax: the newest so many.
  /// - Throws: `JournalError`.
  package init(_ reader: JournalReader, jobsMax: Int) throws {
    var entries: [JobID: Entry] = [:]
    var order: [JobID] = []
    try reader.scan(from: try FleetBase(reader).first) { view in
      guard let type = (try? EventHeader(view.payload))?.type, EventType.isOfJob(type),
        let event = try? Event(payload: view.payload), let id = event.body.jobID
      else { return true }
      if entries[id] == nil {
        order.append(id)
        if order.count > jobsMax { entries[order.removeFirst()] = nil }
      }
      entries[id, default: Entry(id: id)].apply(event)
      return true
    }
    self.entries = order.compactMap { entries[$0] }
  }
}

extension JobHistory.Entry {
  fileprivate mutating func apply(_ event: Event) {
    switch event.body {
    case .jobReceived(let body):
      (what, state, received) = (Self.what(body.order.summary, body.order.visit), "received", event.time)
    case .jobStarted: (state, started) = ("started", event.time)
    case .jobCompleted(let body): end("completed", body.result, event.time)
    case .jobFailed(let body): end("failed", "\(body.reason): \(body.message)", event.time)
    case .jobExpired(let body): end("expired", body.hadStarted ? "It had begun." : "It had not begun.", event.time)
    case .jobRefused(let body):
      if what.isEmpty {
        what = Self.what(([body.kind] + (body.device.map { [$0.short] } ?? [])).joined(separator: " "), body.visit)
      }
      end("refused", "\(body.reason): \(body.message)", event.time)
    default: break
    }
  }

  /// With who wants it, where somebody wants to see a device's own pages.
  private static func what(_ summary: String, _ visit: JobOrder.Visit?) -> String {
    visit.map { "\(summary) for \($0.summary)" } ?? summary
  }

  private mutating func end(_ state: String, _ result: String, _ time: Int64) {
    (self.state, self.result, ended) = (state, result, time)
  }
}

extension EventBody {
  fileprivate var jobID: JobID? {
    switch self {
    case .jobReceived(let event): event.id
    case .jobStarted(let event): event.id
    case .jobCompleted(let event): event.id
    case .jobFailed(let event): event.id
    case .jobExpired(let event): event.id
    case .jobRefused(let event): event.id
    default: nil
    }
  }
}

// MARK: - Shown

extension JobHistory {
  package var text: String {
    guard !entries.isEmpty else { return "The hub has not wanted anything done.\n" }
    var table = TextTable([
      .init("JOB"), .init("WHAT"), .init("STATE"), .init("RECEIVED"), .init("ENDED"), .init("RESULT"),
    ])
    for entry in entries {
      table.add([
        entry.id.description, entry.what, entry.state, Self.time(entry.received) ?? "-", Self.time(entry.ended) ?? "-",
        entry.result.isEmpty ? "-" : entry.result,
      ])
    }
    return table.text
  }

  package var csv: String {
    let lines = entries.map { entry in
      CSVLine.text([
        entry.id.description, entry.what, entry.state, Self.time(entry.received) ?? "", Self.time(entry.started) ?? "",
        Self.time(entry.ended) ?? "", entry.result,
      ])
    }
    return (["id,what,state,received,started,ended,result"] + lines).joined(separator: "\r\n") + "\r\n"
  }

  package func json() throws -> [UInt8] {
    var json = JSONWriter()
    json.array(entries) { json, entry in
      json.object { json in
        json.member("id", entry.id.description)
        json.member("what", entry.what)
        json.member("state", entry.state)
        json.member("received", Self.time(entry.received))
        json.member("started", Self.time(entry.started))
        json.member("ended", Self.time(entry.ended))
        json.member("result", entry.result)
      }
    }
    return json.bytes + [0x0a]
  }

  private static func time(_ milliseconds: Int64?) -> String? { milliseconds.map { UTCTime.text(milliseconds: $0) } }
}
