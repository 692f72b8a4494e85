// Where in a TOML document a value stands: `discovery.ranges[2].range`.

/// The path of a value from the document's root.
struct KeyPath: Hashable, CustomStringConvertible {
  enum Step: Hashable {
    case key(String)
    /// Counts from 0; shown so as well.
    case element(Int)
  }

  var steps: [Step] = []

  func key(_ name: String) -> KeyPath { KeyPath(steps: steps + [.key(name)]) }
  func element(_ index: Int) -> KeyPath { KeyPath(steps: steps + [.element(index)]) }

  /// The path of what contains this; nil at the root.
  var parent: KeyPath? { steps.isEmpty ? nil : KeyPath(steps: Array(steps.dropLast())) }

  var description: String {
    var text = ""
    for step in steps {
      switch step {
      case .key(let name): text += (text.isEmpty ? "" : ".") + Self.quoted(name)
      case .element(let index): text += "[\(index)]"
      }
    }
    return text
  }

  private static func quoted(_ name: String) -> String {
    let isBare = !name.isEmpty && name.utf8.allSatisfy(isBareKeyCharacter)
    return isBare ? name : "\"\(name)\""
  }
}

/// TOML 1.0, "Keys": bare keys may only contain ASCII letters, digits, underscores and dashes.
func isBareKeyCharacter(_ byte: UInt8) -> Bool {
  switch byte {
  case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
  case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"), UInt8(ascii: "-"): true
  default: false
  }
}
