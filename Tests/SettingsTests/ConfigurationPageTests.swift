// docs/configuration.md has every key that the reader knows, and no other.

import Platform
import Settings
import Testing

@Suite struct ConfigurationPageTests {
  private static let page = Files.parent(of: #filePath) + "/../../docs/configuration.md"

  /// The keys of each section as the reader lists them for somebody who wrote one that it does not know.
  private static func known(_ section: String, _ document: String) throws -> Set<String> {
    do throws(ConfigurationProblems) {
      _ = try AgentConfiguration.parse(document, file: "ptagent.toml")
      return []
    } catch {
      let list = try #require(
        error.problems.first { $0.found == "an unknown key \"zzzz\"" }?.expected.split(separator: ": ", maxSplits: 1)
          .last,
        "\(section): \(error)")
      return Set(list.split(separator: ", ").map { $0.filter { $0 != "\"" } })
    }
  }

  /// The first column of the tables under a heading `## [section]`.
  private static func told(_ section: String) throws -> Set<String> {
    let text = try Files.readText(page)
    var keys: Set<String> = []
    var isInSection = false
    for line in text.split(separator: "\n") {
      if line.hasPrefix("## ") { isInSection = line == "## \(section)" }
      guard isInSection, line.hasPrefix("| `") else { continue }
      let cell = line.dropFirst(2).prefix { $0 != "|" }
      keys.formUnion(cell.split(separator: "`").filter { $0.first?.isLetter == true && $0 != "or" }.map(String.init))
    }
    return keys.subtracting([" or "])
  }

  @Test(arguments: [
    ("[hub]", "[hub]\nzzzz = 1"), ("[proxy]", "[proxy]\nzzzz = 1"), ("[state]", "[state]\nzzzz = 1"),
    ("[journal]", "[journal]\nzzzz = 1"), ("[delivery]", "[delivery]\nzzzz = 1"), ("[log]", "[log]\nzzzz = 1"),
    ("[discovery]", "[discovery]\nzzzz = 1"), ("[poll]", "[poll]\nzzzz = 1"), ("[console]", "[console]\nzzzz = 1"),
    ("[profiles]", "[profiles]\nzzzz = 1"), ("[remote]", "[remote]\nzzzz = 1"),
    ("[[meters.offset]]", "[[meters.offset]]\nzzzz = 1"),
  ]) func `a section's table has the keys that are read`(section: String, document: String) throws {
    let known = try Self.known(section, document)
    #expect(!known.isEmpty)
    #expect(try Self.told(section) == known)
  }

  @Test func `the table of credentials has the keys of every kind`() throws {
    var known: Set<String> = []
    for kind in ["v1", "v2c", "v3"] {
      known.formUnion(
        try Self.known(kind, "[credentials.x]\nkind = \"\(kind)\"\ncommunity = \"c\"\nuser = \"u\"\nzzzz = 1"))
    }
    #expect(try Self.told("[credentials.NAME]") == known)
  }

  @Test func `the tables of alerts have the keys of thresholds, devices and supplies`() throws {
    let known = try Self.known("alerts", "[alerts]\nzzzz = 1").subtracting(["device", "supply"])
      .union(Self.known("device", "[[alerts.device]]\nzzzz = 1"))
      .union(Self.known("supply", "[[alerts.supply]]\nzzzz = 1"))
    #expect(try Self.told("[alerts]") == known)
  }

  @Test func `every section that is read has its heading`() throws {
    let text = try Files.readText(Self.page)
    for section in try Self.known("file", "zzzz = 1") {
      let headings = ["## [\(section)]\n", "## [\(section).NAME]\n", "## [[\(section).offset]]\n"]
      #expect(headings.contains { text.contains($0) }, "\(section)")
    }
  }
}
