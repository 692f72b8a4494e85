// A page that came whole: decoded, its links rewritten, and sent on as it is then.

internal import Zlib

package enum PageBody {
  /// The most that a page may inflate to: a bomb of a kilobyte is a gigabyte.
  package static let inflatedBytesMax = 4 * LinkRewriter.bytesMax

  /// - Parameter coding: what `Content-Encoding` says.
  /// - Returns: nil where it cannot be read: the bytes are to pass as they are.
  package static func rewritten(_ bytes: [UInt8], coding: String?, _ place: DevicePlace) -> [UInt8]? {
    guard let plain = decoded(bytes, coding: coding) else { return nil }
    return LinkRewriter(place).rewrite(plain)
  }

  /// Whether a body of this coding can be read here at all.
  package static func isReadable(coding: String?) -> Bool {
    guard let coding else { return true }
    return ["", "identity", "gzip", "x-gzip", "deflate"].contains(trimmed(coding).lowercased())
  }

  private static func decoded(_ bytes: [UInt8], coding: String?) -> [UInt8]? {
    let format: ZlibFormat
    switch trimmed(coding ?? "").lowercased() {
    case "", "identity": return bytes
    case "gzip", "x-gzip": format = .gzip
    case "deflate": format = .zlib
    default: return nil
    }
    return inflated(bytes, format)
  }

  /// Not inlined: an optimizing compiler (Swift 6.3.1) fails on typed errors in a coroutine that it has made of both.
  @inline(never) private static func inflated(_ bytes: [UInt8], _ format: ZlibFormat) -> [UInt8]? {
    guard let inflater = try? Inflater(format) else { return nil }
    return try? inflater.inflate(bytes[...], bytesMax: inflatedBytesMax)
  }
}
