// The limits and times of a port that serves gRPC.

internal import HTTP2

package struct RPCConfiguration: Sendable {
  /// The longest message that is taken, both as it comes and inflated.
  package var messageBytesMax = 4 << 20
  /// What a peer may send before it is read: on each call, and on all calls of a connection together.
  package var windowBytes = 512 << 10
  /// Calls of one connection at one time.
  package var callsMax = 16
  /// What an answer may have under way before its writer waits.
  package var unsentBytesMax = 64 << 10
  /// The head of a call, in bytes as RFC 9113 section 6.5.2 counts.
  package var headBytesMax = 16 << 10
  /// Silence after which the peer is asked whether it is still there, and how long its answer may take.
  package var keepaliveInterval = Duration.seconds(60)
  package var keepaliveTimeout = Duration.seconds(20)
  /// How often the peer may ask that (gRFC A8); who asks more often is sent away.
  package var pingIntervalLeast = Duration.seconds(10)
  /// What an orderly end waits for open calls.
  package var graceMax = Duration.seconds(10)

  package init() {}

  var http2: HTTP2Configuration {
    var configuration = HTTP2Configuration(authority: "")
    configuration.streamWindowBytes = windowBytes
    configuration.connectionWindowBytes = windowBytes
    configuration.streamsMax = callsMax
    configuration.headerBytesMax = headBytesMax
    configuration.keepaliveInterval = keepaliveInterval
    configuration.keepaliveTimeout = keepaliveTimeout
    configuration.takesWebSockets = false
    return configuration
  }
}
