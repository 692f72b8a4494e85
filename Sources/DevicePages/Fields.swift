// The header of a request or an answer, as a list: names in lower case, in the order in which they came.

package struct Fields: Equatable, Sendable {
  package struct Field: Equatable, Sendable {
    /// In lower case.
    package let name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name.lowercased()
      self.value = value
    }
  }

  package private(set) var list: [Field] = []

  package init() {}

  package init(_ pairs: [(String, String)]) { list = pairs.map { Field($0.0, $0.1) } }

  package subscript(name: String) -> String? { list.first { $0.name == name }?.value }

  /// Each value of a field that may be there several times.
  package func values(_ name: String) -> [String] { list.filter { $0.name == name }.map(\.value) }

  package mutating func add(_ name: String, _ value: String) { list.append(Field(name, value)) }

  package mutating func remove(_ name: String) { list.removeAll { $0.name == name } }

  /// Puts this one in the place of all of its name.
  package mutating func set(_ name: String, _ value: String) {
    remove(name)
    add(name, value)
  }

  /// The fields that pass, each as it is to be.
  ///
  /// - Parameter rule: gives the value to go on with; nil: the field does not pass.
  package func passing(_ rule: (Field) -> String?) -> Fields {
    var passed = Fields()
    for field in list {
      if let value = rule(field) { passed.add(field.name, value) }
    }
    return passed
  }

  /// Fields that are for the connection alone, and those that `Connection` names besides (RFC 9110, section 7.6.1).
  var ofTheConnection: Set<String> {
    let named = values("connection").flatMap { $0.split(separator: ",") }.map { trimmed($0).lowercased() }
    return Self.hopByHop.union(named)
  }

  private static let hopByHop: Set<String> = [
    "connection", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "http2-settings",
  ]
}

/// Without white space around it (RFC 9110, section 5.6.3).
func trimmed(_ text: some StringProtocol) -> String {
  var rest = Substring(text)
  while let first = rest.first, first == " " || first == "\t" { rest.removeFirst() }
  while let last = rest.last, last == " " || last == "\t" { rest.removeLast() }
  return String(rest)
}
