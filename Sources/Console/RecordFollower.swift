// Watches the journal grow, for pages that are open: says which device a record is about, and keeps the rows of the list fresh.
//
// At most `eventsMax` events of a kind a second; then one says how many more there were. What nobody listens to is not told, but rows are.

internal import Events
internal import Evidence
internal import Journal
internal import PrinterModel
internal import Projections
internal import ReadModels
internal import WebServing

struct RecordFollower: Sendable {
  private static let eventsMax = 20
  private static let look: Duration = .milliseconds(250)
  /// A journal that cannot be read is looked at again this often.
  private static let retry: Duration = .seconds(5)
  /// Records of one look; a page is no place to watch more.
  private static let recordsMax = 2_000

  let agent: any ConsoleAgent
  let rows: DeviceRows
  let feed: EventFeed

  /// Until it is cancelled.
  func run() async throws {
    var last: RecordPosition?
    while true {
      do {
        var position = RecordPosition.start
        if let last { position = last } else { position = try agent.reader.head() }
        last = try follow(after: position)
        try await Task.sleep(for: Self.look)
      } catch let error as JournalError {
        if error.isRemoval { last = nil }
        rows.changedAll()
        try await Task.sleep(for: Self.retry)
      }
    }
  }

  /// - Returns: the last record that was looked at.
  private func follow(after start: RecordPosition) throws -> RecordPosition {
    let head = try agent.reader.head()
    guard head > start else { return start }
    var last = start
    var told = Counted()
    var left = Self.recordsMax
    let first = RecordPosition(epoch: start.epoch, sequence: start.sequence + 1)
    try agent.reader.scan(from: start == .start ? .start : first, through: head) { view in
      last = view.position
      guard left > 0 else {
        rows.changedAll()
        feed.publish("reset", .object([]))
        last = head
        return false
      }
      left -= 1
      guard let header = try? EventHeader(view.payload) else { return true }
      if let device = header.device { rows.changed(device) }
      if feed.hasListeners { tell(view, header, &told) }
      return true
    }
    if told.devices > Self.eventsMax {
      feed.publish("device", .object([("id", .null), ("more", .integer(Int64(told.devices - Self.eventsMax)))]))
    }
    if told.records > Self.eventsMax {
      feed.publish(
        "record",
        .object([("position", .string(last.description)), ("more", .integer(Int64(told.records - Self.eventsMax)))]))
    }
    return last
  }

  private struct Counted {
    var records = 0
    var devices = 0
  }

  private func tell(_ view: RecordView, _ header: EventHeader, _ told: inout Counted) {
    let name = EventType.name(header.type)
    let time = WebJSON.string(UTCTime.text(milliseconds: header.time))
    told.records += 1
    if told.records <= Self.eventsMax {
      feed.publish(
        "record",
        .object([
          ("position", .string(view.position.description)), ("type", .string(name)),
          ("device", WebJSON(header.device?.description)), ("time", time),
        ]))
    }
    if let device = header.device, header.type != EventType.readingUnchanged {
      told.devices += 1
      if told.devices <= Self.eventsMax {
        feed.publish(
          "device",
          .object([
            ("id", .string(device.description)), ("type", .string(name)), ("time", time),
            ("state", WebJSON(agent.fleet.devices[device]?.condition)),
          ]))
      }
    }
    guard EventType.isOfJob(header.type) || Self.alerts.contains(header.type),
      let event = try? Event(payload: view.payload)
    else { return }
    tellAlert(event, time)
    tellJob(event)
  }

  private static let alerts: Set<UInt16> = [EventType.alertRaised, EventType.alertUpdated, EventType.alertCleared]

  private func tellAlert(_ event: Event, _ time: WebJSON) {
    let (key, change, raised): (AlertKey, String, AlertRaised?)
    switch event.body {
    case .alertRaised(let body): (key, change, raised) = (body.key, "raised", body)
    case .alertUpdated(let body):
      (key, change, raised) = (body.key, "updated", AlertRaised(key: body.key, alert: body.alert))
    case .alertCleared(let body): (key, change, raised) = (body.key, "cleared", nil)
    default: return
    }
    feed.publish(
      "alert",
      .object([
        ("device", WebJSON(event.device?.description)), ("key", .string(key.description)), ("change", .string(change)),
        ("severity", WebJSON(raised.map { AlertWords.severity($0.alert.severity) })),
        ("description", WebJSON(raised.map(AlertWords.description))), ("time", time),
      ]))
  }

  private func tellJob(_ event: Event) {
    let (id, state, kind): (JobID, String, String?)
    switch event.body {
    case .jobReceived(let body): (id, state, kind) = (body.id, "received", body.order.kind)
    case .jobStarted(let body): (id, state, kind) = (body.id, "started", nil)
    case .jobCompleted(let body): (id, state, kind) = (body.id, "completed", nil)
    case .jobFailed(let body): (id, state, kind) = (body.id, "failed", nil)
    case .jobExpired(let body): (id, state, kind) = (body.id, "expired", nil)
    case .jobRefused(let body): (id, state, kind) = (body.id, "refused", body.kind)
    default: return
    }
    feed.publish("job", .object([("id", .string(id.description)), ("state", .string(state)), ("kind", WebJSON(kind))]))
  }
}
