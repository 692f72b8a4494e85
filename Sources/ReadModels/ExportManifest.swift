// manifest.json: what an export is of, and what it is proved by (docs/formats/export.md).

internal import Events
internal import Evidence
internal import FoundationEssentials
internal import Journal
internal import OpenSSL

struct ExportManifest: Decodable {
  /// Each format's name, without its number.
  private static let formats = "printtrail-export/"
  static let format = formats + "2"

  struct Options: Decodable {
    var format: String
    var from: String?
    var to: String?
    var device: String?
    var types: [String]?
    var isSelective: Bool { device != nil || types != nil }
  }

  struct Epoch: Decodable {
    var epoch: UInt32
    var from: UInt64
    var to: UInt64
    var records: UInt64
    var omitted: UInt64
    var lost: [Range]?
    var size: UInt64?
    var checkpoint: String?

    /// `to` is nil where it is not known how far the epoch went.
    struct Range: Decodable {
      var from: UInt64
      var to: UInt64?
    }
  }

  struct File: Decodable {
    var name: String
    var bytes: UInt64
    var lines: UInt64
    var sha256: String
  }

  var format: String
  var journal: String
  var key: String
  var options: Options
  var epochs: [Epoch]
  var files: [File]
}

// MARK: Reading

extension ExportManifest {
  private struct Format: Decodable { var format: String }

  /// Whether there is an export's manifest, of whatever format, in a directory.
  static func isThere(in directory: String) throws(ExportError) -> Bool {
    let path = directory + "/" + Export.manifestName
    guard let bytes = try ExportFile.readIfThere(path, bytesMax: ExportVerifier.manifestBytesMax) else { return false }
    return (try? JSONDecoder().decode(Format.self, from: Data(bytes)))?.format.hasPrefix(formats) == true
  }

  /// Reads a manifest.
  /// - Throws: `ExportError` when it is of another format, which is no fault of the export.
  static func read(_ bytes: [UInt8]) throws(ExportError) -> Result<ExportManifest, EvidenceFinding> {
    func malformed(_ reason: String) -> EvidenceFinding {
      EvidenceFinding(.malformed, "manifest.json is not the manifest of an export: \(reason).")
    }
    do {
      let found = try JSONDecoder().decode(Format.self, from: Data(bytes)).format
      guard found == Self.format else {
        throw ExportError(
          "This export has format \(found); this program knows \(Self.format). Use the release that wrote it.")
      }
      guard !hasFraction(bytes) else { return .failure(malformed("a number in it is not written as a whole one")) }
      let manifest = try JSONDecoder().decode(ExportManifest.self, from: Data(bytes))
      return manifest.contradiction.map { .failure(malformed($0)) } ?? .success(manifest)
    } catch let error as ExportError {
      throw error
    } catch {
      return .failure(malformed("\(error)"))
    }
  }

  /// Whether a number has a fraction or an exponent. `JSONDecoder` takes 20.0 and 2e1 for whole numbers.
  /// - Parameter json: valid JSON.
  private static func hasFraction(_ json: [UInt8]) -> Bool {
    var (isText, isEscaped, isNumber) = (false, false, false)
    for byte in json {
      switch byte {
      case _ where isEscaped: isEscaped = false
      case UInt8(ascii: "\\"): isEscaped = true
      case UInt8(ascii: "\""): isText.toggle()
      case _ where isText: break
      case UInt8(ascii: "0")...UInt8(ascii: "9"): isNumber = true
      case UInt8(ascii: ".") where isNumber, UInt8(ascii: "e") where isNumber, UInt8(ascii: "E") where isNumber:
        return true
      default: isNumber = false
      }
    }
    return false
  }

  /// What an export of each format consists of: one without its lines would be sound, and say nothing.
  private static let filesOfFormats: [String: [Set<String>]] = [
    "jsonl": [[Export.eventsName], [Export.eventsName, Export.omittedName]], "csv": [[Export.readingsName]],
  ]

  /// What contradicts itself in it; nil when nothing does.
  private var contradiction: String? {
    let names = files.map(\.name)
    if Set(names).count != names.count { return "a file is named twice" }
    guard Self.filesOfFormats[options.format]?.contains(Set(names)) == true else {
      return "no export of the format \(options.format) has the files \(names.joined(separator: ", "))"
    }
    if zip(epochs, epochs.dropFirst()).contains(where: { $0.epoch >= $1.epoch }) { return "epochs are not in order" }
    return epochs.lazy.compactMap(\.contradiction).first
  }
}

extension ExportManifest.Epoch {
  /// Greater numbers are no journal's, and arithmetic with smaller ones cannot overflow.
  private static let sequenceMax: UInt64 = 1 << 48

  fileprivate var contradiction: String? {
    guard from >= 1, from <= to, to <= Self.sequenceMax, size ?? 0 <= Self.sequenceMax else {
      return "epoch \(epoch) goes from \(from) to \(to)"
    }
    if let contradiction = contradictionOfLost { return contradiction }
    let kept = to - from + 1 - lostCount(from: from)
    guard records <= kept, omitted == kept - records else {
      return
        "epoch \(epoch) has \(counted(records, "record")) and \(omitted) left out of \(kept) between \(from) and \(to)"
    }
    return (size == nil) == (checkpoint == nil) ? nil : "epoch \(epoch) has no size or no checkpoint"
  }
}

// MARK: Lost records

extension ExportManifest.Epoch {
  /// The positions of the stretch that have no record any more, ascending.
  var gaps: [ClosedRange<UInt64>] {
    (lost ?? []).compactMap { $0.from <= $0.to ?? to ? $0.from...($0.to ?? to) : nil }
  }

  /// How many of the positions from `first` on have no record any more.
  func lostCount(from first: UInt64) -> UInt64 {
    gaps.reduce(0) { $1.upperBound < first ? $0 : $0 + ($1.upperBound - max($1.lowerBound, first) + 1) }
  }

  /// The first position from `first` on that has its record.
  func kept(from first: UInt64) -> UInt64 {
    gaps.reduce(first) { $1.contains($0) ? $1.upperBound + 1 : $0 }
  }

  fileprivate var contradictionOfLost: String? {
    var next = from
    for (index, range) in (lost ?? []).enumerated() {
      let end = range.to ?? to
      // One without an end may lie behind the stretch, as nothing comes after it.
      let isOpen = range.to == nil
      guard next <= range.from, range.from <= (isOpen ? to + 1 : end), end <= to, !isOpen || index + 1 == lost?.count
      else { return "epoch \(epoch) has lost ranges that overlap, are not in order or lie outside of \(from) to \(to)" }
      next = end + 1
    }
    guard let first = lost?.first?.from, size ?? 0 >= first else { return nil }
    return "epoch \(epoch) has a tree of \(counted(size ?? 0, "record")), and record \(first) of it is lost"
  }
}

// MARK: Writing

extension ExportManifest {
  /// The manifest's bytes: one line.
  static func text(
    _ identity: JournalIdentity, _ options: ExportOptions, _ plan: ExportPlan, _ files: [ExportedFile]
  ) throws -> [UInt8] {
    let key = try identity.verifier().description
    var json = JSONWriter()
    json.object { json in
      json.member("format", Self.format)
      json.member("journal", identity.hexID)
      json.member("key", key)
      json.key("options")
      json.options(options, plan)
      json.key("epochs")
      json.array(plan.epochs) { $0.epoch($1) }
      json.key("files")
      json.array(files) { $0.file($1) }
    }
    return json.take() + [UInt8(ascii: "\n")]
  }
}

extension JSONWriter {
  fileprivate mutating func options(_ options: ExportOptions, _ plan: ExportPlan) {
    object { json in
      json.member("format", options.format.rawValue)
      // As positions, whatever they were given as: a sequence alone or a time means another record tomorrow.
      json.member("from", options.from.map { _ in plan.first.description })
      json.member("to", options.to == .head ? nil : plan.last.description)
      json.member("device", options.device?.description)
      guard !options.types.isEmpty else { return }
      json.key("types")
      json.array(options.types.sorted()) { $0.string(EventType.name($1)) }
    }
  }

  fileprivate mutating func epoch(_ epoch: ExportedEpoch) {
    object { json in
      json.member("epoch", epoch.epoch)
      json.member("from", epoch.from)
      json.member("to", epoch.to)
      json.member("records", epoch.records)
      json.member("omitted", epoch.omitted)
      if !epoch.lost.isEmpty {
        json.key("lost")
        json.array(epoch.lost) { $0.range($1) }
      }
      json.member("size", epoch.checkpoint?.size)
      json.member("checkpoint", epoch.checkpoint.map { String(decoding: $0.note, as: UTF8.self) })
    }
  }

  fileprivate mutating func range(_ lost: LostRecords) {
    object { json in
      json.member("from", lost.first)
      json.member("to", lost.last)
    }
  }

  fileprivate mutating func file(_ file: ExportedFile) {
    object { json in
      json.member("name", file.name)
      json.member("bytes", file.bytes)
      json.member("lines", file.lines)
      json.key("sha256")
      json.hex(file.sha256.bytes)
    }
  }
}
