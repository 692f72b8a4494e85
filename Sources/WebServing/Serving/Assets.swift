// The files that browsers get. They are in the program (`ConsoleAssets`), so that no path leads to a disk; each is compressed once.

internal import ConsoleAssets
internal import OpenSSL
internal import Synchronization
internal import Zlib

/// The pages of one console, by path.
package final class Assets: Sendable {
  package enum Console: Sendable { case agent, hub }

  private struct Asset: Sendable {
    let type: String
    let bytes: [UInt8]
    let gzip: [UInt8]?
    let tag: String
  }

  private let assets: [String: Asset]

  /// - Throws: `ZlibError` where zlib cannot be set up.
  package init(_ console: Console) throws {
    let own = console == .agent ? console_assets_agent() : console_assets_hub()
    let deflater = try Deflater(.gzip)
    var assets: [String: Asset] = [:]
    for table in [console_assets_shared(), own] {
      for asset in UnsafeBufferPointer(start: table.first, count: table.count) {
        let bytes = Array(UnsafeBufferPointer(start: asset.bytes, count: asset.length))
        let gzip = bytes.count >= WebLimits.compressedFromBytes ? deflater.deflate(bytes) : nil
        assets[String(cString: asset.path)] = Asset(
          type: String(cString: asset.type), bytes: bytes, gzip: gzip,
          tag: hexadecimal(SHA256.hash(bytes).bytes.prefix(12)))
      }
    }
    self.assets = assets
  }

  package var paths: [String] { assets.keys.sorted() }

  /// The file under a path; nil where there is none.
  package func answer(_ request: WebRequest) -> WebAnswer? {
    guard request.method.isSafe, let asset = assets["/" + request.path.joined(separator: "/")] else { return nil }
    let isCompressed = asset.gzip != nil && AcceptedCoding.takesGzip(request)
    // Strong tags differ between the two forms (RFC 9110, section 8.8.3).
    let tag = "\"\(asset.tag)\(isCompressed ? "-g" : "")\""
    var headers = [
      ("Content-Type", asset.type), ("ETag", tag), ("Vary", "Accept-Encoding"),
      ("Cache-Control", request.query["v"] == nil ? "no-cache" : "max-age=31536000, immutable"),
    ]
    if request.header("if-none-match")?.split(separator: ",").contains(where: { $0.drop { $0 == " " } == tag }) ?? false
    {
      headers.removeFirst()
      return WebAnswer(status: 304, headers: headers)
    }
    if isCompressed, let gzip = asset.gzip { return WebAnswer(status: 200, headers: headers, body: .gzip(gzip)) }
    return WebAnswer(status: 200, headers: headers, body: .bytes(asset.bytes))
  }
}

enum AcceptedCoding {
  /// Whether a client takes gzip (RFC 9110, section 12.5.3).
  static func takesGzip(_ request: WebRequest) -> Bool {
    let codings = (request.header("accept-encoding") ?? "").lowercased().split(separator: ",")
    return codings.contains { coding in
      let parts = coding.split(separator: ";").map { part in part.filter { $0 != " " } }
      guard let name = parts.first, name == "gzip" || name == "*" else { return false }
      return !parts.dropFirst().contains { $0 == "q=0" || $0 == "q=0.0" || $0 == "q=0.00" || $0 == "q=0.000" }
    }
  }
}
