// The journal: what it is, its records, whether it is sound, and an export of it.

internal import Events
internal import Evidence
internal import FoundationEssentials
internal import Journal
internal import OpenSSL
internal import Platform
internal import PrinterModel
internal import ReadModels
internal import Synchronization
internal import WebServing

struct JournalRoutes: Sendable {
  let agent: any ConsoleAgent
  let work: HeavyWork
  let verification: Verification
  let exports: Exports

  private var reader: JournalReader { agent.reader }

  func about() async throws -> WebAnswer {
    let (agent, reader) = (agent, reader)
    return try await work.run { _ in
      let statistics = try reader.statistics()
      let epochs = try reader.epochs()
      let countersigned = try reader.lastCountersigned()
      var json = JSONWriter()
      try json.object { json in
        for (name, value) in agent.journalSettings() { json.member(named: name, value) }
        json.member("id", reader.identity.hexID)
        json.nullable("key", (try? reader.identity.verifier())?.description)
        json.key("head")
        json.position(statistics.head)
        json.key("acknowledged")
        if let cursor = try reader.cursor(RecordForm.cursorName) { json.position(cursor) } else { json.null() }
        json.key("epochs")
        try json.array(epochs) { json, epoch in
          let size = try reader.frontier(epoch: epoch.number).size
          let base = try reader.base(epoch: epoch.number).size
          let lost = try reader.lost(epoch: epoch.number)
          json.object { json in
            json.member("number", epoch.number)
            json.member("first", epoch.firstSequence)
            json.member("size", size)
            json.member("removedThrough", base)
            json.key("lost")
            json.array(lost) { json, range in
              json.object { json in
                json.member("first", range.first)
                json.nullable("last", range.last)
              }
            }
          }
        }
        json.key("checkpoint")
        json.checkpoint(statistics.checkpoint)
        json.key("countersigned")
        if let countersigned {
          json.position(RecordPosition(epoch: countersigned.epoch, sequence: countersigned.size))
        } else {
          json.null()
        }
        json.member("bytes", statistics.usedBytes)
      }
      return .json(json.take())
    }
  }

  // MARK: Records

  func records(_ query: Query) async throws -> WebAnswer {
    try query.expect(["limit", "before", "after", "device", "type"])
    let limit = try query.number("limit", in: 1...500, default: 50)
    let (before, after) = (try Self.position(query, "before"), try Self.position(query, "after"))
    guard before == nil || after == nil else {
      throw WebError.badValue("after", "Give \"before\" or \"after\", not both.")
    }
    var filter = RecordFilter()
    filter.device = try Self.device(query)
    filter.type = try Self.type(query)
    let (reader, isShipping, wanted) = (reader, agent.isShipping, filter)
    return try await work.run { isWanted in
      let lister = RecordLister(
        reader: reader, filter: wanted, limit: limit, form: try RecordForm(reader, isShipping: isShipping),
        isWanted: isWanted)
      let page = try after.map { try lister.forwards(after: $0) } ?? lister.backwards(before: before ?? .end)
      return Self.answer(page, head: try reader.head())
    }
  }

  static func answer(_ page: RecordPage, head: RecordPosition?) -> WebAnswer {
    var json = JSONWriter()
    json.object { json in
      json.key("items")
      json.array(page.items) { $0.raw($1.json) }
      json.nullable("next", page.isComplete && head == nil ? nil : page.next?.description)
      if let head { json.member("head", head.description) }
      json.key("complete")
      json.bool(page.isComplete)
    }
    return .json(json.take())
  }

  static func position(_ query: Query, _ name: String) throws(WebError) -> RecordPosition? {
    guard let text = try query.text(name, bytesMax: 64) else { return nil }
    guard let position = RecordPosition(text) else {
      throw .badValue(name, "\"\(name)\" is no record; give epoch/sequence, such as 1/4711.")
    }
    return position
  }

  static func device(_ query: Query) throws(WebError) -> DeviceID? {
    guard let text = try query.text("device", bytesMax: 64) else { return nil }
    guard let id = DeviceID(hex: text) else {
      throw .badValue("device", "\"device\" is no id; give 32 hexadecimal digits.")
    }
    return id
  }

  static func type(named text: String) throws(WebError) -> UInt16 {
    guard let type = EventType.names.first(where: { $0.value.lowercased() == text.lowercased() })?.key else {
      throw .badValue(
        "type",
        "There is no type \"\(text.prefix(40))\"; give one of \(EventType.names.values.sorted().joined(separator: ", "))."
      )
    }
    return type
  }

  private static func type(_ query: Query) throws(WebError) -> UInt16? {
    try query.text("type", bytesMax: 64).map { (text) throws(WebError) in try type(named: text) }
  }

  /// - Parameter isOutgoing: whether what goes to the hub is shown besides.
  func record(_ epoch: String, _ sequence: String, isOutgoing: Bool) async throws -> WebAnswer {
    guard let position = RecordPosition("\(epoch)/\(sequence)") else {
      throw WebError(404, "unknown_record", "There is no such record; name it as epoch/sequence.")
    }
    let (reader, isShipping) = (reader, agent.isShipping)
    return try await work.run { _ in
      try reader.expectRecord(position)
      let form = try RecordForm(reader, isShipping: isShipping)
      let covering = try reader.checkpoint(covering: position)
      var answer: WebAnswer?
      try reader.scan(from: position, through: position, limit: 1) { view in
        let event = try? Event(payload: view.payload)
        var json = JSONWriter()
        json.object { json in
          json.member("position", position.description)
          form.members(view, event, &json)
          json.key(isOutgoing ? "decoded" : "body")
          if let event { json.body(event.body) } else { json.null() }
          if isOutgoing {
            json.key("message")
            json.object { json in
              json.member("bytes", view.payload.count)
              json.key("payload")
              json.base64(view.payload)
            }
          } else {
            json.key("payload")
            json.base64(view.payload)
          }
          json.key("intact")
          json.bool(view.isSound)
          json.key("checkpoint")
          json.checkpoint(covering)
        }
        answer = .json(json.take())
        return false
      }
      guard let answer else { throw WebError(404, "unknown_record", "Record \(position) is not there.") }
      return answer
    }
  }

  // MARK: Export

  func export(_ query: Query) async throws -> WebAnswer {
    try query.expect(["format", "from", "to", "device"], repeatable: ["type"])
    var options = ExportOptions()
    if let text = try query.text("format", bytesMax: 20) {
      guard let format = ExportOptions.Format(rawValue: text) else {
        throw WebError.badValue("format", "\"format\" is \"\(text)\"; give jsonl or csv.")
      }
      options.format = format
    }
    options.from = try Self.point(query, "from")
    options.to = try Self.point(query, "to") ?? .head
    options.device = try Self.device(query)
    for name in query.all("type") { options.types.insert(try Self.type(named: name)) }
    return try await exports.make(reader, options, work)
  }

  private static func point(_ query: Query, _ name: String) throws(WebError) -> JournalPoint? {
    guard let text = try query.text(name, bytesMax: 64) else { return nil }
    guard let point = JournalPoint(text) else {
      throw .badValue(
        name, "\"\(name)\" is neither a record nor a time; give epoch/sequence, or RFC 3339 such as 2026-11-23T09:15Z.")
    }
    return point
  }
}

extension JSONWriter {
  mutating func checkpoint(_ checkpoint: StoredCheckpoint?) {
    guard let checkpoint else { return null() }
    object { json in
      json.member("epoch", checkpoint.epoch)
      json.member("size", checkpoint.size)
      json.key("countersigners")
      json.array(checkpoint.countersigners) { $0.string($1) }
    }
  }
}

/// The verification of the whole journal, of which one goes on at a time.
final class Verification: Sendable {
  private static let findingsMax = 100

  private struct State {
    var name = "none"
    var started: Int64?
    var ended: Int64?
    var records: UInt64 = 0
    var total: UInt64 = 0
    var findings: [String] = []
    var isSound: Bool?
    var message: String?
  }

  private let state = Mutex(State())
  private let feed: EventFeed

  init(_ feed: EventFeed) { self.feed = feed }

  var json: WebJSON {
    let state = state.withLock { $0 }
    let percent = state.total == 0 ? 0 : min(100, state.records * 100 / state.total)
    return .object([
      ("state", .string(state.name)), ("started", WebJSON(state.started.map(UTCTimeText.at))),
      ("ended", WebJSON(state.ended.map(UTCTimeText.at))), ("records", WebJSON(state.records)),
      ("total", WebJSON(state.total)),
      ("percent", .integer(Int64(percent))), ("findings", .array(state.findings.map { .string($0) })),
      ("sound", state.isSound.map { .bool($0) } ?? .null), ("message", WebJSON(state.message)),
    ])
  }

  /// Begins one and returns at once.
  /// - Throws: `WebError` 409 while another goes on.
  func begin(_ reader: JournalReader, _ work: HeavyWork) throws {
    var total: UInt64 = 0
    for epoch in try reader.epochs() {
      total += try reader.frontier(epoch: epoch.number).size - reader.base(epoch: epoch.number).size
    }
    let isFree = state.withLock { state in
      guard state.name != "running" else { return false }
      state = State(name: "running", started: Machine.milliseconds, total: total)
      return true
    }
    guard isFree else { throw WebError(409, "busy", "A verification goes on already.") }
    // It outlives the request that began it; nothing waits for it but who asks how far it is.
    Task { [self] in
      do {
        let report = try await work.run { _ in
          let told = ToldTime()
          return try JournalVerifier(reader) { records in
            self.state.withLock { $0.records = records }
            if told.isDue() { self.tell() }
          }.verify()
        }
        end { state in
          state.name = "done"
          state.records = report.records
          state.isSound = report.isSound
          state.findings = report.findings.prefix(Self.findingsMax).map(\.description)
        }
      } catch {
        end { state in
          state.name = "failed"
          state.message = "\(error)"
        }
      }
    }
  }

  private func end(_ change: (inout State) -> Void) {
    state.withLock { state in
      change(&state)
      state.ended = Machine.milliseconds
    }
    tell()
  }

  private func tell() { feed.publish("verify", json) }

  /// Twice a second.
  private final class ToldTime {
    private var last = ContinuousClock.now
    func isDue() -> Bool {
      guard last.duration(to: .now) >= .milliseconds(500) else { return false }
      last = .now
      return true
    }
  }
}

/// Exports to download: made in a directory of their own, sent as one tar file, and removed.
final class Exports: Sendable {
  /// Read and sent at once.
  private static let pieceBytes = 256 << 10

  private let directory: String
  private let isBusy = Mutex(false)

  /// - Parameter directory: where they are made; what an earlier run left there is removed.
  init(directory: String) {
    self.directory = directory
    try? FileManager.default.removeItem(atPath: directory)
  }

  /// - Throws: `WebError` 409 while another is made or sent; what exporting throws.
  func make(_ reader: JournalReader, _ options: ExportOptions, _ work: HeavyWork) async throws -> WebAnswer {
    let isFree = isBusy.withLock { busy in
      defer { busy = true }
      return !busy
    }
    guard isFree else {
      throw WebError(409, "busy", "Another export is being made or fetched. Try again when it is done.")
    }
    let place = Place(directory) { [weak self] in self?.isBusy.withLock { $0 = false } }
    let stamp = UTCTimeText.at(Machine.milliseconds).filter { $0.isNumber }.prefix(14)
    let name = "printtrail-export-\(reader.identity.hexID.prefix(8))-\(stamp)"
    let files = try await work.run { _ in
      try Files.makeDirectory(place.directory, mode: 0o700)
      let summary = try Export(reader, options).write(into: place.directory + "/" + name, signer: try reader.signer())
      _ = summary
      return try Files.names(in: place.directory + "/" + name).map { file in
        (name: "\(name)/\(file)", path: "\(place.directory)/\(name)/\(file)")
      }
    }
    let tar = try TarStream(files, pieceBytes: Self.pieceBytes, time: Machine.milliseconds / 1_000)
    return .download(
      "\(name).tar", type: "application/x-tar",
      .pieces(length: tar.length) {
        _ = place
        return try tar.next()
      })
  }

  /// Removes the directory when nobody needs it any more, however the answer ended.
  private final class Place: Sendable {
    let directory: String
    private let freed: @Sendable () -> Void

    init(_ directory: String, freed: @escaping @Sendable () -> Void) {
      self.directory = directory
      self.freed = freed
    }

    deinit {
      try? FileManager.default.removeItem(atPath: directory)
      freed()
    }
  }
}
