// gRPC's headers (PROTOCOL-HTTP2.md): metadata to HTTP/2 fields and back, binary values in base64, percent-encoded
// status messages, the encodings of messages.

internal import GRPCCore
internal import HTTP2
internal import OpenSSL

/// The header section of a call.
/// - Parameters:
///   - encoding: that of the messages that are compressed; nil when none will be.
///   - acceptsCompressed: whether the server is told that its messages may be.
/// - Throws: `invalidArgument` when a key or value of the metadata cannot be sent.
func requestHeaders(
  of method: MethodDescriptor, authority: String, userAgent: String, encoding: MessageEncoding? = nil,
  acceptsCompressed: Bool = true, metadata: Metadata
) throws(RPCError) -> [HTTP2Header] {
  var headers = [
    HTTP2Header(":method", "POST"), HTTP2Header(":scheme", "https"),
    HTTP2Header(":path", "/\(method.fullyQualifiedMethod)"), HTTP2Header(":authority", authority),
    HTTP2Header("te", "trailers"), HTTP2Header("content-type", "application/grpc"),
    HTTP2Header("grpc-accept-encoding", acceptsCompressed ? MessageEncoding.accepted : "identity"),
    HTTP2Header("user-agent", userAgent),
  ]
  headers.reserveCapacity(headers.count + metadata.count + 1)
  if let encoding { headers.append(HTTP2Header("grpc-encoding", encoding.rawValue)) }
  for (key, value) in metadata {
    let name = key.lowercased()
    guard !isReserved(name) else { continue }
    let text = value.encoded()
    guard isFieldName(name), text.utf8.allSatisfy({ (0x20...0x7E).contains($0) }) else {
      throw RPCError(
        code: .invalidArgument,
        message: "The metadata '\(key)' cannot be sent: keys are a-z, 0-9, '-', '_', '.', values printable ASCII.")
    }
    headers.append(HTTP2Header(name, text))
  }
  return headers
}

/// Fields that are this transport's or the connection's own. GRPCCore itself sets two that begin with `grpc-`.
private func isReserved(_ name: String) -> Bool {
  switch name {
  case "te", "content-type", "user-agent", "connection", "host", "transfer-encoding", "keep-alive", "upgrade": true
  case "grpc-timeout", "grpc-previous-rpc-attempts": false
  default: name.hasPrefix(":") || name.hasPrefix("grpc-")
  }
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

/// The metadata of a header or trailer section, without what belongs to HTTP/2, to the status and to the transport.
func metadata(from headers: [HTTP2Header]) -> Metadata {
  var metadata = Metadata()
  for header in headers where !header.name.hasPrefix(":") && !isTransportField(header.name) {
    guard header.name.hasSuffix("-bin") else {
      metadata.addString(header.value, forKey: header.name)
      continue
    }
    // Fields of one name may have been joined with commas on the way, and base64 has none.
    for value in header.value.split(separator: ",", omittingEmptySubsequences: false) {
      let trimmed = value.drop { $0 == " " }
      if let decoded = bytes(base64: trimmed) {
        metadata.addBinary(decoded, forKey: header.name)
      } else {
        metadata.addString(String(trimmed), forKey: header.name)
      }
    }
  }
  return metadata
}

private func isTransportField(_ name: String) -> Bool {
  switch name {
  case "grpc-status", "grpc-message", "content-type", "grpc-encoding", "grpc-accept-encoding": true
  default: false
  }
}

/// The status a section carries; nil when it has none.
func status(from headers: [HTTP2Header]) -> Status? {
  guard let text = headers.first(named: "grpc-status") else { return nil }
  let message = percentDecoded(headers.first(named: "grpc-message") ?? "")
  guard let number = Int(text), let code = Status.Code(rawValue: number) else {
    return Status(code: .unknown, message: "The server sent the unknown status '\(text)'. \(message)")
  }
  return Status(code: code, message: message)
}

/// Undoes the percent-encoding of status messages. What is not well encoded stays as it is: a message is never lost.
func percentDecoded(_ text: String) -> String {
  let bytes = Array(text.utf8)
  guard bytes.contains(UInt8(ascii: "%")) else { return text }
  var decoded: [UInt8] = []
  var index = 0
  while index < bytes.count {
    if bytes[index] == UInt8(ascii: "%"), index + 2 < bytes.count,
      let byte = OpenSSL.bytes(hexadecimal: String(decoding: bytes[index + 1...index + 2], as: UTF8.self))?.first
    {
      decoded.append(byte)
      index += 3
    } else {
      decoded.append(bytes[index])
      index += 1
    }
  }
  return String(decoding: decoded, as: UTF8.self)
}
