// The head of a device's answer.

package struct ResponseHead: Equatable, Sendable {
  package struct Field: Equatable, Sendable {
    /// In lower case.
    package var name: String
    package var value: String

    package init(_ name: String, _ value: String) {
      self.name = name
      self.value = value
    }
  }

  package var status: Int
  /// 0 or 1, of HTTP/1.
  package var minorVersion: Int
  package var fields: [Field]

  package init(status: Int, minorVersion: Int = 1, fields: [Field] = []) {
    self.status = status
    self.minorVersion = minorVersion
    self.fields = fields
  }

  /// Whether its `content-length` is that of the body which follows (RFC 9112 section 6.2).
  package var saysItsLength: Bool { status != 204 && status >= 200 && values("transfer-encoding").isEmpty }

  package func values(_ name: String) -> [String] { fields.filter { $0.name == name }.map(\.value) }

  /// The elements of all fields of this name, as of a list (RFC 9110 section 5.6.1), in lower case.
  package func elements(_ name: String) -> [String] {
    values(name).flatMap { $0.split(separator: ",") }.map { $0.trimmingSpaces.lowercased() }.filter { !$0.isEmpty }
  }
}

extension Substring {
  var trimmingSpaces: String {
    var text = self
    while let first = text.first, first == " " || first == "\t" { text.removeFirst() }
    while let last = text.last, last == " " || last == "\t" { text.removeLast() }
    return String(text)
  }
}

// MARK: - The connection

extension ResponseHead {
  /// RFC 9112 section 9.3: HTTP/1.1 goes on unless it says otherwise, HTTP/1.0 where it says so.
  var persists: Bool {
    let options = elements("connection")
    return !options.contains("close") && (minorVersion >= 1 || options.contains("keep-alive"))
  }

  /// Its end is told in two ways, or in one that its version does not have: RFC 9112 section 6.3 has the connection closed after it.
  var isFramedTwice: Bool {
    let codings = elements("transfer-encoding")
    return !codings.isEmpty && (minorVersion == 0 || !elements("content-length").isEmpty)
  }

  /// How long the device leaves a connection open, in seconds, where it says so: `Keep-Alive: timeout=5`.
  package var secondsKept: Int? {
    elements("keep-alive").lazy.filter { $0.hasPrefix("timeout=") }.compactMap { Int($0.dropFirst(8)) }.first
  }
}

// MARK: - Read

extension ResponseHead {
  /// Fields of one head: real ones have two dozen.
  package static let fieldsMax = 500

  /// Reads the lines of a head, without the empty one at its end. A line may end with a line feed alone (RFC 9112 section 2.2), a field go on in the
  /// next line (section 5.2), and spaces stand before a colon, which are taken away (section 5.1). A line without a colon is passed over, as browsers do.
  /// - Throws: `notHTTP`.
  init(lines: [ArraySlice<UInt8>]) throws(DeviceFault) {
    guard let first = lines.first else { throw .notHTTP("it has no status line") }
    (minorVersion, status) = try Self.statusLine(first)
    fields = []
    for line in lines.dropFirst() {
      guard line.allSatisfy({ $0 == 9 || $0 >= 0x20 && $0 != 0x7f }) else {
        throw .notHTTP("a header field has a control character")
      }
      if line.first == 0x20 || line.first == 9 {
        guard let last = fields.indices.last else { continue }
        fields[last].value += " " + Self.text(line)
        continue
      }
      guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { continue }
      let name = Self.text(line[..<colon]).lowercased()
      guard !name.isEmpty, name.utf8.allSatisfy(Self.isToken) else { throw .notHTTP("a header field has no name") }
      guard fields.count < Self.fieldsMax else { throw .headTooLarge }
      fields.append(Field(name, Self.text(line[(colon + 1)...])))
    }
  }

  /// `HTTP/1.1 200 OK`, of which devices leave the end out.
  private static func statusLine(_ line: ArraySlice<UInt8>) throws(DeviceFault) -> (minorVersion: Int, status: Int) {
    let words = line.split(separator: 0x20, maxSplits: 2, omittingEmptySubsequences: false)
    let version = words.first.map { String(decoding: $0, as: UTF8.self) }
    guard version == "HTTP/1.1" || version == "HTTP/1.0" else { throw .notHTTP("it is of another version") }
    guard words.count >= 2, words[1].count == 3, words[1].allSatisfy({ (0x30...0x39).contains($0) }),
      let status = Int(String(decoding: words[1], as: UTF8.self)), status >= 100
    else { throw .notHTTP("it has no status") }
    return (version == "HTTP/1.1" ? 1 : 0, status)
  }

  /// Bytes that are no UTF-8 are read as ISO 8859-1, as HTTP had it (RFC 9110 section 5.5).
  private static func text(_ bytes: ArraySlice<UInt8>) -> String {
    let text =
      String(validating: bytes, as: UTF8.self)
      ?? String(String.UnicodeScalarView(bytes.map { UnicodeScalar($0) }))
    return text[...].trimmingSpaces
  }

  /// RFC 9110 section 5.6.2.
  package static func isToken(_ byte: UInt8) -> Bool {
    switch byte {
    case 0x30...0x39, 0x41...0x5a, 0x61...0x7a: true
    default: "!#$%&'*+-.^_`|~".utf8.contains(byte)
    }
  }
}
