// Reading one table: each key is asked for by name, with what is expected of it; what nobody asked for is a mistake.
//
// A wrong value is noted and its default taken, so that reading goes on and one run finds every problem.

/// What has been found wrong so far, shared by the readers of one file.
final class Findings {
  let file: String
  /// Nil where there is no document with lines.
  private let locator: KeyLocator?
  private(set) var problems: [ConfigurationProblem] = []
  private(set) var warnings: [ConfigurationWarning] = []

  init(file: String, locator: KeyLocator?) {
    self.file = file
    self.locator = locator
  }

  func note(_ path: KeyPath, found: String, expected: String) {
    let problem = ConfigurationProblem(
      file: file, line: locator.map { $0.line(of: path) ?? 1 }, key: path.description, found: found, expected: expected)
    problems.append(problem)
  }

  func warn(_ path: KeyPath, _ message: String) {
    warnings.append(
      ConfigurationWarning(
        file: file, line: locator?.line(of: path) ?? 1, key: path.description, message: message))
  }
}

/// One table being read.
final class TableReader {
  let path: KeyPath
  let findings: Findings
  private let nodes: [String: TOMLNode]
  private var known: Set<String> = []

  init(_ nodes: [String: TOMLNode], at path: KeyPath, _ findings: Findings) {
    self.nodes = nodes
    self.path = path
    self.findings = findings
  }

  /// The names in the table, sorted.
  var names: [String] { nodes.keys.sorted() }

  /// A value, if it is there and `read` makes sense of it.
  func value<Value>(_ name: String, expected: String, _ read: (TOMLNode) -> Value?) -> Value? {
    known.insert(name)
    guard let node = nodes[name] else { return nil }
    if let value = read(node) { return value }
    findings.note(path.key(name), found: node.shown, expected: expected)
    return nil
  }

  /// A value that must be there.
  func required<Value>(_ name: String, expected: String, _ read: (TOMLNode) -> Value?) -> Value? {
    if nodes[name] == nil { findings.note(path.key(name), found: "nothing", expected: expected) }
    return value(name, expected: expected, read)
  }

  func isEmptyArray(_ name: String) -> Bool {
    if case .array(let nodes) = nodes[name] { nodes.isEmpty } else { false }
  }

  func has(_ name: String) -> Bool { nodes[name] != nil }

  /// Counts a name among the known ones without reading it.
  func know(_ name: String) { known.insert(name) }

  /// Notes a problem with a key of this table.
  func note(_ name: String, found: String? = nil, expected: String) {
    findings.note(path.key(name), found: found ?? nodes[name]?.shown ?? "nothing", expected: expected)
  }

  func text(_ name: String, expected: String = "a text that is not empty") -> String? {
    value(name, expected: expected) { node in
      if case .string(let text) = node, !text.isEmpty { text } else { nil }
    }
  }

  func parsed<Value>(_ name: String, expected: String, _ parse: (String) -> Value?) -> Value? {
    value(name, expected: expected) { node in
      if case .string(let text) = node { parse(text) } else { nil }
    }
  }

  func integer(_ name: String, in range: ClosedRange<Int>, default fallback: Int) -> Int {
    value(name, expected: "a whole number from \(range.lowerBound) to \(range.upperBound)") { node in
      if case .integer(let value) = node, range.contains(value) { value } else { nil }
    } ?? fallback
  }

  func boolean(_ name: String, default fallback: Bool) -> Bool {
    value(name, expected: "true or false") { node in
      if case .boolean(let value) = node { value } else { nil }
    } ?? fallback
  }

  func duration(_ name: String, in range: ClosedRange<Duration>, default fallback: Duration) -> Duration {
    let bounds = "\(range.lowerBound.written) to \(range.upperBound.written)"
    return parsed(name, expected: "a duration such as \"30m\" (units ms, s, m, h, d) from \(bounds)") { text in
      Duration(written: text).flatMap { range.contains($0) ? $0 : nil }
    } ?? fallback
  }

  func size(_ name: String, in range: ClosedRange<ByteCount>, default fallback: ByteCount) -> ByteCount {
    let bounds = "\(range.lowerBound.written) to \(range.upperBound.written)"
    return parsed(
      name, expected: "a size such as \"1GiB\" (units B, KiB, MiB, GiB, TiB, kB, MB, GB, TB) from \(bounds)"
    ) {
      ByteCount(written: $0).flatMap { range.contains($0) ? $0 : nil }
    } ?? fallback
  }

  /// One of several words, each with its meaning.
  func choice<Value>(_ name: String, _ choices: [(String, Value)]) -> Value? {
    let words = choices.map { "\"\($0.0)\"" }
    return parsed(name, expected: "one of \(words.joined(separator: ", "))") { text in
      choices.first { $0.0 == text }?.1
    }
  }

  /// An array; each element is read on its own, so that each wrong one is told.
  func list<Value>(_ name: String, expected: String, _ read: (TOMLNode, KeyPath) -> Value?) -> [Value] {
    let nodes: [TOMLNode]? = value(name, expected: "an array of \(expected)") { node in
      if case .array(let nodes) = node { nodes } else { nil }
    }
    return (nodes ?? []).enumerated().compactMap { index, node in
      read(node, path.key(name).element(index))
    }
  }

  /// An array of texts.
  func texts<Value>(_ name: String, expected: String, _ parse: (String) -> Value?) -> [Value] {
    list(name, expected: expected) { node, place in
      if case .string(let text) = node, let value = parse(text) { return value }
      findings.note(place, found: node.shown, expected: expected)
      return nil
    }
  }

  /// A table within this one; an empty one if it is not there.
  func table(_ name: String) -> TableReader {
    let nodes: [String: TOMLNode]? = value(name, expected: "a table [\(path.key(name))]") { node in
      if case .table(let nodes) = node { nodes } else { nil }
    }
    return TableReader(nodes ?? [:], at: path.key(name), findings)
  }

  /// Reports every key that nobody asked for. Call it last.
  func finish() {
    for name in nodes.keys.sorted() where !known.contains(name) {
      let place = path.steps.isEmpty ? "here" : "in [\(path)]"
      let nearest = nearestName(to: name, among: known.sorted()).map { "\"\($0)\", or " } ?? ""
      let all = known.sorted().map { "\"\($0)\"" }.joined(separator: ", ")
      findings.note(
        path.key(name), found: "an unknown key \"\(name)\"", expected: "\(nearest)one of the keys \(place): \(all)")
    }
  }
}
