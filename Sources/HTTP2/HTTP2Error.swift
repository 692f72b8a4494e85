// How requests and connections fail.

/// Error codes of RST_STREAM and GOAWAY (RFC 9113 section 7).
package struct HTTP2ErrorCode: Hashable, Sendable, CustomStringConvertible {
  package let rawValue: UInt32

  package init(rawValue: UInt32) { self.rawValue = rawValue }

  package static let noError = HTTP2ErrorCode(rawValue: 0)
  package static let protocolError = HTTP2ErrorCode(rawValue: 1)
  package static let internalError = HTTP2ErrorCode(rawValue: 2)
  package static let flowControlError = HTTP2ErrorCode(rawValue: 3)
  package static let refusedStream = HTTP2ErrorCode(rawValue: 7)
  package static let cancel = HTTP2ErrorCode(rawValue: 8)
  package static let enhanceYourCalm = HTTP2ErrorCode(rawValue: 11)
  package static let inadequateSecurity = HTTP2ErrorCode(rawValue: 12)

  private static let names = [
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR", "CONNECT_ERROR", "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY", "HTTP_1_1_REQUIRED",
  ]

  package var description: String {
    Int(rawValue) < Self.names.count ? Self.names[Int(rawValue)] : "error code \(rawValue)"
  }
}

package enum HTTP2Error: Error, Sendable, CustomStringConvertible {
  /// The connection below could not be made, or broke. The reason is its own error.
  case connection(any Error)
  /// The peer closed the connection while something was going on.
  case closedByPeer
  /// What answers does not speak HTTP/2.
  case notHTTP2(reason: String)
  /// The peer broke the protocol.
  case protocolViolation(reason: String)
  /// A keepalive PING was not answered in time.
  case keepaliveTimeout
  /// The peer takes no new streams on this connection (GOAWAY).
  case goneAway(code: HTTP2ErrorCode, reason: String)
  /// The stream was not processed at all by the peer: it can be tried again elsewhere without harm.
  case streamRefused
  /// Too many requests wait for the peer to allow them.
  case tooManyWaiting(limit: Int)
  /// The peer ended the stream with an error.
  case streamReset(HTTP2ErrorCode)
  /// The stream is over; nothing more can be sent on it.
  case streamClosed
  /// The peer sent more header bytes than `HTTP2Configuration.headerBytesMax`.
  case headersTooLarge(limit: Int)
  /// The peer sent a larger body than was asked for.
  case bodyTooLarge(limit: Int)
  /// The deadline passed before the stream was over.
  case deadlineExceeded
  /// This side closed the connection, or the stream.
  case closed

  package var description: String {
    switch self {
    case .connection(let error): "\(error)"
    case .closedByPeer: "The server closed the connection."
    case .notHTTP2(let reason): "What answers there does not speak HTTP/2 (\(reason))."
    case .protocolViolation(let reason): "The server broke the HTTP/2 protocol: \(reason)."
    case .keepaliveTimeout: "The server no longer answers; the connection was given up."
    case .goneAway(let code, let reason):
      "The server takes no new requests on this connection (\(code)\(reason.isEmpty ? "" : ", \(reason)"))."
    case .streamRefused: "The server did not begin with the request; it can be tried again."
    case .tooManyWaiting(let limit): "More than \(limit) requests wait for the server to allow them."
    case .streamReset(let code): "The server ended the request with \(code)."
    case .streamClosed: "The request is over; nothing more can be sent on it."
    case .headersTooLarge(let limit): "The server's headers are larger than \(limit) bytes."
    case .bodyTooLarge(let limit): "The server's answer is larger than \(limit) bytes."
    case .deadlineExceeded: "The request was not over in time."
    case .closed: "The connection was closed by its owner."
    }
  }
}
