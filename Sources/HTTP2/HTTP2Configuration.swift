// The limits and times of a connection, and the plain types of its messages.

package struct HTTP2Configuration: Sendable {
  /// What the peer may send on one stream before we read it: as much as an agent is ready to hold for one answer.
  package var streamWindowBytes = 1 << 20
  /// What the peer may send on all streams together before we read it.
  package var connectionWindowBytes = 4 << 20
  /// The largest header section accepted, in bytes as RFC 9113 section 6.5.2 counts (32 more for each field).
  package var headerBytesMax = 64 << 10
  /// A writer waits while this much of its stream is not handed to the connection yet.
  package var unsentBytesMax = 256 << 10
  /// Time for name, connection, handshake and the peer's first SETTINGS together.
  package var openTimeout = Duration.seconds(20)
  /// Silence after which a PING asks whether the peer is still there; nil never asks. Servers may take frequent pings
  /// for abuse (ENHANCE_YOUR_CALM), so both sides must agree on it.
  package var keepaliveInterval: Duration? = .seconds(60)
  /// Time for the answer to that PING.
  package var keepaliveTimeout = Duration.seconds(20)
  /// Time for the streams that are open when `close` is called.
  package var drainTimeout = Duration.seconds(10)
  /// At a server: requests that may be open at one time.
  package var streamsMax = 32
  /// At a server: whether requests may be for WebSockets (RFC 8441).
  package var takesWebSockets = true
  /// At a server: frames that cost work and carry nothing (pings, settings, resets, empty data) which may come at once, and
  /// how many more each second. A page that is left while it loads ends some dozens of requests.
  package var choresAtOnceMax = 256
  package var choresPerSecond = 64
  /// The authority of requests: the `:authority` pseudo header.
  package var authority: String

  package init(authority: String) { self.authority = authority }
}

/// One field of a header or trailer section; the name in lower case.
package struct HTTP2Header: Hashable, Sendable {
  package let name: String
  package let value: String

  package init(_ name: String, _ value: String) {
    self.name = name
    self.value = value
  }
}

extension [HTTP2Header] {
  /// The value of the first field with this name.
  package func first(named name: String) -> String? { first { $0.name == name }?.value }
}

/// What arrives on a stream, in this order: one header section (informational ones are left out), data, maybe trailers.
package enum HTTP2Part: Hashable, Sendable {
  case headers([HTTP2Header])
  case data([UInt8])
  case trailers([HTTP2Header])
}

/// The whole answer to `HTTP2Connection.request`.
package struct HTTP2Response: Hashable, Sendable {
  package let status: Int
  package let headers: [HTTP2Header]
  package let body: [UInt8]
}
