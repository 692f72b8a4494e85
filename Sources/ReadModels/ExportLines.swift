// The lines of events.jsonl while they pass: each against its own payload, all together against the trees of their epochs.

internal import Events
internal import Evidence
internal import FoundationEssentials
internal import OpenSSL

/// All lines of an export.
struct EventsPass: ~Copyable {
  private let manifest: ExportManifest
  private var writer: CloudEventWriter
  private var omitted: OmittedRuns
  /// The manifest's epochs from the one whose lines pass now.
  private var epochs: ArraySlice<ExportManifest.Epoch>
  private var tree: EpochTree?

  /// - Parameter omitted: the content of omitted.bin.
  init(_ manifest: ExportManifest, omitted: [UInt8]) {
    self.manifest = manifest
    writer = CloudEventWriter(journal: manifest.journal)
    self.omitted = OmittedRuns(omitted)
    epochs = manifest.epochs[...]
    tree = epochs.popFirst().map { EpochTree($0) }
  }

  /// Checks one line.
  mutating func check(_ line: [UInt8], number: UInt64, _ report: inout ExportReport) {
    guard let event = try? JSONDecoder().decode(Line.self, from: Data(line)), let time = Int64(event.recordtime),
      let sequence = UInt64(event.sequence), let payload = OpenSSL.bytes(base64: event.payload)
    else { return report.found(.edited, "Line \(number) is not an event of an export.") }
    let record = Record(
      position: RecordPosition(epoch: event.epoch, sequence: sequence), time: time, payload: payload)
    let place = "Record \(record.position) (line \(number))"
    let leaf = record.leafHash
    guard leaf.hex == event.leafhash else {
      return report.found(.edited, "\(place) does not have the hash that it states.")
    }
    let again = payload.withUnsafeBytes { writer.line(position: record.position, time: time, payload: $0) }
    if again != line { report.found(.edited, "\(place): what it shows is not what its payload says.") }
    if !isWanted(payload) { report.found(.edited, "\(place) is not of the devices and types that the manifest names.") }
    add(leaf, at: record.position, place, &report)
  }

  private mutating func add(
    _ leaf: Digest, at position: RecordPosition, _ place: String, _ report: inout ExportReport
  ) {
    while let epoch = tree?.stated.epoch, epoch < position.epoch { endEpoch(&report) }
    guard tree?.stated.epoch == position.epoch else {
      return report.found(.edited, "\(place) is of an epoch that has no place here.")
    }
    let isWhole = !manifest.options.isSelective
    tree?.add(leaf, at: position.sequence, isWhole: isWhole, &omitted, place, &report)
  }

  private func isWanted(_ payload: [UInt8]) -> Bool {
    let options = manifest.options
    guard options.isSelective else { return true }
    guard let header = payload.withUnsafeBytes({ try? EventHeader($0) }) else { return false }
    return (options.device == nil || header.device?.description == options.device)
      && (options.types == nil || options.types?.contains(EventType.name(header.type)) == true)
  }

  /// Checks what is known only when all lines have passed.
  mutating func finish(_ report: inout ExportReport) {
    while tree != nil { endEpoch(&report) }
    if !omitted.isAtEnd { report.found(.edited, "omitted.bin has more hashes than there are records left out.") }
  }

  private mutating func endEpoch(_ report: inout ExportReport) {
    tree?.finish(&omitted, &report)
    tree = epochs.popFirst().map { EpochTree($0) }
  }

  private struct Line: Decodable {
    var epoch: UInt32
    var sequence: String
    var recordtime: String
    var leafhash: String
    var payload: String
  }
}

/// One epoch's tree, built from its lines and from the runs of hashes between them.
private struct EpochTree {
  let stated: ExportManifest.Epoch
  private var frontier = MerkleFrontier()
  /// The last sequence that a line had.
  private var last: UInt64
  private var lines: UInt64 = 0
  /// Lines up to the checkpoint's size.
  private var covered: UInt64 = 0
  /// Where damage took records, from the gap that comes next.
  private var gaps: ArraySlice<ClosedRange<UInt64>>
  /// After a fault the rest does not fit, and one finding is enough.
  private var isBroken = false

  init(_ stated: ExportManifest.Epoch) {
    self.stated = stated
    last = stated.from - 1
    gaps = stated.gaps[...]
  }

  private var size: UInt64 { stated.size ?? 0 }

  mutating func add(
    _ leaf: Digest, at sequence: UInt64, isWhole: Bool, _ omitted: inout OmittedRuns, _ place: String,
    _ report: inout ExportReport
  ) {
    lines += 1
    guard sequence > last, sequence <= stated.to else {
      isBroken = true
      return report.found(.edited, "\(place) is out of order, twice there, or outside of what the manifest names.")
    }
    var expected = last + 1
    while let gap = gaps.first, gap.lowerBound <= sequence {
      if gap.contains(sequence) {
        isBroken = true
        return report.found(.edited, "\(place) is one that the manifest calls lost.")
      }
      if gap.lowerBound == expected { expected = gap.upperBound + 1 }
      gaps.removeFirst()
    }
    if isWhole, sequence != expected, !isBroken {
      isBroken = true
      report.found(.edited, "\(place) stands where record \(stated.epoch)/\(expected) should.")
    }
    last = sequence
    fill(upTo: sequence - 1, &omitted, &report)
    guard !isBroken, sequence <= size else { return }
    frontier.append(leaf)
    covered += 1
  }

  /// Appends what was left out, as far as the checkpoint's tree goes.
  private mutating func fill(upTo sequence: UInt64, _ omitted: inout OmittedRuns, _ report: inout ExportReport) {
    let end = min(sequence, size)
    guard !isBroken, frontier.size < end, !omitted.append(frontier.size..<end, to: &frontier) else { return }
    isBroken = true
    report.found(
      .incomplete, "omitted.bin has no hashes for the records of epoch \(stated.epoch) from \(frontier.size + 1) on.")
  }

  mutating func finish(_ omitted: inout OmittedRuns, _ report: inout ExportReport) {
    report.omitted += stated.omitted
    if lines != stated.records {
      isBroken = true
      report.found(
        .edited,
        "Epoch \(stated.epoch) has \(counted(lines, "record")) here, the last of them \(last); the manifest says \(stated.records)."
      )
    }
    fill(upTo: size, &omitted, &report)
    guard !isBroken, let note = stated.checkpoint.flatMap({ try? SignedNote(bytes: Array($0.utf8)) }),
      let checkpoint = try? Checkpoint(text: note.text)
    else { return }
    guard checkpoint.root == frontier.root, checkpoint.size == frontier.size else {
      return report.found(
        .wrongPath,
        "The tree of epoch \(stated.epoch), of \(counted(size, "record")), does not have the root that its checkpoint "
          + "signs.")
    }
    report.sealed += covered
  }
}
