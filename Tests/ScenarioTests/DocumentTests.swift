import Foundation
import Testing

/// The documents: whoever follows a link arrives, and every page is found from the index.
@Suite struct Documents {
  private static let root = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent()

  /// Markdown files, relative to the root.
  private static func pages() throws -> [String] {
    let top = try FileManager.default.contentsOfDirectory(atPath: root.path).filter { $0.hasSuffix(".md") }
    let below = FileManager.default.enumerator(atPath: root.path + "/docs")?.compactMap { $0 as? String } ?? []
    return top + below.filter { $0.hasSuffix(".md") }.map { "docs/" + $0 }
  }

  /// Targets of the links of a page that are no URLs, without their fragments; relative to the root.
  private static func links(of page: String) throws -> [(target: String, fragment: String?)] {
    let text = try String(contentsOf: root.appendingPathComponent(page), encoding: .utf8)
    return text.matches(of: /\]\(([^)\s]+)\)/).compactMap { match in
      let link = String(match.1)
      guard !link.contains("://"), !link.hasPrefix("mailto:") else { return nil }
      let parts = link.split(separator: "#", maxSplits: 1, omittingEmptySubsequences: false).map(String.init)
      let target = parts[0].isEmpty ? page : resolved(parts[0], from: page)
      return (target, parts.count > 1 ? parts[1] : nil)
    }
  }

  /// Without `..`: NSString's standardizingPath leaves those of relative paths, of which there would be ever more.
  private static func resolved(_ link: String, from page: String) -> String {
    let url = root.appendingPathComponent(page).deletingLastPathComponent().appendingPathComponent(link)
    return String(url.standardized.path.trimmingPrefix(root.path + "/"))
  }

  @Test func `have links that lead somewhere`() throws {
    let pages = try Self.pages()
    #expect(pages.count > 40)
    for page in pages {
      for (target, fragment) in try Self.links(of: page) {
        let path = Self.root.appendingPathComponent(target).path
        #expect(FileManager.default.fileExists(atPath: path), "\(page) links to \(target)")
        guard let fragment, target.hasSuffix(".md"), FileManager.default.fileExists(atPath: path) else { continue }
        #expect(try Self.anchors(of: target).contains(fragment), "\(page) links to \(target)#\(fragment)")
      }
    }
  }

  @Test func `are all found from their index`() throws {
    var reached: Set<String> = ["docs/README.md"]
    var waiting = ["docs/README.md"]
    while let page = waiting.popLast() {
      for (target, _) in try Self.links(of: page) where target.hasSuffix(".md") && reached.insert(target).inserted {
        if FileManager.default.fileExists(atPath: Self.root.appendingPathComponent(target).path) {
          waiting.append(target)
        }
      }
    }
    for page in try Self.pages() where !page.hasPrefix("docs/decisions/") && page != "README.md" {
      #expect(reached.contains(page), "nothing leads from docs/README.md to \(page)")
    }
  }

  /// How GitHub names headings: lower case, without punctuation, spaces as hyphens.
  private static func anchors(of page: String) throws -> Set<String> {
    let text = try String(contentsOf: root.appendingPathComponent(page), encoding: .utf8)
    let headings = text.split(separator: "\n").filter { $0.hasPrefix("#") }
    return Set(
      headings.map { heading in
        let words = heading.drop { $0 == "#" }.drop { $0 == " " }.lowercased()
        return String(words.filter { $0.isLetter || $0.isNumber || $0 == " " || $0 == "-" || $0 == "_" })
          .replacingOccurrences(of: " ", with: "-")
      })
  }
}
