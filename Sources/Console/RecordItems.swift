// Records as lists show them, looked for from the newest backwards, in steps: a journal is read forward, and the newest records are what people look at.

internal import Events
internal import Evidence
internal import Journal
internal import MIB
internal import OpenSSL
internal import PrinterModel
internal import ReadModels
internal import WebServing

struct RecordFilter: Sendable {
  var device: DeviceID?
  /// Nil: all but those that say that all was as before, where `hidesUnchanged`.
  var type: UInt16?
  var hidesUnchanged = false

  var isOpen: Bool { device == nil && type == nil && !hidesUnchanged }

  func wants(_ payload: UnsafeRawBufferPointer) -> Bool {
    if isOpen { return true }
    guard let header = try? EventHeader(payload) else { return false }
    if let device, header.device != device { return false }
    if let type { return header.type == type }
    return !hidesUnchanged || header.type != EventType.readingUnchanged
  }
}

/// One record of a list.
struct RecordItem: Sendable {
  let position: RecordPosition
  let json: [UInt8]
}

struct RecordPage: Sendable {
  var items: [RecordItem] = []
  /// Where the next page begins: `before` it, or `after` it.
  var next: RecordPosition?
  var isComplete = false
}

struct RecordLister {
  /// Looked through for one page, so that an answer is quick and the next one goes on.
  static let lookedMax: UInt64 = 100_000
  private static let stepMax: UInt64 = 10_000

  let reader: JournalReader
  let filter: RecordFilter
  let limit: Int
  let form: RecordForm
  let isWanted: () -> Bool

  /// The newest before a position, the newest first.
  func backwards(before end: RecordPosition) throws -> RecordPage {
    var page = RecordPage()
    var looked: UInt64 = 0
    for epoch in try reader.epochs().reversed() where epoch.number <= end.epoch {
      let first = try reader.base(epoch: epoch.number).size + 1
      let size = try reader.frontier(epoch: epoch.number).size
      var last = epoch.number == end.epoch ? min(size, end.sequence &- 1) : size
      if epoch.number == end.epoch, end.sequence == 0 { last = 0 }
      while last >= first, last > 0 {
        guard isWanted() else { throw CancellationError() }
        let step = filter.isOpen ? UInt64(limit - page.items.count) : Self.stepMax
        let begin = max(first, last - min(last - 1, step - 1))
        page.items += try items(epoch.number, begin...last).reversed()
        looked += last - begin + 1
        if page.items.count >= limit {
          page.items.removeLast(page.items.count - limit)
          page.next = page.items.last?.position
          return page
        }
        guard looked < Self.lookedMax else {
          page.next = RecordPosition(epoch: epoch.number, sequence: begin)
          return page
        }
        last = begin - 1
      }
    }
    page.isComplete = true
    return page
  }

  /// Those after a position, the oldest first.
  func forwards(after start: RecordPosition) throws -> RecordPage {
    var page = RecordPage()
    var looked: UInt64 = 0
    var last = start
    let first = start == .start ? start : RecordPosition(epoch: start.epoch, sequence: start.sequence + 1)
    page.isComplete = true
    try reader.scan(from: first) { view in
      guard isWanted() else { throw CancellationError() }
      guard page.items.count < limit, looked < Self.lookedMax else {
        page.isComplete = false
        return false
      }
      looked += 1
      last = view.position
      if filter.wants(view.payload) { page.items.append(form.item(view)) }
      return true
    }
    page.next = last
    return page
  }

  private func items(_ epoch: UInt32, _ range: ClosedRange<UInt64>) throws -> [RecordItem] {
    var items: [RecordItem] = []
    try reader.scan(
      from: RecordPosition(epoch: epoch, sequence: range.lowerBound),
      through: RecordPosition(epoch: epoch, sequence: range.upperBound)
    ) { view in
      if filter.wants(view.payload) { items.append(form.item(view)) }
      return true
    }
    return items
  }
}

/// How a record is shown.
struct RecordForm: Sendable {
  /// The delivery's cursor; nil: nothing was acknowledged.
  let acknowledged: RecordPosition?
  let isShipping: Bool
  /// A device's timeline shows what happened, not how it is stored.
  var isTimeline = false

  static let cursorName = "dcam"

  init(_ reader: JournalReader, isShipping: Bool) throws {
    acknowledged = try reader.cursor(Self.cursorName)
    self.isShipping = isShipping
  }

  func state(_ position: RecordPosition) -> String {
    if let acknowledged, position <= acknowledged { return "acknowledged" }
    return isShipping ? "waiting" : "local"
  }

  func item(_ view: RecordView) -> RecordItem {
    let event = try? Event(payload: view.payload)
    var json = JSONWriter()
    json.object { json in
      json.member("position", view.position.description)
      if isTimeline { timeline(view, event, &json) } else { members(view, event, &json) }
    }
    return RecordItem(position: view.position, json: json.take())
  }

  func members(_ view: RecordView, _ event: Event?, _ json: inout JSONWriter) {
    json.nullable("time", event.map { UTCTime.text(milliseconds: $0.time) })
    json.member("recorded", UTCTime.text(nanoseconds: view.time))
    json.member("type", event.map { EventType.name($0.body.type) } ?? "Unreadable")
    json.nullable("device", event?.device?.description)
    json.member("bytes", view.payload.count)
    json.member("leafHash", view.leafHash.hex)
    json.member("state", state(view.position))
    json.member("summary", event.map { EventLine.summary($0.body).replacingControls } ?? "This release cannot read it.")
  }

  private func timeline(_ view: RecordView, _ event: Event?, _ json: inout JSONWriter) {
    json.member("time", event.map { UTCTime.text(milliseconds: $0.time) } ?? UTCTime.text(nanoseconds: view.time))
    json.member("type", event.map { EventType.name($0.body.type) } ?? "Unreadable")
    json.member("summary", event.map { EventLine.summary($0.body).replacingControls } ?? "This release cannot read it.")
    json.key("body")
    if let event { json.body(event.body.withoutObjects) } else { json.null() }
  }
}

extension EventBody {
  /// Without the raw objects, which are many, and are looked at by themselves.
  var withoutObjects: EventBody {
    switch self {
    case .readingTaken(var taken):
      taken.raw = .init()
      return .readingTaken(taken)
    case .readingChanged(var changed):
      (changed.raw, changed.removed) = ([], [])
      return .readingChanged(changed)
    default: return self
    }
  }
}
