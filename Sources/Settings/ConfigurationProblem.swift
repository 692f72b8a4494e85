// What is wrong in a configuration file, told so that the operator can go to the line and put it right.

/// One thing that is wrong: where, what was found, what was expected; of a file that is no TOML what its reader says.
package struct ConfigurationProblem: Error, Hashable, Sendable, CustomStringConvertible {
  package let file: String
  /// Counts from 1; nil when the file as a whole is meant.
  package let line: Int?
  /// Dotted, for example `discovery.ranges[2].range`; empty when the file as a whole is meant.
  package let key: String
  /// What stands there, for example `"soon"`; `nothing` when something is missing.
  package let found: String
  /// What should stand there, as it reads after "expected".
  package let expected: String
  /// What is wrong with the syntax, and in which column; then there is nothing else to say.
  let syntax: String?

  package init(file: String, line: Int?, key: String, found: String, expected: String) {
    self.file = file
    self.line = line
    self.key = key
    self.found = found
    self.expected = expected
    syntax = nil
  }

  /// The file is no TOML: nothing in it was looked at.
  init(file: String, syntax error: TOMLNode.SyntaxError) {
    self.file = file
    line = error.line
    (key, found, expected) = ("", "", "")
    let place = error.column.map { " at column \($0)" } ?? ""
    syntax = "this is not TOML 1.0\(place): \(error.message)"
  }

  /// `ptagent.toml:12: poll.interval: found "soon", expected a duration such as "30m".`
  package var description: String {
    let place = line.map { "\(file):\($0)" } ?? file
    if let syntax { return "\(place): \(syntax)." }
    return "\(place): \(key.isEmpty ? "" : key + ": ")found \(found), expected \(expected)."
  }
}

/// Every problem of a file at once, in the order of its lines.
package struct ConfigurationProblems: Error, Hashable, Sendable, CustomStringConvertible {
  package let problems: [ConfigurationProblem]

  package init(_ problems: [ConfigurationProblem]) {
    self.problems = problems.enumerated()
      .sorted { ($0.element.line ?? 0, $0.offset) < ($1.element.line ?? 0, $1.offset) }
      .map(\.element)
  }

  package var description: String { problems.map(\.description).joined(separator: "\n") }
}

/// Something that is allowed and can hardly be meant.
package struct ConfigurationWarning: Hashable, Sendable, CustomStringConvertible {
  package let file: String
  package let line: Int
  package let key: String
  /// A sentence without its full stop.
  package let message: String

  /// `ptagent.toml:12: discovery.ranges[2].range: 10.0.0.0/24 is wholly excluded.`
  package var description: String { "\(file):\(line): \(key): \(message)." }
}
