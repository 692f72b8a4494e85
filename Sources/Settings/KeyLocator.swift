// From the path of a key to the line it stands on. The TOML library tells positions of syntax errors only, so this scans the document's
// structure a second time: table headers, keys, arrays and inline tables (TOML 1.0), and of values no more than where they end.
//
// It runs on documents that the TOML library has accepted. On any other it stops early and knows fewer lines; it never traps.

/// The lines of a document's keys, tables and array elements.
struct KeyLocator {
  /// Counts from 1.
  private(set) var lines: [KeyPath: Int] = [:]

  init(_ document: String) {
    var scanner = Scanner(bytes: Array(document.utf8))
    scanner.scanDocument()
    lines = scanner.lines
  }

  /// The line of a path, or of the nearest table around it that has one.
  func line(of path: KeyPath) -> Int? {
    var current: KeyPath? = path
    while let place = current {
      if let line = lines[place] { return line }
      current = place.parent
    }
    return nil
  }
}

private struct Scanner {
  /// Arrays and inline tables nested deeper than this are not followed: a configuration has three levels.
  static let depthMax = 32

  let bytes: [UInt8]
  var position = 0
  var line = 1
  var lines: [KeyPath: Int] = [:]
  /// How many elements each array of tables (`[[x]]`) has so far.
  var tableElements: [KeyPath: Int] = [:]

  init(bytes: [UInt8]) { self.bytes = bytes }

  var current: UInt8? { position < bytes.count ? bytes[position] : nil }

  mutating func scanDocument() {
    var table = KeyPath()
    while true {
      skipBlanks(newlines: true)
      guard let byte = current else { return }
      if byte == UInt8(ascii: "[") {
        guard let header = scanHeader() else { return }
        table = header
      } else {
        guard scanPair(in: table, depth: 0) else { return }
      }
    }
  }

  /// `[a.b]` or `[[a.b]]`; returns the table's path.
  private mutating func scanHeader() -> KeyPath? {
    let start = line
    advance()
    let isElement = take(UInt8(ascii: "["))
    guard let names = scanKey(), take(UInt8(ascii: "]")) else { return nil }
    var path = KeyPath()
    for (index, name) in names.enumerated() {
      path = path.key(name)
      if isElement, index == names.count - 1 {
        let element = tableElements[path, default: 0]
        tableElements[path] = element + 1
        note(path, start)
        path = path.element(element)
      } else if let count = tableElements[path], count > 0 {
        path = path.element(count - 1)
      }
      note(path, start)
    }
    guard !isElement || take(UInt8(ascii: "]")) else { return nil }
    return path
  }

  /// `key = value`.
  private mutating func scanPair(in table: KeyPath, depth: Int) -> Bool {
    let start = line
    guard let names = scanKey(), take(UInt8(ascii: "=")) else { return false }
    var path = table
    for name in names {
      path = path.key(name)
      note(path, start)
    }
    return scanValue(at: path, depth: depth)
  }

  private mutating func scanValue(at path: KeyPath, depth: Int) -> Bool {
    skipBlanks(newlines: false)
    guard depth < Self.depthMax, let byte = current else { return false }
    switch byte {
    case UInt8(ascii: "["): return scanArray(at: path, depth: depth)
    case UInt8(ascii: "{"): return scanInlineTable(at: path, depth: depth)
    case UInt8(ascii: "\""), UInt8(ascii: "'"): return scanString() != nil
    default:
      let ends: [UInt8] = Array(",]}#\n".utf8)
      while let byte = current, !ends.contains(byte) { advance() }
      return true
    }
  }

  private mutating func scanArray(at path: KeyPath, depth: Int) -> Bool {
    advance()
    var index = 0
    while true {
      skipBlanks(newlines: true)
      if take(UInt8(ascii: "]")) { return true }
      note(path.element(index), line)
      guard scanValue(at: path.element(index), depth: depth + 1) else { return false }
      index += 1
      skipBlanks(newlines: true)
      if !take(UInt8(ascii: ",")) { return take(UInt8(ascii: "]")) }
    }
  }

  private mutating func scanInlineTable(at path: KeyPath, depth: Int) -> Bool {
    advance()
    while true {
      skipBlanks(newlines: true)
      if take(UInt8(ascii: "}")) { return true }
      guard scanPair(in: path, depth: depth + 1) else { return false }
      skipBlanks(newlines: true)
      if !take(UInt8(ascii: ",")) { return take(UInt8(ascii: "}")) }
    }
  }

  /// `a.b."c d"`.
  private mutating func scanKey() -> [String]? {
    var names: [String] = []
    repeat {
      skipBlanks(newlines: false)
      guard let byte = current else { return nil }
      if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "'") {
        guard let name = scanString() else { return nil }
        names.append(name)
      } else {
        let start = position
        while let byte = current, isBareKeyCharacter(byte) { advance() }
        guard position > start else { return nil }
        names.append(String(decoding: bytes[start..<position], as: UTF8.self))
      }
      skipBlanks(newlines: false)
    } while take(UInt8(ascii: "."))
    return names
  }

  /// A string of any of the four kinds; returns what stands between its quotes, escapes unresolved.
  private mutating func scanString() -> String? {
    guard let quote = current else { return nil }
    let isMultiline = bytes[position...].starts(with: [quote, quote, quote])
    let width = isMultiline ? 3 : 1
    let closing = [UInt8](repeating: quote, count: width)
    for _ in 0..<width { advance() }
    let start = position
    while let byte = current {
      if bytes[position...].starts(with: closing) {
        let text = String(decoding: bytes[start..<position], as: UTF8.self)
        for _ in 0..<width { advance() }
        // `""""` at the end: up to two quotes may stand before the closing three (TOML 1.0, "String").
        while isMultiline, current == quote { advance() }
        return text
      }
      if byte == UInt8(ascii: "\n"), !isMultiline { return nil }
      if byte == UInt8(ascii: "\\"), quote == UInt8(ascii: "\"") { advance() }
      advance()
    }
    return nil
  }

  private mutating func note(_ path: KeyPath, _ line: Int) {
    if lines[path] == nil { lines[path] = line }
  }

  private mutating func take(_ byte: UInt8) -> Bool {
    skipBlanks(newlines: false)
    guard current == byte else { return false }
    advance()
    return true
  }

  private mutating func advance() {
    guard position < bytes.count else { return }
    if bytes[position] == UInt8(ascii: "\n") { line += 1 }
    position += 1
  }

  private mutating func skipBlanks(newlines: Bool) {
    while let byte = current {
      switch byte {
      case UInt8(ascii: " "), UInt8(ascii: "\t"), UInt8(ascii: "\r"): advance()
      case UInt8(ascii: "\n") where newlines: advance()
      case UInt8(ascii: "#"): while let byte = current, byte != UInt8(ascii: "\n") { advance() }
      default: return
      }
    }
  }
}
