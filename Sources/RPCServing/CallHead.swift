// The heads of calls and answers (PROTOCOL-HTTP2.md): HTTP/2 fields to a method and metadata, and back.

internal import GRPCCore
internal import HTTP2
internal import OpenSSL

/// What the first header section of a call says.
struct CallHead: Sendable {
  let method: MethodDescriptor
  let metadata: Metadata
  /// Of the peer's messages.
  let encoding: MessageEncoding?
  /// That the peer can read.
  let accepted: MessageEncoding?

  /// An answer that is no call's: its one header section.
  struct Refusal: Error {
    let fields: [HTTP2Header]
  }

  /// - Parameter methods: those that are served, by their paths.
  init(_ fields: [HTTP2Header], methods: [String: MethodDescriptor]) throws(Refusal) {
    guard let type = fields.first(named: "content-type"), Self.isGRPC(type) else {
      throw Refusal(fields: [HTTP2Header(":status", "415")])
    }
    guard fields.first(named: ":method") == "POST" else {
      throw Refusal(.invalidArgument, "The method of a call's head must be POST.")
    }
    guard let path = fields.first(named: ":path"), let method = methods[path] ?? Self.method(path) else {
      throw Refusal(.unimplemented, "The path of a call must be /service/method.")
    }
    encoding = try Self.encoding(fields)
    accepted = fields.first(named: "grpc-accept-encoding").flatMap { MessageEncoding.first(in: $0) }
    self.method = method
    metadata = Metadata(fields)
  }

  /// `application/grpc`, maybe with the format of messages or parameters.
  private static func isGRPC(_ type: String) -> Bool {
    let name = "application/grpc"
    guard type.hasPrefix(name) else { return false }
    let rest = type.dropFirst(name.count)
    return rest.isEmpty || rest.first == "+" || rest.first == ";"
  }

  /// A method that nobody serves still has a name, which the answer tells.
  private static func method(_ path: String) -> MethodDescriptor? {
    guard path.first == "/", let slash = path.dropFirst().lastIndex(of: "/") else { return nil }
    let service = path[path.index(after: path.startIndex)..<slash]
    let method = path[path.index(after: slash)...]
    guard !service.isEmpty, !method.isEmpty else { return nil }
    return MethodDescriptor(fullyQualifiedService: String(service), method: String(method))
  }

  private static func encoding(_ fields: [HTTP2Header]) throws(Refusal) -> MessageEncoding? {
    guard let name = fields.first(named: "grpc-encoding"), name != "identity" else { return nil }
    if let encoding = MessageEncoding(rawValue: name) { return encoding }
    throw Refusal(
      .unimplemented, "Messages compressed as '\(name.prefix(32))' are not read.",
      [HTTP2Header("grpc-accept-encoding", MessageEncoding.accepted)])
  }
}

extension CallHead.Refusal {
  init(_ code: Status.Code, _ message: String, _ more: [HTTP2Header] = []) {
    self.init(fields: wholeAnswer(Status(code: code, message: message), [:]) + more)
  }
}

// MARK: answers

/// The first section of an answer, before its messages.
func answerHead(_ metadata: Metadata, encoding: MessageEncoding?) -> [HTTP2Header] {
  var fields = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]
  if let encoding { fields.append(HTTP2Header("grpc-encoding", encoding.rawValue)) }
  fields.append(HTTP2Header("grpc-accept-encoding", MessageEncoding.accepted))
  append(metadata, to: &fields)
  return fields
}

/// The last section of an answer, behind its messages.
func answerEnd(_ status: Status, _ metadata: Metadata) -> [HTTP2Header] {
  var fields = [HTTP2Header("grpc-status", String(status.code.rawValue))]
  if !status.message.isEmpty { fields.append(HTTP2Header("grpc-message", percentEncoded(status.message))) }
  append(metadata, to: &fields)
  return fields
}

/// An answer of one section, for a call that gets no message.
func wholeAnswer(_ status: Status, _ metadata: Metadata) -> [HTTP2Header] {
  [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")] + answerEnd(status, metadata)
}

/// What cannot be sent is left out: an answer without it is better than none.
private func append(_ metadata: Metadata, to fields: inout [HTTP2Header]) {
  for (key, value) in metadata {
    let name = key.lowercased()
    let text = trimmed(value.encoded())
    guard isFieldName(name), !isReserved(name), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else { continue }
    fields.append(HTTP2Header(name, text))
  }
}

/// Without spaces around it, which no field may have (RFC 9113 section 8.2.1).
private func trimmed(_ text: String) -> String {
  guard text.first == " " || text.last == " " else { return text }
  let rest = text.drop { $0 == " " }
  return String(
    rest.prefix((rest.lastIndex { $0 != " " }).map { rest.distance(from: rest.startIndex, to: $0) + 1 } ?? 0))
}

private func isFieldName(_ name: String) -> Bool {
  !name.isEmpty
    && name.utf8.allSatisfy { byte in
      switch byte {
      case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"),
        UInt8(ascii: "_"), UInt8(ascii: "."):
        true
      default: false
      }
    }
}

/// Fields that are the transport's or the connection's own.
private func isReserved(_ name: String) -> Bool {
  switch name {
  case "te", "content-type", "connection", "host", "transfer-encoding", "keep-alive", "upgrade": true
  default: name.hasPrefix("grpc-")
  }
}

/// A status message as its field carries it: what is no printable ASCII, and the percent sign, by its hexadecimal digits. So are spaces around it,
/// which no field may have.
func percentEncoded(_ text: String) -> String {
  func isPlain(_ byte: UInt8) -> Bool { (0x20...0x7E).contains(byte) && byte != UInt8(ascii: "%") }
  guard text.first == " " || text.last == " " || !text.utf8.allSatisfy(isPlain) else { return text }
  let digits = Array("0123456789ABCDEF".utf8)
  var bytes: [UInt8] = []
  for (index, byte) in text.utf8.enumerated() {
    let isEdge = index == 0 || index == text.utf8.count - 1
    if isPlain(byte), byte != UInt8(ascii: " ") || !isEdge {
      bytes.append(byte)
    } else {
      bytes += [UInt8(ascii: "%"), digits[Int(byte >> 4)], digits[Int(byte & 0xF)]]
    }
  }
  return String(decoding: bytes, as: UTF8.self)
}

extension Metadata {
  /// Without what belongs to HTTP/2 and to the transport. The caller's deadline, `grpc-timeout`, is the library's.
  init(_ fields: [HTTP2Header]) {
    self.init()
    for field in fields where !field.name.hasPrefix(":") && !Self.isTransports(field.name) {
      guard field.name.hasSuffix("-bin") else {
        addString(field.value, forKey: field.name)
        continue
      }
      // Fields of one name may have been joined with commas on the way, and base64 has none.
      for value in field.value.split(separator: ",", omittingEmptySubsequences: false) {
        let trimmed = value.drop { $0 == " " }
        if let decoded = bytes(base64: trimmed) {
          addBinary(decoded, forKey: field.name)
        } else {
          addString(String(trimmed), forKey: field.name)
        }
      }
    }
  }

  private static func isTransports(_ name: String) -> Bool {
    switch name {
    case "te", "content-type", "grpc-encoding", "grpc-accept-encoding": true
    default: false
    }
  }
}
