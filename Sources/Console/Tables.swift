// What lists have in common: a part of the rows, in an order, with what the words of a search leave.

internal import Glibc
internal import ReadModels
internal import WebServing

enum UTCTimeText {
  static func at(_ milliseconds: Int64) -> String { UTCTime.text(milliseconds: milliseconds) }
}

/// `offset`, `limit`, `sort` and `q` of a list.
struct ListQuery {
  static let names: Set<String> = ["offset", "limit", "sort", "q"]
  private static let offsetMax = 1_000_000
  private static let limitMax = 500
  private static let wordsMax = 200
  private static let wordBytesMax = 4 * wordsMax

  let offset: Int
  let limit: Int
  let column: String
  let isDescending: Bool
  /// In lower case.
  let words: [[UInt8]]

  /// - Parameter columns: that may be sorted by; the first is the default.
  init(_ query: Query, columns: [String], filters: Set<String> = []) throws(WebError) {
    try query.expect(Self.names.union(filters))
    offset = try query.number("offset", in: 0...Self.offsetMax, default: 0)
    limit = try query.number("limit", in: 1...Self.limitMax, default: 50)
    var name = try query.text("sort", bytesMax: 40) ?? columns[0]
    isDescending = name.hasPrefix("-")
    if isDescending { name.removeFirst() }
    guard columns.contains(name) else {
      throw .badValue(
        "sort", "\"sort\" is \"\(name)\"; give one of \(columns.joined(separator: ", ")), with - before it to descend.")
    }
    column = name
    let search = try query.text("q", bytesMax: Self.wordBytesMax) ?? ""
    guard search.count <= Self.wordsMax else {
      throw .badValue("q", "\"q\" has more than \(Self.wordsMax) characters.")
    }
    words = search.lowercased().split(separator: " ").map {
      Array($0.utf8)
    }
  }

  /// Whether each word is in the text. Bytes are looked for, and not characters: thousands of rows are searched for a page.
  func finds(_ text: [UInt8]) -> Bool {
    words.allSatisfy { word in
      text.withUnsafeBytes { text in word.withUnsafeBytes { Self.holds(text, $0) } }
    }
  }

  private static func holds(_ text: UnsafeRawBufferPointer, _ word: UnsafeRawBufferPointer) -> Bool {
    guard let base = text.baseAddress, let wanted = word.baseAddress, !word.isEmpty else { return word.isEmpty }
    var start = 0
    while start + word.count <= text.count {
      guard let found = memchr(base + start, Int32(word[0]), text.count - word.count - start + 1) else { return false }
      let place = base.distance(to: UnsafeRawPointer(found))
      if memcmp(base + place, wanted, word.count) == 0 { return true }
      start = place + 1
    }
    return false
  }

  func part<Row>(_ rows: [Row]) -> ArraySlice<Row> {
    let start = min(offset, rows.count)
    return rows[start..<min(rows.count, start + limit)]
  }

  /// One of a few words, several with commas; nil where there is no such parameter.
  static func choice(_ query: Query, _ name: String, among known: Set<String>) throws(WebError) -> Set<String>? {
    guard let text = try query.text(name, bytesMax: 200) else { return nil }
    let chosen = Set(text.split(separator: ",").map(String.init))
    guard let wrong = chosen.subtracting(known).sorted().first else { return chosen }
    throw .badValue(
      name, "\"\(name)\" is \"\(wrong)\"; give \(known.sorted().joined(separator: ", ")), several with commas.")
  }
}
