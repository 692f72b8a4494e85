// The corpus of recorded walks, where the environment variable PT_CORPUS names its folder. It is not part of this repository.

internal import Foundation
internal import MIB
internal import PrinterModel
internal import Testing

enum Corpus {
  static let root: URL? = ProcessInfo.processInfo.environment["PT_CORPUS"].map { URL(fileURLWithPath: $0) }

  /// Why the suites over the corpus are skipped.
  static let skipped: Comment = "skipped: PT_CORPUS does not name a folder of recorded walks"

  /// Every walk, by its path below the root.
  static let walks: [String] = {
    guard let root, let files = FileManager.default.enumerator(atPath: root.path) else { return [] }
    return files.compactMap { $0 as? String }.filter { $0.hasSuffix(".snmprec") }.sorted()
  }()

  static let oracle: [String: JSON] = object("raw-oracle.json")
  static let expectations: [String: JSON] = object("oracle.json")
  static let cases: [String: JSON] = object("checkmk/cases.json")
  static let meterFacts: [JSON] = (try? value("meter-facts.json").array) ?? []

  /// The rows of index.csv as (file, kind, vendor); the quoted columns come after these but one.
  static let index: [(file: String, kind: String, vendor: String)] = {
    guard let root, let text = try? String(contentsOf: root.appendingPathComponent("index.csv"), encoding: .utf8) else {
      return []
    }
    return records(text).dropFirst().compactMap { $0.count > 4 ? ($0[0], $0[2], $0[4]) : nil }
  }()

  static func bytes(_ path: String) throws -> [UInt8] {
    let root = try #require(root)
    return [UInt8](try Data(contentsOf: root.appendingPathComponent(path)))
  }

  static func walk(_ path: String) throws -> Walk { try #require(parsed[path]) }

  /// Every walk, read from its file once.
  private static let parsed: [String: Walk] = Dictionary(
    uniqueKeysWithValues: walks.compactMap { path in
      (try? bytes(path)).map { (path, SNMPRec.parse($0).walk) }
    })

  private static func value(_ path: String) throws -> JSON {
    JSON(try JSONSerialization.jsonObject(with: Data(try bytes(path))))
  }

  private static func object(_ path: String) -> [String: JSON] { (try? value(path).object) ?? [:] }

  /// Comma-separated values (RFC 4180); quoted fields may hold line breaks.
  static func records(_ text: String) -> [[String]] {
    var records: [[String]] = [[""]]
    var isQuoted = false
    for scalar in text.unicodeScalars where scalar != "\r" {
      switch scalar {
      case "\"": isQuoted.toggle()
      case "," where !isQuoted: records[records.count - 1].append("")
      case "\n" where !isQuoted: records.append([""])
      default: records[records.count - 1][records[records.count - 1].count - 1].unicodeScalars.append(scalar)
      }
    }
    return records
  }
}

/// A JSON value as JSONSerialization gives it.
struct JSON: @unchecked Sendable {
  // Unchecked: the value is never changed after it was parsed.
  private let value: Any?

  init(_ value: Any?) { self.value = value is NSNull ? nil : value }

  var isNull: Bool { value == nil }
  var isEmptyArray: Bool { (value as? [Any])?.isEmpty == true }
  var object: [String: JSON] { (value as? [String: Any] ?? [:]).mapValues { JSON($0) } }
  var array: [JSON] { (value as? [Any] ?? []).map { JSON($0) } }
  var string: String? { value as? String }
  var number: Int64? { (value as? NSNumber)?.int64Value }
  var double: Double? { (value as? NSNumber)?.doubleValue }
  var bool: Bool? { value as? Bool }
  subscript(key: String) -> JSON { JSON((value as? [String: Any])?[key]) }
  subscript(index: Int) -> JSON { array.indices.contains(index) ? array[index] : JSON(nil) }

  /// The oracle's texts are a string, or an object with `text`; an empty one is no text.
  var text: String? {
    let text = (string ?? self["text"].string)?.trimmed
    return text?.isEmpty == false ? text : nil
  }
}
