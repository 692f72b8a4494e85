internal import ConsoleAssets
internal import Foundation
internal import Testing
internal import Zlib

/// A file as browsers get it.
private struct Asset: CustomStringConvertible {
  let path: String
  let type: String
  let bytes: [UInt8]

  init(_ asset: ConsoleAsset) {
    path = String(cString: asset.path)
    type = String(cString: asset.type)
    bytes = Array(UnsafeBufferPointer(start: asset.bytes, count: asset.length))
  }

  var description: String { path }

  /// Without comments, which may name documents elsewhere.
  var code: String {
    String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
      .filter { line in
        let text = line.trimmingCharacters(in: .whitespaces)
        return !["//", "/*", "*"].contains { text.hasPrefix($0) }
      }
      .joined(separator: "\n")
  }
}

private func assets(_ table: ConsoleAssetTable) -> [Asset] {
  UnsafeBufferPointer(start: table.first, count: table.count).map(Asset.init)
}

private let shared = assets(console_assets_shared())
private let agent = assets(console_assets_agent())
private let hub = assets(console_assets_hub())
private let folders = ["shared": shared, "agent": agent, "hub": hub]

@Suite struct `The files that browsers get` {
  private static let room = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
    .deletingLastPathComponent().appendingPathComponent("Sources/ConsoleAssets")

  /// An edited or a new file that is not embedded would be missed in a browser alone.
  @Test(arguments: ["shared", "agent", "hub"])
  func `are all those of their folder, as they are there`(folder: String) throws {
    let table = try #require(folders[folder])
    let prefix = folder == "shared" ? "/shared/" : "/app/"
    let directory = Self.room.appendingPathComponent(folder)
    var expected: [String: [UInt8]] = [:]
    let names = try FileManager.default.subpathsOfDirectory(atPath: directory.path)
    for name in names {
      let file = directory.appendingPathComponent(name)
      var isDirectory: ObjCBool = false
      guard FileManager.default.fileExists(atPath: file.path, isDirectory: &isDirectory), !isDirectory.boolValue else {
        continue
      }
      let path = name == "index.html" ? "/" : name == "favicon.svg" ? "/favicon.svg" : prefix + name
      expected[path] = Array(try Data(contentsOf: file))
    }
    #expect(Set(table.map(\.path)) == Set(expected.keys))
    for asset in table { #expect(asset.bytes == expected[asset.path], "\(asset.path)") }
  }

  @Test(arguments: shared + agent + hub)
  private func `have the type of what they are`(asset: Asset) {
    let types = ["js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"]
    let kind = asset.path == "/" ? "text/html" : types[(asset.path as NSString).pathExtension]
    #expect(asset.type == kind.map { $0 + "; charset=utf-8" })
    #expect(asset.path.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7f } && asset.path.hasPrefix("/"))
    #expect(String(validating: asset.bytes, as: UTF8.self) != nil)
  }

  /// Everything is served locally: a console works where there is no way out, and tells nobody that it is used.
  @Test(arguments: shared + agent + hub)
  private func `name no other host`(asset: Asset) {
    let named = asset.code.replacingOccurrences(of: "http://www.w3.org/2000/svg", with: "")
      .replacingOccurrences(of: "https?:", with: "")
    #expect(!named.contains("http:") && !named.contains("https:") && !named.contains("url(//"))
  }

  /// What a printer calls itself is text. The policy forbids the rest, and nothing here relies on that alone.
  @Test(arguments: shared + agent + hub)
  private func `parse nothing as markup and run no text`(asset: Asset) {
    for word in [
      "innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "DOMParser", "createContextualFragment",
      "setHTMLUnsafe", "eval(", "new Function", "javascript:", " style=\"", ".cssText",
    ] {
      #expect(!asset.code.contains(word), "\(word)")
    }
  }

  /// A module that is not there shows in a browser alone, and there as a blank page.
  @Test(arguments: ["agent", "hub"]) func `refer to files that are there`(console: String) throws {
    let table = shared + (try #require(folders[console]))
    let paths = Set(table.map(\.path))
    let reference = /(?:from |import\(|import |href=|src=)"(\/[^"]*)"/
    var found = 0
    for asset in table {
      for match in asset.code.matches(of: reference) {
        found += 1
        #expect(paths.contains(String(match.1)), "\(asset.path) refers to \(match.1)")
      }
    }
    #expect(found > 0)
  }

  /// With all its pages, not only the first.
  @Test(arguments: ["agent", "hub"]) func `are 150 KB at most, compressed`(console: String) throws {
    let table = shared + (try #require(folders[console]))
    let deflater = try Deflater(.gzip)
    let bytes = table.reduce(0) { $0 + (deflater.deflate($1.bytes) ?? $1.bytes).count }
    #expect(bytes < 150_000)
  }
}
