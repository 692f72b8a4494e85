// Exports: a part of the journal, or all of it, as files that anyone can check (docs/formats/export.md).
//
// Constraints: the same records and options give the same bytes; the journal is read in short transactions, so a slow disk
// never holds pages back from the writer; nothing is held in memory but a line, and for CSV the fleet's state.

package import Events
internal import Evidence
package import Journal
internal import OpenSSL
internal import PrinterModel
internal import Projections

package struct ExportOptions: Equatable, Sendable {
  package enum Format: String, CaseIterable, Sendable {
    case jsonl, csv
  }
  package var format = Format.jsonl
  /// The first record; earlier ones are left out.
  package var from: JournalPoint?
  package var to = JournalPoint.head
  /// Only events of this device.
  package var device: DeviceID?
  /// Only events of these types; empty: all.
  package var types: Set<UInt16> = []

  package init() {}

  /// Whether every record up to the end is in the export.
  var isComplete: Bool { from == nil && device == nil && types.isEmpty }
}

/// What an export holds of one epoch.
package struct ExportedEpoch: Equatable, Sendable {
  package var epoch: UInt32
  /// The first and last sequence that were looked at, and how many records were written.
  package var from: UInt64
  package var to: UInt64
  package var records: UInt64 = 0
  /// The newest checkpoint whose tree ends at or before `to`.
  package var checkpoint: StoredCheckpoint?
}

/// A finished export.
package struct ExportSummary: Equatable, Sendable {
  package var epochs: [ExportedEpoch] = []
  package var files: [ExportedFile] = []
  package var records: UInt64 { epochs.reduce(0) { $0 + $1.records } }
}

package struct Export {
  package static let manifestName = "manifest.json"
  package static let eventsName = "events.jsonl"
  package static let readingsName = "readings.csv"
  package static let leavesName = "leaves.bin"
  package static let format = "printtrail-export/1"

  private let reader: JournalReader
  private let options: ExportOptions

  package init(_ reader: JournalReader, _ options: ExportOptions) {
    self.reader = reader
    self.options = options
  }

  /// Lends each line in order, without its line feed, for printing.
  package func lines(_ body: ([UInt8]) throws -> Void) throws {
    var summary = ExportSummary()
    switch options.format {
    case .jsonl: try eachEvent(&summary, line: body, leaf: { _ in })
    case .csv: try eachReading(&summary, line: body)
    }
  }

  /// Writes the export into a directory, which is made where it is missing. Files of an earlier export are replaced; the manifest comes
  /// last, so that an export that was cut short has none or an old one that does not match.
  package func write(into directory: String) throws -> ExportSummary {
    try ExportFile.makeDirectory(directory)
    var summary = ExportSummary()
    switch options.format {
    case .jsonl: try writeEvents(directory, &summary)
    case .csv:
      var file = try ExportFile(name: Self.readingsName, in: directory)
      try eachReading(&summary) { try file.write(line: $0) }
      summary.files = [try file.finish()]
    }
    for index in summary.epochs.indices {
      summary.epochs[index].checkpoint = try newestCheckpoint(summary.epochs[index])
    }
    var manifest = try ExportFile(name: Self.manifestName, in: directory)
    try manifest.write(line: try self.manifest(summary))
    _ = try manifest.finish()
    return summary
  }

  private func writeEvents(_ directory: String, _ summary: inout ExportSummary) throws {
    var events = try ExportFile(name: Self.eventsName, in: directory)
    guard !options.isComplete else {
      try eachEvent(&summary, line: { try events.write(line: $0) }, leaf: { _ in })
      summary.files = [try events.finish()]
      return
    }
    var leaves = try ExportFile(name: Self.leavesName, in: directory)
    try eachEvent(
      &summary, line: { try events.write(line: $0) }, leaf: { leaf in try leaf.withBytes { try leaves.write($0) } })
    summary.files = [try events.finish(), try leaves.finish()]
  }

  // MARK: Passing over the records

  private func eachEvent(
    _ summary: inout ExportSummary, line: ([UInt8]) throws -> Void, leaf: (Digest) throws -> Void
  ) throws {
    var writer = CloudEventWriter(journal: reader.identity.hexID)
    try eachRecord(&summary) { view, isWanted in
      try leaf(view.leafHash)
      guard isWanted else { return }
      try line(writer.line(position: view.position, time: view.time, payload: view.payload))
    }
  }

  private func eachReading(_ summary: inout ExportSummary, line: ([UInt8]) throws -> Void) throws {
    try line(Array(ReadingRow.titles.utf8))
    var state = FleetState()
    var decoder = EventDecoder(.withoutRaw)
    try eachRecord(&summary) { view, isWanted in
      guard let event = try? decoder.event(view.payload) else { return }
      state.apply(event)
      guard isWanted, let id = event.device, let device = state.devices[id] else { return }
      for row in ReadingRow.rows(of: event, at: view.position, device) { try line(row) }
    }
  }

  /// Every record up to the end, with whether the options want it.
  private func eachRecord(_ summary: inout ExportSummary, _ body: (RecordView, Bool) throws -> Void) throws {
    let head = try reader.head()
    try reader.scan(through: options.to.limit(head)) { view in
      if case .time(let latest) = options.to, view.time > latest { return false }
      if summary.epochs.last?.epoch != view.position.epoch {
        let sequence = view.position.sequence
        summary.epochs.append(ExportedEpoch(epoch: view.position.epoch, from: sequence, to: sequence))
      }
      let isWanted = wants(view, head)
      summary.epochs[summary.epochs.count - 1].to = view.position.sequence
      if isWanted { summary.epochs[summary.epochs.count - 1].records += 1 }
      try body(view, isWanted)
      return true
    }
  }

  private func wants(_ view: RecordView, _ head: RecordPosition) -> Bool {
    switch options.from {
    case .time(let earliest): guard view.time >= earliest else { return false }
    case .some(let first): guard view.position >= first.limit(head) else { return false }
    case nil: break
    }
    guard options.device != nil || !options.types.isEmpty else { return true }
    guard let header = try? EventHeader(view.payload) else { return false }
    return (options.device == nil || header.device == options.device)
      && (options.types.isEmpty || options.types.contains(header.type))
  }

  private func newestCheckpoint(_ epoch: ExportedEpoch) throws -> StoredCheckpoint? {
    if let last = try reader.lastCheckpoint(epoch: epoch.epoch), last.size <= epoch.to { return last }
    let stored = try reader.checkpoints(from: RecordPosition(epoch: epoch.epoch, sequence: 0))
    return stored.last { $0.epoch == epoch.epoch && $0.size <= epoch.to }
  }

  // MARK: The manifest

  private func manifest(_ summary: ExportSummary) throws -> [UInt8] {
    let identity = reader.identity
    var json = JSONWriter()
    try json.object { json in
      json.member("format", Self.format)
      json.member("journal", identity.hexID)
      json.key("options")
      json.object { json in
        json.member("format", options.format.rawValue)
        json.member("from", options.from.map(Self.text))
        json.member("to", options.to == .head ? nil : Self.text(options.to))
        json.member("device", options.device?.description)
        if !options.types.isEmpty {
          json.key("types")
          json.array(options.types.sorted()) { $0.string(EventType.name($1)) }
        }
      }
      json.key("epochs")
      try json.array(summary.epochs) { json, epoch in
        let key = try identity.verifier(epoch: epoch.epoch).description
        json.object { json in
          json.member("epoch", epoch.epoch)
          json.member("from", epoch.from)
          json.member("to", epoch.to)
          json.member("records", epoch.records)
          json.member("key", key)
          json.member("size", epoch.checkpoint?.size)
          json.member("checkpoint", epoch.checkpoint.map { String(decoding: $0.note, as: UTF8.self) })
        }
      }
      json.key("files")
      json.array(summary.files) { json, file in
        json.object { json in
          json.member("name", file.name)
          json.member("bytes", file.bytes)
          json.member("lines", file.lines)
          json.key("sha256")
          json.hex(file.sha256.bytes)
        }
      }
    }
    return json.take()
  }

  private static func text(_ end: JournalPoint) -> String {
    switch end {
    case .head: "head"
    case .sequence(let sequence, nil): String(sequence)
    case .sequence(let sequence, let epoch?): "\(epoch)/\(sequence)"
    case .time(let time): UTCTime.text(nanoseconds: time)
    }
  }
}
