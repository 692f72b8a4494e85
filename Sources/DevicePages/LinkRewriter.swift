// Absolute addresses of the device in what it sends: a browser that followed them would look for the device in its own network.
//
//     http://192.168.1.7/menu      the present target       /menu
//     https://192.168.1.7/menu     another of its targets   /.printtrail/go/https/443/menu, from where the session goes over to that target
//     //npi3f2a/menu               its present scheme       /menu
//     http:\/\/192.168.1.7\/menu   in JSON and scripts      \/menu
//     http://192.168.1.70/menu     another machine          stays, and the policy of the page refuses it
//
// Pages are text of any encoding whose ASCII is ASCII; bytes are looked at, and only those between `//` and the end of an authority are changed.

package struct LinkRewriter: Sendable {
  /// The path below which the session's target changes.
  package static let switchPath = "/.printtrail/go/"
  /// A page that is longer passes as it is: devices' own are some kilobytes, and it is held in memory meanwhile.
  package static let bytesMax = 2 << 20

  private let place: DevicePlace

  package init(_ place: DevicePlace) { self.place = place }

  /// Whether bodies of this type hold links to rewrite.
  package static func applies(toType type: String?) -> Bool {
    let essence = trimmed((type ?? "").prefix { $0 != ";" }).lowercased()
    return [
      "text/html", "application/xhtml+xml", "text/css", "text/javascript", "application/javascript",
      "application/x-javascript", "text/ecmascript", "application/ecmascript",
    ].contains(essence)
  }

  package func rewrite(_ bytes: [UInt8]) -> [UInt8] {
    var output: [UInt8] = []
    var kept = 0
    var index = 0
    let slash = UInt8(ascii: "/")
    while index + 1 < bytes.count {
      guard bytes[index] == slash, let link = link(bytes, at: index) else {
        index += 1
        continue
      }
      if output.isEmpty { output.reserveCapacity(bytes.count) }
      output.append(contentsOf: bytes[kept..<link.begin])
      output.append(contentsOf: link.replacement)
      kept = link.end
      index = link.end
    }
    guard kept > 0 else { return bytes }
    output.append(contentsOf: bytes[kept...])
    return output
  }

  private struct Link {
    let begin: Int
    let end: Int
    let replacement: [UInt8]
  }

  /// The address whose first slash is here, if it is one of the device's.
  private func link(_ bytes: [UInt8], at slash: Int) -> Link? {
    // `//`, or `\/\/`.
    let isEscaped = slash > 0 && bytes[slash - 1] == UInt8(ascii: "\\")
    var begin = slash + 1
    if isEscaped {
      guard begin + 1 < bytes.count, bytes[begin] == UInt8(ascii: "\\") else { return nil }
      begin += 1
    }
    guard begin < bytes.count, bytes[begin] == UInt8(ascii: "/") else { return nil }
    begin += 1
    let head = isEscaped ? slash - 1 : slash
    guard let scheme = scheme(bytes, before: head) else { return nil }
    var end = begin
    while end < bytes.count, end - begin <= Self.authorityBytesMax, Self.isOfAuthority(bytes[end]) { end += 1 }
    guard end > begin, end == bytes.count || Self.endsAuthority(bytes[end]),
      let (host, port) = WrittenAddress.authority(Substring(String(decoding: bytes[begin..<end], as: UTF8.self))),
      place.names.contains(host)
    else { return nil }
    let isSecure = scheme.name.map { $0 == "https" } ?? place.current.isSecure
    let named = DeviceTarget(isSecure: isSecure, port: port ?? DeviceTarget.usualPort(isSecure: isSecure))
    guard let target = place.leading(to: named) else { return nil }
    let slashes = Self.slashes(bytes, end)
    return Link(
      begin: scheme.begin, end: end, replacement: replacement(target, followedBy: slashes, isEscaped: isEscaped))
  }

  /// - Parameter slashes: how many there are behind the authority. Two of them would be another host, were they to stand at the front.
  private func replacement(_ target: DeviceTarget, followedBy slashes: Int, isEscaped: Bool) -> [UInt8] {
    let path =
      target == place.current ? "" : "\(Self.switchPath.dropLast())/\(target.scheme)/\(target.port)"
    let text = slashes == 0 ? path + "/" : slashes == 1 ? path : path + "/."
    return Array((isEscaped ? text.replacing("/", with: "\\/") : text).utf8)
  }

  /// A name has 253 bytes at most, and a port 6 (RFC 1035, section 2.3.4).
  private static let authorityBytesMax = 260

  /// The scheme before `//`, and where it begins; nil where what stands there makes it no address.
  private func scheme(_ bytes: [UInt8], before end: Int) -> (name: String?, begin: Int)? {
    guard end > 0, bytes[end - 1] == UInt8(ascii: ":") else {
      // A comment's or a path's slashes are no address; what stands in quotes, brackets or behind `=` is one.
      guard end > 0, "\"'(=`".utf8.contains(bytes[end - 1]) else { return nil }
      return (nil, end)
    }
    for name in ["https", "http"] {
      let begin = end - 1 - name.utf8.count
      guard begin >= 0, zip(bytes[begin..<(end - 1)], name.utf8).allSatisfy({ $0 | 0x20 == $1 }) else { continue }
      guard begin == 0 || !Self.isOfAuthority(bytes[begin - 1]) || bytes[begin - 1] == UInt8(ascii: ":") else {
        return nil
      }
      return (name, begin)
    }
    return nil
  }

  private static func isOfAuthority(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), 0x30...0x39,
      UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: ":"), UInt8(ascii: "["), UInt8(ascii: "]"),
      UInt8(ascii: "_"):
      true
    default: false
    }
  }

  /// `@` would make of what was read a user's name.
  private static func endsAuthority(_ byte: UInt8) -> Bool {
    byte <= 0x20 || "/?#\"'`()<>\\&,;+}|".utf8.contains(byte)
  }

  /// The slashes from here on, each with or without a backslash before it; two stand for more.
  private static func slashes(_ bytes: [UInt8], _ index: Int) -> Int {
    var (count, index) = (0, index)
    while count < 2, index < bytes.count {
      if bytes[index] == UInt8(ascii: "\\") { index += 1 }
      guard index < bytes.count, bytes[index] == UInt8(ascii: "/") else { break }
      (count, index) = (count + 1, index + 1)
    }
    return count
  }
}
