// HTTP/2's failures in gRPC's words (PROTOCOL-HTTP2.md, "HTTP2 Transport Mapping"). The cause stays attached, down to
// the TLSError.

internal import GRPCCore
internal import HTTP2
package import TLS

extension TLSError {
  /// The failure of the connection that a failed call or request comes from, if it does.
  package static func below(_ error: any Error) -> TLSError? {
    switch error {
    case let error as TLSError: error
    case HTTP2Error.connection(let cause): below(cause)
    case let error as RPCError: error.cause.flatMap { below($0) }
    default: nil
    }
  }
}

extension RPCError {
  init(wire error: any Error) {
    switch error {
    // GRPCCore wraps what a request's producer throws when the call is cancelled as `unknown`.
    case let error as RPCError where error.cause is CancellationError:
      self.init(code: .cancelled, message: "The call was cancelled.")
    case let error as RPCError: self = error
    case let error as HTTP2Error: self.init(code: error.code, message: "\(error)", cause: error.cause)
    case is CancellationError: self.init(code: .cancelled, message: "The call was cancelled.")
    default: self.init(code: .unavailable, message: "\(error)", cause: error)
    }
  }
}

extension HTTP2Error {
  fileprivate var code: RPCError.Code {
    switch self {
    // A connection that broke the protocol is gone; the next one may be better.
    case .connection, .closedByPeer, .notHTTP2, .protocolViolation, .keepaliveTimeout, .goneAway, .streamRefused:
      .unavailable
    case .streamClosed: .internalError
    case .headersTooLarge, .bodyTooLarge, .tooManyWaiting: .resourceExhausted
    case .deadlineExceeded: .deadlineExceeded
    case .closed: .cancelled
    case .streamReset(.cancel): .cancelled
    case .streamReset(.refusedStream): .unavailable
    case .streamReset(.enhanceYourCalm): .resourceExhausted
    case .streamReset(.inadequateSecurity): .permissionDenied
    case .streamReset: .internalError
    }
  }

  /// The error below, for the one who must tell a wrong certificate from a cable that is out.
  fileprivate var cause: any Error {
    if case .connection(let error) = self { error } else { self }
  }
}
