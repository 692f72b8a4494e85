// The challenges of `WWW-Authenticate` (RFC 9110, section 11.6.1) that pass to a browser.
//
// A browser answers NTLM and Negotiate by itself where it trusts a site, with what its user has logged in to the computer by. That is nothing for a device
// to have, and neither works here: both are of a connection. Basic (RFC 7617) and Digest (RFC 7616) ask a person.

enum Challenges {
  private static let passing: Set<String> = ["basic", "digest"]

  /// The value without the challenges that do not pass; nil: none does.
  static func passed(_ value: String) -> String? {
    var challenges: [(scheme: String, parts: [String])] = []
    for part in parts(of: value) {
      let word = part.prefix { $0 != " " && $0 != "\t" }
      // `name=value` goes on with the challenge before; a scheme stands alone, or before its first parameter.
      let isParameter = word.contains("=") || trimmed(part.dropFirst(word.count)).hasPrefix("=")
      if isParameter {
        guard !challenges.isEmpty else { continue }
        challenges[challenges.count - 1].parts.append(part)
      } else {
        challenges.append((word.lowercased(), [part]))
      }
    }
    let kept = challenges.filter { passing.contains($0.scheme) }.flatMap(\.parts)
    return kept.isEmpty ? nil : kept.joined(separator: ", ")
  }

  /// The parts between commas, but for commas in quoted texts.
  private static func parts(of value: String) -> [String] {
    var parts = [""]
    var (isQuoted, isEscaped) = (false, false)
    for character in value {
      switch character {
      case _ where isEscaped: isEscaped = false
      case "\\" where isQuoted: isEscaped = true
      case "\"": isQuoted.toggle()
      case "," where !isQuoted:
        parts.append("")
        continue
      default: break
      }
      parts[parts.count - 1].append(character)
    }
    return parts.map(trimmed).filter { !$0.isEmpty }
  }
}
