// What a transport is told once.

package import GRPCCore
package import HTTP2
package import TLS

package struct WireConfiguration: Sendable {
  /// The largest message accepted from the server, in bytes: gRPC's usual limit. A call may set its own.
  package static let inboundMessageBytesMax = 4 << 20

  package var endpoint: Endpoint
  /// Asked anew for each connection, so that a renewed certificate is used by the next one.
  package var tls: @Sendable () throws -> TLSConfiguration
  /// Windows, header limits, keepalive, the time to connect. Its authority is the `:authority` of calls.
  package var http2: HTTP2Configuration
  package var backoff = Backoff()
  package var inboundMessageBytesMax = Self.inboundMessageBytesMax
  /// How messages are compressed in calls whose options say nothing; the server must know it. What the server sends is
  /// read however it is compressed, whatever it was told.
  package var compression = CompressionAlgorithm.none
  /// Whether calls tell the server that its messages may be compressed. One that is told so may keep what it compresses with for as long as
  /// the call lasts: a quarter of a megabyte with zlib.
  package var acceptsCompressed = true
  /// The product at the start of the user agent, such as `printtrail/1.0`.
  package var product: String
  /// Defaults for methods: timeouts, retries, limits.
  package var service: ServiceConfig

  /// - Parameter authority: what calls name as the server; nil means the endpoint. It does not change which name the
  ///   certificate must bear: that is `TLSConfiguration.serverName`.
  package init(
    endpoint: Endpoint, authority: String? = nil, product: String = "printtrail",
    service: ServiceConfig = ServiceConfig(),
    tls: @escaping @Sendable () throws -> TLSConfiguration
  ) {
    self.endpoint = endpoint
    self.tls = tls
    http2 = HTTP2Configuration(authority: authority ?? HTTP2Connection.authority(of: endpoint))
    self.product = product
    self.service = service
  }

  /// With a TLS configuration that does not change.
  package init(
    endpoint: Endpoint, authority: String? = nil, product: String = "printtrail",
    service: ServiceConfig = ServiceConfig(),
    tls: TLSConfiguration
  ) {
    self.init(endpoint: endpoint, authority: authority, product: product, service: service, tls: { tls })
  }

  var userAgent: String { "\(product) grpc-swift-nghttp2/\(HTTP2Session.libraryVersion)" }
}
