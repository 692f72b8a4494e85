// One request with a whole body and its whole answer: for HTTPS with JSON.

extension HTTP2Connection {
  /// Sends a request and reads its answer.
  /// - Parameters:
  ///   - path: begins with a slash; may have a query.
  ///   - headers: beside the pseudo headers; names in lower case.
  ///   - timeout: for all of it.
  ///   - bodyBytesMax: the largest answer accepted.
  /// - Throws: `HTTP2Error` or `CancellationError`; the stream is then over. Any status is an answer, not an error.
  package func request(
    method: String, path: String, headers: [HTTP2Header] = [], body: [UInt8] = [], timeout: Duration = .seconds(30),
    bodyBytesMax: Int = 1 << 20
  ) async throws -> HTTP2Response {
    let pseudoHeaders = [
      HTTP2Header(":method", method), HTTP2Header(":scheme", "https"),
      HTTP2Header(":authority", configuration.authority), HTTP2Header(":path", path),
    ]
    let length = body.isEmpty ? [] : [HTTP2Header("content-length", String(body.count))]
    let stream = try openStream(
      pseudoHeaders + headers + length, endStream: body.isEmpty, deadline: .now.advanced(by: timeout))
    defer { stream.abandon() }
    // A server may answer, and close, before it has read the whole body.
    if !body.isEmpty { try? await stream.send(body, endStream: true) }
    return try await Self.response(on: stream, bodyBytesMax: bodyBytesMax)
  }

  private static func response(on stream: HTTP2Stream, bodyBytesMax: Int) async throws -> HTTP2Response {
    var fields: [HTTP2Header] = []
    var body: [UInt8] = []
    while let part = try await stream.next() {
      switch part {
      case .headers(let headers): fields = headers
      case .data(let bytes):
        guard body.count + bytes.count <= bodyBytesMax else { throw HTTP2Error.bodyTooLarge(limit: bodyBytesMax) }
        body.append(contentsOf: bytes)
      case .trailers: break
      }
    }
    guard let status = fields.first(named: ":status").flatMap({ Int($0) }) else {
      throw HTTP2Error.protocolViolation(reason: "the answer has no status")
    }
    return HTTP2Response(status: status, headers: fields.filter { !$0.name.hasPrefix(":") }, body: body)
  }
}
