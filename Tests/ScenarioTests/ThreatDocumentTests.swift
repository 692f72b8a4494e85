import Foundation
import Testing

/// What the documents on security say is shown by a test, is: each test that they name is in the sources, under that name.
@Suite struct `Documents that name tests` {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// The names of tests and suites, by the file's and the suite's name. Checks of browsers are Python's.
  private static func tests() throws -> [String: [String]] {
    var found: [String: [String]] = [:]
    let names = FileManager.default.enumerator(atPath: root.path + "/Tests")?.compactMap { $0 as? String } ?? []
    for name in names where name.hasSuffix(".swift") || name.hasSuffix("_checks.py") {
      let text = try String(contentsOf: root.appendingPathComponent("Tests/" + name), encoding: .utf8)
      let file = (name as NSString).lastPathComponent.replacingOccurrences(of: ".swift", with: "")
      let suites = text.matches(of: /(?:struct|class) (?:`([^`]+)`|(\w+Tests)\b)/).map {
        String($0.1 ?? $0.2 ?? "")
      }
      let functions = text.matches(of: /func `([^`]+)`/).map { String($0.1) }
      let titles = text.matches(of: /@Test\(\s*"([^"]+)"/).map { String($0.1) }
      let checks = text.matches(of: /def check_(\w+)/).map { $0.1.replacingOccurrences(of: "_", with: " ") }
      for key in [file] + suites { found[key, default: []] += suites + functions + titles + checks }
    }
    return found
  }

  /// Each name with the words that stand in quotation marks behind it: `SessionTests "ends at its time", "lasts no longer"`.
  private static func named(in text: String) -> [(name: String, words: [String])] {
    text.matches(of: /(\w+Tests|\w+_checks\.py)((?:,? "[^"]+")*)/).map { match in
      (String(match.1), match.2.matches(of: /"([^"]+)"/).map { String($0.1) })
    }
  }

  @Test(arguments: [("docs/security/remote-technician.md", 60)])
  func `name such as there are`(_ page: String, atLeast: Int) throws {
    let text = try String(contentsOf: Self.root.appendingPathComponent(page), encoding: .utf8)
    let tests = try Self.tests()
    var count = 0
    for (name, words) in Self.named(in: text) {
      let known = try #require(tests[name], "\(page) names \(name), which is no file and no suite")
      for word in words {
        count += 1
        #expect(known.contains { $0.contains(word) }, "\(page) names the test \"\(word)\" of \(name)")
      }
      if words.isEmpty { count += 1 }
    }
    #expect(count >= atLeast, "\(page) names \(count) tests")
  }

  @Test func `say for each threat what shows that it is stopped`() throws {
    let page = "docs/security/remote-technician.md"
    let text = try String(contentsOf: Self.root.appendingPathComponent(page), encoding: .utf8)
    let rows = text.split(separator: "\n").filter { $0.hasPrefix("| ") && !$0.contains("Shown by") }
    #expect(rows.count > 30)
    for row in rows {
      let cells = row.split(separator: "|").map { $0.trimmingCharacters(in: .whitespaces) }
      #expect(cells.count == 3, "\(row)")
      #expect(!Self.named(in: cells.last ?? "").isEmpty, "nothing shows: \(row)")
    }
  }

  @Test func `are read as they are meant`() throws {
    let found = Self.named(in: #"SessionTests "a", "b c"; RemoteSectionTests; console_checks.py "d""#)
    #expect(found.map(\.name) == ["SessionTests", "RemoteSectionTests", "console_checks.py"])
    #expect(found.map(\.words) == [["a", "b c"], [], ["d"]])
    #expect(try Self.tests()["nobody"] == nil)
  }
}
