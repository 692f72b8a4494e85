// Exports: a part of the journal, or all of it, as files that anyone can check (docs/formats/export.md).
//
// Constraints: the same records and options give the same bytes; the journal is read in short transactions, so a slow disk
// never holds pages back from the writer; nothing is held in memory but a line, and for CSV the fleet's state.
//
// Manifest and seal take their names last: an export that was interrupted lacks one or both (`OutputDirectory`).

package import Events
package import Evidence
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

  /// Whether events between the first and the last are left out.
  var isSelective: Bool { device != nil || !types.isEmpty }
}

/// A finished export.
package struct ExportSummary: Equatable, Sendable {
  package var epochs: [ExportedEpoch] = []
  package var files: [ExportedFile] = []
  /// Records of a CSV export that no row tells of, because this release cannot read them. JSON Lines hold them as they are.
  package var unreadable: UInt64 = 0
  package var records: UInt64 { epochs.reduce(0) { $0 + $1.records } }
}

package struct Export {
  package static let manifestName = "manifest.json"
  package static let sealName = "manifest.sig"
  package static let eventsName = "events.jsonl"
  package static let readingsName = "readings.csv"
  package static let omittedName = "omitted.bin"
  /// What a manifest may name.
  static let fileNames = [eventsName, readingsName, omittedName]
  /// All that an export may consist of; what vouches for the others last.
  static let allNames = fileNames + [manifestName, sealName]

  private let reader: JournalReader
  private let options: ExportOptions

  package init(_ reader: JournalReader, _ options: ExportOptions) {
    self.reader = reader
    self.options = options
  }

  /// Lends each line in order, without its line feed, for printing.
  /// - Returns: `ExportSummary.unreadable`.
  @discardableResult
  package func lines(_ body: ([UInt8]) throws -> Void) throws -> UInt64 {
    var plan = try ExportPlan(reader, options)
    guard options.format == .jsonl else {
      try eachReading(&plan, line: body)
      return plan.unreadable
    }
    var writer = CloudEventWriter(journal: reader.identity.hexID)
    for index in plan.epochs.indices {
      try eachRecord(&plan.epochs[index], plan.epochs[index].from...plan.epochs[index].to) { view, isWanted in
        if isWanted { try body(writer.line(view)) }
      }
    }
    return 0
  }

  /// Writes the export into a directory, which is made where it is missing.
  /// - Parameters:
  ///   - signer: the journal's key, which seals the manifest; nil: nobody does.
  ///   - replacing: whether an export that is there already is replaced, once this one is complete.
  /// - Throws: `ExportError` where the directory is a journal's, or something is in the way. What was there is unchanged then.
  package func write(into directory: String, signer: SignerKey?, replacing: Bool = false) throws -> ExportSummary {
    let place = try OutputDirectory(directory, for: Self.allNames, of: "an export", alone: true, replacing: replacing) {
      try ExportManifest.isThere(in: directory)
    }
    return try place.fill { try write(into: directory, signer: signer) }
  }

  private func write(into directory: String, signer: SignerKey?) throws -> ExportSummary {
    var plan = try ExportPlan(reader, options)
    let files =
      switch options.format {
      case .jsonl: try writeEvents(directory, &plan)
      case .csv: try writeReadings(directory, &plan)
      }
    let manifest = try ExportManifest.text(reader.identity, options, plan, files)
    try ExportFile.write(manifest, name: Self.manifestName, in: directory)
    if let signer {
      let seal = try ExportSeal(journal: reader.identity.hexID, manifest: SHA256.hash(manifest), signer: signer)
      try ExportFile.write(seal.note.bytes, name: Self.sealName, in: directory)
    }
    return ExportSummary(epochs: plan.epochs, files: files, unreadable: plan.unreadable)
  }

  // MARK: Files

  private func writeEvents(_ directory: String, _ plan: inout ExportPlan) throws -> [ExportedFile] {
    var events = try ExportFile(name: Self.eventsName, in: directory)
    var writer = CloudEventWriter(journal: reader.identity.hexID)
    guard options.isSelective || plan.epochs.contains(where: \.isPart) else {
      for index in plan.epochs.indices {
        try eachRecord(&plan.epochs[index], plan.epochs[index].from...plan.epochs[index].to) { view, _ in
          try writer.withLine(of: view) { (line) throws(ExportError) in try events.write(line: line) }
        }
      }
      return [try events.finish()]
    }
    var omitted = try ExportFile(name: Self.omittedName, in: directory)
    for index in plan.epochs.indices {
      let epoch = plan.epochs[index]
      // A checkpoint that is older than the base proves nothing of what is left.
      var runs = OmittedRecords(upTo: epoch.size, base: epoch.base)
      let first = epoch.base.size + 1
      try eachRecord(&plan.epochs[index], first...max(epoch.to, epoch.size)) { view, isWanted in
        guard isWanted else { return runs.append(view.leafHash, at: view.position.sequence) }
        try runs.end(&omitted)
        try writer.withLine(of: view) { (line) throws(ExportError) in try events.write(line: line) }
      }
      try runs.end(&omitted)
    }
    return [try events.finish(), try omitted.finish()]
  }

  private func writeReadings(_ directory: String, _ plan: inout ExportPlan) throws -> [ExportedFile] {
    var readings = try ExportFile(name: Self.readingsName, in: directory)
    try eachReading(&plan) { try readings.write(line: $0) }
    return [try readings.finish()]
  }

  // MARK: Passing over the records

  /// The records of one epoch in `range`, each with whether the options want it.
  private func eachRecord(
    _ epoch: inout ExportedEpoch, _ range: ClosedRange<UInt64>, _ body: (RecordView, Bool) throws -> Void
  ) throws {
    let first = RecordPosition(epoch: epoch.epoch, sequence: range.lowerBound)
    let last = RecordPosition(epoch: epoch.epoch, sequence: range.upperBound)
    try reader.scan(from: first, through: last) { view in
      try Self.expectWhole(view)
      let isWanted = wants(view, epoch)
      if isWanted { epoch.records += 1 }
      try body(view, isWanted)
      return true
    }
  }

  /// The lines of readings.csv. A row shows what the device said earlier, too, so that every record up to the end is folded.
  private func eachReading(_ plan: inout ExportPlan, line: ([UInt8]) throws -> Void) throws {
    try line(Array(ReadingRow.titles.utf8))
    let base = try FleetBase(reader)
    var state = base.state
    var decoder = EventDecoder(.withoutRaw)
    try reader.scan(from: base.first, through: plan.last) { view in
      try Self.expectWhole(view)
      let epoch = plan.epochs.firstIndex { $0.epoch == view.position.epoch && wants(view, $0) }
      if let epoch { plan.epochs[epoch].records += 1 }
      let event: Event
      do throws(EventCodingError) { event = try decoder.event(view.payload) } catch {
        if epoch != nil { plan.unreadable += 1 }
        return true
      }
      state.apply(event)
      guard epoch != nil, let id = event.device, let device = state.devices[id] else { return true }
      for row in ReadingRow.rows(of: event, at: view.position, device) { try line(row) }
      return true
    }
  }

  /// A record that is not what was recorded is not exported as if it were, and neither is what stands beside it.
  private static func expectWhole(_ view: RecordView) throws(ExportError) {
    guard view.computedLeafHash() == view.leafHash else {
      throw ExportError(
        "Could not export: record \(view.position) is damaged, its bytes do not have the hash that was recorded with them. "
          + "Keep a copy of the journal as it is, run ptjournal verify, and export what lies before or after with --from and --to."
      )
    }
  }

  private func wants(_ view: RecordView, _ epoch: ExportedEpoch) -> Bool {
    guard epoch.from <= view.position.sequence, view.position.sequence <= epoch.to else { return false }
    guard options.isSelective else { return true }
    guard let header = try? EventHeader(view.payload) else { return false }
    return (options.device == nil || header.device == options.device)
      && (options.types.isEmpty || options.types.contains(header.type))
  }
}
