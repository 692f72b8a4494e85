// Where a device sends the browser: `Location` and `Refresh`, judged.
//
//     a path, or an address of the device at its present target      the path
//     an address of the device at another of its targets             the path, and the session goes over to that target
//     anything else                                                  nowhere: the browser is told where it was to go
//
// The path is all that a browser ever gets: no address of a device leaves here, and none of another machine.

package enum Redirect: Equatable, Sendable {
  /// To this path of the session's own origin; with another target from then on, unless that is nil.
  case within(path: String, target: DeviceTarget?)
  /// The address as the device wrote it.
  case elsewhere(String)
}

extension DevicePlace {
  /// - Parameters:
  ///   - location: as the device wrote it: a URI reference (RFC 9110, section 10.2.2).
  ///   - ownOrigin: that of the session, which a page may have from its script.
  package func redirect(_ location: String, ownOrigin: String) -> Redirect {
    let text = trimmed(location)
    guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }), let written = WrittenAddress(Self.slashed(text))
    else { return .elsewhere(location) }
    guard let host = written.host else {
      guard written.scheme == nil else { return .elsewhere(location) }
      // Two slashes would be another host to a browser.
      return .within(path: written.rest.isEmpty ? "/" : written.rest, target: nil)
    }
    let scheme = written.scheme ?? current.scheme
    if "\(scheme)://\(host)" + (written.port.map { ":\($0)" } ?? "") == ownOrigin {
      return .within(path: Self.path(written.rest), target: nil)
    }
    guard scheme == "http" || scheme == "https", names.contains(host) else { return .elsewhere(location) }
    let named = DeviceTarget(
      isSecure: scheme == "https", port: written.port ?? DeviceTarget.usualPort(isSecure: scheme == "https"))
    guard let target = leading(to: named) else { return .elsewhere(location) }
    return .within(path: Self.path(written.rest), target: target == current ? nil : target)
  }

  /// Browsers take backslashes for slashes before the query (URL Standard, section 4.4), and so does this.
  private static func slashed(_ text: String) -> String {
    let end = text.firstIndex { $0 == "?" || $0 == "#" } ?? text.endIndex
    return String(text[..<end]).replacing("\\", with: "/") + String(text[end...])
  }

  /// A path from the root, with one slash at its beginning.
  static func path(_ rest: String) -> String {
    guard rest.hasPrefix("/") else { return "/" + rest }
    return "/" + rest.drop { $0 == "/" }
  }

  /// `Refresh: 5; url=…`, read as browsers do (HTML, section 4.2.5.3, "shared declarative refresh steps"): white space separates as well, and what follows
  /// a quoted address is not read.
  ///
  /// - Returns: the field as it may pass, written anew, and the other target that it leads to; nil: it does not pass.
  package func refresh(_ value: String, ownOrigin: String) -> (value: String, target: DeviceTarget?)? {
    var rest = Substring(value).droppingSpace
    let digits = rest.prefix { ("0"..."9").contains($0) }
    guard !digits.isEmpty || rest.hasPrefix("."), digits.utf8.count <= 9 else { return nil }
    let seconds = digits.isEmpty ? "0" : String(digits)
    rest = rest.drop { ("0"..."9").contains($0) || $0 == "." }
    guard let mark = rest.first else { return (seconds, nil) }
    guard mark == ";" || mark == "," || mark.isHTMLSpace else { return nil }
    rest = rest.droppingSpace
    if rest.first == ";" || rest.first == "," { rest = rest.dropFirst().droppingSpace }
    guard !rest.isEmpty else { return (seconds, nil) }
    if rest.prefix(3).lowercased() == "url" {
      let behind = rest.dropFirst(3).droppingSpace
      if behind.first == "=" { rest = behind.dropFirst().droppingSpace }
    }
    if let quote = rest.first, quote == "\"" || quote == "'" { rest = rest.dropFirst().prefix { $0 != quote } }
    guard case .within(let path, let target) = redirect(String(rest), ownOrigin: ownOrigin) else { return nil }
    return ("\(seconds); url=\(path)", target)
  }
}

extension Character {
  /// ASCII white space (Infra Standard, section 4.6).
  fileprivate var isHTMLSpace: Bool { [" ", "\t", "\n", "\u{0C}", "\r", "\r\n"].contains(self) }
}

extension Substring {
  fileprivate var droppingSpace: Substring { drop { $0.isHTMLSpace } }
}
